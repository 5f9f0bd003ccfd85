"""The values of a goal, where they are few: what arrays of different items have to share out.

A goal is *rich* beyond a limit if it has more values than that; then no earlier item can use it
up. Scalars are counted by their automata. Containers are enumerated: a witness, another one that
differs from it, and so on, unless some part of a witness is itself rich.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.automata.number_values import few_numbers
from constrain.automata.numbers_cy import Atom
from constrain.matching.atoms import ARRAY, KINDS, NUMBER, OBJECT, STRING, AllProperties, ItemsAtLeast
from constrain.matching.values import (
    LITERAL_VALUES,
    Value,
    array_value,
    fraction_value,
    number_value,
    object_value,
    string_value,
)

if TYPE_CHECKING:
    from constrain.matching.machine import Machine

__all__ = ["Population"]

#: More items than any budget lets be written.
_ENDLESS = 10**9


class Population:
    """Counts and enumerates the values of the goals of one machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._complete: dict[int, list[Value]] = {}
        self._more_than: dict[int, int] = {}
        #: The goals whose values are being counted.
        self._counting: set[int] = set()
        self._free_key_atoms: dict[object, int] = {}

    def few(self, goal: int, limit: int) -> list[Value] | None:
        """Return all values of `goal` if they are at most `limit`, else `None`."""
        if goal == TRUE:
            return None
        known = self._complete.get(goal)
        if known is not None:
            return known if len(known) <= limit else None
        if self._more_than.get(goal, -1) >= limit:
            return None
        if goal in self._counting:
            # Its values hold others of its own: there is no end of them.
            return None
        self._counting.add(goal)
        try:
            found: list[Value] = []
            for kind in KINDS:
                values = self._few_of_kind(goal, kind, limit - len(found))
                if values is None:
                    self._more_than[goal] = limit
                    return None
                found += values
        finally:
            self._counting.discard(goal)
        # While emptiness is being decided, goals in progress count as empty: not to be remembered.
        if not self._machine.emptiness.solving:
            self._complete[goal] = found
        return found

    def some(self, goal: int, count: int, avoid: Iterable[Value] = ()) -> list[Value]:
        """Return `count` different values of a goal that has so many outside `avoid`."""
        found: list[Value] = []
        used = set(avoid)
        while len(found) < count:
            value = self.witness(self._without(goal, used))
            found.append(value)
            used.add(value)
        return found

    def _without(self, goal: int, values: Iterable[Value]) -> int:
        algebra = self._machine.algebra
        return algebra.formulas.ite(algebra.in_values(values), FALSE, goal)

    def _few_of_kind(self, goal: int, kind: int, limit: int) -> list[Value] | None:
        machine = self._machine
        if not machine.emptiness.is_kind_nonempty(goal, kind):
            return []
        algebra = machine.algebra
        if kind in LITERAL_VALUES:
            return [LITERAL_VALUES[kind]] if limit >= 1 else None
        formula = algebra.component(goal, kind)
        if formula == TRUE:
            return None
        if kind == STRING:
            automaton = algebra.dfa(algebra.text_language(formula))
            words = automaton.words(automaton.start, limit)
            return None if words is None else [string_value(word) for word in words]
        if kind == NUMBER:
            formulas = algebra.formulas
            variables = formulas.support(formula)
            bits = {variable: bit for bit, variable in enumerate(variables)}
            numbers = few_numbers(
                tuple(cast(Atom, formulas.value(variable)) for variable in variables),
                lambda vector: formulas.evaluate(formula, lambda v: bool(vector >> bits[v] & 1)),
                limit,
            )
            return None if numbers is None else [fraction_value(number) for number in numbers]
        return self._few_containers(goal, kind, formula, limit)

    def _few_containers(self, goal: int, kind: int, formula: int, limit: int) -> list[Value] | None:
        if self._is_endless(kind, formula):
            return None
        machine = self._machine
        formulas = machine.algebra.formulas
        if any(self.few(member, limit) is None for member in machine.emptiness.open_members(goal, kind)):
            return None
        found: list[Value] = []
        rest = goal
        while machine.emptiness.is_kind_nonempty(rest, kind):
            if len(found) == limit:
                return None
            found.append(self._witness_of_kind(rest, kind))
            rest = formulas.ite(machine.algebra.in_values(found), FALSE, goal)
        return found

    def _is_endless(self, kind: int, formula: int) -> bool:
        """Return whether arrays grow, or objects have keys to choose from, without end."""
        machine = self._machine
        formulas = machine.algebra.formulas
        if kind == ARRAY:
            longer = formulas.conjunction([formula, formulas.variable(ItemsAtLeast(_ENDLESS))])
            return machine.plan_array(longer) is not None
        keys = machine.key_space((formula,))
        if all(keys.finite_words(vector) is not None for vector in keys.free_classes()):
            return False
        atom = self._free_key_atoms.get(keys)
        if atom is None:
            only_named = AllProperties(dict.fromkeys(keys.names, TRUE), (), FALSE)
            atom = formulas.negation(formulas.variable(only_named))
            self._free_key_atoms[keys] = atom
        plan = machine.plan_object(formulas.conjunction([formula, atom]))
        if plan is None:
            return False
        return any(key not in keys.index and keys.finite_words(keys.class_of(key)) is None for key, _ in plan)

    # Witnesses

    def witness(self, goal: int) -> Value:
        """Return a value that satisfies a non-empty goal."""
        if goal == TRUE:
            return LITERAL_VALUES[0]
        kind, _ = self._machine.emptiness.first_kind(goal)
        return self._witness_of_kind(goal, kind)

    def _witness_of_kind(self, goal: int, kind: int) -> Value:
        algebra = self._machine.algebra
        if kind in LITERAL_VALUES:
            return LITERAL_VALUES[kind]
        if kind == NUMBER:
            number = algebra.number_automaton(goal)
            return number_value(number.completion(number.start))
        if kind == STRING:
            return string_value(algebra.text_plan(goal).witness())
        # Each step goes to goals that were proven non-empty earlier, so this ends.
        plan = self._machine.emptiness.plan(goal, kind)
        members = [(key, self.witness(member)) for key, member in plan]
        if kind == OBJECT:
            return object_value(dict(members))
        return array_value([value for _, value in members])
