"""Positions: where a document has got to, and the one step by a byte.

A position is a mutable scratch record; `step` reads one and writes the next, so that a walk
over a token trie needs one position per depth and allocates nothing except frames. Reading is
strictly deterministic: everything that could be two things at once (a value that several
sub-schemas judge, a key among many) is one state of one automaton.

A step succeeds exactly if some document of the constraint goes on with that byte.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.automata.table_cy import next_state
    from cython.cimports.constrain.matching.escapes_cy import first_live_code_point
    from cython.cimports.constrain.matching.frames_cy import Frame, Goal, child_frame
    from cython.cimports.constrain.matching.key_trie_cy import KeyTrie
    from cython.cimports.constrain.matching.modes import (
        AFTER_VALUE,
        ARRAY,
        BACKSLASH,
        COLON,
        END,
        FALSE_LITERAL,
        FIRST_ITEM,
        FIRST_KEY,
        HEX,
        IN_KEY,
        IN_LITERAL,
        IN_NUMBER,
        IN_STRING,
        LOW_BACKSLASH,
        LOW_HEX,
        LOW_U,
        NEXT_KEY,
        NO_ESCAPE,
        NULL,
        NUMBER,
        OBJECT,
        STRING,
        TRUE_LITERAL,
        VALUE,
    )
    from cython.cimports.cpython.ref import Py_REFCNT
else:
    from constrain.automata.table_cy import TableAutomaton
    from constrain.matching.escapes_cy import first_live_code_point
    from constrain.matching.frames_cy import Frame, Goal, child_frame
    from constrain.matching.key_trie_cy import KeyTrie
    from constrain.matching.modes import (
        AFTER_VALUE,
        ARRAY,
        BACKSLASH,
        COLON,
        END,
        FALSE_LITERAL,
        FIRST_ITEM,
        FIRST_KEY,
        HEX,
        IN_KEY,
        IN_LITERAL,
        IN_NUMBER,
        IN_STRING,
        LOW_BACKSLASH,
        LOW_HEX,
        LOW_U,
        NEXT_KEY,
        NO_ESCAPE,
        NULL,
        NUMBER,
        OBJECT,
        STRING,
        TRUE_LITERAL,
        VALUE,
    )

    next_state = TableAutomaton.step

from constrain.automata.formulas_cy import TRUE
from constrain.automata.lazy_dfa_cy import any_text_automaton
from constrain.matching.escapes_cy import HEX_CONTROLS, SHORT_ESCAPES, escaped_code_points
from constrain.matching.frames_cy import root_frame
from constrain.matching.values import LITERAL_VALUES, number_value, string_value
from constrain.matching.whitespace import whitespace_table
from constrain.options import Options

__all__ = ["Policy", "Position", "free_string_position"]

#: The bytes, each alone.
_SINGLE: Any = [bytes((byte,)) for byte in range(256)]
_LITERALS = {NULL: b"null", FALSE_LITERAL: b"false", TRUE_LITERAL: b"true"}


@cython.cclass
class Policy:
    """The text policy in the form that a step reads."""

    def __init__(self, options: Options) -> None:
        self.whitespace = whitespace_table(options.whitespace)
        self.whitespace_name = options.whitespace
        self.numbers_name = options.numbers
        self.trailing = options.whitespace == "any"
        self.minimal = options.escapes == "minimal"


@cython.no_gc
@cython.cclass
class Position:
    """Where a document has got to.

    Attributes:
        mode: one of the modes above.
        frame: the innermost open container; while a member is read, the frame that reads it.
        goal: of the value that is due or being read.
        blanks: the state of the run of blanks.
        automaton, state: of the string, key or number that is being read.
        length: code points of the string so far, if its length is bounded.
        escape, code: the escape that is being read.
        trie: node of the key trie, -1 when the key left it.
        names: the key trie.
        key: the decoded bytes of the key that is being read; of the scalar, where values are captured.
        previous, token, n_tokens: kept by a matcher: the position one token before, that token, and the
            number of tokens.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.mode = VALUE
        self.blanks = 0
        self.state = 0
        self.length = 0
        self.escape = 0
        self.code = 0
        self.trie = -1
        self.names: Any = None
        self.frame: Any = None
        self.goal: Any = None
        self.automaton: Any = None
        self.key = b""
        self.previous: Any = None
        self.token = -1
        self.n_tokens = 0

    def __dealloc__(self) -> None:
        # The chain of a long document must not recurse when it is freed.
        if cython.compiled:
            nothing: Any = None
            following: Position
            chain: Position = self.previous
            self.previous = None
            while chain is not None and Py_REFCNT(chain) == 1:
                following = chain.previous
                chain.previous = None
                chain = following
                following = nothing

    def begin(self, goal: Goal) -> None:
        """Make this the position before a document."""
        self.mode = VALUE
        self.blanks = 0
        is_root = goal.machine is not None and goal is goal.machine.root
        self.frame = goal.machine.root_frame() if is_root else root_frame()
        self.goal = goal

    def expect_colon(self, frame: Frame) -> None:
        """Make this the position after a key whose value `frame` reads."""
        self.mode = COLON
        self.blanks = 0
        self.frame = frame

    def end_number(self, target: Position) -> None:
        """Write the position after a number that may end here."""
        _finish_value(self.frame, self.automaton.outcome(self.state), self._number(), target)

    def end_string(self, outcome: object, value: object, target: Position) -> None:
        """Write the position after a string that may end here.

        Args:
            outcome: the tracked formulas that it satisfies, as bits.
            value: the string, if values are captured.
        """
        _finish_value(self.frame, outcome, value, target)

    @cython.cfunc
    def _number(self) -> Any:
        """Return the value of the number that was read, if it is captured."""
        return number_value(self.key) if self.frame.captures else None

    @cython.ccall
    def assign(self, other: Position) -> cython.int:
        """Make this position equal to `other`."""
        self.mode = other.mode
        self.blanks = other.blanks
        self.state = other.state
        self.length = other.length
        self.escape = other.escape
        self.code = other.code
        self.trie = other.trie
        self.names = other.names
        self.frame = other.frame
        self.goal = other.goal
        self.automaton = other.automaton
        self.key = other.key
        return 0

    def copy(self) -> Position:
        """Return an independent position at the same place."""
        result = self.blank()
        result.assign(self)
        return result

    @cython.ccall
    def blank(self) -> Position:
        """Return a position that is to be written."""
        if not cython.compiled:
            return Position(self.policy)
        # A document makes one a token: what `__init__` does, without its call.
        result: Position = Position.__new__(Position)
        result.policy = self.policy
        result.key = b""
        result.trie = -1
        result.token = -1
        return result

    @cython.ccall
    def accepting(self) -> cython.bint:
        """Return whether the document may end here."""
        if self.mode == END:
            return True
        if self.mode == IN_NUMBER and self.frame.parent is None:
            return self.automaton.accepting(self.state)
        return False

    @cython.ccall
    def step(self, byte: cython.int, target: Position) -> cython.bint:
        """Write the position after `byte` to `target`; return False if no document goes on so.

        When False is returned, `target` holds nothing of use.
        """
        mode: cython.int = self.mode
        if mode == IN_STRING:
            return self._step_string(byte, target)
        if mode == IN_KEY:
            return self._step_key(byte, target)
        if mode == IN_NUMBER:
            return self._step_number(byte, target)
        if mode == IN_LITERAL:
            return self._step_literal(byte, target)
        return self._step_structure(byte, target)

    # Between tokens

    @cython.cfunc
    def _step_structure(self, byte: cython.int, target: Position) -> cython.bint:
        mode: cython.int = self.mode
        blank: cython.int = -1
        state: cython.int
        frame: Frame = self.frame
        if byte == 0x20:
            blank = 0
        elif byte == 0x09:
            blank = 1
        elif byte == 0x0A:
            blank = 2
        elif byte == 0x0D:
            blank = 3
        if blank >= 0:
            if mode == END and not self.policy.trailing:
                return False
            state = self.policy.whitespace[self.blanks * 4 + blank]
            if state < 0:
                return False
            if target is not self:
                target.assign(self)
            target.blanks = state
            return True
        if mode == VALUE:
            return self._open_value(byte, self.goal, frame, target)
        if mode == FIRST_ITEM:
            if byte == 0x5D:
                return frame.closable() and _close(frame, target)
            entry = frame.item()
            return entry is not None and self._open_value(byte, entry.goal, frame, target)
        if mode == AFTER_VALUE:
            if byte == 0x2C:
                if not frame.continuable():
                    return False
                target.frame = frame
                target.blanks = 0
                if frame.kind == ARRAY:
                    target.mode = VALUE
                    target.goal = frame.item().goal
                else:
                    target.mode = NEXT_KEY
                return True
            if byte == (0x5D if frame.kind == ARRAY else 0x7D):
                return frame.closable() and _close(frame, target)
            return False
        if mode == FIRST_KEY or mode == NEXT_KEY:
            if byte == 0x22:
                if not frame.continuable():
                    return False
                target.mode = IN_KEY
                target.frame = frame
                target.blanks = 0
                target.escape = 0
                target.code = 0
                target.key = b""
                offer: tuple[Any, ...] = frame.offer()
                target.names = frame.shape.keys.trie
                target.trie = 0 if offer[0] != 0 or offer[3] else -1
                target.automaton = offer[2]
                target.state = -1 if offer[2] is None else target.automaton.start
                return True
            if byte == 0x7D and mode == FIRST_KEY:
                return frame.closable() and _close(frame, target)
            return False
        if mode == COLON:
            if byte != 0x3A:
                return False
            target.mode = VALUE
            target.frame = frame
            target.blanks = 0
            target.goal = frame.entry.goal
            return True
        return False

    @cython.cfunc
    def _open_value(self, byte: cython.int, goal: Goal, frame: Frame, target: Position) -> cython.bint:
        state: cython.int
        kind: cython.int
        if byte == 0x22:
            if not goal.offers(STRING):
                return False
            target.mode = IN_STRING
            target.automaton = goal.text
            target.state = goal.text.start
            target.length = 0
            target.escape = 0
            target.code = 0
        elif byte == 0x7B or byte == 0x5B:
            kind = OBJECT if byte == 0x7B else ARRAY
            if not goal.offers(kind):
                return False
            target.frame = child_frame(frame, kind, goal)
            target.goal = goal
            target.mode = FIRST_KEY if kind == OBJECT else FIRST_ITEM
            target.blanks = 0
            return True
        elif byte == 0x74 or byte == 0x66 or byte == 0x6E:
            kind = TRUE_LITERAL if byte == 0x74 else FALSE_LITERAL if byte == 0x66 else NULL
            if not goal.offers(kind):
                return False
            target.mode = IN_LITERAL
            target.state = kind * 8 + 1
        elif byte == 0x2D or 0x30 <= byte <= 0x39:
            if not goal.offers(NUMBER):
                return False
            state = goal.number.step(goal.number.start, byte)
            if state < 0:
                return False
            target.mode = IN_NUMBER
            target.automaton = goal.number
            target.state = state
        else:
            return False
        if frame.captures:
            target.key = _SINGLE[byte] if target.mode == IN_NUMBER else b""
        target.frame = frame
        target.goal = goal
        target.blanks = 0
        return True

    # Within scalars

    @cython.cfunc
    def _step_literal(self, byte: cython.int, target: Position) -> cython.bint:
        kind: cython.int = self.state // 8
        place: cython.int = self.state % 8
        text: bytes = _LITERALS[kind]
        if text[place] != byte:
            return False
        if place + 1 == len(text):
            return _finish_value(
                self.frame,
                self.goal.literal_outcome(kind),
                LITERAL_VALUES[kind] if self.frame.captures else None,
                target,
            )
        target.mode = IN_LITERAL
        target.frame = self.frame
        target.goal = self.goal
        target.state = self.state + 1
        return True

    @cython.cfunc
    def _step_number(self, byte: cython.int, target: Position) -> cython.bint:
        state: cython.int = self.automaton.step(self.state, byte)
        if state >= 0:
            target.mode = IN_NUMBER
            target.frame = self.frame
            target.goal = self.goal
            target.automaton = self.automaton
            target.state = state
            if self.frame.captures:
                target.key = self.key + _SINGLE[byte]
            return True
        if byte > 0x20 and byte != 0x2C and byte != 0x5D and byte != 0x7D:
            return False
        if not self.automaton.accepting(self.state):
            return False
        _finish_value(self.frame, self.automaton.outcome(self.state), self._number(), target)
        return target._step_structure(byte, target)

    @cython.cfunc
    def _step_string(self, byte: cython.int, target: Position) -> cython.bint:
        state: cython.int
        goal: Goal = self.goal
        if self.escape != NO_ESCAPE:
            return self._step_escape(byte, target)
        if byte == 0x22:
            if not self.automaton.accepting(self.state):
                return False
            if self.length < goal.text_low:
                return False
            return _finish_value(
                self.frame,
                self.automaton.outcome(self.state),
                string_value(self.key) if self.frame.captures else None,
                target,
            )
        if byte < 0x20:
            return False
        if byte == 0x5C:
            return self._begin_escape(target)
        state = self.automaton.step(self.state, byte)
        if state < 0:
            return False
        target.mode = IN_STRING
        target.frame = self.frame
        target.goal = goal
        target.automaton = self.automaton
        target.state = state
        target.escape = NO_ESCAPE
        target.length = self.length
        if self.frame.captures:
            target.key = self.key + _SINGLE[byte]
        if goal.text_low > 0 or goal.text_high >= 0:
            return target._count(byte)
        return True

    @cython.cfunc
    def _count(self, byte: cython.int) -> cython.bint:
        """Count a decoded byte of a string; return whether the string can still keep its bounds."""
        if byte & 0xC0 != 0x80:
            self.length += 1
        goal: Goal = self.goal
        return goal.has_length(self.state, self.length)

    # Keys

    @cython.cfunc
    def _step_key(self, byte: cython.int, target: Position) -> cython.bint:
        if self.escape != NO_ESCAPE:
            return self._step_escape(byte, target)
        if byte == 0x22:
            return self._close_key(target)
        if byte < 0x20:
            return False
        if byte == 0x5C:
            return self._begin_escape(target)
        target._copy_key(self)
        return target._feed_key(byte)

    @cython.cfunc
    def _copy_key(self, source: Position) -> cython.int:
        self.mode = IN_KEY
        self.frame = source.frame
        self.automaton = source.automaton
        self.state = source.state
        self.trie = source.trie
        self.names = source.names
        self.key = source.key
        self.escape = NO_ESCAPE
        self.code = 0
        return 0

    @cython.cfunc
    def _feed_key(self, byte: cython.int) -> cython.bint:
        """Read one decoded byte of a key, in place; return whether some offered key goes on so."""
        if self.trie >= 0:
            self.trie = self.names.child(self.trie, byte)
        if self.state >= 0:
            self.state = self.automaton.step(self.state, byte)
        self.key = self.key + _SINGLE[byte]
        return (self.state >= 0 and self.free_is_live(self.state, b"")) or self._named_is_live()

    @cython.ccall
    def free_is_live(self, state: cython.int, more: bytes) -> cython.bint:
        """Return whether a free key that was not written yet goes on so: `more` bytes on, in `state`."""
        frame: Frame = self.frame
        n_written: cython.Py_ssize_t = frame.n_names
        if n_written == 0 or self.automaton is frame.shape.keys.automaton:
            # Every text is a free key or a named one, so there is always a longer one.
            return True
        words = self.automaton.few_words(state, n_written)
        if words is None or len(words) > n_written:
            return True
        begin = self.key + more
        for word in words:
            if begin + word not in frame.names:
                return True
        return False

    @cython.cfunc
    def _named_is_live(self) -> cython.bint:
        """Return whether an offered named key lies below the trie node."""
        if self.trie < 0:
            return False
        return self.names.is_offered(self.trie, self.frame.offered())

    @cython.cfunc
    def _close_key(self, target: Position) -> cython.bint:
        frame: Frame = self.frame
        following: Frame = None
        keys = frame.shape.keys
        name: cython.int = -1
        if self.trie >= 0:
            name = self.names.c_terminal[self.trie]
        elif self.key in keys.index:
            name = keys.index[self.key]
        if name >= 0:
            following = frame.with_named_key(name)
        elif self.state >= 0 and self.automaton.accepting(self.state):
            following = frame.with_free_key(self.key, self.automaton.outcome(self.state))
        if following is None:
            return False
        target.mode = COLON
        target.frame = following
        target.blanks = 0
        target.key = b""
        return True

    # Escapes

    @cython.cfunc
    def _begin_escape(self, target: Position) -> cython.bint:
        target.assign(self)
        target.escape = BACKSLASH
        target.code = 0
        return target._escape_is_live()

    @cython.cfunc
    def _escape_is_live(self) -> cython.bint:
        """Return whether some escape can follow the backslash, or `\\u`, that was just read."""
        goal: Goal
        frame: Frame = self.frame
        minimal: cython.bint = self.policy.minimal
        child: cython.int
        byte: cython.int
        if self.mode == IN_STRING:
            goal = self.goal
            if goal.text_low > 0 or goal.text_high >= 0:
                if goal.text_universal and self.state == self.automaton.start and not minimal:
                    return goal.text_high < 0 or self.length < goal.text_high
                return self._short_character_is_live(goal) or (not minimal and self.escaped_code_point() >= 0)
            if goal.text_universal and self.state == self.automaton.start:
                return True
            return self._known_escape_is_live()
        if self.state >= 0:
            if self.automaton is frame.shape.keys.automaton:
                # Any text follows a whole character, and nothing else does.
                return self.automaton.is_boundary(self.state)
            if frame.n_names > 0:
                return self.escaped_code_point() >= 0
            if self._known_escape_is_live():
                return True
        if self.trie < 0:
            return False
        child = self.trie + 1
        while child < self.names.c_end[self.trie]:
            byte = self.names.c_byte[child]
            if byte < 0x20 or byte == 0x22 or byte == 0x5C or (not minimal and byte & 0xC0 != 0x80):
                if self.names.is_offered(child, frame.offered()):
                    # Short escapes are not among what follows `\\u` in minimal text.
                    return not minimal or self.escaped_code_point() >= 0
            child = self.names.c_end[child]
        return False

    @cython.cfunc
    def _hex_is_live(self) -> cython.bint:
        """Return whether some digits can complete the escape of which digits were read."""
        child: cython.int
        byte: cython.int
        first: cython.int
        last: cython.int
        width: cython.int
        found: cython.bint = False
        if self.mode == IN_KEY and self.state < 0 and self.trie >= 0 and self.escape < LOW_BACKSLASH:
            width = 4 * (4 - (self.escape - HEX))
            first = cython.cast(cython.int, self.code) << width
            last = first + (1 << width) - 1
            child = self.trie + 1
            while child < self.names.c_end[self.trie]:
                byte = self.names.c_byte[child]
                if byte >= 0x80 or (byte < 0x20 and self.policy.minimal):
                    return self.escaped_code_point() >= 0
                if first <= byte <= last and not self.policy.minimal:
                    found = found or self.names.is_offered(child, self.frame.offered())
                child = self.names.c_end[child]
            return found
        return self.escaped_code_point() >= 0

    @cython.cfunc
    def _known_escape_is_live(self) -> cython.bint:
        """Return whether an escape can follow as far as the automaton is concerned; remembered by it."""
        key: object = (self.state, self.escape, self.policy.minimal)
        known = self.automaton.live_escapes.get(key)
        if known is None:
            known = self._short_character_is_live(None) or (
                not self.policy.minimal and self._long_character_is_live()
            )
            self.automaton.live_escapes[key] = known
        return known

    @cython.cfunc
    def _short_character_is_live(self, goal: Goal) -> cython.bint:
        """Return whether a character of one byte can complete the escape of which no digit was read.

        Args:
            goal: if its bounds on the length count.
        """
        minimal: cython.bint = self.policy.minimal
        byte: cython.int
        state: cython.int
        for byte in range(0x80):
            if minimal:
                # Spelled `\uXXXX` if there is no letter for it.
                if byte > 0x5C:
                    break
                if byte >= 0x20 and byte != 0x22 and byte != 0x5C:
                    continue
                if self.escape != BACKSLASH and (8 <= byte <= 10 or 12 <= byte <= 13 or byte >= 0x20):
                    continue
            state = next_state(self.automaton, self.state, byte)
            if state >= 0 and (goal is None or goal.has_length(state, self.length + 1)):
                return True
        return False

    @cython.cfunc
    def _long_character_is_live(self) -> cython.bint:
        """Return whether a character of several bytes can follow."""
        byte: cython.int
        for byte in range(0xC2, 0xF5):
            if next_state(self.automaton, self.state, byte) >= 0:
                return True
        return False

    def escaped_code_point(self) -> int:
        """Return the first code point that can complete the escape that is being read, or -1."""
        for first, last in self._escape_ranges():
            found = self._first_live(first, last)
            if found >= 0:
                return found
        return -1

    def _escape_ranges(self) -> list[tuple[int, int]]:
        """Return the code points that can complete the escape that is being read."""
        minimal: bool = self.policy.minimal
        escape: cython.int = self.escape
        if escape == BACKSLASH:
            if not minimal:
                return escaped_code_points(0, 0xFFFF, False)
            ranges = [(code, code) for code in sorted(SHORT_ESCAPES.values())]
            return ranges + [(code, code) for code in HEX_CONTROLS]
        if escape < LOW_BACKSLASH:
            width = 4 * (4 - (escape - HEX))
            return escaped_code_points(self.code << width, ((self.code + 1) << width) - 1, minimal)
        # `code` holds the high half, then the digits of the low half after it.
        high, low, digits = self._surrogate()
        width = 4 * (4 - digits)
        first = max(low << width, 0xDC00)
        last = min(((low + 1) << width) - 1, 0xDFFF)
        if first > last:
            return []
        base = 0x10000 + (high - 0xD800) * 0x400
        return [(base + first - 0xDC00, base + last - 0xDC00)]

    def _surrogate(self) -> tuple[int, int, int]:
        """Return the high half, the digits of the low half so far, and their number."""
        digits = self.escape - LOW_HEX if self.escape >= LOW_HEX else 0
        return self.code >> 16, self.code & 0xFFFF, digits

    def _first_live(self, first: int, last: int) -> int:
        if self.mode == IN_STRING:
            is_bounded = self.goal.text_low > 0 or self.goal.text_high >= 0
            return first_live_code_point(
                self.automaton, self.state, first, last, self._has_length if is_bounded else None
            )
        if self.state >= 0:
            found = first_live_code_point(self.automaton, self.state, first, last, self.free_is_live)
            if found >= 0:
                return found
        return self._first_live_name(first, last)

    def _has_length(self, state: int, more: bytes) -> bool:
        """Return whether a string that one character more leads to a state can end within its bounds."""
        return bool(self.goal.has_length(state, self.length + 1))

    def _first_live_name(self, first: int, last: int) -> int:
        """Return the least code point in a range with which an offered named key goes on, or -1."""
        if self.trie < 0:
            return -1
        trie: KeyTrie = self.names
        offered: bytes = self.frame.offered()
        if first == last:
            node = self.trie
            for byte in list(chr(first).encode()):
                node = trie.child(node, byte)
                if node < 0:
                    return -1
            return first if trie.is_offered(node, offered) else -1
        # Depth first in the order of bytes, which is that of code points; (node, the bytes above it).
        stack: list[tuple[int, bytes]] = [(self.trie, b"")]
        while stack:
            node, lead = stack.pop()
            if lead and len(lead) == _utf8_width(lead[0]):
                code = ord(lead.decode())
                if first <= code <= last and trie.is_offered(node, offered):
                    return code
                continue
            for byte, child in reversed(trie.children(node)):
                if lead or byte & 0xC0 != 0x80:
                    stack.append((child, lead + bytes((byte,))))
        return -1

    @cython.cfunc
    def _step_escape(self, byte: cython.int, target: Position) -> cython.bint:
        escape: cython.int = self.escape
        minimal: cython.bint = self.policy.minimal
        digit: cython.int
        if escape == BACKSLASH:
            if byte == 0x75:
                target.assign(self)
                target.escape = HEX
                target.code = 0
                return target._escape_is_live()
            decoded = SHORT_ESCAPES.get(byte)
            if decoded is None:
                if byte != 0x2F or minimal:
                    return False
                decoded = 0x2F
            return self._feed_code_point(decoded, target)
        if escape == LOW_BACKSLASH:
            if byte != 0x5C:
                return False
            target.assign(self)
            target.escape = LOW_U
            return True
        if escape == LOW_U:
            if byte != 0x75:
                return False
            target.assign(self)
            target.escape = LOW_HEX
            return True
        if 0x30 <= byte <= 0x39:
            digit = byte - 0x30
        elif 0x61 <= byte <= 0x66:
            digit = byte - 0x57
        elif 0x41 <= byte <= 0x46 and not minimal:
            digit = byte - 0x37
        else:
            return False
        if escape < LOW_BACKSLASH:
            code = self.code * 16 + digit
            if escape < HEX + 3:
                target.assign(self)
                target.escape = escape + 1
                target.code = code
                return target._hex_is_live()
            if 0xD800 <= code <= 0xDBFF and not minimal:
                target.assign(self)
                target.escape = LOW_BACKSLASH
                target.code = code << 16
                return target.escaped_code_point() >= 0
            if 0xD800 <= code <= 0xDFFF or (minimal and code not in HEX_CONTROLS):
                return False
            return self._feed_code_point(code, target)
        high, low, digits = self._surrogate()
        low = low * 16 + digit
        if digits < 3:
            target.assign(self)
            target.escape = escape + 1
            target.code = high << 16 | low
            return target.escaped_code_point() >= 0
        if not 0xDC00 <= low <= 0xDFFF:
            return False
        return self._feed_code_point(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00, target)

    def _feed_code_point(self, code: int, target: Position) -> bool:
        """Read one decoded code point of a string or key."""
        byte: cython.int
        if code < 0x80 and self.mode == IN_KEY:
            target._copy_key(self)
            return target._feed_key(code)
        # A list: compiled, `bytes` are iterated as signed characters.
        encoded = list(chr(code).encode())
        if self.mode == IN_KEY:
            target._copy_key(self)
            return all(target._feed_key(byte) for byte in encoded)
        target.assign(self)
        target.escape = NO_ESCAPE
        target.code = 0
        if target.frame.captures:
            target.key = target.key + bytes(encoded)
        for byte in encoded:
            target.state = target.automaton.step(target.state, byte)
            if target.state < 0:
                return False
            if (target.goal.text_low > 0 or target.goal.text_high >= 0) and not target._count(byte):
                return False
        return True


def _utf8_width(lead: int) -> int:
    """Return how many bytes the character with this first byte has."""
    return 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


def free_string_position(policy: Policy) -> Position:
    """Return the position after the opening quotation mark of a document that is any string."""
    goal = Goal(None, TRUE, ())
    goal.prepare_free_text(any_text_automaton())
    position = Position(policy)
    position.begin(goal)
    position.step(0x22, position)
    return position


@cython.cfunc
def _finish_value(frame: Frame, outcome: object, value: object, target: Position) -> cython.bint:
    """Write the position after a value whose tracked formulas have these truths."""
    target.blanks = 0
    target.automaton = None
    target.goal = None
    if frame.parent is None:
        target.frame = frame
        target.mode = END
    else:
        target.frame = frame.after_value(outcome, value)
        target.mode = AFTER_VALUE
    return True


@cython.cfunc
def _close(frame: Frame, target: Position) -> cython.bint:
    """Write the position after the end of a container that may end."""
    return _finish_value(frame.parent, frame.shape.outcome(frame), frame.value(), target)
