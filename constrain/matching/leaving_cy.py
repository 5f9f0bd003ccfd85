"""Tokens that leave a string or key: an inner text, the quotation mark and a remainder.

What may follow depends on where the text ends, so the remainders of a sub (`walks_cy`) are judged once
for all inner texts that end it alike.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.automata.table_cy import TableAutomaton, next_state
    from cython.cimports.constrain.matching.frames_cy import Frame, Goal
    from cython.cimports.constrain.matching.key_trie_cy import KeyTrie
    from cython.cimports.constrain.matching.mask_walks_cy import MaskWalks
    from cython.cimports.constrain.matching.modes import IN_KEY, IN_STRING, STRING
    from cython.cimports.constrain.matching.name_set_cy import NameSet
    from cython.cimports.constrain.matching.object_face_cy import ObjectFace
    from cython.cimports.constrain.matching.position_cy import Policy, Position
    from cython.cimports.constrain.matching.walks_cy import Scratch, Sub, WalkTrie
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
    from cython.cimports.libc.string import memcpy
else:
    from constrain.automata.table_cy import TableAutomaton
    from constrain.matching.frames_cy import Frame, Goal
    from constrain.matching.key_trie_cy import KeyTrie
    from constrain.matching.mask_walks_cy import MaskWalks
    from constrain.matching.modes import IN_KEY, IN_STRING, STRING
    from constrain.matching.name_set_cy import NameSet
    from constrain.matching.object_face_cy import ObjectFace
    from constrain.matching.position_cy import Policy, Position
    from constrain.matching.walks_cy import Scratch, Sub, WalkTrie
    from constrain.vocabulary.token_trie_cy import TokenTrie

    next_state = TableAutomaton.step

import numpy as np

from constrain.matching.values import string_value
from constrain.matching.walks_cy import build_subs

__all__ = ["Leaving"]

#: With more free keys that were written than this, each inner text is looked up among them.
_MANY_KEYS = 64
#: Of so many sets of remainders of a sub it is remembered which tokens have one.
_MOST_TOKENS = 256
#: So many sets of remainders after keys are kept.
_MOST_AFTER_KEYS = 10_000


@cython.cfunc
def _rests(names: NameSet, begin: bytes) -> Any:
    """Return what follows a beginning in those keys that have it: a set."""
    return {key[len(begin) :] for key in names if key.startswith(begin)}


@cython.cfunc
def _is_written(written: Any, begin: bytes, walk: WalkTrie, entry: cython.int) -> cython.bint:
    """Return whether the key that ends with an inner text is among those that were written.

    Args:
        written: these keys, or what follows `begin` in them.
    """
    inner: bytes = walk.trie.token_bytes(entry) or b""
    if isinstance(written, NameSet):
        return begin + inner in written
    return inner in written


@cython.cclass
class Leaving(MaskWalks):
    """Adds the tokens that leave a string or key."""

    @cython.cfunc
    def _begin_leaving(
        self, shared: Any, policy: Policy, n_words: cython.Py_ssize_t, max_depth: cython.int
    ) -> cython.int:
        self._begin_walks(shared, policy, n_words, max_depth)
        # The array of which an item is being read, and what may follow a new string there, by its outcome.
        self._item_frame: Any = None
        self._after_item: dict[object, bytes] = {}
        # The frames that read the values of the keys that may follow the frame of the last key.
        self._key_frame: Any = None
        self._followers: dict[object, Any] = {}
        #: (goal, sub) -> the remainders that may follow a key whose value has this goal.
        self._after_keys: dict[object, bytes] = {}
        return 0

    @cython.cfunc
    def _allow(self, sub: Sub, exit: Position, level: cython.int) -> cython.int:
        """Find the remainders that may follow `exit`, in the scratch of a level."""
        scratch: Scratch = self._scratch(level)
        k: cython.int
        n_words: cython.int = (sub.n_remainders + 31) >> 5
        if scratch.n_allowed < n_words:
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
            return cython.cast(cython.p_char, scratch.allowed)[: n_words * 4]
        return np.array(scratch.allowed[:n_words], dtype=np.uint32).tobytes()

    @cython.cfunc
    def _set_allowed(self, sub: Sub, level: cython.int, allowed: bytes) -> cython.int:
        """Take over what `_allowed` returned."""
        scratch: Scratch = self._scratch(level)
        n_words: cython.int = (sub.n_remainders + 31) >> 5
        if scratch.n_allowed < n_words:
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
        n_logged: cython.int = self._n_logged
        self.words = scratch.allowed
        self.filter = None
        self._n_logged = -1
        try:
            self._walk(remainders, 0, exit, level + 1)
        finally:
            self.words = kept
            self.filter = tags
            self._n_logged = n_logged
        return 0

    @cython.cfunc
    def _emit_leaving(self, sub: Sub, entry: cython.int, level: cython.int) -> cython.int:
        """Set the bits of the tokens of an inner text, -1 for all, whose remainder is allowed."""
        scratch: Scratch = self._scratch(level)
        walk: WalkTrie = sub.inners
        flags: bytearray = cython.cast(bytearray, self.filter)
        one: cython.uint = 1
        first: cython.int = 0
        last: cython.int = walk.c_start[walk.trie.size]
        k: cython.int
        r: cython.int
        token: cython.int
        if cython.compiled and entry < 0 and flags is None:
            self._emit_all_leaving(sub, level)
            return 0
        if entry >= 0:
            first = walk.c_start[entry]
            last = walk.c_start[entry + 1]
        for k in range(first, last):
            r = sub.remainder[k]
            if (scratch.allowed[r >> 5] >> (r & 31)) & 1 and (flags is None or flags[walk.c_tags[k]]):
                token = walk.c_ids[k]
                self.words[token >> 5] |= one << (token & 31)
                if self._n_logged >= 0:
                    self._note(token)
        return 0

    @cython.cfunc
    def _emit_all_leaving(self, sub: Sub, level: cython.int) -> cython.int:
        """Set the bits of all tokens whose remainder is allowed; which these are is remembered."""
        allowed: bytes = self._allowed(sub, level)
        found = sub.tokens.get(allowed)
        tokens: bytes
        ids: cython.p_int
        one: cython.uint = 1
        k: cython.Py_ssize_t
        token: cython.int
        if found is None:
            flags = np.unpackbits(np.frombuffer(allowed, dtype=np.uint8), bitorder="little")
            found = sub.inners.ids[flags[sub.remainder_array] != 0].tobytes()
            if len(sub.tokens) >= _MOST_TOKENS:
                sub.tokens.clear()
            sub.tokens[allowed] = found
        tokens = found
        ids = cython.cast(cython.p_int, cython.cast(cython.p_char, tokens))
        for k in range(len(tokens) // 4):
            token = ids[k]
            self.words[token >> 5] |= one << (token & 31)
            if self._n_logged >= 0:
                self._note(token)
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
        written: Any = None
        frame: Frame = position.frame
        node: cython.int = 1
        end: cython.int = trie.c_subtree_end[0]
        depth: cython.int
        byte: cython.int
        state: cython.int
        below: cython.int
        entry: cython.int
        if named is not None and frame.n_names > 0:
            written = frame.names if frame.n_names > _MANY_KEYS else _rests(frame.names, position.key) or None
        scratch.state[0] = position.state
        scratch.node[0] = position.trie if named is not None else -1
        while node < end:
            depth = trie.c_depth[node]
            byte = trie.c_byte[node]
            state = scratch.state[depth - 1]
            below = scratch.node[depth - 1]
            if state >= 0:
                state = next_state(automaton, state, byte)
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
                    if written is None or not _is_written(written, position.key, walk, entry):
                        groups.setdefault(automaton.outcome(state), []).append(entry)
            node += 1
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
            member = frame.free_entry(vector)
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
            self._allow_after_key(sub, frame, frame.named_entry(name), name, level)
            self._emit_leaving(sub, inner, level)
        return 0

    @cython.cfunc
    def _leave_free_key(self, sub: Sub, position: Position, level: cython.int) -> cython.int:
        """Add what leaves a key that any text may end, all free keys being of one class."""
        frame: Frame = position.frame
        inner: cython.int
        name: cython.int
        rest: bytes
        member = frame.free_entry(0)
        if member is not None:
            self._allow_after_key(sub, frame, member, -1, level)
            self._emit_leaving(sub, -1, level)
            if frame.n_names:
                for rest in _rests(frame.names, position.key):
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
        face: ObjectFace
        continues: cython.int = -1
        if sub.begins_key and sub.further is not None:
            face = frame.shape
            continues = face.continues_after(frame.blocked, frame.count, name)
        goal: Goal = member.goal
        types: cython.int
        common: object = None
        key: object = (goal, sub, continues)
        allowed = self._after_keys.get(key)
        if allowed is None:
            types = goal.lone_types()
            if types >= 0:
                # All constraints have such values.
                common = (types, sub, continues, self.policy.whitespace_name, self.policy.numbers_name)
                allowed = self.shared.after_keys.get(common)
        if allowed is not None and continues >= 0:
            self._set_allowed(sub, level, allowed)
            return 0
        if allowed is None:
            exit = scratch.exit
            exit.expect_colon(self._following(frame, member, name))
            self._allow(sub, exit, level)
            if continues >= 0:
                exit.expect_colon(self._following(frame, member, name))
                self._allow_some(sub.further, exit, level)
            allowed = self._allowed(sub, level)
            if common is not None:
                if len(self.shared.after_keys) >= _MOST_AFTER_KEYS:
                    self.shared.after_keys.clear()
                self.shared.after_keys[common] = allowed
            if len(self._after_keys) >= _MOST_AFTER_KEYS:
                self._after_keys.clear()
            self._after_keys[key] = allowed
        else:
            self._set_allowed(sub, level, allowed)
        if sub.further is not None and continues < 0:
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
def _is_free_string(position: Position) -> cython.bint:
    """Return whether any text may continue and end the string, and makes no difference."""
    goal: Goal = position.goal
    return goal.text_universal and goal.text_low == 0 and goal.text_high < 0
