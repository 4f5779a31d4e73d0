"""The page of a comparison: one HTML file that holds everything it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import medseg
from medseg.compare.cases import Compared, ScoredRun
from medseg.compare.costs import Costs
from medseg.compare.differences import Measured
from medseg.compare.html import element, escaped, picture, section, table
from medseg.compare.page_tables import (
    SOME_PATIENTS,
    accuracy,
    accuracy_words,
    cost,
    cost_words,
    differences,
)

LISTED = 40  # clips that are left out; the rest are in per-video.csv


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
        section("To bear in mind", _notices(compared, measured, costs, pictures),
                classes="notices"),
        section("Accuracy", accuracy(compared, measured), accuracy_words(measured)),
        section("Cost", cost(compared, costs), cost_words(compared, costs)),
        section("Differences", *differences(measured)),
        section("Ejection fraction against the truth", _grid(pictures.bland_altman),
                _grid(pictures.scatter)),
        section("Dice of every frame", _grid(pictures.dice, "wide")),
        section("Area over time", _grid(pictures.curves, "wide")),
        section("Worst cases", *_clips(pictures)),
        section("Clips left out", *_left_out(compared)),
        section("Where the numbers come from", _provenance(compared, costs),
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


def _card(one: ScoredRun, costs: Costs) -> dict[str, Any]:
    """What a run's stores say of its model, or its weights where there are no stores."""
    return one.evaluation.model or costs.cards.get(one.run.name) or {}


def _notices(compared: Compared, measured: Measured, costs: Costs, pictures: Pictures) -> str:
    said: dict[str, list[str]] = {}
    for one in compared.runs:
        data = _card(one, costs).get("training_data")
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


def _provenance(compared: Compared, costs: Costs) -> str:
    parts = []
    for one in compared.runs:
        card, record = _card(one, costs), one.run.record
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
