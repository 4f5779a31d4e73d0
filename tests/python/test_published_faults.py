"""Faults of published code for segmentation and EF, one test each, that ours must not have.

Data, inference, evaluation and export; those of training are tried where training is. A fault that
another test catches already is in ELSEWHERE, with that test's place.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import nn

from medseg.clip import clip_from_array
from medseg.data import open_dataset, read_ef_table
from medseg.ejection import predict_ef_table
from medseg.errors import ClipUnreadable
from medseg.evaluate.truth import ClipTruth
from medseg.export.overlay import OUTLINE, overlay_pictures, write_overlay
from medseg.models.description import Preparation
from medseg.models.echonet import EchoNetSegmenter, EchoNetShape
from medseg.models.echonet import build_network as build_deeplab
from medseg.models.echonet_ef import EchoNetEF, EchoNetEFShape, EFPreparation
from medseg.models.echonet_ef import build_network as build_ef
from medseg.models.simlvseg_3d import SimLVSeg3D, SimLVSeg3DShape
from medseg.models.simlvseg_superimage import SuperimageNet, SuperimageShape
from medseg.models.study_unet import StudyUNet, StudyUNetShape
from medseg.models.unet import UNet, UNetShape
from medseg.models.unet_masks import UNetSegmenter
from medseg.models.weights import read_checkpoint
from medseg.segmentation import segment

TOP = Path(__file__).parents[2]
PYTHON, R = TOP / "tests" / "python", TOP / "r" / "tests" / "testthat"

ELSEWHERE = {
    # EchoNet-Dynamic, faults one to fifteen
    "one: --device cpu crashes": (
        "models/test_weights.py::test_only_devices_of_this_machine_are_given"
    ),
    "two: keys keep DataParallel's module.": (
        "models/test_echonet.py::test_published_layout_gives_the_logits_of_the_plain_network"
    ),
    "four: names with a suffix are dropped": (
        "data/test_echonet.py::test_names_match_with_and_without_avi"
    ),
    "five: lower-case splits are not found": (
        "data/test_echonet.py::test_splits_are_upper_case_and_chosen_in_either_case"
    ),
    "nine: beats in frames and not in seconds": (
        "test-beats-detect.R::a heart has the same beats at 30"
    ),
    "nine: minima at a clip's edge are lost": (
        "test-beats-detect.R::end-systoles near a clip's edge are found"
    ),
    "nine: no end-diastole": (
        "test-beats.R::ED, ES, cycle and rate are those of the simulated heart"
    ),
    "nine: stray pieces of mask stay": (
        "segmentation/test_cleaning.py::test_the_largest_piece_stays_and_its_holes_are_filled"
    ),
    "the percentile by ** instead of *": "test-beats-echonet.R::its fault is kept",
    "eight: a constant area divides by zero, in R": (
        "test-beats-detect.R::a flat curve, noise alone and a very short clip show no beats"
    ),
    "ten: videos are re-timed to 50 frames a second": (
        "export/test_overlay.py::test_the_video_has_the_clips_own_rate_and_length"
    ),
    "eleven: all results or none": (
        "test_ejection.py::test_a_stopped_run_leaves_no_table_and_goes_on_where_it_was"
    ),
    "fourteen: the container's count of frames overstates": (
        "decode/test_video.py::test_avi_cut_in_half_names_both_counts"
    ),
    "fourteen: the writer is never released": (
        "export/test_video.py::test_an_error_inside_the_block_leaves_nothing"
    ),
    "end-diastole by the order of rows": (
        "data/test_echonet.py::test_end_diastole_is_the_larger_tracing_whatever_the_order"
    ),
    "the long axis is part of the polygon": (
        "data/test_echonet.py::test_masks_agree_with_the_published_rule"
    ),
    "frames without 21 rows": (
        "data/test_echonet.py::test_a_frame_without_21_rows_is_left_out_with_the_reason"
    ),
    "n is not said": (
        "evaluate/test_traced.py::test_a_protocol_pools_two_frames_a_video_and_says_which_it_leaves_out"
    ),
    "a 90 % interval is printed as one of 95 %": (
        "metrics/test_bootstrap.py::test_a_published_interval_holds_90_percent_and_ours_95"
    ),
    "r² is printed as R²": (
        "metrics/test_agreement.py::test_both_kinds_of_r_squared_are_those_of_the_textbook"
    ),
    "the notebook guesses 30 frames a second": (
        "decode/test_dicom_time.py::test_nothing_there_is_unknown_and_never_a_guess"
    ),
    "the notebook sees period 1 by weights of period 2": (
        "models/test_echonet_ef.py::"
        "test_what_was_trained_here_carries_its_own_shape_and_normalisation"
    ),
    # SimLVSeg
    "seams between windows": (
        "models/test_windows.py::test_a_network_that_errs_at_its_window_s_ends_leaves_no_seam"
    ),
    "short videos are padded with black": (
        "models/test_windows.py::test_short_clips_go_forth_and_back_and_are_never_black"
    ),
    "the tail overwrites the window before": (
        "models/test_networks.py::"
        "test_a_frame_s_answer_does_not_depend_on_the_part_of_the_clip_that_was_read"
    ),
    "videos of another size are not resized": (
        "models/test_networks.py::test_probabilities_have_the_clip_s_own_size"
    ),
    "the writer is given height for width": (
        "export/test_video.py::test_lossless_gives_every_pixel_back_even_of_odd_size"
    ),
    "CAMUS loses its aspect": "data/test_camus.py::test_frames_and_spacing_keep_the_aspect",
    # Tec-AI-23
    "pixel accuracy is called Dice": "metrics/test_overlap.py::test_dice_is_not_pixel_accuracy",
    "a patient is in two splits": (
        "data/test_splits.py::test_no_patient_is_in_two_splits_and_shares_are_kept"
    ),
    "pixels are not divided by 255": (
        "models/test_unet_masks.py::test_frames_are_shown_as_they_were_in_training"
    ),
    "points are sorted by angle": (
        "models/test_landmarks.py::"
        "test_a_concave_ventricle_keeps_its_shape_which_sorting_by_angle_breaks"
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", ELSEWHERE)
def test_a_fault_is_tried_where_the_list_says(fault):
    name, test = ELSEWHERE[fault].split("::")
    folder, call = (R, f'test_that("{test}') if name.endswith(".R") else (PYTHON, f"def {test}(")
    assert call in (folder / name).read_text("utf-8")


def test_echonet_two_weights_of_a_gpu_load_where_there_is_none(tmp_path):
    stream = io.BytesIO()
    torch.save({"state_dict": {"weight": torch.arange(4.0)}}, stream)
    path = tmp_path / "gpu.pt"
    with zipfile.ZipFile(stream) as made, zipfile.ZipFile(path, "w") as moved:
        for name in made.namelist():
            content = made.read(name)
            if name.endswith("data.pkl"):  # each storage says where it was
                assert content.count(b"X\x03\x00\x00\x00cpu") == 1
                content = content.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
            moved.writestr(name, content)
    found = read_checkpoint(path).tensors["weight"]
    assert found.device.type == "cpu"
    assert found.tolist() == [0, 1, 2, 3]


def test_echonet_four_a_video_keeps_its_own_ef_whatever_is_missing_before_it(tmp_path):
    (tmp_path / "Videos").mkdir()
    (tmp_path / "FileList.csv").write_text(
        "FileName,EF,Split\nA.avi,20,TEST\nB,40,TEST\nC.AVI,60,TEST\nD,80,TEST\n"
    )
    (tmp_path / "Videos" / "C.avi").write_bytes(b"")
    (tmp_path / "Videos" / "D.avi").write_bytes(b"")
    cases = open_dataset(tmp_path).cases
    assert {name: case.ef_percent for name, case in cases.items()} == {
        "A": 20, "B": 40, "C": 60, "D": 80,
    }  # fmt: skip


def test_echonet_seven_every_command_of_the_readme_has_the_options_that_it_shows():
    import typer

    from medseg.cli.app import app

    commands = typer.main.get_command(app).commands
    shown = [
        line.split("#")[0].split()[1:]
        for line in (TOP / "README.md").read_text("utf-8").splitlines()
        if line.startswith("medseg ")
    ]
    assert len(shown) > 8
    for name, *arguments in shown:
        command = commands[name]
        if hasattr(command, "commands"):
            command = command.commands[arguments[0]]
        known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
        used = {a.split("=")[0] for a in arguments if re.match(r"--?[a-z]", a)}
        assert used <= known, (name, used - known)


@pytest.mark.parametrize("level", [0.0, 400.0])
def test_echonet_eight_a_constant_area_is_drawn(beating_clip, thresholder, level):
    clip = clip_from_array(beating_clip[0].read(0, 8), name="flat", frame_rate_hz=50.0)
    ds = segment(clip, thresholder)
    ds["area_px"].values[:] = level
    pictures = np.concatenate(list(overlay_pictures(clip, ds)))
    assert len(pictures) == 8 and pictures.max() > 100


def test_echonet_thirteen_the_outline_has_the_colour_that_its_comment_says(
    beating_clip, thresholder, tmp_path
):
    red, _, blue = OUTLINE[0]
    assert blue > 2 * red  # light blue, as RGB
    clip = clip_from_array(beating_clip[0].read(0, 6), name="x", frame_rate_hz=50.0)
    write_overlay(tmp_path / "x.mp4", clip, segment(clip, thresholder))
    with av.open(str(tmp_path / "x.mp4")) as video:
        picture = next(video.decode(video=0)).to_ndarray(format="rgb24")[:336].astype(int)
    vivid = picture[np.ptp(picture, axis=-1) > 100]
    assert len(vivid) > 200
    assert np.median(vivid[:, 2] - vivid[:, 0]) > 80


class FirstPixel(nn.Module):
    """Says the mean grey of the first frame that it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return clips[:, :, 0].mean((1, 2, 3))[:, None]


