"""Points along the ventricle's contour: from a tracing, as heatmaps, and back to a mask."""

from __future__ import annotations

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

POINTS = 7
SIGMA_PX = 3.0  # of a heatmap's Gaussian, at 112 pixels a side
CURVE_POINTS = 64  # that the outline between the landmarks is drawn with
EDGE_PX = 0.5  # how softly a mask ends
REACH_PX = 8  # beyond which nothing of the soft edge is left


def path_over_apex(tracing: np.ndarray) -> np.ndarray:
    """Cut a closed EchoNet tracing open at the mitral plane.

    Args:
        tracing: (2N,2) points (x,y): the ends of N chords from the apex to the mitral plane, those
            on one side downwards, then those on the other side upwards.

    Returns:
        The same points from the mitral plane over the apex to the mitral plane.
    """
    return np.roll(tracing, len(tracing) // 2, axis=0)


def landmarks_of(path: np.ndarray, count: int = POINTS) -> np.ndarray:
    """Choose points along a tracing, in an order that every heart shares.

    Args:
        path: (N,2) points (x,y) from one end of the mitral plane over the apex to the other.
        count: how many, the two ends among them.

    Returns:
        (count,2) points (x,y), equally far from each other along the path.
    """
    path = np.asarray(path, float)
    steps = np.hypot(*np.diff(path, axis=0).T)
    path, steps = path[np.concatenate([[True], steps > 0])], steps[steps > 0]
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0, along[-1], count)
    return np.stack([np.interp(wanted, along, path[:, i]) for i in range(2)], axis=1)


def heatmaps_of(points: Tensor, size: int, sigma_px: float = SIGMA_PX) -> Tensor:
    """Where each landmark is, as a probability over the pixels: what a network learns to give.

    Args:
        points: (...,K,2) points (x,y) in pixels, a pixel's centre being a whole number.
        size: pixels of the square's side.
        sigma_px: standard deviation of the Gaussian.

    Returns:
        (...,K,size,size), each channel summing to 1.
    """
    grid = torch.arange(size, dtype=points.dtype, device=points.device)
    across = torch.softmax(-((grid - points[..., 0:1]) ** 2) / (2 * sigma_px**2), -1)
    down = torch.softmax(-((grid - points[..., 1:2]) ** 2) / (2 * sigma_px**2), -1)
    return down[..., :, None] * across[..., None, :]


def find_landmarks(logits: Tensor, sigma_px: float = SIGMA_PX) -> tuple[Tensor, Tensor]:
    """Find each channel's point to a fraction of a pixel, and how sure the network is of it.

    Args:
        logits: (B,K,H,W); their softmax over the pixels is the landmark's probability.
        sigma_px: standard deviation of the heatmaps that the network was trained with.

    Returns:
        (B,K,2) points (x,y), the mean within 3 standard deviations of the highest pixel, and
        (B,K) the probability that lies there, in 0..1.
    """
    height, width = logits.shape[-2:]
    chance = logits.flatten(2).softmax(-1)  # (B,K,H*W)
    best = chance.argmax(-1, keepdim=True)
    place = torch.arange(height * width, device=logits.device)
    x, y = place % width, place // width
    near = (x - best % width) ** 2 + (y - best // width) ** 2 <= (3 * sigma_px) ** 2
    local = chance * near
    mass = local.sum(-1)
    points = torch.stack([(local * x).sum(-1), (local * y).sum(-1)], -1) / mass[..., None]
    return points, mass


def outline(points: np.ndarray) -> np.ndarray:
    """Draw the contour through landmarks: a smooth curve, closed straight by the mitral plane.

    Args:
        points: (K,2) in their order along the contour, from one end of the mitral plane to the
            other; never sorted by angle, which would break every concave shape.

    Returns:
        (64,2) points (x,y) of a closed polygon; the landmarks themselves where two coincide.
    """
    steps = np.hypot(*np.diff(points, axis=0).T)
    if (steps < 1e-6).any():
        return points
    along = np.concatenate([[0.0], np.cumsum(np.sqrt(steps))])  # centripetal: no loops
    return CubicSpline(along, points)(np.linspace(0, along[-1], CURVE_POINTS))


def soft_mask(polygon: np.ndarray, size: int) -> np.ndarray:
    """How far inside a polygon each pixel's centre lies, as a mask with a soft edge.

    Args:
        polygon: (N,2) points (x,y), closed by itself.
        size: pixels of the square's side.

    Returns:
        (size,size) float32 in 0..1, 0.5 on the outline.
    """
    mask = np.zeros((size, size), np.float32)
    low = np.clip(np.floor(polygon.min(0) - REACH_PX), 0, size).astype(int)
    high = np.clip(np.ceil(polygon.max(0) + REACH_PX) + 1, low, size).astype(int)
    x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    depth = _depth(np.stack([x.ravel(), y.ravel()], 1).astype(np.float64), polygon)
    inside = 1 / (1 + np.exp(-np.clip(depth / EDGE_PX, -30, 30)))
    mask[low[1] : high[1], low[0] : high[0]] = inside.reshape(x.shape)
    return mask


def _depth(pixels: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Distance (P,) of pixels (P,2) to a polygon's outline, positive inside (even-odd rule)."""
    start, end = polygon, np.roll(polygon, -1, axis=0)
    side = end - start  # (N,2)
    to = pixels[:, None] - start  # (P,N,2)
    length = np.maximum((side**2).sum(1), 1e-12)
    share = np.clip((to * side).sum(2) / length, 0, 1)
    distance = np.sqrt(((to - share[..., None] * side) ** 2).sum(2).min(1))
    x, y = pixels[:, 0, None], pixels[:, 1, None]
    crosses = (start[:, 1] > y) != (end[:, 1] > y)
    rise = np.where(side[:, 1] == 0, 1.0, side[:, 1])
    left = x < start[:, 0] + (y - start[:, 1]) * side[:, 0] / rise
    inside = (crosses & left).sum(1) % 2 == 1
    return np.where(inside, distance, -distance)
