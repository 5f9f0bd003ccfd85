"""Sets of code points: the classes of ECMA-262 and the properties of Unicode."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable

from constrain.frontends.json_schema.unicode_names import BINARY_PROPERTIES, SCRIPTS

__all__ = [
    "ANY",
    "CATEGORY_NAMES",
    "DIGIT",
    "DOT",
    "LAST",
    "SPACE",
    "WORD",
    "Ranges",
    "complement",
    "identifier_continue",
    "identifier_start",
    "normal",
    "property_ranges",
]

#: Disjoint ranges of code points, ascending, both ends included.
Ranges = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
ANY: Ranges = ((0, LAST),)
#: ECMA-262 22.2.2.9: `\\d`, `\\w` without the `i` flag, `\\s`, and `.` without the `s` flag.
DIGIT: Ranges = ((0x30, 0x39),)
WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACE: Ranges = (
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)


def normal(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return the same set as ascending ranges with gaps between them."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            if high > result[-1][1]:
                result[-1] = (result[-1][0], high)
        else:
            result.append((low, high))
    return tuple(result)


def complement(ranges: Ranges) -> Ranges:
    """Return the code points that are not in the normal `ranges`."""
    result = []
    start = 0
    for low, high in ranges:
        if start < low:
            result.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        result.append((start, LAST))
    return tuple(result)


DOT: Ranges = complement(((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)))

#: PropertyValueAliases.txt of Unicode: the long names of the general categories.
_CATEGORIES: dict[str, tuple[str, ...]] = {
    "C": ("Other",),
    "Cc": ("Control", "cntrl"),
    "Cf": ("Format",),
    "Cn": ("Unassigned",),
    "Co": ("Private_Use",),
    "Cs": ("Surrogate",),
    "L": ("Letter",),
    "LC": ("Cased_Letter",),
    "Ll": ("Lowercase_Letter",),
    "Lm": ("Modifier_Letter",),
    "Lo": ("Other_Letter",),
    "Lt": ("Titlecase_Letter",),
    "Lu": ("Uppercase_Letter",),
    "M": ("Mark", "Combining_Mark"),
    "Mc": ("Spacing_Mark",),
    "Me": ("Enclosing_Mark",),
    "Mn": ("Nonspacing_Mark",),
    "N": ("Number",),
    "Nd": ("Decimal_Number", "digit"),
    "Nl": ("Letter_Number",),
    "No": ("Other_Number",),
    "P": ("Punctuation", "punct"),
    "Pc": ("Connector_Punctuation",),
    "Pd": ("Dash_Punctuation",),
    "Pe": ("Close_Punctuation",),
    "Pf": ("Final_Punctuation",),
    "Pi": ("Initial_Punctuation",),
    "Po": ("Other_Punctuation",),
    "Ps": ("Open_Punctuation",),
    "S": ("Symbol",),
    "Sc": ("Currency_Symbol",),
    "Sk": ("Modifier_Symbol",),
    "Sm": ("Math_Symbol",),
    "So": ("Other_Symbol",),
    "Z": ("Separator",),
    "Zl": ("Line_Separator",),
    "Zp": ("Paragraph_Separator",),
    "Zs": ("Space_Separator",),
}
#: All names of general categories.
CATEGORY_NAMES: frozenset[str] = frozenset(
    name for short, names in _CATEGORIES.items() for name in (short, *names)
)
_SIMPLE: dict[str | None, Ranges] = {"Any": ANY, "ASCII": ((0, 0x7F),)}
_CATEGORY_OF = {name: short for short, names in _CATEGORIES.items() for name in (short, *names)}


@functools.cache
def _every_character() -> str:
    return "".join(map(chr, range(LAST + 1)))


@functools.lru_cache(maxsize=256)
def _matches(expression: str) -> Ranges:
    """Return the code points of a property in the notation of `regex`, which has the tables of Unicode."""
    import regex

    try:
        found = regex.finditer(rf"\p{{{expression}}}+", _every_character())
    except regex.error:
        raise LookupError(expression) from None
    return tuple([(match.start(), match.end() - 1) for match in found])


@functools.cache
def identifier_start() -> Ranges:
    """Return what may begin the name of a group: ID_Start (Unicode Annex 31), `$` and `_`."""
    return normal([*_matches("ID_Start=Yes"), (0x24, 0x24), (0x5F, 0x5F)])


@functools.cache
def identifier_continue() -> Ranges:
    """Return what may follow in it: ID_Continue, `$`, and the joiners."""
    return normal([*_matches("ID_Continue=Yes"), (0x24, 0x24), (0x200C, 0x200D)])


@functools.cache
def _changes_when_nfkc_casefolded() -> Ranges:
    """Return Changes_When_NFKC_Casefolded, which `regex` does not know, by its definition (Unicode 3.13)."""

    def changes(character: str) -> bool:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", character).casefold())
        return unicodedata.normalize("NFKC", folded.casefold()) != character

    assigned = complement(_matches("Cn"))
    changed = [(c, c) for low, high in assigned for c in range(low, high + 1) if changes(chr(c))]
    return normal([*changed, *_matches("Default_Ignorable_Code_Point=Yes")])


def property_ranges(expression: str) -> Ranges | None:
    """Return the code points of `\\p{expression}`; `None` if ECMA-262 has no such property or value.

    Raises:
        LookupError: the installed `regex` is too old for it.
    """
    name, equals, value = expression.partition("=")
    if not equals:
        if name in _CATEGORY_OF:
            return _matches(_CATEGORY_OF[name])
        property_name = BINARY_PROPERTIES.get(name)
        if property_name in _SIMPLE:
            return _SIMPLE[property_name]
        if property_name == "Assigned":
            return complement(_matches("Cn"))
        if property_name == "Changes_When_NFKC_Casefolded":
            return _changes_when_nfkc_casefolded()
        # With its value, so that no block or script of the same name is meant.
        return None if property_name is None else _matches(f"{property_name}=Yes")
    if name in ("General_Category", "gc"):
        return _matches(_CATEGORY_OF[value]) if value in _CATEGORY_OF else None
    if name in ("Script", "sc"):
        return _matches(f"Script={value}") if value in SCRIPTS else None
    if name in ("Script_Extensions", "scx"):
        return _matches(f"Script_Extensions={value}") if value in SCRIPTS else None
    return None
