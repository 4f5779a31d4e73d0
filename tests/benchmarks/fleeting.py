"""Which bounds on fleeting lobes leave a heart's true masks alone? Asked of simulated clips.

    medseg simulate FOLDER -n 100 --seed 2027
    python tests/benchmarks/fleeting.py FOLDER...

For each duration and thickness that a lobe must not reach: in how many of the true frames something
would be taken out, and the largest share of a frame's mask. About a minute for 200 clips.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np

from medseg.segmentation.fleeting import FLEETING_S, THICKNESS, fleeting_lobes

DURATIONS_S = (0.10, FLEETING_S, 0.14, 0.16)
THICKNESSES = (0.10, 0.12, THICKNESS, 0.16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    asked = parser.parse_args()
    truths = sorted(path for folder in asked.folders for path in folder.glob("truth/*.npz"))
    changed = dict.fromkeys(product(DURATIONS_S, THICKNESSES), 0)
    most = dict.fromkeys(changed, 0.0)
    frames = 0
    for path in truths:
        truth = np.load(path)
        masks = truth["mask"].reshape(-1, *truth["mask"].shape[-2:]) > 0
        frames += len(masks)
        for fleeting_s, thickness in changed:
            lobes = fleeting_lobes(
                masks, truth["frame_time_s"], fleeting_s=fleeting_s, thickness=thickness
            ).sum((1, 2))
            changed[fleeting_s, thickness] += np.count_nonzero(lobes)
            share = (lobes / np.maximum(1, masks.sum((1, 2)))).max()
            most[fleeting_s, thickness] = max(most[fleeting_s, thickness], share)
    print(f"{len(truths)} clips, {frames} frames")
    for (fleeting_s, thickness), count in changed.items():
        share = most[fleeting_s, thickness]
        print(f"{fleeting_s:.3f} s, {thickness:.2f}: {count} frames changed, at most {share:.1%}")


if __name__ == "__main__":
    main()
