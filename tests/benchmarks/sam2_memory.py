"""Resident memory of our video path and of the sam2 package's over a long clip of 1080p."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from memory import peak_mib

SHORT, LIMIT = 100, 1.05  # frames; long over short
HEIGHT, WIDTH, SIDE = 1080, 1920, 256


def resident_mib() -> float:
    """Of this process, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def write(path: Path, frames: int) -> None:
    """Write the clip, a few seconds of blobs again and again."""
    from moving_objects import Scene

    from medseg.export.video import VideoWriter

    scene = Scene(3, HEIGHT, WIDTH)
    loop = [scene.frame(i) for i in range(30)]
    there_and_back = loop + loop[-2:0:-1]
    with VideoWriter(path, frame_rate_hz=30, height=HEIGHT, width=WIDTH, overwrite=True) as writer:
        for i in range(frames):
            writer.write(there_and_back[i % len(there_and_back)][None])


def run(who: str, path: Path) -> None:
    """Track one object to the clip's end; print the resident memory every 100 frames."""
    from medseg.models.sam2 import Prompt, load_sam2, track

    sam2 = load_sam2("tiny", image_size=SIDE, random_weights=True)
    prompts = [Prompt("one", box=(600, 300, 1300, 800))]
    if who == "medseg":
        from medseg.decode import open_clip

        clip = open_clip(path)
        found = (t.mask(HEIGHT, WIDTH) for t in track(sam2, clip, prompts, direction="forward"))
    else:
        import package_sam2

        predictor = package_sam2.build(sam2)
        del sam2
        state = predictor.init_state(str(path))
        package_sam2.point(predictor, state, prompts[0])
        found = (logits > 0 for _, _, logits in predictor.propagate_in_video(state))
    for i, _ in enumerate(found, start=1):
        if i % 100 == 0:
            print(f"{who} frame {i}: {resident_mib():.0f} MiB", file=sys.stderr, flush=True)


def main() -> int:
    """Print the peaks and how they grow; 1 if ours grows past the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", type=int, default=2000, help="frames")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.run:
        run(chosen.run[0], Path(chosen.run[1]))
        return 0
    growth = {}
    with tempfile.TemporaryDirectory() as folder:
        for frames in (SHORT, chosen.long):
            write(Path(folder, f"{frames}.mp4"), frames)
        for who in ("medseg", "package"):
            peaks = []
            for frames in (SHORT, chosen.long):
                clip = Path(folder, f"{frames}.mp4")
                peaks.append(peak_mib([sys.executable, __file__, "--run", who, str(clip)]))
                print(f"{who}, {frames} frames: {peaks[-1]:.0f} MiB at most", flush=True)
            growth[who] = peaks[1] / peaks[0]
            print(f"{who}: {growth[who]:.3f} of the short clip's")
    return int(growth["medseg"] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
