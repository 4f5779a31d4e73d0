"""A run's parts, and what is done with them over and over: a step, and a validation."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from medseg.errors import TrainingError
from medseg.train.cohort import Cohort, Item
from medseg.train.config import Config
from medseg.train.log import Row
from medseg.train.pixels import Pictures
from medseg.train.samples import NETWORK, VALIDATION_PASS, Samples, Stream, batch_keys
from medseg.train.schedule import average_into
from medseg.train.steps import SUMS, batch_loss, figures_of, gradient_scale

Report = Callable[[str, int, int, dict[str, float]], None]  # stage, done, total, figures


def no_report(stage: str, done: int, total: int, figures: dict[str, float]) -> None:
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
    rows: list[Row] = field(default_factory=list)


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
    validation: DataLoader[Any] | None = None  # made once: starting workers takes seconds

    @property
    def bare(self) -> nn.Module:
        """The network without Fabric's wrapping."""
        module: nn.Module = self.network.module
        return module

    @property
    def kept(self) -> nn.Module:
        """The network whose weights are validated and saved: the running mean, if there is one."""
        return self.bare if self.average is None else self.average


def training_batches(trainer: Trainer, pictures: Pictures, first: int) -> Iterator[dict[str, Any]]:
    """This device's share of the batches, from step `first` on."""
    stream = Stream(
        trainer.config,
        len(trainer.cohort.training),
        first=first,
        last=trainer.steps,
        rank=trainer.fabric.global_rank,
        world=trainer.fabric.world_size,
    )
    return iter(_loader(trainer, trainer.cohort.training, stream, pictures))


def _validation_batches(trainer: Trainer, pictures: Pictures) -> DataLoader[Any]:
    items, world = trainer.cohort.validation, trainer.fabric.world_size
    own = [(VALIDATION_PASS, i) for i in range(trainer.fabric.global_rank, len(items), world)]
    size = max(1, trainer.config.run.batch // world)
    keys = [own[i : i + size] for i in range(0, len(own), size)]
    return _loader(trainer, items, keys, pictures)


def _loader(trainer: Trainer, items: list[Item], keys: Any, pictures: Pictures) -> DataLoader[Any]:
    workers = worker_count(trainer.config)
    return DataLoader(
        Samples(trainer.config, items, pictures),
        batch_sampler=keys,
        num_workers=workers,
        multiprocessing_context="spawn" if workers else None,
        persistent_workers=workers > 0,
        pin_memory=trainer.fabric.device.type == "cuda",
    )


def worker_count(config: Config) -> int:
    """Processes that read clips; not more than the machine has cores."""
    return min(config.data.workers, os.cpu_count() or 1)


def train_step(
    trainer: Trainer, batches: Iterator[dict[str, Any]], step: int, rate: float
) -> Tensor:
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
    """Say which batch did it: this one, or those of the step before if they spoilt the weights."""
    items, accumulate = trainer.cohort.training, trainer.config.run.accumulate
    numbers = [number]
    if any(not torch.isfinite(p).all() for p in trainer.bare.parameters()):
        numbers = list(range((step - 1) * accumulate, step * accumulate))
    keys = [key for n in numbers for key in batch_keys(trainer.config, len(items), n)]
    names = ", ".join(items[place].name for _, place in keys)
    raise TrainingError(
        f"training: the loss is {value} at step {step + 1}, from the batch of {names}; the last "
        "good weights are kept; look at these clips (medseg data check), or lower the learning "
        f"rate (now {trainer.optimiser.param_groups[0]['lr']:g})"
    )


@torch.no_grad()
def validate(trainer: Trainer, pictures: Pictures, report: Report = no_report) -> dict[str, float]:
    """Loss and figures of the VAL split, without augmentation and chance."""
    config, fabric = trainer.config, trainer.fabric
    if trainer.validation is None:
        trainer.validation = _validation_batches(trainer, pictures)
    network = trainer.kept
    network.eval()
    sums = torch.zeros(len(SUMS), dtype=torch.float64)
    for done, batch in enumerate(trainer.validation, start=1):
        with fabric.autocast():
            _, found = batch_loss(
                config, network, fabric.to_device(batch), trainer.preparation, training=False
            )
        sums += found.cpu()
        report("validate", done, len(trainer.validation), {})
    if fabric.world_size > 1:
        sums = fabric.all_reduce(sums.to(fabric.device), reduce_op="sum").cpu()
    return figures_of(sums)
