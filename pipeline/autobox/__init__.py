"""Stage 1: a detector and the class matches propose boxes on the centre frame of every clip."""

from __future__ import annotations

from vggss.pipeline.autobox.planning import Plan, Task, plan
from vggss.pipeline.autobox.rules import Proposal, Rules, propose
from vggss.pipeline.autobox.run import Request, Summary, autobox
from vggss.pipeline.autobox.table import PAPER, StageOne, stage_one

__all__ = [
    "PAPER",
    "Plan",
    "Proposal",
    "Request",
    "Rules",
    "StageOne",
    "Summary",
    "Task",
    "autobox",
    "plan",
    "propose",
    "stage_one",
]
