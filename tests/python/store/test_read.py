from __future__ import annotations

import json
import time
from pathlib import Path

import fsspec
import numpy as np
import pytest

from medseg.errors import (
    StoreDamaged,
    StoreError,
    StoreIncomplete,
    StoreInvalid,
    StoreNotFound,
    StoreVersionUnsupported,
)
from medseg.store import open_segmentation

INVALID = Path(__file__).parents[3] / "shared_data_spec" / "conformance" / "invalid"
# What only a mask or an image shows is refused when it is read; see SPEC.md, "Reading".
LATER = ("mask", "image")


def test_the_data_set(conformance):
    ds = open_segmentation(conformance("valid/two_objects"))
    assert dict(ds.sizes) == {"object": 2, "frame": 7, "y": 6, "x": 5, "disk": 20}
    assert ds["object"].values.tolist() == ["left_ventricle", "left_atrium"]
    assert (ds.mask.dtype, ds.area_px.dtype, ds.frame_time.dtype) == (
        np.uint8,
        np.float32,
        np.float64,
    )
    assert ds.area_cm2.attrs["units"] == "cm2"
    assert ds.attrs["spacing_cm"] == [0.05, 0.05]
    # 3 columns x 4 rows and one pixel; 13 px of 0.05 cm x 0.05 cm
    assert float(ds.area_px.sel(object="left_ventricle")[0]) == 13
    assert float(ds.area_cm2[0, 0]) == pytest.approx(13 * 0.0025)
    assert ds.mask.values[0, 0].tolist() == [
        [0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 1, 1, 0],
        [1, 0, 0, 0, 0],
    ]


def test_pixels_that_are_not_square(conformance):
    ds = open_segmentation(conformance("valid/non_square_pixels"))
    assert float(ds.area_px[0, 0]) == 26  # 13 pixels, each two column pixels high
    assert float(ds.area_cm2[0, 0]) == pytest.approx(13 * 0.08 * 0.04)


def test_later_minor_versions_are_read_and_extras_ignored(conformance):
    ds = open_segmentation(conformance("valid/future_minor"))
    assert "landmark" not in ds
    assert "gain_db" not in ds.attrs
    assert ds.attrs["schema_version"] == "1.9"


def refused(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        ds = open_segmentation(path)
        for name in LATER:
            if name in ds:
                ds[name].load()
    return caught.value


EXPECTED = {
    "F3": StoreVersionUnsupported,
    **dict.fromkeys(("F2", "F5", "F6", "F7", "F10", "D1"), StoreDamaged),
    "F1": StoreIncomplete,
}
SEEN_BY_VALIDATORS_ONLY = ("F8", "D11", "D8-no-object-with-mask", "D9-not-decoded-with-mask")
REFUSED = [
    path for path in sorted(INVALID.iterdir()) if not path.name.startswith(SEEN_BY_VALIDATORS_ONLY)
]


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_invalid_stores_are_refused_with_a_typed_line(path):
    error = refused(path)
    rule = path.name.split("-")[0]
    assert type(error) is EXPECTED.get(rule, StoreInvalid)
    assert str(path) in str(error)
    assert f"({rule})" in str(error) or rule == "F1"
    assert "; " in str(error) and "\n" not in str(error)  # the cure, in the same line


def test_unlisted_files_do_not_bother_readers(conformance):
    assert open_segmentation(conformance("invalid/F8-unlisted-file")).sizes["frame"] == 7


@pytest.mark.parametrize("kind", ["absent", "file", "empty folder"])
def test_what_is_no_store(tmp_path, kind):
    path = tmp_path / "clip.zarr"
    if kind == "file":
        path.write_bytes(b"RIFF")
    elif kind == "empty folder":
        path.mkdir()
    error = refused(path)
    assert type(error) is (StoreIncomplete if kind == "empty folder" else StoreNotFound)
    assert "clip.zarr" in str(error)


def test_opening_does_not_touch_masks_and_images(copied):
    path = copied("valid/calibrated")
    for chunk in [*path.glob("mask/0.*"), *path.glob("image/*.0")]:
        chunk.unlink()
    ds = open_segmentation(path)
    assert float(ds.area_px[0, 0]) == 13
    with pytest.raises(StoreDamaged, match=r"mask/0\.1\.0\.0 is missing .*copy the store again"):
        ds.mask[0, 3].load()


def test_enormous_stores_are_refused_at_once(conformance):
    for name in ("Z10-enormous-shape", "Z12-million-frames-declared"):
        start = time.process_time()
        refused(conformance(f"invalid/{name}"))
        assert time.process_time() - start < 1


def test_a_manifest_that_lists_another_store_s_file_is_not_followed(copied):
    path = copied("valid/calibrated")
    secret = path.parent / "outside.txt"
    secret.write_text("outside")
    manifest = json.loads((path / "manifest.json").read_text("utf-8"))
    manifest["files"]["../outside.txt"] = {"bytes": 7, "md5": "0" * 32}
    (path / "manifest.json").write_text(json.dumps(manifest))
    assert "F4" in str(refused(path))


def test_a_remote_store(conformance):
    memory = fsspec.filesystem("memory")
    memory.put(str(conformance("valid/two_objects")), "/remote.zarr", recursive=True)
    remote = open_segmentation("memory://remote.zarr").load()
    assert remote.identical(open_segmentation(conformance("valid/two_objects")).load())
    ds = open_segmentation("memory://remote.zarr")
    content = bytearray(memory.cat("/remote.zarr/mask/1.2.0.0"))
    content[20] ^= 4
    memory.pipe("/remote.zarr/mask/1.2.0.0", bytes(content))
    with pytest.raises(StoreDamaged, match=r"memory://remote.zarr: mask/1\.2\.0\.0 was altered"):
        ds.mask.load()
    with pytest.raises(StoreNotFound, match="memory://absent"):
        open_segmentation("memory://absent.zarr")


def test_opening_is_fast(conformance):
    path = conformance("valid/two_objects")
    open_segmentation(path)
    start = time.process_time()
    for _ in range(5):
        open_segmentation(path)
    assert (time.process_time() - start) / 5 < 0.25
