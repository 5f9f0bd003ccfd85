"""Arrays while they are open: what the next item has to satisfy, and what it makes of the formula.

In the usual case the formula is a conjunction of positive `AllItems` atoms and lengths, and
nothing is tracked; then the shape never changes. Where items have to differ, the frame holds the
values that were read, and what the next item may be depends on them too.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.matching.array_plans import item_goal
from constrain.matching.atoms import AllItems, ArrayIn, DistinctItems, ItemsAtLeast, ItemsSatisfying
from constrain.matching.emptiness import Plan
from constrain.matching.members import Effect, Entry, Judged, Matched, Repeated, member_entry
from constrain.matching.values import Value

if TYPE_CHECKING:
    from constrain.matching.frames_cy import Frame
    from constrain.matching.machine import Machine

__all__ = ["ArrayShape"]


class ArrayShape:
    """What the formulas of an open array have become.

    Attributes:
        simple: the goal is a conjunction of positive atoms, lengths apart, and nothing is tracked.
        prefix: from this index on no item is asked for anything of its own.
        uniform_from: from this index on all items are alike and no length matters.
        captures: whether the values of items matter beyond what they satisfy.
        collects: whether all earlier values matter.
    """

    def __init__(self, machine: Machine, formula: int, tracked: tuple[int, ...]) -> None:
        self.machine = machine
        self.formula = formula
        self.tracked = tracked
        formulas = machine.algebra.formulas
        self._items: list[tuple[int, AllItems]] = []
        self._counts: list[tuple[int, int]] = []
        self._satisfying: list[tuple[int, ItemsSatisfying]] = []
        self._sets: list[tuple[int, ArrayIn]] = []
        self._distinct: int | None = None
        for variable in sorted({v for f in (formula, *tracked) for v in formulas.support(f)}):
            atom = formulas.value(variable)
            if isinstance(atom, AllItems):
                self._items.append((variable, atom))
            elif isinstance(atom, ItemsAtLeast):
                self._counts.append((variable, atom.count))
            elif isinstance(atom, ItemsSatisfying):
                self._satisfying.append((variable, atom))
            elif isinstance(atom, ArrayIn):
                self._sets.append((variable, atom))
            elif isinstance(atom, DistinctItems):
                self._distinct = variable
        self.collects = self._distinct is not None
        self.captures = self.collects or bool(self._sets)
        #: Whether values are captured for no more than to tell repeated items.
        self.only_collects = self.collects and not self._sets
        self._low = 0
        self._high = -1
        self.simple = self._read_conjunction()
        lengths = [len(array.items) + 1 for _, atom in self._sets for array in atom.values]
        self.prefix = max([0, *(len(atom.prefix) for _, atom in self._items)])
        self.uniform_from = max([self.prefix, *lengths, *(count for _, count in self._counts)])
        self._entries: dict[int, Entry | None] = {}

    def _read_conjunction(self) -> bool:
        if self._satisfying or self.captures:
            return False
        literals = self.machine.algebra.formulas.conjuncts(self.formula)
        if literals is None or any(formula > TRUE for formula in self.tracked):
            return False
        counts = dict(self._counts)
        for variable, sign in literals:
            if variable in counts:
                if sign:
                    self._low = max(self._low, counts[variable])
                elif self._high < 0 or counts[variable] - 1 < self._high:
                    self._high = counts[variable] - 1
            elif not sign:
                return False
        return True

    def _is_true(self, formula: int, frame: Frame) -> bool:
        """Return the value of a formula if the array ended now."""
        if formula <= TRUE:
            return formula == TRUE
        truths = {variable: frame.count >= count for variable, count in self._counts}
        truths.update((variable, False) for variable, _ in self._satisfying)
        for variable, atom in self._sets:
            truths[variable] = any(len(array.items) == frame.count for array in atom.values)
        return self.machine.algebra.formulas.evaluate(formula, lambda variable: truths.get(variable, True))

    def closable(self, frame: Frame) -> bool:
        """Return whether the array may end now."""
        if self.simple:
            return frame.count >= self._low and (self._high < 0 or frame.count <= self._high)
        return self._is_true(self.formula, frame)

    def outcome(self, frame: Frame) -> int:
        """Return which tracked formulas hold if the array ends now, as bits."""
        if not self.tracked:
            return 0
        return sum(self._is_true(formula, frame) << bit for bit, formula in enumerate(self.tracked))

    def entry(self, frame: Frame) -> Entry | None:
        """Return the entry of the next item, or `None` if no item may follow."""
        index = frame.count
        if self.simple:
            if 0 <= self._high <= index:
                return None
            index = min(index, self.prefix)
            if index not in self._entries:
                self._entries[index] = self._simple_entry(index)
            return self._entries[index]
        if self.collects:
            return self._general_entry(frame.count, frame.names)
        index = min(index, self.uniform_from)
        if index not in self._entries:
            self._entries[index] = self._general_entry(frame.count, ())
        return self._entries[index]

    def _simple_entry(self, index: int) -> Entry | None:
        goals = {item_goal(atom, index) for _, atom in self._items}
        goal = self.machine.algebra.formulas.conjunction(goals)
        if not self.machine.emptiness.is_nonempty(goal):
            return None
        return Entry(self.machine.goal(goal), None, single=self)

    def _general_entry(self, index: int, values: Collection[Value]) -> Entry | None:
        machine = self.machine
        formulas = machine.algebra.formulas
        decided = {variable: TRUE for variable, bound in self._counts if index + 1 >= bound}
        planner = machine.array_planner(count=index + 1, values=values, is_open=True)

        def make(table: dict[int, int]) -> ArrayShape:
            decisions = {**decided, **table}
            return machine.array_shape(
                formulas.substitute(self.formula, decisions),
                tuple(formulas.substitute(formula, decisions) for formula in self.tracked),
            )

        return member_entry(
            machine,
            formulas.substitute(self.formula, decided),
            self._effects(index, values),
            planner.possible,
            make,
        )

    def _effects(self, index: int, values: Collection[Value]) -> dict[int, Effect]:
        formulas = self.machine.algebra.formulas
        effects: dict[int, Effect] = {}
        for variable, atom in self._items:
            goal = item_goal(atom, index)
            if goal != TRUE:
                effects[variable] = Judged(goal, formulas.of_variable(variable), FALSE)
        for variable, satisfying in self._satisfying:
            fewer = TRUE
            if satisfying.count > 1:
                fewer = formulas.variable(ItemsSatisfying(satisfying.count - 1, satisfying.goal))
            effects[variable] = Judged(satisfying.goal, fewer, formulas.of_variable(variable))
        for variable, arrays in self._sets:
            cases: dict[Value, set[Value]] = {}
            for array in arrays.values:
                if len(array.items) > index:
                    cases.setdefault(array.items[index], set()).add(array)
            atoms = {
                value: formulas.variable(ArrayIn(frozenset(members))) for value, members in cases.items()
            }
            longer = frozenset(array for members in cases.values() for array in members)
            effects[variable] = Matched(atoms, formulas.variable(ArrayIn(longer)) if longer else FALSE)
        if self._distinct is not None:
            others = formulas.negation(self.machine.algebra.in_values(values))
            effects[self._distinct] = Repeated(others, formulas.of_variable(self._distinct))
        return effects

    def plan(self, frame: Frame) -> Plan | None:
        """Return the goals of further items that complete the array."""
        values = frame.names if self.collects else ()
        return self.machine.array_planner(count=frame.count, values=values).plan(self.formula)
