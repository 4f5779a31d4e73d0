"""Clips that a run lacks are left out of all runs and listed with the reason."""

from __future__ import annotations

import shutil

import pytest

from medseg.compare import find_runs, measure_runs, score_runs, wanted_split
from medseg.compare.cases import ef_coverage
from medseg.errors import InputError


def scored(dataset, tmp_path, **folders):
    runs = find_runs([f"{name}={path}" for name, path in folders.items()], out=tmp_path / "o")
    return score_runs(runs, dataset, split="TEST")


def test_a_clip_that_one_run_lacks_is_in_none(dataset, make_run, tmp_path):
    whole, less = make_run("whole"), make_run("less", clips=(2, 4, 5))
    compared = scored(dataset, tmp_path, whole=whole, less=less)
    assert list(compared.cases) == ["clip2", "clip4", "clip5"]
    assert [[clip.name for clip in one.clips] for one in compared.runs] == [
        list(compared.cases)
    ] * 2
    assert [(c.clip, c.run, c.reason) for c in compared.left_out] == [
        ("clip3", "less", "there is no store of it")
    ]
    assert "1 of 4 clips are not in all runs, first clip3: less" in compared.problems[0]
    found = measure_runs(compared, draws=100).measures
    assert found["whole"]["pooled_dice"].n == found["less"]["pooled_dice"].n == 60


def test_a_damaged_store_is_left_out_with_what_is_wrong(dataset, make_run, tmp_path):
    broken = make_run("broken")
    (broken / "clip4.zarr" / "status" / "0.0").write_bytes(b"no")
    compared = scored(dataset, tmp_path, whole=make_run("whole"), broken=broken)
    assert [(c.clip, c.run) for c in compared.left_out] == [("clip4", "broken")]
    assert "status" in compared.left_out[0].reason
    assert "\n" not in compared.left_out[0].reason


def test_ef_is_compared_on_clips_of_which_every_run_gives_one(dataset, make_run, answers, tmp_path):
    answers["picky/clip5"] = None
    compared = scored(dataset, tmp_path, all=make_run("all"), picky=make_run("picky"))
    found = measure_runs(compared, draws=100).measures
    assert found["all"]["ef_mae"].n == found["picky"]["ef_mae"].n == 3
    assert found["all"]["pooled_dice"].n == 80  # masks of all four
    assert [(c.clip, c.run) for c in compared.without_ef] == [("clip5", "picky")]
    assert [ef_coverage(one) for one in compared.runs] == [(4, 4), (3, 4)]


def test_a_run_that_gives_no_ef_at_all_does_not_take_it_from_the_others(
    dataset, make_run, answers, tmp_path
):
    answers.update({f"none/clip{i}": None for i in range(2, 6)})
    compared = scored(dataset, tmp_path, all=make_run("all"), none=make_run("none"))
    found = measure_runs(compared, draws=100).measures
    assert found["all"]["ef_mae"].n == 4
    assert found["none"]["ef_mae"].n == 0
    assert compared.without_ef == []


def test_a_run_of_another_data_set_is_named(dataset, make_run, tmp_path):
    other = make_run("other", clips=(2,))
    (other / "clip2.zarr").rename(other / "stranger.zarr")
    with pytest.raises(InputError, match=r"run other: .*no store fits a clip of"):
        scored(dataset, tmp_path, whole=make_run("whole"), other=other)


def test_runs_without_a_clip_in_common_are_refused(dataset, make_run, tmp_path):
    a, b = make_run("a", clips=(2, 3)), make_run("b", clips=(4, 5))
    with pytest.raises(InputError, match=r"no clip of .* is in all runs, as a has clip4"):
        scored(dataset, tmp_path, a=a, b=b)


def test_a_store_of_another_size_is_left_out(dataset, make_run, save_store, known, tmp_path):
    odd = make_run("odd")
    shutil.rmtree(odd / "clip2.zarr")
    shutil.copytree(make_run("whole") / "clip2.zarr", odd / "clip2.zarr")
    truth = dataset / "truth" / "clip2.npz"
    import numpy as np

    with np.load(truth) as found:
        wide = {**found, "mask": np.pad(found["mask"], ((0, 0), (0, 0), (0, 8)))}
    np.savez(truth, **wide)
    compared = scored(dataset, tmp_path, whole=make_run("whole"), odd=odd)
    assert {c.clip for c in compared.left_out} == {"clip2"}
    assert "64 x 64 pixels, the truth's 64 x 72" in compared.left_out[0].reason


def test_the_test_split_is_compared_unless_told_otherwise(dataset):
    assert wanted_split(dataset, None) == "TEST"
    assert wanted_split(dataset, "all") is None
    assert wanted_split(dataset, "train") == "TRAIN"
    listed = (dataset / "FileList.csv").read_text().replace("TEST", "VAL")
    (dataset / "FileList.csv").write_text(listed)
    assert wanted_split(dataset, None) is None
