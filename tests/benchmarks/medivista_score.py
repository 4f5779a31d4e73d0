"""Dice and temporal consistency of two networks and of the truth, as one Markdown table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from medseg.metrics import (
    area_jitter,
    attribute_departure,
    consistent_share,
    frame_to_frame_dice,
    mask_centre,
    neighbour_overlap,
    overlap,
    pooled_dice,
)
from medseg.models.medivista import MediViSTA
from medseg.models.windows import blend_windows

ATTRIBUTES = ("area", "centre row", "centre column")


def left_ventricle(network: MediViSTA, frames: Tensor, time_s: np.ndarray) -> np.ndarray:
    """Masks (T,H,W) of a clip (T,3,H,W), in the blended windows that medseg segments with."""
    clock = torch.from_numpy(time_s)

    def window(which: Tensor) -> Tensor:
        return network(frames[which][None], clock[which][None])[0].softmax(1)

    with torch.inference_mode():
        found = blend_windows(
            window,
            torch.arange(len(frames)),
            time_s=time_s,
            length=network.shape.frames,
            core=slice(0, len(frames)),
        )
    return (found.argmax(1) == 1).numpy()


def attributes(mask: np.ndarray) -> dict[str, np.ndarray]:
    """Area and centre of each frame of (T,H,W), in pixels."""
    centre = mask_centre(mask)
    return dict(zip(ATTRIBUTES, (mask.sum((1, 2)) * 1.0, *centre.T), strict=True))


def known_mean(parts: list[np.ndarray]) -> float:
    """Mean of the known values of several arrays; NaN without any."""
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")


def steadiness(
    clips: list[np.ndarray],
    time_s: np.ndarray,
    bounds: dict[str, tuple[float, float]],
    threshold: dict[str, float],
) -> dict[str, float]:
    """Every measure of steadiness of masks (T,H,W); thresholds that are not there are set."""
    known = [mask.any((1, 2)) for mask in clips]
    held = [attributes(mask) for mask in clips]
    found = {"frames without a ventricle": float(np.mean(~np.concatenate(known)))}
    for name in ATTRIBUTES:
        off = [
            np.abs(attribute_departure(h[name], time_s, k, bounds=bounds[name]))
            for h, k in zip(held, known, strict=True)
        ]
        threshold.setdefault(name, max(float(part.max()) for part in off))
        found[f"{name}: mean departure, %"] = 100 * known_mean(off)
        share, _ = consistent_share(np.concatenate(off), threshold=threshold[name])
        found[f"{name}: consistent frames"] = share
    jitter = [area_jitter(h["area"], time_s, k) for h, k in zip(held, known, strict=True)]
    found["area jitter, %"] = 100 * known_mean(jitter)
    steady = [
        frame_to_frame_dice(neighbour_overlap(mask), np.ones(len(mask), bool)) for mask in clips
    ]
    found["Dice with the next frame"] = known_mean(steady)
    return found


def score(
    networks: dict[str, MediViSTA],
    pictures: np.ndarray,
    labels: np.ndarray,
    trained_on: np.ndarray,
    *,
    prepare: Callable[[np.ndarray], Tensor],
    rate_hz: float,
) -> dict[str, object]:
    """Every measure of each network and of the truth on clips (clip,T,H,W).

    An attribute's range and its threshold come from the truth: least and greatest value, and
    largest departure, over all clips.
    """
    time_s = np.arange(pictures.shape[1]) / rate_hz
    truth = labels == 1
    told = [attributes(mask) for mask in truth]
    bounds = {
        a: (min(float(t[a].min()) for t in told), max(float(t[a].max()) for t in told))
        for a in ATTRIBUTES
    }
    masks = {"truth": list(truth)}  # first: it gives the thresholds
    for name, network in networks.items():
        masks[name] = [left_ventricle(network, prepare(clip), time_s) for clip in pictures]
    flat, threshold = np.concatenate(list(truth)), {}
    found: dict[str, object] = {
        name: {"Dice": pooled_dice(overlap(np.concatenate(clips), flat))}
        | steadiness(clips, time_s, bounds, threshold)
        for name, clips in masks.items()
    }
    mean = (trained_on == 1).mean((0, 1)) > 0.5
    found["mean mask's Dice"] = pooled_dice(overlap(np.broadcast_to(mean, flat.shape), flat))
    return {"test": found}


def table(results: list[dict]) -> str:
    """Mean and least to greatest over the seeds, one row a measure."""
    counts = results[0]["parameters"]
    lines = [
        f"Seeds {', '.join(str(r['seed']) for r in results)}. Trained and frozen parameters: "
        + "; ".join(f"{arm} {n[0]:,} and {n[1]:,}" for arm, n in counts.items())
        + ".",
        "",
        "| measure | with temporal adapters | without | with - without | truth |",
        "|---|---|---|---|---|",
    ]
    for row in results[0]["test"]["truth"]:
        held = {
            arm: np.array([r["test"][arm][row] for r in results])
            for arm in ("with", "without", "truth")
        }
        cells = (held["with"], held["without"], held["with"] - held["without"], held["truth"])
        lines.append(f"| {row} | " + " | ".join(map(_cell, cells)) + " |")
    means = np.array([r["test"]["mean mask's Dice"] for r in results])
    taken = "; ".join(
        f"seed {r['seed']} " + ", ".join(f"{n} {arm}" for arm, n in r["steps"].items())
        for r in results
    )
    lines += ["", f"Dice of the training clips' mean mask: {_cell(means)}. Steps: {taken}."]
    return "\n".join(lines)


def _cell(values: np.ndarray) -> str:
    text = f"{values.mean():.4f}"
    return text if len(values) == 1 else f"{text} ({values.min():.4f} to {values.max():.4f})"
