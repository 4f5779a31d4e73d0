"""Bursts lie around the moment of the beat that they are asked for."""

import numpy as np

from medseg.simulate import stills


def smallest_frames(centre: str) -> np.ndarray:
    """Index of the frame with the smallest ventricle, of thirty hearts' six."""
    hearts = stills.draw_bursts(5, 30, size=64, centred={centre: 1.0})
    return (hearts.labels == 1).sum((2, 3)).argmin(1)


def test_around_end_systole_the_smallest_ventricle_is_in_the_middle():
    assert np.isin(smallest_frames("end-systole"), (2, 3, 4)).mean() > 0.8


def test_in_early_filling_the_smallest_ventricle_has_just_been():
    assert np.isin(smallest_frames("early filling"), (1, 2)).mean() > 0.8
