from __future__ import annotations

import numpy as np
import pytest

from medseg.store.blocks import Blocks


@pytest.mark.parametrize("windows", [[10], [1] * 10, [3, 4, 3], [4, 4, 2], [7, 0, 3]])
def test_any_windows_give_the_same_chunks(windows):
    frames = np.arange(2 * 10 * 2 * 3, dtype=np.uint8).reshape(2, 10, 2, 3)
    blocks = Blocks(2, 4, 2, 3)
    out, start = [], 0
    for length in windows:
        out += blocks.add(frames[:, start : start + length])
        start += length
    out += blocks.rest()
    assert [(row, block) for row, block, _ in out] == [(r, b) for b in range(3) for r in range(2)]
    for row, block, content in out:
        chunk = np.frombuffer(content, np.uint8).reshape(4, 2, 3)
        part = frames[row, block * 4 : block * 4 + 4]
        np.testing.assert_array_equal(chunk[: len(part)], part)
        assert not chunk[len(part) :].any()  # padded with zeros, not with old frames


def test_nothing_is_left_when_the_last_chunk_is_full():
    blocks = Blocks(1, 4, 1, 1)
    assert len(list(blocks.add(np.ones((1, 4, 1, 1), np.uint8)))) == 1
    assert list(blocks.rest()) == []
