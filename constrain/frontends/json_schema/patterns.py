"""The language of a `pattern`: the texts in which an ECMA-262 regular expression finds a match.

A part of the expression is translated in continuation-passing style: given the language of what
may follow a match, it yields the language of what may stand from the begin of the match on.
Lookaheads are then intersections and differences with what follows. What stands *before* matters
to `^`, `\\b` and lookbehinds: it is summed up by the state of a small automaton that reads the
text (`_Contexts`), and a continuation is a family of languages, one for each of its states. An
expression without such assertions has one state, and the family is one language.

Loops whose body looks around become variables that refer to themselves behind a character.
"""

from __future__ import annotations

from collections.abc import Callable

from constrain.automata.languages_cy import BYTES, VARIABLE, Language, Languages
from constrain.errors import LimitExceeded, UnsupportedError
from constrain.frontends.json_schema import code_points
from constrain.frontends.json_schema.ecma_regex import (
    Alternatives,
    Boundary,
    Characters,
    End,
    Literal,
    Look,
    Node,
    Repeat,
    Sequence,
    Start,
    alternatives,
    characters,
    literal,
    parse,
    repeat,
    sequence,
)

__all__ = ["pattern_language"]

#: What may follow, for each state of the automaton of contexts.
Family = tuple[Language, ...]

#: Budgets: states of the automaton of contexts, and copies of repeated parts.
_MOST_CONTEXTS = 256
_MOST_COPIES = 10_000
#: A list of literals from this size on is kept as a sorted list of words.
_WORD_LIST = 8


def pattern_language(languages: Languages, pattern: str, *, location: str) -> Language:
    """Return the texts in which the unanchored search for `pattern` finds a match.

    Args:
        languages: the arena of the result; it also remembers it.
        pattern: ECMA-262 with the `u` flag, read with the leniencies of annex B that have one meaning.
        location: JSON Pointer of the keyword, for errors.

    Raises:
        SchemaError: the pattern is malformed.
        UnsupportedError: it has a back-reference, or an assertion that is not translated exactly.
        LimitExceeded: it is too large.
    """
    key = ("pattern", pattern)
    known = languages.cache.get(key)
    if known is None:
        tree = parse(pattern, location=location)
        known = _Translation(languages, tree, location).search(languages.any_text)
        languages.cache[key] = known
    return known


class _Contexts:
    """The automaton that reads a text for conditions on what was read, byte by byte.

    Attributes:
        facts: for each state, which conditions hold there.
        later: the states that can be met behind at least one character, between characters.
    """

    def __init__(self, languages: Languages, conditions: list[Language]) -> None:
        self.languages = languages
        start = (languages.any_text, *conditions)
        numbers = {start: 0}
        states = [start]
        self.cuts: list[int] = []
        self.facts: list[tuple[bool, ...]] = []
        self.later: set[int] = set()
        self._targets: list[dict[int, int]] = []
        while len(self._targets) < len(states):
            state = states[len(self._targets)]
            cuts = 0
            for part in state:
                cuts |= part.cuts
            targets = {}
            for byte in languages.segments(cuts):
                after = tuple(languages.derivative(part, byte) for part in state)
                if after[0] is languages.nothing:
                    continue
                target = numbers.setdefault(after, len(states))
                if target == len(states):
                    states.append(after)
                targets[byte] = target
                if after[0] is languages.any_text:
                    self.later.add(target)
            if len(states) > _MOST_CONTEXTS:
                raise LimitExceeded("what stands before a match has too many cases", limit=_MOST_CONTEXTS)
            self.cuts.append(cuts)
            self.facts.append(tuple(part.nullable for part in state[1:]))
            self._targets.append(targets)
        self.size = len(states)

    def step(self, state: int, byte: int) -> int:
        """Return the state after the first byte of a segment of (at least) `cuts[state]`; -1 if not UTF-8."""
        while byte not in self._targets[state]:
            if byte == 0 or self.cuts[state] >> byte & 1:
                return -1
            byte -= 1
        return self._targets[state][byte]


