"""The hand-made table of right matches, and how a matcher is measured on it.

The table was written before the matcher, without seeing it; the matcher was tuned on the half that it calls so
(even SHA-256 of the class's name), the other half was opened when it was finished (docs/log.md).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from vggss.pipeline.class_match import ClassMatches

TABLE = Path(__file__).parent / "gold" / "class_match.csv"


def labelled(half: str = "") -> dict[str, frozenset[str]]:
    """Return for each sound class (of one half: ``tuned on``, ``held out``) what is right, or a right kind."""
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {
            row["sound_class"]: frozenset(
                filter(None, [*row["right"].split(";"), *row["hypernyms"].split(";")])
            )
            for row in csv.DictReader(stream)
            if half in ("", row["half"])
        }


def precision_and_recall(found: Mapping[str, ClassMatches], half: str = "") -> tuple[float, float]:
    """Return the share of the matched classes whose first match is right, and of the matchable ones that have it."""
    wanted = labelled(half)
    matched = [name for name in wanted if found[name].matches]
    right = [name for name in matched if found[name].matches[0].detector_class in wanted[name]]
    return len(right) / len(matched), len(right) / sum(bool(names) for names in wanted.values())
