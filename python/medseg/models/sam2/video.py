"""Objects are followed through a clip: forwards, backwards, or to both of its ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medseg.clip import Clip
from medseg.errors import FrameNotDecoded, InputError
from medseg.models.sam2.features import Features, encode, frames_at_once
from medseg.models.sam2.frames import as_clip, backwards, forwards, read_squares
from medseg.models.sam2.load import Sam2
from medseg.models.sam2.memory import BACKWARD, FORWARD
from medseg.models.sam2.pixels import enlarge
from medseg.models.sam2.prompts import Prompt, check_prompts, first_frames, object_names
from medseg.models.sam2.tracker import Tracker

DIRECTIONS = ("forward", "backward", "both")


@dataclass(frozen=True, eq=False)
class Tracked:
    """What was found in one frame."""

    frame: int
    object_names: tuple[str, ...]  # those that were looked for; none where it cannot be decoded
    logits: Tensor  # (object,S/4,S/4) float32; -1024 throughout where an object is not there

    def mask(self, height: int, width: int) -> np.ndarray:
        """Masks (object,height,width) bool at the clip's own size."""
        return (enlarge(self.logits, height, width) > 0).cpu().numpy()

    def probability(self, height: int, width: int) -> np.ndarray:
        """Probabilities (object,height,width) float32 at the clip's own size."""
        return enlarge(self.logits, height, width).sigmoid().cpu().numpy()


def track(
    sam2: Sam2,
    clip: Clip | np.ndarray,
    prompts: Sequence[Prompt],
    *,
    direction: str = "both",
    memory_dtype: torch.dtype = torch.bfloat16,
) -> Iterator[Tracked]:
    """Follow what prompts point at through a clip, or through uint8 frames (T,H,W[,3]).

    `forward` begins at the first prompted frame and goes to the clip's end; an object that is
    pointed at later is looked for from there on too, as the package does. `backward` begins at
    the last prompted frame and goes to the first frame. `both` goes backwards from each object's
    first prompt, then forwards from it, so that every frame is found from the nearer side.

    Frames come in the order in which they are tracked; those that are not reached do not come. A
    frame comes twice where `both` looks for some objects in it backwards and for others forwards.
    Memory holds a few frames, however long the clip; `track_in_order` gives every frame once.

    Raises:
        InputError: a prompt does not fit the clip, or there is no such direction.
        FrameNotDecoded: a prompted frame cannot be read.
    """
    whole = as_clip(clip)
    run = ClipRun(sam2, whole, prompts, direction=direction, memory_dtype=memory_dtype)
    yield from run.backward()
    yield from run.forward()


