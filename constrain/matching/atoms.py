"""The atoms of schema formulas: plain predicates, each about values of one kind.

An atom is a variable of a `Formulas` arena. Negation is a sign on the atom, taken per kind, so
`not`, `oneOf` and `if` need nothing of their own (Attouche et al., VLDB 2022). Sub-schemas
inside an atom are *goals*: formulas over `SchemaNode` variables.

Keys and string values are the UTF-8 bytes of the decoded text.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from constrain.automata.languages_cy import Language
from constrain.matching.modes import ARRAY, FALSE_LITERAL, NULL, NUMBER, OBJECT, STRING, TRUE_LITERAL

if TYPE_CHECKING:
    from constrain.automata.lazy_dfa_cy import LazyDfa
    from constrain.matching.values import Value

__all__ = [
    "ALL_KINDS",
    "ARRAY",
    "FALSE_LITERAL",
    "KINDS",
    "KIND_NAMES",
    "NULL",
    "NUMBER",
    "OBJECT",
    "STRING",
    "TRUE_LITERAL",
    "AllItems",
    "AllProperties",
    "ArrayIn",
    "DistinctItems",
    "ItemsAtLeast",
    "ItemsSatisfying",
    "ObjectIn",
    "PropertiesAtLeast",
    "Required",
    "SchemaNode",
    "SharedText",
    "TextIn",
    "TextLengthAtLeast",
]

#: The kinds of JSON values; `true` and `false` are kinds of their own, so a truth table needs no atom.
KINDS = range(7)
#: All of them, as bits.
ALL_KINDS = (1 << len(KINDS)) - 1
KIND_NAMES = ("null", "false", "true", "number", "string", "array", "object")


class SchemaNode(Protocol):
    """A named sub-schema; its components are formulas over the atoms of one kind each.

    The other methods are quick answers. Those that are given here tell nothing.
    """

    def component(self, kind: int) -> int:
        """Return the formula that a value of this kind has to satisfy."""

    def kinds(self) -> int:
        """Return the kinds of values that may satisfy it, as bits; perhaps too many."""
        return ALL_KINDS

    def has_simple_value(self) -> bool:
        """Return whether a most simple value surely satisfies it; perhaps too cautious."""
        return False

    def has_simple_kind(self, kind: int) -> bool:
        """Return whether a most simple value of a kind surely satisfies it; perhaps too cautious."""
        return False

    def flat_kind(self) -> int:
        """Return a kind of which a value without members surely satisfies it, else -1.

        Any scalar counts as `NULL`.
        """
        return -1

    def lone_types(self) -> int:
        """Return the types that it allows if it says no more, as bits that mean the same everywhere, else -1.

        The bits are those of the kinds; integers have one beyond them, and another where `1.0` is none.
        """
        return -1


@dataclass(frozen=True, slots=True)
class TextIn:
    """The string belongs to a regular language (over its decoded UTF-8 bytes)."""

    language: Language


class SharedText:
    """The string belongs to a regular language that many constraints mention, such as a format.

    Attributes:
        name: what it is; equal names mean the same language.
        automaton: returns the automaton of the language alone, which everybody shares.
    """

    __slots__ = ("_language", "_make", "automaton", "name")

    def __init__(
        self, name: Hashable, make: Callable[[], Language], automaton: Callable[[], LazyDfa]
    ) -> None:
        self.name = name
        self.automaton = automaton
        self._make = make
        self._language: Language | None = None

    @property
    def language(self) -> Language:
        """The language in the arena of the constraint, made when something has to be joined with it."""
        if self._language is None:
            self._language = self._make()
        return self._language

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SharedText) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class TextLengthAtLeast:
    """The string has at least `length` code points."""

    length: int


@dataclass(frozen=True, slots=True, eq=False)
class AllProperties:
    """Every property whose value has to satisfy a goal does.

    The goal of a key is the conjunction of the goals that `names` and `patterns` give it, or
    `rest` when neither does.

    Attributes:
        names: key -> goal.
        patterns: (language of keys, goal), any number of which may apply to one key.
        rest: the goal of all other keys.
        surely_have_values: returns named keys whose own goals have values: what a glance tells.
    """

    names: Mapping[bytes, int]
    patterns: tuple[tuple[Language, int], ...]
    rest: int
    surely_have_values: Callable[[], Iterable[bytes]] = tuple


@dataclass(frozen=True, slots=True)
class Required:
    """Each of these keys is present."""

    names: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class PropertiesAtLeast:
    """The object has at least `count` properties."""

    count: int


@dataclass(frozen=True, slots=True, eq=False)
class AllItems:
    """Item i satisfies the i-th goal of `prefix`, or `rest` from there on."""

    prefix: tuple[int, ...]
    rest: int


@dataclass(frozen=True, slots=True)
class ItemsAtLeast:
    """The array has at least `count` items."""

    count: int


@dataclass(frozen=True, slots=True)
class ItemsSatisfying:
    """At least `count` of the items still to come satisfy a goal; `count` is positive."""

    count: int
    goal: int


@dataclass(frozen=True, slots=True)
class DistinctItems:
    """No two items are equal."""


@dataclass(frozen=True, slots=True)
class ArrayIn:
    """The array is one of these; what was read of it agrees with all of them."""

    values: frozenset[Value]


@dataclass(frozen=True, slots=True)
class ObjectIn:
    """The object is one of these; what was read of it agrees with all of them."""

    values: frozenset[Value]
