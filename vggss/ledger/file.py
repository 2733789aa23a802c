"""The ledger as a file: what may be asked of it and written to it."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
import urllib.parse
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from vggss.clip_id import canonical, video_of
from vggss.errors import DataError
from vggss.ledger.records import STATES, ClipRow, Event, FileFacts, Outcome, PreparedRow
from vggss.ledger.schema import check_version, migrate, readably

WAIT = 60.0  # seconds that a process waits for another one's transaction
_MANY = 500  # ids in one query
_UNWRITABLE = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
)  # said where no file may be laid beside the ledger
_FACTS = [field.name for field in fields(FileFacts)]
_PREPARED = [field.name for field in fields(PreparedRow)]


class Ledger:
    """The account of every clip; open it with :meth:`open`, use it from one thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path, create: bool = True, write: bool = True) -> Ledger:
        """Open the ledger at a path, bringing an older schema up to date.

        Parameters
        ----------
        path
            the file.
        create
            whether to begin one where there is none.
        write
            whether anything will be written. If not, nothing is: not even the schema is brought up to date, and
            a folder that may only be read will do.

        Raises
        ------
        DataError
            there is none and none is to be begun; the file is no ledger, or one of a newer version.
        """
        if not (create and write) and (not path.is_file() or path.stat().st_size == 0):
            raise DataError(
                f"there is no ledger at {path}; `vggss download` or `vggss ingest` begins one "
                f"(or name the data folder with --root)"
            )
        with readably(path):
            if not write:
                return cls(_connect_to_read(path), path)
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                migrate(connection, path)
            except BaseException:  # closed whatever it is, and raised again
                connection.close()
                raise
        return cls(connection, path)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def want(self, clips: Iterable[str], tool: str = "") -> int:
        """Enter clips that are not known yet as ``wanted``; returns how many were new."""
        time = now()
        new = 0
        with self.transaction():
            for clip in clips:
                video, start = _place(clip)
                entered = self._connection.execute(
                    "INSERT OR IGNORE INTO clips (clip, video, start, state, changed, tool)"
                    " VALUES (?, ?, ?, 'wanted', ?, ?)",
                    (clip, video, start, time, tool),
                ).rowcount
                if entered:
                    new += 1
                    self._log(time, clip, "wanted", "", "", tool)
        return new

    def record(self, outcome: Outcome) -> None:
        """Enter what happened to a clip; on disk when this returns."""
        self.record_many([outcome])

    def record_many(self, outcomes: Iterable[Outcome]) -> None:
        """Enter what happened to several clips, all or none; on disk when this returns."""
        time = now()
        columns = ["state", "reason", "message", "changed", "source", "tool", *_FACTS]
        with self.transaction():
            for one in outcomes:
                video, start = _place(one.clip)
                facts = astuple(one.facts) if one.facts else (None,) * len(_FACTS)
                values = (one.state, one.reason, one.message, time, one.source, one.tool, *facts)
                self._connection.execute(
                    f"INSERT INTO clips (clip, video, start, tries, {', '.join(columns)})"  # noqa: S608 - our names
                    f" VALUES (?, ?, ?, 1, {', '.join('?' * len(columns))}) ON CONFLICT (clip) DO UPDATE SET"
                    f" tries = tries + 1, {', '.join(f'{name} = excluded.{name}' for name in columns)}",
                    (one.clip, video, start, *values),
                )
                self._log(time, one.clip, one.state, one.reason, one.message, one.tool)

    def row(self, clip: str) -> ClipRow | None:
        """Return the state of one clip, or None if it is not known."""
        return next(self.rows([clip]), None)

    def rows(
        self, clips: Iterable[str] | None = None, states: Collection[str] | None = None
    ) -> Iterator[ClipRow]:
        """Yield clips by id, or those that are asked for in the order in which they are."""
        names = ["clip", "video", "start", "state", "reason", "message", "tries", "changed", "source", "tool"]
        query = f"SELECT {', '.join(names + _FACTS)} FROM clips"  # noqa: S608 - our names
        for values in self.chosen(query, clips, "clip"):
            if states is None or values[3] in states:
                known, facts = values[: len(names)], values[len(names) :]
                yield ClipRow(*(*known, FileFacts(*facts) if facts[0] is not None else None))

    def counts(self, clips: Iterable[str] | None = None) -> dict[str, int]:
        """Count clips by state; every state is there. Clips that are not known count as ``wanted``."""
        found = dict.fromkeys(STATES, 0)
        for (state, _), number in self.reasons(clips).items():
            found[state] = found.get(state, 0) + number
        return found

    def accounted(self, clips: Iterable[str], states: Collection[str] | None = None) -> Iterator[ClipRow]:
        """Yield a row for each of some clips, in their order; one that nobody has asked for yet is ``wanted``."""
        asked = list(dict.fromkeys(clips))
        known = {row.clip: row for row in self.rows(asked)}
        for clip in asked:
            row = known.get(clip) or ClipRow(clip, *_place(clip), "wanted", "", "", 0, "", "", "", None)
            if states is None or row.state in states:
                yield row

    def reasons(self, clips: Iterable[str] | None = None) -> dict[tuple[str, str], int]:
        """Count clips by state and reason, most frequent first within a state."""
        found: dict[tuple[str, str], int] = {}
        if clips is None:
            query = "SELECT state, reason, count(*) FROM clips GROUP BY state, reason"
            found = {(state, reason): number for state, reason, number in self.ask(query)}
        else:
            asked = set(clips)
            known = 0
            for _, state, reason in self.chosen("SELECT clip, state, reason FROM clips", asked, "clip"):
                found[state, reason] = found.get((state, reason), 0) + 1
                known += 1
            if len(asked) > known:
                found["wanted", ""] = found.get(("wanted", ""), 0) + len(asked) - known
        return dict(sorted(found.items(), key=lambda item: (_rank(item[0][0]), -item[1], item[0][1])))

    def events(self, clip: str | None = None) -> Iterator[Event]:
        """Yield what happened, oldest first: to one clip, or to all."""
        query = "SELECT time, clip, state, reason, message, tool FROM events"
        if clip is None:
            rows = self.ask(f"{query} ORDER BY number")
        else:
            rows = self.ask(f"{query} WHERE clip = ? ORDER BY number", (clip,))
        for values in rows:
            yield Event(*values)

    def record_prepared(self, rows: Iterable[PreparedRow]) -> None:
        """Enter what ``vggss prepare`` made, in place of what it made before with the same preset."""
        time = now()
        marks = ", ".join("?" * (len(_PREPARED) + 1))
        with self.transaction():
            self._connection.executemany(
                f"INSERT OR REPLACE INTO prepared ({', '.join(_PREPARED)}, changed) VALUES ({marks})",  # noqa: S608
                ((*astuple(row), time) for row in rows),
            )

    def prepared(self, preset: str) -> dict[str, PreparedRow]:
        """Return what was made with a preset, by clip."""
        query = f"SELECT {', '.join(_PREPARED)} FROM prepared WHERE preset = ? ORDER BY clip"  # noqa: S608
        return {row[0]: PreparedRow(*row) for row in self.ask(query, (preset,))}

    def prepared_counts(self) -> dict[str, dict[str, int]]:
        """Count what was made, by preset and status."""
        query = (
            "SELECT preset, status, count(*) FROM prepared GROUP BY preset, status ORDER BY preset, status"
        )
        found: dict[str, dict[str, int]] = {}
        for preset, status, number in self.ask(query):
            found.setdefault(preset, {})[status] = number
        return found

    def chosen(
        self, query: str, clips: Iterable[str] | None, key: str, values: Sequence[Any] = ()
    ) -> Iterator[tuple[Any, ...]]:
        """Yield rows by a key that is the query's first column: all, or those of some clips in their order."""
        if clips is None:
            yield from self.ask(f"{query} ORDER BY {key}", values)
            return
        asked = list(dict.fromkeys(clips))
        for first in range(0, len(asked), _MANY):
            block = asked[first : first + _MANY]
            places = ", ".join("?" * len(block))
            rows = self.ask(f"{query} WHERE {key} IN ({places})", [*values, *block])
            found = {row[0]: row for row in rows}
            yield from (found[clip] for clip in block if clip in found)

    def ask(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query; for the modules of this package."""
        with readably(self.path):
            return self._connection.execute(query, values).fetchall()

    def _log(self, time: str, clip: str, state: str, reason: str, message: str, tool: str) -> None:
        self._connection.execute(
            "INSERT INTO events (time, clip, state, reason, message, tool) VALUES (?, ?, ?, ?, ?, ?)",
            (time, clip, state, reason, message, tool),
        )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do several things, all or none; on disk at the end. For the modules of this package."""
        with readably(self.path):
            self._connection.execute("BEGIN IMMEDIATE")  # takes the write lock at once: no deadlock later
            try:
                yield self._connection
            except BaseException:  # undone whatever it is, and raised again
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _place(clip: str) -> tuple[str, int | None]:
    """Return video and start second of a clip of VGG-Sound; nothing for clips of other sets."""
    return (video_of(clip), int(clip[12:])) if canonical(clip) == clip else ("", None)


def now() -> str:
    """Return the time as the ledger writes it: UTC, ISO 8601, milliseconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def _rank(state: str) -> int:
    """Return the place of a state in the order of the tables; one of a newer version comes last."""
    return STATES.index(state) if state in STATES else len(STATES)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a ledger without writing a byte; on a disk that may only be read, SQLite must be told that nothing changes."""
    still = not path.with_name(f"{path.name}-wal").exists()  # all that was written is in the file itself
    for mode in ("mode=ro", "immutable=1") if still else ("mode=ro",):
        address = f"file:{urllib.parse.quote(str(path.absolute()))}?{mode}"
        with contextlib.ExitStack() as undo:
            try:
                connection = sqlite3.connect(address, timeout=WAIT, isolation_level=None, uri=True)
                undo.callback(connection.close)
                check_version(connection, path)
            except sqlite3.OperationalError as error:
                if mode == "mode=ro" and still and error.sqlite_errorcode & 0xFF in _UNWRITABLE:
                    continue
                raise
            undo.pop_all()
            return connection
    raise AssertionError("the second mode returns or raises")
