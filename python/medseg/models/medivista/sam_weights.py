"""SAM's published weights are fitted to an encoder of any picture size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from medseg.errors import WeightsError
from medseg.models.medivista.vit import ImageEncoder, resized_positions
from medseg.models.weights import Checkpoint, KeyReport, compare_keys, fit

PREFIX = "image_encoder."
PUBLISHED_AT = "https://github.com/facebookresearch/segment-anything#model-checkpoints"


@dataclass(frozen=True)
class SamReport:
    """What became of a SAM checkpoint's tensors."""

    keys: KeyReport  # missing and unexpected within the image encoder
    unused: tuple[str, ...]  # of SAM's prompt encoder and mask decoder
    interpolated: tuple[str, ...]  # position tables brought to the encoder's own picture size

    def __str__(self) -> str:
        said = "every key of the image encoder" if self.keys.fits else str(self.keys)
        return (
            f"{said}; {len(self.interpolated)} position tables interpolated; "
            f"{len(self.unused)} tensors of SAM's other parts not used"
        )


def load_sam_encoder(encoder: ImageEncoder, checkpoint: Checkpoint) -> SamReport:
    """Load the image encoder of a SAM checkpoint (``sam_vit_b_01ec64.pth`` and its like).

    Absolute positions are interpolated bilinearly and the relative ones of global blocks linearly
    where the checkpoint is for pictures of another size. Windows keep their size.

    Raises:
        WeightsError: no ``image_encoder.`` keys, keys missing or too many, or another width or
            depth.
    """
    inside = {
        key.removeprefix(PREFIX): tensor
        for key, tensor in checkpoint.tensors.items()
        if key.startswith(PREFIX)
    }
    if not inside:
        raise WeightsError(
            f"{checkpoint.path}: no {PREFIX}* keys; give a SAM 1 checkpoint ({PUBLISHED_AT}), "
            "not one of SAM 2"
        )
    own = encoder.state_dict()
    fitted = {
        key: _resized(key, tensor, own[key]) if key in own else tensor
        for key, tensor in inside.items()
    }
    changed = tuple(key for key in fitted if fitted[key] is not inside[key])
    report = SamReport(
        keys=compare_keys(encoder, fitted),
        unused=tuple(key for key in checkpoint.tensors if not key.startswith(PREFIX)),
        interpolated=changed,
    )
    fit(encoder, replace(checkpoint, tensors=fitted), architecture="this SAM image encoder")
    return report


def _resized(key: str, tensor: Tensor, like: Tensor) -> Tensor:
    """The tensor for another picture size, where it is a position table of the same width."""
    if tensor.shape == like.shape or tensor.shape[-1] != like.shape[-1]:
        return tensor
    if key == "pos_embed" and tensor.dim() == 4:
        return resized_positions(tensor.float(), like.shape[1:3]).contiguous()
    if key.endswith(("rel_pos_h", "rel_pos_w")) and tensor.dim() == 2:
        table = functional.interpolate(tensor.float().T[None], len(like), mode="linear")
        return torch.Tensor(table[0].T).contiguous()
    return tensor
