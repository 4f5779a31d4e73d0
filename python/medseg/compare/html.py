"""How text and numbers become HTML: everything that a person named is escaped."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

import numpy as np


def escaped(text: object) -> str:
    """Text as HTML shows it, quotes included."""
    return html.escape(str(text), quote=True)


def element(tag: str, *content: str, classes: str = "") -> str:
    """An element around content that is HTML already."""
    named = f' class="{classes}"' if classes else ""
    return f"<{tag}{named}>{''.join(content)}</{tag}>"


def section(title: str, *content: str, classes: str = "") -> str:
    """A section with its heading, plain text; empty where there is no content."""
    inside = [part for part in content if part]
    return (
        element("section", element("h2", escaped(title)), *inside, classes=classes)
        if inside
        else ""
    )


def picture(content: bytes, alt: str, kind: str = "png") -> str:
    """An image that is part of the page."""
    data = base64.b64encode(content).decode("ascii")
    return f'<img alt="{escaped(alt)}" src="data:image/{kind};base64,{data}">'


def table(head: Sequence[str], rows: Iterable[str], *, words: int = 1) -> str:
    """A table of rows that are HTML already; the first `words` columns are text."""
    cells = [
        element("th", cell, classes="words" if number < words else "")
        for number, cell in enumerate(head)
    ]
    body = element("tbody", *rows)
    whole = element("table", element("thead", element("tr", *cells)), body)
    return element("div", whole, classes="scroll")


def between(low: float, high: float, digits: int) -> str:
    """An interval in words; empty where there is none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    return f"{number(low, digits)} to {number(high, digits)}"


def number(value: float, digits: int) -> str:
    """A number with a true minus sign, and no minus before nothing."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def count(value: float) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{round(value):,}".replace(",", "\u202f")
