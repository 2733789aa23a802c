"""From video files to frames, sounds and shards: ``vggss prepare``.

``item`` is the pure function of one clip; ``pool`` (processes here) and ``cluster`` (Ray) run it; ``driver`` alone
writes, into the folder that ``output`` describes, with the rows of ``rows``; ``planning`` decides what is not done
yet and which shard it goes to, ``sources`` what there is to do; ``opened`` reads the result.
"""

from __future__ import annotations

from vggss.prepare.driver import prepare
from vggss.prepare.item import Job, Made, prepare_one
from vggss.prepare.opened import Prepared, open_prepared
from vggss.prepare.settings import Wanted
from vggss.prepare.sources import Input, from_ledger, from_paths
from vggss.prepare.summary import Summary

__all__ = [
    "Input",
    "Job",
    "Made",
    "Prepared",
    "Summary",
    "Wanted",
    "from_ledger",
    "from_paths",
    "open_prepared",
    "prepare",
    "prepare_one",
]
