"""Files by URL, from a real server on this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vggss import fetching
from vggss.errors import DataError, NetworkError
from vggss.fetching import Remote, fetch, is_right, put, sha256_of

GOOD = b'[{"file": "a"}]' * 1000


@dataclass
class Site:
    """A web server: what each path answers, and which paths were asked for."""

    address: str
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def page(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        self.pages[path] = (
            status,
            {"Content-Length": str(len(body))} | {k.replace("_", "-"): v for k, v in headers.items()},
            body,
        )
        return self.address + path


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    found: list[Site] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = found[0]
            here.asked.append(self.path)
            if self.path == "/slow":
                here.hold.wait(5)
                return
            status, headers, body = here.pages.get(self.path, (404, {"Content-Length": "0"}, b""))
            self.send_response(status)
            for name, value in headers.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.append(Site(f"http://127.0.0.1:{server.server_address[1]}"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found[0]
    found[0].hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


def remote(*urls: str, sha256: str | None = sha256_of(GOOD)) -> Remote:
    return Remote("vggss.json", urls, sha256)


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/vggss.json"


def test_the_right_file_is_written_and_its_address_returned(site: Site, tmp_path: Path) -> None:
    url = site.page("/vggss.json", GOOD)
    path = tmp_path / "new" / "folder" / "vggss.json"
    assert fetch(remote(url), path) == url
    assert path.read_bytes() == GOOD
    assert [p.name for p in path.parent.iterdir()] == ["vggss.json"]


def test_a_file_that_is_there_and_right_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "vggss.json"
    path.write_bytes(GOOD)
    assert fetch(remote(site.page("/vggss.json", GOOD)), path) == "already there"
    assert site.asked == []


@pytest.mark.parametrize("there", [b"", GOOD[:-1], b"something else"])
def test_a_file_that_is_there_and_wrong_is_replaced(site: Site, tmp_path: Path, there: bytes) -> None:
    path = tmp_path / "vggss.json"
    path.write_bytes(there)
    url = site.page("/vggss.json", GOOD)
    assert fetch(remote(url), path) == url
    assert path.read_bytes() == GOOD


def test_the_second_address_is_tried_when_the_first_has_no_such_file(site: Site, tmp_path: Path) -> None:
    second = site.page("/b/vggss.json", GOOD)
    assert fetch(remote(site.address + "/a/vggss.json", second), tmp_path / "x") == second
    assert site.asked == ["/a/vggss.json", "/b/vggss.json"]


def test_the_mirror_is_asked_first(site: Site, tmp_path: Path) -> None:
    first = site.page("/a/vggss.json", GOOD)
    mirrored = site.page("/mirror/vggss.json", GOOD)
    assert fetch(remote(first), tmp_path / "x", site.address + "/mirror/") == mirrored
    assert site.asked == ["/mirror/vggss.json"]
    assert fetch(remote(first), tmp_path / "y", site.address + "/none") == first


def test_a_redirect_is_followed(site: Site, tmp_path: Path) -> None:
    target = site.page("/there", GOOD)
    moved = site.page("/moved", b"", 302, Location=target)
    assert fetch(remote(moved), tmp_path / "x") == moved


@pytest.mark.parametrize(
    "body", [b"<html>Please log in to the hotel's network</html>", GOOD + b"\n", b"", GOOD[:-1]]
)
def test_another_file_than_the_published_one_is_never_written(
    site: Site, tmp_path: Path, body: bytes
) -> None:
    url = site.page("/vggss.json", body)
    with pytest.raises(
        DataError, match=r"is not the published vggss.json: its SHA-256 is .*nothing was written"
    ):
        fetch(remote(url), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_at_the_first_address_does_not_stop_the_second(site: Site, tmp_path: Path) -> None:
    wrong = site.page("/a", b"<html>")
    right = site.page("/b", GOOD)
    assert fetch(remote(wrong, right), tmp_path / "x") == right


def test_a_wrong_file_is_the_news_even_if_other_addresses_do_not_answer(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not the published vggss.json"):
        fetch(remote(site.page("/a", b"<html>"), site.address + "/none"), tmp_path / "x")


def test_a_body_that_is_cut_off_is_not_written(site: Site, tmp_path: Path) -> None:
    url = site.page("/cut", GOOD, Content_Length=str(len(GOOD) + 1000))
    with pytest.raises(NetworkError, match="cut off after 15,000 of 16,000 bytes"):
        fetch(remote(url, sha256=None), tmp_path / "x")
    chunked = site.page("/chunked", b"5\r\nhello\r\n5\r\nhal", Content_Length="", Transfer_Encoding="chunked")
    with pytest.raises(NetworkError, match="IncompleteRead"):
        fetch(remote(chunked, sha256=None), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_body_without_end_is_given_up(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LIMIT", 2**20)
    url = site.page("/big", bytes(2**20 + 1))
    with pytest.raises(NetworkError, match="more than 1 MiB"):
        fetch(remote(url, sha256=None), tmp_path / "x")


def test_a_server_that_does_not_answer_is_given_up(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT", 0.2)
    start = time.monotonic()
    with pytest.raises(NetworkError, match=r"127.0.0.1:.*timed out"):
        fetch(remote(site.address + "/slow"), tmp_path / "x")
    assert time.monotonic() - start < 3


def test_without_network_one_line_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(NetworkError) as caught:
        fetch(remote(closed_port(), "http://no-such-host.invalid/x"), tmp_path / "x")
    message = str(caught.value)
    assert message.count("\n") == 0
    assert "cannot fetch vggss.json" in message and "Connection refused" in message
    assert "no-such-host.invalid" in message
    assert "`vggss download annotations --from PATH`" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "/etc/passwd",
        "",
        "http://",
        "http://127.0.0.1:port/x",
        "http://127.0.0.1:99999/x",
        "http://exa mple/x",
        "http://127.0.0.1/ä",
        "http://[::1/x",
        "http://" + "a" * 70 + ".invalid/x",
    ],
)
def test_an_address_that_is_none_is_told_like_one_that_does_not_answer(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(NetworkError, match=r"cannot fetch vggss.json"):
        fetch(remote(url, sha256=None), tmp_path / "x")


def test_a_server_that_speaks_no_http_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"\x00\xff garbage\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        with pytest.raises(NetworkError, match="cannot fetch"):
            fetch(remote(url), tmp_path / "x")
        thread.join()


def test_content_is_checked_where_no_digest_is_pinned(site: Site, tmp_path: Path) -> None:
    def check(content: bytes) -> None:
        if not content.startswith(b"["):
            raise DataError("this is no list")

    url = site.page("/x", b"<html>")
    with pytest.raises(DataError, match=r"http://127.*/x: this is no list; nothing was written"):
        fetch(Remote("x", (url,), None, check), tmp_path / "x")
    fetch(Remote("x", (site.page("/x", b"[]"),), None, check), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"[]"


def test_a_folder_that_cannot_be_made_is_told(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot write .*file: File exists"):
        fetch(remote(site.page("/x", GOOD)), tmp_path / "file" / "x")
    with pytest.raises(DataError, match=r"cannot write .*file/a: Not a directory"):
        put(tmp_path / "file" / "a" / "x", GOOD)
    with pytest.raises(DataError, match="it is a folder; name a file"):
        fetch(remote(site.page("/x", GOOD)), tmp_path)


def test_the_right_content_passes_and_any_other_does_not() -> None:
    is_right(remote(), GOOD, "here")
    with pytest.raises(DataError, match=r"here is not the published vggss.json"):
        is_right(remote(), GOOD[1:], "here")
