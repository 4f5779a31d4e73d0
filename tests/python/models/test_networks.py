"""What every network that outlines the ventricle does, whatever is inside it."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import medseg
from medseg.errors import WeightsError
from medseg.models import MODELS, echonet, load_model
from medseg.models.complexity import complexity
from medseg.models.description import Preparation, describe
from medseg.models.medivista import MediViSTA, MediViSTAShape
from medseg.models.simlvseg_3d import SimLVSeg3D, SimLVSeg3DShape
from medseg.models.simlvseg_superimage import SuperimageNet, SuperimageShape
from medseg.models.study_unet import StudyUNet, StudyUNetShape
from medseg.models.unet_landmarks import LandmarkPreparation
from medseg.sector import Sector

RATE_HZ = 50.0
SMALL = Preparation(size=32, mean=(0.2,) * 3, standard_deviation=(0.1,) * 3)
SMALL_POINTS = LandmarkPreparation(size=32)
NARROW = {
    "echonet": (echonet.build_network, echonet.EchoNetShape(4, (1, 1, 1, 1), 8), SMALL),
    "unet": (StudyUNet, StudyUNetShape(1, (4, 8)), SMALL),
    "unet-landmarks": (StudyUNet, StudyUNetShape(7, (4, 8)), SMALL_POINTS),
    "simlvseg-3d": (SimLVSeg3D, SimLVSeg3DShape(8, (2, 4, 4), (1, 1, 1)), SMALL),
    "simlvseg-superimage": (
        SuperimageNet,
        SuperimageShape("uniformer-narrow", 2, (8, 8, 4, 4, 4)),
        SMALL,
    ),
    "medivista": (
        MediViSTA,
        MediViSTAShape(
            objects=("left_ventricle",),
            frames=8,
            adapter_heads=2,
            low_rank=2,
            pyramid=(4, 4, 8, 8),
            decoder_heads=2,
            width=16,
            depth=2,
            heads=2,
            global_blocks=(1,),
            window=2,
            size=32,
            neck=16,
        ),
        SMALL,
    ),
}


@pytest.fixture(params=NARROW)
def segmenter(request, tmp_path, seeded):
    build, shape, preparation = NARROW[request.param]
    network = build(shape)
    path = tmp_path / "narrow.safetensors"
    text = describe(request.param, shape, preparation, training_data="nothing at all")
    save_file(seeded(network.state_dict(), 7), path, metadata=text)
    return load_model(request.param, weights=path)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


def ask(segmenter, frames: np.ndarray, first: int, core: slice, sector: Sector) -> np.ndarray:
    time_s = (first + np.arange(len(frames))) / RATE_HZ
    return segmenter.probabilities(frames, time_s=time_s, core=core, sector=sector)


def test_every_network_is_tried_here():
    assert set(NARROW) | {"default"} == set(MODELS)


def test_probabilities_have_the_clip_s_own_size(segmenter, whole_frame):
    found = ask(segmenter, noise(11, 40, 56, 3), 0, slice(2, 9), whole_frame(40, 56))
    assert found.shape == (7, 1, 40, 56) and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1
    assert np.ptp(found) > 1e-3
    assert segmenter.card["training_data"] == "nothing at all"


def test_a_frame_s_answer_does_not_depend_on_the_part_of_the_clip_that_was_read(
    segmenter, whole_frame
):
    clip, halo = noise(50, 32, 32, 3), int(np.ceil(segmenter.halo_s * RATE_HZ))
    sector = whole_frame(32, 32)
    whole = ask(segmenter, clip, 0, slice(0, 50), sector)
    for start, stop in ((0, 20), (20, 41), (41, 50)):
        first, end = max(start - halo, 0), min(stop + halo, 50)
        part = ask(segmenter, clip[first:end], first, slice(start - first, stop - first), sector)
        np.testing.assert_allclose(part, whole[start:stop], atol=1e-5)


@pytest.mark.parametrize("count", [1, 3])
def test_clips_shorter_than_the_window_are_segmented(segmenter, whole_frame, count):
    found = ask(segmenter, noise(count, 32, 32, 3), 0, slice(0, count), whole_frame(32, 32))
    assert found.shape == (count, 1, 32, 32) and np.isfinite(found).all()


def test_nothing_is_found_outside_the_square_around_the_sector(segmenter):
    mask = np.zeros((40, 90), bool)
    mask[:, 20:60] = True
    sector = Sector(mask, (0, 20, 40, 60), True)
    frames = noise(4, 40, 90, 3)
    found = ask(segmenter, frames, 0, slice(0, 4), sector)
    assert not found[..., :20].any() and not found[..., 60:].any()
    frames[:, ~mask] = 255  # text and buttons beside the sector change nothing
    np.testing.assert_allclose(ask(segmenter, frames, 0, slice(0, 4), sector), found, atol=1e-6)


def test_its_work_can_be_counted(segmenter):
    found = complexity(
        segmenter.network, segmenter.input_shape, frames_per_input=segmenter.frames_per_input
    )
    assert found.parameters == sum(p.numel() for p in segmenter.network.parameters())
    assert found.gflops_per_frame > 0


@pytest.mark.parametrize(
    "model", ["unet", "unet-landmarks", "simlvseg-3d", "simlvseg-superimage", "medivista"]
)
def test_a_network_that_ships_no_weights_says_where_to_get_some(model):
    with pytest.raises(WeightsError, match=f"model {model}: .*--weights"):
        load_model(model)


def test_weights_of_another_network_name_it(tmp_path):
    path = tmp_path / "unet.safetensors"
    build, shape, preparation = NARROW["unet"]
    save_file(build(shape).state_dict(), path, metadata=describe("unet", shape, preparation))
    with pytest.raises(WeightsError, match="choose --model unet"):
        load_model("simlvseg-3d", weights=path)
    torch.save(build(shape).state_dict(), tmp_path / "bare.pt")
    with pytest.raises(WeightsError, match=r"not weights of SimLVSeg's 3-D U-Net \(\d+ missing"):
        load_model("simlvseg-3d", weights=tmp_path / "bare.pt")


def test_a_description_without_its_normalisation_is_refused(tmp_path):
    build, shape, preparation = NARROW["unet"]
    text = describe("unet", shape, preparation)
    text["preparation"] = '{"size": 32}'
    save_file(build(shape).state_dict(), tmp_path / "lost.safetensors", metadata=text)
    with pytest.raises(WeightsError, match="mean"):
        load_model("unet", weights=tmp_path / "lost.safetensors")


def test_a_long_clip_s_masks_do_not_depend_on_the_engine_s_window(tmp_path, seeded):
    """The engine reads 16 or 64 frames at a time; the network sees 32."""
    shape = SimLVSeg3DShape(32, (4, 8, 8), (1, 1, 1))
    state = seeded(SimLVSeg3D(shape).state_dict(), 3)
    state["decoder1.conv.unit1.conv.bias"] -= 0.5
    path = tmp_path / "narrow.safetensors"
    save_file(state, path, metadata=describe("simlvseg-3d", shape, SMALL))
    clip = medseg.clip_from_array(noise(140, 32, 32), name="noise", frame_rate_hz=RATE_HZ)
    found = [
        medseg.segment(clip, model="simlvseg-3d", weights=path, window=window)
        for window in (16, 64, 140)
    ]
    areas = [ds["area_px"].values for ds in found]
    assert np.ptp(areas[0]) > 0
    np.testing.assert_array_equal(areas[0], areas[2])
    np.testing.assert_array_equal(areas[1], areas[2])
