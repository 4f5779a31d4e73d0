"""Folders of pictures: natural order, one size, no clock of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medseg.decode import open_clip
from medseg.errors import ClipHasNoFrames, ClipUnreadable, FrameNotDecoded


def save(path: Path, value: int, size: tuple[int, int] = (6, 8)) -> None:
    Image.fromarray(np.full((*size, 3), value, np.uint8)).save(path)


def test_names_are_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 2, 1, 33):
        save(tmp_path / f"frame_{number}.png", number)
    clip = open_clip(tmp_path, frame_rate_hz=25)
    assert clip.read(0, 4)[:, 0, 0, 0].tolist() == [1, 2, 10, 33]
    assert (clip.frame_count, clip.height, clip.width) == (4, 6, 8)
    assert (clip.kind, clip.name) == ("images", tmp_path.name)
    assert clip.frame_rate_hz == pytest.approx(25)
    assert clip.frame_time_source == "given"


def test_without_a_given_rate_the_times_are_unknown(tmp_path: Path) -> None:
    save(tmp_path / "1.png", 1)
    save(tmp_path / "2.JPEG", 2)
    clip = open_clip(tmp_path)
    assert clip.frame_time_s is None
    assert clip.frame_time_source == "unknown"


def test_sizes_that_differ_are_refused_with_both_names(tmp_path: Path) -> None:
    save(tmp_path / "1.png", 1)
    save(tmp_path / "2.png", 1, (6, 9))
    with pytest.raises(ClipUnreadable, match=r"1\.png is 8 x 6 and 2\.png is 9 x 6"):
        open_clip(tmp_path)


def test_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(ClipHasNoFrames, match="no PNG or JPEG"):
        open_clip(tmp_path)


def test_other_files_are_told_and_hidden_ones_are_not(tmp_path: Path) -> None:
    save(tmp_path / "1.png", 1)
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / ".DS_Store").write_text("none")
    assert open_clip(tmp_path).warnings == ("1 other files in the folder are not used",)


def test_text_named_png_is_refused_by_name(tmp_path: Path) -> None:
    save(tmp_path / "1.png", 1)
    (tmp_path / "2.png").write_text("no picture")
    with pytest.raises(ClipUnreadable, match=r"2\.png"):
        open_clip(tmp_path)


def test_picture_cut_short_is_named_when_it_is_read(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    for number in (1, 2, 3):
        Image.fromarray(draw.integers(0, 255, (40, 40, 3), np.uint8)).save(
            tmp_path / f"{number}.png"
        )
    second = tmp_path / "2.png"
    second.write_bytes(second.read_bytes()[:2000])
    clip = open_clip(tmp_path)
    with pytest.raises(FrameNotDecoded, match=r"2\.png"):
        clip.read(0, 3)
    assert clip.read(2, 3).shape == (1, 40, 40, 3)


def test_grey_palette_and_sixteen_bit_pictures_become_rgb(tmp_path: Path) -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    Image.fromarray(grey).save(tmp_path / "1.png")
    Image.fromarray(grey).convert("P").save(tmp_path / "2.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "3.png")
    frames = open_clip(tmp_path).read(0, 3)
    assert (frames == grey[..., None]).all()


def test_hash_depends_on_names_and_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    save(folders[0] / "1.png", 1)
    save(folders[1] / "1.png", 1)
    save(folders[2] / "2.png", 1)
    one, two, three = (open_clip(folder).sha256 for folder in folders)
    assert one == two != three
