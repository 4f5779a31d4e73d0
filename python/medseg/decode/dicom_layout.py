"""Where the frames of a DICOM file lie and how they are stored, checked before one is decoded."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

from medseg.decode.dicom_fragments import Span, frame_spans, scan_fragments
from medseg.decode.dicom_pixels import PixelLayout
from medseg.decode.wording import printable
from medseg.errors import ClipHasNoFrames, ClipUnreadable

MAX_FRAME_PIXELS = 2**26
MAX_INFLATED_FILE_BYTES = 2**27
UNDEFINED_LENGTH = 0xFFFFFFFF


def pixel_layout(
    path: Path, ds: Dataset, syntax: UID, file: BinaryIO
) -> tuple[PixelLayout, tuple[str, ...]]:
    """Find where the frames lie; the file stands at the pixel data's tag."""
    keyword, vr, length, value_offset = _pixel_element(path, ds, file)
    file_size = path.stat().st_size
    options, height, width = _checked_options(path, ds, syntax)
    if vr is not None:
        options["pixel_vr"] = vr
    declared, notes = _declared_frames(ds)
    if not syntax.is_encapsulated:
        if length == UNDEFINED_LENGTH:
            raise ClipUnreadable(f"{path}: its pixel data has no length: export it again")
        room = min(length, file_size - value_offset)
        count, more = _native_frames(path, options, declared, room, height, width)
        notes += more
        spans = None
    else:
        fragments = scan_fragments(file, value_offset, file_size)
        begins = []
        for offset, _ in fragments.spans:
            file.seek(offset)
            begins.append(file.read(4))
        groups = frame_spans(fragments, declared or 0, begins)
        count = declared or len(groups)
        if count == 0:
            raise ClipHasNoFrames(f"{path}: its pixel data is empty: export it again")
        if len(groups) < count or (fragments.cut_short and len(groups) == 0):
            raise _cut_short(path, count, len(groups))
        if len(groups) > count:
            notes += (f"the file says {count} frames and holds {len(groups)}: {count} are used",)
        spans = tuple(groups[:count])
        if syntax == RLELossless:
            _check_rle_can_hold(path, options, spans, height * width)
    layout = PixelLayout(
        path=path,
        transfer_syntax=syntax,
        options=options | {"pixel_keyword": keyword},
        frame_count=count,
        height=height,
        width=width,
        value_offset=value_offset,
        spans=spans,
    )
    return layout, notes


def _check_rle_can_hold(
    path: Path, options: dict[str, Any], spans: tuple[tuple[Span, ...], ...], pixels: int
) -> None:
    """Raise ClipUnreadable where a frame is larger than its run-length code can tell (64 : 1)."""
    frame_bytes = pixels * int(options["samples_per_pixel"]) * int(options["bits_allocated"]) // 8
    shortest = min(sum(length for _, length in frame) for frame in spans)
    if frame_bytes > 64 * shortest:
        raise ClipUnreadable(
            f"{path}: frames of {frame_bytes} bytes cannot come from {shortest} of run-length "
            "code: the file is damaged; copy or export it again"
        )


def inflated_layout(path: Path, ds: Dataset) -> tuple[PixelLayout, tuple[str, ...]]:
    """Read a deflated file whole: there is no way to its frames without the bytes before."""
    if path.stat().st_size > MAX_INFLATED_FILE_BYTES:
        raise ClipUnreadable(f"{path}: is deflated and too large to inflate: export it plain")
    pixels = bytes(pydicom.dcmread(path, force=True).get("PixelData", b""))
    options, height, width = _checked_options(path, ds, ExplicitVRLittleEndian)
    declared, notes = _declared_frames(ds)
    count, more = _native_frames(path, options, declared, len(pixels), height, width)
    layout = PixelLayout(
        path=path,
        transfer_syntax=ExplicitVRLittleEndian,
        options=options | {"pixel_keyword": "PixelData"},
        frame_count=count,
        height=height,
        width=width,
        value_offset=0,
        spans=None,
        inflated=pixels,
    )
    return layout, notes + more


