"""A small segmentation whose numbers can be checked by hand, and the conformance corpus."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

SPEC = Path(__file__).parents[3] / "shared_data_spec"


def attributes(frames: int, *, calibrated: bool, with_image: bool) -> dict[str, Any]:
    return {
        "object_names": ["left_ventricle"],
        "view": "A4C",
        "view_source": "given",
        "spacing_cm": (0.1, 0.05) if calibrated else None,
        "spacing_reason": None if calibrated else "the file holds no spacing",
        "pixel_aspect": 2.0 if calibrated else 1,
        "frame_rate_hz": 40.0 if frames > 1 else None,
        "frame_time_source": "container",
        "image_reason": None if with_image else "left out on request",
        "source": {
            "kind": "avi",
            "sha256": "ab" * 32,
            "frame_count": frames,
            "height": 6,
            "width": 5,
        },
        "subject_key": None,
        "model": {
            "name": "test",
            "weights_sha256": None,
            "training_data": "none",
            "licence": "MIT",
            "intended_use": "tests",
        },
        "software": {"name": "medseg", "version": "0.1.0"},
        "created": "2026-11-21T09:00:00Z",
        "quality": {"left_ventricle": {"measurable": True, "reasons": []}},
        "warnings": [],
    }


def segmentation(
    frames: int = 9, *, calibrated: bool = True, with_image: bool = True
) -> xr.Dataset:
    """A block of 4 x 3 pixels in 40 Hz frames of 6 x 5, rows 0.1 cm and columns 0.05 cm apart."""
    mask = np.zeros((1, frames, 6, 5), dtype=np.uint8)
    mask[:, :, 1:5, 1:4] = 1
    aspect = 2.0 if calibrated else 1.0
    full = np.ones((1, frames))
    frame = np.arange(frames)
    arrays = {
        "frame_time": ("frame", frame / 40),
        "mask": (("object", "frame", "y", "x"), mask),
        "status": (("object", "frame"), np.zeros((1, frames), dtype=np.uint8)),
        "area_px": (("object", "frame"), 12 * aspect * full),
        "long_axis_px": (("object", "frame"), 4 * aspect * full + frame / 8),
        "disk_diameter_px": (("object", "frame", "disk"), np.full((1, frames, 20), 3.0)),
        "confidence": (("object", "frame"), 0.5 * full + frame / 100),
    }
    if calibrated:
        arrays["area_cm2"] = (("object", "frame"), 12 * 0.1 * 0.05 * full)
        arrays["long_axis_cm"] = (("object", "frame"), arrays["long_axis_px"][1] * 0.05)
        arrays["disk_diameter_cm"] = (("object", "frame", "disk"), np.full((1, frames, 20), 0.15))
    if with_image:
        grey = np.arange(frames * 30, dtype=np.int64).reshape(frames, 6, 5) % 251
        arrays["image"] = (("frame", "y", "x"), grey.astype(np.uint8))
    said = attributes(frames, calibrated=calibrated, with_image=with_image)
    return xr.Dataset(arrays, attrs=said)


@pytest.fixture
def make_segmentation():
    return segmentation


@pytest.fixture
def conformance():
    """A conformance store's path by its name, such as ``valid/calibrated``."""

    def path(name: str) -> Path:
        store = SPEC / "conformance" / f"{name}.zarr"
        assert store.is_dir()
        return store

    return path


@pytest.fixture
def copied(conformance, tmp_path):
    """A copy of a conformance store that a test may damage."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(conformance(name), tmp_path / "copy.zarr"))

    return copy


@pytest.fixture
def leftovers(tmp_path):
    """Names of whatever a writer left in ``tmp_path``, hidden ones included."""

    def names() -> list[str]:
        return sorted(path.name for path in tmp_path.iterdir())

    return names
