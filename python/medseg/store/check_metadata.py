"""Level Z of the specification: are the arrays declared as they must be?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from medseg.store.check_files import Documents, Listing
from medseg.store.findings import Finding
from medseg.store.layout import (
    ARRAYS,
    CHUNK_BYTES,
    IMAGE_BYTES,
    ROOT_FILES,
    chunk_count,
    chunk_keys,
    minor,
)
from medseg.store.schemas import schema_breaches

_RULE_OF_MEMBER = {
    "zarr_format": "Z1",
    "dtype": "Z3",
    "compressor": "Z4",
    "order": "Z5",
    "filters": "Z6",
    "dimension_separator": "Z7",
    "fill_value": "Z8",
    "_ARRAY_DIMENSIONS": "Z9",
    "shape": "Z10",
    "chunks": "Z11",
    "units": "Z14",
    "long_name": "Z14",
}


def present(documents: Documents) -> tuple[str, ...]:
    """Arrays of this version that the store has."""
    return tuple(name for name in ARRAYS if f"{name}/.zarray" in documents)


def shapes(documents: Documents) -> dict[str, tuple[int, ...]]:
    """Shape of each known array; call it when Z10 holds."""
    return {
        name: tuple(map(int, documents[f"{name}/.zarray"]["shape"])) for name in present(documents)
    }


def chunk_shapes(documents: Documents) -> dict[str, tuple[int, ...]]:
    """Chunk shape of each known array; call it when Z11 holds."""
    return {
        name: tuple(map(int, documents[f"{name}/.zarray"]["chunks"])) for name in present(documents)
    }


def axis_lengths(shape_of: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Length of each axis, as the first array that has it says."""
    lengths: dict[str, int] = {}
    for name, shape in shape_of.items():
        for axis, length in zip(ARRAYS[name].dims, shape, strict=True):
            lengths.setdefault(axis, length)
    return lengths


def check_metadata(documents: Documents, listing: Listing) -> list[Finding]:
    """Z1 to Z15; what needs sound shapes is checked only where they are sound."""
    found = list(dict.fromkeys(_check_schema(documents, minor(listing.version))))
    if not _has(found, "Z2", "Z10"):
        found += _check_lengths(documents)
    if _has(found, "Z2", "Z10"):
        return [finding for finding in found if finding.code != "Z11"]
    if not _has(found, "Z11"):
        found += _check_chunks(documents)
    if not _has(found, "Z11"):
        found += _check_listed(documents, listing)
    return found


def _has(found: list[Finding], *codes: str) -> bool:
    return any(finding.code in codes for finding in found)


def _check_schema(documents: Documents, minor_version: int) -> Iterator[Finding]:
    for breach in schema_breaches("array-metadata", documents):
        path = breach.path
        if not path:
            for document in breach.missing:
                yield Finding("Z2", document, "is missing")
        elif len(path) == 1 and breach.unknown:
            if minor_version == 0:
                said = f"holds {breach.unknown[0][:40]!r}, which version 1.0 does not know"
                yield Finding("Z15", path[0], said)
        elif len(path) == 1:
            for member in breach.missing:
                yield Finding(_RULE_OF_MEMBER[member], path[0], f"has no {member}")
        else:
            yield Finding(_RULE_OF_MEMBER[path[1]], path[0], f"{path[1]}: {breach.message}")


def _check_lengths(documents: Documents) -> Iterator[Finding]:
    shape_of = shapes(documents)
    lengths = axis_lengths(shape_of)
    for name, shape in shape_of.items():
        for axis, length in zip(ARRAYS[name].dims, shape, strict=True):
            if length != lengths[axis]:
                said = f"has {length} along {axis}, other arrays {lengths[axis]}"
                yield Finding("Z10", name, said)


def _check_chunks(documents: Documents) -> Iterator[Finding]:
    shape_of, chunk_of = shapes(documents), chunk_shapes(documents)
    for name, shape in shape_of.items():
        chunks = chunk_of[name]
        if ARRAYS[name].is_curve:
            if chunks != shape:
                yield Finding("Z11", name, f"is a curve of chunks {chunks}, not {shape}")
            continue
        *_, frames, height, width = shape
        per_chunk = chunks[-3]
        expected = (1, per_chunk, height, width)[-len(shape) :]
        if chunks != expected or per_chunk > frames:
            yield Finding("Z11", name, f"has chunks {chunks} for the shape {shape}")
        elif per_chunk > 1 and per_chunk * height * width > CHUNK_BYTES:
            yield Finding("Z11", name, "has chunks of more than 4 MiB")
        elif name == "image" and frames * height * width > IMAGE_BYTES:
            yield Finding("Z11", name, "holds more than 64 MiB")


def _check_listed(documents: Documents, listing: Listing) -> Iterator[Finding]:
    shape_of, chunk_of = shapes(documents), chunk_shapes(documents)
    files_of: dict[str, set[str]] = {}
    for path in listing.entries:
        files_of.setdefault(path.split("/", 1)[0] if "/" in path else "", set()).add(path)
    if minor(listing.version) == 0:
        for path in sorted(files_of.get("", set()) - set(ROOT_FILES)):
            yield Finding("Z13", path, "is no file of version 1.0")
    for folder, files in files_of.items():
        if folder and folder not in shape_of:
            if folder in ARRAYS or minor(listing.version) == 0:
                yield Finding("Z13", folder, "is no array of version 1.0")
        elif folder:
            yield from _check_folder(folder, files, shape_of[folder], chunk_of[folder])


def _check_folder(
    name: str, files: set[str], shape: tuple[int, ...], chunks: tuple[int, ...]
) -> Iterator[Finding]:
    held = files - {f"{name}/.zarray", f"{name}/.zattrs"}
    count = chunk_count(shape, chunks)
    if count > len(held):
        said = f"needs {count} chunks, the manifest lists {len(held)}"
        yield Finding("Z12", name, said)
        return
    keys = set(chunk_keys(name, shape, chunks))
    for path in sorted(keys - held):
        yield Finding("Z12", path, "is a chunk that the manifest does not list")
    for path in sorted(held - keys):
        yield Finding("Z13", path, "is no chunk of this array")
