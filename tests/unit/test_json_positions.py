"""JSON texts are read exactly, and every value and every error has its place."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constrain.constraint import parse_json
from constrain.errors import SchemaError
from constrain.frontends.json_positions import JsonTextError, join_pointer, read_json, split_pointer

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_values_are_those_of_the_standard_library(
    value: object, indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read_json(text).value == value


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from([None, 2]))
def test_every_position_points_at_the_text_of_its_value(value: object, indent: int | None) -> None:
    document = read_json(json.dumps(value, indent=indent, ensure_ascii=False))
    lines = document.text.split("\n")
    decoder = json.JSONDecoder()
    pending: list[tuple[list[str | int], object]] = [([], value)]
    while pending:
        path, part = pending.pop()
        position = document.position(join_pointer(path).replace("%", "%25"))
        assert position is not None
        assert position == document.position(path)
        rest = "\n".join([lines[position.line - 1][position.column - 1 :], *lines[position.line :]])
        assert decoder.raw_decode(rest)[0] == part
        if isinstance(part, dict):
            pending += [([*path, key], child) for key, child in part.items()]
        elif isinstance(part, list):
            pending += [([*path, index], child) for index, child in enumerate(part)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("19.99", Decimal("19.99")),
        ("1e400", Decimal("1e400")),
        ("-0", 0),
        ("0.1", Decimal("0.1")),
        ("9" * 5000, Decimal("9" * 5000)),
    ],
)
def test_numbers_are_exact(text: str, value: object) -> None:
    assert read_json(text).value == value


@pytest.mark.parametrize(
    ("text", "line", "column", "part_of_reason"),
    [
        ("", 1, 1, "ends"),
        ("[1,\n 2,]", 2, 4, "comma"),
        ("[,1]", 1, 2, "value"),
        ('{"a": 1,\n  "b": 2,\n  "a": 3}', 3, 3, "twice"),
        ('{"a": 1, "\\u0061": 2}', 1, 10, "twice"),
        ('{"a" 1}', 1, 6, "`:`"),
        ("{a: 1}", 1, 2, "double quotes"),
        ("[1 2]", 1, 4, "`,`"),
        ("[NaN]", 1, 2, "NaN"),
        ("[-Infinity]", 1, 2, "minus"),
        ("[01]", 1, 2, "malformed number"),
        ("[1.]", 1, 2, "malformed number"),
        ("[1.5.2]", 1, 2, "malformed number"),
        ("1e99999999999999999999", 1, 1, "exponent"),
        ('"a\nb"', 1, 3, "control"),
        ('"abc', 1, 1, "unterminated"),
        ('["\\ud800"]', 1, 2, "surrogate"),
        ("[1] x", 1, 5, "after the end"),
        ("[1}", 1, 3, "`]`"),
        ("\ufeff1", 1, 1, "byte order mark"),
        ("\r\n\rx", 3, 1, "expected"),
    ],
)
def test_errors_have_line_and_column(text: str, line: int, column: int, part_of_reason: str) -> None:
    with pytest.raises(JsonTextError, match=part_of_reason) as caught:
        read_json(text)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth_costs_no_recursion(opening: str) -> None:
    depth = 100_000
    text = opening * depth + "1" + ("]" if opening == "[" else "}") * depth
    document = read_json(text)
    step: str | int = 0 if opening == "[" else "a"
    assert document.position([step] * depth) == (1, depth * len(opening) + 1)


def test_absent_values_have_no_position() -> None:
    document = read_json('{"a": [1]}')
    for pointer in ("#/b", "#/a/1", "#/a/-1", "#/a/01", "#/a/0/0", "nonsense", "#/a/x"):
        assert document.position(pointer) is None


@pytest.mark.parametrize(
    ("pointer", "path"),
    [
        ("", []),
        ("#", []),
        ("/", [""]),
        ("#/a~1b/m~0n/~01", ["a/b", "m~n", "~1"]),
        ("#/caf%C3%A9", ["café"]),
        ("/caf%C3%A9", ["caf%C3%A9"]),
    ],
)
def test_pointers_are_split_as_rfc_6901_says(pointer: str, path: list[str]) -> None:
    assert split_pointer(pointer) == path


def test_errors_survive_pickling() -> None:
    with pytest.raises(JsonTextError) as caught:
        read_json("[")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), copy.line, str(copy)) == (JsonTextError, 1, str(caught.value))


@pytest.mark.parametrize(
    ("pointer", "value", "key"),
    [
        ("#", ((1, 1), (3, 3)), None),
        ("#/a", ((1, 7), (1, 9)), ((1, 2), (1, 5))),
        ("#/b", ((2, 2), (3, 2)), ((1, 11), (1, 19))),
        ("#/b/0", ((2, 3), (2, 7)), None),
        ("#/b/1", ((2, 9), (2, 12)), None),
        ("#/b/2", ((2, 14), (2, 16)), None),
        ("#/b/3", None, None),
    ],
)
def test_values_and_keys_have_a_start_and_an_end(pointer: str, value: object, key: object) -> None:
    document = read_json('{"a": 12, "\\u0062":\n [true, "x", {}\n]}')
    assert document.span(pointer) == value
    assert document.key_span(pointer) == key


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1,\n "b": {"c": 1, "c": 2}}', "line 2, column 16"),
        ('\ufeff{"a": 1, "\\u0061": 2}'.encode(), "line 1, column 10"),
        ("[1,", "line 1, column 4"),
    ],
    ids=["a key twice", "a key twice through an escape", "no end"],
)
def test_what_schemas_are_read_from_tells_where_it_is_wrong(text: str | bytes, place: str) -> None:
    with pytest.raises(SchemaError) as caught:
        parse_json(text)
    assert caught.value.location == place
