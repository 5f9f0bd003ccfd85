"""Token masks: which tokens of a vocabulary keep a position alive.

The naive mask walks the token trie depth first with one scratch position per depth; a byte that
does not go on cuts off its subtree, which is a contiguous range of nodes. Three things save
most of that walk. Where a string is entered that any text may continue, the *sub* of the node
(`walks_cy`) stands for all below it. Between JSON tokens, tokens are walked without their
leading blanks, which are judged by a table. Inside a string with a pattern, the tokens without
a quotation mark cannot leave it; their mask depends on its automaton alone and is cached.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.matching.frames_cy import Frame, Goal
    from cython.cimports.constrain.matching.position_cy import Policy, Position
    from cython.cimports.constrain.matching.walks_cy import Sub, WalkTrie
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
    from cython.cimports.libc.string import memcpy, memset
else:
    from constrain.matching.frames_cy import Frame, Goal
    from constrain.matching.position_cy import Policy, Position
    from constrain.matching.walks_cy import Sub, WalkTrie
    from constrain.vocabulary.token_trie_cy import TokenTrie

import numpy as np

from constrain.matching.position_cy import (
    END,
    IN_KEY,
    IN_LITERAL,
    IN_NUMBER,
    IN_STRING,
    free_string_position,
)
from constrain.matching.walks_cy import build_sub, group_trie, whole_trie

if TYPE_CHECKING:
    from constrain.vocabulary import Vocabulary

__all__ = ["MaskBuilder", "MaskCache", "VocabularyMasks"]

#: What the masks of all constraints over one vocabulary share, by whether escapes are minimal.
_SHARED: WeakKeyDictionary[Vocabulary, dict[bool, VocabularyMasks]] = WeakKeyDictionary()

_BLANKS = b" \t\n\r"
_LITERALS = (b"true", b"false", b"null")
#: A key space with more keys that were written than this is walked key by key.
_MANY_KEYS = 64


class VocabularyMasks:
    """What depends on the vocabulary and the policy of escapes alone.

    Attributes:
        whole: all tokens.
        stripped: the tokens that can come between JSON tokens, without their leading blanks; the
            tag of a token is the index of its blanks in `blanks`.
        blanks: the runs of blanks that tokens begin with; the first is empty.
        only_blanks: (token, index of its blanks) of the tokens that are nothing else.
        without, having: the tokens without a quotation mark, and those with one.
        escaped: the tokens with a backslash and no quotation mark.
        cache: masks inside strings that any text may continue.
    """

    def __init__(self, vocabulary: Vocabulary, policy: Policy) -> None:
        self.cache = MaskCache(16 * 1024 * 1024)
        self.opened = free_string_position(policy)
        trie = vocabulary.trie
        self.whole = whole_trie(trie)
        text = trie.text.tobytes()[:-1]
        offset = trie.offset.astype(np.int64)
        quotes = np.concatenate(([0], np.cumsum(np.frombuffer(text + b"\0", dtype=np.uint8) == 0x22)))
        held = quotes[offset[1:]] > quotes[offset[:-1]]
        self.without = whole_trie(_subset(trie, text, offset, ~held))
        self.having = whole_trie(_subset(trie, text, offset, held))
        slashes = np.concatenate(([0], np.cumsum(np.frombuffer(text + b"\0", dtype=np.uint8) == 0x5C)))
        slashed = slashes[offset[1:]] > slashes[offset[:-1]]
        self.escaped = whole_trie(_subset(trie, text, offset, slashed & ~held))
        begins = (np.frombuffer(text + b"\0", dtype=np.uint8) & 0xC0) != 0x80
        begun = np.concatenate(([0], np.cumsum(begins)))
        characters = begun[offset[1:]] - begun[offset[:-1]]
        self._characters = np.where(slashed, np.iinfo(np.int32).max, characters)
        self._strip(trie, text, offset)

    def short_tokens(self, ids: Any, most: int, n_words: int) -> bytes:
        """Return the packed mask of those tokens that begin at most `most` characters, without escapes.

        A negative `most` is no bound.
        """
        bits = np.zeros(n_words * 32, dtype=np.uint8)
        bound = np.iinfo(np.int32).max - 1 if most < 0 else most
        bits[ids[self._characters[ids] <= bound]] = 1
        return np.packbits(bits, bitorder="little").tobytes()

    def _strip(self, trie: TokenTrie, text: bytes, offset: Any) -> None:
        data = np.frombuffer(text + b"\0", dtype=np.uint8)
        is_blank = np.isin(data, np.frombuffer(_BLANKS, dtype=np.uint8))
        # For each byte, the next one that is no blank; the text ends with one.
        following = np.where(is_blank, len(data), np.arange(len(data)))
        following = np.minimum.accumulate(following[::-1])[::-1]
        lengths = np.diff(offset)
        tokens = np.flatnonzero(lengths > 0)
        first = np.minimum(following[offset[tokens]], offset[tokens + 1])
        can_start = np.zeros(256, dtype=bool)
        can_start[np.frombuffer(b'{}[],:"-0123456789tfn', dtype=np.uint8)] = True
        ends = first == offset[tokens + 1]
        chosen = ends | can_start[data[np.minimum(first, len(data) - 1)]]
        index: dict[bytes, int] = {b"": 0}
        texts: list[bytes] = []
        ids: list[int] = []
        tags: list[int] = []
        self.only_blanks: list[tuple[int, int]] = []
        for token, start in zip(tokens[chosen].tolist(), first[chosen].tolist(), strict=True):
            begin, end = int(offset[token]), int(offset[token + 1])
            rest = text[start:end]
            if rest[:1] in (b"t", b"f", b"n") and not any(
                rest.startswith(literal) or literal.startswith(rest) for literal in _LITERALS
            ):
                continue
            blanks = text[begin:start]
            tag = index.setdefault(blanks, len(index))
            if rest:
                texts.append(rest)
                ids.append(token)
                tags.append(tag)
            else:
                self.only_blanks.append((token, tag))
        self.blanks = list(index)
        self.has_blanks = len(self.blanks) > 1
        self.stripped = group_trie(texts, ids, tags)


def _shared(vocabulary: Vocabulary, policy: Policy) -> VocabularyMasks:
    by_policy = _SHARED.setdefault(vocabulary, {})
    shared = by_policy.get(policy.minimal)
    if shared is None:
        shared = VocabularyMasks(vocabulary, policy)
        by_policy[policy.minimal] = shared
    return shared


def _subset(trie: TokenTrie, text: bytes, offset: Any, wanted: Any) -> TokenTrie:
    lengths = np.where(wanted, np.diff(offset), 0)
    flags = np.repeat(wanted, np.diff(offset))
    chosen = np.frombuffer(text, dtype=np.uint8)[flags].tobytes()
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    ids = trie.sorted_ids[wanted[trie.sorted_ids]]
    return TokenTrie(chosen, starts, ids)


class MaskCache:
    """Packed masks by key, the least recently used dropped above a budget of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self._masks: OrderedDict[object, bytes] = OrderedDict()

    def get(self, key: object) -> bytes | None:
        """Return the mask of a key, if it is kept."""
        mask = self._masks.get(key)
        if mask is not None:
            self._masks.move_to_end(key)
        return mask

    def put(self, key: object, mask: bytes) -> None:
        """Keep a mask."""
        self._masks[key] = mask
        self.size += len(mask)
        while self.size > self.max_bytes and len(self._masks) > 1:
            _, dropped = self._masks.popitem(last=False)
            self.size -= len(dropped)


