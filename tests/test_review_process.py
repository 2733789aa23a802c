"""The review server as a process: its port and token, kill -9, Ctrl-C, and what it says when it cannot start."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import random
import re
import socket
import stat
import threading
import time
import webbrowser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("starlette", reason="Starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")
pytest.importorskip("av", reason="PyAV is not installed")

from review_cases import BOX, CLIPS, command, home, serving, verdicts

from vggss.errors import DataError
from vggss.ledger import Ledger
from vggss.ledger.stages import Stages
from vggss.media.cut import ffmpeg_program
from vggss.pipeline.review.browser import in_browser
from vggss.pipeline.review.server import REMEMBERED, _remembered, door
from vggss.storage import DataRoot

A, B, C = CLIPS


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    try:
        ffmpeg_program()
    except DataError as error:
        pytest.skip(str(error))
    return home(tmp_path / "root")


def _ask(address: str, path: str, body: dict[str, Any] | None = None) -> Any:
    parts = urlsplit(address)
    token = parts.query.removeprefix("token=")
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    headers = {"X-Vggss-Token": token, "Content-Type": "application/json"}
    connection.request("GET" if body is None else "POST", path, body and json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content)


def _accept(clip: str, reviewer: str = "anna") -> dict[str, Any]:
    region = {"from": 0, "bbox": list(BOX.as_tuple())}
    return {"reviewer": reviewer, "window": reviewer, "clip": clip, "action": "accept", "regions": [region]}


def test_it_prints_one_address_on_this_machine_and_ends_well_at_ctrl_c(root: DataRoot) -> None:
    with serving(root) as server:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", server.address)
        assert _ask(server.address, "/api/verdict", _accept(A))[0] == 200
        code, said = server.interrupt()
    assert code == 0
    assert "3 clips to review" in said and "1 verdict given" in said and "Traceback" not in said
    (memory,) = root.work.glob("review-*")
    assert json.loads(memory.read_text())["token"] == ""


def test_the_server_after_a_clean_end_has_the_same_port_and_another_token(root: DataRoot) -> None:
    with serving(root) as server:
        first = urlsplit(server.address)
        server.interrupt()
        server.start()
        second = urlsplit(server.address)
    assert first.netloc == second.netloc and first.query != second.query


def test_a_server_that_is_killed_has_lost_no_verdict_and_the_next_one_takes_its_place(root: DataRoot) -> None:
    with serving(root) as server:
        first = server.address
        (memory,) = root.work.glob("review-*.json")
        assert stat.S_IMODE(memory.stat().st_mode) == 0o600
        for number, clip in enumerate(CLIPS[:2], 1):
            assert _ask(server.address, "/api/verdict", _accept(clip))[1]["recorded"] == number
            server.kill()
            assert [one.clip for one in verdicts(root)] == list(CLIPS[:number])
            server.start()
            assert server.address == first
        assert _ask(server.address, "/api/verdict", _accept(B))[1]["recorded"] == 2  # the page sends it again


def test_no_verdict_that_was_answered_is_lost_however_often_the_plug_is_pulled(tmp_path: Path) -> None:
    clips = tuple(f"{number:011d}_000000" for number in range(400))
    root = home(tmp_path / "many", clips, files=False)
    answered: list[str] = []
    left = iter(clips)
    with serving(root) as server:
        for _ in range(3):
            killer = threading.Timer(random.uniform(0.1, 0.5), server.process.kill)
            killer.start()
            with contextlib.suppress(OSError, http.client.HTTPException):
                for clip in left:
                    assert _ask(server.address, "/api/verdict", _accept(clip))[0] == 200
                    answered.append(clip)
            killer.join()
            server.finish()
            entered = [one.clip for one in verdicts(root)]
            assert set(answered) <= set(entered) and len(entered) == len(set(entered))
            assert (
                len(set(entered) - set(answered)) <= 3
            )  # one at each kill: entered, and not answered any more
            server.start()


def test_two_servers_on_one_folder_have_their_own_doors_and_share_the_queue(root: DataRoot) -> None:
    with serving(root) as one, serving(root) as other:
        assert one.address != other.address
        first = _ask(one.address, "/api/next", {"reviewer": "anna"})[1]["clip"]["id"]
        second = _ask(other.address, "/api/next", {"reviewer": "bob"})[1]["clip"]["id"]
        assert (first, second) == (A, B)
        wrong = one.address.split("?")[0] + "?" + other.address.split("?")[1]
        assert _ask(wrong, "/api/hello")[0] == 403


def test_only_a_fresh_plain_file_of_ones_own_gives_its_token(tmp_path: Path) -> None:
    memory = tmp_path / "review-1.json"
    memory.write_text(json.dumps({"token": "x" * 43}))
    memory.chmod(0o600)
    assert _remembered(memory) == "x" * 43
    link, pipe = tmp_path / "review-2.json", tmp_path / "review-3.json"
    link.symlink_to(memory)
    os.mkfifo(pipe, 0o600)
    assert _remembered(link) is None and _remembered(pipe) is None
    assert _remembered(tmp_path / "none.json") is None
    now = time.time()
    os.utime(memory, (now, now - REMEMBERED - 60))
    assert _remembered(memory) == ""
    memory.write_text(json.dumps({"token": "short"}))
    assert _remembered(memory) == ""
    memory.chmod(0o640)
    assert _remembered(memory) is None


def test_a_server_at_work_keeps_its_files_time_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vggss.pipeline.review.server.SIGN", 0.01)
    with door(DataRoot(tmp_path, "a test")) as opened:
        memory = tmp_path / "work" / f"review-{opened.port}.json"
        os.utime(memory, (0, 0))
        end = time.monotonic() + 30
        while memory.stat().st_mtime == 0 and time.monotonic() < end:
            time.sleep(0.01)
        assert _remembered(memory) == opened.token
    assert _remembered(memory) == ""


def test_the_browser_is_started_without_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(webbrowser, "open", opened.put)
    with in_browser("http://127.0.0.1:1/?token=secret"):
        given = opened.get(timeout=30)
        assert given.startswith("file:///") and "secret" not in given
        file = Path(urlsplit(given).path)
        assert "url=http://127.0.0.1:1/?token=secret" in file.read_text()
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)]
        assert modes == [0o600, 0o700]
    assert not file.parent.exists()


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_a_token_that_others_could_have_read_or_written_is_not_taken_over(root: DataRoot, mode: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    root.work.mkdir()
    memory = root.work / f"review-{port}.json"
    memory.write_text(json.dumps({"token": "x" * 43}))
    memory.chmod(mode)
    with serving(root, "--port", port) as server:
        assert server.address.startswith(f"http://127.0.0.1:{port}/")
        assert server.address.endswith("x" * 43) == (mode == 0o600)


def test_no_path_however_it_is_written_leads_out(root: DataRoot) -> None:
    (root.path.parent / "secret.txt").write_text("secret")
    (root.previews).mkdir()
    (root.previews / "link.mp4").symlink_to(root.path.parent / "secret.txt")
    paths = ["/../secret.txt", "/previews/link.mp4", "/preview/../../secret.txt", "/..%2fsecret.txt", "//127.0.0.1/x",
             "/preview?clip=../secret.txt", "/%2e%2e/%2e%2e/etc/passwd", "/preview?clip=link", "/preview"]  # fmt: skip
    with serving(root) as server:
        parts = urlsplit(server.address)
        for path in paths:
            with socket.create_connection((parts.hostname, parts.port), timeout=30) as raw:
                lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
                lines += [f"Cookie: vggss_review_{parts.port}={parts.query.removeprefix('token=')}", "", ""]
                raw.sendall("\r\n".join(lines).encode())
                answer = b""
                while part := raw.recv(65536):
                    answer += part
            assert answer.startswith(b"HTTP/1.1 404") and b"secret" not in answer.split(b"\r\n\r\n", 1)[1]


def test_it_says_why_it_cannot_start(root: DataRoot, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = command("--no-browser", "--root", root.path, "--port", taken.getsockname()[1])
        assert found.returncode == 2 and "cannot be had" in found.stderr
    found = command("--no-browser", "--root", tmp_path / "none")
    assert found.returncode == 1 and "there is no ledger" in found.stderr
    empty = home(tmp_path / "empty", (), files=False)
    found = command("--no-browser", "--root", empty.path)
    assert found.returncode == 1 and "vggss autobox" in found.stderr
    found = command("--no-browser", "--root", root.path, "--reviewer", "a\x1b[2Jb")
    assert found.returncode == 2 and "\x1b" not in found.stderr


def test_a_verdict_waits_for_another_process_that_writes(root: DataRoot) -> None:
    with serving(root) as server, Ledger.open(root.ledger) as ledger:
        with Stages(ledger).queue():
            parts = urlsplit(server.address)
            raw = http.client.HTTPConnection(parts.netloc, timeout=30)
            headers = {
                "X-Vggss-Token": parts.query.removeprefix("token="),
                "Content-Type": "application/json",
            }
            raw.request("POST", "/api/verdict", json.dumps(_accept(A)), headers)
            assert _ask(server.address, "/api/hello")[0] == 200  # the page is still served
        assert json.loads(raw.getresponse().read())["recorded"] == 1
        raw.close()
