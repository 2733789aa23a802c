"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vggss.atomic import write_bytes, writing
from vggss.errors import DataError


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(st.binary())
@settings(max_examples=20)  # each waits for the disk
def test_bytes_written_are_the_bytes_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("atomic") / "x.json"
    write_bytes(path, b"old")
    write_bytes(path, content)
    assert path.read_bytes() == content
    assert left_in(path.parent) == ["x.json"]


def test_an_exception_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), writing(path) as stream:
        stream.write(b"new")
        _ = 1 // 0
    assert path.read_bytes() == b"old"
    assert left_in(tmp_path) == ["x.json"]


def test_nobody_sees_a_file_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with writing(path) as stream:
        stream.write(b"half")
        stream.flush()
        assert not path.exists()
    assert path.read_bytes() == b"half"


@pytest.mark.parametrize("fails", ["write", "flush", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"old")

    def full(*_: Any, **__: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if fails == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    if fails == "replace":
        monkeypatch.setattr(Path, "replace", full)
    with (
        pytest.raises(
            DataError, match=r"cannot write .*x.json: No space left on device; nothing was written"
        ),
        writing(path) as stream,
    ):
        if fails in ("write", "flush"):
            full()
        stream.write(b"new")
    assert path.read_bytes() == b"old"
    assert left_in(tmp_path) == ["x.json"]


def test_a_limit_on_the_size_of_files_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"old")
    code = f"""
import resource, signal
from pathlib import Path
from vggss.atomic import write_bytes
from vggss.errors import DataError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_bytes(Path({str(path)!r}), bytes(1_000_000))
except DataError as error:
    print(error)
"""
    assert resource.RLIMIT_FSIZE and signal.SIGXFSZ  # else this platform has no such limit
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"cannot write {path}: File too large; nothing was written there\n"
    assert path.read_bytes() == b"old"
    assert left_in(tmp_path) == ["x.json"]


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="it is a folder; name a file"):
        write_bytes(tmp_path, b"")
    with pytest.raises(DataError, match="No such file or directory; nothing was written"):
        write_bytes(tmp_path / "none" / "x.json", b"")
    with pytest.raises(DataError, match="Not a directory"):
        write_bytes(tmp_path / "file" / "x.json", b"")
    with pytest.raises(DataError, match="File name too long"):
        write_bytes(tmp_path / ("x" * 300), b"")
    assert left_in(tmp_path) == ["file"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    code = f"""
import os
from pathlib import Path
from vggss.atomic import write_bytes
from vggss.errors import DataError
os.chdir("/")
os.setuid(65534)
try:
    write_bytes(Path({str(tmp_path)!r}) / "x.json", b"")
except DataError as error:
    print(error)
"""
    tmp_path.chmod(0o555)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Permission denied; nothing was written there" in done.stdout
    assert left_in(tmp_path) == []


def test_a_link_stays_and_the_file_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x.json").write_bytes(b"old")
    (tmp_path / "link").symlink_to("folder/x.json")
    write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "x.json").read_bytes() == b"new"
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DataError, match=r"cannot write .*loop"):
        write_bytes(tmp_path / "loop", b"new")


def test_a_pipe_or_a_device_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(DataError, match="it is a device or a pipe; name a file"):
            write_bytes(path, b"x")
    assert left_in(tmp_path) == ["pipe"]


@pytest.mark.parametrize("name", ["x" * 255, "\N{FIRE}" * 63, "-", ".hidden", "a b\n"])
def test_every_legal_name_can_be_written(tmp_path: Path, name: str) -> None:
    write_bytes(tmp_path / name, b"x")
    assert left_in(tmp_path) == [name]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_that_the_user_wants(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "x.json", b"")
    finally:
        assert os.umask(before) == mask
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == mode


@pytest.mark.slow
def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"old")
    code = f"""
from pathlib import Path
from vggss.atomic import writing
with writing(Path({str(path)!r})) as stream:
    stream.write(bytes(100_000))
    stream.flush()
    print("here", flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdout.readline() == "here\n"
        process.kill()
    assert path.read_bytes() == b"old"
    assert [name for name in left_in(tmp_path) if not name.startswith(".")] == ["x.json"]
