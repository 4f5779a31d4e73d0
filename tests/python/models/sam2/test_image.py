from __future__ import annotations

import warnings

import numpy as np
import pytest

from medseg.errors import InputError
from medseg.models.sam2 import Prompt, automatic_masks, encode_image, segment_encoded, segment_image


@pytest.fixture
def predictor(sam2):
    """The package's image predictor, its features' sizes mended: it has those of 1024 pixels."""
    with warnings.catch_warnings():  # newer torch tells the package that its scripts are old
        warnings.filterwarnings("ignore", r"`torch\.jit\.script`", FutureWarning)
        from sam2.sam2_image_predictor import SAM2ImagePredictor

        made = SAM2ImagePredictor(sam2.network)
    made._bb_feat_sizes = [(32, 32), (16, 16), (8, 8)]
    return made


def test_points_boxes_and_masks_give_the_packages_logits(sam2, frames, disc, predictor):
    found = segment_image(
        sam2,
        frames[0],
        [
            Prompt("one", points=((20, 30),), labels=(1,)),
            Prompt("two", points=((20, 30), (60, 15)), labels=(1, 0)),
            Prompt("boxed", box=(5, 15, 35, 45)),
        ],
    )
    predictor.set_image(frames[0])
    several, scores, _ = predictor.predict(
        np.array([[20.0, 30]]), np.array([1]), return_logits=True
    )
    both, _, _ = predictor.predict(
        np.array([[20.0, 30], [60, 15]]),
        np.array([1, 0]),
        multimask_output=False,
        return_logits=True,
    )
    boxed, sure, _ = predictor.predict(
        box=np.array([5.0, 15, 35, 45]), multimask_output=False, return_logits=True
    )
    np.testing.assert_allclose(found.logits[0], several[scores.argmax()], atol=1e-4)
    np.testing.assert_allclose(found.logits[1], both[0], atol=1e-4)
    np.testing.assert_allclose(found.logits[2], boxed[0], atol=1e-4)
    assert found.score[2] == pytest.approx(sure[0], abs=1e-5)
    assert found.object_names == ("one", "two", "boxed")
    assert (found.mask == (found.logits > 0)).all()


def test_a_mask_is_a_hint_as_large_as_the_picture(sam2, frames, disc):
    encoded = encode_image(sam2, frames[0])
    hinted = segment_encoded(encoded, [Prompt("disc", mask=disc)])
    inverse = segment_encoded(encoded, [Prompt("disc", mask=~disc)])
    assert hinted.logits.shape == (1, 60, 80)
    assert np.abs(hinted.logits - inverse.logits).max() > 0.1


def test_a_grey_picture_is_taken_as_rgb(sam2, frames):
    prompt = [Prompt("disc", box=(5, 15, 35, 45))]
    grey = frames[0][..., 0]
    colour = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(
        segment_image(sam2, grey, prompt).logits, segment_image(sam2, colour, prompt).logits
    )


def test_pictures_that_are_none_are_refused(sam2, frames):
    prompt = [Prompt("disc", box=(5, 15, 35, 45))]
    with pytest.raises(InputError, match="are float64, not uint8"):
        segment_image(sam2, frames[0] / 255, prompt)
    with pytest.raises(InputError, match="have shape"):
        segment_image(sam2, frames[0][..., :2], prompt)
    with pytest.raises(InputError, match=r"has frames 0 to 0"):
        segment_image(sam2, frames[0], [Prompt("disc", frame=1, box=(5, 15, 35, 45))])


def test_automatic_masks_come_largest_first_within_the_shares(sam2, frames):
    options = {"points_per_side": 3, "lowest_score": 0.0, "lowest_stability": 0.0}
    found = automatic_masks(sam2, frames[0], **options)
    assert found
    assert [mask.area_px for mask in found] == sorted((m.area_px for m in found), reverse=True)
    for mask in found:
        assert mask.mask.shape == (60, 80)
        assert mask.area_px == np.count_nonzero(mask.mask)
    assert not automatic_masks(sam2, frames[0], **options, largest_share=0.0)
