"""An ingest from beginning to end: one process drives, holds the lock, and writes the ledger."""

from __future__ import annotations

import contextlib
import logging
import shutil
from contextlib import ExitStack
from dataclasses import replace

from vggss._version import __version__
from vggss.clip_id import canonical
from vggss.errors import DataError, counted
from vggss.ingest.desk import Desk
from vggss.ingest.examine import crashed, examine
from vggss.ingest.placing import COPY, Unwritable, clear
from vggss.ingest.pool import Pool
from vggss.ingest.records import Manner, Report, UnfinishedError
from vggss.ingest.survey import Survey
from vggss.ingest.unpack import Foresight, Unpacking
from vggss.ledger import Ledger, exclusive
from vggss.progress import Stop, Tick, unheard
from vggss.storage import DataRoot

log = logging.getLogger(__name__)

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
    UnfinishedError
        the disk is full, or the data folder or its ledger cannot be written any more; what was taken before is in the
        ledger, the exception holds the report. DataError: the ledger or the data folder cannot be used at all.
        UsageError: another ingest is at work.
    """
    stop = stop or Stop()
    with ExitStack() as stack:
        if not manner.dry:
            stack.enter_context(exclusive(root.path / "ingest.lock", "vggss ingest"))
            clear((root.clips, root.frames_given, root.sounds_given), root.work)
            stack.callback(clear, (root.clips, root.frames_given, root.sounds_given), root.work)
        ledger = None
        if not manner.dry:
            ledger = stack.enter_context(Ledger.open(root.ledger))
        elif root.ledger.is_file() and root.ledger.stat().st_size:
            ledger = stack.enter_context(Ledger.open(root.ledger, create=False, write=False))
        pool = stack.enter_context(Pool(manner.jobs, examine, crashed))
        desk = Desk(root, manner, ledger, pool, tick, TOOL)
        desk.notes += found.notes
        _check_room(found, desk, root, manner)
        trouble = _trouble(found, root, manner, desk, stop, ledger)
        report = desk.report(stop.requested)
    report = replace(report, unlisted=_unlisted(report, root))
    if trouble:
        raise UnfinishedError(trouble, report)
    return report


def _trouble(
    found: Survey, root: DataRoot, manner: Manner, desk: Desk, stop: Stop, ledger: Ledger | None
) -> str:
    """Take everything and write the manifest; return what went wrong on the disk, or nothing."""
    try:
        _take_all(found, root, manner, desk, stop)
    except (Unwritable, DataError) as error:
        trouble = f"{error}; {_safe(desk)}. When that is mended, the same command goes on from there"
        with contextlib.suppress(DataError):  # what came first is what is said
            _write_manifest(ledger, root, manner)
        return trouble
    except BaseException:  # a Ctrl-C too leaves a manifest that is true
        with contextlib.suppress(DataError):
            _write_manifest(ledger, root, manner)
        raise
    try:
        _write_manifest(ledger, root, manner)
    except DataError as error:
        return f"{error}; {_safe(desk)}. When that is mended, the same command writes the manifest"
    return ""


def _safe(desk: Desk) -> str:
    return f"{counted(desk.taken, 'clip')} taken, and safe"


def _unlisted(report: Report, root: DataRoot) -> tuple[str, ...]:
    """Return the clips that were taken and are not in VGG-Sound's list, where the list is there and can be read."""
    from vggss.vggsound import has_vggsound, load_vggsound

    taken = [clip for clip, state in report.clips.items() if state == "have" and canonical(clip)]
    try:
        listed = load_vggsound(root).rows if taken and has_vggsound(root) else None
    except DataError as error:
        log.warning("ids were not looked up in VGG-Sound's list: %s", error)
        return ()
    return () if listed is None else tuple(clip for clip in taken if clip not in listed)


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


def _write_manifest(ledger: Ledger | None, root: DataRoot, manner: Manner) -> None:
    """Write the ledger out, even where this run took nothing: the last one may have been killed before it did."""
    from vggss.manifest import write_manifest

    if ledger and not manner.dry:
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
