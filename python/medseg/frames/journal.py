"""What a run has finished, so that a killed one goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medseg.errors import OutputError
from medseg.files import append_record, read_records, write_whole

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
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(
                f"{out}: cannot be written ({error.strerror}); choose another --out"
            ) from error

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
        write_whole(path, json.dumps(settings, indent=1) + "\n")

    def _read(self) -> None:
        for record in read_records(self.out / DONE):
            self.records[record[self._key]] = record

    def commit(self, record: dict[str, Any]) -> None:
        """Note that the thing named by the record's key is finished."""
        append_record(self.out / DONE, record)
        self.records[record[self._key]] = record
