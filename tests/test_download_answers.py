"""One download over everything that a server can answer: the real yt-dlp and ffmpeg, a server of ours."""

from __future__ import annotations

import csv
import hashlib

import pytest
from coded_video import Coded, run
from download_cases import SECONDS, Shop, clip_id, quick, video_id
from video_server import NOT_A_VIDEO, Site

from vggss.download import Programs
from vggss.download.policy import Patience
from vggss.ledger import Ledger
from vggss.manifest import COLUMNS
from vggss.storage import DataRoot

pytestmark = pytest.mark.slow  # one run of half a minute, looked at from several sides

ANSWERS = {
    "good": ("have", ""),
    "flaky": ("have", ""),
    "tail": ("have", ""),  # the video ends eight seconds into the clip
    "p404": ("gone", "not found"),
    "p403": ("blocked", "forbidden"),
    "m403": ("blocked", "forbidden"),
    "p429": ("limited", "too many requests"),
    "m429": ("limited", "too many requests"),
    "p500": ("network", "server error"),
    "cut": ("network", "cut off"),
    "html": ("network", "not a video"),
    "hotel": ("network", "not a video"),
    "silent": ("no_audio", "no sound"),
    "sound": ("cut_failed", "no picture"),
    "short": ("too_short", "video ends"),
    "absent": ("gone", "not found"),
}
STARTS = {"tail": SECONDS - 8, "short": SECONDS - 1}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory, site: Site, coded: Coded, tools: Programs) -> Shop:
    folder = tmp_path_factory.mktemp("account")
    silent, sound = folder / "silent.mp4", folder / "sound.m4a"
    run(tools.ffmpeg, "-i", str(coded.mp4), "-an", "-c", "copy", str(silent))
    run(tools.ffmpeg, "-i", str(coded.mp4), "-vn", "-c", "copy", str(sound))
    site.videos.clear()
    site.asked.clear()
    shop = Shop(DataRoot(folder / "root", "a test"), site, tools)
    for name in ("good", "tail", "short"):
        shop.offer(name, coded.mp4)
    shop.offer("flaky", coded.mp4, page=500, fails=1)
    for status in (404, 403, 429, 500):
        shop.offer(f"p{status}", coded.mp4, page=status, retry_after=5)
    for status in (403, 429):
        shop.offer(f"m{status}", coded.mp4, media=status)
    for manner in ("cut", "html"):
        shop.offer(manner, coded.mp4, manner=manner)
    shop.offer("hotel", page_body=NOT_A_VIDEO)
    shop.offer("silent", silent)
    shop.offer("sound", sound)
    clips = [clip_id(name, STARTS.get(name, 10)) for name in ANSWERS]
    shop.run(clips, quick(patience=Patience(99, 99, 99)))
    return shop


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_gets_its_state_and_reason(account: Shop, name: str) -> None:
    assert account.states()[clip_id(name, STARTS.get(name, 10))] == ANSWERS[name]


def test_the_report_accounts_for_every_clip_once(account: Shop) -> None:
    report = account.reports[0]
    assert sum(report.reasons.values()) == sum(report.states.values()) == len(ANSWERS)
    assert report.states["have"] == report.got == 3
    assert report.ended == ""


def test_only_network_failures_are_tried_again_within_a_run(account: Shop) -> None:
    for name, (state, _) in ANSWERS.items():
        assert account.asked(name) == (2 if state == "network" or name == "flaky" else 1), name


def test_the_disk_holds_the_clips_that_the_ledger_says_and_nothing_else(account: Shop) -> None:
    have = {clip for clip, (state, _) in account.states().items() if state == "have"}
    assert {path.name for path in account.root.clips.iterdir()} == {f"{clip}.mp4" for clip in have}
    assert list(account.root.work.iterdir()) == []


def test_the_manifest_says_what_each_file_is(account: Shop) -> None:
    with account.root.manifest.open(newline="") as stream:
        rows = {row["clip"]: row for row in csv.DictReader(stream)}
    assert list(next(iter(rows.values()))) == list(COLUMNS)
    assert {clip: (row["state"], row["reason"]) for clip, row in rows.items()} == account.states()
    row = rows[clip_id("good", 10)]
    content = (account.root.path / row["path"]).read_bytes()
    assert row["sha256"] == hashlib.sha256(content).hexdigest()
    assert int(row["bytes"]) == len(content)
    assert (row["width"], row["height"], row["fps"], row["duration"]) == ("160", "120", "30.0", "10.0")
    assert row["source"] == account.site.address + "/watch/" + video_id("good")
    assert rows[clip_id("p404", 10)]["sha256"] == rows[clip_id("p404", 10)]["path"] == ""


def test_a_clip_that_outlasts_its_video_is_kept_with_its_length(account: Shop) -> None:
    with Ledger.open(account.root.ledger) as ledger:
        row = ledger.row(clip_id("tail", STARTS["tail"]))
    assert row is not None and row.facts is not None
    assert row.facts.duration == pytest.approx(8.0, abs=0.1)
    assert row.tool == f"yt-dlp {account.programs.version}"
