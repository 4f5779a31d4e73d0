"""SimLVSeg's super image: its tiling, and its network against its authors' code."""

import pytest
import torch

from medseg.models.simlvseg_superimage import (
    ENCODERS,
    SuperimageNet,
    SuperimageShape,
    pad_tiles,
    tile,
    untile,
)


def test_it_has_the_public_code_s_keys_and_logits(gives_public_logits):
    gives_public_logits(SuperimageNet(SuperimageShape()), "simlvseg_superimage")


def test_frames_are_tiled_row_by_row_and_come_back():
    frames = torch.arange(9.0).view(9, 1, 1, 1).expand(9, 3, 4, 5)
    picture = tile(frames, per_side=3)
    assert picture.shape == (3, 12, 15)
    assert picture[0, ::4, ::5].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    other = torch.randn(16, 2, 4, 5)
    torch.testing.assert_close(untile(tile(other, per_side=4), per_side=4), other)


def test_tiles_are_padded_below_and_at_the_right_to_128():
    padded = pad_tiles(torch.ones(2, 3, 112, 112))
    assert padded.shape == (2, 3, 128, 128)
    assert bool((padded[..., :112, :112] == 1).all()) and padded.sum() == 2 * 3 * 112 * 112


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_gives_logits_of_the_picture_s_size(encoder):
    with torch.device("meta"):
        network = SuperimageNet(SuperimageShape(encoder=encoder))
        assert network(torch.zeros(1, 3, 64, 96)).shape == (1, 1, 64, 96)
