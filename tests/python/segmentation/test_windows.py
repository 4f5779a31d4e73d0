"""Windows cover every frame once as core, with its true neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medseg.clip import clip_from_array
from medseg.errors import FrameNotDecoded
from medseg.segmentation.windows import read_windows, window_size


def numbered(frames: int):
    array = np.zeros((frames, 6, 8), np.uint8)
    array += np.arange(frames, dtype=np.uint8)[:, None, None]
    return clip_from_array(array, frame_rate_hz=50.0)


@pytest.mark.parametrize(
    ("frames", "size", "halo"), [(30, 8, 3), (30, 64, 5), (9, 4, 10), (1, 4, 2)]
)
def test_every_frame_is_core_once_and_has_its_neighbours(frames, size, halo):
    clip = numbered(frames)
    reads = []

    def read(start, stop):
        reads.extend(range(start, stop))
        return clip.read(start, stop)

    seen = []
    for window in read_windows(replace(clip, read=read), size=size, halo=halo):
        shown = window.frames[:, 0, 0, 0].tolist()
        first, last = max(0, window.start - halo), min(frames, window.stop + halo)
        assert shown == list(range(first, last))
        assert window.first == first
        seen += window.frames[window.core][:, 0, 0, 0].tolist()
    assert seen == list(range(frames))
    assert reads == list(range(frames))  # each decoded once


def test_a_frame_that_cannot_be_decoded_is_marked_and_bridged():
    clip = numbered(12)

    def read(start, stop):
        if start <= 5 < stop:
            raise FrameNotDecoded("frame 5 is damaged")
        return clip.read(start, stop)

    windows = list(read_windows(replace(clip, read=read), size=12, halo=0))
    assert np.flatnonzero(~windows[0].decoded).tolist() == [5]
    assert windows[0].frames[5, 0, 0, 0] in (4, 6)
    assert windows[0].frames[6, 0, 0, 0] == 6


def test_windows_of_large_frames_are_shorter():
    small, large = numbered(3), clip_from_array(np.zeros((1, 1080, 1920), np.uint8))
    assert window_size(small, 64) == 64
    assert window_size(large, 64) == 8
    assert window_size(large, 2) == 2
