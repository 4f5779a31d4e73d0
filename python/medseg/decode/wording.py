"""Words that come out of a file, made safe to show on one line of a terminal."""

from __future__ import annotations


def printable(text: object, limit: int = 60) -> str:
    """Give text without line breaks or control characters, cut at ``limit`` characters."""
    words = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return words if len(words) <= limit else words[: limit - 3] + "..."
