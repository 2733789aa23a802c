"""Which OpenImages classes name the object that makes a sound: matched by word vectors, with a score and a reason."""

from vggss.pipeline.class_match.groups import own_spelling
from vggss.pipeline.class_match.matching import VERSION, explain_classes, match_classes
from vggss.pipeline.class_match.records import (
    KIND_ONLY,
    NO_CLASS,
    NO_VISIBLE_OBJECT,
    ClassMatches,
    Explanation,
    Match,
)
from vggss.pipeline.class_match.restricting import restricted

__all__ = [
    "KIND_ONLY",
    "NO_CLASS",
    "NO_VISIBLE_OBJECT",
    "VERSION",
    "ClassMatches",
    "Explanation",
    "Match",
    "explain_classes",
    "match_classes",
    "own_spelling",
    "restricted",
]
