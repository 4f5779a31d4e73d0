"""A store as values in memory, and its encoding to files whose bytes never depend on zlib."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medseg.store import layout
from medseg.store.manifest import entry, json_bytes, manifest_bytes

Files = dict[str, bytes]

PLAIN_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
NAMED_HEADER = b"\x1f\x8b\x08\x08\x40\xe2\x01\x00\x02\x03" + b"chunk.bin\x00"  # time and file name


@dataclass
class Draft:
    """Attributes and arrays of one store; ``documents`` is filled by ``encode``."""

    attributes: dict[str, Any]
    arrays: dict[str, np.ndarray]
    chunk_frames: int = 3
    version: str = layout.SCHEMA_VERSION
    gzip_header: bytes = PLAIN_HEADER
    edit_metadata: Callable[[dict[str, Any]], None] | None = None
    extra_arrays: dict[str, tuple[dict[str, Any], dict[str, Any], bytes]] = field(
        default_factory=dict
    )


def stored_gzip(content: bytes, header: bytes = PLAIN_HEADER) -> bytes:
    """One gzip member of one stored block (RFC 1951 3.2.4): the same bytes from every zlib."""
    if len(content) > 0xFFFF:
        raise ValueError("a stored block holds 65535 bytes at most")
    block = struct.pack("<BHH", 1, len(content), len(content) ^ 0xFFFF) + content
    return header + block + struct.pack("<II", zlib.crc32(content), len(content))


def chunks_of(array: np.ndarray, chunks: tuple[int, ...]) -> list[bytes]:
    """C-order bytes of every chunk, edge chunks padded with zeros to full size."""
    grid = [-(-n // c) for n, c in zip(array.shape, chunks, strict=True)]
    out = []
    for index in np.ndindex(*grid):
        window = tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, chunks, strict=True))
        part = array[window]
        full = np.zeros(chunks, dtype=array.dtype)
        full[tuple(slice(0, n) for n in part.shape)] = part
        out.append(full.tobytes(order="C"))
    return out


def encode(draft: Draft) -> Files:
    """Files of the store without its manifest, ``edit_metadata`` applied everywhere."""
    shapes = {name: array.shape for name, array in draft.arrays.items()}
    documents = layout.metadata(draft.attributes, shapes, draft.chunk_frames)
    del documents[".zmetadata"]
    for name, (zarray, zattrs, _) in draft.extra_arrays.items():
        documents[f"{name}/.zarray"], documents[f"{name}/.zattrs"] = zarray, zattrs
    if draft.edit_metadata is not None:
        draft.edit_metadata(documents)
    documents[".zmetadata"] = layout.consolidated(documents)
    files = {path: json_bytes(document) for path, document in documents.items()}
    for name, array in draft.arrays.items():
        typed = array.astype(layout.ARRAYS[name].dtype)
        chunks = layout.chunk_shape(name, array.shape, draft.chunk_frames)
        keys = layout.chunk_keys(name, array.shape, chunks)
        members = [stored_gzip(part, draft.gzip_header) for part in chunks_of(typed, chunks)]
        files.update(zip(keys, members, strict=True))
    for name, (_, _, content) in draft.extra_arrays.items():
        files[f"{name}/0"] = stored_gzip(content)
    return files


def with_manifest(files: Files, version: str = layout.SCHEMA_VERSION) -> Files:
    """The files and the manifest that describes them."""
    listed = {path: entry(content) for path, content in files.items()}
    return {**files, layout.MANIFEST: manifest_bytes(listed, version)}
