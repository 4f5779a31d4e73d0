from __future__ import annotations

import numpy as np
import pytest

from medseg.store.check_data import check_curves, check_times


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("times", "rate", "expected"),
    [
        ([0.0, 0.02, 0.04], 50.0, []),
        ([0.0, 0.02, 0.04], 50.04, []),  # within 1e-3
        ([0.0, 0.02, 0.04], 50.06, ["D4"]),
        ([0.0, 0.02, 0.5, 0.52], 50.0, []),  # the median does not mind a gap
        ([0.0], None, []),
        ([0.0, 0.02, 0.02], 50.0, ["D3"]),
        ([0.0, np.nan, 0.02], 50.0, ["D2"]),
    ],
)
def test_times(times, rate, expected):
    assert codes(check_times(np.array(times), rate)) == expected


def one_frame(status: int, **changes: float) -> dict[str, np.ndarray]:
    """An object of 10 pixels of 0.1 cm in one frame."""
    values = {
        "area_px": 10.0,
        "area_cm2": 0.1,
        "long_axis_px": 4.0,
        "long_axis_cm": 0.4,
        "confidence": 0.9,
        **changes,
    }
    curves = {name: np.array([[value]], np.float32) for name, value in values.items()}
    curves["disk_diameter_px"] = np.full((1, 1, 20), 3, np.float32)
    curves["disk_diameter_cm"] = np.full((1, 1, 20), 0.3, np.float32)
    curves["frame_time"] = np.zeros(1)
    curves["status"] = np.array([[status]], np.uint8)
    return curves


def check(curves: dict[str, np.ndarray], pixels: int = 10, measurable: bool = True) -> list[str]:
    attributes = {
        "frame_rate_hz": None,
        "pixel_aspect": 1,
        "spacing_cm": [0.1, 0.1],
        "object_names": ["a"],
        "quality": {"a": {"measurable": measurable}},
    }
    return codes(check_curves(curves, attributes, np.array([[pixels]])))


@pytest.mark.parametrize("status", [0, 3, 4])
def test_measured(status):
    assert check(one_frame(status)) == []


@pytest.mark.parametrize(
    ("area_px", "area_cm2", "expected"),
    [
        (10.0005, 0.100005, []),  # 5e-5 of it: rounding
        (10.002, 0.10002, ["D11"]),  # 2e-4 of it: not the mask's area
        (10.0, 0.10002, ["D12"]),
    ],
)
def test_tolerance(area_px, area_cm2, expected):
    assert check(one_frame(0, area_px=area_px, area_cm2=area_cm2)) == expected


@pytest.mark.parametrize(("status", "expected"), [(0, ["D13"]), (3, ["D13"]), (4, [])])
def test_what_is_not_measurable_has_no_measured_frame(status, expected):
    assert check(one_frame(status), measurable=False) == expected


def test_the_ends_of_confidence_are_allowed():
    assert check(one_frame(0, confidence=0.0)) == []
    assert check(one_frame(0, confidence=1.0)) == []
    assert check(one_frame(0, confidence=1.001)) == ["D10"]


def test_an_empty_mask_cannot_be_measured():
    assert check(one_frame(0), pixels=0) == ["D11"]
    assert check(one_frame(0, area_px=0.0, area_cm2=0.0), pixels=0) == ["D7", "D7"]
