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
    from cython.cimports.constrain.automata.table_cy import TableAutomaton, next_state
    from cython.cimports.constrain.matching.frames_cy import Frame, FrameGraph, Goal
    from cython.cimports.constrain.matching.key_trie_cy import KeyTrie
    from cython.cimports.constrain.matching.leaving_cy import Leaving
    from cython.cimports.constrain.matching.modes import (
        END,
        FIRST_ITEM,
        IN_KEY,
        IN_LITERAL,
        IN_NUMBER,
        IN_STRING,
        NUMBER,
        VALUE,
    )
    from cython.cimports.constrain.matching.position_cy import Policy, Position
    from cython.cimports.constrain.matching.walks_cy import Scratch, Sub, WalkTrie, loops
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
else:
    from constrain.automata.table_cy import TableAutomaton
    from constrain.matching.frames_cy import Frame, FrameGraph, Goal
    from constrain.matching.key_trie_cy import KeyTrie
    from constrain.matching.leaving_cy import Leaving
    from constrain.matching.modes import (
        END,
        FIRST_ITEM,
        IN_KEY,
        IN_LITERAL,
        IN_NUMBER,
        IN_STRING,
        NUMBER,
        VALUE,
    )
    from constrain.matching.position_cy import Policy, Position
    from constrain.matching.walks_cy import Scratch, Sub, WalkTrie, loops
    from constrain.vocabulary.token_trie_cy import TokenTrie

    next_state = TableAutomaton.step

import numpy as np

from constrain.automata.lazy_dfa_cy import RICH, LazyDfa
from constrain.matching.alike_states import AlikeStates, counted
from constrain.matching.vocabulary_masks import MaskCache, vocabulary_masks

__all__ = ["MaskBuilder"]

#: Masks within free strings: as many as there are sets of tokens that end such a string.
_MOST_FREE_STRINGS = 512


@cython.cclass
class MaskBuilder(Leaving):
    """Fills masks for the positions of one constraint and one vocabulary.

    Attributes:
        worst: by position, how many tokens complete the document behind any token that is allowed there.
    """

    def __init__(self, vocabulary: Any, policy: Policy, max_bytes: int) -> None:
        shared = vocabulary_masks(vocabulary, policy)
        super().__init__(shared, policy, (vocabulary.size + 31) // 32, vocabulary.trie.max_depth)
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
            self.characters = cython.cast(
                cython.p_int, cython.cast(cython.size_t, self.shared.character_address)
            )
        else:
            self.characters = self.character_array.tolist()
        self.cache = MaskCache(max_bytes // 2)
        # Whole masks by position, in two generations; the older one is dropped when the younger is full.
        self._most_whole = max(1, max_bytes // 4 // (4 * self.n_words))
        self._young: dict[object, bytes] = {}
        self._old: dict[object, bytes] = {}
        self._graph: Any = None
        self.worst: dict[object, int] = {}
        self._alike_states: dict[object, AlikeStates] = {}
        self._universal: dict[object, bool] = {}
        self._fits_state = -1
        self._fits = bytearray()
        # For the automaton of keys that was asked last, 1 for states with many words and 2 for others.
        self._rich_automaton: Any = None
        self._rich_states = bytearray()
        # What was filled last of a free string.
        self._string_frame: Any = None
        self._string_goal: Any = None
        self._string_mask = b""

    @cython.ccall
    def fill(self, position: Position) -> object:
        """Return the mask of a position: uint32[n_words], valid until the next call."""
        mask = self.filled(position)
        if mask is not None:
            self._copy(mask)
        if not cython.compiled:
            self.words_array[:] = self.words
        return self.words_array

    @cython.ccall
    def filled(self, position: Position) -> bytes | None:
        """Return the mask of a position as bytes if it can be remembered, else write it to the words."""
        key: object = self.key(position)
        if key is None:
            self._fill(position)
            return None
        mask = self._remembered(key)
        if mask is None:
            mask = self._free_string(position)
            if mask is None:
                mask = self._made(position)
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
            states.visited(position.state)
        return 0

    @cython.cfunc
    def _made(self, position: Position) -> bytes:
        """Return a new mask, made where it is going to be kept."""
        if not cython.compiled:
            self._fill(position)
            return self._packed()
        mask: bytes = PyBytes_FromStringAndSize(cython.NULL, 4 * self.n_words)
        kept = self.words
        self.words = cython.cast(cython.p_uint, cython.cast(cython.p_char, mask))
        try:
            self._fill(position)
        finally:
            self.words = kept
        return mask

    @cython.cfunc
    def _fill(self, position: Position) -> cython.int:
        mode: cython.int = position.mode
        self.filter = None
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
        return 0

    @cython.cfunc
    def _free_string(self, position: Position) -> bytes | None:
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
        masks: dict[bytes, bytes] = self.shared.free_strings
        mask = masks.get(allowed)
        if mask is None:
            mask = self._made(position)
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
        memory = bytearray(4 * self.n_words)
        if cython.compiled:
            self.words = cython.cast(cython.p_uint, cython.cast(cython.p_char, memory))
        else:
            self.words = [0] * self.n_words
        try:
            self._walk(walk, 0, position, 0)
            if not cython.compiled:
                memory[:] = np.array(self.words, dtype=np.uint32).tobytes()
        finally:
            self.words = kept
        return bytes(memory)

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

    @cython.cfunc
    def _fill_string(self, position: Position) -> cython.int:
        goal: Goal = position.goal
        low: cython.Py_ssize_t = goal.text_low
        high: cython.Py_ssize_t = goal.text_high
        left: cython.Py_ssize_t
        sub: Sub = self._sub(self.whole, 0, False)
        if self._is_universal(position.automaton, position.state):
            left = -1 if high < 0 else high - position.length
            if left < 0 or left > self.max_depth:
                self._copy_root(sub)
            else:
                self._copy_bounded(position, left)
            if position.frame.captures:
                self._leave_captured(sub, position)
            elif low <= position.length and (left < 0 or left > self.max_depth):
                self._leave_free(sub, position, 0)
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
            state = next_state(automaton, before, byte)
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
