"""What a clip left behind that is prepared no longer: out of service before the manifest says so.

A file that changed into something broken must not go on as the clip it was. Only what this folder is known to have
made is removed, and only of clips whose own row says that they are not ok; a clip that is merely away keeps its row.
"""

from __future__ import annotations

from collections.abc import Collection

from vggss.prepare.output import Known, Output
from vggss.prepare.sources import unsafe
from vggss.shards import write_withdrawn


def retire(output: Output, known: Known, bad: Collection[str]) -> None:
    """Remove frames and sounds of clips that are not ok any more, and withdraw them from the shards.

    May be killed at any moment: the manifest still says what was made, and the next run does the rest.

    Parameters
    ----------
    bad
        clips whose row, as the manifest will have it, is not ok.

    Raises
    ------
    DataError
        a file cannot be removed or written.
    """
    named = [name for name in sorted(bad) if not unsafe(name)]
    withdrawn = {name: edition for name in named if (edition := known.live(name)) is not None}
    if withdrawn:
        known.withdrawn |= withdrawn
        write_withdrawn(output.shards, known.withdrawn)
    if left := [name for name in named if name in known.made]:
        output.remove_files(left, spare=known.entries.keys() - bad)
