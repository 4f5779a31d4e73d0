"""Compares our logits with the sam2 package's, and faster variants' masks with float32's."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import package_sam2
import torch
from kept import Kept, print_rows
from moving_objects import clip_of

from medseg.models.sam2 import Prompt, load_sam2, track
from medseg.models.sam2.pixels import enlarge

FRAMES, LATE = 32, 12
LIMIT, LEAST_DICE = 1e-4, 0.99


def box(mask: np.ndarray) -> tuple[float, float, float, float]:
    """The box around a mask, (x0, y0, x1, y1)."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (*map(float, (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)),)


def ours(sam2, frames, prompts, direction, **options) -> dict[int, np.ndarray]:
    """Logits (object,H,W) by frame."""
    height, width = frames.shape[1:3]
    found = track(sam2, frames, prompts, direction=direction, **options)
    return {t.frame: enlarge(t.logits, height, width).numpy() for t in found}


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Pooled over everything."""
    return 2 * float((a & b).sum()) / max(1, float(a.sum() + b.sum()))


def main() -> int:
    """Print a line for each case; 1 if one is past its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("sam2_parity.json"))
    chosen = parser.parse_args()
    kept = Kept(chosen.out, __doc__, chosen)
    sam2 = load_sam2("tiny", weights=chosen.weights, image_size=chosen.side)
    predictor = package_sam2.build(sam2)
    frames, truth = clip_of(1_000_000 + chosen.seed, FRAMES, 240, 320)
    late = Prompt("two", LATE, box=box(truth[LATE, 1]))
    cases = {
        "forward": ([Prompt("one", box=box(truth[0, 0]))], "forward"),
        "forward from a mask": ([Prompt("one", mask=truth[0, 0])], "forward"),
        "backward": ([Prompt("one", FRAMES - 1, box=box(truth[-1, 0]))], "backward"),
        "late second object": ([Prompt("one", box=box(truth[0, 0])), late], "forward"),
    }
    low = load_sam2("tiny", weights=chosen.weights, image_size=chosen.side, precision="bfloat16")
    for name, (prompts, direction) in cases.items():
        if name in kept:
            continue
        theirs = package_sam2.track_frames(
            predictor, frames, prompts, reverse=direction == "backward"
        )
        own = ours(sam2, frames, prompts, direction)
        order = sorted(theirs)
        a, b = np.stack([theirs[i] for i in order]), np.stack([own[i] for i in order])
        worst = float(np.abs(a - b).max())
        share = (b > 0).mean((2, 3))
        real = dice(b > 0, truth[:, : b.shape[1]])
        rough = ours(low, frames, prompts, direction)
        same = dice(b > 0, np.stack([rough[i] for i in order]) > 0)
        whole = ours(sam2, frames, prompts, direction, memory_dtype=torch.float32)
        apart = float(np.abs(b - np.stack([whole[i] for i in order])).max())
        measured = {
            "largest difference": worst, "least share": float(share.min()),
            "greatest share": float(share.max()), "Dice with the truth": real,
            "bfloat16's Dice with float32": same, "float32 memories differ by": apart,
        }  # fmt: skip
        kept.keep(name, measured)
    rows = [[name, *(f"{value:.3g}" for value in kept[name].values())] for name in cases]
    print_rows(["case", *kept["forward"]], rows)
    return int(
        any(
            kept[name]["largest difference"] > LIMIT
            or kept[name]["bfloat16's Dice with float32"] < LEAST_DICE
            for name in cases
        )
    )


if __name__ == "__main__":
    raise SystemExit(main())
