"""A lazily built automaton over bytes: the one protocol of everything that reads bytes.

Transitions live in one flat table of C integers, 256 to a state, filled on demand:
`table[state * 256 + byte]` is the next state, `DEAD` or `UNKNOWN`. A subclass supplies
`expand`, which computes one unknown transition in plain Python. A state exists only if its
language is not empty, so `DEAD` is exact and so are the masks that are made from it.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.libc.stdlib import free, realloc

from constrain.errors import LimitExceeded
from constrain.lock_cy import EngineLock

__all__ = ["COMPILED", "DEAD", "EXPANDING", "UNKNOWN", "TableAutomaton"]

#: Whether this build of the package is compiled.
COMPILED = bool(cython.compiled)

#: Constraints of several threads may expand an automaton that they share.
EXPANDING = EngineLock()

#: No word can follow.
DEAD = -1
#: Not computed yet.
UNKNOWN = -2


@cython.cfunc
def _enlarged(memory: cython.p_void, size: cython.Py_ssize_t) -> cython.p_void:
    """Return memory of `size` bytes that begins with what was in `memory`, which is given back."""
    larger = realloc(memory, size)
    if larger == cython.NULL:
        raise MemoryError
    return larger


@cython.cclass
class TableAutomaton:
    """An automaton whose states are small integers and whose start state is `start`.

    Subclasses create states with `add_state` and override `expand`. `start` is `DEAD` when the
    language is empty.

    Attributes:
        is_shared: whether several constraints use it, perhaps in several threads.
        counts: whether the states count something far, see `AlikeStates`; -1 if it is not known.
        live_escapes: a memo of those who read texts with it.
        loops: per state, a memo of what leads back to it, see `character_classes_cy`; -1 if it is not known.
        runs, followers, stops: per state, a memo of what leads to one other state, of that state, and of what
            leads nowhere, see `character_classes_cy`; -1 in `runs` if they are not known.
    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.table = cython.NULL
            self.flags = cython.NULL
            self.loops = cython.NULL
            self.runs = cython.NULL
            self.stops = cython.NULL
            self.followers = cython.NULL
            self.capacity = 0

    def __init__(self, max_states: int = 500_000) -> None:
        self.start = DEAD
        self.counts = -1
        self.size = 0
        self.max_states = max_states
        self.is_shared = False
        self.live_escapes: dict[object, bool] = {}
        self.outcomes: list[int] = []
        if not cython.compiled:
            self.rows: list[list[int]] = []
            self.accepts: list[int] = []
            self.loops = []
            self.runs = []
            self.stops = []
            self.followers = []

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.table)
            free(self.flags)
            free(self.loops)
            free(self.runs)
            free(self.stops)
            free(self.followers)

    def add_state(self, accepting: bool, outcome: int = 0) -> int:
        """Make a state and return its number.

        Args:
            accepting: whether the text may end here.
            outcome: bit i tells whether tracked language i accepts here.

        Raises:
            LimitExceeded: the automaton has `max_states` states already.
        """
        state: cython.Py_ssize_t = self.size
        if state >= self.max_states:
            raise LimitExceeded(
                "the automaton needs more states than the budget allows",
                limit=self.max_states,
                remedy="raise Options.max_states, or make patterns and bounds smaller",
            )
        if cython.compiled:
            if state >= self.capacity:
                self._grow()
            # UNKNOWN is -2: no single byte value repeats to it, so the row is filled in a loop.
            base: cython.Py_ssize_t = state * 256
            i: cython.Py_ssize_t
            for i in range(256):
                self.table[base + i] = -2
            self.flags[state] = 1 if accepting else 0
            self.loops[state] = -1
            self.runs[state] = -1
        else:
            self.rows.append([UNKNOWN] * 256)
            self.accepts.append(1 if accepting else 0)
            self.loops.append(-1)
            self.runs.append(-1)
            self.stops.append(0)
            self.followers.append(DEAD)
        self.outcomes.append(outcome)
        self.size = state + 1
        return state

    @cython.cfunc
    def _grow(self) -> cython.int:
        if cython.compiled:
            capacity: cython.Py_ssize_t = 8 if self.capacity == 0 else self.capacity * 2
            self.table = cython.cast(
                cython.p_int, _enlarged(self.table, capacity * 256 * cython.sizeof(cython.int))
            )
            self.flags = cython.cast(cython.p_uchar, _enlarged(self.flags, capacity))
            width: cython.Py_ssize_t = capacity * cython.sizeof(cython.longlong)
            self.loops = cython.cast(cython.p_longlong, _enlarged(self.loops, width))
            self.runs = cython.cast(cython.p_longlong, _enlarged(self.runs, width))
            self.stops = cython.cast(cython.p_longlong, _enlarged(self.stops, width))
            self.followers = cython.cast(
                cython.p_int, _enlarged(self.followers, capacity * cython.sizeof(cython.int))
            )
            self.capacity = capacity
        return 0

    def set_transition(self, state: cython.Py_ssize_t, byte: cython.Py_ssize_t, target: cython.int) -> None:
        """Store a transition; `expand` uses it to fill several bytes of one class at once."""
        if not (0 <= state < self.size and 0 <= byte < 256):
            raise IndexError((state, byte))
        if cython.compiled:
            self.table[state * 256 + byte] = target
        else:
            self.rows[state][byte] = target

    def set_transitions(
        self, state: cython.Py_ssize_t, low: cython.Py_ssize_t, high: cython.Py_ssize_t, target: cython.int
    ) -> None:
        """Store one target for the bytes `low` to `high`, both included."""
        byte: cython.Py_ssize_t
        if not (0 <= state < self.size and low >= 0 and high < 256):
            raise IndexError((state, low, high))
        for byte in range(low, high + 1):
            if cython.compiled:
                self.table[state * 256 + byte] = target
            else:
                self.rows[state][byte] = target

    def leave_open(self, state: cython.Py_ssize_t, followers: bytes) -> None:
        """Make all transitions of a state dead but those by some bytes, which are not computed yet."""
        byte: cython.uchar
        if not 0 <= state < self.size:
            raise IndexError(state)
        if cython.compiled:
            place: cython.int
            row: cython.p_int = self.table + state * 256
            for place in range(256):
                row[place] = -1
            for byte in followers:
                row[byte] = -2
        else:
            self.rows[state] = [UNKNOWN if byte in followers else DEAD for byte in range(256)]

    @cython.ccall
    @cython.exceptval(-3, check=True)
    def expand(self, state: cython.int, byte: cython.int) -> cython.int:
        """Compute the transition of `state` by `byte`: a state number or `DEAD`."""
        raise TypeError("a subclass of TableAutomaton defines expand")

    @cython.ccall
    @cython.exceptval(-3, check=True)
    def step(self, state: cython.int, byte: cython.int) -> cython.int:
        """Return the state after `byte`, or `DEAD`."""
        target: cython.int
        if cython.compiled:
            target = self.table[cython.cast(cython.Py_ssize_t, state) * 256 + byte]
        else:
            target = self.rows[state][byte]
        if target != -2:
            return target
        if self.is_shared:
            EXPANDING.enter()
            try:
                target = self.expand(state, byte)
            finally:
                EXPANDING.leave()
        else:
            target = self.expand(state, byte)
        if cython.compiled:
            self.table[cython.cast(cython.Py_ssize_t, state) * 256 + byte] = target
        else:
            self.rows[state][byte] = target
        return target

    @cython.ccall
    def accepting(self, state: cython.int) -> cython.bint:
        """Return whether the text may end in `state`."""
        if cython.compiled:
            return self.flags[state] != 0
        return self.accepts[state] != 0

    @cython.ccall
    def outcome(self, state: cython.int) -> object:
        """Return the tracked languages that accept in `state`, as bits."""
        return self.outcomes[state]
