"""What a run tells at its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vggss.prepare.rows import Row


@dataclass(frozen=True)
class Summary:
    """What a run has done, and what its folder holds of its inputs now."""

    out: Path
    total: int  # inputs of this run
    tried: int  # of these, decoded now; the others were done before
    counts: dict[str, int]  # by status; less than total if the run was interrupted
    marks: dict[str, int]
    failed: tuple[Row, ...]
    shards: int  # finished now
    waiting: int  # clips that wait in an unfinished shard for other inputs of an earlier run
    seconds: float
    interrupted: bool
    untried: int = 0  # of the failed: errors of an earlier run, shown and not tried again
