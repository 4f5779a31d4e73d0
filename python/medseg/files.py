"""How a file appears under its name only when it is whole, and how one that grows by lines is read.

Every result that is one file is written here; a store, which is a folder, in `medseg.store`.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from medseg.errors import OutputError


def write_whole(path: Path, content: bytes | str) -> None:
    """Write beside, flush to the disk, then rename; text as UTF-8. Makes the folder if need be.

    Raises OutputError, with nothing left behind.
    """
    data = content.encode() if isinstance(content, str) else content
    stage = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with stage.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        stage.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            stage.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); free space or choose another --out"
        ) from error


def append_record(path: Path, record: dict[str, Any]) -> None:
    """Add a record as one line of JSON, flushed to the disk; raises OutputError."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); free space or choose another --out"
        ) from error


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Records of such a file; half a line at its end, of a run that was killed, is cut off."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
    for line in content[:whole].splitlines():
        yield json.loads(line)
