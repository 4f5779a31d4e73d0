"""Trains every recipe, narrow and short, on simulated clips and prints how each beats its baseline.

    medseg simulate sim300 -n 300 --seed 300
    python tests/benchmarks/recipes.py sim300 runs

A run that has its run.json is not trained again and one that was cut short goes on, so that the
whole can be done in pieces (--only NAME ...). Masks are those of the TEST split's stores, as medseg
segment writes them, against every frame's truth; the baseline is the mean training mask.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from medseg.augment import Augmentation
from medseg.data import Case, open_case, open_dataset, read_frames
from medseg.evaluate import evaluate_folder
from medseg.metrics import pooled_dice
from medseg.models import load_model
from medseg.models.echonet_ef import load_echonet_ef, predict_ef
from medseg.segmentation import segment_to_store
from medseg.segmentation.run import store_path
from medseg.train import RECIPES, Config, train
from medseg.train.config import Optimiser, Schedule
from medseg.train.recipes import with_frames, with_model

SEEDS = (1, 2, 3)  # of the comparison at a tenth of the labels
VALIDATIONS = 6  # a run
EF_STRIDE = 8  # frames between the starts of a video's clips


@dataclass(frozen=True)
class Plan:
    """A recipe made small: what differs from its preset."""

    recipe: str
    steps: int
    batch: int
    learning_rate: float
    width: float = 0.25
    model: str = ""
    frames: int = 0  # 0: the recipe's
    period: int = 0  # between those frames; 0: the recipe's
    size: int = 0  # pixels of a side; 0: the one that all are given
    precision: str = "bf16-mixed"  # three times as fast on a processor that has it
    head_share: float = 1.0  # of the learning rate, for the layer that says EF
    labels: float = 1.0
    seed: int = 1
    start: str = ""  # another plan, whose weights this one starts from
    augmentation: Augmentation | None = None  # None: the recipe's


# Equalising contrast takes longer than a narrow network's step, so that it is left out.
TURNED = Augmentation(colour_jitter=0.2, rotation_deg=20.0, crop_px=6)
# A wide EF network learns 210 hearts by heart; one of four channels has to look at their motion.
PLANS: dict[str, Plan] = {
    "echonet": Plan("echonet", 300, 8, 2e-3, precision="32-true"),
    "unet": Plan("unet", 400, 16, 2e-3, precision="32-true"),
    "unet-landmarks": Plan("unet-landmarks", 400, 16, 2e-3),
    "unilvseg": Plan("unilvseg", 900, 4, 2e-3, size=64, augmentation=TURNED),
    "unilvseg-superimage": Plan(
        "unilvseg", 1000, 4, 1e-3, model="simlvseg-superimage", size=64, augmentation=TURNED
    ),
    "echonet-ef": Plan(
        "echonet-ef",
        500,
        16,
        4e-3,
        width=1 / 16,
        frames=16,
        period=4,
        size=64,
        head_share=20.0,
        augmentation=Augmentation(rotation_deg=20.0, crop_px=10),
    ),
}
for _seed in SEEDS:
    _small = {"frames": 16, "size": 64, "precision": "32-true", "seed": _seed}
    PLANS[f"ssl-{_seed}"] = Plan("unilvseg-ssl", 300, 4, 1e-3, **_small)
    PLANS[f"weak-{_seed}"] = Plan(
        "unilvseg", 200, 4, 2e-3, **_small, labels=0.1, augmentation=TURNED
    )
    PLANS[f"ssl-weak-{_seed}"] = replace(PLANS[f"weak-{_seed}"], start=f"ssl-{_seed}")


def config_of(plan: Plan, data: Path, out: Path, *, steps: int | None, size: int) -> Config:
    """The recipe's configuration, made small; Adam and a cosine stand in for days of SGD."""
    config = RECIPES[plan.recipe]
    config = with_model(config, plan.model or config.network.model, plan.width)
    if plan.frames:
        config = with_frames(config, plan.frames)
    count = steps or plan.steps
    start = str(out / plan.start) if plan.start else ""
    return replace(
        config,
        seed=plan.seed,
        data=replace(
            config.data, path=str(data), size=plan.size or size, labels=plan.labels, workers=0,
            validation_samples=24, period=plan.period or config.data.period,
        ),
        network=replace(config.network, pretrained=start, start_ef="train-mean"),
        objective=replace(config.objective, reduction="mean"),
        augmentation=plan.augmentation or config.augmentation,
        optimiser=Optimiser(
            "adamw", plan.learning_rate, 1e-4, clip_gradient=1.0, head_share=plan.head_share
        ),
        schedule=Schedule("cosine", warm_up=0.05),
        run=replace(
            config.run, steps=count, steps_per_epoch=-(-count // VALIDATIONS), batch=plan.batch,
            tensorboard=False, precision=plan.precision,
        ),
    )  # fmt: skip


def trained(name: str, data: Path, out: Path, *, steps: int | None, size: int) -> dict:
    """A plan's run.json, trained now if it is not there."""
    run, plan = out / name, PLANS[name]
    if not (run / "run.json").is_file():
        if plan.start:
            trained(plan.start, data, out, steps=steps, size=size)
        print(f"training {name} ...", file=sys.stderr, flush=True)
        config = config_of(plan, data, out, steps=steps, size=size)
        train(config, run, resume=(run / "config.toml").is_file())
    return json.loads((run / "run.json").read_text())


def mask_score(name: str, data: Path, out: Path) -> dict:
    """Pooled Dice of the TEST split and of the mean training mask on the same frames."""
    run, dataset = out / name, open_dataset(data)
    stores = run / "predictions"  # where medseg compare looks for them
    told = json.loads((run / "run.json").read_text())
    segmenter = load_model(told["model"], weights=run / "weights.safetensors")
    for case in dataset.of_split("TEST"):
        clip = open_case(case)
        if not store_path(clip, stores).exists():
            segment_to_store(clip, stores, segmenter=segmenter)
    clips = evaluate_folder(stores, data, split="TEST").clips
    scored = [clip for clip in clips if clip.masks is not None and clip.mean_mask is not None]
    found, mean = scored[0].masks.overlap, scored[0].mean_mask
    for clip in scored[1:]:
        found, mean = found + clip.masks.overlap, mean + clip.mean_mask
    return {"figure": pooled_dice(found), "baseline": pooled_dice(mean), "clips": len(scored),
            "of": len(clips)}  # fmt: skip


def ef_score(name: str, data: Path, out: Path) -> dict:
    """Mean absolute error of EF on the TEST split, and that of saying the training mean."""
    run, dataset = out / name, open_dataset(data)
    model = load_echonet_ef(run / "weights.safetensors")
    rows, errors, baseline = [], [], []
    mean = statistics.fmean(known(dataset.of_split("TRAIN")).values())
    for case, ef in known(dataset.of_split("TEST")).items():
        said = predict_ef(model, read_frames(case, colour=True), stride=EF_STRIDE)
        rows += [(case.name, *pair) for pair in zip(said.start, said.ef_percent, strict=True)]
        errors.append(abs(said.mean_ef_percent - ef))
        baseline.append(abs(mean - ef))
    with (run / "ef.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("FileName", "start_frame", "ef"), *rows])
    return {"figure": statistics.fmean(errors), "baseline": statistics.fmean(baseline),
            "clips": len(errors), "of": len(errors)}  # fmt: skip


def known(cases: object) -> dict[Case, float]:
    """EF in percent of the cases that have one."""
    return {case: case.ef_percent for case in cases if case.ef_percent is not None}


def scored(name: str, data: Path, out: Path) -> dict:
    """A plan's score.json, measured now if it is not there."""
    path = out / name / "score.json"
    if not path.is_file():
        print(f"scoring {name} ...", file=sys.stderr, flush=True)
        measure = ef_score if PLANS[name].recipe == "echonet-ef" else mask_score
        path.write_text(json.dumps(measure(name, data, out)) + "\n")
    return json.loads(path.read_text())


def table(data: Path, out: Path) -> str:
    """What is there so far, as Markdown."""
    lines = [
        "| recipe | width | steps | parameters | training (s) | test clips | figure | baseline "
        "| ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, plan in PLANS.items():
        if not (out / name / "score.json").is_file() or name.startswith(("weak", "ssl")):
            continue
        run, score = json.loads((out / name / "run.json").read_text()), scored(name, data, out)
        figure, baseline = score["figure"], score["baseline"]
        if plan.recipe == "echonet-ef":
            words = f"MAE {figure:.2f} % | MAE {baseline:.2f} % | {figure / baseline:.2f}"
        else:
            ratio = (1 - figure) / (1 - baseline)
            words = f"Dice {figure:.4f} | Dice {baseline:.4f} | {ratio:.2f} (of 1 - Dice)"
        lines.append(
            f"| {name} | {plan.width:g} | {run['steps']} | {run['parameters']:,} "
            f"| {run['training_seconds']:.0f} | {score['clips']} of {score['of']} | {words} |"
        )
    pairs = [
        (seed, *(scored(f"{kind}-{seed}", data, out)["figure"] for kind in ("weak", "ssl-weak")))
        for seed in SEEDS
        if all((out / f"{kind}-{seed}" / "score.json").is_file() for kind in ("weak", "ssl-weak"))
    ]
    if pairs:
        lines += ["", "| seed | weak supervision alone | after self-supervision | difference |",
                  "|---|---|---|---|"]  # fmt: skip
        lines += [f"| {s} | {a:.4f} | {b:.4f} | {b - a:+.4f} |" for s, a, b in pairs]
        lines.append(f"| mean | | | {statistics.fmean(b - a for _, a, b in pairs):+.4f} |")
    return "\n".join(lines)


def main() -> int:
    """Do what is asked and not yet done, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(PLANS), default=list(PLANS))
    parser.add_argument("--steps", type=int, help="of every run, for a trial")
    parser.add_argument("--size", type=int, default=112, help="pixels, for a trial")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.only:
        trained(name, asked.data, asked.out, steps=asked.steps, size=asked.size)
        if PLANS[name].recipe != "unilvseg-ssl":
            scored(name, asked.data, asked.out)
    print(table(asked.data, asked.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
