"""What segments a slice from a box, or follows objects through all slices: SAMs, or a baseline."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.data.volumes import Box

BASELINE = "region"
_TOO_FAR = 2.5  # robust SDs of the box's middle from its median: beyond is another tissue

Mask = NDArray[np.bool_]


class Predictor(Protocol):
    """Segments one picture by boxes."""

    name: str
    card: dict[str, Any]

    def segment(self, picture: NDArray[np.uint8], boxes: list[Box]) -> list[Mask]:
        """One mask (H, W) a box of a picture, grey (H, W) or RGB (H, W, 3)."""
        ...


@runtime_checkable
class Follower(Predictor, Protocol):
    """A predictor with a memory module, which follows objects from slice to slice."""

    def follow(
        self, slices: NDArray[np.uint8], prompts: list[tuple[int, Box]]
    ) -> NDArray[np.bool_]:
        """Masks (object, D, H, W) from a box on one slice each, followed both ways."""
        ...


class Sam2Predictor:
    """SAM 2 or MedSAM2, prompted by boxes; it follows with its memory module."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.name: str = network.name
        self.card: dict[str, Any] = dict(network.card)

    def segment(self, picture: NDArray[np.uint8], boxes: list[Box]) -> list[Mask]:
        """One mask (H, W) a box."""
        from medseg.models import sam2

        prompts = [
            sam2.Prompt(object=f"object_{i}", box=_corners(box)) for i, box in enumerate(boxes)
        ]
        found = sam2.segment_image(self.network, picture, prompts)
        by_name = dict(zip(found.object_names, found.mask, strict=True))
        return [np.asarray(by_name[prompt.object], bool) for prompt in prompts]

    def follow(
        self, slices: NDArray[np.uint8], prompts: list[tuple[int, Box]]
    ) -> NDArray[np.bool_]:
        """Masks (object, D, H, W); the slices are the frames of a clip."""
        from medseg.models import sam2

        depth, height, width = slices.shape[:3]
        asked = [
            sam2.Prompt(object=f"object_{i}", frame=at, box=_corners(box))
            for i, (at, box) in enumerate(prompts)
        ]
        masks = np.zeros((len(prompts), depth, height, width), bool)
        for tracked in sam2.track(self.network, slices, asked, direction="both"):
            found = tracked.mask(height, width)
            for name, mask in zip(tracked.object_names, found, strict=True):
                masks[int(name.rpartition("_")[2]), tracked.frame] = mask
        return masks


class SamPredictor:
    """SAM 1 or MedSAM, prompted by boxes; it has no memory."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.name: str = network.name
        self.card: dict[str, Any] = dict(network.card)

    def segment(self, picture: NDArray[np.uint8], boxes: list[Box]) -> list[Mask]:
        """One mask (H, W) a box."""
        from medseg.models.sam import segment_boxes

        return list(segment_boxes(self.network, picture, [_corners(box) for box in boxes]))


class RegionPredictor:
    """A baseline without a network: what is as bright as the box's middle and joined to it."""

    name = BASELINE

    def __init__(self) -> None:
        self.card: dict[str, Any] = {
            "name": "region (baseline)",
            "weights_sha256": None,
            "training_data": "none: grey levels like those in the middle of the box",
            "licence": "MIT",
            "intended_use": "a floor to compare models with; research only",
        }

    def segment(self, picture: NDArray[np.uint8], boxes: list[Box]) -> list[Mask]:
        """One mask (H, W) a box."""
        grey = picture if picture.ndim == 2 else picture.mean(axis=2)
        return [self._one(grey, box) for box in boxes]

    def _one(self, grey: NDArray[Any], box: Box) -> Mask:
        mask = np.zeros(grey.shape, bool)
        part = grey[box.y0 : box.y1 + 1, box.x0 : box.x1 + 1].astype(np.float32)
        rows, columns = part.shape
        middle = np.s_[rows // 3 : rows - rows // 3, columns // 3 : columns - columns // 3]
        inner = part[middle]
        if not inner.size:
            return mask
        mean = float(np.median(inner))
        deviation = float(np.median(np.abs(inner - mean)))  # which other tissue does not widen
        spread = max(1.4826 * deviation, 4.0)
        alike = np.abs(ndimage.uniform_filter(part, 3) - mean) <= _TOO_FAR * spread
        labels, count = ndimage.label(alike)
        sizes = np.bincount(labels[middle].ravel(), minlength=count + 1)[1:]
        if not sizes.any():
            return mask
        # the mean over 3 x 3 pixels has taken one off the rim
        part_found = ndimage.binary_dilation(labels == 1 + int(sizes.argmax()))
        solid = ndimage.binary_fill_holes(part_found)
        mask[box.y0 : box.y1 + 1, box.x0 : box.x1 + 1] = solid
        return mask


def _corners(box: Box) -> tuple[float, float, float, float]:
    return float(box.x0), float(box.y0), float(box.x1), float(box.y1)
