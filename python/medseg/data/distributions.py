"""How are EF, frame rate, length and size spread over a data set's splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from medseg.data.check_files import FileFacts
from medseg.data.dataset import Dataset

EF, RATE, COUNT = "EF (%)", "frame rate (Hz)", "frames in a clip"


@dataclass(frozen=True)
class Distributions:
    """Counts and known values by split, in the order in which the splits first come."""

    clips: dict[str, int]  # by split; "" is no split
    patients: dict[str, int | None]  # None: not known
    traced_frames: dict[str, int]
    values: dict[str, dict[str, list[float]]]  # by measure, then split
    sizes: Counter[tuple[int, int]]  # clips by (height, width)


def distributions(dataset: Dataset, facts: Mapping[str, FileFacts]) -> Distributions:
    """Gather them: from the files where they were opened (`facts`, by name), else the lists."""
    splits = list(dict.fromkeys(case.split for case in dataset.cases.values()))
    if all(split.isdecimal() for split in splits):
        splits.sort(key=int)
    values: dict[str, dict[str, list[float]]] = {
        measure: {split: [] for split in splits} for measure in (EF, RATE, COUNT)
    }
    sizes: Counter[tuple[int, int]] = Counter()
    for case in dataset.cases.values():
        own = facts.get(case.name)
        rate = own.frame_rate_hz if own is not None else None
        for measure, value in (
            (EF, case.ef_percent),
            (RATE, rate if rate is not None else case.frame_rate_hz),
            (COUNT, own.frame_count if own is not None else case.frame_count),
        ):
            if value is not None:
                values[measure][case.split].append(float(value))
        size = own.size if own is not None else case.size
        if size is not None:
            sizes[size] += 1
    patients: dict[str, int | None] = {}
    for split in splits:
        keys = {case.patient for case in dataset.cases.values() if case.split == split}
        patients[split] = None if None in keys else len(keys)
    return Distributions(
        clips={s: sum(1 for c in dataset.cases.values() if c.split == s) for s in splits},
        patients=patients,
        traced_frames={
            s: sum(len(c.traced) for c in dataset.cases.values() if c.split == s) for s in splits
        },
        values=values,
        sizes=sizes,
    )
