"""How many frames a video file holds and when each was taken, by its own container."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from medseg.clip import Clip, Times
from medseg.decode.signature import sha256_of_file
from medseg.decode.video_frames import VideoFrames
from medseg.errors import ClipHasNoFrames, ClipUnreadable, FrameNotDecoded

MAX_FRAME_PIXELS = 2**26
MAX_FRAME_RATE_HZ = 10_000.0
_EXTENSIONS = {"mp4": (".mov", ".m4v"), "mkv": (".webm",), "wmv": (".asf",), "mpg": (".mpeg",)}


@dataclass(frozen=True)
class PacketIndex:
    """What a container says about its picture stream before anything is decoded."""

    stamps: np.ndarray[Any, np.dtype[np.int64]]  # (frame,) in time_base, in display order
    has_pts: bool  # False: only decoding times are there, frames are found by counting
    time_base: Fraction
    header_count: int  # 0: the header does not say
    packet_count: int
    height: int
    width: int


def open_video(path: Path, *, kind: str) -> Clip:
    """Open a video file of a known container.

    Raises ClipUnreadable for a damaged or truncated file, ClipHasNoFrames when there is no
    picture stream.
    """
    index = _read_index(path)
    if not 0 < index.height * index.width <= MAX_FRAME_PIXELS:
        raise ClipUnreadable(
            f"{path}: frames of {index.width} x {index.height} pixels are not a clip's: "
            "the file is damaged; export it again"
        )
    frame_count = len(index.stamps)
    times, source, notes = _frame_times(index)
    frames = VideoFrames(
        path,
        stamps=index.stamps if index.has_pts else None,
        frame_count=frame_count,
        height=index.height,
        width=index.width,
    )
    try:
        frames.read(0, 1)
    except FrameNotDecoded as error:
        raise ClipUnreadable(
            f"{path}: its first frame cannot be decoded: the file is damaged or its codec is "
            "not known; export it again as AVI (MJPEG) or MP4 (H.264)"
        ) from error
    extension = path.suffix.lower()
    return Clip(
        name=path.stem,
        kind=extension[1:] if extension in _EXTENSIONS.get(kind, ()) else kind,
        frame_count=frame_count,
        height=frames.height,
        width=frames.width,
        frame_time_s=times,
        frame_time_source=source,
        spacing_cm=None,
        spacing_reason="video files carry no pixel spacing",
        sha256=sha256_of_file(path),
        read=frames.read,
        warnings=notes,
    )


def _read_index(path: Path) -> PacketIndex:
    """Read every packet's time stamp, without decoding, and compare with the header's count."""
    index = _demux(path, {})
    if index.header_count > index.packet_count:
        # An MP4 edit list hides frames on purpose; without it the counts agree.
        whole = _demux(path, {"ignore_editlist": "1"})
        if index.header_count > whole.packet_count:
            raise ClipUnreadable(
                f"{path}: is cut short: {index.packet_count} of the {index.header_count} frames "
                "that its header counts are there; copy or export it again"
            )
    if len(index.stamps) == 0:
        raise ClipHasNoFrames(f"{path}: its picture stream is empty: export it again")
    return index


def _demux(path: Path, options: dict[str, str]) -> PacketIndex:
    try:
        container = av.open(str(path), options=options)
    except (av.error.FFmpegError, ValueError) as error:
        raise ClipUnreadable(
            f"{path}: no frames can be found in it: it is damaged or was never finished; "
            "copy or export it again"
        ) from error
    with container:
        if not container.streams.video:
            raise ClipHasNoFrames(f"{path}: holds no picture stream: give a clip with pictures")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise ClipUnreadable(
                f"{path}: its codec is not known: export it as AVI (MJPEG) or MP4 (H.264)"
            )
        pts: list[int] = []
        dts: list[int] = []
        packet_count, has_pts = 0, True
        try:
            for packet in container.demux(stream):
                if packet.size == 0 or packet.is_corrupt:
                    continue
                packet_count += 1
                if packet.is_discard:
                    continue
                has_pts = has_pts and packet.pts is not None
                pts.append(packet.pts if packet.pts is not None else 0)
                dts.append(packet.dts if packet.dts is not None else len(dts))
        except av.error.FFmpegError:
            pass  # the counts tell whether something is missing
        if has_pts and len(set(pts)) < len(pts):
            pts, has_pts = [], False
        return PacketIndex(
            stamps=np.sort(np.array(pts if has_pts else dts, dtype=np.int64)),
            has_pts=has_pts,
            time_base=stream.time_base or Fraction(0),
            header_count=stream.frames,
            packet_count=packet_count,
            height=stream.codec_context.height,
            width=stream.codec_context.width,
        )


def _frame_times(index: PacketIndex) -> tuple[Times | None, str, tuple[str, ...]]:
    """Give (times in seconds, source, warnings) from the time stamps."""
    if len(index.stamps) == 1:
        return np.zeros(1), "single frame", ()
    ticks = index.stamps - index.stamps[0]
    if index.time_base <= 0 or (np.diff(ticks) <= 0).any():
        return None, "unknown", ("the container's frame times do not increase, so none are used",)
    times = ticks.astype(np.float64) * index.time_base.numerator / index.time_base.denominator
    rate_hz = 1.0 / float(np.median(np.diff(times)))
    if rate_hz > MAX_FRAME_RATE_HZ:
        return None, "unknown", (f"the container says {rate_hz:.4g} frames a second: not used",)
    return times, "container", ()
