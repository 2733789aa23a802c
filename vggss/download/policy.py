"""What to do next, as pure rules: who is asked again, how long to wait, when to stop.

YouTube counts requests: a guest session gets about 300 videos an hour, after which every answer is "try again
later", and asking on makes it last longer. So the first such answer makes the run pause, the next ones pause it
longer, and after a few in a row it stops: whatever comes next would be refused too.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from vggss.download.failures import AT_ONCE, SETUP
from vggss.ledger import PERMANENT, ClipRow, Outcome

GUEST_LIMIT = 300  # videos an hour that YouTube gives to a guest session
ACCOUNT_LIMIT = 2000  # and to one that is logged in; both as yt-dlp's wiki says
SLEEP = 3600 / GUEST_LIMIT  # seconds between the starts of two videos that keep within it
DISK = ("disk full", "disk error", "no access")  # reasons that this disk gives, not the video
WALLS = ("bot check", "address blocked")  # refused to this address, not to this video
_UNREACHED = ("no such host", "refused", "timed out", "no secure connection")  # nobody answered
_LONGEST = 900.0  # seconds that one pause lasts at most


def is_due(row: ClipRow | None, recheck: bool) -> bool:
    """Whether a clip is to be asked for: not if it is here, and permanent answers only to be checked again.

    >>> is_due(None, recheck=False)
    True
    """
    return row is None or (row.state != "have" and (recheck or row.state not in PERMANENT))


def back_off(number: int, first: float, chance: random.Random) -> float:
    """Return the seconds to wait before try ``number`` (1, 2, ...): doubling, between half of it and all of it.

    >>> back_off(3, 10.0, random.Random(0)) <= 40.0
    True
    """
    return min(_LONGEST, first * 2.0 ** (number - 1)) * (0.5 + chance.random() / 2)


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many answers of a kind, in a row and of different videos, a run stops."""

    walls: int = 3  # limited, or the bot check
    networks: int = 5
    setups: int = 3  # what no video can get past: no JavaScript runtime, an old yt-dlp
    not_found: int = 5  # pages of another --address than YouTube's
    failures: int = 20  # 403, or what nobody knows: one after the other, they are not the videos' fault


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means for the run: seconds to pause, or why to stop, and what to do then.

    ``again`` are outcomes that turned out not to be the videos' own answers.
    """

    pause: float = 0.0
    stop: str = ""  # "wall", "network", "setup", "disk"
    advice: str = ""
    again: tuple[Outcome, ...] = ()


@dataclass
class Watch:
    """Watches the answers of a run, one video after another; ``youtube``: whether its own pages are asked for."""

    patience: Patience
    first_pause: float
    chance: random.Random
    youtube: bool = True
    in_a_row: Counter[str] = field(default_factory=Counter)
    not_found: list[list[Outcome]] = field(default_factory=list)

    def after(self, outcomes: Collection[Outcome]) -> Verdict:
        """Return what to do after a video's answer.

        An answer of one kind ends the row of every other kind: a video that is private was answered, so we
        are neither refused nor offline.
        """
        kind = kind_of(outcomes)
        number = self.in_a_row[kind] + 1
        self.in_a_row.clear()
        self.in_a_row[kind] = number
        said = next((o.message for o in outcomes if o.message), "")
        if lost := self._not_found(outcomes):
            advice = _ADDRESS.format(number=len(self.not_found), said=said)
            return Verdict(stop="setup", advice=advice, again=lost)
        if kind == "disk":
            return Verdict(stop="disk", advice=f"cannot write: {said}. Make room, or give another --root")
        if kind == "wall":
            if number >= self.patience.walls:
                return Verdict(stop="wall", advice=_WALL)
            return Verdict(pause=back_off(number, self.first_pause, self.chance))
        if kind == "network" and number >= self.patience.networks:
            unreached = any(outcome.reason in _UNREACHED for outcome in outcomes)
            begin = "no network reaches the videos" if unreached else "no usable answer comes"
            return Verdict(stop="network", advice=_NETWORK.format(begin=begin, number=number, said=said))
        proven = any(outcome.reason in AT_ONCE for outcome in outcomes)
        if kind == "setup" and (proven or number >= self.patience.setups):
            return Verdict(stop="setup", advice=_SETUP.format(said=said))
        if kind in ("refused", "failed") and number >= self.patience.failures:
            return Verdict(stop="setup", advice=_FAILURES.format(number=number, said=said))
        return Verdict()

    def _not_found(self, outcomes: Collection[Outcome]) -> tuple[Outcome, ...]:
        """Return the outcomes of a row of pages that are not there, once it is too long to be the videos' fault."""
        if self.youtube or not all((o.state, o.reason) == ("gone", "not found") for o in outcomes):
            self.not_found.clear()
            return ()
        self.not_found.append(list(outcomes))
        long = len(self.not_found) >= self.patience.not_found
        return tuple(outcome for row in self.not_found for outcome in row) if long else ()


def kind_of(outcomes: Iterable[Outcome]) -> str:
    """Return what a video's answer means for the next one: the first of :data:`_KINDS`."""
    found = {_kind(outcome) for outcome in outcomes}
    return next(kind for kind in _KINDS if kind in found)


def _kind(outcome: Outcome) -> str:
    if outcome.reason in DISK:
        return "disk"
    if outcome.state == "limited" or outcome.reason in WALLS:
        return "wall"
    if outcome.state == "failed" and outcome.reason in SETUP:
        return "setup"
    if outcome.reason == "forbidden":
        return "refused"
    return outcome.state if outcome.state in ("network", "failed") else "answered"


_WALL = (
    "YouTube refuses further requests for now. Wait an hour (up to a day after a bot check), then run the same "
    "command again: what is here stays. If it comes back soon, ask more slowly (--sleep 20), or from another "
    "network; --cookies FILE makes YouTube count your account instead, which can get it suspended"
)
_NETWORK = (
    "{begin} ({number} different ones in a row; the last: {said}). Run the same command again when it does"
)
_ADDRESS = (
    "{number} pages in a row are not there (the last: {said}): look at --address. Their clips are asked for again by "
    "the next run"
)
_KINDS = ("disk", "answered", "wall", "setup", "refused", "failed", "network")
_FAILURES = (
    "{number} videos in a row failed alike (the last: {said}): it is not the videos. Upgrade yt-dlp, run "
    "`vggss doctor`, try from another network; then run the same command again"
)
_SETUP = "no video can be got like this: {said}"
