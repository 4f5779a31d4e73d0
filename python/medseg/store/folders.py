"""Hidden folders beside a store: claimed by their writer, swapped in one step, cleared if left."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import sys
from glob import escape
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of Linux's renameat2(2)


def hidden_sibling(target: Path, role: str) -> Path:
    """A new name ``.<name>.<role>-<random>`` beside the target."""
    return target.with_name(f".{target.name}.{role}-{secrets.token_hex(4)}")


def swap(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; False where the system cannot."""
    if sys.platform != "linux":
        return False
    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    if exchange is None:
        return False
    paths = os.fsencode(one), os.fsencode(other)
    return bool(exchange(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0)


def claim(folder: Path) -> int | None:
    """Hold a folder until `release` or this process's end; None where somebody else holds it.

    Where nothing can be held, -1.
    """
    if sys.platform == "win32":
        return -1
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:  # a file system without locks
        os.close(descriptor)
        return -1
    return descriptor


def new_held_folder(target: Path) -> tuple[Path, int]:
    """A new hidden folder beside the target, and what holds it.

    Another writer that clears up may meet the folder before it is held and take it for one that a
    killed writer left: then a new one is made.
    """
    while True:
        folder = hidden_sibling(target, "partial")
        folder.mkdir()
        try:
            held = claim(folder)
        except FileNotFoundError:
            continue
        if held is not None and folder.is_dir():
            return folder, held
        release(held)


def release(descriptor: int | None) -> None:
    """Give up what `claim` gave."""
    if descriptor is not None and descriptor >= 0:
        os.close(descriptor)


def clear_leftovers(target: Path) -> None:
    """Remove what killed writers of this store left, and put back a store that they took away.

    What a living writer holds stays, and so does everything where folders cannot be held.
    """
    parts = target.parent.glob(f".{escape(target.name)}.partial-*")
    at_work = [part for part in parts if not _removed_if_left(part)]
    if at_work:
        return
    for replaced in sorted(
        target.parent.glob(f".{escape(target.name)}.replaced-*"), key=_age, reverse=True
    ):
        if os.path.lexists(target):
            shutil.rmtree(replaced, ignore_errors=True)
        else:
            replaced.rename(target)


def _removed_if_left(folder: Path) -> bool:
    try:
        descriptor = claim(folder)
    except FileNotFoundError:  # its writer has just finished
        return True
    if descriptor is None or descriptor < 0:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    release(descriptor)
    return True


def _age(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0
