"""The curve's picture is written, carries the verdict, and never fails on gaps."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from medseg.clip import clip_from_array
from medseg.errors import OutputError
from medseg.figures import area_curve, save_curve_png, save_distributions_png, verdict_line
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
