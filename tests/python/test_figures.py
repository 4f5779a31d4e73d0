"""The curve's picture is written, carries the verdict, and never fails on gaps."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from medseg.clip import clip_from_array
from medseg.errors import OutputError
from medseg.figures import (
    area_curve,
    save_bland_altman_png,
    save_curve_png,
    save_distributions_png,
    save_roc_png,
    save_scatter_png,
    verdict_line,
)
from medseg.segmentation import segment


def test_a_calibrated_curve_is_in_square_centimetres(beating_clip, thresholder, tmp_path):
    clip, truth = beating_clip
    ds = segment(clip, thresholder)
    area, unit = area_curve(ds, 0)
    assert unit == "cm²"
    assert area == pytest.approx(truth.sum(axis=(1, 2)) * 0.01, rel=0.02)
    save_curve_png(ds, tmp_path / "c.png", title="bullet")
    picture = np.asarray(Image.open(tmp_path / "c.png").convert("RGB")).astype(int)
    blue = (picture[..., 2] - picture[..., 0] > 80).any(axis=0)
    assert blue.mean() > 0.75  # the curve spans the picture


def test_an_uncalibrated_curve_is_in_pixels(beating_clip, thresholder):
    frames = beating_clip[0].read(0, 20)
    ds = segment(clip_from_array(frames, frame_rate_hz=50.0), thresholder)
    assert area_curve(ds, 0)[1] == "px²"


def test_the_verdict_names_every_reason(beating_clip, make_thresholder, tmp_path):
    clip, _ = beating_clip
    assert verdict_line(segment(clip, make_thresholder()).attrs, 0) == ""
    ds = segment(clip, make_thresholder(certain=0.55))
    assert verdict_line(ds.attrs, 0).startswith("not measurable: median confidence")
    ds["area_cm2"][:] = np.nan
    save_curve_png(ds, tmp_path / "c.png", title="nothing")
    assert (tmp_path / "c.png").stat().st_size > 3000


def test_an_unwritable_place_is_one_clear_error(beating_clip, thresholder, tmp_path):
    ds = segment(beating_clip[0], thresholder)
    (tmp_path / "no").write_text("a file where the folder would be")
    with pytest.raises(OutputError, match="choose another --out"):
        save_curve_png(ds, tmp_path / "no" / "c.png", title="x")


def test_a_data_sets_spread_is_drawn_by_split(tmp_path):
    path = tmp_path / "spread.png"
    save_distributions_png(
        path,
        title="three clips",
        histograms={"EF (%)": {"TRAIN": [55.0, 60.0], "TEST": [40.0]}, "frames": {"TRAIN": []}},
        bars={"clips": {"TRAIN": 2, "TEST": 1}, "sizes": {"112 x 112": 3}},
    )
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    train = (picture == (0x0B, 0x6E, 0x99)).all(axis=2).sum()
    test = (picture == (0xD1, 0x76, 0x0C)).all(axis=2).sum()
    assert train > 1.5 * test > 0


def colour_share(path, rgb) -> float:
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return float((np.abs(picture - np.array(rgb)).max(axis=2) < 8).mean())


def rows_with(path, rgb) -> np.ndarray:
    """The rows of a picture that a line of this colour crosses for most of its width."""
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return np.flatnonzero((np.abs(picture - np.array(rgb)).max(axis=2) < 40).mean(axis=1) > 0.4)


def test_bland_altman_draws_bias_and_limits_where_they_are(tmp_path):
    truth = np.array([30.0, 40.0, 50.0, 60.0])
    path = tmp_path / "b.png"
    words = {"name": "EF", "unit": "%", "difference_unit": "points"}
    save_bland_altman_png(truth + 4, truth, path, bias=4.0, limits=(0.0, 8.0), **words)
    orange = rows_with(path, (209, 118, 12))
    steps = np.flatnonzero(np.diff(orange) > 10)
    assert len(steps) == 2  # three lines
    middle = [part.mean() for part in np.split(orange, steps + 1)]
    assert middle[1] - middle[0] == pytest.approx(middle[2] - middle[1], abs=2)
    save_bland_altman_png(truth, truth, path, bias=0.0, limits=(np.nan, np.nan), **words)
    assert np.ptp(rows_with(path, (209, 118, 12))) < 10  # one line


def test_scatter_and_roc_are_drawn(tmp_path):
    truth = np.linspace(20, 70, 300)
    save_scatter_png(truth - 3, truth, tmp_path / "s.png", note="MAE 3", name="EF", unit="%")
    assert (tmp_path / "s.png").stat().st_size > 5000
    corner = {"perfect": (np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]))}
    save_roc_png(corner, tmp_path / "r.png", title="ROC")
    assert colour_share(tmp_path / "r.png", (11, 110, 153)) > 0.003


def test_a_figure_that_cannot_be_written_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        save_roc_png({}, tmp_path / "file" / "r.png", title="ROC")
