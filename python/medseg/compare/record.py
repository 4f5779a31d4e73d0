"""What a training run wrote down of itself: recipe, cost and annotation."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from medseg.errors import InputError

RECORD = "run.json"


@dataclass(frozen=True)
class Record:
    """A run.json; None where it does not say."""

    recipe: str | None = None
    model: str | None = None
    seed: float | None = None
    parameters: float | None = None
    training_seconds: float | None = None
    annotated_frames: float | None = None  # traced frames that the loss saw
    annotated_clips: float | None = None
    clips: float | None = None
    patients: float | None = None
    device: str | None = None
    pretrained_from: str | None = None


def read_record(path: Path) -> Record:
    """Read a run.json; raises InputError where it is damaged or holds something else."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); train the run again") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: is no run's record; train the run again")
    return Record(
        **{f.name: _value(path, f.name, f.type, found.get(f.name)) for f in fields(Record)}
    )


def _value(path: Path, key: str, kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if "str" in str(kind):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{path}: {key} is {value!r}, no number; correct it or leave it out")
    if value < 0 and key != "seed":
        raise InputError(f"{path}: {key} is {value}, less than nothing; correct it")
    return value
