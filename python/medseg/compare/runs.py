"""Which runs are compared: their names, where their predictions are, and what made them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medseg.compare.record import RECORD, Record, read_record
from medseg.data import is_ef_table
from medseg.errors import ClipNotFound, InputError

EF_MODEL = "echonet-ef"  # gives EF without masks
EF_TABLE = "ef.csv"
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Run:
    """One column of the comparison."""

    name: str
    predictions: Path  # a folder of stores, or a table of EF; it may still have to be made
    model: str | None = None  # for load_model, or EF_MODEL; None: not known
    weights: Path | None = None  # None: the model's own, or not known
    record: Record | None = None  # what its training wrote down
    zero_shot: bool = False  # never trained on clips like these: costs nothing of both
    makes: bool = False  # whether missing predictions are made with the model

    @property
    def ef_only(self) -> bool:
        """Whether the run gives EF without masks."""
        return is_ef_table(self.predictions)


def find_runs(
    arguments: Sequence[str],
    *,
    out: Path,
    models: Mapping[str, str] | None = None,
    weights: Mapping[str, Path] | None = None,
    zero_shot: Collection[str] = (),
) -> list[Run]:
    """Turn `NAME=FOLDER` or `FOLDER` into runs, in the order given.

    FOLDER is a folder of stores, a table of EF, or what `medseg train` wrote. `models` says by name
    which network made a run's predictions; for a name that has no folder they are made in
    `out/predictions`. Raises InputError for two runs of one name, a name that is nobody's, or a
    folder that holds no predictions.
    """
    models, weights = dict(models or {}), dict(weights or {})
    named: dict[str, Path | None] = {}
    for argument in arguments:
        name, path = _split(argument)
        if name in named:
            raise InputError(f"two runs are named {name}; write NAME=FOLDER with two names")
        named[name] = path
    for name in models:
        if name not in named and "/" in name:
            raise InputError(f"--model {name}: give it a name without /, as a folder is named so")
    named |= {name: None for name in models if name not in named}
    if not named:
        raise InputError("no run to compare; give NAME=FOLDER, or --model NAME=MODEL")
    for option, names in (("--weights", weights), ("--zero-shot", zero_shot)):
        for name in names:
            if name not in named:
                raise InputError(f"{option} {name}: no run has that name; runs: {', '.join(named)}")
    return [
        _run(name, path, out, models.get(name), weights.get(name), name in zero_shot)
        for name, path in named.items()
    ]


def _split(argument: str) -> tuple[str, Path]:
    """A run's name and path; without a name, the folder's own."""
    name, equals, rest = argument.partition("=")
    if equals and not Path(argument).exists():
        if not name or not rest:
            raise InputError(f"{argument}: write NAME=FOLDER")
        return name, Path(rest)
    path = Path(argument)
    bare = path.resolve()
    if bare.name in ("predictions", EF_TABLE):
        bare = bare.parent
    return (bare.stem if is_ef_table(bare) else bare.name), path


def _run(
    name: str,
    path: Path | None,
    out: Path,
    model: str | None,
    weights: Path | None,
    zero_shot: bool,
) -> Run:
    if path is None:
        table = model == EF_MODEL
        made = out / "predictions" / (f"{name}.csv" if table else name)
        return Run(name, made, model, weights, None, zero_shot, makes=True)
    if not path.exists():
        raise ClipNotFound(f"{path}: there is nothing there for the run {name}; check the path")
    record = read_record(path / RECORD) if (path / RECORD).is_file() else None
    model = model or (record.model if record else None)
    if weights is None and record is not None and (path / WEIGHTS).is_file():
        weights = path / WEIGHTS
    makes = record is not None and model is not None and weights is not None
    wanted = path / "predictions" / EF_TABLE if model == EF_MODEL else path / "predictions"
    found = _predictions(path) or (wanted if makes else None)
    if found is None:
        raise InputError(
            f"{path}: the run {name} has no store, no {EF_TABLE} and no {RECORD} with {WEIGHTS}; "
            "make stores with medseg segment, or give --model"
        )
    return Run(name, found, model, weights, record, zero_shot, makes)


def _predictions(path: Path) -> Path | None:
    """Where the predictions of an existing run are; None: there are none yet."""
    if not path.is_dir():
        return path if is_ef_table(path) else None
    for folder in (path / "predictions", path):
        if (folder / EF_TABLE).is_file():
            return folder / EF_TABLE
        if any(folder.glob("*.zarr")) or any(folder.glob("*/*.zarr")):  # of A4C/<name> too
            return folder
    return None
