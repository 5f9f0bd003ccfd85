"""Which code point can complete an escape that has been begun.

A string is read by an automaton over its *decoded* UTF-8 bytes; an escape names one code point
of it. While the escape is incomplete its code point lies in a range, and the escape is live
exactly if some code point of the range is: these functions find the first such one.
"""

from __future__ import annotations

from collections.abc import Callable

from constrain.automata.table_cy import TableAutomaton

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


_WIDTHS = ((0, 0x7F, 1), (0x80, 0x7FF, 2), (0x800, 0xFFFF, 3), (0x10000, 0x10FFFF, 4))


def first_live_code_point(
    automaton: TableAutomaton, state: int, first: int, last: int, is_live: Callable[[int, bytes], bool]
) -> int:
    """Return the first code point in a range that may come next, or -1.

    Args:
        automaton: runs over UTF-8 bytes; `state` is at a character boundary or nothing is found.
        is_live: whether a state within or after the character, given the bytes of the character so
            far, is live for reasons beyond the automaton.
    """
    for low, high, width in _WIDTHS:
        begin = max(low, first)
        end = min(high, last)
        if begin <= end:
            found = _search(automaton, state, begin, end, width, b"", is_live)
            if found >= 0:
                return found
    return -1


def _search(
    automaton: TableAutomaton,
    state: int,
    first: int,
    last: int,
    width: int,
    above: bytes,
    is_live: Callable[[int, bytes], bool],
) -> int:
    """Search the code points of one UTF-8 width below the bytes `above`; at most four levels deep."""
    position = len(above)
    shift = 6 * (width - 1 - position)
    prefix = first >> (shift + 6) if position else 0
    lead = (0, 0x00, 0xC0, 0xE0, 0xF0)[width] if position == 0 else 0x80
    for part in range(first >> shift, (last >> shift) + 1):
        digit = part - (prefix << 6) if position else part
        after = automaton.step(state, lead | digit)
        if after < 0:
            continue
        here = above + bytes((lead | digit,))
        if not is_live(after, here):
            continue
        low = max(first, part << shift)
        high = min(last, ((part + 1) << shift) - 1)
        if shift == 0:
            return low
        found = _search(automaton, after, low, high, width, here, is_live)
        if found >= 0:
            return found
    return -1
