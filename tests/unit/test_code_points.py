"""Properties of Unicode beside a second engine of regular expressions."""

import unicodedata

import pytest
import regress

from constrain.frontends.json_schema.code_points import identifier_continue, identifier_start, property_ranges
from constrain.frontends.json_schema.unicode_names import BINARY_PROPERTIES, SCRIPTS

_ASSIGNED = "".join(
    chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn"
)
#: Code points whose property another version of Unicode changed.
_MOST_CHANGED = 40


def _by_regress(expression: str) -> set[int]:
    found = regress.Regex(rf"\p{{{expression}}}+", "u").find_iter(_ASSIGNED)
    encoded = _ASSIGNED.encode()
    return {ord(c) for match in found for c in encoded[match.range()].decode()}


def _ours(expression: str) -> set[int]:
    ranges = property_ranges(expression)
    assert ranges is not None
    return {c for low, high in ranges for c in range(low, high + 1)} & set(map(ord, _ASSIGNED))


@pytest.mark.parametrize(
    "expression",
    [
        *sorted(set(BINARY_PROPERTIES)),
        *(f"gc={name}" for name in ("L", "LC", "Cased_Letter", "Cn", "Cs", "P", "punct", "Zs", "N")),
        *(f"Script={name}" for name in ("Han", "Hani", "Latin", "Zyyy", "Inherited", "Qaai", "Zzzz")),
        *(f"scx={name}" for name in ("Han", "Hira", "Greek", "Common", "Deva")),
    ],
)
def test_properties_are_those_of_a_second_engine(expression: str) -> None:
    assert len(_ours(expression) ^ _by_regress(expression)) <= _MOST_CHANGED


def test_every_script_is_known() -> None:
    for name in SCRIPTS - {"Berf", "Beria_Erfe", "Sidt", "Sidetic", "Tols", "Tolong_Siki", "Tayo", "Tai_Yo"}:
        assert property_ranges(f"Script={name}") is not None
        assert property_ranges(f"scx={name}") is not None


def test_names_are_matched_strictly() -> None:
    for name in ("alphabetic", "Alphabetic=Yes", "InGreek", "Greek", "IsL", "Script", "sc=greek", "gc=Alpha"):
        assert property_ranges(name) is None


def test_identifiers_are_those_of_python_and_the_dollar() -> None:
    starts = {c for low, high in identifier_start() for c in range(low, high + 1)}
    parts = {c for low, high in identifier_continue() for c in range(low, high + 1)}
    for code_point in map(ord, _ASSIGNED):
        character = chr(code_point)
        # Python's identifiers are XID: closed under NFKC, so a few are in ours only.
        if character.isidentifier():
            assert code_point in starts
        if ("a" + character).isidentifier():
            assert code_point in parts
    assert ord("$") in starts
    assert ord("$") in parts
    assert 0x200D in parts
    assert ord("1") not in starts
