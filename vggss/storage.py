"""Where data lives on this machine: the only module that builds data paths."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from vggss.errors import UsageError


@dataclass(frozen=True)
class DataRoot:
    """The data folder, and how it was chosen."""

    path: Path
    chosen_by: str

    @property
    def annotations(self) -> Path:
        """Annotation files and lists."""
        return self.path / "annotations"

    @property
    def flickr(self) -> Path:
        """XML files of the Flickr SoundNet test set, one for each clip."""
        return self.path / "flickr" / "annotations"

    def annotation_file(self, name: str) -> Path:
        """Return the path of one annotation file or list, such as ``vggss.json``."""
        return self.annotations / name


def data_root(option: str | Path | None = None) -> DataRoot:
    """Find the data folder: the ``--root`` option, else ``VGGSS_HOME``, else a platform folder.

    Raises
    ------
    UsageError
        the folder begins with ``~`` and there is no such home.
    """
    if option is not None:
        return DataRoot(_expanded(option, "--root"), "--root")
    if home := os.environ.get("VGGSS_HOME"):
        return DataRoot(_expanded(home, "VGGSS_HOME"), "VGGSS_HOME")
    return DataRoot(_platform_folder(), "the platform's data folder")


def _expanded(folder: str | Path, given_by: str) -> Path:
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{given_by} is {folder}, and there is no such home folder; give a path") from error


def _platform_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "vggss"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "vggss"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "vggss"
