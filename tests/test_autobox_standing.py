"""Which detector's row stands on a clip, and what an error or another precision does to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import autobox_cases as cases
import pytest
from autobox_cases import Looking, go, name_of, task

from vggss.errors import DataError
from vggss.pipeline.autobox import settings
from vggss.pipeline.autobox.look import Sight
from vggss.storage import DataRoot


@pytest.fixture
def home(tmp_path: Path) -> DataRoot:
    return cases.small_home(tmp_path / "home", 5, real=False)


def test_what_a_detector_found_before_another_one_stands_again_without_a_look(home: DataRoot) -> None:
    go(home, Looking())
    before = cases.rows(home)
    go(home, Looking(), task(detector="other"))
    assert {row.detector for row in cases.rows(home).values()} == {"other"}
    looking = Looking()
    ran = go(home, looking)
    assert (looking.asked, ran.looked, ran.stood) == ([], 0, 5)
    assert cases.rows(home) == before
    go(home, Looking(), task(detector="other"))
    assert go(home, looking, task(threshold=0.5)).decided == 5 and looking.asked == []
    assert {row.detector for row in cases.rows(home).values()} == {"fake"}


def test_an_error_never_stands_instead_of_what_was_found(home: DataRoot) -> None:
    go(home, Looking())
    before = cases.rows(home)
    broken = {name_of(number): "no image of it" for number in range(5)}
    for wanted in (task(detector="other"), replace(task(), precision="bf16")):
        ran = go(home, Looking(broken=broken), wanted)
        assert len(ran.kept) == 5 and ran.kept[0] == (name_of(0), "no image of it")
        assert cases.rows(home) == before
    looking = Looking()
    assert go(home, looking).looked == 0 and looking.asked == []


def test_an_error_on_a_changed_file_stands_and_says_so(home: DataRoot) -> None:
    go(home, Looking())
    cases.add_clip(home, name_of(1), b"another file")
    assert go(home, Looking(broken={name_of(1): "broken"})).kept == ()
    row = cases.rows(home)[name_of(1)]
    assert (row.decision, row.why) == ("error", "broken (what was found before was on another file)")


def test_precision_is_part_of_the_settings(home: DataRoot) -> None:
    go(home, Looking())
    looking = Looking()
    go(home, looking, replace(task(), precision="bf16"))
    assert len(looking.asked) == 5
    assert settings.read(cases.rows(home)[name_of(0)].settings)[0]["precision"] == "bf16"


def test_a_detector_that_fails_after_one_good_frame_marks_no_clip(tmp_path: Path) -> None:
    home = cases.small_home(tmp_path / "home", 24, real=False)

    class Failing(Looking):
        def __call__(self, jobs: Any) -> Any:
            found = []
            for job in jobs:
                self.asked.append(job.clip)
                good = len(self.asked) == 1
                found.append(self._sight(job.clip) if good else Sight(job.clip, "CUDA out of memory", True))
            return tuple(found)

    with pytest.raises(DataError, match="CUDA out of memory"):
        go(home, Failing(), task(batch=16))
    assert [row.decision for row in cases.rows(home).values()].count("error") == 0
    assert go(home, Looking(), task(batch=16)).looked == 23
