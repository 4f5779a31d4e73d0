"""Three ways from boxes to a volume's masks: memory, hand-over from slice to slice, every slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.data.volumes import Box
from medseg.errors import InputError
from medseg.volumes.predictors import Follower, Mask, Predictor

METHODS = ("memory", "handover", "slices")
MARGIN_PX = 5  # by which the 2024 study widens the mask's box for the next slice


def segment_slices(
    predictor: Predictor,
    slices: NDArray[np.uint8],
    boxes: Sequence[Box],
    *,
    method: str = "memory",
    key_slices: dict[int, int] | None = None,
    truth: NDArray[np.uint16] | None = None,
    largest: bool = False,
    shift_px: int = 0,
    seed: int = 1,
) -> NDArray[np.uint16]:
    """Labels (D, H, W) of slices (D, H, W) or (D, H, W, 3), from one box an object.

    - memory: the box on its key slice (the middle of its range, unless `key_slices` says another by
      label), followed both ways by the predictor's memory module, within the box's range of slices.
    - handover: as the 2024 study does: each next slice is prompted with the box of the mask before
      it, widened by MARGIN_PX; with the first box again where that mask is empty.
    - slices: every slice prompted with its own box, taken from `truth`: the study's 2-D figure,
      which needs the truth and is no way to segment a scan.

    Where masks overlap, the label given first keeps the voxel. `largest` keeps each object's
    largest connected part. `shift_px` moves the sides of the boxes that `slices` takes from the
    truth outwards, by a seed. Raises InputError for a method that the predictor or the input does
    not allow.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r}: choose of {', '.join(METHODS)}")
    if method == "memory" and not isinstance(predictor, Follower):
        raise InputError(f"model {predictor.name} has no memory module: choose --method handover")
    keys = {box.label: (key_slices or {}).get(box.label, box.middle) for box in boxes}
    for box in boxes:
        if not box.z0 <= keys[box.label] < box.z1:
            raise InputError(
                f"slice {keys[box.label]} of label {box.label} is outside its slices {box.z0} to "
                f"{box.z1 - 1}: prompt on one of them"
            )
    if method == "memory":
        first, last = min(b.z0 for b in boxes), max(b.z1 for b in boxes)
        prompts = [(keys[box.label] - first, box) for box in boxes]
        found = predictor.follow(slices[first:last], prompts)
        masks = [np.zeros(slices.shape[:3], bool) for _ in boxes]
        for mask, part, box in zip(masks, found, boxes, strict=True):
            mask[box.z0 : box.z1] = part[box.z0 - first : box.z1 - first]
    elif method == "handover":
        masks = [hand_over(predictor, slices, box, keys[box.label]) for box in boxes]
    else:
        if truth is None:
            raise InputError("method 'slices' takes every slice's box from the truth: give --truth")
        rng = np.random.default_rng(seed)
        masks = [
            _every_slice(predictor, slices, box, truth == box.label, shift_px, rng) for box in boxes
        ]
    labels = np.zeros(slices.shape[:3], np.uint16)
    for box, mask in zip(boxes, masks, strict=True):
        kept = largest_part(mask) if largest else mask
        labels[kept & (labels == 0)] = box.label
    return labels


def hand_over(predictor: Predictor, slices: NDArray[np.uint8], box: Box, key_slice: int) -> Mask:
    """One object's mask (D, H, W): its box on the key slice, then handed up and down."""
    mask = np.zeros(slices.shape[:3], bool)
    mask[key_slice] = predictor.segment(slices[key_slice], [box])[0]
    for order in (range(key_slice + 1, box.z1), range(key_slice - 1, box.z0 - 1, -1)):
        before = mask[key_slice]
        for z in order:
            mask[z] = predictor.segment(slices[z], [widened_box(before, box)])[0]
            before = mask[z]
    return mask


def widened_box(mask: Mask, otherwise: Box) -> Box:
    """The box of a mask (H, W), widened by MARGIN_PX within the picture; `otherwise` if empty."""
    if not mask.any():
        return otherwise
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return replace(
        otherwise,
        x0=max(0, int(columns[0]) - MARGIN_PX),
        y0=max(0, int(rows[0]) - MARGIN_PX),
        x1=min(mask.shape[1] - 1, int(columns[-1]) + MARGIN_PX),
        y1=min(mask.shape[0] - 1, int(rows[-1]) + MARGIN_PX),
    )


def _every_slice(
    predictor: Predictor,
    slices: NDArray[np.uint8],
    box: Box,
    truth: Mask,
    shift_px: int,
    rng: np.random.Generator,
) -> Mask:
    mask = np.zeros(slices.shape[:3], bool)
    for z in range(box.z0, box.z1):
        if not truth[z].any():
            continue
        own = _moved(key_box(truth * np.uint16(box.label), box, z), slices.shape, shift_px, rng)
        mask[z] = predictor.segment(slices[z], [own])[0]
    return mask


def largest_part(mask: Mask) -> Mask:
    """The largest connected part (by faces) of a mask; an empty one stays empty."""
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())[1:]
    part: Mask = labels == 1 + int(sizes.argmax())
    return part


def shifted_boxes(
    boxes: Sequence[Box], shape: tuple[int, ...], *, shift_px: int, seed: int
) -> list[Box]:
    """Boxes whose sides are moved outwards by 0 to `shift_px` pixels, as a person's would be."""
    rng = np.random.default_rng(seed)
    return [_moved(box, shape, shift_px, rng) for box in boxes]


def _moved(box: Box, shape: tuple[int, ...], shift_px: int, rng: np.random.Generator) -> Box:
    left, top, right, bottom = rng.integers(0, shift_px + 1, 4).tolist()
    return replace(
        box,
        x0=max(0, box.x0 - left),
        y0=max(0, box.y0 - top),
        x1=min(shape[2] - 1, box.x1 + right),
        y1=min(shape[1] - 1, box.y1 + bottom),
    )


def key_box(truth: NDArray[np.uint16], box: Box, key_slice: int | None = None) -> Box:
    """The object's own box on its key slice, in place of the box around all of its slices."""
    there = truth[box.middle if key_slice is None else key_slice] == box.label
    if not there.any():
        return box
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    return replace(box, x0=int(columns[0]), y0=int(rows[0]), x1=int(columns[-1]), y1=int(rows[-1]))
