"""`medseg simulate` and `medseg evaluate`: clips whose truth is known."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.console import DONE, IN_PART, print_table, progress, say_error


def simulate(
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    n: Annotated[int, typer.Option("-n", "--number", min=1, help="Clips to make.")] = 10,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same clips.")] = 1,
    form: Annotated[
        str,
        typer.Option(
            "--form",
            help="Echo: avi, as EchoNet-Dynamic, or dicom. Operations: surgical, MP4 clips, or "
            "surgisr4k, pictures in its layout. Scans: ct.",
        ),
    ] = "avi",
    frames: Annotated[
        int | None, typer.Option("--frames", min=1, help="Of an operation: 90, surgisr4k 8.")
    ] = None,
    size: Annotated[
        str, typer.Option("--size", help="Of --form surgical: 270p to 1080p, 2160p.")
    ] = "1080p",
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes: for echo as many as processors, else 1."),
    ] = None,
) -> None:
    """Make simulated clips or scans with the truth beside them."""
    from medseg.errors import InputError
    from medseg.simulate import (
        simulate_folder,
        simulate_scans,
        simulate_surgery,
        simulate_surgisr4k,
    )
    from medseg.simulate.surgery_folder import SIZES

    if form not in ("avi", "dicom", "surgical", "surgisr4k", "ct"):
        raise InputError(f"--form {form}: choose avi, dicom, surgical, surgisr4k or ct")
    if size not in SIZES:
        raise InputError(f"--size {size}: choose of {', '.join(SIZES)}")
    with progress("simulate") as advance:
        if form == "surgical":
            simulate_surgery(
                out,
                n=n,
                seed=seed,
                frames=frames or 90,
                size=SIZES[size],
                workers=workers or 1,
                progress=advance,
            )
        elif form == "surgisr4k":
            simulate_surgisr4k(
                out, n=n, seed=seed, frames=frames or 8, workers=workers or 1, progress=advance
            )
        elif form == "ct":
            simulate_scans(out, n=n, seed=seed, progress=advance)
        else:
            simulate_folder(
                out, n=n, seed=seed, form=form, workers=workers or min(n, os.cpu_count() or 1),
                progress=advance,
            )  # fmt: skip
    typer.echo(f"{n} simulated clips in {out}")


def evaluate(
    predictions: Annotated[
        Path,
        typer.Argument(help="A folder of stores, <clip>.zarr, or an ef.csv of predict-ef."),
    ],
    dataset: Annotated[Path, typer.Argument(help="A simulated or EchoNet-shaped folder.")],
    split: Annotated[
        str | None, typer.Option("--split", help="TRAIN, VAL or TEST; all clips if left out.")
    ] = None,
    train_folder: Annotated[
        Path | None,
        typer.Option(
            "--train", help="Folder whose TRAIN clips give the mean mask to compare with."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the CSV and JSON [PREDICTIONS].")
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="beatbybeat or echonet: how R finds beats.")
    ] = "beatbybeat",
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol", help="echonet or unilvseg: the published measures beside our own."
        ),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option("--figures", help="Folder for Bland-Altman, scatter and ROC of EF (PNG)."),
    ] = None,
    draws: Annotated[
        int, typer.Option("--draws", min=100, help="Bootstrap draws of patients.")
    ] = 10_000,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="The same seed draws the same patients.")
    ] = 1,
    tolerance_px: Annotated[
        float, typer.Option("--tolerance-px", min=0.0, help="Of the surface Dice, in pixels.")
    ] = 2.0,
    tolerance_cm: Annotated[
        float, typer.Option("--tolerance-cm", min=0.0, help="The same for calibrated clips.")
    ] = 0.2,
) -> None:
    """Score stores against the truth: Dice, distances, steadiness, EF, heart rate and beats."""
    from medseg.evaluate import (
        Tolerances,
        draw_figures,
        evaluate_folder,
        summarise,
        tables,
        write_evaluation,
    )

    with progress("evaluate") as advance:
        evaluation = evaluate_folder(
            predictions,
            dataset,
            split=split,
            train=train_folder,
            method=method,
            protocol=protocol,
            tolerances=Tolerances(tolerance_px, tolerance_cm),
            progress=advance,
        )
    summary = summarise(evaluation, draws=draws, seed=seed)
    beside = predictions if predictions.is_dir() else predictions.parent
    written = [*write_evaluation(evaluation, summary, out if out is not None else beside)]
    if evaluation.without_masks is None:
        print_table(None, tables.MASK_COLUMNS, tables.mask_rows(summary))
    else:
        typer.echo(f"no measures of masks: {evaluation.without_masks}")
    print_table(None, tables.COLUMNS, tables.summary_rows(evaluation, summary))
    if protocol is not None:
        rows = tables.published_rows(evaluation, summary)
        print_table(f"--protocol {protocol}", tables.PUBLISHED_COLUMNS, rows)
    problems = list(evaluation.problems)
    if figures is not None:
        drawn, why_not = draw_figures(evaluation, summary, figures)
        written += drawn
        problems += why_not
    for path in written:
        typer.echo(str(path))
    for problem in problems:
        say_error(problem)
    raise typer.Exit(IN_PART if problems else DONE)
