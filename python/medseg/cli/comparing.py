"""`medseg predict-ef` and `medseg compare`: EF without masks, and runs side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.console import DONE, FAILED, IN_PART, print_table, progress, say_error

if TYPE_CHECKING:
    from medseg.clip import Clip
    from medseg.compare import Compared, Measured
    from medseg.data import Case
    from medseg.evaluate import Measure


def predict_ef(
    clips: Annotated[list[Path], typer.Argument(help="AVI, MP4, DICOM or folders of frames.")],
    weights: Annotated[
        Path,
        typer.Option("--weights", help="r2plus1d_18_32_2_pretrained.pt, or of medseg train."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The CSV to write.")] = Path("ef.csv"),
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")] = "cpu",
    per_video: Annotated[
        str, typer.Option("--clips", help="all, as published, or how many starts of a video.")
    ] = "all",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the CSV.")] = False,
) -> None:
    """Predict EF without masks by EchoNet's R(2+1)D: 32 frames, every second one, mean over clips.

    Research only, not for clinical use.
    """
    from medseg.ejection import predict_ef_table
    from medseg.models.echonet_ef import load_echonet_ef

    wanted = _starts(per_video)
    model = load_echonet_ef(weights, device)
    sources = [(_stem(path), _opener(path)) for path in clips]
    with progress("predict EF") as advance:
        result = predict_ef_table(
            model, sources, out, clips=wanted, overwrite=overwrite, progress=advance
        )
    for line in result.warnings:
        typer.echo(f"warning: {line}", err=True)
    for line in result.failed:
        say_error(line)
    if result.done == 0:
        raise typer.Exit(FAILED)
    typer.echo(f"{out}: EF of {result.done} clips, {result.kept} of them from a stopped run")
    typer.echo(f"model echonet-ef: {model.card['intended_use']}")
    raise typer.Exit(IN_PART if result.failed else DONE)


def compare(
    dataset: Annotated[Path, typer.Argument(help="A simulated or EchoNet-shaped folder.")],
    runs: Annotated[
        list[str] | None,
        typer.Argument(help="NAME=FOLDER: stores, an ef.csv, or what medseg train wrote."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the page and tables.")
    ] = Path("comparison"),
    split: Annotated[
        str | None,
        typer.Option("--split", help="TRAIN, VAL, TEST or all [TEST, where there is one]."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="NAME=MODEL: whose predictions NAME are, or shall be."),
    ] = None,
    weights: Annotated[
        list[str] | None, typer.Option("--weights", help="NAME=FILE: that model's weights.")
    ] = None,
    zero_shot: Annotated[
        list[str] | None,
        typer.Option("--zero-shot", help="NAME: no training and no annotation on such clips."),
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="NAME: compare all with it [all pairs].")
    ] = None,
    minutes_per_frame: Annotated[
        float | None,
        typer.Option("--minutes-per-frame", min=0.0, help="Of tracing, for annotation hours."),
    ] = None,
    train_folder: Annotated[
        Path | None, typer.Option("--train", help="Folder whose TRAIN clips give the baselines.")
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="beatbybeat or echonet: how R finds beats.")
    ] = "beatbybeat",
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")] = "cpu",
    measure: Annotated[
        bool, typer.Option("--speed/--no-speed", help="Measure speed and memory.")
    ] = True,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Of the speed.")] = 5,
    curve: Annotated[
        list[str] | None, typer.Option("--curve", help="CLIP: draw its area curves.")
    ] = None,
    worst: Annotated[int, typer.Option("--worst", min=0, help="Clips shown of each kind.")] = 2,
    draws: Annotated[
        int, typer.Option("--draws", min=100, help="Bootstrap draws of patients.")
    ] = 10_000,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="The same seed draws the same patients.")
    ] = 1,
) -> None:
    """Set runs side by side: accuracy, paired differences, cost, figures and worst cases.

    A run that `medseg train` wrote, or one named by --model alone, is predicted first; a stopped
    call goes on where it was. Research only, not for clinical use.
    """
    from medseg.compare import (
        draw_all,
        find_runs,
        make_missing,
        measure_runs,
        score_runs,
        wanted_split,
        weigh_runs,
        write_comparison,
    )
    from medseg.data import open_dataset

    found = find_runs(
        runs or [],
        out=out,
        models=_named("--model", model),
        weights={name: Path(file) for name, file in _named("--weights", weights).items()},
        zero_shot=zero_shot or [],
    )
    wanted = wanted_split(dataset, split)
    cases = list(open_dataset(dataset).of_split(wanted))
    problems = []
    for run in found:
        with progress(f"predict {run.name}") as advance:
            problems += make_missing(run, cases, device=device, progress=advance)
    with progress("score") as advance:
        compared = score_runs(
            found, dataset, split=wanted, train=train_folder, method=method, progress=advance
        )
    measured = measure_runs(compared, draws=draws, seed=seed, reference=reference)
    clip, path = _measured_clip(compared.cases.values())
    costs = weigh_runs(
        compared.runs,
        clip,
        path,
        device=device,
        repeats=repeats,
        measure=measure,
        minutes_per_frame=minutes_per_frame,
    )
    pictures = draw_all(compared, measured, worst=worst, curves=curve or [])
    _say_in_short(compared, measured)
    for written in write_comparison(compared, measured, costs, pictures, out):
        typer.echo(str(written))
    problems += [*compared.problems, *costs.problems]
    for line in problems:
        say_error(line)
    raise typer.Exit(IN_PART if problems else DONE)


def _named(option: str, pairs: list[str] | None) -> dict[str, str]:
    """Parse NAME=VALUE; the same name twice is an error."""
    from medseg.errors import InputError

    found: dict[str, str] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise InputError(f"{option} {pair}: write {option} NAME=VALUE")
        if name in found:
            raise InputError(f"{option} {name}: given twice")
        found[name] = value
    return found


def _measured_clip(cases: Iterable[Case]) -> tuple[Clip | None, Path | None]:
    """The first compared clip that can be opened, on which speed and memory are measured."""
    from medseg.data import open_case
    from medseg.errors import MedsegError

    for case in cases:
        try:
            return open_case(case), case.path
        except MedsegError:
            continue
    return None, None


def _say_in_short(compared: Compared, measured: Measured) -> None:
    """A table of a few measures a run on the terminal."""
    keys = ("pooled_dice", "mean_frame_dice", "ef_mae", "ef_bias")
    labels = [measured.measures[compared.runs[0].run.name][key].label for key in keys]
    rows = []
    for one in compared.runs:
        found = [measured.measures[one.run.name][key] for key in keys]
        rows.append([one.run.name, *(_short(measure) for measure in found)])
    print_table(None, ["run", *labels], rows)


def _short(measure: Measure) -> str:
    if not math.isfinite(measure.value):
        return f"missing: {measure.reason}"
    between = f" ({measure.low:.{measure.digits}f} to {measure.high:.{measure.digits}f})"
    value = f"{measure.value:.{measure.digits}f}"
    return f"{value}{between if math.isfinite(measure.low) else ''} n {measure.n}"


def _starts(text: str) -> int | None:
    """How many starts of a video `--clips` asks for; None: all."""
    from medseg.errors import InputError

    if text == "all":
        return None
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"--clips {text}: give all, or a number of 1 or more")
    return int(text)


def _stem(path: Path) -> str:
    """A clip's name in the table."""
    return path.name if path.is_dir() else path.stem


def _opener(path: Path) -> Callable[[], Clip]:
    def open_it() -> Clip:
        from medseg.decode import open_clip

        return open_clip(path)

    return open_it
