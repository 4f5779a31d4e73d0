"""`medseg data check`: exit code 0 for a clean set, 1 for errors, 2 for what is no data set."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from medseg.cli import main
from medseg.export.video import VideoWriter


@pytest.fixture
def dataset(tmp_path):
    """Three clips with two traced squares each, one clip to a split."""
    folder = tmp_path / "set"
    (folder / "Videos").mkdir(parents=True)
    rows, tracings = (
        ["FileName,EF,ESV,EDV,FPS,NumberOfFrames,Split"],
        ["FileName,X1,Y1,X2,Y2,Frame"],
    )
    for seed, (name, split) in enumerate([("a", "TRAIN"), ("b", "VAL"), ("c", "TEST")]):
        rows.append(f"{name},60,40,100,50,4,{split}")
        for frame, high in ((0, 30), (3, 20)):
            tracings.append(f"{name}.avi,20,5,20,{high},{frame}")
            tracings += [f"{name}.avi,10,{y},30,{y},{frame}" for y in np.linspace(5, high, 20)]
        grey = np.random.default_rng(seed).integers(0, 255, (4, 48, 64, 1))
        path = folder / "Videos" / f"{name}.avi"
        with VideoWriter(path, frame_rate_hz=50, height=48, width=64) as video:
            video.write(np.repeat(grey, 3, axis=3).astype(np.uint8))
    (folder / "FileList.csv").write_text("\n".join(rows) + "\n")
    (folder / "VolumeTracings.csv").write_text("\n".join(tracings) + "\n")
    return folder


def test_a_clean_set_is_done_and_tabled(dataset, capsys):
    assert main(["data", "check", str(dataset)]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "echonet, 3 clips" in shown.out
    assert "nothing found; 3 of 3 clips opened, 0 left out" in shown.out


def test_errors_exit_with_one_and_are_named(dataset, capsys):
    (dataset / "Videos" / "b.avi").unlink()
    (dataset / "Videos" / "c.avi").write_bytes(b"RIFF....AVI ")
    assert main(["data", "check", str(dataset)]) == 1
    out = capsys.readouterr().out
    assert "error missing-video: b: " in out
    assert "error unreadable-video: c: " in out
    assert "2 errors; 1 of 3 clips opened, 0 left out" in out
    assert main(["data", "check", str(dataset), "--no-videos"]) == 1
    assert "1 error; 0 of 3 clips opened" in capsys.readouterr().out


def test_warnings_alone_are_no_failure(dataset, capsys):
    (dataset / "VolumeTracings.csv").unlink()
    assert main(["data", "check", str(dataset)]) == 0
    assert "1 warning;" in capsys.readouterr().out


def test_json_lists_everything_that_the_terminal_cuts(dataset, capsys):
    with (dataset / "FileList.csv").open("a") as table:
        table.writelines(f"x{i},50,50,100,50,4,TRAIN\n" for i in range(12))
        table.write("a,60,40,100,50,4,TEST\n")
    assert main(["data", "check", str(dataset)]) == 1
    out = capsys.readouterr().out
    assert out.count("error missing-video: x") == 10
    assert "error missing-video: and 2 more; --json lists all" in out
    assert main(["data", "check", str(dataset), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert sum(f["code"] == "missing-video" for f in told["findings"]) == 12
    assert (told["fit"], told["clips"], told["opened"]) == (False, 15, 3)
    assert [e["name"] for e in told["excluded"]] == ["a"]
    train = told["splits"][0]
    assert (train["split"], train["clips"], train["patients"]) == ("TRAIN", 13, 13)
    assert train["EF (%)"]["median"] == 50
    assert told["sizes"] == [{"height": 48, "width": 64, "clips": 3}]


def test_the_figure_is_drawn(dataset, tmp_path, capsys):
    figure = tmp_path / "spread.png"
    assert main(["data", "check", str(dataset), "--figure", str(figure)]) == 0
    assert str(figure) in capsys.readouterr().out
    picture = np.asarray(Image.open(figure).convert("RGB")).reshape(-1, 3)
    drawn = {tuple(colour) for colour in np.unique(picture, axis=0)}
    assert {(0x0B, 0x6E, 0x99), (0xD1, 0x76, 0x0C), (0x5A, 0x8F, 0x3C)} <= drawn  # three splits


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["{path}"], "is no data set that is known; looked for FileList.csv"),
        (["{path}/nothing"], "there is no such folder"),
        (["{path}", "--kind", "acdc"], "choose one of: echonet, pediatric, camus, pairs"),
        (["{path}", "--kind", "echonet"], "no FileList.csv"),
    ],
)
def test_what_is_no_data_set_is_one_line_and_two(tmp_path, capsys, arguments, what):
    assert main(["data", "check", *(a.format(path=tmp_path) for a in arguments)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("medseg: ")
    assert err.count("\n") == 1
    assert what in err
