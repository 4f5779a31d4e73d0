"""The published measures of EchoNet-Dynamic and UniLVSeg, with their own frames and interval.

Read in the public code, echonet/dynamic and BioMedIA-MBZUAI/SimLVSeg (UniLVSeg's new name). Both
score two traced frames of each video and leave out videos with fewer; Dice is pooled over frames;
the interval goes from the value at round(0.05 N) to that at round(0.95 N) of N = 10,000 sorted
draws. That is a 90 % interval, though papers print it as one of 95 %. It is drawn over frames, two
of a video as if they were of different patients, and without a seed; here it has one. Their code
takes the first traced frame for ES and the last for ED; here the larger one is ED.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medseg.evaluate.definitions import Definition
from medseg.evaluate.scores import ClipScore
from medseg.metrics import (
    Kind,
    Statistic,
    agreement_statistic,
    auc_statistic,
    ratio_statistic,
)

INTERVAL = "90 % interval"
DRAWS = 10_000


@dataclass(frozen=True)
class Protocol:
    """What one published evaluation reports besides Dice."""

    ef: bool
    ef_levels_percent: tuple[int, ...] = ()
    note: str = ""
    table_note: str = ""  # of EF that were predicted without masks


PROTOCOLS = {
    "echonet": Protocol(
        ef=True,
        ef_levels_percent=(35, 40, 45, 50),
        note="published EF comes from a network on clips, here from the masks' volumes",
        table_note="EF from a network on clips, the mean over a video's clips, as published",
    ),
    "unilvseg": Protocol(
        ef=False,
        note="published masks come from 32-frame clips that hold the traced frame; no EF",
    ),
}


def define_published(clips: Sequence[ClipScore], name: str) -> list[Definition]:
    """The measures of a protocol; each draws its own frames or videos, one `patient` each."""
    protocol = PROTOCOLS[name]
    pairs = [clip.traced for clip in clips if clip.traced is not None]
    shared = np.array([pair.shared for pair in pairs]).reshape(-1, 2)  # (video, ED and ES)
    total = np.array([pair.total for pair in pairs]).reshape(-1, 2)
    if not any(clip.masks for clip in clips) and protocol.ef:  # a table of EF
        return _ef(clips, protocol.ef_levels_percent)
    measures = [
        _dice("overall", "ED and ES frames", shared.T.ravel(), total.T.ravel()),
        _dice("ed", "ED frames", shared[:, 0], total[:, 0]),
        _dice("es", "ES frames", shared[:, 1], total[:, 1]),
    ]
    return measures + (_ef(clips, protocol.ef_levels_percent) if protocol.ef else [])


def _dice(key: str, words: str, shared: np.ndarray, total: np.ndarray) -> Definition:
    """2 sum(I) / (sum(U) + sum(I)), where U + I is the sum of both masks' pixels."""
    n = shared.size
    statistic = ratio_statistic(2 * shared, total, np.arange(n), n)
    return Definition(f"{key}_dice", f"pooled Dice, {words}", statistic, n, "frames", n)


def _ef(clips: Sequence[ClipScore], levels: tuple[int, ...]) -> list[Definition]:
    known = [c for c in clips if c.ef_percent is not None and c.ef_true_percent is not None]
    measured = np.array([clip.ef_percent for clip in known], np.float64)
    truth = np.array([clip.ef_true_percent for clip in known], np.float64)
    n, each = len(known), np.arange(len(known))
    kinds: tuple[tuple[Kind, str, str], ...] = (
        ("r_squared", "EF: R² (1 - SSE/SST)", ""),
        ("mae", "EF: mean absolute error", "points"),
        ("rmse", "EF: root mean square error", "points"),
    )
    measures = []
    for kind, label, unit in kinds:
        statistic = agreement_statistic(measured, truth, kind, each, n)
        digits = 2 if unit else 4
        measures.append(Definition(f"ef_{kind}", label, statistic, n, "videos", n, unit, digits))
    for level in levels:
        above = truth > level
        auc: Statistic = auc_statistic(measured, above, each, n)
        reason = None
        if n and (above.all() or not above.any()):
            reason = f"every true EF is {'above' if above.all() else 'at or below'} {level} %"
        measures.append(
            Definition(
                f"ef_auc_{level}",
                f"EF: AUC for a true EF above {level} %",
                auc,
                n,
                f"videos, {int(above.sum())} above",
                n,
                reason=reason,
            )
        )
    return measures
