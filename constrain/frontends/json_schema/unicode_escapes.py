r"""Escapes of ECMA-262 that are being read: `\uXXXX`, pairs of them, and `\u{X}`, after the backslash."""

from __future__ import annotations

import functools

__all__ = ["possible", "spell"]

_HEX = frozenset("0123456789abcdefABCDEF")
_LAST = 0x10FFFF


def _braced(digits: str) -> list[tuple[int, int]]:
    """Return what a number that begins with these digits can be."""
    value = int(digits, 16) if digits else 0
    found = []
    for more in range(0 if digits else 1, 7):
        low = value << (4 * more)
        if low > _LAST:
            break
        found.append((low, min(low + (1 << (4 * more)) - 1, _LAST)))
    return found


def _four(digits: str) -> tuple[int, int]:
    """Return the least and the greatest number of four digits that begins so."""
    return int((digits + "0000")[:4], 16), int((digits + "FFFF")[:4], 16)


def _pairs(low: int, high: int, second_low: int, second_high: int) -> list[tuple[int, int]]:
    """Return what pairs of these halves stand for."""
    low, high = max(low, 0xD800), min(high, 0xDBFF)
    second_low, second_high = max(second_low, 0xDC00), min(second_high, 0xDFFF)
    if low > high or second_low > second_high:
        return []
    base = 0x10000 - 0xDC00
    first, last = base + ((low - 0xD800) << 10), base + ((high - 0xD800) << 10)
    if (second_low, second_high) == (0xDC00, 0xDFFF):
        return [(first + second_low, last + second_high)]
    return [(first + second_low, first + second_high)]


@functools.lru_cache(maxsize=4096)
def possible(text: str) -> tuple[int | None, list[tuple[int, int]]] | None:
    """Return what an escape can still be.

    Args:
        text: `u` and what follows it.

    Returns:
        The character if it is complete, and the ranges of what it can become by further text;
        `None` if it is no escape.
    """
    if text[:2] == "u{":
        closed = text.endswith("}")
        digits = text[2:-1] if closed else text[2:]
        if not _HEX.issuperset(digits) or (digits and int(digits, 16) > _LAST):
            return None
        if closed:
            return (int(digits, 16), []) if digits else None
        return (None, _braced(digits))
    first, second = text[1:5], text[5:]
    if text[:1] != "u" or not _HEX.issuperset(first) or not r"\u".startswith(second[:2]):
        return None
    if not first:
        return (None, [(0, _LAST)])
    low, high = _four(first)
    if len(first) < 4:
        return (None, [(low, high), *_pairs(low, high, 0xDC00, 0xDFFF)])
    digits = second[2:]
    if not _HEX.issuperset(digits) or len(digits) > 4:
        return None
    pairs = _pairs(low, low, *_four(digits))
    if len(digits) == 4:
        return (pairs[0][0], []) if pairs else None
    return (None if second else low, pairs)


def spell(text: str, code_point: int) -> str:
    """Return the shortest end of the escape `text` that makes it the character; nothing if none does."""
    spelled = [f"u{{{code_point:X}}}"]
    if text.startswith("u{"):
        # Leading zeros, and the case of the letters, are kept.
        digits = text[2:]
        number = f"{code_point:X}"
        for size in range(len(number) + 1):
            if int(digits or "0", 16) == code_point >> (4 * size) and (digits or size == len(number)):
                return number[len(number) - size :] + "}"
        return ""
    if code_point <= 0xFFFF:
        spelled.append(f"u{code_point:04X}")
    else:
        offset = code_point - 0x10000
        spelled.append(f"u{0xD800 + (offset >> 10):04X}\\u{0xDC00 + (offset & 0x3FF):04X}")
    ends = [one[len(text) :] for one in spelled if one.lower().startswith(text.lower())]
    return min(ends, key=len) if ends else ""
