"""Completions: a text that finishes the document from a position.

What is being read is finished first: by the automaton of a scalar, by the plan of a container
(`object_plans`, `array_plans`), by a witness of a goal. Plans refer to goals that were proven
non-empty earlier, so completions are finite by construction. They are short, not shortest.
"""

from __future__ import annotations

from collections.abc import Iterator

from constrain.automata.formulas_cy import TRUE
from constrain.matching import modes
from constrain.matching.atoms import ARRAY, FALSE_LITERAL, NULL, NUMBER, OBJECT, TRUE_LITERAL
from constrain.matching.emptiness import Plan
from constrain.matching.escapes_cy import SHORT_ESCAPES, escaped_text
from constrain.matching.frames_cy import Frame, Goal
from constrain.matching.machine import Machine
from constrain.matching.position_cy import Position

__all__ = ["completion", "witness"]

_LITERALS = {NULL: b"null", FALSE_LITERAL: b"false", TRUE_LITERAL: b"true"}
_SPELLED = {decoded: letter for letter, decoded in SHORT_ESCAPES.items()}

#: So many completions behind values are remembered, up to a length; the bits of a frame's number.
_MOST_RESTS = 4096
_LONGEST_REST = 4096
_NUMBER_BITS = 32


def witness(machine: Machine, goal: int) -> bytes:
    """Return the compact text of a value that satisfies a non-empty goal."""
    parts: list[bytes] = []
    # Work from a stack: bytes are written, goals are expanded in place.
    stack: list[bytes | int] = [goal]
    while stack:
        item = stack.pop()
        if isinstance(item, bytes):
            parts.append(item)
            continue
        known = machine.witnesses.get(item)
        if known is not None:
            parts.append(known)
            continue
        kind, plan = (NULL, []) if item == TRUE else machine.emptiness.first_kind(item)
        if kind in (ARRAY, OBJECT):
            stack.append(b"]" if kind == ARRAY else b"}")
            for index, (key, member) in reversed(list(enumerate(plan))):
                stack.append(member)
                lead = b"" if kind == ARRAY else b'"' + escaped_text(key) + b'":'
                stack.append(b"," + lead if index else lead)
            stack.append(b"[" if kind == ARRAY else b"{")
        else:
            text = _scalar(machine, item, kind)
            machine.witnesses[item] = text
            parts.append(text)
    return b"".join(parts)


def _scalar(machine: Machine, goal: int, kind: int) -> bytes:
    if kind in _LITERALS:
        return _LITERALS[kind]
    if kind == NUMBER:
        number = machine.algebra.number_automaton(goal)
        return b"0" if goal == TRUE else number.completion(number.start)
    return b'"' + escaped_text(machine.algebra.text_plan(goal).witness()) + b'"'


def completion(machine: Machine, position: Position) -> bytes:
    """Return a text that finishes the document from `position`; empty if it may end there."""
    parts: list[bytes] = []
    here = position.copy()
    # After a value the rest depends on the frame alone: where it was met, and after how many parts.
    met: list[tuple[int, int]] = []
    while not here.accepting():
        if here.mode == modes.AFTER_VALUE and here.frame.graph is not None:
            key = here.frame.graph.serial << _NUMBER_BITS | here.frame.number
            known = machine.rests.get(key)
            if known is not None:
                parts.append(known)
                break
            met.append((key, len(parts)))
        for piece in _pieces(machine, here):
            parts.append(piece)
            for byte in piece:
                if not here.step(byte, here):
                    raise AssertionError(f"the completion {b''.join(parts)!r} is not in the language")
    rest = b""
    end = len(parts)
    for key, index in reversed(met):
        rest = b"".join(parts[index:end]) + rest
        end = index
        if len(rest) > _LONGEST_REST:
            break
        if len(machine.rests) >= _MOST_RESTS:
            machine.rests.clear()
        machine.rests[key] = rest
    return b"".join(parts)


def _pieces(machine: Machine, here: Position) -> Iterator[bytes]:
    """Yield what finishes the innermost thing that is being read; the caller reads it at once."""
    mode = here.mode
    if mode == modes.IN_STRING:
        yield _finish_escape(here)
        yield escaped_text(_rest_of_string(here)) + b'"'
    elif mode == modes.IN_NUMBER:
        number = here.automaton
        yield number.completion(here.state)
        if here.frame.parent is not None:
            # A number has no end of its own: what follows it in the container ends it.
            after = here.copy()
            here.end_number(after)
            yield from _close(machine, after.frame)
    elif mode == modes.IN_LITERAL:
        kind, place = divmod(here.state, 8)
        yield _LITERALS[kind][place:]
    elif mode == modes.IN_KEY:
        yield _finish_escape(here)
        yield escaped_text(_rest_of_key(here)) + b'"'
    elif mode == modes.COLON:
        yield b":"
        yield witness(machine, here.goal.formula)
    elif mode == modes.VALUE:
        yield witness(machine, here.goal.formula)
    elif mode == modes.NEXT_KEY:
        # A comma was read: one property at least has to follow.
        plan = here.frame.shape.plan(here.frame)
        if plan:
            yield from _members(machine, OBJECT, plan, b"", b"}")
        else:
            yield _one_property(machine, here.frame)
    elif mode in (modes.FIRST_KEY, modes.FIRST_ITEM):
        yield from _close(machine, here.frame, b"")
    else:
        yield from _close(machine, here.frame)


