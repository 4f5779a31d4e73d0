"""Simulated operations on disk: clips with true masks, or picture folders as SurgiSR4K's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

from medseg.errors import InputError, OutputError
from medseg.export.video import VideoWriter
from medseg.simulate.surgery import FRAME_RATE_HZ, Frame, Scene, draw_scene, render

SIZES = {"270p": (270, 480), "480p": (480, 854), "540p": (540, 960), "720p": (720, 1280),
         "1080p": (1080, 1920), "2160p": (2160, 3840)}  # fmt: skip
SURGISR4K = {"3840x2160p": (2160, 3840), "960x540p": (540, 960), "480x270p": (270, 480)}
FRAME_STEP = 10  # source frames between two pictures of a SurgiSR4K folder
TRUTH = "truth.json"
_RUN = 8  # frames that a process renders at a time

Progress = Callable[[int, int], None]


def simulate_surgery(
    out: str | Path,
    *,
    n: int,
    seed: int,
    frames: int = 90,
    size: tuple[int, int] = SIZES["1080p"],
    workers: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Write `n` clips of an operation, out/<name>.mp4 at 30 Hz, from `seed`.

    Beside them out/masks/<name>/<frame>.png holds each frame's labels (8-bit: 0 background, then
    the objects in the order of truth.json, which is written last). Raises OutputError where the
    folder holds such clips already or cannot be written.
    """
    out = _new_folder(Path(out))
    truth = {}
    for index, (clip_seed, tools) in enumerate(draw_clips(n, seed)):
        name = f"surgery{seed:04d}_{index:03d}"
        scene = _scene(clip_seed, size, tools, frames / FRAME_RATE_HZ)
        folder = out / "masks" / name
        _make(folder)
        times = [i / FRAME_RATE_HZ for i in range(frames)]
        with VideoWriter(
            out / f"{name}.mp4", frame_rate_hz=FRAME_RATE_HZ, height=size[0], width=size[1]
        ) as video:
            job = partial(_render_at, clip_seed, size, tools, frames / FRAME_RATE_HZ)
            for number, frame in enumerate(_rendered(job, times, workers)):
                video.write(frame.picture[None])
                write_labels(folder / f"{number + 1}.png", frame.labels)
                if progress is not None:
                    progress(index * frames + number + 1, n * frames)
        truth[name] = {"objects": list(scene.object_names), "tools": tools, "seed": clip_seed}
    _write_truth(out, truth)
    return out


def simulate_surgisr4k(
    out: str | Path,
    *,
    n: int,
    seed: int,
    frames: int = 8,
    resolutions: tuple[str, ...] = ("960x540p", "480x270p"),
    workers: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Write `n` videos' pictures in SurgiSR4K's layout, with the masks it lacks.

    Pictures go to data/images/<resolution>/vid_<id>_<resolution>_<tools>tool/, with the same name
    under data/masks/ for the labels, as `simulate_surgery` describes them. Each picture is rendered
    at the largest of `resolutions` and averaged over area to the others, as theirs were.
    """
    unknown = [name for name in resolutions if name not in SURGISR4K]
    if unknown or not resolutions:
        raise InputError(f"resolution {unknown}: choose of {', '.join(SURGISR4K)}")
    out = _new_folder(Path(out))
    largest = max(SURGISR4K[name] for name in resolutions)
    truth = {}
    for index, (clip_seed, tools) in enumerate(draw_clips(n, seed)):
        duration_s = frames * FRAME_STEP / FRAME_RATE_HZ
        scene = _scene(clip_seed, largest, tools, duration_s)
        numbers = [1 + FRAME_STEP * i for i in range(frames)]
        job = partial(_render_at, clip_seed, largest, tools, duration_s)
        times = [(number - 1) / FRAME_RATE_HZ for number in numbers]
        for done, (number, frame) in enumerate(
            zip(numbers, _rendered(job, times, workers), strict=True), start=1
        ):
            for name in resolutions:
                video = f"vid_{index + 1:03d}_{name}_{tools}tool"
                for kind in ("images", "masks"):
                    _make(out / "data" / kind / name / video)
                where = Path(name) / video / f"{video}_{number}.png"
                height, width = SURGISR4K[name]
                picture = Image.fromarray(frame.picture)
                labels = Image.fromarray(frame.labels)
                if picture.size != (width, height):
                    picture = picture.resize((width, height), Image.Resampling.BOX)
                    labels = labels.resize((width, height), Image.Resampling.NEAREST)
                picture.save(out / "data" / "images" / where, compress_level=1)
                write_labels(out / "data" / "masks" / where, np.asarray(labels))
            if progress is not None:
                progress(index * frames + done, n * frames)
        name = f"vid_{index + 1:03d}"
        truth[name] = {"objects": list(scene.object_names), "tools": tools, "seed": clip_seed}
    _write_truth(out, truth)
    return out


def draw_clips(n: int, seed: int) -> list[tuple[int, int]]:
    """Draw (seed, number of instruments, 1 to 4) of `n` clips; the first are alike for every n."""
    drawn = []
    for child in np.random.SeedSequence(seed).spawn(n):
        rng = np.random.default_rng(child)
        drawn.append((int(rng.integers(2**31)), int(rng.integers(1, 5))))
    return drawn


def write_labels(path: Path, labels: np.ndarray) -> None:
    """Write (H, W) uint8 labels as a grey PNG."""
    Image.fromarray(labels).save(path, compress_level=3)


def _rendered(
    job: Callable[[tuple[float, ...]], list[Frame]], times: list[float], workers: int
) -> Iterator[Frame]:
    """Frames in order, some runs of them ahead where there are several processes."""
    runs = [tuple(times[i : i + _RUN]) for i in range(0, len(times), _RUN)]
    if workers <= 1:
        for run in runs:
            for time_s in run:
                yield from job((time_s,))
        return
    with ProcessPoolExecutor(workers) as pool:
        waiting = [pool.submit(job, run) for run in runs[: workers + 1]]
        for i in range(len(runs)):
            yield from waiting[i].result()
            waiting[i] = None  # type: ignore[call-overload]  # free its frames
            if len(waiting) < len(runs):
                waiting.append(pool.submit(job, runs[len(waiting)]))


def _render_at(
    seed: int, size: tuple[int, int], tools: int, duration_s: float, times: tuple[float, ...]
) -> list[Frame]:
    scene = _scene(seed, size, tools, duration_s)
    return [render(scene, time_s) for time_s in times]


@lru_cache(maxsize=1)
def _scene(seed: int, size: tuple[int, int], tools: int, duration_s: float) -> Scene:
    return draw_scene(seed, size, instruments=tools, duration_s=duration_s)


def _new_folder(out: Path) -> Path:
    if (out / TRUTH).exists():
        raise OutputError(f"{out}: holds simulated clips already; choose another folder")
    _make(out)
    return out


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be made ({error.strerror}); choose another folder"
        ) from error


def _write_truth(out: Path, truth: dict[str, dict[str, object]]) -> None:
    (out / TRUTH).write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
