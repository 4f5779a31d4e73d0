"""The one training loop: every recipe's steps, validation, checkpoints and exact resume."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from medseg.errors import TrainingError
from medseg.train import log
from medseg.train.cohort import Cohort, Item, choose_cohort
from medseg.train.config import FIGURES, Config, check_values
from medseg.train.fabric import for_devices, open_tensorboard, start_fabric
from medseg.train.files import write_state, write_weights
from medseg.train.networks import build
from medseg.train.pixels import Pictures
from medseg.train.records import (
    describe_run,
    finish_run,
    open_run,
    read_state,
    state_of,
    weights_metadata,
)
from medseg.train.samples import NETWORK, VALIDATION_PASS, Samples, Stream, batch_keys
from medseg.train.schedule import average_into, learning_rate, make_optimiser
from medseg.train.start import prepare, start_network
from medseg.train.steps import SUMS, batch_loss, figures_of, gradient_scale

Report = Callable[[str, int, int, dict[str, float]], None]  # stage, done, total, figures


def _no_report(stage: str, done: int, total: int, figures: dict[str, float]) -> None:
    """Say nothing."""


@dataclass
class Progress:
    """What changes while a run goes on, beside the weights; it is all part of a checkpoint."""

    step: int = 0  # steps done
    epoch: int = 0  # epochs done
    best: dict[str, Any] | None = None  # epoch, step, and the figure that decides by its name
    waited: int = 0  # epochs since the best one
    stopped_early: bool = False
    seconds: float = 0.0
    rows: list[log.Row] = field(default_factory=list)


@dataclass(eq=False)
class Trainer:
    """A run's parts, once they are made; `step` and `validate` use them."""

    config: Config
    fabric: Any
    cohort: Cohort
    preparation: Any
    network: Any  # as Fabric wraps it
    optimiser: Any
    average: nn.Module | None  # the running mean of the weights
    steps: int  # in all
    steps_per_epoch: int

    @property
    def bare(self) -> nn.Module:
        """The network without Fabric's wrapping."""
        module: nn.Module = self.network.module
        return module

    @property
    def kept(self) -> nn.Module:
        """The network whose weights are validated and saved: the running mean, if there is one."""
        return self.bare if self.average is None else self.average


def train(
    config: Config,
    out: Path,
    *,
    resume: bool = False,
    report: Report = _no_report,
) -> dict[str, Any]:
    """Train as a configuration says, into a new run folder; gives what run.json says.

    With `resume` a run that was cut short goes on from its last finished epoch, to the same loss,
    bit for bit on a CPU, as if it had not been. All chance is a function of the seed and the step.

    Raises:
        InputError: a value that cannot be, no such device or data set.
        OutputError: the folder holds something, or cannot be written.
        TrainingError: a split without patients, a patient in two splits, a loss that is no number.
        WeightsError: the weights to start from do not fit.
        MissingExtra: `medseg[train]` is not installed.
    """
    check_values(config, name="configuration")
    cohort = choose_cohort(config)
    fabric = start_fabric(config.run)
    leads = fabric.global_rank == 0
    state = fabric.broadcast(read_state(out, config) if leads and resume else None)
    if leads:
        open_run(out, config, resume=resume)
    trainer, pictures = _assemble(config, fabric, cohort, state)
    progress = Progress(**state["progress"]) if state is not None else Progress()
    tensorboard = None
    if leads and config.run.tensorboard:
        tensorboard = open_tensorboard(out, first_step=progress.step + 1)
    try:
        _run(trainer, pictures, out, progress, report if leads else _no_report, tensorboard)
    finally:
        if tensorboard is not None:
            tensorboard.close()
    told = describe_run(trainer, progress)
    if leads:
        finish_run(out, told)
    fabric.barrier()
    return told


