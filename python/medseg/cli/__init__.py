"""The `medseg` command: parses what was typed, and turns every failure into one line."""

from __future__ import annotations

from medseg.cli.app import main

__all__ = ["main"]
