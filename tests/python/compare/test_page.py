"""The page and the tables: whole in themselves, with names escaped and absences explained."""

from __future__ import annotations

import csv
import re

import pytest

from medseg.compare import (
    draw_all,
    find_runs,
    measure_runs,
    score_runs,
    weigh_runs,
    write_comparison,
)
from medseg.compare.html import number
from medseg.errors import InputError, OutputError

EVIL = '<script>alert("x")</script> & $co'


@pytest.fixture
def written(dataset, make_run, answers, tmp_path):
    """Compare runs and write everything; gives the folder."""

    def write(arguments: list[str], **options):
        runs = find_runs(arguments, out=tmp_path / "out", **options)
        compared = score_runs(runs, dataset, split="TEST")
        measured = measure_runs(compared, draws=100)
        costs = weigh_runs(compared.runs, None, None)
        pictures = draw_all(compared, measured, worst=1)
        write_comparison(compared, measured, costs, pictures, tmp_path / "out")
        return tmp_path / "out"

    return write


@pytest.fixture
def two(make_run, dataset):
    """A right run, and one with an odd name that is smaller, moved and lacks clip 5."""
    simulated = "simulated clips only; no patient was ever seen"
    right = make_run("right", training_data=simulated)
    wrong = make_run("wrong", shrink=2, right=3, clips=(2, 3, 4), training_data="<b>patients</b>")
    return [f"right={right}", f"{EVIL}={wrong}"]


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_the_page_is_whole_in_itself_and_escapes_every_name(written, two):
    text = (written(two) / "compare.html").read_text()
    assert "<script" not in text and "<b>" not in text
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; $co" in text
    assert "&lt;b&gt;patients&lt;/b&gt;" in text
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert "http" not in text
    # Bland-Altman and scatter of both, Dice, two curves, ED and ES of two clips by both
    assert text.count('src="data:image/png;base64,') >= 6
    assert text.count('src="data:image/jpeg;base64,') % 2 == 0 < text.count("image/jpeg")
    assert 'name="viewport"' in text and "@media print" in text and "@media (max-width" in text


def test_the_page_says_what_to_bear_in_mind(written, two):
    text = (written(two) / "compare.html").read_text()
    assert "For research. Not for clinical use." in text
    assert "right: trained on simulated clips only; no patient was ever seen." in text
    assert "The clips are simulated" in text
    assert "95 % interval" in text and "no p-value is given" in text
    assert "there is no store of it" in text  # clip 5, left out
    assert "network not known" in text


def test_the_tables_have_a_row_a_run_a_difference_and_a_clip(written, two, known):
    out = written(two, zero_shot=["right"])
    right, wrong = rows_of(out / "compare.csv")
    assert (right["run"], wrong["run"]) == ("right", EVIL)
    assert float(right["pooled_dice"]) == 1.0 > float(wrong["pooled_dice"])
    assert (right["clips"], right["pooled_dice_n"]) == ("3", "60")
    assert (right["training_seconds"], wrong["training_seconds"]) == ("0", "NA")
    assert "training_seconds: not on record" in wrong["missing"]
    assert "parameters: network not known" in right["missing"]
    (dice,) = [d for d in rows_of(out / "differences.csv") if d["measure"] == "pooled_dice"]
    assert float(dice["difference"]) == pytest.approx(1 - float(wrong["pooled_dice"]), abs=1e-5)
    assert (dice["excludes_zero"], dice["n_first"], dice["patients"]) == ("True", "60", "3")
    clips = rows_of(out / "per-video.csv")
    assert len(clips) == 8
    left = {row["run"]: row for row in clips if row["name"] == "clip5"}
    assert {row["compared"] for row in left.values()} == {"False"}
    assert left[EVIL]["reason"] == "there is no store of it"
    assert left["right"]["reason"] == f"{EVIL}: there is no store of it"
    assert float(left["right"]["pooled_dice"]) == 1.0  # what is known is kept


def test_what_cannot_be_drawn_or_written_is_one_line(written, two, dataset, make_run, tmp_path):
    runs = find_runs(two, out=tmp_path)
    compared = score_runs(runs, dataset, split="TEST")
    measured = measure_runs(compared, draws=100)
    with pytest.raises(InputError, match="--curve clip5: no clip of that name is compared"):
        draw_all(compared, measured, curves=["clip5"])
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another --out"):
        costs = weigh_runs(compared.runs, None, None)
        pictures = draw_all(compared, measured, worst=0)
        write_comparison(compared, measured, costs, pictures, tmp_path / "file" / "out")


def test_runs_without_masks_have_a_page_too(written, tmp_path, dataset):
    for name in ("a", "b"):
        rows = [f"clip{i},0,{45 + 9 * i}" for i in range(2, 6)]
        text = "\n".join(["FileName,start_frame,ef", *rows]) + "\n"
        (tmp_path / f"{name}.csv").write_text(text)
    out = written([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")])
    text = (out / "compare.html").read_text()
    assert "a table of EF holds no masks" in text
    assert "image/jpeg" not in text
    assert [row["run"] for row in rows_of(out / "compare.csv")] == ["a", "b"]


def test_numbers_have_a_true_minus_and_none_before_nothing():
    assert number(-1.5, 2) == "−1.50"
    assert number(-0.0001, 2) == "0.00"
