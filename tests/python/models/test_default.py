"""The default model: what it sees, what it carries, and what ships with the package."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from medseg.errors import WeightsError
from medseg.models import load_model
from medseg.models.default import (
    DefaultSegmenter,
    Preparation,
    load_default,
    neighbours,
    pack_metadata,
    standardise,
)
from medseg.models.unet import UNet, UNetShape, fused
from medseg.sector import Sector, bounding_box
from medseg.simulate.stills import draw_burst

SMALL = UNetShape(frames=3, classes=5, widths=(4, 8))


def whole(height: int, width: int) -> Sector:
    return Sector(np.ones((height, width), bool), (0, 0, height, width), True)


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "small.safetensors"
    save_file(UNet(SMALL).state_dict(), path, metadata=pack_metadata(SMALL, Preparation(32, 0.08)))
    return path


def test_neighbours_are_chosen_by_time_not_by_index():
    fast, slow = np.arange(20) / 100, np.arange(20) / 25
    assert neighbours(fast, 0.08, 3)[10].tolist() == [2, 10, 18]
    assert neighbours(fast, 0.04, 5)[10].tolist() == [2, 6, 10, 14, 18]
    assert neighbours(slow, 0.08, 5)[10].tolist() == [6, 8, 10, 12, 14]
    assert neighbours(fast, 0.08, 5)[0].tolist() == [0, 0, 0, 8, 16]
    assert neighbours(np.zeros(1), 0.08, 3).tolist() == [[0, 0, 0]]
    assert neighbours(np.zeros(2), 0.08, 3)[:, 1].tolist() == [0, 1]


def test_standardising_undoes_gain_and_offset():
    clip = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    changed = 0.6 * clip + 0.2
    torch.testing.assert_close(standardise(clip), standardise(changed), rtol=0.06, atol=0.05)
    assert float(standardise(clip).mean()) == pytest.approx(0, abs=1e-6)


def test_probabilities_have_the_clip_s_own_size(weights):
    segmenter = load_default(weights, torch.device("cpu"))
    frames = np.random.default_rng(0).integers(0, 255, (6, 40, 50, 3), dtype=np.uint8)
    found = segmenter.probabilities(
        frames, time_s=np.arange(6) / 30, core=slice(1, 5), sector=whole(40, 50)
    )
    assert found.shape == (4, 1, 40, 50)
    assert found.dtype == np.float32
    assert 0 <= found.min() < found.max() <= 1


class Brightness(nn.Module):
    """A network whose left ventricle is what is brighter than the mean in one frame of three."""

    def __init__(self, frame: int = 1) -> None:
        super().__init__()
        self.frame = frame
        self.steepness = nn.Parameter(torch.tensor(50.0))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(frames), 5, *frames.shape[2:])
        logits[:, 1] = self.steepness * frames[:, self.frame]
        return logits


def test_both_views_of_a_frame_are_put_back_where_they_came_from():
    segmenter = DefaultSegmenter(UNet(SMALL), Preparation(64, 0.08), "")
    segmenter.network = Brightness()
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[5:11, 28:36] = frame[20:44, 8:18] = 255  # the second box reaches to the left only
    frame[30:34, :3] = 255  # and the third is seen by the first view alone
    found = _ask(segmenter, frame) > 0.5
    np.testing.assert_array_equal(found, frame[..., 0] > 0)


def test_a_frame_s_second_view_is_larger_so_that_the_two_answers_differ(weights):
    segmenter = load_default(weights, torch.device("cpu"))
    frame = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    mirrored = _ask(segmenter, frame[:, ::-1])[:, ::-1]
    assert np.abs(_ask(segmenter, frame) - mirrored).max() > 1e-4


@pytest.mark.parametrize("neighbour", [0, 2])
def test_one_view_sees_the_frame_alone_and_the_other_its_neighbours_too(neighbour):
    segmenter = DefaultSegmenter(UNet(SMALL), Preparation(64, 0.08), "")
    segmenter.network = Brightness(neighbour)
    frames = np.zeros((3, 64, 64, 3), np.uint8)
    frames[:, 50:58, 20:44] = 255  # seen by both
    frames[neighbour, 10:20, 24:40] = 255  # by the second alone
    frames[1, 30:40, 24:40] = 255  # by the first alone, where the frame stands in for its neighbour
    found = segmenter.probabilities(
        frames, time_s=np.arange(3) * 0.08, core=slice(1, 2), sector=whole(64, 64)
    )[0, 0]
    for rows, answer in (((52, 56), 1.0), ((13, 17), 0.5), ((33, 37), 0.5), ((22, 28), 0.0)):
        np.testing.assert_allclose(found[slice(*rows), 28:36], answer, atol=0.01)


def _ask(segmenter: DefaultSegmenter, frame: np.ndarray) -> np.ndarray:
    sector = whole(*frame.shape[:2])
    return segmenter.probabilities(
        frame[None], time_s=np.zeros(1), core=slice(0, 1), sector=sector
    )[0, 0]


def test_a_frame_s_answer_does_not_depend_on_the_window_it_came_in(weights):
    segmenter = load_default(weights, torch.device("cpu"))
    frames = np.random.default_rng(1).integers(0, 255, (24, 32, 32, 3), dtype=np.uint8)
    time_s = np.arange(24) / 50

    def ask(first: int, last: int, core: slice) -> np.ndarray:
        return segmenter.probabilities(
            frames[first:last], time_s=time_s[first:last], core=core, sector=whole(32, 32)
        )

    together = ask(0, 24, slice(10, 14))
    apart = ask(5, 20, slice(5, 9))
    np.testing.assert_allclose(together, apart, atol=1e-6)


def test_a_clip_shown_with_the_probe_below_is_outlined_as_if_it_were_above(weights):
    """As paediatric clips are: the network sees the same upright square."""
    rows, columns = np.mgrid[:48, :60]
    fan = (np.abs(columns - 30) < rows * 0.8) & (np.hypot(rows, columns - 30) < 44)
    frames = np.random.default_rng(3).integers(0, 255, (3, 48, 60, 3), dtype=np.uint8)
    segmenter = load_default(weights, torch.device("cpu"))

    def ask(frames: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return segmenter.probabilities(
            frames,
            time_s=np.arange(3) / 12.5,
            core=slice(0, 3),
            sector=Sector(mask, bounding_box(mask), True),
        )

    upright, below = ask(frames, fan), ask(frames[:, ::-1], fan[::-1])
    np.testing.assert_allclose(below, upright[:, :, ::-1], atol=1e-6)
    assert np.abs(upright - upright[:, :, ::-1]).max() > 1e-3


def test_frames_on_both_sides_are_read_as_far_as_the_network_sees(tmp_path):
    wide = UNetShape(frames=5, classes=5, widths=(4, 8))
    path = tmp_path / "wide.safetensors"
    save_file(UNet(wide).state_dict(), path, metadata=pack_metadata(wide, Preparation(32, 0.08)))
    assert load_default(path, torch.device("cpu")).halo_s == pytest.approx(0.16)


def test_folding_the_normalisation_changes_no_answer():
    torch.manual_seed(1)
    network = UNet(SMALL)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
    pictures = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        plain = network.eval()(pictures)
        torch.testing.assert_close(fused(network)(pictures), plain, rtol=1e-4, atol=1e-5)


def test_nothing_is_found_outside_the_square_around_the_sector(weights):
    segmenter = load_default(weights, torch.device("cpu"))
    frames = np.full((2, 40, 90, 3), 100, np.uint8)
    mask = np.zeros((40, 90), bool)
    mask[:, 20:60] = True
    found = segmenter.probabilities(
        frames,
        time_s=np.arange(2) / 30,
        core=slice(0, 2),
        sector=Sector(mask, (0, 20, 40, 60), True),
    )
    assert not found[..., :20].any()
    assert not found[..., 60:].any()
    assert found[..., 20:60].any()


def test_where_the_processor_multiplies_bfloat16_the_outline_stays_the_same(monkeypatch):
    picture = draw_burst(5, frames=1).pictures[0]
    frame = np.repeat(picture[..., None], 3, -1)
    monkeypatch.setattr("medseg.models.default.multiplies_bfloat16", lambda: False)
    exact = _ask(load_default(None, torch.device("cpu")), frame)
    monkeypatch.setattr("medseg.models.default.multiplies_bfloat16", lambda: True)
    fast = _ask(load_default(None, torch.device("cpu")), frame)
    assert 0 < np.abs(fast - exact).max() < 0.1
    assert np.count_nonzero((fast > 0.5) != (exact > 0.5)) < 0.01 * np.count_nonzero(exact > 0.5)


def test_weights_without_their_description_are_refused(tmp_path):
    path = tmp_path / "bare.safetensors"
    save_file(UNet(SMALL).state_dict(), path)
    with pytest.raises(WeightsError, match="not weights of the default model"):
        load_default(path, torch.device("cpu"))


def test_weights_of_another_shape_are_refused(tmp_path):
    other = UNetShape(widths=(4, 8, 16))
    path = tmp_path / "other.safetensors"
    save_file(UNet(SMALL).state_dict(), path, metadata=pack_metadata(other, Preparation(32, 0.08)))
    with pytest.raises(WeightsError, match="missing"):
        load_default(path, torch.device("cpu"))


def test_the_shipped_weights_are_small_and_say_where_they_come_from():
    from importlib.resources import files

    shipped = files("medseg.models") / "default.safetensors"
    assert len(shipped.read_bytes()) <= 8_000_000
    card = load_model("default").card
    assert "simulated clips only" in card["training_data"]
    assert "not for clinical use" in card["intended_use"]
    assert len(card["weights_sha256"]) == 64
