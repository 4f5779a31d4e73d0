"""Windows of frames with their neighbours, each frame decoded once, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.clip import Clip
from medseg.errors import FrameNotDecoded

WINDOW_BYTES = 24 * 1024 * 1024  # RGB frames of one window, at most
SMALLEST_WINDOW = 8


@dataclass(frozen=True, eq=False)
class Window:
    """Frames start to stop - 1 are the core; `frames` holds neighbours on both sides too."""

    start: int
    stop: int
    frames: NDArray[np.uint8]  # (T, H, W, 3)
    decoded: NDArray[np.bool_]  # (T,); the others repeat their nearest decoded neighbour
    core: slice  # of `frames`

    @property
    def first(self) -> int:
        """The clip's frame that `frames[0]` is."""
        return self.start - int(self.core.start)


def window_size(clip: Clip, wanted: int) -> int:
    """At most `wanted` frames, fewer where they are large."""
    fitting = WINDOW_BYTES // (clip.height * clip.width * 3)
    return int(max(1, min(wanted, max(fitting, SMALLEST_WINDOW))))


def read_windows(clip: Clip, *, size: int, halo: int) -> Iterator[Window]:
    """Give the clip's windows in order, with up to `halo` frames on each side."""
    frames = np.empty((0, clip.height, clip.width, 3), np.uint8)
    decoded = np.empty(0, bool)
    first = 0  # the clip's frame that frames[0] is
    for start in range(0, clip.frame_count, size):
        stop = min(start + size, clip.frame_count)
        reach = min(stop + halo, clip.frame_count)
        keep = max(start - halo, first) - first
        known = first + len(frames)
        fresh, fresh_decoded = _read_leniently(clip, known, reach)
        frames = np.concatenate([frames[keep:], fresh])
        decoded = np.concatenate([decoded[keep:], fresh_decoded])
        first += keep
        shown = _bridge(frames, decoded)
        yield Window(start, stop, shown, decoded, slice(start - first, stop - first))


def _read_leniently(
    clip: Clip, start: int, stop: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Read frames; one that cannot be decoded is black and marked, the others still come."""
    if stop <= start:
        return np.empty((0, clip.height, clip.width, 3), np.uint8), np.empty(0, bool)
    try:
        return clip.read(start, stop), np.ones(stop - start, bool)
    except FrameNotDecoded:
        pass
    frames = np.zeros((stop - start, clip.height, clip.width, 3), np.uint8)
    decoded = np.zeros(stop - start, bool)
    for i in range(stop - start):
        try:
            frames[i] = clip.read(start + i, start + i + 1)[0]
            decoded[i] = True
        except FrameNotDecoded:
            continue
    return frames, decoded


def _bridge(frames: NDArray[np.uint8], decoded: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Put the nearest decoded frame in the place of those that are missing."""
    if decoded.all() or not decoded.any():
        return frames
    known = np.flatnonzero(decoded)
    nearest = known[np.abs(np.arange(len(frames))[:, None] - known[None, :]).argmin(axis=1)]
    bridged: NDArray[np.uint8] = frames[nearest]
    return bridged
