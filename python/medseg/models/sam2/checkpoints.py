"""Which network a checkpoint was saved from, told by the names and shapes of its tensors."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from medseg.errors import WeightsError
from medseg.models.sam2.shape import SIZES
from medseg.models.weights import Checkpoint, compare_keys, fit, without_prefix

PUBLISHED_AT = (
    "https://github.com/facebookresearch/sam2#download-checkpoints (SAM 2 and 2.1) or "
    "https://huggingface.co/wanglab/MedSAM2 (MedSAM2: 2.1 tiny at 512 pixels)"
)
_SAM1_WIDTHS = {768: "ViT-B", 1024: "ViT-L", 1280: "ViT-H"}
_PATCHES = "image_encoder.trunk.patch_embed.proj.weight"


def fit_sam2(network: nn.Module, checkpoint: Checkpoint, *, size: str, version: str) -> None:
    """Load a checkpoint into a network of that size and version, all of it or nothing.

    Raises:
        WeightsError: it is of another network, which the message names where it is known.
    """
    checkpoint = without_prefix(checkpoint, "sam2_model.")  # of the MedSAM 2 fine-tuning scripts
    wanted = f"SAM {version} {size}"
    report = compare_keys(network, checkpoint.tensors)
    found = identify(checkpoint.tensors)
    if not report.fits and found not in (None, wanted):
        raise WeightsError(
            f"{checkpoint.path}: these are weights of {found}, not of {wanted} ({report}); "
            f"{_cure(found)}"
        )
    fit(network, checkpoint, architecture=wanted)


def identify(tensors: Mapping[str, Tensor]) -> str | None:
    """Name the network that tensors are of, such as "SAM 2.1 tiny"; None where nobody knows."""
    if _PATCHES in tensors:
        return _identify_sam2(tensors)
    if any(key.startswith("vision_encoder.backbone.") for key in tensors):
        return "SAM 2 in the layout of Hugging Face's transformers"
    patches = tensors.get("image_encoder.patch_embed.proj.weight")
    if patches is not None and any(key.startswith("mask_decoder.") for key in tensors):
        return f"SAM 1 or MedSAM {_SAM1_WIDTHS.get(patches.shape[0], '')}".strip()
    return None


def _identify_sam2(tensors: Mapping[str, Tensor]) -> str:
    width = tensors[_PATCHES].shape[0]
    head = "image_encoder.trunk.blocks."
    blocks = len({key.removeprefix(head).split(".")[0] for key in tensors if key.startswith(head)})
    version = "2.1" if "obj_ptr_tpos_proj.weight" in tensors else "2.0"
    for size, shape in SIZES.items():
        if (shape.width, sum(shape.blocks)) == (width, blocks):
            return f"SAM {version} {size}"
    return f"a variant of SAM {version} whose image encoder is {width} channels wide"


def _cure(found: str) -> str:
    words = found.split()
    if words[0] == "SAM" and words[-1] in SIZES:
        return f"pass --sam2-version {words[1]} --sam2-size {words[2]}, or give other weights"
    if "transformers" in found:
        return "take the .pt file of the same repository"
    return f"download weights of SAM 2 from {PUBLISHED_AT}"
