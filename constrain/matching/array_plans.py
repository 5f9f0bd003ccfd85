"""Residual feasibility of arrays: can an open array still become what its formula asks for?

The formula is taken cube by cube. `AllItems` atoms that stay true give each further item a goal;
those that must turn false need an item that violates them; `ItemsSatisfying` atoms need items that
satisfy a goal, or bound how many may. The search goes through the items to come, index by index
and in one step where all further items are alike, and decides which of these each item serves.
Items that have to differ are then a matter of matching: each must get a value of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import chain

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.errors import LimitExceeded
from constrain.matching.algebra import Algebra
from constrain.matching.atoms import AllItems, ArrayIn, DistinctItems, ItemsAtLeast, ItemsSatisfying
from constrain.matching.emptiness import Plan
from constrain.matching.population import Population
from constrain.matching.slots import differing, distinct_choice
from constrain.matching.values import Value

__all__ = ["ArrayPlanner", "LongPlan"]

IsNonempty = Callable[[int], bool]
#: How many further items a plan lists.
MAX_LISTED = 1_000_000
#: Up to so many items to come are matched with values one by one.
MAX_MATCHED = 20_000

#: (goal, how many items in a row have it).
Run = tuple[int, int]
#: (index, needs left, allowances left, violations left) of a search.
State = tuple[int, tuple[int, ...], tuple[int, ...], frozenset[int]]


class LongPlan(list[tuple[bytes, int]]):
    """The plan of an array of more items than should be listed; its length is refused when used."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        raise LimitExceeded(
            f"the shortest completion has {self.length} more items", limit=MAX_LISTED, remedy="lower minItems"
        )


@dataclass(slots=True)
class _Demands:
    """What one cube asks of the items to come.

    Attributes:
        keep, violate: `AllItems` atoms that stay true, or turn false.
        needs: (goal, how many items still have to satisfy it).
        allowances: (goal, how many items may still satisfy it).
        low, high: bounds on the length, -1 for none.
        distinct: whether all items differ (1), two are equal (-1), or neither is asked (0).
        within: the arrays of which it is one, if it is.
        outside: arrays that it is not.
    """

    keep: list[AllItems] = field(default_factory=list)
    violate: list[AllItems] = field(default_factory=list)
    needs: dict[int, int] = field(default_factory=dict)
    allowances: dict[int, int] = field(default_factory=dict)
    low: int = 0
    high: int = -1
    distinct: int = 0
    within: frozenset[Value] | None = None
    outside: set[Value] = field(default_factory=set)
    #: The array of `within` that is being tried.
    fixed: Value | None = None


