from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import pytest
import torch
from omegaconf import OmegaConf
from sam2.modeling.backbones.hieradet import Hiera
from sam2.modeling.sam.transformer import RoPEAttention

from medseg.models.sam2.features import encode
from medseg.models.sam2.network import RotaryAttention, build_network
from medseg.models.sam2.pixels import normalise
from medseg.models.sam2.shape import SIZES

LETTERS = {"tiny": "t", "small": "s", "base-plus": "b+", "large": "l"}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_sizes_are_those_of_the_packages_configurations(size, version):
    stem = "sam2.1" if version == "2.1" else "sam2"
    path = files("sam2") / "configs" / stem / f"{stem}_hiera_{LETTERS[size]}.yaml"
    model = OmegaConf.create(path.read_text("utf-8")).model
    trunk, neck = model.image_encoder.trunk, model.image_encoder.neck
    shape = SIZES[size]
    assert (trunk.embed_dim, trunk.num_heads) == (shape.width, shape.heads)
    assert tuple(trunk.get("stages", (2, 3, 16, 3))) == shape.blocks
    assert tuple(trunk.get("global_att_blocks", (12, 16, 20))) == shape.global_blocks
    assert tuple(trunk.get("window_spec", (8, 4, 14, 7))) == shape.windows
    assert tuple(trunk.get("window_pos_embed_bkg_spatial_size", (14, 14))) == shape.background
    assert tuple(neck.backbone_channel_list) == shape.channels


# Of the published checkpoints, sam2_hiera_tiny.pt and sam2.1_hiera_tiny.pt.
@pytest.mark.parametrize(("version", "keys", "parameters"), [("2.0", 468, 38_945_986)])
def test_the_key_layout_is_the_published_one(version, keys, parameters):
    network = build_network("tiny", version, 64)
    assert len(network.state_dict()) == keys
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_2_1_has_three_tensors_more(sam2):
    assert len(sam2.network.state_dict()) == 471
    assert sum(p.numel() for p in sam2.network.parameters()) == 38_962_498


def test_settings_are_those_of_the_packages_predictor(sam2, package):
    """Numbers and switches that no tensor shows."""
    own, theirs = vars(sam2.network), vars(package)
    plain = {k for k, v in theirs.items() if isinstance(v, bool | int | float) and k in own}
    assert len(plain) > 25
    assert {k: own[k] for k in plain} == {k: theirs[k] for k in plain}
    decoder, other = vars(sam2.network.sam_mask_decoder), vars(package.sam_mask_decoder)
    assert {k: v for k, v in decoder.items() if isinstance(v, bool | float)} == {
        k: v for k, v in other.items() if isinstance(v, bool | float)
    }


PROGRAM = """
import torch
torch.cuda.is_available = lambda: True  # a host with a GPU that nobody asked for
from hydra.core.singleton import Singleton
from hydra.core.global_hydra import GlobalHydra
before = dict(Singleton._instances)
from medseg.models.sam2 import load_sam2
assert "sam2" not in __import__("sys").modules
load_sam2("tiny", image_size=64, random_weights=True)
assert Singleton._instances == before
assert not GlobalHydra.instance().is_initialized()
assert not torch.cuda.is_initialized()
"""


def test_hydra_is_left_as_it_was_and_no_gpu_is_touched():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_random_weights_follow_from_their_seed_and_leave_the_generator_alone(sam2):
    from medseg.models.sam2.network import random_network

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    once = random_network("tiny", "2.1", 64, 3).state_dict()
    assert torch.equal(torch.rand(3), expected)
    again = random_network("tiny", "2.1", 64, 3).state_dict()
    assert all(torch.equal(once[key], again[key]) for key in once)


@pytest.mark.parametrize("size", SIZES)
def test_cells_lie_where_the_package_puts_them(size):
    trunk = build_network(size, "2.1", 64).image_encoder.trunk
    with torch.no_grad():
        for table in (trunk.pos_embed, trunk.pos_embed_window):
            table.normal_()
        for cells in ((16, 16), (64, 64), (32, 128)):
            found, expected = trunk._get_pos_embed(cells), Hiera._get_pos_embed(trunk, cells)
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
            assert found.is_contiguous()


def test_learning_moves_where_cells_lie():
    trunk = build_network("tiny", "2.1", 64).image_encoder.trunk
    trunk._get_pos_embed((16, 16)).sum().backward()
    assert trunk.pos_embed.grad.sum() == pytest.approx(256 * 96, rel=1e-5)
    assert trunk.pos_embed_window.grad.eq(4).all()


def test_features_are_the_packages(sam2, package):
    squares = torch.randint(0, 256, (2, 3, sam2.image_size, sam2.image_size))
    with torch.no_grad():
        expected = package.forward_image(normalise(squares, torch.device("cpu")))
    for i, features in enumerate(encode(sam2, squares)):
        levels = (features.fine, features.middle, features.coarse)
        for level, other in zip(levels, expected["backbone_fpn"], strict=True):
            torch.testing.assert_close(level[0], other[i], atol=1e-4, rtol=1e-4)
        assert torch.equal(features.position[0], expected["vision_pos_enc"][-1][i])


@pytest.mark.parametrize("objects", [1, 3])
@pytest.mark.parametrize("pictures", [1, 3])
def test_attention_to_memories_is_the_packages(objects, pictures):
    """Of 12 x 12 cells, more than are weighed at once, and five object pointers."""
    layout = {"embedding_dim": 256, "num_heads": 1, "dropout": 0.0, "kv_in_dim": 64}
    torch.manual_seed(objects)
    theirs = RoPEAttention(rope_k_repeat=True, feat_sizes=(12, 12), **layout).eval()
    ours = RotaryAttention(side=12, repeat_keys=True, **layout).eval()
    ours.load_state_dict(theirs.state_dict())
    cells, memories = 144, 144 * pictures + 5
    query, key = 9 * torch.randn(objects, cells, 256), 9 * torch.randn(objects, memories, 64)
    value = torch.randn(objects, memories, 64)
    with torch.no_grad():
        expected = theirs(query, key, value, num_k_exclude_rope=5)
        found = ours(query, key, value, num_k_exclude_rope=5)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
