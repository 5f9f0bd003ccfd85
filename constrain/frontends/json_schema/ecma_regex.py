"""The syntax of regular expressions: ECMA-262 text to a tree of frozen nodes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from constrain.errors import ConstrainError, LimitExceeded, SchemaError, UnsupportedError
from constrain.frontends.json_schema import code_points
from constrain.frontends.json_schema.code_points import Ranges

if TYPE_CHECKING:
    from lark import Lark, Token

__all__ = [
    "Alternatives",
    "Boundary",
    "Characters",
    "End",
    "Literal",
    "Look",
    "Node",
    "Repeat",
    "Sequence",
    "Start",
    "parse",
]

#: Budgets: characters of a pattern, and depth of its tree.
MAX_LENGTH = 65_536
MAX_DEPTH = 120
#: The trees of patterns of at most this length are kept for the next constraint.
MAX_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a pattern.

    Attributes:
        depth: how deep the tree below is.
        plain: there is no assertion below, so the part has a language of its own.
        nullable: the part can match without consuming a character.
    """

    depth: int
    plain: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """This text."""

    text: str


@dataclass(frozen=True, slots=True)
class Characters(Node):
    """One character of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence(Node):
    """The items one after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternatives(Node):
    """One of the items; none is the part that never matches."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat(Node):
    """`low` to `high` times the item; whether greedy does not matter for a search."""

    item: Node
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Start(Node):
    """`^`."""


@dataclass(frozen=True, slots=True)
class End(Node):
    """`$`."""


@dataclass(frozen=True, slots=True)
class Boundary(Node):
    """`\\b`, or `\\B` if negative."""

    negative: bool


@dataclass(frozen=True, slots=True)
class Look(Node):
    """A lookahead or lookbehind."""

    item: Node
    ahead: bool
    negative: bool


def literal(text: str) -> Node:
    return Literal(1, True, not text, text)


def characters(ranges: Ranges) -> Node:
    return Characters(1, True, False, ranges)


def sequence(items: tuple[Node, ...]) -> Node:
    """Return the items one after the other, neighbouring literals joined."""
    flat: list[Node] = []
    for item in items:
        if isinstance(item, Literal) and flat and isinstance(flat[-1], Literal):
            flat[-1] = literal(flat[-1].text + item.text)
        else:
            flat.append(item)
    if len(flat) == 1:
        return flat[0]
    if not flat:
        return literal("")
    return Sequence(
        1 + max(item.depth for item in flat),
        all(item.plain for item in flat),
        all(item.nullable for item in flat),
        tuple(flat),
    )


def alternatives(items: tuple[Node, ...]) -> Node:
    """Return one of the items."""
    if len(items) == 1:
        return items[0]
    return Alternatives(
        1 + max((item.depth for item in items), default=0),
        all(item.plain for item in items),
        any(item.nullable for item in items),
        items,
    )


def repeat(item: Node, low: int, high: int | None) -> Node:
    """Return `low` to `high` times the item."""
    return Repeat(item.depth + 1, item.plain, low == 0 or item.nullable, item, low, high)


START = Start(1, False, True)
END = End(1, False, True)
_SETS = {"d": code_points.DIGIT, "s": code_points.SPACE, "w": code_points.WORD}
_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00}


class _Builder:
    """The callbacks of the parser; each makes a node of its parts."""

    def start(self, parts: list[Node]) -> Node:
        return parts[0]

    def alternatives(self, parts: list[Node]) -> Node:
        return alternatives(tuple(parts))

    def sequence(self, parts: list[Node | Token]) -> Node:
        return sequence(tuple(_node(part) for part in parts))

    def group(self, parts: list[Any]) -> Node:
        opening, item = parts
        if opening.type == "MODIFIERS":
            raise UnsupportedError(
                f"the modifiers {opening} are not supported", remedy="write out both cases of each letter"
            )
        node: Node = item
        return node

    def look(self, parts: list[Any]) -> Node:
        opening, item = parts
        return Look(item.depth + 1, False, True, item, "AHEAD" in opening.type, "NOT" in opening.type)

    def quantified(self, parts: list[Any]) -> Node:
        item = _node(parts[0])
        text = parts[1].rstrip("?") if len(parts[1]) > 1 else str(parts[1])
        if text == "*":
            return repeat(item, 0, None)
        if text == "+":
            return repeat(item, 1, None)
        if text == "?":
            return repeat(item, 0, 1)
        low, comma, high = text[1:-1].partition(",")
        if len(low) > 15 or len(high) > 15:
            raise LimitExceeded("a number of repetitions is too large", limit=10**15)
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if most is not None and most < least:
            raise _MalformedError(
                f"the numbers of the quantifier {text} are out of order", parts[1].start_pos
            )
        return repeat(item, least, most)

    def characters(self, parts: list[Token]) -> Node:
        """A class; a dash between two single characters is a range (annex B.1.2.7: else it is itself)."""
        opening, *atoms = parts
        ranges: list[tuple[int, int]] = []
        position = 0
        while position < len(atoms):
            low = _ranges(atoms[position])
            ranges.extend(low)
            if position + 2 < len(atoms) and atoms[position + 1] == "-":
                high = _ranges(atoms[position + 2])
                if _is_single(atoms[position]) and _is_single(atoms[position + 2]):
                    if low[0][0] > high[0][0]:
                        raise _MalformedError(
                            "a range of characters is out of order", atoms[position].start_pos
                        )
                    ranges.append((low[0][0], high[0][0]))
                else:
                    ranges.extend((*high, (0x2D, 0x2D)))
                position += 3
            else:
                position += 1
        found = code_points.normal(ranges)
        return characters(code_points.complement(found) if opening == "[^" else found)


class _MalformedError(Exception):
    """A mistake at a position of the pattern."""

    def __init__(self, reason: str, position: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


def _is_single(token: Token) -> bool:
    return token.type in ("CLASS_CHAR", "ESCAPE", "BACKSPACE")


def _ranges(token: Token) -> Ranges:
    """Return the characters that a token inside or outside a class stands for."""
    text = str(token)
    if token.type == "SET_ESCAPE":
        found = _SETS[text[1].lower()]
        return code_points.complement(found) if text[1].isupper() else found
    if token.type == "PROPERTY":
        try:
            known = code_points.property_ranges(text[3:-1])
        except LookupError:
            raise UnsupportedError(
                f"the installed `regex` does not know the Unicode property {text}",
                remedy="pip install --upgrade regex",
            ) from None
        if known is None:
            raise _MalformedError(f"ECMA-262 has no Unicode property {text}", token.start_pos)
        return code_points.complement(known) if text[1] == "P" else known
    code_point = 0x08 if token.type == "BACKSPACE" else _code_point(text, token.start_pos)
    return ((code_point, code_point),)


def _code_point(text: str, position: int | None) -> int:
    if len(text) == 1:
        return ord(text)
    kind = text[1]
    if kind in _CONTROLS:
        return _CONTROLS[kind]
    if kind == "c":
        return ord(text[2]) % 32
    if kind == "x":
        return int(text[2:], 16)
    if kind == "u":
        if text[2] == "{":
            code_point = int(text[3:-1], 16)
            if code_point > code_points.LAST:
                raise _MalformedError(f"{text} is beyond the last code point", position)
            return code_point
        first = int(text[2:6], 16)
        if len(text) == 6:
            return first
        return 0x10000 + ((first - 0xD800) << 10) + int(text[8:], 16) - 0xDC00
    return ord(kind)


def _node(part: Node | Token) -> Node:
    """Return the node of a token that stands for itself."""
    if isinstance(part, Node):
        return part
    kind = part.type
    if kind in ("CHARS", "CHAR", "BRACE"):
        if any(0xD800 <= ord(character) < 0xE000 for character in part):
            return sequence(tuple(characters(((ord(c), ord(c)),)) for c in part))
        return literal(str(part))
    if kind == "ESCAPE":
        code_point = _code_point(str(part), part.start_pos)
        if 0xD800 <= code_point < 0xE000:
            return characters(((code_point, code_point),))
        return literal(chr(code_point))
    if kind == "DOT":
        return characters(code_points.DOT)
    if kind == "START":
        return START
    if kind == "END":
        return END
    if kind == "BOUNDARY":
        return Boundary(1, False, True, part == "\\B")
    if kind == "BACK_REFERENCE":
        raise UnsupportedError(
            f"the back-reference {part} has no regular language", remedy="write the alternatives out"
        )
    return characters(_ranges(part))


@functools.cache
def _parser() -> Lark:
    from lark import Lark

    builder = _Builder()
    return Lark.open(
        "ecma_regex.lark",
        rel_to=__file__,
        parser="lalr",
        lexer="contextual",
        # Lark looks the rules up by name; `Transformer` would wrap what the callbacks raise.
        transformer=builder,
        maybe_placeholders=False,
    )


@functools.lru_cache(maxsize=4096)
def _tree(pattern: str) -> Any:
    return _parser().parse(pattern)


def parse(pattern: str, *, location: str) -> Node:
    """Return the tree of an ECMA-262 regular expression.

    Raises:
        SchemaError: it is malformed.
        UnsupportedError: it has a back-reference, a modifier, or a property that is not known.
        LimitExceeded: it is too long or too deep.
    """
    from lark.exceptions import LarkError, UnexpectedInput, UnexpectedToken, VisitError

    def refuse(reason: str, position: int | None) -> SchemaError:
        where = "at its end" if position is None or position >= len(pattern) else f"at character {position}"
        text = f"malformed regular expression, {where}: {reason}"
        return SchemaError(text, location=location, keyword="pattern")

    if len(pattern) > MAX_LENGTH:
        raise LimitExceeded(
            "the regular expression is too long", location=location, keyword="pattern", limit=MAX_LENGTH
        )
    try:
        node: Any = _tree(pattern) if len(pattern) <= MAX_KEPT else _parser().parse(pattern)
    except (_MalformedError, LarkError, ConstrainError) as error:
        cause: BaseException | None = error
        if isinstance(error, VisitError):
            cause = error.orig_exc
        if isinstance(cause, ConstrainError):
            cause.location, cause.keyword = location, "pattern"
            raise cause from None
        if isinstance(cause, _MalformedError):
            raise refuse(cause.reason, cause.position) from None
        at_end = isinstance(cause, UnexpectedToken) and cause.token.type == "$END"
        position = cause.pos_in_stream if isinstance(cause, UnexpectedInput) and not at_end else None
        raise refuse(_reason(pattern, position), position) from None
    if node.depth > MAX_DEPTH:
        raise LimitExceeded(
            "the regular expression is nested too deeply",
            location=location,
            keyword="pattern",
            limit=MAX_DEPTH,
        )
    result: Node = node
    return result


def _reason(pattern: str, position: int | None) -> str:
    if position is None or position < 0 or position >= len(pattern):
        return "a group or class is not closed" if pattern else "nothing can be read"
    character = pattern[position]
    if character == "\\":
        return f"{pattern[position : position + 2]} is not an escape"
    if character in "*+?{":
        return f"{character} has nothing to repeat"
    if character == ")":
        return "the parenthesis was not opened"
    return f"{character!r} is not expected"
