"""One picture and prompts give a mask for each object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from medseg.errors import InputError
from medseg.models.sam2.features import Features, encode, without_gradients
from medseg.models.sam2.load import Sam2
from medseg.models.sam2.pixels import enlarge, rgb, square_of_image
from medseg.models.sam2.prompts import Prompt, check_prompts, object_names, point_inputs

MASK_LOGIT = 16.0  # how sure a mask is that is given as a prompt


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """A picture that was encoded once and may be prompted often."""

    sam2: Sam2
    features: Features
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class ImageMasks:
    """What was found in one picture."""

    object_names: tuple[str, ...]
    mask: np.ndarray  # (object,H,W) bool
    score: np.ndarray  # (object,) float32: the overlap (IoU) that the network expects, 0..1
    logits: np.ndarray  # (object,H,W) float32; the mask is where they are positive


def segment_image(sam2: Sam2, image: np.ndarray, prompts: Sequence[Prompt]) -> ImageMasks:
    """Outline what prompts point at in one picture, (H,W,3) or (H,W) uint8.

    A single point gives the best by score of three masks, anything more one mask, as in Meta's
    predictor. Raises InputError for a picture or a prompt that cannot be used.
    """
    return segment_encoded(encode_image(sam2, image), prompts)


def encode_image(sam2: Sam2, image: np.ndarray) -> EncodedImage:
    """Encode one picture, (H,W,3) or (H,W) uint8; raises InputError for another."""
    picture = rgb(np.asarray(image)[None], where="image")[0]
    features = encode(sam2, square_of_image(picture, sam2.image_size))[0]
    return EncodedImage(sam2, features, *picture.shape[:2])


def segment_encoded(image: EncodedImage, prompts: Sequence[Prompt]) -> ImageMasks:
    """Outline what prompts point at; raises InputError for one that cannot be used."""
    check_prompts(
        prompts, frame_count=1, height=image.height, width=image.width, where="image prompts"
    )
    if any(prompt.correct for prompt in prompts):
        raise InputError("image prompts: there is nothing to correct in a single picture")
    logits, scores = zip(*(_decode(image.sam2, image, prompt) for prompt in prompts), strict=True)
    found = np.concatenate(logits)
    return ImageMasks(object_names(prompts), found > 0, np.array(scores, np.float32), found)


@without_gradients
def _decode(sam2: Sam2, image: EncodedImage, prompt: Prompt) -> tuple[np.ndarray, float]:
    """Logits (1,H,W) and score of one object."""
    network = sam2.network
    points, hint, several = None, None, False
    if prompt.mask is None:
        given = point_inputs(
            prompt,
            height=image.height,
            width=image.width,
            side=sam2.image_size,
            device=sam2.device,
        )
        points = (given["point_coords"], given["point_labels"])
        several = given["point_labels"].shape[1] == 1
    else:
        inside = torch.from_numpy(np.asarray(prompt.mask, np.float32))[None, None].to(sam2.device)
        hint = functional.interpolate(
            inside * 2 * MASK_LOGIT - MASK_LOGIT,
            size=network.sam_prompt_encoder.mask_input_size,
            mode="bilinear",
            antialias=True,
        )
    sparse, dense = network.sam_prompt_encoder(points=points, boxes=None, masks=hint)
    logits, scores, _, _ = network.sam_mask_decoder(
        image_embeddings=image.features.coarse + network.no_mem_embed.permute(1, 2, 0)[..., None],
        image_pe=network.sam_prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=several,
        repeat_image=False,
        high_res_features=image.features.for_decoder(1),
    )  # (1,M,S/4,S/4), (1,M)
    best = int(scores[0].argmax())
    whole = enlarge(logits[0, best : best + 1], image.height, image.width)
    return whole.float().cpu().numpy(), float(scores[0, best])
