"""Differences whose size and interval are known: of equal runs, of shrunken masks, of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medseg.compare import Compared, Run, ScoredRun, find_runs, measure_runs, score_runs
from medseg.errors import InputError
from medseg.evaluate import ClipScore, Evaluation, Tolerances
from medseg.metrics import mean_and_n


def compare(arguments, dataset, tmp_path, **options):
    runs = find_runs([f"{name}={path}" for name, path in arguments.items()], out=tmp_path / "o")
    compared = score_runs(runs, dataset, split="TEST")
    return compared, measure_runs(compared, draws=300, **options)


def ef_run(name: str, measured: np.ndarray, truth: np.ndarray, tmp_path) -> ScoredRun:
    """A run that gives EF alone, one clip a patient."""
    clips = [
        ClipScore(f"c{i}", "TEST", patient=f"p{i}", ef_percent=got, ef_true_percent=true)
        for i, (got, true) in enumerate(zip(measured, truth, strict=True))
    ]
    evaluation = Evaluation(
        tmp_path, tmp_path, None, "beatbybeat", clips, None, Tolerances(), without_masks="EF alone"
    )
    return ScoredRun(Run(name, tmp_path / "ef.csv"), evaluation, clips)


def test_equal_runs_differ_by_exactly_nothing(dataset, make_run, tmp_path):
    runs = {"one": make_run("one", shrink=1), "two": make_run("two", shrink=1)}
    _, measured = compare(runs, dataset, tmp_path)
    assert {"pooled_dice", "hd95_px", "ef_mae", "ef_bias"} <= {d.key for d in measured.differences}
    for d in measured.differences:
        assert d.value == 0.0
        if np.isfinite(d.low):
            assert (d.low, d.high) == (0.0, 0.0)
        assert not d.excludes_zero


def test_masks_that_are_smaller_by_a_known_border_have_the_known_dice(
    dataset, make_run, known, tmp_path
):
    runs = {"true": make_run("true"), "small": make_run("small", shrink=2)}
    compared, measured = compare(runs, dataset, tmp_path)
    dice = measured.measures["small"]["pooled_dice"]
    assert dice.value == pytest.approx(known["dice_of"](2))
    assert dice.n == 4 * known["frames"]
    assert measured.measures["true"]["pooled_dice"].value == 1.0
    # An outline two pixels inside the other is nowhere further off but at the corners.
    assert 2.0 <= measured.measures["small"]["hd95_px"].value <= 2 * np.sqrt(2)
    found = {d.key: d for d in measured.differences}["pooled_dice"]
    assert (found.first, found.second) == ("true", "small")
    assert found.value == pytest.approx(1 - known["dice_of"](2))
    assert found.excludes_zero  # all clips are alike, so there is no doubt
    assert len(compared.cases) == measured.patients == 4


def test_a_paired_interval_is_narrower_where_runs_find_the_same_clips_hard(tmp_path):
    rng = np.random.default_rng(3)
    truth = rng.uniform(20, 70, 150)
    hard = rng.normal(0, 8, 150)  # of each clip, for both runs
    one = truth + hard + rng.normal(0, 1, 150)
    two = truth + 1.15 * hard + rng.normal(0, 1, 150)
    runs = [ef_run("one", one, truth, tmp_path), ef_run("two", two, truth, tmp_path)]
    measured = measure_runs(Compared(tmp_path, None, {}, runs, [], []), draws=2000)
    ours = {d.key: d for d in measured.differences}["ef_mae"]
    apart = [measured.measures[name]["ef_mae"] for name in ("one", "two")]
    unpaired = np.hypot(*(m.high - m.low for m in apart))
    assert ours.high - ours.low < 0.4 * unpaired
    # and it is the paired interval of another implementation
    errors = np.abs(one - truth) - np.abs(two - truth)
    theirs = stats.bootstrap(
        (errors,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert ours.value == pytest.approx(errors.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.06)
    assert ours.high == pytest.approx(theirs.high, abs=0.06)
    assert ours.excludes_zero and ours.patients == 150


def test_clips_of_one_patient_are_drawn_together(tmp_path):
    truth = np.full(40, 50.0) + np.arange(40) % 3
    one = truth + np.where(np.arange(40) < 20, 4.0, 8.0)
    run = ef_run("one", one, truth, tmp_path)
    alone = measure_runs(Compared(tmp_path, None, {}, [run], [], []), draws=400)
    for i, clip in enumerate(run.clips):
        clip.patient = "a" if i < 20 else "b"
    of_two = measure_runs(Compared(tmp_path, None, {}, [run], [], []), draws=400)
    assert (alone.patients, of_two.patients) == (40, 2)
    wide, narrow = of_two.measures["one"]["ef_mae"], alone.measures["one"]["ef_mae"]
    assert (wide.low, wide.high) == (4.0, 8.0)  # one patient twice, a quarter of all draws
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_every_run_is_set_against_the_reference(dataset, make_run, tmp_path):
    runs = {name: make_run(name, shrink=i) for i, name in enumerate(("a", "b", "c"))}
    compared, measured = compare(runs, dataset, tmp_path)
    pairs = {(d.first, d.second) for d in measured.differences}
    assert pairs == {("a", "b"), ("a", "c"), ("b", "c")}
    measured = measure_runs(compared, draws=100, reference="b")
    assert {(d.first, d.second) for d in measured.differences} == {("a", "b"), ("c", "b")}
    with pytest.raises(InputError, match="--reference d: no run has that name; runs: a, b, c"):
        measure_runs(compared, draws=100, reference="d")


def test_the_same_seed_gives_the_same_intervals(tmp_path):
    rng = np.random.default_rng(1)
    truth = rng.uniform(20, 70, 30)
    runs = [ef_run(n, truth + rng.normal(0, 5, 30), truth, tmp_path) for n in ("a", "b")]
    compared = Compared(tmp_path, None, {}, runs, [], [])
    first, again, other = (measure_runs(compared, draws=200, seed=s) for s in (1, 1, 2))
    assert first.differences == again.differences
    assert first.differences != other.differences


def test_a_run_without_masks_has_no_difference_of_masks(dataset, make_run, tmp_path):
    table = tmp_path / "ef.csv"
    rows = [f"clip{i}.avi,{start},{30 + 10 * i}" for i in range(2, 6) for start in (0, 1)]
    table.write_text("\n".join(["FileName,start_frame,ef", *rows]) + "\n")
    runs = {"masks": make_run("masks"), "ef": table}
    compared, measured = compare(runs, dataset, tmp_path)
    assert {d.key[:3] for d in measured.differences} == {"ef_"}
    dice = measured.measures["ef"]["pooled_dice"]
    assert np.isnan(dice.value) and dice.reason == "a table of EF holds no masks"
    assert measured.measures["ef"]["ef_mae"].value == 0.0
    assert measured.measures["masks"]["ef_mae"].value == pytest.approx(2.0)  # R is 2 points high
    # TRAIN has EF 30 and 40, TEST 50 to 80
    always = np.abs(np.mean([30, 40]) - np.array([50, 60, 70, 80])).mean()
    assert measured.measures["ef"]["ef_mae_of_mean"].value == pytest.approx(always)
    surface = compared.runs[0].clips[0].masks.surface
    assert mean_and_n(surface.hd95_px)[0] == 0.0
