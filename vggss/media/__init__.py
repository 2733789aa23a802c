"""Pictures and sound out of video files: what to take, where it lies by the clock, and whether it can be decoded.

Nothing heavy is loaded before a name that needs it is used, so presets can be listed without NumPy or FFmpeg.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vggss.media.errors import MediaError
    from vggss.media.extraction import Extract, extract, extract_pair
    from vggss.media.header import Probe, probe
    from vggss.media.presets import PRESETS, Preset, get_preset
    from vggss.media.verify import Checked, verify_clip

_HOME = {
    "Checked": "vggss.media.verify",
    "Extract": "vggss.media.extraction",
    "MediaError": "vggss.media.errors",
    "PRESETS": "vggss.media.presets",
    "Preset": "vggss.media.presets",
    "Probe": "vggss.media.header",
    "extract": "vggss.media.extraction",
    "extract_pair": "vggss.media.extraction",
    "get_preset": "vggss.media.presets",
    "probe": "vggss.media.header",
    "verify_clip": "vggss.media.verify",
}

__all__ = [
    "PRESETS",
    "Checked",
    "Extract",
    "MediaError",
    "Preset",
    "Probe",
    "extract",
    "extract_pair",
    "get_preset",
    "probe",
    "verify_clip",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vggss.media' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
