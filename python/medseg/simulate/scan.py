"""Simulated CT scans of an abdomen whose organs are ellipsoids, with true labels in NIfTI."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.errors import MissingExtra, OutputError

# Labels as FLARE22 numbers them; centres in mm from the body's middle: to the patient's left, to
# the back, to the head; half axes in mm; HU of a portal-venous scan.
ORGANS: dict[str, tuple[int, tuple[float, float, float], tuple[float, float, float], float]] = {
    "liver": (1, (-62, -12, 34), (68, 58, 52), 110),
    "right_kidney": (2, (-58, 42, -44), (25, 23, 44), 185),
    "spleen": (3, (88, 26, 42), (29, 36, 46), 125),
    "aorta": (5, (12, 34, -6), (11, 11, 400), 210),
    "gallbladder": (9, (-36, -42, -18), (16, 18, 24), 8),
    "left_kidney": (13, (62, 44, -36), (25, 24, 46), 185),
}
_SPACING_MM = (2.0, 2.0, 4.0)  # x, y, z
_SHAPE = (192, 160, 64)  # x, y, z
_NOISE_HU = 14.0
TRUTH = "truth.json"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Scan:
    """One scan, voxels by (x, y, z) with x to the patient's left and y to the back."""

    hounsfield: NDArray[np.int16]
    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]  # to RAS mm, as NIfTI has it
    volumes_ml: dict[str, float]  # the ellipsoids' own, 4/3 pi abc; not of what is cut off


def draw_scan(
    seed: int,
    *,
    shape: tuple[int, int, int] = _SHAPE,
    spacing_mm: tuple[float, float, float] = _SPACING_MM,
) -> Scan:
    """Draw a scan from a seed: organs moved, sized and turned a little, then blurred and noisy."""
    rng = np.random.default_rng(seed)
    step = np.array(spacing_mm)
    middle = (np.array(shape) - 1) / 2
    grid = [
        ((np.arange(n) - m) * s).astype(np.float32)
        for n, m, s in zip(shape, middle, step, strict=True)
    ]
    x, y, z = np.meshgrid(*grid, indexing="ij", sparse=True)
    body = rng.uniform(0.94, 1.06)
    scan = np.full(shape, -1000.0, np.float32)
    labels = np.zeros(shape, np.uint8)
    skin = _inside((x, y, z), (0, 0, 0), (162 * body, 122 * body, 1e4))
    muscle = _inside((x, y, z), (0, 4, 0), (146 * body, 104 * body, 1e4))
    belly = _inside((x, y, z), (0, -6, 0), (132 * body, 84 * body, 1e4))
    scan[skin], scan[muscle], scan[belly] = -100.0, 55.0, -85.0
    for _ in range(14):  # loops of bowel, some with gas
        centre = rng.uniform((-90, -62, -125), (90, 0, -10))
        loop = _inside((x, y, z), centre, rng.uniform(12, 22, 3)) & belly
        scan[loop] = 40.0
        if rng.random() < 0.4:
            gas = _inside((x, y, z), centre + (0, -4, 0), rng.uniform(5, 10, 3))
            scan[gas & belly] = -900.0
    for side in (-1, 1):  # the bases of the lungs
        lung = _inside((x, y, z), (70 * side, 0, 150), (62, 82, 66))
        scan[lung & muscle] = -820.0
        for rib in range(-3, 4):
            ring = _inside((x, y, z), (0, 4, 44 * rib), (147 * body, 105 * body, 9))
            inner = _inside((x, y, z), (0, 4, 44 * rib), (138 * body, 96 * body, 30))
            scan[ring & ~inner & (side * x > 25)] = 420.0
    volumes = {}
    for name, (label, centre, axes, hounsfield) in ORGANS.items():
        place = (np.array(centre) + rng.normal(0, 4, 3)) * (body, body, 1)
        half = np.array(axes) * rng.uniform(0.9, 1.1, 3)
        if name == "aorta":
            half[1] = half[0]
        organ = _inside((x, y, z), place, half, turn=0.0 if name == "aorta" else rng.normal(0, 0.2))
        scan[organ] = hounsfield + 0.0
        labels[organ] = label
        volumes[name] = float(4 / 3 * np.pi * np.prod(half) / 1000)
    for level in range(-4, 5):  # vertebrae and discs
        bone = _inside((x, y, z), (0, 66, 34 * level), (24, 19, 400))
        bone &= np.abs(z - 34 * level) < 14
        core = _inside((x, y, z), (0, 66, 34 * level), (20, 15, 12))
        scan[bone], scan[core] = 480.0, 190.0
    canal = _inside((x, y, z), (0, 94, 0), (11, 9, 1e4))
    scan[canal] = 20.0
    labels[(labels > 0) & (scan < -50)] = 0
    known = np.zeros(256, np.float32)
    for label, _, _, hounsfield in ORGANS.values():
        known[label] = hounsfield
    labels[np.abs(scan - known[labels]) > 1] = 0  # what bone and gas were put over
    texture = ndimage.gaussian_filter(
        rng.standard_normal(shape).astype(np.float32), (1.2, 1.2, 0.5)
    )
    blurred = ndimage.gaussian_filter(scan, (0.55, 0.55, 0.35))
    noisy = blurred + _NOISE_HU * texture / texture.std()
    affine = np.diag([-step[0], -step[1], step[2], 1.0])  # x to the left, y to the back: LPS
    affine[:3, 3] = middle * step * (1, 1, -1)
    return Scan(np.clip(noisy, -1024, 3071).astype(np.int16), labels, affine, volumes)


