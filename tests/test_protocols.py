"""The named protocols: frozen, findable, and what they say about themselves."""

import re
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggss.annotations import published_results, references
from vggss.errors import UsageError
from vggss.scoring.protocol import PROTOCOLS, THRESHOLDS, get_protocol

SETTINGS = {
    "lvs": "opencv-linear, negated-minmax, half-strict",
    "ezvsl": "torch-bilinear-corners, minmax, half-inclusive",
    "slavc": "torch-bicubic-corners, minmax, half-inclusive",
    "slavc-fixed": "torch-bicubic-corners, none, threshold 0.5",
    "adaptive": "opencv-linear, negated-minmax, area-strict",
    "adaptive-corners": "torch-bilinear-corners, minmax, area-strict",
    "best-threshold": "opencv-linear, minmax, best-threshold",
    "best-threshold-raw": "opencv-linear, none, best-threshold",
}


def test_settings_of_a_named_protocol_never_change():
    assert {name: protocol.settings for name, protocol in PROTOCOLS.items()} == SETTINGS


def test_every_protocol_is_found_by_its_name():
    assert all(get_protocol(name) is protocol for name, protocol in PROTOCOLS.items())


def test_a_protocol_is_frozen():
    with pytest.raises(FrozenInstanceError):
        get_protocol("lvs").threshold = 0.4


def test_every_protocol_names_the_code_that_it_reproduces():
    for name, protocol in PROTOCOLS.items():
        assert protocol.summary, name
        assert re.search(r"\w+/[\w-]+@[0-9a-f]{7}", protocol.source) or name == "best-threshold"


def test_only_protocols_that_look_at_the_answer_have_a_caution():
    cautioned = {name for name, protocol in PROTOCOLS.items() if protocol.caution}
    assert cautioned == {"adaptive", "adaptive-corners", "best-threshold", "best-threshold-raw"}
    assert "tuned on the test set" in get_protocol("best-threshold").caution
    assert "ground truth" in get_protocol("adaptive").caution


def test_only_slavc_detects():
    assert {name for name, protocol in PROTOCOLS.items() if protocol.detection} == {"slavc", "slavc-fixed"}


@given(millionths=st.integers(1, 999_999))
def test_a_fixed_threshold_is_found_again_by_its_own_name(millionths):
    protocol = get_protocol(f"fixed-0.{millionths:06d}")
    assert protocol.threshold == millionths / 1e6
    assert get_protocol(protocol.name) == protocol


@pytest.mark.parametrize("name", ["fixed-0.5", "fixed-.5", "fixed-0.50"])
def test_one_threshold_has_one_name(name):
    assert get_protocol(name).name == "fixed-0.5"


@pytest.mark.parametrize(
    "name",
    ["LVS", "", "fixed", "fixed-", "fixed-0", "fixed-0.0", "fixed-1", "fixed-1.0", "fixed-5", "fixed-0.5x"],
)
def test_an_unknown_name_is_refused_with_those_there_are(name):
    with pytest.raises(UsageError, match=r"there are lvs, ezvsl, slavc, .* fixed-T"):
        get_protocol(name)


def test_the_nineteen_thresholds_are_products():
    assert len(THRESHOLDS) == 19
    assert [round(t, 2) for t in THRESHOLDS] == [i / 20 for i in range(1, 20)]
    assert THRESHOLDS[2] == 0.05 * 3 != 0.15


def test_every_protocol_of_the_tables_has_a_name():
    names = {r.protocol for r in published_results()} | {r.shown_as for r in published_results()}
    for name in names | {r.protocol for r in references()}:
        assert get_protocol(name).name == name
