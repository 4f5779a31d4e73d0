"""A simulated CT goes in and masks come out: the grid compared, memory beside the box hand-over.

python tests/benchmarks/volume_round_trip.py OUT --weights tiny.pt
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nibabel
import numpy as np
from kept import Kept, print_rows

from medseg.data.volumes import read_volume
from medseg.models.sam2 import load_sam2
from medseg.simulate.scan import ORGANS, draw_scan
from medseg.volumes import RegionPredictor, Sam2Predictor, segment_volume, write_results

ORDERS = ("RAS", "LPS", "ASL")  # in which the voxels are stored


def write_scan(folder: Path, seed: int, order: str) -> tuple[Path, Path]:
    """A scan and its labels as NIfTI, voxels stored in an order."""
    folder.mkdir(parents=True, exist_ok=True)
    scan = draw_scan(seed)
    paths = []
    for name, values in (("scan", scan.hounsfield), ("labels", scan.labels)):
        image = nibabel.Nifti1Image(values, scan.affine)
        turn = nibabel.orientations.ornt_transform(
            nibabel.io_orientation(scan.affine), nibabel.orientations.axcodes2ornt(order)
        )
        paths.append(folder / f"{name}_{seed}_{order}.nii.gz")
        nibabel.save(image.as_reoriented(turn), paths[-1])
    return paths[0], paths[1]


def same_grid(scan: Path, mask: Path) -> bool:
    """Whether affine, orientation and shape are those of the scan, as nibabel sees them."""
    one, other = nibabel.load(scan), nibabel.load(mask)
    return bool(
        np.array_equal(one.affine, other.affine)
        and one.shape == other.shape
        and nibabel.aff2axcodes(one.affine) == nibabel.aff2axcodes(other.affine)
    )


def main() -> int:
    """Print DSC and NSD by organ, method and model; 1 if a mask lies on another grid."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--weights", type=Path, help="of SAM 2.1 tiny; without, the baseline only")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--scans", type=int, default=1)
    chosen = parser.parse_args()
    kept = Kept(chosen.out / "volume_round_trip.json", __doc__.splitlines()[0], chosen)
    models = {"region": [("handover", RegionPredictor)]}
    if chosen.weights is not None:
        sam2 = load_sam2("tiny", weights=chosen.weights, image_size=chosen.side)
        models["sam2"] = [(m, lambda: Sam2Predictor(sam2)) for m in ("memory", "handover")]
    for i in range(chosen.scans):
        scan, labels = write_scan(chosen.out, 100 + i, ORDERS[i % len(ORDERS)])
        for model, methods in models.items():
            for method, load in methods:
                name = f"{scan.name}, {model}, {method}"
                if name in kept:
                    continue
                volume = read_volume(scan, truth=labels)
                done = segment_volume(volume, load(), modality="ct", method=method)
                written = write_results(done, chosen.out / f"{model}_{method}", overwrite=True)
                scores = {str(s.label): [s.dsc, s.nsd] for s in done.scores}
                kept.keep(name, {"grid": same_grid(scan, written[0]), "scores": scores})
    names = [name for name in kept.found if ".nii.gz" in name]
    organs = {str(organ[0]): name.replace("_", " ") for name, organ in ORGANS.items()}
    rows = []
    for label, organ in organs.items():
        for model, methods in models.items():
            for method, _ in methods:
                own = [
                    kept[n]["scores"][label]
                    for n in names
                    if n.endswith(f", {model}, {method}") and label in kept[n]["scores"]
                ]
                if own:
                    dsc, nsd = np.mean(own, axis=0)
                    rows.append([organ, model, method, f"{dsc:.3f}", f"{nsd:.3f}"])
    print_rows(["organ", "model", "method", "DSC", "NSD at 2 mm"], rows)
    same = [kept[name]["grid"] for name in names]
    print(f"masks on their scan's own grid: {sum(same)} of {len(same)}")
    return int(not all(same))


if __name__ == "__main__":
    sys.exit(main())
