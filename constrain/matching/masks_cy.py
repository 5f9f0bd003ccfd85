"""Token masks by position: which are there already, which are alike, and where they are kept.

A mask depends on the frame, the state of what is being read and, near a bound, its length. Those within
a string that any text may go on depend on what may follow it alone; those of states that differ
by a far count are one.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.automata.table_cy import TableAutomaton
    from cython.cimports.constrain.matching.frames_cy import Frame, FrameGraph, Goal
    from cython.cimports.constrain.matching.mask_contents_cy import MaskContents
    from cython.cimports.constrain.matching.mask_words_cy import KeptMask
    from cython.cimports.constrain.matching.modes import IN_KEY, IN_LITERAL, IN_NUMBER, IN_STRING
    from cython.cimports.constrain.matching.position_cy import Policy, Position
    from cython.cimports.constrain.matching.walks_cy import Sub
else:
    from constrain.automata.table_cy import TableAutomaton
    from constrain.matching.frames_cy import Frame, FrameGraph, Goal
    from constrain.matching.mask_contents_cy import MaskContents
    from constrain.matching.mask_words_cy import KeptMask
    from constrain.matching.modes import IN_KEY, IN_LITERAL, IN_NUMBER, IN_STRING
    from constrain.matching.position_cy import Policy, Position
    from constrain.matching.walks_cy import Sub

from constrain.automata.lazy_dfa_cy import LazyDfa
from constrain.matching.alike_states import AlikeStates, counted
from constrain.matching.vocabulary_masks import SHORT

__all__ = ["MaskBuilder"]

#: What a remembered mask takes beside its words and tokens, in a table and with its key.
_ENTRY_BYTES = 256
#: Masks within free strings: as many as there are sets of tokens that end such a string.
_MOST_FREE_STRINGS = 512


@cython.cclass
class MaskBuilder(MaskContents):
    """Fills masks for the positions of one constraint and one vocabulary.

    Attributes:
        worst: by position, so many tokens surely complete the document behind any token that is allowed.
    """

    def __init__(self, vocabulary: Any, policy: Policy, max_bytes: int) -> None:
        self._begin_contents(vocabulary, policy, max_bytes)
        # Whole masks by position, in two generations; the older one is dropped when the younger is full.
        self._most_bytes = max_bytes // 4
        self._young_bytes = 0
        # What the younger masks begin with. They may be all that still holds it, so it counts, but once.
        self._young_words: set[int] = set()
        self._last_words: Any = None
        self._young: dict[object, KeptMask] = {}
        self._old: dict[object, KeptMask] = {}
        self._graph: Any = None
        self.worst: dict[object, int] = {}
        self._alike_states: dict[object, AlikeStates] = {}
        # What was filled last of a free string.
        self._string_frame: Any = None
        self._string_goal: Any = None
        self._string_mask: Any = None

    @cython.ccall
    def fill(self, position: Position) -> object:
        """Return the mask of a position: uint32[n_words], valid until the next call."""
        self.fill_words(position)
        return self.words_array

    @cython.ccall
    def fill_words(self, position: Position) -> cython.int:
        """Write the mask of a position to the words."""
        mask = self.filled(position)
        if mask is not None:
            self._copy_kept(mask)
        if not cython.compiled:
            self.words_array[:] = self.words
        return 0

    @cython.ccall
    def filled(self, position: Position) -> KeptMask | None:
        """Return the mask of a position if it is kept already, else write it to the words."""
        key: object = self.key(position)
        if key is None:
            self._fill(position)
            return None
        mask = self._remembered(key)
        if mask is None:
            mask = self._free_string(position)
            if mask is None:
                self._fill(position)
                self._remember(key, self._keep())
            else:
                self._remember(key, mask)
            if position.mode == IN_STRING and position.automaton.counts > 0:
                self._visited(position)
        return mask

    @cython.cfunc
    def _visited(self, position: Position) -> cython.int:
        """Learn what the tokens visit from a state of a text that counts."""
        goal: Goal = position.goal
        states = self._alike_states.get(position.automaton)
        # Near a bound on the length, only short tokens visit anything.
        if states is not None and goal.is_far(position.length, self.max_depth):
            states.visited(position.state, SHORT)
        return 0

    @cython.cfunc
    def _free_string(self, position: Position) -> KeptMask | None:
        """Return the mask within a string that any text may continue and end; else `None`.

        It depends on what may follow the string alone: the strings of all constraints share such masks.
        """
        if position.mode != IN_STRING or position.escape != 0 or position.frame.captures:
            return None
        if not self._is_universal(position.automaton, position.state):
            return None
        goal: Goal = position.goal
        if not goal.is_far(position.length, self.max_depth):
            return None
        if position.frame is self._string_frame and goal is self._string_goal:
            # The string was begun when the mask was filled last; nothing else has changed.
            return self._string_mask
        sub: Sub = self._sub(self.whole, 0, False)
        exit: Position = self._scratch(0).exit
        allowed: bytes = b""
        self.filter = None
        if position.step(0x22, exit):
            self._allow(sub, exit, 0)
            allowed = self._allowed(sub, 0)
        masks: dict[bytes, KeptMask] = self.shared.free_strings
        mask = masks.get(allowed)
        if mask is None:
            self._fill(position)
            # Filled for most tokens of most documents: as a whole, it is written in one go.
            mask = KeptMask(self._packed(), b"")
            if len(masks) >= _MOST_FREE_STRINGS:
                masks.clear()
            masks[allowed] = mask
        self._string_mask = mask
        self._string_frame = position.frame
        self._string_goal = goal
        return mask

    @cython.ccall
    def key(self, position: Position) -> object:
        """Return what the mask depends on, where the same position can come again; else `None`."""
        frame: Frame = position.frame
        goal: Goal
        mode: cython.longlong = position.mode
        state: cython.longlong
        length: cython.longlong = 0
        if frame.graph is None or position.escape != 0:
            return None
        if frame.graph is not self._graph and not self._follow(frame.graph):
            return None
        if mode == IN_KEY:
            return frame.mark() + position.key
        # The frame tells the goal of the value that is due or being read.
        if mode == IN_STRING:
            goal = position.goal
            if not goal.is_far(position.length, self.max_depth):
                length = position.length + 1
            state = position.state
            if position.automaton.counts != 0 and not frame.captures:
                state = self._alike(position)
        elif mode == IN_NUMBER or mode == IN_LITERAL:
            state = position.state
        else:
            state = position.blanks
        if state > 0xFFFFFF or length > 0x3FFFF:
            return None
        # One integer is made and found faster than a tuple, and the garbage collector does not look at it.
        number: cython.longlong = frame.number
        return ((number << 18 | length) << 24 | state) << 4 | mode

    @cython.cfunc
    def _alike(self, position: Position) -> cython.int:
        """Return one for all states of a text that tokens cannot tell apart by what they count."""
        automaton: TableAutomaton = position.automaton
        states = self._alike_states.get(automaton)
        if states is None:
            body = counted(automaton.components(automaton.start)) if isinstance(automaton, LazyDfa) else None
            automaton.counts = body is not None
            if body is None:
                return position.state
            states = AlikeStates(automaton, body)
            self._alike_states[automaton] = states
        alike: cython.int = states.of(position.state)
        return alike

    @cython.cfunc
    def _follow(self, graph: FrameGraph) -> cython.bint:
        """Forget the masks of an older graph, whose frames have the same numbers.

        Return False for a frame of such a graph: its masks are not remembered any more.
        """
        if self._graph is not None and graph.serial < self._graph.serial:
            return False
        self._graph = graph
        self._start_over()
        self._old = {}
        self.worst = {}
        return True

    @cython.cfunc
    def _start_over(self) -> cython.int:
        self._young = {}
        self._young_bytes = 0
        self._young_words = set()
        self._last_words = None
        return 0

    @cython.cfunc
    def _remembered(self, key: object) -> KeptMask | None:
        mask = self._young.get(key)
        if mask is None:
            mask = self._old.get(key)
            if mask is not None:
                self._remember(key, mask)
        return mask

    @cython.cfunc
    def _remember(self, key: object, mask: KeptMask) -> cython.int:
        words: object = mask.words
        if self._young_bytes >= self._most_bytes:
            self._old = self._young
            self._start_over()
        self._young_bytes += _ENTRY_BYTES + len(mask.log)
        if words is not None and words is not self._last_words:
            self._last_words = words
            if id(words) not in self._young_words:
                self._young_words.add(id(words))
                self._young_bytes += 4 * self.n_words
        self._young[key] = mask
        return 0
