"""The page of a comparison: one HTML file that holds everything it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np

import medseg
from medseg.compare.cases import Compared, ef_coverage
from medseg.compare.costs import Costs
from medseg.compare.differences import ACCURACY, BASELINES, Difference, Measured
from medseg.compare.html import between, count, element, escaped, number, picture, section, table
from medseg.compare.pictures import colour_of
from medseg.compare.tables import COST_FIELDS, cost_reason, cost_value
from medseg.evaluate import Measure

SOME_PATIENTS = 10  # fewer, and a bootstrap's interval is too narrow to be believed
SET_APART = (
    "pooled_dice", "mean_frame_dice", "ed_pooled_dice", "es_pooled_dice", "hd95_px",
    "frame_to_frame_dice", "ef_mae", "ef_bias", "ef_r_squared", "ef_auc_50", "beat_sensitivity",
)  # fmt: skip
LISTED = 40  # clips that are left out; the rest are in per-video.csv
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


@dataclass
class Panel:
    """A picture with its caption, plain text."""

    image: bytes
    alt: str
    caption: str
    kind: str = "png"
    heading: str = ""


@dataclass
class ClipPanels:
    """One clip as every run sees it."""

    clip: str
    why: str
    panels: list[Panel]


@dataclass
class Pictures:
    """Everything that is drawn."""

    bland_altman: list[Panel] = field(default_factory=list)
    scatter: list[Panel] = field(default_factory=list)
    dice: list[Panel] = field(default_factory=list)
    curves: list[Panel] = field(default_factory=list)
    clips: list[ClipPanels] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # why a picture is missing


def page(compared: Compared, measured: Measured, costs: Costs, pictures: Pictures) -> str:
    """Write the page as text."""
    style = (files("medseg.compare") / "page.css").read_text("utf-8")
    title = f"{compared.dataset.resolve().name}, runs side by side"
    body = [
        _header(compared, measured),
        section("To bear in mind", _notices(compared, measured, pictures), classes="notices"),
        section("Accuracy", _accuracy(compared, measured), _accuracy_words(measured)),
        section("Cost", _cost(compared, costs), _cost_words(compared, costs)),
        section("Differences", *_differences(measured)),
        section("Ejection fraction against the truth", _grid(pictures.bland_altman),
                _grid(pictures.scatter)),
        section("Dice of every frame", _grid(pictures.dice, "wide")),
        section("Area over time", _grid(pictures.curves, "wide")),
        section("Worst cases", *_clips(pictures)),
        section("Clips left out", *_left_out(compared)),
        section("Where the numbers come from", _provenance(compared, measured),
                classes="provenance"),
        element("footer", escaped(f"medseg {medseg.__version__} compare. For research only, "
                                  "not for clinical use.")),
    ]  # fmt: skip
    return "\n".join(
        [
            "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            element("title", escaped(title)), element("style", style), "</head>", "<body>",
            element("main", "\n".join(part for part in body if part)), "</body>", "</html>", "",
        ]
    )  # fmt: skip


def _header(compared: Compared, measured: Measured) -> str:
    runs = len(compared.runs)
    facts = [
        f"{runs} run{'s' if runs != 1 else ''}",
        f"{len(compared.cases)} clips that all of them have",
        f"{measured.patients} {measured.unit}",
        f"split {compared.split}" if compared.split else "all splits",
    ]
    return element(
        "header",
        element("p", "Left ventricle, runs side by side", classes="kicker"),
        element("h1", escaped(compared.dataset.resolve().name)),
        element("p", escaped(" · ".join(facts)), classes="facts"),
        element("p", "For research. Not for clinical use.", classes="stamp"),
    )


def _notices(compared: Compared, measured: Measured, pictures: Pictures) -> str:
    said: dict[str, list[str]] = {}
    for one in compared.runs:
        data = (one.evaluation.model or {}).get("training_data")
        if data and "simulated" in data:
            said.setdefault(f"trained on {data}", []).append(one.run.name)
    lines = [f"{', '.join(names)}: {words}." for words, names in said.items()]
    if (compared.dataset / "truth").is_dir():
        lines.append("The clips are simulated: numbers on patients' clips may be other ones.")
    if measured.patients < SOME_PATIENTS:
        lines.append(f"Intervals from {measured.patients} {measured.unit} are too narrow.")
    lost = len({case.clip for case in compared.without_ef})
    if lost:
        runs = ", ".join(dict.fromkeys(case.run for case in compared.without_ef))
        every = len(compared.cases)
        lines.append(
            f"EF is compared on {every - lost} of {every} clips, as not every run gives it for the "
            f"others (missing from {runs})."
        )
    lines += [f"{problem}." for problem in (*compared.problems, *pictures.notes)]
    items = [element("li", escaped(line)) for line in lines]
    return element("ul", *items) if items else ""


def _names(compared: Compared) -> list[str]:
    return [
        f'<i class="key" style="background: {colour_of(i)}"></i>{escaped(one.run.name)}'
        for i, one in enumerate(compared.runs)
    ]


def _accuracy(compared: Compared, measured: Measured) -> str:
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


def _accuracy_words(measured: Measured) -> str:
    words = (
        f"Beneath each number its 95 % interval, the 2.5th to 97.5th percentile over "
        f"{count(measured.draws)} draws of {measured.unit} (seed {measured.seed}), and n: frames "
        "for masks, clips for EF and heart rate, beats for beats. Pooled Dice sums pixels over all "
        "frames; the mean of frames gives every frame the same weight. EF is compared on the clips "
        "of which every run that gives EF gives one."
    )
    return element("p", escaped(words), classes="caption")


def _cost(compared: Compared, costs: Costs) -> str:
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


def _cost_words(compared: Compared, costs: Costs) -> str:
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


def _differences(measured: Measured) -> list[str]:
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


def _grid(panels: list[Panel], extra: str = "") -> str:
    if not panels:
        return ""
    return element("div", *map(_figure, panels), classes=f"grid {extra}".strip())


def _figure(panel: Panel) -> str:
    return element(
        "figure",
        element("h3", escaped(panel.heading)) if panel.heading else "",
        picture(panel.image, panel.alt, panel.kind),
        element("figcaption", escaped(panel.caption)) if panel.caption else "",
        classes="strip" if panel.kind == "jpeg" else "",
    )


def _clips(pictures: Pictures) -> list[str]:
    if not pictures.clips:
        return []
    words = "Yellow: the truth. Blue: the run. Left end-diastole, right end-systole."
    shown = [
        element(
            "div",
            element("h3", escaped(clip.clip)),
            element("p", escaped(clip.why)),
            _grid(clip.panels),
            classes="clip",
        )
        for clip in pictures.clips
    ]
    return [element("p", words, classes="caption"), *shown]


def _left_out(compared: Compared) -> list[str]:
    parts = []
    for words, cases in (
        ("Not compared, since a run lacks them", compared.left_out),
        ("Compared by masks, but not by EF", compared.without_ef),
    ):
        if not cases:
            continue
        rows = [
            element("tr", *(element("td", escaped(cell), classes="words") for cell in
                            (case.clip, case.run, case.reason)))
            for case in cases[:LISTED]
        ]  # fmt: skip
        parts.append(element("p", escaped(f"{words}:"), classes="caption"))
        parts.append(table(["clip", "run", "reason"], rows, words=3))
        if len(cases) > LISTED:
            more = f"and {len(cases) - LISTED} more, in per-video.csv"
            parts.append(element("p", more, classes="caption"))
    return parts


def _provenance(compared: Compared, measured: Measured) -> str:
    parts = []
    for one in compared.runs:
        card, record = one.evaluation.model or {}, one.run.record
        facts = {
            "predictions": one.run.predictions.name,
            "model": card.get("name") or one.run.model,
            "weights (SHA-256)": card.get("weights_sha256"),
            "training data": card.get("training_data"),
            "intended use": card.get("intended_use"),
            "recipe": record.recipe if record else None,
            "pretrained from": record.pretrained_from if record else None,
            "beats and EF": one.evaluation.without_masks or f"method {one.evaluation.method}",
        }
        pairs = [
            element("dt", escaped(label)) + element("dd", escaped(value))
            for label, value in facts.items()
            if value
        ]
        parts.append(element("h3", escaped(one.run.name)) + element("dl", *pairs))
    return "".join(parts)
