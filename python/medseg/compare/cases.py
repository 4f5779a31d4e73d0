"""Which clips can be compared: those that every run predicted, with the truth beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from medseg.compare.runs import Run
from medseg.data import Case, bare_name, open_dataset
from medseg.errors import InputError
from medseg.evaluate import ClipScore, Evaluation, Tolerances, evaluate_folder

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LeftOut:
    """A clip that is not compared, or not by EF, and why."""

    clip: str
    run: str  # the run that lacks it
    reason: str


@dataclass
class ScoredRun:
    """One run's scores of the clips that all runs have, in the same order for all."""

    run: Run
    evaluation: Evaluation  # of all clips
    clips: list[ClipScore]  # of the compared ones, whose patients are named alike in all runs


@dataclass
class Compared:
    """All runs on the same clips."""

    dataset: Path
    split: str | None
    cases: dict[str, Case]  # the compared ones by name
    runs: list[ScoredRun]
    left_out: list[LeftOut]
    without_ef: list[LeftOut]  # compared by their masks, but not by EF
    problems: list[str] = field(default_factory=list)


def wanted_split(dataset: Path, split: str | None) -> str | None:
    """The split to compare on: as given, `all` for every clip, else TEST where there is one."""
    if split is not None:
        return None if split.lower() == "all" else split.upper()
    cases = open_dataset(dataset).cases.values()
    return "TEST" if any(case.split == "TEST" for case in cases) else None


def score_runs(
    runs: Sequence[Run],
    dataset: Path,
    *,
    split: str | None = None,
    train: Path | None = None,
    method: str = "beatbybeat",
    tolerances: Tolerances | None = None,
    progress: Progress | None = None,
) -> Compared:
    """Score every run as `medseg evaluate` does, and keep the clips that all of them have.

    EF is compared on the clips of which every run that gives any EF gives one. Raises InputError
    naming the run that has no clip of the data set, or where no clip is in all runs.
    """
    evaluations = []
    for number, run in enumerate(runs):

        def advance(done: int, total: int, number: int = number) -> None:
            if progress is not None:
                progress(number * total + done, len(runs) * total)

        try:
            evaluations.append(
                evaluate_folder(
                    run.predictions,
                    dataset,
                    split=split,
                    train=train,
                    method=method,
                    tolerances=tolerances,
                    progress=advance,
                )
            )
        except InputError as error:
            raise InputError(f"run {run.name}: {error}") from None
    left_out = [
        LeftOut(clip.name, run.name, clip.reason)
        for run, evaluation in zip(runs, evaluations, strict=True)
        for clip in evaluation.clips
        if clip.reason is not None
    ]
    absent = {case.clip for case in left_out}
    names = [clip.name for clip in evaluations[0].clips if clip.name not in absent]
    if not names:
        first = left_out[0]
        raise InputError(
            f"no clip of {dataset} is in all runs, as {first.run} has {first.clip}: {first.reason}"
        )
    scored = [
        ScoredRun(run, evaluation, [c for c in evaluation.clips if c.name not in absent])
        for run, evaluation in zip(runs, evaluations, strict=True)
    ]
    listed = open_dataset(dataset).cases
    cases = {name: listed[name] for name in names}
    _name_patients_alike(scored, cases)
    without_ef = _same_ef_clips(scored)
    _same_rate_clips(scored)
    problems = [
        f"{one.run.name}: {problem}"
        for one in scored
        for problem in one.evaluation.problems
        if "clips are not scored" not in problem
    ]
    if absent:
        problems.append(
            f"{len(absent)} of {len(absent) + len(names)} clips are not in all runs, first "
            f"{left_out[0].clip}: {left_out[0].run}: {left_out[0].reason}"
        )
    return Compared(dataset, split, cases, scored, left_out, without_ef, problems)


def _name_patients_alike(scored: Sequence[ScoredRun], cases: dict[str, Case]) -> None:
    """A store's own subject key goes before the data set's, for all runs if any has one."""
    for index, case in enumerate(cases.values()):
        said = (one.clips[index].patient for one in scored)
        patient = next((key for key in said if key != case.patient), case.patient)
        for one in scored:
            one.clips[index] = replace(one.clips[index], patient=patient)


def _same_ef_clips(scored: Sequence[ScoredRun]) -> list[LeftOut]:
    """Take EF away where one of the runs that give EF has none, and say which and why."""
    giving = [one for one in scored if any(clip.ef_percent is not None for clip in one.clips)]
    lost = [
        LeftOut(clip.name, one.run.name, clip.ef_reason or "no EF")
        for one in giving
        for clip in one.clips
        if clip.ef_percent is None
    ]
    absent = {case.clip for case in lost}
    for one in scored:
        for index, clip in enumerate(one.clips):
            if clip.name in absent and clip.ef_percent is not None:
                reason = "not given by every run"
                one.clips[index] = replace(clip, ef_percent=None, ef_reason=reason)
    return lost


def _same_rate_clips(scored: Sequence[ScoredRun]) -> None:
    """Take the heart rate away where one of the runs that give one has none."""
    giving = [one for one in scored if any(c.heart_rate_bpm is not None for c in one.clips)]
    absent = {c.name for one in giving for c in one.clips if c.heart_rate_bpm is None}
    for one in scored:
        one.clips = [replace(c, heart_rate_bpm=None) if c.name in absent else c for c in one.clips]


def ef_coverage(one: ScoredRun) -> tuple[int, int]:
    """Of how many of the compared clips a run gives an EF, whatever the others give."""
    names = {bare_name(clip.name) for clip in one.clips}
    mine = [clip for clip in one.evaluation.clips if bare_name(clip.name) in names]
    return sum(clip.ef_percent is not None for clip in mine), len(mine)
