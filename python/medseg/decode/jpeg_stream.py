"""What a JPEG or JPEG-LS stream says of itself before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass

SOF_MARKERS = (*(m for m in range(0xC0, 0xD0) if m not in (0xC4, 0xC8, 0xCC)), 0xF7)
APP0, APP14, START_OF_SCAN = 0xE0, 0xEE, 0xDA


@dataclass(frozen=True)
class JpegHeader:
    """The frame header of a stream and the segments that name its colours."""

    precision: int  # bits a sample
    height: int
    width: int
    component_ids: bytes
    adobe: bool  # an APP14 segment tells the colour transform, none too
    jfif: bool  # an APP0 segment: colour is luma and chroma


def read_jpeg_header(stream: bytes) -> JpegHeader | None:
    """Read the header up to the first scan; None if the stream is no JPEG or is damaged there."""
    if stream[:2] != b"\xff\xd8":
        return None
    position, adobe, jfif = 2, False, False
    frame: bytes | None = None
    while position + 4 <= len(stream) and stream[position] == 0xFF:
        marker = stream[position + 1]
        length = int.from_bytes(stream[position + 2 : position + 4], "big")
        body = stream[position + 4 : position + 2 + length]
        if marker == APP14 and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = True
        elif marker == APP0 and body.startswith(b"JFIF"):
            jfif = True
        elif marker in SOF_MARKERS:
            frame = body
        elif marker == START_OF_SCAN:
            if frame is None or len(frame) < 6 or len(frame) < 6 + 3 * frame[5]:
                return None
            return JpegHeader(
                precision=frame[0],
                height=int.from_bytes(frame[1:3], "big"),
                width=int.from_bytes(frame[3:5], "big"),
                component_ids=frame[6 : 6 + 3 * frame[5] : 3],
                adobe=adobe,
                jfif=jfif,
            )
        position += 2 + length
    return None


def holds_ycbcr(header: JpegHeader, *, label: str) -> bool:
    """Say whether an 8-bit JPEG holds luma and chroma that Pillow will turn into RGB.

    What the stream says itself (an Adobe or JFIF segment, components named R, G and B) goes
    before the DICOM label: files labelled YBR hold RGB and the other way round, and pydicom
    converts a stream with an Adobe segment twice. Pillow obeys the Adobe segment.
    """
    if header.precision != 8 or len(header.component_ids) != 3:
        return False
    named_rgb = header.component_ids.upper() == b"RGB"
    return header.adobe or header.jfif or (label.startswith("YBR") and not named_rgb)


def ended(stream: bytes) -> bytes:
    """Give the stream with its end marker, which GDCM would wait for without end."""
    return stream if b"\xff\xd9" in stream[-16:] else stream + b"\xff\xd9"
