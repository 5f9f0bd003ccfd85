"""Formats against the libraries that define them, and cases from the texts of the RFCs."""

from __future__ import annotations

import calendar
import datetime
import ipaddress
import random
from functools import cache
from typing import Any

import pytest

from constrain.automata.languages_cy import Languages
from constrain.automata.lazy_dfa_cy import LazyDfa
from constrain.frontends.json_schema.formats import FORMATS, format_language
from tests.support.language_builds import accepts


@cache
def automaton(name: str) -> Any:
    languages = Languages()
    language = format_language(languages, name)
    assert language is not None
    return LazyDfa(languages, language)


def test_dates_are_those_of_the_calendar() -> None:
    ours = automaton("date")
    for year in (0, 1, 4, 96, 100, 400, 1582, 1900, 1999, 2000, 2004, 2023, 2024, 2100, 2400, 9996, 9999):
        for month in range(14):
            days = 0
            if 1 <= month <= 12:
                days = calendar.monthrange(year or 400, month)[1]
            for day in range(33):
                assert accepts(ours, f"{year:04}-{month:02}-{day:02}") == (1 <= day <= days), (
                    year,
                    month,
                    day,
                )


def test_leap_days_are_right_in_every_year() -> None:
    ours = automaton("date")
    for year in range(10_000):
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        assert accepts(ours, f"{year:04}-02-29") == leap


def test_second_60_is_only_at_midnight_utc() -> None:
    ours = automaton("time")
    rng = random.Random(5)
    offsets = [(sign, hour, minute) for sign in (1, -1) for hour in range(24) for minute in range(60)]
    midnight = datetime.datetime(2016, 12, 31, 23, 59, tzinfo=datetime.UTC)
    for sign, hour, minute in offsets:
        delta = datetime.timedelta(hours=hour, minutes=minute)
        right = midnight + sign * delta
        mark = "+" if sign > 0 else "-"
        wrong = right + datetime.timedelta(minutes=rng.choice([-60, -1, 1, 60, 600]))
        for local, expected in ((right, True), (wrong, False)):
            text = f"{local:%H:%M}:60{rng.choice(['', '.5', '.000'])}{mark}{hour:02}:{minute:02}"
            assert accepts(ours, text) == expected, text
    assert accepts(ours, "23:59:60Z")
    assert not accepts(ours, "23:58:60Z")
    assert not accepts(ours, "22:59:60z")


def test_times_have_bounds_and_an_offset() -> None:
    ours = automaton("time")
    for text in ("00:00:00Z", "23:59:59.999999999z", "12:00:00+23:59", "12:00:00-00:00"):
        assert accepts(ours, text), text
    for text in (
        "24:00:00Z",
        "12:60:00Z",
        "12:00:61Z",
        "12:00:00",
        "12:00Z",
        "12:00:00+24:00",
        "12:00:00+00:60",
        "1:00:00Z",
        "12:00:00.Z",
        "12:00:00,5Z",
    ):
        assert not accepts(ours, text), text


def test_ipv6_addresses_are_those_of_the_standard_library() -> None:
    ours = automaton("ipv6")
    rng = random.Random(2)
    agreed = 0
    for _ in range(6000):
        groups = [
            rng.choice(["0", "1", "abcd", "ABCD", "00ff", "12345", "g", ""]) if rng.random() < 0.08 else "1f"
        ]
        groups += [rng.choice(["0", "a1", "ffff"]) for _ in range(rng.randrange(9))]
        text = ":".join(groups)
        if rng.random() < 0.7:
            cut = rng.randrange(len(text) + 1)
            text = text[:cut] + "::" + text[cut:] if rng.random() < 0.5 else text.replace(":", "::", 1)
        if rng.random() < 0.3:
            text += rng.choice([":1.2.3.4", "1.2.3.4", ":1.2.3.256", ":1.2.3", ":01.2.3.4"])
        try:
            ipaddress.IPv6Address(text)
            expected = True
        except ValueError:
            expected = False
        agreed += expected
        assert accepts(ours, text) == expected, text
    assert agreed > 500


def test_ipv4_addresses_are_those_of_the_standard_library() -> None:
    ours = automaton("ipv4")
    for number in range(1000):
        for text in (f"{number}.0.0.1", f"10.0.0.{number}", f"1.{number:03}.2.3"):
            try:
                ipaddress.IPv4Address(text)
                expected = True
            except ValueError:
                expected = False
            assert accepts(ours, text) == expected, text


