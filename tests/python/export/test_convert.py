"""Converted clips: the sector alone, true rate and shape, and nobody's name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import examples

from medseg.clip import clip_from_array
from medseg.decode import open_clip
from medseg.errors import FrameTimesUnknown, InputError, OutputError
from medseg.export.convert import area_weights, convert, squared


@pytest.fixture(scope="module")
def real():
    return open_clip(examples.get_path("ybr_color"))


def test_real_clip_becomes_its_bare_sector_at_its_own_rate(real, tmp_path: Path) -> None:
    done = convert(real, tmp_path / "out.avi", lossless=True)
    clip = open_clip(done.path)
    assert (clip.frame_count, clip.height, clip.width) == (30, done.height, done.width)
    np.testing.assert_allclose(clip.frame_time_s, real.frame_time_s, atol=1e-6)
    frames, source = clip.read(0, 30), real.read(0, 30)
    y0, x0, y1, x1 = done.box
    assert (frames.shape[1], frames.shape[2]) == (y1 - y0, x1 - x0)
    kept = frames.any(axis=(0, 3))
    inside = source[:, y0:y1, x0:x1]
    assert (frames[:, kept] == inside[:, kept]).all()
    # what the source shows in the box's corners (scale, text, marker) is black
    assert not frames[:, :8, :40].any() and not frames[:, :8, -60:].any()
    assert not frames[:, -12:, :40].any() and not frames[:, -12:, -20:].any()
    assert inside[:, -12:, -20:].any()


def test_112_keeps_the_shape_of_the_heart(tmp_path: Path) -> None:
    y, x = np.mgrid[:100, :200]
    disk = (y - 50) ** 2 + (x - 60) ** 2 < 30**2
    draw = np.random.default_rng(1)
    frames = np.where(disk, 250, draw.integers(20, 60, (10, 100, 200))).astype(np.uint8)
    clip = clip_from_array(frames, name="disk", frame_rate_hz=50)
    done = convert(clip, tmp_path / "out.avi", size=112, lossless=True)
    assert (done.height, done.width) == (112, 112)
    small = open_clip(done.path).read(0, 1)[0, ..., 0] > 150
    rows, columns = np.flatnonzero(small.any(axis=1)), np.flatnonzero(small.any(axis=0))
    assert abs(len(rows) - len(columns)) <= 1  # a circle, not an ellipse
    assert len(rows) == pytest.approx(60 * 112 / 200, abs=2)


def test_squared_averages_over_area_and_pads_with_black() -> None:
    frames = np.zeros((1, 2, 4, 3), np.uint8)
    frames[0, :, :, 0] = [[10, 20, 30, 40], [50, 60, 70, 80]]
    small = squared(frames, 2)
    # the 2 x 4 picture is padded to 4 x 4; each cell is half padding
    np.testing.assert_array_equal(small[0, :, :, 0], [[8, 18], [28, 38]])


@pytest.mark.parametrize(("side", "size"), [(7, 3), (112, 112), (30, 112), (500, 112)])
def test_area_weights_keep_a_constant_and_the_mean(side: int, size: int) -> None:
    weights = area_weights(side, size)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=0), size / side, atol=1e-4)


def test_no_patient_identity_is_in_the_file(tmp_path: Path) -> None:
    ds = pydicom.dcmread(examples.get_path("ybr_color"))
    ds.PatientName, ds.PatientID, ds.AccessionNumber = "Doe^Jane", "MRN12345", "ACC98765"
    ds.StudyDate = "20240229"
    ds.save_as(tmp_path / "in.dcm")
    clip = open_clip(tmp_path / "in.dcm")
    for name in ("out.avi", "out.mp4"):
        written = convert(clip, tmp_path / name, size=64).path.read_bytes()
        for word in (b"Doe", b"Jane", b"MRN12345", b"ACC98765", b"20240229", b"in.dcm"):
            assert word not in written


def test_unknown_times_are_refused_with_the_cure(tmp_path: Path) -> None:
    frames = np.random.default_rng(1).integers(0, 255, (5, 20, 20), dtype=np.uint8)
    with pytest.raises(FrameTimesUnknown, match="--fps"):
        convert(clip_from_array(frames, name="a"), tmp_path / "out.avi")
    assert list(tmp_path.iterdir()) == []


def test_uneven_times_keep_the_duration_and_say_so(tmp_path: Path) -> None:
    frames = np.random.default_rng(1).integers(0, 255, (5, 20, 20), dtype=np.uint8)
    clip = clip_from_array(frames, name="a", frame_rate_hz=50)
    assert clip.frame_time_s is not None
    clip.frame_time_s[:] = [0, 0.02, 0.04, 0.06, 0.16]
    done = convert(clip, tmp_path / "out.avi")
    assert done.frame_rate_hz == pytest.approx(25)
    assert any("unevenly" in note for note in done.warnings)


def test_clip_without_a_sector_is_kept_whole_and_says_so(tmp_path: Path) -> None:
    black = clip_from_array(np.zeros((3, 20, 30), np.uint8), name="a", frame_rate_hz=50)
    done = convert(black, tmp_path / "out.avi")
    assert (done.height, done.width) == (20, 30)
    assert any("no ultrasound sector" in note for note in done.warnings)


def test_target_that_exists_and_sizes_that_make_no_sense(real, tmp_path: Path) -> None:
    (tmp_path / "out.avi").write_text("precious")
    with pytest.raises(OutputError, match="exists"):
        convert(real, tmp_path / "out.avi")
    with pytest.raises(InputError, match="too small"):
        convert(real, tmp_path / "other.avi", size=0)


def test_odd_sectors_are_told_at_the_size_that_mp4_gives_them(tmp_path: Path) -> None:
    frames = np.random.default_rng(1).integers(0, 255, (5, 21, 33), dtype=np.uint8)
    clip = clip_from_array(frames, name="a", frame_rate_hz=50)
    done = convert(clip, tmp_path / "out.mp4")
    back = open_clip(done.path)
    assert (done.height, done.width) == (back.height, back.width) == (22, 34)
