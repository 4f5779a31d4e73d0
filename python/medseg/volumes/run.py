"""One scan from file to mask, picture and record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import medseg
from medseg.data.intensity import to_grey
from medseg.data.volumes import Box, Volume, boxes_of, check_box, write_mask
from medseg.errors import InputError, OutputError
from medseg.files import write_whole
from medseg.volumes.methods import key_box, segment_slices
from medseg.volumes.montage import montage_png
from medseg.volumes.predictors import Predictor
from medseg.volumes.score import TOLERANCE_MM, LabelScore, score_labels


@dataclass(frozen=True, eq=False)
class Segmented:
    """A scan's masks and what they were made from."""

    volume: Volume
    grey: NDArray[np.uint8]  # (D, H, W) or (D, H, W, 3)
    labels: NDArray[np.uint16]  # (D, H, W)
    boxes: tuple[Box, ...]
    box_source: str  # given, file or truth
    key_slices: dict[int, int]  # by label
    model: str  # its name, by which random weights are known
    scores: tuple[LabelScore, ...]  # empty without a truth
    settings: dict[str, Any]


def segment_volume(
    volume: Volume,
    predictor: Predictor,
    *,
    modality: str,
    window: str | tuple[float, float] = "abdomen",
    method: str = "memory",
    boxes: Sequence[Box] = (),
    key_slice: int | None = None,
    largest: bool = False,
    tolerance_mm: float = TOLERANCE_MM,
) -> Segmented:
    """Segment a scan from one box an object.

    Boxes are those given, else the NPZ file's, else those of each label of the truth on the middle
    of its slices: what a person would draw there. `key_slice` prompts on another slice. Raises
    InputError without any, or for one that lies outside the scan.
    """
    grey = to_grey(volume.values, modality, window=window, name=volume.name)
    asked, source = _boxes(volume, boxes, key_slice)
    keys = {box.label: box.middle if key_slice is None else key_slice for box in asked}
    labels = segment_slices(
        predictor, grey, asked, method=method, key_slices=keys, truth=volume.truth, largest=largest
    )
    scores: tuple[LabelScore, ...] = ()
    if volume.truth is not None:
        scores = tuple(
            score_labels(
                labels,
                volume.truth,
                spacing_mm=volume.spacing_mm,
                tolerance_mm=tolerance_mm,
                by_slice=volume.flat or volume.values.ndim == 4,
            )
        )
    settings = {
        "modality": modality,
        "window": window if modality == "ct" else None,
        "method": method,
        "largest_part": largest,
        "model": predictor.card,
        "software": {"name": "medseg", "version": medseg.__version__},
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return Segmented(volume, grey, labels, asked, source, keys, predictor.name, scores, settings)


def _boxes(
    volume: Volume, given: Sequence[Box], key_slice: int | None
) -> tuple[tuple[Box, ...], str]:
    shape = volume.values.shape
    if given:
        return tuple(check_box(box, shape, name=volume.name) for box in given), "given"
    if key_slice is not None and not 0 <= key_slice < shape[0]:
        raise InputError(f"{volume.name}: slice {key_slice} is not one of its {shape[0]}")
    if volume.boxes:
        return volume.boxes, "file"
    if volume.truth is not None:
        found = boxes_of(volume.truth)
        if key_slice is not None:  # only what is there can be pointed at
            found = tuple(b for b in found if (volume.truth[key_slice] == b.label).any())
        if found:
            return tuple(key_box(volume.truth, box, key_slice) for box in found), "truth"
        raise InputError(f"{volume.name}: its truth has no label to prompt with on that slice")
    raise InputError(
        f"{volume.name}: nothing says what to segment: give --box x0 y0 x1 y1 (and --slice), an "
        "NPZ file with boxes, or --truth"
    )


def write_results(done: Segmented, out: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Write <name>_mask.nii.gz (or .npz), <name>_slices.png and <name>.json; raises OutputError."""
    out = Path(out)
    volume = done.volume
    suffix = "_mask.npz" if volume.space is None else "_mask.nii.gz"
    paths = [out / f"{volume.name}{end}" for end in (suffix, "_slices.png", ".json")]
    for path in paths:
        if path.exists() and not overwrite:
            raise OutputError(f"{path}: exists already; pass --overwrite or another --out")
    write_mask(paths[0], done.labels, volume)
    spacing = volume.spacing_mm
    picture = montage_png(
        done.grey,
        done.labels,
        aspect=1.0 if spacing is None else spacing[1] / spacing[2],
        key_slice=next(iter(done.key_slices.values())),
        model=done.model,
        truth=volume.truth,
        slices=(min(box.z0 for box in done.boxes), max(box.z1 for box in done.boxes)),
    )
    write_whole(paths[1], picture)
    record = {
        "name": volume.name,
        "spacing_mm": spacing,
        **done.settings,
        "boxes_from": done.box_source,
        "boxes": [asdict(box) for box in done.boxes],
        "key_slices": done.key_slices,
        "volume_ml": _millilitres(done),
        "scores": [asdict(score) for score in done.scores],
    }
    write_whole(paths[2], json.dumps(record, indent=1) + "\n")
    return paths


def _millilitres(done: Segmented) -> dict[int, float] | None:
    """Each label's volume; None where no spacing is known."""
    spacing = done.volume.spacing_mm
    if spacing is None or done.volume.flat:
        return None
    voxel_ml = float(np.prod(spacing)) / 1000
    return {b.label: float(np.count_nonzero(done.labels == b.label)) * voxel_ml for b in done.boxes}
