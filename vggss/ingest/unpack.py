"""One archive, read once from its beginning to its end, member by member."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from vggss.errors import counted
from vggss.ingest.archives import ArchiveError, Member, Stopped, members, named_like_an_archive, reading
from vggss.ingest.desk import Desk
from vggss.ingest.mates import Folders, Mates
from vggss.ingest.names import PICTURE, SOUND, VIDEO, Named, left_alone, recognise
from vggss.ingest.placing import receive, waiting_room
from vggss.ingest.records import (
    LEFT_ALONE,
    LONE,
    NOT_RECOGNISED,
    REFUSED,
    UNREADABLE,
    Held,
    Manner,
    Note,
    Offer,
    clean,
)
from vggss.progress import Stop
from vggss.storage import DataRoot


class Foresight:
    """Which clips have both a picture and a sound, in archives or before them; learned from names when first asked.

    Otherwise an archive of sounds alone would be copied in full before it is seen that no picture comes.
    """

    def __init__(self, archives: Sequence[Path], mates: Mates, stopped: Callable[[], bool]) -> None:
        self._archives, self._mates, self._stopped = archives, mates, stopped
        self._whole: set[str] | None = None

    def whole(self, clip: str) -> bool:
        """Whether both halves of a clip are somewhere."""
        if self._whole is None:
            halves = {kind: set(self._mates.clips(kind)) for kind in (PICTURE, SOUND)}
            for archive in self._archives:
                with contextlib.suppress(ArchiveError):  # said when it is read
                    for named in _names(archive, self._stopped):
                        if named.kind in halves:
                            halves[named.kind].add(named.clip)
            self._whole = halves[PICTURE] & halves[SOUND]
        return clip in self._whole


def _names(archive: Path, stopped: Callable[[], bool]) -> Iterator[Named]:
    for member in members(archive, stopped):
        parts = member.parts
        if parts and not member.refused and not left_alone(parts):
            named = recognise(parts[-2] if len(parts) > 1 else "", parts[-1])
            if isinstance(named, Named):
                yield named


class Unpacking:
    """Takes the members of an archive that are clips, or halves of clips.

    What has to be read is copied once, to a name of ours; what is there already is passed over.
    """

    def __init__(
        self,
        path: Path,
        mates: Mates,
        foresight: Foresight,
        desk: Desk,
        root: DataRoot,
        manner: Manner,
        stop: Stop,
    ) -> None:
        self._path, self._shown, self._foresight = path, clean(str(path)), foresight
        self._mates, self._desk, self._root, self._manner, self._stop = mates, desk, root, manner, stop
        self._folders = Folders(manner.picture)
        self._number = 0

    def run(self) -> None:
        """Take its members; where it is damaged, those before that place."""
        try:
            for member in members(self._path, lambda: self._stop.requested):
                if self._stop.requested:
                    return
                self._number += 1
                self._member(member, f"{self._shown}: {clean(member.name)}")
        except Stopped:
            return
        except ArchiveError as error:
            self._note(
                UNREADABLE, self._shown, f"{error}; {counted(self._number, 'member')} before that place"
            )
        resolved, notes = self._folders.resolve()
        self._desk.notes += notes
        for held in resolved:
            self._offer(held)

    def _member(self, member: Member, shown: str) -> None:
        held = self._recognised(member, shown)
        if held is None or not self._desk.asked_for(held.clip, shown):
            return
        if self._is_needless(held):
            return
        staged = held if self._manner.dry else self._staged(held, member)
        if staged is None:
            return
        if not staged.named.by_folder:
            self._offer(staged)
            return
        for useless in self._folders.add(staged):
            self._drop(useless)

    def _is_needless(self, held: Held) -> bool:
        """Whether a member need not be read; the report says why."""
        if held.named.kind == VIDEO:
            return not held.named.by_folder and self._desk.settled(Offer((held,)))
        if self._desk.has_half(held):
            return True
        if self._manner.dry or self._foresight.whole(held.clip):
            return False
        other = SOUND if held.named.kind == PICTURE else PICTURE
        self._note(LONE, held.shown, f"a {held.named.kind} without a {other}")
        return True

    def _recognised(self, member: Member, shown: str) -> Held | None:
        """Return what a member would be if it were copied; None if it is not taken, which is noted."""
        parts = member.parts
        if member.refused or not parts:
            self._note(REFUSED, shown, member.refused or "no name")
        elif why := left_alone(parts):
            self._note(LEFT_ALONE, shown, why)
        elif named_like_an_archive(parts[-1]):
            self._note(NOT_RECOGNISED, shown, "an archive inside an archive; unpack the outer one")
        else:
            named = recognise(parts[-2] if len(parts) > 1 else "", parts[-1])
            if isinstance(named, str):
                self._note(NOT_RECOGNISED, shown, named)
            elif self._folders.passes(named, parts[-1]):
                folder = f"{self._shown}: {clean('/'.join(parts[:-1]))}"
                return Held(named, parts[-1], folder, self._path, shown, member.size, member.mtime)
        return None

    def _staged(self, held: Held, member: Member) -> Held | None:
        """Copy a member to a name of ours; None if it alone is damaged, which is noted."""
        place = self._root.clips if held.named.kind == VIDEO else self._root.frames_given
        waiting = waiting_room(place, self._root.work) / f"{self._number}.{os.urandom(8).hex()}"
        try:
            with reading(member) as stream:
                sha256 = receive(stream, member.size, member.mtime, waiting)
        except BaseException as error:  # cleared away whatever it is
            waiting.unlink(missing_ok=True)
            if isinstance(error, ArchiveError) and member.alone:
                self._note(UNREADABLE, held.shown, str(error))
                return None
            raise
        return replace(held, path=waiting, staged=True, sha256=sha256)

    def _offer(self, held: Held) -> None:
        if held.named.kind == VIDEO:
            self._desk.take(Offer((held,)))
            return
        offer, note = self._mates.add(held)
        if offer:
            self._desk.take(offer)
        if note:
            self._desk.notes.append(note)
            self._drop(held)

    def _drop(self, held: Held) -> None:
        if held.staged:
            held.path.unlink(missing_ok=True)

    def _note(self, kind: str, name: str, why: str) -> None:
        self._desk.notes.append(Note(kind, name, why))
