"""Which file is the clip of a name."""

from __future__ import annotations

from pathlib import Path

CLIP_SUFFIXES = (
    ".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg", ".gif", ".dcm",
)  # fmt: skip


def bare_name(name: str) -> str:
    """A clip's name without its extension, in either case; other dots stay."""
    for suffix in CLIP_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def find_clips(folder: Path) -> dict[str, list[Path]]:
    """A folder's clip files, and folders of pictures, by name without extension.

    Several files of one name come in the order of CLIP_SUFFIXES. Empty where there is no folder.
    """
    found: dict[str, list[Path]] = {}
    if not folder.is_dir():
        return found
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix.lower() in CLIP_SUFFIXES or path.is_dir():
            found.setdefault(bare_name(path.name), []).append(path)
    order = {suffix: place for place, suffix in enumerate(CLIP_SUFFIXES)}
    for paths in found.values():
        paths.sort(key=lambda path: order.get(path.suffix.lower(), len(order)))
    return found
