"""A report is asked of R only for a store that is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from medseg import report as module
from medseg.errors import OutputError, RUnavailable, StoreNotFound
from medseg.report import report
from medseg.segmentation import segment_to_store


@pytest.fixture
def store(beating_clip, thresholder, tmp_path) -> Path:
    return segment_to_store(beating_clip[0], tmp_path, segmenter=thresholder)


def test_the_page_lies_beside_the_store_unless_named(store, monkeypatch):
    asked = []

    def write(given: Path, html: Path) -> None:
        asked.append((given, html))
        html.write_text("<html>")

    monkeypatch.setattr(module, "write_report", write)
    assert report(store) == store.with_suffix(".html")
    assert report(store, store.parent / "other.html").read_text() == "<html>"
    assert [given for given, _ in asked] == [store, store]


def test_a_missing_store_is_refused_before_r_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StoreNotFound):
        report(tmp_path / "none.zarr")


def test_without_r_the_cure_is_named(store, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RUnavailable, match="install R"):
        report(store)
    assert not store.with_suffix(".html").exists()


def test_a_page_that_cannot_be_written_is_one_clear_error(store, monkeypatch):
    with pytest.raises(OutputError, match="no such folder"):
        report(store, store.parent / "no" / "a.html")
    monkeypatch.setattr(module, "write_report", lambda store, html: None)
    with pytest.raises(OutputError, match="without writing"):
        report(store)
