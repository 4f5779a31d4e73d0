"""EchoNet-shaped folders, with and without .avi, ED and ES in either order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medseg.data import read_echonet_folder
from medseg.errors import ClipNotFound, InputError


def chords(left: float, right: float, top: float, bottom: float) -> list[tuple[float, ...]]:
    """A rectangle as 21 rows: the axis, then 20 chords from the apex to the mitral plane."""
    middle = (left + right) / 2
    rows = [(middle, top, middle, bottom)]
    return rows + [(left, y, right, y) for y in np.linspace(top, bottom, 20)]


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


@pytest.mark.parametrize("suffix", ["", ".avi"])
def test_names_match_with_and_without_avi(tmp_path, suffix):
    folder = read_echonet_folder(
        write_folder(tmp_path, suffix=suffix, tracings={46: chords(20, 40, 10, 60)})
    )
    assert list(folder.videos) == ["0X1A", "0X2B"]
    assert list(folder.tracings) == ["0X1A"]
    video = folder.videos["0X1A"]
    assert video.path == tmp_path / "Videos" / "0X1A.avi"
    assert (video.ef_percent, video.frame_rate_hz, video.frame_count) == (60.0, 50.0, 120)
    assert folder.videos["0X2B"].ef_percent is None


def test_splits_are_upper_case_and_chosen_in_either_case(tmp_path):
    folder = read_echonet_folder(write_folder(tmp_path))
    assert [v.name for v in folder.of_split("TEST")] == ["0X2B"]
    assert [v.name for v in folder.of_split("train")] == ["0X1A"]
    assert len(list(folder.of_split(None))) == 2


@pytest.mark.parametrize("order", [(10, 30), (30, 10)])
def test_end_diastole_is_the_larger_tracing_whatever_the_order(tmp_path, order):
    large, small = order
    tracings = {large: chords(20, 60, 10, 80), small: chords(25, 45, 20, 60)}
    ed, es = read_echonet_folder(write_folder(tmp_path, tracings=tracings)).ed_es("0X1A")
    assert (ed.frame, es.frame) == (large, small)
    assert ed.area_px == pytest.approx(40 * 70)


def test_a_traced_rectangle_is_its_pixels_edge_included(tmp_path):
    folder = read_echonet_folder(write_folder(tmp_path, tracings={3: chords(20, 40, 10, 60)}))
    mask = folder.tracings["0X1A"][0].mask((112, 112))
    expected = np.zeros((112, 112), bool)
    expected[10:61, 20:41] = True
    assert np.array_equal(mask, expected)


def test_masks_agree_with_the_published_rule(tmp_path):
    draw = pytest.importorskip("skimage.draw")
    rng = np.random.default_rng(4)
    y = np.linspace(20, 90, 20)
    half = 22 * np.sqrt(1 - np.linspace(0.99, 0, 20) ** 2)
    rows = [(50, 20, 50, 90)] + [
        (50 - h + rng.normal(), v, 50 + h + rng.normal(), v + rng.normal())
        for h, v in zip(half, y, strict=True)
    ]
    tracing = read_echonet_folder(write_folder(tmp_path, tracings={3: rows})).tracings["0X1A"][0]
    x1, y1, x2, y2 = np.array(rows)[1:].T
    xs, ys = np.concatenate([x1, x2[::-1]]), np.concatenate([y1, y2[::-1]])
    expected = np.zeros((112, 112), bool)
    expected[draw.polygon(np.rint(ys).astype(int), np.rint(xs).astype(int), (112, 112))] = True
    assert np.array_equal(tracing.mask((112, 112)), expected)


def test_a_folder_without_list_and_broken_tables_are_refused_by_name(tmp_path):
    with pytest.raises(ClipNotFound, match=r"FileList\.csv"):
        read_echonet_folder(tmp_path / "nothing")
    folder = write_folder(tmp_path / "a")
    (folder / "VolumeTracings.csv").write_text("FileName,X,Y,Frame\n0X1A,1,2,3\n")
    with pytest.raises(InputError, match="expected"):
        read_echonet_folder(folder)
    folder = write_folder(tmp_path / "b", tracings={3: [(1, 2, 3, "oops")]})
    with pytest.raises(InputError, match="line 2"):
        read_echonet_folder(folder)
    (folder / "FileList.csv").write_text("FileName,EF\nx,sixty\n")
    with pytest.raises(InputError, match="sixty"):
        read_echonet_folder(folder)
