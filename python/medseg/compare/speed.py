"""How many frames a second a network does on this machine, beside others under the same load."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from medseg.compare.workload import Workload

REPEATS = 5


@dataclass(frozen=True)
class Speed:
    """Frames a second: the median of several repeats, and their range."""

    frames_per_second: float
    slowest: float
    fastest: float
    repeats: int


def measure_speed(workloads: Mapping[str, Workload], *, repeats: int = REPEATS) -> dict[str, Speed]:
    """Time every network once in each round, after a round that does not count.

    Rounds are interleaved, and every second one goes backwards, so that whatever else the machine
    does in the meantime falls on all networks alike.
    """
    for workload in workloads.values():
        workload.work()
    rates: dict[str, list[float]] = {name: [] for name in workloads}
    for number in range(repeats):
        for name in list(workloads)[:: -1 if number % 2 else 1]:
            start = time.perf_counter()
            frames = workloads[name].work()
            rates[name].append(frames / (time.perf_counter() - start))
    return {
        name: Speed(float(np.median(found)), min(found), max(found), repeats)
        for name, found in rates.items()
    }


def describe_machine(device: str) -> str:
    """The device and the threads that speeds were measured with, in words."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    threads = torch.get_num_threads()
    words = f"{threads} thread{'s' if threads != 1 else ''}"
    return f"{_processor()}, {words}, torch {torch.__version__}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
