"""Walks of token tries, depth first, one scratch position per depth.

A byte that does not go on cuts off its subtree, which is a contiguous range of nodes. Within one
string, key or number, a *lane*, a step is a lookup in the table of its automaton.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.automata.table_cy import next_state
    from cython.cimports.constrain.matching.frames_cy import Frame, Goal
    from cython.cimports.constrain.matching.mask_words_cy import MaskWords
    from cython.cimports.constrain.matching.modes import (
        COUNTED_LANE,
        IN_KEY,
        IN_NUMBER,
        IN_STRING,
        KEY_LANE,
        NUMBER_LANE,
        STRING_LANE,
    )
    from cython.cimports.constrain.matching.position_cy import Policy, Position
    from cython.cimports.constrain.matching.walks_cy import Scratch, WalkTrie
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
else:
    from constrain.automata.table_cy import TableAutomaton
    from constrain.matching.frames_cy import Frame, Goal
    from constrain.matching.mask_words_cy import MaskWords
    from constrain.matching.modes import (
        COUNTED_LANE,
        IN_KEY,
        IN_NUMBER,
        IN_STRING,
        KEY_LANE,
        NUMBER_LANE,
        STRING_LANE,
    )
    from constrain.matching.position_cy import Policy, Position
    from constrain.matching.walks_cy import Scratch, WalkTrie
    from constrain.vocabulary.token_trie_cy import TokenTrie

    next_state = TableAutomaton.step

from constrain.automata.lazy_dfa_cy import RICH

__all__ = ["MaskWalks"]


@cython.cclass
class MaskWalks(MaskWords):
    """Walks tries of tokens from a position on, and writes those that keep it alive."""

    @cython.cfunc
    def _begin_walks(
        self, shared: Any, policy: Policy, n_words: cython.Py_ssize_t, max_depth: cython.int
    ) -> cython.int:
        self._begin_words(n_words)
        self.shared = shared
        self.policy = policy
        self.max_depth = max_depth
        self.levels: list[Scratch] = []
        # Whether what was written depends on the state of an automaton alone.
        self._rich = True
        return 0

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
        if walk.row_array is None:
            walk._line_up()
        rows: cython.p_int = walk.rows
        place: cython.Py_ssize_t
        while node < end:
            place = 4 * cython.cast(cython.Py_ssize_t, node)
            depth = (rows[place] >> 8) - base
            byte = rows[place] & 0xFF
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
                        state = next_state(source.automaton, state, byte)
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
                        if rows[place + 2] >= 0:
                            self._emit_node(walk, node)
                        node += 1
                        continue
                    if kind != NUMBER_LANE or (
                        byte > 0x20 and byte != 0x2C and byte != 0x5D and byte != 0x7D
                    ):
                        node = rows[place + 1]
                        continue
                elif byte < 0x20:
                    node = rows[place + 1]
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
                node = rows[place + 1]
                continue
            if rows[place + 2] >= 0:
                self._emit_node(walk, node)
            if rows[place + 1] > node + 1:
                if opens and self._open(walk, node, target, level):
                    node = rows[place + 1]
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
        """Add what lies below a node where a string or key was opened, if it is known without a walk."""
        return False


@cython.cfunc
def _path(trie: TokenTrie, node: cython.int, length: cython.int) -> bytes:
    """Return the last bytes on the path to a node."""
    path = bytearray(length)
    k: cython.int
    for k in range(length):
        path[length - 1 - k] = trie.c_byte[node]
        node = trie.c_parent[node]
    return bytes(path)
