"""Frames of a DICOM file by number, each decoded when it is asked for."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import gdcm  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from medseg.clip import Frames, check_range
from medseg.decode.dicom_fragments import Span
from medseg.decode.jpeg_stream import ended, holds_ycbcr, read_jpeg_header
from medseg.decode.wording import printable
from medseg.errors import FrameNotDecoded

for _silence in (gdcm.Trace.DebugOff, gdcm.Trace.WarningOff, gdcm.Trace.ErrorOff):
    _silence()
logging.getLogger("pydicom.pixels").setLevel(logging.CRITICAL)  # errors are raised, not logged

Samples = np.ndarray[Any, Any]
_PILLOW_JPEG = (JPEGBaseline8Bit, JPEGExtended12Bit)
_JPEG = (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes)
_JPEG_2000 = (JPEG2000Lossless, JPEG2000)


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

    def _samples(self, number: int) -> Samples:
        """Decode one frame to (H, W) or (H, W, 3), colour as RGB."""
        layout = self.layout
        if layout.spans is None:
            return self._uncompressed(number)
        stream = b""
        with layout.path.open("rb") as file:
            for offset, length in layout.spans[number]:
                file.seek(offset)
                stream += file.read(length)
        if layout.transfer_syntax in _JPEG:
            header = read_jpeg_header(stream)
            if header is None or (header.height, header.width) != (layout.height, layout.width):
                # GDCM never comes back from some of these
                raise ValueError("its compressed stream is damaged")
            label = layout.options["photometric_interpretation"]
            if layout.transfer_syntax in _PILLOW_JPEG and holds_ycbcr(header, label=label):
                with Image.open(BytesIO(stream), formats=("JPEG",)) as image:
                    return np.asarray(image.convert("RGB"))  # libjpeg converts, and only once
            stream = ended(stream)
        if layout.transfer_syntax == RLELossless:
            return self._decoded(stream)
        if layout.transfer_syntax in _JPEG_2000:
            with suppress(Exception):  # GDCM, below, forgives more
                return self._decoded(stream, decoding_plugin="pillow")
        with _stderr_closed():  # GDCM's libraries print on what they cannot decode
            return self._decoded(stream)

    def _decoded(self, stream: bytes, **options: Any) -> Samples:
        """Decode one compressed frame through pydicom's plugins."""
        options |= self.layout.options | {"number_of_frames": 1}
        source = encapsulate([stream], has_bot=False)
        decoder = get_decoder(self.layout.transfer_syntax)
        return next(decoder.iter_array(source, indices=[0], validate=False, **options))[0]

    def _uncompressed(self, number: int) -> Samples:
        layout = self.layout
        options = layout.options | {"number_of_frames": layout.frame_count}
        # a decoder run of its own for each frame: a longer one forgets, after its first frame,
        # that YBR_FULL_422 has to be expanded
        decoder = get_decoder(layout.transfer_syntax)
        with BytesIO(layout.inflated) if layout.inflated else layout.path.open("rb") as file:
            file.seek(layout.value_offset)
            frames = decoder.iter_array(file, indices=[number], validate=False, **options)
            return next(frames)[0]


@contextmanager
def _stderr_closed() -> Iterator[None]:
    """Send what a C library prints on file descriptor 2 to nowhere, for as long as the block."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no such descriptor to print on
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _one_line(error: Exception) -> str:
    if "all available plugins" in str(error):
        return "its compressed stream is damaged or of a kind that is not known here"
    return printable(error, 120) or type(error).__name__
