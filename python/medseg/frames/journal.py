"""What a run has finished, so that a killed one goes on where it stopped."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medseg.errors import OutputError

SETTINGS, DONE = "settings.json", "done.jsonl"


class Journal:
    """A folder's settings and one line for each thing that is finished.

    A line is written, and flushed to the disk, only after the thing's own files carry their final
    names; half a line at the end, of a run that was killed, is dropped. A run with other settings
    is refused: its results would not belong together.
    """

    def __init__(
        self, out: Path, settings: Mapping[str, Any], *, key: str, overwrite: bool = False
    ) -> None:
        self.out, self._key = out, key
        self.records: dict[str, dict[str, Any]] = {}
        try:
            out.mkdir(parents=True, exist_ok=True)
            self._settle(json.loads(json.dumps(dict(settings))), overwrite=overwrite)
            self._read()
            self._file = (out / DONE).open("a", encoding="utf-8")
        except OSError as error:
            raise _trouble(out, error) from error

    def _settle(self, settings: dict[str, Any], *, overwrite: bool) -> None:
        path = self.out / SETTINGS
        if path.exists() and not overwrite:
            try:
                before = json.loads(path.read_text("utf-8"))
            except ValueError:
                before = None
            if before != settings:
                known = before if isinstance(before, dict) else {}
                differing = sorted(
                    k for k in {*known, *settings} if known.get(k) != settings.get(k)
                )
                raise OutputError(
                    f"{self.out}: holds results of another run ({', '.join(differing)} differ); "
                    "choose another --out, or replace them with --overwrite"
                )
            return
        (self.out / DONE).unlink(missing_ok=True)
        write_whole(path, (json.dumps(settings, indent=1) + "\n").encode())

    def _read(self) -> None:
        path = self.out / DONE
        if not path.exists():
            return
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with path.open("r+b") as file:
                file.truncate(whole)
        for line in content[:whole].splitlines():
            record = json.loads(line)
            self.records[record[self._key]] = record

    def commit(self, record: dict[str, Any]) -> None:
        """Note that the thing named by the record's key is finished."""
        try:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _trouble(self.out, error) from error
        self.records[record[self._key]] = record

    def close(self) -> None:
        """Close the file; the journal can be opened again."""
        self._file.close()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears under its name only when it is complete; raises OutputError."""
    stage = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with stage.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        stage.replace(path)
    except OSError as error:
        stage.unlink(missing_ok=True)
        raise _trouble(path, error) from error


def _trouble(path: Path, error: OSError) -> OutputError:
    if isinstance(error, OutputError):
        return error
    return OutputError(
        f"{path}: cannot be written ({error.strerror}); free some space or choose another --out"
    )
