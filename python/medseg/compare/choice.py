"""Which clips are shown: the worst of each run, and those on which runs disagree most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from medseg.compare.cases import Compared, ScoredRun
from medseg.metrics import overlap, pooled_dice
from medseg.store import open_segmentation

STEP_S = 0.04  # between frames on which runs are compared with each other


@dataclass(frozen=True)
class Shown:
    """A clip to show, and why."""

    clip: str
    why: str


def choose_clips(compared: Compared, *, each: int) -> list[Shown]:
    """The `each` worst clips of every run and of their disagreement; a clip is shown once."""
    masked = [one for one in compared.runs if not one.run.ef_only]
    chosen: dict[str, str] = {}
    for clip, dice, words in _disagreements(masked)[:each]:
        chosen.setdefault(clip, f"largest disagreement: {words} overlap by Dice {dice:.3f}")
    for one in masked:
        ranked = sorted(_dice_by_clip(one).items(), key=lambda pair: pair[1])
        for clip, dice in ranked[:each]:
            words = f"among the worst of {one.run.name}: Dice {dice:.3f}"
            chosen[clip] = f"{chosen[clip]}; {words}" if clip in chosen else words
    return [Shown(clip, why) for clip, why in chosen.items()]


def _dice_by_clip(one: ScoredRun) -> dict[str, float]:
    """Pooled Dice of each clip with a mask."""
    found = {
        clip.name: pooled_dice(clip.masks.overlap) for clip in one.clips if clip.masks is not None
    }
    return {name: dice for name, dice in found.items() if np.isfinite(dice)}


def _disagreements(masked: Sequence[ScoredRun]) -> list[tuple[str, float, str]]:
    """Each clip's lowest Dice between two runs, lowest first, and whose masks they are."""
    found = []
    for clip in masked[0].clips if len(masked) > 1 else []:
        masks = {one.run.name: _some_masks(one, clip.name) for one in masked}
        dice = {
            f"{a} and {b}": pooled_dice(overlap(masks[a], masks[b]))
            for a, b in combinations(masks, 2)
        }
        known = {words: value for words, value in dice.items() if np.isfinite(value)}
        if known:
            words = min(known, key=lambda key: known[key])
            found.append((clip.name, known[words], words))
    return sorted(found, key=lambda row: row[1])


def _some_masks(one: ScoredRun, clip: str) -> NDArray[np.bool_]:
    """Masks (T, y, x) of a run, some 25 a second."""
    segmentation = open_segmentation(one.run.predictions / f"{clip}.zarr")
    index = segmentation.attrs["object_names"].index("left_ventricle")
    time_s = np.asarray(segmentation["frame_time"].values, np.float64)
    interval = float(np.median(np.diff(time_s))) if time_s.size > 1 else STEP_S
    frames = slice(0, None, max(1, round(STEP_S / max(interval, 1e-6))))
    found: NDArray[np.bool_] = segmentation["mask"].isel(object=index, frame=frames).values > 0
    return found


def curve_clips(compared: Compared, shown: Sequence[Shown], asked: Sequence[str]) -> list[str]:
    """The clips whose area curves are drawn: as asked, else a middling one and the first two."""
    if asked:
        return list(asked)
    masked = [one for one in compared.runs if not one.run.ef_only]
    if not masked:
        return []
    ranked = sorted(_dice_by_clip(masked[0]).items(), key=lambda pair: pair[1])
    middling = [ranked[len(ranked) // 2][0]] if ranked else []
    return list(dict.fromkeys([*middling, *(one.clip for one in shown[:2])]))
