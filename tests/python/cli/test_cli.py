"""The command's outputs and exit codes: 0 done, 1 in part, 2 not done and one line on why."""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import medseg
import medseg.models
from medseg.cli import main
from medseg.export import video
from medseg.export.video import VideoWriter

ONE_LINE = re.compile(r"medseg: [^\n]+\n")


@pytest.fixture(autouse=True)
def pretend_network(monkeypatch, make_thresholder):
    monkeypatch.setattr(medseg.models, "load_model", lambda *_, **__: make_thresholder())


@pytest.fixture
def avi(make_beating, tmp_path) -> Path:
    path = tmp_path / "clips" / "bullet.avi"
    path.parent.mkdir()
    frames, _ = make_beating(60)
    with VideoWriter(path, frame_rate_hz=50, height=112, width=112) as video:
        video.write(frames)
    return path


def lines_of(capsys: pytest.CaptureFixture[str]) -> str:
    err = capsys.readouterr().err
    assert ONE_LINE.fullmatch(err), err
    return err


def test_segment_writes_store_video_and_curve(avi, tmp_path, capsys):
    out = tmp_path / "results"
    assert main(["segment", str(avi), "--out", str(out), "--view", "A4C", "--subject", "k7"]) == 0
    assert sorted(p.name for p in out.iterdir()) == [
        "bullet.zarr",
        "bullet_curve.png",
        "bullet_overlay.mp4",
    ]
    stored = medseg.open_segmentation(out / "bullet.zarr")
    assert (stored.attrs["view"], stored.attrs["subject_key"]) == ("A4C", "k7")
    shown = capsys.readouterr()
    assert "measurable" in shown.out
    assert "thresholder: tests" in shown.out  # what the weights are for, beside every number
    assert shown.err == ""


def test_of_several_clips_the_others_still_get_done(avi, tmp_path, capsys):
    out = tmp_path / "results"
    text = tmp_path / "text.avi"
    text.write_text("not a clip at all\n" * 50)
    code = main(["segment", str(text), str(avi), str(tmp_path / "no.avi"), "-o", str(out)])
    assert code == 1
    assert [p.name for p in out.glob("*.zarr")] == ["bullet.zarr"]
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert "text.avi" in errors[0]
    assert "no.avi" in errors[1]


@pytest.mark.parametrize("content", [None, b"", b"RIFF", bytes(range(256)) * 40, b"words " * 99])
def test_a_bad_file_is_one_line_and_leaves_nothing(content, tmp_path, capsys):
    path = tmp_path / "bad.avi"
    if content is not None:
        path.write_bytes(content)
    out = tmp_path / "results"
    assert main(["segment", str(path), "--out", str(out)]) == 2
    assert "bad.avi" in lines_of(capsys)
    assert not list(out.iterdir())


def test_a_black_clip_is_one_line_and_leaves_nothing(tmp_path, capsys):
    path = tmp_path / "night.avi"
    with VideoWriter(path, frame_rate_hz=25, height=64, width=64) as video:
        video.write(np.zeros((20, 64, 64, 3), np.uint8))
    assert main(["segment", str(path), "--out", str(tmp_path / "o")]) == 2
    assert "every frame is black" in lines_of(capsys)
    assert not list((tmp_path / "o").iterdir())


def test_existing_results_are_kept_unless_told_otherwise(avi, tmp_path, capsys):
    command = ["segment", str(avi), "--out", str(tmp_path / "o"), "--no-overlay", "--no-curve"]
    assert main(command) == 0
    capsys.readouterr()
    assert main(command) == 2
    assert "--overwrite" in lines_of(capsys)
    assert main([*command, "--overwrite"]) == 0
    assert [p.name for p in (tmp_path / "o").iterdir()] == ["bullet.zarr"]


