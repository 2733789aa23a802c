"""What the tests of class matching share: the hand-made table of half of the classes, and how a matcher is measured on it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from vggss.pipeline.class_match import ClassMatches

TABLE = Path(__file__).parent / "gold" / "class_match_tune.csv"


def labelled() -> dict[str, frozenset[str]]:
    """Return for each labelled sound class the detector classes that are right, or a right kind."""
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {
            row["sound_class"]: frozenset(
                filter(None, [*row["right"].split(";"), *row["hypernyms"].split(";")])
            )
            for row in csv.DictReader(stream)
        }


def precision_and_recall(found: Mapping[str, ClassMatches]) -> tuple[float, float]:
    """Return the share of the matched classes whose first match is right, and of the matchable ones that have it."""
    wanted = labelled()
    matched = [name for name in wanted if found[name].matches]
    right = [name for name in matched if found[name].matches[0].detector_class in wanted[name]]
    return len(right) / len(matched), len(right) / sum(bool(names) for names in wanted.values())
