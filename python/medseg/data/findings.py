"""What is wrong with a data set: one line each, with a code and how grave it is."""

from __future__ import annotations

from dataclasses import dataclass

from medseg.data.dataset import Excluded

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)

# How grave it is that something was left out; what is not named here is a warning.
_LEFT_OUT = {
    "duplicate-name": ERROR,
    "missing-info": ERROR,
    "missing-video": ERROR,
    "patient-leak": ERROR,
    "traced-twice": ERROR,
    "tracing-without-video": ERROR,
    "unreadable-mask": ERROR,
}


@dataclass(frozen=True)
class Finding:
    """One fault of a data set. An error changes results; a warning should be known of."""

    code: str
    severity: str  # of SEVERITIES
    case: str | None  # None: the data set as a whole
    message: str  # one line


def finding_of(excluded: Excluded) -> Finding:
    """What was left out, as a finding."""
    severity = _LEFT_OUT.get(excluded.code, WARNING)
    return Finding(excluded.code, severity, excluded.name, f"left out: {excluded.reason}")


def gravest_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Findings sorted by severity, then code, else in the order found."""
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.code)))
