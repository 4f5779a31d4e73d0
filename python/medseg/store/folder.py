"""A store's files, read alike from a local folder and from any fsspec URL."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Folder:
    """The root of a store; ``name`` is what the caller typed and what errors say."""

    name: str
    fs: Any
    root: str

    def _at(self, path: str) -> str:
        return f"{self.root}/{path}"

    def exists(self) -> bool:
        """Whether there is a folder."""
        return bool(self.fs.isdir(self.root))

    def read(self, path: str, limit: int) -> bytes:
        """The file's bytes, at most ``limit`` of them. Raises OSError."""
        with self.fs.open(self._at(path), "rb") as file:
            return bytes(file.read(limit))

    def read_all(self, path: str) -> bytes:
        """All of the file's bytes. Raises OSError."""
        return bytes(self.fs.cat_file(self._at(path)))

    def size(self, path: str) -> int | None:
        """Size in bytes, None if there is no such file."""
        try:
            info = self.fs.info(self._at(path))
        except OSError:
            return None
        return int(info["size"]) if info["type"] == "file" else None

    def md5(self, path: str) -> str:
        """MD5 of the file, read in blocks. Raises OSError."""
        digest = md5(usedforsecurity=False)
        with self.fs.open(self._at(path), "rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()

    def listing(self) -> set[str]:
        """Relative paths of all files."""
        prefix = self.root.rstrip("/") + "/"
        return {str(path)[len(prefix) :] for path in self.fs.find(self.root)}


def open_folder(path: str | PathLike[str]) -> Folder:
    """The folder at a local path or an fsspec URL (anything with ``://``)."""
    name = fspath(path)
    if "://" in name:
        fs, root = fsspec.core.url_to_fs(name)
        return Folder(name, fs, str(root).rstrip("/"))
    return Folder(name, LocalFileSystem(), Path(name).absolute().as_posix())
