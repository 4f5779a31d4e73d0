"""Event times matched by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medseg.metrics import match_events


def test_events_match_one_to_one_within_a_tenth_of_a_second():
    true = np.array([0.1, 1.0, 2.0, 3.0])
    found = np.array([1.05, 1.08, 2.11, 3.09])
    count = match_events(found, true, counted_s=(0.25, 3.75))
    # 1.05 takes 1.0, 1.08 is left over; 2.11 is too late; 0.1 is too near to the end to count
    assert (count.true, count.true_found) == (3, 2)
    assert (count.detected, count.detected_true) == (4, 2)
    assert count.sensitivity == pytest.approx(2 / 3)
    assert count.precision == pytest.approx(0.5)


def test_an_event_outside_the_counted_span_may_still_match_one_inside():
    count = match_events(np.array([0.24]), np.array([0.26]), counted_s=(0.25, 2.0))
    assert (count.true, count.true_found, count.detected) == (1, 1, 0)


def test_no_events_at_all_have_no_sensitivity():
    count = match_events(np.zeros(0), np.zeros(0), counted_s=(0.0, 1.0))
    assert np.isnan(count.sensitivity)
    assert np.isnan((count + count).precision)
