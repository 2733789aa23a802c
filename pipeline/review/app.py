"""The review server's addresses: the page, its previews, and what the page asks for."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from vggss.errors import VggssError, printable
from vggss.ledger.stage_records import REJECTIONS
from vggss.pipeline.review.bodies import body_of, reviewer_of, text_of, verdict_of
from vggss.pipeline.review.bodies import number_of as number
from vggss.pipeline.review.desk import Desk, Seat
from vggss.pipeline.review.gate import Gate, RefusedError, refused
from vggss.pipeline.verify.queue import LEASE

log = logging.getLogger(__name__)

_SCRIPTS = ("review", "boxes", "memory", "server", "view")
PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/review.css": ("review.css", "text/css; charset=utf-8"),
    **{f"/{name}.js": (f"{name}.js", "text/javascript; charset=utf-8") for name in _SCRIPTS},
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
"""The files of the page, by address: a list, so that no address can be made to name another file."""

_ROOM = 1 << 20  # bytes; a disk with less is full
_HELD = 86_400  # seconds that a browser may keep a preview, whose address changes with its content


def make_app(desk: Desk, token: str, port: int, reviewer: str = "") -> ASGIApp:
    """Make the server of a review.

    Parameters
    ----------
    desk
        the queue and the previews.
    token
        the secret that every request carries.
    port
        on which it listens.
    reviewer
        the name that was given on the command line; empty: the page asks.
    """
    routes = [
        *(Route(address, _page(name, kind), methods=["GET"]) for address, (name, kind) in PAGE.items()),
        Route("/preview", _Previews(desk).answer, methods=["GET"]),
        *_Requests(desk, reviewer).routes(),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            RefusedError: _on_refusal,
            VggssError: _Faults(desk.root.path).on_error,
            HTTPException: _on_http,
            Exception: _on_slip,
        },
    )
    app.router.redirect_slashes = False
    return Gate(app, token, port)


class _Requests:
    """What the page asks for, each a POST of a JSON object that names the reviewer and the window."""

    def __init__(self, desk: Desk, reviewer: str) -> None:
        self._desk, self._reviewer = desk, reviewer

    def routes(self) -> list[Route]:
        found: list[tuple[str, Callable[[Seat, dict[str, Any]], Awaitable[dict[str, Any]]]]] = [
            ("next", self.next),
            ("open", self.open),
            ("verdict", self.verdict),
            ("undo", self.undo),
            ("beat", self.beat),
            ("leave", self.leave),
        ]
        posts = [Route(f"/api/{name}", _post(self._desk, answer), methods=["POST"]) for name, answer in found]
        return [Route("/api/hello", self.hello, methods=["GET"]), *posts]

    async def hello(self, _request: Request) -> Response:
        """Say what the page needs to know before anybody has a name."""
        reasons = [{"reason": reason, "meaning": meaning} for reason, meaning in REJECTIONS.items()]
        return _json(
            {"reviewer": self._reviewer, "reasons": reasons, "lease": LEASE, "clips": self._desk.clips}
        )

    async def next(self, seat: Seat, body: dict[str, Any]) -> dict[str, Any]:
        """Give the next clip."""
        leave, prefer = text_of(body, "leave"), text_of(body, "prefer")
        return await self._desk.do(self._desk.next, seat, leave, prefer, body.get("skip") is True)

    async def open(self, seat: Seat, body: dict[str, Any]) -> dict[str, Any]:
        """Give a certain clip."""
        return await self._desk.do(self._desk.open, seat, text_of(body, "clip"), text_of(body, "leave"))

    async def verdict(self, seat: Seat, body: dict[str, Any]) -> dict[str, Any]:
        """Enter a verdict, then give the next clip."""
        given = verdict_of(body)
        entered = await self._desk.do(self._desk.judge, seat, given)
        following = await self._desk.do(self._desk.next, seat, given.clip, "", False)
        return {**following, "recorded": entered}

    async def undo(self, seat: Seat, body: dict[str, Any]) -> dict[str, Any]:
        """Take back a verdict of the reviewer, and give its clip."""
        return await self._desk.do(self._desk.undo, seat, number(body, "number"), text_of(body, "leave"))

    async def beat(self, seat: Seat, body: dict[str, Any]) -> dict[str, Any]:
        """Hear that the page is open."""
        return await self._desk.do(self._desk.beat, seat, text_of(body, "clip"))

    async def leave(self, seat: Seat, body: dict[str, Any]) -> dict[str, Any]:
        """Hear that the page is closed."""
        await self._desk.do(self._desk.leave, seat, text_of(body, "clip"))
        return {}


class _Previews:
    """The video of a clip of the queue, by the clip's id; no address holds a path."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def answer(self, request: Request) -> Response:
        """Send a preview, or the part of it that is asked for."""
        path = await self._desk.preview(request.query_params.get("clip", ""))
        try:
            facts = path.stat(follow_symlinks=False)
        except OSError as error:
            raise RefusedError(422, "the preview has gone; press . to have it made again") from error
        kept = {"Cache-Control": f"private, max-age={_HELD}"}
        return FileResponse(path, media_type="video/mp4", headers=kept, stat_result=facts)


def _page(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    content = files("vggss.pipeline.review").joinpath("page", name).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


def _post(
    desk: Desk,
    answer: Callable[[Seat, dict[str, Any]], Awaitable[dict[str, Any]]],
) -> Callable[[Request], Awaitable[Response]]:
    async def read(request: Request) -> Response:
        body = await body_of(request)
        reviewer = await desk.do(desk.known, reviewer_of(body))
        seat = Seat(reviewer, text_of(body, "window"))
        return _json(await answer(seat, body))

    return read


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


async def _on_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101 - registered for it
    return refused(error)


class _Faults:
    """What a user can mend, told to the reviewer: an unreadable clip, a full disk, a ledger that is held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def on_error(self, request: Request, error: Exception) -> Response:
        """Answer 422 for a preview that cannot be had; else 503, upon which the page asks again."""
        if request.url.path == "/preview":
            return _json({"error": str(error)}, 422)
        return _json({"error": self._full(error.__cause__) or str(error)}, 503)

    def _full(self, cause: BaseException | None) -> str:
        """Say that the disk is full, if that is what SQLite stumbles over: it may call it an error of the disk."""
        if not isinstance(cause, sqlite3.Error):
            return ""
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        suspect = code == sqlite3.SQLITE_IOERR and shutil.disk_usage(self._folder).free < _ROOM
        if code != sqlite3.SQLITE_FULL and not suspect:
            return ""
        return f"the disk that holds {self._folder} is full; make room there"


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    return _json({"error": error.detail}, error.status_code)


async def _on_slip(request: Request, error: Exception) -> Response:
    log.error("%s: %r", printable(request.url.path), error)
    return _json({"error": f"a fault of the server, {type(error).__name__}; nothing was recorded"}, 500)
