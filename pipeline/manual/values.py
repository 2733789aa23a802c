"""Values of VIA's attributes as text, ticks and numbers, and as the ledger can keep them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from vggss.errors import DataError, brief, printable
from vggss.pipeline.via.shapes import LIMIT

_YES = frozenset({"yes", "true", "1", "x", "on", "done"})


def side(value: Any) -> float:
    """Read a number of pixels, written as a number or as text; 0 where it is none."""
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return found if 0 < found < LIMIT else 0.0


def without(attributes: Mapping[str, Any], ours: Collection[str]) -> dict[str, Any]:
    """Return attributes that are not ours."""
    return {name: value for name, value in attributes.items() if name not in ours}


def kept(foreign: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Return foreign attributes as the ledger can keep them."""
    try:
        found: dict[str, Any] = orjson.loads(orjson.dumps(dict(foreign)))
    except (TypeError, ValueError) as error:  # a number of more than 64 bits, half a letter, too deep
        raise DataError(
            f"{where}: its attributes {brief(list(foreign))} cannot be kept: {printable(str(error))}"
        ) from error
    return found


def text(value: Any) -> str:
    """Read a value of VIA as text; half a letter of UTF-16 becomes a question mark."""
    if value is None or isinstance(value, Mapping | list):
        return ""
    return str(value).strip().encode("utf-8", "replace").decode()


def ticked(value: Any) -> bool:
    """Whether a checkbox is ticked, as VIA writes it, or text that says yes."""
    if isinstance(value, Mapping):
        return any(map(ticked, value.values()))
    if isinstance(value, bool):
        return value
    return text(value).lower() in _YES
