from __future__ import annotations

import fsspec
import pytest

from medseg.store.folder import open_folder


@pytest.fixture(params=["local", "memory"])
def folder(request, tmp_path):
    """The same two files, here and in another file system."""
    if request.param == "local":
        root = tmp_path / "clip one::two.zarr"  # no URL, whatever it looks like
        (root / "mask").mkdir(parents=True)
        (root / ".zattrs").write_bytes(b"abc")
        (root / "mask" / "0.0").write_bytes(b"0123456789")
        return open_folder(root)
    memory = fsspec.filesystem("memory")
    memory.pipe({"/f.zarr/.zattrs": b"abc", "/f.zarr/mask/0.0": b"0123456789"})
    return open_folder("memory://f.zarr")


def test_files(folder):
    assert folder.exists()
    assert folder.listing() == {".zattrs", "mask/0.0"}
    assert folder.read_all(".zattrs") == b"abc"
    assert folder.read("mask/0.0", 4) == b"0123"
    assert folder.md5(".zattrs") == "900150983cd24fb0d6963f7d28e17f72"
    assert folder.size("mask/0.0") == 10
    assert folder.size("mask") is None
    assert folder.size("absent") is None
    with pytest.raises(FileNotFoundError):
        folder.read_all("absent")


def test_a_relative_path_keeps_the_name_that_was_typed(tmp_path, monkeypatch):
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "x").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    folder = open_folder("a.zarr")
    assert folder.name == "a.zarr"
    assert folder.listing() == {"x"}
