"""Frames a second of our video path and of the sam2 package's, run in turns on one clip."""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import package_sam2
import torch
from kept import Kept, print_rows
from moving_objects import clip_of

from medseg.models.sam2 import Prompt, load_sam2, track

LEAST = {"float32": 1.0, "bfloat16": 1.3}


def main() -> int:
    """Print medians and their ratio; 1 if a ratio is below what is required."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--objects", type=int, default=1)
    parser.add_argument("--precision", choices=LEAST, nargs="*", default=list(LEAST))
    parser.add_argument("--threads", type=int)
    parser.add_argument("--cpu-time", action="store_true", help="of the process, not of the wall")
    parser.add_argument("--out", type=Path, default=Path("sam2_speed.json"))
    chosen = parser.parse_args()
    kept = Kept(chosen.out, __doc__, chosen)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    clock = time.process_time if chosen.cpu_time else time.perf_counter
    frames, truth = clip_of(7, chosen.frames, 480, 640)
    prompts = [Prompt(f"o{i}", mask=truth[0, i]) for i in range(chosen.objects)]
    names = {p: f"{p} {chosen.side} px, {chosen.objects} object(s)" for p in chosen.precision}
    for precision in chosen.precision:
        if names[precision] in kept:
            continue
        sam2 = load_sam2(
            "tiny",
            weights=chosen.weights,
            random_weights=chosen.weights is None,
            image_size=chosen.side,
            precision=precision,
        )
        exact = load_sam2(
            "tiny",
            weights=chosen.weights,
            random_weights=chosen.weights is None,
            image_size=chosen.side,
        )
        predictor = package_sam2.build(exact)
        spent: dict[str, list[float]] = {"package": [], "medseg": []}
        for turn in range(chosen.turns + 1):
            for who, times in spent.items():
                began = clock()
                if who == "medseg":
                    for found in track(sam2, frames, prompts, direction="forward"):
                        found.mask(480, 640)
                else:
                    low = precision == "bfloat16"
                    with torch.autocast("cpu", torch.bfloat16) if low else nullcontext():
                        found = package_sam2.track_frames(predictor, frames, prompts)
                    masks = {frame: logits > 0 for frame, logits in found.items()}
                    assert len(masks) == len(frames)
                if turn:  # the first one warms up
                    times.append(clock() - began)
        median = {who: statistics.median(times) for who, times in spent.items()}
        measured = {"ratio": median["package"] / median["medseg"], "least": LEAST[precision]}
        for who, times in spent.items():
            rates = np.array([chosen.frames / t for t in times])
            measured[who] = [chosen.frames / median[who], float(rates.min()), float(rates.max())]
        kept.keep(names[precision], measured)
    rows = []
    for name in names.values():
        told = kept[name]
        rates = ["{:.2f} ({:.2f} to {:.2f})".format(*told[who]) for who in ("package", "medseg")]
        rows.append([name, *rates, f"{told['ratio']:.2f}", told["least"]])
    print_rows(["frames a second", "package", "medseg", "ratio", "at least"], rows)
    return int(any(kept[name]["ratio"] < kept[name]["least"] for name in names.values()))


if __name__ == "__main__":
    raise SystemExit(main())
