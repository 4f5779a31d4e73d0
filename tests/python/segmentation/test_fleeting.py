"""What comes and goes faster than a heart can move is taken out, and nothing that a heart does."""

from __future__ import annotations

import numpy as np
import pytest

from medseg.clip import clip_from_array
from medseg.geometry import polygon_mask
from medseg.segmentation import segment
from medseg.segmentation import windows as windows_module
from medseg.segmentation.fleeting import FLEETING_S, fleeting_lobes
from medseg.simulate import heart, rhythm

CAVITY = np.hypot(*np.mgrid[-20:44, -32:32]) < 16  # a disk of 797 pixels
LOBE = np.zeros_like(CAVITY)
LOBE[34:44, 27:37] = True  # ten by ten, of which the disk covers a row or two
LOBE &= ~CAVITY


def with_lobe(frames: range, count: int = 15) -> np.ndarray:
    masks = np.repeat(CAVITY[None], count, axis=0)
    masks[frames.start : frames.stop] |= LOBE
    return masks


@pytest.mark.parametrize("rate_hz", [25, 30, 60, 100])
def test_a_lobe_is_taken_out_if_it_is_gone_within_an_eighth_of_a_second(rate_hz):
    longest = int(np.ceil(FLEETING_S * rate_hz)) - 2  # frames with the lobe, between two without
    time_s = np.arange(15) / rate_hz
    brief = fleeting_lobes(with_lobe(range(2, 2 + longest)), time_s)
    assert longest >= 1
    assert np.array_equal(brief.any((1, 2)), [2 <= i < 2 + longest for i in range(15)])
    assert np.count_nonzero(brief[2] & LOBE) > 0.9 * np.count_nonzero(LOBE)
    assert not (brief & CAVITY).any()
    assert not fleeting_lobes(with_lobe(range(2, 4 + longest)), time_s).any()


def test_at_ten_frames_a_second_nobody_can_tell():
    assert not fleeting_lobes(with_lobe(range(5, 6)), np.arange(15) / 10).any()


def test_a_lobe_in_the_first_or_last_frames_may_have_lasted_longer():
    time_s = np.arange(15) / 50
    assert not fleeting_lobes(with_lobe(range(0, 2)), time_s).any()
    assert not fleeting_lobes(with_lobe(range(13, 15)), time_s).any()
    assert fleeting_lobes(with_lobe(range(12, 14)), time_s).any()


def test_a_wall_that_swings_out_for_a_moment_is_no_lobe():
    wider = np.hypot(*np.mgrid[-20:44, -32:32]) < 18  # by two pixels of 32
    masks = np.stack([CAVITY] * 7 + [wider] + [CAVITY] * 7)
    assert not fleeting_lobes(masks, np.arange(15) / 50).any()


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
def test_the_liveliest_hearts_keep_their_true_masks(rate_hz):
    rng = np.random.default_rng(8)
    time_s = np.arange(int(1.2 * rate_hz)) / rate_hz
    for _ in range(8):
        body = heart.draw_heart(rng)
        beating = rhythm.draw_rhythm(rng, kind="sinus", heart_rate_bpm=160.0, ejection_fraction=0.8)
        beats = rhythm.draw_beats(rng, beating, duration_s=1.2)
        outlines = [
            heart.cavity_polygon(body, volume) * 10 + [64, 10]  # a millimetre a pixel
            for volume in rhythm.relative_volume(beats, time_s)
        ]
        masks = np.stack([polygon_mask(one[:, 1], one[:, 0], (128, 128)) for one in outlines]) > 0
        assert masks.any(axis=(1, 2)).all()
        assert not fleeting_lobes(masks, time_s).any()


@pytest.mark.parametrize("size", [2, 7, 64])
def test_a_clip_is_cleared_of_lobes_whatever_its_windows(
    make_beating, make_thresholder, monkeypatch, size
):
    monkeypatch.setattr(windows_module, "SMALLEST_WINDOW", 1)
    frames, truth = make_beating(60)
    for i in (13, 14, 15, 34, 59):  # three frames, one, and the last, which nothing follows
        frames[i, 80:96, 48:64] = 20
    clip = clip_from_array(frames, name="bullet", frame_rate_hz=50.0)
    found = segment(clip, make_thresholder(), window=size)["mask"].values[0] > 0
    beyond = np.count_nonzero(found & ~truth, axis=(1, 2))
    assert beyond[-1] > 150
    assert beyond[:-1].max() < 20
    assert np.count_nonzero(truth & ~found) < 0.01 * np.count_nonzero(truth)
