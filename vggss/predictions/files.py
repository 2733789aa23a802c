"""Opens a predictions file of any form: JSON, NPZ, or a folder of .npy; none of them can run code.

The forms are described in docs/predictions.md.
"""

from __future__ import annotations

import stat
from pathlib import Path

from vggss.errors import DataError
from vggss.predictions.array_files import open_folder, open_npz
from vggss.predictions.json_files import open_json
from vggss.predictions.record import Predictions

LARGEST_FILE = 4 * 2**30  # bytes


def load_predictions(path: str | Path, *, allow_nan: bool = False) -> Predictions:
    """Open a predictions file.

    Parameters
    ----------
    path
        a JSON file, an NPZ file (one array for each clip id, or ``ids`` and ``maps``), or a folder with
        one ``ID.npy`` for each clip.
    allow_nan
        accept maps with NaN or infinity.

    Returns
    -------
    the predictions; maps are read and checked when they are asked for.

    Raises
    ------
    DataError
        the file cannot be read or is not a predictions file; the message says where and why.
    """
    path = Path(path)
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            return open_folder(path, allow_nan)
        if not stat.S_ISREG(about.st_mode):
            raise DataError(f"{path} is a pipe or a device; write the predictions to a file first")
        if about.st_size > LARGEST_FILE:
            raise DataError(
                f"{path} is larger than {LARGEST_FILE >> 30} GiB; write the maps at 14 x 14, or as NPZ"
            )
        return _by_first_bytes(path, allow_nan)
    except OSError as error:
        raise DataError(f"cannot read {error.filename or path}: {error.strerror or error}") from error
    except MemoryError as error:
        raise DataError(f"{path} does not fit into memory; write the maps at 14 x 14") from error


def _by_first_bytes(path: Path, allow_nan: bool) -> Predictions:
    with path.open("rb") as stream:
        start = stream.read(6)
    if not start:
        raise DataError(f"{path} is empty; a predictions file was needed (docs/predictions.md)")
    if start[:2] == b"PK":
        return open_npz(path, allow_nan)
    if start == b"\x93NUMPY":
        raise DataError(f"{path} is one array; give an NPZ file, or the folder with an ID.npy for each clip")
    if start[:1] == b"\x80":
        raise DataError(f"{path} is a pickle, which could run code; write JSON or NPZ (docs/predictions.md)")
    return open_json(path, allow_nan)
