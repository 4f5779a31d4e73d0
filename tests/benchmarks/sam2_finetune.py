"""Fine-tunes SAM 2 on simulated echo and compares it with itself before, and with the mean mask.

    python tests/benchmarks/train_tiny_sam2.py tiny.pt
    python tests/benchmarks/sam2_finetune.py OUT --start tiny.pt

200 traced frames (100 clips) train, by the recipe medsam2-2d; the VAL frames are scored with
boxes around their true masks. Ended and called again it goes on.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from kept import Kept, print_rows

from medseg.models.sam2.trainable import build_trainable, start_trainable
from medseg.models.weights import read_checkpoint
from medseg.simulate import simulate_folder
from medseg.train import RECIPES, Config, train
from medseg.train.cohort import Cohort, choose_cohort
from medseg.train.config import Schedule
from medseg.train.pixels import Pictures
from medseg.train.samples import VALIDATION_PASS, Samples
from medseg.train.start import prepare
from medseg.train.steps import batch_loss, figures_of

CLIPS, SEED = 143, 31  # of which 100 TRAIN: 200 traced frames
LEAST_DICE = 0.80


def configured(chosen: argparse.Namespace, clips: Path) -> Config:
    """The recipe at a smaller picture, for an hour or less of a CPU."""
    config = RECIPES["medsam2-2d"]
    return replace(
        config,
        data=replace(config.data, path=str(clips), size=chosen.side, workers=0),
        network=replace(
            config.network,
            pretrained=str(chosen.start or ""),
            shape=replace(config.network.shape, image_size=chosen.side),
        ),
        objective=replace(config.objective, best_by="dice"),
        optimiser=replace(config.optimiser, learning_rate=chosen.rate),
        schedule=Schedule("cosine", warm_up=0.05),
        run=replace(
            config.run, epochs=chosen.epochs, batch=4, tensorboard=False, precision=chosen.precision
        ),
    )


def validation_dice(config: Config, cohort: Cohort, weights: Path | None) -> float:
    """Pooled Dice of the VAL split's traced frames, each pointed at by its true box."""
    torch.manual_seed(config.seed)
    network = build_trainable(config.network.shape)
    if weights is not None:
        start_trainable(network, read_checkpoint(weights), config.network.shape)
    network.eval()
    pictures = Pictures(config.data.size, limit_bytes=0, whole=False, stretched=True)
    samples = Samples(config, cohort.validation, pictures)
    preparation = prepare(config, cohort, None)
    total = torch.zeros(5, dtype=torch.float64)
    with torch.no_grad():
        for place in range(len(samples)):
            batch = torch.utils.data.default_collate([samples[(VALIDATION_PASS, place)]])
            total += batch_loss(config, network, batch, preparation, training=False)[1]
    return figures_of(total)["dice"]


def mean_mask_dice(config: Config, cohort: Cohort) -> float:
    """Pooled Dice of the mean training mask, which needs no network."""
    pictures = Pictures(config.data.size, limit_bytes=0, whole=False, stretched=True)

    def masks(items: list) -> np.ndarray:
        return np.stack([pictures.mask(item.case, item.traced[0]) for item in items])

    mean = masks(cohort.training).mean(0) > 0.5
    truth = masks(cohort.validation)
    shared = (truth & mean).sum()
    return 2 * float(shared) / float(truth.sum() + mean.sum() * len(truth))


def main() -> int:
    """Print the table; 1 if the fine-tuned network is not better than both, or below 0.80."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--start", type=Path, help="weights to start from; chance without")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--precision", default="bf16-mixed")
    parser.add_argument("--clips", type=int, default=CLIPS)
    chosen = parser.parse_args()
    kept = Kept(chosen.out / "sam2_finetune.json", __doc__.splitlines()[0], chosen)
    clips = chosen.out / "clips"
    if not (clips / "FileList.csv").is_file():
        chosen.out.mkdir(parents=True, exist_ok=True)
        simulate_folder(clips, n=chosen.clips, seed=SEED, workers=os.cpu_count() or 1)
    config = configured(chosen, clips)
    cohort = choose_cohort(config)
    if "mean mask" not in kept:
        kept.keep("mean mask", mean_mask_dice(config, cohort))
    if "before" not in kept:
        kept.keep("before", validation_dice(config, cohort, chosen.start))
    run = chosen.out / "run"
    if not (run / "run.json").is_file():
        kept.keep("run", train(config, run, resume=(run / "config.toml").is_file()))
    if "after" not in kept:
        kept.keep("after", validation_dice(config, cohort, run / "weights.safetensors"))
    told = kept["run"]
    rows = [[name, f"{kept[name]:.4f}"] for name in ("mean mask", "before", "after")]
    print_rows(["validation Dice (VAL, boxes)", ""], rows)
    print(
        f"{told['annotated_frames']} traced frames, {told['trained_parameters']:,} of "
        f"{told['parameters']:,} parameters trained, {told['training_seconds'] / 60:.0f} min"
    )
    better = kept["after"] > max(kept["before"], kept["mean mask"])
    return int(not (better and kept["after"] >= LEAST_DICE))


if __name__ == "__main__":
    sys.exit(main())
