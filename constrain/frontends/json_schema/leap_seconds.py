"""The times of a leap second: RFC 3339 5.7 has second 60 at 23:59 UTC only.

What the local time is decides which offset may follow, so each minute of the day is a state of its own. A
reader that remembers the minute has them one by one as they are met; as an expression, the table of
all minutes and offsets costs milliseconds to write down and to derive.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from constrain.automata.text_machines import TextMachine, TextState, cuts_around

__all__ = ["LeapSecond"]

_MINUTES: Final = 24 * 60
#: 23:59, the minute of a leap second in UTC.
_LAST: Final = _MINUTES - 1
_CHARACTERS: Final = "+-.0123456789:Zz"
_ALPHABET: Final = sum(1 << ord(character) for character in _CHARACTERS)
#: What may stand where in `hh:mm:60`, but for the second digit of an hour after 2.
_CLOCK: Final = ("012", "0123456789", ":", "012345", "0123456789", ":", "6", "0")
_DIGITS: Final = "0123456789"

#: Places in a text: the clock, behind it, behind a point, behind digits of a fraction, in an offset.
_IN_CLOCK: Final = 0
_SECOND: Final = 1
_POINT: Final = 2
_FRACTION: Final = 3
_OFFSET: Final = 4


class _State(NamedTuple):
    """What was read of a time.

    Attributes:
        place: one of the places of this module.
        text: of the clock, what was read; of an offset, what is missing.
        minute: of the day, behind the clock.
    """

    place: int
    text: str
    minute: int


class LeapSecond(TextMachine):
    """The reader of `hh:mm:60` with a fraction perhaps, and the offset that makes it 23:59:60 UTC."""

    def initial(self) -> _State:
        """Return the state before the time."""
        return _State(_IN_CLOCK, "", 0)

    def read(self, state: _State, code_point: int) -> _State | None:
        """Return the state after a character; `None` if no such time goes on so."""
        place, text, minute = state
        character = chr(code_point)
        if place == _OFFSET:
            return _State(_OFFSET, text[1:], 0) if text[:1] == character else None
        if place == _IN_CLOCK:
            if character not in _CLOCK[len(text)] or (text == "2" and character not in "0123"):
                return None
            text += character
            if len(text) < len(_CLOCK):
                return _State(_IN_CLOCK, text, 0)
            return _State(_SECOND, "", int(text[:2]) * 60 + int(text[3:5]))
        if character in _DIGITS and place != _SECOND:
            return _State(_FRACTION, "", minute)
        if place == _POINT:
            return None
        if character == "." and place == _SECOND:
            return _State(_POINT, "", minute)
        if character in "Zz":
            return _State(_OFFSET, "", 0) if minute == _LAST else None
        if character in "+-":
            # Local time is that of UTC and the offset.
            offset = (minute - _LAST) % _MINUTES if character == "+" else _LAST - minute
            return _State(_OFFSET, f"{offset // 60:02}:{offset % 60:02}", 0)
        return None

    def among(self, state: _State, low: int, high: int) -> Iterable[int]:
        """Return the characters of times between `low` and `high`."""
        return [ord(character) for character in _CHARACTERS if low <= ord(character) <= high]

    def alphabet(self, state: TextState) -> int:
        """Return bytes, as bits, among which are all those that can still be read."""
        return _ALPHABET

    def accepts_at(self, state: _State) -> bool:
        """Return whether the time may end."""
        return state.place == _OFFSET and not state.text

    def rest(self, state: _State) -> str:
        """Return a shortest continuation that is accepted."""
        place, text, minute = state
        if place == _OFFSET:
            return text
        if place == _IN_CLOCK:
            if "23:59:60".startswith(text):
                return "23:59:60Z"[len(text) :]
            clock = text + "00:00:60"[len(text) :]
            return clock[len(text) :] + self.rest(_State(_SECOND, "", int(clock[:2]) * 60 + int(clock[3:5])))
        offset = _LAST - minute
        return ("0" if place == _POINT else "") + (
            "Z" if not offset else f"-{offset // 60:02}:{offset % 60:02}"
        )

    def reaches(self, state: _State, low: int, high: int | None) -> bool:
        """Return whether an accepted continuation has `low` to `high` characters; exact."""
        place, text, minute = state
        last = math.inf if high is None else high
        if place == _OFFSET:
            return low <= len(text) <= last
        before = len(_CLOCK) - len(text) if place == _IN_CLOCK else 0
        is_last = "23:59:60".startswith(text) if place == _IN_CLOCK else minute == _LAST
        for offset in (1, 6) if is_last else (6,):
            least = before + offset
            if place == _POINT:
                least += 1
            if place in (_POINT, _FRACTION):
                # Any number of digits more.
                found = max(least, low) <= last
            else:
                # No fraction, or a point and at least one digit.
                found = low <= least <= last or max(least + 2, low) <= last
            if found:
                return True
        return False

    def cuts_at(self, state: _State) -> int:
        """Return the bytes that may behave differently from the byte before them, as bits."""
        if state.place == _OFFSET:
            return cuts_around(state.text[:1])
        if state.place == _IN_CLOCK:
            return cuts_around(_CLOCK[len(state.text)])
        if state.place == _SECOND:
            return cuts_around("+-.Zz")
        # The digits lead to one state.
        digits = 1 << ord("0") | 2 << ord("9")
        return digits | cuts_around("+-Zz") if state.place == _FRACTION else digits
