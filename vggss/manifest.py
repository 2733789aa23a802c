"""The ledger as a CSV file that other programs and people can read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from vggss.atomic import write_bytes
from vggss.ledger import ClipRow, Ledger

COLUMNS = (
    "clip",
    "video",
    "start",
    "state",
    "reason",
    "sha256",
    "bytes",
    "duration",
    "width",
    "height",
    "fps",
    "sample_rate",
    "channels",
    "source",
    "changed",
    "path",
    "sound_path",
    "sound_sha256",
    "message",
)
"""One row a clip; what is not known (a clip that is not here has no file) is empty. Times are UTC."""


def write_manifest(ledger: Ledger, path: Path, clips: Iterable[str] | None = None) -> None:
    """Write the manifest of some clips, or of all, whole or not at all.

    Parameters
    ----------
    ledger
        the account to write out.
    path
        the CSV file, replaced if it is there: UTF-8, with a header, lines ended by a line feed.
    clips
        ids, in the order in which they are written; None: all, by id. Ids that the ledger does not know are
        written as ``wanted``, so that the rows add up to what was asked for.

    Raises
    ------
    DataError
        the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    if clips is None:
        writer.writerows(_row(row) for row in ledger.rows())
    else:
        writer.writerows(_row(row) for row in ledger.accounted(clips))
    write_bytes(path, text.getvalue().encode())


def _row(row: ClipRow) -> list[str | int | float | None]:
    facts = row.facts
    known: list[str | int | float | None] = [row.clip, row.video, row.start, row.state, row.reason]
    if facts is None:
        return [*known, *[None] * 8, row.source, row.changed, None, None, None, row.message]
    known += [
        facts.sha256,
        facts.bytes,
        round(facts.duration, 3),
        facts.width,
        facts.height,
        round(facts.fps, 3),
    ]
    files = (facts.path, facts.sound_path, facts.sound_sha256)
    return [*known, facts.sample_rate, facts.channels, row.source, row.changed, *files, row.message]
