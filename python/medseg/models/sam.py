"""SAM 1 and MedSAM: what a box is drawn around is outlined in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage.transform import resize
from torch import Tensor, nn
from torch.nn import functional

from medseg.errors import InputError
from medseg.models.medivista.sam_weights import PREFIX, load_sam_encoder
from medseg.models.medivista.vit import VIT_B, VIT_H, VIT_L, EncoderShape, ImageEncoder
from medseg.models.sam2.package import sam2_network
from medseg.models.sam2.pixels import MEAN, STANDARD_DEVIATION, enlarge, rgb
from medseg.models.weights import Checkpoint, available_device, fit, read_given

IMAGE_SIZE = 1024
KINDS = ("sam", "medsam")
ENCODERS = {"vit-b": VIT_B, "vit-l": VIT_L, "vit-h": VIT_H}
CURES = {
    "sam": "download a checkpoint from "
    "https://github.com/facebookresearch/segment-anything#model-checkpoints",
    "medsam": "download medsam_vit_b.pth from https://github.com/bowang-lab/MedSAM",
}

Boxes = Sequence[tuple[float, float, float, float]]  # x0, y0, x1, y1 in pixels


class SamNetwork(nn.Module):
    """SAM 1 (Kirillov 2023, arXiv:2304.02643): our encoder before the package sam2's decoder.

    SAM 2's prompt encoder is SAM 1's, and its mask decoder without its later parts too; but for
    the names of one perceptron's layers, keys are as in the published checkpoints.
    """

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.image_encoder = ImageEncoder(shape)
        self.prompt_encoder, self.mask_decoder = sam2_network().sam1_decoder(
            shape.neck, side=shape.size
        )

    def forward(self, square: Tensor, boxes: Tensor) -> Tensor:
        """Logits (N,1,S/4,S/4) of boxes (N,4) in one square (1,3,S,S), as prepared."""
        return self.decode(self.image_encoder(square), boxes)

    def decode(self, features: Tensor, boxes: Tensor) -> Tensor:
        """Logits (N,1,S/4,S/4) of boxes (N,4), in the square's pixels, from features (1,C,h,w)."""
        sparse, dense = self.prompt_encoder(points=None, boxes=boxes, masks=None)
        logits: Tensor = self.mask_decoder(
            image_embeddings=features,
            image_pe=self.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=False,
            repeat_image=True,
        )[0]
        return logits


@dataclass(frozen=True, eq=False)
class Sam:
    """A network that outlines what boxes are drawn around; `segment_boxes` runs it."""

    network: SamNetwork
    kind: str  # sam or medsam: how pictures are prepared
    name: str
    card: dict[str, Any]

    @property
    def image_size(self) -> int:
        """Pixels of the square that the network sees."""
        return self.network.image_encoder.shape.size


def load_sam(
    encoder: str = "vit-b",
    *,
    kind: str = "sam",
    weights: str | Path | None,
    image_size: int = IMAGE_SIZE,
    device: str | torch.device = "cpu",
) -> Sam:
    """Load SAM 1 (``sam_vit_b_01ec64.pth`` and its like), or MedSAM (``medsam_vit_b.pth``).

    Another `image_size` than 1024, divisible by 16, is quicker and less exact: the tables of
    positions are then interpolated.

    Raises:
        InputError: an encoder, kind or size that is none, or no such device.
        MissingExtra: the package sam2 is not installed.
        WeightsError: no file given, or one that does not fit.
    """
    if encoder not in ENCODERS or kind not in KINDS:
        raise InputError(f"SAM {encoder} {kind}: choose {', '.join(ENCODERS)}; {', '.join(KINDS)}")
    if image_size < 16 or image_size % 16:
        raise InputError(f"SAM's image size {image_size}: give a multiple of 16")
    device = available_device(device)
    name = f"{kind}-{encoder}"
    path = None if weights is None else Path(weights)
    checkpoint = read_given(path, name, cure=CURES[kind])
    network = SamNetwork(replace(ENCODERS[encoder], size=image_size))
    fit_sam(network, checkpoint)
    card = {
        "name": {"sam": "SAM", "medsam": "MedSAM"}[kind] + f" {encoder}",
        "weights_sha256": checkpoint.sha256,
        "training_data": {
            "sam": "given by the user; SAM's own weights were trained on SA-1B, photographs",
            "medsam": "given by the user; MedSAM's own weights were trained on 1.6 million medical "
            "pictures with masks (Ma 2024)",
        }[kind],
        "licence": "the weights' own; SAM's and MedSAM's are Apache 2.0",
        "intended_use": "research; not for clinical use",
    }
    return Sam(network.eval().to(device), kind, name, card)


