"""A lock that one process at a time holds, and that a killed process frees."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from vggss.errors import DataError, UsageError
from vggss.ledger.schema import readably


@contextlib.contextmanager
def exclusive(path: Path, what: str, else_do: str = "give another --root") -> Iterator[None]:
    """Hold a lock file that one process at a time can hold; a killed process frees it.

    Parameters
    ----------
    path
        the lock file; made if need be, and left there.
    what
        the command that holds it, for the message: ``vggss download``.
    else_do
        what the message offers to somebody who does not want to wait.

    Raises
    ------
    UsageError
        another process holds it.
    """
    owner = path.with_name(path.name + ".pid")
    with readably(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        try:
            with readably(path):
                connection.execute("BEGIN EXCLUSIVE")  # the system's file lock: it ends with the process
        except DataError as error:
            if getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                raise
            pid = owner.read_text() if owner.is_file() else "unknown"
            raise UsageError(
                f"another `{what}` (process {pid}) is at work on {path.parent}; wait for it, or {else_do}"
            ) from error
        with contextlib.suppress(OSError):  # the name of the holder is a courtesy
            owner.write_text(str(os.getpid()))
        yield
    finally:
        connection.close()
