"""How a clip's frames and tracings become squares that a network sees, kept while they fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from medseg.data import Case, TracedFrame, open_case, read_frames
from medseg.errors import InputError, MedsegError, TrainingError
from medseg.models.framing import ECHONET_SIZE, cut, frames_to_square, resize, square_around
from medseg.sector import Sector, find_sector

SECTOR_FRAMES = 64  # that the sector is found from, as when a clip is segmented


@dataclass(frozen=True, eq=False)
class Framing:
    """Where the network's square lies in a clip's frames."""

    frame_count: int
    shape: tuple[int, int]  # of the frames
    sector: Sector
    box: tuple[int, int, int, int]


class Pictures:
    """Reads cases as squares of `size` pixels; `limit_bytes` of them stay in memory.

    Clips are framed as when they are segmented: EchoNet-Dynamic's 112 by 112 pixels are taken
    whole, of others the square around the sector. With `whole` a clip is decoded once and kept
    whole where it fits; else only the frames that were asked for.
    """

    def __init__(self, size: int, *, limit_bytes: float, whole: bool) -> None:
        self.size = size
        self.whole = whole
        self.free_bytes = limit_bytes
        self._framing: dict[str, Framing] = {}
        self._kept: dict[tuple[str, int], NDArray[np.uint8]] = {}
        self._clips: dict[str, NDArray[np.uint8]] = {}

    def framing(self, case: Case) -> Framing:
        """The clip's frames and the square in them; raises TrainingError naming the clip."""
        if case.name not in self._framing:
            try:
                clip = open_case(case)
                height, width, count = clip.height, clip.width, clip.frame_count
                box = (0, 0, height, width)
                sector = Sector(np.ones((height, width), bool), box, False)
                if (height, width) != (ECHONET_SIZE, ECHONET_SIZE):
                    first = read_frames(case, range(min(count, SECTOR_FRAMES)), colour=True)
                    sector = find_sector(first, region=clip.region)
                    box = square_around(sector.box)
            except MedsegError as error:
                raise TrainingError(f"{error}; medseg data check finds such clips") from None
            self._framing[case.name] = Framing(count, (height, width), sector, box)
        return self._framing[case.name]

    def frames(self, case: Case, wanted: NDArray[np.intp]) -> NDArray[np.uint8]:
        """RGB squares (n,3,size,size) of frames, in the order asked."""
        clip = self._clips.get(case.name)
        if clip is None and self.whole:
            count = self.framing(case).frame_count
            if self.free_bytes >= count * 3 * self.size**2:
                clip = self._clips[case.name] = self._read(case, np.arange(count))
                self.free_bytes -= clip.nbytes
        if clip is not None:
            return clip[wanted]
        missing = np.array([f for f in np.unique(wanted) if (case.name, int(f)) not in self._kept])
        read = dict(zip(missing.tolist(), self._read(case, missing), strict=True))
        result = np.stack(
            [read[f] if f in read else self._kept[case.name, f] for f in wanted.tolist()]
        )
        if not self.whole:
            for frame, picture in read.items():
                if self.free_bytes >= picture.nbytes:
                    self._kept[case.name, frame] = picture.copy()
                    self.free_bytes -= picture.nbytes
        return result

    def mask(self, case: Case, traced: TracedFrame) -> NDArray[np.bool_]:
        """A traced frame's cavity (size,size), cut and resized as its picture."""
        framing = self.framing(case)
        try:
            mask = traced.mask(framing.shape)
        except InputError as error:
            raise TrainingError(f"{case.name}: {error}") from None
        square = cut(torch.from_numpy(mask).float()[None, None], framing.box)
        return (resize(square, self.size)[0, 0] > 0.5).numpy()

    def points(self, case: Case, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n,2) of x and y in the clip's pixels, moved into the square's."""
        y0, x0, y1, _ = self.framing(case).box
        return (points - [x0, y0] + 0.5) * (self.size / (y1 - y0)) - 0.5

    def _read(self, case: Case, wanted: NDArray[np.intp]) -> NDArray[np.uint8]:
        if wanted.size == 0:
            return np.empty((0, 3, self.size, self.size), np.uint8)
        framing = self.framing(case)
        try:
            frames = read_frames(case, wanted.tolist(), colour=True)
        except MedsegError as error:
            raise TrainingError(f"{error}; medseg data check finds such clips") from None
        square, _ = frames_to_square(frames, framing.sector, self.size, torch.device("cpu"))
        return square.round().clamp(0, 255).byte().numpy()


def measure_normalisation(
    pictures: Pictures, cases: list[Case], *, clips: int, frames: int, seed: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel, in 0..1, of `frames` frames of drawn clips.

    The clips are drawn without replacement and the frames spread over each clip, so that the same
    seed and list give the same values to the last bit.
    """
    rng = np.random.default_rng(seed)
    chosen = sorted(rng.permutation(len(cases))[:clips])
    n, total, squares = 0, np.zeros(3), np.zeros(3)
    for i in chosen:
        count = pictures.framing(cases[i]).frame_count
        at = np.unique(np.linspace(0, count - 1, min(frames, count)).round().astype(np.intp))
        values = pictures.frames(cases[i], at).astype(np.float64)  # (n,3,S,S)
        n += values[:, 0].size
        total += values.sum((0, 2, 3))
        squares += (values**2).sum((0, 2, 3))
    mean = total / n
    spread = np.sqrt(np.maximum(squares / n - mean**2, 0))
    if (spread < 1e-3).any():
        raise TrainingError(
            f"{cases[chosen[0]].path.parent}: the training clips are of one grey level throughout; "
            "medseg data check finds such clips"
        )
    return tuple((mean / 255).tolist()), tuple((spread / 255).tolist())
