"""A heart moves with its contraction, its beats and the breath, each by itself."""

from dataclasses import replace

import numpy as np
import pytest

from medseg.simulate import sway
from medseg.simulate.rhythm import Beat

BEATS = [
    Beat(0.0, 0.3, 0.8, 1.0, 0.4, 1.0, 0.7, True),
    Beat(0.8, 1.1, 2.0, 1.0, 0.4, 1.0, 0.7, True),
]


@pytest.fixture
def drawn():
    return sway.draw_sway(np.random.default_rng(7))


def moved(how: sway.Sway, time_s: list[float], volume: float = 1.0) -> np.ndarray:
    times = np.array(time_s)
    return sway.displacement(how, BEATS, times, np.full(len(times), volume))


def test_a_half_emptied_ventricle_has_moved_half_as_far_as_an_emptied_one(drawn):
    only = replace(drawn, beat=0 * drawn.beat, breath=0 * drawn.breath)
    np.testing.assert_allclose(moved(only, [0.1], 1.0), 0, atol=1e-12)
    np.testing.assert_allclose(2 * moved(only, [0.1], 0.5), moved(only, [0.1], 0.0))
    assert np.abs(moved(only, [0.1], 0.5)).min() > 0


def test_what_follows_the_beat_is_the_same_at_the_same_share_of_a_longer_beat(drawn):
    only = replace(drawn, contraction=0 * drawn.contraction, breath=0 * drawn.breath)
    quarter = moved(only, [0.2, 0.8 + 0.3])
    np.testing.assert_allclose(quarter[0], quarter[1])
    assert np.abs(quarter[0] - moved(only, [0.5])[0]).max() > 1e-3
    across = moved(only, [0.8 - 1e-6, 0.8 + 1e-6])  # no jump from one beat to the next
    np.testing.assert_allclose(across[0], across[1], atol=1e-4)


def test_what_follows_the_breath_comes_back_with_it(drawn):
    only = replace(drawn, contraction=0 * drawn.contraction, beat=0 * drawn.beat, breath_s=1.5)
    there = moved(only, [0.3, 1.8, 1.05])
    np.testing.assert_allclose(there[0], there[1])
    np.testing.assert_allclose(there[2], -there[0])  # half a breath later
