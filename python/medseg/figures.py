"""Pictures for the page: the area curve of a segmentation."""

from __future__ import annotations

import contextlib
import io
import secrets
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medseg.errors import OutputError

if TYPE_CHECKING:
    import xarray as xr

_USABLE = (0, 3)  # status: measured, touches the sector's edge
_PRESENT = (0, 3, 4)


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
