"""R beside Python: these tests fail, and never skip, where R or beatbybeat is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("RPY2_CFFI_MODE", "ABI")  # before anything imports rpy2

HERE = Path(__file__).parent
SPEC = HERE.parents[1] / "shared_data_spec"


@pytest.fixture(scope="session")
def ask_r(tmp_path_factory) -> Callable[..., Any]:
    """``ask_r("verdicts.R", question)``: JSON to an R script of this folder, JSON back."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.fail("Rscript is not on the PATH: run ci/setup, these tests need R")
    folder = tmp_path_factory.mktemp("r")

    def ask(script: str, question: Any) -> Any:
        asked, answered = folder / "question.json", folder / "answer.json"
        asked.write_text(json.dumps(question), encoding="utf-8")
        answered.unlink(missing_ok=True)
        done = subprocess.run(
            [rscript, "--vanilla", str(HERE / script), str(asked), str(answered)],
            capture_output=True,
            text=True,
            timeout=800,
        )
        assert done.returncode == 0, f"{script} failed: {done.stderr[-2000:]}"
        return json.loads(answered.read_text(encoding="utf-8"))

    return ask


@pytest.fixture(scope="session")
def spec_stores() -> list[Path]:
    """Every conformance and archive store."""
    stores = [
        *sorted((SPEC / "conformance").glob("*/*.zarr")),
        *sorted((SPEC / "archives").glob("*/*.zarr")),
    ]
    assert len(stores) > 150
    return stores
