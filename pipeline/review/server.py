"""The review server as a process: its port, its token, its end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vggss.errors import DataError, UsageError
from vggss.progress import Stop
from vggss.storage import DataRoot

HOST = "127.0.0.1"
REMEMBERED = 3600.0  # seconds for which a server that was killed leaves its token to the next one
SIGN = 60.0  # seconds between two signs of life, from which that time counts
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

    Port and token are kept in a file that only this user can read. A server that was killed leaves both to the next
    one that finds the port free, so that a page that is still open goes on by itself. At a clean end the token is
    wiped and the port stays: what a page has kept belongs to its address, and it is sent once the new token opens it.

    The risk of a token that outlives its server: another user of this machine who takes the port in between is sent
    the cookie by a page that is still open, and could use it when the next server honours it. Hence the short time. A
    secret for each start would shut that door, and with it the page's way back after a kill.

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
        ended = threading.Event()
        signs = threading.Thread(target=_show_signs, args=(memory, ended), name="signs", daemon=True)
        signs.start()
        try:
            yield Door(listener, bound, token)
        finally:
            ended.set()
            signs.join()
            _forget(memory)


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
        if known and token is not None and 0 < int(known[1]) < 65536:
            with contextlib.suppress(OSError):  # another server is at work on that port
                return socket.create_server((HOST, int(known[1]))), token or _new_token()
    return socket.create_server((HOST, 0)), _new_token()


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _memory(folder: Path, port: int) -> Path:
    return folder / f"review-{port}.json"


def _remembered(path: Path) -> str | None:
    """Return the token that a server left, empty if it is too old or wiped; None if the file is not to be believed.

    Only a plain file counts that nobody but this user can have written or read.
    """
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe would wait
        with os.fdopen(os.open(path, flags), "rb") as file:
            facts = os.fstat(file.fileno())
            own = not hasattr(os, "getuid") or (facts.st_uid == os.getuid() and not facts.st_mode & 0o077)
            if not own or not stat.S_ISREG(facts.st_mode):
                return None
            token = json.loads(file.read(1000))["token"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    fresh = abs(time.time() - facts.st_mtime) <= REMEMBERED
    return token if fresh and isinstance(token, str) and _TOKEN.fullmatch(token) else ""


def _show_signs(memory: Path, ended: threading.Event) -> None:
    """Keep the file's time new while the server runs."""
    while not ended.wait(SIGN):
        with contextlib.suppress(OSError):
            os.utime(memory, follow_symlinks=False)


def _forget(memory: Path) -> None:
    """Wipe the token and leave the port; where that cannot be written, the file goes."""
    try:
        _remember(memory, "")
    except DataError:
        with contextlib.suppress(OSError):
            memory.unlink()


def _remember(path: Path, token: str) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"token": token, "process": os.getpid()}, file)
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def serve(app: object, listener: socket.socket, stop: Stop) -> None:
    """Answer until somebody stops it (Ctrl-C or SIGTERM); what is being answered then is finished.

    ``stop`` tells of a signal that came before the server listened to signals itself.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def on_tick(self, counter: int) -> bool:
            return await super().on_tick(counter) or stop.requested

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
    Server(config).run(sockets=[listener])