def test_the_echonet_notebook_s_shuffle_predictions_belong_to_the_named_files(tmp_path):
    plain = EFPreparation(frames=2, period=1, mean=(0.0,) * 3, standard_deviation=(1 / 255,) * 3)

    def opening(level: int):
        if level == 30:
            raise ClipUnreadable("30: not a clip")
        pictures = np.full((2, 112, 112, 3), level, np.uint8)
        return clip_from_array(pictures, name="any", frame_rate_hz=50.0)

    levels = [70, 10, 30, 50, 20]  # neither sorted nor whole: one of them fails
    sources = [(f"v{level}", lambda level=level: opening(level)) for level in levels]
    model = EchoNetEF(FirstPixel(), plain, {"weights_sha256": "0"})
    predict_ef_table(model, sources, tmp_path / "ef.csv")
    table = read_ef_table(tmp_path / "ef.csv")
    assert {n: round(table.mean_ef_percent(n)) for n in table.ef_percent} == {
        "v70": 70, "v10": 10, "v50": 50, "v20": 20,
    }  # fmt: skip


def test_simlvseg_s_swapped_labels_ed_is_the_larger_heart_on_the_page(tmp_path):
    from medseg.compare.strips import moments_of
    from medseg.data import Case

    large, small = np.zeros((2, 20, 20), bool)
    large[2:18, 5:15] = small[6:14, 7:13] = True
    truth = ClipTruth(
        frames=np.array([4, 9]), mask=np.stack([small, large]), ed=np.array([1]), es=np.array([0]),
        ef_percent=None, heart_rate_bpm=None, es_time_s=None, counted_s=None,
    )  # fmt: skip
    pictures = np.zeros((12, 20, 20, 3), np.uint8)
    pictures[9] = 90
    from PIL import Image

    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f"{i:02d}.png")
    case = Case("x", tmp_path, None, "", "A4C", None, None, None, 50.0, 12, None, ())
    ed, es = moments_of(case, truth, None)
    assert (ed.words, ed.frame, ed.truth.sum(), ed.picture.max()) == ("ED", 9, 160, 90)
    assert (es.words, es.frame, es.truth.sum(), es.picture.max()) == ("ES", 4, 48, 0)


