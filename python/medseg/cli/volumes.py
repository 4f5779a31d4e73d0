"""`medseg volume` and `medseg benchmark`: scans in, masks out, and the table over modalities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.console import DONE, FAILED, IN_PART, print_table, progress, say_error
from medseg.cli.pointing import ImageSize, Precision, RandomWeights, Size, Version

if TYPE_CHECKING:
    from medseg.volumes import Predictor

_MODELS = (
    "sam2.1-tiny", "sam2.1-small", "sam2.1-base-plus", "sam2.1-large", "medsam2", "sam-vit-b",
    "sam-vit-l", "sam-vit-h", "medsam",
)  # fmt: skip


def volume(
    scan: Annotated[Path, typer.Argument(help="NIfTI, or NPZ with imgs, gts, boxes, spacing.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(),
    modality: Annotated[
        str, typer.Option("--modality", help="ct, mr, pet, or grey: uint8 already, as in NPZ.")
    ] = "grey",
    window: Annotated[
        str,
        typer.Option(
            "--window", help="CT: abdomen, soft-tissue, lung, brain, bone, or LEVEL,WIDTH in HU."
        ),
    ] = "abdomen",
    plane: Annotated[
        str, typer.Option("--plane", help="axial, coronal or sagittal slices of NIfTI.")
    ] = "axial",
    box: Annotated[
        list[str] | None,
        typer.Option("--box", help="x0,y0,x1,y1 in pixels of a slice; several: several objects."),
    ] = None,
    slice_: Annotated[
        int | None, typer.Option("--slice", help="Where the box is drawn [the middle one].")
    ] = None,
    slices: Annotated[
        tuple[int, int] | None, typer.Option("--slices", help="First and last slice to segment.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="NIfTI labels: to score, and to prompt by.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="memory (both ways from the prompted slice), handover (each mask's box to the "
            "next slice), or slices (every slice by its true box).",
        ),
    ] = "memory",
    model: Annotated[
        str, typer.Option("--model", help="sam2, or region: a baseline, no network.")
    ] = "sam2",
    sam2_size: Size = "tiny",
    sam2_version: Version = "2.1",
    image_size: ImageSize = None,
    precision: Precision = "float32",
    weights: Annotated[
        Path | None, typer.Option("--weights", help="A weights file of yours.")
    ] = None,
    random_weights: RandomWeights = False,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")] = "cpu",
    largest: Annotated[
        bool, typer.Option("--largest", help="Keep each object's largest connected part.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0.0, help="Of the NSD, in mm.")
    ] = 2.0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing results.")
    ] = False,
) -> None:
    """Segment a scan: <name>_mask.nii.gz on the scan's own grid, a picture of slices, a record.

    DSC and NSD count 1 where truth and mask are both empty and 0 where one is. Research only, not
    for clinical use.
    """
    from medseg.data.volumes import Box, read_volume
    from medseg.errors import InputError
    from medseg.volumes import (
        RegionPredictor,
        Sam2Predictor,
        segment_volume,
        write_results,
    )

    opened = read_volume(scan, truth=truth, plane=plane)
    depth = opened.values.shape[0]
    first, last = slices or (0, depth - 1)
    if not 0 <= first <= last < depth:
        raise typer.BadParameter(f"--slices {first} {last}: the scan has slices 0 to {depth - 1}")
    boxes = [
        Box(label, *_four(text), first, last + 1) for label, text in enumerate(box or [], start=1)
    ]
    if model == "region":
        predictor: Predictor = RegionPredictor()
    elif model == "sam2":
        from medseg.models.sam2 import load_sam2

        predictor = Sam2Predictor(
            load_sam2(
                sam2_size,
                version=sam2_version,
                weights=weights,
                image_size=image_size,
                device=device,
                precision=precision,
                random_weights=random_weights,
            )
        )
    else:
        raise InputError(f"--model {model}: choose sam2 or region; others do not take boxes")
    done = segment_volume(
        opened, predictor, modality=modality, window=_window(window), method=method, boxes=boxes,
        key_slice=slice_, largest=largest, tolerance_mm=tolerance,
    )  # fmt: skip
    written = write_results(done, out, overwrite=overwrite)
    if done.scores:
        rows = [
            [str(s.label), f"{s.dsc:.4f}", f"{s.nsd:.4f}", f"{s.tolerance:g} {s.unit}",
             str(s.truth_voxels), str(s.voxels)]
            for s in done.scores
        ]  # fmt: skip
        columns = ["label", "DSC", "NSD", "tolerance", "true voxels", "voxels"]
        print_table(f"{scan}: {method}, boxes from the {done.box_source}", columns, rows)
    for path in written:
        typer.echo(str(path))
    typer.echo(f"model {predictor.name}: {predictor.card['intended_use']}")


def benchmark(
    subject: Annotated[str, typer.Argument(help="sam2.")],
    data: Annotated[
        Path,
        typer.Option(
            "--data", help="ROOT/<modality>/*.npz, or ROOT/<modality>/images and labels, NIfTI."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tables.")],
    weights: Annotated[
        Path, typer.Option("--weights", help="Folder with the checkpoints as they are published.")
    ] = Path(),
    models: Annotated[
        str, typer.Option("--models", help="With commas; region is the baseline.")
    ] = ",".join(("region", *_MODELS)),
    methods: Annotated[
        str, typer.Option("--methods", help="With commas.")
    ] = "2-D,hand-over,memory",
    window: Annotated[str, typer.Option("--window", help="Of CT scans in HU.")] = "abdomen",
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0.0, help="Of the NSD, in mm; 2 px without spacing.")
    ] = 2.0,
    image_size: Annotated[
        int | None, typer.Option("--image-size", help="Other than each model's own.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")] = "cpu",
    seed: Annotated[int, typer.Option("--seed", help="Of how boxes are drawn.")] = 1,
) -> None:
    """Compare models over modalities: 2-D, hand-over and memory; the same call goes on if stopped.

    Each model's weights that are not there are named, with where they are published.
    """
    from medseg.errors import InputError
    from medseg.volumes import (
        RegionPredictor,
        find_cases,
        published_loaders,
        run_benchmark,
        summarise,
    )

    if subject != "sam2":
        raise InputError(f"benchmark {subject!r}: there is one, sam2")
    cases = find_cases(data)
    wanted = [name.strip() for name in models.split(",") if name.strip()]
    loaders, missing = published_loaders(
        weights, device=device, image_size=image_size,
        models=[name for name in wanted if name != "region"],
    )  # fmt: skip
    if "region" in wanted:
        loaders = {"region": RegionPredictor, **loaders}
    with progress("benchmark") as advance:
        done = run_benchmark(
            cases, loaders, out, methods=[m.strip() for m in methods.split(",")], window=window,
            tolerance_mm=tolerance, seed=seed, missing=missing, progress=advance,
        )  # fmt: skip
    rows = [[*map(str, row[:6]), f"{row[6]:.4f}", f"{row[7]:.4f}"] for row in summarise(done)]
    columns = ["modality", "kind", "method", "model", "cases", "objects", "DSC", "NSD"]
    print_table(f"{data}: {len(cases)} cases", columns, rows)
    typer.echo(
        f"means over objects; NSD at {tolerance:g} mm (2 px without spacing); boxes from the "
        "truth, sides up to 5 px off; empty masks: both 1, one 0"
    )
    for name, why in done.missing.items():
        say_error(f"{name} was not run: {why}")
    for problem in done.problems:
        say_error(problem)
    typer.echo(str(out / "summary.csv"))
    nothing = not done.records
    raise typer.Exit(FAILED if nothing else IN_PART if done.missing or done.problems else DONE)


def _four(text: str) -> tuple[int, int, int, int]:
    try:
        x0, y0, x1, y1 = (int(part) for part in text.replace(" ", ",").split(",") if part)
    except ValueError:
        raise typer.BadParameter(f"--box {text}: give four whole numbers, x0,y0,x1,y1") from None
    return x0, y0, x1, y1


def _window(text: str) -> str | tuple[float, float]:
    level, comma, width = text.partition(",")
    if not comma:
        return text
    try:
        return float(level), float(width)
    except ValueError:
        raise typer.BadParameter(f"--window {text}: give a preset, or LEVEL,WIDTH in HU") from None
