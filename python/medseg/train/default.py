"""Training of the default model: simulated bursts in, one safetensors file out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from medseg.augment import Strength, augment_clip, augment_labels, draw_augmentation
from medseg.errors import TrainingError
from medseg.losses import dice_cross_entropy, size_change_loss
from medseg.metrics import overlap, pooled_dice
from medseg.models.default import LEFT_VENTRICLE, Preparation, pack_metadata, standardise
from medseg.models.unet import UNet, UNetShape
from medseg.models.weights import read_torch
from medseg.simulate.stills import (
    AROUND_THE_BEAT,
    AT_EARLY_FILLING,
    FRAME_GAP_S,
    Burst,
    draw_bursts,
)
from medseg.train.files import write_state, write_weights
from medseg.train.schedule import average_into

STAGE_SEED = 1_000_000  # a stage's order and augmentation: so many times this and the recipe's seed
KEPT_EVERY = 500  # steps between the states that a training which was stopped goes on from


@dataclass(frozen=True)
class DefaultRecipe:
    """Everything that decides a training run of the default model."""

    seed: int = 2  # of first weights, order and augmentation; why this one: models/default.md
    bursts: int = 4000  # simulated hearts, drawn in equal parts from the burst seeds
    burst_seeds: tuple[int, ...] = (11, 12)
    late_burst_seeds: tuple[int, ...] = (13, 14)  # as many hearts again, for the second branch
    frames_per_burst: int = 6
    validation_bursts: int = 150
    validation_seed: int = 997
    size: int = 128
    steps: int = 23200
    parts: tuple[int, ...] = (25, 15, 20, 20, 18, 18)  # how the steps are shared out to the stages
    change_weight: float = 0.5  # of `size_change_loss`, beside Dice and cross-entropy
    batch: int = 16  # even, for the pairs
    learning_rate: float = 3e-3
    change_learning_rate: float = 2e-3
    settle_learning_rate: float = 3e-4
    weight_decay: float = 1e-2
    warm_up: float = 0.05  # share of the steps
    average_decay: float = 0.998  # of the running mean of the weights that is saved
    lone_frames: float = 0.3  # share of samples that see one frame alone, again and again
    workers: int = 2


class Hearts(NamedTuple):
    """What a recipe trains on, (hearts, frames, H, W) each, no heart in two of them."""

    training: Burst
    late: Burst  # new hearts for the second branch, many of them in early filling
    validation: Burst


Report = Callable[[str, int, int, dict[str, float]], None]  # stage, done, total, figures


def _no_report(stage: str, done: int, total: int, figures: dict[str, float]) -> None:
    """Say nothing."""


def make_bursts(recipe: DefaultRecipe, report: Report = _no_report) -> Hearts:
    """Simulate the hearts of a recipe, each part from seeds of its own."""
    return Hearts(
        _draw_parts(recipe, report, recipe.burst_seeds, AROUND_THE_BEAT),
        _draw_parts(recipe, report, recipe.late_burst_seeds, AT_EARLY_FILLING),
        _draw(recipe, report, "validate", recipe.validation_seed, recipe.validation_bursts),
    )


def _draw_parts(
    recipe: DefaultRecipe, report: Report, seeds: tuple[int, ...], centred: Mapping[str, float]
) -> Burst:
    share, rest = divmod(recipe.bursts, len(seeds))
    return _together([
        _draw(recipe, report, "simulate", seed, share + (i < rest), centred)
        for i, seed in enumerate(seeds)
    ])  # fmt: skip


def _together(parts: list[Burst]) -> Burst:
    if len(parts) == 1:
        return parts[0]
    return Burst(
        np.concatenate([part.pictures for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def _draw(
    recipe: DefaultRecipe,
    report: Report,
    stage: str,
    seed: int,
    n: int,
    centred: Mapping[str, float] = AROUND_THE_BEAT,
) -> Burst:
    return draw_bursts(
        seed,
        n,
        frames=recipe.frames_per_burst,
        size=recipe.size,
        centred=centred,
        workers=recipe.workers,
        progress=lambda done: report(stage, done, n, {}),
    )


@dataclass(frozen=True)
class _Stage:
    """A stretch of training with a learning rate that rises and falls once."""

    steps: range  # of the whole training
    begins_from: tuple[int, ...]  # whose weights' mean: 0 the first ones, i those of stage i
    learning_rate: float
    change_weight: float  # above 0: two frames of each heart
    seed: int  # of order and augmentation
    hearts: tuple[str, ...] = ("training",)  # parts of `Hearts`


def _stages(recipe: DefaultRecipe) -> list[_Stage]:
    """What a ventricle looks like; how its size changes over the beat, in two branches; the rest.

    A network that is unsure of a border draws it where it mostly lies: too tight at end-diastole,
    too wide at end-systole, and ejection fractions come out small. Each frame alone hardly shows
    that; two frames of one heart do. Two branches go on from there, one on the same hearts and one
    on new ones, and the mean of their weights is taken (Wortsman 2022, arXiv:2203.05482). On
    simulated hearts it is as good as the better branch; on the real clip it spares the worse one's
    faults. What rates this high cannot mend, a low one does: from the mean two branches settle on
    all hearts, each in its own order. The mean of where they began and of both is what is kept.
    """
    ends = [round(recipe.steps * end / sum(recipe.parts)) for end in accumulate(recipe.parts)]
    first, second, third, fourth, fifth, sixth = (range(*pair) for pair in pairwise([0, *ends]))
    rate, low, weight = (
        recipe.change_learning_rate, recipe.settle_learning_rate, recipe.change_weight
    )  # fmt: skip
    once, twice, five, six = (recipe.seed + turn * STAGE_SEED for turn in (1, 2, 5, 6))
    everyone = ("training", "late")
    return [
        _Stage(first, (0,), recipe.learning_rate, 0.0, recipe.seed),
        _Stage(second, (1,), rate, weight, once),
        _Stage(third, (2,), rate, weight, twice),
        _Stage(fourth, (2,), rate, weight, twice, hearts=("late",)),
        _Stage(fifth, (3, 4), low, weight, five, hearts=everyone),
        _Stage(sixth, (3, 4), low, weight, six, hearts=everyone),
    ]


def _mean(networks: list[UNet]) -> UNet:
    """The network in the middle of several."""
    mean = deepcopy(networks[0])
    for count, network in enumerate(networks[1:], 2):
        there = network.state_dict()
        for key, kept in mean.state_dict().items():
            if kept.dtype.is_floating_point:
                kept.lerp_(there[key], 1 / count)
    return mean


def _sample(
    bursts: Burst, recipe: DefaultRecipe, rng: np.random.Generator, *, paired: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch of (B, F, H, W) frames in 0-1 and the labels of the middle ones (B, H, W).

    Paired, samples 2i and 2i+1 are of one heart: any two frames, or the largest and the smallest.
    """
    hearts, frames = bursts.pictures.shape[:2]
    if paired:
        which = np.repeat(rng.integers(hearts, size=recipe.batch // 2), 2)
        middle = _two_frames(bursts.labels[which[::2]] == LEFT_VENTRICLE, rng)
    else:
        which = rng.integers(hearts, size=recipe.batch)
        middle = rng.integers(frames, size=recipe.batch)
    seen = np.clip(middle[:, None] + _offsets(), 0, frames - 1)
    lone = rng.random(recipe.batch) < recipe.lone_frames
    seen[lone] = middle[lone, None]
    pictures = torch.from_numpy(bursts.pictures[which[:, None], seen]).float() / 255
    return pictures, torch.from_numpy(bursts.labels[which, middle]).long()


def _offsets() -> np.ndarray:
    """Of the frames that the network sees, from the one that it outlines: (F,)."""
    frames = UNetShape().frames
    return np.arange(frames) - frames // 2


def _two_frames(ventricle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two frames of each heart of (hearts, frames, H, W), one after the other: (2 hearts,)."""
    hearts, frames = ventricle.shape[:2]
    size = ventricle.sum((2, 3))
    extreme = np.stack([size.argmax(1), size.argmin(1)], 1)
    drawn = rng.integers(frames, size=(hearts, 2))
    return np.where(rng.random((hearts, 1)) < 0.5, extreme, drawn).ravel()


def _rate(step: int, stage: _Stage, recipe: DefaultRecipe) -> float:
    """Learning rate: linear warm-up, then half a cosine down to zero."""
    done, steps = step - stage.steps.start, len(stage.steps)
    warm = recipe.warm_up * steps
    if done < warm:
        return stage.learning_rate * (done + 1) / warm
    left = 0.5 * (1 + math.cos(math.pi * (done - warm) / (steps - warm)))
    return stage.learning_rate * left


def validate(network: nn.Module, bursts: Burst) -> float:
    """Pooled Dice of the left ventricle on the middle frames of bursts, without augmentation."""
    network.eval()
    middle = (bursts.pictures.shape[1] - 1) // 2
    seen = middle + _offsets()
    found, truth = [], []
    with torch.inference_mode():
        for start in range(0, len(bursts.pictures), 32):
            part = slice(start, start + 32)
            pictures = torch.from_numpy(bursts.pictures[part][:, seen]).float() / 255
            logits = network(standardise(pictures))
            found.append((logits.argmax(1) == 1).numpy())
            truth.append(bursts.labels[part, middle] == 1)
    return pooled_dice(overlap(np.concatenate(found), np.concatenate(truth)))


def train_default(
    out: Path,
    recipe: DefaultRecipe | None = None,
    *,
    data: Hearts | None = None,
    strength: Strength | None = None,
    report: Report = _no_report,
) -> dict[str, float]:
    """Train the default model on simulated clips and write `out`, a safetensors file.

    `data` are hearts made before by `make_bursts`; without them they are made here. Returns the
    validation figures. A training that is stopped leaves `<out>.state` and goes on from there when
    it is called again, to the same weights. A loss that is not a number ends the training with
    `TrainingError`, as does a state of other settings; a damaged state is a `WeightsError`.
    """
    recipe = recipe or DefaultRecipe()
    strength = strength or Strength()
    kept = out.with_name(f"{out.name}.state")
    before = _read_state(kept, recipe)
    hearts = data if data is not None else make_bursts(recipe, report)
    torch.manual_seed(recipe.seed)
    weights = [UNet(UNetShape()).to(memory_format=torch.channels_last)]
    for known in before["weights"] if before else []:
        weights.append(deepcopy(weights[0]).requires_grad_(False))
        weights[-1].load_state_dict(known)
    running = 0.0
    for stage in _stages(recipe)[len(weights) - 1 :]:
        seen = _together([getattr(hearts, part) for part in stage.hearts])
        average, running = _train_stage(
            weights, stage, recipe, seen, strength, kept, before, report
        )
        weights.append(average)
        before = None
    average = _mean([_mean(weights[3:5]), *weights[5:]])
    figures = {"loss": running, "validation_dice": validate(average, hearts.validation)}
    preparation = Preparation(size=recipe.size, gap_s=FRAME_GAP_S)
    metadata = pack_metadata(
        average.shape, preparation, recipe=repr(recipe), figures=json.dumps(figures)
    )
    write_weights(out, average.state_dict(), metadata)
    kept.unlink(missing_ok=True)
    return figures


def _train_stage(
    weights: list[UNet],
    stage: _Stage,
    recipe: DefaultRecipe,
    training: Burst,
    strength: Strength,
    kept: Path,
    before: dict[str, Any] | None,
    report: Report,
) -> tuple[UNet, float]:
    """Train one stage, or go on with it from `before`: the weights' and the loss's running mean.

    `weights` are the first ones and those of the stages before. All goes to `kept` every
    `KEPT_EVERY` steps.
    """
    start = _mean([weights[i] for i in stage.begins_from])
    generator = torch.Generator().manual_seed(stage.seed)
    rng = np.random.default_rng(stage.seed)
    network = deepcopy(start).requires_grad_(True)
    average = deepcopy(start).requires_grad_(False)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=stage.learning_rate, weight_decay=recipe.weight_decay
    )
    first, running = stage.steps.start, 0.0
    if before is not None:
        first, running = before["step"], before["running"]
        network.load_state_dict(before["network"])
        average.load_state_dict(before["average"])
        optimiser.load_state_dict(before["optimiser"])
        generator.set_state(before["generator"])
        rng.bit_generator.state = json.loads(before["rng"])
    network.train()
    for step in range(first, stage.steps.stop):
        for group in optimiser.param_groups:
            group["lr"] = _rate(step, stage, recipe)
        pictures, labels = _sample(training, recipe, rng, paired=stage.change_weight > 0)
        draw = draw_augmentation(generator, recipe.batch, recipe.size, strength=strength)
        pictures = standardise(augment_clip(pictures, draw))
        labels = augment_labels(labels, draw)
        value = _learn(network, optimiser, pictures, labels, stage.change_weight)
        if not np.isfinite(value):
            raise TrainingError(
                f"training: the loss is {value} at step {step}; lower the learning rate "
                f"(now {stage.learning_rate})"
            )
        done = step - stage.steps.start
        average_into(
            average.state_dict(), network.state_dict(), decay=recipe.average_decay, step=done
        )
        running += (value - running) * (1 / min(done + 1, 100))
        if (step + 1) % KEPT_EVERY == 0:
            write_state(kept, {
                "recipe": _settings(recipe), "step": step + 1, "running": running,
                "network": network.state_dict(), "average": average.state_dict(),
                "optimiser": optimiser.state_dict(), "generator": generator.get_state(),
                "rng": json.dumps(rng.bit_generator.state),
                "weights": [network.state_dict() for network in weights[1:]],
            })  # fmt: skip
        report("train", step + 1, recipe.steps, {"loss": running})
    return average, running


def _learn(
    network: UNet,
    optimiser: torch.optim.Optimizer,
    pictures: torch.Tensor,
    labels: torch.Tensor,
    change_weight: float,
) -> float:
    """One step; gives the loss, and leaves the weights alone where that is no number."""
    with torch.autocast("cpu", torch.bfloat16):
        found = network(pictures.contiguous(memory_format=torch.channels_last))
    logits = found.float().contiguous()  # class by class: so the losses take half the time
    loss = dice_cross_entropy(logits, labels)
    if change_weight > 0:
        change = size_change_loss(logits, labels, label=LEFT_VENTRICLE)
        loss = loss + change_weight * change
    value = float(loss.detach())
    if np.isfinite(value):
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    return value


def _settings(recipe: DefaultRecipe) -> str:
    """All of a recipe that changes the weights."""
    return repr(replace(recipe, workers=0))


def _read_state(path: Path, recipe: DefaultRecipe) -> dict[str, Any] | None:
    if not path.exists():
        return None
    state = read_torch(path)
    if not isinstance(state, dict) or state.get("recipe") != _settings(recipe):
        raise TrainingError(
            f"{path}: is of a training with other settings; give the same ones to go on with it, "
            "or delete it"
        )
    return state
