"""Data folders to review, and review servers, for the tests of stage 3."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from ingest_cases import video

from vggss.boxes import Box
from vggss.ledger import FileFacts, Ledger, Outcome
from vggss.ledger.stage_records import CandidateRow, Origin, Region, Seen, Verdict
from vggss.ledger.stages import Stages
from vggss.storage import DataRoot

CLIPS = ("AAAAAAAAAAA_000010", "BBBBBBBBBBB_000020", "CCCCCCCCCCC_000030")
DOG = Origin("detector", "ssd-openimages-v4", "Dog /m/0bt9lr", 0.71)
BOX = Box(0.2, 0.2, 0.6, 0.8)

PROGRAM = (sys.executable, "-m", "vggss", "verify")


def candidate(clip: str, *boxes: Box, decision: str = "auto", frame_time: float | None = 5.0) -> CandidateRow:
    """Return what stage 1 found on a clip: these boxes, of a dog."""
    proposed = tuple(Region(box, DOG) for box in boxes or (BOX,))
    raw = (Seen("/m/0bt9lr", "Dog", 0.71, BOX), Seen("/m/01g317", "Person", 0.3, Box(0.5, 0.1, 0.9, 1.0)))
    return CandidateRow(
        clip, "dog barking", "ssd-openimages-v4", "test", 64, 48, frame_time, decision,  # type: ignore[arg-type]
        "one class fits: Dog", proposed if decision == "auto" else (), raw,
    )  # fmt: skip


def facts(clip: str, content: bytes, seconds: float = 10.0) -> FileFacts:
    """Return the integrity manifest of a clip's video."""
    digest = hashlib.sha256(content).hexdigest()
    return FileFacts(f"clips/{clip}.mp4", digest, len(content), seconds, 64, 48, 10.0, 16000, 1)


def home(folder: Path, clips: tuple[str, ...] = CLIPS, seconds: float = 10.0, files: bool = True) -> DataRoot:
    """Fill a data folder with clips and a box on each; without ``files`` the ledger only says that they are there."""
    root = DataRoot(folder, "a test")
    root.clips.mkdir(parents=True, exist_ok=True)
    with Ledger.open(root.ledger) as ledger:
        outcomes = []
        for number, clip in enumerate(clips):
            content = (
                (video(seconds) + b"\0\0\0\x0cfree" + number.to_bytes(4, "big")) if files else clip.encode()
            )
            if files:
                root.clip_file(clip).write_bytes(content)
            outcomes.append(Outcome(clip, "have", facts=facts(clip, content, seconds)))
        ledger.record_many(outcomes)
        Stages(ledger).record_candidates(candidate(clip) for clip in clips)
    return root


def verdicts(root: DataRoot) -> list[Verdict]:
    """Return every verdict in the ledger of a data folder."""
    with Ledger.open(root.ledger, create=False, write=False) as ledger:
        return Stages(ledger).verdicts()


def accept(clip: str, reviewer: str, number: int = 0, *boxes: Box) -> Verdict:
    """Return a verdict that accepts a clip."""
    regions = tuple(Region(box, DOG) for box in boxes or (BOX,))
    return Verdict(clip, reviewer, "accept", "", regions, "dog barking", seconds=10.0, number=number)


def reject(clip: str, reviewer: str, number: int = 0, reason: str = "not audible") -> Verdict:
    """Return a verdict that rejects a clip."""
    return Verdict(clip, reviewer, "reject", reason, (), "dog barking", seconds=20.0, number=number)


def undo(one: Verdict, number: int = 0) -> Verdict:
    """Return the undoing of a verdict."""
    return Verdict(one.clip, one.reviewer, "undo", undoes=one.number, number=number)


def command(*words: object) -> subprocess.CompletedProcess[str]:
    """Run ``vggss verify`` in a process of its own."""
    arguments = [*PROGRAM, *map(str, words)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)


class Server:
    """A review server as a process; ``address`` is what it printed."""

    def __init__(self, root: DataRoot, *words: object) -> None:
        self._words = [*PROGRAM, "--no-browser", "--root", root.path, *words]
        self.start()

    def start(self) -> None:
        """Begin, or begin again."""
        self.process = subprocess.Popen(
            [str(word) for word in self._words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise AssertionError(self.finish())

    def kill(self) -> None:
        """Pull the plug."""
        self.process.kill()
        self.finish()

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; returns the exit code and what was said."""
        self.process.send_signal(signal.SIGINT)
        said = self.finish()
        return self.process.returncode, said

    def finish(self) -> str:
        """Wait for the end; returns standard error."""
        return self.process.communicate(timeout=60)[1]


@contextlib.contextmanager
def serving(root: DataRoot, *words: object) -> Iterator[Server]:
    """Run a review server, and end it whatever happens."""
    server = Server(root, *words)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


class Client:
    """A client of an application in this process; it keeps cookies, and asks one thing after the other."""

    def __init__(self, app: Any, address: str, headers: dict[str, str] | None = None) -> None:
        import httpx

        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url=address, headers=headers)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.run_until_complete(self._http.aclose())
        self._loop.close()

    def request(self, method: str, path: str, **more: Any) -> Any:
        return self._loop.run_until_complete(self._http.request(method, path, **more))

    def get(self, path: str, **more: Any) -> Any:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> Any:
        return self.request("POST", path, **more)
