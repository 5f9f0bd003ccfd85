"""Subtrees that a looping state takes whole: against stepping through them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from constrain.automata.languages_cy import Languages
from constrain.automata.lazy_dfa_cy import LazyDfa
from constrain.frontends.json_schema.patterns import pattern_language
from constrain.matching.character_classes_cy import loops, signatures
from constrain.vocabulary.token_trie_cy import TokenTrie

#: Characters with a class of their own are left out together with others that end alike.
TWINS = ["^[^\\u2028\\u3028]*$", "^[^\\u2028\\u2068]*$", "^[^\\u00a0\\u0120]*$", "^[^\\u3000\\u4000]*$"]
PATTERNS = [".*", "a", "^[a-z]*$", "^[^é]*$", "^[0-9a-f]*$", "^[ -~]*$", "^.*b.*$", "^(ab)*$", "[é-ü]"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_all_below_goes_on_where_the_signature_says_so(pattern: str) -> None:
    languages = Languages()
    automaton = LazyDfa(languages, pattern_language(languages, pattern, location="#"))
    rng = random.Random(pattern)
    letters = [*"abz09AF ~", "é", "日", "😀"]
    words = {("".join(rng.choices(letters, k=rng.randint(1, 5)))).encode() for _ in range(300)}
    words |= {word[: rng.randint(1, len(word))] for word in words} | {b"\x80", b"a\x80", b"\xff", b"\xc3\xc3"}
    ordered = sorted(words)
    offsets = np.concatenate(([0], np.cumsum([len(word) for word in ordered]))).astype(np.int32)
    trie = TokenTrie(b"".join(ordered), offsets)
    signature = signatures(trie)
    states = [automaton.start]
    for state in states:
        for byte in range(256):
            after = automaton.step(state, byte)
            if after >= 0 and after not in states:
                states.append(after)
    taken = 0
    for state in states:
        if signature[0] & ~loops(automaton, state):
            continue
        taken += 1
        for word in ordered:
            here = state
            for byte in word:
                here = automaton.step(here, byte)
            assert here >= 0
    # Malformed words keep the root from being taken whole; without them some state takes all.
    good = [word for word in ordered if word.isascii()]
    offsets = np.concatenate(([0], np.cumsum([len(word) for word in good]))).astype(np.int32)
    plain = signatures(TokenTrie(b"".join(good), offsets))
    whole = [state for state in states if not plain[0] & ~loops(automaton, state)]
    for state in whole:
        for word in good:
            here = state
            for byte in word:
                here = automaton.step(here, byte)
            assert here == state
    assert taken == 0
    assert bool(whole) == (pattern in {".*", "a", "^[ -~]*$", "^[^é]*$", "^.*b.*$", "[é-ü]"})


@pytest.mark.parametrize(
    "pattern", [*PATTERNS, "^.*$", "^[^x]*$", "^[^\\u2028]*$", "^[\\u2000-\\u2fff]*$", *TWINS, "^\\S*$"]
)
def test_each_word_that_a_state_takes_whole_leads_back_to_it(pattern: str) -> None:
    languages = Languages()
    automaton = LazyDfa(languages, pattern_language(languages, pattern, location="#"))
    rng = random.Random(pattern)
    letters = [
        *"abxyz09AF ~{}",
        "é",
        "日",
        "\u2028",
        "\u2029",
        "\u2027",
        "\u2128",
        "😀",
        *"\u3028\u2068\u0120\u3000\u4000\xa0",
    ]
    words = {"".join(rng.choices(letters, k=rng.randint(1, 4))).encode() for _ in range(200)}
    words |= {word[:-1] for word in words} | {b"\xe2\x80", b"\x80\xa8"}
    state = automaton.start
    taken = set()
    for word in words:
        if not word:
            continue
        trie = TokenTrie(word, np.array([0, len(word)], dtype=np.int32))
        if not signatures(trie)[0] & ~loops(automaton, state):
            taken.add(word)
            here = state
            for byte in word:
                here = automaton.step(here, byte)
            # A word may end within a character; from there on it is not lost.
            assert here >= 0 if word.decode(errors="ignore").encode() != word else here == state, word
    if pattern == "^.*$":
        # A dot matches all but the separators.
        dots = {word for word in words if b"\xe2\x80\xa8" not in word and b"\xe2\x80\xa9" not in word}
        assert taken == dots - {b"", b"\x80\xa8"}
    if pattern == "^\\S*$":
        blanks = [" ", "\u2028", "\u2029", "\u3000", "\xa0"]
        assert {word for word in words if not any(blank.encode() in word for blank in blanks)} - {
            b"",
            b"\x80\xa8",
        } == taken
