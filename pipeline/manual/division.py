"""Who annotates which clip: drawn from a seed, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence

from vggss.errors import UsageError


def divide(
    clips: Iterable[str],
    annotators: Sequence[str],
    overlap: float = 0.1,
    each: int = 2,
    seed: int = 0,
    had: Mapping[str, Collection[str]] | None = None,
) -> dict[str, list[str]]:
    """Divide clips among annotators: each to one of them, a share to several, so that agreement can be measured.

    Clips are taken in the order of the SHA-256 of ``seed:clip``; the first ``overlap`` of them go to ``each``
    annotators. A clip goes to those who have fewest so far (then in the order of the list), so that all have equally
    many, and the shared ones are spread over all pairs.

    Parameters
    ----------
    clips
        ids; their order does not matter.
    annotators
        names.
    overlap
        share in [0, 1] of the clips that go to several annotators.
    each
        to how many; no more than there are.
    seed
        another number gives another division.
    had
        who has had a clip before; nobody gets it again, and a clip that all have had is left out.

    Returns
    -------
    clips by annotator, in the order drawn.

    Raises
    ------
    UsageError
        the overlap is no share, or is to be shared by fewer than two.

    >>> divide(["a", "b", "c", "d"], ["anna", "ben"], overlap=0)
    {'anna': ['d', 'c'], 'ben': ['a', 'b']}
    """
    if not 0 <= overlap <= 1:
        raise UsageError(f"the overlap is {overlap}; a share from 0 to 1 was needed, such as 0.1")
    if each < 2:
        raise UsageError(f"a shared clip cannot go to {each}; two annotators or more were needed")
    drawn = sorted(set(clips), key=lambda clip: _draw(f"{seed}:{clip}"))
    shared = round(overlap * len(drawn))
    given: dict[str, list[str]] = {name: [] for name in annotators}
    pairs: dict[tuple[str, str], int] = {}  # how many clips two annotators share
    for place, clip in enumerate(drawn):
        before = (had or {}).get(clip, ())
        free = [name for name in annotators if name not in before]
        chosen: list[str] = []
        for _ in range(min(each if place < shared else 1, len(free))):
            chosen.append(min(free, key=lambda name: _burden(name, chosen, given, pairs)))
            free.remove(chosen[-1])
        for name in chosen:
            given[name].append(clip)
            pairs.update({(name, other): pairs.get((name, other), 0) + 1 for other in chosen})
    return given


def batches(clips: Sequence[str], size: int) -> list[list[str]]:
    """Cut an annotator's clips into batches.

    >>> batches(["a", "b", "c"], 2)
    [['a', 'b'], ['c']]
    """
    return [list(clips[first : first + size]) for first in range(0, len(clips), size)]


def _burden(
    name: str, chosen: list[str], given: dict[str, list[str]], pairs: dict[tuple[str, str], int]
) -> tuple[int, int]:
    return len(given[name]), sum(pairs.get((name, other), 0) for other in chosen)


def _draw(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
