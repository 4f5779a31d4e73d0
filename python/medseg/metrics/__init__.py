"""How well masks, ejection fractions and beats agree with the truth."""

from __future__ import annotations

from medseg.metrics.agreement import (
    KINDS,
    Agreement,
    Kind,
    agreement,
    agreement_of_sums,
    agreement_sums,
)
from medseg.metrics.bootstrap import (
    DRAWS,
    Interval,
    Statistic,
    agreement_statistic,
    auc_statistic,
    bootstrap,
    bootstrap_by_clip,
    draw_groups,
    group_numbers,
    mean_statistic,
    percentile_interval,
    published_interval,
    ratio_statistic,
)
from medseg.metrics.discrimination import area_under_curve, roc_curve
from medseg.metrics.events import EventCount, match_events
from medseg.metrics.overlap import (
    Overlap,
    frame_dice,
    frame_iou,
    mean_and_n,
    mean_frame_dice,
    mean_frame_iou,
    overlap,
    pooled_dice,
    pooled_iou,
)
from medseg.metrics.surface import SurfaceDistances, outline, surface_distances
from medseg.metrics.temporal import (
    area_jitter,
    attribute_departure,
    consistent_share,
    frame_to_frame_dice,
    mask_centre,
    neighbour_overlap,
)

__all__ = [
    "DRAWS",
    "KINDS",
    "Agreement",
    "EventCount",
    "Interval",
    "Kind",
    "Overlap",
    "Statistic",
    "SurfaceDistances",
    "agreement",
    "agreement_of_sums",
    "agreement_statistic",
    "agreement_sums",
    "area_jitter",
    "area_under_curve",
    "attribute_departure",
    "auc_statistic",
    "bootstrap",
    "bootstrap_by_clip",
    "consistent_share",
    "draw_groups",
    "frame_dice",
    "frame_iou",
    "frame_to_frame_dice",
    "group_numbers",
    "mask_centre",
    "match_events",
    "mean_and_n",
    "mean_frame_dice",
    "mean_frame_iou",
    "mean_statistic",
    "neighbour_overlap",
    "outline",
    "overlap",
    "percentile_interval",
    "pooled_dice",
    "pooled_iou",
    "published_interval",
    "ratio_statistic",
    "roc_curve",
    "surface_distances",
]
