"""Clips longer and shorter than a network's window."""

import numpy as np
import pytest
import torch
from torch import nn

from medseg.models.windows import blend_windows, halo_s, reflected, window_starts, window_weights

LENGTH = 32


def clock(count: int, rate_hz: float = 50.0) -> np.ndarray:
    return np.arange(count) / rate_hz


def covered(starts: list[int], count: int, length: int) -> np.ndarray:
    seen = np.zeros(count, int)
    for start in starts:
        assert 0 <= start <= count - length
        seen[start : start + length] += 1
    return seen


@pytest.mark.parametrize("count", [1, 5, 31, 32, 33, 47, 150])
def test_a_network_that_looks_at_each_frame_alone_gives_what_it_gives_unwindowed(count):
    frames = torch.randn(count, 3, 4, 4, generator=torch.Generator().manual_seed(count))

    def squash(window):
        assert len(window) == LENGTH
        return torch.tanh(window.mean(1, keepdim=True))

    blended = blend_windows(
        squash, frames, time_s=clock(count), length=LENGTH, core=slice(0, count)
    )
    alone = torch.tanh(frames.mean(1, keepdim=True))
    torch.testing.assert_close(blended, alone, rtol=0, atol=1e-6)


def test_a_network_that_errs_at_its_window_s_ends_leaves_no_seam():
    """A mean over nine frames that takes what lies outside the window for black."""
    smoothing = nn.Conv1d(1, 1, 9, padding=4, bias=False)
    nn.init.constant_(smoothing.weight, 1 / 9)
    clip = torch.ones(160, 1)

    def errs(window):
        return smoothing(window.T[None])[0].T

    with torch.inference_mode():
        butted = torch.cat([errs(part) for part in clip.split(LENGTH)])[LENGTH // 2 : -LENGTH // 2]
        blended = blend_windows(errs, clip, time_s=clock(160), length=LENGTH, core=slice(0, 160))[
            LENGTH // 2 : -LENGTH // 2
        ]
    assert butted.min() < 0.6  # as the published inference does it: 4 of 9 frames are missing
    assert blended.min() > 0.97
    assert blended.diff(dim=0).abs().max() < 0.015
    assert butted.diff(dim=0).abs().max() > 0.1


@pytest.mark.parametrize("rate_hz", [20, 25, 30, 50, 64, 90, 113.7])
def test_every_frame_is_seen_twice_and_few_often(rate_hz):
    count = 200
    starts = window_starts(clock(count, rate_hz), LENGTH, slice(0, count))
    inner = covered(starts, count, LENGTH)[LENGTH:-LENGTH]
    assert inner.min() >= 2
    assert inner.mean() < 3.2


def test_every_frame_is_seen_where_the_clock_is_irregular():
    """Ten seconds of slow frames, a pause somewhere, and then many in no time at all."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        steps = np.where(np.arange(199) < 105, 0.1, 0.001) * rng.uniform(0.5, 1.5, 199)
        steps[rng.integers(199)] = 20.0
        time_s = np.concatenate([[0], np.cumsum(steps)])
        first = int(rng.integers(0, 200))
        core = slice(first, int(rng.integers(first + 1, 201)))
        starts = window_starts(time_s, LENGTH, core)
        assert covered(starts, 200, LENGTH)[core].min() >= 1


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 61.3])
def test_a_frame_s_answer_does_not_depend_on_what_was_read_around_it(rate_hz):
    """Neighbours as the engine reads them: those within `halo_s` on both sides."""
    count, halo = 200, int(np.ceil(halo_s(LENGTH) * rate_hz))
    time_s = clock(count, rate_hz)
    clip = torch.randn(count, 2, generator=torch.Generator().manual_seed(1))

    def remembers(window):
        return window.cumsum(0) * torch.arange(LENGTH)[:, None]

    def ask(core: slice) -> torch.Tensor:
        first, end = max(core.start - halo, 0), min(core.stop + halo, count)
        inner = slice(core.start - first, core.stop - first)
        return blend_windows(
            remembers, clip[first:end], time_s=time_s[first:end], length=LENGTH, core=inner
        )

    whole = ask(slice(0, count))
    for size in (7, 40, 64):
        parts = [ask(slice(s, min(s + size, count))) for s in range(0, count, size)]
        torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-5, atol=1e-4)


def test_short_clips_go_forth_and_back_and_are_never_black():
    assert reflected(4, 10).tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]
    assert reflected(2, 5).tolist() == [0, 1, 0, 1, 0]
    assert reflected(1, 3).tolist() == [0, 0, 0]
    assert reflected(5, 3).tolist() == [0, 1, 2, 3, 4]
    shown = []

    def keep(window):
        shown.append(window)
        return window

    clip = torch.full((5, 1), 7.0)
    found = blend_windows(keep, clip, time_s=clock(5), length=LENGTH, core=slice(1, 3))
    assert found.tolist() == [[7.0], [7.0]]
    assert shown[0].shape == (LENGTH, 1) and bool((shown[0] == 7).all())


def test_a_window_s_middle_counts_most_and_its_ends_almost_nothing():
    weights = window_weights(LENGTH)
    assert weights.argmax() in (15, 16)
    assert weights[0] < 0.01 and weights.min() > 0
    torch.testing.assert_close(weights, weights.flip(0))
