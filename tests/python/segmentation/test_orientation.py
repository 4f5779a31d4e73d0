"""The probe is at the fan's narrow end, however the picture is turned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medseg.segmentation.orientation import probe_direction


@pytest.mark.parametrize("degrees", [0, 20, -20, 40, -40, 180, 160, -160])
def test_probe_is_found_in_turned_fans(make_fan, degrees):
    turned = ndimage.rotate(make_fan(200, 200).astype(float), -degrees, reshape=True, order=1) > 0.5
    row, column = probe_direction(turned)
    a = np.deg2rad(degrees)  # clockwise
    assert row * -np.cos(a) + column * np.sin(a) > np.cos(np.deg2rad(16))


def test_a_whole_frame_counts_as_scanned_from_above():
    assert probe_direction(np.ones((50, 60), bool)) == (-1.0, 0.0)
    assert probe_direction(np.zeros((50, 60), bool)) == (-1.0, 0.0)
