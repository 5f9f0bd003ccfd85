"""Languages and their derivatives against sets of words."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constrain.automata.languages_cy import NOTHING
from constrain.automata.occurring_bytes import have_no_member
from constrain.errors import LimitExceeded
from tests.support.language_builds import BUILDS, Build, accepts, builds
from tests.support.random_languages import ALPHABET, LONGEST, TEXTS, random_language


def contains(languages: object, language: object, text: bytes) -> bool:
    for byte in text:
        language = languages.derivative(language, byte)  # type: ignore[attr-defined]
    return bool(language.nullable)  # type: ignore[attr-defined]


@builds
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 6])
def test_members_are_those_of_the_definition(build: Build, depth: int) -> None:
    rng = random.Random(depth)
    for _ in range(60):
        languages = build.languages()
        language, members = random_language(rng, languages, depth)
        for text in TEXTS:
            assert contains(languages, language, text.encode()) == (text in members), text


@builds
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_emptiness_is_exact(build: Build, depth: int) -> None:
    rng = random.Random(100 + depth)
    for _ in range(80):
        languages = build.languages()
        language, members = random_language(rng, languages, depth)
        letters = languages.union(*[languages.literal(letter.encode()) for letter in ALPHABET])
        short = languages.intersection(language, languages.repeat(letters, 0, LONGEST))
        assert languages.is_empty(short) == (not members)


@builds
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_bytes_of_members_are_among_those_that_occur(build: Build, depth: int) -> None:
    rng = random.Random(150 + depth)
    refuted = 0
    for _ in range(200):
        languages = build.languages()
        language, members = random_language(rng, languages, depth)
        other, others = random_language(rng, languages, 2)
        both = languages.intersection(language, other)
        known: dict[Any, Any] = {}
        is_refuted = have_no_member(both, known)
        refuted += is_refuted and both.kind != NOTHING
        assert not (is_refuted and members & others)
        for node, texts in ((language, members), (other, others), (both, members & others)):
            have_no_member(node, known)
            each, some = divmod(known[node], 1 << 256)
            for text in texts:
                own = sum(1 << byte for byte in set(text.encode()))
                assert own & each == each, text
                assert own & ~some == 0, text
    assert refuted


@builds
def test_a_byte_that_is_missing_needs_no_search(build: Build) -> None:
    languages = build.languages()
    digits = languages.byte_range(0x30, 0x39)
    clock = languages.concat(languages.repeat(digits, 40, 60), languages.literal(b"t"))
    wanted = languages.concat(
        languages.any_text, languages.literal(b"T"), languages.repeat(digits, 3, 9), languages.any_text
    )
    both = languages.intersection(clock, wanted)
    before = languages.size
    assert languages.is_empty(both)
    assert languages.size - before < 10


@builds
@pytest.mark.parametrize("depth", [2, 4])
def test_derivatives_are_constant_between_cuts(build: Build, depth: int) -> None:
    rng = random.Random(200 + depth)
    for _ in range(30):
        languages = build.languages()
        language, _ = random_language(rng, languages, depth)
        starts = languages.segments(language.cuts)
        for byte in range(256):
            first = max(start for start in starts if start <= byte)
            assert languages.derivative(language, byte) is languages.derivative(language, first)


@given(seed=st.integers(0, 10**9))
@settings(max_examples=100, deadline=None)
def test_normal_forms_obey_the_laws(seed: int) -> None:
    languages = BUILDS[0].languages()
    rng = random.Random(seed)
    a, b, c = [random_language(rng, languages, 2)[0] for _ in range(3)]
    nothing, empty, text = languages.nothing, languages.empty, languages.any_text
    assert languages.union(a, b) is languages.union(b, a)
    assert languages.union(a, a) is a
    assert languages.union(a, nothing) is a
    assert languages.union(a, text) is text
    assert languages.intersection(a, b) is languages.intersection(b, a)
    assert languages.intersection(a, a) is a
    assert languages.intersection(a, text) is a
    assert languages.intersection(a, nothing) is nothing
    assert languages.concat(a, nothing) is nothing
    assert languages.concat(empty, a, empty) is a
    assert languages.concat(languages.concat(a, b), c) is languages.concat(a, languages.concat(b, c))
    assert languages.complement(languages.complement(a)) is a
    assert languages.difference(a, a) is nothing
    assert languages.repeat(languages.repeat(a, 0, None), 0, None) is languages.repeat(a, 0, None)


@builds
@pytest.mark.parametrize(
    "ranges",
    [
        [(0, 0x10FFFF)],
        [(0x7F, 0x80)],
        [(0x7FF, 0x800)],
        [(0xD7FF, 0xE000)],
        [(0xD800, 0xDFFF)],
        [(0xFFFF, 0x10000)],
        [(0x3FFFF, 0x40000), (0xFFFFF, 0x100000)],
        [(0x41, 0x5A), (0xC0, 0x24F), (0x4E00, 0x9FFF)],
    ],
)
def test_characters_are_the_utf8_of_the_ranges(build: Build, ranges: list[tuple[int, int]]) -> None:
    languages = build.languages()
    language = languages.characters(ranges)
    edges = {0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF}
    edges |= {point + step for pair in ranges for point in pair for step in (-1, 0, 1)}
    for point in edges:
        if 0 <= point <= 0x10FFFF and not 0xD800 <= point < 0xE000:
            inside = any(low <= point <= high for low, high in ranges)
            assert contains(languages, language, chr(point).encode()) == inside, hex(point)
    for encoded in (b"\xed\xa0\x80", b"\xc0\x80", b"\xe0\x80\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xff"):
        assert not contains(languages, language, encoded)


@builds
def test_words_are_the_members_of_literals(build: Build) -> None:
    rng = random.Random(1)
    languages = build.languages()
    words = {"".join(rng.choice("abcé") for _ in range(rng.randrange(7))).encode() for _ in range(300)}
    language = languages.literals(words)
    assert language is languages.literals(sorted(words, reverse=True))
    for word in words:
        for other in (word, word[:-1], word + b"a", word[:2] + b"c" + word[2:]):
            assert contains(languages, language, other) == (other in words)
    assert languages.literals([]) is languages.nothing
    assert languages.literals([b"abc"]) is languages.literal(b"abc")
    assert contains(languages, languages.literals([b"\xff", b"a"]), b"\xff")


def test_a_hundred_thousand_names_are_one_list() -> None:
    languages = BUILDS[0].languages()
    names = [f"name {number * 7919 % 1000003}".encode() for number in range(100_000)]
    start = time.perf_counter()
    language = languages.literals(names)
    assert contains(languages, language, names[17])
    assert not contains(languages, language, names[17] + b"x")
    assert time.perf_counter() - start < 2
    assert languages.size < 500


@builds
def test_counters_are_not_unrolled(build: Build) -> None:
    languages = build.languages()
    before = languages.size
    language = languages.repeat(languages.any_character, 10, 10**9)
    nested = languages.repeat(languages.repeat(languages.any_character, 1, 1000), 1, 1000)
    assert nested is languages.repeat(languages.any_character, 1, 10**6)
    for _ in range(20):
        language = languages.derivative(language, 97)
    assert language.nullable
    assert languages.size < before + 50


@builds
def test_a_variable_is_its_definition(build: Build) -> None:
    """{ a^n c : no suffix of it starts with aaa }, as the tempered loop that it is."""
    languages = build.languages()
    loop = languages.variable(False)
    a, c = languages.literal(b"a"), languages.literal(b"c")
    guard = languages.concat(languages.literal(b"aaa"), languages.any_text)
    body = languages.difference(languages.concat(a, loop), guard)
    languages.define(loop, languages.union(c, body))
    automaton = build.lazy_dfa(languages, loop)
    for n in range(6):
        assert accepts(automaton, "a" * n + "c") == (n < 3)
    with pytest.raises(ValueError, match="once"):
        languages.define(loop, c)


@builds
def test_depth_is_no_danger(build: Build) -> None:
    languages = build.languages()
    language = languages.literal(b"x")
    for _ in range(800):
        language = languages.repeat(languages.concat(language, languages.literal(b"y")), 0, 1)
    assert contains(languages, language, b"x" + b"y" * 800)
    chain = languages.concat(
        *[languages.repeat(languages.byte_range(97, 97 + n % 20), 0, 1) for n in range(600)]
    )
    assert contains(languages, chain, b"abc")


@builds
def test_budgets_raise_limit_exceeded(build: Build) -> None:
    languages = build.languages(max_steps=50)
    long = languages.repeat(languages.union(languages.literal(b"aa"), languages.literal(b"b")), 200, 200)
    other = languages.repeat(languages.union(languages.literal(b"ab"), languages.literal(b"b")), 150, 170)
    with pytest.raises(LimitExceeded):
        languages.is_empty(languages.intersection(long, other))
    small = build.languages(max_nodes=60)
    with pytest.raises(LimitExceeded):
        small.literal(bytes(range(32, 127)))
