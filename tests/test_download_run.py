"""Downloads begun, stopped and begun again: the real yt-dlp and ffmpeg against a server of ours."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest
from coded_video import Coded
from download_cases import Shop, clip_id, processes_in, quick

from vggss.download import Request
from vggss.errors import UsageError
from vggss.ledger import Ledger, exclusive
from vggss.manifest import write_manifest
from vggss.progress import Stop

# Asking again


def test_several_clips_of_a_video_ask_for_it_once(shop: Shop, coded: Coded) -> None:
    shop.offer("many", coded.mp4)
    clips = [clip_id("many", start) for start in (0, 1, 7, 20, 29)]
    report = shop.run(clips)
    assert report.states["have"] == 5
    assert shop.asked("many") == 1


def test_a_second_run_asks_only_for_what_may_have_changed(shop: Shop, coded: Coded) -> None:
    shop.offer("good", coded.mp4)
    shop.offer("gone", page=404)
    shop.offer("later", coded.mp4, page=403)
    clips = [clip_id(name, 5) for name in ("good", "gone", "later")]
    shop.run(clips)
    shop.offer("later", coded.mp4)
    assert shop.run(clips).states == shop.reports[0].states | {"have": 2, "blocked": 0}
    assert [shop.asked(name) for name in ("good", "gone", "later")] == [1, 1, 2]
    shop.offer("gone", coded.mp4)
    assert shop.run(clips).plan.settled == 1
    assert shop.run(clips, quick(recheck=True)).states["have"] == 3
    assert [shop.asked(name) for name in ("good", "gone", "later")] == [1, 2, 2]


def test_a_file_that_vanished_or_changed_is_fetched_again_and_the_account_says_why(
    shop: Shop, coded: Coded
) -> None:
    shop.offer("a", coded.mp4)
    clips = [clip_id("a", 3), clip_id("a", 20)]
    shop.run(clips)
    shop.root.clip_file(clips[0]).unlink()
    shop.root.clip_file(clips[1]).write_bytes(b"something else")
    assert shop.run(clips).got == 2
    assert [(e.state, e.reason) for e in shop.events(clips[0])][-2:] == [
        ("wanted", "file vanished"),
        ("have", ""),
    ]
    assert [(e.state, e.reason) for e in shop.events(clips[1])][-2:] == [
        ("wanted", "file changed"),
        ("have", ""),
    ]


def test_a_whole_clip_that_the_ledger_does_not_know_is_checked_and_adopted(shop: Shop, coded: Coded) -> None:
    shop.offer("a", coded.mp4)
    clips = [clip_id("a", 3), clip_id("a", 20)]
    shop.run(clips)
    for leftover in shop.root.path.glob("ledger.sqlite*"):
        leftover.unlink()
    half = shop.root.clip_file(clips[1])
    half.write_bytes(half.read_bytes()[:5000])
    report = shop.run(clips)
    assert (report.adopted, report.got, shop.asked("a")) == (1, 1, 2)
    assert shop.states() == {clips[0]: ("have", "adopted"), clips[1]: ("have", "")}


def test_folders_of_dead_runs_are_removed_and_those_of_others_are_not(shop: Shop) -> None:
    for name in ("download-123/x.0", "prepare-1"):
        (shop.root.work / name).mkdir(parents=True)
    shop.run([])
    assert [path.name for path in shop.root.work.iterdir()] == ["prepare-1"]


# Stopping


def test_a_wall_stops_the_run_after_a_few_refusals(shop: Shop) -> None:
    names = [f"v{number}" for number in range(8)]
    for name in names:
        shop.offer(name, page=429, retry_after=3600)
    report = shop.run([clip_id(name, 1) for name in names], quick(jobs=1))
    assert report.ended == "wall"
    assert "Wait an hour" in report.advice
    assert sum(map(shop.asked, names)) == 3
    assert report.states["limited"] == 3 and report.states["wanted"] == 5


def test_a_dead_network_stops_the_run(shop: Shop) -> None:
    clips = [clip_id(f"v{number}", 1) for number in range(9)]
    report = shop.run(clips, quick(tries=1), Request("http://127.0.0.1:9/{video}"))
    assert report.ended == "network"
    assert "Connection refused" in report.advice
    assert 5 <= report.states["network"] <= 6
    assert sum(report.states.values()) == 9


def test_an_option_that_yt_dlp_does_not_know_stops_the_run(shop: Shop, coded: Coded) -> None:
    clips = [clip_id(f"v{number}", 1) for number in range(9)]
    report = shop.run(clips, quick(jobs=1), Request(shop.site.template, further=("--no-such-option",)))
    assert report.ended == "setup"
    assert "no such option: --no-such-option" in report.advice
    assert report.states["failed"] == 1


def test_a_yt_dlp_that_hangs_is_killed_with_what_it_started(shop: Shop, coded: Coded) -> None:
    shop.offer("hang", coded.mp4, manner="hang")
    begun = time.monotonic()
    report = shop.run([clip_id("hang", 1)], quick(tries=1), Request(shop.site.template, timeout=3))
    assert time.monotonic() - begun < 30
    assert shop.states()[clip_id("hang", 1)] == ("network", "timed out")
    assert report.ended == ""
    assert processes_in(shop.root.path) == []


def test_a_request_to_stop_drops_what_is_being_fetched(shop: Shop, coded: Coded) -> None:
    shop.offer("hang", coded.mp4, manner="hang")
    shop.offer("good", coded.mp4)
    stop = Stop()
    clips = [clip_id("good", 1), clip_id("hang", 1), clip_id("good2", 1)]
    report = shop.run(clips, stop=stop, tick=lambda state: stop.request())
    assert report.ended == "interrupted"
    assert shop.states()[clip_id("good", 1)] == ("have", "")
    assert shop.states()[clip_id("hang", 1)] == ("wanted", "")
    assert processes_in(shop.root.path) == []
    assert list(shop.root.work.iterdir()) == []


def test_one_download_at_a_time_works_on_a_data_folder(shop: Shop) -> None:
    with (
        exclusive(shop.root.path / "download.lock", "vggss download"),
        pytest.raises(UsageError, match="another `vggss download`"),
    ):
        shop.run([clip_id("a", 1)])


def test_a_data_folder_that_is_a_file_is_told(shop: Shop) -> None:
    shop.root.path.write_text("")
    with pytest.raises(Exception, match="cannot write"):
        shop.run([clip_id("a", 1)])


# How it asks


def test_cookies_are_sent_and_the_file_is_never_written(shop: Shop, coded: Coded, tmp_path: Path) -> None:
    shop.offer("a", coded.mp4)
    cookies = tmp_path / "cookies.txt"
    cookies.write_text(
        "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tsession\tsecret\n"
    )
    before = (cookies.read_bytes(), cookies.stat().st_mtime_ns)
    report = shop.run([clip_id("a", 1)], request=Request(shop.site.template, cookies=cookies))
    assert report.got == 1
    assert "session=secret" in shop.site.cookies
    assert (cookies.read_bytes(), cookies.stat().st_mtime_ns) == before
    assert b"secret" not in shop.root.manifest.read_bytes()


def test_the_start_of_videos_keeps_its_distance(shop: Shop) -> None:
    for name in ("a", "b", "c"):
        shop.offer(name, page=404)
    begun = time.monotonic()
    shop.run([clip_id(name, 1) for name in ("a", "b", "c")], quick(jobs=3, sleep=1.5))
    assert time.monotonic() - begun >= 3.0


def test_a_limit_takes_the_first_videos_only(shop: Shop) -> None:
    for name in ("a", "b", "c"):
        shop.offer(name, page=404)
    report = shop.run([clip_id(name, 1) for name in ("a", "b", "c")], quick(limit=2))
    assert report.states["gone"] == 2 and report.states["wanted"] == 1


def test_the_manifest_of_some_clips_keeps_their_order_and_lists_the_unknown(
    shop: Shop, tmp_path: Path
) -> None:
    shop.offer("a", page=404)
    shop.run([clip_id("a", 1)])
    with Ledger.open(shop.root.ledger) as ledger:
        write_manifest(ledger, tmp_path / "some.csv", [clip_id("b", 2), clip_id("a", 1)])
    with (tmp_path / "some.csv").open(newline="") as stream:
        rows = [(row["clip"], row["state"]) for row in csv.DictReader(stream)]
    assert rows == [(clip_id("b", 2), "wanted"), (clip_id("a", 1), "gone")]
