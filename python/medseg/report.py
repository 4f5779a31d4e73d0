"""Has R write the one-page report of a segmentation store."""

from __future__ import annotations

from pathlib import Path

from medseg.errors import OutputError
from medseg.rscript import write_report
from medseg.store import open_segmentation


def report(store: Path, html: Path | None = None, *, overwrite: bool = True) -> Path:
    """Write the report and return its path, `<clip>.html` beside the store unless given.

    Raises StoreError for a store that cannot be used, OutputError where the page cannot be
    written, RUnavailable without R.
    """
    open_segmentation(store)  # a damaged store is refused before R is started
    target = html if html is not None else store.with_suffix(".html")
    if target.exists() and not overwrite:
        raise OutputError(f"{target}: exists already; name another file with --out")
    if not target.parent.is_dir():
        raise OutputError(f"{target.parent}: there is no such folder; make it first")
    write_report(store, target)
    if not target.is_file():
        raise OutputError(f"{target}: R ended without writing the report; is the disk full?")
    return target
