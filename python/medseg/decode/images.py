"""A folder of PNG or JPEG frames, in the natural order of their names, as a clip."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from medseg.clip import Clip, Frames, check_range
from medseg.errors import ClipHasNoFrames, ClipUnreadable, FrameNotDecoded

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
MAX_FRAME_PIXELS = 2**26
DAMAGED = (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def open_image_folder(folder: Path) -> Clip:
    """Open the PNG and JPEG files of a folder as one clip; frame times are unknown.

    Raises ClipHasNoFrames for a folder without pictures, ClipUnreadable for a damaged one or
    for pictures of several sizes.
    """
    entries = [path for path in folder.iterdir() if path.is_file() and path.name[0] != "."]
    pictures = sorted(
        (path for path in entries if path.suffix.lower() in PICTURE_SUFFIXES), key=natural_order
    )
    if not pictures:
        raise ClipHasNoFrames(
            f"{folder}: this folder holds no PNG or JPEG frames: give a folder that does, "
            "or one AVI, MP4 or DICOM file"
        )
    others = len(entries) - len(pictures)
    notes = (f"{others} other files in the folder are not used",) if others else ()
    return _clip(pictures, name=folder.resolve().name, where=folder, notes=notes)


def open_picture(path: Path) -> Clip:
    """Open one PNG or JPEG file as a clip of one frame."""
    return _clip([path], name=path.stem, where=path, notes=())


def natural_order(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Give a sorting key that puts frame_2 before frame_10."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    key = tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)
    return (*key, (2, path.name))


def _clip(pictures: Sequence[Path], *, name: str, where: Path, notes: tuple[str, ...]) -> Clip:
    height, width = _common_size(pictures)
    frame_count = len(pictures)
    digest = hashlib.sha256()
    for path in pictures:
        digest.update(path.name.encode(errors="surrogateescape") + b"\0")
        digest.update(path.read_bytes())
    read = _PictureFrames(tuple(pictures), height, width)
    try:
        read(0, 1)
    except FrameNotDecoded as error:
        raise ClipUnreadable(str(error)) from error
    return Clip(
        name=name,
        kind="images",
        frame_count=frame_count,
        height=height,
        width=width,
        frame_time_s=np.zeros(1) if frame_count == 1 else None,
        frame_time_source="single frame" if frame_count == 1 else "unknown",
        spacing_cm=None,
        spacing_reason="pictures carry no pixel spacing",
        sha256=digest.hexdigest(),
        read=read,
        warnings=notes + _deep_note(pictures[0]),
    )


def _common_size(pictures: Sequence[Path]) -> tuple[int, int]:
    """Give the (height, width) that all pictures share, from their headers alone."""
    sizes: dict[tuple[int, int], Path] = {}
    for path in pictures:
        try:
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                sizes.setdefault((image.height, image.width), path)
        except DAMAGED as error:
            raise ClipUnreadable(
                f"{path}: is no PNG or JPEG picture that can be read: export this frame again"
            ) from error
    if len(sizes) > 1:
        (first, first_path), (other, other_path) = list(sizes.items())[:2]
        raise ClipUnreadable(
            f"{first_path.parent}: {first_path.name} is {first[1]} x {first[0]} and "
            f"{other_path.name} is {other[1]} x {other[0]}: all frames of a clip need one size"
        )
    size = next(iter(sizes))
    if not 0 < size[0] * size[1] <= MAX_FRAME_PIXELS:
        raise ClipUnreadable(f"{pictures[0]}: is {size[1]} x {size[0]}: too large for a frame")
    return size


def _deep_note(path: Path) -> tuple[str, ...]:
    with Image.open(path) as image:
        deep = image.mode.startswith("I")
    return ("16-bit pixels brought to 8 bits by the range of 16 bits",) if deep else ()


class _PictureFrames:
    """Reads frames from one file each."""

    def __init__(self, pictures: tuple[Path, ...], height: int, width: int) -> None:
        self.pictures, self.height, self.width = pictures, height, width

    def __call__(self, start: int, stop: int) -> Frames:
        check_range(start, stop, len(self.pictures))
        frames = np.empty((stop - start, self.height, self.width, 3), dtype=np.uint8)
        for row, path in enumerate(self.pictures[start:stop]):
            frames[row] = read_picture(path)
        return frames


def read_picture(path: Path) -> Frames:
    """One picture as RGB uint8 (H, W, 3), of 16-bit grey the upper bits; may be written to.

    Raises FrameNotDecoded naming it where it is damaged.
    """
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            if image.mode.startswith("I"):  # 16-bit grey
                grey = np.clip(np.asarray(image, dtype=np.int64) >> 8, 0, 255).astype(np.uint8)
                return np.repeat(grey[..., np.newaxis], 3, axis=2)  # (H,W) -> (H,W,3)
            return np.array(image.convert("RGB"))
    except DAMAGED as error:
        raise FrameNotDecoded(f"{path}: cannot be decoded: copy or export it again") from error
