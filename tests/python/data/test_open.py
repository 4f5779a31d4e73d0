"""A data set is known by its files; what is none is refused with what was looked for."""

from __future__ import annotations

import pytest

from medseg.data import open_dataset
from medseg.errors import ClipNotFound, InputError


def test_kinds_are_told_by_their_files(echonet, camus, tmp_path):
    assert open_dataset(echonet.write()).kind == "echonet"
    assert open_dataset(camus).kind == "camus"
    (tmp_path / "p" / "clips").mkdir(parents=True)
    (tmp_path / "p" / "masks").mkdir()
    assert open_dataset(tmp_path / "p").kind == "pairs"
    (echonet.path / "VolumeTracings.csv").write_text("FileName,X,Y,Frame\n")
    assert open_dataset(echonet.path).kind == "pediatric"
    (echonet.path / "VolumeTracings.csv").unlink()
    assert open_dataset(echonet.path).kind == "echonet"


def test_what_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"FileList\.csv.*Info_4CH\.cfg.*clips with masks"):
        open_dataset(tmp_path)
    with pytest.raises(ClipNotFound, match="no such folder"):
        open_dataset(tmp_path / "nothing")
    with pytest.raises(InputError, match="echonet, pediatric, camus, pairs"):
        open_dataset(tmp_path, "acdc")
