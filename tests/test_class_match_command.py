"""vggss match explains one class or writes the table of all; vggss download vectors streams, resumes and checks."""

from __future__ import annotations

import csv
import gzip
import hashlib
import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vggss.annotations import sound_classes
from vggss.cli.match import download_vectors, match
from vggss.errors import DataError, NetworkError, UsageError
from vggss.pipeline.class_match.google_news import GOOGLE_NEWS, Published, fetch_vectors
from vggss.storage import DataRoot


def run(*arguments: str) -> Result:
    return CliRunner().invoke(match, arguments)


def test_one_class_is_explained_with_id_score_and_reason():
    result = run("dog barking")
    assert result.exit_code == 0
    assert ["Dog", "/m/0bt9lr", "1.00", "same", "word:", "Dog"] in [
        line.split() for line in result.stdout.splitlines()
    ]


def test_refused_candidates_are_shown_with_their_reason():
    lines = run("playing bassoon", "--no-overrides").stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("refused"))
    assert any("Oboe" in line and "another thing" in line for line in lines[place:])


def test_a_class_without_an_object_says_so():
    assert "no match: no visible object: wind" in run("wind noise").stdout


def test_an_unknown_class_is_matched_and_near_names_are_told():
    result = run("dogs barking")
    assert "Dog " in result.stdout
    assert "dog barking" in result.stderr


def test_the_case_and_the_spaces_of_a_class_do_not_matter():
    assert run("  Dog   BARKING ").stdout == run("dog barking").stdout


def test_a_class_cannot_steer_the_terminal():
    result = run("dog\x1b[2J barking")
    assert "\x1b" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [(), ("dog barking", "--all"), ("dog barking", "--csv", "x.csv"), ("...",), ("",), ("x" * 300,)],
)
def test_a_request_that_means_nothing_is_refused(arguments: tuple[str, ...]):
    assert isinstance(run(*arguments).exception, UsageError)


def test_json_of_one_class_has_matches_and_refusals():
    found = json.loads(run("playing bassoon", "--no-overrides", "--json").stdout)
    assert found["matches"][0]["detector_class"] == "Musical instrument"
    assert found["group"] == "music"
    assert found["visible"] is True
    assert any(one["detector_class"] == "Oboe" for one in found["refused"])


def test_the_table_of_all_classes_is_written(tmp_path: Path):
    table = tmp_path / "matches.csv"
    result = run("--all", "--csv", str(table))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "309 classes" in result.stderr
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["sound_class", "detector_class", "score", "reason"]
    assert list(dict.fromkeys(row["sound_class"] for row in rows)) == list(sound_classes())
    plain = tmp_path / "plain.csv"
    run("--all", "--no-overrides", "--csv", str(plain))
    assert "override" in table.read_text()
    assert "override" not in plain.read_text()


def test_without_a_file_all_classes_are_summed_up():
    result = run("--all")
    assert result.stdout.splitlines()[-1].split()[:2] == ["all", "309"]
    assert len(json.loads(run("--all", "--json").stdout)) == 309


def test_a_table_that_cannot_be_written_is_an_error_in_words(tmp_path: Path):
    assert isinstance(run("--all", "--csv", str(tmp_path / "no" / "x.csv")).exception, DataError)


