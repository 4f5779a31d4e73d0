"""Where each compressed frame of an encapsulated DICOM file lies, without reading the frames."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

ITEM, SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
_FRAME_BEGINS = (b"\xff\xd8", b"\xff\x4f", b"\x00\x00\x00\x0c")  # JPEG and JPEG-LS, J2K, JP2

Span = tuple[int, int]  # (offset in the file, bytes)


@dataclass(frozen=True)
class Fragments:
    """The items of an encapsulated pixel data element."""

    offset_table: tuple[int, ...]  # frame starts, from the first item's tag; may be empty
    spans: tuple[Span, ...]  # of whole fragments only
    starts: tuple[int, ...]  # of the fragments' own tags, from the first item's tag
    cut_short: bool  # the file ends inside an item or before the closing delimiter


def scan_fragments(file: BinaryIO, value_offset: int, file_size: int) -> Fragments:
    """Walk through the items from the pixel data's value on."""
    table: tuple[int, ...] = ()
    spans: list[Span] = []
    starts: list[int] = []
    position, first_tag = value_offset, -1
    while True:
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            return Fragments(table, tuple(spans), tuple(starts), True)
        group, element, length = struct.unpack("<HHL", header)
        tag = group << 16 | element
        if tag == SEQUENCE_END:
            return Fragments(table, tuple(spans), tuple(starts), False)
        if tag != ITEM or position + 8 + length > file_size:
            return Fragments(table, tuple(spans), tuple(starts), True)
        if first_tag < 0:  # the first item is the basic offset table
            table = struct.unpack(f"<{length // 4}L", file.read(length // 4 * 4))
            first_tag = position + 8 + length
        else:
            spans.append((position + 8, length))
            starts.append(position - first_tag)
        position += 8 + length


def frame_spans(
    fragments: Fragments, frame_count: int, begins: list[bytes]
) -> list[tuple[Span, ...]]:
    """Group fragments into frames; fewer groups than ``frame_count`` means that some are missing.

    ``begins`` are the first bytes of each fragment. One fragment a frame is taken at its word;
    else the offset table decides, else where a new JPEG begins.
    """
    spans = fragments.spans
    if len(spans) == frame_count:
        return [(span,) for span in spans]
    if frame_count == 1:
        return [spans] if spans else []
    heads = set(fragments.offset_table)
    if len(heads) >= frame_count and heads <= {*fragments.starts, *_missing_starts(fragments)}:
        return _grouped(spans, [start in heads for start in fragments.starts])
    if any(begin.startswith(_FRAME_BEGINS) for begin in begins):
        return _grouped(spans, [begin.startswith(_FRAME_BEGINS) for begin in begins])
    return [(span,) for span in spans]


def _missing_starts(fragments: Fragments) -> tuple[int, ...]:
    """Give the table's starts that lie past the last whole fragment of a file cut short."""
    last = fragments.starts[-1] if fragments.starts else -1
    return tuple(start for start in fragments.offset_table if start > last)


def _grouped(spans: tuple[Span, ...], is_head: list[bool]) -> list[tuple[Span, ...]]:
    groups: list[list[Span]] = []
    for span, head in zip(spans, is_head, strict=True):
        if head or not groups:
            groups.append([])
        groups[-1].append(span)
    return [tuple(group) for group in groups]
