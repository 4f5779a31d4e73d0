"""What finds the masks of one picture: any model of medseg, or a baseline without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.frames.highlights import saturation
from medseg.models import Segmenter, load_model
from medseg.sector import Sector

BASELINE = "metal"
_GREY = 0.16  # saturation (MS diagram) below which a pixel is as grey as steel or black plastic
_SMALLEST_SHARE = 0.003  # of the picture: a tip that only just shows


@dataclass(frozen=True, eq=False)
class FoundMask:
    """One mask (H, W) and how sure its finder is, 0..1; None where the finder does not say."""

    mask: NDArray[np.bool_]
    confidence: float | None
    name: str = "object"


class Finder(Protocol):
    """Gives the masks of one RGB picture (H, W, 3), frame `number` of a clip if it is one."""

    name: str
    card: dict[str, Any]

    def __call__(self, picture: NDArray[np.uint8], number: int | None = None) -> list[FoundMask]:
        """Masks, in no order that matters."""
        ...


def load_finder(name: str, *, weights: Path | None = None, device: str = "cpu") -> Finder:
    """A finder by name: `metal`, or a model of medseg.models; raises as load_model does."""
    if name == BASELINE:
        return MetalFinder()
    return SegmenterFinder(load_model(name, weights=weights, device=device))


class SegmenterFinder:
    """A model's objects as masks: probability above a half, seen on the whole picture.

    The confidence is the mean probability inside the mask.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter
        self.name, self.card = segmenter.name, dict(segmenter.card)

    def __call__(self, picture: NDArray[np.uint8], number: int | None = None) -> list[FoundMask]:
        """One mask an object that is there."""
        height, width = picture.shape[:2]
        whole = Sector(np.ones((height, width), bool), (0, 0, height, width), found=False)
        probability = self.segmenter.probabilities(
            picture[None], time_s=np.zeros(1), core=slice(0, 1), sector=whole
        )[0]
        return [
            FoundMask(inside, float(chance[inside].mean()), name)
            for name, chance in zip(self.segmenter.object_names, probability, strict=True)
            if (inside := chance > 0.5).any()
        ]


class MetalFinder:
    """A baseline without a network: connected parts that are too grey to be tissue."""

    name = BASELINE

    def __init__(self) -> None:
        self.card = {
            "name": "metal (baseline)",
            "weights_sha256": None,
            "training_data": "none: a threshold on saturation",
            "licence": "MIT",
            "intended_use": "a floor to compare models with; research only",
        }

    def __call__(self, picture: NDArray[np.uint8], number: int | None = None) -> list[FoundMask]:
        """Grey parts; the confidence is how far below the threshold their saturation lies."""
        height, width = picture.shape[:2]
        step = max(1, height // 270)  # looked for on a coarse grid, then enlarged
        small = picture[::step, ::step]
        colour = saturation(small.reshape(-1, 3)).reshape(small.shape[:2])
        relative = colour / np.maximum(small.max(axis=2) / 255, 0.05)
        lit = small.max(axis=2) > 12  # beyond a scope's round field there is nothing
        grey = ndimage.binary_opening((relative < _GREY) & lit, np.ones((3, 3), bool))
        labels, count = ndimage.label(grey)
        found = []
        for number in range(1, count + 1):
            part = labels == number
            if part.mean() < _SMALLEST_SHARE:
                continue
            confidence = float(np.clip(1 - relative[part].mean() / _GREY, 0, 1))
            solid = ndimage.binary_fill_holes(part)
            mask = np.repeat(np.repeat(solid, step, 0), step, 1)[:height, :width]
            found.append(FoundMask(mask, confidence, "metal"))
        return found
