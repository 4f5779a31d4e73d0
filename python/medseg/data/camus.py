"""Reads CAMUS: half-cycle NIfTI sequences of two views, every frame traced.

A patient's folder holds <patient>_{2CH,4CH}_half_sequence.nii.gz, the same with _gt (value 1 is
the left ventricle's cavity) and Info_{2CH,4CH}.cfg. The two ends of a sequence are ED and ES, in
either order. Splits are those of database_split/subgroup_*.txt beside database_nifti.
"""

from __future__ import annotations

from pathlib import Path

from medseg.data.dataset import Case, Dataset, Excluded
from medseg.data.mask_files import MaskOnFile
from medseg.data.tables import number, whole
from medseg.errors import ClipNotFound

ENDOCARDIUM = 1
VIEWS = {"2CH": "A2C", "4CH": "A4C"}
SPLIT_FILES = {
    "TRAIN": "subgroup_training.txt",
    "VAL": "subgroup_validation.txt",
    "TEST": "subgroup_testing.txt",
}


def read_camus(path: Path) -> Dataset:
    """Read a folder that holds database_nifti, or the patients' folders themselves.

    Volumes and EF are the patient's own, from both views. Raises ClipNotFound where no patient is
    found and InputError for a cfg file that cannot be read.
    """
    root = camus_root(path)
    if root is None:
        raise ClipNotFound(f"{path}: no patient folder with an Info_2CH.cfg or Info_4CH.cfg")
    splits, excluded = _read_splits(root.parent / "database_split")
    twice = {gone.name for gone in excluded}
    cases: dict[str, Case] = {}
    patients = [folder for folder in sorted(root.iterdir()) if _is_patient(folder)]
    for folder in patients:
        if folder.name in twice:
            continue
        for view in VIEWS:
            found = _read_view(folder, view, splits.get(folder.name, ""))
            if isinstance(found, Case):
                cases[found.name] = found
            else:
                excluded.append(found)
    for name in sorted(splits.keys() - {folder.name for folder in patients} - twice):
        reason = f"patient of {SPLIT_FILES[splits[name]]} without a folder"
        excluded.append(Excluded(name, reason, "missing-video"))
    return Dataset(path, "camus", cases, tuple(excluded))


def camus_root(path: Path) -> Path | None:
    """The folder of the patients' folders; None where `path` is not CAMUS."""
    for root in (path / "database_nifti", path / "CAMUS_public" / "database_nifti", path):
        if root.is_dir() and any(_is_patient(folder) for folder in root.iterdir()):
            return root
    return None


def _is_patient(folder: Path) -> bool:
    return folder.is_dir() and (
        any((folder / f"Info_{view}.cfg").is_file() for view in VIEWS)
        or any((folder / f"{folder.name}_{view}_half_sequence.nii.gz").is_file() for view in VIEWS)
    )


def _read_view(folder: Path, view: str, split: str) -> Case | Excluded:
    """One view of a patient."""
    name = f"{folder.name}_{view}"
    info = folder / f"Info_{view}.cfg"
    sequence = folder / f"{name}_half_sequence.nii.gz"
    truth = folder / f"{name}_half_sequence_gt.nii.gz"
    if not info.is_file() and not sequence.is_file():
        return Excluded(name, f"the patient has no {view} view", "missing-view")
    if not info.is_file():
        return Excluded(name, f"{info.name} is missing, which tells ED and ES", "missing-info")
    told = _read_info(info)

    def cell(*keys: str) -> float | None:
        values = (number(info, told, key, of=name) for key in keys)
        return next((value for value in values if value is not None), None)

    ed, es, count = whole(cell("ED")), whole(cell("ES")), whole(cell("NbFrame"))
    if ed is None or es is None or count is None:
        return Excluded(name, f"{info.name} does not give ED, ES and NbFrame", "missing-info")
    if ed == es:
        reason = f"{info.name} gives frame {ed} as ED and ES alike"
        return Excluded(name, reason, "traced-twice", ed - 1)
    traced = range(count) if truth.is_file() else range(0)
    return Case(
        name=name,
        path=sequence,
        patient=folder.name,
        split=split,
        view=VIEWS[view],
        ef_percent=cell("EF", "LVef"),
        edv_ml=cell("LVedv"),
        esv_ml=cell("LVesv"),
        frame_rate_hz=cell("FrameRate"),
        frame_count=count,
        size=None,
        traced=tuple(MaskOnFile(frame, truth, frame, ENDOCARDIUM) for frame in traced),
        marked=(ed - 1, es - 1),  # the file counts from 1
    )


def _read_info(info: Path) -> dict[str, str]:
    lines = info.read_text("utf-8-sig", errors="replace").splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _read_splits(folder: Path) -> tuple[dict[str, str], list[Excluded]]:
    """Splits by patient; a patient of two lists is excluded."""
    splits: dict[str, str] = {}
    excluded = []
    for split, file_name in SPLIT_FILES.items():
        if not (folder / file_name).is_file():
            continue
        for name in dict.fromkeys((folder / file_name).read_text("utf-8-sig").split()):
            if name in splits:
                reason = f"in {SPLIT_FILES[splits[name]]} and in {file_name}"
                excluded.append(Excluded(name, reason, "patient-leak"))
            else:
                splits[name] = split
    return splits, excluded
