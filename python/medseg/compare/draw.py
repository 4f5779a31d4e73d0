"""Gathers what the page shows: figures of all runs, and the chosen clips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.compare import pictures as drawn
from medseg.compare.cases import Compared, ScoredRun
from medseg.compare.choice import choose_clips, curve_clips
from medseg.compare.differences import Measured
from medseg.compare.page import ClipPanels, Panel, Pictures
from medseg.compare.strips import Strip, draw_strip, moments_of
from medseg.errors import InputError
from medseg.evaluate import ClipScore
from medseg.evaluate.truth import TruthFolder, open_truth
from medseg.metrics import frame_dice
from medseg.store import open_segmentation

Float = NDArray[np.float64]
MEASURED = (0, 3, 4)  # status: an object was seen


def draw_all(
    compared: Compared, measured: Measured, *, worst: int = 2, curves: Sequence[str] = ()
) -> Pictures:
    """Draw everything; raises InputError for a curve of a clip that is not compared."""
    for name in curves:
        if name not in compared.cases:
            raise InputError(f"--curve {name}: no clip of that name is compared")
    found = Pictures()
    _draw_ef(found, compared, measured)
    _draw_dice(found, compared)
    folder = open_truth(compared.dataset, ef_is_enough=True)
    shown = choose_clips(compared, each=worst)
    for name in curve_clips(compared, shown, curves):
        found.curves.append(_curves(compared, folder, name))
    for one in shown:
        panels = _strips(compared, folder, one.clip)
        if panels:
            found.clips.append(ClipPanels(one.clip, one.why, panels))
        else:
            found.notes.append(f"{one.clip}: no pictures of it, as its ED and ES are not known")
    return found


def _draw_ef(found: Pictures, compared: Compared, measured: Measured) -> None:
    pairs = {one.run.name: _ef_pairs(one) for one in compared.runs}
    every = [np.concatenate(pair) for pair in pairs.values() if pair[0].size]
    if not every:
        found.notes.append("no figure of EF: no run gives one")
        return
    both = np.concatenate(every)
    margin = max(0.05 * float(np.ptp(both)), 1.0)
    ends = (float(both.min()) - margin, float(both.max()) + margin)
    limits = [
        abs(measured.measures[name][key].value)
        for name in pairs
        for key in ("ef_limit_low", "ef_limit_high")
    ]
    errors = [float(np.abs(got - true).max()) for got, true in pairs.values() if got.size]
    reach = 1.15 * max([1.0, *errors, *(v for v in limits if np.isfinite(v))])
    for index, one in enumerate(compared.runs):
        name = one.run.name
        got, true = pairs[name]
        if not got.size:
            found.notes.append(f"{name}: no figure of EF, as it gives none")
            continue
        measures, colour = measured.measures[name], drawn.colour_of(index)
        image = drawn.bland_altman(got, true, measures, reach=reach, colour=colour)
        words = f"Bland-Altman of {name}, n {got.size} clips"
        found.bland_altman.append(Panel(image, words, f"Bland–Altman, n {got.size} clips",
                                        heading=name))  # fmt: skip
        note = f"MAE {measures['ef_mae'].value:.2f} points"
        if np.isfinite(measures["ef_r_squared"].value):
            note += f"\nR² {measures['ef_r_squared'].value:.3f}"
            note += f"   r² {measures['ef_r2_of_correlation'].value:.3f}"
        image = drawn.ef_scatter(got, true, ends=ends, note=note, colour=colour)
        found.scatter.append(
            Panel(image, f"EF of {name} over the true EF", "Line: identity", heading=name)
        )


def _ef_pairs(one: ScoredRun) -> tuple[Float, Float]:
    """Measured and true EF of the compared clips that have both."""
    known = [
        (clip.ef_percent, clip.ef_true_percent)
        for clip in one.clips
        if clip.ef_percent is not None and clip.ef_true_percent is not None
    ]
    pairs = np.array(known, np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _draw_dice(found: Pictures, compared: Compared) -> None:
    dice, colours = {}, []
    for index, one in enumerate(compared.runs):
        values = [frame_dice(clip.masks.overlap) for clip in one.clips if clip.masks is not None]
        if values:
            dice[one.run.name] = np.concatenate(values)
            colours.append(drawn.colour_of(index))
    if dice:
        caption = (
            "Box: quartiles and median; whiskers: 5 to 95 % of frames. Frames of one clip are "
            "alike, so the intervals above, which are over patients, are wider than these suggest."
        )
        image = drawn.dice_strip(dice, colours)
        found.dice.append(Panel(image, "Dice of every frame, by run", caption))


def _curves(compared: Compared, folder: TruthFolder, name: str) -> Panel:
    """Areas of all runs with masks, and of the truth."""
    curves, colours, spacing, times = [], [], None, None
    for index, one in enumerate(compared.runs):
        if one.run.ef_only:
            continue
        segmentation = open_segmentation(one.run.predictions / f"{name}.zarr")
        spacing = segmentation.attrs["spacing_cm"]
        times = np.asarray(segmentation["frame_time"].values, np.float64)
        area = "area_px" if spacing is None else "area_cm2"
        curves.append(drawn.Curve(one.run.name, times, _area(segmentation, area)))
        colours.append(drawn.colour_of(index))
    truth = folder.truth(compared.cases[name])
    true = None
    if truth is not None and times is not None:
        factor = 1.0 if spacing is None else float(spacing[0] * spacing[1])
        area_px = np.count_nonzero(truth.mask, axis=(1, 2)) * factor
        true = drawn.Curve("truth", times[truth.frames], np.asarray(area_px, np.float64))
    unit = "px²" if spacing is None else "cm²"
    image = drawn.area_curves(curves, true, colours, unit=unit)
    said = [f"{one.run.name} {_ef_words(_clip_of(one, name))}" for one in compared.runs]
    caption = "EF: " + "; ".join([_true_ef_words(_clip_of(compared.runs[0], name)), *said])
    return Panel(image, f"Area over time of {name}", caption, heading=name)


def _area(segmentation: Any, name: str) -> Float:
    index = segmentation.attrs["object_names"].index("left_ventricle")
    status = np.asarray(segmentation["status"].values)[index]
    area = np.asarray(segmentation[name].values, np.float64)[index]
    return np.where(np.isin(status, MEASURED), area, np.nan)


def _strips(compared: Compared, folder: TruthFolder, name: str) -> list[Panel]:
    masked = [one for one in compared.runs if not one.run.ef_only]
    case = compared.cases[name]
    moments = moments_of(case, folder.truth(case), masked[0])
    if not moments:
        return []
    panels = []
    for one in masked:
        strip = draw_strip(one, name, moments)
        panels.append(
            Panel(
                strip.jpeg,
                f"{name} by {one.run.name}",
                _caption(strip, _clip_of(one, name)),
                kind="jpeg",
                heading=one.run.name,
            )
        )
    return panels


def _clip_of(one: ScoredRun, name: str) -> ClipScore:
    return next(clip for clip in one.evaluation.clips if clip.name == name)


def _caption(strip: Strip, clip: ClipScore) -> str:
    said = [
        f"{words} Dice {value:.3f}" if np.isfinite(value) else f"{words} no mask"
        for words, value in strip.dice.items()
    ]
    return "; ".join([*said, f"EF {_ef_words(clip)}, {_true_ef_words(clip)}"])


def _ef_words(clip: ClipScore) -> str:
    return "not given" if clip.ef_percent is None else f"{clip.ef_percent:.0f}\u00a0%"


def _true_ef_words(clip: ClipScore) -> str:
    true = clip.ef_true_percent
    return "true not known" if true is None else f"true {true:.0f}\u00a0%"
