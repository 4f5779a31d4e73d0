"""The tables of a comparison's page: accuracy, cost and differences, as HTML."""

from __future__ import annotations

import numpy as np

from medseg.compare.cases import Compared, ef_coverage
from medseg.compare.costs import Costs
from medseg.compare.differences import ACCURACY, BASELINES, Difference, Measured
from medseg.compare.html import between, count, element, escaped, number, table
from medseg.compare.pictures import colour_of
from medseg.compare.tables import COST_FIELDS, cost_reason, cost_value
from medseg.evaluate import Measure

SOME_PATIENTS = 10  # fewer, and a bootstrap's interval is too narrow to be believed
SET_APART = (
    "pooled_dice", "mean_frame_dice", "ed_pooled_dice", "es_pooled_dice", "hd95_px",
    "frame_to_frame_dice", "ef_mae", "ef_bias", "ef_r_squared", "ef_auc_50", "beat_sensitivity",
)  # fmt: skip
GROUPS = (
    ("Masks", ("pooled_dice", "mean_frame_dice", "ed_pooled_dice", "es_pooled_dice", "pooled_iou",
               "hd95_px", "assd_px", "frame_to_frame_dice", "mean_mask_dice")),
    ("Ejection fraction", ("ef_mae", "ef_mae_of_mean", "ef_rmse", "ef_r_squared",
                           "ef_r2_of_correlation", "ef_bias", "ef_limit_low", "ef_limit_high",
                           "ef_auc_35", "ef_auc_40", "ef_auc_50")),
    ("Beats", ("heart_rate_mae", "beat_sensitivity", "beat_precision")),
)  # fmt: skip
COST_WORDS = {
    "parameters": "Parameters",
    "gflops_per_frame": "GFLOPs per frame (multiply-adds)",
    "frames_per_second": "Frames a second",
    "peak_memory_mib": "Peak memory",
    "training_seconds": "Training time",
    "annotated_frames": "Annotated frames that it learnt from",
    "annotated_clips": "Annotated clips",
    "annotation_hours": "Annotation time",
}


def _names(compared: Compared) -> list[str]:
    return [
        f'<i class="key" style="background: {colour_of(i)}"></i>{escaped(one.run.name)}'
        for i, one in enumerate(compared.runs)
    ]


def accuracy(compared: Compared, measured: Measured) -> str:
    """Every run's measures, a column a run, with their intervals and n."""
    names = [one.run.name for one in compared.runs]
    words = {**ACCURACY, **BASELINES}
    rows = []
    for title, keys in GROUPS:
        blank = element("td") * len(names)
        rows.append(element("tr", element("td", escaped(title)), blank, classes="group"))
        for key in keys:
            found = [measured.measures[name][key] for name in names]
            rows.append(element("tr", element("td", escaped(words[key])), *map(_cell, found)))
        if title == "Ejection fraction":
            given = ["{} of {}".format(*ef_coverage(one)) for one in compared.runs]
            cells = [element("td", cell) for cell in given]
            rows.append(element("tr", element("td", "Clips with an EF"), *cells))
    return table(["", *_names(compared)], rows)


def _cell(measure: Measure) -> str:
    if not np.isfinite(measure.value):
        return element("td", escaped(measure.reason or "not known"), classes="missing")
    unit = f"&#8239;{escaped(measure.unit)}" if measure.unit else ""
    interval = between(measure.low, measure.high, measure.digits)
    under = f"{interval}<br>n {count(measure.n)}" if interval else f"n {count(measure.n)}"
    return element("td", number(measure.value, measure.digits), unit, element("small", under))


def accuracy_words(measured: Measured) -> str:
    """How the intervals were drawn, and what n counts."""
    words = (
        f"Beneath each number its 95 % interval, the 2.5th to 97.5th percentile over "
        f"{count(measured.draws)} draws of {measured.unit} (seed {measured.seed}), and n: frames "
        "for masks, clips for EF and heart rate, beats for beats. Pooled Dice sums pixels over all "
        "frames; the mean of frames gives every frame the same weight. EF is compared on the clips "
        "of which every run that gives EF gives one."
    )
    return element("p", escaped(words), classes="caption")


