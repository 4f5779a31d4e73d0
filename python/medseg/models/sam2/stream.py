"""Objects are followed through frames as they arrive, however many will come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from medseg.errors import InputError
from medseg.models.sam2.features import encode
from medseg.models.sam2.load import Sam2
from medseg.models.sam2.pixels import rgb, squares_of_video
from medseg.models.sam2.prompts import Prompt, check_prompt
from medseg.models.sam2.tracker import Tracker
from medseg.models.sam2.video import Tracked


class Stream:
    """A live picture: `push` each frame as it comes."""

    def __init__(self, sam2: Sam2, *, most_prompted: int = 8) -> None:
        """Begin before the first frame.

        `most_prompted` prompted frames are remembered of each object, the first and the latest,
        so that memory stays bounded however often it is corrected.
        """
        self.sam2 = sam2
        self._most_prompted = most_prompted
        self._tracker: Tracker | None = None
        self._next = 0

    @property
    def object_names(self) -> tuple[str, ...]:
        """The objects that are followed at present."""
        return () if self._tracker is None else tuple(self._tracker.objects)

    def push(self, frame: np.ndarray, prompts: Sequence[Prompt] = ()) -> Tracked:
        """Track into the next frame, (H,W,3) or (H,W) uint8.

        `prompts` point at objects in this frame, whatever their `frame` says: a new name begins
        a new object, a known one is tracked into the frame first and corrected there.

        Raises:
            InputError: a frame of another size, or a prompt that does not fit.
        """
        picture = rgb(np.asarray(frame)[None], where=f"frame {self._next}")
        height, width = picture.shape[1:3]
        tracker = self._tracker or Tracker(
            self.sam2, height=height, width=width, most_prompted=self._most_prompted
        )
        if (height, width) != (tracker.height, tracker.width):
            raise InputError(
                f"frame {self._next}: {width} x {height} pixels, the ones before "
                f"{tracker.width} x {tracker.height}; begin a new stream"
            )
        now = self._next
        for prompt in prompts:
            known = prompt.object in tracker.objects
            check_prompt(
                replace(prompt, correct=known), height=height, width=width, where=f"frame {now}"
            )
        features = encode(self.sam2, squares_of_video(picture, self.sam2.image_size))[0]
        found: dict[str, Tensor] = {}
        for prompt in prompts:
            act = tracker.correct if prompt.object in tracker.objects else tracker.prompt
            found[prompt.object] = act(replace(prompt, frame=now), features)
        rest = [name for name in tracker.objects if name not in found]
        found |= tracker.step(now, features, rest)
        self._tracker, self._next = tracker, now + 1
        names = tuple(tracker.objects)
        side = self.sam2.image_size // 4
        logits = [found[name][0, 0].float().cpu() for name in names]
        stacked = torch.stack(logits) if logits else torch.empty(0, side, side)
        return Tracked(now, names, stacked)

    def forget(self, name: str) -> None:
        """Stop following an object, from the next frame on."""
        if self._tracker is not None:
            self._tracker.forget(name)