def _inside(
    grid: tuple[Any, Any, Any], centre: Any, half: Any, turn: float = 0.0
) -> NDArray[np.bool_]:
    """Voxels in an ellipsoid (mm), turned by `turn` radians about the head-to-foot axis."""
    inside = np.zeros(tuple(axis.size for axis in grid), bool)
    wide = max(half[0], half[1]) if turn else None
    near = []  # only what can be inside is looked at
    for axis, middle, reach in zip(
        grid, centre, (wide or half[0], wide or half[1], half[2]), strict=True
    ):
        at = np.flatnonzero(np.abs(axis.ravel() - middle) <= reach)
        if not at.size:
            return inside
        near.append(slice(int(at[0]), int(at[-1]) + 1))
    x, y, z = grid[0][near[0]], grid[1][:, near[1]], grid[2][:, :, near[2]]
    x, y, z = x - np.float32(centre[0]), y - np.float32(centre[1]), z - np.float32(centre[2])
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    flat = ((cos * x + sin * y) / np.float32(half[0])) ** 2
    flat = flat + ((cos * y - sin * x) / np.float32(half[1])) ** 2
    inside[tuple(near)] = flat + (z / np.float32(half[2])) ** 2 <= 1
    return inside


def simulate_scans(out: str | Path, *, n: int, seed: int, progress: Progress | None = None) -> Path:
    """Write `n` scans: images/<name>.nii.gz in HU, labels/<name>.nii.gz, and truth.json last.

    Raises OutputError where the folder holds such scans already, MissingExtra without nibabel.
    """
    try:
        import nibabel
    except ImportError:
        raise MissingExtra(
            f"{out}: NIfTI needs nibabel; pip install 'medseg[volumes]' brings it"
        ) from None
    out = Path(out)
    if (out / TRUTH).exists():
        raise OutputError(f"{out}: holds simulated scans already; choose another folder")
    truth: dict[str, Any] = {"labels": {name: organ[0] for name, organ in ORGANS.items()}}
    try:
        for kind in ("images", "labels"):
            (out / kind).mkdir(parents=True, exist_ok=True)
        for index, child in enumerate(np.random.SeedSequence(seed).spawn(n)):
            clip_seed = int(np.random.default_rng(child).integers(2**31))
            scan = draw_scan(clip_seed)
            name = f"ct{seed:04d}_{index:03d}"
            for kind, values in (("images", scan.hounsfield), ("labels", scan.labels)):
                image = nibabel.Nifti1Image(values, scan.affine)
                image.header.set_xyzt_units("mm")
                image.set_sform(scan.affine, 1)
                image.set_qform(scan.affine, 1)
                nibabel.save(image, out / kind / f"{name}.nii.gz")
            truth[name] = {"seed": clip_seed, "ellipsoid_ml": scan.volumes_ml}
            if progress is not None:
                progress(index + 1, n)
        (out / TRUTH).write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written ({error.strerror}); free space or choose another folder"
        ) from error
    return out
