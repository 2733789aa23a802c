"""Predictions in JSON: every form, and every rule that a file can break."""

from __future__ import annotations

import base64
import contextlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from prediction_cases import KEY, MAP, ROWS, clip_ids, entry, floats, masks, opened, same, values
from pycocotools import mask as coco

from vggss.errors import DataError
from vggss.predictions.record import interpret


@pytest.mark.parametrize(
    "form",
    [
        json.dumps(ROWS),
        json.dumps({"map": ROWS}),
        json.dumps({"map_base64": base64.b64encode(MAP.tobytes()).decode(), "shape": [2, 3]}),
    ],
)
def test_each_form_of_a_heat_map_gives_the_same_values(tmp_path: Path, form: str) -> None:
    found = opened(tmp_path, entry(form)).get(KEY)
    assert found.kind == "map"
    assert same(values(found), MAP)


def test_the_least_file_is_an_object_of_maps(tmp_path: Path) -> None:
    found = opened(tmp_path, json.dumps({"predictions": {KEY: ROWS}}))
    assert (found.model, found.keys, found.metadata, len(found)) == ("mine", (KEY,), {}, 1)
    assert found.origin == str(tmp_path / "mine.json") and len(found.sha256) == 64


@pytest.mark.parametrize("lazy", [True, False])
def test_a_full_file_has_a_model_and_metadata(tmp_path: Path, lazy: bool) -> None:
    head = {"format": "vggss-predictions", "version": 1, "model": "LVS", "metadata": {"epoch": 3, "x": [{}]}}
    maps: dict[str, Any] = {KEY: ROWS, "b": [[1]]} if lazy else {KEY: {"map": ROWS}, "b": [[1]]}
    for document in ({**head, "predictions": maps}, {"predictions": maps, **head}):
        found = opened(tmp_path, json.dumps(document))
        assert (found.model, found.metadata) == ("LVS", {"epoch": 3, "x": [{}]})
        assert same(values(found.get(KEY)), MAP)


def test_forms_may_be_mixed_in_a_file(tmp_path: Path) -> None:
    predictions = {
        "a": [[1, 2]],
        "b": {"map": [[3], [4]]},
        "c": {"rle": {"size": [2, 2], "counts": [1, 2, 1]}},
        "d": {"boxes": [[0, 0, 1, 1, 0.5]]},
        "e": {"size": [1, 2], "counts": [0, 1, 1]},
    }
    found = opened(tmp_path, json.dumps({"predictions": predictions}))
    assert [found.get(key).kind for key in found.keys] == ["map", "map", "mask", "boxes", "mask"]
    assert values(found.get("c")).tolist() == [[False, True], [True, False]]
    assert values(found.get("e")).tolist() == [[True, False]]


@given(st.dictionaries(clip_ids, floats, max_size=4), st.booleans())
def test_maps_written_as_json_and_read_again_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, maps: dict[str, NDArray[np.float32]], ascii_only: bool
) -> None:
    document = {"predictions": {key: grid.tolist() for key, grid in maps.items()}}
    content = json.dumps(document, ensure_ascii=ascii_only)
    found = opened(tmp_path_factory.mktemp("json"), content)
    assert found.keys == tuple(maps)
    assert all(same(values(found.get(key)), grid) for key, grid in maps.items())


@given(masks)
def test_run_lengths_decode_as_pycocotools_decodes_them(mask: NDArray[np.bool_]) -> None:
    coded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    text = coded["counts"].decode()
    flat = mask.T.reshape(-1)
    turns = [0, *(np.flatnonzero(np.diff(flat)) + 1).tolist(), flat.size]
    runs = ([0] if flat[0] else []) + np.diff(turns).tolist()
    for counts in (text, runs):
        for raw in (
            {"rle": {"size": list(mask.shape), "counts": counts}},
            {"size": list(mask.shape), "counts": counts},
        ):
            found = interpret(raw, "here")
            assert found.kind == "mask"
            assert same(values(found), np.ascontiguousarray(mask))


