"""The ledger: what was recorded stays, whoever is killed and whoever else writes."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.errors import DataError, UsageError
from vggss.ledger import STATES, FileFacts, Ledger, Outcome, PreparedRow, exclusive

CLIP, OTHER = "zpWuikVorYg_000032", "-0BIyqJj9ZU_000030"
FACTS = FileFacts("clips/x.mp4", "ab" * 32, 1234, 10.0, 640, 360, 25.0, 44100, 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "ledger.sqlite"


def have(clip: str) -> Outcome:
    return Outcome(clip, "have", source="here", facts=FACTS)


# States and events


def test_a_clip_that_is_wanted_knows_its_video_and_its_start(path: Path) -> None:
    with Ledger.open(path) as ledger:
        assert ledger.want([CLIP, OTHER, CLIP]) == 2
        row = ledger.row(OTHER)
    assert row is not None
    assert (row.video, row.start, row.state, row.tries, row.facts) == ("-0BIyqJj9ZU", 30, "wanted", 0, None)


def test_wanting_a_clip_again_changes_nothing(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.want([CLIP])
        ledger.record(have(CLIP))
        assert ledger.want([CLIP]) == 0
        assert [event.state for event in ledger.events(CLIP)] == ["wanted", "have"]


def test_a_clip_of_another_set_has_no_video(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.record(have("10000130166"))
        row = ledger.row("10000130166")
    assert row is not None
    assert (row.video, row.start) == ("", None)


def test_the_manifest_of_a_clip_comes_back_as_it_went_in(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.record(have(CLIP))
        row = ledger.row(CLIP)
    assert row is not None
    assert row.facts == FACTS
    assert row.source == "here"


def test_a_clip_that_is_lost_again_loses_its_manifest_and_keeps_its_history(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.record(have(CLIP))
        ledger.record(Outcome(CLIP, "gone", "private", "Private video", "yt-dlp 2026"))
        row = ledger.row(CLIP)
        events = list(ledger.events(CLIP))
    assert row is not None
    assert (row.state, row.reason, row.tries, row.facts) == ("gone", "private", 2, None)
    assert [event.state for event in events] == ["have", "gone"]
    assert events[1].message == "Private video"


def test_several_outcomes_are_entered_all_or_none(path: Path) -> None:
    def outcomes():
        yield have(CLIP)
        raise RuntimeError("the source broke")

    with Ledger.open(path) as ledger:
        with pytest.raises(RuntimeError, match="the source broke"):
            ledger.record_many(outcomes())
        assert ledger.row(CLIP) is None
        assert list(ledger.events()) == []
        ledger.record(have(OTHER))  # the ledger is still of use


@pytest.mark.parametrize("statement", ["UPDATE events SET state = 'have'", "DELETE FROM events"])
def test_an_event_cannot_be_altered(path: Path, statement: str) -> None:
    with Ledger.open(path) as ledger:
        ledger.want([CLIP])
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_an_unknown_state_cannot_be_entered() -> None:
    with pytest.raises(ValueError, match="'lost' is none of wanted, have"):
        Outcome(CLIP, "lost")


@pytest.mark.parametrize(("state", "facts"), [("have", None), ("gone", FACTS)])
def test_only_a_clip_that_is_here_has_a_manifest(state: str, facts: FileFacts | None) -> None:
    with pytest.raises(ValueError, match="a clip that is here has a manifest"):
        Outcome(CLIP, state, facts=facts)


# Questions


def test_counts_name_every_state_and_count_unknown_clips_as_wanted(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.record(have(CLIP))
        assert ledger.counts()["have"] == 1
        assert ledger.counts([CLIP, OTHER]) == {**dict.fromkeys(STATES, 0), "have": 1, "wanted": 1}


def test_reasons_are_counted_within_their_state(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ids = [f"{n:011d}_000000" for n in range(4)]
        for clip, reason in zip(ids, ["removed", "private", "private", ""], strict=True):
            ledger.record(Outcome(clip, "gone" if reason else "network", reason))
        assert list(ledger.reasons().items()) == [
            (("gone", "private"), 2),
            (("gone", "removed"), 1),
            (("network", ""), 1),
        ]


def test_rows_come_in_the_order_that_was_asked_for(path: Path) -> None:
    ids = [f"{n:011d}_000000" for n in range(1200)]
    asked = random.Random(0).sample(ids, 1100)
    with Ledger.open(path) as ledger:
        ledger.want(ids)
        assert [row.clip for row in ledger.rows([*asked, "unknown", asked[0]])] == asked
        assert [row.clip for row in ledger.rows()] == ids


def test_rows_can_be_limited_to_states(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.want([OTHER])
        ledger.record(have(CLIP))
        assert [row.clip for row in ledger.rows(states={"have"})] == [CLIP]


def test_what_was_prepared_again_replaces_what_was_there(path: Path) -> None:
    first = PreparedRow(CLIP, "paper", "out", "error", "no sound", None, None, "")
    again = PreparedRow(CLIP, "paper", "out", "ok", "", 5.0, 3.5, "static")
    other = PreparedRow(CLIP, "frame125", "out", "ok", "", 4.96, 3.5, "")
    with Ledger.open(path) as ledger:
        ledger.record_prepared([first])
        ledger.record_prepared([again, other])
        assert ledger.prepared("paper") == {CLIP: again}
        assert ledger.prepared("frame125") == {CLIP: other}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([CLIP, OTHER, "10000130166"]),
            st.sampled_from(STATES),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        ),
        max_size=12,
    )
)
def test_the_state_of_a_clip_is_its_last_event(steps: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.sqlite") as ledger:
        for clip, state, message in steps:
            ledger.record(Outcome(clip, state, "", message, facts=FACTS if state == "have" else None))
        events = list(ledger.events())
        assert [(event.clip, event.state, event.message) for event in events] == steps
        last = {clip: (state, message) for clip, state, message in steps}
        assert {row.clip: (row.state, row.message) for row in ledger.rows()} == last


# The file


def test_a_missing_ledger_is_named_with_the_commands_that_begin_one(path: Path) -> None:
    with pytest.raises(DataError, match=r"no ledger at .*ledger.sqlite; `vggss download` or `vggss ingest`"):
        Ledger.open(path, create=False)
    assert not path.parent.exists()


def test_a_ledger_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    Ledger.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DataError, match="written by a newer vggss"):
        Ledger.open(path)


def test_a_database_of_something_else_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(DataError, match="a database of something else"):
        Ledger.open(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    connection.close()


def test_a_file_that_is_no_database_is_refused_in_words(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x" * 5000)
    with pytest.raises(DataError, match=r"cannot use .*ledger.sqlite: file is not a database"):
        Ledger.open(path)


def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot use"):
        Ledger.open(tmp_path / "file" / "ledger.sqlite")


def test_an_older_schema_is_brought_up_to_date_without_loss(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vggss.ledger import schema

    with Ledger.open(path) as ledger:
        ledger.record(have(CLIP))
    later = (*schema.MIGRATIONS, "ALTER TABLE clips ADD COLUMN mood TEXT;\nCREATE TABLE moods (name TEXT);")
    monkeypatch.setattr(schema, "MIGRATIONS", later)
    with Ledger.open(path) as ledger:
        row = ledger.row(CLIP)
    assert row is not None
    assert row.facts == FACTS
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(later),)
    assert connection.execute("SELECT mood FROM clips").fetchall() == [(None,)]
    connection.close()


def test_a_migration_that_fails_leaves_the_old_schema(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vggss.ledger import schema

    Ledger.open(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(
            schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE moods (name TEXT);\nCREATE TABLE ( ;")
        )
        with pytest.raises(DataError, match="syntax error"):
            Ledger.open(path)
    with Ledger.open(path) as ledger:
        assert ledger.counts()["have"] == 0
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'moods'").fetchone() == (0,)
    connection.close()


def test_reading_writes_nothing_and_needs_no_permission_to_write(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.record(have(CLIP))
    before = path.read_bytes()
    with Ledger.open(path, create=False, write=False) as ledger:
        assert ledger.counts()["have"] == 1
        with pytest.raises(DataError, match="readonly database"):
            ledger.want([OTHER])
    assert path.read_bytes() == before


def test_a_ledger_on_a_disk_that_may_only_be_read_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger.open(path) as ledger:
        ledger.record(have(CLIP))
    connect = sqlite3.connect

    def refuses(address: str, **options: object) -> sqlite3.Connection:
        """Stand in for a read-only mount, which root alone could make: SQLite cannot make its -shm file there."""
        return connect("file:/nowhere/x?mode=ro" if "mode=ro" in address else address, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(sqlite3, "connect", refuses)
    with Ledger.open(path, create=False, write=False) as ledger:
        assert ledger.counts()["have"] == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else")
def test_somebody_who_may_only_read_the_folder_reads_the_ledger() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "home" / "ledger.sqlite"
        with Ledger.open(place) as ledger:
            ledger.record(have(CLIP))
        for path in (Path(folder), place.parent):
            path.chmod(0o755)
        place.chmod(0o644)
        was = os.geteuid()
        os.seteuid(65534)  # nobody
        try:
            with Ledger.open(place, create=False, write=False) as ledger:
                assert ledger.counts()["have"] == 1
        finally:
            os.seteuid(was)


def test_an_empty_file_is_no_ledger_to_read(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with pytest.raises(DataError, match="there is no ledger"):
        Ledger.open(path, create=False, write=False)
    assert path.stat().st_size == 0


def test_damage_inside_the_file_is_told_in_words(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.want(f"{n:011d}_000000" for n in range(3000))
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)
    with Ledger.open(path, create=False, write=False) as ledger:
        for question in (ledger.counts, lambda: list(ledger.rows()), lambda: list(ledger.events(CLIP))):
            with pytest.raises(DataError, match=r"cannot use .*malformed"):
                question()


def test_a_state_that_this_version_does_not_know_is_counted_last(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.want([CLIP, OTHER])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE clips SET state = 'lent' WHERE clip = ?", (CLIP,))
    connection.commit()
    connection.close()
    with Ledger.open(path, create=False, write=False) as ledger:
        assert list(ledger.reasons()) == [("wanted", ""), ("lent", "")]
        assert ledger.counts()["lent"] == 1


def test_clips_that_nobody_asked_for_are_accounted_as_wanted_in_their_place(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.record(have(CLIP))
        rows = list(ledger.accounted([OTHER, CLIP, OTHER]))
        assert [(row.clip, row.video, row.start, row.state) for row in rows] == [
            (OTHER, "-0BIyqJj9ZU", 30, "wanted"),
            (CLIP, "zpWuikVorYg", 32, "have"),
        ]
        assert [row.clip for row in ledger.accounted([OTHER, CLIP], {"have"})] == [CLIP]


def test_a_damaged_lock_is_no_other_process(tmp_path: Path) -> None:
    lock = tmp_path / "download.lock"
    lock.write_bytes(b"x" * 5000)
    with (
        pytest.raises(DataError, match=r"cannot use .*download.lock.*a lock may be deleted"),
        exclusive(lock, "vggss download"),
    ):
        pass


# Other processes

WRITER = """
import sys
from pathlib import Path
from vggss.ledger import Ledger, Outcome
path, first = Path(sys.argv[1]), int(sys.argv[2])
with Ledger.open(path) as ledger:
    for n in range(first, first + int(sys.argv[3])):
        ledger.record(Outcome(f"{n:011d}_000000", "gone", "private"))
        print(n, flush=True)
