"""The formats `hostname` and `idn-hostname` against the `idna` package, label rules and Bidi rule."""

from __future__ import annotations

import json
import random
import unicodedata
from typing import Any

import idna
import pytest

import constrain
from constrain.frontends.json_schema.domain_names import DomainName, _indistinct
from constrain.frontends.json_schema.idna_labels import label_of

ASCII_NAMES = DomainName(international=False)
ALL_NAMES = DomainName(international=True)
SEPARATORS = ".。．｡"
PARTS = [
    *("a", "b", "l", "x", "n", "A", "-", "0", "1", "9", "aaaaaaaaaaaaaaaaaaaa", "_"),
    *("ß", "é", "l·l", "α", "͵", "א", "׳", "٠", "۰", "ب", "क", "\u094d", "\u200c", "\u200d", "・", "ァ"),
    *("一", "가", "ᠠ", "\u0301", "\U0001e900", "üüüüüüüüüüüüüüü", ".", "。", "xn--", "xn--tda", "xn--4db"),
]


def texts(name: str) -> bool:
    """What the labels of a name are, by the `idna` package, and RFC 5893 2 for all of them."""
    if not name or name[-1] in SEPARATORS:
        return False
    try:
        labels = [idna.decode(label) for label in idna.encode(name).decode().split(".")]
        if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for label in labels for c in label):
            for label in labels:
                idna.check_bidi(label, check_ltr=True)
    except UnicodeError:
        return False
    return True


def states(machine: DomainName, name: str) -> list[Any]:
    """The states before each byte of a name, as far as it goes on."""
    found: list[Any] = [machine.start()]
    for byte in name.encode():
        state = machine.step(found[-1], byte)
        if state is None:
            return found
        found.append(state)
    return found


def is_name(machine: DomainName, name: str) -> bool:
    found = states(machine, name)
    return len(found) == len(name.encode()) + 1 and machine.accepts(found[-1])


