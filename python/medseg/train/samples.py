"""What a sample holds, drawn by a generator of its own, and in which order samples come."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from medseg.augment import NO_AUGMENTATION, draw_for_clip
from medseg.models.landmarks import landmarks_of, path_over_apex
from medseg.models.windows import reflected
from medseg.train.cohort import Item
from medseg.train.config import Config
from medseg.train.pixels import Pictures

VALIDATION_PASS = -1
ORDER, CHANCE, NETWORK = 10, 11, 12  # streams of one seed that must not be the same

Key = tuple[int, int]  # the pass through the list, and the place in it


class Samples(Dataset[dict[str, object]]):
    """Samples of a task by (pass, place).

    What a sample is depends on the seed, its pass and its place alone: not on workers, devices or
    what was drawn before. In the validation pass nothing is left to chance.

    A sample holds `pixels` (T,3,S,S) uint8, `draw` (its augmentation), `place`, and by task:
    `at` (M,) positions among the T frames with `masks` (M,S,S) bool; `points` (T,7,2);
    `seen` (T,) bool, false where a frame is blacked out; `ef` in percent.
    """

    def __init__(self, config: Config, items: list[Item], pictures: Pictures) -> None:
        self.config = config
        self.items = items
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: Key) -> dict[str, object]:
        passed, place = key
        config, item = self.config, self.items[place]
        training = passed != VALIDATION_PASS
        rng = np.random.default_rng([config.seed, CHANCE, passed + 1, place])
        strength = config.augmentation if training else NO_AUGMENTATION
        sample: dict[str, object] = {
            "place": place,
            "draw": draw_for_clip(rng, strength, config.data.size),
        }
        task = config.objective.task
        if task in ("traced-pairs", "traced-frames", "landmarks"):
            frames = np.array([traced.frame for traced in item.traced])
            sample["pixels"] = self._pixels(item, frames)
            if task == "landmarks":
                sample["points"] = torch.from_numpy(
                    np.stack([self._landmarks(item, i) for i in range(len(frames))])
                ).float()
            else:
                sample["at"] = torch.arange(len(frames))
            sample["masks"] = self._masks(item)
        elif task == "clips":
            frames, position = window_around(
                rng if training else None,
                self.pictures.framing(item.case).frame_count,
                item.traced[0].frame,
                config.data.frames,
                config.data.period,
            )
            sample["pixels"] = self._pixels(item, frames)
            sample["at"] = torch.tensor([position])
            sample["masks"] = self._masks(item)
        else:
            frames = random_window(
                rng if training else None,
                self.pictures.framing(item.case).frame_count,
                config.data.frames,
                config.data.period,
            )
            sample["pixels"] = self._pixels(item, frames)
            if task == "ef":
                sample["ef"] = torch.tensor(item.case.ef_percent, dtype=torch.float32)
            else:
                sample["seen"] = seen_frames(rng, len(frames), config.objective.mask_ratio)
        return sample

    def _pixels(self, item: Item, frames: NDArray[np.intp]) -> Tensor:
        return torch.from_numpy(self.pictures.frames(item.case, frames))

    def _masks(self, item: Item) -> Tensor:
        masks = [self.pictures.mask(item.case, traced) for traced in item.traced]
        return torch.from_numpy(np.stack(masks))

    def _landmarks(self, item: Item, i: int) -> NDArray[np.float64]:
        outline: NDArray[np.float64] = item.traced[i].points  # type: ignore[attr-defined]
        return self.pictures.points(item.case, landmarks_of(path_over_apex(outline)))


def window_around(
    rng: np.random.Generator | None, count: int, traced: int, length: int, period: int
) -> tuple[NDArray[np.intp], int]:
    """A window of a clip that holds a traced frame, and the frame's position in it.

    Every window that lies in the clip is equally likely; without `rng` it is the one with the
    frame nearest to its middle. A clip that is too short is lengthened by reflection in time.

    Returns:
        (length,) frames of the clip, and the position 0..length-1.
    """
    span = (length - 1) * period + 1
    sequence = reflected(count, max(count, span + period - 1))
    positions = np.arange(length)
    starts = traced - positions * period
    positions = positions[(starts >= 0) & (starts <= len(sequence) - span)]
    if rng is None:
        position = int(positions[np.abs(positions - length // 2).argmin()])
    else:
        position = int(rng.choice(positions))
    start = traced - position * period
    return sequence[start + np.arange(length) * period], position


def random_window(
    rng: np.random.Generator | None, count: int, length: int, period: int
) -> NDArray[np.intp]:
    """Frames (length,) of a window at a random place, or the middle one without `rng`."""
    span = (length - 1) * period + 1
    sequence = reflected(count, max(count, span))
    last = len(sequence) - span
    start = last // 2 if rng is None else int(rng.integers(last + 1))
    return sequence[start + np.arange(length) * period]


def seen_frames(rng: np.random.Generator, length: int, mask_ratio: float) -> Tensor:
    """Which frames (length,) stay: all but exactly round(mask_ratio x length) of them."""
    seen = torch.ones(length, dtype=torch.bool)
    seen[torch.from_numpy(rng.permutation(length)[: round(mask_ratio * length)])] = False
    return seen


def key_of(number: int, count: int, seed: int) -> Key:
    """The n-th sample of an endless stream of passes, each through all in an order of its own."""
    passed, place = divmod(number, count)
    return passed, int(_order(seed, passed, count)[place])


def _order(seed: int, passed: int, count: int) -> NDArray[np.intp]:
    key = (seed, passed, count)
    if key not in _ORDERS:
        _ORDERS.clear()  # the stream moves on; only the present pass is wanted
        _ORDERS[key] = np.random.default_rng([seed, ORDER, passed]).permutation(count)
    return _ORDERS[key]


_ORDERS: dict[tuple[int, int, int], NDArray[np.intp]] = {}


class Stream(Sampler[list[Key]]):
    """The keys of one device's share of each batch, from step `first` up to `last`.

    A batch's samples are dealt out to the devices in turn, so that together they see the same ones
    whatever their number. Where training begins is a step's number, nothing else is remembered.
    """

    def __init__(
        self, config: Config, count: int, *, first: int, last: int, rank: int, world: int
    ) -> None:
        self.config, self.count = config, count
        self.first, self.last = first, last
        self.rank, self.world = rank, world

    def __len__(self) -> int:
        return (self.last - self.first) * self.config.run.accumulate

    def __iter__(self) -> Iterator[list[Key]]:
        accumulate = self.config.run.accumulate
        for number in range(self.first * accumulate, self.last * accumulate):
            yield batch_keys(self.config, self.count, number)[self.rank :: self.world]


def batch_keys(config: Config, count: int, number: int) -> list[Key]:
    """The samples of the n-th batch, over all devices."""
    size = config.run.batch
    return [key_of(n, count, config.seed) for n in range(number * size, (number + 1) * size)]
