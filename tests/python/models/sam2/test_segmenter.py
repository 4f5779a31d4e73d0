from __future__ import annotations

import numpy as np
import pytest

import medseg
from medseg.clip import clip_from_array
from medseg.errors import InputError
from medseg.models.sam2 import (
    Prompt,
    Sam2Segmenter,
    from_automatic_masks,
    from_centre_box,
    from_model,
    given,
)
from medseg.sector import everything
from medseg.store import validate_segmentation


@pytest.fixture
def clip(frames):
    return clip_from_array(frames, name="discs", frame_rate_hz=25)


@pytest.fixture
def prompts():
    return [
        Prompt("disc", frame=3, box=(14, 15, 44, 45)),
        Prompt("red", frame=6, box=(50, 17, 70, 37)),
    ]


def test_the_engine_writes_a_valid_store_with_named_objects(sam2, clip, prompts, tmp_path):
    segmenter = Sam2Segmenter(sam2, given(prompts))
    found = medseg.segment(clip, segmenter, window=4, whole_frame=True)
    assert found.attrs["object_names"] == ["disc", "red"]
    assert found.attrs["model"]["training_data"] == "random weights"
    assert any("mean nothing" in warning for warning in found.attrs["warnings"])
    medseg.save_segmentation(found, tmp_path / "discs.zarr")
    assert not validate_segmentation(tmp_path / "discs.zarr")
    assert found["image"].shape == (10, 60, 80)
    there = np.isin(found["status"].values, (0, 3, 4))  # whether or not it may be believed
    np.testing.assert_array_equal(there, found["area_px"].values > 0)
    assert there.mean() > 0.5


def test_masks_do_not_depend_on_the_window(sam2, clip, prompts):
    segmenter = Sam2Segmenter(sam2, given(prompts))
    small = medseg.segment(clip, segmenter, window=3, whole_frame=True)
    large = medseg.segment(clip, segmenter, window=10, whole_frame=True)
    assert small["mask"].shape == large["mask"].shape == (2, 10, 60, 80)
    assert (small["mask"] == large["mask"]).mean() > 0.999


def test_frames_that_are_not_searched_are_missing_and_not_empty(sam2, clip, prompts):
    segmenter = Sam2Segmenter(sam2, given(prompts[:1]), direction="forward")
    found = medseg.segment(clip, segmenter, whole_frame=True)
    assert found["status"].values[0, :3].tolist() == [2, 2, 2]
    assert np.isnan(found["area_px"].values[0, :3]).all()
    assert any(
        "not searched for in 3 of 10 frames" in warning for warning in found.attrs["warnings"]
    )


class Half:
    """A model that sees the left half of frame 6 on, and nothing before."""

    name = "half"
    object_names = ("left_ventricle",)
    halo_s = 0.0

    def probabilities(self, frames, *, time_s, core, sector):
        found = np.zeros((core.stop - core.start, 1, 60, 80), np.float32)
        found[time_s[core] > 0.2, :, 10:50, :40] = 0.9
        return found


def test_another_models_mask_points_in_the_frame_where_it_is_surest(sam2, clip):
    (prompt,) = from_model(Half())(sam2, clip, everything(60, 80))
    assert prompt.object == "left_ventricle"
    assert prompt.frame > 5
    assert prompt.mask[10:50, :40].all() and prompt.mask.sum() == 40 * 40
    (boxed,) = from_model(Half(), frame=7, as_box=True)(sam2, clip, everything(60, 80))
    assert (boxed.frame, boxed.box) == (7, (0.0, 10.0, 40.0, 50.0))
    with pytest.raises(InputError, match="the model half sees nothing in frame 0"):
        from_model(Half(), frame=0)(sam2, clip, everything(60, 80))
    with pytest.raises(InputError, match="no frame 10 to prompt, only 0 to 9"):
        from_model(Half(), frame=10)(sam2, clip, everything(60, 80))


def test_the_centre_box_is_half_of_what_is_shown(sam2, clip):
    (prompt,) = from_centre_box()(sam2, clip, everything(60, 80))
    assert prompt.box == (20.0, 15.0, 60.0, 45.0)


def test_automatic_masks_are_followed_or_their_absence_is_said(sam2, clip):
    with pytest.raises(InputError, match="nothing in frame 0 is outlined steadily"):
        from_automatic_masks(points_per_side=2)(sam2, clip, everything(60, 80))
