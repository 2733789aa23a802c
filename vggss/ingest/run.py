"""An ingest from beginning to end: one process drives, holds the lock, and writes the ledger."""

from __future__ import annotations

import shutil
from contextlib import ExitStack

from vggss._version import __version__
from vggss.errors import DataError
from vggss.ingest.desk import Desk
from vggss.ingest.examine import crashed, examine
from vggss.ingest.placing import COPY, Unwritable, clear
from vggss.ingest.pool import Pool
from vggss.ingest.records import Manner, Report
from vggss.ingest.survey import Survey
from vggss.ingest.unpack import Foresight, Unpacking
from vggss.ledger import Ledger, exclusive
from vggss.progress import Stop, Tick, unheard
from vggss.storage import DataRoot

TOOL = f"vggss ingest {__version__}"
PLAIN = Manner()


def take(
    found: Survey, root: DataRoot, manner: Manner = PLAIN, tick: Tick = unheard, stop: Stop | None = None
) -> Report:
    """Take what a survey found into the data folder, and enter it in the ledger and its manifest.

    A clip that is there with the same content is passed over; one with other content is kept, unless
    ``manner.replace``. Of several copies of a clip the first that is whole is taken. Where a run ends early,
    nothing that was taken is lost, and another run goes on.

    Parameters
    ----------
    found
        what :func:`vggss.ingest.survey` found.
    root
        the data folder.
    manner
        how to take it.
    tick
        called for each offer that is done with: ``have``, ``already``, or why it was not taken.
    stop
        looked at between two clips.

    Raises
    ------
    DataError
        the disk is full or cannot be written; what was taken before is in the ledger. UsageError: another
        ingest is at work.
    """
    stop = stop or Stop()
    with ExitStack() as stack:
        if not manner.dry:
            stack.enter_context(exclusive(root.path / "ingest.lock", "vggss ingest"))
            clear((root.clips, root.frames_given, root.sounds_given), root.work)
            stack.callback(clear, (root.clips, root.frames_given, root.sounds_given), root.work)
        ledger = None
        if not manner.dry or root.ledger.is_file():
            ledger = stack.enter_context(Ledger.open(root.ledger, create=not manner.dry))
        pool = stack.enter_context(Pool(manner.jobs, examine, crashed))
        desk = Desk(root, manner, ledger, pool, tick, TOOL)
        desk.notes += found.notes
        _check_room(found, desk, root, manner)
        try:
            _take_all(found, root, manner, desk, stop)
        except Unwritable as error:
            raise DataError(
                f"{error}; {desk.taken:,} clips were taken and are safe. When that is mended, the same command "
                f"goes on from there"
            ) from error
        finally:
            if ledger and not manner.dry:
                _write_manifest(ledger, root, desk.taken)
        return desk.report(stop.requested)


def _take_all(found: Survey, root: DataRoot, manner: Manner, desk: Desk, stop: Stop) -> None:
    for offer in found.offers:
        if stop.requested:
            break
        desk.take(offer)
    foresight = Foresight(found.archives, found.mates, lambda: stop.requested)
    for archive in found.archives:
        if stop.requested:
            break
        Unpacking(archive, found.mates, foresight, desk, root, manner, stop).run()
    desk.drain()
    if not stop.requested:
        desk.notes += desk.lone(found.mates)


def _write_manifest(ledger: Ledger, root: DataRoot, taken: int) -> None:
    from vggss.manifest import write_manifest

    if taken or not root.manifest.is_file():
        write_manifest(ledger, root.manifest)


def _check_room(found: Survey, desk: Desk, root: DataRoot, manner: Manner) -> None:
    """Say beforehand that the disk is too small, as far as that can be known (archives cannot be measured)."""
    if manner.how != COPY or manner.dry:
        return
    needed = sum(offer.bytes for offer in found.offers if desk.is_new(offer))
    try:
        free = shutil.disk_usage(root.path).free
    except OSError as error:
        raise DataError(f"cannot use {root.path}: {error.strerror or error}; name another --root") from error
    if needed > free:
        raise DataError(
            f"these clips need {needed / 1e9:.2f} GB, and the disk of {root.path} has {free / 1e9:.2f} GB left; "
            f"make room, take --link hard or --link symbolic, or name another --root. Nothing was taken"
        )
