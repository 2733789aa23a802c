"""The review page in the user's browser, without its token where others can read it."""

from __future__ import annotations

import contextlib
import html
import logging
import os
import shutil
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)

_BEGUN = 0.5  # seconds until the server listens
_READ = 60.0  # seconds in which a browser has started and read the file

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}"><title>vggss verify</title>
<p><a href="{address}">Open the review page</a></p></html>
"""


@contextlib.contextmanager
def in_browser(address: str) -> Iterator[None]:
    """Open an address in the browser while the block runs.

    What a program is started with can be read by every user of the machine, so the browser is given a file that leads
    to the address, in a folder that only this user can enter; it is removed after a minute, or when the block ends.
    Where it cannot be written, or the browser may not read it, the printed address remains.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="vggss-verify-"))  # mode 0700
        page = folder / "review.html"
        with os.fdopen(os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(_PAGE.format(address=html.escape(address)))
    except OSError as error:
        log.warning("the browser is not opened: %s", error.strerror or error)
        yield
        return
    timers = [
        threading.Timer(_BEGUN, webbrowser.open, [page.as_uri()]),
        threading.Timer(_READ, shutil.rmtree, [folder], {"ignore_errors": True}),
    ]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        shutil.rmtree(folder, ignore_errors=True)
