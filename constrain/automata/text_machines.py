"""Languages that no expression writes down: what a deterministic reader of characters accepts.

`Languages.machine` makes such a reader a leaf of the algebra, like a list of words: its
derivatives are the states of the reader, and all operations apply. A state is any hashable value
and exists only if some text that the reader accepts follows, so emptiness is known at once; a
reader may have infinitely many states (nested parentheses), as only those that are met are made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable
from typing import Any

__all__ = ["LEAD_CUTS", "TextMachine", "TextState", "cuts_around"]

#: A state of the reader, and the bytes of a character that was begun.
TextState = tuple[Any, bytes]

_FIRST = {1: 0x80, 2: 0x800, 3: 0x10000}
_ALL_CUTS = _ALL_BYTES = (1 << 256) - 1
#: The continuation bytes one by one.
_CONTINUATION_CUTS = (2 << 0xC0) - (1 << 0x80)
#: Behind these not every continuation byte may come.
_NARROW_LEADS = b"\xe0\xed\xf0\xf4"
#: Where the continuation bytes that some lead has begin and end.
_ALIKE_CONTINUATION_CUTS = sum(1 << byte for byte in (0x80, 0x90, 0xA0, 0xC0))
#: Where the bytes begin and end that lead to characters of which the same bytes are missing.
LEAD_CUTS = sum(1 << byte for byte in (0x80, 0xC2, 0xE0, 0xE1, 0xED, 0xEE, 0xF0, 0xF1, 0xF4, 0xF5))


class TextMachine(ABC):
    """A deterministic reader of characters.

    Subclasses say what a character does. The methods on `TextState` read the same texts byte by
    byte; they are what `Languages` asks.
    """

    #: Whether some state has an outline.
    has_outlines = False

    @abstractmethod
    def initial(self) -> Hashable:
        """Return the state before the text; some text is accepted from it."""

    @abstractmethod
    def read(self, state: Any, code_point: int) -> Hashable | None:
        """Return the state after a character; `None` if no accepted text goes on so."""

    @abstractmethod
    def among(self, state: Any, low: int, high: int) -> Iterable[int]:
        """Return characters between `low` and `high`, of which some can be read if any in between can.

        Those that lead to the shortest accepted text, and to each possible length, are among them.
        """

    @abstractmethod
    def accepts_at(self, state: Any) -> bool:
        """Return whether the text may end."""

    @abstractmethod
    def rest(self, state: Any) -> str:
        """Return a continuation that is accepted, as short as is cheap to find."""

    @abstractmethod
    def reaches(self, state: Any, low: int, high: int | None) -> bool:
        """Return whether an accepted continuation has `low` to `high` characters; exact."""

    @property
    def longest(self) -> int | None:
        """A bound of the length of the texts, in characters; `None` if there is none."""
        return None

    def outline(self, state: Any) -> tuple[Hashable, int] | None:
        """Return what can be read from a state while its limits are far, and the bytes to the nearest one.

        States of one outline read the same texts of fewer bytes. `None` where it is not that simple.
        """
        return None

    def is_alike_beyond_ascii(self, state: Any) -> bool:
        """Return whether all characters beyond ASCII surely lead to one state."""
        return False

    def alphabet(self, state: TextState) -> int:
        """Return bytes, as bits, among which are all those that can still be read."""
        return _ALL_BYTES

    # Byte by byte

    def start(self) -> TextState:
        """Return the state before the text."""
        return (self.initial(), b"")

    def step(self, state: TextState, byte: int) -> TextState | None:
        """Return the state after `byte`; `None` if no accepted text goes on so."""
        inner, begun = state
        begun += bytes([byte])
        bounds = _code_points(begun)
        if bounds is None:
            return None
        low, high, missing = bounds
        if missing:
            if self.is_alike_beyond_ascii(inner):
                begun = _representative(begun, missing)
            return None if self._first(inner, low, high) is None else (inner, begun)
        target = self.read(inner, low)
        return None if target is None else (target, b"")

    def accepts(self, state: TextState) -> bool:
        """Return whether the text may end here."""
        return not state[1] and self.accepts_at(state[0])

    def cuts(self, state: TextState) -> int:
        """Return the bytes that may behave differently from the byte before them, as bits."""
        inner, begun = state
        if not begun:
            return self.cuts_at(inner)
        return _ALIKE_CONTINUATION_CUTS if self.is_alike_beyond_ascii(inner) else _CONTINUATION_CUTS

    def cuts_at(self, state: Any) -> int:
        """Return the same between two characters."""
        return _ALL_CUTS

    def phase(self, state: TextState) -> bytes:
        """Return the bytes of the character that was begun."""
        return state[1]

    def completion(self, state: TextState) -> bytes:
        """Return an accepted continuation."""
        inner, begun = state
        head = b""
        if begun:
            low, high, _ = _code_points(begun)  # type: ignore[misc]
            best = min(self._targets(inner, low, high), key=lambda found: len(self.rest(found[1])))
            head, inner = chr(best[0]).encode()[len(begun) :], best[1]
        return head + self.rest(inner).encode()

    def has_length(self, state: TextState, low: int, high: int | None) -> bool:
        """Return whether an accepted continuation begins `low` to `high` further characters; exact."""
        if high is not None and high < low:
            return False
        inner, begun = state
        if not begun:
            return self.reaches(inner, low, high)
        first, last, _ = _code_points(begun)  # type: ignore[misc]
        return any(self.reaches(target, low, high) for _, target in self._targets(inner, first, last))

    def _first(self, inner: Any, low: int, high: int) -> Hashable | None:
        return next((target for _, target in self._targets(inner, low, high)), None)

    def _targets(self, inner: Any, low: int, high: int) -> Iterable[tuple[int, Hashable]]:
        for code_point in self.among(inner, low, high):
            target = self.read(inner, code_point)
            if target is not None:
                yield code_point, target


def cuts_around(characters: Iterable[str]) -> int:
    """Return cuts that tell each of some characters of ASCII from its neighbours."""
    found = 0
    for character in characters:
        found |= 3 << ord(character)
    return found


def _representative(begun: bytes, missing: int) -> bytes:
    """Return one for all beginnings of characters that the same bytes complete."""
    if len(begun) == 1 and begun[0] in _NARROW_LEADS:
        return begun
    return (b"\xc2", b"\xe1", b"\xf1")[missing - 1]


def _code_points(begun: bytes) -> tuple[int, int, int] | None:
    """Return the code points whose UTF-8 begins so, and how many bytes are missing."""
    lead = begun[0]
    if lead < 0x80:
        return (lead, lead, 0)
    size = 1 if 0xC2 <= lead < 0xE0 else 2 if 0xE0 <= lead < 0xF0 else 3 if 0xF0 <= lead < 0xF5 else 0
    if not size:
        return None
    value = lead & (0x3F >> size)
    for byte in begun[1:]:
        if not 0x80 <= byte < 0xC0:
            return None
        value = value << 6 | byte & 0x3F
    missing = size + 1 - len(begun)
    low = max(value << (6 * missing), _FIRST[size])
    high = min((value << (6 * missing)) + (1 << (6 * missing)) - 1, 0x10FFFF)
    if 0xD800 <= low <= 0xDFFF:
        low = 0xE000
    if 0xD800 <= high <= 0xDFFF:
        high = 0xD7FF
    return (low, high, missing) if low <= high else None
