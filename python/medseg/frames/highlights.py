"""Where a surgical picture shows mirrored light, and how much of a mask lies on it.

A highlight is bright and without colour. The saturation is that of the MS diagram (Ortiz and
Torres 2006, on specular reflectance in colour images), by which a highlight has at most a third of
the greatest saturation. Its rule for brightness, half of the brightest
pixel, takes every grey instrument for a highlight, so ours is stricter and absolute: 0.82 of full
scale, which steel lit from the camera seldom reaches. Both constants are in every table's header.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BRIGHTEST_MEAN = 0.82  # of full scale: the mean of the three channels is at least that
LEAST_COLOUR = 1 / 3  # of the greatest saturation (0..1, MS diagram) of a pixel so bright
ON_HIGHLIGHT = 0.5  # share of a mask on highlights above which it is a false positive


def highlight_mask(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels (H, W) of an RGB picture (H, W, 3) that show mirrored light."""
    channels = picture.astype(np.int32)
    total = channels.sum(axis=2)
    bright: NDArray[np.bool_] = total >= 3 * 255 * BRIGHTEST_MEAN
    if not bright.any():
        return bright
    bright[bright] = saturation(picture[bright]) <= LEAST_COLOUR
    return bright


def saturation(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Saturation 0..1 of RGB pixels (N, 3) by the MS diagram.

    With the channels sorted, max >= mid >= min, and their mean m: 3/2 (max - m) where
    max + min >= 2 mid, else 3/2 (m - min), over full scale.
    """
    ordered = np.sort(pixels.astype(np.float64), axis=1)
    least, middle, most = ordered.T
    mean = ordered.mean(axis=1)
    part = np.where(most + least >= 2 * middle, most - mean, mean - least)
    shares: NDArray[np.float64] = 1.5 * part / 255
    return shares


def share_on_highlights(mask: NDArray[np.bool_], highlights: NDArray[np.bool_]) -> float:
    """Share of a mask's pixels, (H, W) each, that lie on highlights; NaN for an empty mask."""
    area = np.count_nonzero(mask)
    return np.count_nonzero(mask & highlights) / area if area else float("nan")


def highlight_words() -> str:
    """The definition in one line, for tables and help."""
    return (
        f"highlight: mean of RGB >= {BRIGHTEST_MEAN:.2f} of full scale and saturation "
        f"(MS diagram) <= {LEAST_COLOUR:.2f}; a mask with more than {ON_HIGHLIGHT:.0%} of its "
        "pixels on highlights is a highlight false positive"
    )
