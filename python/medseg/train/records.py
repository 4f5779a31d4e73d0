"""What a run folder says of its run: config.toml, state.ckpt, run.json, and in the weights."""

from __future__ import annotations

import json
import platform
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import medseg
from medseg.errors import InputError, OutputError, WeightsError
from medseg.files import write_whole
from medseg.models.description import describe
from medseg.models.weights import read_torch
from medseg.train.cohort import patient_of
from medseg.train.config import Config, toml_of, write_config
from medseg.train.recipes import ABOUT
from medseg.train.samples import batch_keys

if TYPE_CHECKING:
    from medseg.train.trainer import Progress, Trainer

FORMAT = "medseg-training-1"


def check_folder(out: Path) -> None:
    """Raise OutputError where a run folder cannot be made, or something is there."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        cure = (
            "go on with --resume, or choose another"
            if (out / "state.ckpt").is_file()
            else ("choose another --out")
        )
        raise OutputError(f"{out}: there is something already; {cure}")
    if not out.parent.is_dir():
        raise OutputError(f"{out.parent}: there is no such folder; make it first")


def open_run(out: Path, config: Config) -> None:
    """Make a run folder and write its config.toml; raises OutputError."""
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be made ({error.strerror}); choose another") from None
    write_config(config, out / "config.toml", head=ABOUT.get(config.recipe, ""))


def read_state(out: Path, config: Config) -> dict[str, Any] | None:
    """The state of a run cut short; None where it was cut short before its first epoch ended.

    Raises:
        InputError: there is no run, or one of another configuration.
        WeightsError: the state is damaged, or none of ours.
    """
    if not (out / "config.toml").is_file():
        raise InputError(f"{out}: no run to resume; leave --resume out to begin one")
    path = out / "state.ckpt"
    if not path.is_file():
        _same_config(out, (out / "config.toml").read_text("utf-8"), config)
        return None
    state = read_torch(path)
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise WeightsError(f"{path}: no training state of this release; begin a new run")
    _same_config(out, state["config"], config)
    return state


def _same_config(out: Path, before: str, config: Config) -> None:
    """Refuse to go on with other values than before; only where it runs may change."""

    def flat(table: dict[str, Any], where: str = "") -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in table.items():
            inner = f"{where}.{key}" if where else key
            found |= flat(value, inner) if isinstance(value, dict) else {inner: value}
        return found

    free = ("run.device", "data.workers", "data.cache_gib", "data.path", "run.tensorboard")
    then, now = flat(tomllib.loads(before)), flat(tomllib.loads(toml_of(config)))
    for key in sorted(then.keys() | now.keys()):
        if key not in free and then.get(key) != now.get(key):
            raise InputError(
                f"{out}: was begun with {key} = {then.get(key)!r}, not {now.get(key)!r}; resume it "
                "as it was, or begin a new run"
            )


def state_of(trainer: Trainer, progress: Progress) -> dict[str, Any]:
    """Everything that a run needs to go on as if it had not been cut short."""
    average = trainer.average
    return {
        "format": FORMAT,
        "config": toml_of(trainer.config),
        "network": trainer.bare.state_dict(),
        "average": None if average is None else average.state_dict(),
        "optimiser": trainer.optimiser.state_dict(),
        "scaler": trainer.fabric.strategy.precision.state_dict(),
        "progress": asdict(progress),
        "mean": list(trainer.preparation.mean),
        "standard_deviation": list(trainer.preparation.standard_deviation),
    }


def weights_metadata(trainer: Trainer) -> dict[str, str]:
    """What goes into a weights file beside its tensors."""
    config, cohort = trainer.config, trainer.cohort
    cases = {item.case.name: item.case for item in cohort.training}
    patients = len({patient_of(case) for case in cases.values()})
    origin = (
        "simulated clips only"
        if (cohort.dataset.path / "truth.csv").is_file()
        else (f"clips of the user's {cohort.dataset.kind} data set")
    )
    more = {
        "training_data": f"{origin}: {len(cases)} clips of {patients} patients "
        f"(medseg train, recipe {config.recipe or 'of the user'})",
        "recipe": config.recipe,
        "software": f"medseg {medseg.__version__}",
    }
    if config.objective.task == "masked-clips":
        more["purpose"] = "pretraining"
    return describe(config.network.model, config.network.shape, trainer.preparation, **more)


def describe_run(trainer: Trainer, progress: Progress) -> dict[str, Any]:
    """What run.json says."""
    config, cohort = trainer.config, trainer.cohort
    seen = _seen_items(config, len(cohort.training), progress.step)
    cases = {item.case.name: item.case for item in cohort.training}
    annotated = {cohort.training[place].case.name for place in seen}
    if config.objective.task == "masked-clips":
        annotated = set()
    start = Path(config.network.pretrained)
    return {
        "recipe": config.recipe,
        "model": config.network.model,
        "seed": config.seed,
        "parameters": sum(p.numel() for p in trainer.bare.parameters()),
        "trained_parameters": sum(p.numel() for p in trainer.bare.parameters() if p.requires_grad),
        "training_seconds": round(progress.seconds, 3),
        "annotated_frames": sum(len(cohort.training[place].traced) for place in seen),
        "annotated_clips": len(annotated),
        "clips": len(cases),
        "patients": len({patient_of(case) for case in cases.values()}),
        "device": str(trainer.fabric.device.type),
        "devices": trainer.fabric.world_size,
        "software": {
            "medseg": medseg.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "best": progress.best,
        "data": cohort.dataset.path.resolve().name,
        "pretrained_from": f"{start.parent.name}/{start.name}".lstrip("/")
        if config.network.pretrained
        else None,
        "epochs": progress.epoch,
        "steps": progress.step,
        "stopped_early": progress.stopped_early,
    }


def _seen_items(config: Config, count: int, steps: int) -> set[int]:
    """Places in the training list that the steps so far have drawn."""
    seen: set[int] = set()
    for number in range(steps * config.run.accumulate):
        if len(seen) == count:
            break
        seen.update(place for _, place in batch_keys(config, count, number))
    return seen


def finish_run(out: Path, told: dict[str, Any]) -> None:
    """Write run.json, by which a run counts as finished."""
    write_whole(out / "run.json", (json.dumps(told, indent=2) + "\n").encode())
