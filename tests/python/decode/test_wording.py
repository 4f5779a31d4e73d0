"""Words from files: one line, nothing that a terminal obeys."""

from __future__ import annotations

from medseg.decode.wording import printable


def test_line_breaks_and_escapes_become_spaces() -> None:
    assert printable("a\nb\t c\x1b[2Jd\x00") == "a b c [2Jd"


def test_long_words_are_cut() -> None:
    assert printable("x" * 100, 10) == "xxxxxxx..."
    assert printable("x" * 10, 10) == "x" * 10
