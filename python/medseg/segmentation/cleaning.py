"""From a network's probabilities to one solid mask a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SMOOTHING_S = 0.012  # standard deviation of the smoothing in time; 2 % of a 160 bpm beat's swing
_REACH = 2.5  # standard deviations after which the smoothing is cut off
_EIGHT = np.ones((3, 3), bool)

Probability = NDArray[np.float32]
Mask = NDArray[np.bool_]


def smoothing_reach(interval_s: float) -> int:
    """Neighbouring frames on each side that the smoothing in time wants."""
    return min(int(_REACH * SMOOTHING_S / interval_s), 8) if interval_s > 0 else 0


def smooth_in_time(
    probability: Probability, time_s: NDArray[np.float64], *, core: slice
) -> Probability:
    """Weigh each frame of the core with its close neighbours, by their distance in seconds.

    `probability` is (T, object, H, W) at `time_s` (T,); gives (core, object, H, W). Frames that
    lie farther apart than 0.03 s, as below 33 Hz, do not blend.
    """
    chosen = range(*core.indices(len(time_s)))
    if not chosen:
        return probability[core]
    gap = np.abs(time_s[None, :] - time_s[chosen.start : chosen.stop, None])  # (core, T)
    weight = np.exp(-0.5 * (gap / SMOOTHING_S) ** 2) * (gap <= _REACH * SMOOTHING_S)
    weight /= weight.sum(axis=1, keepdims=True)
    if np.count_nonzero(weight) == len(chosen):  # every frame stands alone
        return probability[core]
    smoothed = np.zeros((len(chosen), *probability.shape[1:]), np.float32)
    for i in range(len(chosen)):
        for j in np.flatnonzero(weight[i]):
            smoothed[i] += np.float32(weight[i, j]) * probability[j]
    return smoothed


def solid_masks(probability: Probability) -> Mask:
    """One component without holes a frame, (T, H, W) from (T, H, W).

    Of several components the one stays that the whole window's probability supports most, so that
    a blot of one frame does not displace the cavity.
    """
    support = probability.mean(axis=0)  # (H, W)
    masks = np.zeros(probability.shape, bool)
    for frame, mask in zip(probability, masks, strict=True):
        _solid(frame > 0.5, support, mask)
    return masks


def _solid(above: Mask, support: Probability, into: Mask) -> None:
    rows = np.flatnonzero(above.any(axis=1))
    if rows.size == 0:
        return
    columns = np.flatnonzero(above.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    labels, count = ndimage.label(above[window], _EIGHT)
    if count > 1:
        weight = support[window].ravel() + np.float32(1e-6)
        weights = np.bincount(labels.ravel(), weight, minlength=count + 1)
        part = labels == 1 + int(np.argmax(weights[1:]))
    else:
        part = labels > 0
    into[window] = _without_holes(part)


def _without_holes(mask: Mask) -> Mask:
    """The mask and all that it shuts off from the border; SciPy's takes four times as long."""
    outside, count = ndimage.label(np.pad(~mask, 1, constant_values=True))
    if count == 1:  # nothing is shut off
        return mask
    filled: Mask = outside != outside[0, 0]
    return filled[1:-1, 1:-1]


def sharpness(probability: Probability, mask: Mask) -> float:
    """Soft Dice of a (H, W) probability with its own mask: 1 for a certain network, 0..1.

    Blurred edges and probability spent elsewhere in the frame lower it.
    """
    inside = float(probability[mask].sum())
    total = float(probability.sum()) + float(np.count_nonzero(mask))
    return min(1.0, 2.0 * inside / total) if total > 0 else 0.0
