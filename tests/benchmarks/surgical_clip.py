"""A long 1080p operation from file to store, overlay and coverage table, and the memory it takes.

    python tests/benchmarks/surgical_clip.py OUT --weights tiny.pt --frames 3000

Each stage is kept in OUT; ended and called again it goes on with the next one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from kept import Kept, print_rows
from memory import peak_mib
from PIL import Image

from medseg.simulate import simulate_surgery
from medseg.store import open_segmentation

LIMIT_MIB = 6 * 1024
SIZE = (1080, 1920)


def write_prompts(labels: Path, names: list[str], path: Path) -> None:
    """A box around each object of the first frame."""
    found = np.asarray(Image.open(labels))
    objects = []
    for value, name in enumerate(names, start=1):
        rows, columns = (np.flatnonzero((found == value).any(axis)) for axis in (1, 0))
        if rows.size < 20 or columns.size < 20:
            continue
        box = [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]
        objects.append({"name": name, "prompts": [{"frame": 0, "box": box}]})
    told = {"schema": "medseg-prompts", "version": 1, "objects": objects}
    path.write_text(json.dumps(told, indent=1), "utf-8")


def pooled_dice(store: Path, masks: Path, names: list[str], every: int) -> dict[str, float]:
    """Dice of each object with the simulator's masks, over every n-th frame."""
    found = open_segmentation(store)
    shared, total = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    followed = list(found.attrs["object_names"])
    for frame in range(0, found.sizes["frame"], every):
        truth = np.asarray(Image.open(masks / f"{frame + 1}.png"))
        mask = found["mask"][:, frame].values > 0
        for i, name in enumerate(followed):
            own = truth == names.index(name) + 1
            shared[name] += int((mask[i] & own).sum())
            total[name] += int(mask[i].sum() + own.sum())
    return {name: 2 * shared[name] / max(1, total[name]) for name in followed}


def main() -> int:
    """Print what each stage took; 1 if one needed more than 6 GiB."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--weights", type=Path, required=True, help="of SAM 2.1 tiny")
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--every", type=int, default=100, help="frames that are scored")
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    out, medseg = chosen.out, Path(sys.executable).with_name("medseg")
    kept = Kept(out / "surgical_clip.json", __doc__.splitlines()[0], chosen)
    if not (out / "clips" / "truth.json").is_file():
        simulate_surgery(
            out / "clips", n=1, seed=5, frames=chosen.frames, size=SIZE, workers=chosen.workers
        )
    (clip,) = (out / "clips").glob("*.mp4")
    names = json.loads((out / "clips" / "truth.json").read_text("utf-8"))[clip.stem]["objects"]
    masks = out / "clips" / "masks" / clip.stem
    prompts = out / "prompts.json"
    write_prompts(masks / "1.png", names, prompts)
    stages = {
        "store and overlay": [
            "segment", str(clip), "--out", str(out / "segmented"), "--model", "sam2", "--weights",
            str(chosen.weights), "--image-size", str(chosen.side), "--prompts", str(prompts),
            "--direction", "forward", "--whole-frame", "--overwrite",
        ],
        "coverage table": [
            "frames", str(clip), "--store", str(out / "segmented" / f"{clip.stem}.zarr"), "--out",
            str(out / "frames"), "--every", str(chosen.every),
        ],
    }  # fmt: skip
    for name, arguments in stages.items():
        if name not in kept:
            began = time.perf_counter()
            peak = peak_mib([str(medseg), *arguments])
            kept.keep(name, {"peak MiB": peak, "seconds": time.perf_counter() - began})
    if "Dice" not in kept:
        store = out / "segmented" / f"{clip.stem}.zarr"
        kept.keep("Dice", pooled_dice(store, masks, names, chosen.every))
    rows = [
        [name, f"{kept[name]['peak MiB']:.0f} MiB", f"{kept[name]['seconds'] / 60:.1f} min"]
        for name in stages
    ]
    print_rows([f"{chosen.frames} frames of 1080p", "peak memory", "time"], rows)
    print("Dice: " + ", ".join(f"{name} {d:.3f}" for name, d in kept["Dice"].items()))
    return int(max(kept[name]["peak MiB"] for name in stages) > LIMIT_MIB)


if __name__ == "__main__":
    sys.exit(main())
