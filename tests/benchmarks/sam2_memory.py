"""Resident memory of our video path and of the sam2 package's over a long clip of 1080p."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from kept import Kept, print_rows
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
    parser.add_argument("--package-long", type=int, help="frames of the package's, if fewer")
    parser.add_argument("--out", type=Path, default=Path("sam2_memory.json"))
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.run:
        run(chosen.run[0], Path(chosen.run[1]))
        return 0
    kept = Kept(chosen.out, __doc__, chosen)
    lengths = {
        "medseg": (SHORT, chosen.long),
        "package": (SHORT, chosen.package_long or chosen.long),
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for who, both in lengths.items():
            peaks = []
            for frames in both:
                name = f"{who}, {frames} frames"
                if name not in kept:
                    clip = Path(folder, f"{frames}.mp4")
                    if not clip.exists():
                        write(clip, frames)
                    command = [sys.executable, __file__, "--run", who, str(clip)]
                    kept.keep(name, peak_mib(command))
                peaks.append(kept[name])
            kept.keep(f"{who} grows", peaks[1] / peaks[0])
            rows += [[who, n, f"{p:.0f} MiB"] for n, p in zip(both, peaks, strict=True)]
    print_rows(["of", "frames of 1080p", "peak memory"], rows)
    print(f"ours, long over short: {kept['medseg grows']:.3f}; limit {LIMIT}")
    return int(kept["medseg grows"] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
