"""JSON texts read exactly, with the place of every value.
 `read_json` is what a command line needs and `json.loads` does not give: numbers are exact (`int`, or
`decimal.Decimal` when there is a fraction or an exponent), a duplicate key and `NaN` are errors (RFC 8259,
sections 4 and 6), every error, value and key has a line and a column, and nothing recurses, so an array
nested 100,000 deep is read like any other.

    >>> document = read_json('{"a": [1,\\n 2.50]}')
    >>> document.value
    {'a': [1, Decimal('2.50')]}
    >>> document.position("#/a/1")
    Position(line=2, column=2)
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote

from constrain.errors import SchemaError

__all__ = [
    "JsonDocument",
    "JsonTextError",
    "JsonValue",
    "Position",
    "Span",
    "join_pointer",
    "read_json",
    "split_pointer",
]

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | Decimal | bool | None"

_BLANK = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_SURROGATE = re.compile("[\ud800-\udfff]")

# `int()` refuses longer texts (CVE-2020-10735); a Decimal of so many digits is exact too.
_MAX_INT_DIGITS = 4000


class Position(NamedTuple):
    """A place in a text: both count from 1, columns in code points."""

    line: int
    column: int


class JsonTextError(SchemaError):
    """The text is not JSON; `line` and `column` say where, from 1."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason, location=f"line {line}, column {column}")
        self.line = line
        self.column = column


class Span(NamedTuple):
    """A stretch of a text; `end` is the position behind its last character."""

    start: Position
    end: Position


@dataclass(slots=True)
class _Place:
    """Where a value starts and ends, where its key does, and the places of its members or items."""

    offset: int
    end: int = 0
    key: tuple[int, int] | None = None
    members: dict[str, _Place] | None = None
    items: list[_Place] | None = None


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """A JSON text, its value, and the position of each value in it."""

    text: str
    value: JsonValue
    _root: _Place = field(repr=False, compare=False)
    _line_starts: list[int] = field(repr=False, compare=False)

    def position(self, where: str | Iterable[str | int]) -> Position | None:
        """The position of the value at a JSON Pointer or path; None if there is no such value."""
        place = self._place(where)
        return None if place is None else self.position_of_offset(place.offset)

    def span(self, where: str | Iterable[str | int]) -> Span | None:
        """The span of the value at a JSON Pointer or path; None if there is no such value."""
        place = self._place(where)
        return None if place is None else self._span(place.offset, place.end)

    def key_span(self, where: str | Iterable[str | int]) -> Span | None:
        """The span of the key of that value, quotation marks included; None for what has no key."""
        place = self._place(where)
        return None if place is None or place.key is None else self._span(*place.key)

    def _span(self, start: int, end: int) -> Span:
        return Span(self.position_of_offset(start), self.position_of_offset(end))

    def _place(self, where: str | Iterable[str | int]) -> _Place | None:
        try:
            path = split_pointer(where) if isinstance(where, str) else list(where)
        except ValueError:
            return None
        place = self._root
        for step in path:
            child: _Place | None = None
            if place.members is not None:
                child = place.members.get(str(step))
            elif place.items is not None and re.fullmatch(r"0|[1-9][0-9]{0,17}", str(step)):
                index = int(step)
                child = place.items[index] if index < len(place.items) else None
            if child is None:
                return None
            place = child
        return place

    def position_of_offset(self, offset: int) -> Position:
        """The position of the code point at `offset` of the text."""
        return _position(self._line_starts, offset)


def split_pointer(pointer: str) -> list[str]:
    """The reference tokens of a JSON Pointer (RFC 6901), plain or as a URI fragment.

    Raises:
        ValueError: the text is not a JSON Pointer.
    """
    if pointer.startswith("#"):
        pointer = unquote(pointer[1:], errors="strict")
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise ValueError(f"{pointer!r} is not a JSON Pointer")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]


