"""A data folder, candidates and annotators for the tests of stage 2."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vggss.boxes import Box
from vggss.ledger import FileFacts, Ledger, Outcome
from vggss.ledger.stage_records import CandidateRow, Entry, Origin, Region
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.batches import recorded
from vggss.pipeline.manual.export import Sharing, plan
from vggss.pipeline.manual.giving import Gift, Place, give
from vggss.pipeline.manual.importing import Manner, take
from vggss.pipeline.manual.pictures import Show, Shown
from vggss.pipeline.manual.taken import Taken
from vggss.prepare.pool import Here
from vggss.progress import Stop
from vggss.storage import DataRoot

WIDTH, HEIGHT = 320, 240
DOG = Origin("detector", "ssd", "Dog (/m/0bt9lr)", 0.81)
LEFT, RIGHT = Box(0.1, 0.2, 0.43, 0.71), Box(0.55, 0.1, 0.93, 0.4)


def clip(number: int) -> str:
    """Return the id of a made-up clip of VGG-Sound."""
    return f"video{number:06d}_{number:06d}"


def candidate(
    name: str, decision: Any = "person", boxes: Iterable[Box] = (), sound_class: str = "dog barking"
) -> CandidateRow:
    """Return what stage 1 found on a clip: some dogs."""
    proposed = tuple(Region(box, DOG) for box in boxes)
    return CandidateRow(
        name, sound_class, "ssd", "settings", WIDTH, HEIGHT, 5.0, decision, f"because of {decision}", proposed
    )


def entry(
    who: str,
    *boxes: Box,
    reason: str = "",
    number: int = 0,
    role: Any = "annotator",
    name: str = "c",
    sound_class: str = "dog barking",
) -> Entry:
    """Return what somebody says of a clip: boxes of their own, or a reason."""
    regions = tuple(Region(box, Origin("annotator", who)) for box in boxes)
    state: Any = "boxes" if regions else "not_localisable"
    return Entry(name, who, sound_class, state, reason, regions, "", role, number=number)


@dataclass
class Lab:
    """A data folder with clips, and what was exported from it; decoding is made up, and counted."""

    root: DataRoot
    out: Path
    decoded: list[str] = field(default_factory=list)
    broken: frozenset[str] = frozenset()

    def add(self, *rows: CandidateRow) -> None:
        """Enter clips and what stage 1 found on them."""
        facts = FileFacts("clips/x.mp4", "0" * 64, 1, 10.0, WIDTH, HEIGHT, 25.0, 16000, 1)
        with Ledger.open(self.root.ledger) as ledger:
            ledger.record_many(Outcome(row.clip, "have", facts=facts) for row in rows)
            Stages(ledger).record_candidates(rows)

    def show(self, job: Show) -> Shown:
        """Stand in for decoding a clip."""
        self.decoded.append(job.clip)
        if job.clip in self.broken:
            return Shown("no picture stream in it")
        content = f"picture of {job.clip}".encode()
        return Shown("", content, b"sound" if job.sound else b"", WIDTH, HEIGHT, 5.0)

    def export(
        self, *annotators: str, which: Any = "person", clips: Any = None, sound: bool = True, **how: Any
    ) -> Gift:
        """Plan and write batches."""
        with Ledger.open(self.root.ledger) as ledger:
            stages = Stages(ledger)
            planned = plan(stages, recorded(self.root), Sharing(annotators, **how), which, clips)
            place = Place(self.out, self.root, sound)
            return give(planned.drafts, ledger, place, Here(self.show), Stop())

    def project(self, folder: str) -> dict[str, Any]:
        """Read a project as it was exported."""
        found: dict[str, Any] = json.loads((self.out / folder / "project.json").read_bytes())
        return found

    def save(self, document: Any, name: str = "saved.json") -> Path:
        """Write what an annotator saved."""
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        return path

    def take(self, path: Path, **manner: Any) -> Taken:
        """Import a file."""
        with Ledger.open(self.root.ledger) as ledger:
            return take(path, Stages(ledger), self.root, Manner(**manner))

    def entries(self) -> list[Entry]:
        """Return all that the ledger has."""
        with Ledger.open(self.root.ledger) as ledger:
            return Stages(ledger).entries()


def lab(folder: Path) -> Lab:
    """Return an empty data folder."""
    return Lab(DataRoot(folder / "root", "a test"), folder / "out")


def images(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the pictures of a project, of VIA's annotations, or of neither."""
    yield from document.get("_via_img_metadata", document).values()


def image(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one picture by its clip."""
    return next(one for one in images(document) if one["file_attributes"].get("clip") == name)


def done(document: dict[str, Any]) -> dict[str, Any]:
    """Tick every picture, as an annotator who agrees with all of it."""
    changed = copy.deepcopy(document)
    for one in images(changed):
        one["file_attributes"]["done"] = {"yes": True}
    return changed


def rect(x: float, y: float, width: float, height: float, **attributes: Any) -> dict[str, Any]:
    """Return a rectangle as VIA saves one that somebody drew."""
    shape = {"name": "rect", "x": x, "y": y, "width": width, "height": height}
    empty = {"group_box": {}, "interaction_point": {}}
    return {"shape_attributes": shape, "region_attributes": {**empty, **attributes}}
