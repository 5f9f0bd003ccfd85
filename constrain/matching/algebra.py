"""The arena of one constraint: goals, their components by kind, and the scalar automata.

A *goal* is a Boolean formula over sub-schemas that a value has to satisfy. Its component for a
kind of value is a formula over the atoms of that kind. A `Goal` adds the *tracked* formulas:
sub-schemas whose truth the parent wants to know when the value ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import combinations
from typing import Any, cast

from constrain.automata.formulas_cy import FALSE, TRUE, Formulas
from constrain.automata.languages_cy import CONCATENATION, MACHINE, REPETITION, WORDS, Language, Languages
from constrain.automata.lazy_dfa_cy import LazyDfa, any_text_automaton
from constrain.automata.lengths import extent, fixed_length, largest_tail
from constrain.automata.numbers_cy import (
    Atom,
    IntegerText,
    MultipleOf,
    NumberAutomaton,
    OneOf,
    number_automaton,
)
from constrain.matching.atoms import (
    ALL_KINDS,
    ARRAY,
    KINDS,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    ArrayIn,
    ObjectIn,
    SchemaNode,
    SharedText,
    TextIn,
    TextLengthAtLeast,
)
from constrain.matching.deadline_cy import Deadline
from constrain.matching.values import Value
from constrain.options import Options

__all__ = ["Algebra", "TextPlan"]


#: Repetitions whose upper bound is this or more are counted beside the automaton.
_MANY_CHARACTERS = 8


@lru_cache(maxsize=64)
def _lone_numbers(integers: int, bounded: bool, max_states: int) -> NumberAutomaton:
    """Return the automaton of all numbers; of integers if they are 1, or 2 for those without a fraction."""
    atoms: tuple[Atom, ...] = ((), (MultipleOf(Fraction(1)),), (IntegerText(),))[integers]
    return number_automaton(
        atoms,
        lambda vector: vector == 1 or not atoms,
        lambda vector: 0,
        bounded=bounded,
        max_states=max_states,
    )


class _ValueSet(SchemaNode):
    """The schema of finitely many values."""

    def __init__(self, algebra: Algebra, values: frozenset[Value]) -> None:
        self._algebra = algebra
        self._values = values

    def component(self, kind: int) -> int:
        """Return the formula that a value of this kind has to satisfy to be one of them."""
        return self._algebra.one_of([value for value in self._values if value.kind == kind], kind)

    def kinds(self) -> int:
        """Return the kinds of the values, as bits."""
        kinds = 0
        for value in self._values:
            kinds |= 1 << value.kind
        return kinds

    def has_simple_value(self) -> bool:
        """Return whether there is a value."""
        return bool(self._values)

    def flat_kind(self) -> int:
        """Return `NULL` if one of the values is a scalar, else -1."""
        return NULL if any(value.kind < ARRAY for value in self._values) else -1

    def has_simple_kind(self, kind: int) -> bool:
        """Return whether there is a value of a kind."""
        return any(value.kind == kind for value in self._values)


class TextPlan:
    """How a string is read: an automaton over its decoded bytes, and bounds on its length.

    Attributes:
        automaton: runs over the UTF-8 bytes; its outcomes are those of the tracked formulas.
        low, high: bounds on the number of code points, counted beside the automaton; `high` is
            -1 when there is none.
        tail: so many code points end the text in every state of the automaton; -1 if it is not known.
    """

    __slots__ = ("automaton", "high", "low", "tail")

    def __init__(self, automaton: LazyDfa, low: int, high: int, tail: int = -1) -> None:
        self.automaton = automaton
        self.low = low
        self.high = high
        self.tail = tail

    def is_empty(self) -> bool:
        """Return whether no string satisfies the plan."""
        if self.automaton.start < 0:
            return True
        if self.low == 0 and self.high < 0:
            return False
        return not self.automaton.has_length(
            self.automaton.start, self.low, None if self.high < 0 else self.high
        )

    def witness(self) -> bytes:
        """Return a short string that satisfies the plan, decoded."""
        if self.low == 0 and self.high < 0:
            return bytes(self.automaton.completion(self.automaton.start))
        high = None if self.high < 0 else self.high
        return bytes(self.automaton.completion_of_length(self.automaton.start, self.low, high))


def _bounded_plan(automaton: LazyDfa, low: int, high: int) -> TextPlan:
    """Return the plan of an automaton that is shared, within bounds on the length."""
    least, most, tail = _measures(automaton)
    # Bounds that say nothing are left out, so that they are not counted.
    if low <= least:
        low = 0
    if high >= 0 and (most is not None and most <= high):
        high = -1
    return TextPlan(automaton, low, high, tail if high >= 0 else -1)


@lru_cache(maxsize=64)
def _measures(automaton: LazyDfa) -> tuple[int, int | None, int]:
    """Return bounds of the lengths of the texts of an automaton, and what surely finishes one of them."""
    languages = automaton.languages
    language = automaton.components(automaton.start)[0]
    if language.kind == MACHINE:
        return (0, language.payload[0].longest, -1)
    return (*extent(languages, language), largest_tail(languages, language, limits=True))


class Algebra:
    """The formulas, languages and automata of one constraint; grows lazily, never shrinks."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.deadline = Deadline(options.max_seconds)
        self.formulas = Formulas()
        self.formulas.tick = self.deadline.check
        self._components: dict[tuple[int, int], int] = {}
        self._dfas: dict[tuple[Language, ...], LazyDfa] = {}
        self._text_plans: dict[tuple[int, ...], TextPlan] = {}
        self._number_automata: dict[tuple[int, ...], NumberAutomaton] = {}
        self._languages_of: dict[int, Language] = {}
        #: Languages of atoms that have an automaton for all constraints.
        self._shared: dict[Language, SharedText] = {}
        self._value_sets: dict[frozenset[Value], int] = {}
        #: Objects that the schema lists: of equal ones the first, whose members are in its order.
        self.listed: dict[Value, Value] = {}
        self._surely_empty: dict[int, bool] = {}
        #: (key, goal) -> the variable of "the value of the key, if there is one, satisfies the goal".
        self.value_atoms: dict[tuple[bytes, int], int] = {}

    @cached_property
    def languages(self) -> Languages:
        """The languages of texts and keys; many schemas need none."""
        languages = Languages(max_steps=self.options.max_steps)
        languages.tick = self.deadline.check
        return languages

    def component(self, goal: int, kind: int) -> int:
        """Return the formula over atoms of `kind` that `goal` means for values of that kind."""
        if goal <= TRUE:
            return goal
        key = (goal, kind)
        result = self._components.get(key)
        if result is None:
            formulas = self.formulas
            node: Any = formulas.lone(goal)
            if node is not None:
                result = node.component(kind)
            else:
                variables = formulas.support(goal)
                table = {
                    variable: cast("SchemaNode", formulas.value(variable)).component(kind)
                    for variable in variables
                }
                result = formulas.substitute(goal, table)
            self._components[key] = result
        return result

    def kinds(self, goal: int) -> int:
        """Return the kinds of values that may satisfy a goal, as bits: a quick answer, perhaps too many."""
        if goal <= TRUE:
            return ALL_KINDS if goal == TRUE else 0
        node: Any = self.formulas.lone(goal)
        return ALL_KINDS if node is None else int(node.kinds())

    def lone_types(self, goal: int) -> int:
        """Return what `SchemaNode.lone_types` does, for any goal."""
        if goal <= TRUE:
            return ALL_KINDS if goal == TRUE else -1
        node: Any = self.formulas.lone(goal)
        return -1 if node is None else int(node.lone_types())

    def has_simple_value(self, goal: int) -> bool:
        """Return whether a most simple value surely satisfies a goal: quick, perhaps too cautious."""
        node: Any = self.formulas.lone(goal)
        return node is not None and bool(node.has_simple_value())

    def flat_kind(self, goal: int) -> int:
        """Return a kind of which a value without members surely satisfies a goal: see `SchemaNode`."""
        node: Any = self.formulas.lone(goal)
        return -1 if node is None else int(node.flat_kind())

    def has_simple_kind(self, goal: int, kind: int) -> bool:
        """Return whether a simple value of a kind surely satisfies a goal; as `has_simple_value` does."""
        node: Any = self.formulas.lone(goal)
        return node is not None and bool(node.has_simple_kind(kind))

    def is_surely_empty(self, goal: int, kinds: int = ALL_KINDS) -> bool:
        """Return whether no value satisfies a goal, as far as that can be told without its members.

        Never true of a goal that has values; unlike `Emptiness` it can be asked at any time.

        Args:
            kinds: those of which there may be values, as bits.
        """
        if goal <= TRUE:
            return goal == FALSE
        known = self._surely_empty.get(goal)
        if known is None:
            known = not any(kinds >> kind & 1 and self._may_hold(goal, kind) for kind in KINDS)
            self._surely_empty[goal] = known
        return known

    def _may_hold(self, goal: int, kind: int) -> bool:
        formula = self.component(goal, kind)
        if formula <= TRUE:
            return formula == TRUE
        if kind == STRING:
            return not self.text_plan(goal).is_empty()
        return kind != NUMBER or self.number_automaton(goal).start >= 0

    def partition(self, goals: Iterable[int], max_classes: int) -> list[int]:
        """Return disjoint goals that cover all values; none of `goals` divides one further.

        Beyond `max_classes` the rest of `goals` is not looked at.
        """
        formulas = self.formulas
        asked = list(dict.fromkeys(goals))
        if len(asked) < max_classes and all(
            self.is_surely_empty(formulas.ite(one, other, FALSE), self.kinds(one) & self.kinds(other))
            for one, other in combinations(asked, 2)
        ):
            # Constants, mostly.
            return [*asked, formulas.negation(formulas.disjunction(asked))]
        classes = [TRUE]
        for goal in asked:
            if len(classes) >= max_classes:
                break
            split: list[int] = []
            for one in classes:
                inside = formulas.ite(one, goal, FALSE)
                outside = formulas.ite(goal, FALSE, one)
                if self.is_surely_empty(inside, self.kinds(goal)) or self.is_surely_empty(outside):
                    split.append(one)
                else:
                    split += [inside, outside]
            classes = split
        return classes

    # Constants

    def in_values(self, values: Iterable[Value]) -> int:
        """Return the goal "one of these values"; equal sets share it."""
        members = frozenset(values)
        if not members:
            return FALSE
        goal = self._value_sets.get(members)
        if goal is None:
            goal = self.formulas.variable(_ValueSet(self, members))
            self._value_sets[members] = goal
        return goal

    def list_objects(self, values: Iterable[Value]) -> None:
        """Note that the schema lists values, so that the members of objects in them have an order."""
        pending = list(values)
        while pending:
            value = pending.pop()
            if value.kind == ARRAY:
                pending += value.content
            elif value.kind == OBJECT:
                self.listed.setdefault(value, value)
                pending += value.content.values()

    def one_of(self, values: list[Value], kind: int) -> int:
        """Return the formula over atoms of `kind` that holds for these values of that kind alone."""
        if not values:
            return FALSE
        if kind == NUMBER:
            return self.formulas.variable(OneOf(frozenset(value.number() for value in values)))
        if kind == STRING:
            return self.one_of_texts({value.content for value in values})
        if kind == ARRAY:
            return self.formulas.variable(ArrayIn(frozenset(values)))
        if kind == OBJECT:
            return self.formulas.variable(ObjectIn(frozenset(values)))
        return TRUE

    def one_of_texts(self, texts: Collection[bytes]) -> int:
        """Return the formula over atoms of strings that holds for these texts alone."""
        return self.formulas.variable(TextIn(self.languages.literals(texts))) if texts else FALSE

    # Strings

    def dfa(self, goal: Language, tracked: tuple[Language, ...] = ()) -> LazyDfa:
        """Return the automaton of a language, shared by all who ask for it."""
        key = (goal, *tracked)
        result = self._dfas.get(key)
        if result is None:
            result = LazyDfa(self.languages, goal, tracked, max_states=self.options.max_states)
            self._dfas[key] = result
        return result

    def language_ahead(self, automaton: LazyDfa, state: int) -> Language:
        """Return what may follow in a state, as a language of this arena."""
        if not automaton.is_shared:
            known: Language = automaton.components(state)[0]
            return known
        language: Language = self.languages.any_text
        assert automaton is any_text_automaton()
        for byte in list(automaton.path_to(state)):
            language = self.languages.derivative(language, byte)
        return language

    def _shared_text(self, formula: int) -> SharedText | None:
        """Return the atom that a string formula consists of, if it is a `SharedText`."""
        atom = self.formulas.lone(formula)
        return atom if isinstance(atom, SharedText) else None

    def text_plan(self, goal: int, tracked: tuple[int, ...] = ()) -> TextPlan:
        """Return how a string that satisfies `goal` is read."""
        wanted = self.component(goal, STRING)
        watched = tuple(self.component(formula, STRING) for formula in tracked)
        key = (wanted, *watched)
        plan = self._text_plans.get(key)
        if plan is None:
            plan = self._make_text_plan(wanted, watched)
            self._text_plans[key] = plan
        return plan

    def _make_text_plan(self, wanted: int, watched: tuple[int, ...]) -> TextPlan:
        if not watched:
            atom = self.formulas.lone(wanted)
            if isinstance(atom, SharedText):
                return TextPlan(atom.automaton(), 0, -1)
            if isinstance(atom, TextIn) and atom.language.kind == WORDS:
                return TextPlan(self.dfa(atom.language), 0, -1)
            pieces = self.text_pieces(wanted)
            if len(pieces) == 1:
                return self._counting_plan(*pieces[0])
        return TextPlan(
            self.dfa(self.text_language(wanted), tuple(self.text_language(formula) for formula in watched)),
            0,
            -1,
        )

    def _counting_plan(self, low: int, high: int, language: Language) -> TextPlan:
        """Return the plan of one language within bounds on the length.

        Where a language counts single characters and is of fixed length besides, as `[a-z]{3,40}:` does,
        the count becomes one of the length. So the automaton needs few states.
        """
        languages = self.languages
        if language is languages.any_text:
            return TextPlan(any_text_automaton(), low, high, 0)
        shared = self._shared.get(language)
        if shared is not None:
            return _bounded_plan(shared.automaton(), low, high)
        tail = largest_tail(languages, language, limits=True) if high >= 0 else -1
        if tail >= 0 or low > 0:
            least, most = extent(languages, language)
            low = 0 if low <= least else low
            high = -1 if most is not None and most <= high else high
        parts = [language]
        while parts[-1].kind == CONCATENATION:
            last = parts.pop()
            parts += [last.first, last.second]
        if not any(
            part.kind == REPETITION and part.high is not None and part.high >= _MANY_CHARACTERS
            for part in parts
        ):
            return TextPlan(self.dfa(language), low, high, tail)
        counting = -1
        fixed = 0
        for place, part in enumerate(parts):
            size = fixed_length(languages, part)
            if size >= 0:
                fixed += size
            elif (
                counting < 0
                and part.kind == REPETITION
                and part.high is not None
                and part.high >= _MANY_CHARACTERS
            ):
                counting = place
            else:
                return TextPlan(self.dfa(language), low, high, tail)
        if counting < 0 or fixed_length(languages, parts[counting].first) != 1:
            return TextPlan(self.dfa(language), low, high, tail)
        repeated = parts[counting]
        parts[counting] = languages.repeat(repeated.first, 0, None)
        low = max(low, fixed + repeated.low)
        most = fixed + cast(int, repeated.high)
        return TextPlan(self.dfa(languages.concat(*parts)), low, most if high < 0 else min(high, most), fixed)

    def text_pieces(self, formula: int) -> list[tuple[int, int, Language]]:
        """Split a string formula by length: disjoint (low, high or -1, language), empty ones left out."""
        formulas = self.formulas
        bounds: list[tuple[int, int]] = []
        for variable in formulas.support(formula):
            atom = formulas.value(variable)
            if isinstance(atom, TextLengthAtLeast):
                bounds.append((atom.length, variable))
        bounds.sort()
        pieces: list[tuple[int, int, Language]] = []
        low = 0
        for position in range(len(bounds) + 1):
            high = bounds[position][0] - 1 if position < len(bounds) else -1
            table = {
                variable: TRUE if index < position else FALSE for index, (_, variable) in enumerate(bounds)
            }
            rest = formulas.substitute(formula, table)
            language = self._formula_language(rest)
            shared = self._shared_text(rest)
            if shared is not None:
                self._shared[language] = shared
            if language is not self.languages.nothing and (high < 0 or low <= high):
                if pieces and pieces[-1][1] == low - 1 and pieces[-1][2] is language:
                    pieces[-1] = (pieces[-1][0], high, language)
                else:
                    pieces.append((low, high, language))
            low = high + 1
        return pieces

    def text_language(self, formula: int) -> Language:
        """Return the language of a string formula, its lengths counted by the language itself."""
        languages = self.languages
        return languages.union(
            *(
                language
                if (low, high) == (0, -1)
                else languages.intersection(
                    language,
                    languages.repeat(languages.any_character, low, None if high < 0 else high),
                )
                for low, high, language in self.text_pieces(formula)
            )
        )

    def _formula_language(self, formula: int) -> Language:
        """Return the language of a formula over `TextIn` and `SharedText` atoms."""
        languages = self.languages
        if formula <= TRUE:
            constant: Language = languages.any_text if formula == TRUE else languages.nothing
            return constant
        result = self._languages_of.get(formula)
        if result is None:
            order = [formula]
            known = self._languages_of
            while order:
                node = order[-1]
                variable, low, high = self.formulas.decompose(node)
                waiting = [child for child in (low, high) if child > TRUE and child not in known]
                if waiting:
                    order.extend(waiting)
                    continue
                order.pop()
                atom = cast(TextIn | SharedText, self.formulas.value(variable)).language
                then = self._formula_language(high)
                otherwise = self._formula_language(low)
                if then is languages.any_text:
                    known[node] = languages.union(atom, otherwise)
                elif otherwise is languages.any_text:
                    known[node] = languages.union(languages.complement(atom), then)
                else:
                    known[node] = languages.union(
                        languages.intersection(atom, then),
                        languages.intersection(languages.complement(atom), otherwise),
                    )
            return known[formula]
        return result

    # Numbers

    def lone_numbers(self, types: int) -> NumberAutomaton:
        """Return the automaton of the numbers of some types: see `SchemaNode.lone_types`."""
        options = self.options
        return _lone_numbers(types >> len(KINDS), options.numbers == "bounded", options.max_states)

    def number_automaton(self, goal: int, tracked: tuple[int, ...] = ()) -> NumberAutomaton:
        """Return the automaton of the numbers that satisfy `goal`; its outcomes tell the tracked."""
        wanted = self.component(goal, NUMBER)
        return self._number_automaton((wanted, *(self.component(formula, NUMBER) for formula in tracked)))

    def _number_automaton(self, key: tuple[int, ...]) -> NumberAutomaton:
        """Return the automaton of the numbers that satisfy the first formula; it tells the others."""
        automaton = self._number_automata.get(key)
        if automaton is None:
            formulas = self.formulas
            variables = sorted({v for formula in key for v in formulas.support(formula)})
            atoms = tuple(cast(Atom, formulas.value(variable)) for variable in variables)
            bits = {variable: bit for bit, variable in enumerate(variables)}
            automaton = number_automaton(
                atoms,
                self._truth(key[0], bits),
                self._outcomes(key[1:], bits),
                bounded=self.options.numbers == "bounded",
                max_states=self.options.max_states,
            )
            self._number_automata[key] = automaton
        return automaton

    def _truth(self, formula: int, bits: dict[int, int]) -> Callable[[int], bool]:
        formulas = self.formulas
        return lambda vector: formulas.evaluate(formula, lambda v: bool(vector >> bits[v] & 1))

    def _outcomes(self, watched: tuple[int, ...], bits: dict[int, int]) -> Callable[[int], int]:
        truths = [self._truth(formula, bits) for formula in watched]
        return lambda vector: sum(truth(vector) << bit for bit, truth in enumerate(truths))
