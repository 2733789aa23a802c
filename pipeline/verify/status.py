"""How far the review is: what each reviewer did, how well they agree, what remains."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from vggss.ledger.stage_records import REJECTIONS, Lease, Verdict
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.names import identity
from vggss.pipeline.manual.settling import Settled
from vggss.pipeline.verify.queue import ReviewQueue
from vggss.pipeline.verify.reviewer import release_names
from vggss.pipeline.verify.standing import fingerprint, outcome
from vggss.pipeline.verify.turns import pace


@dataclass(frozen=True, slots=True)
class ReviewerCount:
    """What counts of one reviewer's verdicts; ``pace`` is seconds for a clip, None where none was timed."""

    reviewer: str
    accepted: int
    rejected: Mapping[str, int]  # by reason, every one of them
    changed: int  # accepted clips whose boxes are not those that were shown
    undone: int
    pace: float | None
    newest: str  # time of the newest verdict, UTC, ISO 8601

    @property
    def clips(self) -> int:
        """How many clips have a standing verdict of this reviewer."""
        return self.accepted + sum(self.rejected.values())


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two reviewers said the same, accept or reject, of clips that both saw.

    Of each clip its first two verdicts that count are taken: a third one is asked for only where they differ. ``kappa`` is
    Cohen's; None where both always gave one and the same answer, or there are no such clips.
    """

    reviewers: tuple[str, ...]  # two; of all pairs together: none
    clips: int
    same: int
    kappa: float | None = None

    @property
    def share(self) -> float | None:
        """Share of the clips on which they agree, in [0, 1]; None without clips."""
        return self.same / self.clips if self.clips else None


@dataclass(frozen=True, slots=True)
class ReviewStatus:
    """The state of stage 3; clips are those of the queue unless said otherwise."""

    clips: int
    done: int
    states: Mapping[str, int]  # accepted, rejected, contested, open: by what stands now
    twice: int  # clips that two reviewers see
    left: int  # verdicts still to give
    seconds_left: float | None  # of work, at the reviewers' own pace; None: not known yet
    leases: tuple[Lease, ...]  # clips on somebody's screen
    reviewers: tuple[ReviewerCount, ...]
    agreement: Agreement  # over all pairs
    pairs: tuple[Agreement, ...]
    elsewhere: int  # clips with a verdict that are not in the queue (any more)
    changed: int  # clips that are open again: their class or boxes changed after they were reviewed


def review_status(
    stages: Stages, clips: Iterable[str] | None, double: float, now: float | None = None
) -> ReviewStatus:
    """Say how far the review is.

    Parameters
    ----------
    stages
        the ledger; reading will do.
    clips
        only these; None: all.
    double
        share of the clips that two reviewers see, as it is given to the reviews.
    now
        seconds since 1970; None: the time.
    """
    queue = ReviewQueue(stages, clips, double)
    standing = {clip: queue.standing.counting(clip) for clip in queue.items}
    left = queue.left
    releases = {identity(name) for name in release_names(stages.entries())}
    known = {clip: queue.standing.counting(clip) for clip in queue.standing.all()}
    people = {clip: _without(given, releases) for clip, given in known.items()}
    paces = pace([one for given in people.values() for one in given.values()])
    states = dict.fromkeys(("accepted", "rejected", "contested", "open"), 0)
    for clip, given in standing.items():
        states[outcome(clip, given).state] += 1
    pairs = agreements({clip: given for clip, given in people.items() if clip in queue.items})
    return ReviewStatus(
        clips=len(queue.items),
        done=len(queue.items) - queue.unfinished,
        states=states,
        twice=sum(item.wanted > 1 for item in queue.items.values()),
        left=left,
        seconds_left=None if paces is None else paces * left,
        leases=tuple(stages.leases(time.time() if now is None else now)),
        reviewers=_reviewers(people, queue.verdicts.values(), releases),
        agreement=Agreement((), sum(p.clips for p in pairs), sum(p.same for p in pairs), _only(pairs)),
        pairs=pairs,
        elsewhere=len(known.keys() - queue.items.keys()),
        changed=sum(queue.changed(clip) for clip in queue.items if not standing[clip]),
    )


def _without(given: Mapping[str, Verdict], releases: Collection[str]) -> dict[str, Verdict]:
    """Leave out what imported releases say: they are no reviewers."""
    return {name: one for name, one in given.items() if identity(name) not in releases}


def agreements(standing: Mapping[str, Mapping[str, Verdict]]) -> tuple[Agreement, ...]:
    """Compare the first two standing verdicts of each clip, by pair of reviewers."""
    answers: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for given in standing.values():
        first_two = sorted(given.values(), key=lambda one: one.number)[:2]
        for one, other in combinations(sorted(first_two, key=lambda one: one.reviewer), 2):
            answers.setdefault((one.reviewer, other.reviewer), []).append((one.action, other.action))
    return tuple(
        Agreement(pair, len(said), sum(a == b for a, b in said), cohens_kappa(said))
        for pair, said in sorted(answers.items())
    )


def cohens_kappa(answers: Iterable[tuple[str, str]]) -> float | None:
    r"""Cohen's kappa of two people's answers to the same questions.

    .. math:: \kappa = \frac{p_o - p_e}{1 - p_e}

    (Cohen, Educational and Psychological Measurement 20, 1960.) p_o: share of equal answers; p_e: the share that
    would be equal if each answered at random with their own frequencies.

    Returns
    -------
    in [-1, 1]; None without answers, or where p_e is 1: both always gave the same one answer.

    >>> cohens_kappa([("accept", "accept"), ("reject", "reject")])
    1.0
    """
    said = list(answers)
    if not said:
        return None
    ours, theirs = Counter(a for a, _ in said), Counter(b for _, b in said)
    by_chance = sum(ours[answer] * theirs[answer] for answer in ours) / len(said) ** 2
    if by_chance == 1:
        return None
    return (sum(a == b for a, b in said) / len(said) - by_chance) / (1 - by_chance)


def _only(pairs: tuple[Agreement, ...]) -> float | None:
    """Return the kappa if there are just two reviewers: of several pairs there is none."""
    return pairs[0].kappa if len(pairs) == 1 else None


def _reviewers(
    counting: Mapping[str, Mapping[str, Verdict]], everything: Iterable[Verdict], releases: Collection[str]
) -> tuple[ReviewerCount, ...]:
    undone: Counter[str] = Counter()
    newest: dict[str, str] = {}
    names: dict[str, str] = {}
    for one in everything:
        who = identity(one.reviewer)
        names.setdefault(who, one.reviewer)
        undone[who] += one.action == "undo"
        newest[who] = one.time
    found = []
    for who, name in sorted(names.items(), key=lambda item: item[1]):
        if who in releases:
            continue
        mine = [given[name] for given in counting.values() if name in given]
        accepted = [one for one in mine if one.action == "accept"]
        reasons = Counter(one.reason for one in mine if one.action == "reject")
        rejected = {reason: reasons[reason] for reason in REJECTIONS}
        changed = sum(map(_changed, accepted))
        found.append(
            ReviewerCount(name, len(accepted), rejected, changed, undone[who], pace(mine), newest[who])
        )
    return tuple(found)


def _changed(one: Verdict) -> bool:
    """Whether a reviewer accepted other boxes than those that were shown."""
    if not one.shown:
        return any(region.origin.by == "reviewer" for region in one.regions)
    return fingerprint(Settled(one.clip, one.sound_class, "boxes", regions=one.regions)) != one.shown
