"""The tables of the ledger, and how an older file is brought up to date."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from vggss.errors import DataError

MIGRATIONS = (
    # 1: 0.1.0
    """
    CREATE TABLE clips (
        clip TEXT PRIMARY KEY, video TEXT NOT NULL, start INTEGER, state TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0,
        changed TEXT NOT NULL, source TEXT NOT NULL DEFAULT '', tool TEXT NOT NULL DEFAULT '',
        path TEXT, sha256 TEXT, bytes INTEGER, duration REAL, width INTEGER, height INTEGER, fps REAL,
        sample_rate INTEGER, channels INTEGER, sound_path TEXT, sound_sha256 TEXT
    ) WITHOUT ROWID;
    CREATE INDEX clips_by_state ON clips (state, reason);
    CREATE TABLE events (
        number INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, clip TEXT NOT NULL, state TEXT NOT NULL,
        reason TEXT NOT NULL, message TEXT NOT NULL, tool TEXT NOT NULL
    );
    CREATE INDEX events_by_clip ON events (clip);
    CREATE TRIGGER events_stay BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
    CREATE TRIGGER events_last BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
    CREATE TABLE prepared (
        clip TEXT NOT NULL, preset TEXT NOT NULL, out TEXT NOT NULL, status TEXT NOT NULL, message TEXT NOT NULL,
        frame_time REAL, audio_start REAL, marks TEXT NOT NULL, changed TEXT NOT NULL,
        PRIMARY KEY (clip, preset)
    ) WITHOUT ROWID;
    """,
    # 2: 0.1.0, the three annotation stages
    """
    CREATE TABLE candidates (
        clip TEXT NOT NULL, detector TEXT NOT NULL, stands INTEGER NOT NULL, sound_class TEXT NOT NULL,
        settings TEXT NOT NULL, width INTEGER, height INTEGER, frame_time REAL, decision TEXT NOT NULL,
        why TEXT NOT NULL, proposed TEXT NOT NULL, raw TEXT NOT NULL, tool TEXT NOT NULL, changed TEXT NOT NULL,
        PRIMARY KEY (clip, detector)
    );
    CREATE UNIQUE INDEX candidates_that_stand ON candidates (clip) WHERE stands;
    CREATE TABLE entries (
        number INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, clip TEXT NOT NULL, annotator TEXT NOT NULL,
        role TEXT NOT NULL, source TEXT NOT NULL, body TEXT NOT NULL
    );
    CREATE INDEX entries_by_clip ON entries (clip, annotator);
    CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
        BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
    CREATE TRIGGER entries_last BEFORE DELETE ON entries
        BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
    CREATE TABLE verdicts (
        number INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, clip TEXT NOT NULL, reviewer TEXT NOT NULL,
        action TEXT NOT NULL, reason TEXT NOT NULL, undoes INTEGER, body TEXT NOT NULL
    );
    CREATE INDEX verdicts_by_clip ON verdicts (clip, reviewer);
    CREATE TRIGGER verdicts_stay BEFORE UPDATE ON verdicts
        BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;
    CREATE TRIGGER verdicts_last BEFORE DELETE ON verdicts
        BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;
    CREATE TABLE leases (
        clip TEXT NOT NULL, reviewer TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (clip, reviewer)
    ) WITHOUT ROWID;
    """,
)
"""One script for each schema version, applied in order to an older file; a released one never changes."""


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date, one version at a time, each whole or not at all."""
    found = _version(connection, path)
    if found == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()  # another process may have been first
        if found == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise DataError(f"{path} is a database of something else, not a ledger; name another --root")
        for version in range(found, len(MIGRATIONS)):
            for statement in _statements(MIGRATIONS[version]):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:  # undone whatever it is, and raised again
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Raise :class:`DataError` unless the schema is today's: what only reads brings nothing up to date."""
    found = _version(connection, path)
    if found == 0:
        raise DataError(f"{path} is a database of something else, not a ledger; name another --root")
    if found < len(MIGRATIONS):
        raise DataError(
            f"{path} was written by an older vggss (schema {found}, today's is {len(MIGRATIONS)}); `vggss ingest` or "
            f"`vggss download` brings it up to date"
        )


def _version(connection: sqlite3.Connection, path: Path) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > len(MIGRATIONS):
        raise DataError(
            f"{path} was written by a newer vggss (schema {found}, this one knows {len(MIGRATIONS)}); "
            f"upgrade with `pip install -U vggss`"
        )
    return found


def _statements(script: str) -> Iterator[str]:
    """Split a script at the semicolons that end a statement (``executescript`` would commit on its own)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextlib.contextmanager
def readably(path: Path) -> Iterator[None]:
    """Say what is wrong with the file in words."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise DataError(
            f"cannot use {path}: {error}; if another program holds it, wait; if the disk is full or read-only, mend "
            f"that; if the file is damaged, put a copy of it in place (a lock may be deleted)"
        ) from error
    except OSError as error:
        raise DataError(f"cannot use {path}: {error.strerror or error}") from error
