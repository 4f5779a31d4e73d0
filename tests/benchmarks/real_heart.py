"""The one real heart at hand: outlines against two tracings by eye, and against changed copies.

    python tests/benchmarks/real_heart.py [WEIGHTS.safetensors ...] [--sheet sheet.png]

Prints, for the shipped weights or for each file named, the Dice of six traced frames of the clip in
the pydicom wheel with each of two readers, and theirs with each other, the steadiness of its area
curve, and the least Dice over all frames between the clip's outline and that of a mirrored, three
turned and two gamma-changed copies, the change undone.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import examples
from scipy import ndimage

import medseg
from medseg.geometry import polygon_mask

TRACED = Path(__file__).with_suffix(".json")
TURN_DEG = 20.0


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice of two masks."""
    return 2 * np.count_nonzero(a & b) / max(1, np.count_nonzero(a) + np.count_nonzero(b))


def filled(points: list[list[float]], size: tuple[int, int]) -> np.ndarray:
    """Mask (H, W) of an outline's points (x, y)."""
    x, y = np.array(points, float).T
    return polygon_mask(y, x, size)


def told(scores: dict[int, float]) -> str:
    """Dice by frame, in words."""
    return ", ".join(f"{frame}: {score:.3f}" for frame, score in scores.items())


def outline_masks(frames: np.ndarray, weights: str | None, rate_hz: float) -> np.ndarray:
    """Masks (T, H, W) of frames (T, H, W, 3)."""
    clip = medseg.clip_from_array(frames, name="heart", frame_rate_hz=rate_hz)
    found = medseg.segment(clip, weights=weights)
    return found["mask"].values[0] > 0


def turned(frames: np.ndarray, degrees: float, order: int) -> np.ndarray:
    """Frames or masks turned about their centre."""
    return ndimage.rotate(frames, degrees, axes=(1, 2), reshape=False, order=order)


def bent(frames: np.ndarray, gamma: float) -> np.ndarray:
    """Frames with another gamma."""
    return np.rint(255 * (frames / 255.0) ** gamma).astype(np.uint8)


def contact_sheet(frames: np.ndarray, masks: np.ndarray, path: Path) -> None:
    """All frames with their outlines, six in a row, twice enlarged."""
    tiles = []
    for frame, mask in zip(frames, masks, strict=True):
        tile = np.kron(np.clip(frame * 1.4, 0, 255), np.ones((2, 2, 1)))
        large = np.kron(mask, np.ones((2, 2))) > 0
        tile[large & ~ndimage.binary_erosion(large)] = (255, 60, 60)
        tiles.append(tile.astype(np.uint8)[30:420, 110:600])
    rows = [np.concatenate(tiles[i : i + 6], axis=1) for i in range(0, len(tiles), 6)]
    Image.fromarray(np.concatenate(rows)).save(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="*", default=[None])
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    clip = medseg.open_clip(examples.get_path("ybr_color"))
    frames = clip.read(0, clip.frame_count)
    rate_hz = clip.frame_rate_hz
    traced = {
        reader: {
            int(frame): filled(points, frames.shape[1:3]) for frame, points in outlines.items()
        }
        for reader, outlines in json.loads(TRACED.read_text())["readers"].items()
    }
    first, second = traced.values()
    print("the readers with each other:", told({k: dice(first[k], second[k]) for k in first}))
    for weights in given.weights:
        masks = outline_masks(frames, weights, rate_hz)
        print(weights or "shipped weights")
        for reader, own in traced.items():
            print(f"  {reader} reader:", told({k: dice(masks[k], mask) for k, mask in own.items()}))
        area = masks.sum((1, 2)).astype(float)
        smooth = ndimage.gaussian_filter1d(area, 2.0)
        print(
            f"  area off its smoothed curve, SD: {100 * (area - smooth).std() / area.mean():.1f} %"
        )
        print("  areas:", " ".join(str(int(v)) for v in area))
        copies = {
            "mirrored": (frames[:, :, ::-1], lambda m: m[:, :, ::-1]),
            "turned by 180 deg": (frames[:, ::-1, ::-1], lambda m: m[:, ::-1, ::-1]),
            "turned 20 deg": (
                turned(frames, TURN_DEG, 1),
                lambda m: turned(m.astype(np.uint8), -TURN_DEG, 0) > 0,
            ),
            "turned -20 deg": (
                turned(frames, -TURN_DEG, 1),
                lambda m: turned(m.astype(np.uint8), TURN_DEG, 0) > 0,
            ),
            "gamma 0.7": (bent(frames, 0.7), lambda m: m),
            "gamma 1.4": (bent(frames, 1.4), lambda m: m),
        }
        for name, (changed, undo) in copies.items():
            again = undo(outline_masks(np.ascontiguousarray(changed), weights, rate_hz))
            each = [dice(a, b) for a, b in zip(masks, again, strict=True)]
            print(f"  {name}: least Dice {min(each):.3f}, mean {np.mean(each):.3f}")
        if given.sheet:
            contact_sheet(frames, masks, given.sheet)


if __name__ == "__main__":
    main()
