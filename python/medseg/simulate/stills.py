"""Short bursts of simulated frames with labels: what the default network is trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from medseg.simulate import rhythm, scene

FRAME_GAP_S = 0.08  # between the frames of one burst

# What bursts are centred on, and how many of them are. Hearts spend little time at end-systole, and
# a network that seldom sees small cavities draws them too large. At the end of diastole the atrium,
# if it can, contracts through an open valve into a full cavity.
AROUND_THE_BEAT = {"any": 0.4, "end-systole": 0.4, "late diastole": 0.2}
# Early filling is the shortest phase and the hardest: ventricle and atrium are one cavity, often
# with no leaflet to be seen between them. Here its frames have neighbours on both sides.
AT_EARLY_FILLING = {"any": 0.35, "end-systole": 0.25, "late diastole": 0.1, "early filling": 0.3}
EARLY_FILLING_S = 0.12  # after end-systole: the valve has opened, the cavity is still small


@dataclass(frozen=True)
class Burst:
    """Frames of one heart `FRAME_GAP_S` apart: pictures and labels, (frames, H, W) uint8."""

    pictures: np.ndarray
    labels: np.ndarray


def draw_any_scene(rng: np.random.Generator, *, size: int) -> scene.Scene:
    """Two seconds of any heart, rhythm and view that can be drawn, for square pictures."""
    return scene.draw_scene(
        rng,
        view="A4C" if rng.random() < 0.7 else "A2C",
        kind=str(rng.choice(rhythm.RHYTHMS, p=[0.8, 0.1, 0.1])),
        heart_rate_bpm=float(rng.uniform(40, 160)),
        ejection_fraction=float(rng.uniform(0.1, 0.8)),
        duration_s=2.0,
        size=(size, size),
        fill=float(rng.uniform(0.88, 1.0)),
    )


def draw_burst(
    seed: int,
    *,
    frames: int = 6,
    size: int = 128,
    centred: Mapping[str, float] = AROUND_THE_BEAT,
) -> Burst:
    """Render one heart drawn from `seed`, at random times of a random rhythm.

    `centred` gives the shares of bursts that lie around a moment of the beat.
    """
    rng = np.random.default_rng(seed)
    drawn = draw_any_scene(rng, size=size)
    start_s = rng.uniform(0, 1)
    centre = rng.choice(list(centred), p=list(centred.values()))
    if centre != "any":
        moments = [_moment_s(beat, centre) for beat in drawn.beats]
        moments = [moment_s for moment_s in moments if 0 < moment_s < 1.5]
        if moments:
            start_s = rng.choice(moments) - frames / 2 * FRAME_GAP_S + rng.normal(0, 0.03)
    time_s = np.clip(start_s, 0, None) + np.arange(frames) * FRAME_GAP_S
    rendered = list(scene.render(drawn, time_s))
    return Burst(
        pictures=np.stack([np.rint(f.picture * 255).astype(np.uint8) for f in rendered]),
        labels=np.stack([f.labels for f in rendered]),
    )


def _moment_s(beat: rhythm.Beat, name: str) -> float:
    if name == "end-systole":
        return beat.es_s
    return beat.es_s + EARLY_FILLING_S if name == "early filling" else beat.next_ed_s - 0.1


def draw_bursts(
    seed: int,
    n: int,
    *,
    frames: int = 6,
    size: int = 128,
    centred: Mapping[str, float] = AROUND_THE_BEAT,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
) -> Burst:
    """Render `n` hearts with seeds drawn from `seed`: a Burst of (n, frames, H, W) arrays."""
    seeds = np.random.default_rng(seed).integers(2**62, size=n).tolist()
    pictures = np.empty((n, frames, size, size), dtype=np.uint8)
    labels = np.empty_like(pictures)
    with ProcessPoolExecutor(workers) as pool:
        draw = partial(draw_burst, frames=frames, size=size, centred=centred)
        bursts = pool.map(draw, seeds, chunksize=4)
        for i, burst in enumerate(bursts):
            pictures[i], labels[i] = burst.pictures, burst.labels
            if progress is not None:
                progress(i + 1)
    return Burst(pictures, labels)
