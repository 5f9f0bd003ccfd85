"""Patterns against other engines: `regress` (ECMA-262) and, for what it shares with it, `re`."""

from __future__ import annotations

import itertools
import random
import re
import time
from typing import Any

import pytest

from constrain.automata.languages_cy import Languages
from constrain.automata.lazy_dfa_cy import LazyDfa
from constrain.errors import LimitExceeded, SchemaError, UnsupportedError
from constrain.frontends.json_schema.patterns import pattern_language
from tests.support.language_builds import accepts
from tests.support.regex_matcher import finds

TEXTS = ["".join(word) for size in range(5) for word in itertools.product("ab é", repeat=size)]


def automaton(pattern: str) -> Any:
    languages = Languages()
    return LazyDfa(languages, pattern_language(languages, pattern, location="#/pattern"))


def random_pattern(rng: random.Random, depth: int) -> str:
    kind = rng.randrange(16 if depth else 6)
    if kind < 3:
        return rng.choice(["a", "b", "ab", "ba", "a b", " ", "é"])
    if kind == 3:
        return rng.choice(["[ab]", "[^a]", "\\w", "\\W", ".", "\\s", "[a-é]", "[^]", "\\d"])
    if kind == 4:
        return rng.choice(["^", "$", "\\b", "\\B", "", "\\b"])
    if kind == 5:
        return rng.choice(["a*", "b+", "[ab]?", ".*", "(?:ab)*", "\\w{2}"])
    inner = random_pattern(rng, depth - 1)
    if kind < 9:
        return inner + random_pattern(rng, depth - 1)
    if kind == 9:
        return f"(?:{inner}|{random_pattern(rng, depth - 1)})"
    if kind == 10:
        return f"(?:{inner})" + rng.choice("*+?")
    if kind == 11:
        return f"({inner})" + rng.choice(["{2}", "{1,2}", "{0,2}?", "{2,}"])
    return rng.choice(["(?=", "(?!", "(?<=", "(?<!"]) + inner + ")"


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_random_patterns_match_as_in_an_ecma_engine(depth: int) -> None:
    regress = pytest.importorskip("regress")
    rng = random.Random(depth)
    for _ in range(400):
        pattern = random_pattern(rng, depth)
        ours = automaton(pattern)
        theirs = regress.Regex(pattern, "u")
        for text in TEXTS:
            assert accepts(ours, text) == (theirs.find(text) is not None), (pattern, text)


def random_looks(rng: random.Random, depth: int) -> str:
    """A pattern of lookaheads and lookbehinds within each other, more often than not."""
    if depth and rng.random() < 0.5:
        look = rng.choice(["(?=", "(?!", "(?<=", "(?<!"]) + random_looks(rng, depth - 1) + ")"
        return rng.choice(["", "a", "[ab]"]) + look + rng.choice(["", "a", ".", " "])
    return random_pattern(rng, depth)


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_assertions_within_assertions_hold_where_a_plain_matcher_says(depth: int) -> None:
    rng = random.Random(depth)
    texts = rng.sample(TEXTS, 100)
    for _ in range(400):
        pattern = random_looks(rng, depth)
        ours = automaton(pattern)
        for text in texts:
            assert accepts(ours, text) == finds(pattern, text), (pattern, text)


#: Patterns that mean the same to Python's `re` with the ASCII flag, once `$` is `\Z`.
SHARED = [
    "",
    "a",
    "^a",
    "a$",
    "^a$",
    "^(?:a|b)+$",
    "a{2,3}b?",
    "^(a*)*b$",
    "(^a|b)(?: |$)",
    "(a|b$)",
    "a^b",
    "a$b",
    "(^|,)a",
    r"\ba\b",
    r"\Ba",
    r"^\b",
    r"a\b ",
    r"(?:\ba\b ?)+$",
    r"(?:^| )b",
    "^(?!ab).*$",
    "^(?=.*a)(?=.*b)",
    "^(?:(?!ab).)*$",
    "(?:(?=a)[ab])+ ",
    "(?<=a)b",
    "(?<!a)b",
    "(?<=^|b)a",
    "^(?:a(?!b)|b)*$",
    "(?:a$|b)+",
    r"(?:\b|a)*b",
    "^(?:(?=a)|b)* $",
    "(?:^a|^b){1,3}",
    "(?:(?<=a)b|a){2}",
]


