"""Which cases are for training, validation and test, where the data set leaves that open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medseg.data.dataset import Dataset
from medseg.errors import InputError

SPLITS = ("TRAIN", "VAL", "TEST")
FOLDS = tuple(str(fold) for fold in range(10))


def has_folds(dataset: Dataset) -> bool:
    """Whether the splits are folds 0 to 9, as EchoNet-Pediatric's."""
    return any(case.split in FOLDS for case in dataset.cases.values())


def splits_of_fold(dataset: Dataset, fold: int) -> Dataset:
    """Test on one fold, validate on the next (9 is followed by 0), train on the other eight.

    Raises InputError for a data set without folds, or a fold that is not 0 to 9.
    """
    if not has_folds(dataset) or str(fold) not in FOLDS:
        raise InputError(f"{dataset.path}: fold {fold} needs a data set with folds 0 to 9")
    roles = {str(fold): "TEST", str((fold + 1) % len(FOLDS)): "VAL"}
    roles = {name: roles.get(name, "TRAIN") for name in FOLDS}
    cases = {
        name: replace(case, split=roles.get(case.split, case.split))
        for name, case in dataset.cases.items()
    }
    return replace(dataset, cases=cases)


def split_by_patient(
    dataset: Dataset, seed: int, *, validate: float = 0.15, test: float = 0.15
) -> Dataset:
    """Draw splits for a data set that has none; all clips of a patient go the same way.

    `validate` and `test` are shares of the patients, at least one each. Raises InputError where a
    case has a split already, where a patient is not known, or with fewer than three patients.
    """
    cases = dataset.cases.values()
    given = next((case for case in cases if case.split), None)
    if given is not None:
        raise InputError(f"{dataset.path}: has its own splits ({given.split}); they are obeyed")
    unknown = next((case for case in cases if case.patient is None), None)
    if unknown is not None:
        raise InputError(
            f"{dataset.path}: the patient of {unknown.name} is not known, so a split could put one "
            "patient on both sides; give a column patient"
        )
    patients = sorted({case.patient for case in cases if case.patient is not None})
    if len(patients) < 3:
        raise InputError(f"{dataset.path}: {len(patients)} patients cannot be split in three")
    n_test, n_validate = (max(1, round(share * len(patients))) for share in (test, validate))
    if n_test + n_validate >= len(patients):
        raise InputError(
            f"{dataset.path}: shares {validate:g} and {test:g} of {len(patients)} patients leave "
            "none for training; ask for less"
        )
    order = [patients[i] for i in np.random.default_rng(seed).permutation(len(patients))]
    role = dict.fromkeys(order, "TRAIN")
    role |= dict.fromkeys(order[:n_test], "TEST")
    role |= dict.fromkeys(order[n_test : n_test + n_validate], "VAL")
    drawn = {
        name: replace(case, split=role[case.patient or ""]) for name, case in dataset.cases.items()
    }
    return replace(dataset, cases=drawn)
