"""Who is trained on: patients apart, ED and ES by size, labels shared out by patient."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from medseg.data import ed_es
from medseg.errors import InputError, TrainingError
from medseg.train.cohort import choose_cohort, labelled_share, patient_of
from medseg.train.pixels import Pictures

ED, ES = 0, 12  # frames that the folder's tracings are of


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_ed_is_the_larger_frame_whatever_the_order_of_the_rows(make_small):
    for item in choose_cohort(make_small("echonet")).training:
        assert [traced.frame for traced in item.traced] == [ED, ES], item.name


def test_every_traced_frame_is_a_sample_and_test_is_never_touched(make_small):
    cohort = choose_cohort(make_small("unilvseg"))
    assert [item.name for item in cohort.training[:2]] == ["clip0 (frame 0)", "clip0 (frame 12)"]
    assert (len(cohort.training), len(cohort.validation)) == (8, 4)
    names = {item.case.name for item in cohort.training + cohort.validation}
    assert names == {f"clip{i}" for i in range(6)}


def test_self_supervision_takes_all_training_clips_and_no_other(make_small):
    config = make_small("unilvseg-ssl")
    few = replace(config, data=replace(config.data, labels=0.25))
    assert [item.case.name for item in choose_cohort(few).training] == [
        f"clip{i}" for i in range(4)
    ]
    assert all(item.traced == () for item in choose_cohort(few).training)


@pytest.mark.parametrize("split", ["TRAIN", "VAL"])
def test_a_split_without_patients_is_one_clear_error(split, copy, make_small):
    change(copy / "FileList.csv", f",{split}", ",OTHER")
    config = make_small("unet")
    config = replace(config, data=replace(config.data, path=str(copy)))
    with pytest.raises(TrainingError, match=f"split {split} has no patient .splits found: OTHER"):
        choose_cohort(config)


def test_a_split_without_tracings_is_one_clear_error(copy, make_small):
    (copy / "VolumeTracings.csv").unlink()
    config = make_small("unet")
    config = replace(config, data=replace(config.data, path=str(copy)))
    with pytest.raises(TrainingError, match="TRAIN has traced frames that can be used"):
        choose_cohort(config)


def test_a_patient_in_two_splits_is_refused(copy, make_small):
    lines = (copy / "FileList.csv").read_text().splitlines()
    patients = ["p0", "p1", "p2", "p3", "p4", "p1", "p6"]  # clip1 is TRAIN, clip5 VAL
    rows = [lines[0] + ",Patient"] + [f"{a},{b}" for a, b in zip(lines[1:], patients, strict=True)]
    (copy / "FileList.csv").write_text("\n".join(rows) + "\n")
    config = make_small("unet")
    config = replace(config, data=replace(config.data, path=str(copy)))
    with pytest.raises(TrainingError, match="patient p1 is in TRAIN and in VAL"):
        choose_cohort(config)


def test_landmarks_need_chords(tmp_path, make_small):
    (tmp_path / "FileList.csv").write_text("FileName,Split\na,TRAIN\n")
    (tmp_path / "VolumeTracings.csv").write_text("FileName,X,Y,Frame\na.avi,1,1,0\n")
    config = make_small("unet-landmarks")
    data = replace(config.data, path=str(tmp_path), kind="pediatric")
    with pytest.raises(TrainingError, match="landmarks need tracings by chords"):
        choose_cohort(replace(config, data=data))


def test_no_data_set_is_one_clear_error(make_small):
    config = make_small("unet")
    with pytest.raises(InputError, match="give --data DIR"):
        choose_cohort(replace(config, data=replace(config.data, path="")))


def test_labels_are_shared_out_by_patient_and_more_labels_hold_the_fewer(make_small):
    case = choose_cohort(make_small("unet")).training_cases[0]
    cases = [replace(case, name=f"{p}-{i}", patient=f"p{p}") for p in range(20) for i in range(2)]
    tenth, half = (labelled_share(cases, share, 0) for share in (0.1, 0.5))
    assert len({patient_of(c) for c in tenth}) == 2
    assert len(tenth) == 4  # both clips of each
    assert {c.name for c in tenth} < {c.name for c in half}
    assert {c.name for c in labelled_share(cases, 0.1, 1)} != {c.name for c in tenth}
    assert len({patient_of(c) for c in labelled_share(cases, 0.001, 0)}) == 1


def test_pictures_masks_and_ef_are_paired_by_name_not_by_order(folder, copy, make_small):
    lines = (copy / "FileList.csv").read_text().splitlines()
    renamed = [line.replace(",", ".avi,", 1) for line in lines[:0:-1]]  # reversed, with suffixes
    (copy / "FileList.csv").write_text("\n".join([lines[0], *renamed]) + "\n")
    pictures = Pictures(112, limit_bytes=0, whole=False)
    config = make_small("echonet-ef")
    there = choose_cohort(config)
    here = choose_cohort(replace(config, data=replace(config.data, path=str(copy))))
    mine = {item.case.name: item.case for item in here.training}
    assert [item.case.name for item in here.training] != [i.case.name for i in there.training]
    for item in there.training:
        same = mine[item.case.name]
        assert same.ef_percent == item.case.ef_percent
        ed, _ = ed_es(same)
        dark = pictures.frames(same, np.array([ed.frame]))[0, 0] < 60
        inside = pictures.mask(same, ed)
        assert dark[inside].mean() > 0.8  # the cavity is dark in its own picture
        assert dark[~inside & (pictures.frames(same, np.array([ES]))[0, 0] > 60)].mean() < 0.3
