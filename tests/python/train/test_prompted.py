"""SAM 2's and MediViSTA's recipes: what points, what bears the loss, what is trained and frozen."""

import json
from dataclasses import replace
from importlib.util import find_spec
from math import log

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from medseg.data import open_dataset
from medseg.errors import InputError, TrainingError
from medseg.losses import dice_binary_cross_entropy, focal_loss, mask_dice_loss
from medseg.models import load_model
from medseg.models.medivista import ImageEncoder, MediViSTAShape
from medseg.train import train
from medseg.train.cohort import choose_cohort
from medseg.train.config import check_values
from medseg.train.networks import build, clip_logits
from medseg.train.pixels import Pictures
from medseg.train.prompted import boxes_around, clip_losses
from medseg.train.recipes import RECIPES, with_model
from medseg.train.samples import VALIDATION_PASS, Samples, window_of_traced
from medseg.train.start import freeze

with_sam2 = pytest.mark.skipif(
    find_spec("sam2") is None,
    reason="sam2, an optional extra, is not installed: ci/setup installs it",
)
SIDE = 64


def small(name, folder, **run):
    """A recipe on pictures of 64 pixels, one step."""
    config = RECIPES[name]
    shape = replace(config.network.shape, image_size=SIDE)
    frames = 1 if name == "medsam2-2d" else 3
    return replace(
        config,
        data=replace(config.data, path=str(folder), size=SIDE, frames=frames, workers=0),
        network=replace(config.network, shape=shape),
        run=replace(config.run, steps=1, batch=2, tensorboard=False, **run),
    )


def test_a_box_lies_around_its_mask_and_is_moved_outwards_only():
    masks = torch.zeros(3, 20, 20)
    masks[0, 4:9, 10:16] = 1
    masks[1, 0, 19] = 1
    moved = torch.tensor([[1.0, 2.0, 3.0, 4.0]] * 3)
    assert boxes_around(masks, torch.zeros(3, 4)).tolist() == [
        [10, 4, 16, 9],
        [19, 0, 20, 1],
        [0, 0, 20, 20],  # an empty mask has no box of its own
    ]
    assert boxes_around(masks, moved)[:2].tolist() == [[9, 2, 19, 13], [18, 0, 20, 5]]


def test_a_window_begins_and_ends_where_somebody_traced():
    assert window_of_traced(None, [7, 25], 4).tolist() == [7, 13, 19, 25]
    assert window_of_traced(None, list(range(10)), 4).tolist() == [3, 4, 5, 6]
    assert window_of_traced(None, [2, 3], 4).tolist() == [2, 2, 3, 3]
    rng = np.random.default_rng(0)
    starts = {int(window_of_traced(rng, list(range(5, 12)), 4)[0]) for _ in range(60)}
    assert starts == {5, 6, 7, 8}


def test_losses_of_masks_by_hand():
    logits = torch.tensor([[[0.0, 0.0]], [[50.0, -50.0]]])  # unsure; sure and right
    masks = torch.tensor([[[1.0, 0.0]], [[1.0, 0.0]]])
    # Lin 2017: alpha (1 - 1/2)^2 log 2 inside, (1 - alpha) (1 - 1/2)^2 log 2 outside.
    expected = (0.25 + 0.75) / 2 * 0.25 * log(2)
    torch.testing.assert_close(focal_loss(logits, masks), torch.tensor([expected, 0.0]))
    torch.testing.assert_close(mask_dice_loss(logits, masks), torch.tensor([1 - 2 / 3, 0.0]))
    # p = 1/2 twice: 1 - 2 x 0.5 / (0.25 + 0.25 + 1), and log 2.
    loss = dice_binary_cross_entropy(logits[:1], masks[:1])
    assert float(loss) == pytest.approx(1 - 1 / 1.5 + log(2), abs=1e-4)


