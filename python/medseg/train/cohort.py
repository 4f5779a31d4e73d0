"""Which samples are trained and validated on, and that no patient is on both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medseg.data import (
    Case,
    Dataset,
    TracedFrame,
    ed_es,
    open_dataset,
    split_by_patient,
    splits_of_fold,
)
from medseg.errors import InputError, TrainingError
from medseg.train.config import Config

TRAIN, VALIDATION, TEST = "TRAIN", "VAL", "TEST"


@dataclass(frozen=True, eq=False)
class Item:
    """What one sample is drawn from: a clip, and the traced frames that it is judged by."""

    case: Case
    traced: tuple[TracedFrame, ...] = ()

    @property
    def name(self) -> str:
        """The clip and its traced frames, for a message."""
        frames = ", ".join(str(t.frame) for t in self.traced)
        return f"{self.case.name} (frame {frames})" if frames else self.case.name


@dataclass(frozen=True, eq=False)
class Cohort:
    """The samples of both splits, and the clips that normalisation is measured on."""

    dataset: Dataset
    training: list[Item]
    validation: list[Item]
    training_cases: list[Case]  # of the whole TRAIN split, traced or not


def choose_cohort(config: Config) -> Cohort:
    """Open the data set and list its samples.

    Raises:
        InputError: no data set there.
        TrainingError: a split without patients or tracings, or a patient in two splits.
    """
    if not config.data.path:
        raise InputError("no data set is named; give --data DIR, or path under [data]")
    dataset = open_dataset(Path(config.data.path), config.data.kind or None)
    if config.data.fold >= 0:
        dataset = splits_of_fold(dataset, config.data.fold)
    elif config.data.draw_splits:
        dataset = split_by_patient(dataset, config.seed)
    _no_patient_twice(dataset)
    task = config.objective.task
    if task == "landmarks" and dataset.kind != "echonet":
        raise TrainingError(
            f"{dataset.path}: landmarks need tracings by chords, as EchoNet-Dynamic's, that tell "
            f"the mitral plane; this is {dataset.kind}; choose --recipe unet"
        )
    training_cases = _cases_of(dataset, TRAIN)
    labelled = labelled_share(training_cases, config.data.labels, config.seed)
    if task == "masked-clips":  # no label is looked at
        labelled = training_cases
    lists = ITEMS[task]
    training = lists(labelled, config.data.traced)
    validation = lists(_cases_of(dataset, VALIDATION), config.data.traced)
    for split, items in ((TRAIN, training), (VALIDATION, validation)):
        if not items:
            what = "ejection fraction" if task == "ef" else "traced frames that can be used"
            raise TrainingError(
                f"{dataset.path}: no clip of split {split} has {what}; medseg data check tells why"
            )
    if 0 < config.data.validation_samples < len(validation):
        chosen = np.random.default_rng([config.seed, 2]).permutation(len(validation))
        validation = [validation[i] for i in sorted(chosen[: config.data.validation_samples])]
    return Cohort(dataset, training, validation, training_cases)


def labelled_share(cases: list[Case], share: float, seed: int) -> list[Case]:
    """The clips of a share of the patients, at least one; a larger share holds the smaller ones.

    Patients without any truth do not count; a clip whose patient is not known is one of its own.
    """
    with_truth = [case for case in cases if case.traced or case.ef_percent is not None]
    patients = sorted({patient_of(case) for case in with_truth})
    order = np.random.default_rng([seed, 1]).permutation(len(patients))
    kept = {patients[i] for i in order[: max(1, round(share * len(patients)))]}
    return [case for case in with_truth if patient_of(case) in kept]


def patient_of(case: Case) -> str:
    """The data set's key of the patient; the clip's name where it is not known."""
    return case.patient if case.patient is not None else f"clip {case.name}"


def _cases_of(dataset: Dataset, split: str) -> list[Case]:
    cases = list(dataset.of_split(split))
    if not cases:
        found = sorted({case.split or "none" for case in dataset.cases.values()})
        raise TrainingError(
            f"{dataset.path}: split {split} has no patient (splits found: {', '.join(found)}); "
            "name its clips, or set draw_splits or fold under [data]"
        )
    return cases


def _no_patient_twice(dataset: Dataset) -> None:
    seen: dict[str, str] = {}
    for case in dataset.cases.values():
        if case.split not in (TRAIN, VALIDATION, TEST):
            continue
        before = seen.setdefault(patient_of(case), case.split)
        if before != case.split:
            raise TrainingError(
                f"{dataset.path}: patient {patient_of(case)} is in {before} and in {case.split}; "
                "put all clips of a patient in one split (medseg data check lists them)"
            )


def _traced_of(case: Case, which: str) -> list[TracedFrame]:
    pair = ed_es(case)
    if which == "ed-es" and pair is not None:
        return list(pair)
    return [traced for traced in case.traced if traced.area_px > 0]


def _pairs(cases: list[Case], which: str) -> list[Item]:
    found = ((case, ed_es(case)) for case in cases)
    return [Item(case, pair) for case, pair in found if pair is not None]


def _each_traced(cases: list[Case], which: str) -> list[Item]:
    return [Item(case, (traced,)) for case in cases for traced in _traced_of(case, which)]


def _all(cases: list[Case], which: str) -> list[Item]:
    return [Item(case) for case in cases]


def _with_ef(cases: list[Case], which: str) -> list[Item]:
    return [Item(case) for case in cases if case.ef_percent is not None]


ITEMS: dict[str, Callable[[list[Case], str], list[Item]]] = {  # by task
    "traced-pairs": _pairs,
    "traced-frames": _each_traced,
    "landmarks": _each_traced,
    "clips": _each_traced,
    "masked-clips": _all,
    "ef": _with_ef,
}
