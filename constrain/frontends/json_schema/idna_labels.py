"""Labels of domain names by IDNA 2008 (RFC 5890 to 5893), with the tables of the `idna` package."""

from __future__ import annotations

import functools
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import idna
from idna import idnadata
from idna.intranges import intranges_contain

from constrain.errors import LimitExceeded

__all__ = [
    "MOST_OCTETS",
    "Label",
    "a_label_rest",
    "is_nearly_full",
    "label_of",
    "likes",
    "members_between",
    "u_label_rest",
]

#: RFC 1035 2.3.4: the octets of a label.
MOST_OCTETS = 63
_ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyz0123456789"
_LONG_RANGE = 1500
#: How many ends of an A-label are tried before the search gives up.
_MOST_ENDS = 60_000
#: Punycode spells the greatest distance, 64 times all code points, in so many digits: each has ten values at
#: least (RFC 3492 5).
_MOST_DIGITS = 8
#: By so many octets one character more may make an A-label shorter.
_MOST_SHORTENED = 2
#: RFC 5893 1.4.
_RIGHT_TO_LEFT = ("R", "AL", "AN")
#: Ends that can complete a label: what a hyphen, the middle dots, the keraia or a joiner waits for.
_WAITING = "\xb7\u0375"
_JOINER = "\u200c"
_ENDS = ("a", "l", "\u03b1", "\u05d0", "\u0628", "\u30a1", "\u1820")


class Label(NamedTuple):
    """A label that is valid by itself.

    Attributes:
        octets: the length of its A-label, or of itself if it is ASCII.
        right: it has characters that are written from right to left.
        bidi: it satisfies the Bidi rule (RFC 5893 2), which a name with such labels asks of all.
    """

    octets: int
    right: bool
    bidi: bool


@functools.lru_cache(maxsize=1 << 16)
def label_of(text: str) -> Label | None:
    """Return what a label is; `None` if it is none."""
    if not text.isascii():
        octets = len(_encoded(text)) if len(text) <= MOST_OCTETS else MOST_OCTETS + 1
        return _unicode_label(text, octets) if octets <= MOST_OCTETS else None
    if text[:4].lower() == "xn--":
        return _a_label(text.lower())
    ends_well = text[:1].isalnum() and text[-1:].isalnum()
    if not ends_well or len(text) > MOST_OCTETS or text[2:4] == "--" or not text.replace("-", "").isalnum():
        return None
    return Label(len(text), False, text[0].isalpha())


def _a_label(text: str) -> Label | None:
    """Return the label `xn--...`: it has to be what its U-label encodes to (RFC 5891 5.4)."""
    found = _decoded(text[4:]) if text.replace("-", "").isalnum() else None
    if found is None or found[1] is not None:
        return None
    decoded = "".join(found[0])
    # Each number has one spelling, so only a hyphen after no ASCII characters is not what is encoded.
    if decoded.isascii() or (text[4] == "-" and text.rfind("-") == 4) or len(text) > MOST_OCTETS:
        return None
    return _unicode_label(decoded, len(text))


def _encoded(text: str) -> str:
    return "xn--" + text.encode("punycode").decode()


def _unicode_label(text: str, octets: int) -> Label | None:
    try:
        idna.check_label(text)
    except (UnicodeError, ValueError):
        return None
    right = any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text)
    try:
        idna.check_bidi(text, check_ltr=True)
    except UnicodeError:
        return Label(octets, right, False)
    return Label(octets, right, True)


def _fits(text: str, room: int, bidi: bool, left: bool) -> bool:
    """Return whether it is a label of at most `room` octets that satisfies what the name asks.

    Args:
        bidi: it has to satisfy the Bidi rule.
        left: it must not have characters that are written from right to left.
    """
    label = label_of(text)
    if label is None or label.octets > room:
        return False
    return (label.bidi or not bidi) and not (left and label.right)


def u_label_rest(text: str, room: int, bidi: bool, left: bool, more: int = 0) -> str | None:
    """Return a shortest text, of at least `more` characters, that makes `text` a label; `None` if none does.

    Where the A-label is too long already, only a character like those of the text, or one next to them in
    Unicode, is tried: it makes the differences that Punycode spells smaller.
    """
    last = text[-1:] if text[-1:].isalpha() else ""
    singles = (last, *_ENDS) if last else _ENDS
    if more == 0 and _fits(text, room, bidi, left):
        return ""
    if more <= 1:
        for end in singles:
            if _fits(text + end, room, bidi, left):
                return end
    # A middle dot of Katakana may wait for a letter while another character waits for its neighbour.
    if more == 2 or ("\u30fb" in text and (text[-1] in _WAITING or _JOINER in text)):
        for end in singles:
            for other in singles:
                if _fits(text + end + other, room, bidi, left):
                    return end + other
    if more <= 1 and 0 < len(_encoded(text)) - room <= _MOST_SHORTENED:
        for like in likes(text):
            if _fits(text + chr(like), room, bidi, left):
                return chr(like)
    return None


def likes(text: str) -> list[int]:
    """Return the characters beyond ASCII that a text has, and those next to them in Unicode."""
    near = {ord(own) + step for own in text if not own.isascii() for step in (-1, 0, 1)}
    return sorted(one for one in near if not 0xD800 <= one <= 0xDFFF)


def is_nearly_full(text: str, room: int) -> bool:
    """Return whether the A-label of a text has room for one character at most, or a little less than none."""
    return not text.isascii() and -_MOST_SHORTENED <= room - len(_encoded(text)) <= _MOST_DIGITS


