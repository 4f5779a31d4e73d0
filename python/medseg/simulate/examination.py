"""One simulated clip with its truth: frames, masks, volumes, beats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from medseg.simulate import heart, marks, rhythm, scene

MIN_FRAMES = 24


@dataclass(frozen=True)
class Plan:
    """What is asked of one clip; everything else follows from its seed."""

    name: str
    seed: int
    view: str
    kind: str  # rhythm
    heart_rate_bpm: float
    ejection_fraction: float  # 0-1, of an average beat
    frame_rate_hz: float
    duration_s: float
    size: tuple[int, int] = (112, 112)
    screen: bool = False  # a whole scanner screen with text, scale and ECG, in colour


@dataclass(frozen=True)
class Truth:
    """What is known of a clip because it was made: arrays by frame and by complete beat."""

    mask: np.ndarray  # (frame, y, x) uint8, 0 or 1
    frame_time_s: np.ndarray
    area_cm2: np.ndarray  # (frame,)
    long_axis_cm: np.ndarray
    volume_ml: np.ndarray
    ed_time_s: np.ndarray  # (beat,) of each beat whose ED and ES both lie in the clip
    es_time_s: np.ndarray
    edv_ml: np.ndarray
    esv_ml: np.ndarray
    ef_percent: np.ndarray
    heart_rate_bpm: float  # by the mean interval between the clip's end-systoles
    spacing_cm: tuple[float, float]
    outline_px: np.ndarray  # (frame, point, 2) of (x, y)
    view: str
    kind: str


def draw_plan(rng: np.random.Generator, name: str) -> Plan:
    """Draw a clip as EchoNet-Dynamic has them: 112 x 112, several beats, any heart."""
    kind = str(rng.choice(rhythm.RHYTHMS, p=[0.76, 0.12, 0.12]))
    rate_bpm = float(rng.uniform(40, 160) if kind == "sinus" else rng.uniform(60, 120))
    cycles = rng.uniform(4.2, 6.5)
    return Plan(
        name=name,
        seed=int(rng.integers(2**62)),
        view="A4C" if rng.random() < 0.75 else "A2C",
        kind=kind,
        heart_rate_bpm=rate_bpm,
        ejection_fraction=float(rng.uniform(0.1, 0.8)),
        frame_rate_hz=float(
            rng.choice([25.0, 30.0, 33.0, 40.0, 50.0, 50.0, 50.0, 60.0, 75.0, 100.0])
        ),
        duration_s=float(np.clip(cycles * 60 / rate_bpm, 1.8, 7.0)),
    )


@dataclass(frozen=True)
class Examination:
    """A plan turned into a scene and frame times, ready to render."""

    plan: Plan
    scene: scene.Scene
    frame_time_s: np.ndarray
    marks: marks.Marks | None


def prepare(plan: Plan) -> Examination:
    """Draw everything that the plan leaves open."""
    rng = np.random.default_rng(plan.seed)
    drawn = scene.draw_scene(
        rng,
        view=plan.view,
        kind=plan.kind,
        heart_rate_bpm=plan.heart_rate_bpm,
        ejection_fraction=plan.ejection_fraction,
        duration_s=plan.duration_s,
        size=plan.size,
        fill=float(rng.uniform(0.78, 0.9) if plan.screen else rng.uniform(0.9, 1.0)),
    )
    frames = max(round(plan.duration_s * plan.frame_rate_hz), MIN_FRAMES)
    return Examination(
        plan=plan,
        scene=drawn,
        frame_time_s=np.arange(frames) / plan.frame_rate_hz,
        marks=marks.draw_marks(rng, plan.size) if plan.screen else None,
    )


def render(examination: Examination) -> Iterator[tuple[np.ndarray, scene.Frame]]:
    """Render the frames in order: RGB pictures (H, W, 3) uint8 with what they were made from."""
    time_s = examination.frame_time_s
    for now_s, frame in zip(time_s, scene.render(examination.scene, time_s), strict=True):
        grey = np.rint(frame.picture * 255).astype(np.uint8)
        picture = np.repeat(grey[..., None], 3, axis=2)
        if examination.marks is not None:
            picture = marks.write_marks(
                picture,
                examination.marks,
                beats=examination.scene.beats,
                now_s=float(now_s),
                duration_s=float(time_s[-1]),
            )
        yield picture, frame


def _volume_at(drawn: scene.Scene, time_s: float) -> float:
    """Volume in mL of the cavity at one time, by fine disks over its outline."""
    relative = scene.cavity_at(drawn, np.array([time_s]))[0]
    return heart.disk_volume_ml(heart.cavity_polygon(drawn.heart, float(relative)))


def gather_truth(examination: Examination, frames: list[scene.Frame]) -> Truth:
    """The truth of a clip whose frames were rendered."""
    drawn, plan = examination.scene, examination.plan
    time_s = examination.frame_time_s
    outlines = [f.outline_cm for f in frames]
    axes = [heart.long_axis(o) for o in outlines]
    whole = [b for b in drawn.beats if b.ed_s >= time_s[0] and b.es_s <= time_s[-1]]
    # End-diastole is the onset of ejection: the last instant before the volume falls.
    edv = np.array([_volume_at(drawn, b.ed_s) for b in whole])
    esv = np.array([_volume_at(drawn, b.es_s) for b in whole])
    end_systoles = [b.es_s for b in drawn.beats if time_s[0] <= b.es_s <= time_s[-1]]
    spacing = drawn.raster.spacing_cm
    return Truth(
        mask=np.stack([scene.rasterise(f.polygon, plan.size) for f in frames]),
        frame_time_s=time_s,
        area_cm2=np.array([heart.polygon_area(o) for o in outlines]),
        long_axis_cm=np.array([np.linalg.norm(base - apex) for base, apex in axes]),
        volume_ml=np.array([heart.disk_volume_ml(o) for o in outlines]),
        ed_time_s=np.array([b.ed_s for b in whole]),
        es_time_s=np.array([b.es_s for b in whole]),
        edv_ml=edv,
        esv_ml=esv,
        ef_percent=100 * (edv - esv) / edv,
        heart_rate_bpm=60 / float(np.diff(end_systoles).mean())
        if len(end_systoles) > 1
        else float("nan"),
        spacing_cm=(spacing, spacing),
        outline_px=np.stack([f.polygon for f in frames]),
        view=plan.view,
        kind=plan.kind,
    )
