from __future__ import annotations

import numpy as np
import pytest

import medseg
from medseg.errors import StoreInvalid
from medseg.store import open_segmentation, save_segmentation, validate_segmentation


@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize("with_image", [True, False])
@pytest.mark.parametrize("frames", [1, 2, 9])
def test_what_is_saved_is_opened(make_segmentation, tmp_path, calibrated, with_image, frames):
    ds = make_segmentation(frames, calibrated=calibrated, with_image=with_image)
    path = save_segmentation(ds, tmp_path / "clip.zarr")
    assert path == tmp_path / "clip.zarr"
    assert validate_segmentation(path) == []
    opened = open_segmentation(path)
    assert set(opened.data_vars) == set(ds.data_vars) - {"frame_time"}
    for name in ds.data_vars:
        np.testing.assert_allclose(opened[name].values, ds[name].values, rtol=1e-6)
    assert opened.attrs["pixel_aspect"] == ds.attrs["pixel_aspect"]


def test_saving_what_was_opened_changes_nothing(conformance, tmp_path):
    for name in ("two_objects", "not_decoded_frames", "no_object_frames", "not_measurable"):
        ds = medseg.open_segmentation(conformance(f"valid/{name}"))
        again = medseg.open_segmentation(medseg.save_segmentation(ds, tmp_path / f"{name}.zarr"))
        assert again.load().identical(ds.load())


def test_axes_may_come_in_any_order(make_segmentation, tmp_path):
    ds = make_segmentation()
    turned = ds.transpose("x", "disk", "y", "frame", "object")
    first = save_segmentation(ds, tmp_path / "a.zarr")
    second = save_segmentation(turned, tmp_path / "b.zarr")
    assert (first / "manifest.json").read_bytes() == (second / "manifest.json").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ds: ds.drop_vars("confidence"), "has no confidence"),
        (lambda ds: ds.drop_vars("area_cm2"), "has no area_cm2"),
        (lambda ds: ds.assign(strain=ds.area_px), "no place for strain"),
        (lambda ds: ds.assign(area_px=ds.area_px[0]), "area_px has axes"),
    ],
)
def test_a_data_set_that_does_not_fit(make_segmentation, tmp_path, leftovers, change, message):
    with pytest.raises(StoreInvalid, match=message):
        save_segmentation(change(make_segmentation()), tmp_path / "clip.zarr")
    assert leftovers() == []
