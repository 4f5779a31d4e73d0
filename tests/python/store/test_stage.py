from __future__ import annotations

import errno
from pathlib import Path

import pytest

from medseg.errors import OutputError
from medseg.store import open_segmentation, save_segmentation
from medseg.store.stage import Stage


def test_an_existing_store_is_kept(make_segmentation, tmp_path, leftovers):
    path = save_segmentation(make_segmentation(3), tmp_path / "clip.zarr")
    before = (path / "manifest.json").read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        save_segmentation(make_segmentation(5), path)
    assert (path / "manifest.json").read_bytes() == before
    assert leftovers() == ["clip.zarr"]


def test_overwrite_swaps_whole_stores(make_segmentation, tmp_path, leftovers):
    path = save_segmentation(make_segmentation(3), tmp_path / "clip.zarr")
    save_segmentation(make_segmentation(5), path, overwrite=True)
    assert open_segmentation(path).sizes["frame"] == 5
    assert leftovers() == ["clip.zarr"]


def test_a_failed_overwrite_keeps_the_old_store(make_segmentation, tmp_path, leftovers):
    path = save_segmentation(make_segmentation(3), tmp_path / "clip.zarr")
    broken = make_segmentation(5).assign_attrs(view="A9C")
    with pytest.raises(Exception, match="A3"):
        save_segmentation(broken, path, overwrite=True)
    assert open_segmentation(path).sizes["frame"] == 3
    assert leftovers() == ["clip.zarr"]


def test_a_store_may_be_read_while_it_is_replaced(make_segmentation, tmp_path):
    path = save_segmentation(make_segmentation(3), tmp_path / "clip.zarr")
    opened = open_segmentation(path).assign_attrs(warnings=["seen"])
    save_segmentation(opened, path, overwrite=True)
    assert open_segmentation(path).attrs["warnings"] == ["seen"]


def test_a_swap_that_fails_half_way_is_undone(make_segmentation, tmp_path, leftovers, monkeypatch):
    path = save_segmentation(make_segmentation(3), tmp_path / "clip.zarr")
    rename = Path.rename

    def refuse_stage(self: Path, target: Path) -> Path:
        if ".partial-" in self.name:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_stage)
    with pytest.raises(OutputError, match="Input/output error"):
        save_segmentation(make_segmentation(5), path, overwrite=True)
    assert open_segmentation(path).sizes["frame"] == 3
    assert leftovers() == ["clip.zarr"]


@pytest.mark.parametrize("kind", ["folder", "file", "dead link", "link to a store"])
def test_what_is_no_store_is_never_overwritten(make_segmentation, tmp_path, kind):
    target = tmp_path / "clip.zarr"
    if kind == "folder":
        target.mkdir()
        (target / "thesis.txt").write_text("years of work")
    elif kind == "file":
        target.write_text("years of work")
    else:
        if kind == "link to a store":
            save_segmentation(make_segmentation(3), tmp_path / "elsewhere")
        target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="not overwritten"):
        save_segmentation(make_segmentation(), target, overwrite=True)
    if kind == "link to a store":
        assert open_segmentation(target).sizes["frame"] == 3
    if kind == "folder":
        assert (target / "thesis.txt").read_text() == "years of work"


def test_a_name_taken_in_the_meantime_is_kept(tmp_path, leftovers):
    stage = Stage(tmp_path / "clip.zarr", overwrite=False)
    stage.write("a", b"a")
    (tmp_path / "clip.zarr").mkdir()
    (tmp_path / "clip.zarr" / "other").touch()
    with pytest.raises(OutputError, match="exists already"):
        stage.commit()
    stage.remove()
    assert leftovers() == ["clip.zarr"]
    assert [p.name for p in (tmp_path / "clip.zarr").iterdir()] == ["other"]
