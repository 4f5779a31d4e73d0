"""SAM 2 in a comparison: nobody clicks, the default model's mask points for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medseg.models import load_model
from medseg.models.description import read_description
from medseg.models.sam2 import Sam2Segmenter, from_model, load_sam2
from medseg.models.sam2.load import PUBLISHED_SIDE_PX
from medseg.models.sam2.trainable import PREPARATION, Sam2Shape
from medseg.models.weights import read_checkpoint

SAM2 = "sam2"


def load_pointed(weights: Path | None, device: str) -> Sam2Segmenter:
    """SAM 2 of the size that weights of ours say, else 2.1 tiny; raises as load_sam2 does."""
    shape = Sam2Shape(image_size=PUBLISHED_SIDE_PX)
    if weights is not None:
        checkpoint = read_checkpoint(weights)
        shape, _ = read_description(checkpoint, SAM2, published=(shape, PREPARATION))
    sam2 = load_sam2(
        shape.size,
        version=shape.version,
        weights=weights,
        image_size=shape.image_size,
        device=device,
    )
    told = {**sam2.card, "name": f"{sam2.card['name']}, pointed at by the default model"}
    return Sam2Segmenter(replace(sam2, card=told), from_model(load_model(device=device)))
