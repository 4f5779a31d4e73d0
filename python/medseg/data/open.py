"""Which data set is a folder: recognised by its files, or named by its kind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from medseg.data.camus import camus_root, read_camus
from medseg.data.dataset import Dataset
from medseg.data.echonet import FILE_LIST, TRACINGS, read_echonet
from medseg.data.npz_folder import npz_files, read_npz_folder
from medseg.data.pairs import read_pairs
from medseg.data.pediatric import POINT_COLUMNS, pediatric_root, read_pediatric
from medseg.data.tables import header_of
from medseg.errors import ClipNotFound, InputError

READERS: dict[str, Callable[[Path], Dataset]] = {
    "echonet": read_echonet,
    "pediatric": read_pediatric,
    "camus": read_camus,
    "pairs": read_pairs,
    "npz": read_npz_folder,
}


def open_dataset(path: str | os.PathLike[str], kind: str | None = None) -> Dataset:
    """Read a data set's lists; clips are not opened.

    `kind` is a key of READERS; without it the folder's files tell. Raises ClipNotFound where there
    is no folder, InputError where it is no data set that is known, or a table cannot be read.
    """
    path = Path(path)
    if not path.is_dir():
        raise ClipNotFound(f"{path}: there is no such folder: check the path")
    if kind is not None and kind not in READERS:
        raise InputError(f"no kind of data set named {kind!r}; choose one of: {', '.join(READERS)}")
    return READERS[kind or kind_of(path)](path)


def kind_of(path: Path) -> str:
    """The kind of data set in a folder; raises InputError saying what was looked for."""
    if (path / FILE_LIST).is_file():
        tracings = path / TRACINGS
        points = tracings.is_file() and header_of(tracings) == list(POINT_COLUMNS)
        return "pediatric" if points else "echonet"
    if pediatric_root(path) is not None:
        return "pediatric"
    if camus_root(path) is not None:
        return "camus"
    if (path / "clips").is_dir() and (path / "masks").is_dir():
        return "pairs"
    if npz_files(path):
        return "npz"
    raise InputError(
        f"{path}: is no data set that is known; looked for FileList.csv (EchoNet-Dynamic), "
        "A4C/FileList.csv or PSAX/FileList.csv (EchoNet-Pediatric), patient folders with "
        "Info_4CH.cfg in it or in database_nifti (CAMUS), clips with masks (pairs), and NPZ files"
    )
