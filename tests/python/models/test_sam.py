"""SAM 1 and MedSAM against Meta's own package, and what they make of files and pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from medseg.errors import InputError, WeightsError
from medseg.models import sam
from medseg.models.medivista.vit import EncoderShape
from medseg.models.weights import Checkpoint
from medseg.volumes import find_cases, published_loaders, run_benchmark, summarise

PUBLIC = json.loads((Path(__file__).parent / "public" / "sam_narrow.json").read_text("utf-8"))
NARROW = EncoderShape(size=96, width=32, depth=3, heads=4, global_blocks=(1,), window=4, neck=32)


def as_published(tensors: dict[str, list[int]]) -> dict[str, torch.Tensor]:
    return {key: torch.empty(shape) for key, shape in tensors.items()}


@pytest.fixture
def narrow(seeded):
    network = sam.SamNetwork(NARROW).eval()
    tensors = seeded(as_published(PUBLIC["keys"]), PUBLIC["weights_seed"])
    sam.fit_sam(network, Checkpoint(Path("narrow.pth"), "", tensors, {}))
    return network


@pytest.fixture
def picture():
    rng = np.random.default_rng(PUBLIC["picture_seed"])
    return rng.integers(0, 256, PUBLIC["picture_shape"]).astype(np.uint8)


def test_a_published_checkpoint_gives_the_public_code_s_logits_and_masks(narrow, picture):
    assert sum(p.numel() for p in narrow.parameters()) == PUBLIC["parameters"]
    square, scale = sam.prepare(picture, "sam", 96)
    boxes = torch.tensor(PUBLIC["boxes"], dtype=torch.float32) * scale
    with torch.no_grad():
        logits = narrow(square, boxes)[:, 0]
    rows, columns = np.array(PUBLIC["positions"]).T
    np.testing.assert_allclose(logits[:, rows, columns], PUBLIC["values"], rtol=0, atol=2e-5)
    found = sam.segment_boxes(sam.Sam(narrow, "sam", "", {}), picture, PUBLIC["boxes"])
    assert found.sum(2).tolist() == PUBLIC["pixels_of_rows"]


@pytest.mark.parametrize(
    ("encoder", "parameters"),
    [("vit-b", 93_735_472), ("vit-l", 312_342_832), ("vit-h", 641_090_608)],
)
def test_the_published_networks_have_their_size(encoder, parameters):
    with torch.device("meta"):
        network = sam.SamNetwork(sam.ENCODERS[encoder])
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_medsam_sees_the_whole_square_from_black_to_white(narrow):
    grey = np.full((40, 80, 3), 90, np.uint8)
    grey[:, 40:] = 180
    square, scale = sam.prepare(grey, "medsam", 96)
    assert square.shape == (1, 3, 96, 96)
    assert float(square[..., :40].max()) == 0
    assert float(square[..., 56:].min()) == pytest.approx(1, abs=0.02)
    assert (scale * torch.tensor([80, 40, 80, 40])).tolist() == pytest.approx([96] * 4)
    wide, scale = sam.prepare(grey, "sam", 96)  # the lower half is not there
    assert not wide[:, :, 48:].any()
    assert (scale * torch.tensor([80, 40, 80, 40])).tolist() == pytest.approx([96, 48, 96, 48])
    found = sam.segment_boxes(sam.Sam(narrow, "medsam", "", {}), grey, [(5, 5, 60, 30)])
    assert found.shape == (1, 40, 80)


@pytest.mark.parametrize(
    ("model", "file"), [("sam-vit-b", "sam_vit_b_01ec64.pth"), ("medsam", "medsam_vit_b.pth")]
)
def test_the_benchmark_runs_it_from_its_published_file(
    model, file, seeded, picture, tmp_path, monkeypatch
):
    monkeypatch.setitem(sam.ENCODERS, "vit-b", NARROW)
    torch.save(seeded(as_published(PUBLIC["keys"]), PUBLIC["weights_seed"]), tmp_path / file)
    (tmp_path / "root" / "dermoscopy").mkdir(parents=True)
    truth = np.zeros(picture.shape[:2], np.uint8)
    truth[20:50, 30:80] = 1
    np.savez(tmp_path / "root" / "dermoscopy" / "a.npz", imgs=picture, gts=truth)
    loaders, missing = published_loaders(tmp_path, device="cpu", image_size=96, models=[model])
    done = run_benchmark(find_cases(tmp_path / "root"), loaders, tmp_path / "out")
    assert not missing and not done.missing and not done.problems
    ((*where, cases, objects, dsc, _),) = summarise(done)
    assert where == ["dermoscopy", "picture", "2-D", model]
    assert (cases, objects) == (1, 1) and 0 < dsc < 1


def test_no_box_finds_nothing(narrow, picture):
    assert sam.segment_boxes(sam.Sam(narrow, "sam", "", {}), picture, []).shape == (0, 70, 110)


def test_what_is_no_sam_is_refused(narrow, seeded, tmp_path):
    tensors = seeded(as_published(PUBLIC["keys"]), 1)
    path = tmp_path / "narrow.pth"
    torch.save(tensors, path)
    with pytest.raises(WeightsError, match="this SAM image encoder"):
        sam.load_sam("vit-b", weights=path, image_size=64)
    less = {k: v for k, v in tensors.items() if "hypernetworks" not in k}
    with pytest.raises(WeightsError, match="SAM 1's decoder"):
        sam.fit_sam(narrow, Checkpoint(path, "", less, {}))
    torch.save({"model": {"image_encoder_trunk": torch.ones(1)}}, path)
    with pytest.raises(WeightsError, match="not one of SAM 2"):
        sam.load_sam("vit-b", weights=path, image_size=64)
    with pytest.raises(WeightsError, match=r"medsam_vit_b\.pth"):
        sam.load_sam("vit-b", kind="medsam", weights=None)
    with pytest.raises(InputError, match="vit-b, vit-l, vit-h"):
        sam.load_sam("vit-g", weights=path)
    with pytest.raises(InputError, match="multiple of 16"):
        sam.load_sam("vit-b", weights=path, image_size=100)
