"""Streams a clip through a network and turns probabilities into masks and curves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.clip import Clip
from medseg.errors import ClipUnreadable, FrameTimesUnknown
from medseg.geometry import (
    DISKS,
    SMALLEST_MEASURABLE_PX,
    Cavity,
    measure_cavity,
    touching_share,
)
from medseg.sector import blank_outside, everything, find_sector
from medseg.segmentation import gates
from medseg.segmentation.cleaning import (
    sharpness,
    smooth_in_time,
    smoothing_reach,
    solid_masks,
)
from medseg.segmentation.fleeting import without_lobes
from medseg.segmentation.orientation import probe_direction
from medseg.segmentation.picture import PictureStatistics, count_sectors, luma
from medseg.segmentation.protocols import Follower, Promptable, Segmenter
from medseg.segmentation.windows import Window, read_windows, window_size
from medseg.store.layout import (
    IMAGE_BYTES,
    LOW_CONFIDENCE,
    MEASURED,
    NO_OBJECT,
    NOT_DECODED,
    TOUCHES_EDGE,
)

SECTOR_FRAMES = 64  # frames that the sector is found from
VENTRICLE = "left_ventricle"  # what the gates know the shape and the beat of
SMALLEST_OBJECT_SHARE = 0.002  # of the sector's area; less is no ventricle
BLACK_LEVEL = 8  # a clip whose brightest sampled value is below this shows nothing
CONSENSUS_WEIGHT = 2.0  # of the clip's own apex direction against one frame's shape

_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Measured:
    """One window's results."""

    start: int
    mask: NDArray[np.uint8]  # (object, T, H, W)
    image: NDArray[np.uint8]  # (T, H, W), grey, zero outside the sector


@dataclass
class _ObjectRecord:
    """Per-frame numbers of one object, gathered in order."""

    area_px: list[float] = field(default_factory=list)
    long_axis_px: list[float] = field(default_factory=list)
    disk_diameter_px: list[NDArray[np.float64]] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    solidity: list[float] = field(default_factory=list)
    length_to_width: list[float] = field(default_factory=list)
    base_breadth: list[float] = field(default_factory=list)
    overlap: list[float] = field(default_factory=list)
    previous: NDArray[np.bool_] | None = None
    apex_direction: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    apex_votes: int = 0