def _pixel_element(path: Path, ds: Dataset, file: BinaryIO) -> tuple[str, str | None, int, int]:
    """Give (keyword, VR, length, offset of the value) of the pixel data element."""
    order = "<" if ds.original_encoding[1] else ">"
    head = file.read(12)
    if len(head) < 8:
        raise ClipHasNoFrames(
            f"{path}: ends where its pixels should begin: copy or export it again"
        )
    group, element = struct.unpack(f"{order}HH", head[:4])
    if (group, element) in ((0x7FE0, 0x0008), (0x7FE0, 0x0009)):
        raise ClipUnreadable(f"{path}: floating-point pixels are no ultrasound picture")
    if (group, element) != (0x7FE0, 0x0010):
        raise ClipUnreadable(f"{path}: is damaged before its pixels: copy or export it again")
    start = file.tell() - len(head)
    if not head[4:6].isupper():  # implicit VR, seen here since some transfer syntaxes lie
        return "PixelData", None, struct.unpack(f"{order}L", head[4:8])[0], start + 8
    if len(head) < 12:
        raise ClipUnreadable(f"{path}: ends where its pixels should begin: copy it again")
    length = struct.unpack(f"{order}L", head[8:12])[0]
    return "PixelData", head[4:6].decode("ascii", errors="replace"), length, start + 12


def _checked_options(path: Path, ds: Dataset, syntax: UID) -> tuple[dict[str, Any], int, int]:
    """Give (decoder options, height, width) after checks that need no pixel."""
    height, width = int(ds.Rows), int(ds.Columns)
    if not 0 < height * width <= MAX_FRAME_PIXELS or min(height, width) < 1:
        raise ClipUnreadable(
            f"{path}: frames of {width} x {height} pixels are not a clip's: the file is damaged"
        )
    samples = int(ds.get("SamplesPerPixel", 1))
    colour = str(ds.PhotometricInterpretation) not in ("MONOCHROME1", "MONOCHROME2") and (
        str(ds.PhotometricInterpretation) != "PALETTE COLOR"
    )
    bits_allocated = int(ds.get("BitsAllocated", 0))
    bits_stored = int(ds.get("BitsStored", bits_allocated))
    if (
        samples != (3 if colour else 1)
        or bits_allocated not in (1, 8, 16, 32)
        or not 1 <= bits_stored <= min(bits_allocated, 16)
    ):
        raise ClipUnreadable(
            f"{path}: {samples} samples a pixel of {bits_stored} in {bits_allocated} bits do not "
            f"fit {printable(ds.PhotometricInterpretation)}: the file is damaged or no picture"
        )
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        available = False
    if not available:
        name = printable(syntax.name) or "an unknown way"
        raise ClipUnreadable(
            f"{path}: its pixels are compressed as {name}, which cannot be decoded here: "
            "export the clip uncompressed, or as MP4 if it is a video stream"
        )
    ds.BitsStored = bits_stored
    options = {
        "rows": height,
        "columns": width,
        "samples_per_pixel": samples,
        "photometric_interpretation": str(ds.PhotometricInterpretation),
        "planar_configuration": int(ds.get("PlanarConfiguration", 0) or 0),
        "bits_allocated": bits_allocated,
        "bits_stored": bits_stored,
        "pixel_representation": int(ds.get("PixelRepresentation", 0) or 0),
    }
    return options, height, width


def _declared_frames(ds: Dataset) -> tuple[int | None, tuple[str, ...]]:
    """Give (NumberOfFrames, warnings): 1 where it is absent, None where it is no such number."""
    try:
        value = ds.get("NumberOfFrames", 1)
        count = 1 if value is None or value == "" else int(value)
    except (TypeError, ValueError, OverflowError):
        return None, ("the file's NumberOfFrames is not a number: frames were counted",)
    if count < 1:
        return None, (f"the file says that it holds {count} frames: frames were counted",)
    return count, ()


def _native_frames(
    path: Path, options: dict[str, Any], declared: int | None, room: int, height: int, width: int
) -> tuple[int, tuple[str, ...]]:
    """Give (frames, warnings) of uncompressed pixels that have ``room`` bytes in the file."""
    bits = height * width * int(options["samples_per_pixel"]) * int(options["bits_allocated"])
    notes: tuple[str, ...] = ()
    if options["photometric_interpretation"] == "YBR_FULL_422":
        if declared is not None and room * 8 >= bits * declared:
            options["photometric_interpretation"] = "YBR_FULL"  # labelled so, yet not subsampled
        else:
            bits = bits * 2 // 3
    held = room * 8 // bits
    count = declared if declared is not None else held
    if count == 0:
        raise ClipHasNoFrames(f"{path}: its pixel data is empty: export it again")
    if held < count:
        raise _cut_short(path, count, held)
    return count, notes


def _cut_short(path: Path, declared: int, held: int) -> ClipUnreadable:
    return ClipUnreadable(
        f"{path}: is cut short: {held} of the {declared} frames that its header counts are there; "
        "copy or export it again"
    )
