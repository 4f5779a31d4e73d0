"""What is wrong with a data set's lists: splits, patients, EF and volumes, tracings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from medseg.data.dataset import Case, Dataset
from medseg.data.findings import ERROR, NOTE, WARNING, Finding
from medseg.data.outline import Outline
from medseg.data.splits import FOLDS, SPLITS, has_folds
from medseg.geometry import SMALLEST_MEASURABLE_PX

# Volumes may be rounded to the millilitre and EF to the percent; EchoNet-Dynamic's agree to 1e-6.
EF_TOLERANCE_PERCENT = 1.5


def check_lists(dataset: Dataset) -> Iterator[Finding]:
    """All findings that need no clip and no mask file to be opened."""
    if not dataset.cases:
        yield Finding("no-case", ERROR, None, "the data set has no case that can be used")
        return
    yield from _splits(dataset)
    yield from _patients(dataset)
    traced = any(case.traced for case in dataset.cases.values())
    if not traced:
        yield Finding("no-tracing", WARNING, None, "no clip has a tracing: nothing for masks")
    for case in dataset.cases.values():
        yield from _volumes(case)
        if traced:
            yield from _tracings(case)


def _splits(dataset: Dataset) -> Iterator[Finding]:
    """Splits that are missing, empty or of an unknown name."""
    counts = Counter(case.split for case in dataset.cases.values())
    without = counts.pop("", 0)
    if not counts:
        yield Finding("no-split", WARNING, None, "no splits are given: split by patient to train")
        return
    if without:
        some = [case.name for case in dataset.cases.values() if not case.split][:3]
        message = f"{without} clips have no split, such as {', '.join(some)}"
        yield Finding("no-split", WARNING, None, message)
    expected = FOLDS if has_folds(dataset) else SPLITS
    for name in expected:
        if not counts[name]:
            yield Finding("empty-split", ERROR, None, f"split {name} has no patient")
    for name in sorted(counts.keys() - set(expected)):
        message = f"{counts[name]} clips are of split {name!r}, not of {', '.join(expected)}"
        yield Finding("unknown-split", WARNING, None, message)


def _patients(dataset: Dataset) -> Iterator[Finding]:
    """Patients on both sides of a split."""
    clips: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    unknown = 0
    for case in dataset.cases.values():
        if case.patient is None:
            unknown += 1
        else:
            clips[case.patient][case.split].append(case.name)
    for patient, splits in clips.items():
        if len(splits) > 1:
            where = " and ".join(
                f"{split or 'no split'} ({', '.join(names[:3])})" for split, names in splits.items()
            )
            message = f"patient {patient} is in {where}"
            yield Finding("patient-leak", ERROR, next(iter(splits.values()))[0], message)
    if unknown:
        message = (
            f"the patient of {unknown} clips is not known: whether splits share one is not checked"
        )
        yield Finding("unknown-patient", NOTE, None, message)


def _volumes(case: Case) -> Iterator[Finding]:
    """EF that is no percentage, or not 100 (EDV - ESV) / EDV."""
    ef, edv, esv = case.ef_percent, case.edv_ml, case.esv_ml
    if ef is not None and not 1.0 < ef < 100.0:
        message = f"EF {ef:g} is no percentage of a beating heart"
        yield Finding("ef-range", ERROR, case.name, message)
    if edv is None or esv is None:
        return
    if not 0 < esv < edv:
        message = f"EDV {edv:g} mL is not above ESV {esv:g} mL, or one is not positive"
        yield Finding("volumes", ERROR, case.name, message)
    elif ef is not None:
        expected = 100 * (edv - esv) / edv
        if abs(ef - expected) > EF_TOLERANCE_PERCENT:
            message = (
                f"EF {ef:.4g} % disagrees with its volumes: EDV {edv:.4g} mL and ESV {esv:.4g} mL "
                f"give {expected:.4g} %"
            )
            yield Finding("ef-volumes", ERROR, case.name, message)


def _tracings(case: Case) -> Iterator[Finding]:
    """Clips with fewer than two traced frames, and outlines that bound nothing."""
    if not case.traced:
        yield Finding("no-tracing", WARNING, case.name, "has no tracing")
        return
    if len({traced.frame for traced in case.traced}) < 2:
        message = f"only frame {case.traced[0].frame} is traced, so ED or ES is missing"
        yield Finding("few-traced", WARNING, case.name, message)
    outlines = [traced for traced in case.traced if isinstance(traced, Outline)]
    empty = False
    for outline in outlines:
        why = _degenerate(outline)
        if why:
            empty = True
            message = f"the tracing of frame {outline.frame} {why}"
            yield Finding("empty-outline", ERROR, case.name, message)
    areas = {outline.area_px for outline in outlines}
    if len(outlines) > 1 and len(areas) == 1 and not empty:
        yield alike(case)


def alike(case: Case) -> Finding:
    """All traced frames are of one area."""
    message = "all traced frames are equally large, so which is end-diastole cannot be told"
    return Finding("ed-es-alike", WARNING, case.name, message)


def _degenerate(outline: Outline) -> str:
    """Why an outline bounds no cavity; "" if it does."""
    distinct = len(np.unique(outline.points, axis=0))
    if distinct < 3:
        return f"has {distinct} different points, which bound nothing"
    if outline.area_px < SMALLEST_MEASURABLE_PX:
        return f"bounds {outline.area_px:.3g} square pixels: empty, flat or crossing itself"
    return ""
