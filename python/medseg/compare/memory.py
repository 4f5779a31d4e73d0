"""How much memory a process needs that loads a network and segments a clip with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch

from medseg.compare.workload import load_workload
from medseg.decode import open_clip
from medseg.errors import MedsegError

TIMEOUT_S = 900.0
MIB = 2**20
PROGRAM = "from medseg.compare.memory import weigh; weigh()"


def peak_memory_mib(model: str, weights: Path | None, device: str, clip: Path) -> float:
    """Peak memory in MiB of a process of its own: of the GPU on cuda, else of the whole process.

    On a CPU that holds Python and torch as well, some 400 MiB, which a user has to have too.
    Raises MedsegError with the reason where the process fails.
    """
    asked = {"model": model, "weights": str(weights or ""), "device": device, "clip": str(clip)}
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input=json.dumps({**asked, "threads": torch.get_num_threads()}),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return float(json.loads(done.stdout.strip().splitlines()[-1])["peak_mib"])
    except subprocess.TimeoutExpired:
        raise MedsegError(f"not measured within {TIMEOUT_S:.0f} s") from None
    except (IndexError, KeyError, TypeError, ValueError, OSError):
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise MedsegError(said[-1][:200] if said else "the measuring process failed") from None


def weigh() -> None:
    """Do a network's work once and print the peak; what `peak_memory_mib` runs."""
    asked = json.load(sys.stdin)
    torch.set_num_threads(asked["threads"])
    weights = Path(asked["weights"]) if asked["weights"] else None
    device = asked["device"]
    workload = load_workload(asked["model"], weights, device, open_clip(asked["clip"]))
    workload.work()
    if device.startswith("cuda"):
        peak = torch.cuda.max_memory_allocated(device) / MIB
    else:
        peak = _process_peak_mib()
    print(json.dumps({"peak_mib": peak}))


def _process_peak_mib() -> float:
    """The largest resident size of this process.

    Linux's own count, since getrusage's begins with the parent's size from before the exec.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text("utf-8").splitlines()
        peak = next((line for line in lines if line.startswith("VmHWM:")), None)
        if peak is not None:
            return float(peak.split()[1]) / 1024
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (MIB if sys.platform == "darwin" else 1024)
