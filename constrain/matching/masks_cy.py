"""Token masks: which tokens of a vocabulary keep a position alive.

The naive mask walks the token trie depth first with one scratch position per depth; a byte that
does not go on cuts off its subtree, which is a contiguous range of nodes. Four things save most of
that walk. Within one string, key or number, a *lane*, a step is a lookup in the table of its
automaton. Where a string is entered that any text may continue, the *sub* of the node (`walks_cy`)
stands for all below it. Between JSON tokens, tokens are walked without their leading blanks, which
are judged by a table. The tokens that stay inside a string or a number depend on the state of its
automaton alone: their mask is cached.
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
    from cython.cimports.constrain.matching.key_trie_cy import KeyTrie
    from cython.cimports.constrain.matching.modes import (
        COUNTED_LANE,
        END,
        FIRST_ITEM,
        IN_KEY,
        IN_LITERAL,
        IN_NUMBER,
        IN_STRING,
        KEY_LANE,
        NUMBER,
        NUMBER_LANE,
        STRING,
        STRING_LANE,
        VALUE,
    )
    from cython.cimports.constrain.matching.position_cy import Policy, Position
    from cython.cimports.constrain.matching.walks_cy import Scratch, Sub, WalkTrie, loops
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
    from cython.cimports.libc.string import memcpy, memset
else:
    from constrain.automata.table_cy import TableAutomaton
    from constrain.matching.frames_cy import Frame, FrameGraph, Goal
    from constrain.matching.key_trie_cy import KeyTrie
    from constrain.matching.modes import (
        COUNTED_LANE,
        END,
        FIRST_ITEM,
        IN_KEY,
        IN_LITERAL,
        IN_NUMBER,
        IN_STRING,
        KEY_LANE,
        NUMBER,
        NUMBER_LANE,
        STRING,
        STRING_LANE,
        VALUE,
    )
    from constrain.matching.position_cy import Policy, Position
    from constrain.matching.walks_cy import Scratch, Sub, WalkTrie, loops
    from constrain.vocabulary.token_trie_cy import TokenTrie

import numpy as np

from constrain.automata.lazy_dfa_cy import RICH
from constrain.matching.values import string_value
from constrain.matching.vocabulary_masks import MaskCache, vocabulary_masks
from constrain.matching.walks_cy import build_subs

__all__ = ["MaskBuilder"]

#: With more free keys that were written than this, each inner text is looked up among them.
_MANY_KEYS = 64
#: So many sets of remainders after keys are kept.
_MOST_AFTER_KEYS = 10_000


@cython.cclass
class MaskBuilder:
    """Fills masks for the positions of one constraint and one vocabulary.

    Attributes:
        n_words: the number of 32-bit words of a mask.
        words_array: uint32[n_words], the mask that was filled last.
        worst: by position, how many tokens complete the document behind any token that is allowed there.
    """

    def __init__(self, vocabulary: Any, policy: Policy, max_bytes: int) -> None:
        self.shared = vocabulary_masks(vocabulary, policy)
        self.whole = self.shared.whole
        self.inside = self.shared.inside
        self.stripped = self.shared.stripped
        self.escaped = self.shared.escaped
        self.plain = self.shared.plain
        self.numeric = self.shared.numeric
        self.after_number = self.shared.after_number
        self.resuming = self.shared.resuming
        self.numbers = self.shared.numbers
        self.character_array = self.shared.characters
        if cython.compiled:
            address = cython.cast(cython.size_t, self.character_array.ctypes.data)
            self.characters = cython.cast(cython.p_int, address)
        else:
            self.characters = self.character_array.tolist()
        self.policy = policy
        self.n_words = (vocabulary.size + 31) // 32
        self.cache = MaskCache(max_bytes // 2)
        # Whole masks by position, in two generations; the older one is dropped when the younger is full.
        self._most_whole = max(1, max_bytes // 4 // (4 * self.n_words))
        self._young: dict[object, bytes] = {}
        self._old: dict[object, bytes] = {}
        self._graph: Any = None
        self.worst: dict[object, int] = {}
        self.max_depth = vocabulary.trie.max_depth
        self.levels: list[Scratch] = []
        self.words_array = np.zeros(self.n_words, dtype=np.uint32)
        if cython.compiled:
            self.words = cython.cast(cython.p_uint, cython.cast(cython.size_t, self.words_array.ctypes.data))
        self._universal: dict[object, bool] = {}
        self._rich = True
        self._fits_state = -1
        self._fits = bytearray()
        # For the automaton of keys that was asked last, 1 for states with many words and 2 for others.
        self._rich_automaton: Any = None
        self._rich_states = bytearray()
        self.filter: Any = None
        # What was filled last of a free string.
        self._string_frame: Any = None
        self._string_goal: Any = None
        self._string_mask = b""
        # The array of which an item is being read, and what may follow a new string there, by its outcome.
        self._item_frame: Any = None
        self._after_item: dict[object, bytes] = {}
        # The frames that read the values of the keys that may follow the frame of the last key.
        self._key_frame: Any = None
        self._followers: dict[object, Any] = {}
        #: (goal, sub) -> the remainders that may follow a key whose value has this goal.
        self._after_keys: dict[object, bytes] = {}

    @cython.ccall
    def fill(self, position: Position) -> object:
        """Return the mask of a position: uint32[n_words], valid until the next call."""
        key: object = self.key(position)
        if key is not None:
            mask = self._remembered(key)
            if mask is not None:
                self._copy(mask)
                if not cython.compiled:
                    self.words_array[:] = self.words
                return self.words_array
        self.filter = None
        mode: cython.int = position.mode
        if mode == IN_STRING and position.escape == 0:
            self._fill_string(position)
        elif mode == IN_KEY and position.escape == 0:
            self._fill_key(position)
        elif mode == IN_NUMBER:
            self._fill_number(position)
        elif mode == IN_LITERAL or mode == IN_STRING or mode == IN_KEY:
            self._clear()
            self._walk(self.whole, 0, position, 0)
        else:
            self._add_structure(position, True)
        if not cython.compiled:
            self.words_array[:] = self.words
        if key is not None:
            self._remember(key, self.words_array.tobytes())
        return self.words_array

    @cython.ccall
    def known(self, position: Position) -> bytes | None:
        """Return the mask of a position if it was filled before, else `None`: uint32[n_words] as bytes."""
        key: object = self.key(position)
        return None if key is None else self._remembered(key)

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
    def _follow(self, graph: FrameGraph) -> cython.bint:
        """Forget the masks of an older graph, whose frames have the same numbers.

        Return False for a frame of such a graph: its masks are not remembered any more.
        """
        if self._graph is not None and graph.serial < self._graph.serial:
            return False
        self._graph = graph
        self._young = {}
        self._old = {}
        self.worst = {}
        return True

    @cython.cfunc
    def _remembered(self, key: object) -> bytes | None:
        mask = self._young.get(key)
        if mask is None:
            mask = self._old.get(key)
            if mask is not None:
                self._remember(key, mask)
        return mask

    @cython.cfunc
    def _remember(self, key: object, mask: bytes) -> cython.int:
        if len(self._young) >= self._most_whole:
            self._old = self._young
            self._young = {}
        self._young[key] = mask
        return 0

    @cython.ccall
    def clear(self) -> cython.int:
        """Make the mask empty."""
        self._clear()
        if not cython.compiled:
            self.words_array[:] = 0
        return 0

    @cython.ccall
    def allow(self, tokens: Any) -> cython.int:
        """Add tokens of the vocabulary to the mask that was filled last."""
        one: cython.uint = 1
        token: cython.int
        for token in tokens:
            self.words[token >> 5] |= one << (token & 31)
        if not cython.compiled:
            self.words_array[:] = self.words
        return 0

    def reread(self) -> None:
        """Take over what was written to `words_array`."""
        if not cython.compiled:
            self.words = self.words_array.tolist()

    @cython.cfunc
    def _clear(self) -> cython.int:
        if cython.compiled:
            memset(self.words, 0, self.n_words * 4)
        else:
            self.words = [0] * self.n_words
        return 0

    # Positions between JSON tokens

    @cython.cfunc
    def _add_structure(self, position: Position, is_first: cython.bint) -> cython.int:
        """Add what may come between JSON tokens; if it is the first, nothing else is in the mask."""
        if position.mode == END and not self.policy.trailing:
            if is_first:
                self._clear()
            return 0
        allowed = self.shared.judge_blanks(self.policy, position.blanks)
        if is_first:
            self._copy(allowed[1])
        else:
            self._add(allowed[1])
        if position.mode == END:
            return 0
        self.filter = allowed[0]
        self._walk(self.stripped, 0, position, 0)
        if position.mode == VALUE or position.mode == FIRST_ITEM:
            self._add_numbers(position)
        self.filter = None
        return 0

    @cython.cfunc
    def _add_numbers(self, position: Position) -> cython.int:
        """Add the beginnings of the numbers that may be the value which is due."""
        goal: Goal = position.goal
        if position.mode == FIRST_ITEM:
            entry = position.frame.item()
            if entry is None:
                return 0
            goal = entry.goal
        if not goal.offers(NUMBER):
            return 0
        if goal.number.is_shared:
            key: object = (goal.number, self.policy.whitespace_name, position.blanks)
            cache = self.shared.cache
            mask = cache.get(key)
            if mask is None:
                mask = self._apart(self.numbers, position)
                cache.put(key, mask)
            self._add(mask)
            return 0
        self._walk(self.numbers, 0, position, 0)
        return 0

    @cython.cfunc
    def _apart(self, walk: WalkTrie, position: Position) -> bytes:
        """Return the packed mask of what a walk adds; the mask that is being filled stays as it is."""
        kept = self.words
        array = np.zeros(self.n_words, dtype=np.uint32)
        if cython.compiled:
            self.words = cython.cast(cython.p_uint, cython.cast(cython.size_t, array.ctypes.data))
        else:
            self.words = [0] * self.n_words
        try:
            self._walk(walk, 0, position, 0)
            if not cython.compiled:
                array[:] = self.words
        finally:
            self.words = kept
        return array.tobytes()

    @cython.cfunc
    def _fill_number(self, position: Position) -> cython.int:
        """Fill the mask within a number: what stays in it, what leaves it, what comes after it."""
        automaton: TableAutomaton = position.automaton
        cache = self.shared.cache if automaton.is_shared else self.cache
        key: object = (automaton, position.state)
        mask = cache.get(key)
        target: Position
        if mask is None:
            self._clear()
            self._walk(self.numeric, 0, position, 0)
            cache.put(key, self._packed())
        else:
            self._copy(mask)
        self._walk(self.after_number, 0, position, 0)
        if automaton.accepting(position.state):
            target = Position(self.policy)
            position.end_number(target)
            self._add_structure(target, False)
        return 0

    # Positions in strings

    @cython.cfunc
    def _fill_string(self, position: Position) -> cython.int:
        goal: Goal = position.goal
        low: cython.Py_ssize_t = goal.text_low
        high: cython.Py_ssize_t = goal.text_high
        left: cython.Py_ssize_t
        sub: Sub = self._sub(self.whole, 0, False)
        if self._is_universal(position.automaton, position.state):
            if position.frame is self._string_frame and goal is self._string_goal:
                # The string was begun when the mask was filled last; nothing else has changed.
                self._copy(self._string_mask)
                return 0
            left = -1 if high < 0 else high - position.length
            if left < 0 or left > self.max_depth:
                self._copy_root(sub)
            else:
                self._copy_bounded(position, left)
            if position.frame.captures:
                self._leave_captured(sub, position)
            elif low <= position.length and (left < 0 or left > self.max_depth):
                self._leave_free(sub, position, 0)
                if low == 0 and high < 0:
                    self._string_mask = self._packed()
                    self._string_frame = position.frame
                    self._string_goal = goal
            else:
                self._leave_counted(sub, position, left)
            return 0
        self._copy_inside(position)
        self._walk(self.resuming, 0, position, 0)
        if position.frame.captures:
            self._leave_captured(sub, position)
        else:
            self._leave_string(sub, position, 0)
        return 0

    @cython.cfunc
    def _is_universal(self, automaton: TableAutomaton, state: cython.int) -> cython.bint:
        key: object = (automaton, state)
        universal = self._universal.get(key)
        if universal is None:
            universal = automaton.is_universal(state)
            self._universal[key] = universal
        return universal

    @cython.cfunc
    def _copy_root(self, sub: Sub) -> cython.int:
        """Write the mask of the tokens that stay inside a string that any text may continue."""
        if sub.words is None:
            self._clear()
            self._emit(sub.inside, 0)
            sub.words = self._packed()
        else:
            self._copy(sub.words)
        return 0

    @cython.cfunc
    def _copy_bounded(self, position: Position, left: cython.Py_ssize_t) -> cython.int:
        """Write the mask of the tokens that stay in a free string of at most `left` more characters.

        It depends on the vocabulary alone: all bounded strings of all constraints share it.
        """
        key: object = left
        mask = self.shared.cache.get(key)
        if mask is None:
            self._copy(self.shared.short_tokens(left))
            self._walk(self.escaped, 0, position, 0)
            self.shared.cache.put(key, self._packed())
            return 0
        self._copy(mask)
        return 0

    @cython.cfunc
    def _copy_inside(self, position: Position) -> cython.int:
        """Write the mask of the tokens that stay inside a string or key, from a cache if it is there."""
        automaton: TableAutomaton = position.automaton
        goal: Goal = position.goal
        if position.mode == IN_STRING and not goal.is_far(position.length, self.max_depth):
            self._clear()
            self._add_plain(automaton, position.state, goal, position.length, False)
            self._walk(self.escaped, 0, position, 0)
            return 0
        frame: Frame = position.frame
        if position.mode == IN_KEY and frame.n_names > RICH and not self._is_rich(position, position.state):
            self._clear()
            self._walk(self.inside, 0, position, 0)
            return 0
        cache = self.shared.cache if automaton.is_shared else self.cache
        # Where keys were written, only what is rich of new ones goes on; such a mask is another one.
        has_written: cython.bint = (
            position.mode == IN_KEY and frame.n_names > 0 and automaton is not frame.shape.keys.automaton
        )
        key: object = (automaton, position.state, has_written)
        mask = cache.get(key)
        if mask is not None:
            self._copy(mask)
            return 0
        self._clear()
        self._rich = True
        if self._add_plain(automaton, position.state, None, 0, has_written):
            self._walk(self.escaped, 0, position, 0)
        else:
            self._clear()
            self._walk(self.inside, 0, position, 0)
        if self._rich:
            cache.put(key, self._packed())
        return 0

    @cython.cfunc
    def _add_plain(
        self,
        automaton: TableAutomaton,
        start: cython.int,
        goal: Goal,
        length: cython.Py_ssize_t,
        only_rich: cython.bint,
    ) -> cython.bint:
        """Add the tokens without an escape that stay inside a text which `automaton` reads.

        Where a state leads back to itself by all characters below a node, all tokens below are added.

        Args:
            goal: if its bounds on the length count.
            length: that was read.
            only_rich: give up and return False at a state with few words.
        """
        walk: WalkTrie = self.plain
        trie: TokenTrie = walk.trie
        scratch: Scratch = self._scratch(0)
        # Local names of what the loop reads: it runs once for each of very many nodes.
        words: cython.p_uint = self.words
        states: cython.p_int = scratch.state
        depths: cython.p_int = trie.c_depth
        ends: cython.p_int = trie.c_subtree_end
        texts: cython.p_uchar = trie.c_byte
        firsts: cython.p_int = trie.c_token_low
        lasts: cython.p_int = trie.c_token_high
        ordered: cython.p_int = trie.c_sorted_ids
        signatures: cython.p_longlong = walk.signature
        looping: cython.longlong
        one: cython.uint = 1
        node: cython.int = 1
        end: cython.int = trie.c_subtree_end[0]
        depth: cython.int
        before: cython.int
        state: cython.int
        token: cython.int
        byte: cython.int
        k: cython.int
        is_counted: cython.bint = goal is not None
        begun: cython.Py_ssize_t = length
        self._fits_state = -1
        states[0] = start
        scratch.length[0] = length
        while node < end:
            depth = depths[node]
            byte = texts[node]
            before = states[depth - 1]
            # The table moves when the automaton grows, so it has no name of its own.
            state = _next(automaton, before, byte)
            if state < 0:
                node = ends[node]
                continue
            if is_counted:
                length = scratch.length[depth - 1]
                if byte & 0xC0 != 0x80:
                    length += 1
                scratch.length[depth] = length
                if not goal.has_length(state, length):
                    node = ends[node]
                    continue
            if only_rich and state != before and not self._has_riches(automaton, state):
                return False
            looping = automaton.loops[state]
            if looping < 0 and state == before and lasts[node] - firsts[node] >= 8:
                looping = loops(automaton, state)
            if looping > 0 and not signatures[node] & ~looping:
                if not is_counted:
                    for k in range(firsts[node], lasts[node]):
                        token = ordered[k]
                        words[token >> 5] |= one << (token & 31)
                    node = ends[node]
                    continue
                self._add_below(trie, node, goal, state, begun)
                node = ends[node]
                continue
            states[depth] = state
            # The tokens that end here come first among those below.
            for k in range(firsts[node], firsts[node + 1] if ends[node] > node + 1 else lasts[node]):
                token = ordered[k]
                words[token >> 5] |= one << (token & 31)
            node += 1
        return True

    @cython.cfunc
    def _has_riches(self, automaton: TableAutomaton, state: cython.int) -> cython.bint:
        """Return whether more than a few words go on from a state."""
        if automaton is self._rich_automaton and state < len(self._rich_states):
            if self._rich_states[state] != 0:
                return self._rich_states[state] == 1
        else:
            self._rich_automaton = automaton
            self._rich_states = bytearray(2 * state + 64)
        rich: cython.bint = automaton.is_rich(state)
        self._rich_states[state] = 1 if rich else 2
        return rich

    @cython.cfunc
    def _add_below(
        self, trie: TokenTrie, node: cython.int, goal: Goal, state: cython.int, begun: cython.Py_ssize_t
    ) -> cython.int:
        """Add the tokens below a node that keep the bounds, where all of them end in one state.

        Args:
            begun: the number of characters before the tokens.
        """
        one: cython.uint = 1
        k: cython.int
        token: cython.int
        count: cython.int
        # By the number of characters: 0 if not known yet, 1 if they fit, 2 if not.
        if self._fits_state != state:
            self._fits_state = state
            self._fits = bytearray(self.max_depth + 1)
        fits: bytearray = self._fits
        for k in range(trie.c_token_low[node], trie.c_token_high[node]):
            token = trie.c_sorted_ids[k]
            count = self.characters[token]
            if fits[count] == 0:
                fits[count] = 1 if goal.has_length(state, begun + count) else 2
            if fits[count] == 1:
                self.words[token >> 5] |= one << (token & 31)
        return 0

    # Leaving strings: the remainders are judged once for all texts that end the string alike.

    @cython.cfunc
    def _allow(self, sub: Sub, exit: Position, level: cython.int) -> cython.int:
        """Find the remainders that may follow `exit`, in the scratch of a level."""
        scratch: Scratch = self._scratch(level)
        k: cython.int
        n_words: cython.int = (sub.n_remainders + 31) >> 5
        if len(scratch.allowed_array) < n_words:
            scratch.reserve(sub.n_remainders)
        for k in range(n_words):
            scratch.allowed[k] = 0
        scratch.allowed[0] = 1
        if sub.remainders is not None:
            self._allow_some(sub.remainders, exit, level)
        return 0

    @cython.cfunc
    def _allowed(self, sub: Sub, level: cython.int) -> bytes:
        """Return which remainders were found in the scratch of a level, packed."""
        scratch: Scratch = self._scratch(level)
        n_words: cython.int = (sub.n_remainders + 31) >> 5
        if cython.compiled:
            return scratch.allowed_array[:n_words].tobytes()
        return np.array(scratch.allowed[:n_words], dtype=np.uint32).tobytes()

    @cython.cfunc
    def _set_allowed(self, sub: Sub, level: cython.int, allowed: bytes) -> cython.int:
        """Take over what `_allowed` returned."""
        scratch: Scratch = self._scratch(level)
        n_words: cython.int = (sub.n_remainders + 31) >> 5
        if len(scratch.allowed_array) < n_words:
            scratch.reserve(sub.n_remainders)
        if cython.compiled:
            memcpy(scratch.allowed, cython.cast(cython.p_uchar, allowed), n_words * 4)
        else:
            scratch.allowed = np.frombuffer(allowed, dtype=np.uint32).tolist()
        return 0

    @cython.cfunc
    def _allow_some(self, remainders: WalkTrie, exit: Position, level: cython.int) -> cython.int:
        """Add those of some remainders that may follow `exit`."""
        scratch: Scratch = self._scratch(level)
        kept = self.words
        tags = self.filter
        self.words = scratch.allowed
        self.filter = None
        try:
            self._walk(remainders, 0, exit, level + 1)
        finally:
            self.words = kept
            self.filter = tags
        return 0

    @cython.cfunc
    def _emit_leaving(self, sub: Sub, entry: cython.int, level: cython.int) -> cython.int:
        """Set the bits of the tokens of an inner text, -1 for all, whose remainder is allowed."""
        scratch: Scratch = self._scratch(level)
        walk: WalkTrie = sub.inners
        flags: bytearray = self.filter
        one: cython.uint = 1
        first: cython.int = 0
        last: cython.int = walk.c_start[walk.trie.size]
        k: cython.int
        r: cython.int
        token: cython.int
        if entry >= 0:
            first = walk.c_start[entry]
            last = walk.c_start[entry + 1]
        for k in range(first, last):
            r = sub.remainder[k]
            if (scratch.allowed[r >> 5] >> (r & 31)) & 1 and (flags is None or flags[walk.c_tags[k]]):
                token = walk.c_ids[k]
                self.words[token >> 5] |= one << (token & 31)
        return 0

    @cython.cfunc
    def _leave_free(self, sub: Sub, position: Position, level: cython.int) -> cython.int:
        """Add what leaves a string that any text may end."""
        exit: Position = self._scratch(level).exit
        if position.step(0x22, exit):
            self._allow(sub, exit, level)
            self._emit_leaving(sub, -1, level)
        return 0

    @cython.cfunc
    def _leave_captured(self, sub: Sub, position: Position) -> cython.int:
        """Add what leaves a string whose value matters to what comes later.

        If all that matters is whether items repeat each other, and the items to come are asked for the
        same, then one new value stands for all new ones of its outcome: swapping two of them changes no
        array that may follow, as long as no other string is ended.
        """
        frame: Frame = position.frame
        if frame.parent.captures or not frame.shape.only_collects or frame.count < frame.shape.prefix:
            self._walk(sub.leaving(), 0, position, 0)
            return 0
        goal: Goal = position.goal
        automaton: TableAutomaton = position.automaton
        low: cython.Py_ssize_t = goal.text_low - position.length
        high: cython.Py_ssize_t = goal.text_high
        left: cython.Py_ssize_t = high - position.length
        entry: cython.int
        if frame is not self._item_frame:
            self._item_frame = frame
            self._after_item = {}
        repeated: dict[int, Any] = self._repeated(sub, position) if frame.item().may_repeat else {}
        groups: dict[object, list[int]] = {}
        if sub.has_empty and automaton.accepting(position.state):
            groups[automaton.outcome(position.state)] = [0]
        self._end_inners(sub, position, 0, groups, None)
        for outcome, entries in groups.items():
            is_found = False
            for entry in entries:
                if low > sub.n_characters[entry] or (high >= 0 and sub.n_characters[entry] > left):
                    continue
                value = repeated.get(entry)
                if value is not None:
                    self._allow_after_item(sub, position, outcome, value)
                    is_found = False
                elif not is_found:
                    self._allow_after_new(sub, position, outcome, entry)
                    is_found = True
                self._emit_leaving(sub, entry, 0)
        if sub.irregular is not None:
            for entry in range(sub.irregular.trie.size):
                self._erase(sub.irregular, entry)
            self._walk(sub.irregular, 0, position, 0)
        return 0

    @cython.cfunc
    def _repeated(self, sub: Sub, position: Position) -> dict[int, Any]:
        """Return the earlier items that an inner text makes of a string, by that text."""
        found: dict[int, Any] = {}
        inner: cython.int
        for value in position.frame.names:
            if value.kind == STRING and value.content.startswith(position.key):
                inner = self._inner(sub, value.content[len(position.key) :])
                if inner >= 0:
                    found[inner] = value
        return found

    @cython.cfunc
    def _allow_after_new(
        self, sub: Sub, position: Position, outcome: object, entry: cython.int
    ) -> cython.int:
        """Find the remainders that may follow a string which is a new item; once for the item."""
        allowed = self._after_item.get(outcome)
        if allowed is None:
            inner = (sub.inners.trie.token_bytes(entry) or b"") if entry or not sub.has_empty else b""
            self._allow_after_item(sub, position, outcome, string_value(position.key + inner))
            self._after_item[outcome] = self._allowed(sub, 0)
        else:
            self._set_allowed(sub, 0, allowed)
        return 0

    @cython.cfunc
    def _allow_after_item(self, sub: Sub, position: Position, outcome: object, value: object) -> cython.int:
        """Find the remainders that may follow a string with this value."""
        exit: Position = self._scratch(0).exit
        position.end_string(outcome, value, exit)
        self._allow(sub, exit, 0)
        return 0

    @cython.cfunc
    def _leave_counted(self, sub: Sub, position: Position, left: cython.Py_ssize_t) -> cython.int:
        """Add what leaves a string of which only the length matters."""
        low: cython.Py_ssize_t = position.goal.text_low - position.length
        entry: cython.int
        exit: Position = position.copy()
        if exit.length < position.goal.text_low:
            exit.length = position.goal.text_low
        if not exit.step(0x22, exit):
            return 0
        self._allow(sub, exit, 0)
        for entry in range(sub.inners.trie.size):
            if low <= sub.n_characters[entry] and (left < 0 or sub.n_characters[entry] <= left):
                self._emit_leaving(sub, entry, 0)
        return 0

    @cython.cfunc
    def _leave_string(self, sub: Sub, position: Position, level: cython.int) -> cython.int:
        """Add what leaves a string with an automaton of its own; inner texts are grouped by outcome."""
        automaton: TableAutomaton = position.automaton
        groups: dict[object, list[int]] = {}
        low: cython.Py_ssize_t = position.goal.text_low - position.length
        high: cython.Py_ssize_t = position.goal.text_high
        left: cython.Py_ssize_t = high - position.length
        if sub.has_empty and automaton.accepting(position.state):
            groups[automaton.outcome(position.state)] = [0]
        self._end_inners(sub, position, level, groups, None)
        exit: Position
        entry: cython.int
        for outcome, entries in groups.items():
            exit = self._scratch(level).exit
            position.end_string(outcome, None, exit)
            self._allow(sub, exit, level)
            for entry in entries:
                if low <= sub.n_characters[entry] and (high < 0 or sub.n_characters[entry] <= left):
                    self._emit_leaving(sub, entry, level)
        return 0

    @cython.cfunc
    def _end_inners(
        self,
        sub: Sub,
        position: Position,
        level: cython.int,
        groups: Any,
        named: Any,
    ) -> cython.int:
        """Walk the inner texts that are not empty, and group those that can end the string or key.

        Args:
            groups: gets the inner texts by their outcome.
            named: for keys, gets (inner text, named key).
        """
        walk: WalkTrie = sub.inners
        trie: TokenTrie = walk.trie
        scratch: Scratch = self._scratch(level)
        automaton: TableAutomaton = position.automaton
        names: KeyTrie = position.names
        written = None
        frame: Frame = position.frame
        node: cython.int = 1
        end: cython.int = trie.c_subtree_end[0]
        depth: cython.int
        byte: cython.int
        state: cython.int
        below: cython.int
        entry: cython.int
        if named is not None and frame.n_names > 0:
            written = frame.names
        scratch.state[0] = position.state
        scratch.node[0] = position.trie if named is not None else -1
        while node < end:
            depth = trie.c_depth[node]
            byte = trie.c_byte[node]
            state = scratch.state[depth - 1]
            below = scratch.node[depth - 1]
            if state >= 0:
                state = _next(automaton, state, byte)
            if below >= 0:
                below = names.child(below, byte)
            if state < 0 and below < 0:
                node = trie.c_subtree_end[node]
                continue
            scratch.state[depth] = state
            scratch.node[depth] = below
            entry = trie.c_token[node]
            if entry >= 0:
                if below >= 0 and names.c_terminal[below] >= 0:
                    named.append((entry, names.c_terminal[below]))
                elif state >= 0 and automaton.accepting(state):
                    if written is None or not self._is_written(position, walk, entry):
                        groups.setdefault(automaton.outcome(state), []).append(entry)
            node += 1
        return 0

    def _is_written(self, position: Position, walk: WalkTrie, entry: int) -> bool:
        """Return whether the key that ends with an inner text was written before."""
        inner = walk.trie.token_bytes(entry) or b""
        return position.key + inner in position.frame.names

    # Positions in keys

    @cython.cfunc
    def _fill_key(self, position: Position) -> cython.int:
        frame: Frame = position.frame
        offer: tuple[Any, ...] = frame.offer()
        sub: Sub = self._sub(self.whole, 0, True)
        named: Position
        if offer[3] and position.state >= 0:
            # Any text may go on: those that lead to named keys are among them.
            if position.automaton.is_boundary(position.state):
                self._copy_root(sub)
            else:
                self._copy_key_inside(position)
        elif position.state >= 0 and not (offer[0] and position.trie >= 0):
            self._copy_key_inside(position)
        elif position.state >= 0:
            self._copy_key_inside(position)
            named = position.copy()
            named.state = -1
            self._add_names(named)
        else:
            self._clear()
            self._add_names(position)
        if position.state < 0 or not position.automaton.is_boundary(position.state):
            self._walk(self.resuming, 0, position, 0)
        self._leave_key(sub, position, 0)
        return 0

    @cython.cfunc
    def _add_names(self, position: Position) -> cython.int:
        """Add the tokens that stay inside a named key."""
        if position.trie >= 0:
            self._add_names_below(self.plain.trie, position.names, position.trie, 0, position.frame.offered())
            self._walk(self.escaped, 0, position, 0)
        return 0

    @cython.cfunc
    def _add_names_below(
        self, trie: TokenTrie, names: KeyTrie, above: cython.int, node: cython.int, offered: bytes
    ) -> cython.int:
        """Add the tokens below a node that go on with an offered key; at most as deep as a token is long."""
        below: cython.int = above + 1
        child: cython.int
        token: cython.int
        one: cython.uint = 1
        while below < names.c_end[above]:
            child = trie.child(node, names.c_byte[below])
            if child >= 0 and names.is_offered(below, offered):
                token = trie.c_token[child]
                while token >= 0:
                    self.words[token >> 5] |= one << (token & 31)
                    token = trie.c_next_same[token]
                if trie.c_subtree_end[child] > child + 1:
                    self._add_names_below(trie, names, below, child, offered)
            below = names.c_end[below]
        return 0

    @cython.cfunc
    def _copy_key_inside(self, position: Position) -> cython.int:
        """Write the mask of the tokens after which a free key can still come."""
        free: Position = position.copy()
        free.trie = -1
        self._copy_inside(free)
        return 0

    @cython.cfunc
    def _leave_key(self, sub: Sub, position: Position, level: cython.int) -> cython.int:
        """Add what leaves a key."""
        frame: Frame = position.frame
        offer: tuple[Any, ...] = frame.offer()
        if frame.captures:
            self._walk(sub.leaving(), 0, position, level + 1)
            return 0
        if sub.irregular is not None:
            self._walk(sub.irregular, 0, position, level + 1)
        if offer[3] and position.state >= 0 and frame.n_names <= _MANY_KEYS and not frame.shape.keys.patterns:
            if position.automaton.is_boundary(position.state):
                self._leave_free_key(sub, position, level)
                return 0
        groups: dict[object, list[int]] = {}
        named: list[tuple[int, int]] = []
        entry: cython.int
        if sub.has_empty:
            if position.trie >= 0 and position.names.c_terminal[position.trie] >= 0:
                named.append((0, position.names.c_terminal[position.trie]))
            elif position.state >= 0 and position.automaton.accepting(position.state):
                if position.key not in frame.names:
                    groups[position.automaton.outcome(position.state)] = [0]
        self._end_inners(sub, position, level, groups, named)
        for vector, entries in groups.items():
            member = frame.shape.free_entry(frame, vector)
            if member is not None:
                self._allow_after_key(sub, frame, member, -1, level)
                for entry in entries:
                    self._emit_leaving(sub, entry, level)
        for inner, name in named:
            self._emit_named(sub, position, inner, name, level)
        return 0

    @cython.cfunc
    def _emit_named(
        self, sub: Sub, position: Position, inner: cython.int, name: cython.int, level: cython.int
    ) -> cython.int:
        """Add the tokens that end a named key with an inner text."""
        frame: Frame = position.frame
        if frame.offer()[0] >> name & 1:
            self._allow_after_key(sub, frame, frame.shape.named_entry(frame, name), name, level)
            self._emit_leaving(sub, inner, level)
        return 0

    @cython.cfunc
    def _leave_free_key(self, sub: Sub, position: Position, level: cython.int) -> cython.int:
        """Add what leaves a key that any text may end, all free keys being of one class."""
        frame: Frame = position.frame
        written: bytes = position.key
        inner: cython.int
        name: cython.int
        rest: bytes
        member = frame.shape.free_entry(frame, 0)
        if member is not None:
            self._allow_after_key(sub, frame, member, -1, level)
            self._emit_leaving(sub, -1, level)
            if frame.n_names:
                for key in frame.names:
                    if key.startswith(written):
                        rest = key[len(written) :]
                        inner = self._inner(sub, rest)
                        if inner >= 0:
                            self._erase(sub.inners, inner)
        if position.trie >= 0:
            named: list[tuple[int, int]] = []
            if sub.has_empty and position.names.c_terminal[position.trie] >= 0:
                named.append((0, position.names.c_terminal[position.trie]))
            self._end_names(sub, position.names, 0, position.trie, named)
            for inner, name in named:
                self._erase(sub.inners, inner)
                self._emit_named(sub, position, inner, name, level)
        return 0

    @cython.cfunc
    def _allow_after_key(
        self, sub: Sub, frame: Frame, member: Any, name: cython.int, level: cython.int
    ) -> cython.int:
        """Find the remainders that may follow a key.

        Args:
            frame: of the object, before the key.
            member: the entry of the key.
            name: the key if it is a named one, else -1.
        """
        scratch: Scratch = self._scratch(level)
        exit: Position
        following: Frame
        key: object = (member.goal, sub)
        allowed = self._after_keys.get(key)
        if allowed is None:
            exit = scratch.exit
            exit.expect_colon(self._following(frame, member, name))
            self._allow(sub, exit, level)
            allowed = self._allowed(sub, level)
            if len(self._after_keys) >= _MOST_AFTER_KEYS:
                self._after_keys.clear()
            self._after_keys[key] = allowed
        else:
            self._set_allowed(sub, level, allowed)
        if sub.further is not None:
            exit = scratch.exit
            following = self._following(frame, member, name)
            exit.expect_colon(following)
            self._allow_some(sub.further, exit, level)
        return 0

    @cython.cfunc
    def _following(self, frame: Frame, member: Any, name: cython.int) -> Frame:
        """Return the frame that reads the value of a key; the same one as long as the key is read."""
        if frame is not self._key_frame:
            self._key_frame = frame
            self._followers = {}
        key: object = (member, name)
        following = self._followers.get(key)
        if following is None:
            following = frame.reading(member) if name < 0 else frame.with_named_key(name)
            self._followers[key] = following
        return following

    @cython.cfunc
    def _end_names(
        self, sub: Sub, names: KeyTrie, node: cython.int, above: cython.int, named: Any
    ) -> cython.int:
        """Find the inner texts below a node that end a named key; at most as deep as a token is long."""
        trie: TokenTrie = sub.inners.trie
        below: cython.int = above + 1
        child: cython.int
        while below < names.c_end[above]:
            child = trie.child(node, names.c_byte[below])
            if child >= 0:
                if trie.c_token[child] >= 0 and names.c_terminal[below] >= 0:
                    named.append((trie.c_token[child], names.c_terminal[below]))
                self._end_names(sub, names, child, below, named)
            below = names.c_end[below]
        return 0

    @cython.cfunc
    def _inner(self, sub: Sub, text: bytes) -> cython.int:
        """Return the entry of an inner text, or -1."""
        if not text:
            return 0 if sub.has_empty else -1
        node: cython.int = sub.inners.trie.find(text)
        return -1 if node < 0 else sub.inners.trie.c_token[node]

    # Writing

    @cython.cfunc
    def _copy(self, mask: bytes) -> cython.int:
        if cython.compiled:
            memcpy(self.words, cython.cast(cython.p_uchar, mask), self.n_words * 4)
        else:
            self.words = np.frombuffer(mask, dtype=np.uint32).tolist()
        return 0

    @cython.cfunc
    def _add(self, mask: bytes) -> cython.int:
        k: cython.Py_ssize_t
        if cython.compiled:
            more: cython.p_uint = cython.cast(cython.p_uint, cython.cast(cython.p_uchar, mask))
            for k in range(self.n_words):
                self.words[k] |= more[k]
        else:
            for k, word in enumerate(np.frombuffer(mask, dtype=np.uint32).tolist()):
                self.words[k] |= word
        return 0

    @cython.cfunc
    def _packed(self) -> bytes:
        """Return the mask that is being filled."""
        if not cython.compiled:
            self.words_array[:] = self.words
        return self.words_array.tobytes()

    @cython.cfunc
    def _emit(self, walk: WalkTrie, entry: cython.int) -> cython.int:
        """Set the bits of the tokens of an entry that pass the filter."""
        one: cython.uint = 1
        k: cython.int
        token: cython.int
        flags: bytearray = self.filter
        for k in range(walk.c_start[entry], walk.c_start[entry + 1]):
            if flags is None or flags[walk.c_tags[k]]:
                token = walk.c_ids[k]
                self.words[token >> 5] |= one << (token & 31)
        return 0

    @cython.cfunc
    def _erase(self, walk: WalkTrie, entry: cython.int) -> cython.int:
        """Clear the bits of the tokens of an entry that pass the filter."""
        one: cython.uint = 1
        k: cython.int
        token: cython.int
        flags: bytearray = self.filter
        for k in range(walk.c_start[entry], walk.c_start[entry + 1]):
            if flags is None or flags[walk.c_tags[k]]:
                token = walk.c_ids[k]
                self.words[token >> 5] ^= self.words[token >> 5] & one << (token & 31)
        return 0

    @cython.cfunc
    def _emit_node(self, walk: WalkTrie, node: cython.int) -> cython.int:
        entry: cython.int = walk.trie.c_token[node]
        while entry >= 0:
            self._emit(walk, entry)
            entry = walk.trie.c_next_same[entry]
        return 0

    # Walks

    @cython.cfunc
    def _scratch(self, level: cython.int) -> Scratch:
        while len(self.levels) <= level:
            self.levels.append(Scratch(self.policy, self.max_depth))
        return self.levels[level]

    @cython.cfunc
    def _walk(self, walk: WalkTrie, root: cython.int, position: Position, level: cython.int) -> cython.int:
        """Set the bits of the entries below a node whose bytes from there keep `position` alive."""
        trie: TokenTrie = walk.trie
        scratch: Scratch = self._scratch(level)
        node: cython.int = root + 1
        end: cython.int = trie.c_subtree_end[root]
        base: cython.int = trie.c_depth[root]
        depth: cython.int
        byte: cython.int
        begun: cython.int
        kind: cython.int
        state: cython.int
        below: cython.int
        length: cython.int
        opens: cython.bint
        is_alive: cython.bint
        source: Position
        target: Position = scratch.positions[0]
        target.assign(position)
        self._begin_lane(scratch, 0, target)
        while node < end:
            depth = trie.c_depth[node] - base
            byte = trie.c_byte[node]
            begun = scratch.lane[depth - 1]
            opens = False
            if begun >= 0:
                kind = scratch.kind[begun]
                source = scratch.positions[begun]
                state = scratch.state[depth - 1]
                below = scratch.node[depth - 1]
                length = scratch.length[depth - 1]
                if kind == NUMBER_LANE or (byte >= 0x20 and byte != 0x22 and byte != 0x5C):
                    if state >= 0:
                        state = _next(source.automaton, state, byte)
                    is_alive = state >= 0
                    if kind == COUNTED_LANE and is_alive:
                        if byte & 0xC0 != 0x80:
                            length += 1
                        is_alive = source.goal.has_length(state, length)
                    elif kind == KEY_LANE:
                        if below >= 0:
                            below = source.names.child(below, byte)
                        if is_alive and source.frame.n_names > 0 and not self._is_rich(source, state):
                            is_alive = self._can_be_new(walk, node, source, state, depth - begun)
                        if not is_alive and below >= 0:
                            is_alive = source.names.is_offered(below, source.frame.offered())
                    if is_alive:
                        scratch.lane[depth] = begun
                        scratch.state[depth] = state
                        scratch.node[depth] = below
                        scratch.length[depth] = length
                        if trie.c_token[node] >= 0:
                            self._emit_node(walk, node)
                        node += 1
                        continue
                    if kind != NUMBER_LANE or (
                        byte > 0x20 and byte != 0x2C and byte != 0x5D and byte != 0x7D
                    ):
                        node = trie.c_subtree_end[node]
                        continue
                elif byte < 0x20:
                    node = trie.c_subtree_end[node]
                    continue
                # A byte that leaves the lane.
                source = self._in_lane(walk, node, scratch, depth - 1, begun)
            else:
                source = scratch.positions[depth - 1]
                opens = byte == 0x22 and source.mode != IN_STRING and source.mode != IN_KEY
            if depth >= scratch.n_positions:
                scratch.deepen(depth)
            target = scratch.positions[depth]
            if not source.step(byte, target):
                node = trie.c_subtree_end[node]
                continue
            if trie.c_token[node] >= 0:
                self._emit_node(walk, node)
            if trie.c_subtree_end[node] > node + 1:
                if opens and self._open(walk, node, target, level):
                    node = trie.c_subtree_end[node]
                    continue
                self._begin_lane(scratch, depth, target)
            node += 1
        return 0

    @cython.cfunc
    def _begin_lane(self, scratch: Scratch, depth: cython.int, position: Position) -> cython.int:
        mode: cython.int = position.mode
        goal: Goal
        kind: cython.int = 0
        if mode == IN_NUMBER:
            kind = NUMBER_LANE
        elif position.escape == 0:
            if mode == IN_STRING:
                goal = position.goal
                kind = STRING_LANE if goal.text_low <= 0 and goal.text_high < 0 else COUNTED_LANE
            elif mode == IN_KEY:
                kind = KEY_LANE
        if kind == 0:
            scratch.lane[depth] = -1
            return 0
        scratch.lane[depth] = depth
        scratch.kind[depth] = kind
        scratch.state[depth] = position.state
        scratch.node[depth] = position.trie if kind == KEY_LANE else -1
        scratch.length[depth] = position.length
        return 0

    @cython.cfunc
    def _in_lane(
        self, walk: WalkTrie, node: cython.int, scratch: Scratch, depth: cython.int, begun: cython.int
    ) -> Position:
        """Return the position at a depth within a lane; `node` is a child of the node there."""
        source: Position = scratch.positions[begun]
        if depth == begun:
            return source
        spare: Position = scratch.spare
        spare.assign(source)
        spare.state = scratch.state[depth]
        spare.trie = scratch.node[depth]
        spare.length = scratch.length[depth]
        if source.mode == IN_KEY or source.frame.captures:
            spare.key = source.key + _path(walk.trie, walk.trie.c_parent[node], depth - begun)
        return spare

    @cython.cfunc
    def _is_rich(self, position: Position, state: cython.int) -> cython.bint:
        """Return whether so many free keys go on from a state that one of them is new."""
        frame: Frame = position.frame
        if position.automaton is frame.shape.keys.automaton:
            return True
        return frame.n_names <= RICH and position.automaton.is_rich(state)

    @cython.cfunc
    def _can_be_new(
        self, walk: WalkTrie, node: cython.int, source: Position, state: cython.int, length: cython.int
    ) -> cython.bint:
        self._rich = False
        return source.free_is_live(state, _path(walk.trie, node, length))

    @cython.cfunc
    def _open(self, walk: WalkTrie, node: cython.int, position: Position, level: cython.int) -> cython.bint:
        """Add what lies below a node where a string or key was opened, if a sub tells it."""
        sub: Sub
        if position.frame.captures:
            return False
        if position.mode == IN_KEY:
            offer: tuple[Any, ...] = position.frame.offer()
            if not offer[3] or position.state < 0:
                return False
            sub = self._sub(walk, node, True)
            self._emit(sub.inside, 0)
            self._leave_key(sub, position, level + 1)
            return True
        if position.mode != IN_STRING or not _is_free_string(position):
            return False
        sub = self._sub(walk, node, False)
        self._emit(sub.inside, 0)
        self._leave_free(sub, position, level + 1)
        return True

    @cython.cfunc
    def _sub(self, walk: WalkTrie, node: cython.int, for_key: cython.bint) -> Sub:
        key: object = (node, for_key)
        sub = walk.subs.get(key)
        if sub is None:
            values, keys = build_subs(walk, node, self.shared.opened)
            walk.subs[node, False] = values
            walk.subs[node, True] = keys
            sub = keys if for_key else values
        return sub


@cython.cfunc
@cython.inline
@cython.exceptval(-3, check=True)
def _next(automaton: TableAutomaton, state: cython.int, byte: cython.int) -> cython.int:
    """Return the state after a byte, or a negative number."""
    target: cython.int
    if cython.compiled:
        target = automaton.table[cython.cast(cython.Py_ssize_t, state) * 256 + byte]
        if target != -2:
            return target
    return automaton.step(state, byte)


@cython.cfunc
def _path(trie: TokenTrie, node: cython.int, length: cython.int) -> bytes:
    """Return the last bytes on the path to a node."""
    path = bytearray(length)
    k: cython.int
    for k in range(length):
        path[length - 1 - k] = trie.c_byte[node]
        node = trie.c_parent[node]
    return bytes(path)


@cython.cfunc
def _is_free_string(position: Position) -> cython.bint:
    """Return whether any text may continue and end the string, and makes no difference."""
    goal: Goal = position.goal
    return goal.text_universal and goal.text_low == 0 and goal.text_high < 0
