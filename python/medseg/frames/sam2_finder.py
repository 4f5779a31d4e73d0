"""SAM 2 as a finder of masks: everything in the picture, a box in its middle, a model's boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.errors import InputError
from medseg.frames.finders import Finder, FoundMask

PROMPTS = ("automatic", "centre-box")  # or the name of a finder whose masks give the boxes
CENTRE_SHARE = 0.5  # of each edge: the box in the middle when nobody points at anything
SMALLEST_SHARE = 0.001  # of the picture: automatic masks below are not kept


class Sam2Finder:
    """Prompts SAM 2 on each picture anew; the confidence is its predicted IoU."""

    def __init__(
        self,
        network: Any,
        *,
        prompt: str = "automatic",
        prompter: Finder | None = None,
        points_per_side: int = 16,
    ) -> None:
        if (prompt in PROMPTS) == (prompter is not None):
            raise InputError(
                f"prompt {prompt!r}: automatic, centre-box, or a model that gives boxes"
            )
        self.network, self.prompt, self.prompter = network, prompt, prompter
        self.points_per_side = points_per_side
        self.name = f"{network.name} ({prompt} prompts)"
        self.card: dict[str, Any] = dict(network.card)

    def __call__(self, picture: NDArray[np.uint8], number: int | None = None) -> list[FoundMask]:
        """Masks of the picture (H, W, 3)."""
        from medseg.models import sam2

        if self.prompt == "automatic":
            return [
                FoundMask(np.asarray(one.mask, bool), float(one.score), "part")
                for one in sam2.automatic_masks(
                    self.network,
                    picture,
                    points_per_side=self.points_per_side,
                    smallest_share=SMALLEST_SHARE,
                )
                if one.mask.any()
            ]
        boxes = self._boxes(picture)
        if not boxes:
            return []
        prompts = [
            sam2.Prompt(object=f"object_{i}", box=box) for i, box in enumerate(boxes, start=1)
        ]
        found = sam2.segment_image(self.network, picture, prompts)
        return [
            FoundMask(np.asarray(mask, bool), float(score), name)
            for name, mask, score in zip(found.object_names, found.mask, found.score, strict=True)
            if mask.any()
        ]

    def _boxes(self, picture: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
        """Boxes (x0, y0, x1, y1) to prompt with."""
        height, width = picture.shape[:2]
        if self.prompter is None:
            y, x = (1 - CENTRE_SHARE) / 2 * height, (1 - CENTRE_SHARE) / 2 * width
            return [(x, y, width - 1 - x, height - 1 - y)]
        boxes = []
        for one in self.prompter(picture):
            rows, columns = np.flatnonzero(one.mask.any(1)), np.flatnonzero(one.mask.any(0))
            boxes.append((float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])))
        return boxes
