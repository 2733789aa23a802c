"""Clips that are there already: known again, kept, replaced, linked to."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import ingest_cases as cases
import pytest
from ingest_cases import FIRST, SECOND, facts_of, row_of, snapshot

from vggss.errors import DataError
from vggss.ingest import placing
from vggss.ledger import FileFacts, Ledger, Outcome


def test_a_second_run_takes_nothing_and_writes_nothing(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video(), f"{SECOND}.mp4": cases.video()})
    cases.run(tmp_path / "root", source)
    before = snapshot(tmp_path / "root" / "clips")
    again = cases.run(tmp_path / "root", source)
    assert (again.clips, again.already, again.notes) == ({}, 2, [])
    assert snapshot(tmp_path / "root" / "clips") == before
    assert row_of(tmp_path / "root", FIRST).tries == 1


def test_a_known_copy_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    cases.run(tmp_path / "root", source)
    monkeypatch.setattr(placing, "sha256_of", None)
    monkeypatch.setattr("vggss.ingest.examine.sha256_of", None)
    assert cases.run(tmp_path / "root", source).already == 1


def test_a_copy_with_another_time_is_compared_by_content_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    cases.run(tmp_path / "root", source)
    os.utime(source / f"{FIRST}.mp4", (1, 1))
    assert cases.run(tmp_path / "root", source).already == 1
    monkeypatch.setattr("vggss.ingest.examine.sha256_of", None)
    assert cases.run(tmp_path / "root", source).already == 1


def test_other_content_is_kept_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    cases.run(tmp_path / "root", source)
    changed = bytearray(cases.video())
    changed[-1] ^= 1
    for name, content in (("longer", cases.other_video()), ("as long", bytes(changed))):
        other = cases.put(tmp_path / name, {f"{FIRST}.mp4": content})
        report = cases.run(tmp_path / "root", other)
        assert report.clips == {}
        assert "--replace" in cases.why(report, "kept as it was")[f"{FIRST}.mp4"]
        assert (tmp_path / "root" / "clips" / f"{FIRST}.mp4").read_bytes() == cases.video()
    assert cases.run(tmp_path / "root", tmp_path / "longer", replace=True).clips == {FIRST: "have"}
    assert (tmp_path / "root" / "clips" / f"{FIRST}.mp4").read_bytes() == cases.other_video()


def test_a_replaced_clip_leaves_no_file_of_another_extension(tmp_path: Path) -> None:
    cases.run(tmp_path / "root", cases.put(tmp_path / "a", {f"{FIRST}.mp4": cases.video()}))
    mkv = cases.put(tmp_path / "b", {f"{FIRST}.mkv": cases.video(form="matroska")})
    cases.run(tmp_path / "root", mkv, replace=True)
    assert [path.name for path in (tmp_path / "root" / "clips").iterdir()] == [f"{FIRST}.mkv"]


def test_a_bad_copy_takes_nothing_from_a_good_one(tmp_path: Path) -> None:
    cases.run(tmp_path / "root", cases.put(tmp_path / "a", {f"{FIRST}.mp4": cases.video()}))
    bad = cases.put(tmp_path / "b", {f"{FIRST}.mp4": b"<html>"})
    report = cases.run(tmp_path / "root", bad, replace=True)
    assert report.of("bad copy")
    assert row_of(tmp_path / "root", FIRST).state == "have"
    assert (tmp_path / "root" / "clips" / f"{FIRST}.mp4").read_bytes() == cases.video()


def test_a_clip_whose_file_was_lost_or_cut_is_taken_again(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video(), f"{SECOND}.mp4": cases.video()})
    cases.run(tmp_path / "root", source)
    (tmp_path / "root" / "clips" / f"{FIRST}.mp4").unlink()
    (tmp_path / "root" / "clips" / f"{SECOND}.mp4").write_bytes(b"cut")
    assert cases.run(tmp_path / "root", source).clips == {FIRST: "have", SECOND: "have"}


def test_a_clip_that_is_gone_for_everyone_is_taken_from_the_copy_but_stays_gone_if_that_is_bad(
    tmp_path: Path,
) -> None:
    root = tmp_path / "root"
    with Ledger.open(root / "ledger.sqlite") as ledger:
        ledger.record_many([Outcome(FIRST, "gone", "private"), Outcome(SECOND, "gone", "private")])
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video(), f"{SECOND}.mp4": b"<html>"})
    assert cases.run(root, source).clips == {FIRST: "have", SECOND: "failed"}
    assert row_of(root, FIRST).state == "have"
    assert (row_of(root, SECOND).state, row_of(root, SECOND).reason) == ("gone", "private")


@pytest.mark.parametrize("how", ["hard", "symbolic"])
def test_a_link_takes_no_room_and_is_known_again(tmp_path: Path, how: str) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    assert cases.run(tmp_path / "root", source, how=how).clips == {FIRST: "have"}
    kept = tmp_path / "root" / "clips" / f"{FIRST}.mp4"
    assert kept.samefile(source / f"{FIRST}.mp4")
    assert kept.is_symlink() is (how == "symbolic")
    assert facts_of(tmp_path / "root", FIRST).sha256 == hashlib.sha256(cases.video()).hexdigest()
    assert cases.run(tmp_path / "root", source, how=how).already == 1


def test_a_hard_link_to_another_disk_says_what_else_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(DataError, match="--link symbolic"):
        cases.run(tmp_path / "root", source, how="hard")


def test_a_clip_that_a_download_takes_meanwhile_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    settle = placing.stage

    def stage(*given: Any) -> object:
        cases.put(root / "clips", {f"{FIRST}.mp4": cases.other_video()})
        facts = FileFacts(f"clips/{FIRST}.mp4", "1234", len(cases.other_video()), 3.2, 64, 48, 10.0, 16000, 1)
        with Ledger.open(root / "ledger.sqlite") as ledger:
            ledger.record(Outcome(FIRST, "have", facts=facts))
        return settle(*given)

    monkeypatch.setattr("vggss.ingest.examine.stage", stage)
    report = cases.run(root, source)
    assert report.of("kept as it was")
    assert (root / "clips" / f"{FIRST}.mp4").read_bytes() == cases.other_video()
    assert facts_of(root, FIRST).sha256 == "1234"


def test_the_time_of_a_users_file_is_not_changed_through_a_link(tmp_path: Path) -> None:
    source = cases.put(tmp_path / "in", {f"{FIRST}.mp4": cases.video()})
    cases.run(tmp_path / "root", source, how="hard")
    before = snapshot(source)
    other = cases.put(tmp_path / "other", {f"{FIRST}.mp4": cases.video()})
    os.utime(other / f"{FIRST}.mp4", (5, 5))
    assert cases.run(tmp_path / "root", other).already == 1
    assert snapshot(source) == before