def join_pointer(path: Iterable[str | int]) -> str:
    """The JSON Pointer of a path, behind a `#`, in the form that error locations have."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def read_json(text: str) -> JsonDocument:
    """Read a JSON text (RFC 8259).

    Returns: the value with the positions of all its parts; time and memory are linear in the text.

    Raises:
        JsonTextError: the text is not JSON, has a duplicate key, an unpaired surrogate, or a number beyond
            what exact decimals hold.
    """
    return _Reader(text).read()


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]


def _position(line_starts: Sequence[int], offset: int) -> Position:
    line = bisect_right(line_starts, offset)
    return Position(line, offset - line_starts[line - 1] + 1)


class _Reader:
    """One pass over a text with an explicit stack of open containers."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def read(self) -> JsonDocument:
        self.skip_blanks()
        value, root = self.read_value()
        stack: list[tuple[dict[str, JsonValue] | list[JsonValue], _Place]] = []
        if isinstance(value, dict | list):
            stack.append((value, root))
        fresh = True  # nothing was read yet in the innermost container
        while stack:
            container, place = stack[-1]
            self.skip_blanks()
            closing = "}" if isinstance(container, dict) else "]"
            if self.peek() == closing:
                self.at += 1
                place.end = self.at
                stack.pop()
                fresh = False
                continue
            if not fresh:
                if self.peek() != ",":
                    raise self.error(f"expected `,` or `{closing}`")
                self.at += 1
                self.skip_blanks()
                if self.peek() == closing:
                    raise self.error(f"a comma before `{closing}`")
            child, child_place = self.read_member(container, place)
            fresh = isinstance(child, dict | list)
            if isinstance(child, dict | list):
                stack.append((child, child_place))
        self.skip_blanks()
        if self.at < len(self.text):
            raise self.error("text after the end of the JSON value")
        return JsonDocument(self.text, value, root, _line_starts(self.text))

    def read_member(
        self, container: dict[str, JsonValue] | list[JsonValue], place: _Place
    ) -> tuple[JsonValue, _Place]:
        if isinstance(container, list):
            child, child_place = self.read_value()
            container.append(child)
            assert place.items is not None
            place.items.append(child_place)
            return child, child_place
        start = self.at
        if self.peek() != '"':
            raise self.error("expected a property name in double quotes")
        key = self.read_string()
        end = self.at
        if key in container:
            raise self.error(f"the key {key!r} appears twice in one object", start)
        self.skip_blanks()
        if self.peek() != ":":
            raise self.error("expected `:` after a property name")
        self.at += 1
        self.skip_blanks()
        child, child_place = self.read_value()
        container[key] = child
        child_place.key = (start, end)
        assert place.members is not None
        place.members[key] = child_place
        return child, child_place

    def read_value(self) -> tuple[JsonValue, _Place]:
        """Read a scalar, or the opening bracket of a container."""
        start = self.at
        head = self.peek()
        if head == "{":
            self.at += 1
            return {}, _Place(start, members={})
        if head == "[":
            self.at += 1
            return [], _Place(start, items=[])
        if head == '"':
            string = self.read_string()
            return string, _Place(start, self.at)
        if head == "-" or "0" <= head <= "9":
            number = self.read_number()
            return number, _Place(start, self.at)
        for word, value in _WORDS.items():
            if self.text.startswith(word, start):
                self.at += len(word)
                return value, _Place(start, self.at)
        for word in ("NaN", "Infinity"):
            if self.text.startswith(word, start):
                raise self.error(f"{word} is not a JSON number")
        if head == "\ufeff":
            raise self.error("a byte order mark, which no JSON text has (RFC 8259, 8.1)")
        raise self.error("expected a JSON value" if head else "the text ends before its value does")

    def read_string(self) -> str:
        start = self.at
        try:
            string, self.at = scanstring(self.text, start + 1, True)
        except JSONDecodeError as error:
            raise self.error(error.msg[:1].lower() + error.msg[1:].removesuffix(" at"), error.pos) from None
        if _SURROGATE.search(string):
            raise self.error("an unpaired surrogate in a string", start)
        return str(string)

    def read_number(self) -> int | Decimal:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise self.error("a minus sign without a number behind it")
        digits = match.group()
        following = self.text[match.end() : match.end() + 1]
        if following and (following in ".+-" or following.isalnum()):
            raise self.error("a malformed number")
        start, self.at = self.at, match.end()
        if match.lastindex is None and len(digits) <= _MAX_INT_DIGITS:
            return int(digits)
        try:
            return Decimal(digits)
        except InvalidOperation:
            raise self.error("a number whose exponent is too large to be held exactly", start) from None

    def skip_blanks(self) -> None:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def error(self, reason: str, offset: int | None = None) -> JsonTextError:
        position = _position(_line_starts(self.text), self.at if offset is None else offset)
        return JsonTextError(reason, position.line, position.column)
