"""EchoNet-shaped folders, with and without .avi, ED and ES in either order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import draw

from medseg.data import Dataset, ed_es
from medseg.data.echonet import read_echonet
from medseg.errors import ClipNotFound, InputError


def write_folder(path: Path, *, suffix: str = "", tracings: dict | None = None) -> Path:
    path.mkdir(exist_ok=True)
    (path / "FileList.csv").write_text(
        "FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split\n"
        f"0X1A{suffix},60,40,100,112,112,50,120,TRAIN\n"
        f"0X2B{suffix},,,,112,112,31.5,80,test\n"
    )
    lines = ["FileName,X1,Y1,X2,Y2,Frame"]
    for frame, rows in (tracings or {}).items():
        lines += [f"0X1A.avi,{','.join(map(str, row))},{frame}" for row in rows]
    (path / "VolumeTracings.csv").write_text("\n".join(lines) + "\n")
    return path


def reasons(dataset: Dataset) -> dict[str, str]:
    return {excluded.code: excluded.reason for excluded in dataset.excluded}


@pytest.mark.parametrize("suffix", ["", ".avi", ".AVI"])
def test_names_match_with_and_without_avi(tmp_path, suffix, make_chords):
    folder = read_echonet(
        write_folder(tmp_path, suffix=suffix, tracings={46: make_chords(20, 40, 10, 60)})
    )
    assert list(folder.cases) == ["0X1A", "0X2B"]
    case = folder.cases["0X1A"]
    assert [traced.frame for traced in case.traced] == [46]
    assert case.path == tmp_path / "Videos" / "0X1A.avi"
    assert (case.ef_percent, case.frame_rate_hz, case.frame_count) == (60.0, 50.0, 120)
    assert (case.edv_ml, case.esv_ml, case.size) == (100.0, 40.0, (112, 112))
    assert (case.patient, case.view) == ("0X1A", "A4C")  # one video a patient, four-chamber alone
    assert folder.cases["0X2B"].ef_percent is None


def test_splits_are_upper_case_and_chosen_in_either_case(tmp_path):
    folder = read_echonet(write_folder(tmp_path))
    assert [v.name for v in folder.of_split("TEST")] == ["0X2B"]
    assert [v.name for v in folder.of_split("train")] == ["0X1A"]
    assert len(list(folder.of_split(None))) == 2


@pytest.mark.parametrize("order", [(10, 30), (30, 10)])
def test_end_diastole_is_the_larger_tracing_whatever_the_order(tmp_path, order, make_chords):
    large, small = order
    tracings = {large: make_chords(20, 60, 10, 80), small: make_chords(25, 45, 20, 60)}
    ed, es = ed_es(read_echonet(write_folder(tmp_path, tracings=tracings)).cases["0X1A"])
    assert (ed.frame, es.frame) == (large, small)
    assert ed.area_px == pytest.approx(40 * 70)


def test_equal_tracings_do_not_tell_end_diastole(tmp_path, make_chords):
    tracings = dict.fromkeys((3, 9), make_chords(20, 60, 10, 80))
    assert ed_es(read_echonet(write_folder(tmp_path, tracings=tracings)).cases["0X1A"]) is None


def test_a_traced_rectangle_is_its_pixels_edge_included(tmp_path, make_chords):
    folder = read_echonet(write_folder(tmp_path, tracings={3: make_chords(20, 40, 10, 60)}))
    mask = folder.cases["0X1A"].traced[0].mask((112, 112))
    expected = np.zeros((112, 112), bool)
    expected[10:61, 20:41] = True
    assert np.array_equal(mask, expected)


def test_masks_agree_with_the_published_rule(tmp_path):
    rng = np.random.default_rng(4)
    y = np.linspace(20, 90, 20)
    half = 22 * np.sqrt(1 - np.linspace(0.99, 0, 20) ** 2)
    rows = [(50, 20, 50, 90)] + [
        (50 - h + rng.normal(), v, 50 + h + rng.normal(), v + rng.normal())
        for h, v in zip(half, y, strict=True)
    ]
    tracing = read_echonet(write_folder(tmp_path, tracings={3: rows})).cases["0X1A"].traced[0]
    x1, y1, x2, y2 = np.array(rows)[1:].T
    xs, ys = np.concatenate([x1, x2[::-1]]), np.concatenate([y1, y2[::-1]])
    expected = np.zeros((112, 112), bool)
    expected[draw.polygon(np.rint(ys).astype(int), np.rint(xs).astype(int), (112, 112))] = True
    assert np.array_equal(tracing.mask((112, 112)), expected)


def test_a_frame_without_21_rows_is_left_out_with_the_reason(tmp_path, make_chords):
    good = make_chords(20, 60, 10, 80)
    dataset = read_echonet(write_folder(tmp_path, tracings={3: good, 9: good[:15]}))
    assert [traced.frame for traced in dataset.cases["0X1A"].traced] == [3]
    (gone,) = dataset.excluded
    assert (gone.name, gone.frame, gone.code) == ("0X1A", 9, "tracing-rows")
    assert gone.reason == "frame 9 has 15 tracing rows, not 21"


def test_what_is_listed_twice_or_nowhere_is_left_out_with_the_reason(tmp_path, make_chords):
    folder = write_folder(tmp_path, tracings={3: make_chords(20, 40, 10, 60)})
    with (folder / "FileList.csv").open("a") as table:
        table.write("0X1A.avi,55,40,100,112,112,50,120,TEST\n,50\n")
    with (folder / "VolumeTracings.csv").open("a") as table:
        table.write("0XGONE.avi,1,2,3,4,5\n")
    (folder / "Videos").mkdir()
    (folder / "Videos" / "0XMORE.avi").write_bytes(b"")
    dataset = read_echonet(folder)
    assert dataset.cases["0X1A"].ef_percent == 60.0
    found = reasons(dataset)
    assert "line 4" in found["duplicate-name"]
    assert "TRAIN and TEST" in found["duplicate-name"]
    assert "line 5" in found["no-name"]
    assert "0XMORE.avi" in found["unlisted-video"]
    assert [e.name for e in dataset.excluded if e.code == "tracing-without-video"] == ["0XGONE"]


def test_a_column_gives_patients_and_views(tmp_path):
    (tmp_path / "FileList.csv").write_text(
        "FileName,Split,Patient,View\na.avi,TRAIN,p1,A2C\nb.avi,TRAIN,p1,\n"
    )
    cases = read_echonet(tmp_path).cases
    assert [(c.patient, c.view) for c in cases.values()] == [("p1", "A2C"), ("p1", "A4C")]


def test_dicom_clips_of_a_simulated_folder_are_found(tmp_path):
    folder = write_folder(tmp_path)
    (folder / "truth.csv").write_text("name,view\n0X1A,A2C\n")
    (folder / "Dicom").mkdir()
    (folder / "Dicom" / "0X1A.dcm").write_bytes(b"")
    case = read_echonet(folder).cases["0X1A"]
    assert (case.path.name, case.view) == ("0X1A.dcm", "A2C")


def test_a_folder_without_list_and_broken_tables_are_refused_by_name(tmp_path):
    with pytest.raises(ClipNotFound, match=r"FileList\.csv"):
        read_echonet(tmp_path / "nothing")
    folder = write_folder(tmp_path / "a")
    (folder / "VolumeTracings.csv").write_text("FileName,X,Y,Frame\n0X1A,1,2,3\n")
    with pytest.raises(InputError, match="expected"):
        read_echonet(folder)
    folder = write_folder(tmp_path / "b", tracings={3: [(1, 2, 3, "oops")]})
    with pytest.raises(InputError, match="line 2"):
        read_echonet(folder)
    (folder / "VolumeTracings.csv").unlink()
    for broken, what in (
        ("FileName,EF\nx,sixty\n", "EF of x is 'sixty'"),
        ("FileName,EF\nx,inf\n", "'inf'"),
        ("Name,EF\nx,60\n", "no column FileName; found Name, EF"),
        ("FileName,View\nx,A5C\n", "A5C"),
    ):
        (folder / "FileList.csv").write_text(broken)
        with pytest.raises(InputError, match=what):
            read_echonet(folder)
    (folder / "FileList.csv").write_bytes(b"FileName\n\xff\xfe\x00\n")
    with pytest.raises(InputError, match=r"FileList\.csv: is no table"):
        read_echonet(folder)
