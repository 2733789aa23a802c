"""What a download would do, and what yt-dlp is asked: without a network, a program or a change on disk."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.download.plan import CLIP_BYTES, make_plan
from vggss.download.programs import (
    YOUTUBE,
    Programs,
    Request,
    arguments,
    find_programs,
    section_of,
    yt_dlp_command,
    yt_dlp_version,
)
from vggss.errors import DataError, UsageError
from vggss.ledger import ClipRow, FileFacts
from vggss.storage import DataRoot

A, B, C = "zpWuikVorYg_000032", "zpWuikVorYg_000100", "-0BIyqJj9ZU_000030"
TOOLS = Programs(("yt-dlp",), "2026.08.19", "/opt/ffmpeg")


def row(clip: str, state: str, size: int = 5) -> ClipRow:
    facts = (
        FileFacts(f"clips/{clip}.mp4", "0" * 64, size, 10.0, 1, 1, 25.0, 1, 1) if state == "have" else None
    )
    return ClipRow(clip, clip[:11], int(clip[12:]), state, "", "", 1, "", "", "", facts)


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path / "data", "a test")


def test_clips_of_a_video_are_one_job_in_the_order_of_the_list(root: DataRoot) -> None:
    plan = make_plan([A, C, B, A], {}, root)
    assert [(job.video, job.clips) for job in plan.jobs] == [
        ("zpWuikVorYg", {A: 32, B: 100}),
        ("-0BIyqJj9ZU", {C: 30}),
    ]
    assert (plan.clips, plan.wanted, plan.bytes) == (3, 3, 3 * CLIP_BYTES)
    assert not root.path.exists()


def test_what_is_here_or_settled_is_not_asked_for(root: DataRoot) -> None:
    root.clips.mkdir(parents=True)
    root.clip_file(A).write_bytes(b"12345")
    rows = {A: row(A, "have"), B: row(B, "gone"), C: row(C, "blocked")}
    plan = make_plan([A, B, C], rows, root)
    assert (plan.here, plan.settled, [list(job.clips) for job in plan.jobs]) == (1, 1, [[C]])
    assert [list(job.clips) for job in make_plan([A, B, C], rows, root, recheck=True).jobs] == [[B], [C]]


@pytest.mark.parametrize(("content", "wrong"), [(None, "file vanished"), (b"1234", "file changed")])
def test_a_file_that_is_not_as_it_was_is_wanted_again(
    root: DataRoot, content: bytes | None, wrong: str
) -> None:
    root.clips.mkdir(parents=True)
    if content is not None:
        root.clip_file(A).write_bytes(content)
    plan = make_plan([A], {A: row(A, "have")}, root)
    assert plan.lost == {A: wrong} and plan.wanted == 1 and plan.here == 0


def test_ids_that_are_no_vgg_sound_clips_are_told(root: DataRoot) -> None:
    with pytest.raises(UsageError, match=r"1 of 2 ids are no VGG-Sound clips \(first: 10000130166\)"):
        make_plan([A, "10000130166"], {}, root)


def test_the_time_is_never_faster_than_youtube_answers_a_guest(root: DataRoot) -> None:
    plan = make_plan([f"{number:011d}_000001" for number in range(300)], {}, root)
    assert plan.duration(sleep=0.0) == plan.duration(sleep=12.0) == 3600.0
    assert plan.duration(sleep=24.0) == 7200.0


@given(st.integers(0, 999_999), st.floats(0.1, 60))
def test_a_section_holds_its_clip_with_a_margin(start: int, seconds: float) -> None:
    first, last = section_of(start, seconds)
    assert 0 <= first <= start and (first == start - 2 or start < 2)
    assert last >= start + seconds + 1


def test_the_argument_list_names_every_section_once_and_the_address_last(tmp_path: Path) -> None:
    listed = arguments(TOOLS, Request(), "-0BIyqJj9ZU", [30, 100, 30], 10.0, tmp_path)
    sections = [listed[at + 1] for at, one in enumerate(listed) if one == "--download-sections"]
    assert sections == ["*28-42", "*98-112"]
    assert listed[-2:] == ["--", "https://www.youtube.com/watch?v=-0BIyqJj9ZU"]
    assert "--ignore-config" in listed and "--limit-rate" not in listed
    assert listed.count("--js-runtimes") == 3


def test_an_old_yt_dlp_is_not_given_options_that_it_does_not_know(tmp_path: Path) -> None:
    old = Programs(("yt-dlp",), "2025.10.22", "ffmpeg")
    assert "--js-runtimes" not in arguments(old, Request(), "x" * 11, [1], 10.0, tmp_path)


def test_what_the_user_asks_for_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "c.txt").touch()
    request = Request(
        whole=True, cookies=tmp_path / "c.txt", cookies_from_browser="firefox", proxy="socks5://h:1",
        rate_limit="500K", further=("--force-ipv4", "--sleep-requests", "2"),
    )  # fmt: skip
    listed = arguments(TOOLS, request, "x" * 11, [1], 10.0, tmp_path / "work")
    pairs = list(itertools.pairwise(listed))
    for pair in (
        ("--cookies-from-browser", "firefox"),
        ("--proxy", "socks5://h:1"),
        ("--limit-rate", "500K"),
        ("--cookies", str(tmp_path / "work" / "cookies.txt")),  # a copy
    ):
        assert pair in pairs
    assert listed[-5:-2] == ["--force-ipv4", "--sleep-requests", "2"]
    assert "--download-sections" not in listed


@pytest.mark.parametrize("address", ["", "https://youtube.com/", "{video}", "x{video}"])
def test_an_address_without_a_place_for_the_video_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match=r"is no address with \{video\} in it"):
        Request(address)


@pytest.mark.parametrize(
    "given",
    [
        ["https://h/other"],
        ["--force-ipv4", "https://h/other"],
        ["dQw4w9WgXcQ"],
        ["--sleep-requests", "2", "dQw4w9WgXcQ"],
        ["--sleep-requests=2", "dQw4w9WgXcQ"],
        ["--", "https://h/other"],
        ["-a", "list.txt"],
        ["--batch-file=list.txt"],
        ["-o", "x"],
        ["-ox"],
        ["-4ox"],
        ["--outp", "x"],
        ["-P", "/tmp"],
        ["-x"],
        ["--exec", "rm {}"],
        ["--download-sections", "*0-1"],
        ["--downloader-args", "ffmpeg_o:-y"],
        ["--simulate"],
        ["--proxy", "http://h:1"],
        ["-r", "1M"],
    ],
)
def test_further_addresses_and_what_is_ours_to_decide_are_refused(given: list[str]) -> None:
    with pytest.raises(UsageError, match="--"):
        Request(further=tuple(given))


def test_other_options_of_yt_dlp_are_passed_on() -> None:
    given = (
        "-4",
        "-f",
        "18",
        "--referer",
        "https://h/",
        "--downloader",
        "native",
        "--user-agent",
        "a",
        "-S",
        "res:144",
    )
    assert Request(further=given).further == given


def test_what_may_be_secret_in_an_address_is_not_kept() -> None:
    request = Request("http://joe:PW@host/{video}?token=T0K#x", proxy="http://me:PASS@proxy:1")
    assert request.address_of("abc") == "http://joe:PW@host/abc?token=T0K#x"
    assert request.shown("abc") == "http://host/abc"
    said = "no http://joe:PW@host/abc?token=T0K#x, http://host/abc?token=T0K#y via http://me:PASS@proxy:1"
    assert not any(secret in request.hide(said, "abc") for secret in ("joe", "PW", "T0K", "PASS"))
    assert Request("http://h/{video}?a=1").hide("Duration: 00:01:11", "abc") == "Duration: 00:01:11"
    assert Request("http://h/watch?v={video}&key=K").shown("abc") == "http://h/watch?v=abc"
    assert Request().shown("abc") == Request().address_of("abc") == "https://www.youtube.com/watch?v=abc"


def test_only_the_place_of_the_video_is_filled_in() -> None:
    assert Request("http://h/{video}?a={b}&c=%s").address_of("{video}") == "http://h/{video}?a={b}&c=%s"
    assert Request(YOUTUBE).address_of("abc").endswith("watch?v=abc")


def test_what_ffmpeg_cannot_do_needs_whole_videos() -> None:
    for options in ({"rate_limit": "1M"}, {"proxy": "socks5://h:1"}):
        with pytest.raises(UsageError, match="--fetch whole"):
            Request(**options)  # type: ignore[arg-type]
        Request(whole=True, **options)  # type: ignore[arg-type]


def test_cookies_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        Request(cookies=tmp_path / "c.txt")


def test_programs_that_are_not_there_or_do_not_run_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--yt-dlp /no/such is no program"):
        find_programs("/no/such")
    with pytest.raises(DataError, match=r"does not run.*pip install -U"):
        yt_dlp_version((sys.executable, "-c", "import sys; sys.exit(3)"))
    with pytest.raises(DataError, match=r"ended by signal 11"):
        yt_dlp_version((sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"))
    with pytest.raises(DataError, match=r"No module named no_such"):
        yt_dlp_version((sys.executable, "-m", "no_such"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_an_ffmpeg_that_does_not_run_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(DataError, match=r"ffmpeg -version does not run \(exit code 1\).*--ffmpeg"):
        find_programs(None, str(program))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_program_that_is_named_is_taken(tmp_path: Path) -> None:
    program = tmp_path / "my-yt-dlp"
    program.write_text("#!/bin/sh\necho 2031.01.02\n")
    program.chmod(0o755)
    command = yt_dlp_command(str(program))
    assert command == (str(program),)
    assert yt_dlp_version(command) == "2031.01.02"
