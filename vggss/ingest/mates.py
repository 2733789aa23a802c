"""Pictures and sounds that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vggss.ingest.names import PICTURE, SOUND, Named
from vggss.ingest.records import NOT_RECOGNISED, TWICE, Held, Note, Offer


class Mates:
    """Pictures and sounds by clip; the second half to come makes an offer of both."""

    def __init__(self) -> None:
        self._halves: dict[str, dict[str, Held]] = {PICTURE: {}, SOUND: {}}

    def add(self, held: Held) -> tuple[Offer | None, Note | None]:
        """Enter one half; returns the offer that it completes, or why it is of no use."""
        mine = self._halves[held.named.kind]
        if before := mine.get(held.clip):
            return None, Note(
                TWICE, held.shown, f"another {held.named.kind} of this clip came first: {before.shown}"
            )
        mine[held.clip] = held
        picture, sound = (self._halves[kind].get(held.clip) for kind in (PICTURE, SOUND))
        return (Offer((picture, sound)) if picture and sound else None), None

    def clips(self, kind: str) -> Iterable[str]:
        """Return the clips of which one half (picture or sound) has come."""
        return self._halves[kind]

    def lone(self) -> Iterator[tuple[Held, str]]:
        """Yield the halves that are without the other, and what each is."""
        for kind, other in ((PICTURE, SOUND), (SOUND, PICTURE)):
            for clip, held in self._halves[kind].items():
                if clip not in self._halves[other]:
                    yield held, f"a {kind} without a {other}"


class Folders:
    """Files that bear no name of a clip, in folders that do: one file of a kind is the clip's, of several none."""

    def __init__(self, picture: str = "") -> None:
        self._picture = picture
        self._only: dict[tuple[str, str], Held] = {}
        self._more: dict[tuple[str, str], int] = {}

    def passes(self, named: Named, name: str) -> bool:
        """Whether a file may be the one, where the user has said which picture is."""
        return not (self._picture and named.by_folder and named.kind == PICTURE) or name == self._picture

    def add(self, held: Held) -> list[Held]:
        """Enter a file; returns those that are of no use any more."""
        place = (held.folder, held.named.kind)
        if place in self._more:
            self._more[place] += 1
            return [held]
        if place in self._only:
            self._more[place] = 2
            return [self._only.pop(place), held]
        self._only[place] = held
        return []

    def resolve(self) -> tuple[list[Held], list[Note]]:
        """Return the files that are the only ones of their kind, and a note for each folder that holds more."""
        notes = []
        for (folder, kind), number in self._more.items():
            what = "name the one to take with --picture" if kind == PICTURE else "none is named like the clip"
            notes.append(Note(NOT_RECOGNISED, folder, f"{number} {kind}s of one clip; {what}"))
        return list(self._only.values()), notes
