"""Which clip a picture of an annotator's file is: by its batch, by its attributes, or by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vggss.clip_id import canonical, without_folder_and_extension
from vggss.errors import DataError, printable, some
from vggss.ledger.stage_records import CandidateRow
from vggss.pipeline.manual.batches import Batch, Given, Role
from vggss.pipeline.manual.names import identity
from vggss.pipeline.via import ViaImage

_INSIDE = re.compile(r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]{11}_[0-9]{6})(?![0-9A-Za-z])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Known:
    """A picture that was understood.

    ``given`` is what it was when it was given out, None for a picture from elsewhere; ``width`` and ``height`` are of
    its frame (pixels), never from the file; ``note`` says how it was recognised if not by its name.
    """

    clip: str
    sound_class: str
    width: int
    height: int
    given: Given | None
    note: str = ""


class Whose:
    """All batches that were given out, all that stage 1 has seen, and the sizes of frames (see :mod:`sizes`)."""

    def __init__(
        self,
        batches: Iterable[Batch],
        candidates: Mapping[str, CandidateRow],
        sizes: Mapping[str, tuple[int, int]],
    ) -> None:
        self._candidates = candidates
        self._sizes = sizes
        self._folders: dict[str, Batch] = {}
        self._pictures: dict[str, list[tuple[Batch, Given]]] = {}
        self._clips: dict[str, list[tuple[Batch, Given]]] = {}
        for batch in batches:
            self._folders[batch.folder] = batch
            for one in batch.given:
                self._pictures.setdefault(one.picture, []).append((batch, one))
                self._clips.setdefault(one.clip, []).append((batch, one))

    def batch(self, image: ViaImage) -> Batch | None:
        """Return the batch that a picture says it belongs to."""
        named = image.attributes.get("batch")
        return self._folders.get(named) if isinstance(named, str) else None

    def find(self, image: ViaImage, annotator: str, role: Role, where: str) -> Known:
        """Say which clip a picture is.

        Its file name counts, looked up in the batch that it names, then in the annotator's batches, then in any.
        Where the name is not that of a picture that was given out, the attribute ``clip`` is believed; then a clip id
        that stands in the name.

        Raises
        ------
        DataError
            it cannot be told, or name and attribute contradict each other; or the size of its frame is not known.
        """
        name = image.filename.replace("\\", "/").rsplit("/", 1)[-1]
        said = image.attributes.get("clip")
        hint: str = said if isinstance(said, str) and self._is_known(said) else ""
        hits = self._pictures.get(name, [])
        if hits:
            given = self._best(hits, self.batch(image), annotator, role)[1]
            if hint and hint != given.clip:
                raise DataError(
                    f"{where}: its name is that of {printable(given.clip)}, its attribute clip says "
                    f"{printable(hint)}; correct one of them"
                )
            return self._known(given.clip, given, "")
        clip = hint or self._in_name(name, where)
        others = self._clips.get(clip, [])
        given_too = self._best(others, self.batch(image), annotator, role)[1] if others else None
        return self._known(clip, given_too, self._how(name, hint, clip), where)

    def _how(self, name: str, said: str, clip: str) -> str:
        if without_folder_and_extension(name) == clip:
            return ""
        by = "its attribute clip" if said else "the id in its name"
        return f"{printable(name)} is no picture that was given out; taken for {printable(clip)} by {by}"

    def _best(
        self, hits: list[tuple[Batch, Given]], batch: Batch | None, annotator: str, role: Role
    ) -> tuple[Batch, Given]:
        def rank(hit: tuple[Batch, Given]) -> tuple[bool, bool, bool, int]:
            one = hit[0]
            return (
                one is batch,
                identity(one.annotator) == identity(annotator) and one.role == role,
                one.role == role,
                one.number,
            )

        return max(hits, key=rank)

    def _is_known(self, clip: str) -> bool:
        return clip in self._clips or clip in self._candidates

    def _in_name(self, name: str, where: str) -> str:
        whole = without_folder_and_extension(name)
        if self._is_known(whole):
            return whole
        found = {canonical(whole) or "", *_INSIDE.findall(name)} - {""}
        known: list[str] = sorted(clip for clip in found if self._is_known(clip))
        if len(known) == 1:
            return known[0]
        what = (
            f"names {some(known)}"
            if known
            else "is no picture that was given out and names no clip that is known"
        )
        raise DataError(
            f"{where}: {printable(name)} {what}; give the file its name back (batches.csv has it), or leave the "
            f"picture out"
        )

    def _known(self, clip: str, given: Given | None, note: str, where: str = "") -> Known:
        row = self._candidates.get(clip)
        sound_class = given.sound_class if given else row.sound_class if row else ""
        if given:
            return Known(clip, sound_class, given.width, given.height, given, note)
        if clip not in self._sizes:
            raise DataError(
                f"{where}: the size of the frame of {printable(clip)} is not known; bring the clip into the data folder "
                f"(`vggss download` or `vggss ingest`), or hand in the project that was given out"
            )
        return Known(clip, sound_class, *self._sizes[clip], None, note)
