"""The masks of a segmentation store as a finder, so that a followed clip gets the same tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.clip import Clip
from medseg.errors import InputError
from medseg.frames.finders import FoundMask
from medseg.store import open_segmentation

WINDOW_BYTES = 64 * 2**20  # of masks, read at a time


class StoreFinder:
    """Gives the masks of one clip's store, frame by frame, with the store's confidence."""

    def __init__(self, path: str | Path, clip: Clip) -> None:
        self._store = open_segmentation(path)
        if self._store.attrs["source"]["sha256"] != clip.sha256:
            raise InputError(
                f"{path}: is the store of another clip than {clip.name}: give the one that "
                "medseg segment wrote of it"
            )
        self.card: dict[str, Any] = dict(self._store.attrs["model"])
        self.name = f"store of {self.card['name']}"
        self._names = list(self._store.attrs["object_names"])
        self._confidence = np.asarray(self._store["confidence"].values, float)
        objects, _, height, width = self._store["mask"].shape
        self._size = max(1, WINDOW_BYTES // (objects * height * width))
        self._start, self._masks = 0, np.zeros((objects, 0, height, width), np.uint8)

    def __call__(self, picture: NDArray[np.uint8], number: int | None = None) -> list[FoundMask]:
        """Masks of frame `number`, 0 being the first."""
        if number is None:
            raise InputError("a store's masks belong to a clip's frames: give the clip itself")
        if not self._start <= number < self._start + self._masks.shape[1]:
            self._start = number
            part = self._store["mask"].isel(frame=slice(number, number + self._size))
            self._masks = np.asarray(part.values)
        found = []
        for index, name in enumerate(self._names):
            mask = self._masks[index, number - self._start] > 0
            sure = float(self._confidence[index, number])
            if mask.any():
                found.append(FoundMask(mask, sure if np.isfinite(sure) else None, name))
        return found
