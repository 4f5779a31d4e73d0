"""What is measured: every number of an evaluation as a function of how often patients are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.evaluate.scores import ClipScore, Closeness, Steadiness, Tolerances
from medseg.evaluate.truth import MeanEF
from medseg.metrics import (
    EventCount,
    Kind,
    Overlap,
    Statistic,
    agreement_statistic,
    auc_statistic,
    frame_dice,
    frame_iou,
    group_numbers,
    mean_statistic,
    ratio_statistic,
)

Float = NDArray[np.float64]

EF_LEVELS_PERCENT = (35, 40, 50)  # to tell apart: at or below from above
PHASES = (("", "all frames"), ("ed_", "end-diastole"), ("es_", "end-systole"))
ERROR_KINDS: tuple[tuple[Kind, str, bool], ...] = (
    ("mae", "mean absolute error", True),
    ("rmse", "root mean square error", True),
    ("bias", "bias, measured - true", True),
    ("limit_low", "lower limit of agreement, bias - 1.96 SD", True),
    ("limit_high", "upper limit of agreement, bias + 1.96 SD", True),
    ("r_squared", "R² (1 - SSE/SST)", False),
    ("r2_of_correlation", "r² of the correlation", False),
)  # kind, words, whether it has the number's unit


@dataclass(frozen=True, eq=False)
class Definition:
    """One measure of a set of clips."""

    key: str
    label: str
    statistic: Statistic  # of (draw, patient) weights
    n: int
    of: str  # what n counts
    patients: int  # who add to n
    unit: str = ""
    digits: int = 4
    reason: str | None = None  # why it is missing


@dataclass(frozen=True, eq=False)
class Grouped:
    """Clips with the number of the patient each is of."""

    clips: Sequence[ClipScore]
    patient: NDArray[np.intp]  # (clip,)
    patients: int

    def frames(self, take: Callable[[ClipScore], Float | None]) -> tuple[Float, NDArray[np.intp]]:
        """A number of each frame of all clips and its patient, (frame,) each."""
        taken = [take(clip) for clip in self.clips]
        known = [np.zeros(0) if values is None else values for values in taken]
        group = np.repeat(self.patient, [values.size for values in known])
        return (np.concatenate(known) if known else np.zeros(0)), group

    def numbers(self, name: str) -> Float:
        """A number of each clip, (clip,); NaN where it is missing."""
        values = [getattr(clip, name) for clip in self.clips]
        return np.array([np.nan if value is None else value for value in values], np.float64)


def group_by_patient(clips: Sequence[ClipScore]) -> Grouped:
    """Group clips by their patient; a clip whose patient is not known is one of its own."""
    keys = [f"clip {c.name}" if c.patient is None else f"patient {c.patient}" for c in clips]
    patient, patients = group_numbers(keys)
    return Grouped(clips, patient, patients)


def define_measures(
    grouped: Grouped, tolerances: Tolerances, mean_ef: MeanEF | None = None
) -> list[Definition]:
    """All measures of scored clips, in the order of the tables."""
    calibrated = any(clip.cm_per_px is not None for clip in grouped.clips)
    measures = []
    for prefix, words in PHASES:
        measures += _closeness(grouped, prefix, words, tolerances, calibrated=calibrated)
    measures.append(_mean_mask(grouped))
    measures += _steadiness(grouped)
    measures += _errors(grouped, "ef", "EF", "points", "ef_percent", "ef_true_percent")
    measures.append(_mae_of_mean(grouped, mean_ef))
    measures += [_auc(grouped, level) for level in EF_LEVELS_PERCENT]
    measures += _errors(
        grouped, "heart_rate", "heart rate", "bpm", "heart_rate_bpm", "heart_rate_true_bpm"
    )
    measures.append(_events(grouped, "beat_sensitivity", "beats found, of the true"))
    measures.append(_events(grouped, "beat_precision", "beats true, of the found"))
    return measures


def _closeness(
    grouped: Grouped, prefix: str, words: str, tolerances: Tolerances, *, calibrated: bool
) -> list[Definition]:
    """Dice, IoU and distances of one set of frames."""
    name = {"": "masks", "ed_": "ed", "es_": "es"}[prefix]

    def of(clip: ClipScore) -> Closeness | None:
        found: Closeness | None = getattr(clip, name)
        return found

    def counted(pick: Callable[[Overlap], Float]) -> tuple[Float, NDArray[np.intp]]:
        return grouped.frames(lambda clip: pick(c.overlap) if (c := of(clip)) else None)

    def distance(
        pick: Callable[[Closeness], Float], *, cm: bool = False, scaled: bool = True
    ) -> tuple[Float, NDArray[np.intp]]:
        def take(clip: ClipScore) -> Float | None:
            close = of(clip)
            if close is None or (cm and clip.cm_per_px is None):
                return None
            values = pick(close)
            return values * clip.cm_per_px if cm and scaled and clip.cm_per_px else values

        return grouped.frames(take)

    shared, group = counted(lambda o: o.shared)
    total, _ = counted(lambda o: o.total)
    union, _ = counted(lambda o: o.union)
    n, patients = grouped.patients, np.unique(group).size
    pooled = [
        Definition(
            f"{prefix}pooled_{kind}",
            f"pooled {label}, {words}",
            ratio_statistic(part, whole, group, n),
            group.size,
            "frames",
            patients,
        )
        for kind, label, part, whole in (
            ("dice", "Dice", 2 * shared, total),
            ("iou", "IoU", shared, union),
        )
    ]
    means = [
        ("mean_frame_dice", "mean of the frames' Dice", "", 4, counted(frame_dice)),
        ("mean_frame_iou", "mean of the frames' IoU", "", 4, counted(frame_iou)),
        ("hd95_px", "HD95", "px", 2, distance(lambda c: c.surface.hd95_px)),
        ("assd_px", "mean surface distance", "px", 2, distance(lambda c: c.surface.assd_px)),
        (
            "surface_dice_px",
            f"surface Dice at {tolerances.px:g} px",
            "",
            4,
            distance(lambda c: c.surface.surface_dice[0]),
        ),
        ("hd95_cm", "HD95", "cm", 3, distance(lambda c: c.surface.hd95_px, cm=True)),
        (
            "assd_cm",
            "mean surface distance",
            "cm",
            3,
            distance(lambda c: c.surface.assd_px, cm=True),
        ),
        (
            "surface_dice_cm",
            f"surface Dice at {tolerances.cm:g} cm",
            "",
            4,
            distance(lambda c: c.surface.surface_dice[1], cm=True, scaled=False),
        ),
    ]  # fmt: skip
    missing = None if calibrated else "no clip is calibrated"
    return pooled + [
        _mean(
            grouped,
            prefix + key,
            f"{label}, {words}",
            *found,
            of="frames",
            unit=unit,
            digits=digits,
            reason=missing if key.endswith("_cm") else None,
        )
        for key, label, unit, digits, found in means
    ]


def _mean(
    grouped: Grouped,
    key: str,
    label: str,
    values: Float,
    group: NDArray[np.intp],
    *,
    of: str,
    unit: str = "",
    digits: int = 4,
    reason: str | None = None,
) -> Definition:
    """The mean over frames in which a number is known."""
    known = np.isfinite(values)
    statistic = mean_statistic(values, group, grouped.patients)
    patients = np.unique(group[known]).size
    return Definition(key, label, statistic, int(known.sum()), of, patients, unit, digits, reason)


def _mean_mask(grouped: Grouped) -> Definition:
    shared, group = grouped.frames(lambda c: c.mean_mask.shared if c.mean_mask else None)
    total, _ = grouped.frames(lambda c: c.mean_mask.total if c.mean_mask else None)
    return Definition(
        "mean_mask_dice",
        "pooled Dice of the mean mask, all frames",
        ratio_statistic(2 * shared, total, group, grouped.patients),
        group.size,
        "frames",
        np.unique(group).size,
        reason="no TRAIN clip with a truth; name a folder with --train",
    )


def _steadiness(grouped: Grouped) -> list[Definition]:
    """Dice of neighbouring frames and jitter of the area, the truth's beside the prediction's."""
    measures = []
    for key, label, pick, factor, unit, digits in (
        ("frame_to_frame_dice", "Dice of neighbouring frames", "neighbour_dice", 1.0, "", 4),
        ("area_jitter_percent", "area jitter, of the mean area", "jitter", 100.0, "%", 2),
    ):
        for suffix, words, name in (
            ("", "", "steadiness"),
            ("_true", ", of the truth", "true_steadiness"),
        ):

            def take(clip: ClipScore, name: str = name, pick: str = pick) -> Float | None:
                steady: Steadiness | None = getattr(clip, name)
                return None if steady is None else getattr(steady, pick)

            values, group = grouped.frames(take)
            measures.append(
                _mean(
                    grouped,
                    key + suffix,
                    label + words,
                    factor * values,
                    group,
                    of="frames",
                    unit=unit,
                    digits=digits,
                    reason="the truth does not have every frame" if suffix else None,
                )
            )
    return measures


def _errors(
    grouped: Grouped, key: str, label: str, unit: str, got: str, want: str
) -> list[Definition]:
    measured, truth = grouped.numbers(got), grouped.numbers(want)
    known = np.isfinite(measured) & np.isfinite(truth)
    return [
        Definition(
            f"{key}_{kind}",
            f"{label}: {words}",
            agreement_statistic(measured, truth, kind, grouped.patient, grouped.patients),
            int(known.sum()),
            "clips",
            np.unique(grouped.patient[known]).size,
            unit if in_unit else "",
            2 if in_unit else 4,
        )
        for kind, words, in_unit in ERROR_KINDS
    ]


def _mae_of_mean(grouped: Grouped, mean_ef: MeanEF | None) -> Definition:
    """The error of saying the mean training EF of every clip that has a measured EF."""
    measured, truth = grouped.numbers("ef_percent"), grouped.numbers("ef_true_percent")
    known = np.isfinite(measured) & np.isfinite(truth) & (mean_ef is not None)
    always = np.full(truth.size, np.nan if mean_ef is None else mean_ef.ef_percent)
    said = f" ({mean_ef.ef_percent:.1f} %)" if mean_ef is not None else ""
    return Definition(
        "ef_mae_of_mean",
        f"EF: mean absolute error of always saying the TRAIN mean{said}",
        agreement_statistic(
            np.where(known, always, np.nan), truth, "mae", grouped.patient, grouped.patients
        ),
        int(known.sum()),
        "clips",
        np.unique(grouped.patient[known]).size,
        "points",
        2,
        reason="no TRAIN clip with an EF; name a folder with --train" if mean_ef is None else None,
    )


def _auc(grouped: Grouped, level: int) -> Definition:
    """How well the measured EF finds clips whose true EF is at or below a level."""
    measured, truth = grouped.numbers("ef_percent"), grouped.numbers("ef_true_percent")
    known = np.isfinite(measured) & np.isfinite(truth)
    low = known & (truth <= level)
    reason = None
    if known.any() and not low.any():
        reason = f"no clip with a true EF of {level} % or less"
    elif known.any() and low.sum() == known.sum():
        reason = f"no clip with a true EF above {level} %"
    return Definition(
        f"ef_auc_{level}",
        f"EF: AUC for a true EF of {level} % or less",
        auc_statistic(np.where(known, -measured, np.nan), low, grouped.patient, grouped.patients),
        int(known.sum()),
        f"clips, {int(low.sum())} at or below",
        np.unique(grouped.patient[known]).size,
        reason=reason,
    )


def _events(grouped: Grouped, key: str, label: str) -> Definition:
    side = ("true", "true_found") if key == "beat_sensitivity" else ("detected", "detected_true")
    counts = [clip.beats or EventCount(0, 0, 0, 0) for clip in grouped.clips]
    whole, right = (np.array([getattr(c, name) for c in counts], np.float64) for name in side)
    return Definition(
        key,
        label,
        ratio_statistic(right, whole, grouped.patient, grouped.patients),
        int(whole.sum()),
        "beats",
        np.unique(grouped.patient[whole > 0]).size,
    )
