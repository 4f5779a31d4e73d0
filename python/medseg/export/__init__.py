"""Doors out: what a clip becomes for other programs, as video files and pictures."""

from __future__ import annotations
