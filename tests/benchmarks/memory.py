"""Compares the peak memory of ``medseg segment`` on a long and a short clip of 640x480."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from beating_clip import write_clip

SHORT, LONG = 300, 6000  # frames
LIMIT = 1.05  # long over short


def peak_mib(command: list[str]) -> float:
    """Run a command; give the largest resident memory that it, or a child of it, ever had."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_maxrss / 1024  # KiB on Linux


def main() -> int:
    """Print both peaks and their ratio; 1 if the ratio is past the limit."""
    medseg = Path(sys.executable).with_name("medseg")
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for frame_count in (SHORT, LONG):
            clip = Path(folder, f"{frame_count}.avi")
            write_clip(clip, frame_count=frame_count, height=480, width=640)
            peaks.append(peak_mib([str(medseg), "segment", str(clip), "--out", folder]))
            print(f"{frame_count} frames: {peaks[-1]:.0f} MiB at most", flush=True)
    ratio = peaks[1] / peaks[0]
    print(f"ratio {ratio:.3f}; limit {LIMIT:g}")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