def test_dice_and_cross_entropy_are_monais():
    from monai import losses  # slow to import

    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(4, 1, 9, 9, generator=generator)
    masks = (torch.rand(4, 1, 9, 9, generator=generator) > 0.6).float()
    theirs = losses.DiceLoss(sigmoid=True, squared_pred=True)(logits, masks)
    theirs = theirs + torch.nn.BCEWithLogitsLoss()(logits, masks)
    torch.testing.assert_close(dice_binary_cross_entropy(logits, masks), theirs)


def test_the_best_of_three_masks_bears_the_loss_and_all_expect_their_overlap():
    truth = torch.zeros(1, 4, 4)
    truth[0, :2] = 1
    right = 60 * (truth - 0.5)
    half = right.clone()
    half[0, 1] = -30  # one row of two: overlap 1/2
    logits = torch.stack([right, half, -right], 1)  # (1,3,4,4); the last one's overlap is 0
    there = torch.full((1, 1), 40.0)
    assert clip_losses(logits, torch.tensor([[1.0, 0.5, 0.0]]), there, truth).item() < 1e-4
    wrong = clip_losses(logits, torch.tensor([[0.7, 0.5, 0.3]]), there, truth)
    assert wrong.item() == pytest.approx((0.3 + 0.3) / 3, abs=1e-4)
    absent = clip_losses(logits, torch.rand(1, 3), torch.zeros(1, 1), truth * 0)
    assert absent.item() == pytest.approx(log(2))  # of its presence alone


@pytest.fixture
def scans(tmp_path):
    """Two NPZ scans to train on and one to validate on, with a bright disc that grows and moves."""
    for split, names in (("train", "ab"), ("val", "c")):
        (tmp_path / split).mkdir()
        for name in names:
            y, x = np.mgrid[:40, :50]
            discs = [(x - 20 - z) ** 2 + (y - 18) ** 2 < (6 + z) ** 2 for z in range(1, 5)]
            truth = np.zeros((6, 40, 50), np.uint8)
            truth[1:5] = 3 * np.stack(discs)
            truth[2, 35:, :5] = 8  # another object, in one slice
            images = np.random.default_rng(ord(name)).integers(0, 60, truth.shape)
            images = images + 120 * (truth == 3)
            np.savez(
                tmp_path / split / f"{name}.npz",
                imgs=images.astype(np.uint8), gts=truth, spacing=(1, 1, 2),
            )  # fmt: skip
    return tmp_path


def test_each_label_of_a_scan_is_a_case_and_each_scan_a_patient(scans):
    np.savez(scans / "train" / "d.npz", imgs=np.zeros((2, 8, 8), np.uint8))
    dataset = open_dataset(scans)
    assert dataset.kind == "npz"
    assert list(dataset.cases) == ["a__3", "a__8", "b__3", "b__8", "c__3", "c__8"]
    case = dataset.cases["a__3"]
    assert (case.patient, case.split, dataset.cases["c__3"].split) == ("a", "TRAIN", "VAL")
    assert [t.frame for t in case.traced] == [1, 2, 3, 4]
    mask = case.traced[0].mask((40, 50))
    assert mask.sum() == case.traced[0].area_px == 145  # a disc of radius just below 7
    assert [(e.name, e.code) for e in dataset.excluded] == [("d", "unreadable-mask")]


def test_a_scans_window_is_of_slices_of_one_object_stretched_to_the_square(scans):
    config = small("medsam2-video", scans)
    cohort = choose_cohort(config)
    assert [item.case.name for item in cohort.training] == ["a__3", "b__3"]  # 8: one slice only
    pictures = Pictures(SIDE, limit_bytes=1e6, whole=True, stretched=True)
    sample = Samples(config, cohort.training, pictures)[(VALIDATION_PASS, 0)]
    assert sample["pixels"].shape == (3, 3, SIDE, SIDE)
    assert sample["known"].all() and sample["jitter"].sum() == 0
    rows, columns = (torch.nonzero(sample["masks"][0].any(axis)).ravel() for axis in (1, 0))
    # Slice 1: rows 12 to 24 of 40 and columns 15 to 27 of 50, each stretched to 64.
    assert rows.min() == pytest.approx(12 * 64 / 40, abs=1)
    assert rows.max() == pytest.approx(25 * 64 / 40 - 1, abs=1)
    assert columns.min() == pytest.approx(15 * 64 / 50, abs=1)
    ways = {
        tuple(Samples(config, cohort.training, pictures)[(p, 0)]["masks"].sum((1, 2)).tolist())
        for p in range(12)
    }
    assert any(way[0] < way[2] for way in ways) and any(way[0] > way[2] for way in ways)


