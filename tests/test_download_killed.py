"""A download of a few hundred clips, killed and interrupted at random points, and run again until it is done."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from coded_video import make_coded
from download_cases import clip_id, programs, video_id
from video_server import NOT_A_VIDEO, Site, Video, serving

from vggss.ledger import Ledger
from vggss.media import verify_clip
from vggss.storage import DataRoot

SECONDS = 120
STARTS = range(0, 80, 10)  # eight clips a video: 320 clips of 40 videos
GOOD, GONE, SHUT, ODD = range(12), range(12, 30), range(30, 38), range(38, 40)
KILLS = 8


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "served"
    folder.mkdir()
    mp4 = make_coded(folder, programs().ffmpeg, SECONDS, ("mp4",)).mp4
    with serving() as running:
        for number in range(40):
            video = Video((mp4,))
            if number in GONE:
                video = Video(page=410)
            elif number in SHUT:
                video = Video(page=403)
            elif number in ODD:
                video = Video(page_body=NOT_A_VIDEO)
            running.videos[video_id(f"v{number}")] = video
        yield running


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_accounts_for_every_clip_exactly_once(
    tmp_path: Path, site: Site
) -> None:
    clips = [clip_id(f"v{number}", start) for number in range(40) for start in STARTS]
    (tmp_path / "ids.txt").write_text(
        "".join(f"{clip}\n" for clip in random.Random(1).sample(clips, len(clips)))
    )
    root = DataRoot(tmp_path / "root", "a test")
    chance = random.Random(2026)
    codes = Counter[int]()
    seen: dict[str, tuple[int, int]] = {}
    for number in range(KILLS):
        process = _start(tmp_path, site, subprocess.DEVNULL)
        how = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.5 + chance.random() * 5 + number * 0.5)
        if process.poll() is None:
            process.send_signal(how)
        codes[process.wait(60)] += 1
        _assert_consistent(root, seen)
    with _start(tmp_path, site, subprocess.PIPE) as last:
        said, errors = last.communicate(timeout=400)
    assert last.returncode == 0, errors.decode()
    assert codes[-signal.SIGKILL] >= 2, codes
    assert codes[130] >= 1, codes
    _assert_consistent(root, seen)
    _assert_complete(root, clips)
    states = json.loads(said)["states"]
    assert (
        states["have"] == 96 and states["gone"] == 144 and states["blocked"] == 64 and states["network"] == 16
    )
    for number in GONE:
        assert site.pages_of(video_id(f"v{number}")) <= 1 + KILLS


def _start(folder: Path, site: Site, said: int) -> subprocess.Popen[bytes]:
    arguments = ["download", "--split", str(folder / "ids.txt"), "--root", str(folder / "root"), "--json"]
    arguments += [
        "--address",
        site.template,
        "--sleep",
        "0",
        "--pause",
        "0.1",
        "--retries",
        "0",
        "--jobs",
        "3",
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "vggss", *arguments],
        stdout=said,
        stderr=said,
        start_new_session=True,
    )


def _assert_consistent(root: DataRoot, seen: dict[str, tuple[int, int]]) -> None:
    """Whatever has a clip's name is whole; what the ledger has is on disk, as it was when it was first seen there."""
    if not root.ledger.is_file():
        return
    with Ledger.open(root.ledger) as ledger:
        have = {row.clip: row.facts for row in ledger.rows(states={"have"})}
    for clip, facts in have.items():
        assert facts is not None
        status = root.clip_file(clip).stat()
        assert status.st_size == facts.bytes
        assert seen.setdefault(clip, (status.st_ino, status.st_mtime_ns)) == (
            status.st_ino,
            status.st_mtime_ns,
        )
    for path in root.clips.glob("*"):
        assert path.suffix == ".mp4" and verify_clip(path).duration == pytest.approx(10.0, abs=0.1)


def _assert_complete(root: DataRoot, clips: list[str]) -> None:
    with Ledger.open(root.ledger) as ledger:
        rows = {row.clip: row for row in ledger.rows()}
        got = Counter(event.clip for event in ledger.events() if event.state == "have")
    assert sorted(rows) == sorted(clips)
    have = {clip for clip, row in rows.items() if row.state == "have"}
    assert {path.stem for path in root.clips.iterdir()} == have == set(got)
    assert set(got.values()) == {1}
    assert not any(row.state == "wanted" for row in rows.values())
    assert [path for path in root.work.iterdir() if path.name.startswith("download-")] == []
    assert [path for path in root.path.iterdir() if path.suffix in (".part", ".tmp")] == []
    assert time.time() - root.manifest.stat().st_mtime < 600
