"""What runs cost: known where it is on record or measured, absent with the reason elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from medseg.clip import clip_from_array
from medseg.compare import costs as costs_module
from medseg.compare import find_runs, score_runs, weigh_runs
from medseg.compare.memory import peak_memory_mib
from medseg.compare.speed import describe_machine, measure_speed
from medseg.compare.workload import Workload, load_workload
from medseg.errors import MedsegError
from medseg.export.video import VideoWriter


def workload() -> Workload:
    """A convolution whose work is nothing."""
    network = nn.Conv2d(3, 8, 3, padding=1)
    card = {"name": "net", "weights_sha256": "f" * 64, "training_data": "simulated clips"}
    return Workload(network, (1, 3, 16, 16), 1, card, lambda: 10, "work")


@pytest.fixture
def scored(dataset, make_run, tmp_path):
    """Score runs of the given arguments; the first is `whole`."""

    def score(*arguments: str, **options):
        whole = f"whole={make_run('whole')}"
        runs = find_runs([whole, *arguments], out=tmp_path / "o", **options)
        return score_runs(runs, dataset, split="TEST").runs

    return score


@pytest.fixture
def clip(make_beating):
    return clip_from_array(make_beating(70)[0], name="bullet", frame_rate_hz=50.0)


def test_speed_is_the_median_of_interleaved_rounds(monkeypatch):
    clock, called = [0.0], []
    seconds = {"fast": iter((9.0, 0.1, 0.2, 0.5)), "slow": iter((9.0, 1.0, 2.0, 5.0))}
    monkeypatch.setattr("medseg.compare.speed.time.perf_counter", lambda: clock[0])

    def pretend(name: str) -> Workload:
        def work() -> int:
            called.append(name)
            clock[0] += next(seconds[name])
            return 10

        return replace(workload(), work=work)

    found = measure_speed({name: pretend(name) for name in seconds}, repeats=3)
    assert called == ["fast", "slow", "fast", "slow", "slow", "fast", "fast", "slow"]
    fast, slow = found["fast"], found["slow"]  # the first round, 9 s, does not count
    assert (fast.slowest, fast.frames_per_second, fast.fastest) == pytest.approx((20, 50, 100))
    assert (slow.slowest, slow.frames_per_second, slow.fastest) == pytest.approx((2, 5, 10))
    assert f"{torch.get_num_threads()} thread" in describe_machine("cpu")


def test_a_zero_shot_run_costs_no_training_and_no_annotation(scored):
    cost = weigh_runs(scored(zero_shot=["whole"]), None, None).by_run["whole"]
    assert (cost.training_seconds, cost.annotated_frames, cost.annotation_hours) == (0, 0, 0)
    assert cost.reasons["parameters"].startswith("network not known")


def test_training_and_annotation_come_from_the_record(scored, make_run):
    trained = make_run("trained")
    record = {"training_seconds": 120.5, "annotated_frames": 300, "annotated_clips": 150}
    (trained / "run.json").write_text(json.dumps({**record, "parameters": 7}))
    runs = scored(f"trained={trained}")
    costs = weigh_runs(runs, None, None, minutes_per_frame=2.0).by_run
    found = costs["trained"]
    assert (found.training_seconds, found.annotated_clips, found.parameters) == (120.5, 150, 7)
    assert found.annotation_hours == pytest.approx(300 * 2 / 60)
    assert costs["whole"].reasons["training_seconds"] == "not on record"
    without = weigh_runs(runs, None, None).by_run["trained"]
    assert without.annotation_hours is None
    assert without.reasons["annotation_hours"] == "give --minutes-per-frame"


def test_size_and_work_are_counted_and_speed_and_memory_measured(
    scored, clip, monkeypatch, tmp_path
):
    monkeypatch.setattr(costs_module, "load_workload", lambda *_: workload())
    monkeypatch.setattr(costs_module, "peak_memory_mib", lambda *_: 512.0)
    runs = scored(models={"whole": "unet"})
    found = weigh_runs(runs, clip, Path("bullet.avi"), repeats=2)
    cost = found.by_run["whole"]
    assert cost.parameters == 8 * 3 * 9 + 8
    assert cost.gflops_per_frame == pytest.approx(16 * 16 * 8 * 3 * 9 / 1e9)
    assert cost.speed.repeats == 2
    assert cost.peak_memory_mib == 512.0
    assert found.clip == "bullet" and found.problems == []
    assert found.cards["whole"]["training_data"] == "simulated clips"
    quick = weigh_runs(runs, clip, Path("bullet.avi"), measure=False).by_run["whole"]
    assert (quick.speed, quick.peak_memory_mib) == (None, None)
    assert quick.parameters == cost.parameters
    assert quick.reasons["speed"] == quick.reasons["peak_memory_mib"] == "not asked for"


def test_weights_that_are_not_the_stores_own_are_not_measured(scored, clip, make_run, monkeypatch):
    monkeypatch.setattr(costs_module, "load_workload", lambda *_: workload())
    other = make_run("other", weights_sha256="0" * 64)
    runs = scored(f"other={other}", models={"other": "unet"})
    found = weigh_runs(runs, clip, Path("bullet.avi"), measure=False)
    assert found.by_run["other"].parameters is None
    assert "made with other weights (00000000…)" in found.problems[0]
    assert "\n" not in found.problems[0]


def test_weights_that_cannot_be_loaded_are_a_line(scored, clip, tmp_path):
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"no weights")
    runs = scored(models={"whole": "unet"}, weights={"whole": bad})
    found = weigh_runs(runs, clip, Path("bullet.avi"))
    assert "bad.pt" in found.problems[0] and "bad.pt" in found.by_run["whole"].reasons["speed"]


def test_the_shipped_model_is_known_by_its_stores(scored, clip, make_run):
    shipped = load_workload("default", None, "cpu", clip)
    runs = scored(f"ours={make_run('ours', **shipped.card)}")
    cost = weigh_runs(runs, clip, Path("bullet.avi"), measure=False).by_run["ours"]
    assert cost.parameters == sum(p.numel() for p in shipped.network.parameters())
    assert shipped.work() == 64  # frames of the 70


def test_memory_is_that_of_a_process_of_its_own(make_beating, tmp_path):
    path = tmp_path / "clip.avi"
    with VideoWriter(path, frame_rate_hz=50, height=112, width=112) as video:
        video.write(make_beating(10)[0])
    # torch alone takes more than 150 MiB; a process that loads the small default model, under 4 GiB
    assert 150 < peak_memory_mib("default", None, "cpu", path) < 4096
    with pytest.raises(MedsegError, match=r"none\.avi"):
        peak_memory_mib("default", None, "cpu", tmp_path / "none.avi")
