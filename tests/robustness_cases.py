"""The odd files of the test data: what the list says of each, and the reader of the codes burnt into them."""

from __future__ import annotations

import csv
import importlib.util
import os
from pathlib import Path
from types import ModuleType


def folder() -> Path | None:
    """Return the folder of the odd files, or None where the test data is not on this machine."""
    data = os.environ.get("VGGSS_TEST_DATA")
    return Path(data) / "robustness" if data else None


def rows() -> list[dict[str, str]]:
    """Return the rows of robustness.csv; none without the test data."""
    where = folder()
    if where is None:
        return []
    with (where / "robustness.csv").open(newline="") as table:
        return list(csv.DictReader(table))


def decoder() -> ModuleType:
    """Load the reader of bar codes and sweeps that lies beside the files."""
    where = folder()
    assert where is not None
    found = importlib.util.spec_from_file_location("decode_code", where / "decode_code.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
