"""What is done to boxes before they are released."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.audit import HARMLESS, audit
from vggss.benchmark import Annotation
from vggss.boxes import Box
from vggss.ledger.stage_records import Origin, Region
from vggss.pipeline.release.mend import mend, worthless

BY = Origin("annotator", "anna")
GOOD = Box(0.1, 0.2, 0.4, 0.9)


def mended(*boxes: Box, near: str = "drop") -> tuple[list[Box], list[tuple[str, int, str]]]:
    kept, done = mend("a", [Region(box, BY) for box in boxes], near)  # type: ignore[arg-type]
    return [one.region.box for one in kept], [(one.kind, one.number, one.deed) for one in done]


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        (Box(0.1, 0.1, -2.88e16, 0.5), "sentinel coordinate"),
        (Box(0.5, 0.1, 0.4, 0.5), "inverted box"),
        (Box(0.5, 0.1, 0.5, 0.5), "zero-area box"),
        (Box(0.1, 0.1, 0.1001, 0.5), "empty after rasterising"),
        (Box(1.2, 0.1, 1.4, 0.5), "empty after rasterising"),
    ],
)
def test_a_box_that_covers_nothing_is_dropped_and_named_as_the_audit_names_it(box: Box, kind: str) -> None:
    assert worthless(box) == kind
    assert mended(GOOD, box) == ([GOOD], [(kind, 1, "dropped")])
    assert kind in {finding.kind for finding in audit([Annotation("a", "b", (box,))], ["b"]).findings}


def test_a_box_that_reaches_out_of_the_frame_is_cut_and_remembers_how_it_was_drawn() -> None:
    out = Box(-0.2, 0.2, 0.4, 1.3)
    kept, done = mend("a", [Region(out, BY)])
    assert kept[0].region == Region(Box(0.0, 0.2, 0.4, 1.0), BY) and kept[0].drawn == out
    assert [(one.kind, one.deed, one.box) for one in done] == [("outside the frame", "cut", out)]


def test_of_equal_boxes_the_first_stays() -> None:
    kept, done = mend("a", [Region(GOOD, BY), Region(GOOD, Origin("annotator", "ben"))])
    assert [one.region.origin.name for one in kept] == ["anna"]
    assert [(one.kind, one.number) for one in done] == [("duplicate box", 1)]


def test_of_two_boxes_that_are_nearly_the_same_the_larger_stays_in_its_place() -> None:
    larger = Box(0.1, 0.2, 0.42, 0.9)
    other = Box(0.6, 0.6, 0.8, 0.8)
    assert mended(GOOD, other, larger) == ([other, larger], [("near-duplicate boxes", 0, "dropped")])
    assert mended(GOOD, other, larger, near="keep") == ([GOOD, other, larger], [])


def test_a_box_that_is_near_only_to_a_dropped_one_stays() -> None:
    chain = [Box(0, 0, 0.5 + step, 1) for step in (0.0, 0.1, 0.2)]  # neighbours are near, the ends are not
    assert chain[0].iou(chain[1]) > 0.8 < chain[1].iou(chain[2]) and chain[0].iou(chain[2]) < 0.8
    assert mended(*chain)[0] == [chain[0], chain[2]]


numbers = st.one_of(
    st.floats(-0.5, 1.5), st.sampled_from([0.0, 0.25, 0.5, 1.0, -2.88e16]), st.floats(0.2, 0.2 + 1e-4)
)
some_boxes = st.lists(st.builds(Box, numbers, numbers, numbers, numbers), max_size=6)


@given(some_boxes)
def test_the_audit_has_nothing_to_say_of_what_is_left(boxes: list[Box]) -> None:
    kept, done = mended(*boxes)
    if kept:
        found = audit([Annotation("a", "b", tuple(kept))], ["b"])
        assert {finding.kind for finding in found.findings} <= HARMLESS
    assert len(kept) == len(boxes) - sum(deed == "dropped" for *_, deed in done)


@given(some_boxes)
def test_what_is_left_is_what_was_drawn_or_cut_of_it_in_the_same_order(boxes: list[Box]) -> None:
    kept, _ = mended(*boxes)
    cut = [Box(*box.clipped) for box in boxes]
    places = iter(cut)
    assert all(any(one == other for other in places) for one in kept)
    assert mended(*kept) == (kept, [])
