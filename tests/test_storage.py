"""Where data lives on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vggss.errors import UsageError
from vggss.storage import DataRoot, data_root


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VGGSS_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setattr(sys, "platform", "linux")


def test_the_option_goes_before_the_variable_and_the_variable_before_the_platform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert data_root() == DataRoot(Path("/home/ada/.local/share/vggss"), "the platform's data folder")
    monkeypatch.setenv("VGGSS_HOME", "/data/vggss")
    assert data_root() == DataRoot(Path("/data/vggss"), "VGGSS_HOME")
    assert data_root("/other") == DataRoot(Path("/other"), "--root")
    assert data_root(Path("/other")) == DataRoot(Path("/other"), "--root")


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_root("~/x").path == Path("/home/ada/x")
    monkeypatch.setenv("VGGSS_HOME", "~/y")
    assert data_root().path == Path("/home/ada/y")


def test_the_home_of_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--root is ~no-such-user-here/x, and there is no such home"):
        data_root("~no-such-user-here/x")
    monkeypatch.setenv("VGGSS_HOME", "~no-such-user-here")
    with pytest.raises(UsageError, match="VGGSS_HOME is ~no-such-user-here"):
        data_root()


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGGSS_HOME", "")
    monkeypatch.setenv("XDG_DATA_HOME", "")
    assert data_root().path == Path("/home/ada/.local/share/vggss")


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", ("XDG_DATA_HOME", "/xdg"), "/xdg/vggss"),
        ("darwin", ("X", "x"), "/home/ada/Library/Application Support/vggss"),
        ("win32", ("LOCALAPPDATA", "/local"), "/local/vggss"),
        ("win32", ("X", "x"), "/home/ada/AppData/Local/vggss"),
    ],
)
def test_each_platform_has_its_own_folder(
    monkeypatch: pytest.MonkeyPatch, platform: str, variable: tuple[str, str], folder: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(*variable)
    assert data_root().path == Path(folder)


def test_every_file_has_its_place_below_the_data_folder() -> None:
    root = DataRoot(Path("/d"), "test")
    assert root.annotation_file("vggss.json") == Path("/d/annotations/vggss.json")
    assert root.flickr == Path("/d/flickr/annotations")
