"""Makes the predictions that a run still lacks, so that a run that was stopped goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from medseg.compare.runs import EF_MODEL, Run
from medseg.data import Case, bare_name, open_case, read_ef_table
from medseg.errors import InputError, MedsegError
from medseg.models import load_model
from medseg.segmentation import make_folder, segment_to_store
from medseg.store import open_segmentation

Progress = Callable[[int, int], None]


def make_missing(
    run: Run, cases: Sequence[Case], *, device: str = "cpu", progress: Progress | None = None
) -> list[str]:
    """Predict the cases of which the run has nothing; give a line for each that failed.

    Stores that are complete are kept, and so is a table of EF that names every case. Raises
    InputError where existing predictions are of other weights than the run's, WeightsError.
    """
    if not run.makes or run.model is None:
        return []
    if run.model == EF_MODEL:
        return _make_table(run, cases, device, progress)
    missing = [case for case in cases if not _is_complete(_store_of(run, case))]
    if not missing:
        return []
    segmenter = load_model(run.model, weights=run.weights, device=device)
    made = next((case for case in cases if case not in missing), None)
    if made is not None:
        _refuse_others(_store_of(run, made), segmenter.card["weights_sha256"])
    make_folder(run.predictions)
    problems = []
    for done, case in enumerate(missing, start=1):
        try:
            segment_to_store(
                open_case(case), _store_of(run, case), segmenter=segmenter, overwrite=True
            )
        except (MedsegError, OSError, MemoryError) as error:
            problems.append(f"{run.name}: {case.name}: {' '.join(str(error).split())}")
        if progress is not None:
            progress(done, len(missing))
    return problems


def _store_of(run: Run, case: Case) -> Path:
    return run.predictions / f"{case.name}.zarr"


def _is_complete(store: Path) -> bool:
    """Whether a store is there and was finished; one that is not is made again."""
    return (store / "manifest.json").is_file()


def _refuse_others(store: Path, weights_sha256: str | None) -> None:
    """Stores of other weights must not be mixed with those that are about to be made."""
    try:
        found = open_segmentation(store).attrs["model"]["weights_sha256"]
    except MedsegError:
        return  # scoring will say what is wrong with it
    if found != weights_sha256:
        raise InputError(
            f"{store}: was made with other weights ({str(found)[:8]}…) than the run's "
            f"({str(weights_sha256)[:8]}…); remove {store.parent} to make it again"
        )


def _make_table(
    run: Run, cases: Sequence[Case], device: str, progress: Progress | None
) -> list[str]:
    from medseg.ejection import predict_ef_table
    from medseg.models.echonet_ef import load_echonet_ef

    if run.predictions.is_file():
        table = read_ef_table(run.predictions)
        absent = [case.name for case in cases if bare_name(case.name) not in table.ef_percent]
        if not absent:
            return []
        return [
            f"{run.name}: {run.predictions} lacks {len(absent)} clips, first {absent[0]}; "
            "remove it to predict all again"
        ]
    model = load_echonet_ef(run.weights, device)
    make_folder(run.predictions.parent)
    sources = [(case.name, lambda case=case: open_case(case)) for case in cases]
    result = predict_ef_table(model, sources, run.predictions, progress=progress)
    return [f"{run.name}: {line}" for line in result.failed]