def fit_sam(network: SamNetwork, checkpoint: Checkpoint) -> None:
    """Load a SAM 1 checkpoint into a network; raises WeightsError for any other."""
    load_sam_encoder(network.image_encoder, checkpoint)
    rest = {
        key.replace(".mlp.lin1.", ".mlp.layers.0.").replace(".mlp.lin2.", ".mlp.layers.1."): tensor
        for key, tensor in checkpoint.tensors.items()
        if not key.startswith(PREFIX)
    }
    decoder = nn.ModuleDict(
        {"prompt_encoder": network.prompt_encoder, "mask_decoder": network.mask_decoder}
    )
    fit(decoder, replace(checkpoint, tensors=rest), architecture="SAM 1's decoder")


@torch.no_grad()
def segment_boxes(sam: Sam, picture: np.ndarray, boxes: Boxes) -> np.ndarray:
    """Outline what is in each box of one picture, (H,W) or (H,W,3) uint8: (N,H,W) bool.

    One mask a box, not the best of three, as both systems' own evaluations do. Raises InputError
    for another picture.
    """
    picture = rgb(np.asarray(picture)[None], where="image")[0]
    height, width = picture.shape[:2]
    if not boxes:
        return np.zeros((0, height, width), bool)
    device = next(sam.network.parameters()).device
    square, scale = prepare(picture, sam.kind, sam.image_size)
    corners = torch.tensor(boxes, dtype=torch.float32, device=device) * scale.to(device)
    logits = sam.network(square.to(device), corners)[:, 0]  # (N,S/4,S/4)
    if sam.kind == "sam":
        rows, columns = _long_side(height, width, sam.image_size)
        logits = enlarge(logits, sam.image_size, sam.image_size)[:, :rows, :columns]
    else:
        logits = logits.sigmoid() - 0.5  # what is enlarged is the probability
    found: np.ndarray = (enlarge(logits, height, width) > 0).cpu().numpy()
    return found


def prepare(picture: np.ndarray, kind: str, side: int) -> tuple[Tensor, Tensor]:
    """Bring (H,W,3) uint8 to what a network saw in training: (1,3,S,S), and boxes' scale (4,).

    SAM: the longer side becomes S, ImageNet's mean and deviation are taken out, zeros fill the
    rest. MedSAM: both sides become S, bicubically, and grey levels run from 0 to 1.
    """
    height, width = picture.shape[:2]
    if kind == "medsam":
        stretched = resize(  # type: ignore[no-untyped-call]
            picture, (side, side), order=3, preserve_range=True, anti_aliasing=True
        )
        grey = stretched.astype(np.uint8).astype(np.float32)
        grey = (grey - grey.min()) / max(float(np.ptp(grey)), 1e-8)
        rows = columns = side
        square = torch.from_numpy(grey).permute(2, 0, 1)[None]
    else:
        rows, columns = _long_side(height, width, side)
        mean = torch.tensor(MEAN).view(3, 1, 1)
        deviation = torch.tensor(STANDARD_DEVIATION).view(3, 1, 1)
        whole = Image.fromarray(picture)
        small = np.array(whole.resize((columns, rows), Image.Resampling.BILINEAR))
        levels = torch.from_numpy(small).permute(2, 0, 1)[None] / 255
        square = (levels - mean) / deviation
        square = functional.pad(square, (0, side - columns, 0, side - rows))
    return square.float(), torch.tensor([columns / width, rows / height] * 2)


def _long_side(height: int, width: int, side: int) -> tuple[int, int]:
    """Rows and columns when the longer side becomes `side`, as SAM rounds them."""
    scale = side / max(height, width)
    return int(height * scale + 0.5), int(width * scale + 0.5)
