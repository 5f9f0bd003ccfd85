"""Residual feasibility of objects: can an open object still become what its formula asks for?

The formula is taken cube by cube. The atoms of one that must stay true give each further property
a goal; an `AllProperties` atom that must turn false needs a property that violates it; counts
bound the number of properties. Properties to come are *slots*: a slot may serve several atoms if
the conjunction of what they ask is not empty. The answer is a plan: the properties that make the
cube true, in an order in which they can be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, product

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.errors import LimitExceeded
from constrain.matching.algebra import Algebra
from constrain.matching.atoms import ARRAY, OBJECT, AllProperties, ObjectIn, PropertiesAtLeast, Required
from constrain.matching.cover import FEW_PATHS
from constrain.matching.emptiness import Plan
from constrain.matching.keys import Demands, KeySpace
from constrain.matching.object_face_cy import FEW_WORDS
from constrain.matching.slots import differing
from constrain.matching.values import Value

__all__ = ["plan_object"]

IsNonempty = Callable[[int], bool]
#: A slot's class: (0, index of a named key) or (1, free class vector, running number).
Slot = tuple[int, ...]


def plan_object(
    algebra: Algebra,
    is_nonempty: IsNonempty,
    keys: KeySpace,
    formula: int,
    *,
    present: int = 0,
    blocked: int = 0,
    taken: Iterable[bytes] = (),
    count: int = 0,
    including: int = 0,
    is_final: bool = False,
) -> Plan | None:
    """Return further properties that make `formula` true at the end, or `None` if there are none.

    Args:
        is_nonempty: tells whether a goal has values.
        present: the named keys that were written, as bits.
        blocked: the named keys that cannot be written any more, as bits; includes `present`.
        taken: the free keys that were written.
        count: the number of properties written.
        including: the named keys that the further properties have to include, as bits.
        is_final: what `is_nonempty` says now it will always say, so that it may be remembered.
    """
    search = _ObjectSearch(algebra, is_nonempty, keys, present, blocked, taken, count, including, is_final)
    # The first paths usually do; where they do not, cases tell the hopeless ones apart.
    for number, cube in enumerate(algebra.formulas.short_cubes(formula)):
        if number == FEW_PATHS:
            break
        plan = search.solve(cube)
        if plan is not None:
            return plan
    else:
        return None
    for cube in keys.cover.cubes(formula, present | blocked):
        plan = search.solve(cube)
        if plan is not None:
            return plan
    return None


class _ObjectSearch:
    """One question about one open object."""

    def __init__(
        self,
        algebra: Algebra,
        is_nonempty: IsNonempty,
        keys: KeySpace,
        present: int,
        blocked: int,
        taken: Iterable[bytes],
        count: int,
        including: int,
        is_final: bool,
    ) -> None:
        self.algebra = algebra
        self.formulas = algebra.formulas
        self.is_nonempty = is_nonempty
        self.keys = keys
        self.present = present
        self.blocked = blocked
        self.taken = taken
        self.count = count
        self.including = including
        self.is_final = is_final
        self.steps = algebra.options.max_steps
        self.keep = keys.kept(())
        #: The object that it has to be, and those that it must not be.
        self.fixed: Value | None = None
        self.outside: frozenset[Value] = frozenset()

    def solve(self, cube: list[tuple[int, bool]]) -> Plan | None:
        """Return a plan that makes this cube true, or `None`."""
        keep: list[Demands] = []
        violate: list[Demands] = []
        required = self.including
        absent: list[int] = []
        low, high = 0, -1
        within: frozenset[Value] | None = None
        outside: frozenset[Value] = frozenset()
        index = self.keys.index
        for variable, sign in cube:
            atom = self.formulas.value(variable)
            if isinstance(atom, AllProperties):
                (keep if sign else violate).append(self.keys.demands(atom))
            elif isinstance(atom, Required):
                bits = sum(1 << index[name] for name in atom.names)
                if sign:
                    required |= bits
                else:
                    absent.append(bits)
            elif isinstance(atom, PropertiesAtLeast):
                if sign:
                    low = max(low, atom.count)
                elif high < 0 or atom.count - 1 < high:
                    high = atom.count - 1
            elif isinstance(atom, ObjectIn):
                if not sign:
                    outside |= atom.values
                else:
                    within = atom.values if within is None else within & atom.values
        self.keep = self.keys.kept(tuple(keep))
        self.fixed = None
        self.outside = outside
        if within is None:
            return self._solve_bounded(violate, required, absent, low, high)
        self.outside = frozenset()
        for value in sorted(within - outside, key=lambda one: len(one.members)):
            size = len(value.members)
            if size < low or 0 <= high < size:
                continue
            self.fixed = value
            bits = sum(1 << index[key] for key in value.members)
            plan = self._solve_bounded(violate, required | bits, absent, size, size)
            if plan is not None:
                return plan
        return None

    def _solve_bounded(
        self, violate: list[Demands], required: int, absent: list[int], low: int, high: int
    ) -> Plan | None:
        if 0 <= high < low:
            return None
        missing = required & ~self.present
        if missing & self.blocked:
            return None
        if high >= 0 and self.count + missing.bit_count() > high:
            return None
        slots: dict[Slot, int] = {}
        for name in _bits(missing):
            goal = self._kept_goal((0, name))
            if not self.is_nonempty(goal):
                return None
            slots[0, name] = goal
        # One of the absent keys of each negated `Required` stays absent, whatever comes.
        choices = []
        for bits in absent:
            open_names = bits & ~self.present
            if open_names & self.blocked:
                continue
            candidates = list(_bits(open_names & ~missing))
            if not candidates:
                return None
            choices.append(candidates)
        for chosen in product(*choices) if choices else [()]:
            self._spend()
            forbidden = sum(1 << name for name in set(chosen))
            ordered = self._fewest_first(violate, forbidden)
            result = None if ordered is None else self._place(ordered, 0, dict(slots), low, high, forbidden)
            if result is not None:
                return self._write(result)
        return None

    def _spend(self) -> None:
        self.steps -= 1
        if self.steps & 0xFF == 0:
            self.algebra.deadline.check()
        if self.steps < 0:
            raise LimitExceeded(
                "which properties an object still needs was not decided within the budget",
                limit=self.algebra.options.max_steps,
                remedy="raise Options.max_steps or simplify the schema",
            )

    def _is_scalar(self, goal: int) -> bool:
        """Return whether no array and no object satisfies a goal, so that its emptiness is soon known."""
        component = self.algebra.component
        return component(goal, ARRAY) == FALSE and component(goal, OBJECT) == FALSE

    def _asked(self, demands: Demands, slot: Slot) -> int:
        return demands.of_named(slot[1]) if slot[0] == 0 else demands.of_free(slot[1])

    def _kept_goal(self, slot: Slot) -> int:
        goal = self.keep.of_named(slot[1]) if slot[0] == 0 else self.keep.of_free(slot[1])
        if self.fixed is None:
            return goal
        value = self.fixed.members.get(self.keys.names[slot[1]]) if slot[0] == 0 else None
        return FALSE if value is None else self.formulas.ite(self.algebra.in_values([value]), goal, FALSE)

    def _place(
        self,
        violate: list[Demands],
        position: int,
        slots: dict[Slot, int],
        low: int,
        high: int,
        forbidden: int,
    ) -> dict[Slot, int] | None:
        """Give each atom of `violate` from `position` on a slot, then fill up to `low`."""
        self._spend()
        if position == len(violate):
            return self._fill(slots, low, high, forbidden)
        demands = violate[position]
        for slot, goal, asked in self._asked_slots(demands, slots):
            if asked == TRUE or asked == goal:
                continue
            both = self.formulas.ite(asked, FALSE, goal)
            if self.is_nonempty(both):
                result = self._place(violate, position + 1, {**slots, slot: both}, low, high, forbidden)
                if result is not None:
                    return result
                if self._is_scalar(goal) and not self.is_nonempty(self.formulas.ite(asked, goal, FALSE)):
                    # The value turns the atom false anyway: whatever else would, asks for more.
                    return None
        if high >= 0 and self.count + len(slots) + 1 > high:
            return None
        for slot, both in self._new_slots(demands, slots, forbidden):
            if self.is_nonempty(both):
                result = self._place(violate, position + 1, {**slots, slot: both}, low, high, forbidden)
                if result is not None:
                    return result
        return None

    def _fewest_first(self, violate: list[Demands], forbidden: int) -> list[Demands] | None:
        """Return the atoms by how many keys can turn them false, so that conflicts show early.

        `None` if there is none for one of them.
        """
        if len(violate) < 2:
            return violate
        unusable = self.blocked | forbidden
        counted = []
        for place, demands in enumerate(violate):
            n_keys = len(self.keys.names) + 1
            if demands.only_named and self.is_final and self.fixed is None:
                n_keys = (self.keep.violable(demands, self.is_nonempty) & ~unusable).bit_count()
                if n_keys == 0:
                    return None
            elif demands.only_named:
                n_keys = sum(
                    not unusable >> name & 1 and self.is_nonempty(both)
                    for name, both in self._violations(demands)
                )
                if n_keys == 0:
                    return None
            counted.append((n_keys, place))
        return [violate[place] for _, place in sorted(counted)]

    def _asked_slots(self, demands: Demands, slots: dict[Slot, int]) -> list[tuple[Slot, int, int]]:
        """Return the slots of which something may be asked, with their goals and what is asked."""
        if demands.only_named and len(demands.asking) < len(slots):
            return [
                (slot, slots[slot], asked)
                for name, asked in demands.asking.items()
                if (slot := (0, name)) in slots
            ]
        return [(slot, goal, self._asked(demands, slot)) for slot, goal in slots.items()]

    def _violations(self, demands: Demands) -> list[tuple[int, int]]:
        """Return named keys with the goals of values that turn an atom about named keys false."""
        if self.fixed is None:
            return self.keep.violations(demands)
        return [
            (name, self.formulas.ite(asked, FALSE, self._kept_goal((0, name))))
            for name, asked in demands.asking.items()
        ]

    def _new_slots(
        self, demands: Demands, slots: dict[Slot, int], forbidden: int
    ) -> Iterator[tuple[Slot, int]]:
        """Yield a slot for each key that is free to take, with the values that turn an atom false.

        One for each free class will do.
        """
        unusable = self.blocked | forbidden
        if demands.only_named:
            for name, both in self._violations(demands):
                if not unusable >> name & 1 and (0, name) not in slots:
                    yield (0, name), both
            return
        new: list[Slot] = [
            (0, name)
            for name in range(len(self.keys.names))
            if not unusable >> name & 1 and (0, name) not in slots
        ]
        for vector in self.keys.free_classes():
            used = sum(1 for slot in slots if slot[0] == 1 and slot[1] == vector)
            room = self._room(vector)
            if room is None or used < room:
                new.append((1, vector, used))
        for slot in new:
            asked = self._asked(demands, slot)
            if asked != TRUE:
                yield slot, self.formulas.ite(asked, FALSE, self._kept_goal(slot))

    def _room(self, vector: int) -> int | None:
        """Return how many keys of a free class are left, `None` for no end."""
        words = self.keys.finite_words(vector)
        if words is None:
            return None
        taken = set(self.taken)
        return sum(1 for word in words if word not in taken)

    def _fill(self, slots: dict[Slot, int], low: int, high: int, forbidden: int) -> dict[Slot, int] | None:
        """Add properties up to `low` that leave the object none of `outside`."""
        if high >= 0 and self.count + len(slots) > high:
            return None
        if not self.outside:
            return self._fill_up(slots, low - self.count - len(slots), forbidden)
        named = self._open_names(slots, forbidden)
        most = len(named) + 1 if high < 0 else min(len(named) + 1, high - self.count - len(slots))
        for extra in range(max(0, low - self.count - len(slots)), most + 1):
            for n_named in range(min(extra, len(named)), -1, -1):
                for chosen in combinations(named, n_named):
                    self._spend()
                    filled = {**slots, **dict(chosen)}
                    if n_named < extra:
                        whole = self._fill_free(filled, extra - n_named)
                        if whole is None:
                            continue
                        filled = whole
                    for narrowed in differing(
                        self.algebra, self.is_nonempty, filled, self._alike(filled), self._spend
                    ):
                        return narrowed
        return None

    def _alike(self, slots: dict[Slot, int]) -> list[dict[Slot, Value]]:
        """Return those of `outside` whose properties still to come are exactly these."""
        if any(slot[0] == 1 for slot in slots):
            return []
        names = {slot: self.keys.names[slot[1]] for slot in slots}
        size = self.count + len(slots)
        return [
            {slot: value.members[name] for slot, name in names.items()}
            for value in self.outside
            if len(value.members) == size and all(name in value.members for name in names.values())
        ]

    def _open_names(self, slots: dict[Slot, int], forbidden: int) -> list[tuple[Slot, int]]:
        """Return the named keys that may be added, with their goals."""
        found = []
        for name in range(len(self.keys.names)):
            slot: Slot = (0, name)
            if not (self.blocked | forbidden) >> name & 1 and slot not in slots:
                goal = self._kept_goal(slot)
                if self.is_nonempty(goal):
                    found.append((slot, goal))
        return found

    def _fill_up(self, slots: dict[Slot, int], owed: int, forbidden: int) -> dict[Slot, int] | None:
        if owed <= 0:
            return slots
        for name in range(len(self.keys.names)):
            if owed == 0:
                return slots
            slot: Slot = (0, name)
            if (self.blocked | forbidden) >> name & 1 or slot in slots:
                continue
            goal = self._kept_goal(slot)
            if self.is_nonempty(goal):
                slots[slot] = goal
                owed -= 1
        return self._fill_free(slots, owed)

    def _fill_free(self, slots: dict[Slot, int], owed: int) -> dict[Slot, int] | None:
        for vector in self.keys.free_classes() if owed else ():
            goal = self._kept_goal((1, vector))
            if not self.is_nonempty(goal):
                continue
            room = self._room(vector)
            used = sum(1 for slot in slots if slot[0] == 1 and slot[1] == vector)
            take = owed if room is None else min(owed, room - used)
            if room is None and self.count + used + take > FEW_WORDS:
                # Many keys are wanted: even a class that is not listed may be too small.
                room = self.keys.n_words(vector)
                if room is not None:
                    room -= sum(self.keys.class_of(key) == vector for key in self.taken)
                    take = min(take, room - used)
            if take > 100_000:
                raise LimitExceeded("an object needs more than 100,000 further properties", limit=100_000)
            for number in range(used, used + take):
                slots[1, vector, number] = goal
            owed -= take
            if owed == 0:
                break
        return slots if owed <= 0 else None

    def _write(self, slots: dict[Slot, int]) -> Plan:
        """Turn slots into (key, goal), in an order that the text policy allows."""
        plan: Plan = []
        named = [(slot[1], goal) for slot, goal in slots.items() if slot[0] == 0]
        for name, goal in sorted(named, key=lambda item: self.keys.order[item[0]]):
            plan.append((self.keys.names[name], goal))
        for vector in sorted({slot[1] for slot in slots if slot[0] == 1}):
            goals = [goal for slot, goal in slots.items() if slot[0] == 1 and slot[1] == vector]
            plan.extend(zip(self.keys.fresh_keys(vector, self.taken, len(goals)), goals, strict=True))
        return plan


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
