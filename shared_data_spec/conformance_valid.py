"""The valid conformance stores, each one feature of the specification."""

from __future__ import annotations

from typing import Any

import numpy as np
from conformance_draft import NAMED_HEADER, Draft

FRAMES, HEIGHT, WIDTH = 7, 6, 5
SPACING_CM = (0.05, 0.05)


def base(
    *,
    objects: tuple[str, ...] = ("left_ventricle",),
    frames: int = FRAMES,
    spacing_cm: tuple[float, float] | None = None,
    with_image: bool = True,
) -> Draft:
    """A plain store: every frame measured, no value twice where it can be avoided."""
    count = len(objects)
    mask = np.zeros((count, frames, HEIGHT, WIDTH), dtype=np.uint8)
    for k in range(count):
        for t in range(frames):
            mask[k, t, 1 : 5 - t % 3, 1 + k : 4] = 1
            mask[k, t, 5, 0] = 1  # the asymmetric pixel: bottom left, once
    ramp = np.arange(count * frames, dtype=np.float64).reshape(count, frames)
    arrays = {
        "frame_time": np.cumsum([0.0, *(0.02 + 0.001 * (t % 2) for t in range(frames - 1))]),
        "mask": mask,
        "status": np.zeros((count, frames), dtype=np.uint8),
        "long_axis_px": 3.0 + ramp / 16,
        "disk_diameter_px": 1.0 + ramp[..., None] / 32 + np.arange(20) / 1024,
        "confidence": 0.5 + ramp / 64,
    }
    if with_image:
        cells = np.arange(frames * HEIGHT * WIDTH).reshape(frames, HEIGHT, WIDTH)
        arrays["image"] = cells.astype(np.uint8)
    draft = Draft(attributes=attributes(objects, frames, with_image), arrays=arrays)
    calibrate(draft, spacing_cm)
    return draft


def calibrate(draft: Draft, spacing_cm: tuple[float, float] | None) -> None:
    """Set the spacing and the areas and lengths that follow from it."""
    aspect = spacing_cm[0] / spacing_cm[1] if spacing_cm else 1
    draft.attributes["spacing_cm"] = list(spacing_cm) if spacing_cm else None
    draft.attributes["spacing_reason"] = (
        None if spacing_cm else "L’étalonnage manque: the file holds no spacing"
    )
    draft.attributes["pixel_aspect"] = aspect
    arrays = draft.arrays
    arrays["area_px"] = arrays["mask"].sum(axis=(2, 3), dtype=np.float64) * aspect
    if spacing_cm is not None:
        column = spacing_cm[1]
        arrays["area_cm2"] = arrays["area_px"] * column**2
        arrays["long_axis_cm"] = arrays["long_axis_px"] * column
        arrays["disk_diameter_cm"] = arrays["disk_diameter_px"] * column


def attributes(objects: tuple[str, ...], frames: int, with_image: bool) -> dict[str, Any]:
    """Root attributes of an uncalibrated store of that many frames."""
    return {
        "schema": "medseg-segmentation",
        "schema_version": "1.0",
        "object_names": list(objects),
        "view": "A4C",
        "view_source": "given",
        "spacing_cm": None,
        "spacing_reason": "the file holds no spacing",
        "pixel_aspect": 1,
        "frame_rate_hz": None if frames == 1 else 1 / 0.0205 if frames > 2 else 50.0,
        "frame_time_source": "single frame" if frames == 1 else "container",
        "image_reason": None if with_image else "left out on request",
        "source": {
            "kind": "avi",
            "sha256": "0123456789abcdef" * 4,
            "frame_count": frames,
            "height": HEIGHT,
            "width": WIDTH,
        },
        "subject_key": "subject-007",
        "model": {
            "name": "conformance",
            "weights_sha256": "fedcba9876543210" * 4,
            "training_data": "none",
            "licence": "MIT",
            "intended_use": "conformance tests only",
        },
        "software": {"name": "medseg", "version": "0.1.0"},
        "created": "2026-11-21T09:00:00Z",
        "quality": {name: {"measurable": True, "reasons": []} for name in objects},
        "warnings": ["a warning"],
    }


