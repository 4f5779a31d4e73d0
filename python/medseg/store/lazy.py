"""Masks and images that stay on the disk until they are indexed, verified chunk by chunk."""

from __future__ import annotations

from typing import Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

from medseg.store.check_files import Listing
from medseg.store.chunks import read_chunk
from medseg.store.findings import Finding, Refused, typed_error
from medseg.store.folder import Folder
from medseg.store.layout import ARRAYS


class LazyFrames(BackendArray):
    """``mask`` (object, frame, y, x) or ``image`` (frame, y, x) of one store.

    Each chunk's size, MD5 and CRC are verified whenever it is read; the last one stays in memory,
    so that reading frame by frame decodes each chunk once. Raises StoreDamaged and StoreInvalid.
    """

    def __init__(
        self,
        folder: Folder,
        listing: Listing,
        name: str,
        shape: tuple[int, ...],
        chunks: tuple[int, ...],
    ) -> None:
        self.shape = shape
        self.dtype = np.dtype(ARRAYS[name].dtype)
        self._folder = folder
        self._listing = listing
        self._name = name
        self._chunks = chunks
        self._last: tuple[str, np.ndarray] | None = None

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.typing.ArrayLike:
        values: np.ndarray = indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._read
        )
        return values

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        """Read the frames that an outer indexer asks for: ints, slices or integer arrays."""
        has_objects = self._name == "mask"
        axes = [np.atleast_1d(np.arange(n)[k]) for n, k in zip(self.shape, key, strict=True)]
        if not has_objects:
            axes.insert(0, np.zeros(1, dtype=np.intp))
        rows, frames, ys, xs = axes
        out = np.empty([len(axis) for axis in axes], dtype=self.dtype)  # (object, frame, y, x)
        per_chunk = self._chunks[-3]
        for i, row in enumerate(rows):
            for block in np.unique(frames // per_chunk):
                wanted = np.flatnonzero(frames // per_chunk == block)
                index = f"{row}.{block}.0.0" if has_objects else f"{block}.0.0"
                chunk = self._chunk(f"{self._name}/{index}")  # (F, y, x)
                out[i, wanted] = chunk[np.ix_(frames[wanted] - block * per_chunk, ys, xs)]
        single = [isinstance(k, (int, np.integer)) for k in key]
        if not has_objects:
            single.insert(0, True)
        return out[tuple(0 if one else slice(None) for one in single)]

    def _chunk(self, path: str) -> np.ndarray:
        last = self._last
        if last is not None and last[0] == path:
            return last[1]
        try:
            chunk = read_chunk(self._folder, self._listing, path, self._chunks)
            chunk = chunk[0] if self._name == "mask" else chunk
            if self._name == "mask" and chunk.max(initial=0) > 1:
                raise Refused([Finding("D5", path, "holds values other than 0 and 1")])
        except Refused as refused:
            raise typed_error(self._folder.name, refused.findings[0]) from None
        self._last = (path, chunk)
        return chunk
