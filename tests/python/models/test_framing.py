"""A square around the sector, there and back, without loss of place."""

import torch

from medseg.models.framing import cut, resize, square_around


def test_a_flat_sector_is_widened_to_a_square():
    assert square_around((10, 0, 40, 50)) == (0, 0, 50, 50)
    assert square_around((0, 10, 30, 20)) == (0, 0, 30, 30)
    assert square_around((0, 0, 20, 40)) == (-10, 0, 30, 40)


def test_cutting_past_the_edge_gives_zeros():
    picture = torch.ones(1, 1, 2, 3)
    wide = cut(picture, (-1, -1, 3, 4))
    assert wide.shape == (1, 1, 4, 5)
    assert wide.sum() == 6 and wide[0, 0, 1:3, 1:4].sum() == 6


def test_resizing_keeps_a_flat_picture_flat():
    picture = torch.full((1, 1, 90, 90), 0.25)
    for side in (30, 112):
        torch.testing.assert_close(resize(picture, side), torch.full((1, 1, side, side), 0.25))
