"""The formats of the VGG Image Annotator (VIA 2 and 3) and COCO, and nothing else: no ledger, no rules.

``from vggss.pipeline.via import ...``:

records    :class:`ViaProject` has :class:`ViaImage`, has :class:`ViaRegion` (shape and attributes as VIA has them)
reading    :func:`read_via` takes any of VIA 2 project JSON, VIA 2 annotation JSON, VIA 2 CSV, COCO,
           and VIA 3's project of pictures
writing    :func:`write_via2`, :func:`write_via2_annotations`, :func:`write_via2_csv`, :func:`write_coco`
shapes     :func:`bounding`, :func:`to_box`, :func:`to_rect`: pixels of the exported picture and fractions of it
attributes :func:`text`, :func:`dropdown`, :func:`radio`, :func:`checkbox`: definitions for a new project
VIA 3      :func:`read_via3`, :func:`write_via3`; :class:`Via3Project` has files, views, attributes and items
           (:func:`box_item` makes a box on a frame an item, :func:`item_box` takes it back)

A reader raises nothing but :class:`vggss.errors.DataError`, whatever the bytes; what it had to repair stands in
``notes``. All that VIA or anybody else wrote and vggss does not know is in the ``foreign`` fields, and is written again.
"""

from vggss.pipeline.via.attributes import checkbox, definition_faults, dropdown, radio, text
from vggss.pipeline.via.coco_writing import write_coco
from vggss.pipeline.via.reading import read_via
from vggss.pipeline.via.records import ViaImage, ViaProject, ViaRegion, default_settings
from vggss.pipeline.via.shapes import Bounds, bounding, to_box, to_rect
from vggss.pipeline.via.via2_csv import write_via2_csv
from vggss.pipeline.via.via2_json import write_via2, write_via2_annotations
from vggss.pipeline.via.via3 import read_via3, write_via3
from vggss.pipeline.via.via3_records import (
    Via3Attribute,
    Via3File,
    Via3Item,
    Via3Project,
    Via3View,
    box_item,
    default_config,
    item_box,
)

__all__ = [
    "Bounds",
    "Via3Attribute",
    "Via3File",
    "Via3Item",
    "Via3Project",
    "Via3View",
    "ViaImage",
    "ViaProject",
    "ViaRegion",
    "bounding",
    "box_item",
    "checkbox",
    "default_config",
    "default_settings",
    "definition_faults",
    "dropdown",
    "item_box",
    "radio",
    "read_via",
    "read_via3",
    "text",
    "to_box",
    "to_rect",
    "write_coco",
    "write_via2",
    "write_via2_annotations",
    "write_via2_csv",
    "write_via3",
]
