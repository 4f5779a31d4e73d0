"""Sums an evaluation up: every measure with its interval and n."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.evaluate.definitions import Definition, Grouped, define_measures, group_by_patient
from medseg.evaluate.folder import Evaluation
from medseg.evaluate.protocols import DRAWS as PUBLISHED_DRAWS
from medseg.evaluate.protocols import define_published
from medseg.metrics import DRAWS, Interval, bootstrap, percentile_interval, published_interval

SEED = 1
NO_INTERVAL = Interval(float("nan"), float("nan"), 0)


@dataclass(frozen=True)
class Measure:
    """One measure; NaN where nothing could be measured, and then `reason` says why."""

    key: str
    label: str
    value: float
    low: float  # of the interval; NaN with fewer than two patients
    high: float
    n: int
    of: str  # what n counts
    patients: int
    unit: str = ""
    digits: int = 4
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Summary:
    """All measures of an evaluation, and how their intervals were drawn."""

    measures: list[Measure]  # with 95 % intervals over patients
    published: list[Measure]  # with the 90 % intervals of the protocol; empty without one
    draws: int
    seed: int
    drawn: int  # how many patients were drawn from
    unit: str  # what was drawn: patients, or clips where nobody knows whose they are


def summarise(evaluation: Evaluation, *, draws: int = DRAWS, seed: int = SEED) -> Summary:
    """All measures of an evaluation, in the order of the tables.

    Intervals are the 2.5th and 97.5th percentile over patients drawn with replacement, each with
    all clips; the protocol's are as published. The same seed gives the same intervals.
    """
    scored = [clip for clip in evaluation.clips if clip.reason is None]
    grouped = group_by_patient(scored)
    without_r = any(clip.ef_reason == "R is not available" for clip in scored)
    published = []
    if evaluation.protocol is not None:
        for definition in define_published(scored, evaluation.protocol):
            published += _measures(
                [definition],
                definition.patients,
                published_interval,
                draws=PUBLISHED_DRAWS,
                seed=seed,
                without_r=without_r,
                without_masks=evaluation.without_masks,
            )
    return Summary(
        measures=_measures(
            define_measures(grouped, evaluation.tolerances, evaluation.mean_ef),
            grouped.patients,
            percentile_interval,
            draws=draws,
            seed=seed,
            without_r=without_r,
            without_masks=evaluation.without_masks,
        ),
        published=published,
        draws=draws,
        seed=seed,
        drawn=grouped.patients,
        unit=drawn_unit(grouped),
    )


def drawn_unit(grouped: Grouped) -> str:
    """What is drawn for the intervals, in words."""
    known = [clip.patient is not None for clip in grouped.clips]
    if all(known):
        return "patients"
    return "patients, and clips whose patient is not known" if any(known) else "clips"


def _measures(
    definitions: Sequence[Definition],
    groups: int,
    interval: Callable[[NDArray[np.float64]], Interval],
    *,
    draws: int,
    seed: int,
    without_r: bool,
    without_masks: str | None,
) -> list[Measure]:
    """Measure once with every group drawn once, and many times for the intervals."""
    once = np.ones((1, groups))
    asked = {d.key: d.statistic for d in definitions if d.n and d.patients > 1}
    drawn = bootstrap(asked, groups, draws=draws, seed=seed)
    measures = []
    for d in definitions:
        between = interval(drawn[d.key]) if d.key in drawn else NO_INTERVAL
        reason = why_missing(d, without_r, without_masks)
        measures.append(measure_of(d, once, between, label=d.label, reason=reason))
    return measures


def measure_of(
    definition: Definition,
    once: NDArray[np.float64],
    between: Interval,
    *,
    label: str,
    reason: str,
) -> Measure:
    """A definition's value with every group drawn `once`; without one, the `reason`."""
    d = definition
    value = float(d.statistic(once)[0]) if d.n else float("nan")
    known = bool(np.isfinite(value))
    shown = between if known else NO_INTERVAL
    return Measure(
        key=d.key,
        label=label,
        value=value,
        low=shown.low,
        high=shown.high,
        n=d.n,
        of=d.of,
        patients=d.patients,
        unit=d.unit,
        digits=d.digits,
        reason=None if known else reason,
    )


def why_missing(definition: Definition, without_r: bool, without_masks: str | None) -> str:
    """A few words on why a measure is absent."""
    if without_masks is not None and not definition.key.startswith("ef_"):
        return without_masks
    if without_r and definition.key.startswith(("ef_", "heart_rate_", "beat_")):
        return "R is not available"
    return definition.reason or "nothing to compare"
