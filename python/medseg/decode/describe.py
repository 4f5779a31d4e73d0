"""What was understood of a clip, in words for a person and in JSON for a machine."""

from __future__ import annotations

from typing import Any

import numpy as np

from medseg.clip import Clip


def describe_clip(clip: Clip) -> dict[str, Any]:
    """Give a clip's facts as a dict that JSON can hold; what is unknown is None."""
    times = clip.frame_time_s
    duration = None if times is None or clip.frame_count < 2 else float(times[-1] - times[0])
    return {
        "name": clip.name,
        "kind": clip.kind,
        "frame_count": clip.frame_count,
        "height": clip.height,
        "width": clip.width,
        "frame_rate_hz": clip.frame_rate_hz,
        "frame_time_source": clip.frame_time_source,
        "frame_interval_varies": _interval_varies(clip),
        "duration_s": duration,
        "spacing_cm": None if clip.spacing_cm is None else list(clip.spacing_cm),
        "spacing_reason": clip.spacing_reason,
        "region": None if clip.region is None else list(clip.region),
        "colour_flow": clip.colour_flow,
        "view": clip.view,
        "view_source": clip.view_source,
        "sha256": clip.sha256,
        "warnings": list(clip.warnings),
    }


def describe_rows(clip: Clip) -> list[tuple[str, str]]:
    """Give the same facts as (label, value) rows for a table."""
    facts = describe_clip(clip)
    rate, duration = facts["frame_rate_hz"], facts["duration_s"]
    if clip.frame_count == 1:
        rate_words = "does not apply: a single frame"
    elif rate is None:
        rate_words = "unknown: give --fps"
    else:
        varies = ", varying" if facts["frame_interval_varies"] else ""
        rate_words = f"{rate:.4g} Hz{varies} (from {clip.frame_time_source})"
    rows = [
        ("clip", clip.name),
        ("kind", clip.kind),
        ("frames", str(clip.frame_count)),
        ("size", f"{clip.width} x {clip.height} pixels (width x height)"),
        ("frame rate", rate_words),
    ]
    if duration is not None:
        rows.append(("first to last frame", f"{duration:.3f} s"))
    if clip.spacing_cm is None:
        rows.append(("calibration", f"none: {clip.spacing_reason}"))
    else:
        row_cm, column_cm = clip.spacing_cm
        rows.append(("calibration", f"{row_cm:.5g} cm a row, {column_cm:.5g} cm a column"))
    if clip.region is not None:
        y0, x0, y1, x1 = clip.region
        rows.append(("tissue region", f"rows {y0} to {y1 - 1}, columns {x0} to {x1 - 1}"))
    if clip.colour_flow is not None:
        rows.append(("colour flow", "yes" if clip.colour_flow else "no"))
    source = f" ({clip.view_source})" if clip.view_source else ""
    rows.append(("view", clip.view + source))
    rows.append(("sha256", clip.sha256))
    rows.extend(("warning", note) for note in clip.warnings)
    return rows


def _interval_varies(clip: Clip) -> bool | None:
    """Say whether intervals differ from their median by more than 5 %; None if unknown."""
    if clip.frame_time_s is None or clip.frame_count < 3:
        return None
    intervals = np.diff(clip.frame_time_s)
    return bool(np.abs(intervals / np.median(intervals) - 1).max() > 0.05)
