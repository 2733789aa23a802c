"""The review page in a real Chromium, by keyboard and by mouse, through reloads and a server that is killed."""

from __future__ import annotations

import itertools
import queue
import shutil
import signal
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="Starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")
pytest.importorskip("av", reason="PyAV is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

from ingest_cases import run as ingest
from review_browser import Page
from review_cases import BOX, CLIPS, DOG, Server, candidate, home, verdicts

from vggss.boxes import Box
from vggss.errors import DataError
from vggss.ledger import Ledger
from vggss.ledger.stages import Stages
from vggss.media.cut import ffmpeg_program
from vggss.pipeline.review.browser import in_browser
from vggss.storage import DataRoot

pytestmark = pytest.mark.browser

A, B, C = CLIPS


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    try:
        ffmpeg_program()
    except DataError as error:
        pytest.skip(str(error))
    return home(tmp_path_factory.mktemp("page"))


@pytest.fixture
def root(made: DataRoot, tmp_path: Path) -> DataRoot:
    """Return a data folder in which nobody has said anything; previews are shared."""
    shutil.copytree(made.path, tmp_path / "root")
    return DataRoot(tmp_path / "root", "a test")


@pytest.fixture
def server(root: DataRoot) -> Iterator[Server]:
    server = Server(root, "--double", 0)
    yield server
    if server.process.poll() is None:
        server.kill()


@pytest.fixture
def page(chromium: Any, server: Server) -> Iterator[Page]:
    page = Page(chromium, server.address)
    yield page
    page.close()


def _said(root: DataRoot) -> list[tuple[str, str, str, str]]:
    return [(one.clip, one.reviewer, one.action, one.reason) for one in verdicts(root)]


def _as(page: Page, name: str, wait: bool = True) -> None:
    """Go on under another name."""
    page.view.click("#who")
    page.view.fill("#name", name)
    page.press("Enter")
    if wait:
        page.until(f"document.querySelector('#who').textContent === '{name}' && !document.body.ariaBusy")


def test_the_clip_plays_in_a_loop_with_its_sound(page: Page) -> None:
    page.shows(A)
    page.until("video.currentTime > 0.3 && !video.paused")
    assert page.view.evaluate("[video.loop, video.muted, video.volume]") == [True, False, 1]
    page.until("video.webkitAudioDecodedByteCount > 0")
    assert page.view.evaluate("video.captureStream().getAudioTracks().length") == 1
    page.press("s")
    assert page.view.evaluate("video.playbackRate") == 0.5
    page.press("m", "Space")
    page.until("video.muted && video.paused")
    page.press("f")
    page.until("Math.abs(video.currentTime - 2.5) < 0.01")
    page.press(".")
    page.until("!video.paused && video.currentTime < 2")


def test_the_token_leaves_the_address_and_nothing_is_asked_of_others(page: Page, server: Server) -> None:
    page.shows(A)
    assert page.view.url == server.address.split("?")[0]
    assert all(url.startswith(page.view.url) for url in page.asked)


def test_keys_accept_reject_undo_and_go_back(page: Page, root: DataRoot) -> None:
    page.shows(A)
    page.until("video.currentTime > 0.2")
    page.press("a")
    page.shows(B)
    assert _said(root) == [(A, "anna", "accept", "")]
    assert "1 of 3 clips done" in page.text("#progress") and "left" in page.text("#progress")
    page.press("r", "Escape", "r")
    assert page.view.is_visible("#reasons")
    page.press("3")
    page.shows(C)
    assert _said(root)[1] == (B, "anna", "reject", "wrong object")
    page.press("u")
    page.shows(B)
    assert "taken back" in page.text("#notice")
    page.press("p")
    page.shows(A)
    assert "You said: accept" in page.text("#notice")
    page.press("r", "1")
    page.until("!document.body.ariaBusy")
    assert _said(root)[3] == (A, "anna", "reject", "not audible")


def test_the_reason_other_asks_for_a_comment(page: Page, root: DataRoot) -> None:
    page.shows(A)
    page.press("r", "4")
    assert page.view.evaluate("document.activeElement.id") == "comment"
    page.view.keyboard.type("a radio plays: a b r 1")
    page.press("Enter")
    page.shows(B)
    (one,) = verdicts(root)
    assert (one.reason, one.comment) == ("other", "a radio plays: a b r 1")


def test_boxes_are_drawn_moved_resized_and_deleted_with_the_mouse(page: Page, root: DataRoot) -> None:
    page.shows(A)
    page.drag((0.7, 0.1), (0.9, 0.3))
    assert page.boxes() == 2
    page.drag((0.3, 0.5), (0.35, 0.55))  # inside the first one
    page.drag((0.65, 0.85), (0.75, 0.9))  # its lower right corner
    page.drag((0.01, 0.01), (0.05, 0.05))
    assert page.boxes() == 3
    page.press("Delete")
    assert page.boxes() == 2
    page.press("a")
    page.shows(B)
    moved, drawn = verdicts(root)[0].regions
    assert moved.box.as_tuple() == pytest.approx((0.25, 0.25, 0.75, 0.9), abs=0.01)
    assert (moved.origin.by, moved.parent) == ("reviewer", DOG)
    assert drawn.box.as_tuple() == pytest.approx((0.7, 0.1, 0.9, 0.3), abs=0.01)
    assert drawn.parent is None


def test_draw_mode_draws_on_top_of_a_box(page: Page) -> None:
    page.shows(A)
    page.press("d")
    page.drag((0.3, 0.3), (0.5, 0.5))
    assert page.boxes() == 2
    assert page.view.get_attribute("[data-do=draw]", "aria-pressed") == "false"


def test_the_whole_job_is_done_by_keyboard_alone(page: Page, root: DataRoot) -> None:
    page.shows(A)
    page.press("Tab", "ArrowRight", "ArrowDown", "Shift+ArrowLeft", "Alt+ArrowUp")
    page.press("b", "Shift+Alt+ArrowRight", "g", "b", "Delete")
    page.press("c")
    page.view.keyboard.type("two")
    page.press("Enter", "a")
    page.shows(B)
    moved, drawn = verdicts(root)[0].regions
    assert moved.box.as_tuple() == pytest.approx((0.21, 0.208, 0.6, 0.808), abs=1e-6)
    assert drawn.box.as_tuple() == pytest.approx((0.35, 0.35, 0.652, 0.65), abs=1e-6)
    assert drawn.group and not moved.group and verdicts(root)[0].comment == "two"
    page.press("Tab", "Delete")
    assert page.view.is_disabled("[data-do=accept]")
    page.press("a")
    assert "no box to accept" in page.text("#notice")
    page.press("z", "Escape", "ArrowRight")
    page.shows(C)
    page.press("ArrowLeft")
    page.shows(B)
    page.press("?")
    assert page.view.evaluate("document.querySelector('#help').open")
    page.press("Escape", "Tab", "Tab")
    assert page.view.evaluate("document.activeElement.dataset.do") == "play"  # Tab is no trap


def test_a_reload_in_the_middle_goes_on_where_it_was(page: Page, root: DataRoot) -> None:
    page.press("a")
    page.shows(B)
    page.press("b", "ArrowLeft", "c")
    page.view.keyboard.type("half a thou")
    page.view.reload()
    page.shows(B)
    assert page.boxes() == 2 and page.view.input_value("#comment") == "half a thou"
    assert "unsaved changes are back" in page.text("#notice")
    assert page.text("#who") == "anna"
    page.press("a")
    page.shows(C)
    assert len(verdicts(root)[1].regions) == 2


def test_a_killed_server_loses_nothing_and_the_page_goes_on_with_the_next_one(
    page: Page, server: Server, root: DataRoot
) -> None:
    page.press("a")
    page.shows(B)
    page.seen()
    server.kill()
    assert _said(root) == [(A, "anna", "accept", "")]
    page.press("b", "a")
    page.until("document.querySelector('#gone').textContent.includes('Your verdict is kept')")
    assert page.view.is_visible("#gone")
    server.start()
    page.shows(C)
    assert page.view.is_hidden("#gone")
    assert _said(root) == [(A, "anna", "accept", ""), (B, "anna", "accept", "")]
    assert len(verdicts(root)[1].regions) == 2


def test_two_reviewers_share_a_queue_without_meeting(
    chromium: Any, page: Page, server: Server, root: DataRoot
) -> None:
    page.shows(A)
    other = Page(chromium, server.address, "bob")
    other.shows(B)
    page.press("a")
    page.shows(C)
    other.press("r", "2")
    other.until("!document.querySelector('#end').hidden")
    assert "Nothing is left for you" in other.text("#end")
    page.press("a")
    page.until("!document.querySelector('#end').hidden")
    assert "All clips are reviewed" in page.text("#end") and "vggss release" in page.text("#end")
    other.press("u")
    other.shows(B)
    other.press("a")
    other.until("!document.querySelector('#end').hidden")
    assert "All clips are reviewed" in other.text("#end")
    other.close()
    assert [one[:3] for one in _said(root)] == [
        (A, "anna", "accept"), (B, "bob", "reject"), (C, "anna", "accept"), (B, "bob", "undo"), (B, "bob", "accept"),
    ]  # fmt: skip


def test_a_clip_that_cannot_be_shown_does_not_stop_the_queue(
    chromium: Any, server: Server, root: DataRoot
) -> None:
    root.clip_file(A).unlink()
    page = Page(chromium, server.address, "carl")
    page.until("!document.querySelector('#broken').hidden")
    assert "is gone from the data folder" in page.text("#broken")
    assert page.view.is_disabled("[data-do=accept]") and page.view.is_enabled("[data-do=reject]")
    page.press("a")
    assert "cannot be accepted" in page.text("#notice") and verdicts(root) == []
    page.press("n")
    page.shows(B)
    page.until("video.currentTime > 0")
    assert page.view.is_hidden("#broken")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 720), (1024, 600)])
