"""Pictures for the page: an area curve, how well an EF agrees, how a data set is spread."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medseg.files import write_whole

if TYPE_CHECKING:
    import xarray as xr

_USABLE = (0, 3)  # status: measured, touches the sector's edge
_PRESENT = (0, 3, 4)
_COLOURS = (
    "#0b6e99",
    "#d1760c",
    "#5a8f3c",
    "#8a4f9e",
    "#a03000",
    "#4a6fa5",
    "#b0a030",
    "#c2557a",
    "#3f3f3f",
    "#6cb0a8",
)
_NOTE_COLUMNS = 130  # characters of a line of 8 points across the curve's picture
_INK, _MARK, _FAINT = "#0b6e99", "#d1760c", "#b0b0b0"


def save_curve_png(
    segmentation: xr.Dataset, path: str | PathLike[str], *, title: str, object_index: int = 0
) -> None:
    """Draw an object's area over time, gaps and doubtful frames marked; raises OutputError."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    area, unit = area_curve(segmentation, object_index)
    time_s = np.asarray(segmentation["frame_time"].values, float)
    status = np.asarray(segmentation["status"].values)[object_index]
    figure = Figure(figsize=(8.0, 3.4), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    usable = np.where(np.isin(status, _USABLE), area, np.nan)
    doubtful = np.where(np.isin(status, _PRESENT) & ~np.isin(status, _USABLE), area, np.nan)
    axes.plot(time_s, usable, color="#0b6e99", linewidth=1.6, marker=".", markersize=3.5)
    axes.plot(time_s, doubtful, color="#b0b0b0", linewidth=1.0, marker=".", markersize=3.5)
    edge = status == 3
    if edge.any():
        axes.plot(time_s[edge], area[edge], "o", color="#d1760c", markersize=4, label="at the edge")
    shown = area[np.isfinite(area) & (area > 0)]
    axes.set_ylim(0, 1.12 * float(shown.max()) if shown.size else 1)
    if not shown.size:
        axes.set_yticks([])  # without a value there is no scale
    axes.update_datalim([(time_s[0], 0), (time_s[-1], 0)])
    axes.autoscale_view(scaley=False)
    axes.set_xlabel("time (s)")
    axes.set_ylabel(f"area ({unit})")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if edge.any():
        axes.legend(frameon=False, fontsize=8)
    axes.set_title(title, loc="left", fontsize=10)
    note = verdict_line(segmentation.attrs, object_index)
    if note:
        axes.text(
            0.01, 0.03, textwrap.fill(note, _NOTE_COLUMNS), transform=axes.transAxes, fontsize=8,
            color="#a03000", in_layout=False,
        )  # fmt: skip
    _save_png(figure, path)


def save_bland_altman_png(
    measured: np.ndarray,
    truth: np.ndarray,
    path: str | PathLike[str],
    *,
    bias: float,
    limits: tuple[float, float],
    name: str,
    unit: str,
    difference_unit: str,
) -> None:
    """Draw each pair's difference over its mean, (pair,), with bias and limits of agreement.

    Limits that are NaN are not drawn. Raises OutputError.
    """
    figure, axes = _square_axes()
    mean, difference = (measured + truth) / 2, measured - truth
    axes.axhline(0, color=_FAINT, linewidth=0.8)
    axes.scatter(mean, difference, s=14, color=_INK, alpha=_opacity(mean.size), linewidths=0)
    for value, words, style in (
        (bias, "bias", "-"),
        (limits[0], "bias - 1.96 SD", "--"),
        (limits[1], "bias + 1.96 SD", "--"),
    ):
        if np.isfinite(value):
            axes.axhline(value, color=_MARK, linewidth=1.3, linestyle=style,
                         label=f"{words}: {value:+.1f} {difference_unit}")  # fmt: skip
    shown = np.append(np.abs(difference), [abs(v) for v in limits if np.isfinite(v)])
    reach = max(float(shown.max()), 1.0)
    axes.set_ylim(-1.1 * reach, 1.5 * reach)  # room for the legend above the dots
    axes.set_xlabel(f"mean of measured and true {name} ({unit})")
    axes.set_ylabel(f"measured - true {name} ({difference_unit})")
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    axes.set_title(f"Bland-Altman, n = {mean.size} clips", loc="left", fontsize=10)
    _save_png(figure, path)


def save_scatter_png(
    measured: np.ndarray,
    truth: np.ndarray,
    path: str | PathLike[str],
    *,
    note: str,
    name: str,
    unit: str,
) -> None:
    """Draw measured over true numbers, (pair,), with the line of identity; raises OutputError."""
    figure, axes = _square_axes()
    both = np.concatenate([measured, truth])
    margin = max(0.05 * float(np.ptp(both)), 1.0)
    ends = (float(both.min()) - margin, float(both.max()) + margin)
    axes.plot(ends, ends, color=_FAINT, linewidth=1.2, label="identity")
    axes.scatter(truth, measured, s=14, color=_INK, alpha=_opacity(truth.size), linewidths=0)
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    axes.set_aspect("equal", "box")
    axes.set_xlabel(f"true {name} ({unit})")
    axes.set_ylabel(f"measured {name} ({unit})")
    axes.text(0.03, 0.97, note, transform=axes.transAxes, fontsize=8, va="top")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    axes.set_title(f"Measured and true {name}, n = {truth.size} clips", loc="left", fontsize=10)
    _save_png(figure, path)


def save_roc_png(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], path: str | PathLike[str], *, title: str
) -> None:
    """Draw ROC curves, legend to false and true positive rates (point,); raises OutputError."""
    figure, axes = _square_axes()
    axes.plot((0, 1), (0, 1), color=_FAINT, linewidth=1.0, label="chance")
    styles = ("-", "--", ":", "-.")
    colours = (_INK, _MARK, "#5a2d82", "#2e7d32")
    for i, (label, (false, true)) in enumerate(curves.items()):
        axes.plot(false, true, color=colours[i % 4], linestyle=styles[i % 4], linewidth=1.8,
                  label=label)  # fmt: skip
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal", "box")
    axes.set_xlabel("1 - specificity")
    axes.set_ylabel("sensitivity")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    axes.set_title(title, loc="left", fontsize=10)
    _save_png(figure, path)