def test_a_full_disk_under_the_overlay_is_one_line_and_the_store_stays(
    avi, tmp_path, capsys, monkeypatch
):
    out = tmp_path / "o"
    out.mkdir()
    monkeypatch.setattr(video.secrets, "token_hex", lambda _: "full")
    (out / ".bullet_overlay.partial-full.mp4").symlink_to("/dev/full")
    assert main(["segment", str(avi), "-o", str(out), "--no-curve"]) == 2
    assert "bullet_overlay.mp4: the disk is full" in lines_of(capsys)
    assert [p.name for p in out.iterdir()] == ["bullet.zarr"]


def test_cycles_of_objects_are_looked_for_again_after_the_imports(avi, tmp_path):
    main(["segment", str(avi), "-o", str(tmp_path), "--no-overlay", "--no-curve"])
    assert gc.isenabled()


def test_two_clips_of_one_name_do_not_overwrite_each_other(avi, tmp_path, capsys):
    other = tmp_path / "other" / "bullet.avi"
    other.parent.mkdir()
    other.write_bytes(avi.read_bytes())
    out = str(tmp_path / "o")
    assert main(["segment", str(avi), str(other), "-o", out, "--overwrite", "--no-overlay"]) == 1
    assert "rename one" in capsys.readouterr().err


