r"""The format `regex`: the syntax of ECMA-262 patterns with the `u` flag, read by a stack machine.

The grammar is that of ECMA-262 2020 (the edition that JSON Schema 2020-12 cites), 21.2.1, with the
early errors of 21.2.1.1: ranges and bounds in order, names of groups different, back-references
to groups that exist. What a text still owes (groups to close, groups that were referred to) is
always payable at its end, so every state but those within a token is alive; within a token the
state is alive if the token can be finished.
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from constrain.automata.text_machines import LEAD_CUTS, TextMachine, cuts_around
from constrain.errors import LimitExceeded
from constrain.frontends.json_schema import code_points
from constrain.frontends.json_schema.unicode_escapes import possible, spell
from constrain.frontends.json_schema.unicode_names import BINARY_PROPERTIES, SCRIPTS

__all__ = ["RegexSyntax"]

_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdefABCDEF")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_CONTROLS = {"f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09, "v": 0x0B}
#: 21.2.1.1: the number of groups.
_MOST_GROUPS = 2**32 - 2
#: How many characters a continuation may have.
_LONGEST_REST = 4_000_000

# Where the reader is. Between terms `token` tells what a quantifier may follow.
TERM, OPEN, OPEN_ASK, OPEN_ANGLE, NAME, REFERENCE, BOUNDS, ESCAPE, ZERO, BACK, PROPERTY, CONTROL = range(12)
HEX, UNICODE, CLASS_START, CLASS, CLASS_ESCAPE, CLASS_ZERO, CLASS_PROPERTY = range(12, 19)
CLASS_CONTROL, CLASS_HEX, CLASS_UNICODE = range(19, 22)

# Tokens of TERM: nothing to repeat, an atom, a quantifier that a question mark may follow.
PLAIN, ATOM, QUANTIFIED = range(3)

#: Between terms, all characters without a meaning are atoms.
_TERM_CUTS = LEAD_CUTS | cuts_around("$()*+?[\\]^{|}")

#: The class atom that is no single character.
_SET = -1


class _State(NamedTuple):
    """What was read.

    Attributes:
        phase: where the reader is.
        token: what was read of the token, by phase.
        stack: the open groups, `g` or, if it cannot be repeated, `l`.
        groups: the number of capturing groups.
        owed: how many more groups a back-reference needs.
        named: the names of groups.
        wanted: the names that were referred to and are no group's yet.
    """

    phase: int
    token: Any = PLAIN
    stack: str = ""
    groups: int = 0
    owed: int = 0
    named: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()

    def at(self, phase: int, token: Any = PLAIN) -> _State:
        """Return the same with another phase and token."""
        return _State(phase, token, *self[2:])


class _ClassPart(NamedTuple):
    """A class between two atoms: the last atom if it may begin a range, and whether a dash followed."""

    low: int | None
    dash: bool

    def atom(self, value: int) -> _ClassPart | None:
        """Return what one more atom makes of it; `None` if a range is out of order or made of sets."""
        if not self.dash:
            return _ClassPart(value, False)
        if value == _SET or self.low is None or value < self.low:
            return None
        return _ClassPart(None, False)

    def least(self) -> int:
        """Return the smallest character that may follow."""
        return self.low if self.dash and self.low is not None else 0


_NO_ATOM = _ClassPart(None, False)


@functools.cache
def _property_names() -> list[str]:
    """Return what may stand between the braces of a property, ascending."""
    categories = code_points.CATEGORY_NAMES
    names = {*BINARY_PROPERTIES, *categories}
    names.update(f"{key}={value}" for key in ("General_Category", "gc") for value in categories)
    for key in ("Script", "sc", "Script_Extensions", "scx"):
        names.update(f"{key}={value}" for value in SCRIPTS)
    return sorted(names)


def _property_rest(begun: str) -> str | None:
    """Return the shortest end of a property name that begins so."""
    names = _property_names()
    index = bisect_left(names, begun)
    found = []
    while index < len(names) and names[index].startswith(begun):
        found.append(names[index][len(begun) :])
        index += 1
    return min(found, key=len) if found else None


def _in(ranges: code_points.Ranges, code_point: int) -> bool:
    index = bisect_left(ranges, (code_point + 1,)) - 1
    return index >= 0 and ranges[index][1] >= code_point


def _within(ranges: code_points.Ranges, low: int, high: int) -> Iterator[int]:
    """Yield the members between `low` and `high`, ascending."""
    index = max(bisect_left(ranges, (low + 1,)) - 1, 0)
    while index < len(ranges) and ranges[index][0] <= high:
        yield from range(max(low, ranges[index][0]), min(high, ranges[index][1]) + 1)
        index += 1


def _name_ranges(name: str) -> code_points.Ranges:
    """Return what may come next in the name of a group."""
    return code_points.identifier_continue() if name else code_points.identifier_start()


class RegexSyntax(TextMachine):
    """The reader of patterns."""

    def initial(self) -> _State:
        """Return the state before the pattern."""
        return _State(TERM)

    # Reading

    def read(self, state: _State, code_point: int) -> _State | None:
        """Return the state after a character; `None` if no pattern goes on so."""
        return _READERS[state.phase](self, state, chr(code_point))

    def _term(self, state: _State, c: str) -> _State | None:
        token = state.token
        if c in "*+?{":
            if token == ATOM:
                return state.at(BOUNDS, (None, None)) if c == "{" else state.at(TERM, QUANTIFIED)
            return state.at(TERM) if c == "?" and token == QUANTIFIED else None
        if c in "}]":
            return None
        if c == "(":
            return state.at(OPEN)
        if c == ")":
            if not state.stack:
                return None
            after = state.at(TERM, ATOM if state.stack[-1] == "g" else PLAIN)
            return after._replace(stack=state.stack[:-1])
        if c == "[":
            return state.at(CLASS_START)
        if c == "\\":
            return state.at(ESCAPE)
        return state.at(TERM, PLAIN if c in "^$|" else ATOM)

    def _open(self, state: _State, c: str) -> _State | None:
        if c == "?":
            return state.at(OPEN_ASK)
        return self._term(_captured(state), c)

    def _open_ask(self, state: _State, c: str) -> _State | None:
        if c == "<":
            return state.at(OPEN_ANGLE)
        if c in ":=!":
            return state.at(TERM)._replace(stack=state.stack + ("g" if c == ":" else "l"))
        return None

    def _open_angle(self, state: _State, c: str) -> _State | None:
        if c in "=!":
            return state.at(TERM)._replace(stack=state.stack + "l")
        return self._name(state.at(NAME, ("", "")), c)

    def _name(self, state: _State, c: str) -> _State | None:
        name, escape = state.token
        if escape:
            return self._name_escape(state, name, escape, c)
        if c == "\\":
            return state.at(state.phase, (name, "\\"))
        if c == ">":
            if not name:
                return None
            if state.phase == REFERENCE:
                known = name in state.named
                return state.at(TERM, ATOM)._replace(wanted=state.wanted if known else state.wanted | {name})
            if name in state.named:
                return None
            after = _captured(state)
            return after._replace(named=state.named | {name}, wanted=state.wanted - {name})
        if not _in(_name_ranges(name), ord(c)):
            return None
        return state.at(state.phase, (name + c, ""))

    def _name_escape(self, state: _State, name: str, escape: str, c: str) -> _State | None:
        text = escape[1:] + c
        found = possible(text)
        if found is None:
            return None
        value, ranges = found
        known = _name_ranges(name)
        if value is not None and _in(known, value):
            return state.at(state.phase, (name + chr(value), ""))
        if any(next(_within(known, low, high), None) is not None for low, high in ranges):
            return state.at(state.phase, (name, "\\" + text))
        return None

    def _reference(self, state: _State, c: str) -> _State | None:
        if state.token is None:
            return state.at(REFERENCE, ("", "")) if c == "<" else None
        return self._name(state, c)

    def _bounds(self, state: _State, c: str) -> _State | None:
        low, high = state.token
        if c in _DIGITS:
            if high is None:
                return state.at(BOUNDS, ((low or 0) * 10 + int(c), None))
            return state.at(BOUNDS, (low, int(c) if high == "" else high * 10 + int(c)))
        if low is None:
            return None
        if c == "," and high is None:
            return state.at(BOUNDS, (low, ""))
        if c == "}" and (high is None or high == "" or high >= low):
            return state.at(TERM, QUANTIFIED)
        return None

    def _escape(self, state: _State, c: str) -> _State | None:
        if c in "dDsSwW" or c in _CONTROLS or c in _SYNTAX:
            return state.at(TERM, ATOM)
        if c in "bB":
            return state.at(TERM)
        if c in "123456789":
            return state.at(BACK, int(c))
        phase = {"0": ZERO, "k": REFERENCE, "c": CONTROL}.get(c)
        if phase is not None:
            return state.at(phase, None)
        if c in "pP":
            return state.at(PROPERTY, None)
        if c in "xu":
            return state.at(HEX if c == "x" else UNICODE, c)
        return None

    def _zero(self, state: _State, c: str) -> _State | None:
        return None if c in _DIGITS else self._term(state.at(TERM, ATOM), c)

    def _back(self, state: _State, c: str) -> _State | None:
        if c in _DIGITS:
            number = state.token * 10 + int(c)
            return state.at(BACK, number) if number <= _MOST_GROUPS else None
        return self._term(_referred(state), c)

    def _property(self, state: _State, c: str) -> _State | None:
        text = _property_step(state.token, c)
        if text is None:
            return None
        return state.at(TERM, ATOM) if text == "}" else state.at(PROPERTY, text)

    def _control(self, state: _State, c: str) -> _State | None:
        return state.at(TERM, ATOM) if c in _LETTERS else None

    def _hex(self, state: _State, c: str) -> _State | None:
        if c not in _HEX:
            return None
        return state.at(TERM, ATOM) if len(state.token) == 2 else state.at(HEX, state.token + c)

    def _unicode(self, state: _State, c: str) -> _State | None:
        # Whether two escapes are a pair does not matter outside of a class.
        text = state.token + c
        found = possible(text)
        if found is None:
            return None
        return state.at(UNICODE, text) if found[0] is None else state.at(TERM, ATOM)

    # Classes

    def _class_start(self, state: _State, c: str) -> _State | None:
        start = state.at(CLASS, _NO_ATOM)
        return start if c == "^" else self._class(start, c)

    def _class(self, state: _State, c: str) -> _State | None:
        part: _ClassPart = state.token
        if c == "]":
            return state.at(TERM, ATOM)
        if part.dash and part.low == _SET:
            return None
        if c == "\\":
            return state.at(CLASS_ESCAPE, part)
        if c == "-" and part.low is not None and not part.dash:
            return state.at(CLASS, _ClassPart(part.low, True))
        return _with_atom(state, part, ord(c))

    def _class_escape(self, state: _State, c: str) -> _State | None:
        part: _ClassPart = state.token
        if c in "dDsSwW":
            return _with_atom(state, part, _SET)
        if c in _CONTROLS:
            return _with_atom(state, part, _CONTROLS[c])
        if c in _SYNTAX or c == "-":
            return _with_atom(state, part, ord(c))
        if c == "b":
            return _with_atom(state, part, 8)
        if c in "pP":
            return None if part.dash else state.at(CLASS_PROPERTY, (part, None))
        if c == "c":
            return state.at(CLASS_CONTROL, part) if part.least() <= 26 else None
        if c == "x":
            return state.at(CLASS_HEX, (part, "x")) if part.least() <= 0xFF else None
        if c == "u":
            return state.at(CLASS_UNICODE, (part, "u"))
        if c == "0":
            after = _with_atom(state, part, 0)
            return None if after is None else after.at(CLASS_ZERO, after.token)
        return None

    def _class_zero(self, state: _State, c: str) -> _State | None:
        return None if c in _DIGITS else self._class(state.at(CLASS, state.token), c)

    def _class_property(self, state: _State, c: str) -> _State | None:
        part, begun = state.token
        text = _property_step(begun, c)
        if text is None:
            return None
        return _with_atom(state, part, _SET) if text == "}" else state.at(CLASS_PROPERTY, (part, text))

    def _class_control(self, state: _State, c: str) -> _State | None:
        return _with_atom(state, state.token, ord(c) % 32) if c in _LETTERS else None

    def _class_hex(self, state: _State, c: str) -> _State | None:
        part, text = state.token
        if c not in _HEX:
            return None
        if len(text) == 2:
            return _with_atom(state, part, int(text[1:] + c, 16))
        return state.at(CLASS_HEX, (part, text + c)) if int(c + "F", 16) >= part.least() else None

    def _class_unicode(self, state: _State, c: str) -> _State | None:
        """Read on in an escape; a first half of a pair is an atom if no second half follows."""
        part, text = state.token
        lead = int(text[1:5], 16) if len(text) >= 5 and "{" not in text else None
        if lead is not None and len(text) == 5 and c != "\\":
            after = _with_atom(state, part, lead)
            return None if after is None else self._class(after, c)
        if lead is not None and len(text) == 6 and c != "u":
            after = _with_atom(state, part, lead)
            return None if after is None else self._class_escape(after.at(CLASS_ESCAPE, after.token), c)
        if lead is not None and len(text) == 7 and c == "{":
            after = _with_atom(state, part, lead)
            return None if after is None else after.at(CLASS_UNICODE, (after.token, "u{"))
        if lead is not None and len(text) >= 7 and c not in _HEX:
            return None
        text += c
        found = possible(text)
        if lead is not None and (found is None or (found[0] is None and not found[1])):
            # The second escape is no second half: the first was an atom.
            after = _with_atom(state, part, lead)
            return None if after is None else self._unpaired(after, text[6:])
        if found is None:
            return None
        value, ranges = found
        if value is not None and not ranges:
            return _with_atom(state, part, value)
        least = part.least()
        alone = int(text[1:5], 16) if value is not None or lead is not None else -1
        if alone >= least or any(high >= least for _, high in ranges):
            return state.at(CLASS_UNICODE, (part, text))
        return None

    def _unpaired(self, state: _State, text: str) -> _State | None:
        found = possible(text)
        if found is None:
            return None
        value, ranges = found
        if value is not None and not ranges:
            return _with_atom(state, state.token, value)
        return state.at(CLASS_UNICODE, (state.token, text))

    # The end

    def accepts_at(self, state: _State) -> bool:
        """Return whether what was read is a pattern."""
        settled = _settled(state)
        return settled.phase == TERM and not (settled.stack or settled.owed or settled.wanted)

    def rest(self, state: _State) -> str:
        """Return a shortest end of the pattern."""
        best: tuple[int, str, _State] | None = None
        for ending in self._endings(state):
            after: _State | None = state
            for c in ending:
                after = None if after is None else self.read(after, ord(c))
            if after is None:
                continue
            after = _settled(after)
            if after.phase != TERM:
                continue
            cost = len(ending) + _debt(after)
            if best is None or cost < best[0]:
                best = (cost, ending, after)
        assert best is not None, state
        _, ending, after = best
        if best[0] > _LONGEST_REST:
            raise LimitExceeded("the pattern refers to too many groups", limit=_LONGEST_REST)
        groups = "".join(f"(?<{name}>)" for name in sorted(after.wanted))
        return ending + ")" * len(after.stack) + groups + "()" * max(0, after.owed - len(after.wanted))

    def reaches(self, state: _State, low: int, high: int | None) -> bool:
        """Return whether a pattern ends so: any number of letters may stand at its end."""
        if high is None:
            return True
        return (_debt(state) if state.phase == TERM else len(self.rest(state))) <= high

    def _endings(self, state: _State) -> Iterable[str]:
        """Return ends of the token, a shortest one among them, that can be read."""
        phase, token = state.phase, state.token
        if phase in (NAME, REFERENCE, OPEN, OPEN_ASK, OPEN_ANGLE):
            return self._name_endings(state)
        if phase in (CLASS_ESCAPE, CLASS_CONTROL, CLASS_HEX, CLASS_UNICODE):
            return self._class_endings(state)
        if phase in (CLASS_START, CLASS, CLASS_ZERO):
            return ("]",)
        if phase == BOUNDS:
            low, high = token
            if low is None:
                return ("0}",)
            digits = 0
            while isinstance(high, int) and (high + 1) * 10**digits - 1 < low:
                digits += 1
            return ("9" * digits + "}",)
        if phase in (PROPERTY, CLASS_PROPERTY):
            begun = token if phase == PROPERTY else token[1]
            end = "{L}" if begun is None else f"{_property_rest(begun[1:])}}}"
            return (end if phase == PROPERTY else end + "]",)
        if phase == HEX:
            return ("0" * (3 - len(token)),)
        if phase == UNICODE:
            return ("0" * (5 - len(token)), "0}", "}", "{0}")
        return {ESCAPE: ("d",), CONTROL: ("a",)}.get(phase, ("",))

    def _name_endings(self, state: _State) -> Iterator[str]:
        phase = state.phase
        name, escape = state.token if phase in (NAME, REFERENCE) and state.token else ("", "")
        defines = phase != REFERENCE
        before = {OPEN: "?<", OPEN_ASK: "<"}.get(phase, "<" if state.token is None else "")
        if phase == OPEN:
            yield ""
        elif phase == OPEN_ASK:
            yield ":"
        elif phase == OPEN_ANGLE:
            yield "="
        targets = [known for known in state.wanted if known.startswith(name)]
        if not defines:
            targets += [known for known in state.named if known.startswith(name)]
        if name and not escape:
            targets.append(name)
        fresh = _within(_name_ranges(name), 0, code_points.LAST)
        if escape:
            ranges = possible(escape[1:])[1] if len(escape) > 1 else [(0, code_points.LAST)]  # type: ignore[index]
            fresh = (one for low, high in ranges for one in _within(_name_ranges(name), low, high))
        for _, one in zip(range(len(state.named) + 1), fresh, strict=False):
            targets.append(name + chr(one))
        for target in targets:
            if not escape:
                yield before + target[len(name) :] + ">"
            elif len(target) > len(name):
                yield spell(escape[1:], ord(target[len(name)])) + target[len(name) + 1 :] + ">"

    def _class_endings(self, state: _State) -> Iterator[str]:
        phase = state.phase
        if phase == CLASS_CONTROL:
            yield "z]"
        elif phase == CLASS_HEX:
            yield "F" * (3 - len(state.token[1])) + "]"
        elif phase == CLASS_ESCAPE:
            yield from ("}]", "d]", "xFF]", "uFFFF]", "u{FFFFF}]", "u{10FFFF}]")
        else:
            part, text = state.token
            found = possible(text)
            if found is None:
                return
            for low, high in found[1]:
                for target in (max(low, part.least()), high):
                    if low <= target <= high:
                        yield spell(text, target) + "]"
            # The first half alone, and whatever the second escape may be.
            yield from ("]", "d]", "{0}]", "0]", "00]", "000]", "0000]")

    def is_alike_beyond_ascii(self, state: _State) -> bool:
        """Return whether all characters beyond ASCII surely lead to one state."""
        return state.phase == TERM

    def cuts_at(self, state: _State) -> int:
        """Return the bytes that may behave differently from the byte before them, as bits."""
        return _TERM_CUTS if state.phase == TERM else super().cuts_at(state)

    def among(self, state: _State, low: int, high: int) -> Iterable[int]:
        """Return characters between `low` and `high` that stand for all of them."""
        phase = state.phase
        if phase in (OPEN_ANGLE, NAME, REFERENCE):
            name, escape = state.token if phase != OPEN_ANGLE and state.token else ("", "")
            if escape or (phase == REFERENCE and state.token is None):
                return ()
            known = state.wanted | state.named
            places = {ord(one[len(name)]) for one in known if one.startswith(name) and len(one) > len(name)}
            fresh = zip(range(len(known) + 1), _within(_name_ranges(name), low, high), strict=False)
            return [*(one for one in places if low <= one <= high), *(one for _, one in fresh)]
        if phase == CLASS:
            least = state.token.least()
            return (max(low, least),) if least <= high else ()
        return (low,)


def _captured(state: _State) -> _State:
    """Return the state within one more capturing group."""
    owed = max(0, state.owed - 1)
    return _State(TERM, PLAIN, state.stack + "g", state.groups + 1, owed, state.named, state.wanted)


def _referred(state: _State) -> _State:
    """Return the state behind a back-reference by number."""
    return state.at(TERM, ATOM)._replace(owed=max(state.owed, state.token - state.groups))


def _settled(state: _State) -> _State:
    """Return the state if the token ends here, for tokens whose end shows by what follows."""
    if state.phase == BACK:
        return _referred(state)
    if state.phase == ZERO:
        return state.at(TERM, ATOM)
    return _captured(state) if state.phase == OPEN else state


def _debt(state: _State) -> int:
    """Return how many characters the open and the missing groups take."""
    names = sum(len(name) + 5 for name in state.wanted)
    return len(state.stack) + names + 2 * max(0, state.owed - len(state.wanted))


def _with_atom(state: _State, part: _ClassPart, value: int) -> _State | None:
    after = part.atom(value)
    return None if after is None else state.at(CLASS, after)


def _property_step(begun: str | None, c: str) -> str | None:
    """Return `{` and the letters of a name so far, or `}` behind it; `None` if there is no such name."""
    if begun is None:
        return "{" if c == "{" else None
    rest = _property_rest(begun[1:] if c == "}" else begun[1:] + c)
    if c == "}":
        return "}" if rest == "" else None
    return None if rest is None else begun + c


_READERS = {
    TERM: RegexSyntax._term,
    OPEN: RegexSyntax._open,
    OPEN_ASK: RegexSyntax._open_ask,
    OPEN_ANGLE: RegexSyntax._open_angle,
    NAME: RegexSyntax._name,
    REFERENCE: RegexSyntax._reference,
    BOUNDS: RegexSyntax._bounds,
    ESCAPE: RegexSyntax._escape,
    ZERO: RegexSyntax._zero,
    BACK: RegexSyntax._back,
    PROPERTY: RegexSyntax._property,
    CONTROL: RegexSyntax._control,
    HEX: RegexSyntax._hex,
    UNICODE: RegexSyntax._unicode,
    CLASS_START: RegexSyntax._class_start,
    CLASS: RegexSyntax._class,
    CLASS_ESCAPE: RegexSyntax._class_escape,
    CLASS_ZERO: RegexSyntax._class_zero,
    CLASS_PROPERTY: RegexSyntax._class_property,
    CLASS_CONTROL: RegexSyntax._class_control,
    CLASS_HEX: RegexSyntax._class_hex,
    CLASS_UNICODE: RegexSyntax._class_unicode,
}
