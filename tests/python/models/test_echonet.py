from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.segmentation import deeplabv3_resnet50

from medseg.errors import InputError, WeightsError
from medseg.models import load_model
from medseg.models.framing import normalise
from medseg.sector import Sector

PARAMETERS = 39_633_729  # as published for EchoNet-Dynamic's segmentation network


def whole_frame(height: int, width: int) -> Sector:
    return Sector(mask=np.ones((height, width), bool), box=(0, 0, height, width), found=True)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def published() -> nn.Module:
    """A network built as EchoNet's training code builds it, with seeded weights."""
    torch.manual_seed(11)
    network = deeplabv3_resnet50(weights=None, weights_backbone=None, aux_loss=False)
    network.classifier[-1] = nn.Conv2d(256, 1, kernel_size=network.classifier[-1].kernel_size)
    return network.eval()


@pytest.fixture(scope="module")
def checkpoint(published: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layout of deeplabv3_resnet50_random.pt: DataParallel's prefix, six keys."""
    path = tmp_path_factory.mktemp("echonet") / "deeplabv3_resnet50_random.pt"
    optimiser = torch.optim.SGD(published.parameters(), lr=1e-5, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimiser, 15)
    content = {
        "epoch": 23,
        "state_dict": nn.DataParallel(published).state_dict(),
        "best_loss": 0.04,
        "loss": 0.05,
        "opt_dict": optimiser.state_dict(),
        "scheduler_dict": scheduler.state_dict(),
    }
    assert all(key.startswith("module.") for key in content["state_dict"])
    torch.save(content, path)
    return path


@pytest.fixture(scope="module")
def segmenter(checkpoint: Path):
    return load_model("echonet", weights=checkpoint)


def probabilities(segmenter, frames: np.ndarray, sector: Sector, core: slice) -> np.ndarray:
    times = np.arange(len(frames)) / 50.0
    return segmenter.probabilities(frames, time_s=times, core=core, sector=sector)


def test_it_has_the_published_number_of_parameters(segmenter):
    assert sum(p.numel() for p in segmenter.network.parameters()) == PARAMETERS


def test_published_layout_gives_the_logits_of_the_plain_network(segmenter, published):
    frames = noise(3, 112, 112, 3)
    mean = np.array([0.12741163, 0.1279413, 0.12912785]) * 255
    spread = np.array([0.19557191, 0.19562256, 0.1965878]) * 255
    pixels = torch.tensor((frames - mean) / spread, dtype=torch.float32).permute(0, 3, 1, 2)
    with torch.inference_mode():
        wanted = published(pixels)["out"]
        ready = normalise(
            torch.from_numpy(frames).permute(0, 3, 1, 2).float(),
            segmenter.preparation.mean,
            segmenter.preparation.standard_deviation,
        )
        given = segmenter.network(ready)["out"]
    assert given.shape == (3, 1, 112, 112)
    torch.testing.assert_close(given, wanted, rtol=0, atol=1e-5)
    found = probabilities(segmenter, frames, whole_frame(112, 112), slice(0, 3))
    np.testing.assert_allclose(found, torch.sigmoid(wanted), atol=1e-5)
    assert np.array_equal(found > 0.5, wanted.numpy() > 0)


def test_only_the_frames_asked_for_come_back(segmenter):
    frames = noise(20, 112, 112, 3)
    every = probabilities(segmenter, frames, whole_frame(112, 112), slice(0, 20))
    some = probabilities(segmenter, frames, whole_frame(112, 112), slice(17, 19))
    assert every.shape == (20, 1, 112, 112) and every.dtype == np.float32
    np.testing.assert_allclose(some, every[17:19], atol=1e-5)


def test_other_sources_are_cropped_to_the_square_about_the_sector(segmenter):
    # An EchoNet-shaped clip, doubled in size and put inside a screen full of text.
    inner = noise(2, 56, 56, 3).repeat(4, axis=1).repeat(4, axis=2)  # (2,224,224,3)
    screen = np.full((2, 300, 400, 3), 255, np.uint8)
    screen[:, 50:274, 100:324] = inner
    mask = np.zeros((300, 400), bool)
    mask[50:274, 100:324] = True
    sector = Sector(mask=mask, box=(50, 100, 274, 324), found=True)
    found = probabilities(segmenter, screen, sector, slice(0, 2))
    assert found.shape == (2, 1, 300, 400)
    assert not found[:, :, ~mask].any()
    alone = probabilities(segmenter, inner, whole_frame(224, 224), slice(0, 2))
    np.testing.assert_allclose(found[:, :, 50:274, 100:324], alone, atol=1e-5)


def test_the_card_says_whose_weights_they_are_and_what_for(segmenter, checkpoint):
    assert segmenter.card.keys() == {
        "name",
        "weights_sha256",
        "training_data",
        "licence",
        "intended_use",
    }
    assert segmenter.card["weights_sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert "not for clinical use" in segmenter.card["intended_use"]
    assert segmenter.object_names == ("left_ventricle",)
    assert segmenter.halo_s == 0


def test_without_weights_the_error_says_where_they_are():
    with pytest.raises(WeightsError, match=r"github\.com/echonet/dynamic/releases/tag/v1\.0\.0"):
        load_model("echonet")


def test_another_architecture_is_refused_with_its_differences(tmp_path, published):
    tensors = {key: tensor for key, tensor in published.state_dict().items() if "layer4" not in key}
    torch.save({"state_dict": tensors}, tmp_path / "half.pt")
    with pytest.raises(WeightsError, match=r"\d+ missing: backbone\.layer4") as error:
        load_model("echonet", weights=tmp_path / "half.pt")
    assert "\n" not in str(error.value)
    torch.save(nn.Conv2d(3, 1, 1).state_dict(), tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="2 unexpected: weight, bias"):
        load_model("echonet", weights=tmp_path / "other.pt")


def test_a_device_that_is_not_here_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match="no device 'cuda:99' on this machine"):
        load_model("echonet", weights=tmp_path / "not-there.pt", device="cuda:99")


def test_unknown_models_are_refused_with_the_names_that_exist():
    with pytest.raises(InputError, match="default, echonet"):
        load_model("echonett")
