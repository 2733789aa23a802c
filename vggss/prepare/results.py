"""What came back from a worker, as a row of the manifest and of the ledger."""

from __future__ import annotations

from pathlib import Path

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
    """Return what the ledger keeps of a row."""
    return PreparedRow(
        row.name, row.preset, str(out), row.status, row.message, row.frame_time, row.audio_start, row.marks
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