def set_status(draft: Draft, frame: int, status: int) -> None:
    """Make one frame of every object not decoded (2), without object (1), or of status 0, 3, 4."""
    draft.arrays["status"][:, frame] = status
    if status in (1, 2):
        draft.arrays["mask"][:, frame] = 0
        for name, array in draft.arrays.items():
            if name.startswith(("area", "long_axis", "disk")):
                array[:, frame] = np.nan
        if status == 1:
            for name in ("area_px", "area_cm2"):
                if name in draft.arrays:
                    draft.arrays[name][:, frame] = 0
        else:
            draft.arrays["confidence"][:, frame] = np.nan


def calibrated() -> Draft:
    """Square pixels of 0.05 cm."""
    return base(spacing_cm=SPACING_CM)


def uncalibrated() -> Draft:
    """No spacing, with a reason that is not ASCII."""
    return base()


def two_objects() -> Draft:
    """Two objects: four different axis lengths, 2, 7, 6, 5."""
    return base(objects=("left_ventricle", "left_atrium"), spacing_cm=SPACING_CM)


def non_square_pixels() -> Draft:
    """Rows twice as far apart as columns."""
    return base(spacing_cm=(0.08, 0.04))


def one_frame() -> Draft:
    """A single frame has no rate."""
    draft = base(frames=1)
    draft.chunk_frames = 1
    return draft


def no_image() -> Draft:
    """No image, and why."""
    return base(with_image=False)


def one_chunk() -> Draft:
    """All frames in one chunk."""
    draft = base()
    draft.chunk_frames = FRAMES
    return draft


def not_decoded_frames() -> Draft:
    """Two frames that could not be decoded."""
    draft = calibrated()
    set_status(draft, 2, 2)
    set_status(draft, 6, 2)
    return draft


def no_object_frames() -> Draft:
    """Two frames without object, one of them without confidence."""
    draft = calibrated()
    set_status(draft, 1, 1)
    set_status(draft, 4, 1)
    draft.arrays["confidence"][:, 4] = np.nan
    return draft


def edge_frames() -> Draft:
    """Two frames whose mask touches the sector's edge, one of low confidence."""
    draft = calibrated()
    for frame, status in ((0, 3), (3, 3), (5, 4)):
        set_status(draft, frame, status)
    return draft


def not_measurable() -> Draft:
    """Not measurable: low confidence, no object and not decoded, with two reasons."""
    draft = base()
    for frame in range(FRAMES):
        set_status(draft, frame, (4, 4, 1, 4, 2, 4, 4)[frame])
    draft.attributes["quality"]["left_ventricle"] = {
        "measurable": False,
        "reasons": [
            {"code": "low_confidence", "message": "confidence stays under 0.5"},
            {"code": "unsteady", "message": "the area jumps from frame to frame"},
        ],
    }
    return draft


def view_unknown() -> Draft:
    """View, subject and weights unknown; no warnings."""
    draft = base()
    draft.attributes |= {"view": "unknown", "view_source": None, "subject_key": None}
    draft.attributes["model"]["weights_sha256"] = None
    draft.attributes["warnings"] = []
    return draft


def gzip_of_other_writers() -> Draft:
    """Chunks whose gzip headers hold a time and a file name."""
    draft = calibrated()
    draft.gzip_header = NAMED_HEADER
    return draft


def future_minor() -> Draft:
    """Version 1.9: an array, two attributes and a reason code that 1.0 does not know."""
    draft = not_measurable()
    draft.version = "1.9"
    draft.attributes |= {"schema_version": "1.9", "gain_db": 12.5}
    draft.attributes["source"]["vendor"] = "unknown to 1.0"
    draft.attributes["quality"]["left_ventricle"]["reasons"].append(
        {"code": "later_reason", "message": "a reason of a later version"}
    )
    zarray: dict[str, Any] = {
        "chunks": [4],
        "compressor": {"id": "gzip", "level": 5},
        "dtype": "<i2",
        "fill_value": None,
        "filters": None,
        "order": "C",
        "shape": [4],
        "zarr_format": 2,
    }
    zattrs = {"_ARRAY_DIMENSIONS": ["landmark"]}
    draft.extra_arrays["landmark"] = (zarray, zattrs, np.arange(4, dtype="<i2").tobytes())
    return draft


VALID = {
    draft.__name__: draft
    for draft in (
        calibrated,
        uncalibrated,
        two_objects,
        non_square_pixels,
        one_frame,
        no_image,
        one_chunk,
        not_decoded_frames,
        no_object_frames,
        edge_frames,
        not_measurable,
        view_unknown,
        gzip_of_other_writers,
        future_minor,
    )
}
