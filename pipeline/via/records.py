"""What a VIA 2 project holds: a project has images, an image has regions."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SETTINGS: dict[str, Any] = {
    "ui": {
        "annotation_editor_height": 25,  # per cent of the window
        "annotation_editor_fontsize": 0.8,  # rem
        "leftsidebar_width": 18,  # rem
        "image_grid": {
            "img_height": 80,
            "rshape_fill": "none",
            "rshape_fill_opacity": 0.3,
            "rshape_stroke": "yellow",
            "rshape_stroke_width": 2,
            "show_region_shape": True,
            "show_image_policy": "all",
        },
        "image": {
            "region_label": "__via_region_id__",
            "region_color": "__via_default_region_color__",
            "region_label_font": "10px Sans",
            "on_image_annotation_editor_placement": "NEAR_REGION",
        },
    },
    "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
}
"""VIA 2's own defaults. Opening a project copies its settings over these one by one; VIA 2.0.11 fails on an object
under a name that it does not have, so that what vggss adds are plain values in ``settings["project"]``."""


def default_settings(default_filepath: str = "", **project: str | float) -> dict[str, Any]:
    """Return VIA 2's default settings.

    Parameters
    ----------
    default_filepath
        what VIA puts before every file name, as ``"images/"``; relative to the page ``via.html``.
    project
        plain values to keep in ``settings["project"]`` (VIA keeps and saves them).
    """
    found = copy.deepcopy(SETTINGS)
    found["core"]["default_filepath"] = default_filepath
    if project:
        found["project"] = dict(project)
    return found


@dataclass(frozen=True, slots=True)
class ViaRegion:
    """A region as VIA has it.

    ``shape`` is ``shape_attributes``: ``{"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}``, in pixels of the
    picture; ``attributes`` is ``region_attributes``; ``foreign`` is whatever else stood beside the two.
    """

    shape: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    foreign: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ViaImage:
    """A picture of a project and its regions.

    ``size`` is the file's in bytes, -1 where it is not known (VIA's own sign for files named by a path or URL).
    ``attributes`` is ``file_attributes``. ``key`` is VIA's name for the picture where it is not
    the file name followed by the size: VIA updates ``size`` when the user picks the file, but not the key. ``fault``
    says what the file has lost of the picture, empty if nothing: what is left of it is not what somebody said.
    """

    filename: str
    size: int = -1
    attributes: Mapping[str, Any] = field(default_factory=dict)
    regions: tuple[ViaRegion, ...] = ()
    key: str = ""
    foreign: Mapping[str, Any] = field(default_factory=dict)
    fault: str = field(default="", compare=False)

    @property
    def image_id(self) -> str:
        """The picture's key in VIA's files.

        >>> ViaImage("a.jpg", 1024).image_id, ViaImage("a.jpg").image_id
        ('a.jpg1024', 'a.jpg-1')
        """
        return self.key or f"{self.filename}{self.size}"


@dataclass(frozen=True, slots=True)
class ViaProject:
    """A VIA 2 project, or as much of one as the file carried.

    Annotation JSON and CSV carry the images alone; COCO carries images, regions and one attribute for each
    supercategory. ``images`` stand in the order of VIA's list. ``foreign``: top-level keys that are not VIA's.
    ``form`` says which format was read ("project", "annotations", "csv", "coco", "via3"; "" for a
    new project),
    ``notes`` what the reader had to repair or leave out: sentences for the user.
    """

    name: str = ""
    images: tuple[ViaImage, ...] = ()
    region_attributes: Mapping[str, Any] = field(default_factory=dict)
    file_attributes: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=default_settings)
    foreign: Mapping[str, Any] = field(default_factory=dict)
    form: str = field(default="", compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
