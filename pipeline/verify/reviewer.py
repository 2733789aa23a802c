"""Who a reviewer is: the name as it goes into the ledger, and which names are one person."""

from __future__ import annotations

from collections.abc import Iterable

from vggss.errors import UsageError, brief
from vggss.ledger.stage_records import Entry
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.names import identity, spelled
from vggss.pipeline.manual.settling import released

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


def release_names(entries: Iterable[Entry]) -> frozenset[str]:
    """Return the names of the releases that were imported; what goes under them in stage 3 is no person's either."""
    return frozenset(entry.annotator for entry in entries if released(entry))


def known_reviewer(stages: Stages, text: str) -> str:
    """Return a reviewer's name as the ledger has it: the spelling under which this person first appeared.

    Raises
    ------
    UsageError
        as :func:`reviewer_name`; or it is the name of a release that was imported.
    """
    name = reviewer_name(text)
    ask = stages.ledger.ask
    said = ask("SELECT annotator FROM entries GROUP BY annotator ORDER BY min(number)")
    same = [known for (known,) in said if identity(known) == identity(name)]
    if same and identity(name) in {identity(one) for one in release_names(stages.entries())}:
        raise UsageError(f"{brief(name)} is the name of a release that was imported; give your own")
    reviewers = [
        known for (known,) in ask("SELECT reviewer FROM verdicts GROUP BY reviewer ORDER BY min(number)")
    ]
    return spelled(name, (*reviewers, *same))
