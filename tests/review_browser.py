"""A real Chromium, and a window of it on the review page."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip
PATIENCE = 30.0  # seconds; a busy machine is no defect


@contextlib.contextmanager
def chromium_started() -> Iterator[Any]:
    """Start a headless Chromium; skip where there is none."""
    program = next((path for path in BROWSERS if Path(path).is_file()), None)
    if program is None:
        pytest.skip(f"no Chromium on this machine (looked for {', '.join(BROWSERS)})")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()


class Page:
    """A window of the browser; it notes what the page's scripts complain of."""

    def __init__(self, chromium: Any, address: str, name: str = "anna", **how: Any) -> None:
        size = how.pop("size", (1280, 720))
        self.context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **how)
        self.view = self.context.new_page()
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.view.on("pageerror", lambda error: self.faults.append(str(error)))
        self.view.on("request", lambda request: self.asked.append(request.url))
        self.view.goto(address)
        if name:
            self.begin(name)

    def begin(self, name: str) -> None:
        self.until("document.querySelector('#start').open")
        self.view.fill("#name", name)
        self.view.keyboard.press("Enter")
        self.until("document.querySelector('#clip').textContent")

    def until(self, expression: str) -> Any:
        """Wait for what a script says; the page's policy forbids Playwright's own way."""
        end = time.monotonic() + PATIENCE
        while not (found := self.view.evaluate(f"() => {expression}")):
            assert time.monotonic() < end, f"never: {expression}"
            self.view.wait_for_timeout(25)
        return found

    def shows(self, clip: str) -> None:
        self.until(
            f"document.querySelector('#clip').textContent.startsWith('{clip}') && !document.body.ariaBusy"
        )

    def press(self, *names: str) -> None:
        for name in names:
            if name == "a" and self.view.is_hidden("#broken"):
                self.seen()
            self.view.keyboard.press(name)

    def seen(self) -> None:
        """Wait until the clip has shown for as long as it must before it can be accepted."""
        self.until("document.querySelector('#video').dataset.seen")

    def text(self, selector: str) -> str:
        return str(self.view.inner_text(selector))

    def boxes(self) -> int:
        return int(self.view.locator("#boxes g").count())

    def corner(self, x: float, y: float) -> tuple[float, float]:
        """Return where a place of the frame (fractions) is on the screen, in pixels."""
        area = self.view.locator("#boxes").bounding_box()
        return area["x"] + x * area["width"], area["y"] + y * area["height"]

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.view.mouse
        mouse.move(*self.corner(*start))
        mouse.down()
        mouse.move(*self.corner(*end), steps=4)
        mouse.up()

    def close(self) -> None:
        self.context.close()
        assert self.faults == []
