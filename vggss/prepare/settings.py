"""What a folder of prepared clips is to hold, as it stands in its settings.json: one preset, one kind of shard."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from vggss.atomic import write_bytes
from vggss.errors import DataError, UsageError, some
from vggss.media import Preset

FORMAT = "vggss prepared"
VERSION = 1
SETTINGS = "settings.json"
WRITES = ("files", "shards")
SIDE, ITEMS = 256, 1024  # of a picture in a shard, pixels; clips in a shard


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a folder is to hold; the same for all runs into it."""

    preset: Preset
    write: tuple[str, ...] = ("files",)  # "files", "shards" or both
    shard_side: int = SIDE  # pixels
    shard_items: int = ITEMS  # clips a shard at most

    @property
    def files(self) -> bool:
        """Whether frames and sounds are wanted as files."""
        return "files" in self.write

    @property
    def shards(self) -> bool:
        """Whether shards are wanted."""
        return "shards" in self.write


def wanted_in(
    folder: Path, preset: Preset, write: tuple[str, ...] | None, side: int | None, items: int | None
) -> Wanted:
    """Return what a folder is to hold: what is asked for, else what it holds already, else files."""
    there = read_settings(folder) if (folder / SETTINGS).is_file() else {}
    return Wanted(
        preset,
        write or tuple(there.get("write", ("files",))),
        side or there.get("shard_side", SIDE),
        items or there.get("shard_items", ITEMS),
    )


def settle(folder: Path, wanted: Wanted) -> None:
    """Write the settings into a folder, or check that they agree with those it has.

    Raises
    ------
    UsageError
        it was made with another preset, with shards of another shape, or with more kinds of output.
    """
    mine = _settings(wanted)
    if (folder / SETTINGS).is_file():
        there = read_settings(folder)
        _compare(there, mine, folder)
        if set(there["write"]) == set(mine["write"]):
            return
        mine["made_with"] = there["made_with"]
    write_bytes(folder / SETTINGS, orjson.dumps(mine, option=orjson.OPT_INDENT_2) + b"\n")


def read_settings(folder: Path) -> dict[str, Any]:
    """Read what a folder of prepared clips was made with.

    Raises
    ------
    DataError
        there is no such file, or it is not one.
    """
    path = folder / SETTINGS
    try:
        found = orjson.loads(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"{folder} is no folder of prepared clips ({SETTINGS}: {error.strerror or error}); "
            f"`vggss prepare --out {folder}` makes one"
        ) from error
    except orjson.JSONDecodeError as error:
        raise DataError(f"{path} is not JSON: {error}; prepare into a new folder") from error
    needed = {"preset", "write", "shard_side", "shard_items", "made_with"}
    if not isinstance(found, dict) or found.get("format") != FORMAT or not needed <= found.keys():
        raise DataError(f"{path} is not what `vggss prepare` writes; prepare into a new folder")
    if found.get("version") != VERSION:
        raise DataError(
            f"{path} was written by another version of vggss; upgrade, or prepare into a new folder"
        )
    return found


def preset_settings(preset: Preset) -> dict[str, Any]:
    """Return a preset as JSON will give it back."""
    settings: dict[str, Any] = orjson.loads(orjson.dumps(asdict(preset)))
    return settings


def _settings(wanted: Wanted) -> dict[str, Any]:
    from importlib.metadata import version

    import av
    import cv2
    import numpy as np

    return {
        "format": FORMAT,
        "version": VERSION,
        "preset": preset_settings(wanted.preset),
        "write": list(wanted.write),
        "shard_side": wanted.shard_side,
        "shard_items": wanted.shard_items,
        "made_with": {
            "vggss": version("vggss"),
            "av": av.__version__,
            "opencv": cv2.__version__,
            "numpy": np.__version__,
        },
    }


def _compare(there: dict[str, Any], mine: dict[str, Any], folder: Path) -> None:
    elsewhere = "prepare into another folder (--out), or remove this one"
    if _without_words(there["preset"]) != _without_words(mine["preset"]):
        a, b = there["preset"].get("name"), mine["preset"]["name"]
        asked = f"{b} was asked for" if a != b else f"{b} has other settings in this version of vggss"
        raise UsageError(f"{folder} was made with the preset {a}, {asked}; {elsewhere}")
    if lost := sorted(set(there["write"]) - set(mine["write"])):
        both = ",".join(name for name in WRITES if name in (*there["write"], *mine["write"]))
        raise UsageError(
            f"{folder} holds {some(lost)}, which this run would leave behind; add --write {both}, or {elsewhere}"
        )
    if "shards" in there["write"] and there["shard_side"] != mine["shard_side"]:
        raise UsageError(
            f"the shards in {folder} have pictures of {there['shard_side']} pixels a side, {mine['shard_side']} were "
            f"asked for; {elsewhere}"
        )


def _without_words(preset: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in preset.items() if key != "what"}
