"""Every object in a picture is outlined without a prompt, from a grid of points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medseg.models.sam2.features import without_gradients
from medseg.models.sam2.load import Sam2
from medseg.models.sam2.package import sam2_network
from medseg.models.sam2.pixels import rgb


@dataclass(frozen=True, eq=False)
class AutomaticMask:
    """One object that was found without a prompt."""

    mask: np.ndarray  # (H,W) bool
    area_px: int
    score: float  # the overlap (IoU) that the network expects, 0..1
    stability: float  # IoU of the mask with itself at a stricter and a laxer threshold, 0..1
    box: tuple[float, float, float, float]  # x0, y0, x1, y1


def automatic_masks(
    sam2: Sam2,
    image: np.ndarray,
    *,
    points_per_side: int = 32,
    lowest_score: float = 0.8,
    lowest_stability: float = 0.95,
    smallest_share: float = 0.0,
    largest_share: float = 1.0,
) -> list[AutomaticMask]:
    """Outline everything in one picture, (H,W,3) or (H,W) uint8, with the package's generator.

    Args:
        points_per_side: of the grid of points that are tried.
        lowest_score: masks of which the network expects less overlap are left out.
        lowest_stability: masks that depend more on the threshold are left out.
        smallest_share: of the picture's pixels; smaller masks are left out.
        largest_share: of the picture's pixels; larger masks are left out.

    Returns:
        The masks, the largest first; none where nothing passes.
    """
    picture = rgb(np.asarray(image)[None], where="image")[0]
    found = _generate(
        sam2,
        np.ascontiguousarray(picture),
        points_per_side=points_per_side,
        pred_iou_thresh=lowest_score,
        stability_score_thresh=lowest_stability,
    )
    pixels = picture.shape[0] * picture.shape[1]
    masks = []
    for record in sorted(found, key=lambda record: -record["area"]):
        if not smallest_share <= record["area"] / pixels <= largest_share:
            continue
        x, y, width, height = record["bbox"]
        masks.append(
            AutomaticMask(
                mask=np.asarray(record["segmentation"], bool),
                area_px=int(record["area"]),
                score=float(record["predicted_iou"]),
                stability=float(record["stability_score"]),
                box=(float(x), float(y), float(x + width), float(y + height)),
            )
        )
    return masks


@without_gradients
def _generate(sam2: Sam2, picture: np.ndarray, **options: float) -> list[dict]:
    generator = sam2_network().mask_generator(sam2.network, **options)
    return generator.generate(picture)