def cost(compared: Compared, costs: Costs) -> str:
    """Every run's costs, a column a run; what is not known with its reason."""
    rows = []
    for key in COST_FIELDS:
        cells = []
        for one in compared.runs:
            cost = costs.by_run[one.run.name]
            value = cost_value(cost, key)
            if value is None:
                cells.append(element("td", escaped(cost_reason(cost, key)), classes="missing"))
                continue
            shown = _cost_number(key, value)
            if key == "frames_per_second" and cost.speed is not None:
                spread = f"{cost.speed.slowest:.3g} to {cost.speed.fastest:.3g}"
                shown += element("small", f"{spread}, {cost.speed.repeats} repeats")
            cells.append(element("td", shown))
        rows.append(element("tr", element("td", escaped(COST_WORDS[key])), *cells))
    return table(["", *_names(compared)], rows)


def _cost_number(key: str, value: float) -> str:
    if key in ("parameters", "annotated_frames", "annotated_clips"):
        return count(value)
    if key == "training_seconds":
        if value == 0:
            return "none"
        if value >= 3600:
            return f"{value / 3600:.1f}&#8239;h"
        return f"{value / 60:.1f}&#8239;min" if value >= 60 else f"{value:.0f}&#8239;s"
    unit = {"peak_memory_mib": "MiB", "annotation_hours": "h"}.get(key, "")
    text = count(value) if key == "peak_memory_mib" else f"{value:.3g}"
    return f"{text}&#8239;{unit}" if unit else text


def cost_words(compared: Compared, costs: Costs) -> str:
    """On what and how speed and memory were measured."""
    timed = {c.speed_words for c in costs.by_run.values() if c.speed is not None}
    words = "A multiply-add counts as one, as in the published tables. "
    if timed:
        words += (
            f"Frames a second: {costs.machine}; clip {costs.clip}, the same for all; median of "
            f"interleaved repeats after one that does not count; {'; '.join(sorted(timed))}. Peak "
            "memory is that of a process of its own, Python and torch included, on a CPU. "
        )
    if any(one.run.zero_shot for one in compared.runs):
        words += "A run named zero-shot by its user was not trained on clips like these."
    return element("p", escaped(words.strip()), classes="caption")


def differences(measured: Measured) -> list[str]:
    """The measures of SET_APART, pair by pair; all are in differences.csv."""
    shown = [d for d in measured.differences if d.key in SET_APART]
    if not shown:
        return []
    rows, pair = [], ("", "")
    for d in shown:
        if (d.first, d.second) != pair:
            pair = (d.first, d.second)
            words = element("td", escaped(f"{d.first} − {d.second}"))
            rows.append(element("tr", words, element("td") * 2, classes="group"))
        rows.append(_difference_row(d))
    words = (
        "First − second on the same clips, with the 95 % interval from paired draws of patients; "
        f"bold where it lies on one side of zero and rests on {SOME_PATIENTS} patients or more. "
        "Intervals are not corrected for the number of comparisons, and no p-value is given. "
        "All measures are in differences.csv."
    )
    head = ["", "difference", "n"]
    return [table(head, rows), element("p", escaped(words), classes="caption")]


def _difference_row(d: Difference) -> str:
    unit = f"&#8239;{escaped(d.unit)}" if d.unit else ""
    n = count(d.n_first) if d.n_first == d.n_second else f"{count(d.n_first)}, {count(d.n_second)}"
    sign = "+" if float(f"{d.value:.{d.digits}f}") > 0 else ""
    interval = between(d.low, d.high, d.digits) or "one patient"
    clear = d.excludes_zero and d.patients >= SOME_PATIENTS
    return element(
        "tr",
        element("td", escaped(ACCURACY[d.key])),
        element("td", sign + number(d.value, d.digits) + unit, element("small", interval)),
        element("td", n),
        classes="clear" if clear else "",
    )
