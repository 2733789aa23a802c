"""A web server of videos that misbehaves on demand, for the real yt-dlp to talk to.

``/watch/ID`` is the page of a video: HTML with a ``<video>`` tag, as the sites that yt-dlp's generic extractor
reads. ``/media/ID/NAME`` is a file of it, with ranges, as ffmpeg needs them to fetch a section.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".m4a": "audio/mp4",
    ".mpd": "application/dash+xml",
    ".ts": "video/mp2t",
}
NOT_A_VIDEO = b"<!DOCTYPE html><html><head><title>Hotel</title></head><body>Please accept the terms of this Wi-Fi</body></html>"


@dataclass(frozen=True)
class Video:
    """What one video id answers.

    ``files`` are its media files, the first of them named by its page. ``page`` and ``media`` are HTTP statuses;
    ``page_body`` replaces the page. ``fails`` is how many requests of the page fail with ``page`` before it
    works. ``manner`` of its media: ``good``, ``cut`` (the connection closes half-way, every time), ``long`` and
    ``short`` (Content-Length promises more or less than comes), ``html`` (a page, with status 200), ``hang``.
    """

    files: tuple[Path, ...] = ()
    page: int = 200
    page_body: bytes | None = None
    fails: int = -1
    media: int = 200
    manner: str = "good"
    retry_after: int | None = None


@dataclass
class Site:
    """The running server: set ``videos``, read ``asked``."""

    address: str
    videos: dict[str, Video] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    cookies: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def template(self) -> str:
        """What `vggss download --address` takes."""
        return self.address + "/watch/{video}"

    def pages_of(self, video: str) -> int:
        """Return how often the page of a video was asked for."""
        return self.asked[f"/watch/{video}"]

    def count(self, path: str) -> int:
        """Count one request, return how many there were before it."""
        with self.lock:
            self.asked[path] += 1
            return self.asked[path] - 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: ClassVar[Site]

    def do_GET(self) -> None:
        before = self.site.count(self.path)
        self.site.cookies.update(self.headers.get("Cookie", "").split("; "))
        self.site.agents.add(self.headers.get("User-Agent", ""))
        kind, _, rest = self.path.lstrip("/").partition("/")
        name, _, file = rest.partition("/")
        video = self.site.videos.get(name)
        with contextlib.suppress(ConnectionError):
            if video is None:
                self._send(404, "text/plain", b"no such video")
            elif kind == "watch":
                self._page(name, video, before)
            else:
                self._media(video, file)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, *_: object) -> None:
        pass

    def _page(self, name: str, video: Video, before: int) -> None:
        broken = video.page != 200 and (video.fails < 0 or before < video.fails)
        if broken:
            self._send(video.page, "text/plain", b"no", video.retry_after)
        elif video.page_body is not None:
            self._send(200, "text/html", video.page_body)
        else:
            file = video.files[0]
            source = f'<source src="/media/{name}/{file.name}" type="{TYPES[file.suffix]}">'
            page = f"<!DOCTYPE html><html><head><title>{name}</title></head><body><video>{source}</video></body></html>"
            self._send(200, "text/html; charset=utf-8", page.encode())

    def _media(self, video: Video, name: str) -> None:
        path = next((file for file in video.files if file.name == name), None)
        if path is None or video.media != 200:
            return self._send(404 if path is None else video.media, "text/plain", b"no", video.retry_after)
        if video.manner == "hang":
            self.site.released.wait(60)
            return None
        if video.manner == "html":
            return self._send(200, "text/html", NOT_A_VIDEO)
        return self._file(path, video.manner)

    def _file(self, path: Path, manner: str) -> None:
        content = path.read_bytes()
        first, last = self._range(len(content))
        body = content[first : last + 1]
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Type", TYPES[path.suffix])
        self.send_header("Accept-Ranges", "bytes")
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        promised = {"long": len(body) * 2, "short": len(body) // 2}.get(manner, len(body))
        self.send_header("Content-Length", str(promised))
        if manner != "good":
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        if manner == "cut":
            body = body[: max(0, len(content) // 2 - first)]
        with self.site.lock:
            self.site.sent[path.name] += len(body)
        self.wfile.write(body)
        if manner != "good":
            self.close_connection = True

    def _range(self, size: int) -> tuple[int, int]:
        wanted = self.headers.get("Range", "").removeprefix("bytes=")
        first, _, last = wanted.partition("-")
        return int(first or 0), min(int(last or size - 1), size - 1)

    def _send(self, status: int, kind: str, body: bytes, retry_after: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a program that was killed closes its connections as it likes."""


@contextlib.contextmanager
def serving() -> Iterator[Site]:
    """Run the server on a free port of this machine."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    handler.site = site
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
