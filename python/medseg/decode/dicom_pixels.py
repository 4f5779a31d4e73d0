"""Frames of a DICOM file by number, each decoded when it is asked for."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gdcm  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit

from medseg.clip import Frames, check_range
from medseg.decode.dicom_fragments import Span
from medseg.errors import FrameNotDecoded

for _silence in (gdcm.Trace.DebugOff, gdcm.Trace.WarningOff, gdcm.Trace.ErrorOff):
    _silence()
logging.getLogger("pydicom").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class PixelLayout:
    """How and where a file stores its frames."""

    path: Path
    transfer_syntax: str
    options: dict[str, Any]  # for pydicom's decoder: rows, columns, bits, photometric, ...
    frame_count: int
    height: int
    width: int
    value_offset: int  # of the pixel data's value; uncompressed frames follow one another
    spans: tuple[tuple[Span, ...], ...] | None  # of each compressed frame; None: uncompressed
    inflated: bytes | None = None  # the pixel data itself, where the whole file was deflated


class DicomFrames:
    """Reads frames through pydicom's decoders (Pillow, GDCM, its own), one at a time."""

    def __init__(self, layout: PixelLayout, to_rgb: Callable[[Any], Frames]) -> None:
        self.layout, self.to_rgb = layout, to_rgb

    def __call__(self, start: int, stop: int) -> Frames:
        """Give frames [start, stop) as uint8 RGB (T, H, W, 3).

        Raises FrameNotDecoded naming the first frame that cannot be decoded.
        """
        layout = self.layout
        check_range(start, stop, layout.frame_count)
        frames = np.empty((stop - start, layout.height, layout.width, 3), dtype=np.uint8)
        for number in range(start, stop):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    frames[number - start] = self.to_rgb(self._samples(number))
            except Exception as error:  # a broken stream raises whatever its decoder likes
                raise FrameNotDecoded(
                    f"{layout.path}: frame {number} of {layout.frame_count} cannot be decoded "
                    f"({_one_line(error)}): export the clip again"
                ) from error
        return frames

    def _samples(self, number: int) -> np.ndarray[Any, Any]:
        """Decode one frame to (H, W) or (H, W, 3), colour as RGB."""
        layout = self.layout
        decoder = get_decoder(layout.transfer_syntax)
        if layout.inflated is not None:
            options = layout.options | {"number_of_frames": layout.frame_count}
            frames = decoder.iter_array(
                layout.inflated, indices=[number], validate=False, **options
            )
            return next(frames)[0]
        with layout.path.open("rb") as file:
            if layout.spans is None:
                file.seek(layout.value_offset)
                options = layout.options | {"number_of_frames": layout.frame_count}
                # a decoder of its own for each frame: it forgets that YBR_FULL_422 was expanded
                frames = decoder.iter_array(file, indices=[number], validate=False, **options)
                return next(frames)[0]
            stream = b""
            for offset, length in layout.spans[number]:
                file.seek(offset)
                stream += file.read(length)
        options = layout.options | {"number_of_frames": 1}
        raw = False
        if layout.transfer_syntax in (JPEGBaseline8Bit, JPEGExtended12Bit) and adobe_jpeg(stream):
            # Pillow obeys the Adobe marker and gives RGB; the DICOM label must not do it again
            options["decoding_plugin"], raw = "pillow", True
        source = encapsulate([stream], has_bot=False)
        return next(decoder.iter_array(source, indices=[0], validate=False, raw=raw, **options))[0]


def adobe_jpeg(stream: bytes) -> bool:
    """Say whether a colour JPEG tells its own colour transform by an Adobe APP14 segment."""
    position, adobe = 2, False
    while position + 4 <= len(stream) and stream[position] == 0xFF:
        marker = stream[position + 1]
        length = int.from_bytes(stream[position + 2 : position + 4], "big")
        body = stream[position + 4 : position + 2 + length]
        if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = True
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return adobe and len(body) > 5 and body[5] == 3
        if marker == 0xDA:
            return False
        position += 2 + length
    return False


def _one_line(error: Exception) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 120 else words[:117] + "..."
