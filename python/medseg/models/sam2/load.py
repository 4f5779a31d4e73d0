"""SAM 2 is loaded from a checkpoint, or with random weights that everything is stamped with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from medseg.errors import InputError, WeightsError
from medseg.models.description import RANDOM_WEIGHTS, card, read_description
from medseg.models.sam2.checkpoints import PUBLISHED_AT, fit_sam2
from medseg.models.sam2.linear import fuse_biases
from medseg.models.sam2.package import sam2_network
from medseg.models.sam2.shape import check_shape
from medseg.models.sam2.trainable import PREPARATION, Sam2Shape, keep_to_single_mask
from medseg.models.weights import Checkpoint, available_device, read_checkpoint

PUBLISHED_SIDE_PX = 1024
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
NO_MEANING = (
    "none: the weights are random, so the masks mean nothing; for trying the program out, "
    "never for comparing"
)


@dataclass(frozen=True, eq=False)
class Sam2:
    """A network that outlines what it is shown, with what it says of itself."""

    network: nn.Module
    size: str
    version: str
    image_size: int  # pixels of the square that the network sees
    device: torch.device
    precision: str  # "float32" or "bfloat16"
    card: dict[str, Any]  # the store's model block

    @property
    def name(self) -> str:
        """Such as "sam2.1-tiny"; random weights are in the name."""
        random = "-random-weights" if self.random_weights else ""
        return f"sam{self.version}-{self.size}{random}"

    @property
    def random_weights(self) -> bool:
        """Whether nobody trained it: its masks mean nothing."""
        return bool(self.card["training_data"] == RANDOM_WEIGHTS)

    @property
    def dtype(self) -> torch.dtype:
        """The type that most of the network is computed in."""
        return PRECISIONS[self.precision]


def load_sam2(
    size: str = "tiny",
    *,
    version: str = "2.1",
    weights: str | Path | None = None,
    image_size: int | None = None,
    device: str | torch.device = "cpu",
    precision: str = "float32",
    random_weights: bool = False,
    seed: int = 0,
) -> Sam2:
    """Load SAM 2 from a checkpoint in its authors' layout.

    Args:
        size: tiny, small, base-plus or large.
        version: "2.0" or "2.1".
        weights: Meta's or MedSAM2's .pt file, or a safetensors file with the same keys.
        image_size: pixels of the square that it sees, a multiple of 32; if left out what weights
            of `medseg train` were trained at, else 1024, as Meta's were; MedSAM2's were at 512.
        device: cpu, cuda, cuda:1, mps ...; no other device is touched.
        precision: "float32", or "bfloat16", which is faster where the processor has it.
        random_weights: build it without weights; its card then says so.
        seed: what the random weights follow from.

    Raises:
        MissingExtra: the package sam2 is not installed.
        InputError: no such size, version, picture size, precision or device.
        WeightsError: no weights, or weights that cannot be used.
    """
    check_shape(size, version, PUBLISHED_SIDE_PX if image_size is None else image_size)
    if precision not in PRECISIONS:
        raise InputError(f"no precision {precision!r}; choose {' or '.join(PRECISIONS)}")
    if weights is not None and random_weights:
        raise InputError(f"{weights}: given together with random weights; choose one of them")
    if weights is None and not random_weights:
        raise WeightsError(
            f"model sam2: medseg ships no weights of it; download them from {PUBLISHED_AT} and "
            "give them with --weights, or try the program out with --random-weights"
        )
    place = available_device(device)
    checkpoint = None if weights is None else read_checkpoint(weights)
    own = Sam2Shape(image_size=PUBLISHED_SIDE_PX) if checkpoint is None else _own_shape(checkpoint)
    image_size = own.image_size if image_size is None else image_size
    package = sam2_network()
    if checkpoint is None:
        network = package.random_network(size, version, image_size, seed)
        block = _random_card(size, version)
    else:
        network = package.build_network(size, version, image_size)
        fit_sam2(network, checkpoint, size=size, version=version)
        block = card(
            checkpoint,
            f"SAM {version} {size}",
            training_data="given by the user; the file does not say what it was trained on",
            licence="the weights' own: Apache-2.0 for Meta's, CC-BY-SA-4.0 for MedSAM2's",
            intended_use="research; not for clinical use",
        )
    if own.single_mask:
        keep_to_single_mask(network)
    network = package.in_precision(network, PRECISIONS[precision]).to(place)
    fuse_biases(network.image_encoder)
    return Sam2(network, size, version, image_size, place, precision, block)


def _own_shape(checkpoint: Checkpoint) -> Sam2Shape:
    """What weights of ours say of themselves; of others the published side."""
    shape, _ = read_description(
        checkpoint, "sam2", published=(Sam2Shape(image_size=PUBLISHED_SIDE_PX), PREPARATION)
    )
    return shape


def _random_card(size: str, version: str) -> dict[str, Any]:
    return {
        "name": f"SAM {version} {size}, random weights",
        "weights_sha256": None,
        "training_data": RANDOM_WEIGHTS,
        "licence": "none",
        "intended_use": NO_MEANING,
    }
