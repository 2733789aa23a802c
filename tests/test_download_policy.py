"""Who is asked again, how long a run waits, when it stops: rules, without a process or a network."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.download.failures import AT_ONCE, SETUP, Failure
from vggss.download.policy import Patience, Watch, back_off, is_due, kind_of
from vggss.ledger import PERMANENT, STATES, ClipRow, Outcome

CLIP = "zpWuikVorYg_000032"


def row(state: str) -> ClipRow:
    return ClipRow(CLIP, CLIP[:11], 32, state, "", "", 1, "", "", "", None)


def said(state: str, reason: str = "", message: str = "") -> list[Outcome]:
    return [Outcome(CLIP, state, reason, message)]


def watch(walls: int = 3, networks: int = 5, setups: int = 3) -> Watch:
    return Watch(Patience(walls, networks, setups), 60.0, random.Random(0))


@pytest.mark.parametrize("state", [state for state in STATES if state != "have"])
def test_only_permanent_answers_are_not_asked_again(state: str) -> None:
    assert is_due(row(state), recheck=False) == (state not in PERMANENT)
    assert is_due(row(state), recheck=True)


def test_what_is_here_is_never_asked_for_and_what_is_unknown_always() -> None:
    assert not is_due(row("have"), recheck=True)
    assert is_due(None, recheck=False)


@given(st.integers(1, 40), st.floats(0.001, 600), st.integers())
def test_a_pause_doubles_stays_within_bounds_and_is_never_nothing(
    number: int, first: float, seed: int
) -> None:
    found = back_off(number, first, random.Random(seed))
    full = min(900.0, first * 2.0 ** (number - 1))
    assert full / 2 <= found <= full


def test_pauses_are_the_same_with_the_same_seed_and_differ_with_another() -> None:
    assert back_off(3, 60.0, random.Random(1)) == back_off(3, 60.0, random.Random(1))
    assert back_off(3, 60.0, random.Random(1)) != back_off(3, 60.0, random.Random(2))


@pytest.mark.parametrize(
    "wall", [("limited", "rate limit"), ("blocked", "bot check"), ("blocked", "address blocked")]
)
def test_a_wall_pauses_longer_each_time_and_then_stops(wall: tuple[str, str]) -> None:
    watching = watch()
    first, second, third = (watching.after(said(*wall)) for _ in range(3))
    assert 30 <= first.pause <= 60 <= second.pause <= 120
    assert not first.stop and not second.stop
    assert third.stop == "wall"
    for words in ("Wait an hour", "same command again", "--sleep", "--cookies"):
        assert words in third.advice


@pytest.mark.parametrize("answer", ["have", "gone", "no_audio", "too_short", "cut_failed"])
def test_any_real_answer_ends_the_row(answer: str) -> None:
    from vggss.ledger import FileFacts

    facts = FileFacts("clips/x.mp4", "0" * 64, 1, 10.0, 1, 1, 25.0, 16000, 1) if answer == "have" else None
    watching = watch()
    for _ in range(20):
        assert not watching.after(said("limited")).stop
        assert not watching.after(said("blocked", "bot check")).stop
        verdict = watching.after([Outcome(CLIP, answer, facts=facts)])
        assert not verdict.stop and not verdict.pause


@pytest.mark.parametrize("reason", ["age check", "members only", "login"])
def test_a_video_that_is_refused_by_itself_is_no_wall(reason: str) -> None:
    watching = watch()
    for _ in range(50):
        assert watching.after(said("blocked", reason)).stop == ""


def test_different_videos_without_network_end_the_run_kindly() -> None:
    watching = watch()
    verdicts = [
        watching.after(said("network", "no such host", "Name or service not known")) for _ in range(5)
    ]
    assert [verdict.stop for verdict in verdicts] == ["", "", "", "", "network"]
    assert "no network reaches the videos" in verdicts[-1].advice
    assert "Name or service not known" in verdicts[-1].advice and "same command again" in verdicts[-1].advice


@pytest.mark.parametrize("reason", SETUP)
def test_what_no_video_can_get_past_ends_the_run_with_its_remedy(reason: str) -> None:
    watching = watch()
    failure = Failure.of_setup(reason, "it was said")
    number = 1 if reason in AT_ONCE else 3
    verdicts = [watching.after(said("failed", reason, failure.message)) for _ in range(number)]
    assert [verdict.stop for verdict in verdicts] == [""] * (number - 1) + ["setup"]
    assert "it was said" in verdicts[-1].advice and SETUP[reason] in verdicts[-1].advice


def test_only_an_old_yt_dlp_is_told_to_be_upgraded() -> None:
    assert {reason for reason, mend in SETUP.items() if "pip install -U" in mend} == {
        "no JavaScript runtime", "yt-dlp too old", "no yt-dlp",
    }  # fmt: skip
    assert "imageio-ffmpeg" in SETUP["no ffmpeg"] and "options after --" in SETUP["bad option"]


@pytest.mark.parametrize("reason", ["server error", "not a video", "cut off", "media not found"])
def test_a_server_that_answers_is_not_called_a_missing_network(reason: str) -> None:
    watching = watch()
    advice = [watching.after(said("network", reason, "odd")).advice for _ in range(5)][-1]
    assert advice.startswith("no usable answer comes") and "network reaches" not in advice


def test_pages_of_another_site_that_are_not_there_end_the_run_and_are_asked_for_again() -> None:
    watching = watch()
    watching.youtube = False
    for _ in range(4):
        assert not watching.after(said("gone", "not found")).stop
    watching.after(said("gone", "removed"))
    verdicts = [watching.after(said("gone", "not found", "HTTP Error 404")) for _ in range(5)]
    assert [verdict.stop for verdict in verdicts] == ["", "", "", "", "setup"]
    assert "look at --address" in verdicts[-1].advice
    assert len(verdicts[-1].again) == 5
    ours = watch()
    assert not any(ours.after(said("gone", "not found")).stop for _ in range(50))


@pytest.mark.parametrize(("state", "reason"), [("blocked", "forbidden"), ("failed", "unknown")])
def test_twenty_alike_in_a_row_are_not_the_fault_of_the_videos(state: str, reason: str) -> None:
    watching = watch()
    for _ in range(3):
        verdicts = [watching.after(said(state, reason, "odd")) for _ in range(19)]
        assert {verdict.stop for verdict in verdicts} == {""}
        watching.after(said("gone"))
    verdicts = [watching.after(said(state, reason, "odd")) for _ in range(20)]
    assert verdicts[-1].stop == "setup"
    assert "vggss doctor" in verdicts[-1].advice and "odd" in verdicts[-1].advice


@pytest.mark.parametrize("reason", ["disk full", "no access", "disk error"])
def test_a_disk_that_cannot_be_written_ends_the_run_at_once(reason: str) -> None:
    verdict = watch().after(said("failed", reason, "No space left on device"))
    assert verdict.stop == "disk" and "No space left" in verdict.advice


def test_one_clip_that_was_answered_means_that_the_video_was() -> None:
    assert kind_of([Outcome("a", "network"), Outcome("b", "gone")]) == "answered"
    assert kind_of([Outcome("a", "network"), Outcome("b", "network")]) == "network"
    assert kind_of([Outcome("a", "limited"), Outcome("b", "network")]) == "wall"
    assert kind_of([Outcome("a", "failed"), Outcome("b", "network")]) == "failed"