def _assemble(
    config: Config, fabric: Any, cohort: Cohort, state: dict[str, Any] | None
) -> tuple[Trainer, Pictures]:
    """Make or restore everything that a run needs."""
    per_device = config.data.cache_gib * 2**30 / max(1, _workers(config))
    whole = config.objective.task in ("clips", "masked-clips", "ef")
    pictures = Pictures(config.data.size, limit_bytes=per_device, whole=whole)
    torch.manual_seed(config.seed)
    network = build(config.network.model, config.network.shape)
    preparation = fabric.broadcast(
        prepare(config, cohort, state) if fabric.global_rank == 0 else None
    )
    if state is None:
        start_network(config, network, cohort)
    else:
        network.load_state_dict(state["network"])
    network = for_devices(network, fabric)
    optimiser = make_optimiser(config.optimiser, network)
    average = None
    if config.run.average_decay > 0:
        average = deepcopy(network).requires_grad_(False).eval()
        if state is not None:
            average.load_state_dict(state["average"])
        average = average.to(fabric.device)
    wrapped, wrapped_optimiser = fabric.setup(network, optimiser)
    if state is not None:
        optimiser.load_state_dict(state["optimiser"])
        if state["scaler"]:
            fabric.strategy.precision.load_state_dict(state["scaler"])
    own = max(1, len(cohort.training) // (config.run.batch * config.run.accumulate))
    per_epoch = config.run.steps_per_epoch or own
    steps = config.run.steps or config.run.epochs * per_epoch
    trainer = Trainer(
        config, fabric, cohort, preparation, wrapped, wrapped_optimiser, average, steps, per_epoch
    )
    return trainer, pictures


def _run(
    trainer: Trainer,
    pictures: Pictures,
    out: Path,
    progress: Progress,
    report: Report,
    tensorboard: Any,
) -> None:
    """Epoch after epoch until the steps are done, or nothing becomes better any more."""
    config, fabric = trainer.config, trainer.fabric
    figure = FIGURES[config.objective.task]
    batches = _training_batches(trainer, pictures, progress.step)
    while progress.step < trainer.steps and not progress.stopped_early:
        began = time.perf_counter()
        sums = torch.zeros(len(SUMS), dtype=torch.float64)
        end = min(trainer.steps, (progress.epoch + 1) * trainer.steps_per_epoch)
        trainer.network.train()
        rate = 0.0
        while progress.step < end:
            rate = learning_rate(config, progress.step, trainer.steps)
            sums += _step(trainer, batches, progress.step, rate)
            progress.step += 1
            report("train", progress.step, trainer.steps, figures_of(sums))
        progress.epoch += 1
        trained_s = time.perf_counter() - began
        validation = validate(trainer, pictures, report)
        progress.seconds += time.perf_counter() - began
        seconds = {"TRAIN": trained_s, "VAL": time.perf_counter() - began - trained_s}
        for split, measured in (("TRAIN", figures_of(sums)), ("VAL", validation)):
            row = {"epoch": progress.epoch, "step": progress.step, "split": split}
            row |= {name: measured[name] for name in ("loss", figure) if name}
            progress.rows.append(row | {"learning_rate": rate, "seconds": seconds[split]})
        better = _is_better(config, validation, progress)
        if fabric.global_rank == 0:
            metadata = weights_metadata(trainer)
            tensors = trainer.kept.state_dict()
            if better:
                write_weights(out / "weights.safetensors", tensors, metadata)
            write_weights(out / "last.safetensors", tensors, metadata)
            write_state(out / "state.ckpt", state_of(trainer, progress))
            log.write_csv(out / "log.csv", progress.rows, figure)
            if tensorboard is not None:
                for row in progress.rows[-2:]:
                    log.add_to_tensorboard(tensorboard, row, figure)
            assert progress.best is not None
            title = f"{config.recipe or config.objective.task} ({config.network.model})"
            best_step = progress.best["step"]
            log.draw_curves(
                out / "curves.png", progress.rows, figure, title=title, best_step=best_step
            )
        fabric.barrier()


def _training_batches(trainer: Trainer, pictures: Pictures, first: int) -> Iterator[dict[str, Any]]:
    stream = Stream(
        trainer.config,
        len(trainer.cohort.training),
        first=first,
        last=trainer.steps,
        rank=trainer.fabric.global_rank,
        world=trainer.fabric.world_size,
    )
    return iter(_loader(trainer, trainer.cohort.training, stream, pictures))


def _loader(trainer: Trainer, items: list[Item], keys: Any, pictures: Pictures) -> DataLoader[Any]:
    workers = _workers(trainer.config)
    return DataLoader(
        Samples(trainer.config, items, pictures),
        batch_sampler=keys,
        num_workers=workers,
        multiprocessing_context="spawn" if workers else None,
        pin_memory=trainer.fabric.device.type == "cuda",
    )


def _workers(config: Config) -> int:
    return min(config.data.workers, os.cpu_count() or 1)


def _step(trainer: Trainer, batches: Iterator[dict[str, Any]], step: int, rate: float) -> Tensor:
    """One change of the weights; gives the SUMS of its samples over all devices."""
    config, fabric = trainer.config, trainer.fabric
    for group in trainer.optimiser.param_groups:
        group["lr"] = rate
    sums = torch.zeros(len(SUMS), dtype=torch.float64)
    for part in range(config.run.accumulate):
        number = step * config.run.accumulate + part
        batch = fabric.to_device(next(batches))
        _seed_network(config, number, fabric.global_rank)
        waits = part < config.run.accumulate - 1
        with fabric.no_backward_sync(trainer.network, enabled=waits and fabric.world_size > 1):
            loss, found = batch_loss(
                config, trainer.network, batch, trainer.preparation, training=True
            )
            fabric.backward(loss * (gradient_scale(config) / config.run.accumulate))
        if fabric.world_size > 1:
            found = fabric.all_reduce(found, reduce_op="sum")
        found = found.cpu()
        if not math.isfinite(float(found[0])):
            _stop_at_nonsense(trainer, number, step, float(found[0]))
        sums += found
    if config.optimiser.clip_gradient > 0:
        fabric.clip_gradients(
            trainer.network,
            trainer.optimiser,
            max_norm=config.optimiser.clip_gradient,
            error_if_nonfinite=False,
        )
    trainer.optimiser.step()
    trainer.optimiser.zero_grad(set_to_none=True)
    if trainer.average is not None:
        average_into(
            trainer.average.state_dict(),
            trainer.bare.state_dict(),
            decay=config.run.average_decay,
            step=step,
        )
    return sums


def _seed_network(config: Config, number: int, rank: int) -> None:
    """What the network itself draws, such as drop-out, is a function of seed, batch and device."""
    words = np.random.SeedSequence([config.seed, NETWORK, number, rank]).generate_state(2)
    torch.manual_seed(int(words[0]) << 31 | int(words[1]) >> 1)


def _stop_at_nonsense(trainer: Trainer, number: int, step: int, value: float) -> None:
    items = trainer.cohort.training
    keys = batch_keys(trainer.config, len(items), number)
    names = ", ".join(items[place].name for _, place in keys)
    raise TrainingError(
        f"training: the loss is {value} at step {step + 1}, in the batch of {names}; the last good "
        "weights are kept; look at these clips (medseg data check), or lower the learning rate "
        f"(now {trainer.optimiser.param_groups[0]['lr']:g})"
    )


@torch.no_grad()
def validate(trainer: Trainer, pictures: Pictures, report: Report = _no_report) -> dict[str, float]:
    """Loss and figures of the VAL split, without augmentation and chance."""
    config, fabric = trainer.config, trainer.fabric
    items = trainer.cohort.validation
    own = range(fabric.global_rank, len(items), fabric.world_size)
    size = max(1, config.run.batch // fabric.world_size)
    keys = [
        [(VALIDATION_PASS, place) for place in own[i : i + size]] for i in range(0, len(own), size)
    ]
    network = trainer.kept
    network.eval()
    sums = torch.zeros(len(SUMS), dtype=torch.float64)
    for done, batch in enumerate(_loader(trainer, items, keys, pictures), start=1):
        with fabric.autocast():
            _, found = batch_loss(
                config, network, fabric.to_device(batch), trainer.preparation, training=False
            )
        sums += found.cpu()
        report("validate", done, len(keys), {})
    if fabric.world_size > 1:
        sums = fabric.all_reduce(sums.to(fabric.device), reduce_op="sum").cpu()
    return figures_of(sums)


def _is_better(config: Config, validation: dict[str, float], progress: Progress) -> bool:
    """Whether these are the best weights so far; keeps count of the epochs without better ones."""
    name = config.objective.best_by
    value = validation[name]
    if not math.isfinite(validation["loss"]):
        raise TrainingError(
            f"validation: the loss is {validation['loss']} after step {progress.step}; the last "
            "good weights are kept; lower the learning rate "
            f"(now {config.optimiser.learning_rate:g})"
        )
    before = progress.best[name] if progress.best is not None else None
    sign = -1 if name == "dice" else 1
    # A Dice of nothing found and nothing there is no number, and no better than any.
    better = before is None or (math.isfinite(value) and not sign * value >= sign * before)
    if better:
        progress.best = {"epoch": progress.epoch, "step": progress.step, name: value}
    progress.waited = 0 if better else progress.waited + 1
    progress.stopped_early = 0 < config.run.patience <= progress.waited
    return better
