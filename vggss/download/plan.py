"""What a download would do: which videos, how many bytes, how long."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vggss.clip_id import canonical, video_of
from vggss.download.policy import GUEST_LIMIT, is_due
from vggss.download.video import Job
from vggss.errors import UsageError, some
from vggss.ledger import ClipRow
from vggss.storage import DataRoot

CLIP_BYTES = 900_000  # of a finished clip: ten real ones, cut as we cut at 360p, have 240 kB to 3.5 MB, 870 kB in the mean
_WORK = 6.0  # seconds that one video takes, as a guess: pages, player, a section, the cut
_ENOUGH = 20  # clips on this disk that say more than that mean


@dataclass(frozen=True)
class Plan:
    """What is to be done for a list of clips.

    ``jobs`` are the videos to ask for; ``here`` clips are on this disk, ``settled`` ones have a permanent answer.
    ``lost`` are clips whose file has vanished or changed since, with what is wrong: they are fetched again.
    """

    clips: int
    here: int
    settled: int
    jobs: list[Job]
    lost: dict[str, str] = field(default_factory=dict)
    clip_bytes: float = CLIP_BYTES

    @property
    def wanted(self) -> int:
        """Clips to ask for."""
        return sum(len(job.clips) for job in self.jobs)

    @property
    def bytes(self) -> int:
        """Bytes that the wanted clips will take, if all of them can be got."""
        return round(self.wanted * self.clip_bytes)

    def duration(self, sleep: float, jobs: int = 2, hourly: int = GUEST_LIMIT) -> float:
        """Return about how long it will take (s): never faster than YouTube answers, ``hourly`` videos an hour."""
        return len(self.jobs) * max(sleep, 3600 / hourly, _WORK / jobs)


def make_plan(
    clips: Iterable[str],
    rows: Mapping[str, ClipRow],
    root: DataRoot,
    *,
    recheck: bool = False,
    limit: int | None = None,
) -> Plan:
    """Say what is to be done for some clips; looks at the disk, changes nothing.

    Parameters
    ----------
    clips
        VGG-Sound ids; videos are taken in the order of their first clip.
    rows
        what the ledger says of them.
    root
        the data folder.
    recheck
        ask for clips with a permanent answer too.
    limit
        take only the first videos that are to be asked for.

    Raises
    ------
    UsageError
        an id is none of VGG-Sound, so that no video can be asked for.
    """
    listed = list(dict.fromkeys(clips))
    if strange := [clip for clip in listed if canonical(clip) != clip]:
        raise UsageError(
            f"{len(strange):,} of {len(listed):,} ids are no VGG-Sound clips (first: {some(strange)}); "
            f"an id is a YouTube id, _, and the second it starts at: zpWuikVorYg_000032"
        )
    lost = {clip: wrong for clip in listed if (wrong := missing(rows.get(clip), root))}
    wanted: dict[str, dict[str, int]] = {}
    here = settled = 0
    for clip in listed:
        row = rows.get(clip)
        if clip in lost or is_due(row, recheck):
            wanted.setdefault(video_of(clip), {})[clip] = int(clip[12:])
        elif row is not None and row.state == "have":
            here += 1
        else:
            settled += 1
    sizes = [row.facts.bytes for row in rows.values() if row.facts is not None]
    mean = sum(sizes) / len(sizes) if len(sizes) >= _ENOUGH else CLIP_BYTES
    jobs = [Job(video, starts) for video, starts in wanted.items()][:limit]
    return Plan(len(listed), here, settled, jobs, lost, mean)


def missing(row: ClipRow | None, root: DataRoot) -> str:
    """Return what has become of a clip that the ledger says is here: nothing, or what is wrong."""
    if row is None or row.state != "have" or row.facts is None:
        return ""
    path = root.path / row.facts.path
    try:
        size = path.stat().st_size
    except OSError:
        return "file vanished"
    return "" if size == row.facts.bytes else "file changed"


def free_bytes(path: Path) -> int:
    """Return the free space where a folder is, or would be."""
    there = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    return shutil.disk_usage(there).free