class Redness(nn.Module):
    """Finds what is red, in the place where it is."""

    def __init__(self, named: bool) -> None:
        super().__init__()
        self.nothing, self.named = nn.Parameter(torch.zeros(1)), named

    def forward(self, pixels: torch.Tensor):
        logits = 50 * (pixels[:, :1] - pixels[:, 2:] - 0.5)
        return {"out": logits} if self.named else logits


@pytest.mark.parametrize("kind", [EchoNetSegmenter, UNetSegmenter])
def test_tec_ai_s_transposed_picture_masks_lie_where_the_heart_is_and_red_is_red(kind, make_fan):
    from medseg.sector import Sector

    frames = np.zeros((3, 112, 112, 3), np.uint8)
    frames[:, 10:30, 70:100, 0] = 255  # red, above and to the right
    frames[:, 70:100, 10:30, 2] = 255  # blue, below and to the left
    plain = Preparation(mean=(0.0,) * 3, standard_deviation=(1.0,) * 3)
    segmenter = kind(Redness(kind is EchoNetSegmenter), plain, {})
    sector = Sector(np.ones((112, 112), bool), (0, 0, 112, 112), True)
    found = segmenter.probabilities(
        frames, time_s=np.arange(3) / 50, core=slice(0, 3), sector=sector
    )
    wanted = np.zeros((112, 112), bool)
    wanted[10:30, 70:100] = True
    assert ((found[1, 0] > 0.5) == wanted).all()


