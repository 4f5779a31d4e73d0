"""`medseg segment`: clips to stores, overlay videos and area curves."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli import pointing
from medseg.cli.clips import FrameRate, View, exit_code
from medseg.cli.console import memory_cure, print_table, progress, ran_out_of_memory, say_error

if TYPE_CHECKING:
    import xarray as xr

    from medseg.clip import Clip
    from medseg.models.sam2 import Sam2Segmenter
    from medseg.segmentation import Segmenter


_M_MMAP_THRESHOLD = -3  # of glibc's mallopt(3)
_LARGE_BYTES = 6 * 2**20  # a window's arrays are larger, a network's layers smaller

# Written out: asking medseg.models would load torch for a help page.
_MODELS = (
    "default, echonet, unet, unet-landmarks, simlvseg-3d, simlvseg-superimage, medivista or sam2."
)


@dataclass(frozen=True)
class _Wishes:
    """What was asked for every clip."""

    out: Path
    fps: float | None
    view: str | None
    subject: str | None
    window: int
    whole_frame: bool
    overwrite: bool
    overlay: bool
    curve: bool


class _LoadOnce:
    """Loads the network when the first clip turns out to be readable."""

    def __init__(
        self, model: str, weights: Path | None, device: str, prompts: pointing.Pointing
    ) -> None:
        self._wanted = (model, weights, device, prompts)
        self._loaded: Segmenter | Sam2Segmenter | None = None
        if model != pointing.SAM2:
            prompts.refuse_for(model)

    def __call__(self) -> Segmenter | Sam2Segmenter:
        if self._loaded is None:
            model, weights, device, prompts = self._wanted
            if model == pointing.SAM2:
                self._loaded = pointing.load_pointing(prompts, weights, device)
            else:
                with _quick_imports():
                    from medseg.models import load_model

                self._loaded = load_model(model, weights=weights, device=device)
        return self._loaded


def segment(
    clips: Annotated[list[Path], typer.Argument(help="AVI, MP4, DICOM or folders of frames.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(),
    model: Annotated[str, typer.Option("--model", help=_MODELS)] = "default",
    weights: Annotated[
        Path | None, typer.Option("--weights", help="A weights file of yours.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")] = "cpu",
    fps: FrameRate = None,
    view: View = None,
    subject: Annotated[
        str | None, typer.Option("--subject", help="Your own opaque key; never a patient's name.")
    ] = None,
    window: Annotated[int, typer.Option("--window", min=1, help="Frames at a time.")] = 64,
    sam2_size: pointing.Size = "tiny",
    sam2_version: pointing.Version = "2.1",
    image_size: pointing.ImageSize = None,
    random_weights: pointing.RandomWeights = False,
    prompts: pointing.Prompts = None,
    prompt_from: pointing.PromptFrom = None,
    prompt_frame: pointing.PromptFrame = None,
    direction: pointing.Direction = "both",
    precision: pointing.Precision = "float32",
    whole_frame: pointing.WholeFrame = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing results.")
    ] = False,
    overlay: Annotated[bool, typer.Option(help="Write <clip>_overlay.mp4.")] = True,
    curve: Annotated[bool, typer.Option(help="Write <clip>_curve.png.")] = True,
) -> None:
    """Outline the ventricle: DIR/<clip>.zarr, an overlay video and the area curve.

    With --model sam2, outline whatever --prompts or --prompt-from points at, in any video.
    Research only, not for clinical use.
    """
    with _quick_imports():
        from medseg.clip import check_frame_rate, check_view
        from medseg.errors import MedsegError
        from medseg.segmentation import make_folder

    check_view(view, name="--view")
    check_frame_rate(fps, name="--fps")
    make_folder(out)
    _give_back_large_arrays()
    atexit.register(_leave_at_once)
    wishes = _Wishes(out, fps, view, subject, window, whole_frame, overwrite, overlay, curve)
    wanted = pointing.Pointing(
        sam2_size,
        sam2_version,
        image_size,
        random_weights,
        prompts,
        prompt_from,
        prompt_frame,
        direction,
        precision,
    )
    load = _LoadOnce(model, weights, device, wanted)
    rows, failed, stems = [], 0, set[str]()
    for path in clips:
        try:
            rows += _segment_one(path, wishes, load, stems)
        except (MedsegError, OSError) as error:
            say_error(error)
            failed += 1
        except (MemoryError, RuntimeError) as error:
            if not ran_out_of_memory(error):
                raise
            say_error(f"{path}: {memory_cure('segment')}")
            failed += 1
    if rows:
        segmenter = load()
        columns = ["clip", "object", "frames", "measured", "area", "verdict", "store"]
        if {row[1] for row in rows} == {"left_ventricle"}:
            columns = [{"verdict": "left ventricle"}.get(c, c) for c in columns if c != "object"]
            rows = [row[:1] + row[2:] for row in rows]
        print_table(None, columns, rows)
        typer.echo(f"model {segmenter.name}: {segmenter.card['intended_use']}")
    raise typer.Exit(exit_code(failed, len(clips)))


@contextlib.contextmanager
def _quick_imports() -> Iterator[None]:
    """Look for no cycles of objects meanwhile: it takes a fifth of the time and finds nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _give_back_large_arrays() -> None:
    """Have glibc return each large array to the system when it is freed, for flat memory.

    It would soon keep those below 32 MiB, and a long clip's memory would creep up by the gaps
    between them. Other systems' C libraries are left as they are.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def _leave_at_once() -> None:
    """Spare Python its last search for cycles, half a second among torch's modules.

    Not where triton is loaded: it takes what is left over for a leak of its own and says so.
    """
    if "triton" not in sys.modules:
        gc.freeze()


def _segment_one(path: Path, wishes: _Wishes, load: _LoadOnce, stems: set[str]) -> list[list[str]]:
    """Do everything for one clip and give its rows of the table, one an object."""
    with _quick_imports():
        from medseg.decode import open_clip
        from medseg.errors import FrameTimesUnknown, OutputError
        from medseg.segmentation import segment_to_store, store_path
        from medseg.store import open_segmentation

    clip = open_clip(path, frame_rate_hz=wishes.fps, view=wishes.view)
    if clip.name in stems:
        raise OutputError(f"{path}: another clip of this run is named {clip.name}; rename one")
    stems.add(clip.name)
    if clip.frame_time_s is None:
        raise FrameTimesUnknown(f"{path}: does not say when its frames were taken; give --fps")
    video = wishes.out / f"{clip.name}_overlay.mp4" if wishes.overlay else None
    picture = wishes.out / f"{clip.name}_curve.png" if wishes.curve else None
    for target in (store_path(clip, wishes.out), video, picture):
        if target is not None and target.exists() and not wishes.overwrite:
            raise OutputError(f"{target}: exists already; pass --overwrite or another --out")
    with progress(f"segment {clip.name}") as advance:
        store = segment_to_store(
            clip,
            wishes.out,
            segmenter=load(),
            subject_key=wishes.subject,
            view=wishes.view,
            window=wishes.window,
            whole_frame=wishes.whole_frame,
            overwrite=wishes.overwrite,
            progress=advance,
        )
    segmentation = open_segmentation(store)
    _draw(clip, segmentation, video=video, picture=picture, overwrite=wishes.overwrite)
    names = segmentation.attrs["object_names"]
    return [_row(clip.name, segmentation, i, store) for i in range(len(names))]


def _draw(
    clip: Clip,
    segmentation: xr.Dataset,
    *,
    video: Path | None,
    picture: Path | None,
    overwrite: bool,
) -> None:
    """Write the overlay video and, in a second thread meanwhile, the area curve."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        drawing = None
        if picture is not None:
            from medseg.figures import save_curve_png

            drawing = pool.submit(save_curve_png, segmentation, picture, title=clip.name)
        if video is not None:
            from medseg.export.overlay import write_overlay

            with progress(f"overlay {clip.name}") as advance:
                write_overlay(video, clip, segmentation, overwrite=overwrite, progress=advance)
        if drawing is not None:
            drawing.result()


def _row(name: str, segmentation: xr.Dataset, index: int, store: Path) -> list[str]:
    from medseg.figures import area_curve, verdict_line

    status = segmentation["status"].values[index]
    usable = (status == 0) | (status == 3)
    area, unit = area_curve(segmentation, index)
    spread = f"{area[usable].min():.4g} to {area[usable].max():.4g} {unit}" if usable.any() else "-"
    verdict = verdict_line(segmentation.attrs, index) or "measurable"
    shown = segmentation.attrs["object_names"][index]
    return [name, shown, str(status.size), str(int(usable.sum())), spread, verdict, str(store)]