def test_boxes_are_painted_with_the_highest_score_on_top() -> None:
    found = interpret({"boxes": [[0, 0, 0.5, 1, 0.9], [0, 0, 1, 0.5, 0.4], [0.9, 0.9, 0.1, 1, 2]]}, "here")
    expected = np.zeros((224, 224), np.float32)
    expected[:112] = 0.4
    expected[:, :112] = 0.9
    assert (found.kind, same(values(found), expected)) == ("boxes", True)
    assert not interpret({"boxes": []}, "here").values.any()
    assert interpret({"boxes": [[-1e308, 0, 1e308, 1, 1]]}, "here").values.all()


def test_a_byte_order_mark_is_no_defect(tmp_path: Path) -> None:
    assert same(values(opened(tmp_path, "\ufeff" + entry(json.dumps(ROWS))).get(KEY)), MAP)


def test_ids_may_hold_any_letters(tmp_path: Path) -> None:
    for text in ('{"predictions": {"\\u00e9": [[1]]}}', '{"predictions": {"é": [[1]]}}'):
        assert opened(tmp_path, text).keys == ("é",)
    assert opened(tmp_path, '{"predictions": {"a\\"b\\\\": [[1]], "": [[2]]}}').keys == ('a"b\\', "")
    assert opened(tmp_path, '{"predictions": {"\\ud83d\\udd25": [[1]]}}').keys == ("🔥",)


