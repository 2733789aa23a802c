"""How the work of stage 1 is shared out, and what is refused before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from vggss.errors import UsageError
from vggss.pipeline.autobox.look import Look
from vggss.pipeline.autobox.run import Request, batch_of, check, runner, shares
from vggss.pipeline.detector import DetectorSpec
from vggss.pipeline.detector.records import Kind
from vggss.prepare.pool import Here, Pool


@pytest.mark.parametrize(
    ("kind", "device", "asked", "cores", "expected"),
    [
        ("ssd", "cpu", None, 8, (8, 1)),
        ("frcnn", "cpu", None, 2, (1, 2)),
        ("frcnn", "cpu", None, 16, (4, 4)),
        ("frcnn", "cuda", None, 16, (4, 4)),
        ("frcnn", "cuda", None, 2, (2, 1)),
        ("coco", "cpu", None, 64, (4, 16)),
        ("frcnn", "cpu", 3, 16, (3, 5)),
        ("ssd", "cpu", 9, 2, (9, 1)),
    ],
)
def test_workers_and_their_threads_fill_the_cores(
    kind: Kind, device: str, asked: int | None, cores: int, expected: tuple[int, int]
) -> None:
    assert shares(DetectorSpec(kind, None, device), asked, cores) == expected


def test_a_gpu_is_given_more_frames_at_once() -> None:
    assert batch_of(Request(DetectorSpec("frcnn"))) == 4
    assert batch_of(Request(DetectorSpec("frcnn", device="cuda:1"))) == 16
    assert batch_of(Request(DetectorSpec("frcnn", device="cuda:1"), batch=2)) == 2


def test_a_number_of_frames_that_was_asked_for_goes_to_the_network() -> None:
    asked = runner(Request(DetectorSpec("frcnn", device="cuda"), batch=3, workers=1), 10)
    left = runner(Request(DetectorSpec("frcnn", device="cuda"), workers=1), 10)
    assert isinstance(asked, Pool) and isinstance(left, Pool)
    assert asked._function.spec.batch == 3 and left._function.spec.batch is None


def test_no_more_workers_are_begun_than_there_are_jobs() -> None:
    spec = DetectorSpec("ssd")
    assert isinstance(runner(Request(spec, workers=0), 10), Here)
    few = runner(Request(spec, workers=8, batch=4), 9)
    assert isinstance(few, Pool) and few._count == 3
    assert isinstance(few._function, Look)
    none = runner(Request(spec, workers=8), 0)
    assert isinstance(none, Pool) and none._count == 1


def test_what_cannot_go_together_is_refused_at_once(tmp_path: Path) -> None:
    spec = DetectorSpec("frcnn")
    for request, said in (
        (Request(spec, ray="local", workers=0), "leave one out"),
        (Request(DetectorSpec("frcnn", device="cuda"), ray="local"), "--ray hands out cores"),
        (Request(spec, out=tmp_path), "cannot be written"),
        (Request(spec, out=tmp_path / "no" / "x.json"), "cannot be written"),
    ):
        with pytest.raises(UsageError, match=said):
            check(request)
    check(Request(spec, out=tmp_path / "x.json"))
