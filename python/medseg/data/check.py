"""Is a data set fit to train on: everything that is wrong with it, and how it is spread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from medseg.data.check_files import (
    FileFacts,
    check_facts,
    check_masks,
    check_traced_frames,
    look_at,
    missing_video,
)
from medseg.data.check_lists import check_lists
from medseg.data.dataset import Dataset, Excluded
from medseg.data.distributions import Distributions, distributions
from medseg.data.findings import ERROR, WARNING, Finding, finding_of, gravest_first

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class CheckReport:
    """What a check found; without an error the data set can be trained on."""

    path: Path
    kind: str
    n_cases: int
    n_opened: int  # clips whose file was opened and is readable
    findings: tuple[Finding, ...]  # the gravest first; what was left out is among them
    excluded: tuple[Excluded, ...]
    distributions: Distributions

    def count(self, severity: str) -> int:
        """How many findings are so grave."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def fit(self) -> bool:
        """Whether there is no error."""
        return self.count(ERROR) == 0


def check_dataset(
    dataset: Dataset, *, videos: bool = True, progress: Progress | None = None
) -> CheckReport:
    """Check a data set's lists, tracings and files.

    Each clip is opened and its first frame decoded, about 15 ms a clip; `videos=False` only looks
    whether the file is there and leaves mask files closed. `progress` is called with the cases done
    and in all. Raises MissingExtra where NIfTI files need nibabel.
    """
    findings = [finding_of(excluded) for excluded in dataset.excluded]
    findings += check_lists(dataset)
    facts: dict[str, FileFacts] = {}
    for done, case in enumerate(dataset.cases.values(), start=1):
        own = None
        if not videos:
            if not case.path.exists():
                findings.append(missing_video(case))
        else:
            found = look_at(case)
            if isinstance(found, Finding):
                findings.append(found)
            else:
                own = facts[case.name] = found
                findings += check_facts(case, own)
            findings += check_masks(case, own)
        findings += check_traced_frames(case, own)
        if progress is not None:
            progress(done, len(dataset.cases))
    findings += _same_files(dataset, facts)
    return CheckReport(
        path=dataset.path,
        kind=dataset.kind,
        n_cases=len(dataset.cases),
        n_opened=len(facts),
        findings=gravest_first(findings),
        excluded=dataset.excluded,
        distributions=distributions(dataset, facts),
    )


def _same_files(dataset: Dataset, facts: Mapping[str, FileFacts]) -> Iterator[Finding]:
    """One clip under several names, which leaks where their splits differ."""
    names = defaultdict(list)
    for name, own in facts.items():
        names[own.sha256].append(name)
    for same in names.values():
        if len(same) > 1:
            splits = {dataset.cases[name].split for name in same}
            where = f", in {' and '.join(sorted(splits))}" if len(splits) > 1 else ""
            message = f"is byte for byte the clip of {', '.join(same[1:])}{where}"
            severity = ERROR if len(splits) > 1 else WARNING
            yield Finding("same-clip", severity, same[0], message)
