"""Masks against tracings whose every pixel is known: ED and ES, protocols, patients, distances."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from medseg.errors import InputError
from medseg.evaluate import (
    Tolerances,
    draw_figures,
    evaluate_folder,
    mask_rows,
    published_rows,
    summarise,
    summary_rows,
    tables,
    write_evaluation,
)
from medseg.evaluate import folder as folder_module
from medseg.store import open_segmentation, save_segmentation


def by_key(evaluation) -> dict:
    return {measure.key: measure for measure in summarise(evaluation, draws=200).measures}


ED, ES = 60, 45  # rows of the traced shapes, whose columns are the same


def test_ed_and_es_are_told_by_size_and_pooled_dice_by_pixels(right_at_ed, asked):
    found = by_key(evaluate_folder(*right_at_ed))
    assert found["ed_pooled_dice"].value == 1.0
    assert found["es_pooled_dice"].value == pytest.approx(2 * ES / (ED + ES))
    assert found["es_pooled_iou"].value == pytest.approx(ES / ED)
    # c has one traced frame only: known to be neither ED nor ES, but a frame all the same
    assert (found["pooled_dice"].n, found["ed_pooled_dice"].n) == (5, 2)
    shared, pixels = 3 * ED + 2 * ES, 5 * ED + 3 * ED + 2 * ES
    assert found["pooled_dice"].value == pytest.approx(2 * shared / pixels)
    mean = (3 + 2 * 2 * ES / (ED + ES)) / 5
    assert found["mean_frame_dice"].value == pytest.approx(mean)
    # ES ends 15 rows too high: at least its top row lies 15 rows off
    assert found["es_hd95_px"].value == pytest.approx(15.0)
    assert found["ed_hd95_px"].value == 0.0
    assert found["ed_surface_dice_px"].value == 1.0 > found["es_surface_dice_px"].value
    assert found["hd95_cm"].reason == "no clip is calibrated"


@pytest.mark.parametrize("protocol", ["echonet", "unilvseg"])
def test_a_protocol_pools_two_frames_a_video_and_says_which_it_leaves_out(
    right_at_ed, asked, tmp_path, protocol
):
    evaluation = evaluate_folder(*right_at_ed, protocol=protocol)
    summary = summarise(evaluation, draws=100)
    found = {measure.key: measure for measure in summary.published}
    # over a and b: 2 sum(I) / (sum(U) + sum(I))
    shared, union = 2 * (ED + ES), 2 * (ED + ED)
    assert found["overall_dice"].value == pytest.approx(2 * shared / (union + shared))
    assert found["ed_dice"].value == 1.0
    assert found["es_dice"].value == pytest.approx(2 * ES / (ED + ES))
    assert [found[key].n for key in ("overall_dice", "ed_dice", "es_dice")] == [4, 2, 2]
    assert ("ef_mae" in found) == (protocol == "echonet")
    assert published_rows(evaluation, summary)[-1] == [
        "videos with two traced frames", "2", "", "4 videos",
    ]  # fmt: skip
    _, document = write_evaluation(evaluation, summary, tmp_path / "out")
    told = json.loads(document.read_text())
    assert told["protocol"]["interval"] == "90 % interval"
    assert told["bootstrap"]["interval"] == "95 % interval"
    assert told["protocol"]["videos_left_out"] == {
        "fewer than two traced frames": 1,
        "there is no store of it": 1,
    }


def test_the_tables_name_their_intervals():
    assert "90 % interval" in tables.PUBLISHED_COLUMNS
    assert "95 % interval" in tables.COLUMNS
    assert "95 % interval" in tables.MASK_COLUMNS[0]


def test_a_published_interval_is_of_frames_and_its_auc_of_ef_above_a_level(
    right_at_ed, monkeypatch
):
    stores, data = right_at_ed
    (data / "FileList.csv").write_text("FileName,EF,Split\na,35,TEST\nb,60,TEST\nc,61,TEST\n")
    answers = {"a": 30.0, "b": 58.0, "c": 20.0}
    monkeypatch.setattr(
        folder_module,
        "analyse_batch",
        lambda stores, *, method: [{"ef_percent": answers[s.stem]} for s in stores],
    )
    evaluation = evaluate_folder(stores, data, protocol="echonet")
    summary = summarise(evaluation, draws=300)
    published = {measure.key: measure for measure in summary.published}
    dice = published["overall_dice"]
    # 4 frames, each drawn four times or never: from all ES to all ED
    lows = 2 * ES / (ED + ES)
    assert lows <= dice.low < dice.value < dice.high == 1.0
    assert published["ef_auc_35"].value == 0.5  # 60 above and 61 below the one at 35
    assert published["ef_auc_35"].of == "videos, 2 above"
    ours = {measure.key: measure for measure in summary.measures}
    assert ours["ef_auc_35"].value == 0.5
    assert ours["ef_auc_35"].of == "clips, 1 at or below"
    (data / "FileList.csv").write_text("FileName,EF,Split\na,55,TEST\nb,60,TEST\nc,61,TEST\n")
    found = by_key(evaluate_folder(stores, data))
    assert np.isnan(found["ef_auc_35"].value)
    assert found["ef_auc_35"].reason == "no clip with a true EF of 35 % or less"


def test_a_protocol_without_tracings_is_refused(simulated, asked):
    with pytest.raises(InputError, match="fewer than two traced frames"):
        evaluate_folder(*simulated, split="TEST", protocol="echonet")
    with pytest.raises(InputError, match="choose echonet or unilvseg"):
        evaluate_folder(*simulated, protocol="nature")


def test_a_frame_that_was_not_decoded_is_left_out_and_counted(simulated, asked):
    stores, dataset = simulated
    store = stores / "sim1.zarr"
    ds = open_segmentation(store).load()
    ds["mask"].values[0, 40:42] = 0
    ds["status"].values[0, 40:42] = 2
    for name in ("area_px", "long_axis_px", "disk_diameter_px", "confidence"):
        ds[name].values[0, 40:42] = np.nan
    save_segmentation(ds, store, overwrite=True)
    evaluation = evaluate_folder(stores, dataset, split="TEST")
    found = by_key(evaluation)
    assert found["pooled_dice"].n == 198
    assert found["pooled_dice"].value > 0.99
    assert found["frame_to_frame_dice"].n == 198 - 3
    rows = {row[0]: row[1:] for row in summary_rows(evaluation, summarise(evaluation, draws=100))}
    assert rows["frames not decoded, in no measure"] == ["2", "", "200 frames"]


def test_a_missed_heart_has_no_distance_and_is_counted(right_at_ed, asked, save_store):
    stores, data = right_at_ed
    save_store(stores / "d.zarr", drawn=(0,))
    evaluation = evaluate_folder(stores, data)
    found = by_key(evaluation)
    assert (found["es_mean_frame_dice"].n, found["es_hd95_px"].n) == (3, 2)
    assert found["es_surface_dice_px"].n == 3
    rows = {row[0]: row[1:] for row in summary_rows(evaluation, summarise(evaluation, draws=100))}
    assert rows["frames where only one mask is empty: no distance, Dice 0"][0] == "1"


def test_calibrated_clips_have_distances_in_cm(save_store, echonet_folder, asked, tmp_path):
    save_store(tmp_path / "stores" / "a.zarr", spacing_cm=(0.05, 0.05))
    data = echonet_folder({"a": (20, 0)})
    evaluation = evaluate_folder(tmp_path / "stores", data, tolerances=Tolerances(px=14.9, cm=0.75))
    found = by_key(evaluation)
    assert found["es_hd95_px"].value == pytest.approx(15.0)
    assert found["es_hd95_cm"].value == pytest.approx(0.75)
    assert found["es_assd_cm"].value == pytest.approx(0.05 * found["es_assd_px"].value)
    assert found["es_surface_dice_px"].value < found["es_surface_dice_cm"].value == 1.0
    labels = {row[0] for row in mask_rows(summarise(evaluation, draws=100))}
    assert {"surface Dice at 14.9 px", "surface Dice at 0.75 cm", "HD95, cm"} <= labels
    table, _ = write_evaluation(evaluation, summarise(evaluation, draws=100), tmp_path / "out")
    row = next(csv.DictReader(table.read_text().splitlines()))
    assert float(row["es_hd95_cm"]) == pytest.approx(0.75)


def test_intervals_are_over_patients_where_the_stores_name_them(
    right_at_ed, asked, save_store, tmp_path
):
    stores, data = tmp_path / "named", right_at_ed[1]
    for name, key in (("a", "p1"), ("b", "p1"), ("c", "p2")):
        save_store(stores / f"{name}.zarr", subject_key=key)
    evaluation = evaluate_folder(stores, data)
    summary = summarise(evaluation, draws=200)
    assert (summary.unit, summary.drawn) == ("patients", 2)
    found = {measure.key: measure for measure in summary.measures}
    assert found["pooled_dice"].patients == 2
    assert found["es_pooled_dice"].patients == 1
    assert np.isnan(found["es_pooled_dice"].low)  # one patient has no spread
    table, document = write_evaluation(evaluation, summary, tmp_path / "out")
    rows = {row["name"]: row for row in csv.DictReader(table.read_text().splitlines())}
    assert rows["a"]["patient_number"] == rows["b"]["patient_number"] != rows["c"]["patient_number"]
    assert "p1" not in table.read_text() + document.read_text()
    without = summarise(evaluate_folder(*right_at_ed), draws=100)
    assert (without.unit, without.drawn) == ("patients", 3)  # EchoNet: a video, a patient


def test_steadiness_of_the_truth_stands_beside_that_of_the_masks(simulated, asked):
    found = by_key(evaluate_folder(*simulated, split="TEST"))
    assert found["frame_to_frame_dice"].n == found["frame_to_frame_dice_true"].n == 198
    same = found["frame_to_frame_dice_true"].value
    assert found["frame_to_frame_dice"].value == pytest.approx(same, abs=0.01)
    assert found["area_jitter_percent_true"].n == 196
    assert 0 < found["area_jitter_percent_true"].value < 2


def test_figures_of_ef_are_drawn_as_far_as_there_are_numbers(simulated, asked, tmp_path):
    stores, dataset = simulated
    evaluation = evaluate_folder(stores, dataset, split="TEST")
    summary = summarise(evaluation, draws=100)
    paths, problems = draw_figures(evaluation, summary, tmp_path / "f")
    assert [path.name for path in paths] == ["ef_bland_altman.png", "ef_scatter.png"]
    assert "all on one side" in problems[0]
    truth = dataset / "truth" / "sim1.npz"
    with np.load(truth) as known:
        low = {**known, "ef_percent": np.array([38.0])}
    np.savez(truth, **low)
    evaluation = evaluate_folder(stores, dataset, split="TEST")
    paths, problems = draw_figures(evaluation, summarise(evaluation, draws=100), tmp_path / "g")
    assert [path.name for path in paths][2:] == ["ef_roc.png"]
    assert all(path.stat().st_size > 5000 for path in paths)
    assert problems == []
    evaluation.clips = evaluation.clips[:1]
    assert draw_figures(evaluation, summary, tmp_path / "h") == (
        [], ["no figures of EF: 1 clips have a measured and a true one"],
    )  # fmt: skip
