"""The one training loop: every recipe's steps, validation, checkpoints and exact resume."""

from __future__ import annotations

import math
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch

from medseg.errors import TrainingError
from medseg.train import log
from medseg.train.cohort import Cohort, choose_cohort
from medseg.train.config import FIGURES, Config, check_values
from medseg.train.fabric import for_devices, open_tensorboard, start_fabric
from medseg.train.files import write_state, write_weights
from medseg.train.networks import build
from medseg.train.pixels import Pictures
from medseg.train.records import (
    check_folder,
    describe_run,
    finish_run,
    open_run,
    read_state,
    state_of,
    weights_metadata,
)
from medseg.train.schedule import learning_rate, make_optimiser
from medseg.train.start import freeze, prepare, start_network
from medseg.train.steps import SUMS, figures_of
from medseg.train.trainer import (
    Progress,
    Report,
    Trainer,
    no_report,
    train_step,
    training_batches,
    validate,
    worker_count,
)


def train(
    config: Config,
    out: Path,
    *,
    resume: bool = False,
    report: Report = no_report,
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
    fabric = start_fabric(config.run, some_unused=config.network.model == "sam2")
    leads = fabric.global_rank == 0
    state = fabric.broadcast(read_state(out, config) if leads and resume else None)
    if leads and not resume:
        check_folder(out)
    trainer, pictures = _assemble(config, fabric, cohort, state)
    if leads and not resume:
        open_run(out, config)
    progress = Progress(**state["progress"]) if state is not None else Progress()
    tensorboard = None
    if leads and config.run.tensorboard:
        tensorboard = open_tensorboard(out, first_step=progress.step + 1)
    try:
        _run(trainer, pictures, out, progress, report if leads else no_report, tensorboard)
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
    copies = max(1, 2 * worker_count(config))  # workers for training, and as many for validation
    per_device = config.data.cache_gib * 2**30 / copies
    whole = config.objective.task in ("clips", "masked-clips", "ef", "boxed-clips")
    pictures = Pictures(
        config.data.size,
        limit_bytes=per_device,
        whole=whole,
        stretched=config.network.model == "sam2",
    )
    torch.manual_seed(config.seed)
    network = build(config.network.model, config.network.shape)
    preparation = fabric.broadcast(
        prepare(config, cohort, state) if fabric.global_rank == 0 else None
    )
    if state is None:
        start_network(config, network, cohort)
    else:
        network.load_state_dict(state["network"])
    freeze(config, network)
    if config.network.model == "echonet-ef":  # half the time in bfloat16 on a processor
        network = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
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
    batches = training_batches(trainer, pictures, progress.step)
    while progress.step < trainer.steps and not progress.stopped_early:
        began = time.perf_counter()
        sums = torch.zeros(len(SUMS), dtype=torch.float64)
        end = min(trainer.steps, (progress.epoch + 1) * trainer.steps_per_epoch)
        trainer.network.train()
        rate = 0.0
        while progress.step < end:
            rate = learning_rate(config, progress.step, trainer.steps)
            sums += train_step(trainer, batches, progress.step, rate)
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
                if config.network.model == "sam2":  # the layout that other tools open
                    write_state(out / "sam2.pt", {"model": tensors})
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
