"""SAM's image encoder against Meta's own package."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from medseg.models.medivista.vit import (
    VIT_B,
    VIT_H,
    VIT_L,
    Block,
    EncoderShape,
    ImageEncoder,
    from_windows,
    relative_rows,
    to_windows,
)

PUBLIC = Path(__file__).parents[1] / "public"
NARROW = {"width": 32, "depth": 3, "heads": 4, "global_blocks": (1,), "window": 4, "neck": 16}


@pytest.mark.parametrize(
    ("name", "size"), [("sam_vit_narrow", 96), ("sam_vit_narrow_resized", 160)]
)
def test_it_has_the_public_code_s_keys_and_features(gives_public_logits, name, size):
    """The second: weights for 160 pixels on pictures of 96, position tables interpolated."""
    gives_public_logits(ImageEncoder(EncoderShape(size=size, **NARROW)), name)


@pytest.mark.parametrize(("name", "shape"), [("vit_b", VIT_B), ("vit_l", VIT_L), ("vit_h", VIT_H)])
def test_the_published_encoders_have_their_layout(name, shape):
    public = json.loads((PUBLIC / "sam_vit_layouts.json").read_text("utf-8"))[name]
    with torch.device("meta"):
        encoder = ImageEncoder(shape)
    lines = sorted(f"{key} {list(t.shape)}" for key, t in encoder.state_dict().items())
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == public["sha256"]
    assert sum(p.numel() for p in encoder.parameters()) == public["parameters"]


def test_windows_hold_the_grid_and_zeros_where_it_ends():
    grid = torch.arange(1.0, 2 * 5 * 7 + 1).view(2, 5, 7, 1)
    windows = to_windows(grid, 4)
    assert windows.shape == (2 * 2 * 2, 4, 4, 1)
    assert windows[0, :, :, 0].equal(grid[0, :4, :4, 0])
    assert not windows[3, 1:].any() and windows[3, 0, :3, 0].equal(grid[0, 4, 4:, 0])
    assert from_windows(windows, (5, 7)).equal(grid)


def test_a_relative_position_is_the_query_s_less_the_key_s():
    table = torch.arange(-2.0, 3.0)[:, None]
    assert relative_rows(table, 3)[..., 0].tolist() == [[0, -1, -2], [1, 0, -1], [2, 1, 0]]


def test_a_block_whose_layers_give_nothing_is_the_identity():
    """Both residuals are there: the public code of 2023 lost the perceptron's."""
    block = Block(8, 2, side=4, window=0)
    for last in (block.attn.proj, block.mlp.lin2):
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.zeros_(last.bias)
    x = torch.randn(1, 4, 4, 8)
    assert block(x).equal(x)


def test_pictures_of_broken_patches_are_refused():
    encoder = ImageEncoder(EncoderShape(size=32, **NARROW))
    with pytest.raises(ValueError, match="give sides divisible by 16"):
        encoder(torch.zeros(1, 3, 32, 40))
