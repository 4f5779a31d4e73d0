"""`medseg predict-ef` and `medseg compare`: what they write, and one line for a wrong call."""

from __future__ import annotations

import re

import numpy as np
import pytest
from safetensors.torch import save_file

from medseg.cli import main
from medseg.data import read_ef_table
from medseg.export.video import VideoWriter
from medseg.models.description import describe
from medseg.models.echonet_ef import EchoNetEFShape, EFPreparation, build_network

ONE_LINE = re.compile(r"medseg: [^\n]+\n")


@pytest.fixture
def weights(tmp_path):
    """A narrow network that sees 4 of 7 frames."""
    shape = EchoNetEFShape(width=8, blocks=(1, 1, 1, 1))
    path = tmp_path / "ef.safetensors"
    text = describe("echonet-ef", shape, EFPreparation(size=32, frames=4, period=2))
    save_file(build_network(shape).state_dict(), path, metadata=text)
    return path


@pytest.fixture
def dataset(make_beating, tmp_path):
    """Three clips of EF 40, 50 and 60, all TEST."""
    folder = tmp_path / "data"
    (folder / "Videos").mkdir(parents=True)
    for i in range(3):
        path = folder / "Videos" / f"clip{i}.avi"
        with VideoWriter(path, frame_rate_hz=50, height=112, width=112) as video:
            video.write(make_beating(12, seed=i)[0])
    rows = [f"clip{i},{40 + 10 * i},TEST" for i in range(3)]
    (folder / "FileList.csv").write_text("\n".join(["FileName,EF,Split", *rows]) + "\n")
    return folder


def test_predict_ef_evaluate_and_compare_go_together(dataset, weights, tmp_path, capsys):
    clips = [str(path) for path in sorted((dataset / "Videos").iterdir())]
    out = tmp_path / "ef.csv"
    call = ["predict-ef", *clips, "--weights", str(weights), "--out", str(out)]
    assert main([*call, "--clips", "2"]) == 0
    shown = capsys.readouterr()
    assert "EF of 3 clips" in shown.out and "not for clinical use" in shown.out
    table = read_ef_table(out)
    assert table.start_frame["clip0"] == (0, 12 - 7)
    # an untrained network says its first guess, the mean EF that EchoNet starts from
    assert table.mean_ef_percent("clip0") == pytest.approx(55.6, abs=1.0)
    assert main(["evaluate", str(out), str(dataset)]) == 0
    shown = capsys.readouterr().out
    assert "no measures of masks: a table of EF holds no masks" in shown
    assert "EF: mean absolute error" in shown
    page = tmp_path / "page"
    call = ["compare", str(dataset), f"first={out}", "--out", str(page), "--draws", "100",
            "--model", "second=echonet-ef", "--weights", f"second={weights}",
            "--zero-shot", "first", "--no-speed"]  # fmt: skip
    assert main(call) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert sorted(p.name for p in page.iterdir()) == [
        "compare.csv", "compare.html", "differences.csv", "per-video.csv", "predictions",
    ]  # fmt: skip
    made = read_ef_table(page / "predictions" / "second.csv")
    assert made.start_frame["clip1"] == tuple(range(6))
    assert "31,300,638" not in (page / "compare.html").read_text()
    assert main(call) == 0  # again, with predictions that are there


def test_a_clip_that_fails_is_one_line_and_exit_code_1(dataset, weights, tmp_path, capsys):
    bad = tmp_path / "bad.avi"
    bad.write_text("no clip\n" * 40)
    good = dataset / "Videos" / "clip0.avi"
    out = tmp_path / "ef.csv"
    call = ["predict-ef", str(bad), str(good), "--weights", str(weights), "-o", str(out)]
    assert main(call) == 1
    assert ONE_LINE.fullmatch(
        "".join(line for line in capsys.readouterr().err.splitlines(True) if "warning" not in line)
    )
    assert list(read_ef_table(out).ef_percent) == ["clip0"]
    assert main(["predict-ef", str(bad), "--weights", str(weights), "-o", str(tmp_path / "x")]) == 2
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict-ef", "x.avi"],
        ["predict-ef", "x.avi", "--weights", "none.pt"],
        ["predict-ef", "x.avi", "--weights", "WEIGHTS", "--clips", "some"],
        ["compare", "DATA"],
        ["compare", "none", "a=none"],
        ["compare", "DATA", "a=none"],
        ["compare", "DATA", "a=EF", "a=EF"],
        ["compare", "DATA", "a=EF", "--model", "default"],
        ["compare", "DATA", "a=EF", "--weights", "b=EF"],
        ["compare", "DATA", "a=EF", "--zero-shot", "b"],
        ["compare", "DATA", "a=EF", "--reference", "b"],
        ["compare", "DATA", "a=EF", "--curve", "nobody"],
        ["compare", "DATA", "a=EF", "--split", "VAL"],
        ["compare", "DATA", "--model", "a=nothing"],
    ],
)
def test_a_wrong_call_is_one_line(arguments, dataset, weights, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ef.csv").write_text(
        "FileName,start_frame,ef\n" + "".join(f"clip{i},0,{50 + i}\n" for i in range(3))
    )
    paths = {"DATA": str(dataset), "WEIGHTS": str(weights), "a=EF": "a=ef.csv", "b=EF": "b=ef.csv"}
    assert main([paths.get(a, a) for a in arguments]) == 2
    err = capsys.readouterr().err
    assert ONE_LINE.fullmatch(err), err
    assert not (tmp_path / "comparison" / "compare.html").exists()
    assert np.all([p.suffix != ".html" for p in tmp_path.iterdir()])