def test_all_that_is_needed_is_on_a_small_screen(
    size: tuple[int, int], scheme: str, chromium: Any, server: Server
) -> None:
    page = Page(chromium, server.address, "anna", size=size, color_scheme=scheme)
    page.until("video.currentTime > 0")
    assert page.view.evaluate("document.documentElement.scrollHeight <= innerHeight")
    for state in ("", "r"):
        page.press(*state)
        for selector in ("#video", "#class", "#comment", "#reasons button" if state else "[data-do=accept]"):
            area = page.view.locator(selector).first.bounding_box()
            assert area["x"] >= 0 and area["y"] >= 0
            assert area["x"] + area["width"] <= size[0] and area["y"] + area["height"] <= size[1]
    assert page.view.locator("#video").bounding_box()["height"] > size[1] / 2
    ratio = page.view.evaluate(
        """() => {
          const light = (text) => {
            const part = text.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255);
            const [r, g, b] = part.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ground = (node) => {
            const found = getComputedStyle(node).backgroundColor;
            return found.startsWith("rgba(0, 0, 0, 0") && node.parentElement ? ground(node.parentElement) : found;
          };
          const shown = [...document.querySelectorAll("#facts *, #verdict button, #tools button, #top *")];
          return Math.min(...shown.filter((n) => n.innerText && n.checkVisibility() && !n.closest(":disabled")).map((n) => {
            const [a, b] = [light(getComputedStyle(n).color), light(ground(n))].sort((x, y) => y - x);
            return (a + 0.05) / (b + 0.05);
          }));
        }"""
    )
    assert ratio >= 4.5  # WCAG AA
    names = page.view.evaluate(
        "[...document.querySelectorAll('button')].filter((b) => !b.textContent.trim()).map((b) => b.id)"
    )
    assert names == []
    page.close()


