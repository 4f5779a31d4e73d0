"""A hidden folder in which a store is built, and the one rename that gives it its name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medseg.errors import OutputError
from medseg.store.folders import clear_leftovers, hidden_sibling, new_held_folder, release, swap
from medseg.store.layout import MANIFEST
from medseg.store.manifest import Entry, entry, manifest_bytes


class Stage:
    """``.<name>.partial-<random>`` beside the target, until ``commit`` renames it.

    It is held while it is written, so that the next writer of the same store clears away what a
    killed one left. Every failure of the file system is raised as OutputError, one line with the
    cure.
    """

    def __init__(self, target: Path, *, overwrite: bool) -> None:
        self.target = target
        self._overwrite = overwrite
        self._entries: dict[str, Entry] = {}
        with writing(target):
            clear_leftovers(target)
        _refuse_target(target, overwrite=overwrite)
        self._claim: int | None
        with writing(target):
            self._folder, self._claim = new_held_folder(target)

    def write(self, path: str, content: bytes) -> None:
        """Write one file of the store, flush it to the disk and note it for the manifest."""
        with writing(self.target):
            self._write(path, content)
        self._entries[path] = entry(content)

    def _write(self, path: str, content: bytes) -> None:
        file_path = self._folder / path
        file_path.parent.mkdir(parents=True, exist_ok=True)
        with file_path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def commit(self) -> Path:
        """Write the manifest, flush the folders, and take the final name."""
        with writing(self.target):
            self._write(MANIFEST, manifest_bytes(self._entries))
            for folder in (*self._folder.iterdir(), self._folder):
                if folder.is_dir():
                    _flush_folder(folder)
            self._take_name()
            _flush_folder(self.target.parent)
        release(self._claim)
        self._claim = None
        return self.target

    def _take_name(self) -> None:
        _refuse_target(self.target, overwrite=self._overwrite)
        if not self.target.exists():
            self._folder.rename(self.target)
            return
        if swap(self._folder, self.target):  # the old store now has the hidden name
            shutil.rmtree(self._folder, ignore_errors=True)
            return
        replaced = hidden_sibling(self.target, "replaced")
        self.target.rename(replaced)
        try:
            self._folder.rename(self.target)
        except OSError:
            replaced.rename(self.target)
            raise
        shutil.rmtree(replaced, ignore_errors=True)

    def remove(self) -> None:
        """Remove what was staged; after a commit there is nothing left to remove."""
        with suppress(OSError):
            shutil.rmtree(self._folder)
        release(self._claim)
        self._claim = None


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn what the file system refuses into one line: what, where, the cure."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(
            f"{target}: the segmentation store cannot be written ({reason}); "
            "free some space or choose a folder that you may write to"
        ) from error


def _refuse_target(target: Path, *, overwrite: bool) -> None:
    if not os.path.lexists(target):
        return
    if not overwrite:
        raise OutputError(f"{target}: exists already; choose another name, or ask to overwrite it")
    is_store = (target / MANIFEST).is_file() or (target / ".zgroup").is_file()
    is_empty = target.is_dir() and not any(target.iterdir())
    if target.is_symlink() or not (is_store or is_empty):
        raise OutputError(
            f"{target}: is no segmentation store, so it is not overwritten; choose another name"
        )


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder for flushing
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
