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
from medseg.models.sam2.order import track_in_order
from medseg.models.sam2.package import has_sam2
from medseg.models.sam2.prompting import (
    Prompter,
    from_automatic_masks,
    from_centre_box,
    from_model,
    given,
)
from medseg.models.sam2.prompts import Prompt, check_prompts
from medseg.models.sam2.prompts_file import read_prompts
from medseg.models.sam2.segmenter import Sam2OnClip, Sam2Segmenter
from medseg.models.sam2.shape import SIZES, VERSIONS
from medseg.models.sam2.stream import Stream
from medseg.models.sam2.video import DIRECTIONS, Tracked, track

__all__ = [
    "DIRECTIONS",
    "SIZES",
    "VERSIONS",
    "AutomaticMask",
    "EncodedImage",
    "ImageMasks",
    "Prompt",
    "Prompter",
    "Sam2",
    "Sam2OnClip",
    "Sam2Segmenter",
    "Stream",
    "Tracked",
    "automatic_masks",
    "check_prompts",
    "encode_image",
    "from_automatic_masks",
    "from_centre_box",
    "from_model",
    "given",
    "has_sam2",
    "load_sam2",
    "read_prompts",
    "segment_encoded",
    "segment_image",
    "track",
    "track_in_order",
]
