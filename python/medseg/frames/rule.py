"""When a picture counts as segmented: the rule, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medseg.errors import InputError
from medseg.frames.highlights import ON_HIGHLIGHT


@dataclass(frozen=True)
class SuccessRule:
    """A picture is a success when at least one of its masks passes all three tests.

    Size: an area of `least_percent` to `most_percent` of the picture. Below 2 % lie specks, smaller
    than the tip of one instrument; above 60 % a mask has taken the background with it, since even a
    close-up leaves that much to other things. It is asked of one mask and not of all together,
    because a model that cuts the whole picture into parts covers nearly everything and would fail.

    Confidence: at least `least_confidence`, where the model gives one (SAM 2: its predicted IoU;
    others: mean probability inside the mask). Below a half the model itself expects to be wrong.

    Highlights: no more than half of the mask lies on them.
    """

    least_percent: float = 2.0
    most_percent: float = 60.0
    least_confidence: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.least_percent < self.most_percent <= 100:
            raise InputError(
                f"coverage {self.least_percent} to {self.most_percent} %: give two numbers, "
                "the smaller first, between 0 and 100"
            )
        if not 0 <= self.least_confidence <= 1:
            raise InputError(f"confidence {self.least_confidence}: give a number from 0 to 1")

    def passes(self, mask: Mapping[str, Any]) -> bool:
        """Whether one mask's record passes."""
        confidence = mask["confidence"]
        return (
            self.least_percent <= mask["area_percent"] <= self.most_percent
            and (confidence is None or confidence >= self.least_confidence)
            and not on_highlight(mask)
        )

    def verdict(self, masks: list[dict[str, Any]]) -> str:
        """`success`, or the reason why the picture is none."""
        if not masks:
            return "no mask"
        if any(self.passes(mask) for mask in masks):
            return "success"
        solid = [mask for mask in masks if not on_highlight(mask)]
        if not solid:
            return "only highlights"
        sized = [m for m in solid if self.least_percent <= m["area_percent"] <= self.most_percent]
        if sized:
            return "low confidence"
        small = all(mask["area_percent"] < self.least_percent for mask in solid)
        return "too small" if small else "too large"

    def words(self) -> str:
        """The rule in one line."""
        return (
            f"success: at least one mask of {self.least_percent:g} to {self.most_percent:g} % of "
            f"the picture, confidence >= {self.least_confidence:g} where the model gives one, and "
            f"at most {ON_HIGHLIGHT:.0%} of it on highlights"
        )


def on_highlight(mask: Mapping[str, Any]) -> bool:
    """Whether a mask's record is a highlight false positive."""
    return bool(mask["highlight_share"] > ON_HIGHLIGHT)
