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

from vggss.download.failures import HELP
from vggss.ledger import PERMANENT, ClipRow, Outcome

GUEST_LIMIT = 300  # videos an hour that YouTube gives to a guest session
ACCOUNT_LIMIT = 2000  # and to one that is logged in; both as yt-dlp's wiki says
SLEEP = 3600 / GUEST_LIMIT  # seconds between the starts of two videos that keep within it
DISK = ("disk full", "no access")  # reasons that this disk gives, not the video
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
    failures: int = 20  # 403, or what nobody knows: one after the other, they are not the videos' fault


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means for the run: seconds to pause, or why to stop, and what to do then."""

    pause: float = 0.0
    stop: str = ""  # "wall", "network", "setup", "disk"
    advice: str = ""


@dataclass
class Watch:
    """Watches the answers of a run, one video after another."""

    patience: Patience
    first_pause: float
    chance: random.Random
    in_a_row: Counter[str] = field(default_factory=Counter)

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
        if kind == "disk":
            return Verdict(stop="disk", advice=f"cannot write: {said}. Make room, or give another --root")
        if kind == "wall":
            if number >= self.patience.walls:
                return Verdict(stop="wall", advice=_WALL)
            return Verdict(pause=back_off(number, self.first_pause, self.chance))
        if kind == "network" and number >= self.patience.networks:
            return Verdict(stop="network", advice=_NETWORK.format(number=number, said=said))
        if kind == "setup" and number >= self.patience.setups:
            return Verdict(stop="setup", advice=_SETUP.format(said=said))
        if kind in ("refused", "failed") and number >= self.patience.failures:
            return Verdict(stop="setup", advice=_FAILURES.format(number=number, said=said))
        return Verdict()


def kind_of(outcomes: Iterable[Outcome]) -> str:
    """Return what a video's answer means for the next one: the first of :data:`_KINDS`."""
    found = {_kind(outcome) for outcome in outcomes}
    return next(kind for kind in _KINDS if kind in found)


def _kind(outcome: Outcome) -> str:
    if outcome.reason in DISK:
        return "disk"
    if outcome.state == "limited" or outcome.reason == "bot check":
        return "wall"
    if outcome.state == "failed" and HELP in outcome.message:
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
    "no network reaches the videos ({number} different ones in a row; the last: {said}). "
    "Run the same command again when it does"
)
_KINDS = ("disk", "answered", "wall", "setup", "refused", "failed", "network")
_FAILURES = (
    "{number} videos in a row failed alike (the last: {said}): it is not the videos. Upgrade yt-dlp, run "
    "`vggss doctor`, try from another network; then run the same command again"
)
_SETUP = "no video can be got like this: {said}"
