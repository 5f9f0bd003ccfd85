"""The lazy automaton's answers about what can follow, against sets of words and arithmetic."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from constrain.automata.languages_cy import Languages
from constrain.automata.lengths import bounds, extent
from tests.support.language_builds import Build, accepts, builds
from tests.support.random_languages import ALPHABET, LONGEST, TEXTS, random_language


def short_part(languages: Any, language: Any) -> Any:
    letters = languages.union(*[languages.literal(letter.encode()) for letter in ALPHABET])
    return languages.intersection(language, languages.repeat(letters, 0, LONGEST))


@builds
@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_answers_agree_with_the_set_of_words(build: Build, depth: int) -> None:
    rng = random.Random(depth)
    for trial in range(60):
        languages = build.languages()
        language, members = random_language(rng, languages, depth)
        automaton = build.lazy_dfa(languages, short_part(languages, language))
        assert (automaton.start < 0) == (not members)
        if not members:
            continue
        start = automaton.start
        encoded = sorted(member.encode() for member in members)
        assert automaton.words(start, len(members)) == encoded
        assert automaton.words(start, len(members) - 1) is None
        completion = automaton.completion(start)
        assert completion in encoded
        assert len(completion) == min(map(len, encoded))
        sizes = {len(member) for member in members}
        for low in range(LONGEST + 2):
            for high in (*range(low, LONGEST + 2), 10**9, None):
                possible = [size for size in sizes if size >= low and (high is None or size <= high)]
                assert automaton.has_length(start, low, high) == bool(possible), (trial, low, high)
                if possible:
                    found = automaton.completion_of_length(start, low, high).decode()
                    assert found in members
                    assert len(found) == min(possible)


@builds
@pytest.mark.parametrize("depth", [2, 4])
def test_every_state_is_alive_and_every_dead_byte_is_dead(build: Build, depth: int) -> None:
    rng = random.Random(50 + depth)
    for _ in range(40):
        languages = build.languages()
        language, members = random_language(rng, languages, depth)
        automaton = build.lazy_dfa(languages, short_part(languages, language))
        prefixes = {member.encode()[:n] for member in members for n in range(len(member.encode()) + 1)}
        for text in TEXTS:
            state = automaton.start
            read = b""
            for byte in text.encode():
                if state < 0:
                    break
                live = automaton.live_bytes(state)
                assert {b for b in range(256) if live >> b & 1} == {
                    prefix[len(read)]
                    for prefix in prefixes
                    if len(prefix) > len(read) and prefix.startswith(read)
                }
                state = automaton.step(state, byte)
                read += bytes([byte])
                assert (state >= 0) == (read in prefixes)


@builds
def test_tracked_languages_are_told_beside_the_goal(build: Build) -> None:
    rng = random.Random(9)
    for _ in range(40):
        languages = build.languages()
        (goal, goal_set), (one, one_set), (two, two_set) = [
            random_language(rng, languages, 3) for _ in range(3)
        ]
        automaton = build.lazy_dfa(languages, goal, (one, two))
        for text in TEXTS:
            state = automaton.start
            for byte in text.encode():
                state = automaton.step(state, byte) if state >= 0 else state
            assert (state >= 0 and automaton.accepting(state)) == (text in goal_set)
            if state >= 0:
                assert automaton.outcome(state) == (text in one_set) + 2 * (text in two_set)


#: Pairs of counted blocks whose intersection has lengths that repeat.
BLOCKS = [((2,), (3,)), ((2, 3), (5,)), ((4, 6), (9,)), ((1,), (7,)), ((6,), (10, 15))]


@builds
@pytest.mark.parametrize(("left", "right"), BLOCKS)
def test_lengths_that_repeat_are_exact(build: Build, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    languages = build.languages()
    letter = languages.characters([(97, 98), (0x20AC, 0x20AC)])

    def blocks(sizes: tuple[int, ...]) -> Any:
        return languages.repeat(languages.union(*[languages.repeat(letter, n, n) for n in sizes]), 0, None)

    def sums(sizes: tuple[int, ...], top: int) -> set[int]:
        reached = {0}
        for total in range(1, top):
            if any(total - size in reached for size in sizes):
                reached.add(total)
        return reached

    top = 800
    possible = sums(left, top) & sums(right, top)
    head = languages.concat(
        languages.literals([b"x", b"xyz"]), languages.intersection(blocks(left), blocks(right))
    )
    automaton = build.lazy_dfa(languages, head)
    shifted = {size + more for size in possible for more in (1, 3)}
    for low, high in itertools.product(range(0, 130, 7), (0, 1, 2, 5, 30)):
        expected = any(low <= size <= low + high for size in shifted)
        assert automaton.has_length(automaton.start, low, low + high) == expected, (low, high)
    # Every pair above repeats with a divisor of 630.
    for low in (10**6, 10**9 + 1):
        expected = any((size - low) % 630 == 0 for size in shifted if 100 <= size < 100 + 630)
        assert automaton.has_length(automaton.start, low, low) == expected
    assert automaton.has_length(automaton.start, 10**9, None)


@builds
def test_lengths_of_members_that_only_part_of_the_states_tell(build: Build) -> None:
    """Texts of a's without the block bb, followed by a's in threes: the tail tells its lengths itself."""
    languages = build.languages()
    a, b = languages.literal(b"a"), languages.literal(b"b")
    either = languages.repeat(languages.union(a, b), 0, None)
    twice = languages.repeat(languages.concat(a, a), 0, None)
    odd = languages.difference(twice, languages.literal(b"aa"))
    goal = languages.concat(odd, b, languages.repeat(languages.literal(b"aaa"), 0, None))
    automaton = build.lazy_dfa(languages, languages.intersection(goal, either))
    sizes = {x + 1 + 3 * y for x in (0, *range(4, 200, 2)) for y in range(70)}
    for size in range(60):
        assert automaton.has_length(automaton.start, size, size) == (size in sizes), size
    assert automaton.has_length(automaton.start, 10**9, 10**9 + 1)


@builds
def test_large_bounds_are_answered_without_unrolling(build: Build) -> None:
    languages = build.languages()
    word = languages.repeat(languages.characters([(97, 122)]), 3, 10**9)
    automaton = build.lazy_dfa(languages, word)
    start = automaton.start
    assert automaton.has_length(start, 10**9, 10**9)
    assert not automaton.has_length(start, 10**9 + 1, None)
    assert not automaton.has_length(start, 0, 2)
    assert automaton.completion(start) == b"aaa"
    assert len(automaton.completion_of_length(start, 40, 50)) == 40
    assert automaton.words(start, 1000) is None
    assert automaton.size < 60


@builds
def test_completions_prefer_plain_bytes_and_end_characters(build: Build) -> None:
    languages = build.languages()
    automaton = build.lazy_dfa(languages, languages.concat(languages.any_character, languages.any_character))
    assert automaton.completion(automaton.start) == b"00"
    inside = automaton.step(automaton.start, 0xE2)
    assert (b"\xe2" + automaton.completion(inside)).decode()[1:] == "0"
    assert automaton.has_length(inside, 1, 1)
    assert not automaton.has_length(inside, 0, 0)


@builds
def test_universal_states_are_those_where_nothing_matters(build: Build) -> None:
    languages = build.languages()
    prefixed = languages.concat(languages.literal(b"x"), languages.any_text)
    automaton = build.lazy_dfa(languages, languages.any_text, (prefixed,))
    assert not automaton.is_universal(automaton.start)
    assert automaton.is_universal(automaton.step(automaton.start, ord("x")))
    assert automaton.is_universal(automaton.step(automaton.start, ord("y")))
    assert not automaton.is_universal(automaton.step(automaton.start, 0xC3))


@builds
def test_goals_outside_utf8_lose_what_no_text_can_finish(build: Build) -> None:
    languages = build.languages()
    goal = languages.repeat(languages.byte_range(0x61, 0xFF), 2, 2)
    automaton = build.lazy_dfa(languages, goal)
    words = automaton.words(automaton.start, 10_000)
    assert words is not None
    expected = {bytes(pair) for pair in itertools.product(range(0x61, 0x100), repeat=2)}
    assert set(words) == {word for word in expected if _is_text(word)}
    assert not accepts(automaton, b"\xff\xff")


def _is_text(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True


@builds
def test_no_text_is_a_dead_end_where_it_is_said(build: Build) -> None:
    rng = random.Random(7)
    said = 0
    for _ in range(200):
        languages = build.languages()
        found = random_language(rng, languages, 2)[0]
        other = random_language(rng, languages, 2)[0]
        searched = languages.concat(languages.any_text, found)
        parts = [searched, languages.concat(languages.any_text, other)]
        language = rng.choice(
            [
                searched,
                languages.union(*parts),
                languages.intersection(*parts),
                languages.union(found, parts[1]),
            ]
        )
        automaton = build.lazy_dfa(languages, language)
        for text in TEXTS:
            state = automaton.start
            for byte in text.encode():
                state = automaton.step(state, byte) if state >= 0 else state
            if state < 0 or not automaton.is_endless(state):
                continue
            said += 1
            for more in TEXTS[:40]:
                after = state
                for byte in more.encode():
                    after = automaton.step(after, byte) if after >= 0 else after
                assert after >= 0, (text, more)
    assert said > 1000


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_members_keep_the_bounds_of_their_lengths(depth: int) -> None:
    rng = random.Random(90 + depth)
    bounded = 0
    for _ in range(300):
        languages = Languages()
        language, members = random_language(rng, languages, depth)
        for low, high in (extent(languages, language), bounds(languages, language)):
            bounded += high is not None
            assert all(low <= len(member) and (high is None or len(member) <= high) for member in members)
    assert bounded > 20
