"""Who gets what, and what lies in a batch."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manual_cases import DOG, HEIGHT, LEFT, RIGHT, WIDTH, candidate, clip, entry, image, lab

from vggss.errors import DataError, UsageError
from vggss.ledger import Ledger, Outcome
from vggss.ledger.stages import Stages
from vggss.pipeline.manual.batches import recorded
from vggss.pipeline.manual.division import batches, divide
from vggss.pipeline.manual.export import Sharing, listed, plan
from vggss.pipeline.manual.giving import Draft, Place, Wish, give
from vggss.pipeline.manual.names import file_names, people, person
from vggss.pipeline.manual.project import project_of
from vggss.pipeline.via import read_via
from vggss.pipeline.via.attributes import definition_faults
from vggss.prepare.pool import Here, Lost
from vggss.progress import Stop

names = st.lists(st.text(min_size=1, max_size=12), max_size=30, unique=True)


@given(names, st.integers(1, 4), st.floats(0, 1), st.integers(2, 3), st.integers())
def test_a_division_gives_every_clip_once_and_a_share_to_several(
    clips: list[str], people_: int, overlap: float, each: int, seed: int
) -> None:
    who = [f"a{number}" for number in range(people_)]
    found = divide(clips, who, overlap, each, seed)
    given_out = [clip for mine in found.values() for clip in mine]
    assert set(given_out) == set(clips)
    assert all(len(set(mine)) == len(mine) for mine in found.values())
    shared = round(overlap * len(clips)) if people_ > 1 else 0
    assert len(given_out) - len(clips) == shared * (min(each, people_) - 1)
    assert max(map(len, found.values())) - min(map(len, found.values())) <= 1
    assert divide(reversed(clips), who, overlap, each, seed) == found


def test_shared_clips_are_spread_over_all_pairs() -> None:
    found = divide(map(str, range(300)), ["a", "b", "c"], overlap=1)
    together = [len(set(found[x]) & set(found[y])) for x, y in ("ab", "ac", "bc")]
    assert together == [100, 100, 100]


def test_nobody_gets_a_clip_again() -> None:
    found = divide("abc", ["anna", "ben"], 1, had={"a": {"anna"}, "b": {"anna", "ben"}})
    assert "a" not in found["anna"]
    assert "a" in found["ben"]
    assert "b" not in found["anna"] + found["ben"]


@pytest.mark.parametrize(("overlap", "each"), [(-0.1, 2), (1.1, 2), (float("nan"), 2), (0.5, 1)])
def test_a_division_refuses_what_is_no_share(overlap: float, each: int) -> None:
    with pytest.raises(UsageError):
        divide("ab", ["anna"], overlap, each)


def test_a_batch_has_at_most_its_size() -> None:
    assert [len(part) for part in batches("abcdefg", 3)] == [3, 3, 1]
    assert batches("", 3) == []


@given(st.lists(st.text(min_size=1, max_size=150), max_size=20, unique=True))
def test_file_names_are_plain_and_no_two_are_alike_on_any_disk(clips: list[str]) -> None:
    found = file_names(clips)
    assert set(found) == set(clips)
    assert len({name.lower() for name in found.values()}) == len(clips)
    for name in found.values():
        assert name.isascii()
        assert 0 < len(name) <= 100
        assert not set(name) & set('/\\:*?"<>| \0')
        assert name not in (".", "..")


def test_ids_of_vggsound_keep_their_names_unless_capitals_alone_tell_them_apart() -> None:
    assert file_names(["-0BIyqJj9ZU_000030"]) == {"-0BIyqJj9ZU_000030": "-0BIyqJj9ZU_000030"}
    found = file_names(["AAAAAAAAAAA_000030", "aaaaaaaaaaa_000030"])
    assert len({name.lower() for name in found.values()}) == 2


@pytest.mark.parametrize(
    "name", ["", " ", "../x", "a/b", "a\\b", ".hidden", "-rf", "a\nb", "x" * 61, "con", "a.", "\x1b[2J"]
)
def test_annotators_with_names_that_no_folder_can_have_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be called"):
        person(name)


def test_annotators_are_named_once() -> None:
    assert people("anna, Jörg,李雷") == ["anna", "Jörg", "李雷"]
    with pytest.raises(UsageError, match="twice"):
        people("anna,Anna")


def test_a_batch_holds_pictures_sounds_a_project_and_a_page(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(
        candidate(clip(1), boxes=[LEFT, RIGHT]), candidate("Straße 7"), candidate(clip(3), "auto", [LEFT])
    )
    gift = here.export("anna")
    digits = hashlib.sha256("Straße 7".encode()).hexdigest()[:8]
    files = {path.relative_to(here.out).as_posix() for path in here.out.rglob("*") if path.is_file()}
    assert files == {
        f"anna/batch-001/images/Stra-e-7.{digits}.jpg",
        f"anna/batch-001/images/{clip(1)}.jpg",
        "anna/batch-001/project.json",
        "anna/batch-001/sounds.html",
        f"anna/batch-001/sounds/Stra-e-7.{digits}.wav",
        f"anna/batch-001/sounds/{clip(1)}.wav",
        "batches.csv",
    }
    assert not gift.faults
    picture = image(here.project("anna/batch-001"), clip(1))
    assert picture["size"] == (here.out / f"anna/batch-001/images/{clip(1)}.jpg").stat().st_size
    assert picture["file_attributes"] == {
        "sound_class": "dog barking",
        "not_localisable": "no",
        "comment": "",
        "done": {},
        "sound": f"sounds/{clip(1)}.wav",
        "clip": clip(1),
        "batch": "anna/batch-001",
    }
    first = picture["regions"][0]
    assert first["shape_attributes"]["x"] == round(LEFT.x0 * WIDTH)
    assert first["shape_attributes"]["height"] == round(LEFT.y1 * HEIGHT) - round(LEFT.y0 * HEIGHT)
    assert first["region_attributes"]["source"] == "#1 ssd: Dog (/m/0bt9lr) 0.81"
    assert first["region_attributes"]["class"] == "dog barking"


def test_the_project_is_one_that_via_can_open(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("a", boxes=[LEFT]), candidate("b", sound_class="cat meowing"))
    (batch,) = here.export("anna").batches
    made = project_of(batch)
    assert definition_faults(made.region_attributes, made.file_attributes) == []
    read = read_via((here.out / "anna/batch-001/project.json").read_bytes(), "project.json")
    assert (read.images, read.region_attributes, read.file_attributes, read.name) == (
        made.images,
        made.region_attributes,
        made.file_attributes,
        made.name,
    )
    assert read.settings["core"]["default_filepath"] == "images/"
    assert read.region_attributes["class"]["default_options"] == {"as the clip": True}
    assert read.file_attributes["not_localisable"]["options"]["diffuse"] == "diffuse"


def test_in_a_batch_of_one_class_too_new_boxes_are_of_whatever_class_the_clip_gets(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("a"), candidate("b"))
    (batch,) = here.export("anna").batches
    choice = project_of(batch).region_attributes["class"]
    assert choice["default_options"] == {"as the clip": True}
    assert list(choice["options"]) == ["as the clip", "dog barking"]


def test_what_was_given_out_is_not_given_out_again(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(*(candidate(clip(number)) for number in range(10)))
    first = here.export("anna", "ben", overlap=0.2, batch=3)
    assert len(here.decoded) == 10
    assert sum(len(batch.given) for batch in first.batches) == 12
    assert not here.export("anna", "ben").batches
    here.add(candidate(clip(10)))
    (later,) = here.export("anna", "ben").batches
    assert [one.clip for one in later.given] == [clip(10)]
    assert later.number == 3
    again = here.export("anna", "ben", again=True, overlap=0)
    had = {(batch.annotator, one.clip) for batch in (*first.batches, later) for one in batch.given}
    new = {(batch.annotator, one.clip) for batch in again.batches for one in batch.given}
    assert len(new) == 22 - len(had)
    assert not had & new
    table = list(csv.DictReader(io.StringIO((here.out / "batches.csv").read_text())))
    assert {(row["annotator"], row["clip"]) for row in table} == had | new


def test_what_somebody_annotated_elsewhere_is_not_given_out(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("a"), candidate("b"))
    with Ledger.open(here.root.ledger) as ledger:
        Stages(ledger).record_entries([entry("zoe", LEFT, name="a")])
    (batch,) = here.export("anna").batches
    assert [one.clip for one in batch.given] == ["b"]


@pytest.mark.parametrize(("which", "expected"), [("person", "bd"), ("auto", "a"), ("all", "abcd")])
def test_which_clips_are_given_out(tmp_path: Path, which: str, expected: str) -> None:
    here = lab(tmp_path)
    here.add(
        candidate("a", "auto", [LEFT]), candidate("b"), candidate("c", "excluded"), candidate("d", "auto"),
        candidate("e", "error"),
    )  # fmt: skip
    (batch,) = here.export("anna", which=which).batches
    assert sorted(one.clip for one in batch.given) == list(expected)


def test_a_run_that_is_stopped_has_given_out_nothing_and_the_next_does_the_same(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(*(candidate(clip(number)) for number in range(6)))
    stop = Stop()

    def show(job: Any) -> Any:
        if len(here.decoded) == 3:
            stop.request()
        return here.show(job)

    with Ledger.open(here.root.ledger) as ledger:
        planned = plan(Stages(ledger), [], Sharing(("anna",)))
        gift = give(planned.drafts, ledger, Place(here.out, here.root), Here(show), stop)
    assert gift.interrupted
    assert recorded(here.root) == []
    assert not (here.out / "anna/batch-001/project.json").exists()
    (batch,) = here.export("anna").batches
    assert len(batch.given) == 6


def test_a_clip_that_cannot_be_shown_is_told_and_waits(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("a"), candidate("b"))
    here.broken = frozenset("a")
    gift = here.export("anna")
    assert gift.faults == {"a": "no picture stream in it"}
    here.broken = frozenset()
    (batch,) = here.export("anna").batches
    assert [one.clip for one in batch.given] == ["a"]


def test_a_clip_that_is_lost_or_not_here_is_a_fault(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("a"))
    draft = Draft("anna", 1, "annotator", (Wish("a", "dog barking"), Wish("b", "dog barking")))
    with Ledger.open(here.root.ledger) as ledger:
        runner: Any = Here(lambda job: Lost("its worker died twice"))
        gift = give([draft], ledger, Place(here.out, here.root), runner, Stop())
    assert gift.faults["a"] == "its worker died twice"
    assert "not in the data folder" in gift.faults["b"]
    assert not gift.batches


def test_a_project_that_somebody_may_work_in_is_not_replaced(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("a"))
    here.save({"mine": 1}, "anna/batch-001/project.json")
    with pytest.raises(DataError, match="is another project"):
        here.export("anna")
    assert json.loads((here.out / "anna/batch-001/project.json").read_text()) == {"mine": 1}
    assert recorded(here.root) == []


def test_batches_come_back_as_they_were_recorded(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("a", boxes=[LEFT]), candidate("b"))
    gift = here.export("anna", "ben", overlap=1)
    assert tuple(recorded(here.root)) == gift.batches
    assert gift.batches[0].given[0].boxes[0].region.origin == DOG
    (next((here.root.path / "via/batches").glob("*.json"))).write_text("[{}]")
    with pytest.raises(DataError, match="no record of batches"):
        recorded(here.root)


def test_the_page_of_sounds_holds_no_address_and_no_unescaped_name(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate('<script>alert(1)</script>"', sound_class="<b>dog"))
    here.export("anna")
    text = (here.out / "anna/batch-001/sounds.html").read_text()
    assert "<script>alert" not in text
    assert "<b>dog" not in text
    assert "//" not in text.replace("<!doctype html>", "")
    assert "Content-Security-Policy" in text
    assert text.count("<audio") == 1


def test_without_sound_there_is_none(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("a"))
    here.export("anna", sound=False)
    assert sorted(path.name for path in (here.out / "anna/batch-001").iterdir()) == ["images", "project.json"]
    assert here.project("anna/batch-001")["_via_img_metadata"]["a.jpg12"]["file_attributes"]["sound"] == ""


def test_a_list_of_clips_may_name_clips_of_any_set(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(candidate("Straße 7, links"), candidate("b"))
    path = here.save("\ufeff# ours\nStraße 7, links\n\nb\nb\n".encode(), "list.txt")
    with Ledger.open(here.root.ledger) as ledger:
        assert listed(path, Stages(ledger)) == ["Straße 7, links", "b"]
        with pytest.raises(DataError, match="has not seen 1 of the 2 clips"):
            listed(here.save(b"b\nzzz\n", "list.txt"), Stages(ledger))
        with pytest.raises(DataError, match="not text"):
            listed(here.save(b"\xff\xfe\x00", "list.txt"), Stages(ledger))


def test_without_stage_1_nothing_can_be_given_out(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add()
    with pytest.raises(UsageError, match="vggss autobox"):
        here.export("anna")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ben/batch-001/project.json", b'{"mine": 1}'),
        ("ben/batch-001/sounds.html", b"<p>mine"),
        ("ben/batch-001/images", b"a file"),
        ("ben", b"a file"),
        ("batches.csv", b"clip,mine\n"),
    ],
)
def test_what_lies_in_the_way_of_one_batch_is_found_before_anything_is_written(
    tmp_path: Path, name: str, content: bytes
) -> None:
    here = lab(tmp_path)
    here.add(candidate("a"), candidate("b"))
    here.save(content, name)
    with pytest.raises(DataError, match="Nothing was given out"):
        here.export("anna", "ben")
    assert [path.relative_to(here.out).as_posix() for path in here.out.rglob("*") if path.is_file()] == [name]
    assert here.decoded == []
    assert not (here.out / "anna").exists()


def test_a_project_of_another_data_folder_is_not_replaced_by_one_with_its_name(tmp_path: Path) -> None:
    for number, names in enumerate((["a"], ["a", "b"], ["c"])):
        here = lab(tmp_path / str(number))
        here.out = tmp_path / "out"
        here.add(*(candidate(name) for name in names))
        if number == 0:
            here.export("anna")
            before = (here.out / "anna/batch-001/project.json").read_bytes()
        else:
            with pytest.raises(DataError, match="is another project"):
                here.export("anna")
    assert (tmp_path / "out/anna/batch-001/project.json").read_bytes() == before


def test_clips_whose_video_is_not_here_are_not_divided(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(*(candidate(clip(number)) for number in range(4)))
    with Ledger.open(here.root.ledger) as ledger:
        stages = Stages(ledger)
        ledger.record(Outcome(clip(0), "gone"))
        stages.record_candidates([candidate("never asked for")])
        planned = plan(stages, [], Sharing(("anna", "ben"), overlap=0))
    assert planned.absent == ("never asked for", clip(0))
    assert (planned.clips, planned.had) == (3, 0)
    assert {wish.clip for draft in planned.drafts for wish in draft.wishes} == {clip(1), clip(2), clip(3)}


def test_clips_that_are_shared_are_counted_once(tmp_path: Path) -> None:
    here = lab(tmp_path)
    here.add(*(candidate(clip(number)) for number in range(8)))
    with Ledger.open(here.root.ledger) as ledger:
        planned = plan(Stages(ledger), [], Sharing(("anna", "ben", "carl"), overlap=1, each=3))
    assert (planned.clips, planned.shared) == (8, 8)


@pytest.mark.browser
def test_the_page_of_sounds_leaves_keys_to_what_has_the_focus(tmp_path: Path) -> None:
    sync = pytest.importorskip("playwright.sync_api", reason="drives the page")
    if not (chromium := shutil.which("chromium")):
        pytest.skip("no Chromium on this machine")
    here = lab(tmp_path)
    here.add(candidate("a"), candidate("b"))
    here.export("anna")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto((here.out / "anna/batch-001/sounds.html").as_uri())
        page.keyboard.press("n")
        assert page.evaluate("document.activeElement.id") == "2"
        page.focus("summary")
        page.keyboard.press("p")
        page.keyboard.press(" ")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert page.evaluate("document.querySelector('details').open") is True
        browser.close()
