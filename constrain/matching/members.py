"""One member of an open container: what its value has to satisfy, and what it makes of the formula.

Reading a member is a derivative: each undecided atom that the member concerns becomes another
formula, which one depends on the value. `Judged` atoms ask whether the value satisfies a goal,
`Matched` atoms whether it is one of a few values. The goal of the value is the set of all those
values after which the container can still come true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from constrain.automata.formulas_cy import FALSE, TRUE, Formulas
from constrain.matching.cover import FEW_PATHS
from constrain.matching.values import Value

if TYPE_CHECKING:
    from constrain.matching.arrays import ArrayShape
    from constrain.matching.frames_cy import Goal
    from constrain.matching.machine import Machine
    from constrain.matching.objects import ObjectShape

__all__ = ["Effect", "Entry", "Judged", "Matched", "Repeated", "member_entry"]

#: A conjunction of literals: (variable, sign).
Cube: TypeAlias = list[tuple[int, bool]]
Shape: TypeAlias = "ObjectShape | ArrayShape"


@dataclass(frozen=True, slots=True)
class Judged:
    """An atom that asks whether the value satisfies a goal.

    Attributes:
        goal: what it asks.
        if_true, if_false: what the atom becomes.
    """

    goal: int
    if_true: int
    if_false: int


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """An atom that asks which of a few values the value is; it is false for all others.

    Attributes:
        cases: value -> what the atom becomes.
        any_case: the atom that is true if any case can still become so.
    """

    cases: dict[Value, int]
    any_case: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """The atom that all items differ.

    Attributes:
        goal: "the value is not among the earlier items".
        atom: the atom itself, which stays as it is if so, and is false otherwise.
    """

    goal: int
    atom: int


Effect = Judged | Matched | Repeated


#: A partition of the values of a member has at most so many classes, or two for each goal.
MAX_CLASSES = 64
#: Up to so many goals, implicants are no more work than classes of values.
FEW_GOALS = 3


class Entry:
    """One member of a container: the goal of its value and the shape after it.

    Attributes:
        goal: what the value has to satisfy, and what is watched about it.
        single: the shape that follows whatever the value, or `None` if it depends on it.
        may_repeat: whether the value may be that of an earlier item, which makes a difference.
    """

    __slots__ = ("_after", "_cases", "_make", "_repeated", "_tables", "goal", "may_repeat", "single")

    def __init__(
        self,
        goal: Goal,
        make: Callable[[dict[int, int]], Shape] | None,
        tables: list[tuple[dict[int, int], dict[int, int]]] | None = None,
        cases: dict[int, Matched] | None = None,
        repeated: int | None = None,
        *,
        single: Shape | None = None,
    ) -> None:
        """Make an entry.

        Args:
            make: the shape after given replacements of variables; `None` if `single` is given.
            tables: per tracked formula of `goal`, the replacements if it holds and if not.
            cases: variable -> the few values it asks for.
            repeated: the variable that becomes false if the value repeats an earlier one.
            single: the shape that follows whatever the value.
        """
        self.goal = goal
        self.single = single
        self.may_repeat = repeated is not None
        if make is None:
            return
        self._make = make
        self._tables = tables or []
        self._cases = cases or {}
        self._repeated = repeated
        self._after: dict[object, Shape] = {}
        if not self._tables and not self._cases and repeated is None:
            self.single = make({})

    def after(self, outcome: int, value: Value | None, is_repeated: bool) -> Shape:
        """Return the shape after a value.

        Args:
            outcome: which tracked formulas it satisfies, as bits.
            value: the value itself, if the container captures values.
            is_repeated: whether an earlier item is equal.
        """
        if self.single is not None:
            return self.single
        known = any(value in matched.cases for matched in self._cases.values())
        key = (outcome, value if known else None, is_repeated)
        shape = self._after.get(key)
        if shape is None:
            table: dict[int, int] = {}
            for bit, (if_true, if_false) in enumerate(self._tables):
                table.update(if_true if outcome >> bit & 1 else if_false)
            for variable, matched in self._cases.items():
                table[variable] = FALSE if value is None else matched.cases.get(value, FALSE)
            if self._repeated is not None and is_repeated:
                table[self._repeated] = FALSE
            shape = self._make(table)
            self._after[key] = shape
        return shape


@dataclass(frozen=True, slots=True)
class _Choice:
    """A literal that becomes `better` if the value satisfies `goal`, and otherwise the stronger `worse`."""

    goal: int
    better: int
    worse: int

    def hardest(self, formulas: Formulas) -> int:
        return self.worse

    def easiest(self) -> int:
        return self.better


@dataclass(frozen=True, slots=True)
class _Case:
    """A literal about a `Matched` atom."""

    matched: Matched
    sign: bool

    def hardest(self, formulas: Formulas) -> int:
        return FALSE if self.sign else formulas.negation(self.matched.any_case)

    def easiest(self) -> int:
        return self.matched.any_case if self.sign else TRUE


_Pending = _Choice | _Case


class _Wanted:
    """Finds the values of a member after which its container is feasible."""

    def __init__(self, machine: Machine, effects: dict[int, Effect], possible: Callable[[int], int]) -> None:
        self._algebra = machine.algebra
        self._formulas = machine.algebra.formulas
        self._in_values = machine.algebra.in_values
        self._effects = effects
        self._ask = possible
        self._answers: dict[int, int] = {}

    def _possible(self, formula: int) -> int:
        answer = self._answers.get(formula)
        if answer is None:
            answer = self._ask(formula)
            self._answers[formula] = answer
        return answer

    def of_classes(self, formula: int, classes: list[int]) -> int:
        """Return the goal of the values that leave `formula` feasible, class by class.

        Args:
            classes: a partition of the values by what all effects, `Judged` ones, ask.
        """
        algebra = self._algebra
        formulas = self._formulas
        alternatives = []
        for one in classes:
            table: dict[int, int] = {}
            for variable, effect in self._effects.items():
                assert isinstance(effect, Judged)
                is_outside = algebra.is_surely_empty(formulas.ite(one, effect.goal, FALSE))
                table[variable] = effect.if_false if is_outside else effect.if_true
            after = self._possible(formulas.substitute(formula, table))
            alternatives.append(formulas.ite(one, after, FALSE))
        return formulas.disjunction(alternatives)

    def of_cubes(self, cubes: Iterable[Cube]) -> int:
        """Return the goal of the values that leave some of these conjunctions feasible."""
        formulas = self._formulas
        # What the value decides -> what conjunctions that agree on it ask besides.
        groups: dict[tuple[frozenset[int], tuple[_Pending, ...]], list[int]] = {}
        for cube in cubes:
            kept = []
            demands: set[int] = set()
            pending: list[_Pending] = []
            for variable, sign in cube:
                literal = formulas.of_variable(variable)
                effect = self._effects.get(variable)
                if effect is None:
                    kept.append(literal if sign else formulas.negation(literal))
                elif isinstance(effect, Matched):
                    pending.append(_Case(effect, sign))
                else:
                    if isinstance(effect, Repeated):
                        effect = Judged(effect.goal, effect.atom, FALSE)
                    goal, better, worse = effect.goal, effect.if_true, effect.if_false
                    if not sign:
                        goal, better, worse = (
                            formulas.negation(goal),
                            formulas.negation(worse),
                            formulas.negation(better),
                        )
                    if goal == TRUE or worse == FALSE:
                        demands.add(goal)
                        kept.append(better)
                    elif goal == FALSE:
                        kept.append(worse)
                    else:
                        pending.append(_Choice(goal, better, worse))
            groups.setdefault((frozenset(demands), tuple(pending)), []).append(formulas.conjunction(kept))
        alternatives = []
        for (demanded, undecided), rests in groups.items():
            wanted = formulas.conjunction(demanded)
            if wanted != FALSE:
                after = self._after(formulas.disjunction(rests), list(undecided))
                alternatives.append(formulas.ite(wanted, after, FALSE))
                if alternatives[-1] == TRUE:
                    break
        return formulas.disjunction(alternatives)

    def _after(self, kept: int, pending: list[_Pending]) -> int:
        """Return the goal of the values that leave `kept` and what `pending` becomes feasible."""
        formulas = self._formulas
        if kept == FALSE:
            return FALSE
        hardest = self._possible(formulas.conjunction([kept, *(one.hardest(formulas) for one in pending)]))
        if hardest == TRUE or not pending:
            return hardest
        easiest = self._possible(formulas.conjunction([kept, *(one.easiest() for one in pending)]))
        if easiest == FALSE:
            return FALSE
        first, rest = pending[0], pending[1:]
        if isinstance(first, _Case):
            return self._after_case(kept, first, rest)
        now = self._after(formulas.conjunction([kept, first.better]), rest)
        later = self._after(formulas.conjunction([kept, first.worse]), rest)
        return formulas.ite(formulas.ite(first.goal, now, FALSE), TRUE, later)

    def _after_case(self, kept: int, case: _Case, rest: list[_Pending]) -> int:
        formulas = self._formulas
        groups: dict[int, list[Value]] = {}
        for value, literal in case.matched.cases.items():
            after = literal if case.sign else formulas.negation(literal)
            groups.setdefault(self._after(formulas.conjunction([kept, after]), rest), []).append(value)
        # Any other value makes the atom false; the few values have outcomes of their own.
        result = FALSE if case.sign else self._after(kept, rest)
        for wanted, values in groups.items():
            if wanted != result or case.sign:
                result = formulas.ite(self._in_values(values), wanted, result)
        return result


def member_entry(
    machine: Machine,
    formula: int,
    effects: dict[int, Effect],
    possible: Callable[[int], int],
    make: Callable[[dict[int, int]], Shape],
    split: Callable[[], tuple[list[Cube], dict[int, Effect]]] | None = None,
) -> Entry | None:
    """Return the entry of a member, or `None` if no value of it leaves the container feasible.

    Args:
        formula: what the container's goal has become, this member counted in.
        effects: per variable of an undecided atom, what the member's value makes of it.
        possible: the goal of the values of this member after which a formula can become true;
            that of a formula implies that of a weaker one.
        make: the shape after given replacements of variables.
        split: conjunctions whose disjunction is `formula`, for one with many implicants, and the
            effects of atoms that occur there alone.
    """
    formulas = machine.algebra.formulas
    wanted = _wanted(machine, formula, effects, possible, split)
    if not machine.emptiness.is_nonempty(wanted):
        return None
    settled: dict[int, int] = {}
    tables: dict[int, tuple[dict[int, int], dict[int, int]]] = {}
    cases: dict[int, Matched] = {}
    repeated: int | None = None
    for variable, effect in effects.items():
        if isinstance(effect, Matched):
            cases[variable] = effect
            continue
        if isinstance(effect, Repeated):
            if formulas.ite(wanted, effect.goal, TRUE) != TRUE:
                repeated = variable
            continue
        if formulas.ite(wanted, effect.goal, TRUE) == TRUE:
            settled[variable] = effect.if_true
        elif formulas.ite(wanted, effect.goal, FALSE) == FALSE:
            settled[variable] = effect.if_false
        else:
            if_true, if_false = tables.setdefault(effect.goal, ({}, {}))
            if_true[variable] = effect.if_true
            if_false[variable] = effect.if_false
    settled = {
        variable: after for variable, after in settled.items() if after != formulas.of_variable(variable)
    }
    return Entry(
        machine.goal(wanted, tuple(tables)),
        (lambda table: make({**settled, **table})) if settled else make,
        list(tables.values()),
        cases,
        repeated,
    )


def _wanted(
    machine: Machine,
    formula: int,
    effects: dict[int, Effect],
    possible: Callable[[int], int],
    split: Callable[[], tuple[list[Cube], dict[int, Effect]]] | None,
) -> int:
    """Return the goal of the values of a member after which `formula` can become true."""
    formulas = machine.algebra.formulas
    support = set(formulas.support(formula))
    asking = {variable: effect for variable, effect in effects.items() if variable in support}
    has_few_paths = formulas.n_paths(formula) <= FEW_PATHS
    goals = [effect.goal for effect in asking.values() if isinstance(effect, Judged)]
    if len(goals) == len(asking) and (not has_few_paths or len(goals) > FEW_GOALS):
        # Values by what they decide: few kinds of them if the goals are disjoint, as constants are.
        most = max(2 * len(goals), 1 if has_few_paths else MAX_CLASSES)
        classes = machine.algebra.partition(goals, most + 1)
        if len(classes) <= most:
            return _Wanted(machine, asking, possible).of_classes(formula, classes)
    if has_few_paths:
        return _Wanted(machine, asking, possible).of_cubes(formulas.implicants(formula))
    if split is None:
        return _Wanted(machine, asking, possible).of_cubes(formulas.implicants(formula))
    cubes, more = split()
    return _Wanted(machine, {**asking, **more}, possible).of_cubes(cubes)
