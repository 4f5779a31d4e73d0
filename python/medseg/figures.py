"""Pictures for the page: the area curve of a segmentation, the spread of a data set."""

from __future__ import annotations

import contextlib
import io
import secrets
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medseg.errors import OutputError

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
    if shown.size:
        axes.set_ylim(0, 1.12 * float(shown.max()))
    axes.set_xlabel("time (s)")
    axes.set_ylabel(f"area ({unit})")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if edge.any():
        axes.legend(frameon=False, fontsize=8)
    axes.set_title(title, loc="left", fontsize=10)
    note = verdict_line(segmentation.attrs, object_index)
    if note:
        axes.text(0.01, 0.03, note, transform=axes.transAxes, fontsize=8, color="#a03000")
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    _write_whole(Path(path), picture.getvalue())


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file under its name only when it is complete."""
    stage = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    try:
        stage.write_bytes(content)
        stage.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            stage.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); choose another --out"
        ) from None


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
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    _write_whole(Path(path), picture.getvalue())
