"""Which inputs are still to be made, and which place each gets in which shard; decided before anything is decoded."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vggss.prepare.item import fingerprint
from vggss.prepare.output import Known, Output
from vggss.prepare.rows import Plan
from vggss.prepare.sources import Input


@dataclass(frozen=True, slots=True)
class Todo:
    """An input that is to be made, and what of it."""

    input: Input
    files: bool
    shard: bool


def in_part(inputs: Iterable[Input], part: tuple[int, int] | None) -> list[Input]:
    """Return the inputs of part i of n. A name is in the same part whatever else is there."""
    if part is None:
        return list(inputs)
    return [one for one in inputs if zlib.crc32(one.name.encode()) % part[1] == part[0] - 1]


def to_do(inputs: Iterable[Input], known: Known, output: Output, again: bool) -> list[Todo]:
    """Return what is not done: new inputs, those whose file has changed, and with ``again`` those that failed."""
    found = (_to_do(one, known, output, again) for one in inputs if not one.status)
    return [todo for todo in found if todo]


def _to_do(one: Input, known: Known, output: Output, again: bool) -> Todo | None:
    wanted = output.wanted
    entry = known.entries.get(one.name)
    everything = Todo(one, wanted.files, wanted.shards)
    if entry is None or entry.row.status not in ("ok", "error"):
        return everything
    row = entry.row
    try:
        unchanged = (row.source_bytes, row.source_mtime) == fingerprint(
            str(one.path), str(one.sound) if one.sound else ""
        )
    except OSError:  # it has gone a moment ago: whoever tries it will say so
        return everything
    if not unchanged:
        return everything
    if row.status == "error":
        return everything if again else None
    files = wanted.files and not (row.files and output.has_files(one.name))
    shard = wanted.shards and not known.in_shard(row)
    return Todo(one, files, shard) if files or shard else None


def plan_shards(todo: Sequence[Todo], known: Known, output: Output) -> list[Plan]:
    """Return plans for the clips that have no place yet, in their order, each shard full but the last.

    Clips with a place in a shard that an earlier run has left unfinished keep it.
    """
    placed = {name for plan in known.open_plans.values() for name in plan.names}
    names = [each.input.name for each in todo if each.shard and each.input.name not in placed]
    items = output.wanted.shard_items
    first, step = _numbers(known, output)
    return [
        Plan(first + step * block, tuple(chosen), tuple(known.edition(name) for name in chosen))
        for block, chosen in enumerate(names[start : start + items] for start in range(0, len(names), items))
    ]


def _numbers(known: Known, output: Output) -> tuple[int, int]:
    """Return the first free number of a shard and the step to the next: part i of n takes every n-th.

    A part looks at no other part's shards, so that its numbers do not depend on who is faster.
    """
    if output.part is None:
        return max({*known.reserved, *known.plans, *known.indexes}, default=-1) + 1, 1
    index, count = output.part
    first = max({*known.reserved, *known.plans}, default=-1) + 1
    first += (index - 1 - first) % count
    while first in known.indexes:
        first += count
    return first, count


def places(todo: Iterable[Todo], plans: Iterable[Plan]) -> dict[str, tuple[int, int]]:
    """Return shard and slot of each clip that is to go into one."""
    wanted = {each.input.name for each in todo if each.shard}
    found: dict[str, tuple[int, int]] = {}
    for plan in plans:
        for slot, name in enumerate(plan.names):
            if name in wanted:
                found.setdefault(name, (plan.shard, slot))
    return found