def a_label_rest(text: str, room: int, bidi: bool, left: bool) -> str | None:
    """Return a text that makes `text`, which begins with `xn--`, an A-label; `None` if none does.

    What was read can be the ASCII characters of the label, so with 13 octets to spare there is
    always an end; it is not the shortest.
    """
    if _fits(text, room, bidi, left):
        return ""
    end = _encoded(_with_letters(text[4:]))[len(text) :]
    if _fits(text + end, room, bidi, left):
        return end
    if not _is_hopeful(text[4:], left):
        return None
    for size in range(1, room - len(text) + 1):
        found = a_label_end(text, size, room, bidi, left)
        if found is not None:
            return found
    return None


def _with_letters(text: str) -> str:
    """Return a U-label whose ASCII characters are `text`: letters are put where a hyphen must not be."""
    if not text[:1].isalpha():
        text = "\xdf" + text
    if text[2:4] == "--":
        text = text[:3] + "\xdf" + text[3:]
    return text if text[-1].isalnum() and not text.isascii() else text + "\xdf"


def _decoded(payload: str) -> tuple[list[str], int | None] | None:
    """Decode what follows `xn--` (RFC 3492 6.2) as far as it goes.

    Returns:
        The text with the complete insertions, and the least character that an incomplete one can
        insert (`None` if the last one is complete); `None` if a character is inserted that no
        label has. Later insertions only add characters, each not smaller than the last one.
    """
    basic, _, digits = payload.rpartition("-")
    text = list(basic)
    code_point, index, bias = 128, 0, 72
    weight, before, size = 1, 0, 36
    for digit in digits:
        value = ord(digit) - 0x61 if digit.isalpha() else ord(digit) - 0x30 + 26
        index += value * weight
        limit = 1 if size <= bias else 26 if size >= bias + 26 else size - bias
        if value >= limit:
            weight *= 36 - limit
            size += 36
            continue
        count = len(text) + 1
        bias = _adapted(index - before, count, before == 0)
        code_point += index // count
        place = index % count
        if not _is_member(code_point):
            return None
        text.insert(place, chr(code_point))
        index = place + 1
        before, weight, size = index, 1, 36
    if size == 36:
        return text, None
    return text, code_point + index // (len(text) + 1)


def _is_hopeful(payload: str, left: bool) -> bool:
    """Return whether digits may follow `payload`: what it inserted so far is not wrong for good."""
    found = _decoded(payload)
    if found is None or (found[1] is not None and found[1] > _members()[-1][1]):
        return False
    directions = {unicodedata.bidirectional(character) for character in found[0]}
    right = not directions.isdisjoint(_RIGHT_TO_LEFT)
    return not (right and (left or "L" in directions or {"AN", "EN"} <= directions))


def _adapted(delta: int, count: int, first: bool) -> int:
    """Return the bias after a delta (RFC 3492 6.1)."""
    delta = delta // 700 if first else delta // 2
    delta += delta // count
    bias = 0
    while delta > 455:
        delta //= 35
        bias += 36
    return bias + 36 * delta // (delta + 38)


def _is_member(code_point: int) -> bool:
    index = bisect_right(_members(), (code_point, 0x110000)) - 1
    return index >= 0 and code_point <= _members()[index][1]


def a_label_end(text: str, size: int, room: int, bidi: bool, left: bool) -> str | None:
    """Return a text of `size` characters that makes `text` an A-label.

    Raises:
        LimitExceeded: there are too many ends to be tried.
    """
    if size > room - len(text):
        return None
    for tried, end in enumerate(_words(size)):
        if tried == _MOST_ENDS:
            raise LimitExceeded(
                "it takes too long to find out how a label `xn--...` can end", limit=_MOST_ENDS
            )
        if _fits(text + end, room, bidi, left):
            return end
    return None


def _words(size: int) -> Iterator[str]:
    if size == 0:
        yield ""
        return
    for head in _words(size - 1):
        for letter in _ALPHANUMERIC + "-":
            yield head + letter


# Which characters a lead byte may stand for.


@functools.cache
def _members() -> list[tuple[int, int]]:
    """Return the ranges of what labels may have, by RFC 5892, beyond ASCII."""
    classes = idnadata.codepoint_classes
    ranges = [
        (encoded >> 32, (encoded & 0xFFFFFFFF) - 1)
        for name in ("PVALID", "CONTEXTJ", "CONTEXTO")
        for encoded in classes[name]
    ]
    return sorted(pair for pair in ranges if pair[0] > 0x7F)


def _class_of(code_point: int) -> tuple[object, ...]:
    """Return what the rules ask of a character, but for composition and length."""
    character = chr(code_point)
    return (
        unicodedata.bidirectional(character),
        unicodedata.combining(character),
        unicodedata.category(character)[0] == "M",
        *(intranges_contain(code_point, idnadata.scripts[name]) for name in idnadata.scripts),
        *(intranges_contain(code_point, ranges) for ranges in idnadata.joining_types.values()),
    )


@functools.lru_cache(maxsize=4096)
def members_between(low: int, high: int) -> tuple[int, ...]:
    """Return the characters of labels from `low` to `high`; of many, the first few of each class."""
    inside: list[int] = []
    for first, last in _members():
        # The long ranges (ideographs, Hangul) are of one class.
        first, last = max(low, first), min(high, last, max(low, first) + _LONG_RANGE)
        inside.extend(range(first, last + 1))
    if len(inside) <= 64:
        return tuple(inside)
    classes: dict[tuple[object, ...], list[int]] = {}
    for code_point in inside:
        found = classes.setdefault(_class_of(code_point), [])
        if len(found) < 8:
            found.append(code_point)
    return tuple(sorted(code_point for found in classes.values() for code_point in islice(found, 8)))
