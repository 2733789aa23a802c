"""The rules held against annotators' files, or against what the ledger has of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from vggss.benchmark import read_file
from vggss.errors import printable
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.grounds import known_in
from vggss.pipeline.manual.importing import owners, understood
from vggss.pipeline.manual.looked import of_entries
from vggss.pipeline.manual.reading import contents
from vggss.pipeline.manual.rules import Finding, check
from vggss.pipeline.manual.settling import newest, released
from vggss.pipeline.via import read_via
from vggss.storage import DataRoot


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: broken rules, and pictures of files that cannot be understood at all."""

    pictures: int
    findings: tuple[Finding, ...]
    faults: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """How much has to be mended."""
        return len(self.faults) + sum(finding.rule.severity == "error" for finding in self.findings)


def check_ledger(stages: Stages, clips: Collection[str] | None = None) -> Checked:
    """Check the newest entry of each annotator and adjudicator on each clip; of an imported release where it is alone."""
    by_clip: dict[str, list[int]] = {}
    entries = stages.entries(clips)
    for place, entry in enumerate(entries):
        by_clip.setdefault(entry.clip, []).append(place)
    current = []
    for clip in sorted(by_clip):
        said = [entries[place] for place in by_clip[clip]]
        judged = [replace(entry, role="annotator") for entry in said if entry.role == "adjudicator"]
        persons = newest(said).values()
        current += of_entries(persons or [entry for entry in said if released(entry)][-1:])
        current += of_entries(replace(entry, role="adjudicator") for entry in newest(judged).values())
    return Checked(len(current), tuple(check(current, known_in(stages))))


def check_files(paths: Iterable[Path], stages: Stages, root: DataRoot) -> Checked:
    """Check files before they are imported; nothing is entered. Pictures that nobody has touched break no rule.

    Raises
    ------
    DataError
        a file is none that VIA writes.
    """
    whose, known = understood(stages, root), known_in(stages)
    findings: list[Finding] = []
    faults: list[str] = []
    pictures = 0
    for path in paths:
        project = read_via(read_file(path), path.name)
        names = owners(project, whose)
        found = contents(
            project, printable(path.name), names[0] if len(names) == 1 else "", "annotator", whose
        )
        said = [picture for picture in found.pictures if picture.says_something]
        findings += check((picture.looked for picture in said), known)
        faults += found.faults
        faults += [picture.undecided for picture in said if picture.looked.done and picture.undecided]
        pictures += len(project.images)
    return Checked(pictures, tuple(findings), tuple(faults))


def as_row(finding: Finding) -> dict[str, object]:
    """Return a finding as JSON values."""
    rule = finding.rule
    return {
        "rule": rule.id,
        "name": rule.name,
        "severity": rule.severity,
        "clip": finding.clip,
        "where": finding.where,
        "annotator": finding.annotator,
        "region": finding.place,
        "found": finding.found,
        "why": rule.why,
        "do": rule.do,
    }


def by_number(finding: Finding) -> tuple[bool, int]:
    """Return the place of a finding in a table: errors first, then by the rule's number."""
    digits = re.sub(r"\D", "", finding.rule.id)
    return finding.rule.severity != "error", int(digits)
