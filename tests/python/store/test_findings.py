from __future__ import annotations

import pytest

from medseg import errors
from medseg.store.findings import INCOMPLETE, NOT_FOUND, Finding, Refused, stop_at, typed_error


@pytest.mark.parametrize(
    ("finding", "kind", "message"),
    [
        (NOT_FOUND, errors.StoreNotFound, "a.zarr: no such segmentation store; check the path"),
        (
            Finding("F6", "mask/0.0.0.0", "has 3 bytes, not 4"),
            errors.StoreDamaged,
            "a.zarr: mask/0.0.0.0 has 3 bytes, not 4 (F6); "
            "copy the store again, or segment the clip again",
        ),
        (
            Finding("F3", "manifest.json", "says version '2.0', this release reads 1.x"),
            errors.StoreVersionUnsupported,
            "a.zarr: manifest.json says version '2.0', this release reads 1.x (F3); "
            "update medseg to read it",
        ),
    ],
)
def test_the_line_a_person_sees(finding, kind, message):
    error = typed_error("a.zarr", finding)
    assert type(error) is kind
    assert str(error) == message


def test_an_unfinished_store_is_said_to_be_unfinished():
    error = typed_error("a.zarr", INCOMPLETE)
    assert type(error) is errors.StoreIncomplete
    assert "never finished" in str(error)


def test_not_found_is_also_pythons_own_error():
    with pytest.raises(FileNotFoundError):
        raise typed_error("a.zarr", NOT_FOUND)


def test_stop_at_stops_only_at_findings():
    stop_at([])
    with pytest.raises(Refused):
        stop_at([INCOMPLETE])
