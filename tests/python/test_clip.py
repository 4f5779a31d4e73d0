"""Facts about clips made of arrays: their clock, their spacing, their windows."""

from __future__ import annotations

import numpy as np
import pytest

from medseg.clip import clip_from_array
from medseg.errors import InputError

FRAMES = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)


def test_given_rate_gives_times_from_zero() -> None:
    clip = clip_from_array(FRAMES, name="a", frame_rate_hz=50)
    assert clip.frame_time_s is not None
    np.testing.assert_allclose(clip.frame_time_s, [0, 0.02, 0.04, 0.06, 0.08])
    assert (clip.frame_time_source, clip.frame_rate_hz) == ("given", pytest.approx(50))


def test_without_a_rate_the_times_are_unknown_and_never_guessed() -> None:
    clip = clip_from_array(FRAMES, name="a")
    assert clip.frame_time_s is None
    assert clip.frame_rate_hz is None
    assert clip.frame_time_source == "unknown"


def test_single_frame_has_a_time_and_no_rate() -> None:
    clip = clip_from_array(FRAMES[:1], name="a", frame_rate_hz=50)
    assert clip.frame_time_source == "single frame"
    assert clip.frame_rate_hz is None


def test_grey_is_read_as_rgb_and_the_copy_is_the_readers_own() -> None:
    clip = clip_from_array(FRAMES, name="a")
    frames = clip.read(1, 3)
    assert frames.shape == (2, 2, 3, 3)
    assert (frames == FRAMES[1:3, ..., np.newaxis]).all()
    frames[:] = 0
    assert clip.read(1, 3).any()


def test_windows_cover_every_frame_once_with_a_short_last_one() -> None:
    clip = clip_from_array(FRAMES, name="a")
    pieces = list(clip.windows(2))
    assert [(start, len(frames)) for start, frames in pieces] == [(0, 2), (2, 2), (4, 1)]
    assert (np.concatenate([frames for _, frames in pieces]) == clip.read(0, 5)).all()


def test_rate_is_one_over_the_median_interval() -> None:
    clip = clip_from_array(FRAMES, name="a", frame_rate_hz=40)
    assert clip.frame_time_s is not None
    clip.frame_time_s[-1] += 3.0  # a late last frame does not change the rate
    assert clip.frame_rate_hz == pytest.approx(40)


def test_spacing_is_unknown_with_a_reason_or_known_without() -> None:
    assert clip_from_array(FRAMES, name="a").spacing_reason
    clip = clip_from_array(FRAMES, name="a", spacing_cm=(0.03, 0.04))
    assert (clip.spacing_cm, clip.spacing_reason) == ((0.03, 0.04), None)


def test_same_pixels_have_the_same_hash_and_other_shapes_another() -> None:
    one, two = clip_from_array(FRAMES, name="a"), clip_from_array(FRAMES.copy(), name="b")
    other = clip_from_array(FRAMES.reshape(5, 3, 2), name="a")
    assert one.sha256 == two.sha256 != other.sha256
    assert len(one.sha256) == 64


@pytest.mark.parametrize(
    ("frames", "options"),
    [
        (FRAMES.astype(np.float32), {}),
        (FRAMES[0], {}),
        (FRAMES[:0], {}),
        (FRAMES.reshape(5, 1, 3, 2), {}),
        (FRAMES, {"frame_rate_hz": 0.0}),
        (FRAMES, {"frame_rate_hz": float("nan")}),
        (FRAMES, {"spacing_cm": (0.1, -0.1)}),
        (FRAMES, {"view": "four chambers"}),
    ],
)
def test_what_is_no_clip_is_refused_in_one_line(frames: np.ndarray, options: dict) -> None:
    with pytest.raises(InputError) as refused:
        clip_from_array(frames, name="a", **options)
    assert str(refused.value).startswith("a:")
    assert "\n" not in str(refused.value)


def test_frames_outside_the_clip_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="within"):
        clip_from_array(FRAMES, name="a").read(3, 6)
