"""Haar's bands of pictures whose edges are known."""

import torch

from medseg.models.medivista.decoder import padded_to
from medseg.models.medivista.wavelet import haar_bands, high_bands


def test_the_transform_keeps_the_energy():
    picture = torch.randn(1, 1, 8, 12)
    bands = haar_bands(picture)
    assert all(band.shape == (1, 1, 4, 6) for band in bands)
    torch.testing.assert_close(sum(b.square().sum() for b in bands), picture.square().sum())


def test_each_band_answers_to_its_own_edge():
    stripes = torch.tensor([[0.0, 2.0], [0.0, 2.0]]).repeat(2, 2)  # upright
    checks = torch.tensor([[2.0, 0.0], [0.0, 2.0]]).repeat(2, 2)
    names = ("ll", "lh", "hl", "hh")
    for picture, band in ((stripes, "hl"), (stripes.T, "lh"), (checks, "hh")):
        found = dict(zip(names, haar_bands(picture), strict=True))
        assert {n for n in names if found[n].any()} == {"ll", band}


def test_the_merged_bands_fill_0_to_1_in_every_frame():
    """(x - least) / (greatest - least); the public code divided by the greatest alone."""
    frames = torch.randn(3, 3, 16, 16) * torch.tensor([1.0, 20.0, 0.1]).view(3, 1, 1, 1) - 50
    found = high_bands(frames)
    assert found.shape == (3, 1, 8, 8)
    torch.testing.assert_close(found.amin((1, 2, 3)), torch.zeros(3))
    torch.testing.assert_close(found.amax((1, 2, 3)), torch.ones(3))
    torch.testing.assert_close(high_bands(3 * frames[:1] + 7), found[:1], rtol=0, atol=1e-4)


def test_a_frame_without_detail_has_none():
    frames = torch.full((2, 3, 8, 8), 0.7)
    frames[1, :, 3, 3] = 1.0
    found = high_bands(frames)
    assert not found[0].any() and found[1].max() == 1


def test_a_picture_s_end_is_no_detail():
    padded = padded_to(torch.full((1, 3, 50, 20), -2.0), 32)
    assert padded.shape == (1, 3, 64, 32)
    assert not high_bands(padded).any()
