"""What is a data set: cases with their truth, and what was left out of it with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class TracedFrame(Protocol):
    """One frame in which an expert traced the cavity."""

    @property
    def frame(self) -> int:
        """The frame's number in the clip; the first is 0."""
        ...

    @property
    def area_px(self) -> float:
        """The traced area in square pixels."""
        ...

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The cavity as a (H, W) mask of the clip's own frame size."""
        ...


@dataclass(frozen=True, eq=False)
class Case:
    """One clip and what its data set says of it; None where it does not say."""

    name: str  # without the file's extension
    path: Path  # a video, DICOM, NIfTI or folder of pictures; it may be missing
    patient: str | None  # the data set's own key
    split: str  # TRAIN, VAL, TEST or a fold's number; "" if not given
    view: str  # one of medseg.clip.VIEWS
    ef_percent: float | None
    edv_ml: float | None
    esv_ml: float | None
    frame_rate_hz: float | None
    frame_count: int | None
    size: tuple[int, int] | None  # height and width in pixels
    traced: tuple[TracedFrame, ...]  # by frame, ascending
    marked: tuple[int, ...] = ()  # frames named as ED or ES, in any order; empty: not named


@dataclass(frozen=True)
class Excluded:
    """A case, or one traced frame of it, that is not part of the data set."""

    name: str
    reason: str  # one line
    code: str  # the reason for a machine, such as "tracing-rows"
    frame: int | None = None  # None: the whole case


@dataclass(frozen=True, eq=False)
class Dataset:
    """Cases by name, in the order of the data set's own list."""

    path: Path
    kind: str  # a key of medseg.data.open.READERS
    cases: dict[str, Case]
    excluded: tuple[Excluded, ...]

    def of_split(self, split: str | None) -> Iterator[Case]:
        """Cases of one split, whose name may be in either case, or all."""
        wanted = split.upper() if split else None
        return (case for case in self.cases.values() if wanted in (None, case.split))


def ed_es(case: Case) -> tuple[TracedFrame, TracedFrame] | None:
    """The end-diastolic (largest) and end-systolic (smallest) traced frame, decided by area.

    Of the frames that the data set marks as the two, else of all traced ones. None where fewer
    than two are traced, or where all are equally large, so that nobody can tell.
    """
    asked = [t for t in case.traced if not case.marked or t.frame in case.marked]
    if len(asked) < 2:
        return None
    by_area = sorted(((t.area_px, i) for i, t in enumerate(asked)), key=lambda pair: pair[0])
    (smallest, es), (largest, ed) = by_area[0], by_area[-1]
    return (asked[ed], asked[es]) if largest > smallest else None