def _square_axes() -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0, 5.0), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure, axes


def _opacity(points: int) -> float:
    """Fainter dots where many lie on one another."""
    return 0.8 if points < 200 else 0.4


def _save_png(figure: Any, path: str | PathLike[str]) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_whole(Path(path), picture.getvalue())


def area_curve(segmentation: xr.Dataset, object_index: int) -> tuple[np.ndarray, str]:
    """Area (frame,) in cm² where the clip is calibrated, else in squared pixels, with its unit."""
    name, unit = ("area_cm2", "cm²") if "area_cm2" in segmentation else ("area_px", "px²")
    return np.asarray(segmentation[name].values, float)[object_index], unit


def verdict_line(attributes: Mapping[str, Any], object_index: int) -> str:
    """Why the object is not measurable, or an empty string if it is."""
    quality = attributes["quality"][attributes["object_names"][object_index]]
    if quality["measurable"]:
        return ""
    return "not measurable: " + "; ".join(reason["message"] for reason in quality["reasons"])


def save_distributions_png(
    path: str | PathLike[str],
    *,
    title: str,
    histograms: Mapping[str, Mapping[str, Sequence[float]]],
    bars: Mapping[str, Mapping[str, int]],
) -> None:
    """Draw a data set's spread: a histogram a measure, stacked by group, and bars of counts.

    `histograms` holds values by measure, then group (a split); `bars` counts by panel, then name.
    A measure without values says so. Raises OutputError.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    groups = list(dict.fromkeys(group for by_group in histograms.values() for group in by_group))
    colour = {group: _COLOURS[i % len(_COLOURS)] for i, group in enumerate(groups)}
    rows = -(-(len(histograms) + len(bars)) // 3)
    figure = Figure(figsize=(12.0, 3.4 * rows + 0.4), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    places = iter(figure.subplots(rows, 3, squeeze=False).flat)
    for name, by_group in histograms.items():
        axes = next(places)
        known = {group: np.asarray(values) for group, values in by_group.items() if len(values)}
        n = sum(values.size for values in known.values())
        axes.set_title(f"{name}, n = {n}", loc="left", fontsize=10)
        if n:
            edges = np.histogram_bin_edges(np.concatenate(list(known.values())), bins=30)
            colours = [colour[group] for group in known]
            axes.hist(list(known.values()), edges, stacked=True, color=colours, linewidth=0)
        else:
            axes.text(0.5, 0.5, "not known", ha="center", transform=axes.transAxes)
    for name, counts in bars.items():
        axes = next(places)
        axes.set_title(name, loc="left", fontsize=10)
        colours = [colour.get(label, "#777777") for label in counts]
        drawn = axes.bar(range(len(counts)), list(counts.values()), 0.7, color=colours)
        axes.bar_label(drawn, fontsize=8)
        axes.set_xlim(-0.7, max(len(counts), 3) - 0.3)
        turn = 30 if len(counts) > 5 else 0
        axes.set_xticks(range(len(counts)), list(counts), fontsize=8, rotation=turn)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in places:
        axes.set_axis_off()
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    if len(groups) > 1:
        patches = [Patch(color=colour[group], label=group) for group in groups]
        figure.legend(handles=patches, loc="upper right", ncols=10, frameon=False, fontsize=8)
    _save_png(figure, path)
