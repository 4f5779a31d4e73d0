"""`medseg data check`: is a data set fit to train on, and how is it spread."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medseg.cli.console import DONE, IN_PART, print_table, progress

if TYPE_CHECKING:
    from medseg.data import CheckReport

SHOWN = 10  # findings of one code on the terminal; --json has all
SIZES_SHOWN = 8

data = typer.Typer(help="Data sets to train and test on.", no_args_is_help=False)


@data.callback()
def _group() -> None:
    """Data sets to train and test on."""


@data.command()
def check(
    folder: Annotated[
        Path, typer.Argument(help="EchoNet-Dynamic, EchoNet-Pediatric, CAMUS, or clips and masks.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with every finding, instead of a table.")
    ] = False,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="PNG to draw the distributions in.")
    ] = None,
    videos: Annotated[
        bool, typer.Option("--videos/--no-videos", help="Open every clip, or only look for it.")
    ] = True,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="echonet, pediatric, camus or pairs; else its files tell."),
    ] = None,
) -> None:
    """Check a data set before training: exit code 1 where there are errors, 2 where it is none."""
    from medseg.data import check_dataset, open_dataset

    dataset = open_dataset(folder, kind)
    with progress("check") as advance:
        report = check_dataset(dataset, videos=videos, progress=advance)
    if figure is not None:
        _draw(report, figure)
    if as_json:
        typer.echo(json.dumps(_as_json(report), indent=2))
    else:
        _print(report)
        if figure is not None:
            typer.echo(str(figure))
    raise typer.Exit(DONE if report.fit else IN_PART)


def _draw(report: CheckReport, path: Path) -> None:
    from medseg.figures import save_distributions_png

    spread = report.distributions
    sizes = spread.sizes.most_common(SIZES_SHOWN)
    bars = {
        "clips by split": {_split(split): n for split, n in spread.clips.items()},
        "traced frames by split": {_split(s): n for s, n in spread.traced_frames.items()},
        "clips by size (px)": {f"{width} x {height}": n for (height, width), n in sizes},
    }
    save_distributions_png(
        path,
        title=f"{report.path.resolve().name} ({report.kind}), {report.n_cases} clips",
        histograms={
            measure: {_split(split): values for split, values in by_split.items()}
            for measure, by_split in spread.values.items()
        },
        bars=bars,
    )


def _print(report: CheckReport) -> None:
    spread = report.distributions
    rows = [
        [
            _split(split),
            str(n),
            "not known" if spread.patients[split] is None else str(spread.patients[split]),
            str(spread.traced_frames[split]),
            *(_range(by_split[split]) for by_split in spread.values.values()),
        ]
        for split, n in spread.clips.items()
    ]
    columns = ["split", "clips", "patients", "traced frames", *spread.values]
    print_table(f"{report.path}: {report.kind}, {report.n_cases} clips", columns, rows)
    for (severity, code), group in groupby(report.findings, key=lambda f: (f.severity, f.code)):
        found = list(group)
        for finding in found[:SHOWN]:
            where = f"{finding.case}: " if finding.case else ""
            typer.echo(f"{severity} {code}: {where}{finding.message}")
        if len(found) > SHOWN:
            typer.echo(f"{severity} {code}: and {len(found) - SHOWN} more; --json lists all")
    counts = [
        f"{n} {severity}{'' if n == 1 else 's'}"
        for severity in ("error", "warning", "note")
        if (n := report.count(severity))
    ]
    opened = f"{report.n_opened} of {report.n_cases} clips opened"
    left_out = f"{len(report.excluded)} left out"
    typer.echo(f"{', '.join(counts) or 'nothing found'}; {opened}, {left_out}")


def _as_json(report: CheckReport) -> dict[str, Any]:
    spread = report.distributions
    return {
        "dataset": str(report.path),
        "kind": report.kind,
        "fit": report.fit,
        "clips": report.n_cases,
        "opened": report.n_opened,
        "findings": [vars(finding) for finding in report.findings],
        "excluded": [vars(excluded) for excluded in report.excluded],
        "splits": [
            {
                "split": split or None,
                "clips": n,
                "patients": spread.patients[split],
                "traced_frames": spread.traced_frames[split],
            }
            | {name: _summary(by_split[split]) for name, by_split in spread.values.items()}
            for split, n in spread.clips.items()
        ],
        "sizes": [
            {"height": height, "width": width, "clips": n}
            for (height, width), n in spread.sizes.most_common()
        ],
    }


def _summary(values: list[float]) -> dict[str, float | int] | None:
    if not values:
        return None
    return {
        "n": len(values),
        "min": min(values),
        "median": median(values),
        "mean": mean(values),
        "max": max(values),
    }


def _range(values: list[float]) -> str:
    if not values:
        return "not known"
    return f"{median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def _split(split: str) -> str:
    return split or "none"