def test_a_draft_belongs_to_its_reviewer(page: Page, root: DataRoot) -> None:
    page.shows(A)
    page.press("Tab", "ArrowRight", "c")
    page.view.keyboard.type("anna thinks: no")
    _as(page, "ben")
    page.shows(B)  # the other clip lies before anna for a moment
    assert page.text("#who") == "ben"
    with Ledger.open(root.ledger) as ledger, ledger.transaction() as connection:
        connection.execute("DELETE FROM leases WHERE reviewer = 'anna'")
    page.view.evaluate(
        "sessionStorage.setItem('vggss:place', JSON.stringify({ clip: 'AAAAAAAAAAA_000010' }))"
    )
    page.view.reload()
    page.shows(A)
    assert page.view.input_value("#comment") == "" and "changes are back" not in page.text("#notice")
    assert "anna thinks: no" in page.view.evaluate(
        'sessionStorage.getItem(\'vggss:draft:["anna","AAAAAAAAAAA_000010"]\')'
    )


def test_an_answer_for_the_reviewer_before_is_dropped(page: Page, server: Server, root: DataRoot) -> None:
    page.shows(A)
    page.seen()
    server.process.send_signal(signal.SIGSTOP)
    try:
        page.press("a")
        _as(page, "ben", wait=False)
        page.view.wait_for_timeout(200)
    finally:
        server.process.send_signal(signal.SIGCONT)
    page.until("!document.querySelector('#clip').textContent.startsWith('AAA') && video.dataset.seen")
    assert page.text("#who") == "ben" and "0 by you" in page.text("#progress")
    shown = page.text("#clip").split(",")[0]
    assert _said(root) == [(A, "anna", "accept", "")]
    page.press("r", "1")
    page.until("!document.body.ariaBusy")
    assert _said(root)[1] == (shown, "ben", "reject", "not audible")


