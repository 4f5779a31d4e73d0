"""Samples: windows hold their traced frame, masking is exact, chance is each sample's own."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from medseg.train.cohort import choose_cohort
from medseg.train.pixels import Pictures, measure_normalisation
from medseg.train.samples import (
    VALIDATION_PASS,
    Samples,
    Stream,
    random_window,
    seen_frames,
    window_around,
)


def samples_of(config):
    whole = config.objective.task not in ("traced-pairs", "traced-frames", "landmarks")
    pictures = Pictures(config.data.size, limit_bytes=2**28, whole=whole)
    return Samples(config, choose_cohort(config).training, pictures)


@pytest.mark.parametrize(("count", "length", "period"), [(50, 32, 1), (70, 32, 2), (9, 16, 1),
                                                         (20, 16, 2), (16, 16, 1)])  # fmt: skip
def test_a_window_always_holds_its_traced_frame(count, length, period):
    rng = np.random.default_rng(0)
    for traced in range(count):
        frames, position = window_around(rng, count, traced, length, period)
        assert (len(frames), frames[position]) == (length, traced)
        assert frames.min() >= 0
        assert frames.max() < count
        if count >= length * period:
            assert (np.diff(frames) == period).all()


def test_every_place_in_a_window_is_as_likely_as_another():
    rng = np.random.default_rng(0)
    places = [window_around(rng, 200, 100, 8, 1)[1] for _ in range(800)]
    counts = np.bincount(places, minlength=8)
    assert counts.min() > 60  # 100 expected, standard deviation 9


def test_a_random_window_reaches_the_clip_s_first_and_last_frame():
    rng = np.random.default_rng(0)
    starts = {int(random_window(rng, 12, 8, 1)[0]) for _ in range(200)}
    assert starts == {0, 1, 2, 3, 4}
    assert random_window(None, 12, 8, 1)[0] == 2  # the middle one
    assert random_window(rng, 3, 5, 1).tolist() == [0, 1, 2, 1, 0]  # reflected, not black


@pytest.mark.parametrize(("ratio", "hidden"), [(0.6, 19), (0.4, 13), (0.75, 24)])
def test_exactly_the_asked_share_of_frames_is_masked(ratio, hidden):
    # SimLVSeg's super image blacks out one minus the ratio: here 13 and 19 would change places.
    rng = np.random.default_rng(0)
    draws = [seen_frames(rng, 32, ratio) for _ in range(20)]
    assert {int((~seen).sum()) for seen in draws} == {hidden}
    assert torch.stack(draws).float().mean(0).min() < 1  # no frame is always seen
    assert len({tuple(seen.tolist()) for seen in draws}) > 10


def test_a_sample_depends_on_seed_pass_and_place_alone(make_small):
    config = make_small("unilvseg")
    config = replace(config, augmentation=replace(config.augmentation, clahe_probability=0.0))
    samples = samples_of(config)
    first = samples[(0, 3)]
    _ = [samples[(0, place)] for place in range(8)]
    again, later = samples[(0, 3)], samples[(1, 3)]
    assert torch.equal(first["pixels"], again["pixels"])
    assert torch.equal(first["draw"].matrix, again["draw"].matrix)
    assert not torch.equal(first["draw"].matrix, later["draw"].matrix)
    other = samples_of(replace(config, seed=1))[(0, 3)]
    assert not torch.equal(first["draw"].matrix, other["draw"].matrix)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more than there are processors
def test_workers_do_not_repeat_each_other_s_chance_nor_change_it(make_small):
    # numpy's global generator, copied into forked workers, gives every worker the same numbers.
    samples = samples_of(make_small("unilvseg"))
    alone = [samples[(0, place)]["draw"].matrix for place in range(8)]  # and clips are read now
    keys = [[(0, place)] for place in range(8)]
    loader = DataLoader(samples, batch_sampler=keys, num_workers=2, multiprocessing_context="fork")
    shared = [batch["draw"].matrix[0] for batch in loader]
    assert all(torch.equal(a, b) for a, b in zip(alone, shared, strict=True))
    assert len({tuple(matrix.flatten().tolist()) for matrix in shared}) == 8


def test_validation_leaves_nothing_to_chance(make_small):
    samples = samples_of(make_small("unilvseg"))
    sample = samples[(VALIDATION_PASS, 0)]
    assert torch.equal(sample["draw"].matrix, torch.eye(2, 3))
    assert not sample["draw"].coloured
    assert sample["draw"].clahe == 0


def test_devices_together_see_what_one_device_sees(make_small):
    config = make_small("unilvseg")
    config = replace(config, run=replace(config.run, batch=4, accumulate=2))
    whole = list(Stream(config, 8, first=0, last=4, rank=0, world=1))
    halves = [list(Stream(config, 8, first=0, last=4, rank=rank, world=2)) for rank in (0, 1)]
    for batch, *parts in zip(whole, *halves, strict=True):
        assert sorted(batch) == sorted(parts[0] + parts[1])
    assert sorted(key for batch in whole[:2] for key in batch) == [(0, i) for i in range(8)]
    assert list(Stream(config, 8, first=2, last=4, rank=0, world=1)) == whole[4:]


def test_masked_clips_and_ef_samples_hold_what_their_loss_needs(make_small):
    masked = samples_of(make_small("unilvseg-ssl"))[(0, 0)]
    assert masked["pixels"].shape == (16, 3, 32, 32)
    assert int((~masked["seen"]).sum()) == 10  # 0.6 of 16
    ef = samples_of(make_small("echonet-ef"))[(0, 1)]
    assert ef["ef"].item() == pytest.approx(100 * (1 - (1 - 0.26) ** 3), abs=1e-3)


def test_normalisation_is_that_of_the_training_clips_to_the_bit_each_time(make_small):
    cases = choose_cohort(make_small("unet")).training_cases
    pictures = Pictures(32, limit_bytes=0, whole=False)
    twice = [measure_normalisation(pictures, cases, clips=9, frames=99, seed=0) for _ in range(2)]
    assert twice[0] == twice[1]
    every = np.concatenate([pictures.frames(c, np.arange(24)) for c in cases]) / 255
    np.testing.assert_allclose(twice[0][0], every.mean((0, 2, 3)), rtol=1e-9)
    np.testing.assert_allclose(twice[0][1], every.std((0, 2, 3)), rtol=1e-9)
