"""Machines as leaves of the algebra of languages: a language that is not regular, by both builds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from constrain.automata.text_machines import TextMachine
from constrain.errors import LimitExceeded
from tests.support.language_builds import Build, accepts, builds


class Balanced(TextMachine):
    """Balanced parentheses and the letter é; the state is how many are open."""

    def initial(self) -> int:
        return 0

    def read(self, state: int, code_point: int) -> int | None:
        change = {0x28: 1, 0x29: -1, 0xE9: 0}.get(code_point)
        return None if change is None or state + change < 0 else state + change

    def among(self, state: int, low: int, high: int) -> Iterable[int]:
        return (0xE9,) if low <= 0xE9 <= high else ()

    def accepts_at(self, state: int) -> bool:
        return state == 0

    def rest(self, state: int) -> str:
        return ")" * state

    def reaches(self, state: int, low: int, high: int | None) -> bool:
        return high is None or high >= state


TEXTS = ["".join(word) for size in range(6) for word in itertools.product("()é", repeat=size)]


def is_balanced(text: str) -> bool:
    depth = 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 0:
            return False
    return depth == 0


@builds
def test_a_machine_is_a_language(build: Build) -> None:
    languages = build.languages()
    automaton = build.lazy_dfa(languages, languages.machine(Balanced()))
    for text in TEXTS:
        assert accepts(automaton, text) == is_balanced(text), text
    assert not accepts(automaton, "è")
    assert not accepts(automaton, "a")


@builds
def test_machines_combine_with_regular_languages(build: Build) -> None:
    languages = build.languages()
    balanced = languages.machine(Balanced())
    opens = languages.concat(languages.literal(b"("), languages.any_text)
    three = languages.repeat(languages.any_character, 2, 3)
    for language, holds in (
        (languages.intersection(balanced, opens), lambda text: is_balanced(text) and text[:1] == "("),
        (languages.intersection(balanced, three), lambda text: is_balanced(text) and 2 <= len(text) <= 3),
        (languages.complement(balanced), lambda text: not is_balanced(text)),
        (languages.difference(opens, balanced), lambda text: text[:1] == "(" and not is_balanced(text)),
        (languages.union(balanced, opens), lambda text: text[:1] == "(" or is_balanced(text)),
        (
            languages.concat(languages.literal("é".encode()), balanced),
            lambda text: text[:1] == "é" and is_balanced(text),
        ),
    ):
        automaton = build.lazy_dfa(languages, language)
        for text in TEXTS:
            assert accepts(automaton, text) == holds(text), text


@builds
def test_states_that_no_word_finishes_are_dead(build: Build) -> None:
    languages = build.languages()
    balanced = languages.machine(Balanced())
    automaton = build.lazy_dfa(languages, languages.intersection(balanced, languages.literal(b"(())")))
    assert automaton.completion(automaton.start) == b"(())"
    assert automaton.step(automaton.start, ord(")")) < 0
    assert languages.is_empty(languages.intersection(balanced, languages.literals([b"(", b"())", b")("])))
    short = languages.repeat(languages.any_character, 0, 3)
    state = build.lazy_dfa(languages, languages.intersection(balanced, short))
    here = state.step(state.start, ord("("))
    assert here >= 0
    assert state.step(here, ord("(")) < 0


@builds
def test_lengths_are_those_of_the_machine(build: Build) -> None:
    languages = build.languages()
    automaton = build.lazy_dfa(languages, languages.machine(Balanced()))
    state = automaton.start
    for _ in range(300):
        state = automaton.step(state, ord("("))
    assert automaton.has_length(state, 0, 300)
    assert not automaton.has_length(state, 0, 299)
    assert automaton.completion(state) == b")" * 300
    assert automaton.completion_of_length(state, 0, None) == b")" * 300


@builds
def test_what_has_no_end_meets_a_budget(build: Build) -> None:
    languages = build.languages(max_steps=2_000)
    balanced = languages.machine(Balanced())
    # Only opening parentheses: the machine and the loop have no word in common but the empty one.
    loop = languages.concat(languages.literal(b"("), languages.repeat(languages.literal(b"("), 0, None))
    with pytest.raises(LimitExceeded):
        languages.is_empty(languages.intersection(balanced, loop))