def test_a_verdict_waits_for_the_server_after_a_clean_end(page: Page, server: Server, root: DataRoot) -> None:
    page.shows(A)
    page.seen()
    server.interrupt()
    page.press("a")
    page.until("document.querySelector('#gone').textContent.includes('Your verdict is kept in this tab')")
    server.start()
    page.until("document.querySelector('#gone').textContent.includes('Open the new address')")
    assert verdicts(root) == []
    page.view.goto(server.address)
    page.shows(B)
    assert _said(root) == [(A, "anna", "accept", "")]


def test_a_clip_is_not_accepted_before_it_has_shown(page: Page, root: DataRoot) -> None:
    page.shows(A)
    page.seen()
    page.view.route("**/preview?*", lambda route: None)  # never answered
    page.view.keyboard.press("a")
    page.shows(B)
    page.view.keyboard.press("a")
    page.view.locator("[data-do=accept]").dispatch_event("click")
    assert "still loading" in page.text("#notice") and page.view.is_disabled("[data-do=accept]")
    assert _said(root) == [(A, "anna", "accept", "")]


def test_a_key_that_is_hit_twice_judges_one_clip(page: Page, root: DataRoot) -> None:
    page.shows(A)
    page.seen()
    page.view.evaluate(
        "() => { const old = setTimeout; window.setTimeout = (f, ms) => old(f, ms === 400 ? 3000 : ms); }"
    )
    page.view.keyboard.press("a")
    page.until("document.querySelector('#clip').textContent.startsWith('BBB') && video.currentTime > 0.1")
    page.view.keyboard.press("a")
    page.seen()
    assert _said(root) == [(A, "anna", "accept", "")]


def test_space_and_enter_choose_no_reason(page: Page, root: DataRoot) -> None:
    page.shows(A)
    page.press("r", "Space", "Enter", "Tab", "Space")
    page.view.wait_for_timeout(100)
    assert page.view.is_visible("#reasons") and verdicts(root) == []
    page.press("Escape", "r", "ArrowRight", "ArrowRight", "Enter")
    page.shows(B)
    assert _said(root) == [(A, "anna", "reject", "off screen")]


