from __future__ import annotations

import json
from pathlib import Path

import fsspec
import numpy as np
import pytest

from medseg.store import open_segmentation, validate_segmentation

SPEC = Path(__file__).parents[3] / "shared_data_spec"
VALID = sorted((SPEC / "conformance" / "valid").iterdir())
INVALID = sorted((SPEC / "conformance" / "invalid").iterdir())
ARCHIVES = sorted((SPEC / "archives" / "v1").glob("*.zarr"))


def stem(path: Path) -> str:
    return path.name.removesuffix(".zarr")


@pytest.mark.parametrize("store", VALID, ids=stem)
def test_valid_stores_are_valid(store):
    assert validate_segmentation(store) == []


@pytest.mark.parametrize("store", INVALID, ids=stem)
def test_invalid_stores_break_the_rule_of_their_name(store):
    assert {finding.code for finding in validate_segmentation(store)} == {store.name.split("-")[0]}


def test_every_rule_has_an_invalid_store():
    text = (SPEC / "SPEC.md").read_text("utf-8")
    rules = {line.split("**")[1] for line in text.splitlines() if line.startswith("- **")}
    assert len(rules) == 11 + 15 + 15 + 13
    assert rules == {store.name.split("-")[0] for store in INVALID}


@pytest.mark.parametrize("store", ARCHIVES, ids=stem)
def test_archives_stay_readable(store):
    assert validate_segmentation(store) == []
    truth = json.loads(store.with_suffix(".json").read_text("utf-8"))
    ds = open_segmentation(store)
    assert ds.mask.sum(("object", "y", "x")).values.tolist() == truth["mask_pixels"]
    assert ds.status.values[0].tolist() == truth["status"]
    np.testing.assert_array_equal(ds.frame_time, truth["frame_time_s"])
    if truth["image_sum"] is not None:
        assert int(ds.image.sum(dtype=np.int64)) == truth["image_sum"]


def test_every_file_matters(copied):
    """Removing, cutting or altering one bit of any file of a store is found."""
    store = copied("valid/two_objects")
    files = [path for path in store.rglob("*") if path.is_file()]
    assert len(files) > 30
    for path in files:
        content = path.read_bytes()
        path.unlink()
        assert validate_segmentation(store), f"{path} removed"
        path.write_bytes(content[:-1])
        # A manifest that only lost its last line feed says the same as before.
        assert validate_segmentation(store) or path.name == "manifest.json", f"{path} cut"
        path.write_bytes(content[: len(content) // 2])
        assert validate_segmentation(store), f"{path} halved"
        for position in (0, len(content) // 3, len(content) - 2):
            altered = bytearray(content)
            altered[position] ^= 1
            path.write_bytes(bytes(altered))
            assert validate_segmentation(store), f"{path} altered at {position}"
        path.write_bytes(content)
    assert validate_segmentation(store) == []


def test_a_finding_names_the_place(conformance):
    (finding,) = validate_segmentation(conformance("invalid/D5-mask-of-2"))
    assert (finding.code, finding.where) == ("D5", "mask/0.1.0.0")


def test_nothing_there_is_a_finding(tmp_path):
    (finding,) = validate_segmentation(tmp_path / "absent.zarr")
    assert finding.code == "F1"


def test_a_remote_store_is_validated(conformance):
    memory = fsspec.filesystem("memory")
    memory.put(str(conformance("valid/calibrated")), "/validated.zarr", recursive=True)
    assert validate_segmentation("memory://validated.zarr") == []
    memory.rm("/validated.zarr/mask/0.1.0.0")
    (finding,) = validate_segmentation("memory://validated.zarr")
    assert (finding.code, finding.where) == ("F5", "mask/0.1.0.0")