class ArrayPlanner:
    """Questions about one open array.

    Args:
        is_nonempty: tells whether a goal has values.
        population: enumerates the values of goals.
        count: the number of items written or begun.
        values: the items written, if they are known.
        is_open: whether item `count - 1` is still to be read: its effects are in the formula, but
            which value it is remains open.
    """

    def __init__(
        self,
        algebra: Algebra,
        is_nonempty: IsNonempty,
        population: Population,
        *,
        count: int = 0,
        values: Collection[Value] = (),
        is_open: bool = False,
    ) -> None:
        self._algebra = algebra
        self._formulas = algebra.formulas
        self._is_nonempty = is_nonempty
        self._population = population
        self._count = count
        self._values = values
        self._is_open = is_open
        self._steps = algebra.options.max_steps

    def plan(self, formula: int) -> Plan | None:
        """Return the goals of further items that make `formula` true at the end, or `None`."""
        for cube in self._formulas.short_cubes(formula):
            for demands in self._demands(cube):
                for runs in self._solutions(demands):
                    plan = self._written(demands, runs)
                    if plan is not None:
                        return plan
        return None

    def possible(self, formula: int) -> int:
        """Return the goal of the values of the open item after which `formula` can become true."""
        result = FALSE
        for cube in self._formulas.short_cubes(formula):
            for demands in self._demands(cube):
                for runs in self._solutions(demands):
                    result = self._formulas.ite(self._admitted(demands, runs), TRUE, result)
                    if result == TRUE:
                        return TRUE
                    if not demands.distinct:
                        break
        return result

    def _spend(self) -> None:
        self._steps -= 1
        if self._steps & 0xFF == 0:
            self._algebra.deadline.check()
        if self._steps < 0:
            raise LimitExceeded(
                "which items an array still needs was not decided within the budget",
                limit=self._algebra.options.max_steps,
                remedy="raise Options.max_steps or simplify the schema",
            )

    # Reading a cube

    def _demands(self, cube: list[tuple[int, bool]]) -> Iterator[_Demands]:
        """Yield what a cube asks, once for each array that it may have to be."""
        demands = _Demands()
        for variable, sign in cube:
            self._read(demands, self._formulas.value(variable), sign)
        if demands.within is None:
            yield demands
            return
        for array in sorted(demands.within - demands.outside, key=lambda one: len(one.items)):
            length = len(array.items)
            if length >= max(demands.low, self._count) and not 0 <= demands.high < length:
                yield _Demands(
                    demands.keep,
                    demands.violate,
                    demands.needs,
                    demands.allowances,
                    length,
                    length,
                    demands.distinct,
                    fixed=array,
                )

    def _read(self, demands: _Demands, atom: object, sign: bool) -> None:
        if isinstance(atom, AllItems):
            (demands.keep if sign else demands.violate).append(atom)
        elif isinstance(atom, ItemsAtLeast):
            if sign:
                demands.low = max(demands.low, atom.count)
            elif demands.high < 0 or atom.count - 1 < demands.high:
                demands.high = atom.count - 1
        elif isinstance(atom, ItemsSatisfying):
            if sign:
                demands.needs[atom.goal] = max(atom.count, demands.needs.get(atom.goal, 0))
            else:
                known = demands.allowances.get(atom.goal, atom.count - 1)
                demands.allowances[atom.goal] = min(atom.count - 1, known)
        elif isinstance(atom, DistinctItems):
            demands.distinct = 1 if sign else -1
        elif isinstance(atom, ArrayIn):
            if sign:
                within = demands.within
                demands.within = atom.values if within is None else within & atom.values
            else:
                demands.outside |= atom.values

    # The search

    def _solutions(self, demands: _Demands) -> Iterator[list[Run]]:
        """Yield ways to fill the items to come, shortest first as far as longer ones can matter."""
        low = max(demands.low, self._count)
        if 0 <= demands.high < low:
            return
        if not demands.outside and demands.distinct >= 0:
            yield from self._fillings(demands, low)
            return
        # An array of another length differs, and a further item may repeat an earlier one.
        most = max([low, self._uniform_from(demands), *(len(array.items) for array in demands.outside)])
        most += sum(demands.needs.values()) + len(demands.violate) + 2
        if demands.high >= 0:
            most = min(most, demands.high)
        for length in range(low, most + 1):
            for runs in self._fillings(demands, length):
                yield from self._unlike(demands, runs)

    def _unlike(self, demands: _Demands, runs: list[Run]) -> Iterator[list[Run]]:
        """Yield narrower goals under which the array is none of `outside`."""
        length = self._count + sum(times for _, times in runs)
        members = [
            dict(enumerate(array.items[self._count :]))
            for array in demands.outside
            if len(array.items) == length
        ]
        if not members:
            yield runs
            return
        slots = dict(enumerate(_listed(runs)))
        for narrowed in differing(self._algebra, self._is_nonempty, slots, members, self._spend):
            yield [(goal, 1) for goal in narrowed.values()]

    def _uniform_from(self, demands: _Demands) -> int:
        atoms = (*demands.keep, *demands.violate)
        return max([self._count, *(len(atom.prefix) for atom in atoms)])

    def _kept(self, demands: _Demands, index: int) -> int:
        goals = {item_goal(atom, index) for atom in demands.keep}
        if demands.fixed is not None:
            goals.add(self._algebra.in_values([demands.fixed.items[index]]))
        return self._formulas.conjunction(goals)

    def _fillings(self, demands: _Demands, low: int) -> Iterator[list[Run]]:
        """Yield goals of further items, at least up to index `low`, that serve all demands."""
        start: State = (
            self._count,
            tuple(demands.needs.values()),
            tuple(demands.allowances.values()),
            frozenset(range(len(demands.violate))),
        )

        def is_done(state: State) -> bool:
            return state[0] >= low and not any(state[1]) and not state[3]

        if is_done(start):
            yield []
            return
        failed: set[State] = set()
        path: list[Run] = []
        stack = [(start, self._options(demands, low, start))]
        fruitful = [False]
        while stack:
            option = next(stack[-1][1], None)
            if option is None:
                state, _ = stack.pop()
                if fruitful.pop():
                    if fruitful:
                        fruitful[-1] = True
                else:
                    failed.add(state)
                if path:
                    path.pop()
                continue
            run, state = option
            if state in failed:
                continue
            self._spend()
            if is_done(state):
                fruitful[-1] = True
                yield [*path, run]
                continue
            path.append(run)
            stack.append((state, self._options(demands, low, state)))
            fruitful.append(False)

    def _options(self, demands: _Demands, low: int, state: State) -> Iterator[tuple[Run, State]]:
        """Yield what the next item or run of items can be, and the state behind it."""
        index, needs, allowances, violations = state
        room = demands.high - index if demands.high >= 0 else MAX_LISTED**2
        if room < max(needs, default=0) or room <= 0:
            return
        base = self._kept(demands, index)
        if not self._is_nonempty(base):
            return
        is_uniform = index >= self._uniform_from(demands) and demands.fixed is None
        is_filler_time = not any(needs) and not violations
        for goal, served, spent, violated in self._choices(demands, state, base):
            times = 1
            if is_uniform:
                if violated:
                    times = 1
                elif served:
                    times = min([room, *(needs[j] for j in served), *(allowances[j] for j in spent)])
                elif is_filler_time:
                    times = min([room, low - index, *(allowances[j] for j in spent)])
                else:
                    # Where all items are alike, one that serves nothing now can come later.
                    continue
            for count in (times, 1) if times > 1 else (1,):
                yield (
                    (goal, count),
                    (
                        index + count,
                        tuple(max(0, need - count) if j in served else need for j, need in enumerate(needs)),
                        tuple(left - count if j in spent else left for j, left in enumerate(allowances)),
                        violations - violated,
                    ),
                )

    def _choices(
        self, demands: _Demands, state: State, base: int
    ) -> Iterator[tuple[int, frozenset[int], frozenset[int], frozenset[int]]]:
        """Yield (goal, needs served, allowances spent, violations done) of one item, useful ones first."""
        index, needs, allowances, violations = state
        formulas = self._formulas
        # (what to do, number, goal that makes it so)
        factors: list[tuple[str, int, int]] = []
        for number in sorted(violations):
            asked = item_goal(demands.violate[number], index)
            if asked != TRUE:
                factors.append(("violate", number, formulas.negation(asked)))
        factors += [("serve", number, goal) for number, goal in enumerate(demands.needs) if needs[number] > 0]
        factors += [
            ("spare", number, formulas.negation(goal)) for number, goal in enumerate(demands.allowances)
        ]
        none: frozenset[int] = frozenset()
        work = [(0, base, none, none, none)]
        while work:
            place, goal, served, spent, violated = work.pop()
            if place == len(factors):
                yield goal, served, spent, violated
                continue
            what, number, wish = factors[place]
            # Pushed in reverse: the second alternative first.
            if what == "spare":
                if allowances[number] > 0:
                    work.append((place + 1, goal, served, spent | {number}, violated))
            else:
                work.append((place + 1, goal, served, spent, violated))
            both = formulas.ite(wish, goal, FALSE)
            if self._is_nonempty(both):
                if what == "serve":
                    served = served | {number}
                elif what == "violate":
                    violated = violated | {number}
                work.append((place + 1, both, served, spent, violated))

    # Different and equal items

    def _admitted(self, demands: _Demands, runs: list[Run]) -> int:
        """Return the goal of the values of the open item with which these items work."""
        if demands.distinct == 0:
            return TRUE
        if demands.distinct < 0:
            return self._repeating(runs)
        found = self._shared_out(runs)
        if found is None:
            return FALSE
        choices, chosen = found
        breaking = [
            value
            for value in (dict.fromkeys(chosen) if self._is_open else ())
            if distinct_choice(choices, without=value) is None
        ]
        return self._formulas.negation(self._algebra.in_values(breaking))

    def _shared_out(self, runs: list[Run]) -> tuple[list[list[Value]], list[Value]] | None:
        """Return the choices of the items that have few, and a different one for each of them."""
        total = sum(times for _, times in runs)
        used = set(self._values)
        enough = total + self._is_open
        choices: list[list[Value]] = []
        for goal, times in runs:
            few = self._population.few(goal, enough + len(used) - 1)
            if few is None:
                continue
            left = [value for value in few if value not in used]
            if len(left) >= enough:
                continue
            if times > len(left) or len(choices) + times > MAX_MATCHED:
                return None
            choices += [left] * times
        chosen = distinct_choice(choices)
        return None if chosen is None else (choices, chosen)

    def _repeating(self, runs: list[Run]) -> int:
        """Return the goal of the values of the open item with which two items can be equal."""
        formulas = self._formulas
        if self._pair(runs) is not None:
            return TRUE
        # The open item itself may be repeated.
        return formulas.disjunction({goal for goal, _ in runs}) if self._is_open else FALSE

    def _pair(self, runs: list[Run]) -> tuple[tuple[int, ...], int] | None:
        """Return (places of items to come, the goal they share) so that two items are equal."""
        formulas = self._formulas
        goals = _listed(runs)
        earlier = self._algebra.in_values(self._values)
        for place, goal in enumerate(goals):
            both = formulas.ite(goal, earlier, FALSE)
            if self._is_nonempty(both):
                return (place,), both
        seen: dict[int, int] = {}
        for place, goal in enumerate(goals):
            for other, first in seen.items():
                both = formulas.ite(goal, other, FALSE)
                if self._is_nonempty(both):
                    return (first, place), both
            seen.setdefault(goal, place)
        return None

    def _written(self, demands: _Demands, runs: list[Run]) -> Plan | None:
        """Return the plan that a way to fill the items makes, or `None` if its values clash."""
        total = sum(times for _, times in runs)
        if demands.distinct > 0:
            if self._shared_out(runs) is None:
                return None
        elif demands.distinct < 0:
            pair = self._pair(runs)
            if pair is None:
                return None
            goals = _listed(runs)
            places, shared = pair
            goals = [
                self._algebra.in_values([self._population.witness(shared)]) if place in places else goal
                for place, goal in enumerate(goals)
            ]
            return [(b"", goal) for goal in goals]
        if total > MAX_LISTED:
            return LongPlan(total)
        if demands.distinct > 0 and (total > 1 or self._values):
            return _DistinctPlan(total, lambda: self._distinct_goals(runs))
        return [(b"", goal) for goal, times in runs for _ in range(times)]

    def _distinct_goals(self, runs: list[Run]) -> list[int]:
        """Return goals of one value each, all different and different from the earlier items."""
        found = self._shared_out(runs)
        assert found is not None
        chosen = iter(found[1])
        used = {*self._values, *found[1]}
        enough = sum(times for _, times in runs) + self._is_open
        goals = []
        for goal, times in runs:
            few = self._population.few(goal, enough + len(set(self._values)) - 1)
            if few is not None and sum(value not in set(self._values) for value in few) < enough:
                values = [next(chosen) for _ in range(times)]
            else:
                values = self._population.some(goal, times, used)
                used.update(values)
            goals += [self._algebra.in_values([value]) for value in values]
        return goals


def _listed(runs: list[Run]) -> list[int]:
    """Return the goal of each item."""
    total = sum(times for _, times in runs)
    if total > MAX_LISTED:
        raise LimitExceeded(f"an array needs {total} further items", limit=MAX_LISTED)
    return list(chain.from_iterable([goal] * times for goal, times in runs))


class _DistinctPlan(list[tuple[bytes, int]]):
    """A plan of different items, whose values are chosen when it is used."""

    def __init__(self, length: int, make: Callable[[], list[int]]) -> None:
        super().__init__()
        self._length = length
        self._make = make

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        if self._length and not super().__len__():
            self.extend((b"", goal) for goal in self._make())
        return super().__iter__()


def item_goal(atom: AllItems, index: int) -> int:
    """Return what an atom asks of the item at an index."""
    return atom.prefix[index] if index < len(atom.prefix) else atom.rest