@cython.cclass
class MaskBuilder:
    """Fills masks for the positions of one constraint and one vocabulary.

    Attributes:
        n_words: the number of 32-bit words of a mask.
        words_array: uint32[n_words], the mask that was filled last.
    """

    def __init__(self, vocabulary: Any, policy: Policy, max_bytes: int) -> None:
        self.shared = _shared(vocabulary, policy)
        self.whole = self.shared.whole
        self.stripped = self.shared.stripped
        self.policy = policy
        self.n_words = (vocabulary.size + 31) // 32
        self.cache = MaskCache(max_bytes)
        self.max_depth = vocabulary.trie.max_depth
        self.levels: list[list[Position]] = []
        self.words_array = np.zeros(self.n_words, dtype=np.uint32)
        if cython.compiled:
            self.words = cython.cast(cython.p_uint, cython.cast(cython.size_t, self.words_array.ctypes.data))
        self._universal: dict[object, bool] = {}
        self._allowed_blanks: dict[int, Any] = {}
        self.filter: Any = None

    def fill(self, position: Position) -> object:
        """Return the mask of a position: uint32[n_words], valid until the next call."""
        self._clear()
        self.filter = None
        mode: cython.int = position.mode
        if mode == IN_STRING and position.escape == 0:
            self._fill_string(position)
        elif mode == IN_KEY:
            if position.escape == 0 and _is_free_key(position) and _at_boundary(position):
                self._apply_sub(self.whole, 0, position, True, 0)
            else:
                self._walk(self.whole, 0, position, 0)
        elif mode == IN_NUMBER:
            self._fill_number(position)
        elif mode == IN_LITERAL or mode == IN_STRING:
            self._walk(self.whole, 0, position, 0)
        else:
            self._fill_structure(position)
        if not cython.compiled:
            self.words_array[:] = self.words
        return self.words_array

    def clear(self) -> None:
        """Make the mask empty."""
        self._clear()
        if not cython.compiled:
            self.words_array[:] = 0

    @cython.cfunc
    def _clear(self) -> cython.int:
        if cython.compiled:
            memset(self.words, 0, self.n_words * 4)
        else:
            self.words = [0] * self.n_words
        return 0

    # Positions between JSON tokens

    @cython.cfunc
    def _fill_structure(self, position: Position) -> cython.int:
        if position.mode == END and not self.policy.trailing:
            return 0
        allowed = self._judge_blanks(position.blanks)
        flags: bytearray = allowed[0]
        self._set_tokens(allowed[1])
        if position.mode != END:
            self.filter = flags
            self._walk(self.stripped, 0, position, 0)
            self.filter = None
        return 0

    @cython.cfunc
    def _fill_number(self, position: Position) -> cython.int:
        """Fill the mask within a number: what goes on without a blank, then what begins with one."""
        trie: TokenTrie = self.whole.trie
        place: cython.int
        node: cython.int
        byte: cython.int
        target: Position = Position(self.policy)
        for place in range(trie.c_child_start[0], trie.c_child_start[1]):
            node = trie.c_child_node[place]
            byte = trie.c_byte[node]
            if (
                byte != 0x20
                and byte != 0x09
                and byte != 0x0A
                and byte != 0x0D
                and position.step(byte, target)
            ):
                self._emit_node(self.whole, node)
                self._walk(self.whole, node, target, 0)
        if not position.automaton.accepting(position.state) or not self.shared.has_blanks:
            return 0
        position.end_number(target)
        if target.mode == END and not self.policy.trailing:
            return 0
        allowed = self._judge_blanks(0)
        flags: bytearray = bytearray(allowed[0])
        flags[0] = 0
        self._set_tokens([token for token, tag in self.shared.only_blanks if flags[tag]])
        if target.mode != END:
            self.filter = flags
            self._walk(self.stripped, 0, target, 0)
            self.filter = None
        return 0

    @cython.cfunc
    def _set_tokens(self, tokens: Any) -> cython.int:
        one: cython.uint = 1
        token: cython.int
        for token in tokens:
            self.words[token >> 5] |= one << (token & 31)
        return 0

    def _judge_blanks(self, state: int) -> tuple[bytearray, list[int]]:
        """Return which runs of blanks may follow a state of one, and the tokens that are only such."""
        known: tuple[bytearray, list[int]] | None = self._allowed_blanks.get(state)
        if known is not None:
            return known
        flags = bytearray(len(self.shared.blanks))
        table = self.policy.whitespace
        for index, blanks in enumerate(self.shared.blanks):
            here = state
            for byte in blanks:
                here = table[here * 4 + _BLANKS.index(byte)]
                if here < 0:
                    break
            flags[index] = here >= 0
        tokens = [token for token, tag in self.shared.only_blanks if flags[tag]]
        self._allowed_blanks[state] = (flags, tokens)
        return flags, tokens

    # Positions in strings

    @cython.cfunc
    def _fill_string(self, position: Position) -> cython.int:
        goal: Goal = position.goal
        low: cython.Py_ssize_t = goal.text_low
        high: cython.Py_ssize_t = goal.text_high
        key: object = (position.automaton, position.state)
        universal = self._universal.get(key)
        if universal is None:
            universal = position.automaton.is_universal(position.state)
            self._universal[key] = universal
        if universal:
            left: cython.Py_ssize_t = -1 if high < 0 else high - position.length
            if left > self.max_depth:
                left = -1
            if left < 0 and low <= position.length and not position.frame.captures:
                self._apply_sub(self.whole, 0, position, False, 0)
                return 0
            self._copy_bounded(position, left)
        elif low == 0 and high < 0:
            self._copy_inside(position, key)
        else:
            self._walk(self.shared.without, 0, position, 0)
        self._walk(self.shared.having, 0, position, 0)
        return 0

    @cython.cfunc
    def _copy_bounded(self, position: Position, left: cython.Py_ssize_t) -> cython.int:
        """Write the mask of the tokens that stay in a free string of at most `left` more characters.

        It depends on the vocabulary alone: all bounded strings of all constraints share it.
        """
        key: object = left
        mask = self.shared.cache.get(key)
        if mask is None:
            sub: Sub = self._sub(self.whole, 0, False)
            self._copy(self.shared.short_tokens(sub.inside.ids, left, self.n_words))
            self._walk(self.shared.escaped, 0, position, 0)
            if not cython.compiled:
                self.words_array[:] = self.words
            self.shared.cache.put(key, self.words_array.tobytes())
            return 0
        self._copy(mask)
        return 0

    @cython.cfunc
    def _copy_inside(self, position: Position, key: object) -> cython.int:
        """Write the mask of the tokens without quotation mark, from a cache if it is there."""
        cache = self.cache
        mask = cache.get(key)
        if mask is None:
            self._walk(self.shared.without, 0, position, 0)
            if not cython.compiled:
                self.words_array[:] = self.words
            cache.put(key, self.words_array.tobytes())
            return 0
        self._copy(mask)
        return 0

    @cython.cfunc
    def _copy(self, mask: bytes) -> cython.int:
        if cython.compiled:
            memcpy(self.words, cython.cast(cython.p_uchar, mask), self.n_words * 4)
        else:
            self.words = np.frombuffer(mask, dtype=np.uint32).tolist()
        return 0

    # Walks

    @cython.cfunc
    def _scratch(self, level: cython.int) -> Any:
        while len(self.levels) <= level:
            self.levels.append([Position(self.policy) for _ in range(self.max_depth + 1)])
        return self.levels[level]

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
    def _erase(self, walk: WalkTrie, node: cython.int) -> cython.int:
        """Clear the bits of the tokens of the entries at and below a node that pass the filter."""
        one: cython.uint = 1
        k: cython.int
        place: cython.int
        token: cython.int
        entry: cython.int
        trie: TokenTrie = walk.trie
        flags: bytearray = self.filter
        for place in range(trie.c_token_low[node], trie.c_token_high[node]):
            entry = trie.c_sorted_ids[place]
            for k in range(walk.c_start[entry], walk.c_start[entry + 1]):
                if flags is not None and not flags[walk.c_tags[k]]:
                    continue
                token = walk.c_ids[k]
                self.words[token >> 5] &= ~(one << (token & 31)) & 0xFFFFFFFF
        return 0

    @cython.cfunc
    def _emit_node(self, walk: WalkTrie, node: cython.int) -> cython.int:
        entry: cython.int = walk.trie.c_token[node]
        while entry >= 0:
            self._emit(walk, entry)
            entry = walk.trie.c_next_same[entry]
        return 0

    @cython.cfunc
    def _walk(self, walk: WalkTrie, root: cython.int, position: Position, level: cython.int) -> cython.int:
        """Set the bits of the entries below a node whose bytes from there keep `position` alive."""
        trie: TokenTrie = walk.trie
        node: cython.int = root + 1
        end: cython.int = trie.c_subtree_end[root]
        base: cython.int = trie.c_depth[root]
        depth: cython.int
        source: Position
        target: Position
        for_key: cython.bint
        scratch: list[Position] = self._scratch(level)
        target = scratch[0]
        target.assign(position)
        while node < end:
            depth = trie.c_depth[node] - base
            source = scratch[depth - 1]
            target = scratch[depth]
            if not source.step(trie.c_byte[node], target):
                node = trie.c_subtree_end[node]
                continue
            if trie.c_token[node] >= 0:
                self._emit_node(walk, node)
            if trie.c_byte[node] == 0x22 and trie.c_subtree_end[node] > node + 1:
                for_key = target.mode == IN_KEY
                if (for_key and target.escape == 0 and len(target.key) == 0 and _is_free_key(target)) or (
                    target.mode == IN_STRING and source.mode != IN_STRING and _is_free_string(target)
                ):
                    self._apply_sub(walk, node, target, for_key, level + 1)
                    node = trie.c_subtree_end[node]
                    continue
            node += 1
        return 0

    @cython.cfunc
    def _sub(self, walk: WalkTrie, node: cython.int, for_key: cython.bint) -> Sub:
        key: object = (node, for_key)
        sub = walk.subs.get(key)
        if sub is None:
            sub = build_sub(walk, node, self.shared.opened, for_key)
            walk.subs[key] = sub
        return sub

    @cython.cfunc
    def _apply_sub(
        self, walk: WalkTrie, node: cython.int, position: Position, for_key: cython.bint, level: cython.int
    ) -> cython.int:
        """Set the bits of the entries below a node, `position` being in a free string or key there."""
        sub: Sub = self._sub(walk, node, for_key)
        exit: Position
        frame: Frame
        if node == 0 and level == 0:
            if sub.words is None:
                self._emit(sub.inside, 0)
                if not cython.compiled:
                    self.words_array[:] = self.words
                sub.words = self.words_array.tobytes()
            else:
                self._copy(sub.words)
        else:
            self._emit(sub.inside, 0)
        exit = Position(self.policy)
        if not for_key:
            if position.step(0x22, exit):
                self._emit(sub.closing, 0)
                if sub.closers is not None:
                    self._walk(sub.closers, 0, exit, level + 1)
            return 0
        frame = position.frame
        fresh = frame.with_unwritten_key()
        if fresh is not None:
            exit.expect_colon(fresh)
            self._emit(sub.closing, 0)
            if sub.closers is not None:
                self._walk(sub.closers, 0, exit, level + 1)
        if sub.irregular is not None:
            self._walk(sub.irregular, 0, position, level + 1)
        self._correct_keys(walk, node, position, level)
        return 0

    @cython.cfunc
    def _correct_keys(
        self, walk: WalkTrie, node: cython.int, position: Position, level: cython.int
    ) -> cython.int:
        """Redo the entries that close exactly a named key, or one that was written before."""
        frame: Frame = position.frame
        keys = frame.shape.keys
        written: bytes = position.key
        size: cython.Py_ssize_t = len(written)
        names: list[bytes] = []
        if position.trie >= 0:
            names = keys.names[keys.trie.low[position.trie] : keys.trie.high[position.trie]]
        for name in frame.names:
            if name.startswith(written):
                names = [*names, name]
        here: cython.int
        byte: cython.int
        alive: cython.bint
        probe: Position
        for name in names:
            rest = name[size:]
            here = node
            for byte in rest:
                here = walk.trie.child(here, byte)
                if here < 0:
                    break
            if here >= 0:
                here = walk.trie.child(here, 0x22)
            if here < 0:
                continue
            self._erase(walk, here)
            probe = position.copy()
            alive = True
            for byte in rest:
                if not probe.step(byte, probe):
                    alive = False
                    break
            if alive and probe.step(0x22, probe):
                self._emit_node(walk, here)
                self._walk(walk, here, probe, level + 1)
        return 0


@cython.cfunc
def _is_free_string(position: Position) -> cython.bint:
    """Return whether any text may continue and end the string, and makes no difference."""
    goal: Goal = position.goal
    if position.frame.captures:
        return False
    return goal.text_universal and goal.text_low == 0 and goal.text_high < 0


@cython.cfunc
def _is_free_key(position: Position) -> cython.bint:
    """Return whether the key can still become any text, all of one class."""
    frame: Frame = position.frame
    offer: tuple[Any, ...] = frame.offer()
    if not offer[3] or position.state < 0 or frame.captures:
        return False
    return not frame.shape.keys.patterns and len(frame.names) <= _MANY_KEYS


@cython.cfunc
def _at_boundary(position: Position) -> cython.bint:
    """Return whether the key is between two characters."""
    return position.automaton.step(position.state, 0x61) >= 0
