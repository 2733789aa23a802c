"""Maps, strategies and small helpers that the tests of predictions files share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from vggss.predictions import Prediction, Predictions, load_predictions

KEY = "zpWuikVorYg_000032"
ROWS = [[0.25, -1.0, 3.0], [1e-3, 7, 0]]
MAP = np.array(ROWS, np.float32)
sizes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
floats = hnp.arrays(np.float32, sizes, elements=st.floats(width=32, allow_nan=False, allow_infinity=False))
masks = hnp.arrays(np.bool_, sizes)
clip_ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def opened(tmp_path: Path, content: bytes | str, **options: Any) -> Predictions:
    path = tmp_path / "mine.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_predictions(path, **options)


def entry(value: str) -> str:
    return f'{{"model": "m", "predictions": {{"{KEY}": {value}}}}}'


def values(prediction: Prediction) -> NDArray[Any]:
    assert prediction.values.flags.c_contiguous and prediction.values.flags.aligned
    return prediction.values


def same(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    """Whether two arrays are the same bit for bit."""
    return (found.dtype, found.shape, found.tobytes()) == (expected.dtype, expected.shape, expected.tobytes())