def test_what_an_undo_brought_back_survives_a_reload_and_other_clips(page: Page, root: DataRoot) -> None:
    page.shows(A)
    page.drag((0.7, 0.1), (0.9, 0.3))
    page.press("c")
    page.view.keyboard.type("two dogs")
    page.press("Enter", "a")
    page.shows(B)
    page.press("u")
    page.shows(A)
    for keys in ((), ("n", "p")):
        if keys:
            page.press(keys[0])
            page.shows(B)
            page.press(keys[1])
        else:
            page.view.reload()
        page.shows(A)
        assert page.boxes() == 2 and page.view.input_value("#comment") == "two dogs"
    page.press("a")
    page.shows(B)
    assert [one.action for one in verdicts(root)] == ["accept", "undo", "accept"]
    assert verdicts(root)[2].regions == verdicts(root)[0].regions


def test_an_undo_of_the_second_verdict_says_that_the_first_stands_again(page: Page) -> None:
    page.shows(A)
    page.press("a")
    page.shows(B)
    page.press("p")
    page.shows(A)
    page.press("r", "2")
    page.shows(B)
    page.press("u")
    page.shows(A)
    assert "the one before stands again: accept" in page.text("#notice")


def test_a_comment_outlives_a_change_of_stage_2(page: Page) -> None:
    page.shows(A)
    page.press("c")
    page.view.keyboard.type("a long comment")
    page.press("Enter", "Tab", "ArrowRight")
    page.seen()

    def other(route: Any) -> None:
        answer = route.fetch()
        body = answer.json()
        body["clip"]["stand"] = "0123456789abcdef"
        route.fulfill(response=answer, json=body)

    page.view.route("**/api/verdict", lambda route: route.fulfill(status=409, json={"error": "changed"}))
    page.view.route("**/api/open", other)
    page.press("a")
    page.until("document.querySelector('#notice').textContent.includes('changed')")
    assert page.view.input_value("#comment") == "a long comment"
    assert "was detector" not in page.text("#list")


def test_a_copy_of_a_window_is_a_window_of_its_own(page: Page, root: DataRoot) -> None:
    page.shows(A)
    before = page.view.evaluate("JSON.stringify(sessionStorage)")
    copy = page.context.new_page()
    copy.goto(page.view.url + "icon.svg")
    copy.evaluate(
        "(all) => Object.entries(JSON.parse(all)).forEach(([k, v]) => sessionStorage.setItem(k, v))", before
    )
    copy.goto(page.view.url)
    first, page.view = page.view, copy
    page.shows(B)
    copy.close()
    page.view = first
    page.view.wait_for_timeout(300)  # the copy says good-bye
    with Ledger.open(root.ledger) as ledger, Stages(ledger).queue() as held:
        assert {one.clip: one.until > time.time() + 30 for one in held.leases(0)}[A]
    mine = page.view.evaluate("sessionStorage.getItem('vggss:window')")
    page.view.reload()
    page.shows(A)
    assert page.view.evaluate("sessionStorage.getItem('vggss:window')") == mine


