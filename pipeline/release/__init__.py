"""Verified annotations to a benchmark that can be published, compared and built again."""

from vggss.pipeline.release.build import build
from vggss.pipeline.release.diff import Diff, diff
from vggss.pipeline.release.folder import read_release, write_folder
from vggss.pipeline.release.importing import Imported, import_release
from vggss.pipeline.release.provenance import mended_document
from vggss.pipeline.release.record import Release, Wanted

__all__ = [
    "Diff",
    "Imported",
    "Release",
    "Wanted",
    "build",
    "diff",
    "import_release",
    "mended_document",
    "read_release",
    "write_folder",
]
