"""The name of a reviewer, as it goes into the ledger."""

from __future__ import annotations

from vggss.errors import UsageError, brief

LONGEST = 60  # characters


def reviewer_name(text: str) -> str:
    """Return a reviewer's name, trimmed.

    Raises
    ------
    UsageError
        it is empty, too long, or holds what cannot be printed.

    >>> reviewer_name("  Anna  B. ")
    'Anna B.'
    """
    name = " ".join(text.split())
    if not name:
        raise UsageError("the reviewer's name is empty; give a name or initials")
    if len(name) > LONGEST or not name.isprintable():
        raise UsageError(f"a reviewer's name has up to {LONGEST} printable letters, not {brief(name)}")
    return name
