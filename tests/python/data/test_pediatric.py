"""EchoNet-Pediatric: polygons in order, folds, two views, frames that are words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import draw

from medseg.data import ed_es, open_dataset, splits_of_fold
from medseg.errors import ClipNotFound

HEXAGON = [(30, 20), (60, 20), (75, 46), (60, 72), (30, 72), (15, 46)]


def write_view(folder: Path, names: dict[str, int], *, traced: bool = True) -> None:
    (folder / "Videos").mkdir(parents=True)
    rows = [f"{name}.avi,61.5,F,9,30,130,{fold}" for name, fold in names.items()]
    header = "FileName,EF,Sex,Age,Weight,Height,Split"
    (folder / "FileList.csv").write_text("\n".join([header, *rows]) + "\n")
    lines = ["FileName,X,Y,Frame"]
    for name in names if traced else ():
        lines += [f"{name}.avi,{x},{y},12" for x, y in HEXAGON]
        lines += [f"{name}.avi,{x / 2},{y / 2},4" for x, y in HEXAGON]
    (folder / "VolumeTracings.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("nested", ["", "pediatric_echo_avi/pediatric_echo_avi"])
def test_both_views_are_read_and_named_by_view(tmp_path, nested):
    write_view(tmp_path / nested / "A4C", {"CR1": 0, "CR2": 9})
    write_view(tmp_path / nested / "PSAX", {"CR1": 0})
    dataset = open_dataset(tmp_path)
    assert dataset.kind == "pediatric"
    assert list(dataset.cases) == ["A4C/CR1", "A4C/CR2", "PSAX/CR1"]
    case = dataset.cases["PSAX/CR1"]
    assert (case.view, case.split, case.patient) == ("PSAX", "0", None)
    assert case.path == tmp_path / nested / "PSAX" / "Videos" / "CR1.avi"


def test_one_views_folder_is_a_data_set_too(tmp_path):
    write_view(tmp_path / "A4C", {"CR1": 3})
    dataset = open_dataset(tmp_path / "A4C")
    assert (dataset.kind, list(dataset.cases)) == ("pediatric", ["CR1"])
    assert dataset.cases["CR1"].view == "A4C"


def test_a_polygon_has_the_hexagons_area_and_drawing(tmp_path):
    write_view(tmp_path / "A4C", {"CR1": 3})
    ed, es = ed_es(open_dataset(tmp_path).cases["A4C/CR1"])
    assert (ed.frame, es.frame) == (12, 4)
    assert ed.area_px == pytest.approx(30 * 52 + 2 * 0.5 * 52 * 15)  # rectangle and two triangles
    assert es.area_px == pytest.approx(ed.area_px / 4)
    expected = np.zeros((112, 112), bool)
    x, y = np.array(HEXAGON).T
    expected[draw.polygon(y, x, (112, 112))] = True
    assert np.array_equal(ed.mask((112, 112)), expected)


def test_frames_that_are_words_are_left_out_with_the_reason(tmp_path):
    write_view(tmp_path / "A4C", {"CR1": 3})
    with (tmp_path / "A4C" / "VolumeTracings.csv").open("a") as table:
        table.write("CR1.avi,1,2,No Systolic\nCR1.avi,3,4,No Systolic\nCR1.avi,3,4,7\n")
    dataset = open_dataset(tmp_path)
    assert [traced.frame for traced in dataset.cases["A4C/CR1"].traced] == [4, 12]
    said = {excluded.code: excluded for excluded in dataset.excluded}
    assert len(dataset.excluded) == 2
    assert "'No Systolic'" in said["no-traced-frame"].reason
    assert said["no-traced-frame"].name == "A4C/CR1"
    assert said["tracing-rows"].frame == 7


def test_a_fold_becomes_the_test_split_and_the_next_one_validates(tmp_path):
    write_view(tmp_path / "A4C", {f"CR{fold}": fold for fold in range(10)})
    dataset = splits_of_fold(open_dataset(tmp_path), 9)
    assert [case.name for case in dataset.of_split("TEST")] == ["A4C/CR9"]
    assert [case.name for case in dataset.of_split("VAL")] == ["A4C/CR0"]
    assert len(list(dataset.of_split("TRAIN"))) == 8


def test_a_folder_without_views_is_refused(tmp_path):
    with pytest.raises(ClipNotFound, match=r"A4C/FileList\.csv"):
        open_dataset(tmp_path, "pediatric")
