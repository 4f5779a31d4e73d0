"""Scores of stores whose agreement with the truth is known, with R's answers given."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from medseg.errors import InputError, RUnavailable
from medseg.evaluate import (
    evaluate_folder,
    summarise,
    summary_rows,
    write_evaluation,
)
from medseg.evaluate import folder as folder_module
from medseg.evaluate.truth import mean_training_mask, open_truth


def by_key(evaluation) -> dict:
    return {measure.key: measure for measure in summarise(evaluation, draws=200).measures}


def test_masks_ef_rate_and_beats_are_scored(simulated, asked):
    evaluation = evaluate_folder(*simulated, split="TEST")
    found = by_key(evaluation)
    assert found["pooled_dice"].value > 0.99
    assert found["pooled_dice"].n == 200
    assert found["ed_mean_frame_dice"].n == found["es_mean_frame_dice"].n == 4
    # truth: clips of mean EF 52 and 53, R says 50
    assert found["ef_mae"].value == pytest.approx(2.5)
    assert found["ef_bias"].value == pytest.approx(-2.5)
    assert found["ef_rmse"].value == pytest.approx(np.sqrt((4 + 9) / 2))
    assert found["ef_mae"].n == 2
    assert found["heart_rate_mae"].value == pytest.approx(3.0)
    assert found["beat_sensitivity"].value == pytest.approx(0.5)
    assert found["beat_precision"].value == pytest.approx(0.5)
    assert evaluation.problems == []
    assert len(asked) == 1
    assert [store.stem for store in asked[0]] == ["sim1", "sim2"]


def test_the_mean_training_mask_is_scored_beside_the_network(simulated, asked):
    found = by_key(evaluate_folder(*simulated, split="TEST"))
    assert 0.7 < found["mean_mask_dice"].value < found["pooled_dice"].value


def test_the_mean_mask_is_cut_where_it_fits_its_hearts_best(simulated):
    mean = mean_training_mask(open_truth(simulated[1]))
    truth = np.load(simulated[1] / "truth" / "sim0.npz")["mask"].astype(bool)

    def dice(mask):
        return 2 * (mask & truth).sum() / (mask.sum() * len(truth) + truth.sum())

    assert mean.hearts == 1
    assert dice(mean.mask) >= max(dice(truth[i]) for i in (0, 10, 20)) - 0.01
    assert mean.at((224, 224)).sum() == 4 * mean.mask.sum()


def test_a_clip_without_a_store_is_listed_and_not_dropped(simulated, asked):
    evaluation = evaluate_folder(*simulated)
    missing = [clip for clip in evaluation.clips if clip.reason]
    assert [(clip.name, clip.reason) for clip in missing] == [("sim0", "there is no store of it")]
    assert "1 of 3 clips are not scored" in evaluation.problems[0]


def test_without_r_its_columns_are_missing_with_the_reason(simulated, monkeypatch):
    def refuse(stores, *, method):
        raise RUnavailable("Rscript is not on the PATH: install R")

    monkeypatch.setattr(folder_module, "analyse_batch", refuse)
    evaluation = evaluate_folder(*simulated, split="TEST")
    found = by_key(evaluation)
    assert found["pooled_dice"].value > 0.99
    assert np.isnan(found["ef_mae"].value)
    assert "install R" in evaluation.problems[0]
    rows = {row[0]: row[1:] for row in summary_rows(evaluation, summarise(evaluation))}
    assert rows["EF: mean absolute error"] == ["missing", "", "R is not available"]


def test_the_csv_has_a_row_a_clip_and_na_for_what_is_missing(simulated, asked, tmp_path):
    evaluation = evaluate_folder(*simulated)
    table, document = write_evaluation(evaluation, summarise(evaluation), tmp_path / "out")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["name"] for row in rows] == ["sim0", "sim1", "sim2"]
    assert rows[0]["ef_percent"] == rows[0]["pooled_dice"] == "NA"
    assert float(rows[1]["ef_percent"]) == 50.0
    assert float(rows[1]["pooled_dice"]) > 0.99
    assert rows[1]["beats_true"] == "2"
    summed = json.loads(document.read_text())
    assert summed["measures"]["ef_mae"]["value"] == pytest.approx(2.5)
    assert summed["measures"]["ef_mae"]["n"] == 2
    assert summed["model"]["name"] == "thresholder"


def test_an_end_systole_before_the_first_known_beat_is_not_held_against_r(simulated, monkeypatch):
    stores, dataset = simulated
    path = dataset / "truth" / "sim1.npz"
    with np.load(path) as truth:
        late = {**truth, "ed_time_s": truth["ed_time_s"][1:], "es_time_s": truth["es_time_s"][1:]}
    np.savez(path, **late)
    beats = [{"es_s": 0.4}, {"es_s": 1.2}]
    monkeypatch.setattr(
        folder_module,
        "analyse_batch",
        lambda stores, *, method: [{"error": None, "beats": beats} for _ in stores],
    )
    found = by_key(evaluate_folder(stores, dataset, split="TEST"))
    assert found["beat_precision"].value == 1.0
    assert found["beat_sensitivity"].value == 1.0


def test_tracings_of_an_echonet_folder_are_scored(simulated, asked, echonet_folder):
    found = by_key(evaluate_folder(simulated[0], echonet_folder({"sim1": (20, 0)})))
    assert found["ed_mean_frame_dice"].n == found["es_mean_frame_dice"].n == 1
    assert 0.7 < found["pooled_dice"].value < 0.95
    assert found["ef_bias"].value == pytest.approx(-5.0)
    assert found["beat_sensitivity"].n == 0
    assert found["mean_mask_dice"].n == 0
    assert found["frame_to_frame_dice"].n == 99
    assert found["frame_to_frame_dice_true"].reason == "the truth does not have every frame"


def test_folders_that_cannot_be_compared_are_refused(simulated, tmp_path):
    stores, dataset = simulated
    with pytest.raises(InputError, match="no folder of stores"):
        evaluate_folder(tmp_path / "none", dataset)
    with pytest.raises(InputError, match="no clip of split VAL"):
        evaluate_folder(stores, dataset, split="VAL")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="there is no store of it"):
        evaluate_folder(empty, dataset)
