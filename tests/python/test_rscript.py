"""R is asked once, its answers come back whole, and its absence is one line with the cure."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from medseg.errors import RUnavailable
from medseg.rscript import analyse_batch, run_r, write_report


def pretend_rscript(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    """Put an Rscript first on the PATH that runs `body` with sys.argv as `arguments`."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "Rscript"
    log = folder / "calls.jsonl"
    program.write_text(
        f"#!{sys.executable} -S\n"
        "import json, sys\n"
        "arguments = sys.argv[1:]\n"
        f"open({str(log)!r}, 'a').write(json.dumps(arguments) + '\\n')\n" + body
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return log


ANSWER = """
asked = json.load(open(arguments[-2]))
results = [{"store": s, "error": None, "ef_percent": None, "beats": []} for s in asked["stores"]]
json.dump({"results": results, "method": asked["method"]}, open(arguments[-1], "w"))
"""


def test_many_stores_are_one_call_and_keep_their_order(tmp_path, monkeypatch):
    log = pretend_rscript(tmp_path / "bin", monkeypatch, ANSWER)
    stores = [tmp_path / f"{name}.zarr" for name in "cab"]
    results = analyse_batch(stores, method="echonet")
    assert [Path(r["store"]).name for r in results] == ["c.zarr", "a.zarr", "b.zarr"]
    assert results[0]["ef_percent"] is None
    calls = log.read_text().splitlines()
    assert len(calls) == 1
    assert json.loads(calls[0])[:3] == ["--vanilla", "-e", "beatbybeat::analyse_batch()"]


def test_no_stores_need_no_r(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert analyse_batch([]) == []


def test_without_r_the_cure_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RUnavailable, match="r-base-core"):
        analyse_batch([tmp_path / "a.zarr"])


def test_without_the_package_the_cure_is_named(tmp_path, monkeypatch):
    body = "sys.exit('Error in loadNamespace(x) : there is no package called ‘beatbybeat’')\n"
    pretend_rscript(tmp_path / "bin", monkeypatch, body)
    with pytest.raises(RUnavailable, match="R CMD INSTALL r"):
        analyse_batch([tmp_path / "a.zarr"])


def test_what_r_said_is_passed_on_in_one_line(tmp_path, monkeypatch):
    body = "sys.exit('Error: \\n the store is\\n damaged\\nExecution halted')\n"
    pretend_rscript(tmp_path / "bin", monkeypatch, body)
    with pytest.raises(RUnavailable, match=r"^R failed in f\(\): the store is damaged$"):
        run_r("f()", [], timeout_s=20)


@pytest.mark.parametrize("body", ["", "open(arguments[-1], 'w').write('{\"resu')\n"])
def test_an_answer_that_is_missing_or_cut_is_no_answer(tmp_path, monkeypatch, body):
    pretend_rscript(tmp_path / "bin", monkeypatch, body)
    with pytest.raises(RUnavailable, match="no readable answer"):
        analyse_batch([tmp_path / "a.zarr"])


def test_an_answer_for_fewer_stores_is_refused(tmp_path, monkeypatch):
    body = "json.dump({'results': []}, open(arguments[-1], 'w'))\n"
    pretend_rscript(tmp_path / "bin", monkeypatch, body)
    with pytest.raises(RUnavailable, match="0 of 1"):
        analyse_batch([tmp_path / "a.zarr"])


def test_a_silent_r_is_given_up(tmp_path, monkeypatch):
    pretend_rscript(tmp_path / "bin", monkeypatch, "import time\ntime.sleep(30)\n")
    with pytest.raises(RUnavailable, match="did not answer"):
        run_r("f()", [], timeout_s=0.5)


def test_a_report_is_asked_with_store_and_page(tmp_path, monkeypatch):
    log = pretend_rscript(tmp_path / "bin", monkeypatch, "")
    write_report(tmp_path / "a.zarr", tmp_path / "a.html")
    asked = json.loads(log.read_text())
    assert asked[2] == "beatbybeat::main()"
    assert asked[3:] == [str(tmp_path / "a.zarr"), "--report", str(tmp_path / "a.html")]
