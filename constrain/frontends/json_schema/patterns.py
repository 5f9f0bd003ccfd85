"""The language of a `pattern`: the texts in which an ECMA-262 regular expression finds a match.

A part of the expression is translated in continuation-passing style: given the language of what
may follow a match, it yields the language of what may stand from the begin of the match on.
Lookaheads are then intersections and differences with what follows. What stands *before* matters
to `^`, `\\b` and lookbehinds: it is summed up by the state of a small automaton that reads the
text (`_Contexts`), and a continuation is a family of languages, one for each of its states. An
expression without such assertions has one state, and the family is one language.

What a lookbehind asks may depend on what follows, through assertions within it. So its language is
one of whole texts with a mark where it ends, and a state of contexts, being derivatives of such
languages by the text before, yields the language that the text behind the mark must be in. In a
lookbehind within a lookbehind the marks of the outer ones may stand anywhere and mean nothing.

Loops whose body looks around become variables that refer to themselves behind a character.
"""

from __future__ import annotations

from collections.abc import Callable

from constrain.automata.languages_cy import BYTES, MARKS, VARIABLE, Language, Languages
from constrain.errors import LimitExceeded
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
#: What marks the end of a lookbehind, by how many lookbehinds it is in: bytes that are not in UTF-8.
_MARKS = tuple(range(0xFF, 0xFF - MARKS, -1))
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
        UnsupportedError: it has a back-reference or a modifier.
        LimitExceeded: it is too large.
    """
    key = ("pattern", pattern)
    known = languages.cache.get(key)
    if known is None:
        tree = parse(pattern, location=location)
        known = _behind_first(languages, tree, location)
        if known is None:
            known = _Translation(languages, tree, location).search(languages.any_text)
        languages.cache[key] = known
    return known


def _behind_first(languages: Languages, tree: Node, location: str) -> Language | None:
    """Return the language of a lookbehind and a part that does not look behind; `None` for other trees.

    What stands before is then a language in front, whose states are met one by one.
    """
    first = tree.items[0] if isinstance(tree, Sequence) else tree
    if not isinstance(first, Look) or first.ahead or _looks_beyond(first.item):
        return None
    then = sequence(tree.items[1:]) if isinstance(tree, Sequence) else literal("")
    if any(
        not isinstance(item, End) and not (isinstance(item, Look) and item.ahead)
        for item in _assertions(then)
    ):
        return None
    before = _Translation(languages, first.item, location).search(languages.empty)
    if first.negative:
        before = languages.complement(before)
    rest = _Translation(languages, then, location)
    after = rest.build(then, (languages.any_text,) * rest.contexts.size)[0]
    return languages.concat(before, after)


class _Contexts:
    """The automaton that reads a text for conditions on what was read, byte by byte.

    Args:
        languages: the arena.
        text: the texts that are read.
        conditions: each a language of what was read, or, with a mark, one of what was read, the mark,
            and what follows.
        depth: the number of marks that may be read.

    Attributes:
        facts: for each state and condition the language that what follows must be in.
        later: the states that can be met behind at least one character, between characters.
    """

    def __init__(
        self, languages: Languages, text: Language, conditions: list[tuple[Language, int | None]], depth: int
    ) -> None:
        self.languages = languages
        start = (text, *[condition for condition, _ in conditions])
        numbers = {start: 0}
        states = [start]
        self.cuts: list[int] = []
        self.facts: list[tuple[Language, ...]] = []
        self.later: set[int] = set()
        self._targets: list[dict[int, int]] = []
        while len(self._targets) < len(states):
            state = states[len(self._targets)]
            cuts = 0
            for part in state:
                cuts |= part.cuts
            targets = {}
            for byte in languages.segments(cuts):
                if _MARKS[-1] <= byte <= 0xFF - depth:
                    continue
                after = tuple(languages.derivative(part, byte) for part in state)
                if after[0] is languages.nothing:
                    continue
                target = numbers.setdefault(after, len(states))
                if target == len(states):
                    states.append(after)
                targets[byte] = target
                if after[0] is text:
                    self.later.add(target)
            if len(states) > _MOST_CONTEXTS:
                raise LimitExceeded("what stands before a match has too many cases", limit=_MOST_CONTEXTS)
            self.cuts.append(cuts)
            self.facts.append(
                tuple(
                    self._fact(part, mark, text)
                    for part, (_, mark) in zip(state[1:], conditions, strict=True)
                )
            )
            self._targets.append(targets)
        self.size = len(states)

    def _fact(self, part: Language, mark: int | None, text: Language) -> Language:
        if mark is None:
            return text if part.nullable else self.languages.nothing
        after: Language = self.languages.derivative(part, mark)
        return after

    def step(self, state: int, byte: int) -> int:
        """Return the state after the first byte of a segment of (at least) `cuts[state]`; -1 if not UTF-8."""
        while byte not in self._targets[state]:
            if byte == 0 or self.cuts[state] >> byte & 1:
                return -1
            byte -= 1
        return self._targets[state][byte]


class _Translation:
    """The translation of one tree, or of one lookbehind.

    Attributes:
        marks: the marks of the lookbehinds around, in any number.
        text: every text, with marks anywhere.
    """

    def __init__(self, languages: Languages, tree: Node, location: str, depth: int = 0) -> None:
        self.languages = languages
        self.tree = tree
        self.location = location
        outer = languages.byte_range(0x100 - depth, 0xFF)
        self.marks = languages.repeat(outer, 0, None) if depth else languages.empty
        self.text = languages.marked_text if depth else languages.any_text
        self.word = languages.concat(languages.characters(code_points.WORD), self.marks)
        self._languages: dict[int, tuple[Node, Language]] = {}
        self._copies = 0
        # The conditions on what stands before, each with its number.
        conditions: list[tuple[Language, int | None]] = []
        self._conditions: dict[object, int] = {}
        self.cuts = self.text.cuts
        for node in _assertions(tree):
            key: object
            mark = None
            if isinstance(node, Start):
                key, condition = "start", self.marks
            elif isinstance(node, Boundary):
                key, condition = "word", languages.concat(self.text, self.word)
            elif isinstance(node, Look) and not node.ahead:
                if depth == MARKS:
                    raise LimitExceeded(
                        "lookbehinds are nested too deeply",
                        location=location,
                        keyword="pattern",
                        limit=MARKS,
                    )
                key = node.item
                if _looks_beyond(node.item):
                    mark = _MARKS[depth]
                    end = languages.concat(languages.byte_range(mark, mark), languages.marked_text)
                    condition = _Translation(languages, node.item, location, depth + 1).search(end)
                else:
                    condition = _Translation(languages, node.item, location, depth).search(self.marks)
            else:
                continue
            if key not in self._conditions:
                self._conditions[key] = len(conditions)
                conditions.append((condition, mark))
        self.contexts = _Contexts(languages, self.text, conditions, depth)
        for cuts in self.contexts.cuts:
            self.cuts |= cuts

    def search(self, rest: Language) -> Language:
        """Return the texts in which a match is followed by a member of `rest`."""
        family = self.build(self.tree, (rest,) * self.contexts.size)
        anything = repeat(characters(code_points.ANY), 0, None)
        return self.languages.concat(self.marks, self.build(anything, family)[0])

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
            if self.marks is languages.empty:
                return languages.literal(node.text.encode())
            letters = [languages.literal(character.encode()) for character in node.text]
            return languages.concat(*[languages.concat(letter, self.marks) for letter in letters])
        if isinstance(node, Characters):
            return languages.concat(languages.characters(node.ranges), self.marks)
        if isinstance(node, Sequence):
            return languages.concat(*[self.plain(item) for item in node.items])
        if isinstance(node, Alternatives):
            texts = [item.text.encode() for item in node.items if isinstance(item, Literal)]
            if len(texts) < _WORD_LIST or self.marks is not languages.empty:
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
            return self._letters(languages.characters(node.ranges), rest)
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
        rest = self._pointwise(lambda state: self.languages.concat(self.marks, rest[state]))
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
                self.count_copy()
                family = self._union(rest, self.build(node.item, family))
        for _ in range(node.low):
            self.count_copy()
            family = self.build(node.item, family)
        return family

    def _union(self, left: Family, right: Family) -> Family:
        return self._pointwise(lambda state: self.languages.union(left[state], right[state]))

    def count_copy(self) -> None:
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
        text = self.text
        if isinstance(node, Start):
            return self._where(self._conditions["start"], rest)
        if isinstance(node, End):
            if self.marks is languages.empty:
                return self._pointwise(
                    lambda state: languages.empty if rest[state].nullable else languages.nothing
                )
            return self._pointwise(lambda state: languages.intersection(rest[state], self.marks))
        if isinstance(node, Boundary):
            other = languages.characters(code_points.complement(code_points.WORD))
            word = languages.concat(self.marks, self.word, text)
            no_word = languages.union(self.marks, languages.concat(self.marks, other, text))
            before = [facts[self._conditions["word"]] is text for facts in self.contexts.facts]
            return self._pointwise(
                lambda state: languages.intersection(
                    rest[state], word if before[state] == node.negative else no_word
                )
            )
        assert isinstance(node, Look)
        if not node.ahead:
            return self._where(self._conditions[node.item], rest, node.negative)
        ahead = self.build(node.item, (text,) * self.contexts.size)
        return self._holding(
            self._pointwise(lambda state: languages.concat(self.marks, ahead[state])), rest, node.negative
        )

    def _where(self, condition: int, rest: Family, negative: bool = False) -> Family:
        """Return `rest` where a condition on what stands before holds."""
        return self._holding(tuple([facts[condition] for facts in self.contexts.facts]), rest, negative)

    def _holding(self, needed: Family, rest: Family, negative: bool) -> Family:
        """Return what is in `rest` and in `needed`, or not in it."""
        languages = self.languages
        combine = languages.difference if negative else languages.intersection

        def choose(state: int) -> Language:
            if needed[state] in (languages.any_text, languages.marked_text):
                return languages.nothing if negative else rest[state]
            return combine(rest[state], needed[state])

        return self._pointwise(choose)


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


def _looks_beyond(node: Node, at_end: bool = True) -> bool:
    """Return whether an assertion of `node` may ask for what follows its match; a guess on the safe side."""
    if node.plain:
        return False
    if isinstance(node, Look):
        return node.ahead or _looks_beyond(node.item)
    if isinstance(node, (End, Boundary)):
        return at_end
    if isinstance(node, Sequence):
        for item in reversed(node.items):
            if _looks_beyond(item, at_end):
                return True
            at_end = at_end and item.nullable
        return False
    if isinstance(node, Alternatives):
        return any(_looks_beyond(item, at_end) for item in node.items)
    return isinstance(node, Repeat) and _looks_beyond(node.item, at_end)


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
        # The repetitions before the first that consumes something are empty, where that is allowed.
        empty = _only_empty(node.item)
        ways = []
        for skipped in range(min(node.low, _MOST_COPIES)):
            translation.count_copy()
            more = repeat(node.item, node.low - 1 - skipped, None if high is None else high - skipped)
            ways.append(sequence((empty, first, more) if skipped else (first, more)))
        return alternatives(tuple(ways))
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
