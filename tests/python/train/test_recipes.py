"""The presets hold the published hyper-parameters, and can be narrowed in their own form."""

import pytest

from medseg.errors import InputError
from medseg.train import RECIPES
from medseg.train.networks import build
from medseg.train.recipes import ABOUT, recipe, with_epochs, with_frames, with_model

# echonet/dynamic (segmentation.py, video.py), BioMedIA-MBZUAI/SimLVSeg (README and arguments),
# Tec-AI-23/EchoNetDynamic: optimiser, rate, decay, batch, epochs, loss.
PUBLISHED = {
    "echonet": ("sgd", 1e-5, 0.0, 20, 50, "bce"),
    "echonet-ef": ("sgd", 1e-4, 1e-4, 20, 45, "mse"),
    "unilvseg-ssl": ("adamw", 3e-4, 1e-3, 2, 100, "mse"),
    "unilvseg": ("adamw", 3e-4, 1e-5, 16, 70, "dice-pooled"),
    "unet": ("adam", 1e-4, 0.0, 64, 20, "bce"),
    "unet-landmarks": ("adam", 1e-4, 0.0, 64, 5, "heatmap-cross-entropy"),
}
PARAMETERS = {  # published, or counted in the reference implementations
    "echonet": 39_633_729,
    "echonet-ef": 31_300_638,
    "unilvseg-ssl": 18_832_525,
    "unilvseg": 18_832_525,
    "unet": 31_037_633,
}


def test_every_preset_is_as_published():
    assert RECIPES.keys() == PUBLISHED.keys() == ABOUT.keys()
    for name, published in PUBLISHED.items():
        c = RECIPES[name]
        ours = (c.optimiser.name, c.optimiser.learning_rate, c.optimiser.weight_decay, c.run.batch,
                c.run.epochs, c.objective.loss)  # fmt: skip
        assert ours == published, name
        assert (c.recipe, c.data.size) == (name, 112)


def test_what_only_some_presets_have_is_as_published():
    echonet, ef, ssl, weak = (
        RECIPES[n] for n in ("echonet", "echonet-ef", "unilvseg-ssl", "unilvseg")
    )
    assert (echonet.optimiser.momentum, echonet.objective.reduction) == (0.9, "sum")
    assert (ef.data.frames, ef.data.period, ef.augmentation.crop_px) == (32, 2, 12)
    assert (ef.schedule.milestones, ef.schedule.gamma) == ((15, 30), 0.1)
    assert (ssl.data.frames, ssl.data.period, ssl.objective.mask_ratio) == (32, 1, 0.6)
    assert (ssl.optimiser.betas, ssl.optimiser.amsgrad) == ((0.9, 0.95), True)
    assert (weak.schedule.milestones, weak.optimiser.amsgrad) == ((45, 60), True)
    changes = weak.augmentation
    assert (changes.colour_jitter, changes.colour_jitter_probability) == (0.2, 0.5)
    assert (changes.clahe_probability, changes.rotation_deg) == (0.5, 20)
    assert weak.data.size + 2 * changes.crop_px == 124
    assert RECIPES["unet"].data.normalisation == "none"  # the study divides by 255 and no more


@pytest.mark.parametrize("name", PARAMETERS)
def test_presets_have_the_published_count_of_parameters(name):
    network = build(RECIPES[name].network.model, RECIPES[name].network.shape)
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", RECIPES)
def test_a_quarter_of_the_width_has_about_a_sixteenth_of_the_parameters(name):
    full = RECIPES[name].network
    less = with_model(RECIPES[name], full.model, 0.25).network
    count = [sum(p.numel() for p in build(n.model, n.shape).parameters()) for n in (full, less)]
    assert 12 < count[0] / count[1] < 20


def test_milestones_keep_their_shares_when_a_recipe_is_made_shorter():
    assert with_epochs(RECIPES["unilvseg"], 7).schedule.milestones == pytest.approx((4.5, 6.0))


def test_another_network_brings_its_own_window():
    config = with_model(RECIPES["unilvseg"], "simlvseg-superimage")
    assert (config.data.frames, config.network.shape.frames_per_side) == (16, 4)
    config = with_frames(config, 9)
    assert (config.data.frames, config.network.shape.frames_per_side) == (9, 3)


@pytest.mark.parametrize(
    ("name", "frames", "said"),
    [("unilvseg", 20, "multiple of 16"), ("unet", 4, "by itself"), ("echonet-ef", 1, "2 or more")],
)
def test_a_window_that_cannot_be_is_refused(name, frames, said):
    with pytest.raises(InputError, match=said):
        with_frames(RECIPES[name], frames)


def test_an_unknown_recipe_names_those_there_are():
    with pytest.raises(InputError, match="choose default, echonet, echonet-ef, unilvseg-ssl"):
        recipe("nnunet")
