"""Prompts where nobody points: another model's mask, every automatic mask, or the middle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from medseg.clip import Clip
from medseg.errors import FrameNotDecoded, InputError
from medseg.models.sam2.automatic import automatic_masks
from medseg.models.sam2.load import Sam2
from medseg.models.sam2.prompts import MOST_OBJECTS, Prompt
from medseg.sector import Sector

Prompter = Callable[[Sam2, Clip, Sector], list[Prompt]]

_CANDIDATES = 5  # frames that another model is tried on
_CENTRE_SHARE = 0.5  # of the picture's height and width
_SMALLEST_SHARE, _LARGEST_SHARE = 0.005, 0.6  # of the frame, of masks worth following


class Model(Protocol):
    """What is needed of another network; `medseg.models.load_model` gives one."""

    name: str
    object_names: tuple[str, ...]
    halo_s: float

    def probabilities(
        self, frames: np.ndarray, *, time_s: np.ndarray, core: slice, sector: Sector
    ) -> np.ndarray:
        """Probabilities (core,object,H,W)."""
        ...


def given(prompts: Sequence[Prompt]) -> Prompter:
    """The prompts that a person gave, for every clip."""
    return lambda sam2, clip, sector: list(prompts)


def from_centre_box(
    *, name: str = "object", frame: int = 0, share: float = _CENTRE_SHARE
) -> Prompter:
    """A box around the middle of the ultrasound, or of the frame where there is none."""

    def prompt(sam2: Sam2, clip: Clip, sector: Sector) -> list[Prompt]:
        y0, x0, y1, x1 = sector.box
        y, x = (y0 + y1) / 2, (x0 + x1) / 2
        half_y, half_x = (y1 - y0) * share / 2, (x1 - x0) * share / 2
        return [Prompt(name, frame, box=(x - half_x, y - half_y, x + half_x, y + half_y))]

    return prompt


def from_automatic_masks(*, frame: int = 0, most: int = 8, points_per_side: int = 16) -> Prompter:
    """The largest automatic masks of one frame, named object_1, object_2 and so on."""

    def prompt(sam2: Sam2, clip: Clip, sector: Sector) -> list[Prompt]:
        _check_frame(clip, frame)
        found = automatic_masks(
            sam2,
            clip.read(frame, frame + 1)[0],
            points_per_side=points_per_side,
            smallest_share=_SMALLEST_SHARE,
            largest_share=_LARGEST_SHARE,
        )
        if not found:
            raise InputError(
                f"{clip.name}: nothing in frame {frame} is outlined steadily enough to be "
                "followed; choose another --prompt-frame or give --prompts"
            )
        return [
            Prompt(f"object_{i}", frame, mask=mask.mask)
            for i, mask in enumerate(found[: min(most, MOST_OBJECTS)], start=1)
        ]

    return prompt


def from_model(model: Model, *, frame: int | None = None, as_box: bool = False) -> Prompter:
    """Another model's masks in one frame: the given one, or the surest of five over the clip."""

    def prompt(sam2: Sam2, clip: Clip, sector: Sector) -> list[Prompt]:
        if frame is not None:
            _check_frame(clip, frame)
        tried = [frame] if frame is not None else _spread(clip.frame_count)
        best: tuple[float, int, np.ndarray] | None = None
        for candidate in tried:
            try:
                probability = _probability(model, clip, candidate, sector)
            except FrameNotDecoded:
                continue
            sure = min(_certainty(own) for own in probability)
            if best is None or sure > best[0]:
                best = (sure, candidate, probability > 0.5)
        if best is None or best[0] <= 0:
            shown = "frame " + ", ".join(map(str, tried))
            raise InputError(
                f"{clip.name}: the model {model.name} sees nothing in {shown} that SAM 2 could "
                "follow; choose another --prompt-frame or give --prompts"
            )
        _, chosen, masks = best
        return [
            Prompt(name, chosen, box=_box(mask)) if as_box else Prompt(name, chosen, mask=mask)
            for name, mask in zip(model.object_names, masks, strict=True)
        ]

    return prompt


def _probability(model: Model, clip: Clip, frame: int, sector: Sector) -> np.ndarray:
    """Probabilities (object,H,W) in one frame, its neighbours shown to the model too."""
    time_s = clip.frame_time_s
    if time_s is None:
        time_s = np.arange(clip.frame_count, dtype=np.float64)
    near = np.flatnonzero(np.abs(time_s - time_s[frame]) <= model.halo_s)
    start, stop = int(near[0]), int(near[-1]) + 1
    core = slice(frame - start, frame - start + 1)
    frames = clip.read(start, stop)
    return model.probabilities(frames, time_s=time_s[start:stop], core=core, sector=sector)[0]


def _certainty(probability: np.ndarray) -> float:
    """Soft Dice of a probability (H,W) with its own mask, 0 where the mask is empty."""
    inside = probability > 0.5
    total = float(probability.sum()) + float(inside.sum())
    return 2 * float(probability[inside].sum()) / total if inside.any() else 0.0


def _box(mask: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _spread(frame_count: int) -> list[int]:
    """A few frames, evenly spread over a clip, the first one among them."""
    return sorted({round(i * (frame_count - 1) / _CANDIDATES) for i in range(_CANDIDATES)})


def _check_frame(clip: Clip, frame: int) -> None:
    if not 0 <= frame < clip.frame_count:
        raise InputError(
            f"{clip.name}: there is no frame {frame} to prompt, only 0 to {clip.frame_count - 1}"
        )