def test_with_the_shipped_vectors_nothing_heavy_is_loaded():
    program = (
        "import sys; from click.testing import CliRunner; from vggss.cli.match import match; "
        "assert 'numpy' not in sys.modules; CliRunner().invoke(match, ['dog barking']); "
        "print([name for name in ('gensim', 'scipy', 'torch', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Fetching, from a server on this machine

HEADER = b"3000 85\n"
PLAIN = HEADER + bytes(range(256)) * 4000  # 341 bytes a word
CONTENT = gzip.compress(PLAIN, 0)


class _Shop(http.server.BaseHTTPRequestHandler):
    asked: list[str | None]
    content: bytes
    takes_ranges: bool
    cut: int | None

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.takes_ranges else 0
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(self.content) - begin))
        self.end_headers()
        self.wfile.write(self.content[begin : self.cut])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[type[_Shop], str]]:
    monkeypatch.setenv("no_proxy", "*")
    handler = type("Shop", (_Shop,), {"asked": [], "content": CONTENT, "takes_ranges": True, "cut": None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def published(*urls: str) -> Published:
    return Published("vectors.bin.gz", urls, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), HEADER)


def silent(done: int, total: int) -> None:
    assert 0 < done <= total


def test_vectors_are_fetched_once(shop: tuple[type[_Shop], str], tmp_path: Path):
    handler, url = shop
    root = DataRoot(tmp_path, "test")
    path, origin = fetch_vectors(root, None, silent, published(f"{url}/missing", f"{url}/file"))
    assert path.read_bytes() == CONTENT
    assert path.parent == root.models
    assert origin.endswith("/file")
    assert fetch_vectors(root, None, silent, published(f"{url}/file")) == (path, "already there")
    assert len(handler.asked) == 2
    assert not list(root.work.iterdir())


@pytest.mark.parametrize("takes_ranges", [True, False])
def test_an_interrupted_download_goes_on_where_it_stopped(
    shop: tuple[type[_Shop], str], tmp_path: Path, takes_ranges: bool
):
    handler, url = shop
    handler.takes_ranges = takes_ranges
    handler.cut = 300_000
    root = DataRoot(tmp_path, "test")
    with pytest.raises(NetworkError, match="what has come is kept"):
        fetch_vectors(root, None, silent, published(f"{url}/file"))
    assert not list(root.models.iterdir())
    handler.cut = None
    path, _ = fetch_vectors(root, None, silent, published(f"{url}/file"))
    assert path.read_bytes() == CONTENT
    assert handler.asked[-1] == "bytes=300000-"


@pytest.mark.parametrize("wrong", [b"<html>no such file</html>", CONTENT[:-1] + b"x", CONTENT + b"more"])
def test_another_file_never_takes_the_name(shop: tuple[type[_Shop], str], tmp_path: Path, wrong: bytes):
    handler, url = shop
    handler.content = wrong
    root = DataRoot(tmp_path, "test")
    with pytest.raises(NetworkError, match="another file"):
        fetch_vectors(root, None, silent, published(f"{url}/file"))
    assert not list(root.models.iterdir())
    handler.content = CONTENT
    assert fetch_vectors(root, None, silent, published(f"{url}/file"))[0].read_bytes() == CONTENT


def test_without_a_network_the_way_by_hand_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as taken:  # bound and not listening: nobody answers
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/file"
        with pytest.raises(NetworkError, match="vggss download vectors --from FILE"):
            fetch_vectors(DataRoot(tmp_path, "test"), None, silent, published(url))


@pytest.mark.parametrize(
    ("name", "content", "stored"),
    [
        ("a copy", CONTENT, "vectors.bin.gz"),
        ("plain.bin", PLAIN, "vectors.bin"),
    ],
)
def test_a_local_copy_is_taken_whatever_its_name(tmp_path: Path, name: str, content: bytes, stored: str):
    source = tmp_path / name
    source.write_bytes(content)
    root = DataRoot(tmp_path / "home", "test")
    path, origin = fetch_vectors(root, source, silent, published())
    assert path == root.models / stored
    assert path.read_bytes() == content
    assert origin == str(source)
    assert fetch_vectors(root, path, silent, published())[0].read_bytes() == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(PLAIN, 9, mtime=0), "its SHA-256 is .* unpack it and give the .bin"),
        (HEADER + b"rest", "is cut short: its first line announces vectors of 1,023,008 bytes or more"),
        (PLAIN[:1_023_007], "is cut short"),
    ],
)
def test_a_copy_that_is_not_all_of_the_published_file_is_refused(tmp_path: Path, content: bytes, said: str):
    source = tmp_path / "copy"
    source.write_bytes(content)
    root = DataRoot(tmp_path / "home", "test")
    with pytest.raises(DataError, match=said):
        fetch_vectors(root, source, silent, published())
    assert not root.models.exists() or not list(root.models.iterdir())


def test_an_unpacked_copy_is_not_fetched_again(shop: tuple[type[_Shop], str], tmp_path: Path):
    handler, url = shop
    root = DataRoot(tmp_path / "home", "test")
    source = tmp_path / "mine.bin"
    source.write_bytes(PLAIN)
    path, _ = fetch_vectors(root, source, silent, published())
    assert fetch_vectors(root, None, silent, published(f"{url}/file")) == (path, "already there")
    assert handler.asked == []


def test_a_file_of_the_right_size_alone_is_not_already_there(shop: tuple[type[_Shop], str], tmp_path: Path):
    _, url = shop
    root = DataRoot(tmp_path, "test")
    root.models.mkdir()
    (root.models / "vectors.bin.gz").write_bytes(b"x" * len(CONTENT))
    path, origin = fetch_vectors(root, None, silent, published(f"{url}/file"))
    assert path.read_bytes() == CONTENT and origin.endswith("/file")


@pytest.mark.parametrize(
    "content", [b"", b"400000 50\nthe 0.1", gzip.compress(b"something else", mtime=0), b"\x1f\x8bbroken"]
)
def test_a_copy_of_something_else_is_refused(tmp_path: Path, content: bytes):
    source = tmp_path / "file"
    source.write_bytes(content)
    result = CliRunner().invoke(download_vectors, ["--from", str(source), "--root", str(tmp_path / "home")])
    assert isinstance(result.exception, DataError)
    assert not (tmp_path / "home").exists() or not list((tmp_path / "home").rglob("*.bin*"))


def test_a_copy_that_is_not_there_is_refused(tmp_path: Path):
    for source in (tmp_path / "nothing", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            fetch_vectors(DataRoot(tmp_path / "home", "test"), source, silent)


def test_the_published_file_is_pinned():
    assert GOOGLE_NEWS.size == 1_647_046_227
    assert GOOGLE_NEWS.least_unpacked == 12 + 3_000_000 * 1201
    assert len(GOOGLE_NEWS.sha256) == 64
    assert all(url.startswith("https://") for url in GOOGLE_NEWS.urls)
