"""A store's chunks: one gzip member each, decoded to exactly the bytes that were declared."""

from __future__ import annotations

import zlib
from math import prod

import numpy as np

from medseg.store.check_files import Listing, read_file
from medseg.store.findings import Finding, Refused
from medseg.store.folder import Folder
from medseg.store.layout import ARRAYS, GZIP_LEVEL

_GZIP = 31  # zlib's wbits for a gzip header and trailer


def compress(content: bytes) -> bytes:
    """One gzip member, without name and time, so that equal input gives equal bytes."""
    engine = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP)
    return engine.compress(content) + engine.flush()


def decompress(content: bytes, byte_count: int) -> bytes:
    """The member's content, which must have ``byte_count`` bytes; never inflates more.

    Raises ValueError saying what is wrong.
    """
    engine = zlib.decompressobj(_GZIP)
    try:
        decoded = engine.decompress(content, byte_count + 1)
    except zlib.error as error:
        raise ValueError(f"is not a whole gzip member: {error}") from None
    if len(decoded) != byte_count:
        size = f"{len(decoded)}" if len(decoded) < byte_count else f"more than {byte_count}"
        raise ValueError(f"decodes to {size} bytes, not {byte_count}")
    if not engine.eof:
        raise ValueError("is a gzip member without its end")
    if engine.unused_data:
        raise ValueError("holds bytes after its gzip member")
    return decoded


def read_chunk(
    folder: Folder, listing: Listing, path: str, chunk_shape: tuple[int, ...]
) -> np.ndarray:
    """One chunk as a read-only array of the chunk's shape. Raises Refused (F5, F6, F7, D1)."""
    dtype = np.dtype(ARRAYS[path.split("/", 1)[0]].dtype)
    content = read_file(folder, listing, path)
    try:
        decoded = decompress(content, prod(chunk_shape) * dtype.itemsize)
    except ValueError as error:
        raise Refused([Finding("D1", path, str(error))]) from None
    return np.frombuffer(decoded, dtype=dtype).reshape(chunk_shape)
