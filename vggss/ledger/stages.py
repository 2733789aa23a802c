"""The three annotation stages in the ledger: candidates, annotators' entries, reviewers' verdicts, the queue's leases."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from vggss.ledger.file import Ledger, now
from vggss.ledger.stage_records import (
    CandidateRow,
    Entry,
    Lease,
    Verdict,
    region_document,
    region_of,
    regions_json,
    regions_of,
    seen_json,
    seen_of,
)

_CANDIDATE = "clip, sound_class, detector, settings, width, height, frame_time, decision, why, proposed, raw, tool, changed"
_ENTRY = "number, time, clip, annotator, role, source, body"
_VERDICT = "number, time, clip, reviewer, action, reason, undoes, body"


class Stages:
    """What the stages wrote to a ledger; entries and verdicts are append-only."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def record_candidates(self, rows: Iterable[CandidateRow]) -> None:
        """Enter what stage 1 found; on disk on return.

        A row replaces what the same detector found on the clip before, and stands instead of what another one did;
        that is kept, and can be made to stand again (:meth:`let_stand`).
        """
        time = now()
        marks = ", ".join("?" * 13)
        with self.ledger.transaction() as connection:
            for row in rows:
                connection.execute("UPDATE candidates SET stands = 0 WHERE clip = ?", (row.clip,))
                connection.execute(
                    f"INSERT OR REPLACE INTO candidates ({_CANDIDATE}, stands) VALUES ({marks}, 1)",  # noqa: S608
                    (
                        row.clip, row.sound_class, row.detector, row.settings, row.width, row.height, row.frame_time,
                        row.decision, row.why, regions_json(row.proposed), seen_json(row.raw), row.tool, time,
                    ),
                )  # fmt: skip

    def let_stand(self, clips: Iterable[str], detector: str) -> None:
        """Let what one detector found on some clips stand, where another's stood; what it has not seen stays."""
        with self.ledger.transaction() as connection:
            for clip in clips:
                known = "SELECT 1 FROM candidates WHERE clip = ? AND detector = ?"
                if connection.execute(known, (clip, detector)).fetchone():
                    connection.execute("UPDATE candidates SET stands = 0 WHERE clip = ?", (clip,))
                    connection.execute(
                        "UPDATE candidates SET stands = 1 WHERE clip = ? AND detector = ?", (clip, detector)
                    )

    def candidates(
        self, clips: Iterable[str] | None = None, raw: bool = False, detector: str | None = None
    ) -> Iterator[CandidateRow]:
        """Yield what stage 1 found: of all clips by id, or of those asked for, in their order.

        Parameters
        ----------
        clips
            ids; one that stage 1 has not seen is left out.
        raw
            whether to read the raw detections too, which are most of the bytes.
        detector
            what this one found, whether it stands or not; None: what stands.
        """
        columns = _CANDIDATE if raw else _CANDIDATE.replace("raw", "'[]'")
        which, values = ("stands", ()) if detector is None else ("detector = ?", (detector,))
        query = f"SELECT {columns} FROM (SELECT * FROM candidates WHERE {which})"  # noqa: S608 - our names
        for row in self.ledger.chosen(query, clips, "clip", values):
            yield CandidateRow(*(*row[:9], regions_of(row[9]), seen_of(row[10]), *row[11:]))

    def record_entries(self, entries: Iterable[Entry]) -> list[Entry]:
        """Add annotators' entries, all or none; returns those that say something new.

        An entry that says what the annotator's newest one on the clip says already is not added again, so that
        importing a file twice changes nothing. ``source`` does not count.
        """
        added: list[Entry] = []
        time = now()
        with self.ledger.transaction() as connection:
            for entry in entries:
                body = _entry_body(entry)
                newest = connection.execute(
                    "SELECT body FROM entries WHERE clip = ? AND annotator = ? AND role = ? ORDER BY number DESC LIMIT 1",
                    (entry.clip, entry.annotator, entry.role),
                ).fetchone()
                if newest and newest[0] == body:
                    continue
                number = connection.execute(
                    "INSERT INTO entries (time, clip, annotator, role, source, body) VALUES (?, ?, ?, ?, ?, ?)",
                    (time, entry.clip, entry.annotator, entry.role, entry.source, body),
                ).lastrowid
                added.append(replace(entry, number=number or 0, time=time))
        return added

    def entries(self, clips: Iterable[str] | None = None) -> list[Entry]:
        """Return every entry, oldest first: of all clips, or of some."""
        rows = self.ledger.ask(f"SELECT {_ENTRY} FROM entries ORDER BY number")  # noqa: S608
        wanted = None if clips is None else set(clips)
        return [_entry(row) for row in rows if wanted is None or row[2] in wanted]

    def record_verdict(self, verdict: Verdict) -> Verdict:
        """Add a verdict; on disk when this returns. Returns it with its number and time."""
        return self.record_verdicts([verdict])[0]

    def record_verdicts(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """Add several verdicts, all or none; on disk on return. The clip is no longer leased to its reviewer."""
        time = now()
        added: list[Verdict] = []
        with self.ledger.transaction() as connection:
            for one in verdicts:
                number = connection.execute(
                    "INSERT INTO verdicts (time, clip, reviewer, action, reason, undoes, body)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (time, one.clip, one.reviewer, one.action, one.reason, one.undoes, _verdict_body(one)),
                ).lastrowid
                connection.execute(
                    "DELETE FROM leases WHERE clip = ? AND reviewer = ?", (one.clip, one.reviewer)
                )
                added.append(replace(one, number=number or 0, time=time))
        return added

    def verdicts(self, after: int = 0) -> list[Verdict]:
        """Return every verdict with a number above ``after``, oldest first, those that were undone too."""
        query = f"SELECT {_VERDICT} FROM verdicts WHERE number > ? ORDER BY number"  # noqa: S608
        return [_verdict(row) for row in self.ledger.ask(query, (after,))]

    def leases(self, time: float) -> list[Lease]:
        """Return the leases that hold at a time (seconds since 1970), by clip."""
        rows = self.ledger.ask(
            "SELECT clip, reviewer, until FROM leases WHERE until > ? ORDER BY clip", (time,)
        )
        return [Lease(*row) for row in rows]

    @contextlib.contextmanager
    def queue(self) -> Iterator[Queue]:
        """Hold the queue: nobody else takes a clip or gives a verdict meanwhile."""
        with self.ledger.transaction() as connection:
            yield Queue(connection)


class Queue:
    """The leases, while nobody else can change them; see :meth:`Stages.queue`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def leases(self, time: float) -> list[Lease]:
        """Return the leases that hold at a time (seconds since 1970)."""
        rows = self._connection.execute("SELECT clip, reviewer, until FROM leases WHERE until > ?", (time,))
        return [Lease(*row) for row in rows]

    def verdicts(self, after: int = 0) -> list[Verdict]:
        """Return the verdicts with a number above ``after``, oldest first."""
        query = f"SELECT {_VERDICT} FROM verdicts WHERE number > ? ORDER BY number"  # noqa: S608
        return [_verdict(row) for row in self._connection.execute(query, (after,))]

    def take(self, lease: Lease) -> None:
        """Lease a clip to a reviewer, or prolong it."""
        self._connection.execute(
            "INSERT OR REPLACE INTO leases (clip, reviewer, until) VALUES (?, ?, ?)",
            (lease.clip, lease.reviewer, lease.until),
        )


def _entry_body(entry: Entry) -> str:
    return orjson.dumps(
        {
            "class": entry.sound_class,
            "state": entry.state,
            "reason": entry.reason,
            "regions": [region_document(region) for region in entry.regions],
            "comment": entry.comment,
            "foreign": dict(entry.foreign),
        },
        option=orjson.OPT_SORT_KEYS,
    ).decode()


def _entry(row: tuple[Any, ...]) -> Entry:
    number, time, clip, annotator, role, source, text = row
    body = orjson.loads(text)
    return Entry(
        clip, annotator, body["class"], body["state"], body["reason"], tuple(map(region_of, body["regions"])),
        body["comment"], role, source, body["foreign"], number, time,
    )  # fmt: skip


def _verdict_body(one: Verdict) -> str:
    return orjson.dumps(
        {
            "class": one.sound_class,
            "regions": [region_document(region) for region in one.regions],
            "comment": one.comment,
            "seconds": one.seconds,
            "shown": one.shown,
            "source": one.source,
        },
        option=orjson.OPT_SORT_KEYS,
    ).decode()


def _verdict(row: tuple[Any, ...]) -> Verdict:
    number, time, clip, reviewer, action, reason, undoes, text = row
    body = orjson.loads(text)
    return Verdict(
        clip, reviewer, action, reason, tuple(map(region_of, body["regions"])), body["class"], body["comment"],
        body["seconds"], body["shown"], body["source"], undoes, number, time,
    )  # fmt: skip
