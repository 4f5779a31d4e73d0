from __future__ import annotations

import numpy as np
import pytest
import torch

from medseg.errors import InputError
from medseg.frames import filters
from medseg.frames.filters import Recipe, apply, bilateral, noise_level, stretch_levels


def noisy(height=40, width=60, sd=12.0, seed=0):
    """A dark and a bright half with noise."""
    rng = np.random.default_rng(seed)
    clean = np.full((height, width, 3), 60.0)
    clean[:, width // 2 :] = 180
    return np.clip(clean + rng.normal(0, sd, clean.shape), 0, 255).astype(np.uint8)


def test_a_smaller_picture_is_the_mean_over_area():
    picture = np.random.default_rng(1).integers(0, 256, (32, 48, 3)).astype(np.uint8)
    small = apply(picture[None], Recipe(height=16))[0]
    expected = picture.reshape(16, 2, 24, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - expected).max() <= 0.5


def test_sizes_keep_their_shape_and_are_even():
    assert Recipe(height=480).size(2160, 3840) == (480, 854)
    assert Recipe(height=540).size(2160, 3840) == (540, 960)
    assert Recipe().size(33, 35) == (33, 35)
    with pytest.raises(InputError, match=r"cannot be brought down to 1080"):
        Recipe(height=1080).size(540, 960)


def test_a_size_that_does_not_divide_makes_no_moire():
    # stripes finer than the result can show become even grey
    stripes = np.zeros((60, 60, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.ptp(apply(stripes[None], Recipe(height=22))[0][2:-2, 3:-3]) < 45


@pytest.mark.parametrize("denoise", ["bilateral", "nlm"])
def test_denoising_calms_both_halves_and_keeps_the_edge(denoise):
    picture = noisy()
    recipe = Recipe(denoise=denoise, bilateral_colour=0.2)
    smooth = apply(picture[None], recipe)[0].astype(float)
    for half in (np.s_[:, 4:26], np.s_[:, 34:56]):
        assert smooth[half].std() < 0.6 * picture[half].astype(float).std()
    edge = smooth[:, 31:34].mean() - smooth[:, 26:29].mean()
    assert edge > 110  # of 120


def test_the_noise_is_told_from_edges_and_slopes():
    picture = noisy(120, 180, sd=10.0).astype(np.float32)
    picture += np.linspace(0, 30, 180, dtype=np.float32)[None, :, None]
    assert noise_level(picture) == pytest.approx(10.0, rel=0.1)


def test_strips_of_the_bilateral_filter_leave_no_seams(monkeypatch):
    frame = torch.from_numpy(noisy().copy()).permute(2, 0, 1)[None] / 255
    whole = bilateral(frame, Recipe())
    monkeypatch.setattr(filters, "STRIP_BYTES", 1)
    assert torch.allclose(bilateral(frame, Recipe()), whole, atol=1e-6)


def test_stretch_uses_one_range_for_a_clip():
    dark, bright = np.full((8, 8, 3), 60, np.uint8), np.full((8, 8, 3), 120, np.uint8)
    done = apply(np.stack([dark, bright]), Recipe(normalise="stretch"), levels=(40, 140))
    assert done[0, 0, 0].tolist() == [51, 51, 51]  # (60 - 40) / 100
    assert done[1, 0, 0].tolist() == [204, 204, 204]


def test_the_range_is_that_of_the_percentiles():
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:] = np.arange(100)[:, None, None] + 50
    low, high = stretch_levels(picture[None])
    assert low == pytest.approx(50, abs=0.6)
    assert high == pytest.approx(149, abs=0.6)


def test_even_light_spreads_the_levels_and_keeps_the_colour():
    rng = np.random.default_rng(0)
    light = np.linspace(20, 70, 128 * 128).reshape(128, 128, 1) + rng.normal(0, 2, (128, 128, 1))
    picture = np.clip(light * (1.2, 0.8, 0.6), 0, 255).astype(np.uint8)
    evened = apply(picture[None], Recipe(normalise="clahe"))[0].astype(float)
    detail = [np.diff(one.astype(float), axis=0).std() for one in (picture, evened)]
    assert detail[1] > 1.3 * detail[0]
    red = evened[..., 0] / np.maximum(evened[..., 1], 1)
    assert np.median(red) == pytest.approx(1.5, abs=0.1)


@pytest.mark.parametrize(
    "wrong", [{"denoise": "median"}, {"normalise": "x"}, {"height": 4}, {"bilateral_window": 4}]
)
def test_a_recipe_that_cannot_be_is_refused(wrong):
    with pytest.raises(InputError):
        Recipe(**wrong)
