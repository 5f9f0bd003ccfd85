"""Which code point can complete an escape that has been begun.

A string is read by an automaton over its *decoded* UTF-8 bytes; an escape names one code point
of it. While the escape is incomplete its code point lies in a range, and the escape is live
exactly if some code point of the range is: these functions find the first such one.
"""

from __future__ import annotations

from collections.abc import Callable

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.automata.table_cy import TableAutomaton, next_state
else:
    from constrain.automata.table_cy import TableAutomaton

    next_state = TableAutomaton.step

__all__ = ["escaped_code_points", "escaped_text", "first_live_code_point"]

#: The two-character escapes: what follows the backslash -> the decoded byte.
SHORT_ESCAPES = {
    ord('"'): 0x22,
    ord("\\"): 0x5C,
    ord("b"): 0x08,
    ord("f"): 0x0C,
    ord("n"): 0x0A,
    ord("r"): 0x0D,
    ord("t"): 0x09,
}
_SPELLED = {decoded: bytes((0x5C, letter)) for letter, decoded in SHORT_ESCAPES.items()}

#: The controls that have no short escape: `\u00xx` spells them under the minimal policy.
HEX_CONTROLS = tuple(code for code in range(0x20) if code not in _SPELLED)


def escaped_text(text: bytes) -> bytes:
    """Return decoded text as the inside of a JSON string, in the minimal policy."""
    if text.isascii() and text.isalnum():
        return text
    return b"".join(
        _SPELLED.get(byte) or (b"\\u%04x" % byte if byte < 0x20 else bytes((byte,))) for byte in text
    )


def escaped_code_points(first: int, last: int, minimal: bool) -> list[tuple[int, int]]:
    """Return the code points whose `\\uXXXX` spelling has its first four digits in a range.

    A high surrogate stands for all code points that it begins. Lone surrogates are none.
    """
    if minimal:
        return [(code, code) for code in HEX_CONTROLS if first <= code <= last]
    ranges = []
    for low, high in ((0, 0xD7FF), (0xE000, 0xFFFF)):
        if first <= high and low <= last:
            ranges.append((max(first, low), min(last, high)))
    if first <= 0xDBFF and last >= 0xD800:
        begin = max(first, 0xD800)
        end = min(last, 0xDBFF)
        ranges.append((0x10000 + (begin - 0xD800) * 0x400, 0x10000 + (end - 0xD800) * 0x400 + 0x3FF))
    return ranges


@cython.ccall
def first_live_code_point(
    automaton: TableAutomaton,
    state: cython.int,
    first: cython.int,
    last: cython.int,
    is_live: Callable[[int, bytes], bool] | None,
) -> cython.int:
    """Return the first code point in a range that may come next, or -1.

    Args:
        automaton: runs over UTF-8 bytes; `state` is at a character boundary or nothing is found.
        is_live: whether a state within or after the character, given the bytes of the character so
            far, is live for reasons beyond the automaton; `None` if there are none.
    """
    width: cython.int
    low: cython.int = 0
    high: cython.int
    found: cython.int
    for width in range(1, 5):
        high = 0x7F if width == 1 else 0x7FF if width == 2 else 0xFFFF if width == 3 else 0x10FFFF
        if low <= last and first <= high:
            found = _search(automaton, state, max(low, first), min(high, last), width, 0, b"", is_live)
            if found >= 0:
                return found
        low = high + 1
    return -1


@cython.cfunc
def _search(
    automaton: TableAutomaton,
    state: cython.int,
    first: cython.int,
    last: cython.int,
    width: cython.int,
    position: cython.int,
    above: bytes,
    is_live: Callable[[int, bytes], bool] | None,
) -> cython.int:
    """Search the code points of one UTF-8 width below the bytes `above`; at most four levels deep.

    Args:
        position: the number of bytes above.
        above: these bytes, if `is_live` wants them.
    """
    shift: cython.int = 6 * (width - 1 - position)
    prefix: cython.int = first >> (shift + 6) if position else 0
    lead: cython.int = 0x80
    part: cython.int
    byte: cython.int
    after: cython.int
    found: cython.int
    here: bytes = above
    if position == 0:
        lead = 0 if width == 1 else 0xC0 if width == 2 else 0xE0 if width == 3 else 0xF0
    for part in range(first >> shift, (last >> shift) + 1):
        byte = lead | (part - (prefix << 6) if position else part)
        after = next_state(automaton, state, byte)
        if after < 0:
            continue
        if is_live is not None:
            here = above + bytes((byte,))
            if not is_live(after, here):
                continue
        if shift == 0:
            return part
        found = _search(
            automaton,
            after,
            max(first, part << shift),
            min(last, ((part + 1) << shift) - 1),
            width,
            position + 1,
            here,
            is_live,
        )
        if found >= 0:
            return found
    return -1
