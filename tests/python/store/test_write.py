from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from medseg.errors import OutputError, StoreInvalid
from medseg.store import (
    StoreWriter,
    layout,
    open_segmentation,
    save_segmentation,
    stage,
    validate_segmentation,
)


def writer_for(ds, path, **changes):
    options = {
        "attributes": ds.attrs,
        "frame_count": ds.sizes["frame"],
        "height": ds.sizes["y"],
        "width": ds.sizes["x"],
        "object_names": ds.attrs["object_names"],
        "calibrated": ds.attrs["spacing_cm"] is not None,
        "with_image": "image" in ds,
        **changes,
    }
    return StoreWriter(path, **options)


def curves_of(ds):
    return {name: ds[name].values for name in layout.CURVES if name in ds}


@pytest.mark.parametrize("step", [1, 2, 4, 9])
def test_windows_of_any_length_give_the_same_store(make_segmentation, tmp_path, monkeypatch, step):
    monkeypatch.setattr(layout, "CHUNK_BYTES", 4 * 30)  # 4 frames of 6 x 5 in a chunk
    ds = make_segmentation()
    with writer_for(ds, tmp_path / "clip.zarr") as writer:
        for start in range(0, 9, step):
            window = ds.isel(frame=slice(start, start + step))
            writer.write_window(start, mask=window.mask.values, image=window.image.values)
        path = writer.finish(curves_of(ds), {"warnings": ["edge"]})
    assert sorted(p.name for p in (path / "mask").iterdir() if p.name[0] != ".") == [
        "0.0.0.0",
        "0.1.0.0",
        "0.2.0.0",
    ]
    assert validate_segmentation(path) == []
    opened = open_segmentation(path)
    np.testing.assert_array_equal(opened.mask.values, ds.mask.values)
    np.testing.assert_array_equal(opened.image.values, ds.image.values)
    assert opened.attrs["warnings"] == ["edge"]


def test_equal_input_gives_equal_bytes(make_segmentation, tmp_path):
    first = save_segmentation(make_segmentation(), tmp_path / "a.zarr")
    second = save_segmentation(make_segmentation(), tmp_path / "b.zarr")
    assert (first / "manifest.json").read_bytes() == (second / "manifest.json").read_bytes()


def test_leaving_without_finish_leaves_nothing(make_segmentation, tmp_path, leftovers):
    ds = make_segmentation()
    with writer_for(ds, tmp_path / "clip.zarr") as writer:
        writer.write_window(0, mask=ds.mask.values, image=ds.image.values)
    assert leftovers() == []


def test_an_error_leaves_nothing(make_segmentation, tmp_path, leftovers):
    ds = make_segmentation()
    with pytest.raises(KeyboardInterrupt), writer_for(ds, tmp_path / "clip.zarr"):
        raise KeyboardInterrupt
    assert leftovers() == []


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("area_px", 25.0, "D11"),
        ("area_cm2", 1.0, "D12"),
        ("confidence", 2.0, "D10"),
        ("long_axis_px", np.nan, "D7"),
        ("long_axis_px", 1e300, "D7"),
        ("status", 7, "D6"),
        ("status", -1, "D6"),
        ("frame_time", 0.0, "D3"),
    ],
)
def test_wrong_curves_are_not_written(make_segmentation, tmp_path, leftovers, name, value, rule):
    ds = make_segmentation()
    changed = ds[name].values.astype(np.int64 if name == "status" else np.float64)
    changed[..., 3] = value
    with pytest.raises(StoreInvalid, match=rf"clip.zarr: not written, since .*\({rule}"):
        save_segmentation(ds.assign({name: (ds[name].dims, changed)}), tmp_path / "clip.zarr")
    assert leftovers() == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"patient": "John Doe"}, "A2"),
        ({"view": "A9C"}, "A3"),
        ({"spacing_reason": "none"}, "A7"),
        ({"quality": {}}, "A13"),
    ],
)
def test_wrong_attributes_are_not_written(make_segmentation, tmp_path, leftovers, change, rule):
    ds = make_segmentation().assign_attrs(change)
    with pytest.raises(StoreInvalid, match=rf"\({rule}"):
        save_segmentation(ds, tmp_path / "clip.zarr")
    assert leftovers() == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"start": 1}, "go on at 0"),
        ({"mask": np.zeros((1, 9, 5, 6), np.uint8)}, "expected"),
        ({"mask": np.full((1, 9, 6, 5), 2, np.uint8)}, "expected 0 and 1"),
        ({"mask": np.zeros((1, 9, 6, 5))}, "float64, expected 0 and 1"),
        ({"mask": np.zeros((1, 10, 6, 5), np.uint8)}, "frames 0 to 10"),
        ({"image": None}, "if and only if"),
        ({"image": np.zeros((8, 6, 5), np.uint8)}, "an image of"),
    ],
)
def test_windows_that_do_not_fit(make_segmentation, tmp_path, call, message):
    ds = make_segmentation()
    window = {"start": 0, "mask": ds.mask.values, "image": ds.image.values, **call}
    with (
        writer_for(ds, tmp_path / "clip.zarr") as writer,
        pytest.raises(ValueError, match=message),
    ):
        writer.write_window(window.pop("start"), **window)


