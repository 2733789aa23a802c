"""The ledger: one SQLite file with the state of every clip and an append-only account of how it came to it.

Tables: ``clips`` (one row for each clip: its current state, and the integrity manifest of its file),
``events`` (every change of state, never altered), ``prepared`` (what ``vggss prepare`` made of it), and of the three
annotation stages ``candidates``, ``entries``, ``verdicts`` (append-only, the last two) and ``leases``. The file is
in WAL mode and each change is one transaction, on disk before the call returns: a process that is killed loses
nothing that it had recorded, and two processes wait for each other.
"""

from __future__ import annotations

from vggss.ledger.file import Ledger
from vggss.ledger.lock import exclusive
from vggss.ledger.records import PERMANENT, STATES, ClipRow, Event, FileFacts, Outcome, PreparedRow

__all__ = [
    "PERMANENT",
    "STATES",
    "ClipRow",
    "Event",
    "FileFacts",
    "Ledger",
    "Outcome",
    "PreparedRow",
    "exclusive",
]