def random_names(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    names = []
    for _ in range(count):
        name = "".join(rng.choice(PARTS) for _ in range(rng.randint(1, 7)))
        if rng.random() < 0.3:
            label = "".join(c for c in name.lower() if c not in SEPARATORS)
            name = "xn--" + label.encode("punycode").decode() + rng.choice(["", ".a", ".0a", ".א"])
        names.append(name)
    return names


@pytest.mark.parametrize("seed", [1, 2])
def test_random_names_are_judged_as_by_the_idna_package(seed: int) -> None:
    agreed = {True: 0, False: 0}
    for name in random_names(seed, 500):
        expected = texts(name)
        assert is_name(ALL_NAMES, name) == expected, ascii(name)
        assert is_name(ASCII_NAMES, name) == (expected and name.isascii()), ascii(name)
        agreed[expected] += 1
    assert min(agreed.values()) > 50


@pytest.mark.parametrize("machine", [ASCII_NAMES, ALL_NAMES], ids=["hostname", "idn-hostname"])
def test_whatever_was_begun_can_be_finished(machine: DomainName) -> None:
    rng = random.Random(4)
    for name in random_names(7, 300):
        found = states(machine, name)
        index = rng.randrange(len(found))
        whole = name.encode()[:index] + machine.completion(found[index])
        assert texts(whole.decode()), ascii(whole.decode())


DEAD = [
    (ASCII_NAMES, "ab--"),
    (ASCII_NAMES, "-"),
    (ASCII_NAMES, "a" * 64),
    (ASCII_NAMES, "a" * 62 + "--"),
    (ASCII_NAMES, ".".join(["a" * 63] * 3) + "." + "a" * 62),
    (ALL_NAMES, "aא"),
    (ALL_NAMES, "0a.א"),
    (ALL_NAMES, "א.0"),
    (ALL_NAMES, "·"),
    (ALL_NAMES, "l·a"),
    (ALL_NAMES, "a\u0301"),
    (ALL_NAMES, "\u0301"),
    (ALL_NAMES, "Aé"),
    (ALL_NAMES, "Xn00é"),
    (ALL_NAMES, "\u200d"),
    (ALL_NAMES, "xn--é"),
    (ALL_NAMES, "ü" * 60),
]


@pytest.mark.parametrize(("machine", "name"), DEAD, ids=[ascii(name)[:30] for _, name in DEAD])
def test_what_no_name_begins_with_is_dead(machine: DomainName, name: str) -> None:
    assert len(states(machine, name)) <= len(name.encode())


WAITING = [
    ("l·", "l"),
    ("α͵", "α"),
    ("・", "ァ"),
    ("a-", "a"),
    ("ب\u200c", "ب"),
    ("א-", "א"),
    ("xn--fa-hi", "a"),
]


@pytest.mark.parametrize(("begun", "end"), WAITING)
def test_a_label_that_waits_for_a_character_is_alive(begun: str, end: str) -> None:
    found = states(ALL_NAMES, begun)
    assert len(found) == len(begun.encode()) + 1
    assert not ALL_NAMES.accepts(found[-1])
    assert is_name(ALL_NAMES, begun + end)


@pytest.mark.parametrize(
    ("begun", "possible", "impossible"),
    [
        ("", range(1, 254), [0, 254]),
        ("a" * 63, [0, 2, 3, 190], [1, 191]),
        ("a" * 61 + "-", [1, 3, 4], [0, 2]),
        ("a.", [1, 2, 251], [0, 252]),
        ("xn--td", [1, 3, 4, 247], [0, 248]),
    ],
)
def test_lengths_of_names_are_exact(begun: str, possible: list[int], impossible: list[int]) -> None:
    state = states(ASCII_NAMES, begun)[-1]
    for size in possible:
        assert ASCII_NAMES.has_length(state, size, size), size
    for size in impossible:
        assert not ASCII_NAMES.has_length(state, size, size), size


CASES = [
    ({"format": "hostname", "maxLength": 5}, ["a.b", "xn--a"[:4].rstrip("-")], ["a.bcde", "xn--fa-hia"]),
    ({"format": "hostname", "pattern": "\\.com$"}, ["a.com", "b.a.com"], ["a.org", "-.com"]),
    ({"format": "hostname", "pattern": "^xn--"}, ["xn--fa-hia"], ["a", "xn--X"]),
    ({"format": "hostname", "enum": ["a_b", "ab", "xn--X"]}, ["ab"], ["a_b", "xn--X"]),
    ({"not": {"format": "idn-hostname"}}, ["", "a_b", "Ä"], ["ä", "a.b"]),
    ({"format": "idn-hostname", "minLength": 4}, ["faß.de", "aaaa"], ["aß", "é" * 60]),
]


@pytest.mark.parametrize(("schema", "inside", "outside"), CASES)
def test_names_combine_with_other_keywords(
    schema: dict[str, Any], inside: list[str], outside: list[str]
) -> None:
    constraint = constrain.compile_json_schema({"type": "string", **schema})
    for text in inside:
        assert constraint.accepts(json.dumps(text, ensure_ascii=False)), text
    for text in outside:
        assert not constraint.accepts(json.dumps(text, ensure_ascii=False)), text


def test_letters_that_are_not_told_apart_leave_the_label_as_long_and_as_written() -> None:
    rng = random.Random(6)
    compared = 0
    for _ in range(4000):
        text = "".join(rng.choice("abxl09-éαב一ü") for _ in range(rng.randint(1, 30)))
        begin = "".join(rng.choice("abl0-é") for _ in range(rng.randint(1, 20)))
        if len(states(ALL_NAMES, begin)) <= len(begin.encode()):
            continue
        label, other = label_of(begin + text), label_of(_indistinct(begin) + text)
        assert label == other, (begin, text)
        compared += label is not None
    assert compared > 300


#: Labels of 63 octets; without its last letter each has 64.
SHORTENED = [
    "\u03b8\ud682\u03b5\u03b5\u7271v\u03b5\u03bc\xfb\u03b5\xf9\U00010352\u03b5\U00025226u\xfb\xfb\u03b5\u03ba\u03b8"
    "\xfb\U00010352\u03bd\u043b\u03ba\u03ba\U00010352\u03b5\U00010352\xfb\U00010352" + end
    for end in ("\u03b6", "\u03bb")
]


@pytest.mark.parametrize("label", SHORTENED, ids=ascii)
def test_a_letter_can_make_an_a_label_shorter(label: str) -> None:
    assert len(idna.alabel(label)) == 63
    assert len(label[:-1].encode("punycode")) == 60
    constraint = constrain.compile({"type": "string", "format": "idn-hostname"})
    assert constraint.accepts(json.dumps(label, ensure_ascii=False))
    assert constraint.accepts(json.dumps(f"a.{label}.org", ensure_ascii=False))
    assert not constraint.accepts(json.dumps(label[:-1], ensure_ascii=False))


def test_names_of_as_many_octets_as_a_label_may_have() -> None:
    """Where little room is left, characters that a label has already are those that fit."""
    constraint = constrain.compile({"type": "string", "format": "idn-hostname"})
    rng = random.Random(5)
    judged = [0, 0]
    for _ in range(700):
        some = rng.choices(
            ["a", "m", "é", "ß", "α", "ж", "가", "一", "\U00010352", "\U00020000", "\U00025226"], k=5
        )
        label = "".join(rng.choices(some, k=rng.randint(20, 45)))
        if not 57 <= len(label.encode("punycode")) <= 61:
            continue
        try:
            is_valid = len(idna.alabel(label)) <= 63
        except UnicodeError:
            is_valid = False
        judged[is_valid] += 1
        assert constraint.accepts(json.dumps(label, ensure_ascii=False)) == is_valid, ascii(label)
    assert min(judged) > 10
