"""What a run costs: size, work, speed, memory, training and annotation; absent with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medseg.clip import Clip
from medseg.compare.cases import ScoredRun
from medseg.compare.memory import peak_memory_mib
from medseg.compare.runs import Run
from medseg.compare.speed import REPEATS, Speed, describe_machine, measure_speed
from medseg.compare.workload import Workload, load_workload
from medseg.errors import MedsegError
from medseg.models.complexity import complexity

UNKNOWN_MODEL = "network not known; give --model"
NOT_STATED = "not on record"
SHIPPED = "medseg default U-Net"


@dataclass
class Cost:
    """One run's cost; None where it is not known, and then `reasons` says why, by field."""

    parameters: int | None = None
    gflops_per_frame: float | None = None
    speed: Speed | None = None
    speed_words: str = ""
    peak_memory_mib: float | None = None
    training_seconds: float | None = None
    annotated_frames: float | None = None
    annotated_clips: float | None = None
    annotation_hours: float | None = None
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass
class Costs:
    """All runs' costs and what they were measured on."""

    by_run: dict[str, Cost]
    machine: str
    clip: str | None
    problems: list[str]
    cards: dict[str, dict[str, Any]]  # of the networks that were loaded, by run


def weigh_runs(
    scored: Sequence[ScoredRun],
    clip: Clip | None,
    clip_path: Path | None,
    *,
    device: str = "cpu",
    repeats: int = REPEATS,
    measure: bool = True,
    minutes_per_frame: float | None = None,
) -> Costs:
    """Gather every run's cost; speeds and memory are measured on one clip, the same for all.

    Without `clip`, or with `measure` off, speed and memory are absent. `minutes_per_frame` turns
    annotated frames into hours; without it hours are absent.
    """
    costs = {one.run.name: _on_record(one.run, minutes_per_frame) for one in scored}
    problems: list[str] = []
    workloads: dict[str, Workload] = {}
    cards: dict[str, dict[str, Any]] = {}
    why = "not asked for" if not measure else "the data set's clips cannot be opened"
    for one in scored:
        cost, (model, weights) = costs[one.run.name], _network_of(one)
        if model is None or clip is None:
            reason = UNKNOWN_MODEL if model is None else why
            _absent(cost, reason, "parameters", "gflops_per_frame", "speed", "peak_memory_mib")
            continue
        try:
            workload = load_workload(model, weights, device, clip)
        except MedsegError as error:
            problems.append(f"{one.run.name}: {error}")
            _absent(cost, str(error), "parameters", "gflops_per_frame", "speed", "peak_memory_mib")
            continue
        mismatch = _other_weights(one, workload)
        if mismatch is not None:
            problems.append(f"{one.run.name}: {mismatch}")
            _absent(cost, mismatch, "parameters", "gflops_per_frame", "speed", "peak_memory_mib")
            continue
        cards[one.run.name] = workload.card
        counted = complexity(
            workload.network, workload.input_shape, frames_per_input=workload.frames_per_input
        )
        cost.parameters, cost.gflops_per_frame = counted.parameters, counted.gflops_per_frame
        cost.reasons.pop("parameters", None)
        if not measure:
            _absent(cost, why, "speed", "peak_memory_mib")
            continue
        workloads[one.run.name] = workload
        cost.speed_words = workload.words
        assert clip_path is not None
        try:
            cost.peak_memory_mib = peak_memory_mib(model, weights, device, clip_path)
        except MedsegError as error:
            _absent(cost, str(error), "peak_memory_mib")
    if workloads:
        for name, speed in measure_speed(workloads, repeats=repeats).items():
            costs[name].speed = speed
    name = clip.name if clip else None
    return Costs(costs, describe_machine(device), name, problems, cards)


def _network_of(one: ScoredRun) -> tuple[str | None, Path | None]:
    """A run's network: as given or on record; the shipped one is known by its stores' card."""
    if one.run.model is not None:
        return one.run.model, one.run.weights
    card = one.evaluation.model or {}
    return ("default", None) if card.get("name") == SHIPPED else (None, None)


def _other_weights(one: ScoredRun, workload: Workload) -> str | None:
    """Why the given weights are not those of the stores, in words; None if they may be."""
    card = one.evaluation.model
    made = card.get("weights_sha256") if card else None
    given = workload.card["weights_sha256"]
    if made is None or given is None or made == given:
        return None
    return (
        f"its stores were made with other weights ({made[:8]}…) than those given "
        f"({given[:8]}…); give theirs with --weights"
    )


def _on_record(run: Run, minutes_per_frame: float | None) -> Cost:
    """What needs no measuring: training and annotation, from run.json or by --zero-shot."""
    cost = Cost()
    if run.zero_shot:
        cost.training_seconds = cost.annotated_frames = cost.annotated_clips = 0.0
    elif run.record is not None:
        record = run.record
        cost.training_seconds = record.training_seconds
        cost.annotated_frames, cost.annotated_clips = (
            record.annotated_frames,
            record.annotated_clips,
        )
        cost.parameters = None if record.parameters is None else int(record.parameters)
    for name in ("training_seconds", "annotated_frames", "annotated_clips"):
        if getattr(cost, name) is None:
            cost.reasons[name] = NOT_STATED if run.record is None else "run.json does not say"
    if cost.annotated_frames == 0:
        cost.annotation_hours = 0.0 if run.zero_shot else None
    if cost.annotation_hours is None:
        if cost.annotated_frames is None:
            cost.reasons["annotation_hours"] = cost.reasons["annotated_frames"]
        elif minutes_per_frame is None:
            cost.reasons["annotation_hours"] = "give --minutes-per-frame"
        elif cost.annotated_frames == 0:
            cost.reasons["annotation_hours"] = "clips have an EF, no traced frame"
        else:
            cost.annotation_hours = cost.annotated_frames * minutes_per_frame / 60
    return cost


def _absent(cost: Cost, reason: str, *names: str) -> None:
    for name in names:
        if getattr(cost, name) is None:
            cost.reasons[name] = " ".join(reason.split())
