"""A predictor that needs no network: what is bright inside the box."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest


class Bright:
    """Segments what is above a half inside the box; its memory follows any overlap."""

    name = "bright"
    card: ClassVar = {"name": "bright", "weights_sha256": None, "intended_use": "tests"}

    def __init__(self):
        self.boxes, self.asked = [], []

    def segment(self, picture, boxes):
        self.boxes += boxes
        return [self._one(picture, box) for box in boxes]

    def _one(self, picture, box):
        grey = picture if picture.ndim == 2 else picture.max(axis=2)
        mask = np.zeros(grey.shape, bool)
        inside = np.s_[box.y0 : box.y1 + 1, box.x0 : box.x1 + 1]
        mask[inside] = grey[inside] > 127
        return mask

    def follow(self, slices, prompts):
        self.asked.append((len(slices), [at for at, _ in prompts]))
        masks = np.zeros((len(prompts), *slices.shape[:3]), bool)
        for i, (at, box) in enumerate(prompts):
            masks[i, at] = self._one(slices[at], box)
            for order in (range(at + 1, len(slices)), range(at - 1, -1, -1)):
                before = masks[i, at]
                for z in order:
                    bright = slices[z] > 127
                    masks[i, z] = bright if (bright & before).any() else False
                    before = masks[i, z]
        return masks


@pytest.fixture
def bright():
    return Bright()


@pytest.fixture
def leaning():
    """A bright square, 10 x 10, that moves 2 pixels a slice in slices 2 to 11 of 14."""
    values = np.zeros((14, 40, 50), np.uint8)
    truth = np.zeros(values.shape, np.uint16)
    for z in range(2, 12):
        part = np.s_[z, 10:20, 2 * z : 2 * z + 10]
        values[part], truth[part] = 200, 7
    return values, truth
