"""Keeps what a benchmark measured in a small JSON file, so that one that was ended goes on."""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
from pathlib import Path
from typing import Any

ALIKE = ("out", "run", "workers")  # arguments that change no figure


class Kept:
    """Results by name, written whole after each.

    Those of other arguments, or of another weights file, are not gone on with.
    """

    def __init__(self, path: Path, about: str, given: argparse.Namespace) -> None:
        self.path = path
        told = {name: value for name, value in vars(given).items() if name not in ALIKE}
        told = json.loads(json.dumps(told, default=_told))
        self.found: dict[str, Any] = {"about": about, "given": told}
        if path.exists():
            self.found = json.loads(path.read_text("utf-8"))
            if self.found.get("given") != told:
                raise SystemExit(f"{path}: measured with other arguments or weights; move it away")
        self.found["machine"] = f"{platform.machine()}, Python {platform.python_version()}"

    def __contains__(self, name: str) -> bool:
        return name in self.found

    def __getitem__(self, name: str) -> Any:
        return self.found[name]

    def keep(self, name: str, value: Any) -> Any:
        """Keep a result, and give it back."""
        self.found[name] = value
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f".{self.path.name}.part")
        part.write_text(json.dumps(self.found, indent=1) + "\n", "utf-8")
        part.replace(self.path)
        return value


def _told(path: Path) -> str:
    """A file by its content, a folder by its name."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else str(path)


def print_rows(columns: list[str], rows: list[list[Any]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
