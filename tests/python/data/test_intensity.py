from __future__ import annotations

import numpy as np
import pytest

from medseg.data.intensity import to_grey
from medseg.errors import InputError


def test_the_abdominal_window_runs_from_minus_160_to_240_hounsfield():
    values = np.array([[[-1000, -160, 40, 140, 240, 3000]]], np.int16)
    assert to_grey(values, "ct", window="abdomen").ravel().tolist() == [0, 0, 127, 191, 255, 255]


def test_the_lung_window_shows_what_the_abdominal_one_hides():
    values = np.array([[[-800.0, -600.0]]])
    assert np.ptp(to_grey(values, "ct", window="abdomen")) == 0
    assert np.ptp(to_grey(values, "ct", window="lung")) == 34  # 200 HU of 1500


def test_a_window_of_ones_own():
    assert to_grey(np.array([[[10.0, 20.0]]]), "ct", window=(15, 10)).ravel().tolist() == [0, 255]


def test_mr_keeps_zeros_and_cuts_both_ends_of_what_is_above():
    values = np.concatenate([np.zeros(5000), np.arange(1, 1001), [1e6]])[None, None]
    grey = to_grey(values, "mr").ravel()
    assert (grey[:5000] == 0).all()
    assert grey[-1] == 255
    # 1 to 1000 and one outlier: the percentiles 0.5 and 99.5 are at 6 and 996
    assert grey[5000:5006].max() == 0
    assert grey[5000 + 499] == pytest.approx(255 * (500 - 6) / 990, abs=1)
    assert (grey[5995:6000] == 255).all()


def test_nan_is_darkest():
    assert to_grey(np.array([[[np.nan, 0.0, 240.0]]]), "ct").ravel().tolist()[::2] == [102, 255]
    assert to_grey(np.array([[[np.nan, 3.0]]]), "pet").dtype == np.uint8


@pytest.mark.parametrize(
    ("values", "how", "words"),
    [
        (np.zeros((1, 1, 1)), {"modality": "grey"}, "no grey levels: say what it is"),
        (np.zeros((1, 1, 1)), {"modality": "xray"}, "choose of ct, mr, pet, grey"),
        (np.full((1, 1, 1), np.nan), {"modality": "mr"}, "holds no finite value"),
        (np.zeros((1, 1, 1)), {"modality": "ct", "window": "heart"}, "choose of abdomen"),
        (np.zeros((1, 1, 1)), {"modality": "ct", "window": (0, 0)}, "a width above 0"),
    ],
)
def test_what_cannot_be_shown_is_refused(values, how, words):
    with pytest.raises(InputError, match=words):
        to_grey(values, **how)
