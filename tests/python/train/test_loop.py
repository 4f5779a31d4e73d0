"""Whole runs: exact resume, the run folder, accumulation, early stopping, and a loss of NaN."""

import csv
import json
import math
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torchvision.models import resnet50

from medseg.errors import InputError, MissingExtra, OutputError, TrainingError, WeightsError
from medseg.models import load_model
from medseg.models.echonet import EchoNetShape
from medseg.models.echonet_ef import load_echonet_ef
from medseg.models.weights import read_checkpoint
from medseg.train import loop, read_config, steps, train
from medseg.train.cohort import choose_cohort
from medseg.train.config import Optimiser
from medseg.train.networks import build
from medseg.train.start import start_network


def with_run(config, **changes):
    return replace(config, run=replace(config.run, **changes))


def table(out):
    with (out / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def stop_at(step):
    def report(stage, done, total, figures):
        if stage == "train" and done == step:
            raise KeyboardInterrupt

    return report


def same(a, b):
    a, b = load_file(a), load_file(b)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture
def everything(make_small):
    """EchoNet's network, whose head drops out, with a running mean, accumulation, augmentation."""
    config = make_small("echonet", steps=6)
    config = with_run(config, steps_per_epoch=2, accumulate=2, average_decay=0.9, batch=2)
    changes = replace(config.augmentation, rotation_deg=20.0, crop_px=4)
    schedule = replace(config.schedule, kind="cosine", warm_up=0.2)
    optimiser = Optimiser("adamw", 1e-3, 1e-2, amsgrad=True)
    return replace(config, augmentation=changes, schedule=schedule, optimiser=optimiser)


def test_a_run_cut_short_goes_on_as_if_it_had_not_been(everything, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    told = train(everything, whole)
    with pytest.raises(KeyboardInterrupt):
        train(everything, parts, report=stop_at(3))  # in the middle of the second epoch
    assert len(table(parts)) == 2
    assert not (parts / "run.json").exists()
    again = train(everything, parts, resume=True)
    assert table(whole) == table(parts)
    assert same(whole / "last.safetensors", parts / "last.safetensors")
    assert same(whole / "weights.safetensors", parts / "weights.safetensors")
    assert again["best"] == told["best"]
    losses = [row["loss"] for row in table(whole)]
    assert len(set(losses)) == 6  # it is not that nothing happened


def test_the_run_folder_holds_what_the_contract_says(make_small, tmp_path):
    config = with_run(make_small("unet", steps=2), tensorboard=True)
    out = tmp_path / "run"
    told = train(config, out)
    names = {path.name for path in out.iterdir()}
    assert names >= {"config.toml", "weights.safetensors", "last.safetensors", "state.ckpt",
                     "log.csv", "run.json", "curves.png"}  # fmt: skip
    assert any("tfevents" in name for name in names)
    assert not any(name.startswith(".") for name in names)  # nothing half-written
    assert read_config(out / "config.toml") == config
    header = (out / "log.csv").read_text().splitlines()[0]
    assert header == "epoch,step,split,loss,dice,learning_rate,seconds"
    stored = json.loads((out / "run.json").read_text())
    assert stored == json.loads(json.dumps(told))
    assert stored["recipe"] == stored["model"] == "unet"
    assert (stored["clips"], stored["patients"]) == (4, 4)
    assert stored["annotated_frames"] == 4  # two steps of two of the eight traced frames
    assert 2 <= stored["annotated_clips"] <= 4
    assert stored["best"]["loss"] == min(
        float(r["loss"]) for r in table(out) if r["split"] == "VAL"
    )
    assert stored["data"] == "tiny"
    assert stored["pretrained_from"] is None
    tensors = load_file(out / "last.safetensors").items()
    learnt = [v for k, v in tensors if "running" not in k and "num_batches" not in k]
    assert stored["parameters"] == sum(v.numel() for v in learnt)


@pytest.mark.parametrize(
    ("name", "model"),
    [("echonet", "echonet"), ("unet-landmarks", "unet-landmarks"), ("unilvseg", "simlvseg-3d"),
     ("unilvseg", "simlvseg-superimage")],
)  # fmt: skip
def test_weights_carry_their_preparation_and_run(name, model, make_small, tmp_path):
    train(make_small(name, model=model, steps=1), tmp_path / "run")
    found = load_model(model, weights=tmp_path / "run" / "weights.safetensors")
    state = torch.load(tmp_path / "run" / "state.ckpt", weights_only=True)
    assert found.preparation.mean == tuple(state["mean"])
    assert found.preparation.size == 32
    assert "4 clips of 4 patients" in found.card["training_data"]


def test_ef_weights_say_the_mean_before_they_have_learnt(make_small, tmp_path):
    config = make_small("echonet-ef", steps=1)
    config = replace(
        config,
        network=replace(config.network, start_ef="train-mean"),
        optimiser=replace(config.optimiser, learning_rate=1e-12),
    )
    told = train(config, tmp_path / "run")
    loaded = load_echonet_ef(tmp_path / "run" / "weights.safetensors")
    mean = sum(100 * (1 - (0.8 - 0.06 * i) ** 3) for i in range(4)) / 4
    assert loaded.network.fc.bias.item() == pytest.approx(mean, abs=1e-3)
    assert (loaded.preparation.frames, loaded.preparation.period) == (8, 2)
    assert (told["annotated_frames"], told["annotated_clips"]) == (0, 2)
    network = build("echonet-ef", config.network.shape)
    assert network.fc.bias.item() == pytest.approx(55.6)  # else as published


def test_batches_that_are_accumulated_are_one_large_batch(make_small, tmp_path):
    config = make_small("unilvseg", steps=2)
    config = replace(
        config,
        objective=replace(config.objective, loss="dice"),  # of each sample by itself
        optimiser=Optimiser("sgd", 0.5, momentum=0.9),
        augmentation=type(config.augmentation)(rotation_deg=20.0),
    )
    train(with_run(config, batch=4, accumulate=1), tmp_path / "large")
    train(with_run(config, batch=2, accumulate=2), tmp_path / "small")
    large, small = (load_file(tmp_path / n / "last.safetensors") for n in ("large", "small"))
    start = build_first(config)
    for key, value in large.items():
        torch.testing.assert_close(small[key], value, rtol=1e-4, atol=1e-6)
    assert any((large[key] - start[key]).abs().max() > 1e-3 for key in large)


def build_first(config):
    torch.manual_seed(config.seed)
    return build(config.network.model, config.network.shape).state_dict()


def test_a_loss_that_is_no_number_names_the_batch_and_keeps_the_last_good_weights(
    make_small, tmp_path, monkeypatch
):
    config = make_small("unet", steps=6)
    out = tmp_path / "run"
    calls, kept = [], {}
    true_loss = steps.mask_loss

    def breaks(name, logits, masks):
        calls.append(1)
        value = true_loss(name, logits, masks)
        if len(calls) == 7:  # two epochs of one training and two validation batches are done
            kept.update({p.name: p.read_bytes() for p in out.glob("*.safetensors")})
        return value * math.nan if logits.requires_grad and len(calls) > 6 else value

    monkeypatch.setattr(steps, "mask_loss", breaks)
    with pytest.raises(
        TrainingError, match=r"loss is nan at step 3, from the batch of clip\d .frame"
    ):
        train(config, out)
    assert len(kept) == 2
    assert kept == {p.name: p.read_bytes() for p in out.glob("*.safetensors")}
    assert not (out / "run.json").exists()
    load_model("unet", weights=out / "weights.safetensors")
    monkeypatch.setattr(steps, "mask_loss", true_loss)
    assert train(config, out, resume=True)["steps"] == 6


def test_resuming_never_puts_worse_weights_in_the_place_of_the_best(
    make_small, tmp_path, monkeypatch
):
    # EchoNet's code stores its best loss before updating it, so that a resumed run forgets it.
    worse = iter([1.0, 2.0, 3.0, 4.0, 0.5])
    true = loop.validate

    def told(*arguments):
        return true(*arguments) | {"loss": next(worse)}

    monkeypatch.setattr(loop, "validate", told)
    config, out = make_small("unet", steps=5), tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(config, out, report=stop_at(3))  # after epochs of loss 1 and 2
    best = (out / "weights.safetensors").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        train(config, out, resume=True, report=stop_at(5))  # after those of 3 and 4
    assert (out / "weights.safetensors").read_bytes() == best
    assert (out / "last.safetensors").read_bytes() != best
    told_at_last = train(config, out, resume=True)
    assert told_at_last["best"] == {"epoch": 5, "step": 5, "loss": 0.5}


def test_training_stops_when_nothing_becomes_better(make_small, tmp_path, monkeypatch):
    losses = iter([0.9, 0.5, 0.6, 0.5, 0.1])
    true = loop.validate
    monkeypatch.setattr(loop, "validate", lambda *a: true(*a) | {"loss": next(losses)})
    told = train(with_run(make_small("unet", steps=9), patience=2), tmp_path / "run")
    assert told["best"] == {"epoch": 2, "step": 2, "loss": 0.5}
    assert (told["epochs"], told["stopped_early"]) == (4, True)


def test_self_supervision_is_continued_and_cannot_be_taken_for_a_segmentation(make_small, tmp_path):
    ssl, weak = tmp_path / "ssl", tmp_path / "weak"
    told = train(make_small("unilvseg-ssl", steps=1), ssl)
    assert (told["annotated_frames"], told["annotated_clips"], told["clips"]) == (0, 0, 4)
    with pytest.raises(WeightsError, match="self-supervised stage, which outline nothing yet"):
        load_model("simlvseg-3d", weights=ssl / "weights.safetensors")
    config = make_small("unilvseg", steps=1)
    config = replace(
        config,
        network=replace(config.network, pretrained=str(ssl)),
        data=replace(config.data, labels=0.25),
        seed=5,
    )
    network = build(config.network.model, config.network.shape)
    start_network(config, network, choose_cohort(config))
    first = load_file(ssl / "weights.safetensors")
    assert all(torch.equal(first[key], value) for key, value in network.state_dict().items())
    told = train(config, weak)
    assert (told["pretrained_from"], told["clips"], told["annotated_clips"]) == (
        f"{tmp_path.name}/ssl",
        1,
        1,
    )
    # Weights are only of use with the normalisation that they were trained with.
    prepared = [read_checkpoint(run / "weights.safetensors").metadata["preparation"]
                for run in (ssl, weak)]  # fmt: skip
    assert prepared[0] == prepared[1]


def test_weights_of_another_network_are_no_start(make_small, tmp_path):
    train(make_small("unet", steps=1), tmp_path / "unet")
    config = make_small("unilvseg", steps=1)
    network = replace(config.network, pretrained=str(tmp_path / "unet"))
    with pytest.raises(WeightsError, match="fits 0 of the network's"):
        train(replace(config, network=network), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_encoder_alone_is_found_under_its_own_prefix(make_small, tmp_path):
    config = make_small("echonet")
    network = build("echonet", EchoNetShape())
    path = tmp_path / "imagenet.pt"
    encoder = resnet50(weights=None)
    torch.save(encoder.state_dict(), path)
    plan = replace(config.network, pretrained=str(path), pretrained_part="encoder")
    start_network(replace(config, network=plan), network, choose_cohort(config))
    assert torch.equal(network.backbone.layer3[2].conv2.weight, encoder.layer3[2].conv2.weight)


def test_without_the_extra_the_error_names_it(make_small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(MissingExtra, match=r"pip install 'medseg\[train\]'"):
        train(make_small("unet", steps=1), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_in_use_and_a_run_of_other_values_are_refused(make_small, tmp_path):
    config, out = make_small("unet", steps=1), tmp_path / "run"
    with pytest.raises(InputError, match="no run to resume"):
        train(config, out, resume=True)
    train(config, out)
    with pytest.raises(OutputError, match="there is something already; go on with --resume"):
        train(config, out)
    with pytest.raises(InputError, match="was begun with seed = 0, not 1"):
        train(replace(config, seed=1), out, resume=True)
    (out / "state.ckpt").write_bytes((out / "state.ckpt").read_bytes()[:999])
    with pytest.raises(WeightsError, match="not a whole weights file"):
        train(config, out, resume=True)