def _close(machine: Machine, frame: Frame, separator: bytes = b",") -> Iterator[bytes]:
    """Yield the members that complete a container, and its end."""
    end = b"}" if frame.kind == OBJECT else b"]"
    if frame.closable():
        yield end
    else:
        yield from _members(machine, frame.kind, frame.shape.plan(frame), separator, end)


def _members(machine: Machine, kind: int, plan: Plan, separator: bytes, end: bytes) -> Iterator[bytes]:
    for key, goal in plan:
        lead = b"" if kind == ARRAY else b'"' + escaped_text(key) + b'":'
        yield separator + lead + witness(machine, goal)
        separator = b","
    yield end


def _one_property(machine: Machine, frame: Frame) -> bytes:
    """Return the text of one offered property of an object that needs none."""
    names, _, automaton, _ = frame.offer()
    keys = frame.shape.keys
    if names:
        key = keys.names[(names & -names).bit_length() - 1]
    else:
        key = _unused_key(machine, frame, automaton.start)
    following = _after_key(frame, key)
    goal: Goal = following.entry.goal
    return b'"' + escaped_text(key) + b'":' + witness(machine, goal.formula)


def _after_key(frame: Frame, key: bytes) -> Frame:
    keys = frame.shape.keys
    index = keys.index.get(key)
    following: Frame | None
    if index is not None:
        following = frame.with_named_key(index)
    else:
        state = keys.automaton.start
        for byte in key:
            state = keys.automaton.step(state, byte)
        following = frame.with_free_key(key, keys.automaton.outcome(state))
    if following is None:
        raise AssertionError(f"the key {key!r} is not offered")
    return following


def _rest_of_string(here: Position) -> bytes:
    goal = here.goal
    if goal.text_low == 0 and goal.text_high < 0:
        return bytes(here.automaton.completion(here.state))
    low = max(0, goal.text_low - here.length)
    high = None if goal.text_high < 0 else goal.text_high - here.length
    return bytes(here.automaton.completion_of_length(here.state, low, high))


def _rest_of_key(here: Position) -> bytes:
    frame = here.frame
    keys = frame.shape.keys
    names = frame.offer()[0]
    if here.trie >= 0:
        wanted: bytes | None = None
        for index in keys.trie.below(here.trie):
            if names >> index & 1:
                name: bytes = keys.names[index]
                if wanted is None or len(name) < len(wanted):
                    wanted = name
        if wanted is not None:
            return wanted[len(here.key) :]
    return _unused_key_from(here)


def _unused_key_from(here: Position) -> bytes:
    """Return the rest of a free key that was not written yet and is no named key."""
    frame = here.frame
    keys = frame.shape.keys
    languages = keys.algebra.languages
    automaton = here.automaton
    state = here.state
    first = bytes(automaton.completion(state))
    if _is_new(frame, here.key + first):
        return first
    # Any longer text is new sooner or later: go round the keys that are taken. Of whole keys, because
    # what is ahead may begin within a character.
    whole = languages.concat(languages.literal(here.key), keys.algebra.language_ahead(automaton, state))
    taken = sorted({*frame.names, *keys.names})
    goal = languages.intersection(whole, languages.complement(languages.literals(taken)))
    found = keys.algebra.dfa(goal)
    return bytes(found.completion(found.start))[len(here.key) :]


def _unused_key(machine: Machine, frame: Frame, state: int) -> bytes:
    languages = machine.algebra.languages
    keys = frame.shape.keys
    taken = sorted({*frame.names, *keys.names})
    automaton = frame.offer()[2]
    goal = languages.intersection(
        machine.algebra.language_ahead(automaton, state), languages.complement(languages.literals(taken))
    )
    found = machine.algebra.dfa(goal)
    return bytes(found.completion(found.start))


def _is_new(frame: Frame, key: bytes) -> bool:
    return key not in frame.names and key not in frame.shape.keys.index


def _finish_escape(here: Position) -> bytes:
    """Return the rest of the escape that is being read."""
    escape = here.escape
    if escape == modes.NO_ESCAPE:
        return b""
    code = here.escaped_code_point()
    if escape == modes.BACKSLASH:
        if code in _SPELLED:
            return bytes((_SPELLED[code],))
        return b"u" + _units(code)[2:]
    units = _units(code)
    if escape < modes.LOW_BACKSLASH:
        return units[2 + escape - modes.HEX :]
    if escape == modes.LOW_BACKSLASH:
        return units[6:]
    if escape == modes.LOW_U:
        return units[7:]
    return units[8 + escape - modes.LOW_HEX :]


def _units(code: int) -> bytes:
    """Return the `\\uXXXX` spelling of a code point, two of them above the basic plane."""
    if code < 0x10000:
        return b"\\u%04x" % code
    code -= 0x10000
    return b"\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
