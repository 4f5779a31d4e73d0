"""What kind of file is this, judged by its first bytes and never by its name."""

from __future__ import annotations

import hashlib
from pathlib import Path

HEAD_BYTES = 512

# offset, bytes, kind
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (128, b"DICM", "dicom"),
    (8, b"AVI ", "avi"),
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"wide", "mp4"),
    (0, b"\x1a\x45\xdf\xa3", "mkv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wmv"),
    (0, b"\x00\x00\x01\xba", "mpg"),
    (0, b"\x00\x00\x01\xb3", "mpg"),
    (0, b"GIF8", "gif"),
    (0, b"\x89PNG\r\n\x1a\n", "picture"),
    (0, b"\xff\xd8\xff", "picture"),
)
CONTAINERS = ("avi", "mp4", "mkv", "wmv", "mpg", "gif")


def file_kind(head: bytes) -> str | None:
    """Give "dicom", "picture", a name of CONTAINERS, or None for a file of no known kind.

    ``head`` is the file's first 512 bytes. DICOM without its preamble is known by a first
    element of group 0002 or 0008.
    """
    for offset, signature, kind in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature and (
            kind != "avi" or head[:4] == b"RIFF"
        ):
            return kind
    return "dicom" if _begins_with_dicom_element(head) else None


def _begins_with_dicom_element(head: bytes) -> bool:
    """Say whether the bytes begin with an element of group 0002 or 0008, low in the group."""
    if len(head) < 16:
        return False
    for order in ("little", "big"):
        group = int.from_bytes(head[0:2], order)
        element = int.from_bytes(head[2:4], order)
        explicit = head[4:6].isalpha() and head[4:6].isupper()
        implicit = int.from_bytes(head[4:8], "little") < 256
        if group in (2, 8) and element <= 0x0018 and (explicit or implicit):
            return True
    return False


def sha256_of_file(path: Path) -> str:
    """Give the SHA-256 of a file's bytes in hexadecimal, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
