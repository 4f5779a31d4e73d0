"""Frames are read from a clip a few at a time, forwards or backwards, and kept small."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from medseg.clip import Clip, clip_from_array
from medseg.errors import FrameNotDecoded
from medseg.models.sam2.pixels import rgb, squares_of_video

_READ_BYTES = 24 * 1024 * 1024  # of whole frames, at a time
_KEPT_BYTES = 48 * 1024 * 1024  # of small squares, when going backwards
_BLOCK_FRAMES = 128


def as_clip(frames: Clip | np.ndarray) -> Clip:
    """Give a clip as it is, and uint8 frames (T,H,W[,3]) as a clip; raises InputError."""
    if isinstance(frames, Clip):
        return frames
    return clip_from_array(rgb(frames, where="frames"))


def read_squares(clip: Clip, start: int, stop: int, side: int) -> list[Tensor | None]:
    """Read frames as squares (3,side,side) uint8; None for one that cannot be decoded."""
    step = max(1, _READ_BYTES // (clip.height * clip.width * 3))
    found: list[Tensor | None] = []
    for first in range(start, stop, step):
        found += _read(clip, first, min(first + step, stop), side)
    return found


def forwards(clip: Clip, start: int, stop: int, side: int, step: int) -> Iterator[tuple]:
    """Give (first frame, its and the next squares), at most `step` at a time, to `stop` - 1."""
    for first in range(start, stop, step):
        yield first, read_squares(clip, first, min(first + step, stop), side)


def backwards(clip: Clip, start: int, stop: int, side: int, step: int) -> Iterator[tuple]:
    """Give (first frame, squares) as `forwards`, the last ones first.

    Blocks of frames are read forwards, since a video is decoded from its last key frame on.
    """
    block = max(step, min(_BLOCK_FRAMES, _KEPT_BYTES // (3 * side * side)))
    for end in range(stop, start, -block):
        begin = max(start, end - block)
        squares = read_squares(clip, begin, end, side)
        for last in range(len(squares), 0, -step):
            first = max(0, last - step)
            yield begin + first, squares[first:last]


def _read(clip: Clip, start: int, stop: int, side: int) -> list[Tensor | None]:
    try:
        return list(squares_of_video(clip.read(start, stop), side))
    except FrameNotDecoded:
        if stop - start == 1:
            return [None]
    return [square for i in range(start, stop) for square in _read(clip, i, i + 1, side)]
