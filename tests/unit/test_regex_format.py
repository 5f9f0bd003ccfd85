"""The format `regex`: the early errors of ECMA-262, and an independent engine of it."""

from __future__ import annotations

import random
from typing import Any

import pytest

import constrain
from constrain.automata.languages_cy import Languages
from constrain.automata.lazy_dfa_cy import LazyDfa
from constrain.errors import UnsatisfiableError
from constrain.frontends.json_schema.regex_syntax import RegexSyntax

VALID = [
    "",
    "([abc])+\\s+$",
    "a{2,3}?",
    "(?<year>\\d{4})-\\k<year>",
    "\\k<later>(?<later>a)",
    "\\2()()",
    "[\\b\\-a-z]",
    "[a-]",
    "[]",
    "[^]",
    "[\\uD83D\\uDE00-\\uD83D\\uDE01]",
    "[\\u{1F600}-😁]",
    "\\p{L}\\P{Script=Greek}\\p{gc=Lu}",
    "(?<=a)b(?<!c)(?=d)(?!e)",
    "\\0",
    "\\cJ\\x41\\/",
    "(?<\\u0061é>x)",
    "\\uD83D\\u{1F600}",
]
MALFORMED = [
    "^(abc]",
    "a**",
    "*",
    "{1}",
    "a{",
    "a}",
    "]",
    "a{2,1}",
    "[z-a]",
    "[\\d-z]",
    "[a-\\d]",
    "\\a",
    "\\Z",
    "\\-",
    "\\1",
    "()\\2",
    "\\k<a>",
    "\\k",
    "(?<a>x)(?<a>y)",
    "(?<1>x)",
    "(?=a)*",
    "(?<=a)+",
    "\\b+",
    "\\00",
    "[\\1]",
    "\\u{110000}",
    "\\u12",
    "\\p{NoSuch}",
    "(?",
    "[\\u{1F600}-\\uD83D]",
    "\\",
]
TOKENS = [
    *"abk([)]{}*+?.^$|-,:1209é😀",
    *("(?:", "(?=", "(?<!", "(?<a>", "(?<b>", "\\k<a>", "\\1", "\\12", "{2}", "{3,1}", "[^", "[a-", "-z]"),
    *("\\d", "\\-", "\\u{", "\\u{1F600}", "\\u00", "\\x4", "\\cA", "\\p{L}", "\\P{gc=Lu}", "[\\b]", "\\/"),
]


def read(machine: RegexSyntax, text: str) -> Any:
    state: Any = machine.initial()
    for character in text:
        state = machine.read(state, ord(character))
        if state is None:
            return None
    return state


def is_pattern(machine: RegexSyntax, text: str) -> bool:
    state = read(machine, text)
    return state is not None and machine.accepts_at(state)


@pytest.mark.parametrize("pattern", VALID)
def test_patterns_of_the_specification_are_read(pattern: str) -> None:
    assert is_pattern(RegexSyntax(), pattern)


@pytest.mark.parametrize("pattern", MALFORMED)
def test_early_errors_are_refused(pattern: str) -> None:
    assert not is_pattern(RegexSyntax(), pattern)


def test_random_texts_are_patterns_as_an_ecma_engine_says() -> None:
    regress = pytest.importorskip("regress")
    machine = RegexSyntax()
    rng = random.Random(8)
    agreed = {True: 0, False: 0}
    for _ in range(8000):
        text = "".join(rng.choice(TOKENS) for _ in range(rng.randint(1, 7)))
        names = [name for name in ("(?<a>", "(?<b>") if text.count(name) > 1]
        if names or "\\b*" in text:
            # It takes names twice in different alternatives, as later editions do.
            continue
        try:
            regress.Regex(text, "u")
            expected = True
        except regress.RegressError:
            expected = False
        assert is_pattern(machine, text) == expected, text
        agreed[expected] += 1
    assert agreed[True] > 500


def test_what_is_begun_ends_with_the_shortest_pattern() -> None:
    machine = RegexSyntax()
    letters = [ord(letter) for letter in "aFd019]})>:=(u{\\xz-"]
    rng = random.Random(3)
    for _ in range(150):
        text = "".join(rng.choice(TOKENS) for _ in range(rng.randint(1, 5)))
        while (state := read(machine, text)) is None:
            text = text[:-1]
        end = machine.rest(state)
        assert is_pattern(machine, text + end), (text, end)
        # No shorter end exists among the letters that ends are made of.
        layer = {state}
        for size in range(min(len(end), 3)):
            assert not any(machine.accepts_at(one) for one in layer), (text, end, size)
            after = (machine.read(one, letter) for one in layer for letter in letters)
            layer = {one for one in after if one is not None}


@pytest.mark.parametrize(
    "text", ["[\\u4e00-\\u00", "[z-\\cA", "[é-b", "[一-é", "\\u{110", "(?<é\\u0020", "[\\d-a"]
)
def test_a_text_that_no_pattern_begins_with_is_dead(text: str) -> None:
    languages = Languages()
    automaton = LazyDfa(languages, languages.machine(RegexSyntax()))
    state = automaton.start
    for byte in text.encode():
        if state < 0:
            break
        state = automaton.step(state, byte)
    # Only \u{110 is alive yet: zeros may not follow, a brace may.
    assert (state < 0) == (text != "\\u{110")


def test_a_lead_byte_below_the_begin_of_a_range_is_dead() -> None:
    languages = Languages()
    automaton = LazyDfa(languages, languages.machine(RegexSyntax()))
    state = automaton.start
    for byte in "[一-".encode():
        state = automaton.step(state, byte)
    assert automaton.step(state, 0xC3) < 0
    assert automaton.step(state, 0xE4) >= 0
    assert automaton.step(state, 0xF0) >= 0


CASES = [
    ({"format": "regex", "maxLength": 3}, ["(a)", "[]", ""], ["(", "(ab)", "a{1}"]),
    ({"format": "regex", "enum": ["(", "()", "a**", "b"]}, ["()", "b"], ["(", "a**", "a"]),
    ({"format": "regex", "pattern": "^\\("}, ["(a)"], ["a", "("]),
    ({"not": {"format": "regex"}}, ["(", "*"], ["a", ""]),
    ({"anyOf": [{"format": "regex"}, {"maxLength": 1}]}, ["(", "(a)"], ["(a"]),
    ({"oneOf": [{"format": "regex"}, {"pattern": "^a"}]}, ["b", "a("], ["a", "("]),
]


@pytest.mark.parametrize(("schema", "inside", "outside"), CASES)
def test_the_format_combines_with_other_keywords(
    schema: dict[str, Any], inside: list[str], outside: list[str]
) -> None:
    import json

    constraint = constrain.compile_json_schema({"type": "string", **schema})
    for text in inside:
        assert constraint.accepts(json.dumps(text)), text
    for text in outside:
        assert not constraint.accepts(json.dumps(text)), text


def test_an_enumeration_of_malformed_patterns_is_unsatisfiable() -> None:
    with pytest.raises(UnsatisfiableError):
        constrain.compile_json_schema({"enum": ["(", "*"], "format": "regex"})
