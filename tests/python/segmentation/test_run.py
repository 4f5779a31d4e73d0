"""What the engine measures on beating bullets whose truth is known, in memory and in a store."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import xarray as xr

import medseg
from medseg.clip import clip_from_array
from medseg.errors import ClipUnreadable, FrameNotDecoded, FrameTimesUnknown, OutputError
from medseg.segmentation import segment, segment_to_store
from medseg.segmentation import windows as windows_module

MEASURES = ("area_px", "long_axis_px", "confidence", "area_cm2", "long_axis_cm")


def verdict(ds: xr.Dataset) -> set[str]:
    quality = ds.attrs["quality"]["left_ventricle"]
    codes = {reason["code"] for reason in quality["reasons"]}
    assert quality["measurable"] == (not codes)
    if codes:
        assert set(np.unique(ds["status"])) <= {1, 2, 4}
    return codes


def test_the_truth_comes_back_measured(beating_clip, thresholder):
    clip, truth = beating_clip
    ds = segment(clip, thresholder)
    mask = ds["mask"].values[0].astype(bool)
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.99
    assert ds["area_px"].values[0] == pytest.approx(truth.sum(axis=(1, 2)), rel=0.02)
    assert ds["area_cm2"].values[0] == pytest.approx(truth.sum(axis=(1, 2)) * 0.01, rel=0.02)
    assert ds["long_axis_cm"].values[0, 0] == pytest.approx(0.55 * 112 * 0.1, rel=0.02)
    assert set(np.unique(ds["status"])) == {0}
    assert verdict(ds) == set()


def test_the_store_holds_what_memory_holds(beating_clip, thresholder, tmp_path):
    clip, _ = beating_clip
    ds = segment(clip, thresholder, subject_key="s1")
    path = segment_to_store(clip, tmp_path / "new", segmenter=thresholder, subject_key="s1")
    assert path == tmp_path / "new" / "bullet.zarr"
    assert medseg.validate_segmentation(path) == []
    stored = medseg.open_segmentation(path)
    for name in ds.variables:
        xr.testing.assert_identical(ds[name].variable, stored[name].variable.load())
    ours = {**ds.attrs, "created": None}
    assert ours == {**stored.attrs, "created": None}
    assert (ds.attrs["view"], ds.attrs["view_source"]) == ("A4C", "given")
    saved = medseg.save_segmentation(ds, tmp_path / "saved.zarr")
    assert medseg.validate_segmentation(saved) == []


@pytest.mark.parametrize("size", [7, 64, 1000])
def test_the_window_does_not_change_the_measures(beating_clip, thresholder, size):
    clip, _ = beating_clip
    small, whole = segment(clip, thresholder, window=size), segment(clip, thresholder, window=100)
    for name in ("mask", *MEASURES):
        assert np.array_equal(small[name], whole[name], equal_nan=True), name


def test_the_network_is_given_the_neighbours_that_it_asks_for(beating_clip, make_thresholder):
    clip, _ = beating_clip
    model = make_thresholder()
    segment(clip, model, window=20)
    lengths = [frames for frames, _ in model.seen]
    assert lengths[1] >= 20 + 2 * 5  # 0.1 s at 50 Hz on each side
    cores = sum(core.stop - core.start for _, core in model.seen)
    assert cores < 1.2 * 100  # and hardly any frame is computed twice


def test_a_clip_without_times_is_refused_with_the_cure(beating_clip, thresholder):
    frames = beating_clip[0].read(0, 10)
    with pytest.raises(FrameTimesUnknown, match="--fps"):
        segment(clip_from_array(frames), thresholder)


def test_a_black_clip_is_refused_in_one_line(thresholder):
    clip = clip_from_array(np.zeros((90, 64, 64), np.uint8), name="night", frame_rate_hz=50.0)
    with pytest.raises(ClipUnreadable, match="night: every frame is black"):
        segment(clip, thresholder)


def test_a_damaged_frame_is_missing_and_no_zero(beating_clip, thresholder):
    clip, _ = beating_clip

    def read(start, stop):
        if start <= 30 < stop:
            raise FrameNotDecoded("frame 30")
        return clip.read(start, stop)

    ds = segment(replace(clip, read=read), thresholder)
    assert ds["status"].values[0, 30] == 2
    assert all(np.isnan(ds[name].values[0, 30]) for name in MEASURES)
    assert not ds["mask"].values[0, 30].any()
    assert np.count_nonzero(ds["status"].values[0] == 0) == 99
    assert "1 of 100 frames could not be decoded" in ds.attrs["warnings"]
    assert verdict(ds) == set()


def test_a_frame_without_the_object_has_status_1(beating_clip, thresholder):
    frames = beating_clip[0].read(0, 100)
    hidden = frames[10].copy()
    hidden[(hidden.max(axis=2) == 20)] = 150
    frames[10] = hidden
    ds = segment(clip_from_array(frames, frame_rate_hz=50.0), thresholder)
    assert ds["status"].values[0, 10] == 1
    assert ds["area_px"].values[0, 10] == 0
    assert np.isnan(ds["long_axis_px"].values[0, 10])


def test_an_unsure_network_is_not_believed(beating_clip, make_thresholder):
    assert "low_confidence" in verdict(segment(beating_clip[0], make_thresholder(certain=0.55)))


def test_noise_a_still_and_a_single_frame_are_not_measurable(beating_clip, thresholder):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (40, 80, 80, 3)).astype(np.uint8)
    assert verdict(segment(clip_from_array(noise, frame_rate_hz=50.0), thresholder))
    assert "sector_not_found" in verdict(
        segment(clip_from_array(noise[:, 10:70], frame_rate_hz=50.0), thresholder)
    )
    still = np.repeat(beating_clip[0].read(0, 1), 40, axis=0)
    assert verdict(segment(clip_from_array(still, frame_rate_hz=50.0), thresholder)) == {"static"}
    single = segment(clip_from_array(still[:1]), thresholder)
    assert verdict(single) == {"few_frames"}
    assert single.attrs["frame_rate_hz"] is None


def test_two_sectors_are_a_split_screen(make_beating, thresholder):
    frames = make_beating(40)[0]
    both = clip_from_array(np.concatenate([frames, frames], axis=2), frame_rate_hz=50.0)
    assert "split_screen" in verdict(segment(both, thresholder))


def test_a_mask_at_the_sectors_edge_is_flagged_and_still_measured(make_beating, thresholder):
    frames, _ = make_beating(40)
    inside = frames.any(axis=(0, 3))
    moved = np.roll(frames, -30, axis=2) * inside[None, ..., None]
    ds = segment(clip_from_array(moved, frame_rate_hz=50.0), thresholder)
    assert 3 in ds["status"]
    assert np.isfinite(ds["long_axis_px"]).all()
    assert any("touches the sector's edge in" in warning for warning in ds.attrs["warnings"])


def test_oblong_pixels_reach_the_store_as_aspect(make_beating, thresholder, tmp_path):
    frames, truth = make_beating(40)
    clip = clip_from_array(frames, name="oblong", frame_rate_hz=50.0, spacing_cm=(0.06, 0.05))
    path = segment_to_store(clip, tmp_path, segmenter=thresholder)
    assert medseg.validate_segmentation(path) == []
    stored = medseg.open_segmentation(path)
    assert stored.attrs["pixel_aspect"] == pytest.approx(1.2)
    cm2 = truth.sum(axis=(1, 2)) * 0.06 * 0.05
    assert stored["area_cm2"].values[0] == pytest.approx(cm2, rel=0.02)


def test_an_existing_store_is_kept_unless_told_otherwise(beating_clip, thresholder, tmp_path):
    clip, _ = beating_clip
    path = segment_to_store(clip, tmp_path / "x.zarr", segmenter=thresholder)
    before = (path / "manifest.json").read_bytes()
    with pytest.raises(OutputError, match="--overwrite"):
        segment_to_store(clip, path, segmenter=thresholder)
    assert (path / "manifest.json").read_bytes() == before
    segment_to_store(clip, path, segmenter=thresholder, view="A2C", overwrite=True)
    assert medseg.open_segmentation(path).attrs["view"] == "A2C"


def test_a_failure_midway_leaves_nothing(beating_clip, thresholder, tmp_path):
    clip, _ = beating_clip

    class Breaking(type(thresholder)):
        def probabilities(self, frames, *, time_s, core, sector):
            if self.seen:
                raise RuntimeError("out of memory")
            return super().probabilities(frames, time_s=time_s, core=core, sector=sector)

    with pytest.raises(RuntimeError, match="memory"):
        segment_to_store(clip, tmp_path, segmenter=Breaking(), window=20)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_one_clear_error(beating_clip, thresholder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another --out"):
        segment_to_store(beating_clip[0], tmp_path / "file" / "out", segmenter=thresholder)


def test_frames_held_at_once_do_not_grow_with_the_clip(make_beating, thresholder, monkeypatch):
    monkeypatch.setattr(windows_module, "WINDOW_BYTES", 10 * 64 * 64 * 3)
    frames, _ = make_beating(150, height=64, width=64)
    clip = clip_from_array(frames, frame_rate_hz=50.0)
    segment(clip, thresholder)
    assert max(frames for frames, _ in thresholder.seen) <= 10 + 2 * 8


def test_the_function_is_reached_even_after_its_package_was_imported(beating_clip, thresholder):
    import_module("medseg.segmentation")
    assert medseg.segment is segment
    assert callable(medseg.segment)
