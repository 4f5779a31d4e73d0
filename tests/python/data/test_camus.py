"""CAMUS: sequences whose ends are ED and ES in either order, views, splits, aspect."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from medseg.data import ed_es, open_case, open_dataset, pixel_aspect, read_frames
from medseg.errors import ClipUnreadable, InputError, MissingExtra


def test_views_patients_splits_and_info_are_read(camus):
    dataset = open_dataset(camus)
    assert dataset.kind == "camus"
    assert dataset.excluded == ()
    assert len(dataset.cases) == 6
    case = dataset.cases["patient0001_4CH"]
    assert (case.patient, case.split, case.view) == ("patient0001", "TRAIN", "A4C")
    assert (case.ef_percent, case.frame_rate_hz, case.frame_count) == (56.0, 42.5, 5)
    assert dataset.cases["patient0003_2CH"].view == "A2C"
    assert dataset.cases["patient0003_2CH"].split == "TEST"
    assert [c.name for c in open_dataset(camus / "database_nifti").of_split("VAL")] == [
        "patient0002_2CH",
        "patient0002_4CH",
    ]


@pytest.mark.parametrize(("patient", "ed_frame"), [("patient0001", 0), ("patient0002", 4)])
def test_end_diastole_is_the_larger_end(camus, patient, ed_frame):
    ed, es = ed_es(open_dataset(camus).cases[f"{patient}_4CH"])
    assert (ed.frame, es.frame) == (ed_frame, 4 - ed_frame)
    assert (ed.area_px, es.area_px) == (10 * 20, 6 * 20)


def test_a_larger_frame_between_the_ends_is_not_end_diastole(camus, make_camus):
    import nibabel

    folder = make_camus(camus, "patient0001", "4CH")
    path = folder / "patient0001_4CH_half_sequence_gt.nii.gz"
    truth = np.asarray(nibabel.load(path).dataobj).copy()
    truth[:, :, 2] = 1
    nibabel.save(nibabel.Nifti1Image(truth, np.eye(4)), path)
    ed, es = ed_es(open_dataset(camus).cases["patient0001_4CH"])
    assert (ed.frame, es.frame) == (0, 4)


def test_the_cavity_is_label_one_with_rows_down_and_columns_across(camus):
    traced = open_dataset(camus).cases["patient0001_2CH"].traced
    assert len(traced) == 5
    expected = np.zeros((30, 40), bool)
    expected[10:18, 10:30] = True  # frame 2 has lost two rows
    assert np.array_equal(traced[2].mask((30, 40)), expected)
    with pytest.raises(InputError, match="40 x 30"):
        traced[2].mask((112, 112))


def test_frames_and_spacing_keep_the_aspect(camus):
    case = open_dataset(camus).cases["patient0001_4CH"]
    clip = open_case(case)
    assert (clip.frame_count, clip.height, clip.width, clip.view) == (5, 30, 40, "A4C")
    assert clip.spacing_cm == pytest.approx((0.015, 0.03))  # 0.15 mm a row, 0.3 mm a column
    assert pixel_aspect(clip) == pytest.approx(0.5)
    assert clip.frame_rate_hz == pytest.approx(42.5)
    frames = read_frames(case, [3, 0])
    assert frames.shape == (2, 30, 40)
    assert frames[0, 7, 5] == 3 * 10 + 5  # frame 3, column 5
    assert frames[1, 7, 5] == 5


def test_what_is_missing_is_left_out_with_the_reason(camus, make_camus):
    nifti = camus / "database_nifti"
    (nifti / "patient0001" / "Info_4CH.cfg").unlink()
    (nifti / "patient0002" / "Info_2CH.cfg").write_text("ED: 1\nES: 5\n")
    (nifti / "patient0002" / "patient0002_4CH_half_sequence_gt.nii.gz").unlink()
    make_camus(camus, "patient0003", "2CH", ES=1)
    make_camus(camus, "patient0004", "4CH")
    with (camus / "database_split" / "subgroup_testing.txt").open("a") as names:
        names.write("patient0009\n")
    dataset = open_dataset(camus)
    assert sorted(dataset.cases) == [
        "patient0001_2CH", "patient0002_4CH", "patient0003_4CH", "patient0004_4CH",
    ]  # fmt: skip
    assert {(e.name, e.code) for e in dataset.excluded} == {
        ("patient0001_4CH", "missing-info"),
        ("patient0002_2CH", "missing-info"),
        ("patient0003_2CH", "traced-twice"),
        ("patient0004_2CH", "missing-view"),
        ("patient0009", "missing-video"),
    }
    assert dataset.cases["patient0002_4CH"].traced == ()
    assert dataset.cases["patient0004_4CH"].split == ""


def test_a_patient_of_two_splits_is_left_out(camus):
    with (camus / "database_split" / "subgroup_testing.txt").open("a") as names:
        names.write("patient0001\n")
    dataset = open_dataset(camus)
    (leak,) = [e for e in dataset.excluded if e.code == "patient-leak"]
    assert leak.name == "patient0001"
    assert "training" in leak.reason
    assert "testing" in leak.reason
    assert not any(case.patient == "patient0001" for case in dataset.cases.values())


def test_a_file_that_is_no_nifti_and_values_that_are_no_grey_are_refused(camus):
    import nibabel

    case = open_dataset(camus).cases["patient0001_4CH"]
    whole = case.path.read_bytes()
    for content in (b"no nifti", whole[: len(whole) // 2], b""):
        case.path.write_bytes(content)
        with pytest.raises(ClipUnreadable, match="patient0001_4CH_half_sequence"):
            read_frames(case)
    other = open_dataset(camus).cases["patient0002_4CH"]
    values = np.full((40, 30, 5), 1000.0)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), other.path)
    with pytest.raises(ClipUnreadable, match="no grey levels"):
        read_frames(other)


def test_without_nibabel_the_extra_is_named(camus, monkeypatch):
    case = open_dataset(camus).cases["patient0001_4CH"]
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(MissingExtra, match=r"medseg\[train\]"):
        open_case(case)