"""


def writer(path: Path, first: int, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(first), str(number)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_write_at_once_and_nothing_is_lost(path: Path) -> None:
    both = [writer(path, 0, 150), writer(path, 1000, 150)]
    for process in both:
        process.communicate()
        assert process.returncode == 0
    with Ledger.open(path) as ledger:
        assert ledger.counts()["gone"] == 300
        assert len(list(ledger.events())) == 300


def test_what_a_killed_process_had_recorded_is_there(path: Path) -> None:
    chance = random.Random(5)
    for first in range(0, 5000, 1000):
        process = writer(path, first, 1000)
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(int(line))
            if len(said) == 1:
                time.sleep(chance.uniform(0, 0.05))
                os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with Ledger.open(path) as ledger:
            there = {int(row.clip[:11]) for row in ledger.rows() if int(row.clip[:11]) >= first}
            assert set(said) <= there
            assert len(list(ledger.events())) == ledger.counts()["gone"]
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


HOLDER = """
import sys, time
from pathlib import Path
from vggss.ledger import exclusive
with exclusive(Path(sys.argv[1]), "vggss download"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_held_by_one_process_and_freed_by_its_death(tmp_path: Path) -> None:
    lock = tmp_path / "work" / "download.lock"
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with (
        pytest.raises(UsageError, match=rf"another `vggss download` \(process {process.pid}\) is at work"),
        exclusive(lock, "vggss download"),
    ):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    with exclusive(lock, "vggss download"):
        pass
    with exclusive(lock, "vggss download"):  # and by its end
        pass
