"""What is in a mask: the tokens of a vocabulary that keep a position alive.

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
    from cython.cimports.constrain.matching.character_classes_cy import loops, run_length
    from cython.cimports.constrain.matching.frames_cy import Frame, Goal
    from cython.cimports.constrain.matching.key_trie_cy import KeyTrie
    from cython.cimports.constrain.matching.leaving_cy import Leaving
    from cython.cimports.constrain.matching.mask_cache_cy import MaskCache
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
    from cython.cimports.constrain.matching.walks_cy import Scratch, Sub, WalkTrie
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
else:
    from constrain.automata.table_cy import TableAutomaton
    from constrain.matching.character_classes_cy import loops, run_length
    from constrain.matching.frames_cy import Frame, Goal
    from constrain.matching.key_trie_cy import KeyTrie
    from constrain.matching.leaving_cy import Leaving
    from constrain.matching.mask_cache_cy import MaskCache
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
    from constrain.matching.walks_cy import Scratch, Sub, WalkTrie
    from constrain.vocabulary.token_trie_cy import TokenTrie

    next_state = TableAutomaton.step


from constrain.automata.lazy_dfa_cy import RICH, LazyDfa
from constrain.matching.mask_words_cy import united
from constrain.matching.outlines import Outlines, outlines_of
from constrain.matching.vocabulary_masks import SHORT, vocabulary_masks

__all__ = ["MaskContents"]


@cython.cclass
class MaskContents(Leaving):
    """Writes the masks of positions of one constraint and one vocabulary, and remembers parts of them."""

    @cython.cfunc
    def _begin_contents(self, vocabulary: Any, policy: Policy, max_bytes: cython.Py_ssize_t) -> cython.int:
        shared = vocabulary_masks(vocabulary, policy)
        self._begin_leaving(shared, policy, (vocabulary.size + 31) // 32, vocabulary.trie.max_depth)
        self.whole = self.shared.whole
        self.inside = self.shared.inside
        self.stripped = self.shared.stripped
        self.escaped = self.shared.escaped
        self.plain = self.shared.plain
        self.long_escaped = self.shared.long_escaped
        self.long_plain = self.shared.long_plain
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
        self._max_bytes = max_bytes
        self._cache: Any = None
        self._outlines: dict[object, Outlines | None] = {}
        self._universal: dict[object, bool] = {}
        self._endless: dict[object, bool] = {}
        self._fits_state = -1
        self._fits = bytearray()
        # For the automaton of keys that was asked last, 1 for states with many words and 2 for others.
        self._rich_automaton: Any = None
        self._rich_states = bytearray()
        return 0

    @cython.cfunc
    def _cache_of(self, automaton: TableAutomaton) -> MaskCache:
        """Return where masks of the states of an automaton are kept."""
        if automaton.is_shared:
            return self.shared.cache
        if self._cache is None:
            self._cache = MaskCache(self._max_bytes // 2)
        return self._cache

    @cython.cfunc
    def _store(self, cache: MaskCache, key: object) -> cython.int:
        """Keep the mask that is being filled, and go on from it."""
        mask: bytes = self._packed()
        cache.put(key, mask)
        if cython.compiled:
            self._first = mask
            self._n_logged = 0
        return 0

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
            self._fill_structure(position)
        return 0

    @cython.cfunc
    def _fill_structure(self, position: Position) -> cython.int:
        """Fill the mask between JSON tokens."""
        goal: Goal = None
        if position.mode == END and not self.policy.trailing:
            self._clear()
            return 0
        first: bytes = self.shared.judge_blanks(self.policy, position.blanks)[1]
        if position.mode == VALUE or position.mode == FIRST_ITEM:
            goal = self._number_goal(position)
        if goal is not None and goal.number.is_shared:
            self._copy(self._with_numbers(first, goal, position))
        else:
            self._copy(first)
        self._walk_structure(position)
        if goal is not None and not goal.number.is_shared:
            self.filter = self.shared.judge_blanks(self.policy, position.blanks)[0]
            self._walk(self.numbers, 0, position, 0)
            self.filter = None
        return 0

    @cython.cfunc
    def _walk_structure(self, position: Position) -> cython.int:
        """Add what may come between JSON tokens, blanks and numbers apart."""
        if position.mode != END:
            self.filter = self.shared.judge_blanks(self.policy, position.blanks)[0]
            self._walk(self.stripped, 0, position, 0)
            self.filter = None
        return 0

    @cython.cfunc
    def _number_goal(self, position: Position) -> Goal:
        """Return the goal of the value that is due if it may be a number, else `None`."""
        goal: Goal = position.goal
        if position.mode == FIRST_ITEM:
            entry = position.frame.item()
            if entry is None:
                return None
            goal = entry.goal
        return goal if goal.offers(NUMBER) else None

    @cython.cfunc
    def _with_numbers(self, blanks: bytes, goal: Goal, position: Position) -> bytes:
        """Return the tokens of blanks alone and those that begin the numbers of a goal."""
        key: object = (goal.number, self.policy.whitespace_name, position.blanks)
        cache: MaskCache = self.shared.cache
        mask = cache.get(key)
        if mask is None:
            self.filter = self.shared.judge_blanks(self.policy, position.blanks)[0]
            self._copy(blanks)
            self._walk(self.numbers, 0, position, 0)
            self.filter = None
            mask = self._packed()
            cache.put(key, mask)
        return mask

    @cython.cfunc
    def _fill_number(self, position: Position) -> cython.int:
        """Fill the mask within a number: what stays in it, what leaves it, what comes after it."""
        automaton: TableAutomaton = position.automaton
        target: Position = None
        blanks: Any = None
        if automaton.accepting(position.state):
            target = Position(self.policy)
            position.end_number(target)
            if target.mode != END or self.policy.trailing:
                blanks = self.shared.judge_blanks(self.policy, target.blanks)[1]
        cache: MaskCache = self._cache_of(automaton)
        key: object = (automaton, position.state, "" if blanks is None else self.policy.whitespace_name)
        mask = cache.get(key)
        if mask is not None:
            self._copy(mask)
        else:
            self._clear()
            self._walk(self.numeric, 0, position, 0)
            if blanks is not None:
                self._copy(united(self._packed(), blanks))
            self._store(cache, key)
        self._walk(self.after_number, 0, position, 0)
        if blanks is not None:
            self._walk_structure(target)
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
        if goal.is_far(position.length, self.max_depth) and self._is_endless(
            position.automaton, position.state
        ):
            self._copy_root(sub)
        else:
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
    def _is_endless(self, automaton: TableAutomaton, state: cython.int) -> cython.bint:
        endless = self._endless.get((automaton, state))
        if endless is None:
            endless = automaton.is_endless(state)
            self._endless[automaton, state] = endless
        return endless

    @cython.cfunc
    def _copy_root(self, sub: Sub) -> cython.int:
        """Write the mask of the tokens that stay inside a string that any text may continue."""
        if sub.words is None:
            self._clear()
            self._emit(sub.inside, 0)
            sub.words = self._packed()
        self._copy(sub.words)
        return 0

    @cython.cfunc
    def _copy_bounded(self, position: Position, left: cython.Py_ssize_t) -> cython.int:
        """Write the mask of the tokens that stay in a free string of at most `left` more characters.

        It depends on the vocabulary alone: all bounded strings of all constraints share it.
        """
        key: object = left
        mask = self.shared.cache.get(key)
        if mask is not None:
            self._copy(mask)
        else:
            self._copy(self.shared.short_tokens(left))
            self._walk(self.escaped, 0, position, 0)
            self._store(self.shared.cache, key)
        return 0

    @cython.cfunc
    def _outline(self, position: Position) -> object:
        """Return what short tokens see of the state of a text; `None` if no far count is in it."""
        automaton: TableAutomaton = position.automaton
        known: dict[object, Outlines | None] = self.shared.outlines if automaton.is_shared else self._outlines
        if automaton not in known:
            known[automaton] = outlines_of(automaton) if isinstance(automaton, LazyDfa) else None
        outlines = known[automaton]
        return None if outlines is None else outlines.of(position.state, SHORT)

    @cython.cfunc
    def _add_long(self, position: Position, goal: Goal) -> cython.int:
        """Add the tokens of more than `SHORT` bytes that stay inside a string.

        Args:
            goal: if its bounds on the length count.
        """
        self._add_plain(self.long_plain, position.automaton, position.state, goal, position.length, False)
        self._walk(self.long_escaped, 0, position, 0)
        return 0

    @cython.cfunc
    def _copy_short(self, position: Position, outline: object) -> cython.int:
        """Write the mask of the short tokens that stay inside a string whose bounds they surely keep."""
        automaton: TableAutomaton = position.automaton
        cache: MaskCache = self._cache_of(automaton)
        key: object = (automaton, position.state if outline is None else outline, SHORT)
        mask = cache.get(key)
        if mask is not None:
            self._copy(mask)
        else:
            self._clear()
            self._add_plain(self.plain, automaton, position.state, None, 0, False)
            self._walk(self.escaped, 0, position, 0)
            self._intersect(self.shared.short)
            self._store(cache, key)
        return 0

    @cython.cfunc
    def _copy_inside(self, position: Position) -> cython.int:
        """Write the mask of the tokens that stay inside a string or key, from a cache if it is there."""
        automaton: TableAutomaton = position.automaton
        goal: Goal = position.goal
        is_far: cython.bint = position.mode == IN_KEY or goal.is_far(position.length, self.max_depth)
        if not is_far and not goal.is_far(position.length, SHORT):
            self._clear()
            self._add_plain(self.plain, automaton, position.state, goal, position.length, False)
            self._walk(self.escaped, 0, position, 0)
            return 0
        if not is_far:
            self._copy_short(position, self._outline(position))
            self._add_long(position, goal)
            return 0
        frame: Frame = position.frame
        if position.mode == IN_KEY and frame.n_names > RICH and not self._is_rich(position, position.state):
            self._clear()
            self._walk(self.inside, 0, position, 0)
            return 0
        cache: MaskCache = self._cache_of(automaton)
        # Where keys were written, only what is rich of new ones goes on; such a mask is another one.
        has_written: cython.bint = (
            position.mode == IN_KEY and frame.n_names > 0 and automaton is not frame.shape.keys.automaton
        )
        key: object = (automaton, position.state, has_written)
        mask = cache.get(key)
        if mask is not None:
            self._copy(mask)
            return 0
        outline = self._outline(position) if position.mode == IN_STRING else None
        if outline is not None:
            self._copy_short(position, outline)
            self._add_long(position, None)
            self._store(cache, key)
            return 0
        self._clear()
        self._rich = True
        if self._add_plain(self.plain, automaton, position.state, None, 0, has_written):
            self._walk(self.escaped, 0, position, 0)
        else:
            self._clear()
            self._walk(self.inside, 0, position, 0)
        if self._rich:
            self._store(cache, key)
        return 0

    @cython.cfunc
    def _add_plain(
        self,
        walk: WalkTrie,
        automaton: TableAutomaton,
        start: cython.int,
        goal: Goal,
        length: cython.Py_ssize_t,
        only_rich: cython.bint,
    ) -> cython.bint:
        """Add the tokens without an escape that stay inside a text which `automaton` reads.

        Where a state leads back to itself by all characters below a node, all tokens below are added; where a
        number of them is read and no more, whichever they are, those below that are as short.

        Args:
            walk: the tokens without an escape, or some of them.
            goal: if its bounds on the length count.
            length: that was read.
            only_rich: give up and return False at a state with few words.
        """
        trie: TokenTrie = walk.trie
        scratch: Scratch = self._scratch(0)
        # Local names of what the loop reads: it runs once for each of very many nodes.
        words: cython.p_uint = self.words
        # Too many to be noted.
        self._n_logged = -1
        states: cython.p_int = scratch.state
        depths: cython.p_int = trie.c_depth
        ends: cython.p_int = trie.c_subtree_end
        texts: cython.p_uchar = trie.c_byte
        firsts: cython.p_int = trie.c_token_low
        lasts: cython.p_int = trie.c_token_high
        ordered: cython.p_int = trie.c_sorted_ids
        signatures: cython.p_longlong = walk.signature
        heights: cython.p_int = walk.height
        offsets: cython.p_int = trie.c_offset
        longest: cython.int
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
            if lasts[node] - firsts[node] >= 8:
                if looping < 0 and state == before:
                    looping = loops(automaton, state)
                if looping <= 0 and not is_counted and not only_rich:
                    longest = -1
                    # Where the first byte below leads nowhere, the others tell soon enough.
                    if automaton.runs[state] != 0 and next_state(automaton, state, texts[node + 1]) >= 0:
                        longest = run_length(automaton, state, signatures[node], heights[node])
                    if longest >= 0:
                        longest += depth
                        for k in range(firsts[node], lasts[node]):
                            token = ordered[k]
                            if offsets[token + 1] - offsets[token] <= longest:
                                words[token >> 5] |= one << (token & 31)
                        node = ends[node]
                        continue
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
                    if self._n_logged >= 0:
                        self._note(token)
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
