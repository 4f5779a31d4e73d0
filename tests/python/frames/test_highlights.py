from __future__ import annotations

import numpy as np
import pytest

from medseg.frames.highlights import highlight_mask, saturation, share_on_highlights


@pytest.mark.parametrize(
    ("colour", "highlight"),
    [
        ((255, 255, 255), True),
        ((250, 245, 238), True),  # what wet tissue mirrors
        ((172, 176, 180), False),  # steel
        ((206, 206, 206), False),  # smoke before the light
        ((255, 215, 120), False),  # bright fat
        ((255, 255, 140), False),  # bright, but yellow
        ((120, 50, 42), False),  # liver
        ((0, 0, 0), False),
    ],
)
def test_what_is_a_highlight(colour, highlight):
    picture = np.full((2, 2, 3), colour, np.uint8)
    assert highlight_mask(picture).all() == highlight
    assert highlight_mask(picture).any() == highlight


def test_saturation_by_the_ms_diagram():
    # pure red: mean 85, 3/2 (255 - 85) = 255; grey: 0; pure yellow: 3/2 (170 - 0) = 255
    pixels = np.array([[255, 0, 0], [90, 90, 90], [255, 255, 0]], np.uint8)
    assert saturation(pixels).tolist() == [1.0, 0.0, 1.0]


def test_the_share_of_a_mask_on_highlights():
    mask, shine = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    assert np.isnan(share_on_highlights(mask, shine))
    mask[:2], shine[1:] = True, True
    assert share_on_highlights(mask, shine) == 0.5
