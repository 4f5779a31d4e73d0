"""Draws runs beside one another: EF against the truth, Dice of frames, area curves."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.evaluate import Measure

# Okabe and Ito's palette: told apart by eyes of every kind.
COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8a4f9e", "#3f3f3f",
)  # fmt: skip
TRUTH, FAINT, INK = "#1b2733", "#b0b8c0", "#1b2733"
WIDE_IN = 5.4  # as wide as a phone shows it at the size of print
MOST_DOTS = 800  # of a run's frames

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """An area over time, in squared pixels or cm²; NaN where it is not known."""

    name: str
    time_s: Float
    area: Float


def colour_of(index: int) -> str:
    """The colour of the i-th run."""
    return COLOURS[index % len(COLOURS)]


def bland_altman(
    measured: Float, truth: Float, found: Mapping[str, Measure], *, reach: float, colour: str
) -> bytes:
    """One run's EF errors over the mean of both; `reach` is the same for all runs."""
    figure, axes = _panel(3.6, 3.1)
    mean, error = (measured + truth) / 2, measured - truth
    axes.axhline(0, color=FAINT, linewidth=0.9)
    axes.scatter(mean, error, s=16, color=colour, alpha=_opacity(mean.size), linewidths=0)
    for key, words, style, side, over in (
        ("ef_bias", "bias", "-", "left", True), ("ef_limit_low", "−1.96 SD", "--", "right", False),
        ("ef_limit_high", "+1.96 SD", "--", "right", True),
    ):  # fmt: skip
        value = found[key].value
        if np.isfinite(value):
            axes.axhline(value, color=INK, linewidth=1.0, linestyle=style)
            axes.annotate(
                f"{words} {value:+.1f}".replace("-", "−"),
                (0 if side == "left" else 1, value),
                xycoords=("axes fraction", "data"),
                xytext=(2 if side == "left" else -2, 2 if over else -2),
                textcoords="offset points",
                ha=side, va="bottom" if over else "top", fontsize=8,
            )  # fmt: skip
    axes.set_ylim(-reach, reach)
    axes.set_xlabel("mean of measured and true EF (%)")
    axes.set_ylabel("measured − true (points)")
    return _png(figure)


def ef_scatter(
    measured: Float, truth: Float, *, ends: tuple[float, float], note: str, colour: str
) -> bytes:
    """One run's EF over the true EF; `ends` are the same for all runs."""
    figure, axes = _panel(3.6, 3.4)
    axes.plot(ends, ends, color=FAINT, linewidth=1.1)
    axes.scatter(truth, measured, s=16, color=colour, alpha=_opacity(truth.size), linewidths=0)
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    axes.set_aspect("equal", "box")
    axes.set_xlabel("true EF (%)")
    axes.set_ylabel("measured EF (%)")
    axes.text(0.04, 0.96, note, transform=axes.transAxes, fontsize=8.5, va="top")
    return _png(figure)


def dice_strip(dice: Mapping[str, Float], colours: Sequence[str]) -> bytes:
    """Dice of every frame, a box and dots for each run: quartiles, whiskers to 5 and 95 %."""
    figure, axes = _panel(WIDE_IN, 0.75 + 0.62 * len(dice))
    rng = np.random.default_rng(0)
    for row, (values, colour) in enumerate(zip(dice.values(), colours, strict=True)):
        known = values[np.isfinite(values)]
        step = max(1, known.size // MOST_DOTS)
        shown = np.sort(known)[::step]
        shake = rng.uniform(-0.26, 0.26, shown.size)
        axes.scatter(shown, row + shake, s=5, color=colour, alpha=0.28, linewidths=0)
        if known.size:
            _draw_box(axes, known, row)
    names = [f"{_short(name)}\nn {np.isfinite(values).sum()}" for name, values in dice.items()]
    axes.set_yticks(range(len(dice)), names)
    axes.set_ylim(len(dice) - 0.5, -0.5)
    axes.set_xlabel("Dice of a frame")
    lowest = min((float(np.nanmin(v)) for v in dice.values() if np.isfinite(v).any()), default=0.0)
    axes.set_xlim(max(-0.02, min(lowest - 0.03, 0.8)), 1.005)
    return _png(figure)


def _draw_box(axes: Any, values: Float, row: int) -> None:
    """Quartiles as a box, the median as a line in it, 5 to 95 % as whiskers."""
    low, first, middle, third, high = np.percentile(values, (5, 25, 50, 75, 95))
    top, bottom = row - 0.21, row + 0.21
    axes.plot((first, third, third, first, first), (top, top, bottom, bottom, top), color=INK,
              linewidth=1.0)  # fmt: skip
    axes.plot((middle, middle), (top, bottom), color=INK, linewidth=2.0)
    for end, side in ((low, first), (high, third)):
        axes.plot((end, side), (row, row), color=INK, linewidth=1.0)
        axes.plot((end, end), (row - 0.1, row + 0.1), color=INK, linewidth=1.0)


def area_curves(
    curves: Sequence[Curve], truth: Curve | None, colours: Sequence[str], *, unit: str
) -> bytes:
    """All runs' areas over the truth's; a truth of few frames is drawn as dots."""
    figure, axes = _panel(WIDE_IN, 2.9)
    if truth is not None:
        few = truth.time_s.size < 10
        axes.plot(
            truth.time_s, truth.area, color=TRUTH, linewidth=0 if few else 3.2, alpha=0.35,
            marker="o" if few else "", markersize=7, label="truth", solid_capstyle="round",
        )  # fmt: skip
    for curve, colour in zip(curves, colours, strict=True):
        axes.plot(curve.time_s, curve.area, color=colour, linewidth=1.2, label=_short(curve.name))
    known = [c.area[np.isfinite(c.area)] for c in (*curves, *([truth] if truth else []))]
    top = max((float(area.max()) for area in known if area.size), default=1.0)
    axes.set_ylim(0, 1.05 * max(top, 1e-9))
    axes.set_xlabel("time (s)")
    axes.set_ylabel(f"area ({unit})")
    figure.legend(loc="outside upper left", ncols=4, frameon=False, fontsize=8.5)
    return _png(figure)


def _panel(width_in: float, height_in: float) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=170, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8.5)
    axes.xaxis.label.set_size(9)
    axes.yaxis.label.set_size(9)
    axes.grid(alpha=0.22)
    return figure, axes


def _png(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def _opacity(points: int) -> float:
    return 0.85 if points < 200 else 0.4


def _short(name: str, most: int = 24) -> str:
    """A run's name as a legend has room for it; `$` would be read as a formula."""
    kept = name if len(name) <= most else name[: most - 1] + "…"
    return kept.replace("$", r"\$")
