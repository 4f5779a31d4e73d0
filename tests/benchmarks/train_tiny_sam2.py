"""Trains a tiny SAM 2 briefly on moving blobs, so that its masks mean something on such clips.

    python tests/benchmarks/train_tiny_sam2.py tiny.pt

From chance a promptable network first ignores its prompts. So it learns in three stages: its
encoder to tell blobs from ground, its decoder to follow prompts on pictures that are encoded once,
and all of it, memory included, to follow a blob through clips. Ended and called again it goes on
with the next stage.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from moving_objects import clip_of
from torch import Tensor, nn
from torch.nn import functional

from medseg.models.sam2 import load_sam2
from medseg.models.sam2.pixels import normalise, squares_of_video

SIDE = 128
BLOBS = 2  # of each clip
BOXED = 0.75  # of the prompts; the others are points
JITTER = 0.05  # of a box's sides
STEPS = {"encoder": 100, "decoder": 1500, "clips": 200}
RATES = {"encoder": 3e-4, "decoder": 5e-4, "clips": 2e-4}
PICTURES, ENCODED = 8, 32  # a batch; batches that the decoder's stage sees again and again
CLIPS, FRAMES = 2, 4  # of the last stage's batch


class Features(NamedTuple):
    """What the encoder gives of N pictures: levels (cells,N,C), their positions and their sizes."""

    levels: list[Tensor]
    positions: list[Tensor]
    sizes: list[tuple[int, int]]

    def of(self, which: slice) -> Features:
        """Those of some pictures, each as often as it has blobs."""
        levels, positions = (
            [x[:, which].repeat_interleave(BLOBS, 1) for x in several]
            for several in (self.levels, self.positions)
        )
        return Features(levels, positions, self.sizes)


def batch_of(seed: int, clips: int, frames: int) -> tuple[Tensor, Tensor]:
    """Squares (clip,T,3,S,S), normalised, and the masks of their blobs (clip*blobs,T,1,S,S)."""
    pictures, masks = [], []
    for i in range(clips):
        shown, truth = clip_of(seed * clips + i, frames, SIDE, SIDE)
        pictures.append(normalise(squares_of_video(shown, SIDE), torch.device("cpu")))
        masks.append(torch.from_numpy(truth).float().transpose(0, 1))
    return torch.stack(pictures), torch.cat(masks)[:, :, None]


def mask_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy and Dice (clip,M) of logits (clip,M,h,w) against (clip,1,h,w)."""
    truth = truth.expand_as(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    p = logits.sigmoid()
    both = 2 * (p * truth).sum((2, 3)) + 1
    return 2 * entropy.mean((2, 3)) + 1 - both / ((p + truth).sum((2, 3)) + 1)


def prompts_of(masks: Tensor, rng: np.random.Generator) -> dict[str, Tensor]:
    """A box around each mask (clip,1,S,S), moved a little, or a point in it."""
    points, labels = [], []
    for mask in masks[:, 0]:
        rows, columns = torch.nonzero(mask, as_tuple=True)
        if rng.random() < BOXED:
            box = np.array([[columns.min(), rows.min()], [columns.max(), rows.max()]])
            points.append(box + rng.uniform(-JITTER, JITTER, (2, 2)) * np.ptp(box, axis=0))
            labels.append([2, 3])
        else:
            i = int(rng.integers(len(rows)))
            points.append(np.array([[columns[i], rows[i]], [0, 0]]))
            labels.append([1, -1])  # -1: no point
    return {
        "point_coords": torch.tensor(np.stack(points), dtype=torch.float32),
        "point_labels": torch.tensor(labels, dtype=torch.int32),
    }


def encode(network: nn.Module, pictures: Tensor) -> Features:
    """Features of (N,3,S,S)."""
    return Features(*network._prepare_backbone_features(network.forward_image(pictures))[1:])


def clip_loss(network: nn.Module, features: Features, masks: Tensor, given: dict) -> Tensor:
    """Prompt the first frame and track into the others; the mean loss over frames.

    Features of all frames, the clips of a frame side by side; masks (clip*blobs,T,1,S,S).
    """
    frames, clips = masks.shape[1], len(masks) // BLOBS
    remembered = {"cond_frame_outputs": {}, "non_cond_frame_outputs": {}}
    total = torch.zeros(())
    for t in range(frames):
        own = features.of(slice(t * clips, (t + 1) * clips))
        points = given if t == 0 else None
        _, heads, _, _ = network._track_step(
            t, t == 0, *own, points, None, remembered, frames, False, None
        )
        several, _, scores, _, large, pointer, present = heads
        truth = masks[:, t]
        small = functional.interpolate(truth, size=several.shape[-2:], mode="area").round()
        losses = mask_loss(several.clamp(-30, 30), small)
        with torch.no_grad():
            inside = several > 0
            both = (inside & (small > 0)).sum((2, 3)).float()
            iou = both / ((inside | (small > 0)).sum((2, 3)) + 1)
        there = (truth.flatten(1).sum(1, keepdim=True) > 0).float()
        total = total + losses.min(1).values.mean() + 0.2 * losses.mean()
        total = total + (scores - iou).square().mean()
        total = total + functional.binary_cross_entropy_with_logits(present, there)
        if t + 1 == frames:
            break
        spatial, place = network._encode_new_memory(
            own.levels, own.sizes, large, present, points is not None
        )
        kind = "cond_frame_outputs" if t == 0 else "non_cond_frame_outputs"
        remembered[kind][t] = {
            "maskmem_features": spatial,
            "maskmem_pos_enc": place,
            "obj_ptr": pointer,
        }
    return total / frames


def descend(
    name: str, parameters: Iterable[nn.Parameter], loss_of: Callable[[int], Tensor]
) -> None:
    """The steps of a stage; the rate rises for a tenth of them and then falls to zero."""
    steps, held = STEPS[name], list(parameters)
    optimiser = torch.optim.AdamW(held, lr=RATES[name], weight_decay=0.01, betas=(0.9, 0.95))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, RATES[name], total_steps=steps, pct_start=0.1, cycle_momentum=False
    )
    began, recent = time.perf_counter(), []
    for step in range(steps):
        loss = loss_of(step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(held, 1.0)
        optimiser.step()
        schedule.step()
        recent = [*recent[-19:], float(loss.detach())]
        if (step + 1) % (steps // 10) == 0:
            spent = time.perf_counter() - began
            print(f"{name}, step {step + 1}: loss {np.mean(recent):.3f}, {spent:.0f} s", flush=True)


def train_encoder(network: nn.Module) -> None:
    """Tell blobs from ground at every level of the encoder, by a head that is thrown away."""
    heads = nn.ModuleList(nn.LazyConv2d(1, 1) for _ in range(3))

    def loss_of(step: int) -> Tensor:
        squares, masks = batch_of(step + 1, PICTURES, 1)
        blobs = masks[:, 0].unflatten(0, (PICTURES, BLOBS)).amax(1)  # (N,1,S,S)
        losses = []
        levels = network.forward_image(squares[:, 0])["backbone_fpn"]
        for head, level in zip(heads, levels, strict=True):
            logits = head(level)
            truth = functional.interpolate(blobs, size=logits.shape[-2:], mode="area")
            losses.append(mask_loss(logits, truth).mean())
        return torch.stack(losses).mean()

    with torch.no_grad():
        loss_of(0)  # the heads learn their widths
    descend("encoder", [*network.image_encoder.parameters(), *heads.parameters()], loss_of)


def train_decoder(network: nn.Module) -> None:
    """Follow prompts on pictures that are encoded once."""
    kept = []
    with torch.no_grad():
        for i in range(ENCODED):
            squares, masks = batch_of(1000 + i, PICTURES, 1)
            kept.append((encode(network, squares[:, 0]), masks))

    def loss_of(step: int) -> Tensor:
        features, masks = kept[step % ENCODED]
        given = prompts_of(masks[:, 0], np.random.default_rng([0, step]))
        return clip_loss(network, features, masks, given)

    parts = (network.sam_mask_decoder, network.sam_prompt_encoder)
    descend("decoder", [p for part in parts for p in part.parameters()], loss_of)


def train_clips(network: nn.Module) -> None:
    """Follow blobs through clips, all parameters together."""

    def loss_of(step: int) -> Tensor:
        squares, masks = batch_of(10_000 + step, CLIPS, FRAMES)
        features = encode(network, squares.transpose(0, 1).flatten(0, 1))
        given = prompts_of(masks[:, 0], np.random.default_rng([1, step]))
        return clip_loss(network, features, masks, given)

    descend("clips", network.parameters(), loss_of)


def main() -> None:
    """Train, and write the weights in SAM 2's own layout."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    chosen = parser.parse_args()
    network = load_sam2("tiny", image_size=SIDE, random_weights=True).network
    with torch.no_grad():  # an object is taken to be there until the contrary is learnt
        network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(3.0)
    stages = {"encoder": train_encoder, "decoder": train_decoder, "clips": train_clips}
    for name, train in stages.items():
        path = chosen.out if name == "clips" else chosen.out.with_suffix(f".{name}.pt")
        if path.exists():
            network.load_state_dict(torch.load(path, weights_only=True)["model"])
            continue
        train(network)
        torch.save({"model": network.state_dict()}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)


if __name__ == "__main__":
    main()