class _Translation:
    """The translation of one tree, or of one lookbehind (then what follows the text is unknown)."""

    def __init__(self, languages: Languages, tree: Node, location: str, behind: bool = False) -> None:
        self.languages = languages
        self.tree = tree
        self.location = location
        self.behind = behind
        self.word = languages.characters(code_points.WORD)
        self._languages: dict[int, tuple[Node, Language]] = {}
        self._copies = 0
        # The conditions on what stands before, each with its number.
        conditions: list[Language] = []
        self._conditions: dict[object, int] = {}
        self.cuts = languages.any_character.cuts
        for node in _assertions(tree):
            key: object
            if isinstance(node, Start):
                key, condition = "start", languages.empty
            elif isinstance(node, Boundary):
                key, condition = "word", languages.concat(languages.any_text, self.word)
            elif isinstance(node, Look) and not node.ahead:
                key = node.item
                inner = _Translation(languages, node.item, location, behind=True)
                condition = inner.search(languages.empty)
            else:
                continue
            if key not in self._conditions:
                self._conditions[key] = len(conditions)
                conditions.append(condition)
        self.contexts = _Contexts(languages, conditions)
        for cuts in self.contexts.cuts:
            self.cuts |= cuts

    def search(self, rest: Language) -> Language:
        """Return the texts in which a match is followed by a member of `rest`."""
        family = self.build(self.tree, (rest,) * self.contexts.size)
        anything = repeat(characters(code_points.ANY), 0, None)
        return self.build(anything, family)[0]

    # Parts without assertions have a language of their own.

    def plain(self, node: Node) -> Language:
        """Return the language of a plain part."""
        found = self._languages.get(id(node))
        if found is None:
            # The node is kept with the result, so its id stays its own.
            found = (node, self._plain(node))
            self._languages[id(node)] = found
        return found[1]

    def _plain(self, node: Node) -> Language:
        languages = self.languages
        if isinstance(node, Literal):
            return languages.literal(node.text.encode())
        if isinstance(node, Characters):
            return languages.characters(node.ranges)
        if isinstance(node, Sequence):
            return languages.concat(*[self.plain(item) for item in node.items])
        if isinstance(node, Alternatives):
            texts = [item.text.encode() for item in node.items if isinstance(item, Literal)]
            if len(texts) < _WORD_LIST:
                return languages.union(*[self.plain(item) for item in node.items])
            others = [self.plain(item) for item in node.items if not isinstance(item, Literal)]
            return languages.union(languages.literals(texts), *others)
        assert isinstance(node, Repeat)
        return languages.repeat(self.plain(node.item), node.low, node.high)

    # Families.

    def build(self, node: Node, rest: Family) -> Family:
        """Return, for each context, what may stand from the begin of a match of `node` followed by `rest`."""
        languages = self.languages
        if node.plain:
            behind = self._behind_character(rest)
            if behind is not None:
                return self._plain_family(node, rest, behind)
        if isinstance(node, Literal):
            for character in reversed(node.text):
                rest = self._letters(languages.literal(character.encode()), rest)
            return rest
        if isinstance(node, Characters):
            return self._letters(self.plain(node), rest)
        if isinstance(node, Sequence):
            for item in reversed(node.items):
                rest = self.build(item, rest)
            return rest
        if isinstance(node, Alternatives):
            families = [self.build(item, rest) for item in node.items]
            return self._pointwise(lambda state: languages.union(*[family[state] for family in families]))
        if isinstance(node, Repeat):
            return self._repeat(node, rest)
        return self._assertion(node, rest)

    def _pointwise(self, function: Callable[[int], Language]) -> Family:
        return tuple([function(state) for state in range(self.contexts.size)])

    def _behind_character(self, rest: Family) -> Language | None:
        """Return what follows in every context that has a character before it, if that is one language."""
        found = {rest[state] for state in self.contexts.later}
        return found.pop() if len(found) == 1 else None

    def _plain_family(self, node: Node, rest: Family, behind: Language) -> Family:
        languages = self.languages
        language = self.plain(node)
        whole = languages.concat(language, behind)
        if not language.nullable:
            return (whole,) * self.contexts.size

        def choose(state: int) -> Language:
            if rest[state] is behind:
                return whole
            if languages.union(rest[state], behind) is rest[state]:
                return languages.union(whole, rest[state])
            # Only an empty match leaves the text before it as it is.
            return languages.union(
                languages.concat(languages.difference(language, languages.empty), behind)
                if not isinstance(node, Repeat) or node.item.nullable
                else languages.concat(
                    languages.repeat(self.plain(node.item), max(node.low, 1), node.high), behind
                ),
                rest[state],
            )

        return self._pointwise(choose)

    def _letters(self, language: Language, rest: Family) -> Family:
        """Return one character of `language`, split by the context behind it."""
        return self._pointwise(lambda state: self._encoded(language, rest, state))

    def _encoded(self, language: Language, rest: Family, state: int) -> Language:
        languages = self.languages
        parts = []
        firsts = languages.segments(language.cuts | self.contexts.cuts[state])
        for first, end in zip(firsts, (*firsts[1:], 256), strict=True):
            tail = languages.derivative(language, first)
            target = self.contexts.step(state, first)
            if tail is languages.nothing or target < 0:
                continue
            after = rest[target] if tail is languages.empty else self._encoded(tail, rest, target)
            parts.append(languages.concat(languages.byte_range(first, end - 1), after))
        return languages.union(*parts)

    def _repeat(self, node: Repeat, rest: Family) -> Family:
        family = rest
        if node.high is None:
            family = self._loop(_not_empty(node.item, self) if node.item.nullable else node.item, rest)
        else:
            for _ in range(node.high - node.low):
                self._count_copy()
                family = self._union(rest, self.build(node.item, family))
        for _ in range(node.low):
            self._count_copy()
            family = self.build(node.item, family)
        return family

    def _union(self, left: Family, right: Family) -> Family:
        return self._pointwise(lambda state: self.languages.union(left[state], right[state]))

    def _count_copy(self) -> None:
        self._copies += 1
        if self._copies > _MOST_COPIES:
            raise LimitExceeded(
                "a repeated part that looks around has too many copies",
                location=self.location,
                keyword="pattern",
                limit=_MOST_COPIES,
            )

    def _loop(self, item: Node, rest: Family) -> Family:
        """Return any number of `item`, which consumes a character, before `rest`."""
        languages = self.languages
        cuts = self.cuts | _all_cuts(item, self)
        for language in rest:
            cuts |= language.cuts
        variables = self._pointwise(lambda state: languages.variable(rest[state].nullable, cuts))
        body = self.build(item, variables)
        for state, variable in enumerate(variables):
            languages.define(variable, languages.union(rest[state], body[state]))
        return variables

    def _assertion(self, node: Node, rest: Family) -> Family:
        languages = self.languages
        nothing = languages.nothing
        facts = self.contexts.facts
        if isinstance(node, Start):
            fact = self._conditions["start"]
            return self._pointwise(lambda state: rest[state] if facts[state][fact] else nothing)
        if isinstance(node, End):
            if self.behind:
                raise self._refuse("`$` in a lookbehind")
            return self._pointwise(lambda state: languages.empty if rest[state].nullable else nothing)
        if isinstance(node, Boundary):
            if self.behind and any(language.nullable for language in rest):
                raise self._refuse("a word boundary at the end of a lookbehind")
            fact = self._conditions["word"]
            word = languages.concat(self.word, languages.any_text)
            other = languages.characters(code_points.complement(code_points.WORD))
            no_word = languages.union(languages.empty, languages.concat(other, languages.any_text))
            return self._pointwise(
                lambda state: languages.intersection(
                    rest[state], word if facts[state][fact] == node.negative else no_word
                )
            )
        assert isinstance(node, Look)
        if not node.ahead:
            fact = self._conditions[node.item]
            return self._pointwise(
                lambda state: nothing if facts[state][fact] == node.negative else rest[state]
            )
        if self.behind:
            raise self._refuse("a lookahead in a lookbehind")
        seen = self.build(node.item, (languages.any_text,) * self.contexts.size)
        if node.negative:
            return self._pointwise(lambda state: languages.difference(rest[state], seen[state]))
        return self._pointwise(lambda state: languages.intersection(rest[state], seen[state]))

    def _refuse(self, what: str) -> UnsupportedError:
        return UnsupportedError(f"{what} is not supported", location=self.location, keyword="pattern")


