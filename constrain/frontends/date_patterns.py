"""Arrangements of dates and times, such as `DD.MM.YYYY`, as regular expressions of exactly the real ones.
 The fields are `YYYY YY MM M DD D hh h mm m ss s` (`HH` and `H` are `hh` and `h`); a single letter is a
number without leading zero. Years run from 0001 to 9999 and hours from 0 to 23; there are no leap seconds.
Between the fields stand punctuation, spaces, letters outside ASCII (`YYYY年MM月DD日`), and the `T` and `Z` of
ISO 8601.

A day depends on its month and, on 29 February, on the year. So an arrangement means a union of at most four
cases, in each of which the fields are independent:

    days 1 to 28 of any month; days 29 and 30 of any month but February; day 31 of the long months;
    29 February of a leap year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from constrain.errors import SchemaError

__all__ = ["date_pattern"]

_FIELD = re.compile(r"Y+|M+|D+|h+|H+|m+|s+")
_UNITS = {"Y": "year", "M": "month", "D": "day", "h": "hour", "H": "hour", "m": "minute", "s": "second"}
_SPECIAL = frozenset(".*+?^$()[]{}|/\\")

_DIGIT = "[0-9]"
# Two digits that are a multiple of four, and those of them that are not 00.
_FOURTH = "(?:[02468][048]|[13579][26])"
_FOURTH_NOT_00 = "(?:0[48]|[2468][048]|[13579][26])"
_ANY_YEAR = {
    4: f"(?:{_DIGIT}{{3}}[1-9]|{_DIGIT}{{2}}[1-9]0|{_DIGIT}[1-9]00|[1-9]000)",
    2: f"{_DIGIT}{{2}}",
}
# A year of two digits is in the 20th or the 21st century, and 2000 was a leap year.
_LEAP_YEAR = {4: f"(?:{_DIGIT}{{2}}{_FOURTH_NOT_00}|{_FOURTH_NOT_00}00)", 2: _FOURTH}

_LONG_MONTHS = (1, 3, 5, 7, 8, 10, 12)


@dataclass(frozen=True, slots=True)
class _Case:
    """Days and months that go together, in all years or in leap years only."""

    days: tuple[int, ...]
    months: tuple[int, ...]
    only_leap_years: bool = False


_CASES = (
    _Case(tuple(range(1, 29)), tuple(range(1, 13))),
    _Case((29, 30), tuple(month for month in range(1, 13) if month != 2)),
    _Case((31,), _LONG_MONTHS),
    _Case((29,), (2,), only_leap_years=True),
)
_DAYS_ALONE = (_Case(tuple(range(1, 32)), tuple(range(1, 13))),)


def date_pattern(arrangement: str, *, location: str | None = None) -> str:
    """An anchored ECMA-262 pattern of the real dates and times in this arrangement.

    Raises:
        SchemaError: a field is unknown or appears twice, or there is none.
    """
    parts = _split(arrangement, location)
    units = {_UNITS[part[0]] for part in parts if _FIELD.fullmatch(part)}
    # Without a day and a month nothing depends on anything: 29 February exists in some year.
    cases = _CASES if {"day", "month"} <= units else _DAYS_ALONE
    branches = ["".join(_part_pattern(part, case) for part in parts) for case in cases]
    return f"^{branches[0]}$" if len(branches) == 1 else f"^(?:{'|'.join(branches)})$"


def _split(arrangement: str, location: str | None) -> list[str]:
    """The fields and the single literal characters of an arrangement."""
    parts: list[str] = []
    seen: set[str] = set()
    at = 0
    while at < len(arrangement):
        match = _FIELD.match(arrangement, at)
        part = match.group() if match else arrangement[at]
        if match:
            unit = _UNITS[part[0]]
            if (len(part) > 2 and part != "YYYY") or part == "Y":
                raise _fault(f"{part!r} is not a field", location)
            if unit in seen:
                raise _fault(f"the {unit} appears twice", location)
            seen.add(unit)
        elif part.isascii() and part.isalpha() and part not in "TZ":
            raise _fault(f"the letter {part!r} stands for no field", location)
        parts.append(part)
        at += len(part)
    if not seen:
        raise _fault("there is no date and no time in it", location)
    return parts


def _fault(reason: str, location: str | None) -> SchemaError:
    return SchemaError(
        reason, location=location, keyword="format", remedy="fields are YYYY YY MM M DD D hh h mm m ss s"
    )


def _part_pattern(part: str, case: _Case) -> str:
    if not _FIELD.fullmatch(part):
        return f"\\{part}" if part in _SPECIAL else part
    width = len(part)
    match _UNITS[part[0]]:
        case "year":
            return (_LEAP_YEAR if case.only_leap_years else _ANY_YEAR)[width]
        case "month":
            return _numbers(case.months, width)
        case "day":
            return _numbers(case.days, width)
        case "hour":
            return _numbers(range(24), width)
        case _:
            return _numbers(range(60), width)


def _numbers(values: Iterable[int], width: int) -> str:
    """One of these numbers below 100, in two digits or without leading zero: a branch for each ten."""
    units_by_ten: dict[int, list[int]] = {}
    for value in values:
        units_by_ten.setdefault(value // 10, []).append(value % 10)
    branches = [
        ("" if width == 1 and ten == 0 else str(ten)) + _digit_class(units)
        for ten, units in units_by_ten.items()
    ]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _digit_class(digits: list[int]) -> str:
    """One of these digits, which are in order."""
    first, last = digits[0], digits[-1]
    if len(digits) == 1:
        return str(first)
    if len(digits) == last - first + 1 > 2:
        return f"[{first}-{last}]"
    return "[" + "".join(map(str, digits)) + "]"
