"""Where compressed frames lie: by count, by the offset table, by where a JPEG begins."""

from __future__ import annotations

import io
import struct

import pytest

from medseg.decode.dicom_fragments import Fragments, frame_spans, scan_fragments

ITEM, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0" + bytes(4)


def item(content: bytes) -> bytes:
    return ITEM + struct.pack("<L", len(content)) + content


def scan(pixel_data: bytes) -> Fragments:
    return scan_fragments(io.BytesIO(b"head" + pixel_data), 4, 4 + len(pixel_data))


def test_items_are_found_without_an_offset_table() -> None:
    found = scan(item(b"") + item(b"ab") + item(b"cdef") + END)
    assert found == Fragments((), ((20, 2), (30, 4)), (0, 10), False)


def test_offset_table_is_read() -> None:
    table = struct.pack("<LL", 0, 10)
    assert scan(item(table) + item(b"ab") + item(b"cdef") + END).offset_table == (0, 10)


@pytest.mark.parametrize("lost", [1, 8, 11, 14])
def test_a_file_that_ends_early_is_cut_short_and_keeps_the_whole_items(lost: int) -> None:
    whole = item(b"") + item(b"ab") + item(b"cdef") + END
    found = scan(whole[:-lost])
    assert found.cut_short
    assert found.spans == (((20, 2), (30, 4)) if lost <= 8 else ((20, 2),))


def fragments(table: tuple[int, ...]) -> Fragments:
    return Fragments(table, ((20, 2), (30, 4), (42, 2), (52, 2)), (0, 10, 22, 32), False)


def test_one_fragment_a_frame() -> None:
    spans = [((20, 2),), ((30, 4),), ((42, 2),), ((52, 2),)]
    assert frame_spans(fragments(()), 4, [b""] * 4) == spans


def test_all_fragments_are_the_only_frame() -> None:
    assert frame_spans(fragments(()), 1, [b""] * 4) == [fragments(()).spans]


def test_offset_table_groups_what_has_no_beginning_of_its_own() -> None:
    grouped = [((20, 2),), ((30, 4), (42, 2), (52, 2))]
    assert frame_spans(fragments((0, 10)), 2, [b""] * 4) == grouped


def test_a_table_that_points_nowhere_is_not_believed() -> None:
    begins = [b"\xff\xd8..", b"..", b"\xff\xd8..", b".."]
    grouped = [((20, 2), (30, 4)), ((42, 2), (52, 2))]
    assert frame_spans(fragments((0, 11)), 2, begins) == grouped
    assert frame_spans(fragments(()), 2, begins) == grouped
