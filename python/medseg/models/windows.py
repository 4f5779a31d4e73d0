"""Networks that see so many frames at a time are run over a longer clip without seams."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from medseg.models.framing import frames_to_square, square_to_frames
from medseg.sector import Sector

SLOWEST_HZ = 25.0  # frame rate down to which `halo_s` asks for a whole window of neighbours
LEAST_WEIGHT = 1e-3  # of a window's outermost frames, which may have no other


def halo_s(length: int) -> float:
    """Seconds of neighbours on each side with which no frame's answer depends on what was read."""
    return length / SLOWEST_HZ


def reflected(count: int, length: int) -> np.ndarray:
    """Frames (length,) to show a network in place of a clip of `count`: forth, back, forth again.

    The first `count` are the clip itself; a longer clip keeps all its frames.
    """
    if count < 1:
        raise ValueError("a clip without frames cannot be padded")
    if count == 1:
        return np.zeros(max(length, 1), int)
    there_and_back = np.concatenate([np.arange(count), np.arange(count - 2, 0, -1)])
    return np.resize(there_and_back, max(length, count))


def window_starts(time_s: np.ndarray, length: int, core: slice) -> list[int]:
    """Choose the first frames of the windows that together see every frame of `core`.

    Windows overlap by half at least. They are hung on the clip's own clock, at the first frame at
    or after each multiple of a fixed number of seconds, so that a frame is seen by the same
    windows whatever part of its clip was read. Where `core` has fewer than `length` neighbours the
    clip ends there, or its neighbours were too many to read: one window more begins or ends there.

    Args:
        time_s: (T,) seconds of the frames at hand, increasing, T >= length.
        length: frames in a window.
        core: the frames that are asked for.

    Returns:
        Increasing indices into the frames at hand.
    """
    count, half = len(time_s), max(length // 2, 1)
    last = count - length
    if last <= 0:
        return [0]
    stride_s = _stride_s(float(np.median(np.diff(time_s))), length)
    hung = np.flatnonzero(np.diff(np.floor(time_s / stride_s)) > 0) + 1
    starts = {int(s) for s in hung if s <= last}
    if core.start < length or min(starts, default=last) > core.start:
        starts.add(0)
    if count - core.stop < length or max(starts) + length < core.stop:
        starts.add(last)
    for before, after in pairwise(sorted(starts)):
        if after - before > length:  # many frames in a short time: the clock is irregular
            starts.update(range(before + half, after, half))
    return sorted(s for s in starts if core.start - length < s < core.stop)


def _stride_s(interval_s: float, length: int) -> float:
    """Half a window in seconds, rounded down to a half power of two.

    Coarse on purpose: the median interval differs a little from one part of a clip to another.
    """
    half = (
        0.55 * length * max(interval_s, 1e-6)
    )  # not 0.5: 16, 32 and 64 Hz would lie on a step's edge
    return float(2 ** (math.floor(2 * math.log2(half)) / 2))


def window_weights(length: int) -> Tensor:
    """Weights (length,) of a window's frames: a squared sine, highest in the middle."""
    phase = (torch.arange(length) + 0.5) / length
    return torch.sin(torch.pi * phase).square().clamp_min(LEAST_WEIGHT)


def blend_windows(
    predict: Callable[[Tensor], Tensor],
    frames: Tensor,
    *,
    time_s: np.ndarray,
    length: int,
    core: slice,
) -> Tensor:
    """Predict the frames of `core` from overlapping windows, blended by smooth weights.

    A clip shorter than a window is padded by reflection in time.

    Args:
        predict: gives (length, ...) for frames (length, ...), the frames in the same order.
        frames: (T, ...) what is at hand, `core` and its neighbours.
        time_s: (T,) seconds.
        length: frames in a window.
        core: the frames that are asked for.

    Returns:
        (core, ...): the mean of the windows' predictions, each frame's weighted by how far it is
        from its window's ends.
    """
    if len(frames) < length:
        return predict(frames[torch.from_numpy(reflected(len(frames), length))])[core]
    weights = window_weights(length)
    total, weight = None, torch.zeros(core.stop - core.start)
    for start in window_starts(time_s, length, core):
        found = predict(frames[start : start + length])
        if total is None:
            total = found.new_zeros((core.stop - core.start, *found.shape[1:]))
        first, end = max(start, core.start), min(start + length, core.stop)
        inside, into = (
            slice(first - start, end - start),
            slice(first - core.start, end - core.start),
        )
        part = weights[inside].to(found).view(-1, *[1] * (found.dim() - 1))
        total[into] += part * found[inside]
        weight[into] += weights[inside]
    assert total is not None
    return total / weight.to(total).view(-1, *[1] * (total.dim() - 1))


def segment_in_windows(
    probability: Callable[[Tensor], Tensor],
    frames: np.ndarray,
    *,
    time_s: np.ndarray,
    core: slice,
    sector: Sector,
    size: int,
    length: int,
    device: torch.device,
) -> np.ndarray:
    """Run a network that sees `length` frames at a time over a clip.

    Args:
        probability: gives (length,1,size,size) in 0..1 for pixels (length,3,size,size) in 0..255.
        frames: (T,H,W,3) uint8 RGB, neighbours included.
        time_s: (T,) seconds.
        core: the frames that are asked for.
        sector: where the ultrasound is.
        size: pixels of the square that the network sees.
        length: frames in a window.
        device: where the network is.

    Returns:
        (core,1,H,W) float32 in 0..1.
    """
    reach = slice(max(core.start - length, 0), core.stop + length)
    pixels, square = frames_to_square(frames[reach], sector, size, device)
    inner = slice(core.start - reach.start, core.stop - reach.start)
    with torch.inference_mode():
        blended = blend_windows(
            probability, pixels, time_s=time_s[reach], length=length, core=inner
        )
        return square_to_frames(blended, square)