CASES: dict[str, tuple[list[str], list[str]]] = {
    "date-time": (
        [
            "1985-04-12T23:20:50.52Z",
            "1996-12-19t16:39:57-08:00",
            "1990-12-31T15:59:60-08:00",
            "2024-02-29T00:00:00Z",
        ],
        ["1990-12-31T15:59:61-08:00", "2023-02-29T00:00:00Z", "1985-04-12 23:20:50Z", "1985-04-12T23:20:50"],
    ),
    "duration": (
        ["P1Y", "P1Y2M3DT4H5M6S", "PT36H", "P2W", "P1DT12H"],
        ["", "P", "PT", "P1S", "P1Y2D", "PT1H2S", "P1W1D", "1Y", "PT0.5S"],
    ),
    "uuid": (
        ["2EB8AA08-aa98-11ea-B4AA-73B441D16380", "00000000-0000-0000-0000-000000000000"],
        ["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "{}", "g" * 36],
    ),
    "email": (
        ["a@b", "a.b+c@d-e.f", '"a b\\"@"@c.d', "a@[127.0.0.1]", "a@[IPv6:::1]", "x" * 64 + "@y"],
        [
            "a",
            "@b",
            "a@",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a b@c",
            "a@-b",
            "a@b-",
            "a@[1]",
            "a@[x:1]",
            "x" * 65 + "@y",
        ],
    ),
    "idn-email": (["é@é.fr", "a@b", '"é"@x'], ["é", "a b@c", "@é"]),
    "hostname": (
        ["a", "a.b", "A-1.b2", "1", "a" * 63, ".".join(["a" * 49] * 5), "a--b", "ab-c-d", "xn--fa-hia.de"],
        ["", ".", "a.", ".a", "-a", "a-", "a_b", "a" * 64, ".".join(["a" * 63] * 4), "é", "ab--c", "x.xn--a"],
    ),
    "idn-hostname": (
        ["a", "faß.de", "l·l", "א1", "例。jp", "xn--fa-hia", "ü" * 54],
        ["", "·", "a\u0301", "aא", "0a.א", "Ä", "-ü", "ü-", "üa--", "xn--ü", "ü" * 60, "a。"],
    ),
    "uri": (
        [
            "ftp://ftp.is.co.za/rfc/rfc1808.txt",
            "ldap://[2001:db8::7]/c=GB?objectClass?one",
            "mailto:John.Doe@example.com",
            "news:comp.infosystems.www.servers.unix",
            "tel:+1-816-555-1212",
            "telnet://192.0.2.16:80/",
            "urn:oasis:names:specification:docbook:dtd:xml:4.1.2",
            "http://u:p@h:1/%41?q#f",
            "x://[v1.a:b]",
            "x:",
            "file:///etc/fstab",
        ],
        [
            "",
            "//a/b",
            "/a",
            "a",
            "1x:a",
            "http://a b",
            "http://[1]",
            "http://a/%4",
            "http://a/#b#c",
            "http://a:b",
            "é:",
        ],
    ),
    "uri-reference": (
        ["", "//a/b", "/a", "a/b:c", "?q", "#f", "./a:b", "http://a"],
        ["1:a", ":a", "a b", "\\", "#a#", "é"],
    ),
    "iri": (["http://é/漢?\ue000#ü", "a:b"], ["/é", "a:\ufdd0", "a:#\ue000", "http://a b"]),
    "iri-reference": (["é", "/é", "#é", ""], ["é é", "\\"]),
    "uri-template": (
        ["", "a{b}", "{+a,b:12*c}"[:-4] + "}", "{/a*}", "é"],
        ["{", "}", "{a", "{}", "{a:0}", "{a,}", " "],
    ),
    "json-pointer": (["", "/", "/a~0~1", "/a//b", "/é"], ["a", "/~", "/~2", "#/a", "0"]),
    "relative-json-pointer": (["0", "10#", "1/a", "0/"], ["", "01", "-1", "#", "0#/", "1a"]),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_examples_of_the_specifications(name: str) -> None:
    ours = automaton(name)
    inside, outside = CASES[name]
    for text in inside:
        assert accepts(ours, text), text
    for text in outside:
        assert not accepts(ours, text), text


def test_host_names_of_the_first_drafts_are_those_of_rfc_1034() -> None:
    languages = Languages()
    language = format_language(languages, "hostname", "4")
    assert language is not None
    ours = LazyDfa(languages, language)
    for text in ("ab--cd.example", "xn--X", "a" * 63):
        assert accepts(ours, text), text
    for text in ("a" * 64, "-a", "a..b", "a."):
        assert not accepts(ours, text), text


def test_names_are_complete() -> None:
    assert format_language(Languages(), "no-such-format") is None
    for name in FORMATS:
        assert accepts(automaton(name), automaton(name).completion(automaton(name).start))
