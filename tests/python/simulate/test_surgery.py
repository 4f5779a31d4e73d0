from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from medseg.cli import main
from medseg.data.surgical import read_surgical
from medseg.frames.highlights import highlight_mask
from medseg.simulate.surgery import draw_scene, render, smoke_density

SIZE = (216, 384)


@pytest.fixture(scope="module")
def scene():
    return draw_scene(11, SIZE, instruments=2)


@pytest.fixture(scope="module")
def frames(scene):
    return [render(scene, time_s) for time_s in (0.0, 1.0, 2.0, 3.0)]


def test_a_frame_is_the_same_however_often_it_is_rendered(scene, frames):
    again = render(draw_scene(11, SIZE, instruments=2), 2.0)
    assert np.array_equal(again.picture, frames[2].picture)
    assert np.array_equal(again.labels, frames[2].labels)
    assert not np.array_equal(
        render(draw_scene(12, SIZE, instruments=2), 2.0).picture, again.picture
    )


def test_labels_are_the_objects_by_name(scene, frames):
    assert scene.object_names[-2:] == ("instrument_1", "instrument_2")
    for frame in frames:
        assert frame.picture.shape == (*SIZE, 3)
        assert frame.labels.max() <= len(scene.object_names)


def test_instruments_are_greyer_than_organs(scene, frames):
    organs = len(scene.tissue.organs)
    for frame in frames:
        spread = np.ptp(frame.picture.astype(int), axis=2)
        tool, organ = frame.labels > organs, (frame.labels > 0) & (frame.labels <= organs)
        assert np.median(spread[tool]) < 0.5 * np.median(spread[organ])


def test_everything_moves_but_nothing_jumps(scene, frames):
    close = render(scene, 1 / 30)
    for label in range(1, len(scene.object_names) + 1):
        a, b = frames[0].labels == label, close.labels == label
        assert 2 * np.count_nonzero(a & b) / (a.sum() + b.sum()) > 0.85
    assert (frames[0].labels != frames[1].labels).mean() > 0.01


def test_highlights_are_white_and_the_rest_is_seldom_taken_for_one(frames):
    for frame in frames:
        assert frame.picture[frame.highlights].mean() > 190
        found = highlight_mask(frame.picture)
        shared = np.count_nonzero(found & frame.highlights)
        assert shared > 0.6 * np.count_nonzero(frame.highlights)
        assert shared > 0.6 * np.count_nonzero(found)


def test_smoke_hides_contrast(scene):
    times = np.arange(0, 40, 0.25)
    density = np.array([smoke_density(scene, float(t)) for t in times])
    assert density.max() > 0.2
    assert (density == 0).any()
    clear = render(scene, float(times[density == 0][0])).picture.std()
    smoky = render(scene, float(times[density.argmax()])).picture.std()
    assert smoky < clear


def test_a_surgisr4k_folder_is_read_back_with_its_truth(tmp_path):
    out = tmp_path / "s"
    assert main(["simulate", str(out), "--form", "surgisr4k", "-n", "1", "--frames", "2"]) == 0
    found = read_surgical(out)
    assert found.kind == "surgisr4k"
    assert [f.number for f in found.frames] == [1, 11, 1, 11]
    truth = json.loads((out / "truth.json").read_text())["vid_001"]
    assert {f.tools for f in found.frames} == {truth["tools"]}
    for frame in found.frames:
        labels = np.asarray(Image.open(frame.truth))
        assert labels.shape == (frame.height, frame.width)
        assert 0 < labels.max() <= len(truth["objects"])
    large, small = found.read(found.frames[2]), found.read(found.frames[0])
    mean = large.reshape(270, 2, 480, 2, 3).mean(axis=(1, 3))
    assert np.abs(mean - small).max() <= 1  # averaged over area


def test_a_clip_has_a_label_picture_for_every_frame(tmp_path, capsys):
    out = tmp_path / "s"
    call = [
        "simulate",
        str(out),
        "--form",
        "surgical",
        "-n",
        "1",
        "--frames",
        "3",
        "--size",
        "270p",
    ]
    assert main(call) == 0
    (clip,) = out.glob("*.mp4")
    found = read_surgical(clip)
    assert [f.number for f in found.frames] == [0, 1, 2]
    assert all(f.truth is not None for f in found.frames)
    assert main(call) == 2
    assert "holds simulated clips already" in capsys.readouterr().err