class Measurement:
    """Measures one clip: iterate `windows()` to its end, then take `curves()` and `quality()`."""

    def __init__(
        self,
        clip: Clip,
        segmenter: Segmenter | Promptable,
        *,
        window: int = 64,
        pixel_aspect: float | None = None,
        whole_frame: bool = False,
    ) -> None:
        if clip.frame_time_s is None:
            raise FrameTimesUnknown(
                f"{clip.name}: the file does not say when its frames were taken; "
                "give the frame rate with --fps (frame_rate_hz in Python)"
            )
        self.clip = clip
        self.time_s = clip.frame_time_s
        if pixel_aspect is None:
            pixel_aspect = clip.spacing_cm[0] / clip.spacing_cm[1] if clip.spacing_cm else 1.0
        self.pixel_aspect = pixel_aspect
        interval = float(np.median(np.diff(self.time_s))) if clip.frame_count > 1 else 0.0
        self._size = window_size(clip, window)
        self._first_look(whole_frame)
        self.segmenter: Segmenter | Follower
        self._margin = self._halo = 0
        if isinstance(segmenter, Promptable):
            self.segmenter = segmenter.on_clip(clip, self.sector)
        else:
            self.segmenter = segmenter
            self._margin = smoothing_reach(interval)
            wanted = math.ceil(segmenter.halo_s / interval) if interval > 0 else 0
            self._halo = self._margin + min(wanted, max(self._size, 32))
        self._statistics = PictureStatistics(self.sector.mask, interval)
        self._records = [_ObjectRecord() for _ in self.segmenter.object_names]
        self.undecoded = 0  # frames so far
        self.unsearched = dict.fromkeys(self.segmenter.object_names, 0)  # decoded frames so far
        smallest = int(SMALLEST_OBJECT_SHARE * np.count_nonzero(self.sector.mask))
        self._smallest_px = [
            max(SMALLEST_MEASURABLE_PX, smallest if name == VENTRICLE else 0)
            for name in self.segmenter.object_names
        ]

    def _first_look(self, whole_frame: bool) -> None:
        """Find the sector, and refuse a clip that shows nothing at all."""
        first = next(
            read_windows(self.clip, size=min(SECTOR_FRAMES, self.clip.frame_count), halo=0)
        )
        if not first.decoded.any():
            raise ClipUnreadable(
                f"{self.clip.name}: none of the first {len(first.frames)} frames can be decoded; "
                "the file is damaged: export it again"
            )
        frames = first.frames[first.decoded]
        if int(frames.max()) < BLACK_LEVEL and self._is_black_throughout():
            raise ClipUnreadable(
                f"{self.clip.name}: every frame is black, so there is nothing to segment; "
                "export the clip with its pictures"
            )
        if whole_frame:
            self.sector = everything(self.clip.height, self.clip.width)
        else:
            self.sector = find_sector(frames, region=self.clip.region)
        self._sectors = max(self.sector.parts, count_sectors(luma(frames)))
        self._probe = probe_direction(self.sector.mask)

    def _is_black_throughout(self) -> bool:
        windows = read_windows(self.clip, size=window_size(self.clip, SECTOR_FRAMES), halo=0)
        return all(int(window.frames.max()) < BLACK_LEVEL for window in windows)

    def windows(self) -> Iterator[Measured]:
        """Measure window after window."""
        read = read_windows(self.clip, size=self._size, halo=self._halo)
        found = ((window, self._probability(window)) for window in read)
        names = self.segmenter.object_names
        if VENTRICLE in names and not isinstance(self.segmenter, Follower):
            found = without_lobes(found, self.time_s, names.index(VENTRICLE))
        for window, probability in found:
            yield self._measure(window, probability)

    def _probability(self, window: Window) -> NDArray[np.float32]:
        """Probabilities (core, object, H, W); NaN where an object was not looked for."""
        if isinstance(self.segmenter, Follower):  # remembers, so that nothing needs smoothing
            return self.segmenter.follow(window.start, window.frames, window.decoded)
        time_s = self.time_s[window.first : window.first + len(window.frames)]
        wide = slice(
            max(0, window.core.start - self._margin),
            min(len(window.frames), window.core.stop + self._margin),
        )
        probability = self.segmenter.probabilities(
            window.frames, time_s=time_s, core=wide, sector=self.sector
        )
        inner = slice(window.core.start - wide.start, window.core.stop - wide.start)
        return smooth_in_time(probability, time_s[wide], core=inner)

    def _measure(self, window: Window, probability: NDArray[np.float32]) -> Measured:
        frames, decoded = window.frames[window.core], window.decoded[window.core]
        self._statistics.add(frames[decoded])
        self.undecoded += int(np.count_nonzero(~decoded))
        mask = np.zeros((len(self._records), *probability.shape[:1], *frames.shape[1:3]), np.uint8)
        for index, record in enumerate(self._records):
            own, unseen = probability[:, index], np.isnan(probability[:, index, 0, 0])
            if unseen.any():
                name = self.segmenter.object_names[index]
                self.unsearched[name] += int(np.count_nonzero(unseen & decoded))
                own = np.where(unseen[:, None, None], np.float32(0), own)
            solid = solid_masks(own)
            solid &= self.sector.mask
            self._measure_object(record, solid, own, decoded & ~unseen, self._smallest_px[index])
            mask[index] = solid
        image = luma(blank_outside(frames, self.sector))
        image[~decoded] = 0
        return Measured(window.start, mask, image)

    def _measure_object(
        self,
        record: _ObjectRecord,
        masks: NDArray[np.bool_],
        probability: NDArray[np.float32],
        decoded: NDArray[np.bool_],
        smallest_px: int,
    ) -> None:
        """Append the measures of a window's masks (T, H, W), which may be emptied in place."""
        cavities: list[Cavity | None] = []
        for mask, known in zip(masks, decoded, strict=True):
            if not known or np.count_nonzero(mask) < smallest_px:
                mask[:] = False
            cavities.append(self._cavity(record, mask) if mask.any() else None)
            if cavities[-1] is None:
                mask[:] = False
        for i, cavity in enumerate(cavities):  # now that the window has voted on the apex
            if cavity is not None and _apex_direction(cavity) @ record.apex_direction < 0:
                cavities[i] = self._cavity(record, masks[i]) or cavity
        for i, (mask, cavity) in enumerate(zip(masks, cavities, strict=True)):
            record.overlap.append(_dice(record.previous, mask))
            record.previous = mask.copy()
            if cavity is None:
                _append_nothing(record, NO_OBJECT if decoded[i] else NOT_DECODED)
                continue
            confidence = sharpness(probability[i], mask)
            record.area_px.append(cavity.area_px)
            record.long_axis_px.append(cavity.long_axis_px)
            record.disk_diameter_px.append(cavity.disk_diameter_px)
            record.confidence.append(confidence)
            record.solidity.append(cavity.solidity)
            record.length_to_width.append(cavity.length_to_width)
            record.base_breadth.append(cavity.base_breadth)
            if confidence < gates.LOWEST_FRAME_CONFIDENCE:
                record.status.append(LOW_CONFIDENCE)
            elif self._touching(mask) > gates.SHARE_TOUCHING_EDGE:
                record.status.append(TOUCHES_EDGE)
            else:
                record.status.append(MEASURED)

    def _touching(self, mask: NDArray[np.bool_]) -> float:
        near_px = max(1, round(gates.NEAR_EDGE * min(mask.shape)))
        return touching_share(mask, self.sector.mask, within_px=near_px)

    def _cavity(self, record: _ObjectRecord, mask: NDArray[np.bool_]) -> Cavity | None:
        """Measure one mask; the clip's own apex direction outweighs a single frame's shape."""
        if record.apex_votes >= 8 and record.apex_direction.any():
            y, x = record.apex_direction
            return measure_cavity(
                mask,
                pixel_aspect=self.pixel_aspect,
                apex_hint=(float(y), float(x)),
                hint_weight=CONSENSUS_WEIGHT,
            )
        cavity = measure_cavity(mask, pixel_aspect=self.pixel_aspect, apex_hint=self._probe)
        if cavity is not None:
            certainty = 0.1 + max(0.0, cavity.base_breadth - cavity.apex_breadth)
            record.apex_direction = record.apex_direction + certainty * _apex_direction(cavity)
            record.apex_votes += 1
        return cavity

    @property
    def notes(self) -> list[str]:
        """What the network wants said beside its results."""
        return self.segmenter.notes if isinstance(self.segmenter, Follower) else []

    def close(self) -> None:
        """Give back what the network holds for this clip."""
        if isinstance(self.segmenter, Follower):
            self.segmenter.close()

    def object_curves(self, index: int) -> gates.ObjectCurves:
        """What the gates judge of one object."""
        record = self._records[index]
        status = np.array(record.status)
        return gates.ObjectCurves(
            time_s=self.time_s,
            decoded=status != NOT_DECODED,
            area_px=np.array(record.area_px),
            confidence=np.array(record.confidence),
            solidity=np.array(record.solidity),
            length_to_width=np.array(record.length_to_width),
            base_breadth=np.array(record.base_breadth),
            overlap=np.array(record.overlap),
        )

    def quality(self) -> dict[str, dict[str, Any]]:
        """For each object whether it was measurable, and the reasons if not."""
        picture = self._statistics.picture(
            found=self.sector.found,
            sectors=self._sectors,
            colour_flow=self.clip.colour_flow,
            pixel_aspect=self.pixel_aspect,
        )
        quality = {}
        for index, name in enumerate(self.segmenter.object_names):
            curves = self.object_curves(index)
            if name == VENTRICLE:
                reasons = gates.reasons_against(curves, picture)
            else:
                reasons = gates.reasons_against_any(curves)
            quality[name] = {
                "measurable": not reasons,
                "reasons": [{"code": r.code, "message": r.message} for r in reasons],
            }
        return quality

    def curves(self, quality: Mapping[str, Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
        """The store's curves; an object that is not measurable has status 4 where it was seen."""
        records = self._records
        status = np.array([r.status for r in records], np.uint8)
        for index, name in enumerate(self.segmenter.object_names):
            if not quality[name]["measurable"]:
                seen = np.isin(status[index], (MEASURED, TOUCHES_EDGE))
                status[index][seen] = LOW_CONFIDENCE
        curves: dict[str, NDArray[Any]] = {
            "frame_time": np.asarray(self.time_s, np.float64),
            "status": status,
            "area_px": np.array([r.area_px for r in records], np.float32),
            "long_axis_px": np.array([r.long_axis_px for r in records], np.float32),
            "disk_diameter_px": np.array([r.disk_diameter_px for r in records], np.float32),
            "confidence": np.array([r.confidence for r in records], np.float32),
        }
        if self.clip.spacing_cm is not None:
            column_cm = self.clip.spacing_cm[1]
            curves["area_cm2"] = (curves["area_px"] * column_cm**2).astype(np.float32)
            curves["long_axis_cm"] = (curves["long_axis_px"] * column_cm).astype(np.float32)
            curves["disk_diameter_cm"] = (curves["disk_diameter_px"] * column_cm).astype(np.float32)
        return curves

    @property
    def with_image(self) -> bool:
        """Whether the grey frames are small enough for the store."""
        return self.clip.frame_count * self.clip.height * self.clip.width <= IMAGE_BYTES


def _apex_direction(cavity: Cavity) -> NDArray[np.float64]:
    """Unit vector (row, column) from the mitral plane to the apex."""
    towards = np.array(cavity.apex) - np.array(cavity.base)
    unit: NDArray[np.float64] = towards / max(float(np.hypot(*towards)), 1e-9)
    return unit


def _dice(before: NDArray[np.bool_] | None, mask: NDArray[np.bool_]) -> float:
    """Dice of two (H, W) masks; NaN where one of them is empty or missing."""
    if before is None or not before.any() or not mask.any():
        return _NAN
    both = np.count_nonzero(before & mask)
    return 2.0 * both / (np.count_nonzero(before) + np.count_nonzero(mask))


def _append_nothing(record: _ObjectRecord, status: int) -> None:
    record.area_px.append(0.0 if status == NO_OBJECT else _NAN)
    record.long_axis_px.append(_NAN)
    record.disk_diameter_px.append(np.full(DISKS, _NAN))
    record.confidence.append(_NAN)
    record.status.append(status)
    record.solidity.append(_NAN)
    record.length_to_width.append(_NAN)
    record.base_breadth.append(_NAN)
