from __future__ import annotations

import gzip

import pytest

from medseg.store.chunks import compress, decompress

CONTENT = bytes(range(200)) * 3


def test_round_trip():
    assert decompress(compress(CONTENT), 600) == CONTENT
    assert gzip.decompress(compress(CONTENT)) == CONTENT


def test_equal_content_gives_equal_bytes_without_a_time():
    assert compress(CONTENT) == compress(CONTENT)
    assert compress(CONTENT)[4:8] == b"\0\0\0\0"  # RFC 1952: MTIME


def test_members_of_other_writers_are_read():
    assert decompress(gzip.compress(CONTENT, 9, mtime=1_000_000), 600) == CONTENT


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CONTENT, "not a whole gzip member"),
        (b"", "decodes to 0 bytes, not 600"),
        (compress(CONTENT[:-1]), "decodes to 599 bytes, not 600"),
        (compress(CONTENT + b"x"), "decodes to more than 600 bytes"),
        (compress(CONTENT)[:-1], "without its end"),
        (compress(CONTENT)[:-9], "bytes, not 600|without its end"),
        (compress(CONTENT) + b"x", "after its gzip member"),
        (compress(CONTENT)[:-8] + b"\0" * 8, "not a whole gzip member"),
    ],
)
def test_damage_is_an_error(content, message):
    with pytest.raises(ValueError, match=message):
        decompress(content, 600)


def test_every_single_bit_matters():
    """A flip in the header's time, flags and system is harmless; everywhere else it is found."""
    member = compress(CONTENT)
    for bit in range(10 * 8, len(member) * 8):
        flipped = bytearray(member)
        flipped[bit // 8] ^= 1 << (bit % 8)
        try:
            assert decompress(bytes(flipped), 600) == CONTENT
        except ValueError:
            continue


def test_a_bomb_is_not_inflated():
    bomb = compress(b"\0" * 50_000_000)
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        decompress(bomb, 1000)
