"""A table of EF against known EF: the same figures as numpy's, and no measure of masks."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from medseg.errors import ClipNotFound, InputError
from medseg.evaluate import (
    draw_figures,
    evaluate_folder,
    published_rows,
    summarise,
    summary_rows,
    write_evaluation,
)

TRUE = {"a": 30.0, "b": 45.0, "c": 60.0, "d": 70.0}
SAID = {"a": 36.0, "b": 41.0, "c": 61.0, "d": 66.0}
TRAIN = (50.0, 58.0, 66.0)


@pytest.fixture
def dataset(tmp_path):
    """FileList.csv alone: four TEST and three TRAIN videos, neither tracings nor files."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [f"{name}.avi,{ef},TEST" for name, ef in TRUE.items()]
    rows += [f"t{i},{ef},TRAIN" for i, ef in enumerate(TRAIN)]
    (folder / "FileList.csv").write_text("\n".join(["FileName,EF,Split", *rows]) + "\n")
    return folder


@pytest.fixture
def table(tmp_path):
    """Two clips of each video, 2 points above and below what is said of it."""

    def write(said=SAID, name="ef.csv", header="FileName,start_frame,ef"):
        rows = [
            f"{k},{10 * i},{ef + off}" for k, ef in said.items() for i, off in ((0, 2), (1, -2))
        ]
        (tmp_path / name).write_text("\n".join([header, *rows]) + "\n")
        return tmp_path / name

    return write


def by_key(evaluation, **options) -> dict:
    return {m.key: m for m in summarise(evaluation, draws=200, **options).measures}


def test_figures_are_those_of_numpy(dataset, table):
    found = by_key(evaluate_folder(table(), dataset, split="TEST"))
    true, said = np.array(list(TRUE.values())), np.array(list(SAID.values()))
    error = said - true
    assert found["ef_mae"].value == pytest.approx(np.abs(error).mean())
    assert found["ef_rmse"].value == pytest.approx(np.sqrt((error**2).mean()))
    assert found["ef_bias"].value == pytest.approx(error.mean())
    spread = 1.96 * error.std(ddof=1)
    assert found["ef_limit_low"].value == pytest.approx(error.mean() - spread)
    assert found["ef_limit_high"].value == pytest.approx(error.mean() + spread)
    sst = ((true - true.mean()) ** 2).sum()
    assert found["ef_r_squared"].value == pytest.approx(1 - (error**2).sum() / sst)
    assert found["ef_r2_of_correlation"].value == pytest.approx(np.corrcoef(true, said)[0, 1] ** 2)
    assert found["ef_auc_50"].value == 1.0
    assert found["ef_mae"].n == found["ef_mae"].patients == 4
    assert found["ef_mae"].low < found["ef_mae"].value < found["ef_mae"].high


def test_the_baseline_says_the_mean_of_the_training_split(dataset, table):
    found = by_key(evaluate_folder(table(), dataset, split="TEST"))
    always = np.abs(np.mean(TRAIN) - np.array(list(TRUE.values())))
    assert found["ef_mae_of_mean"].value == pytest.approx(always.mean())
    assert "58.0 %" in found["ef_mae_of_mean"].label
    fewer = {k: v for k, v in SAID.items() if k != "a"}
    found = by_key(evaluate_folder(table(fewer), dataset, split="TEST"))
    assert found["ef_mae_of_mean"].value == pytest.approx(always[1:].mean())  # of the same clips
    listed = (dataset / "FileList.csv").read_text().replace("TRAIN", "VAL")
    (dataset / "FileList.csv").write_text(listed)
    found = by_key(evaluate_folder(table(), dataset, split="TEST"))
    assert found["ef_mae_of_mean"].reason == "no TRAIN clip with an EF; name a folder with --train"


