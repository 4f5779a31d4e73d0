from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from medseg.errors import OutputError
from medseg.store import folders, open_segmentation, save_segmentation, stage
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

    monkeypatch.setattr(stage, "swap", lambda one, other: False)  # as on other systems
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
    staged = Stage(tmp_path / "clip.zarr", overwrite=False)
    staged.write("a", b"a")
    (tmp_path / "clip.zarr").mkdir()
    (tmp_path / "clip.zarr" / "other").touch()
    with pytest.raises(OutputError, match="exists already"):
        staged.commit()
    staged.remove()
    assert leftovers() == ["clip.zarr"]
    assert [p.name for p in (tmp_path / "clip.zarr").iterdir()] == ["other"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges two names in one step")
def test_an_overwrite_that_is_killed_has_one_store_or_the_other(
    make_segmentation, tmp_path, leftovers, monkeypatch
):
    path = save_segmentation(make_segmentation(3), tmp_path / "clip.zarr")

    def killed(*where: object, **how: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(stage, "swap", killed)
        with pytest.raises(SystemExit):
            save_segmentation(make_segmentation(5), path, overwrite=True)
    assert open_segmentation(path).sizes["frame"] == 3
    with monkeypatch.context() as patch:
        patch.setattr(stage.shutil, "rmtree", killed)
        with pytest.raises(SystemExit):
            save_segmentation(make_segmentation(5), path, overwrite=True)
    assert open_segmentation(path).sizes["frame"] == 5
    save_segmentation(make_segmentation(4), path, overwrite=True)
    assert open_segmentation(path).sizes["frame"] == 4
    assert leftovers() == ["clip.zarr"]


def test_a_writer_at_work_is_left_alone(tmp_path, leftovers):
    first, second = (Stage(tmp_path / "clip.zarr", overwrite=False) for _ in range(2))
    assert len(leftovers()) == 2
    first.write("a", b"a")
    first.commit()
    second.remove()
    assert leftovers() == ["clip.zarr"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows holds no folders")
def test_a_folder_that_is_cleared_before_it_is_held_is_made_anew(tmp_path, leftovers, monkeypatch):
    target, claim, claimed = tmp_path / "clip.zarr", folders.claim, []

    def claim_late(folder: Path) -> int | None:
        claimed.append(folder)
        if len(claimed) == 1:  # another writer comes first; its own claim is the second
            folders.clear_leftovers(target)
        return claim(folder)

    monkeypatch.setattr(folders, "claim", claim_late)
    held = Stage(target, overwrite=False)
    held.write("a", b"a")
    held.commit()
    assert claimed[0] == claimed[1] != claimed[2]
    assert leftovers() == ["clip.zarr"]


def test_two_folders_swap_their_names(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"of {name}").touch()
    assert folders.swap(tmp_path / "one", tmp_path / "other") == (sys.platform == "linux")
    if sys.platform == "linux":
        assert [p.name for p in (tmp_path / "one").iterdir()] == ["of other"]
    assert not folders.swap(tmp_path / "one", tmp_path / "nowhere")


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_store_that_a_killed_writer_took_away_is_put_back(
    make_segmentation, tmp_path, leftovers, overwrite
):
    path = save_segmentation(make_segmentation(3), tmp_path / "clip.zarr")
    path.rename(tmp_path / ".clip.zarr.replaced-0000")
    if overwrite:
        save_segmentation(make_segmentation(5), path, overwrite=True)
    else:
        with pytest.raises(OutputError, match="exists already"):
            save_segmentation(make_segmentation(5), path)
    assert open_segmentation(path).sizes["frame"] == (5 if overwrite else 3)
    assert leftovers() == ["clip.zarr"]
