"""What `vggss doctor` finds, and that it says how to mend it."""

from __future__ import annotations

import datetime
import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from vggss import doctor
from vggss.cli.doctor import doctor as command
from vggss.doctor import Finding, age_of, check_cookies, examine, runtime_of, solver_of
from vggss.storage import DataRoot

TODAY = datetime.date(2026, 11, 23)
NOW = 1_800_000_000.0
SAID = """[debug] Command-line config: ['-v']
[debug] Optional libraries: certifi-2026.10.18, requests-2.34.2, yt_dlp_ejs-0.8.0
[debug] JS runtimes: {runtimes}
"""


def cookies(path: Path, *rows: tuple[str, int, str], mode: int = 0o600) -> Path:
    lines = [f"{domain}\tTRUE\t/\tTRUE\t{expires}\t{name}\tsecret" for domain, expires, name in rows]
    path.write_text("\n".join(["# Netscape HTTP Cookie File", "", *lines, ""]))
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("version", "status", "found"),
    [
        ("2026.11.20", "ok", "3 days old"),
        ("2026.09.24", "ok", "60 days old"),
        ("2026.09.23", "warn", "61 days old"),
        ("2026.11.20.232901.dev0", "ok", "3 days old"),
        ("unknown", "warn", "of unknown age"),
        ("2026.19.99", "warn", "of unknown age"),
    ],
)
def test_a_yt_dlp_grows_old_in_two_months(version: str, status: str, found: str) -> None:
    finding = age_of(version, TODAY)
    assert finding.status == status and found in finding.found
    assert ("pip install -U" in finding.mend) == (status == "warn")


@pytest.mark.parametrize(
    ("runtimes", "status"),
    [
        ("deno-2.9.8", "ok"),
        ("deno-2.9.8, node-20.20.2 (unsupported)", "ok"),
        ("node-18.19.1 (unsupported)", "missing"),
        ("none", "missing"),
    ],
)
def test_a_runtime_counts_only_if_yt_dlp_can_use_it(runtimes: str, status: str) -> None:
    finding = runtime_of(SAID.format(runtimes=runtimes), "2026.08.19")
    assert finding.status == status
    assert ("deno" in finding.mend) == (status == "missing")


def test_a_yt_dlp_from_before_runtimes_is_told() -> None:
    finding = runtime_of("[debug] Loaded 1800 extractors\n", "2024.12.06")
    assert finding.status == "missing" and "too old" in finding.found


def test_the_scripts_for_the_runtime_are_looked_for() -> None:
    assert solver_of(SAID).status == "ok"
    assert solver_of(SAID.replace("yt_dlp_ejs-0.8.0", "")).status == "missing"


def test_good_cookies_are_fine(tmp_path: Path) -> None:
    path = cookies(tmp_path / "c", (".youtube.com", 2_000_000_000, "LOGIN_INFO"), (".google.com", 0, "SID"))
    assert check_cookies(path, NOW).status == "ok"


@pytest.mark.parametrize(
    ("rows", "status", "found"),
    [
        ([(".example.com", 0, "a")], "broken", "no cookie of youtube.com"),
        (
            [(".youtube.com", 1_000_000_000, "LOGIN_INFO")],
            "broken",
            "all 1 cookies of youtube.com have expired",
        ),
        ([(".youtube.com", 0, "PREF")], "warn", "none of a session that is logged in"),
        ([(".notyoutube.com.evil.org", 0, "LOGIN_INFO")], "broken", "no cookie of youtube.com"),
    ],
)
def test_cookies_that_will_not_help_are_told(
    tmp_path: Path, rows: list[tuple[str, int, str]], status: str, found: str
) -> None:
    finding = check_cookies(cookies(tmp_path / "c", *rows), NOW)
    assert (finding.status, found in finding.found, bool(finding.mend)) == (status, True, True)
    assert "secret" not in finding.found + finding.mend


@pytest.mark.parametrize("content", [b"", b"[{}]", b"a=b; c=d", b"\xff\xfe\x00"])
def test_a_file_that_is_no_cookies_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c").write_bytes(content)
    assert "is not in Netscape's format" in check_cookies(tmp_path / "c", NOW).found


