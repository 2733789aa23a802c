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

    @property
    def ledger(self) -> Path:
        """The account of every clip."""
        return self.path / "ledger.sqlite"

    @property
    def manifest(self) -> Path:
        """The ledger as a CSV file, written anew after each run."""
        return self.path / "manifest.csv"

    @property
    def clips(self) -> Path:
        """Clips as video files, whole and checked; nothing unfinished is ever in here."""
        return self.path / "clips"

    @property
    def frames_given(self) -> Path:
        """Frames of clips that came as a frame and a sound."""
        return self.path / "pairs" / "frames"

    @property
    def sounds_given(self) -> Path:
        """Sounds of clips that came as a frame and a sound."""
        return self.path / "pairs" / "audio"

    @property
    def work(self) -> Path:
        """Unfinished things; may be deleted while no command runs."""
        return self.path / "work"

    @property
    def models(self) -> Path:
        """Weights of detectors, and word vectors."""
        return self.path / "models"

    @property
    def autobox(self) -> Path:
        """What ``vggss autobox`` wrote for people and programs to read; the ledger has it too."""
        return self.path / "autobox"

    @property
    def via(self) -> Path:
        """Batches given out to annotators, and their files as they came back; must not be deleted."""
        return self.path / "via"

    @property
    def previews(self) -> Path:
        """Five seconds of video round the frame of each clip, for review; may be deleted while nobody reviews."""
        return self.path / "previews"

    def annotation_file(self, name: str) -> Path:
        """Return the path of one annotation file or list, such as ``vggss.json``."""
        return self.annotations / name

    def clip_file(self, clip: str, extension: str = ".mp4") -> Path:
        """Return the path of a clip's video file."""
        return self.clips / f"{clip}{extension}"

    def prepared(self, preset: str) -> Path:
        """Frames, sounds and shards that ``vggss prepare`` made with one preset."""
        return self.path / "prepared" / preset


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
