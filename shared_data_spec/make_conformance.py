"""Write the conformance stores, byte for byte the same on every run: make_conformance.py [OUT]."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from conformance_draft import Files, encode, with_manifest
from conformance_invalid import INVALID, invalid_files
from conformance_valid import VALID


def corpus() -> dict[str, Files]:
    """Every conformance store by its path: ``valid/<feature>.zarr`` and so on."""
    stores = {}
    for name, make in VALID.items():
        draft = make()
        stores[f"valid/{name}.zarr"] = with_manifest(encode(draft), draft.version)
    for name in INVALID:
        stores[f"invalid/{name}.zarr"] = invalid_files(name)
    return stores


def write(out: Path) -> int:
    """Replace ``out`` by the corpus and return the number of stores."""
    stores = corpus()
    if out.exists():
        shutil.rmtree(out)
    for name, files in stores.items():
        for path, content in files.items():
            target = out / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return len(stores)


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "conformance"
    print(f"{write(target)} stores in {target}")
