from __future__ import annotations

import pytest

from medseg.errors import StoreDamaged
from medseg.store import open_segmentation, validate_segmentation
from medseg.store.check_files import Listing, same_json
from medseg.store.manifest import entry


@pytest.mark.parametrize(
    ("left", "right"), [(1, 1.0), ({"a": [1, None]}, {"a": [1.0, None]}), ("x", "x"), (True, True)]
)
def test_equal_json(left, right):
    assert same_json(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, True), (0, False), (None, False), ([1], [1, 1]), ({"a": 1}, {"b": 1}), ("1", 1)],
)
def test_unequal_json(left, right):
    assert not same_json(left, right)


def test_metadata_paths():
    paths = [".zmetadata", ".zgroup", "mask/.zarray", "mask/0.0.0.0", "later/.zmetadata"]
    listing = Listing("1.0", {path: entry(b"") for path in paths})
    assert listing.metadata_paths() == [".zmetadata", ".zgroup", "mask/.zarray"]


def test_a_folder_in_the_place_of_a_chunk(copied):
    store = copied("valid/calibrated")
    (store / "mask/0.1.0.0").unlink()
    (store / "mask/0.1.0.0").mkdir()
    (finding,) = validate_segmentation(store)
    assert (finding.code, finding.where) == ("F5", "mask/0.1.0.0")
    with pytest.raises(StoreDamaged, match="F5"):
        open_segmentation(store).mask.load()


def test_a_manifest_that_lists_the_manifest(copied):
    store = copied("valid/calibrated")
    manifest = store / "manifest.json"
    text = manifest.read_text("utf-8")
    own = '"files": {"manifest.json": {"bytes": 1, "md5": "' + "0" * 32 + '"},'
    manifest.write_text(text.replace('"files": {', own, 1))
    assert [finding.code for finding in validate_segmentation(store)] == ["F4"]
