"""The house: links, packages, shipped files; on the installed copy, that it is complete."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import vggss

ROOT = Path(__file__).resolve().parent.parent
OUTER = ("pipeline", "annotations", "baselines")
PACKAGE = Path(vggss.__file__).parent

checkout = pytest.mark.skipif(not (ROOT / "setup.cfg").exists(), reason="not run in a checkout")


@checkout
@pytest.mark.parametrize("name", OUTER)
def test_outer_folders_are_linked_into_the_package_by_relative_links(name: str) -> None:
    assert (ROOT / name).is_dir() and not (ROOT / name).is_symlink()
    assert (ROOT / "vggss" / name).readlink() == Path("..") / name


@checkout
def test_setup_cfg_lists_every_package_on_disk() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    on_disk = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "vggss").rglob("__init__.py")
        if not any(part in OUTER for part in path.relative_to(ROOT).parts)
    } | {
        ".".join(("vggss", *path.parent.relative_to(ROOT).parts))
        for n in OUTER
        for path in (ROOT / n).rglob("__init__.py")
    }
    assert listed == on_disk


@checkout
def test_no_root_conftest_and_no_tests_package() -> None:
    assert not (ROOT / "conftest.py").exists()
    assert not (ROOT / "tests" / "__init__.py").exists()


@pytest.mark.parametrize(
    "path",
    [
        "py.typed",
        "annotations/classes.csv",
        "annotations/published.csv",
        "annotations/reference.csv",
        "annotations/flickr_test.csv",
        "annotations/openimages.csv",
        "annotations/class_overrides.csv",
        "annotations/class_vectors.npz",
        "annotations/class_vectors.LICENCE.txt",
        "pipeline/review/page/index.html",
        "pipeline/review/page/review.css",
        "pipeline/review/page/icon.svg",
        *(f"pipeline/review/page/{name}.js" for name in ("boxes", "memory", "review", "server", "view")),
        "annotations/sample/sample.json",
        "annotations/sample/good.json",
        "annotations/sample/poor.json",
        "annotations/sample/disc.json",
        "annotations/sample/frames/made-up-001_000010.jpg",
        "scoring/score.html.j2",
    ],
)
def test_shipped_files_are_in_the_package(path: str) -> None:
    assert (PACKAGE / path).is_file()


@pytest.mark.skipif("VGGSS_INSTALLED" not in os.environ, reason="only on the installed wheel")
def test_the_wheel_and_not_the_checkout_is_tested() -> None:
    assert "site-packages" in str(PACKAGE)
    assert version("vggss") == vggss.__version__


@pytest.mark.parametrize("name", vggss.__all__)
def test_every_everyday_name_can_be_imported(name: str) -> None:
    assert getattr(vggss, name) is not None
    assert name in dir(vggss)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        vggss.nonsense  # noqa: B018 - the access is the test


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from vggss.cli import cli\n"
        "try: cli(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy','cv2','rich','orjson','pandas','torch','jinja2','av','ray','sqlite3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_importing_vggss_loads_nothing_heavy() -> None:
    code = "import sys, vggss; print([m for m in ('numpy','cv2','click','torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
