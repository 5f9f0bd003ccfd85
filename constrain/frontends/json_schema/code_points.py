"""Sets of code points: the classes of ECMA-262 and the properties of Unicode."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable

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
_CATEGORY_OF = {name: short for short, names in _CATEGORIES.items() for name in (short, *names)}


@functools.cache
def _by_category() -> dict[str, list[tuple[int, int]]]:
    """Return the ranges of every two-letter general category."""
    result: dict[str, list[tuple[int, int]]] = {name: [] for name in _CATEGORIES if len(name) == 2}
    start = 0
    current = unicodedata.category("\0")
    for code_point, category in enumerate(map(unicodedata.category, map(chr, range(LAST + 1)))):
        if category != current:
            result[current].append((start, code_point - 1))
            start, current = code_point, category
    result[current].append((start, LAST))
    return result


@functools.cache
def _category(short: str) -> Ranges:
    members = ("Ll", "Lt", "Lu") if short == "LC" else (short,)
    return normal(
        pair for name, ranges in _by_category().items() if name.startswith(members) for pair in ranges
    )


@functools.cache
def identifier_start() -> Ranges:
    """Return what may begin the name of a group: ID_Start (Unicode Annex 31), `$` and `_`."""
    other = ((0x1885, 0x1886), (0x2118, 0x2118), (0x212E, 0x212E), (0x309B, 0x309C))
    found = normal([*_category("L"), *_category("Nl"), *other, (0x24, 0x24), (0x5F, 0x5F)])
    # U+2E2F is a letter and reserved as Pattern_Syntax.
    return complement(normal([*complement(found), (0x2E2F, 0x2E2F)]))


@functools.cache
def identifier_continue() -> Ranges:
    """Return what may follow in it: ID_Continue, `$`, and the joiners."""
    other = ((0xB7, 0xB7), (0x387, 0x387), (0x1369, 0x1371), (0x19DA, 0x19DA), (0x200C, 0x200D))
    marks = [pair for name in ("Mn", "Mc", "Nd", "Pc") for pair in _category(name)]
    return normal([*identifier_start(), *marks, *other])


def _script_values(name: str) -> Ranges | None:
    from fontTools.unicodedata import Scripts  # type: ignore[import-untyped, unused-ignore]

    starts = [*Scripts.RANGES, LAST + 1]
    return normal((starts[i], starts[i + 1] - 1) for i, value in enumerate(Scripts.VALUES) if value == name)


def _extension_values(name: str) -> Ranges:
    from fontTools.unicodedata import ScriptExtensions, Scripts

    starts = [*ScriptExtensions.RANGES, LAST + 1]
    result = []
    for i, value in enumerate(ScriptExtensions.VALUES):
        if value is not None:
            if name in value:
                result.append((starts[i], starts[i + 1] - 1))
            continue
        # Without an entry of its own a code point has the extension of its script.
        for low, high in _script_values(name) or ():
            low, high = max(low, starts[i]), min(high, starts[i + 1] - 1)
            if low <= high:
                result.append((low, high))
    assert Scripts is not None
    return normal(result)


@functools.cache
def _script(name: str, extensions: bool) -> Ranges | None:
    """Return a script by its short or long name; raises ImportError without the data."""
    from fontTools.unicodedata import Scripts

    codes = {long: short for short, long in Scripts.NAMES.items()}
    short = name if name in Scripts.NAMES else codes.get(name)
    if short is None:
        return None
    return _extension_values(short) if extensions else _script_values(short)


def property_ranges(expression: str) -> Ranges | None:
    """Return the code points of `\\p{expression}`; `None` for a property that is not known here.

    General categories come from `unicodedata`, scripts from fontTools.

    Raises:
        ImportError: the property is a script, and fontTools is not installed.
    """
    name, equals, value = expression.partition("=")
    if not equals:
        if name in _CATEGORY_OF:
            return _category(_CATEGORY_OF[name])
        if name == "Any":
            return ANY
        if name == "ASCII":
            return ((0, 0x7F),)
        if name == "Assigned":
            return complement(_category("Cn"))
        if name in ("ASCII_Hex_Digit", "AHex"):
            return ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66))
        if name in ("White_Space", "space"):
            return ((0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), *SPACE[2:-1])
        if name in ("Lowercase", "Lower"):
            return _by_method("islower")
        if name in ("Uppercase", "Upper"):
            return _by_method("isupper")
        return None
    if name in ("General_Category", "gc"):
        return _category(_CATEGORY_OF[value]) if value in _CATEGORY_OF else None
    if name in ("Script", "sc"):
        return _script(value, False)
    if name in ("Script_Extensions", "scx"):
        return _script(value, True)
    return None


@functools.cache
def _by_method(method: str) -> Ranges:
    """Return the derived core property behind a predicate of `str`."""
    predicate = getattr(str, method)
    return normal((c, c) for c in range(LAST + 1) if predicate(chr(c)))