def test_tec_ai_s_unsorted_lists_a_mask_belongs_to_the_clip_of_its_name(tmp_path):
    names = ("z", "a", "m")
    (tmp_path / "clips").mkdir()
    (tmp_path / "masks").mkdir()
    for name in names:
        (tmp_path / "clips" / f"{name}.avi").write_bytes(b"")
    for i, name in enumerate(reversed(names), start=1):
        mask = np.zeros((1, 16, 16), np.uint8)
        mask[0, :i, :i] = 1
        np.savez(tmp_path / "masks" / f"{name}.npz", mask=mask, frame=[0])
    cases = open_dataset(tmp_path).cases
    assert {name: case.traced[0].area_px for name, case in cases.items()} == {
        "a": 4, "m": 1, "z": 9,
    }  # fmt: skip


NETWORKS = {
    "default": (lambda: UNet(UNetShape(widths=(4, 8, 8, 8))), (3, 32, 32)),
    "deeplab": (lambda: build_deeplab(EchoNetShape(4, (1, 1, 1, 1), 8)), (3, 64, 64)),
    "r2plus1d": (lambda: build_ef(EchoNetEFShape(8, (1, 1, 1, 1))), (3, 8, 32, 32)),
    "u-net": (lambda: StudyUNet(StudyUNetShape(1, (4, 8))), (3, 32, 32)),
    "3-d u-net": (lambda: SimLVSeg3D(SimLVSeg3DShape(8, (2, 4, 4), (1, 1, 1))), (3, 32, 32, 8)),
    "superimage": (
        lambda: SuperimageNet(SuperimageShape("uniformer-narrow", 2, (8, 8, 4, 4, 4))),
        (3, 64, 64),
    ),
}


def answer(network: nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    found = network(pixels)
    return found["out"] if isinstance(found, dict) else found


@pytest.mark.parametrize("name", NETWORKS)
def test_medivista_s_idle_blocks_every_weight_has_a_part_in_the_answer(name):
    build, shape = NETWORKS[name]
    torch.manual_seed(0)
    network = build().eval()
    for module in network.modules():  # a fresh EF network's last layer answers with its bias alone
        if isinstance(module, nn.Linear | nn.Conv2d | nn.Conv3d):
            nn.init.normal_(module.weight, std=0.2)
    answer(network, torch.randn(2, *shape)).square().sum().backward()
    idle = [
        key
        for key, weight in network.named_parameters()
        if weight.dim() > 1 and (weight.grad is None or not weight.grad.any())
    ]
    assert idle == []


@pytest.mark.parametrize("name", NETWORKS)
def test_medivista_s_fixed_batch_any_number_of_clips_have_the_answers_of_each_alone(name):
    build, shape = NETWORKS[name]
    torch.manual_seed(1)
    network = build().eval()
    clips = torch.randn(3, *shape)
    with torch.inference_mode():
        together = answer(network, clips)
        alone = torch.cat([answer(network, clip[None]) for clip in clips])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
