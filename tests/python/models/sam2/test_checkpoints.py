from __future__ import annotations

from pathlib import Path

import pytest
import torch

from medseg.errors import InputError, WeightsError
from medseg.models.description import RANDOM_WEIGHTS
from medseg.models.sam2 import load_sam2
from medseg.models.sam2.checkpoints import fit_sam2, identify
from medseg.models.weights import Checkpoint

PATCHES = "image_encoder.trunk.patch_embed.proj.weight"


def encoder(width: int, blocks: int, version: str = "2.1") -> dict[str, torch.Tensor]:
    """A few tensors by which a SAM 2 is told."""
    tensors = {PATCHES: torch.zeros(width, 3, 7, 7)}
    tensors |= {
        f"image_encoder.trunk.blocks.{i}.norm1.weight": torch.ones(1) for i in range(blocks)
    }
    if version == "2.1":
        tensors["obj_ptr_tpos_proj.weight"] = torch.zeros(64, 256)
    return tensors


def sam1(width: int) -> dict[str, torch.Tensor]:
    return {
        "image_encoder.patch_embed.proj.weight": torch.zeros(width, 3, 16, 16),
        "mask_decoder.iou_token.weight": torch.zeros(1, 256),
    }


@pytest.mark.parametrize(
    ("tensors", "name"),
    [
        (encoder(96, 12), "SAM 2.1 tiny"),
        (encoder(96, 16, "2.0"), "SAM 2.0 small"),
        (encoder(112, 24), "SAM 2.1 base-plus"),
        (encoder(144, 48), "SAM 2.1 large"),
        (sam1(768), "SAM 1 or MedSAM ViT-B"),
        (sam1(1280), "SAM 1 or MedSAM ViT-H"),
        (
            {"vision_encoder.backbone.pos_embed": torch.zeros(1)},
            "SAM 2 in the layout of Hugging Face's transformers",
        ),
        ({"conv.weight": torch.zeros(1)}, None),
    ],
)
def test_a_file_is_named_by_its_tensors(tensors, name):
    assert identify(tensors) == name


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        (
            encoder(96, 12, "2.0"),
            "weights of SAM 2.0 tiny, not of SAM 2.1 tiny.*--sam2-version 2.0",
        ),
        (encoder(144, 48), "weights of SAM 2.1 large, not of.*--sam2-size large"),
        (sam1(768), "weights of SAM 1 or MedSAM ViT-B, not of SAM 2.1 tiny.*download"),
        ({"conv.weight": torch.zeros(1)}, "not weights of SAM 2.1 tiny.*missing"),
    ],
)
def test_the_wrong_file_is_told_by_name(sam2, tensors, said):
    with pytest.raises(WeightsError, match=said) as caught:
        fit_sam2(
            sam2.network,
            Checkpoint(Path("w.pt"), "0" * 64, tensors, {}),
            size="tiny",
            version="2.1",
        )
    assert "\n" not in str(caught.value)


def test_the_authors_layout_is_loaded_and_its_card_is_not_that_of_random_weights(sam2, tmp_path):
    path = tmp_path / "sam2.1_hiera_tiny.pt"
    prefixed = {f"sam2_model.{key}": value for key, value in sam2.network.state_dict().items()}
    torch.save({"model": prefixed, "optimizer": {"lr": 1e-4}, "epoch": 3}, path)
    loaded = load_sam2("tiny", weights=path, image_size=64)
    key = "memory_attention.layers.0.linear1.weight"
    assert torch.equal(loaded.network.state_dict()[key], sam2.network.state_dict()[key])
    assert loaded.card["training_data"] != RANDOM_WEIGHTS
    assert len(loaded.card["weights_sha256"]) == 64
    assert loaded.name == "sam2.1-tiny"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="not a whole weights file"):
        load_sam2("tiny", weights=path)


class Payload:
    """What an unpickler would run."""

    def __reduce__(self):
        return (print, ("run",))


def test_a_file_that_would_run_code_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"model": {"weight": Payload()}}, path)
    with pytest.raises(WeightsError, match="pickled code"):
        load_sam2("tiny", weights=path)


def test_no_weights_say_where_they_are_published():
    with pytest.raises(WeightsError, match=r"github\.com/facebookresearch/sam2.*--random-weights"):
        load_sam2("tiny")


def test_random_weights_are_stamped(sam2):
    assert sam2.random_weights
    assert sam2.name == "sam2.1-tiny-random-weights"
    assert sam2.card["training_data"] == RANDOM_WEIGHTS == "random weights"
    assert "mean nothing" in sam2.card["intended_use"]
    assert sam2.card["weights_sha256"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": "huge"}, "no SAM 2 of size 'huge'; choose one of: tiny, small"),
        ({"version": "3"}, "no SAM 2 of version '3'"),
        ({"image_size": 500}, "multiple of 32"),
        ({"precision": "half"}, "choose float32 or bfloat16"),
        ({"weights": "w.pt"}, "together with random weights"),
        ({"device": "cuda:77"}, "no device 'cuda:77'"),
    ],
)
def test_options_that_do_not_exist_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        load_sam2(**{"size": "tiny", "random_weights": True} | options)
