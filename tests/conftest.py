"""What several test files need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import report_cases
from hypothesis import settings

settings.register_profile("suite", deadline=None)  # a busy machine is no defect
settings.register_profile("long", deadline=None, max_examples=5000)  # pytest --hypothesis-profile long
settings.load_profile("suite")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of real annotations, or skip."""
    folder = os.environ.get("VGGSS_TEST_DATA")
    if not folder:
        pytest.skip("VGGSS_TEST_DATA is not set: the real annotations are not on this machine")
    return Path(folder)


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Return a folder with a frame for each of the 24 clips of the report's benchmark."""
    return report_cases.frames_in(tmp_path)
