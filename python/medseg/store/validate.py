"""Check a whole store against the specification, every file and every value."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike

import numpy as np

from medseg.store.check_attributes import check_attributes
from medseg.store.check_data import check_curves
from medseg.store.check_files import (
    Documents,
    Listing,
    check_all_files,
    read_documents,
    read_manifest,
)
from medseg.store.check_metadata import (
    axis_lengths,
    check_metadata,
    chunk_shapes,
    present,
    shapes,
)
from medseg.store.chunks import read_chunk
from medseg.store.findings import Finding, Refused, stop_at
from medseg.store.folder import Folder, open_folder
from medseg.store.layout import ARRAYS, chunk_keys


def validate_segmentation(path: str | PathLike[str]) -> list[Finding]:
    """Everything that is wrong with a store; an empty list means that it is valid.

    The levels of SPEC.md (F files, Z metadata, A attributes, D data) are checked in that order,
    and checking stops after the first level that has findings.
    """
    try:
        _validate(open_folder(path))
    except Refused as refused:
        return refused.findings
    return []


def _validate(folder: Folder) -> None:
    listing = read_manifest(folder)
    stop_at(check_all_files(folder, listing))
    documents = read_documents(folder, listing)
    stop_at(check_declarations(documents, listing))
    stop_at(_check_data(folder, listing, documents))


def check_declarations(documents: Documents, listing: Listing) -> list[Finding]:
    """Levels Z and A."""
    found = check_metadata(documents, listing)
    if found:
        return found
    return check_attributes(
        documents[".zattrs"],
        version=listing.version,
        arrays=present(documents),
        lengths=axis_lengths(shapes(documents)),
    )


def _check_data(folder: Folder, listing: Listing, documents: Documents) -> list[Finding]:
    """Level D, one chunk in memory at a time."""
    attributes = documents[".zattrs"]
    shape_of, chunk_of = shapes(documents), chunk_shapes(documents)
    objects, frames = shape_of["status"]
    pixel_count = np.zeros((objects, frames), dtype=np.int64)
    curves: dict[str, np.ndarray] = {}
    undecoded: list[Finding] = []
    beyond_one: list[Finding] = []
    for name, path in _chunk_paths(shape_of, chunk_of):
        try:
            chunk = read_chunk(folder, listing, path, chunk_of[name])
        except Refused as refused:
            undecoded += refused.findings
            continue
        if ARRAYS[name].is_curve:
            curves[name] = chunk
        elif name == "mask":
            row, block = map(int, path.split("/")[1].split(".")[:2])
            start = block * chunk.shape[1]
            inside = chunk[0, : frames - start]  # (F, y, x), without the padding of the last chunk
            if inside.max(initial=0) > 1:
                beyond_one.append(Finding("D5", path, "holds values other than 0 and 1"))
            stop = start + inside.shape[0]
            pixel_count[row, start:stop] = np.count_nonzero(inside, axis=(1, 2))
    if undecoded:
        return undecoded
    counts = None if beyond_one else pixel_count
    return [*beyond_one, *check_curves(curves, attributes, counts)]


def _chunk_paths(
    shape_of: dict[str, tuple[int, ...]], chunk_of: dict[str, tuple[int, ...]]
) -> Iterator[tuple[str, str]]:
    for name, shape in shape_of.items():
        for path in chunk_keys(name, shape, chunk_of[name]):
            yield name, path
