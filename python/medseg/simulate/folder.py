"""A folder of simulated clips in the shape of EchoNet-Dynamic, with the truth beside them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from medseg.errors import OutputError
from medseg.export.video import VideoWriter
from medseg.simulate.dicom import write_dicom
from medseg.simulate.examination import Plan, Truth, draw_plan, gather_truth, prepare, render
from medseg.simulate.tracing import tracing_rows

FILE_LIST = (
    "FileName", "EF", "ESV", "EDV", "FrameHeight", "FrameWidth", "FPS", "NumberOfFrames", "Split",
)  # fmt: skip
TRACINGS = ("FileName", "X1", "Y1", "X2", "Y2", "Frame")
TRUTH = ("name", "view", "rhythm", "heart_rate_bpm", "ef_percent", "beats", "spacing_cm", "seed")
SCREEN = (480, 640)


@dataclass(frozen=True)
class Made:
    """What one clip adds to the folder's tables."""

    plan: Plan
    file_row: tuple[object, ...]
    tracing_rows: list[tuple[object, ...]]
    truth_row: tuple[object, ...]


def draw_plans(n: int, seed: int) -> list[Plan]:
    """Draw `n` clips from a seed; the first of many are the same for every `n`."""
    seeds = np.random.SeedSequence(seed).spawn(n)
    return [
        draw_plan(np.random.default_rng(s), f"sim{seed:04d}_{i:05d}") for i, s in enumerate(seeds)
    ]


def simulate_clip(plan: Plan, *, out: Path, form: str = "avi", split: str = "TEST") -> Made:
    """Render one clip into `out`: Videos/<name>.avi or Dicom/<name>.dcm, and truth/<name>.npz."""
    examination = prepare(plan)
    pairs = list(render(examination))
    truth = gather_truth(examination, [frame for _, frame in pairs])
    pictures = np.stack([picture for picture, _ in pairs])
    if form == "dicom":
        write_dicom(
            out / "Dicom" / f"{plan.name}.dcm",
            pictures,
            frame_rate_hz=plan.frame_rate_hz,
            spacing_cm=truth.spacing_cm,
            region=(0, 0, plan.size[0], plan.size[1]),
            seed=plan.seed,
        )
    else:
        path = out / "Videos" / f"{plan.name}.avi"
        with VideoWriter(
            path, frame_rate_hz=plan.frame_rate_hz, height=plan.size[0], width=plan.size[1]
        ) as video:
            video.write(pictures)
    np.savez_compressed(
        out / "truth" / f"{plan.name}.npz",
        **{key: np.asarray(value) for key, value in vars(truth).items()},
    )
    return Made(
        plan, _file_row(plan, truth, split), _tracings(plan, truth), _truth_row(plan, truth)
    )


def _traced_frames(truth: Truth) -> tuple[int, int] | None:
    """The frames nearest to end-diastole and end-systole of the first whole beat."""
    if not len(truth.ed_time_s):
        return None
    ed = int(np.argmin(np.abs(truth.frame_time_s - truth.ed_time_s[0])))
    es = int(np.argmin(np.abs(truth.frame_time_s - truth.es_time_s[0])))
    return (ed, es) if ed != es else None


def _file_row(plan: Plan, truth: Truth, split: str) -> tuple[object, ...]:
    known = len(truth.ef_percent) > 0
    ef, esv, edv = (
        (truth.ef_percent[0], truth.esv_ml[0], truth.edv_ml[0]) if known else ("", "", "")
    )
    height, width = plan.size
    return (plan.name, ef, esv, edv, height, width, plan.frame_rate_hz, len(truth.mask), split)


def _tracings(plan: Plan, truth: Truth) -> list[tuple[object, ...]]:
    frames = _traced_frames(truth)
    if frames is None:
        return []
    return [
        (f"{plan.name}.avi", *(round(float(v), 4) for v in row), frame)
        for frame in frames
        for row in tracing_rows(truth.outline_px[frame])
    ]


def _truth_row(plan: Plan, truth: Truth) -> tuple[object, ...]:
    ef = float(truth.ef_percent.mean()) if len(truth.ef_percent) else ""
    rate = truth.heart_rate_bpm if np.isfinite(truth.heart_rate_bpm) else ""
    return (
        plan.name,
        plan.view,
        plan.kind,
        rate,
        ef,
        len(truth.ef_percent),
        truth.spacing_cm[0],
        plan.seed,
    )


def _make_one(job: tuple[Plan, str], *, out: Path, form: str) -> Made:
    return simulate_clip(job[0], out=out, form=form, split=job[1])


def split_of(index: int) -> str:
    """The split of the i-th clip, each a patient of its own: 70 % TRAIN, 15 % VAL, 15 % TEST."""
    return "TRAIN" if index % 20 < 14 else "VAL" if index % 20 < 17 else "TEST"


def simulate_folder(
    out: str | Path,
    *,
    n: int,
    seed: int,
    form: str = "avi",
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Make `n` clips from `seed` in a new folder `out`; the same call makes the same folder.

    `form` is "avi" (112 x 112, as EchoNet-Dynamic) or "dicom" (a 480 x 640 scanner screen with
    text, scale and ECG, calibrated). Raises OutputError where the folder holds clips already or
    cannot be written. `progress` is called with clips done and asked.
    """
    out = Path(out)
    if (out / "FileList.csv").exists():
        raise OutputError(f"{out}: holds simulated clips already; choose another folder")
    plans = draw_plans(n, seed)
    if form == "dicom":
        plans = [replace(plan, size=SCREEN, screen=True) for plan in plans]
    jobs = [(plan, split_of(i)) for i, plan in enumerate(plans)]
    made = []
    try:
        for name in ("Dicom" if form == "dicom" else "Videos", "truth"):
            (out / name).mkdir(parents=True, exist_ok=True)
        make = partial(_make_one, out=out, form=form)
        if workers > 1:
            with ProcessPoolExecutor(workers) as pool:
                for one in pool.map(make, jobs):
                    made.append(one)
                    if progress is not None:
                        progress(len(made), n)
        else:
            for job in jobs:
                made.append(make(job))
                if progress is not None:
                    progress(len(made), n)
        _write_table(
            out / "VolumeTracings.csv", TRACINGS, [r for m in made for r in m.tracing_rows]
        )
        _write_table(out / "truth.csv", TRUTH, [m.truth_row for m in made])
        _write_table(out / "FileList.csv", FILE_LIST, [m.file_row for m in made])
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{out}: cannot be written ({error.strerror}); free space or choose another folder"
        ) from error
    return out


def _write_table(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
