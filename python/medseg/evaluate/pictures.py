"""Draws how well the measured EF agrees with the truth: Bland-Altman, scatter and ROC."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medseg.errors import OutputError
from medseg.evaluate.definitions import EF_LEVELS_PERCENT
from medseg.evaluate.folder import Evaluation
from medseg.evaluate.summary import Summary
from medseg.figures import save_bland_altman_png, save_roc_png, save_scatter_png
from medseg.metrics import roc_curve


def draw_figures(
    evaluation: Evaluation, summary: Summary, folder: Path
) -> tuple[list[Path], list[str]]:
    """Write ef_bland_altman.png, ef_scatter.png and ef_roc.png, as far as there are numbers.

    Gives the files and, one line each, why a figure is missing; raises OutputError.
    """
    clips = [
        clip
        for clip in evaluation.clips
        if clip.reason is None and clip.ef_percent is not None and clip.ef_true_percent is not None
    ]
    if len(clips) < 2:
        return [], [f"no figures of EF: {len(clips)} clips have a measured and a true one"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be made ({error.strerror}); choose another --figures"
        ) from None
    measured = np.array([clip.ef_percent for clip in clips], np.float64)
    truth = np.array([clip.ef_true_percent for clip in clips], np.float64)
    found = {measure.key: measure for measure in summary.measures}
    paths = [folder / f"ef_{name}.png" for name in ("bland_altman", "scatter", "roc")]
    save_bland_altman_png(
        measured,
        truth,
        paths[0],
        bias=found["ef_bias"].value,
        limits=(found["ef_limit_low"].value, found["ef_limit_high"].value),
        name="EF",
        unit="%",
        difference_unit="points",
    )
    note = (
        f"MAE {found['ef_mae'].value:.2f} points\n"
        f"R² (1 - SSE/SST) {found['ef_r_squared'].value:.3f}\n"
        f"r² {found['ef_r2_of_correlation'].value:.3f}"
    )
    save_scatter_png(measured, truth, paths[1], note=note, name="EF", unit="%")
    curves = {}
    for level in EF_LEVELS_PERCENT:
        low = truth <= level
        points = roc_curve(-measured, low)
        if points[0].size:
            auc = found[f"ef_auc_{level}"].value
            curves[f"EF ≤ {level} %: AUC {auc:.3f}, {low.sum()} of {low.size} clips"] = points
    if not curves:
        levels = ", ".join(str(level) for level in EF_LEVELS_PERCENT)
        return paths[:2], [f"no ROC figure: the true EF lie all on one side of {levels} %"]
    save_roc_png(curves, paths[2], title="Finding a low EF")
    return paths, []