# JSON: rules


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("NaN", r"not valid JSON.*NaN and Infinity are no JSON \(--allow-nan accepts them\)"),
        ("[[NaN]]", r"the map of zpWuikVorYg_000032 is not valid JSON.*--allow-nan"),
        ("[[1, Infinity]]", "the map of .* is not valid JSON.*--allow-nan"),
        ("[[-Infinity]]", "--allow-nan"),
        ("[[1e999]]", "is not valid JSON"),
        ("[[1e39]]", r"row 0, column 0 is inf \(in float32\)"),
        (f"[[0, {'9' * 60}]]", r"row 0, column 1 is inf \(in float32\)"),
        (f"[[{'9' * 400}]]", "is not valid JSON"),
        (f"[[{'9' * 5000}]]", "is not valid JSON"),
        ('"map"', "is a string; a prediction is a list of rows"),
        ("true", "is a boolean; a prediction is a list of rows"),
        ("null", "is null; a prediction is a list of rows"),
        ("0.5", "is a single number; a prediction is a list of rows"),
        ("[]", "is an empty list; a map is a list of rows"),
        ("[[]]", "is 1 x 0; each side of a map must have 1 to 4,096 pixels"),
        ("[[], []]", "is 2 x 0; each side"),
        ("[1, 2]", "row 0 is a single number; a map is a list of rows"),
        ("[[1], 2]", "row 1 is a single number; a map is a list of rows"),
        ("[[1], []]", "row 1 has 0 numbers, row 0 has 1; rows must be equal"),
        ("[[1, 2], [3]]", "row 1 has 1 numbers, row 0 has 2; rows must be equal"),
        ("[[[1]]]", "has three dimensions or more"),
        ("[[1, [2]]]", "has three dimensions or more"),
        ("[[1, {}]]", "row 0, column 1 is an object; a number was needed"),
        ('[[1, "2"]]', "row 0, column 1 is a string; a number was needed"),
        ("[[1], [true]]", "row 1, column 0 is a boolean; a number was needed"),
        ("[[null]]", "row 0, column 0 is null; a number was needed"),
        ("[" + ",".join(["[0]"] * 4097) + "]", "is 4097 x 1; each side"),
        ("[[" + ",".join("0" * 4097) + "]]", "is 1 x 4097; each side"),
        ("[" * 1500 + "]" * 1500, "depth limit exceeded.*a map has two levels"),
        ("[" * 900 + "]" * 900, "row 0, column 0|three dimensions"),
        ("{}", r"has the keys \[\]; a prediction is"),
        ('{"heat_map": [[1]]}', r"has the keys \['heat_map'\]; a prediction is"),
        ('{"map": [[1]], "boxes": []}', r"has the keys \['boxes', 'map'\]"),
        ('{"map": "x"}', "is a string; a map is a list of rows"),
        ('{"map": []}', "is an empty list"),
        ('{"map_base64": ""}', r'map_base64 needs "shape": \[height, width\], found None'),
        ('{"map_base64": "", "shape": [1, 2, 3]}', 'map_base64 needs "shape"'),
        ('{"map_base64": "", "shape": [1.0, 2]}', 'map_base64 needs "shape"'),
        ('{"map_base64": "", "shape": [true, 2]}', 'map_base64 needs "shape"'),
        ('{"map_base64": "", "shape": [0, 2]}', "is 0 x 2; each side"),
        ('{"map_base64": "", "shape": [-1, -1]}', "is -1 x -1; each side"),
        ('{"map_base64": "", "shape": [4611686018427387904, 4]}', "each side of a map"),
        ('{"map_base64": 5, "shape": [1, 1]}', "map_base64 is not base64"),
        ('{"map_base64": null, "shape": [1, 1]}', "map_base64 is not base64"),
        ('{"map_base64": ["AAAA"], "shape": [1, 1]}', "map_base64 is not base64"),
        ('{"map_base64": "AAAA*", "shape": [1, 1]}', "map_base64 is not base64"),
        ('{"map_base64": "é", "shape": [1, 1]}', "map_base64 is not base64"),
        (
            '{"map_base64": "AAAA", "shape": [1, 1]}',
            "holds 3 bytes; 1 x 1 little-endian float32 values are 4",
        ),
        ('{"map_base64": "AADAfw==", "shape": [1, 1]}', r"row 0, column 0 is nan \(in float32\)"),
        ('{"boxes": {}}', r"boxes is an object; a list of \[x0, y0, x1, y1, score\] was needed"),
        ('{"boxes": [[0, 0, 1, 1]]}', r"box 0 is \[0, 0, 1, 1\]; five numbers"),
        ('{"boxes": [[0, 0, 1, 1, 1], [0, 0, 1, 1, true]]}', "box 1 is .*; five numbers"),
        ('{"boxes": [[0, 0, 1, "1", 1]]}', "box 0 is .*; five numbers"),
        ('{"boxes": ["abcde"]}', "box 0 is 'abcde'; five numbers"),
        ('{"boxes": [' + "[" * 990 + "]" * 990 + "]}", r"box 0 is \[\[\["),
        ('{"boxes": [[0, 0, 1, 1, 0]]}', "has the score 0 .*; a finite score above 0 was needed"),
        ('{"boxes": [[0, 0, 1, 1, -0.5]]}', "has the score -0.5"),
        ('{"boxes": [[0, 0, 1, 1, 1e39]]}', r"has the score 1e\+39 \(inf in float32\)"),
        ('{"boxes": [[0, 0, 1, 1, 1e-60]]}', r"has the score 1e-60 \(0.0 in float32\)"),
        ('{"rle": null}', 'a COCO RLE needs "size"'),
        ('{"rle": {"counts": [1]}}', 'a COCO RLE needs "size"'),
        ('{"rle": {"size": [1], "counts": [1]}}', 'a COCO RLE needs "size"'),
        ('{"rle": {"size": "11", "counts": [1]}}', 'a COCO RLE needs "size"'),
        ('{"rle": {"size": [5000, 1], "counts": [5000]}}', "is 5000 x 1; each side"),
        ('{"rle": {"size": [0, 1], "counts": []}}', "is 0 x 1; each side"),
        ('{"rle": {"size": [1, 1]}}', "the RLE is damaged: its counts are neither"),
        ('{"rle": {"size": [1, 1], "counts": null}}', "its counts are neither"),
        ('{"rle": {"size": [1, 1], "counts": [1.0]}}', "its counts are neither"),
        ('{"rle": {"size": [1, 1], "counts": [true]}}', "its counts are neither"),
        ('{"rle": {"size": [1, 1], "counts": [2, -1]}}', "its counts are neither"),
        ('{"rle": {"size": [1, 1], "counts": []}}', "its runs do not add up to 1 x 1 pixels"),
        ('{"rle": {"size": [1, 1], "counts": [0, 2]}}', "its runs do not add up to 1 x 1 pixels"),
        ('{"rle": {"size": [2, 2], "counts": [4294967300]}}', "its runs do not add up to 2 x 2 pixels"),
        ('{"rle": {"size": [2, 2], "counts": [18446744073709551620]}}', "its counts are neither"),
        ('{"rle": {"size": [2, 2], "counts": ""}}', "its runs do not add up"),
        ('{"rle": {"size": [2, 2], "counts": "5"}}', "its runs do not add up"),
        ('{"rle": {"size": [2, 2], "counts": "\\u20ac"}}', "its counts are neither"),
        ('{"rle": {"size": [2, 2], "counts": "/"}}', "its counts are neither"),
        ('{"rle": {"size": [2, 2], "counts": "T"}}', "its counts are neither"),  # says that more follow
        ('{"rle": {"size": [2, 2], "counts": "5O"}}', "its counts are neither"),  # 5, then -1
        ('{"rle": {"size": [2, 2], "counts": "' + "o" * 50 + '"}}', "its counts are neither"),
    ],
)
def test_a_malformed_prediction_is_refused_by_the_rule_it_breaks(
    tmp_path: Path, value: str, message: str
) -> None:
    with pytest.raises(DataError, match=rf"(?s)mine\.json.*({message})"):
        opened(tmp_path, entry(value)).get(KEY)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; a predictions file was needed"),
        (" ", "is not valid JSON"),
        ("{", "is not valid JSON: .* at line 1, column 2"),
        (entry("[[1]]")[:-1], "is the file complete"),
        (entry("[[1]]") + "x", "is not valid JSON"),
        (entry("[[1]]") + entry("[[1]]"), "is not valid JSON"),
        (entry("[[1]] /* comment */"), "is not valid JSON"),
        (entry("[[1]],"), "is not valid JSON"),
        (entry('[[1]] "b": [[2]]'), "is not valid JSON"),
        (entry('[[1]],, "b": [[2]]'), "is not valid JSON"),
        (entry("[[1]]").replace(" ", "\f"), "is not valid JSON"),
        (entry("[[1]]").replace(" ", "\u00a0"), "is not valid JSON"),
        (entry("[[1]]").replace('"', "'"), "is not valid JSON"),
        (entry("[[1]]").encode("utf-16"), "is not valid JSON.*save it as UTF-8"),
        (entry("[[1]]").encode().replace(b"_", b"\xff"), "is not valid JSON"),
        ('{"predictions": {"\\ud800": [[1]]}}', "is not valid JSON"),
        ("[" * 100_000, "depth limit exceeded.*a map has two levels"),
        ('{"a":' * 100_000, "depth limit exceeded"),
        ("[" * 1000 + "]" * 1000, "is JSON but no predictions file"),
        ("[]", "is JSON but no predictions file; the least is"),
        ("null", "is JSON but no predictions file"),
        ('"predictions"', "is JSON but no predictions file"),
        (json.dumps({KEY: ROWS}), "is JSON but no predictions file"),
        ('{"predictions": [[1]]}', "is JSON but no predictions file"),
        ('{"predictions": null}', "is JSON but no predictions file"),
        ('{"Predictions": {"a": [[1]]}}', "is JSON but no predictions file"),
        (
            '{"version": 2, "predictions": {"a": [[1]]}}',
            "is of version 2; this vggss reads version 1; upgrade",
        ),
        ('{"version": "1", "predictions": {"a": [[1]]}}', "is of version '1'"),
        ('{"version": true, "predictions": {"a": [[1]]}}', "is of version True"),
        ('{"version": null, "predictions": {}}', "is of version None"),
        ('{"version": ' + "[" * 900 + "]" * 900 + ', "predictions": {}}', r"is of version \[\[\["),
        (
            '{"format": "coco", "predictions": {"a": [[1]]}}',
            "is of the format 'coco'; \"vggss-predictions\" was",
        ),
        ('{"metadata": [], "predictions": {"a": [[1]]}}', '"metadata" must be an object, found'),
        ('{"model": 5, "predictions": {"a": [[1]]}}', '"model" must be a string, found 5'),
        ('{"model": ' + "[" * 900 + "]" * 900 + ', "predictions": {}}', '"model" must be a string'),
        ('{"predictions": {"a": [[1]], "a": [[1]]}}', r"has 1 name\(s\) twice in one object \(a\)"),
        ('{"predictions": {"a": {"map": [[1]]}, "a": [[2]]}}', r"twice in one object \(a\)"),
        ('{"predictions": {"a": [[1]], "\\u0061": [[2]]}}', r"twice in one object \(a\)"),
        ('{"predictions": {"a": {"map": [[1]], "map": [[2]]}}}', r"twice in one object \(map\)"),
        (
            '{"predictions": {"a": [[1]]}, "predictions": {"b": [[1]]}}',
            r"twice in one object \(predictions\)",
        ),
        ('{"predictions": {}, "predictions": {"b": [[1]]}}', r"twice in one object \(predictions\)"),
        ('{"predictions": {"b": [[1]]}, "predictions": ""}', r"twice in one object \(predictions\)"),
        ('{"model": "x", "model": "y", "predictions": {"a": [[1]]}}', r"twice in one object \(model\)"),
        (
            '{"metadata": {"x": [1, {"y": 1, "y": 2}]}, "predictions": {"a": [[1]]}}',
            r"twice in one object \(y\)",
        ),
        (
            '{"metadata": ' + '{"a":' * 600 + '{"b":1,"b":2}' + "}" * 600 + ', "predictions": {}}',
            r"object \(b\)",
        ),
        ('{"predictions": {"a": {"x": "\\"", "map": [[' + "9" * 300 + ']]}, "a": {}}}', r"object \(a\)"),
        (b"\x80\x04\x95", "is a pickle, which could run code"),
        (b"\x93NUMPY\x01\x00", "is one array; give an NPZ file, or the folder"),
        (b"PK\x03\x04", "is not a whole NPZ file"),
        (b"\x89PNG\r\n", "is not valid JSON"),
    ],
)
def test_a_malformed_file_is_refused_by_the_rule_it_breaks(
    tmp_path: Path, content: bytes | str, message: str
) -> None:
    with pytest.raises(DataError, match=rf"(?s)mine\.json.*({message})"):
        found = opened(tmp_path, content)
        for key in found.keys:
            found.get(key)


