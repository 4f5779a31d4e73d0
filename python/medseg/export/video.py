"""Write frames to an AVI or MP4 file that appears under its name only when it is whole."""

from __future__ import annotations

import errno
import os
import secrets
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np

from medseg.errors import InputError, OutputError

# Threads by frame encode while the next is drawn; by slice, PyAV's own choice, each is waited for.
_H264 = {"preset": "veryfast", "thread_type": "frame"}

# suffix and lossless -> (codec, pixel format of the file, pixel format handed over, options);
# yuvj422p because libswscale rounds full-range 4:2:0 chroma down: grey would turn green by 2
_CODECS: dict[tuple[str, bool], tuple[str, str, str, dict[str, str]]] = {
    (".avi", False): ("mjpeg", "yuvj422p", "rgb24", {"qmin": "1", "qmax": "2"}),
    (".avi", True): ("ffv1", "bgr0", "rgb24", {}),
    (".mp4", False): ("libx264", "yuv420p", "rgb24", {"crf": "18", **_H264}),
    (".mp4", True): ("libx264rgb", "rgb24", "rgb24", {"crf": "0", **_H264}),
}
_FINEST_RATE = 1_000_000  # largest denominator of a frame rate; 1001 is the common one


class VideoWriter:
    """Writes RGB frames one window after another; use it in a ``with`` block.

    ``path`` ends in .avi (MJPEG) or .mp4 (H.264); ``lossless`` keeps every pixel (FFV1 in AVI,
    H.264 of RGB in MP4). The file is staged beside its target and renamed when the block ends;
    if the block ends by an error nothing is left. H.264 needs even sizes, so an odd frame gets
    one row or column of black at its lower or right end.

    Raises OutputError when the target exists (without ``overwrite``), its folder cannot be
    written, or the disk is full; InputError for a rate that is not positive.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        frame_rate_hz: float | Fraction,
        height: int,
        width: int,
        lossless: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.path = Path(path)
        self.rate = exact_rate(frame_rate_hz, name=str(self.path))
        self.height, self.width = height, width
        self.lossless = lossless
        self.frame_count = 0
        suffix = self.path.suffix.lower()
        if (suffix, lossless) not in _CODECS:
            raise InputError(f"{self.path}: a video's name ends in .avi or .mp4: choose one")
        if self.path.exists() and not overwrite:
            raise OutputError(f"{self.path}: exists already: choose another name or overwrite it")
        if not self.path.parent.is_dir():
            raise OutputError(f"{self.path}: there is no such folder: make it first")
        self._partial = self.path.with_name(
            f".{self.path.stem}.partial-{secrets.token_hex(4)}{suffix}"
        )
        self._container: Any = None
        self._stream: Any = None
        self._last_tick = -1

    def __enter__(self) -> VideoWriter:
        suffix = self.path.suffix.lower()
        codec, stored, self._handed, options = _CODECS[(suffix, self.lossless)]
        self._even = 2 if stored == "yuv420p" else 1
        try:
            self._container = av.open(str(self._partial), "w")
            self._stream = self._container.add_stream(codec, rate=self.rate, options=options)
            self._stream.height = _rounded_up(self.height, self._even)
            self._stream.width = _rounded_up(self.width, self._even)
            self._stream.pix_fmt = stored
            self._stream.codec_context.time_base = 1 / self.rate
            self._stream.codec_context.qmin = 1
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._discard()
            raise self._trouble(error) from error
        return self

    @property
    def stored_size(self) -> tuple[int, int]:
        """Give the (height, width) of the file's frames, the black line of odd ones included."""
        return int(self._stream.height), int(self._stream.width)

    def write(self, frames: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        """Append frames, uint8 RGB (T, H, W, 3)."""
        if frames.dtype != np.uint8 or frames.shape[1:] != (self.height, self.width, 3):
            raise ValueError(
                f"frames are {frames.dtype} of shape {frames.shape}, not uint8 "
                f"(T, {self.height}, {self.width}, 3)"
            )
        height, width = self.stored_size
        for frame in frames:
            if (height, width) != (self.height, self.width):
                frame = np.pad(frame, ((0, height - self.height), (0, width - self.width), (0, 0)))
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=self._handed)
            picture.pts, picture.time_base = self.frame_count, 1 / self.rate
            self._mux(picture)
            self.frame_count += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._discard()
            return
        if self.frame_count == 0:
            self._discard()
            raise InputError(f"{self.path}: no frames were given, so there is no video to write")
        try:
            self._mux(None)
            self._container.close()
            self._container = None
            with self._partial.open("rb") as file:
                os.fsync(file.fileno())
            self._partial.replace(self.path)
        except (av.error.FFmpegError, OSError) as failure:
            self._discard()
            if isinstance(failure, OutputError):
                raise
            raise self._trouble(failure) from failure

    def _mux(self, picture: Any) -> None:
        try:
            for packet in self._stream.encode(picture):
                self._container.mux(packet)
        except (av.error.FFmpegError, OSError) as error:
            raise self._trouble(error) from error

    def _discard(self) -> None:
        """Close and remove what was staged; whatever goes wrong here has been told already."""
        try:
            if self._container is not None:
                self._container.close()
        except (av.error.FFmpegError, OSError):
            pass
        self._container = None
        self._partial.unlink(missing_ok=True)

    def _trouble(self, error: BaseException) -> OutputError:
        number = getattr(error, "errno", None)
        if number in (errno.ENOSPC, errno.EDQUOT):
            return OutputError(f"{self.path}: the disk is full: free some space and try again")
        if number in (errno.EACCES, errno.EPERM, errno.EROFS):
            return OutputError(f"{self.path}: its folder cannot be written: choose another one")
        words = " ".join(str(error).split())
        return OutputError(f"{self.path}: cannot be written ({words}): check disk and folder")


def exact_rate(frame_rate_hz: float | Fraction, *, name: str) -> Fraction:
    """Give a frame rate as an exact fraction: 30000/1001 for 29.97003, 1000000/33333 for 33.333 ms.

    Raises InputError for a rate that is not a positive number.
    """
    if not np.isfinite(float(frame_rate_hz)) or frame_rate_hz <= 0:
        raise InputError(f"{name}: frame rate {frame_rate_hz} is not a positive number of hertz")
    exact = Fraction(frame_rate_hz)
    if exact < 1:
        return 1 / (1 / exact).limit_denominator(_FINEST_RATE)
    return exact.limit_denominator(_FINEST_RATE)


def _rounded_up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