@with_sam2
def test_pictures_teach_the_encoder_and_the_mask_decoder_alone(folder, tmp_path):
    config = small("medsam2-2d", folder)
    torch.manual_seed(config.seed)
    before = build("sam2", config.network.shape).state_dict()
    told = train(config, tmp_path / "run")
    after = load_file(tmp_path / "run" / "weights.safetensors")
    changed = {key.split(".")[0] for key in after if not torch.equal(after[key], before[key])}
    assert changed == {"image_encoder", "sam_mask_decoder"}
    # Of the whole 38,962,498: Hiera tiny and its neck, and the decoder of masks.
    parts = ("image_encoder.", "sam_mask_decoder.")
    own = sum(v.numel() for k, v in before.items() if k.startswith(parts))
    assert told["trained_parameters"] == own < told["parameters"] == 38_962_498
    assert (told["annotated_frames"], told["best"]["loss"] > 0) == (2, True)


@with_sam2
def test_a_clips_run_opens_in_the_packages_own_layout(folder, tmp_path):
    from medseg.models.sam2 import load_sam2
    from medseg.models.sam2.network import build_network

    out = tmp_path / "run"
    train(small("medsam2-video", folder), out)
    content = torch.load(out / "sam2.pt", weights_only=True)
    assert list(content) == ["model"]
    build_network("tiny", "2.1", SIDE).load_state_dict(content["model"])  # strict
    ours = load_file(out / "weights.safetensors")
    assert all(torch.equal(content["model"][key], ours[key]) for key in ours)
    loaded = load_sam2(weights=out / "weights.safetensors")
    assert loaded.image_size == SIDE  # the file says what it was trained at
    assert "4 clips of 4 patients" in loaded.card["training_data"]
    row = (out / "log.csv").read_text().splitlines()[2].split(",")
    assert 0 <= float(row[4]) <= 1  # Dice of the picture that was tracked into


@with_sam2
@pytest.mark.parametrize("name", ["medsam2-2d", "medsam2-video"])
def test_a_step_in_bfloat16_has_the_loss_of_one_in_float32(name, folder, tmp_path):
    losses = {}
    for precision in ("32-true", "bf16-mixed"):
        train(small(name, folder, precision=precision), tmp_path / precision)
        losses[precision] = pd.read_csv(tmp_path / precision / "log.csv").loss[0]
    assert losses["bf16-mixed"] == pytest.approx(losses["32-true"], rel=0.02)  # 8 bits: 0.4 %


@with_sam2
def test_what_does_not_fit_is_said_before_anything_is_read(folder):
    config = small("medsam2-2d", folder)
    wrong = replace(config, data=replace(config.data, size=96))
    with pytest.raises(InputError, match=r"data.size is 96 and the network's picture 64"):
        check_values(wrong, name="x")
    with pytest.raises(InputError, match="SAM 2 has sizes instead"):
        with_model(config, "sam2", 0.5)
    network = build("sam2", config.network.shape)
    none = replace(config, network=replace(config.network, frozen=("backbone",)))
    with pytest.raises(InputError, match="no parameter begins with 'backbone'; parts: image_enc"):
        freeze(none, network)


def narrow(folder, **changes):
    """MediViSTA, a sixteenth as wide, on windows of 4 frames of 64 pixels."""
    config = with_model(RECIPES["medivista"], "medivista", 0.0625)
    shape = replace(
        config.network.shape, frames=4, size=SIDE, depth=2, global_blocks=(1,), **changes
    )
    return replace(
        config,
        data=replace(config.data, path=str(folder), size=SIDE, frames=4, workers=0),
        network=replace(config.network, shape=shape),
        run=replace(config.run, steps=2, steps_per_epoch=1, batch=2, tensorboard=False),
    )