@pytest.mark.parametrize("pattern", SHARED)
def test_assertions_hold_where_re_says(pattern: str) -> None:
    if "(?<=^|b)" in pattern:
        theirs = re.compile("(?:^|(?<=b))a")  # `re` wants lookbehinds of one width
    else:
        theirs = re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern), re.ASCII)
    ours = automaton(pattern)
    for text in TEXTS:
        assert accepts(ours, text) == (theirs.search(text) is not None), text


CASES: list[tuple[str, list[str], list[str]]] = [
    # pattern, texts with a match, texts without
    (r"^\t\n\v\f\r\0$", ["\t\n\v\f\r\0"], ["", "t"]),
    (r"^\cA\cz\x41\u0042\u{1F600}$", ["\x01\x1aAB\U0001f600"], ["AB"]),
    (r"^\uD83D\uDE00$", ["\U0001f600"], ["", "\ufffd"]),
    (r"\uD83D", [], ["", "\U0001f600", "D83D"]),
    (r"^[\uD83D\uDE00-\uD83D\uDE02]$", ["\U0001f601"], ["\U0001f603"]),
    ("^[\U0001f600-\U0001f602]$", ["\U0001f601"], ["\U0001f603"]),
    (r"^\-\_\@\%\"\'\ \/\#$", ["-_@%\"' /#"], [""]),
    (r"^[\w-.]$", ["-", ".", "a"], ["\\", "/"]),
    (r"^[a-c-e]$", ["a", "b", "c", "-", "e"], ["d"]),
    (r"^[-a]$", ["-", "a"], ["b"]),
    (r"^[\b]$", ["\b"], ["b"]),
    (r"^[]$", [], ["", "]"]),
    (r"^[^]$", ["\n", "]", "é"], ["", "ab"]),
    ("(?<=a(?=b))", ["ab", "xab"], ["a", "ac", "b"]),
    ("(?<=(?=ab)a)b", ["ab"], ["b", "bb"]),
    ("(?<=^a(?!.*c))b", ["ab"], ["abc", "cab"]),
    ("(?<!a(?=.c))b", ["abd", "bc", "bac"], ["abc"]),
    ("(?<=a$)", ["ba"], ["ab", ""]),
    ("(?<!a.{15})b", ["b", "a" * 15 + "b"], ["a" * 16, "a" * 16 + "c"]),
    (r"(?<=a\b)", ["a", "a b"], ["ab", "b"]),
    (r"(?<=(?<=a(?=bc))b(?=cd))c", ["abcd"], ["abc", "bcd"]),
    ("(?<=" * 8 + "a(?=b)" + ")" * 8 + "b", ["ab"], ["b", "ac"]),
    (r"^[^\d\s]$", ["a"], ["1", "\xa0", "\ufeff"]),
    (r"^[.*$^]$", [".", "*", "$", "^"], ["a"]),
    (r"^.$", ["a", "\x85", "\U0001f600"], ["\n", "\r", "\u2028", "\u2029"]),
    (r"^\s$", [" ", "\u00a0", "\ufeff", "\u2003", "\u2028"], ["\u200b", "\x85", "\x1c"]),
    (r"^\d$", ["7"], ["\u0663"]),
    (r"^\w$", ["_", "Z"], ["é", "-"]),
    (r"a{,5}", ["a{,5}"], ["aaa"]),
    (r"^x{2$", ["x{2"], ["xx"]),
    (r"^]}$", ["]}"], [""]),
    (r"^(?<year>\d{4})$", ["1999"], ["199"]),
    (r"^(?:a|b)$", ["a"], ["ab"]),
    (r"^a+?$", ["aaa"], [""]),
    (r"^\p{Lu}\P{Lu}$", ["Éé"], ["éÉ"]),
    (r"^\p{General_Category=Decimal_Number}$", ["\u0663"], ["a"]),
    (r"^\p{L}+$", ["aé漢"], ["a1"]),
    (r"^[\p{N}_]+$", ["1²_"], ["a"]),
    (r"^\p{ASCII}\p{Any}$", ["aé"], ["éa"]),
    (r"^(foo|bar|baz|qux|one|two|three|four|five)$", ["foo", "three"], ["fo", "threefour"]),
    ("a\n$", ["a\n"], ["a"]),
    ("a$", ["a"], ["a\n"]),
]


