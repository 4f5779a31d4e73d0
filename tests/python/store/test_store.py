from __future__ import annotations

import subprocess
import sys

import medseg.store


def test_public_names():
    assert medseg.store.__all__ == sorted(medseg.store.__all__)
    for name in medseg.store.__all__:
        assert getattr(medseg.store, name) is not None


def test_writing_and_validating_start_without_xarray():
    program = "import sys; from medseg.store import StoreWriter, validate_segmentation\n"
    program += "print('xarray' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
