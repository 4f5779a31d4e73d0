"""Draws a clip's end-diastolic and end-systolic frame with the truth and one run's outline."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medseg.clip import Clip
from medseg.compare.cases import ScoredRun
from medseg.data import Case, open_case
from medseg.errors import MedsegError
from medseg.evaluate.truth import ClipTruth
from medseg.export.overlay import outline
from medseg.metrics import overlap, pooled_dice
from medseg.store import open_segmentation

TILE_PX = 300  # about the height of a frame
TRUTH, RUN, INK = (255, 235, 120), (60, 220, 255), (235, 238, 240)

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Moment:
    """One frame of a clip whose truth is known."""

    words: str  # ED or ES
    frame: int
    picture: Picture  # (H, W, 3)
    truth: NDArray[np.bool_]  # (H, W)


@dataclass(frozen=True)
class Strip:
    """ED and ES of one clip as one run sees them."""

    jpeg: bytes
    dice: dict[str, float]  # by moment


def moments_of(case: Case, truth: ClipTruth | None, any_run: ScoredRun) -> list[Moment]:
    """The first end-diastole and the end-systole after it, with their pictures.

    The pictures are the clip's own, or the grey ones of a store where the clip is not there; empty
    where nobody knows when the heart is largest and smallest.
    """
    if truth is None or not truth.ed.size or not truth.es.size:
        return []
    ed = int(truth.ed[0])
    after = truth.es[truth.es > ed]
    es = int(after[0] if after.size else truth.es[0])
    pictures = _pictures(case, [int(truth.frames[ed]), int(truth.frames[es])], any_run)
    if pictures is None:
        return []
    return [
        Moment(words, int(truth.frames[at]), picture, truth.mask[at])
        for words, at, picture in zip(("ED", "ES"), (ed, es), pictures, strict=True)
    ]


def _pictures(case: Case, frames: list[int], any_run: ScoredRun) -> list[Picture] | None:
    try:
        clip: Clip = open_case(case)
        return [clip.read(frame, frame + 1)[0] for frame in frames]
    except MedsegError:
        segmentation = open_segmentation(any_run.run.predictions / f"{case.name}.zarr")
        if "image" not in segmentation:
            return None
        grey = segmentation["image"].isel(frame=frames).values  # (2, y, x)
        return [np.repeat(one[..., None], 3, axis=2) for one in grey]


def draw_strip(one: ScoredRun, clip: str, moments: list[Moment]) -> Strip:
    """Draw a run's outline in blue over the truth's in yellow, ED beside ES."""
    segmentation = open_segmentation(one.run.predictions / f"{clip}.zarr")
    index = segmentation.attrs["object_names"].index("left_ventricle")
    frames = [moment.frame for moment in moments]
    masks = segmentation["mask"].isel(object=index, frame=frames).values > 0
    dice, tiles = {}, []
    for moment, mask in zip(moments, masks, strict=True):
        dice[moment.words] = pooled_dice(overlap(mask[None], moment.truth[None]))
        tiles.append(_tile(moment, mask, dice[moment.words]))
    gap = np.full((tiles[0].shape[0], 4, 3), 255, np.uint8)
    joined = np.concatenate([tiles[0], gap, *tiles[1:]], axis=1)
    stream = io.BytesIO()
    Image.fromarray(joined).save(stream, format="JPEG", quality=88)
    return Strip(stream.getvalue(), dice)


def _tile(moment: Moment, mask: NDArray[np.bool_], dice: float) -> Picture:
    height, width = moment.truth.shape
    scale = max(1, round(TILE_PX / max(height, width)))
    size = (width * scale, height * scale)
    shown = np.array(Image.fromarray(moment.picture).resize(size, Image.Resampling.BILINEAR))
    shown[outline(moment.truth.astype(np.uint8), scale)] = TRUTH
    shown[outline(mask.astype(np.uint8), scale)] = RUN
    image = Image.fromarray(shown)
    if max(size) > 1.4 * TILE_PX:  # a whole scanner's screen
        factor = TILE_PX / max(size)
        image = image.resize((round(size[0] * factor), round(size[1] * factor)))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=15)
    draw.text((7, 5), moment.words, fill=INK, font=font)
    said = f"Dice {dice:.2f}" if np.isfinite(dice) else "no mask"
    draw.text((image.width - 7, 5), said, fill=INK, font=font, anchor="ra")
    return np.asarray(image)
