"""Asks the R package beatbybeat for beats, ejection fractions and reports, by Rscript and JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medseg.errors import RUnavailable

TIMEOUT_S = 120.0  # for R itself, loading included
SECONDS_PER_STORE = 10.0

_INSTALL_R = "install R 4.2 or newer (on Debian and Ubuntu: apt-get install r-base-core)"
_INSTALL_PACKAGE = "install it from the repository with: R CMD INSTALL r"


def analyse_batch(
    stores: Sequence[Path], *, method: str = "beatbybeat", timeout_s: float | None = None
) -> list[dict[str, Any]]:
    """Beats and ejection fraction of many stores from one run of R.

    Gives one dict for each store, in the order asked: `store`, `error` (None or class and message),
    `measurable`, `reasons`, `ef_percent`, `ef_low`, `ef_high`, `ef_sd`, `n_beats`, `n_complete`,
    `heart_rate_bpm`, `rhythm`, `warnings` and `beats`; what R could not tell is None.

    Raises RUnavailable where R, or beatbybeat, cannot be run.
    """
    if not stores:
        return []
    request = {"stores": [str(Path(store).resolve()) for store in stores], "method": method}
    limit_s = timeout_s if timeout_s is not None else TIMEOUT_S + SECONDS_PER_STORE * len(stores)
    with tempfile.TemporaryDirectory(prefix="medseg-r-") as folder:
        asked, answered = Path(folder) / "in.json", Path(folder) / "out.json"
        asked.write_text(json.dumps(request), encoding="utf-8")
        run_r("beatbybeat::analyse_batch()", [str(asked), str(answered)], timeout_s=limit_s)
        try:
            results = json.loads(answered.read_text(encoding="utf-8"))["results"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RUnavailable(
                f"beatbybeat::analyse_batch() left no readable answer ({type(error).__name__}); "
                f"the installed beatbybeat may be of another release: {_INSTALL_PACKAGE}"
            ) from None
    if not isinstance(results, list) or len(results) != len(stores):
        raise RUnavailable(
            f"beatbybeat answered for {len(results)} of {len(stores)} stores; "
            f"it may be of another release: {_INSTALL_PACKAGE}"
        )
    return [dict(result) for result in results]


def write_report(store: Path, html: Path, *, timeout_s: float = TIMEOUT_S) -> None:
    """Have R write the report of one store; raises RUnavailable where that fails."""
    arguments = [str(store.resolve()), "--report", str(html.resolve())]
    run_r("beatbybeat::main()", arguments, timeout_s=timeout_s)


def run_r(expression: str, arguments: Sequence[str], *, timeout_s: float) -> str:
    """Run one R expression with trailing arguments and give its output; raises RUnavailable."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        raise RUnavailable(f"Rscript is not on the PATH, and beats are found in R: {_INSTALL_R}")
    command = [rscript, "--vanilla", "-e", expression, *arguments]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RUnavailable(
            f"R did not answer {expression} within {timeout_s:.0f} s; ask for fewer stores at once"
        ) from None
    except OSError as error:
        raise RUnavailable(f"{rscript} cannot be run ({error.strerror}): {_INSTALL_R}") from None
    if done.returncode != 0:
        raise RUnavailable(_reason(expression, done.stderr or done.stdout, done.returncode))
    return done.stdout


def _reason(expression: str, output: str, code: int) -> str:
    """One line that says what R said and what helps."""
    if "no package called" in output and "beatbybeat" in output:
        return f"the R package beatbybeat is not installed: {_INSTALL_PACKAGE}"
    if "is not an exported object" in output:
        return f"the installed beatbybeat has no {expression}: {_INSTALL_PACKAGE}"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    lines = [line for line in lines if line not in ("Execution halted", "Error:")]
    said = " ".join(lines)[:300] if lines else f"exit code {code}"
    return f"R failed in {expression}: {said}"