def sam_file(path, shape):
    """An encoder as SAM's checkpoints hold it, for pictures of another size."""
    encoder = ImageEncoder(replace(shape, size=2 * SIDE).encoder)
    tensors = {f"image_encoder.{k}": v for k, v in encoder.state_dict().items()}
    save_file({**tensors, "mask_decoder.iou_token.weight": torch.zeros(1, 4)}, path)
    return path


def test_medivista_trains_beside_a_frozen_encoder_of_sam(folder, tmp_path):
    config = narrow(folder)
    with pytest.raises(TrainingError, match="nobody has trained it; give SAM's weights"):
        train(config, tmp_path / "none")
    start = sam_file(tmp_path / "sam.safetensors", config.network.shape)
    config = replace(config, network=replace(config.network, pretrained=str(start)))
    told = train(config, tmp_path / "run")
    after = load_file(tmp_path / "run" / "last.safetensors")
    given = load_file(start)
    same = [k for k in given if k in after and torch.equal(given[k], after[k])]
    assert len(same) > 20 and all(".attn.qkv." not in k or k in same for k in given)
    frozen = sum(v.numel() for k, v in after.items() if k.startswith("image_encoder."))
    assert told["trained_parameters"] == told["parameters"] - frozen > 0
    assert told["annotated_frames"] <= 4
    model = load_model("medivista", weights=tmp_path / "run" / "weights.safetensors")
    assert model.object_names == ("left_ventricle",)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["best"]["dice"] >= 0


def test_what_is_frozen_is_what_the_configuration_names(folder):
    config = narrow(folder)
    network = build("medivista", config.network.shape)
    for frozen in (("image_encoder",), ("decoder.", "branch"), ()):
        freeze(replace(config, network=replace(config.network, frozen=frozen)), network)
        still = {n for n, p in network.named_parameters() if not p.requires_grad}
        assert still == {n for n, _ in network.named_parameters() if n.startswith(frozen or "-")}
    every = tuple(name for name, _ in network.named_children())
    with pytest.raises(InputError, match="nothing is left to be trained"):
        freeze(replace(config, network=replace(config.network, frozen=every)), network)


def test_medivistas_logit_is_the_cavity_against_all_else_at_the_frames_own_times():
    class Told(torch.nn.Module):
        def forward(self, pixels, time_s):
            self.time_s = time_s
            scores = torch.tensor([0.3, 1.1, -0.4]).view(1, 1, 3, 1, 1)
            return scores.expand(*pixels.shape[:2], 3, *pixels.shape[3:])

    network, pixels = Told(), torch.zeros(1, 2, 3, 4, 4)
    time_s = torch.tensor([[0.0, 0.02]])
    found = clip_logits("medivista", network, pixels, lambda x: x, time_s)
    chance = torch.tensor([0.3, 1.1, -0.4]).softmax(0)[1]
    torch.testing.assert_close(found.sigmoid(), chance.expand(1, 2, 4, 4))
    assert network.time_s is time_s
    clip_logits("medivista", network, pixels, lambda x: x, time_s * float("nan"))
    assert network.time_s is None


def test_medivistas_samples_have_the_clips_own_times(folder):
    config = narrow(folder)
    cohort = choose_cohort(config)
    pictures = Pictures(SIDE, limit_bytes=0, whole=True)
    sample = Samples(config, cohort.training, pictures)[(VALIDATION_PASS, 0)]
    assert np.diff(sample["time_s"].numpy()) == pytest.approx([1 / 30] * 3)


def test_the_published_medivista_is_on_vit_b_with_one_object():
    shape = RECIPES["medivista"].network.shape
    assert isinstance(shape, MediViSTAShape)
    assert (shape.width, shape.depth, shape.objects) == (768, 12, ("left_ventricle",))
