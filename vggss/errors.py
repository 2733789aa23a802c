"""Errors that a user can mend: each says what was found, what was needed, and what to do."""

from __future__ import annotations

import reprlib
from typing import Any


class VggssError(Exception):
    """Something the user can mend; the command line prints it without a traceback."""

    exit_code = 1


class DataError(VggssError):
    """A file holds something that cannot be used; the message names file, clip and place."""


class UsageError(VggssError):
    """The request itself is wrong: an unknown protocol, subset or name."""

    exit_code = 2


class NetworkError(VggssError):
    """Nothing could be fetched; the message says how to go on without the network."""


def brief(value: Any) -> str:
    """Write a value as Python would, cut short: it may be long, or nested deeper than ``repr`` can follow.

    >>> brief([[1, 2, 3], "x" * 100])
    "[[1, 2, 3], 'xxxxxxxxxxxx...xxxxxxxxxxxxx']"
    """
    return reprlib.repr(value)


def printable(name: str) -> str:
    """Write a name that a file gave, if need be cut short, and without what would steer a terminal.

    >>> printable("zpWuikVorYg_000032"), printable("a\\x1b[2J")
    ('zpWuikVorYg_000032', "'a\\\\x1b[2J'")
    """
    return name if name.isprintable() and len(name) <= 100 else brief(name)


def counted(number: int, noun: str) -> str:
    """Write a number of things.

    >>> counted(1, "clip"), counted(1234, "clip")
    ('1 clip', '1,234 clips')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def some(ids: list[str], limit: int = 3) -> str:
    """Write the first few ids of a list, and how many more there are.

    >>> some(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    shown = ", ".join(map(printable, ids[:limit]))
    return shown if len(ids) <= limit else f"{shown} and {len(ids) - limit:,} more"
