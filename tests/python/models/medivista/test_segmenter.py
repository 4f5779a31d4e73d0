"""MediViSTA from a weights file to a store's arrays."""

import numpy as np
import pytest
from safetensors.torch import save_file

import medseg
from medseg.cli import main
from medseg.export.video import VideoWriter
from medseg.models import load_model
from medseg.models.description import Preparation, describe

SMALL = Preparation(64, (0.4, 0.5, 0.6), (0.2, 0.2, 0.2))


@pytest.fixture
def weights(trained, tmp_path):
    network = trained(frames=4)
    path = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), path, metadata=describe("medivista", network.shape, SMALL))
    return path


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


def test_its_card_says_that_nothing_is_published(weights):
    segmenter = load_model("medivista", weights=weights)
    assert "no weights of this model are published" in segmenter.card["training_data"]
    assert segmenter.object_names == ("left_ventricle", "myocardium")
    assert not any(p.requires_grad for p in segmenter.network.image_encoder.parameters())


def test_the_network_is_given_pixels_by_the_file_s_own_constants(weights, whole_frame):
    """Not scaled by each frame's least and greatest, which flickers from frame to frame."""
    segmenter = load_model("medivista", weights=weights)
    seen = []
    segmenter.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    frames = np.full((2, 64, 64, 3), 102, np.uint8)
    frames[1, 0, 0] = 255
    segmenter.probabilities(
        frames, time_s=np.arange(2) / 50, core=slice(0, 2), sector=whole_frame(64, 64)
    )
    inner = seen[0][0, :, :, 5, 5].numpy()  # (T,3), both frames alike
    np.testing.assert_allclose(inner[0], (0.4 - np.array([0.4, 0.5, 0.6])) / 0.2, atol=1e-6)
    np.testing.assert_allclose(inner[1], inner[0], atol=1e-6)


def test_each_object_is_a_class_of_its_own(weights, whole_frame):
    segmenter = load_model("medivista", weights=weights)
    found = segmenter.probabilities(
        noise(6, 64, 64, 3), time_s=np.arange(6) / 50, core=slice(0, 6), sector=whole_frame(64, 64)
    )
    assert found.shape == (6, 2, 64, 64)
    assert (found.sum(1) < 1).all()  # the rest is background
    assert np.abs(found[:, 0] - found[:, 1]).mean() > 1e-3


def test_the_same_motion_at_another_frame_rate_is_fused_by_seconds(weights, whole_frame):
    """A clip in which time passes ten times as fast is another clip to it."""
    segmenter, frames = load_model("medivista", weights=weights), noise(4, 64, 64, 3)
    found = [
        segmenter.probabilities(
            frames, time_s=np.arange(4) / rate, core=slice(0, 4), sector=whole_frame(64, 64)
        )
        for rate in (50, 50, 5)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0] - found[2]).max() > 1e-3


def test_it_makes_a_segmentation_of_several_objects(weights):
    clip = medseg.clip_from_array(noise(12, 48, 48), name="noise", frame_rate_hz=50.0)
    found = medseg.segment(clip, model="medivista", weights=weights)
    assert found.attrs["object_names"] == ["left_ventricle", "myocardium"]
    assert found["mask"].shape == (2, 12, 48, 48)


def test_the_table_names_each_object_of_a_clip(weights, tmp_path, capsys):
    with VideoWriter(tmp_path / "noise.avi", frame_rate_hz=50, height=64, width=64) as video:
        video.write(noise(12, 64, 64, 3))
    call = ["segment", str(tmp_path / "noise.avi"), "-o", str(tmp_path / "o"), "--no-overlay"]
    assert main([*call, "--model", "medivista", "--weights", str(weights)]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("left_ventricle", "myocardium", "object"))