def test_cookies_that_others_can_read_are_told(tmp_path: Path) -> None:
    path = cookies(tmp_path / "c", (".youtube.com", 0, "SAPISID"), mode=0o644)
    assert check_cookies(path, NOW).mend == f"chmod 600 {path}"


def test_cookies_that_are_not_there_are_told(tmp_path: Path) -> None:
    assert check_cookies(tmp_path / "c", NOW).status == "missing"


def test_programs_that_are_not_there_are_told(tmp_path: Path) -> None:
    found = {
        one.name: one
        for one in examine(DataRoot(tmp_path, ""), yt_dlp="/no/yt", ffmpeg="/no/ff", offline=True)
    }
    assert found["yt-dlp"].status == found["ffmpeg"].status == "missing"
    assert all("pip install" in found[name].mend for name in ("yt-dlp", "ffmpeg"))
    assert "network" not in found


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_an_ffmpeg_that_cannot_encode_is_broken(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text('#!/bin/sh\necho "ffmpeg version 4.0 Copyright"\necho " A....D aac    AAC"\n')
    program.chmod(0o755)
    finding = doctor._ffmpeg(str(program))
    assert finding.status == "broken" and "cannot encode libx264" in finding.found


def test_a_torch_that_does_not_fit_torchvision_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("__version__ = '2.13.0+cpu'")
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    finding = doctor._torch()
    assert finding.status == "broken"
    assert "operator torchvision::nms does not exist" in finding.found
    assert "pip install -U torch torchvision" in finding.mend


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_broken(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert doctor._disk(DataRoot(tmp_path / "data", "")).status == "broken"


def test_a_small_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "free_bytes", lambda path: 10**9)
    finding = doctor._disk(DataRoot(tmp_path / "not" / "yet", ""))
    assert finding.status == "warn" and "1.0 GB free" in finding.found and "--root" in finding.mend


def test_a_dangling_link_among_the_clips_counts_nothing(tmp_path: Path) -> None:
    root = DataRoot(tmp_path, "")
    root.clips.mkdir()
    root.clip_file("zpWuikVorYg_000032").symlink_to(tmp_path / "nowhere")
    assert doctor._disk(root).status in ("ok", "warn")


@pytest.mark.parametrize("expires", ["1999999999.5", "-", "soon", "-1", ""])
def test_the_expiry_of_a_cookie_is_read_as_yt_dlp_reads_it(tmp_path: Path, expires: str) -> None:
    path = cookies(tmp_path / "c", (".youtube.com", 0, "LOGIN_INFO"))
    path.write_text(path.read_text() + f".youtube.com\tTRUE\t/\tTRUE\t{expires}\tPREF\tx\nnonsense\n")
    finding = check_cookies(path, NOW)
    assert finding.status == "ok"
    assert finding.found.startswith("2 valid" if expires in ("1999999999.5", "") else "1 valid")


def test_no_network_is_a_warning_with_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "YOUTUBE", "https://no-such-host.invalid/watch?v={video}")
    finding = doctor._network()
    assert finding.status == "warn" and "vggss ingest" in finding.mend


@pytest.mark.parametrize("status", ["ok", "warn", "missing", "broken"])
def test_the_command_fails_only_if_something_must_be_mended(
    status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda *_, **__: [Finding("thing", status, "found", "mend")])
    result = CliRunner().invoke(command, ["--root", str(tmp_path), "--json"])
    assert result.exit_code == (1 if status in ("missing", "broken") else 0)
    assert json.loads(result.stdout) == [
        {"name": "thing", "status": status, "found": "found", "mend": "mend"}
    ]
    plain = CliRunner().invoke(command, ["--root", str(tmp_path)]).stdout
    assert [line.split() for line in plain.splitlines()] == [[status, "thing", "found"], ["mend"]]


def test_this_machine_is_looked_at(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--root", str(tmp_path), "--offline", "--json"])
    names = [finding["name"] for finding in json.loads(result.stdout)]
    assert {"yt-dlp", "ffmpeg", "PyAV", "disk", "torch"} <= set(names)
    assert list(tmp_path.iterdir()) == []
