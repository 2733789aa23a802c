"""Clips that the user already has, taken into the data folder whatever their copy looks like.

:func:`survey` looks through folders and says what is there; :func:`take` checks each clip, copies or links it, and
enters it in the ledger. Archives are read once, as a stream: no member is ever written under a name of its own.
"""

from __future__ import annotations

from vggss.ingest.records import Manner, Note, Report, UnfinishedError
from vggss.ingest.run import take
from vggss.ingest.survey import Survey, survey

__all__ = ["Manner", "Note", "Report", "Survey", "UnfinishedError", "survey", "take"]