def test_masks_are_missing_with_the_reason(dataset, table, tmp_path):
    evaluation = evaluate_folder(table(), dataset, split="TEST")
    summary = summarise(evaluation, draws=100)
    for measure in summary.measures:
        if not measure.key.startswith("ef_"):
            assert np.isnan(measure.value) and measure.reason == "a table of EF holds no masks"
    words = [row[0] for row in summary_rows(evaluation, summary)]
    assert all(row.startswith("EF") for row in words[:-2])
    written, document = write_evaluation(evaluation, summary, tmp_path / "out")
    rows = list(csv.DictReader(written.read_text().splitlines()))
    assert [row["pooled_dice"] for row in rows] == ["NA"] * 4
    assert float(rows[0]["ef_error"]) == pytest.approx(6.0)
    told = json.loads(document.read_text())
    assert told["without_masks"] == "a table of EF holds no masks"
    assert told["mean_ef"]["ef_percent"] == pytest.approx(np.mean(TRAIN))
    paths, _ = draw_figures(evaluation, summary, tmp_path / "f")
    assert [path.name for path in paths] == ["ef_bland_altman.png", "ef_scatter.png", "ef_roc.png"]


def test_the_published_interval_holds_90_percent_and_is_named_so(dataset, table, tmp_path):
    evaluation = evaluate_folder(table(), dataset, split="TEST", protocol="echonet")
    summary = summarise(evaluation, draws=2000)
    published = {m.key: m for m in summary.published}
    assert set(published) == {
        "ef_r_squared", "ef_mae", "ef_rmse",
        "ef_auc_35", "ef_auc_40", "ef_auc_45", "ef_auc_50",
    }  # fmt: skip
    ours = {m.key: m for m in summary.measures}["ef_mae"]
    theirs = published["ef_mae"]
    assert theirs.value == ours.value
    assert ours.low <= theirs.low < theirs.high <= ours.high
    assert published_rows(evaluation, summary)[-1] == ["videos with an EF", "4", "", "4 videos"]
    _, document = write_evaluation(evaluation, summary, tmp_path / "out")
    told = json.loads(document.read_text())["protocol"]
    assert told["interval"] == "90 % interval"
    assert told["videos"] == 4 and "mean over a video's clips" in told["note"]
    with pytest.raises(InputError, match="--protocol unilvseg has none"):
        evaluate_folder(table(), dataset, protocol="unilvseg")


def test_videos_that_are_missing_or_not_known_are_named(dataset, table):
    said = {"a": 30.0, "b": 40.0, "x": 1.0}
    evaluation = evaluate_folder(table(said), dataset, split="TEST")
    assert [(c.name, c.reason) for c in evaluation.clips if c.reason] == [
        ("c", "the table holds no EF of it"), ("d", "the table holds no EF of it"),
    ]  # fmt: skip
    assert any("1 of its 3 names are not in" in p and "x" in p for p in evaluation.problems)
    assert any("2 of 4 clips are not scored" in p for p in evaluation.problems)
    with pytest.raises(InputError, match=r"names no clip of .* that has an EF"):
        evaluate_folder(table({"x": 1.0}), dataset)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("FileName,ef\na,50\n", "no column start_frame"),
        ("FileName,start_frame,ef\na,0,nan\n", "line 2: ef is 'nan', no number"),
        ("FileName,start_frame,ef\na,0,\n", "line 2: ef is '', no number"),
        ("FileName,start_frame,ef\na,-1,50\n", "start_frame -1 is no frame"),
        ("FileName,start_frame,ef\na,0,50\na.avi,0,51\n", "line 3: a has start_frame 0 twice"),
        ("FileName,start_frame,ef\n,0,50\n", "line 2 names no video"),
        ("FileName,start_frame,ef\n", "holds no row"),
        (b"\xff\xfe\x00", "comma-separated"),
    ],
)
def test_a_damaged_table_is_one_line(dataset, tmp_path, content, words):
    path = tmp_path / "bad.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=words) as caught:
        evaluate_folder(path, dataset)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_not_there_is_one_line(dataset, tmp_path):
    with pytest.raises(ClipNotFound, match="medseg predict-ef"):
        evaluate_folder(tmp_path / "none.csv", dataset)
