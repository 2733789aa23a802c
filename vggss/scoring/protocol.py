"""The named evaluation protocols: how a heat map becomes a mask, and which code each one reproduces.

A protocol is frozen: changing any of its settings means a new name. Every result prints the name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from vggss.errors import UsageError

Resize = Literal["opencv-linear", "torch-bilinear-corners", "torch-bicubic-corners"]
Normalise = Literal["negated-minmax", "minmax", "none"]
Rule = Literal["half-strict", "half-inclusive", "area-strict", "threshold", "best-threshold"]


@dataclass(frozen=True)
class Protocol:
    """One way to turn a heat map into a score, down to the last decision.

    Attributes
    ----------
    resize
        how a map of any size becomes 224 x 224 in float32; ``corners`` means ``align_corners=True``.
    normalise
        ``minmax`` scales each map to [0, 1]; ``negated-minmax`` is ``1 - minmax(-map)``, as LVS has it
        (the rounding differs); constant maps are left as they are; ``none`` takes the values as given.
    rule
        ``half``: pixels above (``strict``) or at and above (``inclusive``) the 25,088th smallest value;
        ``area-strict``: as many as the ground truth has, less one; ``threshold``: at and above ``threshold``;
        ``best-threshold``: the one of .05, .10, ... .95 with the highest success rate on the test set.
    detection
        also reports average precision, maximum F1 and LocAcc with clips that have no box as negatives.
    """

    name: str
    summary: str
    source: str
    resize: Resize
    normalise: Normalise
    rule: Rule
    threshold: float = 0.5
    detection: bool = False

    @property
    def caution(self) -> str:
        """What a reader must know before comparing this number; empty for the plain ones."""
        if self.rule == "area-strict":
            return "uses the ground truth: the predicted area is the true one"
        if self.rule == "best-threshold":
            return "tuned on the test set: the threshold is the best one of 19"
        return ""

    @property
    def settings(self) -> str:
        """The settings in one line."""
        rule = f"threshold {self.threshold:g}" if self.rule == "threshold" else self.rule
        return f"{self.resize}, {self.normalise}, {rule}"


_HALF = "half of the frame is predicted, whatever the map says"

_NAMED = (
    Protocol(
        "lvs",
        f"the official protocol of VGG-SS; {_HALF} (25,087 pixels without ties)",
        "Chen et al., CVPR 2021; hche11/Localizing-Visual-Sounds-the-Hard-Way@8fe8cbb test.py, utils.py",
        "opencv-linear",
        "negated-minmax",
        "half-strict",
    ),
    Protocol(
        "ezvsl",
        f"EZ-VSL's protocol, also FNAC's; {_HALF} (25,088 pixels without ties)",
        "Mo and Morgado, ECCV 2022; stoneMo/EZ-VSL@95ff5bf test.py, utils.py",
        "torch-bilinear-corners",
        "minmax",
        "half-inclusive",
    ),
    Protocol(
        "slavc",
        f"SLAVC's protocol as in its README (--relative_prediction); {_HALF}; AP, max-F1 and LocAcc with negatives",
        "Mo and Morgado, NeurIPS 2022; stoneMo/SLAVC@05b429c test.py, utils.py",
        "torch-bicubic-corners",
        "minmax",
        "half-inclusive",
        detection=True,
    ),
    Protocol(
        "slavc-fixed",
        "SLAVC's protocol as in its scripts for the extended sets: 0.5 on its fixed range, where a cosine c "
        "is (1 + c) / 2; AP, max-F1 and LocAcc with negatives",
        "Mo and Morgado, NeurIPS 2022; stoneMo/SLAVC@05b429c scripts/test_extended_*.sh",
        "torch-bicubic-corners",
        "none",
        "threshold",
        detection=True,
    ),
    Protocol(
        "adaptive",
        "cIoU_adap: the predicted area is the true area (less one pixel)",
        "Senocak et al., ICCV 2023; kaistmm/SSLalignment@e7ae3c5 test.py, its evaluator for VGG-SS",
        "opencv-linear",
        "negated-minmax",
        "area-strict",
    ),
    Protocol(
        "adaptive-corners",
        "cIoU_adap as SSLalignment computes it on every set but VGG-SS (another interpolation)",
        "Senocak et al., ICCV 2023; kaistmm/SSLalignment@e7ae3c5 test.py",
        "torch-bilinear-corners",
        "minmax",
        "area-strict",
    ),
    Protocol(
        "best-threshold",
        "the best of 19 thresholds on maps scaled to [0, 1] each",
        "as in comparisons that choose the threshold on the test set",
        "opencv-linear",
        "minmax",
        "best-threshold",
    ),
    Protocol(
        "best-threshold-raw",
        "the best of 19 thresholds on the values as they are; maps of 224 x 224 are not resized",
        "Park et al., WACV 2024; swimmiing/ACL-SSL@57f4a6c VGGSS/eval_utils.py",
        "opencv-linear",
        "none",
        "best-threshold",
    ),
)

PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in _NAMED}
"""The named protocols; ``fixed-T`` (say ``fixed-0.5``) is made by :func:`get_protocol`."""

THRESHOLDS = tuple(0.05 * i for i in range(1, 20))
"""The 19 thresholds of ``best-threshold``."""


def get_protocol(name: str) -> Protocol:
    """Return a protocol by name.

    ``fixed-T``, with T in (0, 1), is the family that predicts the pixels at and above T on a map scaled to
    [0, 1] (SSPL and RCGrad use 0.5).

    Raises
    ------
    UsageError
        no protocol has that name; the message lists those there are.

    >>> get_protocol("fixed-0.5").settings
    'opencv-linear, minmax, threshold 0.5'
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    found = re.fullmatch(r"fixed-(0?\.\d{1,6})", name)
    if found and 0 < float(found[1]) < 1:
        threshold = float(found[1])
        written = f"{threshold:.6f}".rstrip("0")
        return Protocol(
            f"fixed-{written}",
            f"pixels at and above {written} on a map scaled to [0, 1]",
            "as SSPL (zjsong/SSPL@d1af4c7) and RCGrad do with 0.5",
            "opencv-linear",
            "minmax",
            "threshold",
            threshold,
        )
    raise UsageError(
        f"no protocol is named {name!r}; there are {', '.join(PROTOCOLS)}, and fixed-T such as fixed-0.5 "
        f"(`vggss protocols` explains them)"
    )
