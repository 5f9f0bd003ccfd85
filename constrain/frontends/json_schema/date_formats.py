"""Dates, times and durations: RFC 3339."""

from __future__ import annotations

from constrain.automata.languages_cy import Language
from constrain.frontends.json_schema.grammar import DIGIT, Grammar
from constrain.frontends.json_schema.leap_seconds import LeapSecond

__all__ = ["date", "date_time", "duration", "time"]


def date(g: Grammar) -> Language:
    """RFC 3339 5.6 `full-date`, of the Gregorian calendar."""
    two = g.times(2, 2, g.one(DIGIT))
    thirty_one = g.alt("01", "03", "05", "07", "08", "10", "12")
    month = g.numbers(1, 12, 2)
    day = g.alt(
        g.seq(month, "-", g.numbers(1, 28, 2)),
        g.seq(g.alt(g.seq("0", g.one("13-9")), g.seq("1", g.one("0-2"))), "-", g.alt("29", "30")),
        g.seq(thirty_one, "-31"),
    )
    # Numbers of two digits that 4 divides, and those of them that are not 00.
    fourth = g.alt(g.seq(g.one("02468"), g.one("048")), g.seq(g.one("13579"), g.one("26")))
    not_zero = g.alt(
        g.seq("0", g.one("48")), g.seq(g.one("2468"), g.one("048")), g.seq(g.one("13579"), g.one("26"))
    )
    leap = g.alt(g.seq(two, not_zero), g.seq(fourth, "00"))
    return g.alt(g.seq(two, two, "-", day), g.seq(leap, "-02-29"))


def time(g: Grammar) -> Language:
    """RFC 3339 5.6 `full-time`: second 60 only at 23:59 UTC (5.7)."""
    hour = g.numbers(0, 23, 2)
    minute = g.numbers(0, 59, 2)
    fraction = g.opt(".", g.many(g.one(DIGIT)))
    zulu = g.one("Zz")
    offset = g.alt(zulu, g.seq(g.one("+-"), hour, ":", minute))
    usual = g.seq(hour, ":", minute, ":", minute, fraction, offset)
    return g.alt(usual, g.languages.machine(LeapSecond()))


def date_time(g: Grammar) -> Language:
    """RFC 3339 5.6 `date-time`; the letters in either case."""
    return g.seq(g.rule(date), g.one("Tt"), g.rule(time))


def duration(g: Grammar) -> Language:
    """RFC 3339 appendix A."""
    number = g.many(g.one(DIGIT))
    second = g.seq(number, "S")
    minute = g.seq(number, "M", g.opt(second))
    hour = g.seq(number, "H", g.opt(minute))
    clock = g.seq("T", g.alt(hour, minute, second))
    day = g.seq(number, "D")
    month = g.seq(number, "M", g.opt(day))
    year = g.seq(number, "Y", g.opt(month))
    return g.seq("P", g.alt(g.seq(g.alt(day, month, year), g.opt(clock)), clock, g.seq(number, "W")))
