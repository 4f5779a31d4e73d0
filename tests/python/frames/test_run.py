from __future__ import annotations

import csv
import json
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from medseg.data.surgical import read_surgical
from medseg.errors import InputError, OutputError
from medseg.frames import FoundMask, SuccessRule, segment_frames, summary_rows, write_tables
from medseg.frames.journal import DONE
from medseg.frames.run import label_picture

SIZE = (40, 60)


class Squares:
    """Finds bright squares, one mask each; remembers what it was asked."""

    card: ClassVar = {"name": "squares", "weights_sha256": None, "intended_use": "tests"}

    def __init__(self, name="squares", stop_at=None, confidence=0.9):
        self.name, self.stop_at, self.confidence = name, stop_at, confidence
        self.asked = 0

    def __call__(self, picture, number=None):
        if self.asked == self.stop_at:
            raise KeyboardInterrupt
        self.asked += 1
        grey = picture.max(axis=2)
        return [
            FoundMask(grey == level, self.confidence)
            for level in (100, 255)
            if (grey == level).any()
        ]


def draw(path, boxes):
    """Boxes of (y0, x0, y1, x1, colour) on black."""
    picture = np.zeros((*SIZE, 3), np.uint8)
    for y0, x0, y1, x1, colour in boxes:
        picture[y0:y1, x0:x1] = colour
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


RED, WHITE = (100, 20, 20), (255, 255, 255)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "images"
    draw(root / "v" / "f1.png", [(0, 0, 20, 30, RED)])  # a quarter
    draw(root / "v" / "f2.png", [(0, 0, 20, 30, RED), (30, 30, 36, 40, WHITE)])
    draw(root / "v" / "f3.png", [(0, 0, 12, 20, WHITE)])  # a tenth, on a highlight
    draw(root / "v" / "f10.png", [])
    draw(root / "v" / "f11.png", [(0, 0, 4, 6, RED)])  # a hundredth
    draw(root / "v" / "f12.png", [(0, 0, 40, 48, RED)])  # four fifths
    return root


def rows_of(path):
    lines = path.read_text().splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#"))), lines


def test_coverage_verdicts_and_files(folder, tmp_path):
    out = tmp_path / "out"
    run = segment_frames(read_surgical(folder), Squares(), out)
    write_tables(run)
    rows, lines = rows_of(out / "coverage.csv")
    assert [(row["frame"], float(row["coverage_percent"]), row["verdict"]) for row in rows] == [
        ("v/f1.png", 25, "success"), ("v/f2.png", 27.5, "success"),
        ("v/f3.png", 10, "only highlights"),
        ("v/f10.png", 0, "no mask"), ("v/f11.png", 1, "too small"), ("v/f12.png", 80, "too large"),
    ]  # fmt: skip
    assert any("2 to 60 % of the picture, confidence >= 0.5" in line for line in lines[:3])
    assert any("0.82 of full scale" in line for line in lines[:3])
    masks, _ = rows_of(out / "masks.csv")
    assert [m["on_highlight"] for m in masks if m["frame"] == "v/f2.png"] == ["0", "1"]
    labels = np.asarray(Image.open(out / "masks" / "v" / "f2.png"))
    assert (labels[0, 0], labels[31, 31], labels[39, 59]) == (1, 2, 0)  # the largest is first
    assert len(list((out / "overlays" / "v").glob("*.jpg"))) == 6
    assert (out / "areas.png").stat().st_size > 1000