def test_finishing_early_is_refused(make_segmentation, tmp_path, leftovers):
    ds = make_segmentation()
    with (
        writer_for(ds, tmp_path / "clip.zarr") as writer,
        pytest.raises(ValueError, match="0 frames written of 9"),
    ):
        writer.finish(curves_of(ds), {})
    assert leftovers() == []


def test_a_disk_that_fills_up_at_any_moment(make_segmentation, tmp_path, leftovers, monkeypatch):
    """ENOSPC at the n-th flush, for every n: one line, no store, nothing left behind."""
    ds = make_segmentation(3)
    flushed, allowed = 0, 0

    def full(descriptor: int) -> None:
        nonlocal flushed
        flushed += 1
        if flushed > allowed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(stage.os, "fsync", full)
    while allowed < 200:
        flushed = 0
        try:
            save_segmentation(ds, tmp_path / "clip.zarr")
            break
        except OutputError as error:
            assert "\n" not in str(error)
            assert "clip.zarr" in str(error) and "No space left on device" in str(error)
            # The last flush comes after the rename: the store is whole then.
            assert leftovers() in ([], ["clip.zarr"])
            if leftovers():
                assert validate_segmentation(tmp_path / "clip.zarr") == []
                break
        allowed += 1
    assert allowed > 30


LIMITED = """
import resource, signal, sys
import numpy as np
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
from medseg.errors import OutputError
from medseg.store import StoreWriter
noise = np.random.default_rng(0).integers(0, 2, (1, 4, 512, 512), dtype=np.uint8)
try:
    with StoreWriter(sys.argv[1], attributes={}, frame_count=4, height=512, width=512,
                     object_names=["a"], calibrated=False, with_image=False) as writer:
        writer.write_window(0, mask=noise)
except OutputError as error:
    print(error)
"""


def test_a_file_that_may_not_grow(tmp_path, leftovers):
    """The system itself refuses (EFBIG), as a full disk or quota does."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "clip.zarr")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "File too large" in done.stdout and done.stdout.count("\n") == 1
    assert leftovers() == []


KILLED = """
import os, signal, sys
import numpy as np
from medseg.store import StoreWriter, stage
if sys.argv[2] == "rename":
    stage.Stage._take_name = lambda self: os.kill(os.getpid(), signal.SIGKILL)
from medseg.store import open_segmentation, save_segmentation
ds = open_segmentation(sys.argv[3])
writer = StoreWriter(sys.argv[1], attributes=ds.attrs, frame_count=7, height=6, width=5,
                     object_names=ds.attrs["object_names"], calibrated=True, with_image=True)
writer.write_window(0, mask=ds.mask.values, image=ds.image.values)
if sys.argv[2] == "window":
    os.kill(os.getpid(), signal.SIGKILL)
writer.finish({name: ds[name].values for name in ds.variables
               if name not in ("mask", "image", "object")}, {})
"""


@pytest.mark.parametrize("moment", ["window", "rename"])
def test_kill_minus_9_leaves_no_store_under_the_name(conformance, tmp_path, leftovers, moment):
    source = conformance("valid/calibrated")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "clip.zarr"), moment, str(source)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = leftovers()
    assert left.startswith(".clip.zarr.partial-")
    # The dead run is not in the way of the next one, which clears it away.
    path = save_segmentation(open_segmentation(source), tmp_path / "clip.zarr")
    assert validate_segmentation(path) == []
    assert leftovers() == ["clip.zarr"]


@pytest.mark.parametrize("parent", ["absent", "a file"])
def test_a_folder_that_cannot_be_written(make_segmentation, tmp_path, parent):
    (tmp_path / "a file").touch()
    with pytest.raises(OutputError, match="cannot be written") as caught:
        save_segmentation(make_segmentation(), tmp_path / parent / "clip.zarr")
    assert "\n" not in str(caught.value)


def test_a_folder_without_permission(make_segmentation, tmp_path, monkeypatch):
    def refuse(path: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)  # root may write everywhere, so ask the code
    with pytest.raises(OutputError, match=r"Permission denied.*choose a folder"):
        save_segmentation(make_segmentation(), tmp_path / "clip.zarr")


def test_a_url_is_refused(make_segmentation):
    with pytest.raises(OutputError, match="local folder"):
        save_segmentation(make_segmentation(), "memory://clip.zarr")


def test_an_image_of_more_than_64_mib_is_refused(make_segmentation, tmp_path, leftovers):
    ds = make_segmentation()
    with pytest.raises(ValueError, match="64 MiB"):
        writer_for(ds, tmp_path / "clip.zarr", frame_count=2_300_000)
    assert leftovers() == []
