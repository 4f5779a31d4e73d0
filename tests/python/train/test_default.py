"""Training the default model: it learns, repeats itself, and stops at a loss that is no number."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from medseg import train
from medseg.errors import TrainingError, WeightsError
from medseg.models import load_model
from medseg.simulate.stills import Burst
from medseg.train import default

TINY = train.DefaultRecipe(
    seed=3, bursts=6, frames_per_burst=5, validation_bursts=3, size=64, steps=24, batch=6, workers=1
)


@pytest.fixture(scope="module")
def bursts():
    return train.make_bursts(TINY)


def test_training_lowers_the_loss_and_writes_weights_that_load(bursts, tmp_path):
    losses = []

    def report(stage, done, total, figures):
        losses.append(figures["loss"])

    out = tmp_path / "w.safetensors"
    figures = train.train_default(out, TINY, data=bursts, report=report)
    assert losses[-1] < 0.9 * losses[0]
    assert 0 <= figures["validation_dice"] <= 1
    assert load_model("default", weights=out).object_names == ("left_ventricle",)


def test_no_heart_is_in_two_parts(bursts):
    for one, other in combinations(bursts, 2):
        assert not any((a == b).all() for a in one.labels[:, 0] for b in other.labels[:, 0])


def test_the_last_turns_hearts_are_often_in_early_filling(monkeypatch):
    drawn = {}

    def draw(seed, n, *, centred, **_):
        drawn[seed] = centred
        return Burst(np.zeros((n, 5, 4, 4), np.uint8), np.zeros((n, 5, 4, 4), np.uint8))

    monkeypatch.setattr(default, "draw_bursts", draw)
    hearts = train.make_bursts(TINY)
    assert [len(part.labels) for part in hearts] == [6, 6, 3]
    often = {seed for seed, centred in drawn.items() if centred.get("early filling", 0) >= 0.3}
    assert often == set(TINY.late_burst_seeds)


def test_the_same_seed_trains_the_same_weights(bursts, tmp_path):
    recipe = replace(TINY, steps=3)
    weights = []
    for name in ("a", "b"):
        train.train_default(tmp_path / name, recipe, data=bursts)
        weights.append(load_file(tmp_path / name))
    for key, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][key], rtol=0, atol=0)


def test_a_loss_that_is_no_number_stops_the_training(bursts, tmp_path, monkeypatch):
    def broken(logits, labels):
        return logits.sum() * math.nan

    monkeypatch.setattr(default, "dice_cross_entropy", broken)
    with pytest.raises(TrainingError, match="step 0"):
        train.train_default(tmp_path / "w", TINY, data=bursts)
    assert not (tmp_path / "w").exists()
    assert torch.is_grad_enabled()


# Kept after 4 or 8 steps of 9: in any of the six stages, or between two.
@pytest.mark.parametrize(
    ("kept", "parts"),
    [
        (4, (7, 1, 1, 0, 0, 0)),
        (4, (3, 3, 1, 1, 1, 0)),
        (4, (4, 3, 2, 0, 0, 0)),
        (4, (1, 2, 4, 2, 0, 0)),
        (4, (1, 1, 2, 5, 0, 0)),
        (4, (1, 1, 0, 1, 3, 3)),
        (4, (1, 1, 1, 1, 1, 4)),
        (4, (1, 0, 0, 0, 0, 8)),
        (8, (4, 1, 1, 1, 1, 1)),
        (8, (1, 1, 2, 2, 3, 0)),
    ],
)
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    kept, parts, bursts, tmp_path, monkeypatch
):
    monkeypatch.setattr(default, "KEPT_EVERY", 4)
    recipe = replace(TINY, steps=9, parts=parts)

    def pull_the_plug(stage, done, total, figures):
        if done == kept + 1:
            raise KeyboardInterrupt

    train.train_default(tmp_path / "whole", recipe, data=bursts)
    with pytest.raises(KeyboardInterrupt):
        train.train_default(tmp_path / "stopped", recipe, data=bursts, report=pull_the_plug)
    assert not (tmp_path / "stopped").exists()
    with pytest.raises(TrainingError, match="other settings"):
        train.train_default(tmp_path / "stopped", replace(recipe, seed=4), data=bursts)
    steps = []
    train.train_default(
        tmp_path / "stopped", recipe, data=bursts, report=lambda _, done, *__: steps.append(done)
    )
    assert steps == list(range(kept + 1, 10))
    whole, stopped = load_file(tmp_path / "whole"), load_file(tmp_path / "stopped")
    for key, value in whole.items():
        torch.testing.assert_close(value, stopped[key], rtol=0, atol=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stopped", "whole"]


def test_the_last_steps_see_two_frames_of_each_heart_and_learn_their_change(
    bursts, tmp_path, monkeypatch
):
    seen = []

    def keep(logits, labels, *, label):
        seen.append(labels)
        return logits.sum() * 0

    monkeypatch.setattr(default, "size_change_loss", keep)
    monkeypatch.setattr(default, "augment_labels", lambda labels, draw: labels)
    recipe = replace(TINY, steps=20, parts=(2, 2, 2, 2, 6, 6))
    train.train_default(tmp_path / "w", recipe, data=bursts)
    assert len(seen) == 18
    assert not torch.equal(seen[0], seen[2])  # the branches have an order of their own
    assert not torch.equal(seen[6], seen[12])
    hearts = torch.from_numpy(np.concatenate([bursts.training.labels, bursts.late.labels]))
    parts = []
    for labels in seen:
        own = [{h for h in range(len(hearts)) if (hearts[h] == one).all((1, 2)).any()}
               for one in labels]  # fmt: skip
        pairs = [a & b for a, b in zip(own[::2], own[1::2], strict=True)]
        assert all(pairs)
        parts.append({heart // len(bursts.training.labels) for pair in pairs for heart in pair})
    assert parts[:6] == [{0}] * 4 + [{1}] * 2  # a branch on the same hearts, one on the late ones
    for settling in (parts[6:12], parts[12:]):
        assert set.union(*settling) == {0, 1}


def test_the_weights_lie_between_branches_of_the_same_beginning(bursts, tmp_path, monkeypatch):
    begun, ended, train_stage = [], [], default._train_stage

    def keep(weights, stage, *others):
        begun.append([weights[i].state_dict() for i in stage.begins_from])
        found = train_stage(weights, stage, *others)
        ended.append(found[0].state_dict())
        return found

    def mean(*networks):
        assert any(not torch.equal(networks[0][key], networks[1][key]) for key in networks[0])
        return {key: sum(network[key] for network in networks) / len(networks)
                for key, value in networks[0].items() if value.is_floating_point()}  # fmt: skip

    def same(one, other):
        for key, value in other.items():
            torch.testing.assert_close(one[key], value)

    monkeypatch.setattr(default, "_train_stage", keep)
    recipe = replace(TINY, steps=8, parts=(2, 2, 1, 1, 1, 1))
    train.train_default(tmp_path / "w", recipe, data=bursts)
    _, changed, one, other, *settled = ended
    for key, value in changed.items():
        assert all(torch.equal(value, begun[branch][0][key]) for branch in (2, 3))
    same(load_file(tmp_path / "w"), mean(*settled, mean(one, other)))

    ended.clear()
    unsettled = replace(recipe, steps=6, parts=(2, 2, 1, 1, 0, 0))
    train.train_default(tmp_path / "w", unsettled, data=bursts)
    same(ended[4], mean(*ended[2:4]))  # where the settling begins: here it has no steps


def test_a_damaged_state_is_one_clear_error(bursts, tmp_path):
    (tmp_path / "w.state").write_bytes(b"half a state")
    with pytest.raises(WeightsError, match=r"w\.state: "):
        train.train_default(tmp_path / "w", TINY, data=bursts)
