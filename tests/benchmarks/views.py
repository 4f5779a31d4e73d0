"""Which frames should the default network's two views of a frame see? Asked of simulated hearts.

    python tests/benchmarks/views.py WEIGHTS... [--seed 997] [--hearts 150]

A view sees the frame between its neighbours ("both"), with itself in the later one's place ("past")
or alone ("alone"); the first view is the whole square, the second the enlarged mirror image of its
middle. For each pair, over all weights: pooled Dice, the share of frames with a Dice below 0.9, the
5th percentile of the frames' Dice, and the mean error of the area. About a minute for each file.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import torch

from medseg.metrics import overlap, pooled_dice
from medseg.models.default import EDGE_SHARE, LEFT_VENTRICLE, load_default, standardise
from medseg.models.framing import resize
from medseg.simulate.stills import Burst, draw_bursts

SIZE = 128
EDGE = round(SIZE * EDGE_SHARE)
MIDDLE = slice(EDGE, SIZE - EDGE)
SEEN = {"both": [0, 1, 2], "past": [0, 1, 1], "alone": [1, 1, 1]}
OUTLINED = (2, 4)  # frames of each heart's six


def views(network: torch.nn.Module, hearts: Burst, frame: int) -> dict[tuple[str, str], np.ndarray]:
    """The mask of one frame of each heart, (hearts, H, W), by each pair of views."""
    near = torch.from_numpy(hearts.pictures[:, frame - 1 : frame + 2]).float() / 255
    first, second = {}, {}
    for name, seen in SEEN.items():
        whole = near[:, seen]
        enlarged = resize(whole[..., MIDDLE, MIDDLE].flip(-1), SIZE)
        first[name] = ventricle(network, whole)
        second[name] = resize(ventricle(network, enlarged), SIZE - 2 * EDGE).flip(-1)
    found = {}
    for pair in product(SEEN, SEEN):
        mean = first[pair[0]].clone()
        mean[..., MIDDLE, MIDDLE] = (mean[..., MIDDLE, MIDDLE] + second[pair[1]]) / 2
        found[pair] = (mean[:, 0] > 0.5).numpy()
    return found


@torch.inference_mode()
def ventricle(network: torch.nn.Module, frames: torch.Tensor) -> torch.Tensor:
    """Probabilities (B, 1, H, W) of frames (B, F, H, W)."""
    parts = [network(standardise(part)).softmax(1) for part in frames.split(16)]
    return torch.cat(parts)[:, LEFT_VENTRICLE, None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=997)
    parser.add_argument("--hearts", type=int, default=150)
    asked = parser.parse_args()
    hearts = draw_bursts(asked.seed, asked.hearts, frames=6, size=SIZE, workers=2)
    figures: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    networks = [load_default(path, torch.device("cpu")).network for path in asked.weights]
    for network, frame in product(networks, OUTLINED):
        true = hearts.labels[:, frame] == LEFT_VENTRICLE
        for pair, found in views(network, hearts, frame).items():
            each = overlap(found, true)
            dice = 2 * (found & true).sum((1, 2)) / (found.sum((1, 2)) + true.sum((1, 2)))
            area = np.abs(found.sum((1, 2)) / true.sum((1, 2)) - 1)
            figures.setdefault(pair, []).append(
                (pooled_dice(each), (dice < 0.9).mean(), np.percentile(dice, 5), area.mean())
            )
    print("first  second  Dice    <0.9    5th     area")
    for (first, second), rows in figures.items():
        print(f"{first:6s} {second:6s} ", *(f"{value:.4f} " for value in np.mean(rows, 0)))


if __name__ == "__main__":
    main()
