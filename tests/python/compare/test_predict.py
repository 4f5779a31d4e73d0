"""Missing predictions are made once, with the run's own weights, and a stop loses nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from medseg.compare import find_runs, make_missing
from medseg.compare import predict as predict_module
from medseg.data import open_dataset
from medseg.errors import InputError
from medseg.export.video import VideoWriter
from medseg.store import open_segmentation


@pytest.fixture
def cases(dataset, make_beating):
    """The TEST clips, of which clip 5 has no video."""
    (dataset / "Videos").mkdir()
    for i in (2, 3, 4):
        with VideoWriter(
            dataset / "Videos" / f"clip{i}.avi", frame_rate_hz=25, height=112, width=112
        ) as video:
            video.write(make_beating(20, rate_hz=25.0, seed=i)[0])
    return list(open_dataset(dataset).of_split("TEST"))


@pytest.fixture
def run(tmp_path, monkeypatch, make_thresholder):
    """A training run, whose network is a threshold, and how often it was loaded."""
    loaded: list[tuple] = []

    def load(name, *, weights, device):
        loaded.append((name, weights, device))
        return make_thresholder()

    monkeypatch.setattr(predict_module, "load_model", load)
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"model": "unet"}))
    (folder / "weights.safetensors").write_bytes(b"")
    return folder, loaded


def test_only_what_is_missing_is_made(run, cases, tmp_path):
    folder, loaded = run
    (found,) = find_runs([str(folder)], out=tmp_path / "o")
    problems = make_missing(found, cases)
    assert sorted(p.name for p in found.predictions.iterdir()) == [
        "clip2.zarr", "clip3.zarr", "clip4.zarr",
    ]  # fmt: skip
    assert len(problems) == 1 and problems[0].startswith("run: clip5: ")
    assert loaded == [("unet", folder / "weights.safetensors", "cpu")]
    times = {p.name: p.stat().st_mtime_ns for p in found.predictions.iterdir()}
    (found.predictions / "clip3.zarr" / "manifest.json").unlink()  # as a stopped run leaves it
    make_missing(found, cases[:3])
    again = {p.name: p.stat().st_mtime_ns for p in found.predictions.iterdir()}
    assert [name for name in times if times[name] != again[name]] == ["clip3.zarr"]
    assert open_segmentation(found.predictions / "clip3.zarr").sizes["frame"] == 20
    make_missing(found, cases[:3])
    assert len(loaded) == 2  # nothing missing, nothing loaded


def test_stores_of_other_weights_are_not_mixed_in(run, cases, save_store, known, tmp_path):
    folder, _ = run
    save_store(folder / "predictions" / "clip2.zarr", np.array(known["rectangles"]()),
               weights_sha256="0" * 64)  # fmt: skip
    (found,) = find_runs([str(folder)], out=tmp_path / "o")
    with pytest.raises(InputError, match="made with other weights"):
        make_missing(found, cases)


def test_a_run_without_a_network_makes_nothing(make_run, cases, tmp_path):
    (found,) = find_runs([str(make_run("whole", clips=(2,)))], out=tmp_path)
    assert make_missing(found, cases) == []


def test_a_table_of_ef_that_lacks_clips_is_said_to(run, cases, tmp_path):
    folder, _ = run
    (folder / "run.json").write_text(json.dumps({"model": "echonet-ef"}))
    (folder / "predictions").mkdir()
    (folder / "predictions" / "ef.csv").write_text("FileName,start_frame,ef\nclip2,0,50\n")
    (found,) = find_runs([str(folder)], out=tmp_path / "o")
    (problem,) = make_missing(found, cases)
    assert "lacks 3 clips, first clip3; remove it to predict all again" in problem
