"""Frame times of a DICOM clip: which attribute is believed, and which is passed over."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from medseg.decode.dicom_time import dicom_frame_times


def dataset(**tags: object) -> Dataset:
    ds = Dataset()
    for keyword, value in tags.items():
        setattr(ds, keyword, value)
    return ds


def test_vector_is_summed_up_in_milliseconds_and_begins_at_zero() -> None:
    ds = dataset(FrameTimeVector=[0, 20, 30, 25])
    times, source, notes = dicom_frame_times(ds, 4)
    np.testing.assert_allclose(times, [0, 0.020, 0.050, 0.075])
    assert (source, notes) == ("FrameTimeVector", ())


def test_vector_whose_first_entry_is_an_interval_too_begins_at_zero() -> None:
    times, _, _ = dicom_frame_times(dataset(FrameTimeVector=[20, 20, 20]), 3)
    np.testing.assert_allclose(times, [0, 0.02, 0.04])


@pytest.mark.parametrize(
    ("tags", "source", "interval_s"),
    [
        ({"FrameTime": "33.333"}, "FrameTime", 0.033333),
        ({"RecommendedDisplayFrameRate": 50}, "RecommendedDisplayFrameRate", 0.02),
        ({"CineRate": 25}, "CineRate", 0.04),
        ({"CineRate": 25, "RecommendedDisplayFrameRate": 25, "FrameTime": 40}, "FrameTime", 0.04),
        ({"CineRate": 50, "RecommendedDisplayFrameRate": 50}, "RecommendedDisplayFrameRate", 0.02),
        ({"FrameTime": 40, "FrameTimeVector": [0, 40, 40]}, "FrameTimeVector", 0.04),
    ],
)
def test_order_of_belief(tags: dict, source: str, interval_s: float) -> None:
    times, found, notes = dicom_frame_times(dataset(**tags), 3)
    assert found == source
    np.testing.assert_allclose(times, np.arange(3) * interval_s)
    assert notes == ()


@pytest.mark.parametrize(
    "nonsense",
    [
        {"FrameTime": "0"},
        {"FrameTime": "-33.3"},
        {"FrameTime": "0.0333"},  # seconds where milliseconds belong
        {"FrameTime": "60000"},
        {"FrameTimeVector": [0, 40]},
        {"FrameTimeVector": [0, 40, -40]},
        {"FrameTimeVector": [0, 40, 0]},
        {"RecommendedDisplayFrameRate": 0},
    ],
)
def test_nonsense_is_passed_over_with_a_warning_and_the_next_is_asked(nonsense: dict) -> None:
    times, source, notes = dicom_frame_times(dataset(**nonsense, CineRate=25), 3)
    assert source == "CineRate"
    np.testing.assert_allclose(times, [0, 0.04, 0.08])
    assert len(notes) == 1
    assert notes[0].startswith(next(iter(nonsense)))


@pytest.mark.filterwarnings("ignore:Invalid value")
@pytest.mark.parametrize("words", [b"nan", b"inf", b"fast", b"1e400"])
def test_words_where_a_number_belongs_are_passed_over(words: bytes) -> None:
    ds = dataset(CineRate=25)
    ds[Tag("FrameTime")] = RawDataElement(Tag("FrameTime"), "DS", len(words), words, 0, False, True)
    _, source, notes = dicom_frame_times(ds, 3)
    assert source == "CineRate"
    assert len(notes) == 1


def test_nothing_there_is_unknown_and_never_a_guess() -> None:
    assert dicom_frame_times(dataset(), 3) == (None, "unknown", ())


def test_single_frame_asks_no_attribute() -> None:
    times, source, _ = dicom_frame_times(dataset(FrameTime="40"), 1)
    assert (times.tolist(), source) == ([0.0], "single frame")


def test_attributes_that_disagree_are_told() -> None:
    _, source, notes = dicom_frame_times(dataset(FrameTime="40", CineRate=50), 3)
    assert source == "FrameTime"
    assert len(notes) == 1
    assert "25" in notes[0] and "50" in notes[0]
