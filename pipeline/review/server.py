"""The review server as a process: its port, its token, its end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vggss.errors import DataError, UsageError
from vggss.storage import DataRoot

HOST = "127.0.0.1"
REMEMBERED = (
    12 * 3600.0
)  # seconds for which a server that was killed leaves its port and token to the next one
_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Door:
    """Where the server listens, and what opens it."""

    listener: socket.socket
    port: int
    token: str

    @property
    def address(self) -> str:
        """The page's address, with the token."""
        return f"http://{HOST}:{self.port}/?token={self.token}"


@contextlib.contextmanager
def door(root: DataRoot, port: int = 0) -> Iterator[Door]:
    """Listen on this machine.

    Port and token are kept in a file that only this user can read, and removed at a clean end. A server that was
    killed leaves them to the next one that finds the port free, so that a page that is still open goes on by itself.

    Parameters
    ----------
    root
        the data folder.
    port
        0: one that is free.

    Raises
    ------
    UsageError
        the port is taken. DataError: the file cannot be written.
    """
    listener, token = _listen(root.work, port)
    with listener:
        bound = int(listener.getsockname()[1])
        memory = _memory(root.work, bound)
        _remember(memory, token)
        try:
            yield Door(listener, bound, token)
        finally:
            with contextlib.suppress(OSError):
                memory.unlink()


def _listen(folder: Path, port: int) -> tuple[socket.socket, str]:
    if port:
        try:
            return socket.create_server((HOST, port)), _remembered(_memory(folder, port)) or _new_token()
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be had ({error.strerror or error}); name another --port, or leave it out"
            ) from error
    for memory in sorted(folder.glob("review-*.json")):
        known = re.fullmatch(r"review-(\d{1,5})\.json", memory.name, re.ASCII)
        token = _remembered(memory)
        if known and token and 0 < int(known[1]) < 65536:
            with contextlib.suppress(OSError):  # another server is at work on that port
                return socket.create_server((HOST, int(known[1]))), token
    return socket.create_server((HOST, 0)), _new_token()


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _memory(folder: Path, port: int) -> Path:
    return folder / f"review-{port}.json"


def _remembered(path: Path) -> str:
    """Return the token of a server that was killed, if nobody but this user can have written or read it."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            facts = os.fstat(file.fileno())
            own = not hasattr(os, "getuid") or (facts.st_uid == os.getuid() and not facts.st_mode & 0o077)
            if not own or not stat.S_ISREG(facts.st_mode) or abs(time.time() - facts.st_mtime) > REMEMBERED:
                return ""
            token = json.loads(file.read(1000))["token"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else ""


def _remember(path: Path, token: str) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"token": token, "process": os.getpid()}, file)
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def serve(app: object, listener: socket.socket) -> None:
    """Answer until somebody stops it (Ctrl-C or SIGTERM); what is being answered then is finished."""
    import uvicorn

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application; Starlette is not imported here
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        http="h11",
        loop="asyncio",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )
    uvicorn.Server(config).run(sockets=[listener])
