"""Classes of characters: what tokens are made of, and where automata go by whole classes.

The *signature* of a node of a trie is the classes of the characters below it. Where an automaton does
the same for all of them, the tokens below are not walked: a state *loops* by classes that lead back to
it, and from a state a *run* of so many characters of some classes stays alive, whichever they are.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.automata.table_cy import TableAutomaton
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
else:
    from constrain.automata.table_cy import TableAutomaton
    from constrain.vocabulary.token_trie_cy import TokenTrie

import numpy as np

__all__ = ["heights", "ints", "longs", "loops", "run_length", "signatures"]


@cython.cfunc
def longs(array: Any) -> cython.p_longlong:
    """Return the elements of an int64 array, which outlives them, as a C array or as a list."""
    if cython.compiled:
        return cython.cast(cython.p_longlong, cython.cast(cython.size_t, array.ctypes.data))
    return array.tolist()


@cython.cfunc
def ints(array: Any) -> cython.p_int:
    """Return the elements of an int32 array, which outlives them, as a C array or as a list."""
    if cython.compiled:
        return cython.cast(cython.p_int, cython.cast(cython.size_t, array.ctypes.data))
    return array.tolist()


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
    found: cython.p_longlong = longs(found_array)
    own: cython.p_longlong = longs(own_array)
    classes: cython.p_longlong = longs(classes_array)
    phase: cython.p_int = ints(phase_array)
    table: cython.p_int = ints(table_array)
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
    found: cython.p_int = ints(found_array)
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
