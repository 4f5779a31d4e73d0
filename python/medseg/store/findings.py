"""What a check found, and the typed error that a reader makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medseg.errors import (
    StoreDamaged,
    StoreError,
    StoreIncomplete,
    StoreInvalid,
    StoreNotFound,
    StoreVersionUnsupported,
)


@dataclass(frozen=True)
class Finding:
    """One broken rule: its id in SPEC.md, the file, array or attribute, and what is wrong."""

    code: str
    where: str
    message: str


class Refused(Exception):
    """A level of checks found something; never leaves this package."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings)
        self.findings = list(findings)


NOT_FOUND = Finding("F1", "", "there is no folder of that name")
INCOMPLETE = Finding("F1", "manifest.json", "is missing")

_DAMAGED = {"F2", "F5", "F6", "F7", "F10", "D1"}


def stop_at(findings: Iterable[Finding]) -> None:
    """Raise Refused if there is any finding."""
    found = list(findings)
    if found:
        raise Refused(found)


def typed_error(store: str, finding: Finding) -> StoreError:
    """The error that a reader raises for a finding: the store, the place, the cure."""
    place = f"{store}: {finding.where}" if finding.where else store
    if finding == NOT_FOUND:
        return StoreNotFound(f"{store}: no such segmentation store; check the path")
    if finding == INCOMPLETE:
        return StoreIncomplete(
            f"{place} is missing: the store was never finished, or is no segmentation store; "
            "segment the clip again"
        )
    said = f"{place} {finding.message} ({finding.code})"
    if finding.code == "F3":
        return StoreVersionUnsupported(f"{said}; update medseg to read it")
    if finding.code in _DAMAGED:
        return StoreDamaged(f"{said}; copy the store again, or segment the clip again")
    return StoreInvalid(
        f"{said}; write it again with `medseg segment`, or have its writer follow SPEC.md"
    )
