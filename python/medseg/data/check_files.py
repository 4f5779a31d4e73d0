"""What is wrong with the clips and mask files themselves, from their headers and first frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from medseg.data.check_lists import alike
from medseg.data.dataset import Case, ed_es
from medseg.data.findings import ERROR, WARNING, Finding
from medseg.data.frames import open_case
from medseg.data.mask_files import MaskOnFile
from medseg.data.outline import Outline
from medseg.errors import ClipHasNoFrames, ClipNotFound, InputError, MissingExtra

RATE_TOLERANCE = 0.02  # lists round 29.97 to 30
OUTSIDE_PX = 1.0  # tracings may touch the picture's edge


@dataclass(frozen=True)
class FileFacts:
    """What a clip's file says of itself."""

    frame_count: int
    frame_rate_hz: float | None
    size: tuple[int, int]  # height, width
    sha256: str


def look_at(case: Case) -> FileFacts | Finding:
    """Open a case's clip (its first frame is decoded), or say why that cannot be done.

    Raises MissingExtra where the clip needs a package that is not there.
    """
    if not case.path.exists():
        return missing_video(case)
    try:
        clip = open_case(case)
    except MissingExtra:
        raise
    except ClipNotFound:
        return missing_video(case)
    except ClipHasNoFrames as error:
        return Finding("no-frames", ERROR, case.name, str(error))
    except (InputError, OSError) as error:
        return Finding("unreadable-video", ERROR, case.name, " ".join(str(error).split()))
    return FileFacts(clip.frame_count, clip.frame_rate_hz, (clip.height, clip.width), clip.sha256)


def missing_video(case: Case) -> Finding:
    """The file of a case is not there."""
    return Finding("missing-video", ERROR, case.name, f"{case.path} is not there")


def check_traced_frames(case: Case, facts: FileFacts | None) -> Iterator[Finding]:
    """Traced frames that the clip does not have, by its file or else by the list."""
    count = facts.frame_count if facts is not None else case.frame_count
    frames = sorted({*(traced.frame for traced in case.traced), *case.marked})
    outside = [f for f in frames if f < 0 or (count is not None and f >= count)]
    if outside:
        named = ", ".join(map(str, outside[:3])) + (" ..." if len(outside) > 3 else "")
        has = f"has {count}, 0 to {count - 1}" if count is not None else "counts from 0"
        message = f"frame {named} is traced and the clip {has}"
        yield Finding("frame-outside-clip", ERROR, case.name, message)


def check_facts(case: Case, facts: FileFacts) -> Iterator[Finding]:
    """Where the list and the file disagree on frames, rate and size, and outlines beyond it."""
    if case.frame_count is not None and case.frame_count != facts.frame_count:
        message = f"the list says {case.frame_count} frames and the file has {facts.frame_count}"
        yield Finding("frame-count", ERROR, case.name, message)
    listed, own = case.frame_rate_hz, facts.frame_rate_hz
    if listed is not None and own is not None and abs(listed - own) > RATE_TOLERANCE * own:
        message = f"the list says {listed:.4g} frames a second and the file {own:.4g}"
        yield Finding("frame-rate", WARNING, case.name, message)
    height, width = facts.size
    if case.size is not None and case.size != facts.size:
        message = (
            f"the list says {case.size[1]} x {case.size[0]} pixels and the file is "
            f"{width} x {height}"
        )
        yield Finding("size", WARNING, case.name, message)
    for traced in case.traced:
        if isinstance(traced, Outline):
            low, high = traced.points.min(axis=0), traced.points.max(axis=0)
            beyond = low.min() < -OUTSIDE_PX or (high > np.array([width, height]) - 1 + OUTSIDE_PX)
            if np.any(beyond):
                message = f"the tracing of frame {traced.frame} leaves the {width} x {height} frame"
                yield Finding("outline-outside", WARNING, case.name, message)


def check_masks(case: Case, facts: FileFacts | None) -> Iterator[Finding]:
    """Mask files that cannot be read, are of another size, or are empty at ED and ES."""
    asked = [
        traced
        for traced in case.traced
        if isinstance(traced, MaskOnFile) and (not case.marked or traced.frame in case.marked)
    ]
    empty = False
    for traced in asked:
        try:
            mask = traced.own_mask()
        except MissingExtra:
            raise
        except (InputError, OSError) as error:
            message = " ".join(str(error).split())
            yield Finding("unreadable-mask", ERROR, case.name, message)
            return
        if facts is not None and mask.shape != facts.size:
            message = (
                f"masks are {mask.shape[1]} x {mask.shape[0]} pixels and the clip is "
                f"{facts.size[1]} x {facts.size[0]}"
            )
            yield Finding("mask-size", ERROR, case.name, message)
            return
        if not mask.any():
            empty = True
            message = f"the mask of frame {traced.frame} is empty"
            yield Finding("empty-outline", ERROR, case.name, message)
    if len(asked) > 1 and not empty and ed_es(case) is None:
        yield alike(case)
