from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from medseg.cli import main
from medseg.errors import InputError, OutputError
from medseg.volumes import RegionPredictor, find_cases, run_benchmark, summarise
from medseg.volumes.benchmark import RECORDS, modality_of


@pytest.fixture
def root(tmp_path, leaning):
    values, truth = leaning
    for modality in ("CT_abdomen", "us", "dermoscopy"):
        (tmp_path / "root" / modality).mkdir(parents=True)
    label = truth.astype(np.uint8)
    np.savez(tmp_path / "root/CT_abdomen/a.npz", imgs=values, gts=label, spacing=(1, 1, 2))
    colour = np.repeat(values[..., None], 3, axis=3)
    np.savez(tmp_path / "root/us/v.npz", imgs=colour[2:12], gts=label[2:12])
    np.savez(tmp_path / "root/dermoscopy/p.npz", imgs=colour[5], gts=label[5])
    return tmp_path / "root"


def test_pictures_volumes_and_videos_by_every_method_that_fits(root, bright, tmp_path):
    bright.follow = lambda slices, prompts: type(bright).follow(
        bright, slices if slices.ndim == 3 else slices[..., 0], prompts
    )
    cases = find_cases(root)
    done = run_benchmark(
        cases, {"bright": lambda: bright, "region": RegionPredictor}, tmp_path / "out"
    )
    assert not done.problems
    rows = {row[:4]: row[4:] for row in summarise(done)}
    assert {(kind, method) for _, kind, method, model in rows if model == "bright"} == {
        ("picture", "2-D"), ("volume", "2-D"), ("volume", "hand-over"), ("volume", "memory"),
        ("video", "2-D"), ("video", "hand-over"), ("video", "memory"),
    }  # fmt: skip
    assert {method for *_, method, model in rows if model == "region"} == {"2-D", "hand-over"}
    # bright things are all that is there, so loose boxes cost nothing
    assert all(row == (1, 1, 1.0, 1.0) for key, row in rows.items() if key[3] == "bright")
    with (tmp_path / "out" / "summary.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(rows)


def test_a_stopped_benchmark_goes_on(root, bright, tmp_path):
    cases, out = find_cases(root), tmp_path / "out"
    run_benchmark(cases[:1], {"bright": lambda: bright}, out, methods=["2-D"])
    with (out / RECORDS).open("a") as file:
        file.write('{"model": "bright", "met')
    before = len(bright.boxes)
    done = run_benchmark(cases, {"bright": lambda: bright}, out, methods=["2-D"])
    assert len(done.records) == 3
    assert len(bright.boxes) - before == 11  # the picture and ten frames, not the first case again
    lines = (out / RECORDS).read_text().splitlines()
    assert len([json.loads(line) for line in lines]) == 3

    def never():
        raise AssertionError("nothing is left for it")

    run_benchmark(cases, {"bright": never}, out, methods=["2-D"])
    with pytest.raises(OutputError, match="other settings"):
        run_benchmark(cases, {"bright": never}, out, methods=["2-D"], tolerance_mm=1.0)


def test_missing_weights_are_named_and_the_rest_is_run(root, tmp_path, capsys):
    code = main(["benchmark", "sam2", "--data", str(root), "--out", str(tmp_path / "out"),
                 "--weights", str(tmp_path), "--methods", "2-D,hand-over"])  # fmt: skip
    shown = capsys.readouterr()
    assert code == 1
    assert "sam2.1_hiera_tiny.pt is not there; published at" in shown.err
    assert "MedSAM2_latest.pt is not there" in shown.err
    assert "medsam_vit_b.pth is not there; published at github.com/bowang-lab/MedSAM" in shown.err
    assert shown.err.count("was not run") == 9
    assert "region" in shown.out


def test_a_case_that_cannot_be_scored_is_told(root, bright, tmp_path, leaning):
    np.savez(root / "us" / "untold.npz", imgs=leaning[0])
    np.savez(root / "us" / "wrong.npz", gts=leaning[1])
    done = run_benchmark(
        find_cases(root), {"bright": lambda: bright}, tmp_path / "out", methods=["2-D"]
    )
    assert len(done.problems) == 2
    assert any("untold.npz: has no truth" in problem for problem in done.problems)
    assert any("wrong.npz: has no `imgs`" in problem for problem in done.problems)
    assert len(done.records) == 3


def test_folders_say_the_modality():
    names = ("CT_abdomen", "mr-brain", "PET", "us", "ct")
    assert [modality_of(name) for name in names] == ["ct", "mr", "pet", "grey", "ct"]


def test_a_root_without_cases(tmp_path):
    with pytest.raises(InputError, match="holds no cases"):
        find_cases(tmp_path)
