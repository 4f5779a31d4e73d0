"""TOML in and out: what was written is read back, and a wrong key or value is one clear error."""

from dataclasses import replace

import pytest

from medseg.errors import InputError
from medseg.train import RECIPES, read_config, write_config


@pytest.mark.parametrize("name", RECIPES)
def test_a_preset_that_was_written_reads_back_the_same(name, tmp_path):
    path = tmp_path / "c.toml"
    config = replace(RECIPES[name], data=replace(RECIPES[name].data, path='odd "name"\\ö'))
    write_config(config, path, head="two\nlines")
    assert read_config(path) == config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lerning = 1", "no key 'lerning' in the file's top; allowed: recipe, seed, data"),
        ("[data]\nsiez = 1", r"no key 'siez' in \[data\]; allowed: path, kind"),
        ("[network.shape]\nunits = [1]", r"no key 'units' in \[network.shape\]; allowed: width"),
        ("[data]\nsize = '112'", "data.size is '112', expected a whole number"),
        ("[data]\nsize = 1.5", "data.size is 1.5, expected a whole number"),
        ("[data]\nsize = true", "data.size is True, expected a whole number"),
        ("[schedule]\nmilestones = [1, 'x']", "milestones is 'x', expected a number"),
        ("[schedule]\nmilestones = 3", "milestones is 3, expected a list, each a number"),
        ("data = 3", r"data is 3, expected a table \[data\]"),
        ("[network]\nmodel = 'resnet'", "network.model is 'resnet'; choose echonet, unet"),
        ("[optimiser]\nname = 'lion'", "optimiser.name is 'lion'; choose sgd, adam, adamw"),
        ("[objective]\ntask = 'ef'", "model 'echonet' does not do the task ef; choose echonet-ef"),
        ("[objective]\nloss = 'mse'", "loss 'mse' is not for the task traced-pairs; choose bce"),
        ("[objective]\nbest_by = 'mae_ef'", "'mae_ef' is not measured"),
        ("[data]\nlabels = 0", "data.labels is 0.0, a share above 0"),
        ("[run]\nbatch = 3\ndevices = 2", "batch 3 cannot be shared evenly by 2 devices"),
        ("[data", "is no TOML"),
    ],
)
def test_a_wrong_key_or_value_is_one_line_that_names_it(text, said, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        read_config(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_milestone_that_would_never_be_reached_is_refused(tmp_path):
    # The published 60 epochs of SimLVSeg never reach their second milestone, 60.
    path = tmp_path / "c.toml"
    path.write_text("[schedule]\nkind = 'steps'\nmilestones = [45, 60]\n[run]\nepochs = 60\n")
    with pytest.raises(InputError, match=r"milestones \[60.0\] would never be reached in 60"):
        read_config(path)


def test_a_window_that_the_network_does_not_have_is_refused(tmp_path):
    path = tmp_path / "c.toml"
    write_config(RECIPES["unilvseg"], path)
    path.write_text(path.read_text().replace("frames = 32  #", "frames = 16  #", 1))
    with pytest.raises(InputError, match=r"data.frames is 16 and the network's window 32"):
        read_config(path)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"no.toml: cannot be read"):
        read_config(tmp_path / "no.toml")
