"""The formats `hostname` and `idn-hostname`: names of labels that are valid by IDNA 2008.

A name is read label by label. Whether a label `xn--...` is valid is a matter of decoding it
(RFC 3492), and how long a label of other letters may be is one of encoding it, so the state is
what was read of the label; plain labels are told apart by their lengths and ends only.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from constrain.automata.text_machines import TextMachine, cuts_around
from constrain.frontends.json_schema.idna_labels import (
    MOST_OCTETS,
    Label,
    a_label_end,
    a_label_rest,
    is_nearly_full,
    label_of,
    likes,
    members_between,
    u_label_rest,
)

__all__ = ["DomainName"]

#: RFC 1035 2.3.4, in the form with dots and without the root.
_MOST = 253
#: RFC 3490 3.1.
_SEPARATORS = "\u3002\uff0e\uff61"
#: With so many octets to spare every label `xn--...` can be finished.
_ENOUGH = 13
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#: The bytes at which hyphen, dot, digits, capitals and letters begin and end; each of them; all others.
_PLAIN_CUTS = sum(1 << byte for byte in b"-./0:A[a{")
_ASCII_CUTS = sum(1 << byte for byte in (*b"-./:[{", *_LETTERS.encode()))
_OTHER_CUTS = (1 << 256) - (1 << 0x80)
#: What A-labels begin with.
_PREFIX = "xn--"
_ASCII = frozenset(_LETTERS + "-")


class _State(NamedTuple):
    """What was read.

    Attributes:
        used: octets of the labels before this one, each with its dot.
        right: one of them is written from right to left.
        loose: one of them does not satisfy the Bidi rule.
        label: this label; `plain` ones by a representative.
        plain: the label has only letters, digits and hyphens and stays so.
    """

    used: int
    right: bool
    loose: bool
    label: str
    plain: bool

    def room(self) -> int:
        """Return how many octets the label may have."""
        return min(MOST_OCTETS, _MOST - self.used)


class DomainName(TextMachine):
    """The reader of domain names; those of ASCII alone, or internationalized ones."""

    def __init__(self, international: bool) -> None:
        self.international = international
        # An octet may be more than a byte of a token where labels are encoded.
        self.has_outlines = not international
        self._ends: dict[_State, str] = {}

    def initial(self) -> _State:
        """Return the state before the name."""
        return _State(0, False, False, "", False)

    def read(self, state: _State, code_point: int) -> _State | None:
        """Return the state after a character; `None` if no name goes on so."""
        character = chr(code_point)
        if character == "." or (self.international and character in _SEPARATORS):
            return self._next_label(state)
        if code_point < 0x80:
            if character not in _ASCII:
                return None
        elif not self.international or state.plain:
            return None
        label = state.label + character
        if label[:4].lower() == "xn--":
            label = label.lower()
        # A capital letter stands in labels of ASCII only.
        plain = (
            label.isascii()
            and not "xn--".startswith(label[:4].lower())
            and (not self.international or state.plain or label != label.lower())
        )
        if plain:
            label = _representative(label)
        elif self.international and label[:4] != "xn--":
            label = _indistinct(label)
        after = _State(state.used, state.right, state.loose, label, plain)
        return after if self._is_live(after) else None

    @property
    def longest(self) -> int:
        """The characters of a name at most: each takes an octet at least."""
        return _MOST

    def outline(self, state: _State) -> tuple[Hashable, int] | None:
        """Return what a state is but for the numbers of octets, and how many are left."""
        if self.international:
            return None
        label = state.label
        if state.plain and len(label) > 5:
            # What stands in places 3 and 4 is decided.
            label = label[0] + "AAA" + label[-1]
        left = min(state.room() - len(state.label), _MOST - state.used - len(state.label) - 2) - _ENOUGH
        return (state.right, state.loose, label, state.plain), max(left, 0)

    def _next_label(self, state: _State) -> _State | None:
        label = self._label(state)
        if label is None or state.used + label.octets + 2 > _MOST:
            return None
        right, loose = state.right or label.right, state.loose or not label.bidi
        return _State(state.used + label.octets + 1, right, loose, "", False)

    def _label(self, state: _State) -> Label | None:
        """Return the label that was read if the name may have it."""
        label = label_of(state.label) if state.label else None
        if label is None or label.octets > state.room():
            return None
        if (state.right or label.right) and (state.loose or not label.bidi):
            return None
        return label

    def _is_live(self, state: _State) -> bool:
        if state.label[:4] == "xn--" and state.room() - len(state.label) >= _ENOUGH:
            return True
        return self._end(state) is not None

    def _end(self, state: _State, more: int = 0) -> str | None:
        """Return an end of the label of at least `more` characters; a shortest but for `xn--`."""
        text, room = state.label, state.room()
        if text[:4] == "xn--":
            return a_label_rest(text, room, state.right, state.loose)
        if text.isascii():
            if text[2:4] == "--" or text[:1] == "-" or (state.right and text[:1].isdigit()):
                return None
            need = max(more, 1 if text[-1:] in ("", "-") else 0)
            return "a" * need if len(text) + need <= room else None
        return u_label_rest(text, room, state.right, state.loose, more)

    def cuts_at(self, state: _State) -> int:
        """Return the bytes that may behave differently from the byte before them, as bits."""
        begun = len(state.label)
        cuts: int = _ASCII_CUTS
        if state.plain:
            cuts = _PLAIN_CUTS
        elif not self.international and begun < 4:
            # All that matters of a letter is whether it goes on towards an A-label.
            cuts = _PLAIN_CUTS | cuts_around(_PREFIX[begun] + _PREFIX[begun].upper())
        return (cuts | _OTHER_CUTS) if self.international else cuts

    # The end

    def accepts_at(self, state: _State) -> bool:
        """Return whether what was read is a name."""
        return self._label(state) is not None

    def rest(self, state: _State) -> str:
        """Return an end of the name."""
        end = self._ends.get(state)
        if end is None:
            end = self._ends[state] = self._end(state) or ""
        return end

    def reaches(self, state: _State, low: int, high: int | None) -> bool:
        """Return whether the name can end with `low` to `high` more characters.

        Behind a label that is finished, two or more characters can be a dot and further labels.
        """
        a_label = state.label[:4] == "xn--"
        if a_label and state.room() - len(state.label) >= _ENOUGH:
            most = _MOST - state.used - len(state.label)
            if max(low, _ENOUGH + 2) <= (most if high is None else min(high, most)):
                return True
        end = self.rest(state)
        label = label_of(state.label + end)
        assert label is not None
        most = len(end) + _MOST - state.used - label.octets
        high = most if high is None else min(high, most)
        if low > high:
            return False
        if low <= len(end) <= high or high >= len(end) + 2:
            return True
        if not a_label:
            one_more = self._end(state, len(end) + 1)
            return one_more is not None and low <= len(one_more) <= high
        # The end was not a shortest one: shorter ones, and the one that is a character longer.
        for size in range(high + 1):
            found = a_label_end(state.label, size, state.room(), state.right, state.loose)
            if found is not None and (size >= low or high >= max(low, size + 2)):
                return True
        return False

    def among(self, state: _State, low: int, high: int) -> Iterable[int]:
        """Return characters between `low` and `high` that stand for all of them."""
        if not self.international or state.plain or state.label[:4] == "xn--":
            return [ord(one) for one in _SEPARATORS if self.international and low <= ord(one) <= high]
        separators = [ord(one) for one in _SEPARATORS if low <= ord(one) <= high]
        # Where little room is left, it is those like the characters there are that fit.
        own = likes(state.label) if is_nearly_full(state.label, state.room()) else ()
        return [*separators, *members_between(low, high), *(one for one in own if low <= one <= high)]


def _indistinct(label: str) -> str:
    """Return a label that can be finished like this one, with fewer different letters.

    The length of the A-label depends on where the letters of ASCII are, not on which they are.
    Which they are matters beside other characters, at the end, and to a begin like `xn--`; that
    there is a letter decides how the label is written.
    """
    if len(label) <= 4 or not any(one.isascii() and one.isalpha() for one in label):
        return label
    first = label[0]
    if label[:2].isascii():
        first = "0" if first.isdigit() else "a"
    result = [first]
    for before, here, after in zip(label, label[1:], label[2:], strict=False):
        result.append("a" if (before + here + after).isascii() else here)
    return "".join(result) + label[-1]


def _representative(label: str) -> str:
    """Return a plain label of the same length, kind of begin, and kind of end."""
    first = "0" if label[0].isdigit() else "-" if label[0] == "-" else "A"
    if len(label) == 1:
        return first
    last = "-" if label[-1] == "-" else "A"
    # Hyphens in places 3 and 4 make it a reserved label.
    middle = "A" * (len(label) - 2)
    if label[2:4] == "--":
        return label
    return first + middle + last
