"""Splits drawn by patient: nobody on two sides, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from medseg.data import open_dataset, split_by_patient, splits_of_fold
from medseg.errors import InputError


@pytest.fixture
def unsplit(echonet):
    dataset = open_dataset(echonet.write())
    model = dataset.cases["0XA"]
    cases = {
        f"p{i}_{view}": replace(model, name=f"p{i}_{view}", patient=f"p{i}", split="")
        for i in range(20)
        for view in ("A2C", "A4C")
    }
    return replace(dataset, cases=cases)


def test_no_patient_is_in_two_splits_and_shares_are_kept(unsplit):
    drawn = split_by_patient(unsplit, 1)
    patients = {s: {c.patient for c in drawn.of_split(s)} for s in ("TRAIN", "VAL", "TEST")}
    assert [len(patients[s]) for s in ("TRAIN", "VAL", "TEST")] == [14, 3, 3]
    assert len(set.union(*patients.values())) == 20
    assert all(len(list(drawn.of_split(s))) == 2 * len(patients[s]) for s in patients)


def test_a_seed_decides_and_the_order_of_cases_does_not(unsplit):
    def of(dataset, seed):
        return {n: c.split for n, c in split_by_patient(dataset, seed).cases.items()}

    turned = replace(unsplit, cases=dict(reversed(unsplit.cases.items())))
    assert of(unsplit, 1) == of(turned, 1)
    assert of(unsplit, 1) != of(unsplit, 2)


def test_what_cannot_be_split_is_refused(unsplit, echonet):
    with pytest.raises(InputError, match="own splits"):
        split_by_patient(open_dataset(echonet.path), 1)
    unknown = {n: replace(c, patient=None) for n, c in unsplit.cases.items()}
    with pytest.raises(InputError, match="patient of p0_A2C is not known"):
        split_by_patient(replace(unsplit, cases=unknown), 1)
    two = {n: c for n, c in unsplit.cases.items() if c.patient in ("p1", "p2")}
    with pytest.raises(InputError, match="2 patients"):
        split_by_patient(replace(unsplit, cases=two), 1)
    with pytest.raises(InputError, match="leave none"):
        split_by_patient(unsplit, 1, validate=0.5, test=0.5)
    with pytest.raises(InputError, match="folds"):
        splits_of_fold(unsplit, 0)
