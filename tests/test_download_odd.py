"""Downloads of odd videos into odd folders: what is stored is what was asked for, or its reason is true."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from coded_video import Coded, assert_exact, run
from download_cases import SECONDS, Shop, clip_id, processes_in, quick, video_id

from vggss.download import Programs, Request
from vggss.download.leftovers import GROUP, sweep
from vggss.ledger import Ledger
from vggss.progress import Stop


def message(shop: Shop, clip: str) -> str:
    with Ledger.open(shop.root.ledger) as ledger:
        row = ledger.row(clip)
    assert row is not None
    return row.message


# A file in the place of a clip


def test_another_clip_in_the_place_of_one_that_was_here_is_never_adopted(shop: Shop, coded: Coded) -> None:
    shop.offer("a", coded.mp4)
    mine, other = clip_id("a", 3), clip_id("a", 20)
    shop.run([mine, other])
    shop.root.clip_file(mine).write_bytes(shop.root.clip_file(other).read_bytes() + b"\0\0\0\x08free")
    shop.offer("a", coded.mp4, page=403)  # not even after a run that could not fetch it again
    assert shop.run([mine]).adopted == 0
    assert shop.states()[mine] == ("blocked", "forbidden")
    shop.offer("a", coded.mp4)
    report = shop.run([mine])
    assert (report.adopted, report.got) == (0, 1)
    assert_exact(shop.root.clip_file(mine), 3, SECONDS)


def test_a_request_to_stop_is_heard_while_files_are_adopted(shop: Shop, coded: Coded) -> None:
    shop.offer("a", coded.mp4)
    clips = [clip_id("a", start) for start in (3, 8, 20)]
    shop.run(clips)
    for leftover in shop.root.path.glob("ledger.sqlite*"):
        leftover.unlink()
    stop = Stop()
    report = shop.run(clips, stop=stop, tick=lambda state: stop.request())
    assert (report.ended, report.adopted) == ("interrupted", 1)
    assert shop.asked("a") == 1


# Odd videos


@pytest.mark.parametrize("whole", [False, True], ids=["sections", "whole"])
def test_picture_and_sound_that_end_early_are_told_apart(
    shop: Shop, coded: Coded, tools: Programs, tmp_path: Path, whole: bool
) -> None:
    both = ["-i", str(coded.mp4), "-i", str(coded.mp4), "-map", "0:v", "-map", "1:a"]
    picture, sound = tmp_path / "picture.mp4", tmp_path / "sound.mp4"
    run(tools.ffmpeg, "-t", "12.5", *both, "-c:v", "libx264", "-c:a", "copy", str(picture))
    run(tools.ffmpeg, *both[:2], "-t", "14", *both[2:], "-c", "copy", str(sound))
    shop.offer("p", picture)
    shop.offer("s", sound)
    clips = [clip_id("p", 12), clip_id("p", 5), clip_id("s", 10), clip_id("s", 20)]
    shop.run(clips, quick(), Request(shop.site.template, whole=whole))
    states = shop.states()
    assert [states[clip] for clip in clips] == [
        ("too_short", "picture ends"),
        ("have", ""),
        ("have", ""),
        ("no_audio", "no sound in the clip"),
    ]
    assert "picture ends at 0.5 s" in message(shop, clips[0])
    assert message(shop, clips[1]) == "picture ends at 7.5 s"
    assert message(shop, clips[2]) == "sound ends at 4.0 s"
    assert "its video has sound" in message(shop, clips[3])


def test_a_video_with_metadata_in_another_encoding_is_fetched(
    shop: Shop, coded: Coded, tools: Programs, tmp_path: Path
) -> None:
    odd = tmp_path / "odd.mp4"
    run(tools.ffmpeg, "-i", str(coded.mp4), "-c", "copy", "-metadata", "title=MARKMARK", str(odd))
    odd.write_bytes(odd.read_bytes().replace(b"MARKMARK", b"caf\xe9 \xff\xfe!"))
    shop.offer("odd", odd)
    assert shop.run([clip_id("odd", 5)], request=Request(shop.site.template, whole=True)).got == 1


def test_an_error_that_nobody_expects_is_that_video_s_own(
    shop: Shop, coded: Coded, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vggss.download import clip, video

    cutting = clip.make_clip

    def make(place: object, temporary: Path, *further: object) -> object:
        if "bad" in temporary.name:
            raise RuntimeError("nobody\nexpects this")
        return cutting(place, temporary, *further)  # type: ignore[arg-type]

    monkeypatch.setattr(video, "make_clip", make)
    shop.offer("bad", coded.mp4)
    shop.offer("good", coded.mp4)
    report = shop.run([clip_id("bad", 5), clip_id("good", 5)])
    assert report.states["have"] == 1 and report.ended == ""
    assert shop.states()[clip_id("bad", 5)] == ("failed", "unexpected")
    assert message(shop, clip_id("bad", 5)) == "RuntimeError: nobody expects this"


def test_a_page_with_two_videos_is_not_stored_as_one(shop: Shop, coded: Coded) -> None:
    two = "".join(
        f'<video><source src="/media/{video_id(name)}/c.mp4" type="video/mp4"></video>' for name in "xy"
    )
    shop.offer("x", coded.mp4)
    shop.offer("y", coded.mp4)
    shop.offer("two", page_body=f"<html><body>{two}</body></html>".encode())
    shop.run([clip_id("two", 5)])
    assert shop.states()[clip_id("two", 5)] == ("failed", "another video")
    assert not shop.root.clip_file(clip_id("two", 5)).exists()


def test_an_address_that_gives_another_video_is_noticed(shop: Shop, coded: Coded, tools: Programs) -> None:
    """As a yt-dlp does that was given another address behind our back."""
    shop.offer("other", coded.mp4)
    request = Request(shop.site.template)
    elsewhere = f"{shop.site.address}/watch/{video_id('other')}"
    object.__setattr__(request, "further", (elsewhere,))
    shop.offer("gone", page=404)
    shop.run([clip_id("gone", 5)], request=request)
    assert shop.states()[clip_id("gone", 5)] == ("failed", "another video")
    assert not shop.root.clip_file(clip_id("gone", 5)).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_yt_dlp_that_crashes_is_told_by_its_signal(shop: Shop, tmp_path: Path) -> None:
    program = tmp_path / "yt-dlp"
    program.write_text("#!/bin/sh\nkill -SEGV $$\n")
    program.chmod(0o755)
    shop.programs = Programs((str(program),), "2026.08.19", shop.programs.ffmpeg)
    report = shop.run([clip_id(f"v{number}", 1) for number in range(5)], quick(jobs=1))
    assert report.ended == "setup" and "ended by signal 11" in report.advice
    assert "pip install -U" not in report.advice


# Addresses


def test_pages_of_another_site_that_are_not_there_stop_the_run_and_stay_wanted(shop: Shop) -> None:
    clips = [clip_id(f"v{number}", 1) for number in range(8)]
    report = shop.run(clips, quick(jobs=1))
    assert report.ended == "setup" and "look at --address" in report.advice
    assert (report.states["failed"], report.states["wanted"], report.states["gone"]) == (5, 3, 0)


def test_passwords_and_tokens_of_an_address_are_kept_nowhere(shop: Shop) -> None:
    address = shop.site.template.replace("//", "//joe:P4SS@") + "?token=T0K3N"
    shop.run([clip_id("a", 1)], request=Request(address))
    assert shop.states()[clip_id("a", 1)] == ("gone", "not found")
    kept = [path.read_bytes() for path in shop.root.path.rglob("*") if path.is_file()]
    assert any(shop.site.address.encode() in one for one in kept)
    assert not any(secret in one for secret in (b"P4SS", b"T0K3N", b"joe") for one in kept)


# What a killed run leaves


@pytest.mark.skipif(
    not Path("/proc/self/cwd").exists(), reason="the system does not tell where a program works"
)
def test_programs_of_a_killed_run_are_ended_by_the_next_one(shop: Shop, coded: Coded, tmp_path: Path) -> None:
    shop.offer("hang", coded.mp4, manner="hang")
    (tmp_path / "wanted.txt").write_text(clip_id("hang", 1) + "\n")
    command = [sys.executable, "-m", "vggss", "download", "--split", str(tmp_path / "wanted.txt")]
    command += ["--address", shop.site.template, "--root", str(shop.root.path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(600):
            if any("/media/" in path for path in shop.site.asked):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    assert processes_in(shop.root.path)
    shop.run([])
    for _ in range(100):
        if not processes_in(shop.root.path):
            break
        time.sleep(0.1)
    assert processes_in(shop.root.path) == []
    assert list(shop.root.work.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="has no process groups")
def test_a_program_that_has_the_number_of_a_dead_one_is_left_alone(tmp_path: Path) -> None:
    job = tmp_path / "download-1" / "video.0"
    job.mkdir(parents=True)
    (job / "cookies.txt").write_text("secret")
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as other:
        (job / GROUP).write_text(str(other.pid))
        sweep(tmp_path)
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0
    assert list(tmp_path.iterdir()) == []
