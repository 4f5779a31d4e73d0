from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from medseg.cli import main
from medseg.data.surgical import read_surgical
from medseg.decode import open_clip
from medseg.errors import OutputError
from medseg.export.video import VideoWriter
from medseg.frames.filters import Recipe
from medseg.frames.preprocess import preprocess


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "op.mp4"
    with VideoWriter(path, frame_rate_hz=25, height=64, width=96, lossless=True) as video:
        for i in range(6):
            video.write(np.full((1, 64, 96, 3), 60 + 12 * i, np.uint8))
    return path


def test_a_clip_keeps_its_rate_and_gets_its_size(clip, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["preprocess", str(clip), "--out", str(out), "--height", "32", "--compare"]) == 0
    assert "6 pictures prepared" in capsys.readouterr().out
    small = open_clip(out / "op.mp4")
    assert (small.height, small.width, small.frame_count) == (32, 48, 6)
    assert small.frame_rate_hz == pytest.approx(25)
    beside = open_clip(out / "op_compare.mp4")
    assert (beside.height, beside.width) == (32, 100)
    frame = beside.read(5, 6)[0].astype(int)
    assert np.abs(frame[24:, 2:46] - 120).max() <= 10  # as lossy as the codec
    assert np.abs(frame[24:, 54:] - 120).max() <= 10


def test_brightness_that_changes_within_a_clip_still_changes(clip, tmp_path):
    preprocess(read_surgical(clip), tmp_path / "out", Recipe(normalise="stretch"))
    level = open_clip(tmp_path / "out" / "op.mp4").read(0, 6).mean(axis=(1, 2, 3))
    assert (np.diff(level) > 30).all()  # 60 to 120 become 0 to 255, in even steps


def test_results_are_not_replaced_unasked(clip, tmp_path, capsys):
    preprocess(read_surgical(clip), tmp_path / "out", Recipe())
    with pytest.raises(OutputError, match="exists already"):
        preprocess(read_surgical(clip), tmp_path / "out", Recipe())
    assert main(["preprocess", str(clip), "--out", str(tmp_path / "out"), "--overwrite"]) == 0


def test_a_folder_keeps_its_names_and_can_be_resumed(tmp_path):
    for name in ("v/f1.png", "v/f2.png", "w/f1.jpg"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((40, 60, 3), 80, np.uint8)).save(tmp_path / "in" / name)
    pictures = read_surgical(tmp_path / "in")
    out = tmp_path / "out"
    preprocess(pictures, out, Recipe(height=20), compare=True)
    for name, size in (("v/f2.png", (30, 20)), ("compare/w/f1.png", (64, 20))):
        with Image.open(out / name) as image:
            assert image.size == size
    (out / "v" / "f2.png").unlink()  # finished ones are not done again
    preprocess(pictures, out, Recipe(height=20), compare=True)
    assert not (out / "v" / "f2.png").exists()
    with pytest.raises(OutputError, match="another run"):
        preprocess(pictures, out, Recipe(height=30), compare=True)
