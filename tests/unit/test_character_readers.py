"""Readers of characters: bytes between two cuts do the same, and characters that are alike share their states."""

from __future__ import annotations

import random
from typing import Any

import pytest

from constrain.automata.languages_cy import Languages
from constrain.automata.lazy_dfa_cy import LazyDfa
from constrain.automata.text_machines import TextMachine
from constrain.frontends.json_schema.domain_names import DomainName
from constrain.frontends.json_schema.leap_seconds import LeapSecond
from constrain.frontends.json_schema.regex_syntax import RegexSyntax

MACHINES: dict[str, TextMachine] = {
    "regex": RegexSyntax(),
    "hostname": DomainName(False),
    "idn-hostname": DomainName(True),
    "leap second": LeapSecond(),
}
TEXTS = {
    "regex": [r"a(?:b|[c-é]){2,3}\d\p{Lu}$", r"(?<ñ>x)\k<ñ>(?=ü)", r"[^\]\u00e9-ﬀ]*?\cA\x41"],
    "hostname": ["www.example-1.org", "a.Xn--bcher-kva.de", "x.xn.xna-b.1-x.x--n.org"],
    "idn-hostname": ["bücher.例え.com", "xn--bcher-kva.de"],
    "leap second": ["23:59:60.25Z", "05:29:60+05:30"],
}


def _states(name: str) -> list[tuple[Any, bytes]]:
    machine = MACHINES[name]
    found = []
    for text in TEXTS[name]:
        state = machine.start()
        for byte in text.encode():
            found.append(state)
            after = machine.step(state, byte)
            assert after is not None, (text, state)
            state = after
        assert machine.accepts(state)
        found.append(state)
    return found


@pytest.mark.parametrize("name", MACHINES)
def test_bytes_between_two_cuts_do_the_same(name: str) -> None:
    machine = MACHINES[name]
    for state in _states(name):
        cuts = machine.cuts(state)
        for byte in range(1, 256):
            if not cuts >> byte & 1:
                assert machine.step(state, byte) == machine.step(state, byte - 1), (state, byte)


@pytest.mark.parametrize("name", MACHINES)
def test_characters_that_are_alike_lead_to_one_state(name: str) -> None:
    rng = random.Random(1)
    machine = MACHINES[name]
    characters = [
        *(chr(rng.choice((0x80, 0x800, 0x10000)) + rng.randrange(0x700)) for _ in range(60)),
        "\ud7ff",
        "\ue000",
    ]
    characters += ["\u0fff", "\u1000", "\U0003ffff", "\U00040000", "\U0010ffff"]
    for state, begun in _states(name):
        if begun or not machine.is_alike_beyond_ascii(state):
            continue
        targets = {machine.read(state, ord(character)) for character in characters}
        assert len(targets) == 1
        for character in characters:
            after: Any = (state, b"")
            for byte in character.encode():
                after = machine.step(after, byte)
            assert after == (machine.read(state, ord(character)), b"")
        # No other byte completes such a character than completes it in UTF-8.
        for lead in (0xE0, 0xED, 0xF0, 0xF4, 0xE1, 0xF1, 0xC2):
            for second in range(0x80, 0xC0):
                text = bytes((lead, second)) + b"\x80" * (0 if lead < 0xE0 else 1 if lead < 0xF0 else 2)
                is_text = text.decode(errors="ignore").encode() == text
                after = (state, b"")
                for byte in text:
                    after = None if after is None else machine.step(after, byte)
                assert (after is not None) == is_text, text


def test_patterns_have_few_states_beyond_ascii() -> None:
    languages = Languages()
    automaton = LazyDfa(languages, languages.machine(RegexSyntax()))
    state = automaton.start
    for character in (chr(code) for code in range(0xA0, 0x3000, 7)):
        for byte in character.encode():
            state = automaton.step(state, byte)
            assert state >= 0
    # By code points there would be thousands.
    assert automaton.size < 20