@pytest.mark.parametrize(("pattern", "inside", "outside"), CASES, ids=[case[0] for case in CASES])
def test_syntax_means_what_ecma_262_says(pattern: str, inside: list[str], outside: list[str]) -> None:
    ours = automaton(pattern)
    for text in inside:
        assert accepts(ours, text), text
    for text in outside:
        assert not accepts(ours, text), text


def test_scripts_by_name_and_with_extensions() -> None:
    ours = automaton(r"^\p{Script=Greek}\p{sc=Latn}\p{Script_Extensions=Hira}$")
    assert accepts(ours, "αzー")
    assert not accepts(ours, "zαー")
    assert not accepts(automaton(r"^\p{Script=Hiragana}$"), "ー")
    with pytest.raises(SchemaError, match="no Unicode property"):
        automaton(r"\p{Script=Klingon}")


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "a)",
        "(?",
        "(?x)",
        "(?i)a",
        "[",
        "[a",
        "a**",
        "*",
        "+a",
        "{1}",
        "a{2,1}",
        "[b-a]",
        "\\",
        r"\Z",
        r"\a",
        r"\u{110000}",
        r"\c",
        r"\xg",
        "(?<!a)*",
        "^*",
        r"\b+",
        "(?<1>a)",
    ],
)
def test_malformed_patterns_are_schema_errors_with_a_position(pattern: str) -> None:
    with pytest.raises(SchemaError) as caught:
        automaton(pattern)
    assert caught.value.location == "#/pattern"
    assert caught.value.keyword == "pattern"
    assert "at character" in caught.value.reason or "at its end" in caught.value.reason


@pytest.mark.parametrize("pattern", [r"(a)\1", r"(?<x>a)\k<x>", "(?i:a)"])
def test_what_has_no_exact_translation_is_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        automaton(pattern)
    assert caught.value.location == "#/pattern"


def test_anchored_patterns_have_small_languages() -> None:
    languages = Languages()
    assert pattern_language(languages, "^abc$", location="#") is languages.literal(b"abc")
    letters = languages.characters([(97, 122)])
    assert pattern_language(languages, "^[a-z]+$", location="#") is languages.repeat(letters, 1, None)
    assert pattern_language(languages, "^[^]*$", location="#") is languages.any_text
    assert pattern_language(languages, "", location="#") is languages.any_text
    foo = languages.literal(b"foo")
    assert pattern_language(languages, "^foo", location="#") is languages.concat(foo, languages.any_text)
    assert pattern_language(languages, "a^b", location="#") is languages.nothing


HOSTILE = [
    "(a|a)*b",
    "(a*)*b",
    "(a+)+$",
    "(.{1,1000}){1,1000}",
    "^(.{1,1000}){1,1000}$",
    "^((.{1,100})x?){1,100}$",
    "(x+x+)+y",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(?:a?){50}a{50}",
    "a{1000000000}",
    "(" * 10_000 + "a" + ")" * 10_000,
    "(" * 10_000 + "a" + ")*" * 10_000,
    "(?:" * 5_000 + "a|" * 5_000 + ")" * 5_000,
    "(?=" * 200 + "a" + ")" * 200,
    "[" + "a-z" * 10_000 + "]",
    "a|" * 20_000,
    "(?:(?!ab)[ab]){0,100000}c",
    "x" * 100_000,
    "(?<=" + "[ab]" * 30 + "a[ab]{12})c",
    "(?<=" * 50 + "a(?=b)" + ")" * 50,
    "(?<=(?:(?=a)[ab]{1,30})+(?=b{9}))c",
    "(?:(?=a)(?:a|b?)){2,5000}c",
]


@pytest.mark.parametrize("pattern", HOSTILE, ids=[pattern[:40] for pattern in HOSTILE])
def test_hostile_patterns_end_quickly(pattern: str) -> None:
    start = time.process_time()
    try:
        ours = automaton(pattern)
        state = ours.start
        for byte in b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaabxxxxxxxxxxxxxxxxxxxxxxxxxxx":
            state = ours.step(state, byte) if state >= 0 else state
    except (LimitExceeded, SchemaError):
        pass
    assert time.process_time() - start < 6


def test_one_arena_translates_a_pattern_once() -> None:
    languages = Languages()
    first = pattern_language(languages, r"\bfoo\b", location="#/a")
    assert pattern_language(languages, r"\bfoo\b", location="#/b") is first
