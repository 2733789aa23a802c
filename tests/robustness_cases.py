"""The odd files of the test data: what the list says of each, and the reader of the codes burnt into them."""

from __future__ import annotations

import csv
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
    module = ModuleType("decode_code")
    code = compile((where / "decode_code.py").read_text(), "decode_code.py", "exec")
    exec(code, module.__dict__)  # noqa: S102 - an import would write its bytecode into the data
    return module
