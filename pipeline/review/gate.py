"""Who may talk to the review server: this machine, with the token, from the page itself."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TOKEN_HEADER = "x-vggss-token"  # noqa: S105 - a header's name
_NO_TOKEN = "open the whole address that `vggss verify` printed, with its token"  # noqa: S105


class RefusedError(Exception):
    """A request that is not granted: an HTTP status and why, in words for the reviewer."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.more = status, message, more


def refused(error: RefusedError) -> Response:
    """Return the answer that tells of a refusal."""
    content = orjson.dumps({"error": error.message, **error.more})
    return Response(content, error.status, media_type="application/json")


class Gate:
    """Lets through what comes from the page, and nothing else.

    Every request names this server as its host (no other name that leads to 127.0.0.1), and carries the token: once in
    the address of the page, from then on in a cookie that scripts cannot read and other sites cannot send, or in a
    header. A request that a browser says another site, or another port of this machine, has caused is refused.

    Parameters
    ----------
    app
        what lies behind.
    token
        the secret.
    port
        on which the server listens.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self._token = app, token
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        if port == 80:
            self._hosts |= {"127.0.0.1", "localhost"}
        self.cookie = f"vggss_review_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        new = False

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
                if new:
                    kept = f"{self.cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
                    headers.append("Set-Cookie", kept)
            await send(message)

        try:
            new = self._admit(scope)
        except RefusedError as error:
            await refused(error)(scope, receive, dressed)
            return
        await self.app(scope, receive, dressed)

    def _admit(self, scope: Scope) -> bool:
        """Raise :class:`RefusedError`, or return whether the token came with the page's address and is to be kept."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            raise RefusedError(421, "this server answers only to its own address, 127.0.0.1 with its port")
        by_address = scope["path"] == "/" and self._is_token(_asked_token(scope))
        by_header = self._is_token(headers.get(TOKEN_HEADER, ""))
        if not (by_address or by_header or self._is_token(self._kept_token(headers))):
            raise RefusedError(403, _NO_TOKEN)
        self._check_cause(scope, headers, hosts[0], by_header)
        return by_address

    def _check_cause(self, scope: Scope, headers: Headers, host: str, by_header: bool) -> None:
        """Refuse what another page has caused; a browser says so, and no page can make it say otherwise."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        opened = scope["path"] == "/" and scope["method"] in (
            "GET",
            "HEAD",
        )  # a link from anywhere may open it
        if not opened and site not in (None, "same-origin", "none"):
            raise RefusedError(403, "another site has sent this request; only the review page may")
        if scope["method"] in ("GET", "HEAD"):
            return
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            raise RefusedError(
                403, f"a page of {origin[:100]!r} has sent this request; only the review page may"
            )
        if origin is None and site != "same-origin" and not by_header:
            raise RefusedError(403, "it is not said which page has sent this request")

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    def _kept_token(self, headers: Headers) -> str:
        """Return the token of the cookie. Other programs on 127.0.0.1 set cookies too, of any form: only ours is read."""
        for one in ";".join(headers.getlist("cookie")).split(";"):
            name, _, value = one.partition("=")
            if name.strip() == self.cookie:
                return value.strip()
        return ""


def _asked_token(scope: Scope) -> str:
    query = scope.get("query_string", b"")[:1000].decode("latin-1")
    try:
        return str(parse_qs(query, max_num_fields=10).get("token", [""])[0])
    except ValueError:  # more fields than the page's address has
        return ""
