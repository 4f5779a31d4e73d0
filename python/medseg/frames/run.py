"""Segments every picture of a surgical folder or clip, one after another, and can be resumed."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import medseg
from medseg.data.surgical import SurgicalFrame, SurgicalSet
from medseg.errors import InputError
from medseg.files import write_whole
from medseg.frames.finders import Finder, FoundMask
from medseg.frames.highlights import highlight_mask, share_on_highlights
from medseg.frames.journal import Journal
from medseg.frames.overlays import overlay_jpeg
from medseg.frames.rule import SuccessRule

LEAST_TRUTH_SHARE = 0.001  # of the picture: less of a true object is not asked for

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class FramesRun:
    """Records of all pictures in order, and what went wrong with others."""

    out: Path
    pictures: SurgicalSet
    records: list[dict[str, Any]]
    problems: tuple[str, ...]
    rule: SuccessRule
    card: dict[str, Any]


def segment_frames(
    pictures: SurgicalSet,
    finder: Finder,
    out: str | Path,
    *,
    rule: SuccessRule | None = None,
    every: int = 1,
    overlays: bool = True,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> FramesRun:
    """Write masks/<picture>.png and overlays/<picture>.jpg for every `every`-th picture.

    A mask file holds labels: 0, then 1 to n from the largest mask to the smallest, the smaller on
    top. Numbers of each picture go to done.jsonl as soon as its files are written, so that the same
    call goes on where a killed one stopped. Raises OutputError where `out` holds another run.
    """
    out, rule = Path(out), rule or SuccessRule()
    settings = {
        "root": str(pictures.root.resolve()), "every": every, "model": finder.name,
        "weights_sha256": finder.card.get("weights_sha256"), "software": medseg.__version__,
    }  # fmt: skip
    journal = Journal(out, settings, key="frame", overwrite=overwrite)
    wanted = pictures.frames[::every]
    problems: list[str] = []
    for count, frame in enumerate(wanted, start=1):
        if frame.name not in journal.records:
            try:
                journal.commit(_segment_one(pictures, frame, finder, out, rule, overlays))
            except InputError as error:
                problems.append(str(error))
        if progress is not None:
            progress(count, len(wanted))
    records = [journal.records[f.name] for f in wanted if f.name in journal.records]
    return FramesRun(out, pictures, records, tuple(problems), rule, finder.card)


def _segment_one(
    pictures: SurgicalSet,
    frame: SurgicalFrame,
    finder: Finder,
    out: Path,
    rule: SuccessRule,
    overlays: bool,
) -> dict[str, Any]:
    picture = pictures.read(frame)
    start = time.perf_counter()
    found = sorted(finder(picture, frame.number), key=lambda one: -np.count_nonzero(one.mask))
    seconds = time.perf_counter() - start
    highlights = highlight_mask(picture)
    masks = [_mask_record(i, one, highlights) for i, one in enumerate(found, start=1)]
    labels = label_picture([one.mask for one in found], picture.shape[:2])
    place = output_name(frame)
    write_whole(out / "masks" / f"{place}.png", _png(labels))
    if overlays:
        words = f"{rule.verdict(masks)}, {finder.name}"
        write_whole(out / "overlays" / f"{place}.jpg", overlay_jpeg(picture, labels, words))
    return {
        "frame": frame.name, "group": frame.group, "resolution": frame.resolution,
        "tools": frame.tools, "number": frame.number, "height": frame.height,
        "width": frame.width, "coverage_percent": 100 * float((labels > 0).mean()),
        "highlight_percent": 100 * float(highlights.mean()), "masks": masks,
        "dice": _best_dice(frame, found), "seconds": seconds,
    }  # fmt: skip


def output_name(frame: SurgicalFrame) -> str:
    """Where a picture's results go below masks/ and overlays/, without the suffix."""
    if frame.number is not None and ":" in frame.name:
        return f"{frame.group}/{frame.number + 1}"
    return Path(frame.name).with_suffix("").as_posix()


def _mask_record(label: int, found: FoundMask, highlights: NDArray[np.bool_]) -> dict[str, Any]:
    mask = found.mask
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise ValueError("a finder gave an empty mask")
    return {
        "label": label, "name": found.name, "area_px": int(np.count_nonzero(mask)),
        "area_percent": 100 * float(mask.mean()), "confidence": found.confidence,
        "highlight_share": share_on_highlights(mask, highlights),
        "box": [int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1],
    }  # fmt: skip


def label_picture(masks: list[NDArray[np.bool_]], size: tuple[int, ...]) -> NDArray[np.integer]:
    """Labels (H, W) of masks in order, later ones on top: uint8, or uint16 for more than 255."""
    labels = np.zeros(size, np.uint8 if len(masks) <= 255 else np.uint16)
    for label, mask in enumerate(masks, start=1):
        labels[mask] = label
    return labels


def _png(labels: NDArray[np.integer]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(labels).save(content, "PNG", compress_level=3)
    return content.getvalue()


def _best_dice(frame: SurgicalFrame, found: list[FoundMask]) -> list[float] | None:
    """For each true object the Dice of the mask that fits it best; None without a truth."""
    if frame.truth is None:
        return None
    with Image.open(frame.truth) as image:
        truth = np.asarray(image)
    if truth.shape != (frame.height, frame.width):
        raise InputError(
            f"{frame.truth}: is {truth.shape[1]} x {truth.shape[0]}, its picture "
            f"{frame.width} x {frame.height}: they do not belong together"
        )
    areas = np.bincount(truth.ravel(), minlength=256)
    seen = [i for i in range(1, 256) if areas[i] >= LEAST_TRUTH_SHARE * truth.size]
    best = dict.fromkeys(seen, 0.0)
    for one in found:
        inside = np.bincount(truth[one.mask], minlength=256)
        total = inside.sum()
        for label in seen:
            best[label] = max(best[label], 2 * float(inside[label] / (total + areas[label])))
    return [best[label] for label in seen]
