"""Dates, times and durations: RFC 3339."""

from __future__ import annotations

from constrain.automata.languages_cy import Language
from constrain.frontends.json_schema.grammar import DIGIT, Grammar

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
    not_zero = g.alt(g.seq("0", g.one("48")), g.seq(g.one("2468"), g.one("048")), g.seq(g.one("13579"), g.one("26")))
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
    sixty = g.seq(":60", fraction)
    # The local time is 23:59 plus the offset. Hours and minutes agree separately: an offset of +hh:mm
    # means the hour hh and the minute mm - 1, or the hour hh - 1 and the minute 59 if mm is 00;
    # -hh:mm means the hour 23 - hh and the minute 59 - mm.
    ahead = g.both(
        g.alt(*[g.seq(f"{h:02}:", minute, sixty, f"+{h:02}:", minute) for h in range(24)]),
        g.alt(*[g.seq(hour, f":{m:02}", sixty, "+", hour, f":{m + 1:02}") for m in range(59)]),
    )
    full = g.alt(*[g.seq(f"{h:02}:59", sixty, f"+{(h + 1) % 24:02}:00") for h in range(24)])
    back = g.both(
        g.alt(*[g.seq(f"{h:02}:", minute, sixty, f"-{23 - h:02}:", minute) for h in range(24)]),
        g.alt(*[g.seq(hour, f":{m:02}", sixty, "-", hour, f":{59 - m:02}") for m in range(60)]),
    )
    return g.alt(usual, ahead, full, back, g.seq("23:59", sixty, zulu))


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