def _assertions(tree: Node) -> list[Node]:
    """Return the assertions, also those in lookaheads, but not those in lookbehinds."""
    result: list[Node] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        if node.plain:
            continue
        if isinstance(node, (Sequence, Alternatives)):
            pending.extend(node.items)
        elif isinstance(node, Repeat) or (isinstance(node, Look) and node.ahead):
            pending.append(node.item)
        if isinstance(node, (Start, End, Boundary, Look)):
            result.append(node)
    return result


def _all_cuts(tree: Node, translation: _Translation) -> int:
    """Return a superset of the cuts of every language that the translation of `tree` makes."""
    cuts = 0
    pending = [tree]
    seen: set[Language] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, (Literal, Characters)):
            parts = [translation.plain(node)]
            while parts:
                part = parts.pop()
                if part in seen or part.kind == VARIABLE:
                    continue
                seen.add(part)
                if part.kind == BYTES:
                    cuts |= part.cuts
                parts.extend(part.items)
                parts.extend(operand for operand in (part.first, part.second) if operand is not None)
        elif isinstance(node, (Sequence, Alternatives)):
            pending.extend(node.items)
        elif isinstance(node, (Repeat, Look)):
            pending.append(node.item)
    return cuts


def _not_empty(node: Node, translation: _Translation) -> Node:
    """Return the part of `node` that consumes at least one character."""
    if isinstance(node, (Literal, Characters)):
        return node if not node.nullable else alternatives(())
    if isinstance(node, Sequence):
        # The first item that consumes something, the ones before it matching the empty text.
        result = []
        for index, item in enumerate(node.items):
            before = tuple(_only_empty(earlier) for earlier in node.items[:index])
            result.append(sequence((*before, _not_empty(item, translation), *node.items[index + 1 :])))
            if not item.nullable:
                break
        return alternatives(tuple(result))
    if isinstance(node, Alternatives):
        return alternatives(tuple(_not_empty(item, translation) for item in node.items))
    if isinstance(node, Repeat):
        if not node.nullable:
            return node
        if node.high == 0:
            return alternatives(())
        first = _not_empty(node.item, translation)
        high = None if node.high is None else node.high - 1
        if node.low == 0 or node.item.plain:
            return sequence((first, repeat(node.item, 0, high)))
        if node.low == 1:
            return sequence((first, repeat(node.item, 0, high)))
        raise translation._refuse("a loop over a counted part that may be empty and looks around")
    return alternatives(())


def _only_empty(node: Node) -> Node:
    """Return the assertions under which `node` matches the empty text."""
    if isinstance(node, (Literal, Characters)):
        return node if node.nullable else alternatives(())
    if isinstance(node, Sequence):
        return sequence(tuple(_only_empty(item) for item in node.items))
    if isinstance(node, Alternatives):
        return alternatives(tuple(_only_empty(item) for item in node.items))
    if isinstance(node, Repeat):
        return literal("") if node.low == 0 else _only_empty(node.item)
    return node