def test_the_page_that_a_file_led_to_can_be_loaded_anew(
    chromium: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(webbrowser, "open", opened.put)
    with in_browser(server.address):
        page = Page(chromium, opened.get(timeout=30), "")
        page.view.wait_for_url("http://127.0.0.1*/**")
        page.begin("anna")
    page.shows(A)
    page.view.reload()
    page.shows(A)
    page.close()


def test_escape_does_not_end_the_beginning(chromium: Any, server: Server) -> None:
    page = Page(chromium, server.address, "")
    page.until("document.querySelector('#start').open")
    for _ in range(3):
        page.press("Escape")
        page.view.wait_for_timeout(50)
    page.begin("anna")
    page.shows(A)
    page.view.click("#who")
    page.press("Escape")
    page.until("!document.querySelector('#start').open && !video.paused")
    page.close()


def test_a_key_ends_a_drag(page: Page, root: DataRoot) -> None:
    page.shows(A)
    page.seen()
    for key, left in (("Escape", 1), ("Delete", 0), ("z", 1), ("a", 1)):
        page.view.mouse.move(*page.corner(0.4, 0.5))
        page.view.mouse.down()
        page.view.mouse.move(*page.corner(0.45, 0.5))
        page.press(key)
        if key == "a":
            page.shows(B)
        for x in (0.5, 0.55):
            page.view.mouse.move(*page.corner(x, 0.5))
        page.view.mouse.up()
        assert page.boxes() == left
    assert "was detector" not in page.text("#list")  # the next clip's box stayed where it was


def test_boxes_at_the_edge_and_many_at_one_place_can_be_read_and_mended(
    chromium: Any, root: DataRoot
) -> None:
    with Ledger.open(root.ledger) as ledger:
        Stages(ledger).record_candidates([candidate(A, Box(0, 0.2, 0.008, 0.8), *[Box(0, 0, 1, 1)] * 10)])
    server = Server(root, "--double", 0)
    page = Page(chromium, server.address)
    page.shows(A)
    page.press("Tab")
    page.drag((0.0, 0.5), (0.2, 0.5))
    areas = """(name) => [...document.querySelectorAll(`#boxes ${name}`)].map((one) => {
      const { left, right, top, bottom } = one.getBoundingClientRect();
      return [left, right, top, bottom];
    })"""
    ((left, right, top, bottom),) = page.view.evaluate("() => [document.querySelector('#boxes')].map((one) => "
        "{ const r = one.getBoundingClientRect(); return [r.left, r.right, r.top, r.bottom]; })")  # fmt: skip
    for x0, x1, y0, y1 in page.view.evaluate(areas, ".over"):
        assert left + 2 <= x0 and x1 <= right - 2 and top + 2 <= y0 and y1 <= bottom - 2
    tags, numbers = page.view.evaluate(areas, ".tag"), page.view.evaluate(areas, "text")
    assert len(tags) == len(numbers) == 11
    assert all(tag[0] <= text[0] and text[1] <= tag[1] for tag, text in zip(tags, numbers, strict=True))
    whole = sorted(tags)[1:]  # those of the boxes that are the whole frame
    assert all(one[1] <= other[0] + 1 for one, other in itertools.pairwise(whole))
    assert page.view.evaluate("document.querySelector('#boxes .tag:has(~ .tag) ~ .tag.chosen') !== null")
    page.press("a")
    page.shows(B)
    server.kill()
    page.close()
    assert min(verdicts(root)[0].regions[0].box.as_tuple()) >= 0


def test_sound_and_speed_survive_a_reload(page: Page) -> None:
    page.shows(A)
    page.press("m", "s")
    page.view.reload()
    page.shows(A)
    page.until("video.muted && video.playbackRate === 0.5")


def test_the_reason_other_asks_no_more_after_escape(page: Page) -> None:
    page.shows(A)
    page.press("r", "4")
    assert "required" in page.view.get_attribute("#comment", "placeholder") and page.text("#notice")
    page.press("Escape")
    assert "optional" in page.view.get_attribute("#comment", "placeholder") and not page.text("#notice")


@pytest.mark.slow
def test_real_clips_are_reviewed(chromium: Any, test_data: Path, tmp_path: Path) -> None:
    root = DataRoot(tmp_path / "real", "a test")
    ingest(root.path, test_data / "clips")
    with Ledger.open(root.ledger) as ledger:
        here = [row.clip for row in ledger.rows(states={"have"})]
        Stages(ledger).record_candidates(candidate(clip, BOX) for clip in here)
    assert len(here) >= 8
    server = Server(root, "--double", 0, "--reviewer", "anna")
    page = Page(chromium, server.address, "")
    page.until("document.activeElement.id === 'begin'")  # the name is there already
    page.press("Space")
    for place, clip in enumerate(sorted(here)):
        page.shows(clip)
        page.until("video.currentTime > 0.2 && video.videoWidth > 0")
        if page.view.evaluate("!document.querySelector('#notice').textContent.includes('no sound')"):
            page.until("video.webkitAudioDecodedByteCount > 0")
        page.press(*("a" if place % 2 else ("r", "2")))
    page.until("!document.querySelector('#end').hidden")
    code, said = server.interrupt()  # while the page is open
    assert code == 0 and "Traceback" not in said
    page.close()
    assert [one.clip for one in verdicts(root)] == sorted(here)
