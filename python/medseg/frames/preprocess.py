"""Prepares clips and folders of pictures, in bounded memory, with before beside after."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

import medseg
from medseg.clip import Clip
from medseg.data.surgical import SurgicalSet
from medseg.errors import FrameTimesUnknown, InputError, OutputError
from medseg.export.video import VideoWriter
from medseg.files import write_whole
from medseg.frames.filters import Recipe, apply, stretch_levels
from medseg.frames.journal import Journal
from medseg.frames.overlays import caption
from medseg.models.weights import available_device

SAMPLED = 16  # pictures that a clip's stretch is measured on
WIDEST_COMPARISON_PX = 3840

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Prepared:
    """What was written."""

    written: tuple[Path, ...]
    pictures: int
    problems: tuple[str, ...]


def preprocess(
    pictures: SurgicalSet,
    out: str | Path,
    recipe: Recipe,
    *,
    device: str = "cpu",
    frame_rate_hz: float | None = None,
    compare: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Prepared:
    """Prepare a clip to out/<name>.mp4, or pictures to PNG files of the same names below `out`.

    With `compare`, also a video or pictures of before, brought to the same size, beside after.
    Videos appear only whole; a folder of pictures can be resumed by the same call. Raises
    FrameTimesUnknown for a clip without a rate, OutputError where results exist or cannot be
    written.
    """
    where = available_device(device)
    out = Path(out)
    if pictures.clip is not None:
        return _clip(pictures.clip, out, recipe, where, frame_rate_hz, compare, overwrite, progress)
    return _folder(pictures, out, recipe, where, compare, overwrite, progress)


def _clip(
    clip: Clip,
    out: Path,
    recipe: Recipe,
    device: torch.device,
    frame_rate_hz: float | None,
    compare: bool,
    overwrite: bool,
    progress: Progress | None,
) -> Prepared:
    rate = frame_rate_hz or clip.frame_rate_hz
    if rate is None:
        raise FrameTimesUnknown(f"{clip.name}: does not say its frame rate; give --fps")
    height, width = recipe.size(clip.height, clip.width)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be made ({error.strerror}); choose another") from error
    targets = [out / f"{clip.name}.mp4"] + [out / f"{clip.name}_compare.mp4"] * compare
    for target in targets:
        if target.exists() and not overwrite:
            raise OutputError(f"{target}: exists already; pass --overwrite or another --out")
    levels = _levels_of_clip(clip) if recipe.normalise == "stretch" else None
    words = _words(recipe)

    def run(after: VideoWriter, beside: VideoWriter | None) -> None:
        for number, frames in clip.windows(1):
            done = apply(frames, recipe, levels=levels, device=device)
            after.write(done)
            if beside is not None:
                beside.write(side_by_side(frames[0], done[0], words)[None])
            if progress is not None:
                progress(number + 1, clip.frame_count)

    sizes: dict[str, Any] = {"frame_rate_hz": rate, "overwrite": overwrite}
    with VideoWriter(targets[0], height=height, width=width, **sizes) as after:
        if compare:
            rows, columns = _comparison_size(height, width)
            with VideoWriter(targets[1], height=rows, width=columns, **sizes) as beside:
                run(after, beside)
        else:
            run(after, None)
    return Prepared(tuple(targets), clip.frame_count, ())


def _folder(
    pictures: SurgicalSet,
    out: Path,
    recipe: Recipe,
    device: torch.device,
    compare: bool,
    overwrite: bool,
    progress: Progress | None,
) -> Prepared:
    settings = {
        "root": str(pictures.root.resolve()), "compare": compare, "software": medseg.__version__,
        **asdict(recipe),
    }  # fmt: skip
    journal = Journal(out, settings, key="frame", overwrite=overwrite)
    problems: list[str] = []
    levels: dict[tuple[str, str], tuple[float, float]] = {}
    words, total = _words(recipe), len(pictures.frames)
    for count, frame in enumerate(pictures.frames, start=1):
        if frame.name not in journal.records:
            key = (frame.group, frame.resolution)
            try:
                if recipe.normalise == "stretch" and key not in levels:
                    levels[key] = _levels_of_group(pictures, key)
                before = pictures.read(frame)
                after = apply(before[None], recipe, levels=levels.get(key), device=device)[0]
            except InputError as error:
                problems.append(str(error))
                continue
            place = Path(frame.name).with_suffix("").as_posix()
            write_whole(out / f"{place}.png", _png(after))
            if compare:
                shown = side_by_side(before, after, words)
                write_whole(out / "compare" / f"{place}.png", _png(shown))
            journal.commit({"frame": frame.name})
        if progress is not None:
            progress(count, total)
    return Prepared((out,), len(journal.records), tuple(problems))


def side_by_side(
    before: NDArray[np.uint8], after: NDArray[np.uint8], words: str
) -> NDArray[np.uint8]:
    """Two RGB pictures beside each other, the first brought to the second's size, with words."""
    height, width = after.shape[:2]
    rows, columns = _comparison_size(height, width)
    left = Image.fromarray(before)
    size = f"{left.width} x {left.height}"
    half = (columns - 4) // 2
    image = Image.new("RGB", (columns, rows), (16, 18, 22))
    for picture, at in ((left, 0), (Image.fromarray(after), columns - half)):
        if picture.size != (half, rows):
            picture = picture.resize((half, rows), Image.Resampling.BOX)
        image.paste(picture, (at, 0))
    caption(image, f"before: {size}")
    caption(image, f"after: {width} x {height}{words}", left=columns - half)
    return np.asarray(image)


def _comparison_size(height: int, width: int) -> tuple[int, int]:
    """(rows, columns) of before beside after, both even, at most WIDEST_COMPARISON_PX wide."""
    half = min(width, (WIDEST_COMPARISON_PX - 4) // 2)
    return 2 * round(height * half / width / 2), 2 * half + 4


def _words(recipe: Recipe) -> str:
    steps = [step for step in (recipe.denoise, recipe.normalise) if step != "none"]
    return "".join(f", {step}" for step in steps)


def _levels_of_clip(clip: Clip) -> tuple[float, float]:
    chosen = np.unique(np.linspace(0, clip.frame_count - 1, SAMPLED).astype(int))
    step = max(1, clip.height // 270)
    return stretch_levels(
        np.concatenate([clip.read(int(i), int(i) + 1)[:, ::step, ::step] for i in chosen])
    )


def _levels_of_group(pictures: SurgicalSet, key: tuple[str, str]) -> tuple[float, float]:
    frames = [f for f in pictures.frames if (f.group, f.resolution) == key]
    chosen = np.unique(np.linspace(0, len(frames) - 1, SAMPLED).astype(int))
    step = max(1, frames[0].height // 270)
    return stretch_levels(np.stack([pictures.read(frames[i])[::step, ::step] for i in chosen]))


def _png(picture: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG", compress_level=3)
    return content.getvalue()
