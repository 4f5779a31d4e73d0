"""Sizes and work of the published networks, against their authors' figures."""

import pytest
import torch
from torch import nn

from medseg.models import echonet, echonet_ef, load_model
from medseg.models.complexity import complexity
from medseg.models.simlvseg_3d import SimLVSeg3D, SimLVSeg3DShape
from medseg.models.simlvseg_superimage import SuperimageNet, SuperimageShape
from medseg.models.study_unet import StudyUNet, StudyUNetShape

# Work in multiply-adds per frame of 112 by 112, as the SimLVSeg authors' table (counted by fvcore,
# which adds the normalisations) gives it; parameters in millions from the same table.
TOLERANCE = 0.02


def on_meta(build):
    with torch.device("meta"):
        return build()


def test_one_convolution_is_counted_by_hand():
    found = complexity(nn.Conv2d(3, 8, 3, padding=1), (2, 3, 10, 10), frames_per_input=2)
    assert found.parameters == 3 * 8 * 9 + 8
    assert found.gflops_per_frame == pytest.approx(3 * 8 * 9 * 100 / 1e9)


def test_counting_leaves_the_network_as_it_was():
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1)).train()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    complexity(network, (1, 1, 8, 8))
    assert network.training
    for key, tensor in network.state_dict().items():
        assert tensor.device.type == "cpu"
        torch.testing.assert_close(tensor, before[key])


def test_the_default_model_s_work_is_counted_with_both_views_of_a_frame():
    default = load_model("default")
    found = complexity(
        default.network, default.input_shape, frames_per_input=default.frames_per_input
    )
    once = complexity(default.network, (1, *default.input_shape[1:]))
    assert found.gflops_per_frame == pytest.approx(2 * once.gflops_per_frame)


def test_echonet_s_deeplab():
    found = complexity(on_meta(echonet.build_network), (1, 3, 112, 112))
    assert found.parameters == 39_633_729
    assert found.gflops_per_frame == pytest.approx(7.84, rel=TOLERANCE)


def test_echonet_s_ejection_fraction_network():
    network = on_meta(echonet_ef.build_network)
    found = complexity(network, (1, 3, 32, 112, 112), frames_per_input=32)
    assert found.parameters == 31_300_638
    # torchvision gives 40.52 for 16 frames of 112 by 112 and 400 classes; work grows with frames.
    assert found.gflops_per_frame == pytest.approx(40.52 / 16, rel=TOLERANCE)


def test_simlvseg_s_3d_unet():
    network = on_meta(lambda: SimLVSeg3D(SimLVSeg3DShape()))
    found = complexity(network, (1, 3, 112, 112, 32), frames_per_input=32)
    assert round(found.parameters / 1e6, 2) == 18.83
    assert found.gflops_per_frame == pytest.approx(1.13, rel=TOLERANCE)


@pytest.mark.parametrize(("encoder", "published"), [("uniformer-small", True), ("resnet34", False)])
def test_only_uniformer_small_on_16_frames_is_the_published_superimage(encoder, published):
    network = on_meta(lambda: SuperimageNet(SuperimageShape(encoder=encoder)))
    found = complexity(network, (1, 3, 512, 512), frames_per_input=16)
    assert (round(found.parameters / 1e6, 2) == 24.83) == published
    assert (found.gflops_per_frame == pytest.approx(2.17, rel=TOLERANCE)) == published


def test_25_frames_would_cost_more_than_the_published_superimage():
    network = on_meta(lambda: SuperimageNet(SuperimageShape()))
    found = complexity(network, (1, 3, 640, 640), frames_per_input=25)
    assert found.gflops_per_frame > 2.17 * 1.05


def test_the_study_s_unet():
    """Its authors give neither figure; the count is that of their code, run once."""
    found = complexity(on_meta(lambda: StudyUNet(StudyUNetShape())), (1, 3, 112, 112))
    assert found.parameters == 31_037_633
    seven = complexity(on_meta(lambda: StudyUNet(StudyUNetShape(7))), (1, 3, 112, 112))
    assert seven.parameters == 31_037_633 + 6 * 65
