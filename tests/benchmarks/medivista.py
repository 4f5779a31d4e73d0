"""Trains a small MediViSTA on simulated clips, with and without its temporal adapters.

A reduced encoder is first trained on stills and then frozen; adapters, branch and decoder are
trained on clips of other hearts, once with the temporal adapters and once without, from the same
encoder, batches and number of steps. Both are measured on held-out clips at equal Dice.

    python tests/benchmarks/medivista.py OUT --seeds 0 1 2

Every piece is kept in OUT, and a run that was ended goes on where it was; --minutes ends one in
good order. The table is printed once a seed is whole.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from medivista_score import score, table
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from medseg.losses import dice_cross_entropy
from medseg.metrics import overlap, pooled_dice
from medseg.models.description import Preparation, describe
from medseg.models.framing import normalise
from medseg.models.medivista import (
    PREPARATION,
    ImageEncoder,
    MediViSTA,
    MediViSTAShape,
    parameter_counts,
)
from medseg.simulate import scene
from medseg.simulate.stills import draw_any_scene

SIZE, CLASSES, RATE_HZ = 128, 4, 50.0
SHAPE = {
    "frames": 8, "adapter_heads": 2, "low_rank": 8, "pyramid": (16, 24, 32, 48),
    "decoder_heads": 4, "width": 96, "depth": 4, "heads": 4, "global_blocks": (1, 3), "window": 4,
    "size": SIZE, "neck": 64,
}  # fmt: skip
ARMS = {"with": True, "without": False}
# hearts, frames of each, seconds between them
SETS = {
    "stills": (4000, 1, 0.0),
    "train": (640, 8, 1 / RATE_HZ),
    "validation": (60, 8, 1 / RATE_HZ),
    "test": (60, 30, 1 / RATE_HZ),
}
STILL_STEPS, STILL_BATCH, CLIP_STEPS, CLIP_BATCH = 3000, 16, 1500, 4
RATE, DECAY, WARM = 2e-3, 0.01, 0.05
KEPT_EVERY = 100  # steps between snapshots
EQUAL_DICE = 0.01


class OutOfTime(Exception):
    """The minutes that were given are over; what was done is kept."""


def draw_clip(seed: int, frames: int, gap_s: float) -> tuple[np.ndarray, np.ndarray]:
    """One heart: pictures and labels, (frames,SIZE,SIZE) uint8, at any time of a beat."""
    rng = np.random.default_rng(seed)
    drawn = draw_any_scene(rng, size=SIZE)
    found = list(scene.render(drawn, rng.uniform(0, 1) + np.arange(frames) * gap_s))
    labels = np.stack([frame.labels for frame in found])
    labels[labels >= CLASSES] = 0  # the right heart is background here
    return np.stack([np.rint(f.picture * 255).astype(np.uint8) for f in found]), labels


def data(out: Path, name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A set's pictures and labels, (hearts,frames,SIZE,SIZE) uint8, made once."""
    path = out / f"{name}.npz"
    if not path.exists():
        hearts, frames, gap_s = SETS[name]
        drawn = np.random.default_rng([seed, list(SETS).index(name)]).integers(2**62, size=hearts)
        with ProcessPoolExecutor(2) as pool:
            clips = list(
                pool.map(
                    partial(draw_clip, frames=frames, gap_s=gap_s), drawn.tolist(), chunksize=4
                )
            )
        pictures, labels = (np.stack([clip[i] for clip in clips]) for i in (0, 1))
        part = path.with_name(f"{name}.part.npz")
        np.savez(part, pictures=pictures, labels=labels)
        part.rename(path)
    with np.load(path) as file:
        return file["pictures"], file["labels"]


def ready(pictures: np.ndarray) -> Tensor:
    """(N,H,W) uint8 grey to (N,3,H,W), normalised as SAM's input is."""
    rgb = torch.from_numpy(pictures)[:, None].expand(-1, 3, -1, -1).float()
    return normalise(rgb, PREPARATION.mean, PREPARATION.standard_deviation)


def rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine to zero."""
    warm = WARM * steps
    if step < warm:
        return RATE * (step + 1) / warm
    return RATE * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


class StillHead(nn.Module):
    """The encoder with a straight line from each patch's features to its pixels."""

    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.line = nn.Conv2d(encoder.shape.neck, CLASSES * 16 * 16, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N,3,H,W) -> (N,CLASSES,H,W)."""
        return functional.pixel_shuffle(self.line(self.encoder(pictures)), 16)


def train(
    network: nn.Module,
    batch: object,
    *,
    steps: int,
    folder: Path,
    ends_at: float,
) -> None:
    """Train, keeping a snapshot every KEPT_EVERY steps; go on from the latest one.

    `batch(step)` gives the logits' arguments and the labels of a step, the same whenever asked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY)
    state, first, seconds = folder / "state.pt", 0, 0.0
    if state.exists():
        kept = torch.load(state, weights_only=True)
        network.load_state_dict(kept["network"])
        optimiser.load_state_dict(kept["optimiser"])
        first, seconds = kept["step"], kept["seconds"]
    began = time.monotonic()
    for step in range(first, steps):
        for group in optimiser.param_groups:
            group["lr"] = rate(step, steps)
        given, labels = batch(step)
        logits = network(*given)
        loss = dice_cross_entropy(logits.flatten(0, -4), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        if (step + 1) % KEPT_EVERY == 0:
            now = seconds + time.monotonic() - began
            tensors = {k: v.contiguous() for k, v in network.state_dict().items()}
            save_file(tensors, folder / f"step{step + 1}.safetensors")
            content = {
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": step + 1,
                "seconds": now,
            }
            torch.save(content, folder / "state.part")
            (folder / "state.part").rename(state)
            print(
                f"{folder.name} {step + 1}/{steps}: loss {float(loss.detach()):.3f}, {now:.0f} s",
                flush=True,
            )
            if time.monotonic() > ends_at:
                raise OutOfTime


def still_batches(pictures: np.ndarray, labels: np.ndarray, seed: int) -> object:
    """Batches of single frames."""

    def batch(step: int) -> tuple[tuple[Tensor, ...], Tensor]:
        which = np.random.default_rng([seed, 1, step]).integers(len(pictures), size=STILL_BATCH)
        return (ready(pictures[which, 0]),), torch.from_numpy(labels[which, 0]).long()

    return batch


def clip_batches(pictures: np.ndarray, labels: np.ndarray, seed: int) -> object:
    """Batches of clips, played forwards or backwards."""
    clock = torch.arange(pictures.shape[1])[None] / RATE_HZ

    def batch(step: int) -> tuple[tuple[Tensor, ...], Tensor]:
        rng = np.random.default_rng([seed, 2, step])
        which = rng.integers(len(pictures), size=CLIP_BATCH)
        turn = -1 if rng.random() < 0.5 else 1
        frames = pictures[which][:, ::turn]
        x = ready(frames.reshape(-1, SIZE, SIZE)).unflatten(0, frames.shape[:2])
        truth = np.ascontiguousarray(labels[which][:, ::turn]).reshape(-1, SIZE, SIZE)
        return (x, clock.expand(CLIP_BATCH, -1)), torch.from_numpy(truth).long()

    return batch


def network_of(folder: Path, step: int, *, temporal: bool) -> MediViSTA:
    """The network of one snapshot."""
    network = MediViSTA(MediViSTAShape(temporal=temporal, **SHAPE))
    network.load_state_dict(load_file(folder / f"step{step}.safetensors"))
    return network.eval()


def validation_dice(network: MediViSTA, pictures: np.ndarray, labels: np.ndarray) -> float:
    """Pooled Dice of the left ventricle over all frames of whole windows."""
    clock = torch.arange(pictures.shape[1])[None] / RATE_HZ
    found = []
    with torch.inference_mode():
        for clip in pictures:
            found.append((network(ready(clip)[None], clock)[0].argmax(1) == 1).numpy())
    truth = labels.reshape(-1, SIZE, SIZE) == 1
    return pooled_dice(overlap(np.concatenate(found), truth))


def equal_steps(dice: dict[str, dict[int, float]]) -> dict[str, int]:
    """The last snapshot of the arm whose Dice is less, and the other's latest one equal to it."""
    last = {arm: max(found) for arm, found in dice.items()}
    worse, better = sorted(ARMS, key=lambda arm: dice[arm][last[arm]])
    level = dice[worse][last[worse]]
    near = [s for s, d in dice[better].items() if abs(d - level) <= EQUAL_DICE / 2]
    closest = min(dice[better], key=lambda s: abs(dice[better][s] - level))
    return {worse: last[worse], better: max(near, default=closest)}


def run_seed(out: Path, seed: int, ends_at: float) -> dict[str, object]:
    """Everything of one seed; what is there already is not made again."""
    folder = out / f"seed{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "result.json").exists():
        return json.loads((folder / "result.json").read_text("utf-8"))
    torch.manual_seed(seed)
    still = StillHead(ImageEncoder(MediViSTAShape(**SHAPE).encoder))
    stills = data(folder, "stills", seed)
    train(
        still, still_batches(*stills, seed), steps=STILL_STEPS, folder=folder / "still",
        ends_at=ends_at,
    )  # fmt: skip
    clips, validation = data(folder, "train", seed), data(folder, "validation", seed)
    dice: dict[str, dict[int, float]] = {}
    counts = {}
    for arm, temporal in ARMS.items():
        torch.manual_seed(seed)
        network = MediViSTA(MediViSTAShape(temporal=temporal, **SHAPE))
        network.image_encoder.load_state_dict(still.encoder.state_dict())
        counts[arm] = parameter_counts(network)
        train(
            network, clip_batches(*clips, seed), steps=CLIP_STEPS, folder=folder / arm,
            ends_at=ends_at,
        )  # fmt: skip
        after = network.image_encoder.state_dict()
        assert all(t.equal(after[k]) for k, t in still.encoder.state_dict().items())  # frozen
        dice[arm] = {
            s: validation_dice(network_of(folder / arm, s, temporal=temporal), *validation)
            for s in range(KEPT_EVERY, CLIP_STEPS + 1, KEPT_EVERY)
            if s >= CLIP_STEPS // 2
        }
        print(f"{arm}: validation Dice {dice[arm]}", flush=True)
    steps = equal_steps(dice)
    networks = {a: network_of(folder / a, steps[a], temporal=t) for a, t in ARMS.items()}
    for arm, network in networks.items():
        preparation = Preparation(SIZE, PREPARATION.mean, PREPARATION.standard_deviation)
        words = describe(
            "medivista", network.shape, preparation,
            training_data="a few hundred simulated clips; no patient was ever seen", licence="MIT",
        )  # fmt: skip
        save_file(network.state_dict(), folder / f"{arm}.safetensors", metadata=words)
    result = {"seed": seed, "parameters": counts, "steps": steps, "validation": dice}
    result |= score(networks, *data(folder, "test", seed), clips[1], prepare=ready, rate_hz=RATE_HZ)
    (folder / "result.json").write_text(json.dumps(result, indent=1), "utf-8")
    return result


def main() -> int:
    """Run the seeds; print the table of those that are whole."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=math.inf)
    given = parser.parse_args()
    ends_at, results = time.monotonic() + 60 * given.minutes, []
    try:
        for seed in given.seeds:
            results.append(run_seed(given.out, seed, ends_at))
    except OutOfTime:
        print("out of time; run again to go on", file=sys.stderr)
    if results:
        print(table(results))
    return int(len(results) < len(given.seeds))


if __name__ == "__main__":
    sys.exit(main())
