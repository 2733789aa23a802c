"""What came back from a worker, as a row of the manifest and of the ledger."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from vggss.errors import DataError
from vggss.ledger import PreparedRow
from vggss.prepare.item import Job, Made, fingerprint
from vggss.prepare.rows import Row
from vggss.prepare.sources import Input


def row_of(one: Input, made: Made, preset: str, files: bool, shard: int | None) -> Row:
    """Return the row of an input; ``files`` and ``shard`` say where it is if it gave no error."""
    good = not made.error
    return Row(
        name=one.name,
        status="ok" if good else "error",
        message=" ".join(made.error.split()),
        frame_time=_rounded(made.frame_time),
        audio_start=_rounded(made.audio_start),
        marks=" ".join(made.marks),
        source=one.source,
        sound_source=one.sound_source,
        preset=preset,
        width=made.width,
        height=made.height,
        sample_rate=made.sample_rate,
        source_bytes=made.source_bytes,
        source_mtime=made.source_mtime,
        files="yes" if good and files else "",
        shard=shard if good else None,
    )


def lost(job: Job, reason: str) -> Made:
    """Return what stands for the result of a job that no worker could finish."""
    try:
        size, changed = fingerprint(job.path, job.sound)
    except OSError:
        return Made(error=reason)
    return Made(error=reason, source_bytes=size, source_mtime=changed)


def prepared_row(row: Row, out: Path) -> PreparedRow:
    """Return what the ledger keeps of a row; ``out`` as a whole path, for whoever reads it from another folder."""
    known = row.status in ("ok", "error")
    return PreparedRow(
        clip=row.name,
        preset=row.preset,
        out=os.path.abspath(out),  # noqa: PTH100 - links stay
        status=row.status if known else "error",
        message=row.message if known else f"{row.status}: {row.message}",
        frame_time=row.frame_time,
        audio_start=row.audio_start,
        marks=row.marks,
    )


def news(rows: Iterable[Row], told: Mapping[str, PreparedRow], out: Path) -> list[PreparedRow]:
    """Return what the ledger does not know yet: what was tried, and clips of this folder that are no longer here."""
    found = []
    for row in rows:
        mine, before = prepared_row(row, out), told.get(row.name)
        tried = row.status in ("ok", "error") or (before is not None and before.out == mine.out)
        if tried and before != mine:
            found.append(mine)
    return found


@contextlib.contextmanager
def kept_when_full() -> Iterator[None]:
    """Say of a disk that is full what to do about it."""
    try:
        yield
    except DataError as error:
        if getattr(error.__cause__, "errno", None) not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DataError(f"{error}; what is done is kept; make room and run it again") from error


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
