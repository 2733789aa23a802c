"""The HTML reports in a real Chromium: they fit the screen, ask for nothing, and sort."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import report_cases as cases

BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next((path for path in BROWSERS if Path(path).is_file()), None)
    if program is None:
        pytest.skip(f"no Chromium on this machine (looked for {', '.join(BROWSERS)})")
    with driver.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("kind", ["score", "leaderboard"])
def test_a_page_fits_the_screen_and_asks_for_nothing(
    kind: str, width: int, scheme: str, chromium: Any, frames: Path, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    result, made = cases.scored(
        model="a-very-long-model-name-without-any-space-" * 3, leave_out=(3,), missing="skip"
    )
    path.write_text(cases.page(result, made, frames) if kind == "score" else cases.boards(), encoding="utf-8")
    view = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said: list[str] = []
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.on("request", lambda request: said.append(request.url))
    view.goto(path.as_uri())
    try:
        assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        assert [line for line in said if line != path.as_uri() and not line.startswith("data:")] == []
        assert view.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    finally:
        view.close()


@pytest.mark.browser
def test_the_class_table_sorts_by_its_headings(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(cases.page(*cases.scored()), encoding="utf-8")
    view = chromium.new_page()
    try:
        view.goto(path.as_uri())
        view.click("#classes th:first-child button")
        names = view.eval_on_selector_all(
            "#classes tbody th", "cells => cells.map((cell) => cell.textContent)"
        )
        assert names == sorted(cases.CLASSES)
        assert view.get_attribute("#classes th:first-child", "aria-sort") == "ascending"
        view.click("#classes th:first-child button")
        names = view.eval_on_selector_all(
            "#classes tbody th", "cells => cells.map((cell) => cell.textContent)"
        )
        assert names == sorted(cases.CLASSES, reverse=True)
    finally:
        view.close()
