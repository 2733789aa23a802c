"""Which of several saves of an annotator is the older one."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from pathlib import Path

_DATED = re.compile(
    r"via_project_(?P<day>\d{1,2})(?P<month>[A-Z][a-z]{2})(?P<year>\d{4})_(?P<hour>\d{1,2})h(?P<minute>\d{1,2})m"
    r"(?:.*\((?P<copy>\d{1,6})\))?",
    re.ASCII,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def oldest_first(paths: Iterable[Path]) -> list[Path]:
    """Put files into the order in which they were saved, so that the newest save is entered last.

    By the date in the name that VIA gives a project where all have one, else by when they were changed; a file that is
    not there comes first. As text "10Dec" would come before "3Dec".

    >>> [path.name for path in oldest_first(map(Path, ["via_project_10Dec2026_9h05m.json", "via_project_3Dec2026_10h12m.json"]))]
    ['via_project_3Dec2026_10h12m.json', 'via_project_10Dec2026_9h05m.json']
    """
    asked = list(paths)
    dates = {path: date for path in asked if (date := _date(path.name))}
    if len(dates) == len(set(asked)):
        return sorted(asked, key=dates.__getitem__)
    return sorted(asked, key=_changed)


def _date(name: str) -> tuple[datetime.datetime, int] | None:
    """Return when VIA named a file, and which of a minute's files it is."""
    found = _DATED.match(name)
    if found is None or found["month"] not in _MONTHS:
        return None
    year, day, hour, minute = (int(found[part]) for part in ("year", "day", "hour", "minute"))
    try:
        return datetime.datetime(year, _MONTHS.index(found["month"]) + 1, day, hour, minute), int(
            found["copy"] or 0
        )
    except ValueError:
        return None


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
