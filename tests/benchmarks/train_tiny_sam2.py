"""Trains a tiny SAM 2 briefly on moving blobs, so that its masks mean something on such clips."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from moving_objects import clip_of
from torch import Tensor
from torch.nn import functional

from medseg.models.sam2 import load_sam2
from medseg.models.sam2.pixels import normalise, squares_of_video


def batch_of(seed: int, clips: int, frames: int, side: int) -> tuple[Tensor, Tensor]:
    """Squares (clip,T,3,S,S), normalised, and the mask of one blob of each (clip,T,1,S,S)."""
    pictures, masks = [], []
    for i in range(clips):
        shown, truth = clip_of(seed * clips + i, frames, side, side)
        pictures.append(normalise(squares_of_video(shown, side), torch.device("cpu")))
        masks.append(torch.from_numpy(truth[:, (seed + i) % 2, None]).float())
    return torch.stack(pictures), torch.stack(masks)


def mask_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy and Dice (clip,M) of logits (clip,M,h,w) against (clip,1,h,w)."""
    truth = truth.expand_as(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    p = logits.sigmoid()
    both = 2 * (p * truth).sum((2, 3)) + 1
    return 2 * entropy.mean((2, 3)) + 1 - both / ((p + truth).sum((2, 3)) + 1)


def prompt_of(masks: Tensor, rng: np.random.Generator) -> dict[str, Tensor]:
    """A box around each mask (clip,1,S,S), or a point in it, the same kind for the batch."""
    points, labels = [], []
    boxed = rng.random() < 0.6
    for mask in masks[:, 0]:
        rows, columns = torch.nonzero(mask, as_tuple=True)
        if boxed:
            points.append([[columns.min(), rows.min()], [columns.max(), rows.max()]])
            labels.append([2, 3])
        else:
            i = int(rng.integers(len(rows)))
            points.append([[columns[i], rows[i]]])
            labels.append([1])
    return {
        "point_coords": torch.tensor(points, dtype=torch.float32),
        "point_labels": torch.tensor(labels, dtype=torch.int32),
    }


def clip_loss(network: torch.nn.Module, squares: Tensor, masks: Tensor, given: dict) -> Tensor:
    """Prompt the first frame and track into the others; the mean loss over frames."""
    clips, frames = squares.shape[:2]
    encoded = network.forward_image(squares.transpose(0, 1).flatten(0, 1))
    _, features, positions, sizes = network._prepare_backbone_features(encoded)
    remembered = {"cond_frame_outputs": {}, "non_cond_frame_outputs": {}}
    total = torch.zeros(())
    for t in range(frames):
        here = slice(t * clips, (t + 1) * clips)
        own = [level[:, here] for level in features]
        points = given if t == 0 else None
        _, heads, _, _ = network._track_step(
            t,
            t == 0,
            own,
            [level[:, here] for level in positions],
            sizes,
            points,
            None,
            remembered,
            frames,
            False,
            None,
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
        spatial, place = network._encode_new_memory(own, sizes, large, present, points is not None)
        kind = "cond_frame_outputs" if t == 0 else "non_cond_frame_outputs"
        remembered[kind][t] = {
            "maskmem_features": spatial,
            "maskmem_pos_enc": place,
            "obj_ptr": pointer,
        }
    return total / frames


def main() -> None:
    """Train, and write the weights in SAM 2's own layout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--clips", type=int, default=2)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    chosen = parser.parse_args()
    sam2 = load_sam2(
        "tiny",
        image_size=chosen.side,
        weights=chosen.start,
        random_weights=chosen.start is None,
    )
    network = sam2.network
    if chosen.start is None:
        with torch.no_grad():  # an object is taken to be there until the contrary is learnt
            network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(3.0)
    optimiser = torch.optim.AdamW(network.parameters(), lr=chosen.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, chosen.rate, total_steps=chosen.steps, pct_start=0.1
    )
    state, first = chosen.out.with_suffix(".state"), 0
    if state.exists():  # one that was ended goes on
        held = torch.load(state, weights_only=True)
        network.load_state_dict(held["network"])
        optimiser.load_state_dict(held["optimiser"])
        schedule.load_state_dict(held["schedule"])
        first = held["step"]
    began, recent = time.perf_counter(), []
    for step in range(first, chosen.steps):
        squares, masks = batch_of(step + 1, chosen.clips, chosen.frames, chosen.side)
        rng = np.random.default_rng([0, step])
        loss = clip_loss(network, squares, masks, prompt_of(masks[:, 0], rng))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        recent = [*recent[-19:], float(loss.detach())]
        if (step + 1) % 20 == 0:
            spent = time.perf_counter() - began
            print(f"step {step + 1}: loss {np.mean(recent):.3f}, {spent:.0f} s", flush=True)
            torch.save({"model": network.state_dict()}, chosen.out)
        if (step + 1) % 100 == 0:
            held = {
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "step": step + 1,
            }
            torch.save(held, state.with_suffix(".part"))
            state.with_suffix(".part").replace(state)


if __name__ == "__main__":
    main()
