"""The review server: who is let in, what can be reached, what bad requests get."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="Starlette is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("av", reason="PyAV is not installed")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from review_cases import BOX, CLIPS, DOG, Client, accept, candidate, home, verdicts

from vggss.boxes import Box
from vggss.errors import DataError
from vggss.ledger import Ledger, Outcome
from vggss.ledger.stage_records import Entry, Origin, Region, Verdict
from vggss.ledger.stages import Stages
from vggss.media.cut import ffmpeg_program
from vggss.pipeline.review.app import PAGE, make_app
from vggss.pipeline.review.bodies import MOST_BYTES
from vggss.pipeline.review.desk import Desk
from vggss.pipeline.verify.standing import fingerprint
from vggss.storage import DataRoot

TOKEN = "t" * 43
HOST = "http://127.0.0.1:8123"
KEY = {"x-vggss-token": TOKEN}
A, B, C = CLIPS
ROOM = {"reviewer": "anna", "window": "w1"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    try:
        ffmpeg_program()
    except DataError as error:
        pytest.skip(str(error))
    return home(tmp_path_factory.mktemp("review"), CLIPS)


@pytest.fixture
def own(root: DataRoot, tmp_path: Path) -> DataRoot:
    """Return a data folder in which nobody has said anything yet."""
    copy = DataRoot(tmp_path / "own", "a test")
    copy.path.mkdir()
    with Ledger.open(root.ledger) as ledger, Ledger.open(copy.ledger) as new:
        rows = [row for row in ledger.rows() if row.facts]
        new.record_many(Outcome(row.clip, "have", facts=row.facts) for row in rows)
        Stages(new).record_candidates(Stages(ledger).candidates(raw=True))
    copy.clips.symlink_to(root.clips)
    root.previews.mkdir(exist_ok=True)
    copy.previews.symlink_to(root.previews)
    return copy


@pytest.fixture
def desk(own: DataRoot) -> Iterator[Desk]:
    desk = Desk(own, None, 0.0)
    yield desk
    desk.close()


@pytest.fixture
def page(desk: Desk) -> Iterator[Client]:
    with Client(make_app(desk, TOKEN, 8123), HOST, KEY) as client:
        yield client


@pytest.fixture
def stranger(desk: Desk) -> Iterator[Client]:
    """Return a client without the token."""
    with Client(make_app(desk, TOKEN, 8123), HOST) as client:
        yield client


def _verdict(clip: str = A, action: str = "accept", **more: Any) -> dict[str, Any]:
    regions = [{"from": 0, "bbox": list(BOX.as_tuple()), "group": False, "interaction": False}]
    return {**ROOM, "clip": clip, "action": action, "regions": regions, "seconds": 3.2, **more}


def _stage_2(root: DataRoot, desk: Desk, sound_class: str, box: Box) -> None:
    """Let an annotator say something else of the first clip, and the server hear of it."""
    with Ledger.open(root.ledger) as ledger:
        region = Region(box, Origin("annotator", "zoe"))
        Stages(ledger).record_entries([Entry(A, "zoe", sound_class, "boxes", "", (region,))])
    asyncio.run(desk.do(desk._queue.refresh))


# Who is let in


@pytest.mark.parametrize("path", [*PAGE, "/preview?clip=x", "/api/hello", "/none"])
def test_nothing_is_given_without_the_token(path: str, stranger: Client) -> None:
    found = stranger.get(path)
    assert found.status_code == 403 and "vggss verify" in found.json()["error"]
    assert stranger.get(path, headers={"x-vggss-token": "wrong"}).status_code == 403
    assert stranger.get(path, headers={"cookie": "vggss_review_8123=wrong"}).status_code == 403
    assert stranger.post("/api/next", json=ROOM).status_code == 403


def test_the_token_of_the_address_becomes_a_cookie_that_scripts_cannot_read(stranger: Client) -> None:
    found = stranger.get(f"/?token={TOKEN}")
    assert found.status_code == 200
    cookie = found.headers["set-cookie"]
    assert cookie.startswith("vggss_review_8123=") and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert stranger.get("/api/hello").status_code == 200
    assert "set-cookie" not in stranger.get("/").headers


@pytest.mark.parametrize(
    "other", ['prefs={"theme":"dark"}', "a=\xe9; b", "=;;", 'x="; y', "vggss_review_1=z"]
)
def test_cookies_of_other_programs_do_not_hide_the_token(other: str, stranger: Client) -> None:
    for cookie in (f"{other}; vggss_review_8123={TOKEN}", f"vggss_review_8123={TOKEN};{other}"):
        found = stranger.get("/api/hello", headers={"cookie": cookie.encode("latin-1")})  # type: ignore[dict-item]
        assert found.status_code == 200


def test_the_token_opens_the_page_only(stranger: Client) -> None:
    assert stranger.get(f"/api/hello?token={TOKEN}").status_code == 403
    assert stranger.get("/?token=" + "x" * 43).status_code == 403
    assert stranger.get("/?" + "&".join(["a=1"] * 50)).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example:8123", "127.0.0.1", "127.0.0.1:80", "[::1]:8123", "127.0.0.1.nip.io:8123", ""]
)
def test_another_host_name_is_refused_even_with_the_token(host: str, page: Client) -> None:
    assert page.get("/api/hello", headers={"host": host}).status_code == 421
    assert page.get("/api/hello", headers={"host": "LocalHost:8123"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none", "origin": "http://evil.example"},
    ],
)
def test_another_pages_post_is_refused_and_changes_nothing(
    headers: dict[str, str], page: Client, own: DataRoot
) -> None:
    assert page.post("/api/verdict", json=_verdict(), headers=headers).status_code == 403
    assert verdicts(own) == []


def test_a_cookie_alone_is_not_enough_to_post(stranger: Client) -> None:
    stranger.get(f"/?token={TOKEN}")
    assert stranger.post("/api/next", json=ROOM).status_code == 403
    assert stranger.post("/api/next", json=ROOM, headers={"origin": HOST}).status_code == 200
    assert stranger.post("/api/next", json=ROOM, headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_another_port_of_this_machine_may_not_read(page: Client) -> None:
    assert page.get("/api/hello", headers={"sec-fetch-site": "same-site"}).status_code == 403
    assert (
        page.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200
    )  # a link may open the page


def test_every_answer_carries_the_policy(page: Client, stranger: Client) -> None:
    for found in (page.get("/"), page.get("/none"), stranger.get("/"), page.post("/api/next", json={})):
        assert found.headers["content-security-policy"].startswith("default-src 'self'")
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["cross-origin-resource-policy"] == "same-origin"


# What can be reached


@pytest.mark.parametrize(
    "path",
    [
        "/../ledger.sqlite", "/..%2fledger.sqlite", "/%2e%2e/ledger.sqlite", "/page/index.html", "//etc/passwd",
        "/previews/x.mp4", "/clips/AAAAAAAAAAA_000010.mp4", "/preview/..%2f..%2fledger.sqlite", "/index.html",
        "/review.js/", "/api/", "/%00", "/%2e%2e%5cledger.sqlite", "/file:///etc/passwd",
    ],
)  # fmt: skip
def test_no_path_leads_to_a_file(path: str, page: Client) -> None:
    assert page.get(path).status_code == 404


@pytest.mark.parametrize(
    "clip",
    [
        "",
        "../ledger.sqlite",
        "/etc/passwd",
        "..%2f..%2fx",
        "DDDDDDDDDDD_000000",
        f"{A}/../{B}",
        "a\0b",
        "ü" * 500,
    ],
)
def test_only_clips_of_the_queue_have_a_preview(clip: str, page: Client) -> None:
    assert page.get("/preview", params={"clip": clip}).status_code == 404


def test_a_preview_comes_whole_and_in_parts(page: Client) -> None:
    whole = page.get("/preview", params={"clip": A})
    assert whole.status_code == 200 and whole.headers["content-type"] == "video/mp4"
    assert whole.headers["accept-ranges"] == "bytes" and b"ftyp" in whole.content[:12]
    part = page.get("/preview", params={"clip": A}, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    last = page.get("/preview", params={"clip": A}, headers={"range": "bytes=-5"})
    assert last.content == whole.content[-5:]
    assert page.get("/preview", params={"clip": A}, headers={"range": "bytes=99999999-"}).status_code == 416
    assert page.get("/preview", params={"clip": A}, headers={"range": "lines=1-2"}).status_code == 400


def test_a_clip_that_cannot_be_read_is_said_and_can_be_rejected(page: Client, own: DataRoot) -> None:
    own.clips.unlink()
    own.previews.unlink()
    found = page.get("/preview", params={"clip": B})
    assert found.status_code == 422 and "is gone from the data folder" in found.json()["error"]
    given = page.post("/api/verdict", json=_verdict(B, "reject", reason="other", comment="no video"))
    assert given.status_code == 200 and given.json()["clip"]["id"] == A
    assert [one.clip for one in verdicts(own)] == [B]


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("PUT", "/review.js"), ("GET", "/api/verdict"),
                                               ("DELETE", "/preview"), ("OPTIONS", "/api/next"), ("TRACE", "/")])  # fmt: skip
def test_other_methods_are_refused(method: str, path: str, page: Client) -> None:
    assert page.request(method, path).status_code == 405


def test_the_page_asks_nothing_of_other_hosts(page: Client) -> None:
    for path in PAGE:
        found = page.get(path)
        assert found.status_code == 200
        text = found.text.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text and "https://" not in text and "@import" not in text


# What bad requests get


@pytest.mark.parametrize(
    "change",
    [
        {"reviewer": ""}, {"reviewer": None}, {"reviewer": "a" * 61}, {"reviewer": "a\u202eb"}, {"reviewer": 7},
        {"window": {}}, {"clip": 3}, {"clip": "x" * 1001}, {"action": "undo"}, {"action": None}, {"action": ["accept"]},
        {"action": "reject"}, {"action": "reject", "reason": "ugly"}, {"reason": "other"},
        {"action": "reject", "reason": "other"}, {"action": "reject", "reason": "other", "comment": "  "},
        {"comment": "x" * 2001}, {"comment": 5}, {"seconds": "x"}, {"seconds": True}, {"seconds": 1e300}, {"base": -1},
        {"base": 99}, {"base": 1.5}, {"known": "1"}, {"regions": None}, {"regions": []}, {"regions": "box"},
        {"regions": [1]}, {"regions": [{}]}, {"regions": [{"bbox": [0, 0, 1]}]}, {"regions": [{"bbox": [0, 0, 1, "1"]}]},
        {"regions": [{"bbox": [0, 0, 2, 1]}]}, {"regions": [{"bbox": [0.5, 0.5, 0.5, 0.6]}]},
        {"regions": [{"bbox": [0.6, 0, 0.5, 1]}]}, {"regions": [{"bbox": [0, 0, 1, 1], "from": 1}]},
        {"regions": [{"bbox": [0, 0, 1, 1], "from": -1}]}, {"regions": [{"bbox": [0, 0, 1, 1], "group": 1}]},
        {"regions": [{"bbox": [0, 0, 1, 1], "from": 0}] * 2}, {"regions": [{"bbox": [0, 0, 1, 1]}] * 101},
        {"regions": [{"bbox": [0, 0, 1, 10**400]}]},
    ],
)  # fmt: skip
def test_a_verdict_that_is_none_is_refused_in_words(
    change: dict[str, Any], page: Client, own: DataRoot
) -> None:
    body = json.dumps({**_verdict(), **change}).encode()
    found = page.post("/api/verdict", content=body, headers={"content-type": "application/json"})
    assert found.status_code == 400 and found.json()["error"]
    assert verdicts(own) == []


def test_bodies_that_are_no_json_too_long_or_of_another_kind_are_refused(page: Client) -> None:
    kind = {"content-type": "application/json"}
    for bad in (
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff",
        b"{" * 5000,
        b"[" * 100_000,
        b'{"reviewer": "\\ud800"}',
    ):
        assert page.post("/api/next", content=bad, headers=kind).status_code == 400
    assert page.post("/api/next", content=b" " * (MOST_BYTES + 1), headers=kind).status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(99):
            yield b" " * 9999

    assert page.post("/api/next", content=endless(), headers=kind).status_code == 413
    assert page.post("/api/next", data={"reviewer": "anna"}).status_code == 415
    assert page.post("/api/next", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415


@pytest.mark.parametrize("path", ["next", "open", "verdict", "undo", "beat", "leave"])
def test_no_json_whatever_makes_the_server_stumble(path: str, page: Client) -> None:
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    )
    keys = ("clip", "leave", "prefer", "number", "skip", "action", "reason", "regions", "base", "comment")

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(st.sampled_from(keys), values))
    def stumble(body: dict[str, Any]) -> None:
        found = page.post(
            f"/api/{path}",
            content=json.dumps({**ROOM, **body}).encode(),
            headers={"content-type": "application/json"},
        )
        assert found.status_code < 500 and found.json() is not None

    stumble()


# What good ones do


def test_a_verdict_is_in_the_ledger_before_the_answer_and_the_next_clip_is_in_it(
    page: Client, own: DataRoot
) -> None:
    first = page.post("/api/next", json=ROOM).json()
    assert first["clip"]["id"] == A and first["clip"]["class"] == "dog barking"
    assert [one["name"] for one in first["clip"]["candidates"]] == ["Dog", "Person"]
    found = page.post("/api/verdict", json=_verdict(comment=" clear ")).json()
    assert found["clip"]["id"] == B and found["progress"]["done"] == 1 and found["recorded"] == 1
    (one,) = verdicts(own)
    assert (one.clip, one.reviewer, one.action, one.comment, one.seconds) == (
        A,
        "anna",
        "accept",
        "clear",
        3.2,
    )
    assert one.regions[0].origin == DOG and one.sound_class == "dog barking"


def test_a_verdict_that_is_sent_twice_is_entered_once(page: Client, own: DataRoot) -> None:
    for _ in range(3):
        assert page.post("/api/verdict", json=_verdict()).json()["recorded"] == 1
    assert len(verdicts(own)) == 1
    assert page.post("/api/verdict", json=_verdict(known=1)).json()["recorded"] == 2  # said again on purpose


def test_boxes_say_who_made_them(page: Client, own: DataRoot) -> None:
    regions = [
        {"from": 0, "bbox": [0.1, 0.2, 0.6, 0.8], "group": True, "interaction": False},
        {"from": None, "bbox": [0, 0, 0.25, 1]},
    ]
    page.post("/api/verdict", json=_verdict(regions=regions))
    moved, drawn = verdicts(own)[0].regions
    mine = Origin("reviewer", "anna")
    assert (moved.origin, moved.parent, moved.group) == (mine, DOG, True)
    assert (drawn.origin, drawn.parent, drawn.group) == (mine, None, False)
    again = [{"from": 0, "bbox": [0, 0.2, 0.6, 0.8], "group": True}]
    page.post("/api/verdict", json=_verdict(regions=again, base=1, known=1))
    (moved_again,) = verdicts(own)[1].regions
    assert (moved_again.origin, moved_again.parent) == (mine, DOG)


def test_boxes_that_stage_2_changed_meanwhile_are_not_taken_for_those_on_the_screen(
    page: Client, own: DataRoot, desk: Desk
) -> None:
    stand = page.post("/api/next", json=ROOM).json()["clip"]["stand"]
    with Ledger.open(own.ledger) as ledger:
        Stages(ledger).record_candidates([candidate(A, Box(0, 0, 1, 1))])
    asyncio.run(desk.do(desk._queue.refresh))
    found = page.post("/api/verdict", json=_verdict(stand=stand))
    assert found.status_code == 409 and "look at it again" in found.json()["error"]
    assert verdicts(own) == []
    stand = page.post("/api/open", json={**ROOM, "clip": A}).json()["clip"]["stand"]
    assert page.post("/api/verdict", json=_verdict(stand=stand)).status_code == 200


def test_a_class_that_changed_meanwhile_is_not_judged_unseen(page: Client, own: DataRoot, desk: Desk) -> None:
    stand = page.post("/api/next", json=ROOM).json()["clip"]["stand"]
    _stage_2(own, desk, "cat meowing", BOX)
    assert page.post("/api/verdict", json=_verdict(stand=stand)).status_code == 409
    assert verdicts(own) == []


def test_a_verdict_says_what_it_was_given_on(page: Client, own: DataRoot, desk: Desk) -> None:
    stand = page.post("/api/next", json=ROOM).json()["clip"]["stand"]
    changed = [{"from": 0, "bbox": [0, 0, 0.5, 0.5]}]
    page.post("/api/verdict", json=_verdict(stand=stand, regions=changed))
    given = page.post("/api/open", json={**ROOM, "clip": A}).json()["clip"]
    assert given["base"] == 1 and given["stand"] == stand  # that of stage 2, whosever boxes are shown
    page.post("/api/verdict", json=_verdict(B))
    today = [fingerprint(desk._queue.items[clip].settled) for clip in (A, B)]
    assert [one.shown for one in verdicts(own)] == today and stand == today[0]


def test_a_verdict_on_what_stage_2_said_before_is_not_taken_for_one_of_today(
    page: Client, own: DataRoot, desk: Desk
) -> None:
    old = _verdict(action="reject", reason="not audible")
    stand = page.post("/api/next", json=ROOM).json()["clip"]["stand"]
    page.post("/api/verdict", json={**old, "stand": stand})
    _stage_2(own, desk, "cat meowing", BOX)
    assert page.post("/api/verdict", json={**old, "stand": stand}).json()["recorded"] == 1  # sent twice
    clip = page.post("/api/open", json={**ROOM, "clip": A}).json()["clip"]
    assert (clip["given"], clip["base"], clip["class"]) == (None, 0, "cat meowing")
    assert page.post("/api/verdict", json={**old, "stand": clip["stand"]}).json()["recorded"] == 2
    assert len({one.shown for one in verdicts(own)}) == 2


def test_boxes_of_a_verdict_on_another_clip_are_refused(page: Client, own: DataRoot) -> None:
    page.post("/api/verdict", json=_verdict(A))
    found = page.post("/api/verdict", json=_verdict(B, base=1))
    assert found.status_code == 400 and len(verdicts(own)) == 1


def test_a_verdict_that_cannot_be_written_is_not_counted(
    page: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def fail(_: Verdict) -> Verdict:
        raise DataError("cannot use it") from full

    with monkeypatch.context() as broken:
        broken.setattr(desk._queue, "give", fail)
        found = page.post("/api/verdict", json=_verdict())
    assert found.status_code == 503 and "is full; make room" in found.json()["error"]
    assert desk.given == 0
    page.post("/api/verdict", json=_verdict())
    assert desk.given == 1


def test_an_undo_says_whether_an_earlier_verdict_stands_again(page: Client) -> None:
    page.post("/api/verdict", json=_verdict())
    page.post("/api/verdict", json=_verdict(action="reject", reason="off screen", known=1))
    first, second = (page.post("/api/undo", json={**ROOM, "number": number}).json() for number in (2, 1))
    assert first["clip"]["given"] == {"number": 1, "action": "accept", "reason": ""}
    assert second["clip"]["given"] is None


def test_an_undo_gives_the_clip_back_with_its_boxes(page: Client, own: DataRoot) -> None:
    page.post("/api/verdict", json=_verdict(regions=[{"from": None, "bbox": [0, 0, 0.25, 1]}], comment="x"))
    for _ in range(2):  # a second sending changes nothing
        found = page.post("/api/undo", json={**ROOM, "number": 1, "leave": B}).json()
        assert found["undone"] == 1 and found["clip"]["id"] == A and found["clip"]["base"] == 1
        assert found["clip"]["regions"][0]["bbox"] == [0, 0, 0.25, 1] and found["clip"]["comment"] == "x"
        assert found["progress"]["last"] == 0
    assert [one.action for one in verdicts(own)] == ["accept", "undo"]
    assert page.post("/api/undo", json={**ROOM, "reviewer": "bob", "number": 1}).status_code == 409
    assert page.post("/api/undo", json={**ROOM, "number": 77}).status_code == 409


def test_reviewers_and_windows_do_not_meet(page: Client) -> None:
    def ask(**who: str) -> Any:
        return page.post("/api/next", json={**ROOM, **who}).json()["clip"]["id"]

    assert [ask(), ask(reviewer="bob", window="w2"), ask(window="w3")] == [A, B, C]
    assert page.post("/api/next", json={"reviewer": "dora", "window": "w4"}).json()["why"] == "waiting"
    found = page.post("/api/open", json={"reviewer": "dora", "window": "w4", "clip": A})
    assert found.status_code == 409 and found.json()["by"] == "anna"
    assert page.post("/api/beat", json={"reviewer": "dora", "window": "w4", "clip": A}).json()["by"] == "anna"


def _leases(root: DataRoot) -> dict[str, float]:
    with Ledger.open(root.ledger) as ledger, Stages(ledger).queue() as queue:
        return {one.clip: one.until for one in queue.leases(0)}


def test_a_clip_in_another_window_of_ones_own_is_refused_and_nothing_given_up(
    page: Client, own: DataRoot
) -> None:
    page.post("/api/next", json=ROOM)
    other = {**ROOM, "window": "w2"}
    assert page.post("/api/next", json=other).json()["clip"]["id"] == B
    before = _leases(own)
    found = page.post("/api/open", json={**other, "clip": A, "leave": B})
    assert found.status_code == 409 and found.json()["by"] == "you, in another window"
    page.post("/api/leave", json={**other, "clip": A})
    assert _leases(own) == before


def test_a_skipped_clip_that_is_judged_after_all_is_skipped_no_more(page: Client) -> None:
    page.post("/api/next", json=ROOM)
    page.post("/api/next", json={**ROOM, "leave": A, "skip": True})
    page.post("/api/open", json={**ROOM, "clip": A, "leave": B})
    assert page.post("/api/verdict", json=_verdict(A)).json()["clip"]["id"] == B
    page.post("/api/undo", json={**ROOM, "number": 1, "leave": B})
    found = page.post("/api/next", json={**ROOM, "leave": A}).json()["clip"]
    assert found["id"] == A and not found["skipped"]


def test_skipped_clips_come_again_at_the_end(page: Client) -> None:
    seen = [page.post("/api/next", json=ROOM).json()["clip"]["id"]]
    for _ in range(3):
        found = page.post("/api/next", json={**ROOM, "leave": seen[-1], "skip": True}).json()["clip"]
        seen.append(found["id"])
    assert seen == [A, B, C, A] and found["skipped"]


def test_a_closed_window_frees_its_clip_after_a_moment(page: Client, own: DataRoot) -> None:
    page.post("/api/next", json=ROOM)
    page.post("/api/leave", json={**ROOM, "clip": A})
    with Ledger.open(own.ledger) as ledger, Stages(ledger).queue() as queue:
        assert [lease.until - 10 for lease in queue.leases(0)] < [time.time()]


def test_verdicts_of_other_servers_are_counted(page: Client, own: DataRoot) -> None:
    with Ledger.open(own.ledger) as ledger:
        Stages(ledger).record_verdicts([accept(A, "bob"), accept(B, "bob")])
    found = page.post("/api/next", json=ROOM).json()
    assert found["clip"]["id"] == C and found["progress"]["done"] == 2
    page.post("/api/verdict", json=_verdict(C))
    assert page.post("/api/next", json=ROOM).json()["why"] == "done"


def test_names_of_clips_may_be_odd(tmp_path: Path) -> None:
    odd = "ü <b>&\"' %2e#?.x"
    root = home(tmp_path, (odd,), files=False)
    desk = Desk(root, None, 0.0)
    with Client(make_app(desk, TOKEN, 8123), HOST, KEY) as client:
        found = client.post("/api/next", json=ROOM).json()["clip"]
        assert found["id"] == odd
        assert client.get(found["video"]).status_code == 422
        assert (
            client.post("/api/verdict", json=_verdict(odd, "reject", reason="off screen")).status_code == 200
        )
    desk.close()
    assert isinstance(verdicts(root)[0], Verdict)


def test_capitals_make_no_other_reviewer_and_a_releases_name_is_nobodys(own: DataRoot) -> None:
    released = Region(BOX, Origin("release", "vggss-1.0"))
    with Ledger.open(own.ledger) as ledger:
        Stages(ledger).record_verdict(accept(A, "Änna B"))
        Stages(ledger).record_entries([Entry(C, "vggss-1.0", "dog barking", "boxes", regions=(released,))])
    desk = Desk(own, None, 0.0)
    with Client(make_app(desk, TOKEN, 8123), HOST, KEY) as client:
        refused = client.post("/api/next", json={"reviewer": "VGGSS-1.0", "window": "w1"})
        assert (refused.status_code, "a release that was imported" in refused.text) == (400, True)
        room = {"reviewer": "änna  b", "window": "w1"}
        given = client.post("/api/next", json=room).json()["clip"]
        body = {**room, "clip": given["id"], "action": "accept", "regions": given["regions"], "known": 0}
        client.post("/api/verdict", json={**body, "stand": given["stand"]})
    desk.close()
    assert {one.reviewer for one in verdicts(own)} == {"Änna B"}
    assert len(verdicts(own)) == 2


def test_a_clip_that_changed_after_a_verdict_says_so(own: DataRoot) -> None:
    with Ledger.open(own.ledger) as ledger:
        stages = Stages(ledger)
        before = replace(accept(A, "ben"), shown="0" * 16)
        stages.record_verdict(before)
    desk = Desk(own, None, 0.0)
    with Client(make_app(desk, TOKEN, 8123), HOST, KEY) as client:
        first = client.post("/api/open", json={**ROOM, "clip": A}).json()["clip"]
        other = client.post("/api/open", json={**ROOM, "clip": B, "leave": A}).json()["clip"]
    desk.close()
    assert (first["changed"], other["changed"]) == (True, False)


def test_a_change_of_stage_2_is_seen_when_the_verdict_comes(own: DataRoot) -> None:
    desk = Desk(own, None, 0.0)
    with Client(make_app(desk, TOKEN, 8123), HOST, KEY) as client:
        given = client.post("/api/next", json=ROOM).json()["clip"]
        with Ledger.open(own.ledger) as ledger:
            other = Region(Box(0.1, 0.1, 0.3, 0.3), Origin("annotator", "zoe"))
            entry = Entry(given["id"], "zoe", "dog barking", "boxes", regions=(other,))
            Stages(ledger).record_entries([entry])
        body = {
            **ROOM,
            "clip": given["id"],
            "action": "reject",
            "reason": "off screen",
            "stand": given["stand"],
            "regions": [],
        }
        answer = client.post("/api/verdict", json={**body, "known": 0})
    desk.close()
    assert answer.status_code == 409
    assert verdicts(own) == []


def test_two_spellings_of_a_name_at_one_desk_are_one_reviewer(own: DataRoot) -> None:
    desk = Desk(own, None, 0.0)
    other = {"reviewer": "Anna", "window": "w2"}
    with Client(make_app(desk, TOKEN, 8123), HOST, KEY) as client:
        first = client.post("/api/next", json=ROOM).json()["clip"]
        second = client.post("/api/next", json=other).json()["clip"]
        assert first["id"] != second["id"]
        body = {
            **other,
            "clip": second["id"],
            "action": "reject",
            "reason": "off screen",
            "known": 0,
            "regions": [],
        }
        for _ in range(2):  # the answer was lost
            assert client.post("/api/verdict", json={**body, "stand": second["stand"]}).status_code == 200
        (one,) = verdicts(own)
        assert client.post("/api/undo", json={**other, "number": one.number}).status_code == 200
    desk.close()
    assert [one.action for one in verdicts(own)] == ["reject", "undo"]