@pytest.mark.parametrize(
    "content",
    [
        '{"metadata": {"predictions": {"A": [[1]]}, "b": 1}, "predictions": {"B": [[2]]}}',
        '{"x\\"predictions": {"A": [[1]], "b": [[2]]}, "predictions": {"B": [[2]]}}',
        '{"x": "predictions", "y": "\\"predictions\\": {\\"A\\": [[1]]}", "predictions": {"B": [[2]]}}',
        '{"x": ["predictions", {"predictions": {"A": [[1]]}}], "predictions": {"B": [[2]]}}',
        '{"predictions": {"B": [[2]]}, "metadata": {"predictions": {"A": [[1]]}}}',
        '\t{"model":"m"\r\n,"predictions"\n:\n{ "B" :\n[ [ 2 ] ] \n} \n,"version":1}\n',
        '{"predictions": {"B": [[2]]' + " " * 1000 + "}}",
    ],
)
def test_predictions_are_those_at_the_top_of_the_document(tmp_path: Path, content: str) -> None:
    found = opened(tmp_path, content)
    assert found.keys == ("B",)
    assert found.get("B").values.tolist() == [[2]]


def test_a_broken_map_is_found_by_line_and_column_of_the_file(tmp_path: Path) -> None:
    content = '{"predictions": {\n"a": [[1]],\n  "b": [[1, 2],\n    [3, x]]\n}}'
    found = opened(tmp_path, content)
    assert found.get("a").values.tolist() == [[1]]
    with pytest.raises(DataError, match=r"the map of b is not valid JSON: .* at line 4, column 9 \(near .*x"):
        found.get("b")
    with pytest.raises(DataError, match=r"the map of b is not valid JSON: .* at line 3, column 13 \(near"):
        opened(tmp_path, content.replace("1, 2", "1, x")).get("b")


