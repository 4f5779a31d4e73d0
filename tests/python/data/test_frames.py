"""The pictures of a case: all or chosen, in the order asked, grey or colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from medseg.data import open_case, open_dataset, pixel_aspect, read_frames
from medseg.data.frames import grey_of
from medseg.errors import ClipNotFound, InputError


@pytest.fixture
def case(echonet):
    return open_dataset(echonet.write()).cases["0XA"]


def test_chosen_frames_are_those_of_the_whole_clip(case):
    whole = read_frames(case)
    assert whole.shape == (6, 48, 64)
    assert whole.dtype == np.uint8
    assert np.array_equal(read_frames(case, [4, 0, 1, 4]), whole[[4, 0, 1, 4]])
    assert read_frames(case, []).shape == (0, 48, 64)


def test_colour_is_rgb_and_grey_is_its_luma(tmp_path, case):
    folder = tmp_path / "frames"
    folder.mkdir()
    # ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B
    for i, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90)]):
        Image.new("RGB", (8, 6), colour).save(folder / f"{i}.png")
    pictures = replace(case, path=folder)
    assert read_frames(pictures, [2], colour=True)[0, 0, 0].tolist() == [0, 0, 255]
    assert read_frames(pictures)[:, 0, 0] == pytest.approx([76.2, 149.7, 29.1, 90], abs=1.2)
    assert grey_of(np.full((2, 2, 3), 255, np.uint8)).tolist() == [[255, 255]] * 2


def test_only_the_frames_asked_for_are_decoded(case, monkeypatch):
    clip, asked = open_case(case), []

    def read(start, stop):
        asked.append((start, stop))
        return clip.read(start, stop)

    monkeypatch.setattr("medseg.data.frames.open_case", lambda _: replace(clip, read=read))
    read_frames(case, [5, 1, 2])
    assert asked == [(1, 3), (5, 6)]


def test_the_lists_rate_counts_only_where_the_file_has_none(tmp_path, case):
    assert open_case(replace(case, frame_rate_hz=33.0)).frame_rate_hz == pytest.approx(50.0)
    folder = tmp_path / "frames"
    folder.mkdir()
    for i in range(3):
        Image.new("L", (8, 6), i).save(folder / f"{i}.png")
    clip = open_case(replace(case, path=folder, frame_rate_hz=33.0))
    assert clip.frame_rate_hz == pytest.approx(33.0)
    assert clip.view == "A4C"
    assert pixel_aspect(clip) is None


def test_a_frame_outside_and_a_missing_file_are_refused(case):
    with pytest.raises(InputError, match="frame 6 is outside its 6 frames"):
        read_frames(case, [0, 6])
    with pytest.raises(InputError, match="frame -1"):
        read_frames(case, [-1])
    with pytest.raises(ClipNotFound):
        read_frames(replace(case, path=case.path.with_name("no.avi")))