class ClipRun:
    """One run over a clip; `backward()` comes first, `forward()` after it."""

    def __init__(
        self,
        sam2: Sam2,
        clip: Clip,
        prompts: Sequence[Prompt],
        *,
        direction: str = "both",
        memory_dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        if direction not in DIRECTIONS:
            raise InputError(f"no direction {direction!r}; choose {', '.join(DIRECTIONS)}")
        check_prompts(
            prompts,
            frame_count=clip.frame_count,
            height=clip.height,
            width=clip.width,
            where=f"{clip.name}: prompts",
        )
        self.sam2, self.clip, self.direction = sam2, clip, direction
        self.object_names = object_names(prompts)
        self._first = first_frames(prompts)
        self._corrections = {(p.frame, p.object): p for p in prompts if p.correct}
        self._known: dict[tuple[int, str], Tensor] = {}
        self.tracker = Tracker(
            sam2,
            height=clip.height,
            width=clip.width,
            frame_count=clip.frame_count,
            memory_dtype=memory_dtype,
        )
        for frame in sorted({prompt.frame for prompt in prompts if not prompt.correct}):
            features = self._encode_one(frame)
            for prompt in prompts:
                if prompt.frame == frame and not prompt.correct:
                    logits = self.tracker.prompt(prompt, features)
                    self._known[frame, prompt.object] = logits.cpu()

    @property
    def forward_start(self) -> int:
        """The first frame that `forward` gives; the clip's end where it gives none."""
        if self.direction == "backward":
            return self.clip.frame_count
        return min(self._first.values())

    def backward(self) -> Iterator[Tracked]:
        """Track from the prompts to the clip's beginning, frame by frame towards it."""
        if self.direction == "forward":
            return
        both = self.direction == "both"
        last = max(self._first.values()) if both else max(frame for frame, _ in self._known)
        step = frames_at_once(self.sam2)
        for first, squares in backwards(self.clip, 0, last + 1, self.sam2.image_size, step):
            names = [self._sought(first + i, BACKWARD) for i in range(len(squares))]
            features = self._features(first, squares, names)
            for i in reversed(range(len(squares))):
                yield self._track(first + i, features[i], names[i], BACKWARD)
        for memory in self.tracker.objects.values():
            memory.forget_tracked()

    def forward(self) -> Iterator[Tracked]:
        """Track from the first prompt to the clip's end."""
        step = frames_at_once(self.sam2)
        side = self.sam2.image_size
        for first, squares in forwards(
            self.clip, self.forward_start, self.clip.frame_count, side, step
        ):
            yield from self.forward_squares(first, squares)

    def forward_squares(self, first: int, squares: list[Tensor | None]) -> Iterator[Tracked]:
        """Track into the next frames, given as squares (3,S,S) uint8, None where one is missing."""
        names = [self._sought(first + i, FORWARD) for i in range(len(squares))]
        features = self._features(first, squares, names)
        for i in range(len(squares)):
            yield self._track(first + i, features[i], names[i], FORWARD)

    def _sought(self, frame: int, direction: int) -> list[str]:
        """The objects that are looked for in a frame on the way in a direction."""
        if self.direction != "both":
            return list(self.object_names)
        if direction == FORWARD:
            return [name for name in self.object_names if self._first[name] <= frame]
        return [name for name in self.object_names if frame < self._first[name]]

    def _features(
        self, first: int, squares: list[Tensor | None], names: list[list[str]]
    ) -> list[Features | None]:
        """Encode the squares in which anything is to be looked for."""
        wanted = [
            i
            for i, square in enumerate(squares)
            if square is not None and any((first + i, name) not in self._known for name in names[i])
        ]
        found: list[Features | None] = [None] * len(squares)
        step = frames_at_once(self.sam2)
        for begin in range(0, len(wanted), step):
            part = wanted[begin : begin + step]
            encoded = encode(self.sam2, torch.stack([squares[i] for i in part]))
            for i, features in zip(part, encoded, strict=True):
                found[i] = features
        return found

    def _track(
        self,
        frame: int,
        features: Features | None,
        names: list[str],
        direction: int,
    ) -> Tracked:
        found = {name: self._known[frame, name] for name in names if (frame, name) in self._known}
        rest = [name for name in names if name not in found]
        if features is not None and rest:
            corrected = [name for name in rest if (frame, name) in self._corrections]
            for name in corrected if direction == FORWARD else ():
                mended = self._corrections[frame, name]
                found[name] = self.tracker.correct(mended, features, direction=direction)
                rest.remove(name)
            found |= self.tracker.step(frame, features, rest, direction=direction)
        kept = tuple(name for name in names if name in found)
        side = self.sam2.image_size // 4
        logits = [found[name][0, 0].float().cpu() for name in kept]
        return Tracked(frame, kept, torch.stack(logits) if kept else torch.empty(0, side, side))

    def _encode_one(self, frame: int) -> Features:
        (square,) = read_squares(self.clip, frame, frame + 1, self.sam2.image_size)
        if square is None:
            raise FrameNotDecoded(
                f"{self.clip.name}: frame {frame} cannot be decoded, so nothing can be pointed at "
                "in it; prompt another frame"
            )
        return encode(self.sam2, square[None])[0]
