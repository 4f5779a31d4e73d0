"""Write this release's archive stores, once: make_archive.py; existing ones are never replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import medseg
from medseg.store import StoreWriter, open_segmentation

ARCHIVES = Path(__file__).resolve().parent / "archives" / "v1"
FRAMES, HEIGHT, WIDTH = 400, 104, 112  # a little more than one chunk of 4 MiB
FRAME_RATE_HZ, HEART_RATE_BPM = 50.0, 72.0


def beating_ellipse(spacing_cm: tuple[float, float] | None) -> tuple[np.ndarray, dict[str, Any]]:
    """Mask (1, frame, y, x) and curves of an ellipse whose axes follow a cosine of 72 bpm."""
    time_s = np.arange(FRAMES) / FRAME_RATE_HZ
    phase = 0.5 + 0.5 * np.cos(2 * np.pi * time_s * HEART_RATE_BPM / 60)  # 1 at end-diastole
    half_long, half_short = 26 + 6 * phase, 11 + 6 * phase  # rows, columns
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    inside = ((y - 52) / half_long[:, None, None]) ** 2 + (
        (x - 50) / half_short[:, None, None]
    ) ** 2 <= 1
    mask = inside[None].astype(np.uint8)
    aspect = spacing_cm[0] / spacing_cm[1] if spacing_cm else 1.0
    heights = 1 - (np.arange(20) + 0.5) / 10  # slab middles, apex first, as a part of half_long
    curves = {
        "frame_time": time_s,
        "status": np.zeros((1, FRAMES), dtype=np.uint8),
        "area_px": mask.sum(axis=(2, 3)) * aspect,
        "long_axis_px": (2 * half_long * aspect)[None],
        "disk_diameter_px": (2 * half_short[:, None] * np.sqrt(1 - heights**2))[None],
        "confidence": (0.9 + 0.05 * phase)[None],
    }
    if spacing_cm is None:  # gaps: no object, not decoded, edge, low confidence
        for frame, status in ((30, 1), (70, 2), (71, 2), (110, 3), (150, 4)):
            curves["status"][0, frame] = status
            if status in (1, 2):
                mask[0, frame] = 0
                for name in ("area_px", "long_axis_px", "disk_diameter_px"):
                    curves[name][0, frame] = np.nan
            if status == 1:
                curves["area_px"][0, frame] = 0
            if status == 2:
                curves["confidence"][0, frame] = np.nan
    else:
        column_cm = spacing_cm[1]
        curves["area_cm2"] = curves["area_px"] * column_cm**2
        curves["long_axis_cm"] = curves["long_axis_px"] * column_cm
        curves["disk_diameter_cm"] = curves["disk_diameter_px"] * column_cm
    return mask, curves


def attributes(spacing_cm: tuple[float, float] | None, with_image: bool) -> dict[str, Any]:
    """Root attributes of an archive store."""
    return {
        "view": "A4C" if spacing_cm else "unknown",
        "view_source": "given" if spacing_cm else None,
        "spacing_cm": spacing_cm,
        "spacing_reason": None if spacing_cm else "the file holds no spacing",
        "pixel_aspect": spacing_cm[0] / spacing_cm[1] if spacing_cm else 1,
        "frame_rate_hz": FRAME_RATE_HZ,
        "frame_time_source": "FrameTime" if spacing_cm else "container",
        "image_reason": None if with_image else "left out on request",
        "source": {
            "kind": "dicom" if spacing_cm else "avi",
            "sha256": "0" * 64,
            "frame_count": FRAMES,
            "height": HEIGHT,
            "width": WIDTH,
        },
        "subject_key": None,
        "model": {
            "name": "beating ellipse",
            "weights_sha256": None,
            "training_data": "none",
            "licence": "MIT",
            "intended_use": "archive tests only",
        },
        "software": {"name": "medseg", "version": medseg.__version__},
        "created": "2026-11-21T09:00:00Z",
        "quality": {"left_ventricle": {"measurable": True, "reasons": []}},
        "warnings": [],
    }


def write(target: Path, spacing_cm: tuple[float, float] | None) -> None:
    """Write one store and, beside it, the numbers that a reader must find in it."""
    with_image = spacing_cm is not None
    mask, curves = beating_ellipse(spacing_cm)
    image = (40 + 80 * (1 - mask[0])).astype(np.uint8) if with_image else None
    with StoreWriter(
        target,
        attributes=attributes(spacing_cm, with_image),
        frame_count=FRAMES,
        height=HEIGHT,
        width=WIDTH,
        object_names=["left_ventricle"],
        calibrated=with_image,
        with_image=with_image,
    ) as writer:
        for start in range(0, FRAMES, 64):
            window = slice(start, start + 64)
            writer.write_window(
                start,
                mask=mask[:, window],
                image=None if image is None else image[window],
            )
        writer.finish(curves, {})
    ds = open_segmentation(target)
    truth = {
        "mask_pixels": mask.sum(axis=(0, 2, 3)).tolist(),
        "image_sum": None if image is None else int(image.sum(dtype=np.int64)),
        "status": ds["status"].values[0].tolist(),
        "frame_time_s": ds["frame_time"].values.tolist(),
        "heart_rate_bpm": HEART_RATE_BPM,
    }
    target.with_suffix(".json").write_text(json.dumps(truth) + "\n", encoding="utf-8")


if __name__ == "__main__":
    ARCHIVES.mkdir(parents=True, exist_ok=True)
    for name, spacing_cm in (("calibrated", (0.04, 0.05)), ("gaps", None)):
        store = ARCHIVES / f"medseg-{medseg.__version__}-{name}.zarr"
        if store.exists():
            print(f"{store} exists already and stays as it is")
        else:
            write(store, spacing_cm)
            print(store)