def test_a_folder_of_frames_needs_its_rate(make_beating, tmp_path, capsys):
    from PIL import Image

    folder = tmp_path / "frames"
    folder.mkdir()
    for i, frame in enumerate(make_beating(30)[0]):
        Image.fromarray(frame).save(folder / f"{i:03d}.png")
    out = str(tmp_path / "o")
    assert main(["segment", str(folder), "-o", out]) == 2
    assert "--fps" in lines_of(capsys)
    assert main(["segment", str(folder), "-o", out, "--fps", "40", "--no-overlay"]) == 0
    stored = medseg.open_segmentation(tmp_path / "o" / "frames.zarr")
    assert stored.attrs["frame_rate_hz"] == pytest.approx(40.0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["segment"],
        ["segment", "x.avi", "--fps", "fast"],
        ["segment", "x.avi", "--fps", "-3"],
        ["segment", "x.avi", "--view", "side"],
        ["simulate", "x", "--form", "gif"],
        ["train", "x.pt"],
        ["report", "none.zarr"],
        ["evaluate", "none", "none"],
        ["evaluate", ".", ".", "--protocol", "nature"],
        ["evaluate", ".", ".", "--tolerance-px", "-1"],
    ],
)
def test_a_wrong_call_is_one_line(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    lines_of(capsys)
    assert [p.name for p in tmp_path.iterdir()] in ([], ["x.avi"])


def test_an_unwritable_folder_is_one_line(avi, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["segment", str(avi), "--out", str(tmp_path / "file" / "o")]) == 2
    assert "--out" in lines_of(capsys)


def test_info_tells_the_same_as_a_table_and_as_json(avi, tmp_path, capsys):
    assert main(["info", str(avi)]) == 0
    table = capsys.readouterr().out
    assert main(["info", str(avi), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["frame_count"] == 60
    assert facts["frame_rate_hz"] == pytest.approx(50.0)
    assert facts["spacing_cm"] is None
    assert facts["spacing_reason"].split(":")[0] in table
    assert main(["info", str(avi), str(tmp_path / "no.avi"), "--json"]) == 1


def test_convert_crops_to_the_sector_at_the_true_rate(avi, tmp_path, capsys):
    out = tmp_path / "small.avi"
    assert main(["convert", str(avi), str(out), "--size", "64"]) == 0
    clip = medseg.open_clip(out)
    assert (clip.height, clip.width, clip.frame_count) == (64, 64, 60)
    assert clip.frame_rate_hz == pytest.approx(50.0)
    capsys.readouterr()
    assert main(["convert", str(avi), str(out)]) == 2
    lines_of(capsys)


def test_validate_names_the_broken_rule(avi, tmp_path, capsys):
    main(["segment", str(avi), "-o", str(tmp_path / "o"), "--no-overlay", "--no-curve"])
    store = tmp_path / "o" / "bullet.zarr"
    capsys.readouterr()
    assert main(["validate", str(store)]) == 0
    assert capsys.readouterr().out == f"{store}: valid\n"
    (store / "status" / "0.0").unlink()
    assert main(["validate", str(store), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["valid"] is False
    assert answer["findings"][0]["code"] == "F5"


def test_help_is_quick_and_needs_no_torch():
    code = (
        "import sys; from medseg.cli import main; main(['--help']); print('torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert done.stdout.rstrip().endswith("False")
    assert "segment" in done.stdout
    assert time.perf_counter() - start < 5  # under 1 s alone; tests may share the machine


def test_no_command_shows_the_help_and_version_the_version(capsys):
    assert main([]) == 0
    assert "validate" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"medseg {medseg.__version__}\n"


def test_an_interruption_is_one_line(avi, tmp_path, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("medseg.segmentation.segment_to_store", interrupt)
    assert main(["segment", str(avi), "-o", str(tmp_path / "o")]) == 130
    lines_of(capsys)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 9 GiB"),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_running_out_of_memory_says_what_to_lower(error, avi, tmp_path, monkeypatch, capsys):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("medseg.segmentation.segment_to_store", fail)
    assert main(["segment", str(avi), "-o", str(tmp_path / "o")]) == 2
    assert "memory ran out; lower --window, or of SAM 2 --image-size" in lines_of(capsys)
    monkeypatch.setattr("medseg.data.volumes.read_volume", fail)
    assert main(["volume", str(avi)]) == 2
    assert "lower --image-size or --sam2-size, or segment fewer slices" in lines_of(capsys)


def test_another_fault_is_not_taken_for_a_lack_of_memory(avi, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("medseg.segmentation.segment_to_store", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        main(["segment", str(avi), "-o", str(tmp_path / "o")])


def test_the_help_page_names_every_model():
    from medseg.cli.segmenting import _MODELS
    from medseg.models import MODELS

    named = set(_MODELS.rstrip(".").replace(" or ", ", ").split(", "))
    assert named == {*MODELS, "sam2"}  # sam2 follows what is pointed at, and is loaded otherwise


def test_evaluate_prints_both_intervals_and_writes_its_files(
    avi, make_beating, tmp_path, monkeypatch, capsys
):
    from medseg.evaluate import folder

    ef = iter((52.0, 38.0))
    monkeypatch.setattr(
        folder,
        "analyse_batch",
        lambda stores, *, method: [{"ef_percent": next(ef)} for _ in stores],
    )
    data, stores, figures = tmp_path / "data", tmp_path / "o", tmp_path / "figures"
    data.mkdir()
    lines = ["FileName,X1,Y1,X2,Y2,Frame"]
    for name in ("one", "two"):
        (tmp_path / f"{name}.avi").write_bytes(avi.read_bytes())
        assert (
            main(["segment", str(tmp_path / f"{name}.avi"), "-o", str(stores), "--no-overlay"]) == 0
        )
        for frame, top in ((0, 25), (20, 40)):
            lines.append(f"{name},56,{top},56,84,{frame}")
            lines += [f"{name},45,{y},67,{y},{frame}" for y in np.linspace(top, 84, 20)]
    (data / "FileList.csv").write_text("FileName,EF,Split\none,55,TEST\ntwo,35,TEST\n")
    (data / "VolumeTracings.csv").write_text("\n".join(lines) + "\n")
    capsys.readouterr()
    call = ["evaluate", str(stores), str(data), "--protocol", "echonet", "--draws", "200"]
    assert main([*call, "--figures", str(figures)]) == 0
    said = capsys.readouterr().out
    assert "95 % interval" in said
    assert "90 % interval" in said
    assert "1.0000" in said  # AUC
    assert sorted(p.name for p in figures.iterdir()) == [
        "ef_bland_altman.png", "ef_roc.png", "ef_scatter.png",
    ]  # fmt: skip
    assert (stores / "evaluation.csv").is_file()
    first = (stores / "evaluation.json").read_text()
    ef = iter((52.0, 38.0))
    assert main(call) == 0
    assert (stores / "evaluation.json").read_text() == first  # seeded
