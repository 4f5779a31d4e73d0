"""Learning rates at known steps, and the running mean of the weights."""

from dataclasses import replace

import pytest
import torch

from medseg.models.echonet_ef import EchoNetEFShape, build_network
from medseg.train import RECIPES
from medseg.train.config import Schedule
from medseg.train.schedule import average_into, learning_rate, make_optimiser


def with_schedule(**values):
    config = RECIPES["unilvseg"]
    optimiser = replace(config.optimiser, learning_rate=1.0)
    return replace(config, schedule=Schedule(**values), optimiser=optimiser)


def test_a_step_schedule_falls_at_its_epochs_and_not_before():
    config = RECIPES["echonet-ef"]  # 45 epochs, a tenth at 15 and 30
    steps = 45 * 373
    rates = [learning_rate(config, epoch * 373 + last, steps) for epoch, last in
             ((0, 0), (14, 372), (15, 0), (29, 372), (30, 0), (44, 372))]  # fmt: skip
    assert rates == pytest.approx([1e-4, 1e-4, 1e-5, 1e-5, 1e-6, 1e-6])


def test_a_cosine_is_full_half_way_and_nothing_at_its_known_steps():
    config = with_schedule(kind="cosine")
    rates = [learning_rate(config, step, 100) for step in (0, 25, 50, 75, 100)]
    assert rates == pytest.approx([1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2, 0])


def test_a_cosine_may_end_at_a_share_of_the_full_rate():
    config = with_schedule(kind="cosine", end_share=0.1)
    rates = [learning_rate(config, step, 100) for step in (0, 50, 100)]
    assert rates == pytest.approx([1, 0.55, 0.1])


def test_warming_up_rises_in_equal_steps_to_the_full_rate():
    config = with_schedule(kind="constant", warm_up=0.1)
    rates = [learning_rate(config, step, 100) for step in range(12)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1, 1])


def test_a_running_mean_forgets_its_start_and_then_decays_as_asked():
    # d = min(decay, (1 + step) / (10 + step)): 1/10 at the first step, 2/11 at the second.
    average = {"w": torch.tensor([0.0]), "count": torch.tensor(0)}
    average_into(average, {"w": torch.tensor([1.0]), "count": torch.tensor(3)}, decay=0.9, step=0)
    assert average["w"].item() == pytest.approx(0.9)
    assert average["count"].item() == 3
    average_into(average, {"w": torch.tensor([2.0]), "count": torch.tensor(4)}, decay=0.9, step=1)
    assert average["w"].item() == pytest.approx(0.9 * 2 / 11 + 2 * 9 / 11)
    average = {"w": torch.tensor([1.0])}
    average_into(average, {"w": torch.tensor([0.0])}, decay=0.9, step=1000)
    assert average["w"].item() == pytest.approx(0.9)


def test_the_optimiser_is_the_one_that_was_asked_for():
    network = torch.nn.Linear(2, 1)
    made = make_optimiser(RECIPES["unilvseg-ssl"].optimiser, network)
    assert type(made) is torch.optim.AdamW
    assert (made.defaults["betas"], made.defaults["amsgrad"]) == ((0.9, 0.95), True)
    assert (made.defaults["lr"], made.defaults["weight_decay"]) == (3e-4, 1e-3)
    assert make_optimiser(RECIPES["echonet"].optimiser, network).defaults["momentum"] == 0.9


class Trunk(torch.nn.Module):
    """Parameters named as those of SAM 2's smallest trunk, of 12 blocks, and those round it."""

    def __init__(self) -> None:
        super().__init__()
        self.image_encoder = torch.nn.Module()
        trunk = self.image_encoder.trunk = torch.nn.Module()
        trunk.pos_embed = torch.nn.Parameter(torch.zeros(1))
        trunk.patch_embed = torch.nn.Linear(2, 2, bias=False)
        trunk.blocks = torch.nn.ModuleList(torch.nn.LayerNorm(2) for _ in range(12))
        self.image_encoder.neck = torch.nn.Linear(2, 2)
        self.sam_mask_decoder = torch.nn.Linear(2, 2)


def test_sam2_s_rates_and_decay_by_block_are_those_of_its_own_training():
    # facebookresearch/sam2, training/optimizer.py, layer_decay_param_modifier with Hiera's layer
    # numbers, and sam2.1_hiera_b+_MOSE_finetune.yaml: 0.9 to the (blocks + 1 - number), where the
    # patches' number is 0 and a block's its place from 1; biases and layer norms do not decay.
    network, plan = Trunk(), RECIPES["medsam2-video"].optimiser
    found = {
        parameter: (group["share"], group["weight_decay"])
        for group in make_optimiser(plan, network).param_groups
        for parameter in group["params"]
    }
    trunk = network.image_encoder.trunk
    rates = {
        "decoder": found[network.sam_mask_decoder.weight],
        "decoder's bias": found[network.sam_mask_decoder.bias],
        "neck": found[network.image_encoder.neck.weight],
        "positions": found[trunk.pos_embed],
        "last block": found[trunk.blocks[11].weight],
        "first block": found[trunk.blocks[0].weight],
        "patches": found[trunk.patch_embed.weight],
    }
    assert rates == {
        "decoder": (1.0, 0.1),
        "decoder's bias": (1.0, 0.0),
        "neck": (0.6, 0.1),
        "positions": (0.6, 0.1),
        "last block": (pytest.approx(0.6 * 0.9), 0.0),
        "first block": (pytest.approx(0.6 * 0.9**12), 0.0),
        "patches": (pytest.approx(0.6 * 0.9**13), 0.1),
    }


def test_the_layer_that_says_ef_may_have_a_rate_of_its_own():
    network = build_network(EchoNetEFShape(width=4))
    plan = replace(RECIPES["echonet-ef"].optimiser, head_share=20.0)
    shares = {
        parameter: group["share"]
        for group in make_optimiser(plan, network).param_groups
        for parameter in group["params"]
    }
    for name, parameter in network.named_parameters():
        assert shares[parameter] == (20.0 if name in ("fc.weight", "fc.bias") else 1.0)
    published = make_optimiser(RECIPES["echonet-ef"].optimiser, network).param_groups
    assert [group["share"] for group in published] == [1.0]
