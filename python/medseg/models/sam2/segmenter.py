"""SAM 2 as one of medseg's models: it is shown a clip's frames in order and answers for each."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from medseg.clip import Clip
from medseg.models.sam2.load import NO_MEANING, Sam2
from medseg.models.sam2.order import OrderedRun
from medseg.models.sam2.pixels import squares_of_video
from medseg.models.sam2.prompting import Prompter
from medseg.sector import Sector


class Sam2Segmenter:
    """SAM 2 and a way to point: `on_clip` gives what the engine goes through a clip with."""

    object_names: tuple[str, ...] = ()  # known once a clip was looked at
    halo_s = 0.0

    def __init__(self, sam2: Sam2, prompter: Prompter, *, direction: str = "both") -> None:
        self.sam2, self.prompter, self.direction = sam2, prompter, direction

    @property
    def name(self) -> str:
        """The network's name."""
        return self.sam2.name

    @property
    def card(self) -> dict[str, Any]:
        """The store's model block."""
        return self.sam2.card

    def on_clip(self, clip: Clip, sector: Sector) -> Sam2OnClip:
        """Point at the objects of a clip and track them backwards where that is asked for.

        Raises:
            InputError: a prompt does not fit the clip, or nothing was found to point at.
        """
        return Sam2OnClip(self, clip, sector)


class Sam2OnClip:
    """The objects of one clip, followed through it."""

    halo_s = 0.0

    def __init__(self, segmenter: Sam2Segmenter, clip: Clip, sector: Sector) -> None:
        self.name, self.card = segmenter.name, segmenter.card
        self._sam2 = segmenter.sam2
        prompts = segmenter.prompter(segmenter.sam2, clip, sector)
        self._run = OrderedRun(segmenter.sam2, clip, prompts, direction=segmenter.direction)
        self.object_names = self._run.object_names
        self.notes: list[str] = []
        if segmenter.sam2.random_weights:
            self.notes.append(f"{self.card['name']}: {NO_MEANING}")
        self._size = (clip.height, clip.width)

    def follow(self, start: int, frames: np.ndarray, decoded: np.ndarray) -> np.ndarray:
        """Give each pixel's probability of lying in each object.

        Args:
            start: the first of the frames; they are given in order, each once.
            frames: (T,H,W,3) uint8 RGB.
            decoded: (T,) whether each is itself and not a neighbour's copy.

        Returns:
            (T,object,H,W) float32 in 0..1; NaN where an object was not looked for.
        """
        squares: list[Tensor | None] = list(squares_of_video(frames, self._sam2.image_size))
        seen = [square if known else None for square, known in zip(squares, decoded, strict=True)]
        found = np.full((len(frames), len(self.object_names), *self._size), np.nan, np.float32)
        for tracked in self._run.take(start, seen):
            here = [self.object_names.index(name) for name in tracked.object_names]
            if here:
                found[tracked.frame - start, here] = tracked.probability(*self._size)
        return found

    def close(self) -> None:
        """Drop what waited on disk."""
        self._run.close()