def test_the_summary_counts_by_resolution(folder, tmp_path):
    draw(folder / "w" / "a.png", [(0, 0, 20, 30, RED)])
    Image.open(folder / "w" / "a.png").resize((30, 20), 0).save(folder / "w" / "a.png")
    run = segment_frames(read_surgical(folder), Squares(), tmp_path / "out")
    rows = {(row[0], row[1]): row for row in summary_rows(run)}
    assert rows["all", ""][2:5] == (7, 3, pytest.approx(300 / 7))
    assert rows["resolution", "60x40p"][2:4] == (6, 2)
    assert rows["resolution", "30x20p"][2:4] == (1, 1)
    assert rows["group", "v"][2:4] == (6, 2)
    assert rows["all", ""][10:12] == (2, pytest.approx(200 / 7))  # masks on highlights, of 7
    assert list(rows)[1] == ("resolution", "30x20p")  # small ones first, by number


def test_low_confidence_is_no_success_and_none_is_not_asked(folder, tmp_path):
    pictures = read_surgical(folder)
    for confidence, wins in ((0.4, 0), (None, 2), (0.5, 2)):
        run = segment_frames(pictures, Squares(confidence=confidence), tmp_path / str(confidence))
        assert summary_rows(run)[0][3] == wins


def test_a_killed_run_goes_on_where_it_stopped(folder, tmp_path):
    out, pictures = tmp_path / "out", read_surgical(folder)
    with pytest.raises(KeyboardInterrupt):
        segment_frames(pictures, Squares(stop_at=3), out)
    with (out / DONE).open("a") as file:
        file.write('{"frame": "v/f10.png", "mas')  # killed while writing
    again = Squares()
    run = segment_frames(pictures, again, out)
    assert again.asked == 3
    assert [r["frame"] for r in run.records] == [f.name for f in pictures.frames]
    whole = segment_frames(pictures, Squares(), tmp_path / "whole")
    untimed = [[{**r, "seconds": 0} for r in one.records] for one in (run, whole)]
    assert untimed[0] == untimed[1]
    assert [json.loads(line)["frame"] for line in (out / DONE).read_text().splitlines()] == [
        f.name for f in pictures.frames
    ]


def test_another_model_does_not_mix_its_results_in(folder, tmp_path):
    pictures = read_surgical(folder)
    segment_frames(pictures, Squares(), tmp_path / "out")
    with pytest.raises(OutputError, match=r"results of another run \(model differ\)"):
        segment_frames(pictures, Squares("other"), tmp_path / "out")
    other = Squares("other")
    segment_frames(pictures, other, tmp_path / "out", overwrite=True)
    assert other.asked == 6


def test_a_damaged_picture_is_told_and_the_others_are_done(folder, tmp_path):
    path = folder / "v" / "f2.png"
    path.write_bytes(path.read_bytes()[:60])  # its header is whole
    run = segment_frames(read_surgical(folder), Squares(), tmp_path / "out")
    assert len(run.records) == 5
    assert len(run.problems) == 1
    assert "f2.png: cannot be decoded" in run.problems[0]


def test_dice_of_the_mask_that_fits_each_true_object_best(folder, tmp_path):
    truth = np.zeros(SIZE, np.uint8)
    truth[:20, :30], truth[30:36, 30:45] = 1, 2
    (tmp_path / "masks" / "v").mkdir(parents=True)
    Image.fromarray(truth).save(tmp_path / "masks" / "v" / "f2.png")
    run = segment_frames(read_surgical(folder), Squares(), tmp_path / "out")
    by_name = {r["frame"]: r["dice"] for r in run.records}
    assert by_name["v/f1.png"] is None
    assert by_name["v/f2.png"] == pytest.approx([1.0, 2 * 60 / (60 + 90)])


def test_more_masks_than_a_byte_holds():
    masks = [np.zeros((20, 20), bool) for _ in range(300)]
    for i, mask in enumerate(masks):
        mask.ravel()[i] = True
    labels = label_picture(masks, (20, 20))
    assert labels.dtype == np.uint16
    assert labels.ravel()[299] == 300


@pytest.mark.parametrize("numbers", [(60, 2), (-1, 60), (2, 101)])
def test_a_rule_that_cannot_be_is_refused(numbers):
    with pytest.raises(InputError, match="the smaller first"):
        SuccessRule(*numbers)
