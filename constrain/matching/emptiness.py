"""Emptiness of goals: a least fixpoint, solved locally and lazily.

A goal is non-empty for a kind if some value of that kind satisfies it. Values are finite, so
non-emptiness is the *least* fixpoint also under negation. The solver evaluates a goal; when the
evaluation needs an undecided goal, that one goes first. A goal that is read while it is being
decided counts as empty for the moment, and whoever read it is evaluated again when it turns out
non-empty; only when nothing is left to evaluate is what remains empty. (The scheme of
top-down fixpoint solvers: Fecht and Seidl 1999.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.errors import LimitExceeded
from constrain.matching.atoms import ARRAY, NUMBER, OBJECT, STRING

if TYPE_CHECKING:
    from constrain.matching.algebra import Algebra

__all__ = ["Emptiness", "Plan"]

#: How a container is filled: (key, goal) for an object, (b"", goal) for an array, in order.
Plan = list[tuple[bytes, int]]


class _Undecided(Exception):
    """The evaluation needs this goal first; carries (goal, kind)."""


#: Kinds that are decided on the spot, in the order in which they are tried.
_SCALARS = (0, 1, 2, STRING, NUMBER)


class Emptiness:
    """Decides which goals have values, and remembers a finite way to build one of each."""

    def __init__(
        self,
        algebra: Algebra,
        plan_object: Callable[[int], Plan | None],
        plan_array: Callable[[int], Plan | None],
    ) -> None:
        self._algebra = algebra
        self._evaluators = {OBJECT: plan_object, ARRAY: plan_array}
        self._decided: dict[tuple[int, int], bool] = {}
        #: Final answers for all kinds together.
        self._known: dict[int, bool] = {}
        #: When a goal was proven non-empty; plans refer to earlier ones only, so they are finite.
        self._rank: dict[tuple[int, int], int] = {}
        self._plans: dict[tuple[int, int], Plan] = {}
        #: Goals of which some kind is ranked, or a scalar is known.
        self._proven: set[int] = set()
        # The state of one run of the solver.
        #: While it is on, goals in progress count as empty, and negative answers are not final.
        self.solving = False
        self._assumed_empty: set[tuple[int, int]] = set()
        self._readers: dict[tuple[int, int], set[tuple[int, int]]] = {}
        self._current: tuple[int, int] | None = None
        #: Goals that the current evaluation has read as empty: nothing is proven while it lasts.
        self._refused: set[int] = set()

    def is_nonempty(self, goal: int) -> bool:
        """Return whether some value satisfies `goal`."""
        if goal <= TRUE:
            return goal == TRUE
        if self.solving:
            return self._is_proven(goal)
        known = self._known.get(goal)
        if known is None:
            known = self._algebra.has_simple_value(goal) or self._has_some_kind(goal)
            self._known[goal] = known
        return known

    def _is_proven(self, goal: int) -> bool:
        """Return whether a goal has a value so far, while plans are made.

        That a glance sees some value is not enough then: what a plan refers to has to have a plan of its own
        already, or following plans would not end.
        """
        if goal in self._proven:
            return True
        if goal in self._refused:
            return False
        kind = self._algebra.flat_kind(goal)
        if kind >= ARRAY and (goal, kind) not in self._rank:
            self._prove((goal, kind), [])
        if kind >= 0 or self._has_some_kind(goal):
            self._proven.add(goal)
            return True
        self._refused.add(goal)
        return False

    def _prove(self, key: tuple[int, int], plan: Plan) -> None:
        self._decided[key] = True
        self._rank[key] = len(self._rank) + 1
        self._plans[key] = plan

    def _has_some_kind(self, goal: int) -> bool:
        kinds = self._algebra.kinds(goal)
        for kind in (*_SCALARS, ARRAY, OBJECT):
            if kinds >> kind & 1 and self.is_kind_nonempty(goal, kind):
                return True
        return False

    def has_kind(self, goal: int, kind: int) -> bool:
        """Return whether some value of `kind` satisfies `goal`; at a glance where one is enough."""
        if not self._algebra.kinds(goal) >> kind & 1:
            return False
        return self._algebra.has_simple_kind(goal, kind) or self.is_kind_nonempty(goal, kind)

    def is_kind_nonempty(self, goal: int, kind: int) -> bool:
        """Return whether some value of `kind` satisfies `goal`."""
        if goal <= TRUE:
            return goal == TRUE
        key = (goal, kind)
        known = self._decided.get(key)
        if known is not None:
            return known
        if kind < ARRAY:
            result = self._scalar_nonempty(goal, kind)
            self._decided[key] = result
            if result:
                self._rank[key] = 0
            return result
        if not self.solving:
            return self._solve(key)
        if key in self._assumed_empty:
            if self._current is not None:
                self._readers.setdefault(key, set()).add(self._current)
            return False
        raise _Undecided(key)

    def _scalar_nonempty(self, goal: int, kind: int) -> bool:
        formula = self._algebra.component(goal, kind)
        if formula <= TRUE:
            return formula == TRUE
        if kind == STRING:
            return not self._algebra.text_plan(goal).is_empty()
        if kind == NUMBER:
            return self._algebra.number_automaton(goal).start >= 0
        return False

    def _solve(self, root: tuple[int, int]) -> bool:
        self.solving = True
        budget = self._algebra.options.max_steps
        work = [root]
        try:
            while work:
                budget -= 1
                if budget & 0xFF == 0:
                    self._algebra.deadline.check()
                if budget < 0:
                    raise LimitExceeded(
                        "whether the schema can be satisfied was not decided within the budget",
                        limit=self._algebra.options.max_steps,
                        remedy="raise Options.max_steps or simplify the schema",
                    )
                key = work[-1]
                if key in self._decided:
                    work.pop()
                    continue
                self._assumed_empty.add(key)
                self._current = key
                self._refused.clear()
                goal, kind = key
                try:
                    plan = self._evaluate(goal, kind)
                except _Undecided as undecided:
                    work.append(undecided.args[0])
                    continue
                work.pop()
                if plan is not None:
                    self._prove(key, plan)
                    self._assumed_empty.discard(key)
                    work.extend(
                        reader for reader in self._readers.pop(key, ()) if reader not in self._decided
                    )
            for key in self._assumed_empty:
                self._decided[key] = False
        finally:
            self.solving = False
            self._current = None
            self._assumed_empty.clear()
            self._readers.clear()
        return self._decided[root]

    def _evaluate(self, goal: int, kind: int) -> Plan | None:
        formula = self._algebra.component(goal, kind)
        if formula <= TRUE:
            return None if formula == FALSE else []
        if self._algebra.flat_kind(goal) == kind:
            return []
        return self._evaluators[kind](formula)

    def first_kind(self, goal: int) -> tuple[int, Plan]:
        """Return a kind of which `goal` has values, and the plan of a value (for containers).

        The goals in the plan were proven non-empty before this one, so following plans ends.
        """
        if goal == TRUE:
            return 0, []
        kinds = self._algebra.kinds(goal)
        for kind in _SCALARS:
            if kinds >> kind & 1 and self.is_kind_nonempty(goal, kind):
                return kind, []
        self._has_some_kind(goal)
        # What was proven later has a higher rank, so the answer stays the same.
        _, kind = min(
            (self._rank[goal, kind], kind) for kind in (ARRAY, OBJECT) if (goal, kind) in self._rank
        )
        return kind, self._plans[goal, kind]

    def plan(self, goal: int, kind: int) -> Plan:
        """Return the plan of a container of this kind that satisfies `goal`."""
        if goal == TRUE:
            return []
        self.is_kind_nonempty(goal, kind)
        return self._plans[goal, kind]

    def open_members(self, goal: int, kind: int) -> list[int]:
        """Return the goals of the members in the plan of a container, each of which takes any value."""
        return list(dict.fromkeys(member for _, member in self.plan(goal, kind)))
