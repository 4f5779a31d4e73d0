"""EF of many clips in one table: what is done stays, what fails is a line, a stop loses nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from medseg.clip import clip_from_array
from medseg.data import read_ef_table
from medseg.ejection import predict_clip_ef, predict_ef_table
from medseg.errors import ClipUnreadable, InputError, OutputError
from medseg.models.echonet_ef import EchoNetEF, EFPreparation, predict_ef, spread_starts

PLAIN = EFPreparation(mean=(0.0,) * 3, standard_deviation=(1 / 255,) * 3)  # pixels as they are


class MeanPixel(nn.Module):
    """Says the mean of all pixels that it is shown."""

    def __init__(self, times: float = 1.0):
        super().__init__()
        self.times = nn.Parameter(torch.tensor(times))

    def forward(self, clips):
        return self.times * clips.mean((1, 2, 3, 4))[:, None]


def model(times: float = 1.0) -> EchoNetEF:
    return EchoNetEF(MeanPixel(times), PLAIN, {"weights_sha256": None})


def counting(frames: int, name: str = "count", *, rate_hz: float = 50.0, first: int = 10):
    """A clip whose frame i has the grey level first + i."""
    levels = np.arange(first, first + frames, dtype=np.uint8)[:, None, None, None]
    pictures = np.broadcast_to(levels, (frames, 112, 112, 3)).copy()
    return clip_from_array(pictures, name=name, frame_rate_hz=rate_hz)


def sources(**clips):
    return [(name, lambda clip=clip: clip) for name, clip in clips.items()]


def test_a_clip_read_in_windows_gives_what_its_whole_gives(monkeypatch):
    clip = counting(90)
    whole = predict_ef(model(), clip.read(0, 90))
    monkeypatch.setattr("medseg.ejection.WINDOW_PIXELS", 112 * 112 * 7)
    windows = predict_clip_ef(model(), clip)
    np.testing.assert_allclose(windows.ef_percent, whole.ef_percent, atol=1e-4)
    # frames s, s + 2, ... s + 62 of levels 10 + frame
    np.testing.assert_allclose(windows.ef_percent, windows.start + 31 + 10, atol=1e-3)


def test_starts_are_spread_from_the_first_to_the_last():
    starts = np.arange(38)
    assert spread_starts(starts, None).tolist() == starts.tolist()
    assert spread_starts(starts, 3).tolist() == [0, 18, 37]
    assert spread_starts(starts, 1).tolist() == [19]
    assert spread_starts(starts[:2], 10).tolist() == [0, 1]
    with pytest.raises(InputError, match="0 clips of a video"):
        spread_starts(starts, 0)


def test_the_table_has_a_row_a_start_and_its_mean_is_the_clip_s_ef(tmp_path):
    out = tmp_path / "ef.csv"
    result = predict_ef_table(model(), sources(a=counting(70), b=counting(66)), out)
    assert (result.done, result.kept, result.failed, result.warnings) == (2, 0, [], [])
    assert out.read_text().splitlines()[0] == "FileName,start_frame,ef"
    table = read_ef_table(out)
    assert table.start_frame["a"] == tuple(range(70 - 63 + 1))
    assert table.ef_percent["b"] == pytest.approx((41.0, 42.0, 43.0, 44.0))
    assert table.mean_ef_percent("b") == pytest.approx(42.5)
    assert table.mean_ef_percent("c") is None
    assert [p.name for p in tmp_path.iterdir()] == ["ef.csv"]
    with pytest.raises(OutputError, match="exists already"):
        predict_ef_table(model(), sources(a=counting(70)), out)


def test_short_and_slow_clips_are_said_to_be(tmp_path):
    clips = sources(short=counting(40), slow=counting(70, rate_hz=30.0))
    result = predict_ef_table(model(), clips, tmp_path / "ef.csv")
    assert result.warnings[0] == "short: has 40 frames, fewer than 64; padded by reflection"
    assert result.warnings[1].startswith("slow: 30 frames a second; the published sampling counts")


def test_a_clip_that_fails_is_a_line_and_the_others_are_kept(tmp_path):
    def broken():
        raise ClipUnreadable("b.avi: not a clip")

    out = tmp_path / "ef.csv"
    clips = [*sources(a=counting(64)), ("b", broken), *sources(c=counting(64)),
             *sources(a=counting(64))]  # fmt: skip
    result = predict_ef_table(model(), clips, out)
    assert result.failed == ["b.avi: not a clip", "a: another clip of this run has that name"]
    assert sorted(read_ef_table(out).ef_percent) == ["a", "c"]
    nothing = predict_ef_table(model(), [("b", broken)], tmp_path / "none.csv")
    assert nothing.done == 0
    assert [p.name for p in tmp_path.iterdir()] == ["ef.csv"]


def test_a_stopped_run_leaves_no_table_and_goes_on_where_it_was(tmp_path):
    def stop():
        raise KeyboardInterrupt

    out, opened = tmp_path / "ef.csv", []

    def opening(name):
        opened.append(name)
        return counting(64)

    first = [(name, lambda name=name: opening(name)) for name in ("a", "b")]
    with pytest.raises(KeyboardInterrupt):
        predict_ef_table(model(), [*first, ("c", stop)], out)
    assert not out.exists()
    (stage,) = tmp_path.iterdir()
    stage.write_text(stage.read_text()[:-4])  # killed within b's last line
    last = [("c", lambda: opening("c"))]
    result = predict_ef_table(model(), [*first, *last], out)
    assert opened == ["a", "b", "b", "c"]  # b, which was cut short, again
    assert (result.done, result.kept) == (3, 1)
    assert {name: len(ef) for name, ef in read_ef_table(out).ef_percent.items()} == {
        "a": 2, "b": 2, "c": 2,
    }  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["ef.csv"]


def test_what_other_weights_did_is_not_gone_on_with(tmp_path):
    def stop():
        raise KeyboardInterrupt

    out = tmp_path / "ef.csv"
    with pytest.raises(KeyboardInterrupt):
        predict_ef_table(model(), [*sources(a=counting(64)), ("b", stop)], out)
    result = predict_ef_table(model(0.5), sources(a=counting(64)), out)
    assert result.kept == 0
    assert read_ef_table(out).mean_ef_percent("a") == pytest.approx(41.5 / 2)


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(OutputError, match="choose another --out"):
        predict_ef_table(model(), sources(a=counting(64)), tmp_path / "none" / "ef.csv")
