"""Frames of a video file by number, decoded in order with bounded memory.

decord reads ahead without a bound (806 MB for 300 frames of 640 x 480, 1,051 MB for 6,000), so
it decodes the clips that are small even when whole, and PyAV decodes the others one by one.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import av
import av.error
import av.logging
import numpy as np

from medseg.clip import Frames, check_range
from medseg.errors import FrameNotDecoded

DECORD_MAX_CLIP_BYTES = 64 * 2**20  # of RGB, the whole clip
SKIP_BEFORE_SEEK = 16  # frames: to decode and drop so many is quicker than to seek

Stamps = np.ndarray[Any, np.dtype[np.int64]]
Picture = tuple[int, Any]  # (frame number, decoded frame)


def _decord() -> Any:
    """Import decord quietly and for the CPU alone.

    On import decord2 loads every CUDA library that pip installed, which torch has brought along:
    600 MB and a second. It finds them through the package "nvidia", hidden from it here.
    """
    if "decord" in sys.modules:
        return sys.modules["decord"]
    hidden = {"nvidia": sys.modules["nvidia"]} if "nvidia" in sys.modules else {}
    sys.modules["nvidia"] = None  # type: ignore[assignment]
    try:
        decord = importlib.import_module("decord")
    finally:
        del sys.modules["nvidia"]
        sys.modules.update(hidden)
    decord.logging.set_level(decord.logging.QUIET)
    return decord


class VideoFrames:
    """Reads frames of one file; keeps its place, so reading on costs no seek.

    ``stamps`` are the presentation times of the frames in the stream's time base and in display
    order; None finds frames by counting from the first. Safe to use from several threads, and
    to copy to another process (which opens the file anew).
    """

    def __init__(
        self,
        path: Path,
        *,
        stamps: Stamps | None,
        frame_count: int,
        height: int,
        width: int,
    ) -> None:
        self.path = path
        self.frame_count = frame_count
        self._decord: Any = None
        self._lock = threading.Lock()
        self._small = frame_count * height * width * 3 <= DECORD_MAX_CLIP_BYTES
        self._pyav = _PyavFrames(path, stamps=stamps, frame_count=frame_count)
        first = self._pyav.peek()
        self.height, self.width = first if first is not None else (height, width)
        if (self.height, self.width) != (height, width) or self._pyav.turns:
            self._small = False  # turned pictures: only one of the two decoders turns them

    def read(self, start: int, stop: int) -> Frames:
        """Give frames [start, stop) as uint8 RGB (T, H, W, 3).

        Raises FrameNotDecoded naming the first frame that cannot be decoded.
        """
        check_range(start, stop, self.frame_count)
        if start == stop:
            return np.empty((0, self.height, self.width, 3), dtype=np.uint8)
        with self._lock:
            if self._small:
                frames = self._read_by_decord(start, stop)
                if frames is not None:
                    return frames
                self._small = False
            return self._pyav.read(start, stop, self.height, self.width)

    def _read_by_decord(self, start: int, stop: int) -> Frames | None:
        """Give the frames, or None where decord cannot, or would stand in another frame."""
        try:
            decord = _decord()
            if self._decord is None:
                # fault_tol below one frame: never a neighbour in place of a broken frame
                tolerance = 0.5 / self.frame_count
                self._decord = decord.VideoReader(
                    str(self.path), num_threads=1, fault_tol=tolerance
                )
            if len(self._decord) != self.frame_count:
                return None
            frames: Frames = self._decord.get_batch(list(range(start, stop))).asnumpy()
        except Exception:  # decord's errors share no parent
            return None
        expected = (stop - start, self.height, self.width, 3)
        return frames if frames.shape == expected else None

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_lock"]
        state["_decord"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


class _PyavFrames:
    """Decodes one frame after another through PyAV and seeks only when asked to jump."""

    def __init__(self, path: Path, *, stamps: Stamps | None, frame_count: int) -> None:
        self.path = path
        self.frame_count = frame_count
        self.turns = 0  # quarter turns, anticlockwise, that the file asks for
        self._stamps = stamps
        self._number_of = {} if stamps is None else {int(s): i for i, s in enumerate(stamps)}
        self._running: Iterator[Picture] | None = None
        self._held: Picture | None = None
        self._next = 0

    def peek(self) -> tuple[int, int] | None:
        """Give the first frame's (height, width) as shown, or None if it cannot be decoded."""
        for _, frame in self._decoded(0):
            self.turns = round(frame.rotation / 90) % 4
            size = (frame.height, frame.width)
            return size[::-1] if self.turns % 2 else size
        return None

    def read(self, start: int, stop: int, height: int, width: int) -> Frames:
        """Give frames [start, stop) as uint8 RGB (T, H, W, 3)."""
        frames = np.empty((stop - start, height, width, 3), dtype=np.uint8)
        if self._running is None or not self._next <= start <= self._next + SKIP_BEFORE_SEEK:
            self._running, self._held = self._decoded(start), None
        wanted = start
        while wanted < stop:
            number, frame = self._held or next(self._running, (self.frame_count, None))
            self._held = None
            if number > wanted:
                self._held, self._next = (number, frame), number
                raise FrameNotDecoded(
                    f"{self.path}: frame {wanted} of {self.frame_count} cannot be decoded: "
                    "the file is damaged there; export it again"
                )
            if number == wanted:
                frames[wanted - start] = self._rgb(frame, height, width, number=number)
                wanted += 1
        self._next = stop
        return frames

    def _rgb(self, frame: Any, height: int, width: int, *, number: int) -> Frames:
        rgb: Frames = np.rot90(frame.to_ndarray(format="rgb24"), self.turns)
        if rgb.shape != (height, width, 3):
            raise FrameNotDecoded(
                f"{self.path}: frame {number} is {rgb.shape[1]} x {rgb.shape[0]} and the first "
                f"is {width} x {height}: one clip has one size; export it again"
            )
        return rgb

    def _decoded(self, start: int) -> Iterator[Picture]:
        """Yield (number, frame) of the frames that can be decoded, from ``start`` or before it."""
        if start > 0 and self._stamps is not None:
            pictures = self._pictures(int(self._stamps[start]))
            first = next(pictures, None)
            if first is not None and first[0] <= start:
                yield from chain([first], pictures)
                return
            # the container's key-frame table led astray: go through the file from its beginning
        yield from self._pictures(None)

    def _pictures(self, stamp: int | None) -> Iterator[Picture]:
        """Yield (number, frame) from the key frame at or before a time stamp, or from the first.

        FFmpeg's messages go nowhere meanwhile: torchvision before 0.28 hands them to Python on
        import, where a decoding thread waits for the interpreter's lock, whose holder waits for
        that thread as it closes the file, for ever.
        """
        try:
            container = av.open(str(self.path))
        except (av.error.FFmpegError, OSError):
            return
        with container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            if stamp is not None:
                container.seek(stamp, stream=stream)
            count = -1
            packets = container.demux(stream)
            while True:
                av.logging.set_level(None)  # each time: that import may come at any moment
                try:
                    frames = next(packets).decode()
                except (StopIteration, av.error.EOFError):
                    return
                except av.error.FFmpegError:
                    continue  # this packet is damaged; after a broken container comes StopIteration
                for frame in frames:
                    count += 1
                    number = count if self._stamps is None else self._number_of.get(frame.pts or 0)
                    if number is not None and not frame.is_corrupt:
                        yield number, frame

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_running": None, "_held": None, "_next": 0}