def test_nan_is_read_where_it_is_allowed(tmp_path: Path) -> None:
    for text in (entry("[[NaN, -Infinity, 1e39, 2]]"), entry('{"map": [[NaN, -Infinity, 1e39, 2]]}')):
        found = opened(tmp_path, text, allow_nan=True).get(KEY).values
        assert np.isnan(found[0, 0]) and found[0, 1:].tolist() == [-math.inf, math.inf, 2]
    with pytest.raises(DataError, match="is the file complete"):
        opened(tmp_path, entry("[[NaN]"), allow_nan=True).get(KEY)
    for text in ('{"predictions": {"\\ud800": {"map": [[NaN]]}}}', '{"a": ' * 5000):  # no text; no end
        with pytest.raises(DataError, match="is not valid JSON"):
            opened(tmp_path, text, allow_nan=True)
    both = opened(tmp_path, '{"predictions": {"\\ud83d\\udd25": {"map": [[NaN]]}}}', allow_nan=True)
    assert both.keys == ("🔥",)


def test_a_name_cannot_steer_the_terminal_or_fill_it(tmp_path: Path) -> None:
    for key in ("\x1b[2J", "two\nlines", "x" * 100_000):
        for value in ([[None]], {"map": [[None]]}):
            found = opened(tmp_path, json.dumps({"predictions": {key: value}}))
            with pytest.raises(DataError, match=r"row 0, column 0 is null") as caught:
                found.get(key)
            assert str(caught.value).isprintable() and len(str(caught.value)) < 500


