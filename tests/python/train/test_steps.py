"""The loss of a batch, by hand; only what should bear it does; masking comes before normalising."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from medseg.models.description import Preparation
from medseg.models.landmarks import heatmaps_of
from medseg.train.cohort import choose_cohort
from medseg.train.pixels import Pictures
from medseg.train.samples import Samples
from medseg.train.steps import (
    batch_loss,
    bearing_logits,
    blacked_out,
    figures_of,
    gradient_scale,
    mask_loss,
)

PLAIN = Preparation(mean=(0.5,) * 3, standard_deviation=(0.25,) * 3)


class Given(torch.nn.Module):
    """A network that answers what it was told to, and remembers what it was shown."""

    def __init__(self, answer):
        super().__init__()
        self.answer = torch.nn.Parameter(answer)

    def forward(self, x):
        self.shown = x
        return self.answer


def batch_of(config, places=(0, 1)):
    pictures = Pictures(config.data.size, limit_bytes=0, whole=False)
    samples = Samples(config, choose_cohort(config).training, pictures)
    return default_collate([samples[(0, place)] for place in places])


def test_losses_of_masks_by_hand():
    logits = torch.tensor([[[[0.0, 0.0]]], [[[20.0, -20.0]]]])  # (2,1,1,2): unsure; sure
    masks = torch.tensor([[[[1.0, 0.0]]], [[[0.0, 0.0]]]])
    # -log(1/2) four times over would be log 2; two of four pixels are certain, one of them wrong.
    assert mask_loss("bce", logits, masks).item() == pytest.approx((2 * np.log(2) + 20) / 4)
    # Sample 0: shared 0.5, sizes 1 and 1; sample 1 has no truth and counts as no loss.
    assert mask_loss("dice", logits, masks).item() == pytest.approx((1 - 0.5) / 2, abs=1e-6)
    # Pooled: shared 0.5, sizes 1 + 1 found and 1 true.
    assert mask_loss("dice-pooled", logits, masks).item() == pytest.approx(1 - 2 * 0.5 / 3)


@pytest.mark.parametrize("loss", ["bce", "dice", "dice-pooled"])
def test_only_the_traced_frame_of_a_clip_bears_the_loss(loss, make_small):
    config = make_small("unilvseg")
    config = replace(config, objective=replace(config.objective, loss=loss))
    batch = batch_of(config)
    network = Given(torch.randn(2, 1, 32, 32, 16))  # as the 3-D network: (B,1,H,W,T)
    value, _ = batch_loss(config, network, batch, PLAIN, training=True)
    value.backward()
    borne = network.answer.grad[:, 0].abs().amax((1, 2))  # (B,T)
    expected = torch.zeros(2, 16, dtype=torch.bool).scatter(1, batch["at"], True)
    assert torch.equal(borne > 0, expected)


def test_in_a_super_image_too_only_the_traced_frame_bears_the_loss(make_small):
    config = make_small("unilvseg", model="simlvseg-superimage")
    batch = batch_of(config)
    network = Given(torch.randn(2, 1, 64, 64))
    value, _ = batch_loss(config, network, batch, PLAIN, training=True)
    value.backward()
    tiles = network.answer.grad.view(2, 2, 32, 2, 32).abs().amax((2, 4)).flatten(1)
    expected = torch.zeros(2, 4, dtype=torch.bool).scatter(1, batch["at"], True)
    assert torch.equal(tiles > 0, expected)


def test_the_frames_that_bear_the_loss_are_those_asked_for():
    logits = torch.arange(2 * 4.0).view(2, 4, 1, 1).expand(2, 4, 3, 3)
    at = torch.tensor([[3, 0], [1, 1]])
    assert bearing_logits(logits, at)[:, :, 0, 0].tolist() == [[3, 0], [5, 5]]


@pytest.mark.parametrize("model", ["simlvseg-3d", "simlvseg-superimage"])
def test_masked_frames_are_black_before_normalisation(model, make_small):
    config = make_small("unilvseg-ssl", model=model)
    batch = batch_of(config)
    shape = (2, 1, 32, 32, 16) if model == "simlvseg-3d" else (2, 1, 64, 64)
    network = Given(torch.zeros(shape))
    value, _ = batch_loss(config, network, batch, PLAIN, training=True)
    if model == "simlvseg-3d":
        shown = network.shown.permute(0, 4, 1, 2, 3)  # (B,3,H,W,T) -> (B,T,3,H,W)
    else:
        tiles = network.shown.view(2, 3, 2, 32, 2, 32).permute(0, 2, 4, 1, 3, 5)
        shown = tiles.flatten(1, 2)
    black = (shown == (0 - 0.5) / 0.25).flatten(2).all(2)  # black, normalised
    assert torch.equal(black, ~batch["seen"])
    assert not blacked_out(batch["pixels"].float(), batch["seen"])[~batch["seen"]].any()
    # All frames are guessed, the seen ones too: the mean square of the normalised first channel.
    target = (batch["pixels"][:, :, 0].double() / 255 - 0.5) / 0.25
    assert value.item() == pytest.approx(target.square().mean().item(), rel=1e-5)


def test_echonet_s_loss_is_the_sum_over_pixels_and_samples_of_both_phases_halved(make_small):
    config = make_small("echonet")
    batch = batch_of(config)
    logits = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    network = Given(logits)
    network.forward = lambda x: {"out": network.answer}
    value, sums = batch_loss(config, network, batch, PLAIN, training=True)
    truth = batch["masks"].double()
    z = logits.double().view(2, 2, 32, 32)
    pixelwise = z.clamp(min=0) - z * truth + (1 + (-z.abs()).exp()).log()
    ed, es = pixelwise[:, 0].sum(), pixelwise[:, 1].sum()
    scaled = value.item() * gradient_scale(config)
    assert scaled == pytest.approx(((ed + es) / 2).item(), rel=1e-5)
    found = z > 0
    dice = 2 * (found & (truth > 0.5)).sum() / (found.sum() + truth.sum())
    assert figures_of(sums)["dice"] == pytest.approx(dice.item())


def test_ef_is_judged_by_squared_and_reported_by_absolute_error(make_small):
    config = make_small("echonet-ef")
    batch = batch_of(config)
    batch["ef"] = torch.tensor([50.0, 60.0])
    network = Given(torch.tensor([[53.0], [55.0]]))
    value, sums = batch_loss(config, network, batch, PLAIN, training=True)
    assert value.item() == pytest.approx((9 + 25) / 2)
    assert figures_of(sums)["mae_ef"] == pytest.approx(4)
    assert network.shown.shape == (2, 3, 8, 32, 32)


def test_landmarks_that_are_guessed_right_give_the_least_loss_and_the_traced_mask(make_small):
    config = make_small("unet-landmarks")
    data = replace(config.data, size=112)
    config = replace(config, data=data)
    batch = batch_of(config)
    heatmaps = heatmaps_of(batch["points"].flatten(0, 1), 112)
    network = Given((heatmaps + 1e-12).log())
    value, sums = batch_loss(config, network, batch, PLAIN, training=False)
    # The cross-entropy of a Gaussian with itself is its entropy, log(2 pi e sigma^2).
    assert value.item() == pytest.approx(np.log(2 * np.pi * np.e * 9), abs=0.02)
    assert figures_of(sums)["dice"] > 0.93
    wrong = Given((heatmaps.flip(1) + 1e-12).log())  # the right places, in the wrong channels
    assert batch_loss(config, wrong, batch, PLAIN, training=False)[0].item() > value.item() + 5
