"""Frames that arrive in windows of any length, handed on in chunks of one length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


class Blocks:
    """A buffer of one chunk for each row (object), of ``frames`` frames."""

    def __init__(self, rows: int, frames: int, height: int, width: int) -> None:
        self._buffer = np.zeros((rows, frames, height, width), dtype=np.uint8)
        self._filled = 0
        self._block = 0

    def add(self, window: np.ndarray) -> Iterator[tuple[int, int, bytes]]:
        """Take a (row, T, H, W) window; yield (row, block, bytes) for every chunk that is full."""
        frames = self._buffer.shape[1]
        taken = 0
        while taken < window.shape[1]:
            count = min(frames - self._filled, window.shape[1] - taken)
            self._buffer[:, self._filled : self._filled + count] = window[:, taken : taken + count]
            self._filled += count
            taken += count
            if self._filled == frames:
                yield from self.rest()

    def rest(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield what is left as a chunk of full size, padded with zeros."""
        if not self._filled:
            return
        self._buffer[:, self._filled :] = 0
        for row in range(self._buffer.shape[0]):
            yield row, self._block, self._buffer[row].tobytes()
        self._filled = 0
        self._block += 1
