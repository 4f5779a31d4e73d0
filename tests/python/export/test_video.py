"""Written videos: exact rates, pixels that come back, and nothing half-written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from medseg.decode import open_clip
from medseg.errors import InputError, OutputError
from medseg.export import video
from medseg.export.video import VideoWriter, exact_rate

Y, X = np.mgrid[:36, :52]
FRAMES = np.stack(
    [np.stack([4 * X + n, 3 * Y + 2 * X, 200 - 2 * X - Y], axis=-1) for n in range(12)]
).astype(np.uint8)


def write(path: Path, frames: np.ndarray = FRAMES, **options) -> Path:
    options = {"frame_rate_hz": 30, "height": frames.shape[1], "width": frames.shape[2]} | options
    with VideoWriter(path, **options) as writer:
        writer.write(frames[:5])
        writer.write(frames[5:])
    return path


@pytest.mark.parametrize(
    ("rate_hz", "exact"),
    [
        (50, Fraction(50)),
        (30000 / 1001, Fraction(30000, 1001)),
        (1000 / 33.333, Fraction(1000000, 33333)),
        (1000 / 16.6667, Fraction(10000000, 166667)),
        (29.97, Fraction(2997, 100)),
        (0.5, Fraction(1, 2)),
        (1 / 3, Fraction(1, 3)),
    ],
)
def test_rates_become_the_fractions_that_they_stand_for(rate_hz: float, exact: Fraction) -> None:
    assert exact_rate(rate_hz, name="a") == exact


@pytest.mark.parametrize("rate_hz", [0, -1, float("nan"), float("inf")])
def test_rates_that_are_none_are_refused(rate_hz: float) -> None:
    with pytest.raises(InputError, match="positive"):
        exact_rate(rate_hz, name="a")


@pytest.mark.parametrize("name", ["out.avi", "out.mp4"])
@pytest.mark.parametrize("rate", [Fraction(50), Fraction(30000, 1001), Fraction(1000000, 33333)])
def test_the_file_has_the_exact_rate_and_all_frames(tmp_path, name, rate) -> None:
    path = write(tmp_path / name, frame_rate_hz=float(rate))
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == rate
    clip = open_clip(path)
    assert clip.frame_count == len(FRAMES)
    np.testing.assert_allclose(clip.frame_time_s, np.arange(12) / float(rate), atol=1e-6)


@pytest.mark.parametrize("name", ["out.avi", "out.mp4"])
def test_lossless_gives_every_pixel_back_even_of_odd_size(tmp_path, name) -> None:
    for frames in (FRAMES, FRAMES[:, :35, :51]):
        path = write(tmp_path / name, frames, lossless=True, overwrite=True)
        assert (open_clip(path).read(0, 12) == frames).all()


def test_lossy_is_near_and_grey_stays_grey(tmp_path) -> None:
    for name in ("out.avi", "out.mp4"):
        back = open_clip(write(tmp_path / name)).read(0, 12)
        assert np.abs(back.astype(int) - FRAMES).mean() < 4
    ramp = np.broadcast_to((4 * X)[..., None], FRAMES.shape).astype(np.uint8)
    back = open_clip(write(tmp_path / "grey.avi", ramp)).read(0, 12).astype(int)
    assert np.abs(back - ramp).max() <= 4
    assert abs((back[..., 0] - back[..., 1]).mean()) < 0.5


def test_odd_sizes_keep_their_size_in_avi_and_gain_a_black_line_in_mp4(tmp_path) -> None:
    frames = np.full((4, 35, 51, 3), 200, np.uint8)
    assert open_clip(write(tmp_path / "o.avi", frames)).read(0, 1).shape == (1, 35, 51, 3)
    back = open_clip(write(tmp_path / "o.mp4", frames)).read(0, 4)
    assert back.shape == (4, 36, 52, 3)
    assert back[:, :34, :50].min() > 150
    assert back[:, 35].max() < 60


def test_an_error_inside_the_block_leaves_nothing(tmp_path) -> None:
    with (
        pytest.raises(RuntimeError),
        VideoWriter(tmp_path / "out.avi", frame_rate_hz=30, height=36, width=52) as writer,
    ):
        writer.write(FRAMES)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_the_target_appears_only_when_it_is_whole(tmp_path) -> None:
    path = tmp_path / "out.avi"
    with VideoWriter(path, frame_rate_hz=30, height=36, width=52) as writer:
        writer.write(FRAMES)
        assert not path.exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.avi"]


def test_a_target_that_exists_is_kept_unless_told_otherwise(tmp_path) -> None:
    path = tmp_path / "out.avi"
    path.write_text("precious")
    with pytest.raises(OutputError, match="exists"):
        write(path)
    assert path.read_text() == "precious"
    assert open_clip(write(path, overwrite=True)).frame_count == 12


@pytest.mark.parametrize("folder", ["/proc", "/no/such/folder"])
def test_a_folder_that_cannot_be_written(folder: str) -> None:
    with pytest.raises(OutputError) as refused:
        write(Path(folder) / "out.avi")
    assert str(refused.value).startswith(f"{folder}/out.avi: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["out.avi", "out.mp4"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch, name: str) -> None:
    monkeypatch.setattr(video.secrets, "token_hex", lambda _: "full")
    stem, _, suffix = name.partition(".")
    (tmp_path / f".{stem}.partial-full.{suffix}").symlink_to("/dev/full")
    noise = np.random.default_rng(1).integers(0, 255, (60, 36, 52, 3), dtype=np.uint8)
    with pytest.raises(OutputError, match="disk is full"):
        write(tmp_path / name, noise)
    assert list(tmp_path.iterdir()) == []


def test_no_frames_no_video(tmp_path) -> None:
    with (
        pytest.raises(InputError, match="no frames"),
        VideoWriter(tmp_path / "out.avi", frame_rate_hz=30, height=36, width=52),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_other_names_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match=r"\.avi or \.mp4"):
        write(tmp_path / "out.mov")


def test_frames_of_another_shape_are_a_programming_error(tmp_path) -> None:
    with pytest.raises(ValueError, match="shape"):
        write(tmp_path / "out.avi", FRAMES, height=20)
