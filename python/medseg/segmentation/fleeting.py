"""Takes out of the ventricle's masks what comes and goes faster than a heart can move.

Just after end-systole, with the valve wide open, a network may run into the atrium for a frame or
two. Masks of neighbouring frames tell: no part of a cavity this thick is there for a moment only.
Consistency over time as a check on frames is Painchaud's (2022, IEEE TMI 41:2867); the rule here is
a simpler one. Its two bounds leave alone all but one of the 39,306 true masks of 200 simulated
clips, with heart rates to 160 bpm, ejection fractions to 80 % and 25 to 100 frames a second
(`tests/benchmarks/fleeting.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.segmentation.cleaning import Mask, Probability
from medseg.segmentation.windows import Window

FLEETING_S = 0.125  # from the last frame without a pixel to the next one without it
THICKNESS = 0.14  # of a lobe, share of the square root of the mask's area; less is a wall's motion
MOST_AWAITED = 32  # frames that are waited for, whatever the frame rate

Found = tuple[Window, Probability]


def without_lobes(
    found: Iterator[Found], time_s: NDArray[np.float64], index: int
) -> Iterator[Found]:
    """Set one object's probability to 0.5, no longer above it, where its mask has a fleeting lobe.

    `found` are windows and their probabilities (core, object, H, W), in order; each comes out once
    the frames up to `FLEETING_S` after it are known. `time_s` are those of the whole clip.
    """
    waiting: deque[Found] = deque()
    before: Mask | None = None  # frames ahead of the first window that waits
    for window, probability in found:
        waiting.append((window, probability))
        while waiting and window.stop >= _awaited(waiting[0][0], time_s):
            before = _take_lobes_out(waiting, before, time_s, index)
            yield waiting.popleft()


def _awaited(window: Window, time_s: NDArray[np.float64]) -> int:
    """The frame before which all must be known that judge a window."""
    reach = int(np.searchsorted(time_s, time_s[window.stop - 1] + FLEETING_S))
    return min(reach, window.stop + MOST_AWAITED)


def _take_lobes_out(
    waiting: deque[Found], before: Mask | None, time_s: NDArray[np.float64], index: int
) -> Mask:
    """Change the first window that waits, and give the frames that the next one looks back on."""
    window, probability = waiting[0]
    parts = [] if before is None else [before]
    parts += [known[:, index] > 0.5 for _, known in waiting]
    first = window.start - (0 if before is None else len(before))
    above = np.concatenate(parts)[: _awaited(window, time_s) - first]
    core = slice(window.start - first, window.stop - first)
    lobes = fleeting_lobes(above, time_s[first : first + len(above)])[core]
    probability[:, index][lobes] = 0.5
    back = int(np.searchsorted(time_s, time_s[window.stop - 1] - FLEETING_S))
    kept: Mask = above[max(back - first, core.stop - MOST_AWAITED, 0) : core.stop]
    return kept


def fleeting_lobes(
    masks: Mask,
    time_s: NDArray[np.float64],
    *,
    fleeting_s: float = FLEETING_S,
    thickness: float = THICKNESS,
) -> Mask:
    """Parts of masks (T, H, W) that are gone again within `fleeting_s` and are thick: (T, H, W).

    What the first or the last frame shows may have lasted longer, and is left alone.
    """
    lobes = np.zeros_like(masks)
    if not masks.any():
        return lobes
    rows = np.flatnonzero(masks.any(axis=(0, 2)))
    columns = np.flatnonzero(masks.any(axis=(0, 1)))
    box = np.s_[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    radius = thickness / 2 * np.sqrt(masks.sum(axis=(1, 2)))
    brief = _brief(masks[box], time_s, fleeting_s)
    for part, lobe, radius_px in zip(brief, lobes[box], radius.tolist(), strict=True):
        _thick(part, radius_px, lobe)
    return lobes


def _brief(masks: Mask, time_s: NDArray[np.float64], fleeting_s: float) -> Mask:
    """Where a pixel is set between two frames in which it is not, less than `fleeting_s` apart."""
    last = np.full(masks.shape[1:], -np.inf)
    unset_before = np.empty(masks.shape)
    for mask, moment_s, unset in zip(masks, time_s.tolist(), unset_before, strict=True):
        last[~mask] = moment_s
        unset[:] = last
    following = np.full(masks.shape[1:], np.inf)
    brief = np.zeros_like(masks)
    for i in range(len(masks) - 1, -1, -1):
        following[~masks[i]] = time_s[i]
        brief[i] = masks[i] & (following - unset_before[i] < fleeting_s)
    return brief


def _thick(part: Mask, radius_px: float, into: Mask) -> None:
    """Write what of a part lies in disks of that radius that it holds."""
    if np.count_nonzero(part) < 3 * radius_px**2:
        return
    inside = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1] > radius_px
    if inside.any():
        into[:] = part & (ndimage.distance_transform_edt(~inside) <= radius_px + 1)
