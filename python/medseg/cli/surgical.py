"""`medseg frames` and `medseg preprocess`: surgical and endoscopic pictures and clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.console import DONE, IN_PART, print_table, progress, say_error
from medseg.cli.pointing import ImageSize, Precision, RandomWeights, Size, Version

if TYPE_CHECKING:
    from medseg.frames import Finder


def frames(
    source: Annotated[
        Path, typer.Argument(help="SurgiSR4K, a folder of pictures, one picture, or a clip.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
    model: Annotated[
        str,
        typer.Option("--model", help="sam2, another model, or metal: a baseline, no network."),
    ] = "sam2",
    weights: Annotated[
        Path | None, typer.Option("--weights", help="A weights file of yours.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")] = "cpu",
    sam2_size: Size = "tiny",
    sam2_version: Version = "2.1",
    image_size: ImageSize = None,
    random_weights: RandomWeights = False,
    precision: Precision = "float32",
    prompt_from: Annotated[
        str,
        typer.Option(
            "--prompt-from",
            help="Of SAM 2: automatic (everything in the picture), centre-box, or another model "
            "whose masks give the boxes, such as metal.",
        ),
    ] = "automatic",
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Take the masks of a clip's <clip>.zarr instead of a model."),
    ] = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Only every n-th picture.")] = 1,
    coverage: Annotated[
        tuple[float, float],
        typer.Option("--coverage", help="Least and most area of a mask, in % of the picture."),
    ] = (2.0, 60.0),
    confidence: Annotated[
        float, typer.Option("--confidence", help="Least confidence of a mask.")
    ] = 0.5,
    overlays: Annotated[bool, typer.Option(help="Write overlays/<picture>.jpg.")] = True,
    video: Annotated[
        float | None,
        typer.Option("--video", help="Also join a clip's overlays at this frame rate."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of another run.")
    ] = False,
) -> None:
    """Segment pictures one by one: masks, overlays, coverage.csv, summary.csv, areas.png.

    A picture is a success if at least one mask covers 2 to 60 % of it (--coverage) with a
    confidence of at least 0.5 (--confidence) and lies by no more than half on highlights: pixels
    whose mean is at least 0.82 of full scale and whose saturation is at most a third. The same call
    goes on where a stopped one was. Research only, not for clinical use.
    """
    from medseg.data.surgical import read_surgical
    from medseg.errors import InputError
    from medseg.frames import (
        SuccessRule,
        load_finder,
        printed_rows,
        segment_frames,
        write_tables,
    )
    from medseg.frames.overlays import write_overlay_video
    from medseg.frames.run import output_name
    from medseg.frames.store_finder import StoreFinder

    rule = SuccessRule(*coverage, confidence)
    pictures = read_surgical(source)
    finder: Finder
    if store is not None:
        if pictures.clip is None:
            raise InputError(f"--store {store}: {source} is no clip, so it has no store")
        finder = StoreFinder(store, pictures.clip)
    elif model == "sam2":
        wanted = _Sam2(sam2_size, sam2_version, image_size, random_weights, precision, device)
        finder = _sam2(wanted, prompt_from, weights)
    else:
        finder = load_finder(model, weights=weights, device=device)
    with progress("frames") as advance:
        run = segment_frames(
            pictures, finder, out, rule=rule, every=every, overlays=overlays,
            overwrite=overwrite, progress=advance,
        )  # fmt: skip
    written = write_tables(run)
    if video is not None and overlays:
        done = {record["frame"] for record in run.records}
        by_group: dict[tuple[str, str], list[Path]] = {}
        for frame in pictures.frames:
            if frame.name in done:
                jpeg = out / "overlays" / f"{output_name(frame)}.jpg"
                by_group.setdefault((frame.group, frame.resolution), []).append(jpeg)
        for (group, resolution), jpegs in by_group.items():
            path = out / f"{group.replace('/', '_')}_{resolution}_overlay.mp4"
            write_overlay_video(path, jpegs, frame_rate_hz=video, overwrite=True)
            written.append(path)
    columns, rows = printed_rows(run)
    print_table(f"{source}: {len(run.records)} pictures, model {finder.name}", columns, rows)
    typer.echo(run.rule.words())
    if pictures.excluded:
        typer.echo(f"{len(pictures.excluded)} files are left out; excluded.csv says why")
    for path in written:
        typer.echo(str(path))
    typer.echo(f"model {finder.name}: {finder.card['intended_use']}")
    for problem in run.problems:
        say_error(problem)
    raise typer.Exit(IN_PART if run.problems else DONE)


@dataclass(frozen=True)
class _Sam2:
    """Which SAM 2 is wanted."""

    size: str
    version: str
    image_size: int | None
    random_weights: bool
    precision: str
    device: str


def _sam2(wanted: _Sam2, prompt_from: str, weights: Path | None) -> Finder:
    from medseg.frames.finders import load_finder
    from medseg.frames.sam2_finder import PROMPTS, Sam2Finder
    from medseg.models.sam2 import load_sam2

    network = load_sam2(
        wanted.size,
        version=wanted.version,
        weights=weights,
        image_size=wanted.image_size,
        device=wanted.device,
        precision=wanted.precision,
        random_weights=wanted.random_weights,
    )
    prompter = None if prompt_from in PROMPTS else load_finder(prompt_from, device=wanted.device)
    return Sam2Finder(network, prompt=prompt_from, prompter=prompter)


def preprocess(
    source: Annotated[
        Path, typer.Argument(help="A clip, SurgiSR4K, a folder of pictures, or one picture.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
    height: Annotated[
        int | None, typer.Option("--height", help="Rows to bring pictures down to: 480, 540, 1080.")
    ] = None,
    denoise: Annotated[
        str, typer.Option("--denoise", help="none, bilateral (on the device) or nlm (on the CPU).")
    ] = "none",
    normalise: Annotated[
        str,
        typer.Option(
            "--normalise",
            help="none, stretch (one range for a whole clip) or clahe (even light everywhere).",
        ),
    ] = "none",
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")] = "cpu",
    fps: Annotated[
        float | None, typer.Option("--fps", help="Of the result, where the clip does not say.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also write before beside after.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing results.")
    ] = False,
) -> None:
    """Downscale, denoise and even out surgical clips and pictures, one picture in memory at a time.

    Downscaling is the mean over area. The bilateral filter is kornia's, on the device; non-local
    means are scikit-image's, on the CPU, for kornia has none.
    """
    from medseg.data.surgical import read_surgical
    from medseg.frames.filters import Recipe
    from medseg.frames.preprocess import preprocess as prepare

    recipe = Recipe(height=height, denoise=denoise, normalise=normalise)
    pictures = read_surgical(source)
    with progress("preprocess") as advance:
        done = prepare(
            pictures, out, recipe, device=device, frame_rate_hz=fps, compare=compare,
            overwrite=overwrite, progress=advance,
        )  # fmt: skip
    typer.echo(f"{done.pictures} pictures prepared")
    for path in done.written:
        typer.echo(str(path))
    for problem in done.problems:
        say_error(problem)
    raise typer.Exit(IN_PART if done.problems else DONE)
