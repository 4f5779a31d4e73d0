"""EchoNet's ejection-fraction network: its layout, its clips and their mean."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models.video import r2plus1d_18

from medseg.errors import InputError, WeightsError
from medseg.models.description import describe
from medseg.models.echonet_ef import (
    EchoNetEF,
    EchoNetEFShape,
    EFPreparation,
    build_network,
    clip_starts,
    load_echonet_ef,
    predict_ef,
)

PLAIN = EFPreparation(mean=(0.0,) * 3, standard_deviation=(1 / 255,) * 3)  # pixels as they are


class MeanPixel(nn.Module):
    """Says the mean of all pixels that it is shown, and keeps what it was shown."""

    def __init__(self):
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))
        self.shown = []

    def forward(self, clips):
        self.shown.append(clips)
        return clips.mean((1, 2, 3, 4))[:, None]


def counting(frames: int, size: int = 112) -> np.ndarray:
    """A video whose frame i has the grey level i."""
    levels = np.arange(frames, dtype=np.uint8)[:, None, None, None]
    return np.broadcast_to(levels, (frames, size, size, 3))


def model(preparation: EFPreparation = PLAIN) -> EchoNetEF:
    return EchoNetEF(MeanPixel(), preparation, {})


def test_the_published_layout_gives_the_predictions_of_torchvision_s_network(tmp_path):
    torch.manual_seed(5)
    published = r2plus1d_18(weights=None)
    published.fc = nn.Linear(published.fc.in_features, 1)
    path = tmp_path / "r2plus1d_18_32_2_pretrained.pt"
    torch.save({"epoch": 44, "state_dict": nn.DataParallel(published).state_dict()}, path)
    loaded = load_echonet_ef(path)
    assert sum(p.numel() for p in loaded.network.parameters()) == 31_300_638
    clip = torch.randn(1, 3, 8, 48, 40)
    with torch.inference_mode():
        wanted = published.eval()(clip)
        torch.testing.assert_close(loaded.network(clip), wanted, rtol=0, atol=1e-5)
    assert "not for clinical use" in loaded.card["intended_use"]


def test_training_starts_from_the_mean_ejection_fraction():
    with torch.device("meta"):
        assert build_network().fc.out_features == 1
    network = build_network(EchoNetEFShape(width=8, blocks=(1, 1, 1, 1)))
    assert network.fc.bias.item() == pytest.approx(55.6)


def test_clips_start_at_every_frame_up_to_f_minus_63():
    assert clip_starts(176, PLAIN).tolist() == list(range(176 - 63 + 1))
    assert clip_starts(64, PLAIN).tolist() == [0, 1]
    assert clip_starts(176, PLAIN, stride=50).tolist() == [0, 50, 100]
    # EchoNet pads what is shorter to 64 frames first
    assert clip_starts(28, PLAIN).tolist() == [0, 1]


def test_each_clip_has_every_second_frame_of_63():
    found = predict_ef(model(), counting(100))
    assert found.start.tolist() == list(range(38))
    np.testing.assert_allclose(found.ef_percent, found.start + 31, atol=1e-3)
    assert found.mean_ef_percent == pytest.approx(37 / 2 + 31, abs=1e-3)
    fewer = predict_ef(model(), counting(100), stride=10)
    np.testing.assert_allclose(fewer.ef_percent, found.ef_percent[::10], atol=1e-3)


def test_short_videos_are_reflected_or_filled_with_mean_grey():
    reflected = model()
    predict_ef(reflected, counting(40) + np.uint8(1))
    levels = reflected.network.shown[0][0, 0, :, 0, 0]  # the first clip's frames
    assert levels.tolist()[:21] == [*range(1, 40, 2), 39]
    assert levels.min() >= 1
    grey = model(EFPreparation())
    predict_ef(grey, counting(40) + np.uint8(200), padding="mean")
    filled = grey.network.shown[0][0, :, :, 5, 5]
    assert bool((filled[:, 20:] == 0).all()) and bool((filled[:, :20] > 0).all())


def test_other_sizes_are_brought_to_the_network_s_own(whole_frame):
    seen = model()
    predict_ef(seen, counting(64, 90), sector=whole_frame(90, 90))
    assert seen.network.shown[0].shape == (2, 3, 32, 112, 112)


def test_what_was_trained_here_carries_its_own_shape_and_normalisation(tmp_path):
    shape = EchoNetEFShape(width=8, blocks=(1, 1, 1, 1))
    preparation = EFPreparation(size=32, mean=(0.1,) * 3, frames=4, period=3)
    path = tmp_path / "own.safetensors"
    text = describe("echonet-ef", shape, preparation, training_data="simulated clips")
    save_file(build_network(shape).state_dict(), path, metadata=text)
    loaded = load_echonet_ef(path)
    assert loaded.preparation == preparation
    assert loaded.card["training_data"] == "simulated clips"
    assert len(predict_ef(loaded, counting(20)).start) == 20 - 9


def test_what_cannot_be_used_is_said_in_one_line(tmp_path):
    with pytest.raises(InputError, match="stride of 0"):
        predict_ef(model(), counting(64), stride=0)
    with pytest.raises(InputError, match="choose reflect or mean"):
        predict_ef(model(), counting(64), padding="black")
    with pytest.raises(InputError, match="without frames"):
        predict_ef(model(), counting(0))
    with pytest.raises(WeightsError, match="releases/tag"):
        load_echonet_ef(None)
    torch.save({"state_dict": nn.Linear(2, 1).state_dict()}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=r"not weights of EchoNet's R\(2\+1\)D-18"):
        load_echonet_ef(tmp_path / "other.pt")
