"""What token tries share across positions: walk tries and their subs.

A *walk trie* is a trie of byte strings, each of which stands for some tokens of the vocabulary.
A *sub* summarises the part of it below one node for a position that is inside a string: the
tokens that stay inside one which any text may continue, and those that leave it, by the text
before the closing quotation mark and the *remainder* after it. Subs depend on the vocabulary and
the policy of escapes alone; a dense mask is a copy plus a walk of the remainders.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.automata.table_cy import TableAutomaton
    from cython.cimports.constrain.matching.modes import END
    from cython.cimports.constrain.matching.position_cy import Position
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
else:
    from constrain.automata.table_cy import TableAutomaton
    from constrain.matching.modes import END
    from constrain.matching.position_cy import Position
    from constrain.vocabulary.token_trie_cy import TokenTrie

import numpy as np

from constrain.matching.json_lookahead import KEY_REMAINDER, VALUE_REMAINDER, may_follow, value_end

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Scratch", "Sub", "WalkTrie", "build_subs", "group_trie", "loops", "run_length", "whole_trie"]


@cython.cclass
class WalkTrie:
    """Byte strings, each of which stands for tokens.

    Entry i stands for the tokens `ids[start[i]:start[i + 1]]`. Each of these has a tag in `tags`:
    a caller may ask for the tokens with certain tags only.

    Attributes:
        trie: the strings; its "tokens" are the entries.
        rows: int32[n_nodes, 4], byte and depth (shifted by 8 bits), end of the subtree, and entry of a node;
            made for the first walk.
        subs: per (node, kind), the `Sub` below it.
        signature: per node, the classes of the characters below it, if `sign` was called.
    """

    def __init__(self, trie: TokenTrie, start: Any, ids: Any, tags: Any) -> None:
        self.trie = trie
        self.start = np.ascontiguousarray(start, dtype=np.int32)
        self.ids = np.ascontiguousarray(ids, dtype=np.int32)
        self.tags = np.ascontiguousarray(tags, dtype=np.int32)
        self.subs: dict[object, Sub] = {}
        self.signature_array: Any = None
        self.height_array: Any = None
        self.row_array: Any = None
        if cython.compiled:
            self.c_start = cython.cast(cython.p_int, cython.cast(cython.size_t, self.start.ctypes.data))
            self.c_ids = cython.cast(cython.p_int, cython.cast(cython.size_t, self.ids.ctypes.data))
            self.c_tags = cython.cast(cython.p_int, cython.cast(cython.size_t, self.tags.ctypes.data))
        else:
            self.c_start = self.start.tolist()
            self.c_ids = self.ids.tolist()
            self.c_tags = self.tags.tolist()

    @cython.cfunc
    def _line_up(self) -> cython.int:
        """Make `rows`: what a walk reads of a node lies in one place of memory."""
        trie: TokenTrie = self.trie
        rows = np.empty((trie.n_nodes, 4), dtype=np.int32)
        rows[:, 0] = trie.byte
        rows[:, 0] |= np.asarray(trie.depth) << 8
        rows[:, 1] = trie.subtree_end
        rows[:, 2] = trie.token
        rows[:, 3] = 0
        self.row_array = rows
        if cython.compiled:
            self.rows = cython.cast(cython.p_int, cython.cast(cython.size_t, rows.ctypes.data))
        else:
            self.rows = rows.reshape(-1).tolist()
        return 0

    def sign(self) -> None:
        """Compute the signatures of the nodes."""
        self.signature_array = signatures(self.trie)
        self.signature = _longs(self.signature_array)
        self.height_array = heights(self.trie)
        self.height = _ints(self.height_array)


@cython.cclass
class Sub:
    """What lies below one node for a position inside a string or key.

    A token that leaves the string is an *inner* text, the closing quotation mark and a *remainder*.
    Which remainders may follow depends on where the string ends, so they are judged once for all
    inner texts that end it alike.

    Attributes:
        inside: the tokens that stay inside if any text may; with their tags.
        words: packed `inside` of the whole vocabulary, for the root; uint32, or `None`.
        inners: the inner texts, escapes decoded; the tokens of an entry are those with that text.
        remainder: per token of `inners`, the index of its remainder; the empty one has index 0.
        has_empty: whether entry 0 of `inners` is the empty text, which has no node.
        n_characters: per entry of `inners`, its number of code points.
        remainders: the remainders that are not empty; their "tokens" are their indices. For keys, those
            that end before the value of the key does: the goal of that value tells their fate.
        further: for keys, the remainders that go on after that value.
        begins_key: whether those go on with a comma and at most a quotation mark, so that it matters
            only whether any key follows.
        n_remainders: how many there are, the empty one counted.
        irregular: the strings that may end another key, or another string, from the node on: for keys
            they are read byte by byte and are not in `inners`.
        leaving: all strings that leave, from the node on.
    """

    def __init__(self, inside: Any, leaving: Any, for_key: bool) -> None:
        self.inside = inside
        self.words: Any = None
        remainders: dict[bytes, int] = {b"": 0}
        regular: list[tuple[bytes, int, int, int]] = []
        irregular: list[tuple[bytes, int, int]] = []
        for whole, closed_at, token, tag in leaving:
            inner = whole[: closed_at - 1]
            rest = whole[closed_at:]
            value_ends = value_end(rest) if for_key else 0
            if value_ends >= 0 and rest.count(b'"', value_ends) > 1:
                irregular.append((whole, token, tag))
                if for_key:
                    continue
            if b"\\" in inner:
                inner = json.loads(b'"%s"' % inner).encode()
            regular.append((inner, token, tag, remainders.setdefault(rest, len(remainders))))
        regular.sort()
        texts = sorted({inner for inner, _, _, _ in regular})
        self.has_empty = bool(texts) and texts[0] == b""
        counts = dict.fromkeys(texts, 0)
        for inner, _, _, _ in regular:
            counts[inner] += 1
        self.inners = WalkTrie(
            _trie_of(texts),
            np.concatenate(([0], np.cumsum(list(counts.values())))) if texts else [0],
            [token for _, token, _, _ in regular],
            [tag for _, _, tag, _ in regular],
        )
        self.remainder_array = np.array([index for _, _, _, index in regular], dtype=np.int32)
        self.remainder = _ints(self.remainder_array)
        self.character_array = np.array(
            [sum(byte & 0xC0 != 0x80 for byte in text) for text in texts], dtype=np.int32
        )
        self.n_characters = _ints(self.character_array)
        self.n_remainders = len(remainders)
        del remainders[b""]
        leaves = {rest: for_key and value_end(rest) >= 0 for rest in remainders}
        self.remainders = _remainder_trie({rest: i for rest, i in remainders.items() if not leaves[rest]})
        self.further = _remainder_trie({rest: i for rest, i in remainders.items() if leaves[rest]})
        self.begins_key = all(
            set(rest[value_end(rest) :]) <= set(b', \t\r\n"') for rest in remainders if leaves[rest]
        )
        self.irregular = group_trie(*zip(*irregular, strict=True)) if irregular else None
        #: Packed remainders -> the tokens that have one of them: int32, packed.
        self.tokens: dict[bytes, bytes] = {}
        self._leaving_list = leaving
        self._leaving_walk: Any = None

    def leaving(self) -> WalkTrie:
        """Return the strings that leave, from the node on."""
        if self._leaving_walk is None:
            found = self._leaving_list
            self._leaving_walk = group_trie(
                [whole for whole, _, _, _ in found],
                [token for _, _, token, _ in found],
                [tag for _, _, _, tag in found],
            )
        return self._leaving_walk


@cython.cclass
class Scratch:
    """What one level of a walk writes to: per depth, a position or a place in a *lane*.

    A lane is a run of bytes within one string, key or number. Its first position tells all but
    the states that the bytes move.

    Attributes:
        positions: one per depth that was reached so far; those within a lane hold nothing of use.
        n_positions: how many these are.
        lane: per depth, the depth at which the lane began, -1 outside of lanes.
        kind: per depth at which a lane began, what it is.
        state, node, length: per depth in a lane, the state of its automaton, the node of the key
            trie and the number of code points.
        spare: the position at a place in a lane, when it is needed.
        exit: the position after a string or key that ends.
        allowed: packed remainders of a sub that may follow, in `n_allowed` words.
    """

    def __init__(self, policy: Any, max_depth: int) -> None:
        self.policy = policy
        self.positions = [Position(policy) for _ in range(4)]
        self.n_positions = 4
        width: cython.Py_ssize_t = max_depth + 1
        if cython.compiled:
            # A bytearray is made much faster than an array of numpy, and most builders are short-lived.
            self.memory = bytearray(5 * width * cython.sizeof(cython.int))
            memory = cython.cast(cython.p_int, cython.cast(cython.p_char, self.memory))
            self.lane = memory
            self.kind = memory + width
            self.state = memory + 2 * width
            self.node = memory + 3 * width
            self.length = memory + 4 * width
        else:
            self.lane, self.kind, self.state, self.node, self.length = ([0] * width for _ in range(5))
        self.spare = Position(policy)
        self.exit = Position(policy)
        self.n_allowed = 0
        self.reserve(8 * 32)

    @cython.cfunc
    def deepen(self, depth: cython.int) -> cython.int:
        """Make positions up to a depth."""
        while self.n_positions <= depth:
            self.positions.append(Position(self.policy))
            self.n_positions += 1
        return 0

    def reserve(self, n_remainders: int) -> None:
        """Make room for the remainders of a sub."""
        size: cython.int = (n_remainders + 31) // 32
        if self.n_allowed < size:
            self.n_allowed = size
            if cython.compiled:
                self.allowed_memory = bytearray(size * cython.sizeof(cython.uint))
                self.allowed = cython.cast(cython.p_uint, cython.cast(cython.p_char, self.allowed_memory))
            else:
                self.allowed = [0] * size


@cython.cfunc
def _longs(array: Any) -> cython.p_longlong:
    """Return the elements of an int64 array, which outlives them, as a C array or as a list."""
    if cython.compiled:
        return cython.cast(cython.p_longlong, cython.cast(cython.size_t, array.ctypes.data))
    return array.tolist()


@cython.cfunc
def _ints(array: Any) -> cython.p_int:
    """Return the elements of an int32 array, which outlives them, as a C array or as a list."""
    if cython.compiled:
        return cython.cast(cython.p_int, cython.cast(cython.size_t, array.ctypes.data))
    return array.tolist()


def _remainder_trie(remainders: dict[bytes, int]) -> Any:
    """Return the walk trie of remainders, whose "tokens" are their indices; `None` if there are none."""
    if not remainders:
        return None
    return group_trie(list(remainders), list(remainders.values()), [0] * len(remainders))


def _trie_of(texts: Sequence[bytes]) -> TokenTrie:
    """Return the trie of sorted texts; text i is its token i."""
    offsets = np.concatenate(([0], np.cumsum([len(text) for text in texts], dtype=np.int64))).astype(np.int32)
    first = 1 if texts and not texts[0] else 0
    return TokenTrie(b"".join(texts), offsets, np.arange(first, len(texts), dtype=np.int32))


# Classes of characters, as bits of a signature: digits, each small letter, groups of capital letters,
# most other ASCII characters each for itself, the separators, which a dot does not match, other blanks
# beyond ASCII, which `\S` does not match, all other characters, and what is no character.
_SEPARATORS = 1 << 58
_BLANKS = 1 << 59
_WIDE = 1 << 60
_MALFORMED = 1 << 61
_WIDE_CLASSES = (
    (_SEPARATORS, tuple(character.encode() for character in "\u2028\u2029")),
    (
        _BLANKS,
        tuple(
            chr(code).encode()
            for code in (0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000, 0xFEFF)
        ),
    ),
)
#: The bytes of characters beyond ASCII with a class of their own, as a number -> that class.
_OWN_CLASSES = {
    int.from_bytes(character, "big"): own for own, characters in _WIDE_CLASSES for character in characters
}
#: What such characters begin with.
_OPENINGS = {code >> 8 for code in _OWN_CLASSES} | {code >> 16 for code in _OWN_CLASSES if code >> 16}


def _class_of_ascii() -> list[int]:
    """Return the class of each ASCII character, as a bit."""
    groups = [
        b"0123456789",
        b"ABCDEF",
        b"GHIJKLM",
        b"NOPQRST",
        b"UVWXYZ",
        # Inside strings these come as escapes, or hardly at all.
        bytes([*range(0x20), 0x22, 0x5C, 0x7F]),
        b"^`~",
        b"<>",
        b"[]",
        b"{}",
    ]
    grouped = b"".join(groups)
    groups += [bytes((byte,)) for byte in range(0x80) if byte not in grouped]
    result = [0] * 0x80
    for bit, group in enumerate(groups):
        for byte in group:
            result[byte] = 1 << bit
    return result


_CLASSES = _class_of_ascii()


def signatures(trie: TokenTrie) -> Any:
    """Return, per node, the classes of the characters on the edges below it: int64[n_nodes].

    A node within a character has the class of what is no character.
    """
    found_array = np.zeros(trie.n_nodes, dtype=np.int64)
    own_array = np.zeros(trie.n_nodes, dtype=np.int64)
    phase_array = np.zeros(trie.n_nodes, dtype=np.int32)
    classes_array = np.array(
        [_CLASSES[byte] if byte < 0x80 else _WIDE for byte in range(256)], dtype=np.int64
    )
    table_array = np.array(_PHASES, dtype=np.int32).reshape(-1)
    found: cython.p_longlong = _longs(found_array)
    own: cython.p_longlong = _longs(own_array)
    classes: cython.p_longlong = _longs(classes_array)
    phase: cython.p_int = _ints(phase_array)
    table: cython.p_int = _ints(table_array)
    malformed: cython.longlong = _MALFORMED
    node: cython.int
    byte: cython.int
    parent: cython.int
    before: cython.int
    code: cython.int
    for node in range(1, trie.n_nodes):
        byte = trie.c_byte[node]
        before = phase[trie.c_parent[node]]
        phase[node] = -1 if before < 0 else table[before * 256 + byte]
        if phase[node] < 0:
            own[node] = malformed
        elif before == 0:
            own[node] = classes[byte]
        elif phase[node] == 0:
            parent = trie.c_parent[node]
            code = trie.c_byte[parent] << 8 | byte
            if trie.c_byte[parent] < 0xC0:
                code |= trie.c_byte[trie.c_parent[parent]] << 16
            own[node] = _OWN_CLASSES.get(code, 0)
    for node in range(trie.n_nodes - 1, 0, -1):
        parent = trie.c_parent[node]
        found[parent] |= found[node] | own[node]
    for node in range(1, trie.n_nodes):
        if phase[node] != 0:
            found[node] |= malformed
    return found_array if cython.compiled else np.array(found, dtype=np.int64)


def heights(trie: TokenTrie) -> Any:
    """Return, per node, how many bytes the longest text below it has from there: int32[n_nodes]."""
    found_array = np.zeros(trie.n_nodes, dtype=np.int32)
    found: cython.p_int = _ints(found_array)
    node: cython.int
    parent: cython.int
    for node in range(trie.n_nodes - 1, 0, -1):
        parent = trie.c_parent[node]
        if found[parent] <= found[node]:
            found[parent] = found[node] + 1
    return found_array if cython.compiled else np.array(found, dtype=np.int32)


def _utf8_phases() -> list[list[int]]:
    """Return the phase after each phase and byte: 0 between characters, -1 where none goes on."""
    numbers: dict[tuple[tuple[int, int], ...], int] = {(): 0}
    rows: list[list[int]] = []
    pending: list[tuple[tuple[int, int], ...]] = [()]
    for due in pending:
        row = []
        for byte in range(256):
            following: tuple[tuple[int, int], ...] | None = None
            if not due:
                following = () if byte < 0x80 else _continuations(byte)
            elif due[0][0] <= byte <= due[0][1]:
                following = due[1:]
            if following is not None and following not in numbers:
                numbers[following] = len(numbers)
                pending.append(following)
            row.append(-1 if following is None else numbers[following])
        rows.append(row)
    return rows


def _continuations(lead: int) -> tuple[tuple[int, int], ...] | None:
    """Return the ranges of the bytes that follow a lead byte of UTF-8, or `None` if it is none."""
    if not 0xC2 <= lead <= 0xF4:
        return None
    if lead < 0xE0:
        return ((0x80, 0xBF),)
    first = (
        (0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80),
        (0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF),
    )
    return (first, (0x80, 0xBF)) if lead < 0xF0 else (first, (0x80, 0xBF), (0x80, 0xBF))


_PHASES = _utf8_phases()


#: Runs are not looked for from states that lead to more others than this.
_MOST_FOLLOWERS = cython.declare(cython.int, 4)


@cython.ccall
@cython.exceptval(-2, check=True)
def loops(automaton: TableAutomaton, state: cython.int) -> cython.longlong:
    """Return the classes of characters that lead from a state back to it, as a signature."""
    byte: cython.int
    result: cython.longlong = automaton.loops[state]
    if result >= 0:
        return result
    classes: Any = _CLASSES
    others: cython.longlong = 0
    result = 0
    for byte in range(0x80):
        if automaton.step(state, byte) == state:
            result |= cython.cast(cython.longlong, classes[byte])
        else:
            others |= cython.cast(cython.longlong, classes[byte])
    result &= ~others
    if result == 0:
        # Hardly a state loops beyond ASCII alone.
        automaton.loops[state] = 0
        return 0
    if _loops_wide(automaton, state):
        result |= cython.cast(cython.longlong, _WIDE)
    for own, characters in _WIDE_CLASSES:
        for character in characters:
            if _after(automaton, state, character) != state:
                break
        else:
            result |= cython.cast(cython.longlong, own)
    automaton.loops[state] = result
    return result


@cython.ccall
@cython.exceptval(-2, check=True)
def run_length(
    automaton: TableAutomaton, state: cython.int, signature: cython.longlong, most: cython.int
) -> cython.int:
    """Return how many characters of some ASCII classes stay alive from a state on, whichever they are.

    Args:
        most: more are of no interest.

    Returns:
        At most `most`; -1 if it depends on which characters they are, or was not found out.
    """
    length: cython.int = 0
    while length < most:
        if automaton.runs[state] < 0:
            _find_run(automaton, state)
        if signature & ~automaton.runs[state]:
            break
        length += 1
        state = automaton.followers[state]
    if length < most and signature & ~automaton.stops[state]:
        return -1
    return length


@cython.cfunc
def _count(classes: cython.longlong) -> cython.int:
    """Return how many classes these are."""
    number: cython.int = 0
    while classes:
        classes &= classes - 1
        number += 1
    return number


@cython.cfunc
def _find_run(automaton: TableAutomaton, state: cython.int) -> cython.int:
    """Find which classes of ASCII lead from a state to one and the same, and which lead nowhere."""
    byte: cython.int
    target: cython.int
    k: cython.int
    n_found: cython.int = 0
    some: cython.longlong
    ends: cython.longlong = 0
    goes: cython.longlong = 0
    found: cython.int[4]
    led: cython.longlong[4]
    if not cython.compiled:
        found, led = [0] * 4, [0] * 4
    classes: Any = _CLASSES
    automaton.runs[state] = 0
    automaton.stops[state] = 0
    automaton.followers[state] = -1
    for byte in range(0x80):
        target = automaton.step(state, byte)
        some = cython.cast(cython.longlong, classes[byte])
        if target < 0:
            ends |= some
            continue
        goes |= some
        for k in range(n_found):
            if found[k] == target:
                led[k] |= some
                break
        else:
            if n_found == _MOST_FOLLOWERS:
                return 0
            found[n_found] = target
            led[n_found] = some
            n_found += 1
    automaton.stops[state] = ends & ~goes
    if n_found == 0:
        return 0
    # A class whose characters lead to several states leads to none.
    shared: cython.longlong = ends
    best: cython.int = 0
    for k in range(n_found):
        if _count(led[k]) > _count(led[best]):
            best = k
    for k in range(n_found):
        if k != best:
            shared |= led[k]
    automaton.runs[state] = led[best] & ~shared
    automaton.followers[state] = found[best]
    return 0


@cython.cfunc
def _loops_wide(automaton: TableAutomaton, state: cython.int) -> cython.bint:
    """Return whether all characters beyond ASCII that have no class of their own lead from a state to it."""
    after: cython.int
    lead: cython.int
    reached: set[object] = set()
    for lead in range(0xC2, 0xF5):
        after = automaton.step(state, lead)
        if after < 0:
            return False
        phase: object = _PHASES[0][lead]
        if lead in _OPENINGS:
            # Not all that follows is looked at, so it tells nothing about other leads.
            if not _comes_back(automaton, after, cython.cast(cython.int, phase), state, lead):
                return False
        elif (after, phase) not in reached:
            reached.add((after, phase))
            if not _comes_back(automaton, after, cython.cast(cython.int, phase), state, 0):
                return False
    return True


@cython.cfunc
def _comes_back(
    automaton: TableAutomaton, state: cython.int, phase: cython.int, home: cython.int, begun: cython.int
) -> cython.bint:
    """Return whether all continuations of a character, begun as its phase tells, lead to `home`.

    Args:
        begun: its bytes so far if characters with a class of their own begin so, else 0; such are left out.
    """
    byte: cython.int
    after: cython.int
    due: cython.int
    inner: cython.int
    seen: cython.int = -1
    row: Any = _PHASES[phase]
    for byte in range(0x80, 0xC0):
        due = row[byte]
        if due < 0:
            continue
        inner = begun << 8 | byte if begun else 0
        if due == 0 and inner and inner in _OWN_CLASSES:
            continue
        after = automaton.step(state, byte)
        if after < 0 or (due == 0 and after != home):
            return False
        if due > 0 and inner and inner in _OPENINGS:
            if not _comes_back(automaton, after, due, home, inner):
                return False
        elif due > 0 and after != seen:
            if not _comes_back(automaton, after, due, home, 0):
                return False
            seen = after
    return True


@cython.cfunc
def _after(automaton: TableAutomaton, state: cython.int, text: bytes) -> cython.int:
    """Return the state after a text, or -1."""
    byte: cython.int
    for byte in text:
        if state >= 0:
            state = automaton.step(state, byte & 0xFF)
    return state


def whole_trie(trie: TokenTrie) -> WalkTrie:
    """Return the walk trie of a vocabulary, each token an entry of its own."""
    size = trie.size
    return WalkTrie(trie, np.arange(size + 1), np.arange(size), np.zeros(size))


def group_trie(texts: Sequence[bytes], ids: Sequence[int], tags: Sequence[int]) -> WalkTrie:
    """Return the walk trie in which text i stands for token `ids[i]` with tag `tags[i]`."""
    groups: dict[bytes, list[int]] = {}
    for index, text in enumerate(texts):
        groups.setdefault(text, []).append(index)
    ordered = sorted(groups)
    trie = _trie_of(ordered)
    order = [index for text in ordered for index in groups[text]]
    start = np.concatenate(([0], np.cumsum([len(groups[text]) for text in ordered])))
    return WalkTrie(trie, start, [ids[index] for index in order], [tags[index] for index in order])


def build_subs(walk: WalkTrie, root: cython.int, opened: Position) -> tuple[Sub, Sub]:
    """Return the subs of a walk trie below a node: for strings that are values, and for keys.

    Args:
        walk: the trie; root: the node.
        opened: the position after the opening quotation mark of a document that is any string.
    """
    trie: TokenTrie = walk.trie
    end: cython.int = trie.c_subtree_end[root]
    base: cython.int = trie.c_depth[root]
    node: cython.int = root + 1
    deepest: cython.int = 0
    k: cython.int
    for k in range(root, end):
        if trie.c_depth[k] > deepest:
            deepest = trie.c_depth[k]
    scratch: list[Position] = [opened.copy() for _ in range(deepest - base + 1)]
    source: Position
    target: Position
    inside: list[int] = []
    inside_tags: list[int] = []
    leaving: list[tuple[bytes, int, int, int]] = []
    text: bytes = trie.text.tobytes()
    bounds: list[int] = trie.offset.tolist()
    while node < end:
        source = scratch[trie.c_depth[node] - base - 1]
        target = scratch[trie.c_depth[node] - base]
        if not source.step(trie.c_byte[node], target):
            node = trie.c_subtree_end[node]
            continue
        if target.mode != END:
            entry = trie.c_token[node]
            while entry >= 0:
                for k in range(walk.c_start[entry], walk.c_start[entry + 1]):
                    inside.append(walk.c_ids[k])
                    inside_tags.append(walk.c_tags[k])
                entry = trie.c_next_same[entry]
            node += 1
            continue
        # The string was closed: all strings below share the place where it was.
        closed_at = trie.c_depth[node]
        for position in range(trie.c_token_low[node], trie.c_token_high[node]):
            entry = trie.c_sorted_ids[position]
            whole = text[bounds[entry] : bounds[entry + 1]]
            for k in range(walk.c_start[entry], walk.c_start[entry + 1]):
                leaving.append((whole[base:], closed_at - base, walk.c_ids[k], walk.c_tags[k]))
        node = trie.c_subtree_end[node]
    tokens = _group(inside, inside_tags)
    for_values = [each for each in leaving if may_follow(each[0][each[1] :], VALUE_REMAINDER)]
    for_keys = [each for each in leaving if may_follow(each[0][each[1] :], KEY_REMAINDER)]
    return Sub(tokens, for_values, False), Sub(tokens, for_keys, True)


def _group(ids: list[int], tags: list[int]) -> WalkTrie:
    """Return tokens and their tags as the single entry of a walk trie without strings."""
    trie = TokenTrie(b"", np.zeros(2, dtype=np.int32))
    return WalkTrie(trie, [0, len(ids)], ids, tags)
