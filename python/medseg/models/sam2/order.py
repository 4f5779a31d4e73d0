"""Every frame of a clip once and in order, what was tracked backwards waiting in a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from medseg.clip import Clip
from medseg.models.sam2.frames import as_clip, read_squares
from medseg.models.sam2.load import Sam2
from medseg.models.sam2.prompts import Prompt
from medseg.models.sam2.video import ClipRun, Tracked

_WORD = 2  # bytes: a bit for each of 16 objects


def track_in_order(
    sam2: Sam2,
    clip: Clip | np.ndarray,
    prompts: Sequence[Prompt],
    *,
    direction: str = "both",
    frames_at_once: int = 8,
) -> Iterator[Tracked]:
    """Follow what prompts point at and give frame 0 to the last, each once.

    As `medseg.models.sam2.track`; a frame that was not reached comes without objects. Logits of
    the frames that are tracked backwards wait in a temporary file, as float16.
    """
    whole = as_clip(clip)
    with OrderedRun(sam2, whole, prompts, direction=direction) as run:
        for start in range(0, whole.frame_count, frames_at_once):
            stop = min(start + frames_at_once, whole.frame_count)
            yield from run.take(start, read_squares(whole, start, stop, sam2.image_size))


class OrderedRun:
    """A run over a clip that is given its frames in order and answers for each at once."""

    def __init__(
        self, sam2: Sam2, clip: Clip, prompts: Sequence[Prompt], *, direction: str = "both"
    ) -> None:
        """Track backwards, if asked to; the frames given to `take` are then tracked forwards."""
        self._run = ClipRun(sam2, clip, prompts, direction=direction)
        self.object_names = self._run.object_names
        self._waiting = _Waiting(self.object_names, sam2.image_size // 4)
        for tracked in self._run.backward():
            self._waiting.put(tracked)

    def __enter__(self) -> OrderedRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file."""
        self._waiting.close()

    def take(self, first: int, squares: list[Tensor | None]) -> list[Tracked]:
        """Answer for the next frames, given as squares (3,S,S) uint8; None where one is missing."""
        begin = max(0, min(self._run.forward_start - first, len(squares)))
        ahead = {
            tracked.frame: tracked
            for tracked in self._run.forward_squares(first + begin, squares[begin:])
        }
        found = []
        for frame in range(first, first + len(squares)):
            logits = self._waiting.get(frame)
            if frame in ahead:
                logits |= dict(zip(ahead[frame].object_names, ahead[frame].logits, strict=True))
            names = tuple(name for name in self.object_names if name in logits)
            side = self._run.sam2.image_size // 4
            stacked = [logits[name] for name in names]
            whole = torch.stack(stacked) if stacked else torch.empty(0, side, side)
            found.append(Tracked(frame, names, whole))
        return found


class _Waiting:
    """Logits by frame in a temporary file, each frame with a word that says of which objects."""

    def __init__(self, object_names: tuple[str, ...], side: int) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115, closed by close()
        self._object_names, self._side = object_names, side
        self._bytes = _WORD + len(object_names) * side * side * 2

    def put(self, tracked: Tracked) -> None:
        places = [self._object_names.index(name) for name in tracked.object_names]
        word = sum(1 << place for place in places)
        ordered = tracked.logits[np.argsort(places)].numpy().astype(np.float16)
        self._file.seek(tracked.frame * self._bytes)
        self._file.write(word.to_bytes(_WORD, "little") + ordered.tobytes())

    def get(self, frame: int) -> dict[str, Tensor]:
        """Logits (S/4,S/4) by object; nothing where nothing was put."""
        self._file.seek(frame * self._bytes)
        record = self._file.read(self._bytes)
        word = int.from_bytes(record[:_WORD], "little")
        names = [name for i, name in enumerate(self._object_names) if word >> i & 1]
        count = len(names) * self._side**2
        raw = np.frombuffer(record[_WORD:], np.float16, count).astype(np.float32)
        logits = torch.from_numpy(raw).view(len(names), self._side, self._side)
        return dict(zip(names, logits, strict=True))

    def close(self) -> None:
        self._file.close()
