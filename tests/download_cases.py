"""What the tests of downloading share: programs that are there or a skip, and runs against our server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from video_server import Site, Video

from vggss.download import Manner, Programs, Report, Request, download_clips, find_programs
from vggss.errors import DataError
from vggss.ledger import Event, Ledger
from vggss.storage import DataRoot

SECONDS = 40  # of the video that the fixture `coded` makes


def programs() -> Programs:
    """Return yt-dlp and ffmpeg, or skip."""
    pytest.importorskip("av")
    try:
        return find_programs()
    except DataError as error:
        pytest.skip(str(error))


def video_id(name: str) -> str:
    """Return an id of eleven characters that begins with a name."""
    return f"{name:_<11}"


def clip_id(name: str, start: int) -> str:
    """Return the id of a clip."""
    return f"{video_id(name)}_{start:06d}"


@dataclass
class Shop:
    """A data folder, a server and a way to run a download from the one into the other."""

    root: DataRoot
    site: Site
    programs: Programs
    reports: list[Report] = field(default_factory=list)

    def offer(self, name: str, *files: Path, **manner: Any) -> None:
        """Put a video on the server."""
        self.site.videos[video_id(name)] = Video(files, **manner)

    def run(
        self,
        clips: Iterable[str],
        manner: Manner | None = None,
        request: Request | None = None,
        **further: Any,
    ) -> Report:
        """Run a download without pauses."""
        report = download_clips(
            clips,
            self.root,
            self.programs,
            request or Request(self.site.template),
            manner or quick(),
            seed=0,
            **further,
        )
        self.reports.append(report)
        return report

    def states(self) -> dict[str, tuple[str, str]]:
        """Return state and reason of each clip in the ledger."""
        with Ledger.open(self.root.ledger) as ledger:
            return {row.clip: (row.state, row.reason) for row in ledger.rows()}

    def events(self, clip: str) -> list[Event]:
        """Return what happened to a clip."""
        with Ledger.open(self.root.ledger) as ledger:
            return list(ledger.events(clip))

    def asked(self, name: str) -> int:
        """Return how often the page of a video was asked for."""
        return self.site.pages_of(video_id(name))


def quick(**changes: Any) -> Manner:
    """Return a manner without waiting."""
    return Manner(**({"jobs": 2, "sleep": 0.0, "pause": 0.01, "tries": 2} | changes))


def processes_in(folder: Path) -> list[str]:
    """Return the programs that run in a folder, on a system that tells."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where = str((process / "cwd").readlink())
            if where.startswith(str(folder)):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
