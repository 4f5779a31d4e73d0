from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

SPEC = Path(__file__).parents[3] / "shared_data_spec"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_making_the_corpus_again_gives_the_same_bytes(tmp_path):
    subprocess.run(
        [sys.executable, str(SPEC / "make_conformance.py"), str(tmp_path / "again")],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(SPEC.parent / "python")},
    )
    again, committed = files_of(tmp_path / "again"), files_of(SPEC / "conformance")
    assert again.keys() == committed.keys()
    assert [path for path in again if again[path] != committed[path]] == []


def test_the_corpus_has_four_axis_lengths_and_an_asymmetric_pixel():
    group = zarr.open_group(SPEC / "conformance/valid/two_objects.zarr", mode="r", zarr_format=2)
    mask = group["mask"]
    assert mask.shape == (2, 7, 6, 5)
    assert mask.chunks == (1, 3, 6, 5)
    values = np.asarray(mask[:])
    assert (values != values[..., ::-1, :]).any()
    assert (values != values[..., ::-1]).any()


@pytest.mark.parametrize("name", ["two_objects", "non_square_pixels", "one_frame", "future_minor"])
def test_other_zarr_readers_read_the_same(name):
    from medseg.store import open_segmentation

    path = SPEC / "conformance" / "valid" / f"{name}.zarr"
    group = zarr.open_consolidated(path, zarr_format=2)
    ds = open_segmentation(path)
    for array in ds.data_vars:
        np.testing.assert_array_equal(ds[array].values, group[array][:], err_msg=str(array))
    np.testing.assert_array_equal(ds.frame_time.values, group["frame_time"][:])
