"""How far runs differ: every measure with its interval, and paired differences of two runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from medseg.compare.cases import Compared, ScoredRun
from medseg.errors import InputError
from medseg.evaluate import Measure
from medseg.evaluate.definitions import Definition, define_measures, group_by_patient
from medseg.evaluate.summary import NO_INTERVAL, drawn_unit, measure_of, why_missing
from medseg.metrics import DRAWS, bootstrap, percentile_interval

SEED = 1

# Label of each measure of the table, in its order; the keys are those of medseg evaluate.
ACCURACY = {
    "pooled_dice": "Dice, pooled",
    "mean_frame_dice": "Dice, mean of frames",
    "ed_pooled_dice": "Dice at end-diastole, pooled",
    "es_pooled_dice": "Dice at end-systole, pooled",
    "pooled_iou": "IoU, pooled",
    "mean_frame_iou": "IoU, mean of frames",
    "hd95_px": "HD95",
    "assd_px": "Mean surface distance",
    "frame_to_frame_dice": "Dice of neighbouring frames",
    "ef_mae": "EF: mean absolute error",
    "ef_rmse": "EF: root mean square error",
    "ef_r_squared": "EF: R² (1 − SSE/SST)",
    "ef_r2_of_correlation": "EF: r² of the correlation",
    "ef_bias": "EF: bias, measured − true",
    "ef_limit_low": "EF: lower limit of agreement",
    "ef_limit_high": "EF: upper limit of agreement",
    "ef_auc_35": "EF: AUC for 35 % or less",
    "ef_auc_40": "EF: AUC for 40 % or less",
    "ef_auc_50": "EF: AUC for 50 % or less",
    "heart_rate_mae": "Heart rate: mean absolute error",
    "beat_sensitivity": "Beats found, of the true",
    "beat_precision": "Beats true, of the found",
}
BASELINES = {
    "mean_mask_dice": "Dice of the mean training mask, pooled",
    "ef_mae_of_mean": "EF: mean absolute error of the TRAIN mean",
}


@dataclass(frozen=True)
class Difference:
    """One measure of two runs on the same clips: `first` - `second`."""

    key: str
    first: str
    second: str
    value: float
    low: float  # 95 % interval, paired over patients
    high: float
    n_first: int  # of what the measure counts: frames, clips, beats
    n_second: int
    patients: int
    unit: str
    digits: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, eq=False)
class Measured:
    """Every run's measures by key, and the differences of pairs."""

    measures: dict[str, dict[str, Measure]]  # by run, then by key
    differences: list[Difference]
    draws: int
    seed: int
    patients: int
    unit: str  # what was drawn


def measure_runs(
    compared: Compared, *, draws: int = DRAWS, seed: int = SEED, reference: str | None = None
) -> Measured:
    """Measure all runs and the differences of all pairs, or of each run and `reference`.

    Patients are drawn with replacement, each with all clips, and every run sees the same draws: a
    difference is paired, so that what makes a patient hard for both runs cancels. Intervals go
    from the 2.5th to the 97.5th percentile; they are not corrected for the number of comparisons,
    and no p-value is given. Raises InputError for a reference that is no run.
    """
    names = [one.run.name for one in compared.runs]
    if reference is not None and reference not in names:
        raise InputError(f"--reference {reference}: no run has that name; runs: {', '.join(names)}")
    grouped = [group_by_patient(one.clips) for one in compared.runs]
    groups = grouped[0].patients
    keys = {**ACCURACY, **BASELINES}
    defined: dict[str, dict[str, Definition]] = {}
    for one, group in zip(compared.runs, grouped, strict=True):
        found = define_measures(group, one.evaluation.tolerances, one.evaluation.mean_ef)
        defined[one.run.name] = {d.key: d for d in found if d.key in keys}
    statistics = {
        f"{name}/{key}": d.statistic
        for name, found in defined.items()
        for key, d in found.items()
        if d.n and d.patients > 1
    }
    drawn = bootstrap(statistics, groups, draws=draws, seed=seed)
    once = np.ones((1, groups))
    measures = {
        one.run.name: {
            key: _measure(d, keys[key], once, drawn.get(f"{one.run.name}/{key}"), one)
            for key, d in defined[one.run.name].items()
        }
        for one in compared.runs
    }
    differences = [
        found
        for first, second in _pairs(names, reference)
        for key in ACCURACY
        if (found := _difference(key, first, second, measures, drawn)) is not None
    ]
    return Measured(measures, differences, draws, seed, groups, drawn_unit(grouped[0]))


def _pairs(names: Sequence[str], reference: str | None) -> list[tuple[str, str]]:
    if reference is None:
        return list(combinations(names, 2))
    return [(name, reference) for name in names if name != reference]


def _measure(
    d: Definition, label: str, once: np.ndarray, drawn: np.ndarray | None, one: ScoredRun
) -> Measure:
    between = percentile_interval(drawn) if drawn is not None else NO_INTERVAL
    without_r = any(clip.ef_reason == "R is not available" for clip in one.clips)
    reason = why_missing(d, without_r, one.evaluation.without_masks)
    return measure_of(d, once, between, label=label, reason=reason)


def _difference(
    key: str,
    first: str,
    second: str,
    measures: dict[str, dict[str, Measure]],
    drawn: dict[str, np.ndarray],
) -> Difference | None:
    """None where one of the two runs lacks the measure."""
    a, b = measures[first][key], measures[second][key]
    if not (np.isfinite(a.value) and np.isfinite(b.value)):
        return None
    one, other = drawn.get(f"{first}/{key}"), drawn.get(f"{second}/{key}")
    both = one is not None and other is not None
    between = percentile_interval(one - other) if both else NO_INTERVAL
    return Difference(
        key=key,
        first=first,
        second=second,
        value=a.value - b.value,
        low=between.low,
        high=between.high,
        n_first=a.n,
        n_second=b.n,
        patients=min(a.patients, b.patients),
        unit=a.unit,
        digits=a.digits,
    )