def test_boxes_need_finite_numbers_even_where_nan_is_allowed(tmp_path: Path) -> None:
    found = opened(tmp_path, entry('{"boxes": [[NaN, 0, 1, 1, 1]]}'), allow_nan=True)
    with pytest.raises(DataError, match="box 0: a box needs four finite numbers"):
        found.get(KEY)
    found = opened(tmp_path, entry('{"boxes": [[0, 0, 1, 1, Infinity]]}'), allow_nan=True)
    with pytest.raises(DataError, match="box 0 has the score inf"):
        found.get(KEY)


def test_metadata_nested_as_deep_as_the_parser_goes_are_read_or_refused(tmp_path: Path) -> None:
    for depth in (300, 500, 990, 1015, 1020):
        inner = '{"a":' * depth + '"\\""' + "}" * depth
        with contextlib.suppress(DataError):
            assert opened(tmp_path, f'{{"metadata": {inner}, "predictions": {{"a": [[1]]}}}}').keys == ("a",)


def test_a_small_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    plain = {
        "format": "vggss-predictions",
        "model": "m",
        "predictions": {"a": [[1.5, 2]], "b": [[3]]},
        "version": 1,
    }
    mixed = {"predictions": {"a": {"boxes": [[0, 0, 1, 1, 1]]}, "é": {"map": [[1]]}}, "metadata": {"k": [1]}}
    for document in (plain, mixed):
        for text in (
            json.dumps(document),
            json.dumps(document, indent=1),
            json.dumps(document, ensure_ascii=False),
        ):
            whole = text.encode()
            for length in range(len(whole)):
                with pytest.raises(DataError, match=r"mine\.json"):
                    opened(tmp_path, whole[:length])
