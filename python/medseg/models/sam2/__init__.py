"""SAM 2: whatever is pointed at is outlined in a picture or followed through a clip."""

from __future__ import annotations

from medseg.models.sam2.automatic import AutomaticMask, automatic_masks
from medseg.models.sam2.image import (
    EncodedImage,
    ImageMasks,
    encode_image,
    segment_encoded,
    segment_image,
)
from medseg.models.sam2.load import Sam2, load_sam2
from medseg.models.sam2.package import has_sam2
from medseg.models.sam2.prompts import Prompt, check_prompts
from medseg.models.sam2.shape import SIZES, VERSIONS

__all__ = [
    "SIZES",
    "VERSIONS",
    "AutomaticMask",
    "EncodedImage",
    "ImageMasks",
    "Prompt",
    "Sam2",
    "automatic_masks",
    "check_prompts",
    "encode_image",
    "has_sam2",
    "load_sam2",
    "segment_encoded",
    "segment_image",
]
