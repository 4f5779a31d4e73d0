from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medseg.store import StoreWriter, layout, open_segmentation, validate_segmentation

SPEC = Path(__file__).parents[2] / "shared_data_spec"
OBJECTS, FRAMES, HEIGHT, WIDTH = 2, 11, 7, 5
SPACING_CM = (0.0731, 0.0519)
CURVES = [name for name in layout.CURVES if name != "frame_time"]
COMPARED = ["conformance/valid/two_objects", "conformance/valid/future_minor"]


def random_values(seed: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Masks, image and curves of random numbers that obey the specification; every status."""
    rng = np.random.default_rng(seed)
    mask = rng.integers(0, 2, (OBJECTS, FRAMES, HEIGHT, WIDTH), dtype=np.uint8)
    mask[:, :, 0, 0] = 1
    status = rng.integers(0, 5, (OBJECTS, FRAMES)).astype(np.uint8)
    status[:, :5] = np.arange(5)
    mask[(status == 1) | (status == 2)] = 0
    column_cm, aspect = SPACING_CM[1], SPACING_CM[0] / SPACING_CM[1]
    shape = (OBJECTS, FRAMES)
    curves = {
        "frame_time": np.cumsum(rng.uniform(0.001, 0.03, FRAMES)) / 3,
        "status": status,
        "area_px": mask.sum(axis=(2, 3)) * aspect,
        "long_axis_px": rng.uniform(1, 30, shape),
        "disk_diameter_px": rng.uniform(0, 30, (*shape, 20)),
        "confidence": rng.uniform(0, 1, shape),
    }
    for name in ("long_axis_px", "disk_diameter_px"):
        curves[name][(status == 1) | (status == 2)] = np.nan
    for name in ("area_px", "confidence"):
        curves[name][status == 2] = np.nan
    curves["area_cm2"] = curves["area_px"] * column_cm**2
    curves["long_axis_cm"] = curves["long_axis_px"] * column_cm
    curves["disk_diameter_cm"] = curves["disk_diameter_px"] * column_cm
    image = rng.integers(0, 256, (FRAMES, HEIGHT, WIDTH), dtype=np.uint8)
    return mask, image, curves


def attributes(frame_time_s: np.ndarray) -> dict[str, Any]:
    return {
        "view": "A2C",
        "view_source": "file",
        "spacing_cm": SPACING_CM,
        "spacing_reason": None,
        "pixel_aspect": SPACING_CM[0] / SPACING_CM[1],
        "frame_rate_hz": float(1 / np.median(np.diff(frame_time_s))),
        "frame_time_source": "FrameTimeVector",
        "image_reason": None,
        "source": {
            "kind": "dicom",
            "sha256": "0f" * 32,
            "frame_count": FRAMES,
            "height": HEIGHT,
            "width": WIDTH,
        },
        "subject_key": "Müller·7",
        "model": {
            "name": "random",
            "weights_sha256": "a5" * 32,
            "training_data": "none",
            "licence": "MIT",
            "intended_use": "tests",
        },
        "software": {"name": "medseg", "version": "0.1.0"},
        "created": "2026-11-21T09:00:00Z",
        "quality": {
            "left_ventricle": {"measurable": True, "reasons": []},
            "left_atrium": {"measurable": True, "reasons": []},
        },
        "warnings": ["one", 'two "quoted" \\ words'],
    }


@pytest.fixture
def written(tmp_path, monkeypatch) -> Path:
    """A store of random numbers, written by Python, masks and image in three chunks of frames."""
    monkeypatch.setattr(layout, "CHUNK_BYTES", 4 * HEIGHT * WIDTH)
    mask, image, curves = random_values(seed=3)
    with StoreWriter(
        tmp_path / "random.zarr",
        attributes=attributes(curves["frame_time"]),
        frame_count=FRAMES,
        height=HEIGHT,
        width=WIDTH,
        object_names=["left_ventricle", "left_atrium"],
        calibrated=True,
        with_image=True,
    ) as writer:
        for start in range(0, FRAMES, 3):
            window = slice(start, start + 3)
            writer.write_window(start, mask=mask[:, window], image=image[window])
        path = writer.finish(curves, {})
    assert len(list((path / "image").glob("*.0.0"))) == 3
    return path


def expected_values(path: Path) -> dict[str, np.ndarray]:
    """What Python reads, with NaN for the masks of frames that were not decoded."""
    ds = open_segmentation(path).load()
    values = {name: ds[name].values.astype(np.float64) for name in CURVES if name in ds}
    values["frame_time_s"] = ds["frame_time"].values
    values["mask"] = ds["mask"].values.astype(np.float64)
    values["mask"][ds["status"].values == layout.NOT_DECODED] = np.nan
    if "image" in ds:
        values["image"] = ds["image"].values.astype(np.float64)
    return values


def told(answer: dict[str, Any]) -> np.ndarray:
    return np.array([float(text) for text in answer["values"]]).reshape(answer["shape"])


def assert_same(r: dict[str, np.ndarray], python: dict[str, np.ndarray]) -> None:
    assert set(r) == set(python)
    for name, values in python.items():
        np.testing.assert_array_equal(r[name], values, err_msg=name, strict=True)


def values_by_rscript(ask_r, path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    answer = ask_r("values.R", str(path))
    values = {name: told(curve) for name, curve in answer["curves"].items()}
    values["mask"] = np.stack([told(mask) for mask in answer["masks"]])
    if answer["image"]:
        values["image"] = told(answer["image"])
    last = values["mask"][:1, -1:]
    np.testing.assert_array_equal(told(answer["single_frame"])[None], last)
    return values, answer["attributes"]


def same(left: Any, right: Any) -> bool:
    """JSON equality, numbers within what R's 15 digits keep."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return left == pytest.approx(right, rel=1e-14)
    return type(left) is type(right) and left == right


def test_r_reads_every_value_that_python_wrote(written, ask_r):
    assert validate_segmentation(written) == []
    values, said = values_by_rscript(ask_r, written)
    assert_same(values, expected_values(written))
    attributes_written = open_segmentation(written).attrs
    assert same(attributes_written, {key: said[key] for key in attributes_written})


@pytest.mark.parametrize("name", COMPARED)
def test_r_reads_the_conformance_stores_as_python_does(name, ask_r):
    path = SPEC / f"{name}.zarr"
    values, _ = values_by_rscript(ask_r, path)
    assert_same(values, expected_values(path))


R_VALUES = """
function(path) {
  segmentation <- beatbybeat::read_segmentation(path)
  frames <- seq_along(segmentation$frame_time_s)
  masks <- lapply(segmentation$object_names, function(object) {
    mask <- beatbybeat::read_mask(segmentation, frames, object)
    storage.mode(mask) <- "double"
    mask
  })
  image <- beatbybeat::read_image(segmentation, frames)
  storage.mode(image) <- "double"
  curves <- unclass(segmentation)[c("frame_time_s", %s)]
  c(lapply(curves, function(x) { storage.mode(x) <- "double"; x }), list(image = image), masks)
}
"""


def test_rpy2_hands_over_every_value_that_python_wrote(written):
    assert os.environ["RPY2_CFFI_MODE"] == "ABI"
    import rpy2.robjects as ro

    names = ", ".join(f'"{name}"' for name in CURVES)
    read = ro.r(R_VALUES % names)
    answer = list(read(str(written)))
    keys = ["frame_time_s", *CURVES, "image"]
    values = {key: np.array(vector) for key, vector in zip(keys, answer, strict=False)}
    values["mask"] = np.stack([np.array(mask) for mask in answer[len(keys) :]])
    assert values["mask"].shape == (OBJECTS, FRAMES, HEIGHT, WIDTH)
    assert_same(values, expected_values(written))
