"""Which prediction belongs to which clip of a benchmark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vggss.clip_id import canonical, without_folder_and_extension
from vggss.errors import DataError, printable, some


@dataclass(frozen=True)
class Matched:
    """Predictions sorted by clip: found, missing and unknown, in the benchmark's order."""

    key_of: dict[str, str]  # clip -> key in the predictions file
    missing: list[str]  # clips without a prediction
    unknown: list[str]  # keys that are no clip of the benchmark
    rewritten: list[tuple[str, str]]  # (key, clip) where the spelling differs

    @property
    def note(self) -> str:
        """One line about ids that were spelt differently; empty if none was."""
        if not self.rewritten:
            return ""
        key, clip = self.rewritten[0]
        return f"{len(self.rewritten):,} ids are spelt differently and were read as the benchmark's ({printable(key)} as {clip})"


def match(keys: Iterable[str], clips: Iterable[str], origin: str) -> Matched:
    """Match ids as people write them with the ids of a benchmark.

    An exact match comes first; then the id without folders and extension; then any spelling of a
    VGG-Sound id that :func:`vggss.clip_id.canonical` knows.

    Raises
    ------
    DataError
        two keys mean the same clip.
    """
    clips = list(clips)
    known = set(clips)
    key_of: dict[str, str] = {}
    unknown: list[str] = []
    rewritten: list[tuple[str, str]] = []
    for key in keys:
        clip = key if key in known else _spelling(key, known)
        if clip is None:
            unknown.append(key)
            continue
        if clip in key_of:
            raise DataError(
                f"{origin} has two predictions for clip {clip}: {key_of[clip]!r} and {key!r}; keep one of them"
            )
        key_of[clip] = key
        if key != clip:
            rewritten.append((key, clip))
    missing = [clip for clip in clips if clip not in key_of]
    return Matched(key_of, missing, unknown, rewritten)


def _spelling(key: str, known: set[str]) -> str | None:
    plain = without_folder_and_extension(key)
    if plain in known:
        return plain
    clip = canonical(key)
    return clip if clip in known else None


def demand_complete(matched: Matched, origin: str, benchmark: str, total: int) -> None:
    """Raise :class:`DataError` that lists missing clips, and unknown ids beside them."""
    if not matched.missing:
        return
    message = (
        f"{origin} has no prediction for {len(matched.missing):,} of the {total:,} clips of {benchmark} "
        f"(first: {some(matched.missing)})"
    )
    if matched.unknown:
        message += (
            f", and {len(matched.unknown):,} ids that are not in {benchmark} (first: {some(matched.unknown)})"
        )
    raise DataError(
        f"{message}; predict those, or pass --missing zero (count them as failures) "
        f"or --missing skip (score the rest and report the coverage)"
    )


def demand_known(matched: Matched, origin: str, benchmark: str) -> None:
    """Raise :class:`DataError` that lists ids which are no clip of the benchmark."""
    if matched.unknown:
        raise DataError(
            f"{origin} has {len(matched.unknown):,} ids that are not in {benchmark} "
            f"(first: {some(matched.unknown)}); mend or remove them, or pass --unknown ignore"
        )
