from __future__ import annotations

import gzip
import json
import re
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest

from medseg.errors import StoreError
from medseg.store import open_segmentation, save_segmentation, validate_segmentation
from medseg.store.layout import MANIFEST
from medseg.store.manifest import Entry, entry, manifest_bytes

pytestmark = pytest.mark.timeout(900)  # seconds, on a busy machine; 15 on an idle one
SPEC = Path(__file__).parents[2] / "shared_data_spec"
CHUNKS = ("mask/1.0.0.0", "image/0.0.0", "area_px/0.0", "frame_time/0")


def python_refusal(path: Path) -> str:
    """Class of the error on opening and reading everything, in R's spelling; empty: none."""
    try:
        open_segmentation(path).load()
    except StoreError as error:
        words = re.findall("[A-Z][a-z]+", type(error).__name__)
        return "beatbybeat_" + "_".join(words).lower()
    return ""


def alter(content: bytes, bit: int) -> bytes:
    altered = bytearray(content)
    altered[bit // 8] ^= 1 << (bit % 8)
    return bytes(altered)


def is_harmless(content: bytes, bit: int) -> bool:
    """Whether the altered member still says the same: in even areas, deflate can copy the same
    bytes from another distance."""
    try:
        return gzip.decompress(alter(content, bit)) == gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return False


def damages(content: bytes) -> dict[str, bytes | None]:
    """Removed, cut and altered copies of one chunk; None means removed."""
    bits = np.random.default_rng(7).integers(10 * 8, len(content) * 8, 40)
    harmful = [int(bit) for bit in bits if not is_harmless(content, int(bit))][:8]
    return {
        "removed": None,
        "emptied": b"",
        "halved": content[: len(content) // 2],
        "cut": content[:-1],
        **{f"bit {bit}": alter(content, bit) for bit in harmful},
    }


@pytest.fixture(scope="session")
def damaged_stores(tmp_path_factory) -> list[Path]:
    """Copies of a store with one chunk damaged, and the same with an obliging manifest.

    The second kind is what a broken disk under a copying program makes: the manifest fits the
    damage, so gzip's own CRC-32 and length have to show it.
    """
    folder = tmp_path_factory.mktemp("damaged")
    source = open_segmentation(SPEC / "conformance" / "valid" / "two_objects.zarr")
    whole = save_segmentation(source, folder / "whole.zarr")  # deflated, unlike the corpus
    assert validate_segmentation(whole) == []
    listed = json.loads((whole / MANIFEST).read_text("utf-8"))["files"]
    entries = {path: Entry(file["bytes"], file["md5"]) for path, file in listed.items()}
    stores = []
    for chunk in CHUNKS:
        for damage, content in damages((whole / chunk).read_bytes()).items():
            for manifest in ("as it was", "obliging"):
                store = folder / f"{chunk.replace('/', '-')} {damage} {manifest}.zarr"
                shutil.copytree(whole, store)
                if content is None:
                    (store / chunk).unlink()
                else:
                    (store / chunk).write_bytes(content)
                if manifest == "obliging":
                    changed = {k: v for k, v in entries.items() if k != chunk}
                    if content is not None:
                        changed[chunk] = entry(content)
                    (store / MANIFEST).write_bytes(manifest_bytes(changed))
                stores.append(store)
    return stores


@pytest.fixture(scope="session")
def verdicts(ask_r, spec_stores, damaged_stores):
    """R's verdicts on all stores, from one run of R."""
    absent = [SPEC / "absent.zarr", SPEC / "SPEC.md"]
    asked = [*spec_stores, *damaged_stores, *absent]
    return {Path(v["store"]): v for v in ask_r("verdicts.R", [str(path) for path in asked])}


def test_both_validators_give_the_same_verdict_on_every_store(verdicts, spec_stores):
    assert set(spec_stores) <= set(verdicts)
    python = {path: {f.code for f in validate_segmentation(path)} for path in spec_stores}
    r = {path: set(verdicts[path]["codes"]) for path in spec_stores}
    assert {p.name: (python[p], r[p]) for p in spec_stores if python[p] != r[p]} == {}
    for path in spec_stores:
        assert bool(python[path]) == (path.parent.name == "invalid"), path


def test_both_refuse_a_chunk_removed_cut_or_altered(verdicts, damaged_stores):
    assert len(damaged_stores) == len(CHUNKS) * 12 * 2
    for path in damaged_stores:
        assert validate_segmentation(path), f"Python accepts: {path.name}"
        assert verdicts[path]["codes"], f"R accepts: {path.name}"
        refused = {python_refusal(path), verdicts[path]["refused"]["class"]}
        # A chunk that the manifest does not know either was never written: rule Z12.
        unwritten = path.stem.endswith("removed obliging")
        wanted = "beatbybeat_store_invalid" if unwritten else "beatbybeat_store_damaged"
        assert refused == {wanted}, path.name


def test_both_refuse_to_open_with_the_same_class_of_error(verdicts):
    python = {path: python_refusal(path) for path in verdicts}
    r = {path: verdict["refused"]["class"] for path, verdict in verdicts.items()}
    assert {p.name: (python[p], r[p]) for p in verdicts if python[p] != r[p]} == {}
    assert set(python.values()) == {
        "",
        "beatbybeat_store_not_found",
        "beatbybeat_store_incomplete",
        "beatbybeat_store_damaged",
        "beatbybeat_store_version_unsupported",
        "beatbybeat_store_invalid",
    }


def test_r_names_the_store_in_every_refusal(verdicts):
    for path, verdict in verdicts.items():
        if verdict["refused"]["class"]:
            assert path.name in verdict["refused"]["message"]
