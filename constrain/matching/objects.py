"""Objects while they are open: which keys may come next, and what a property makes of the formula.

A *shape* is what a container's formula has become: the formula of its goal and one for each
tracked sub-schema. What a property does to it is an `Entry`, see `members`.

In the usual case the formula is a conjunction of positive atoms and nothing is tracked; then
the shape never changes, and what may follow depends on a few bits of the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.automata.lazy_dfa_cy import LazyDfa
from constrain.errors import LimitExceeded
from constrain.matching.atoms import AllProperties, ObjectIn, PropertiesAtLeast, Required
from constrain.matching.emptiness import Plan
from constrain.matching.keys import KeySpace
from constrain.matching.members import Cube, Effect, Entry, Judged, Matched, member_entry
from constrain.matching.object_face_cy import FEW_WORDS, ObjectFace
from constrain.matching.object_plans import plan_object
from constrain.matching.values import Value

if TYPE_CHECKING:
    from constrain.matching.frames_cy import Frame
    from constrain.matching.machine import Machine

__all__ = ["ObjectShape", "Offer"]

_UNKNOWN: Any = object()

#: Which keys may follow: (named keys as bits, whether free keys, the automaton of free keys or
#: `None`, whether free keys never run out so that every key text can still become a new one).
Offer = tuple[int, bool, "LazyDfa | None", bool]


class ObjectShape(ObjectFace):
    """What the formulas of an open object have become.

    Attributes:
        captures: whether the values of properties matter beyond what they satisfy.
    """

    #: Which earlier properties there were matters by their names alone.
    collects = False

    def __init__(self, machine: Machine, keys: KeySpace, formula: int, tracked: tuple[int, ...]) -> None:
        super().__init__()
        self.in_any_order = machine.algebra.options.property_order == "any"
        self.machine = machine
        self.keys = keys
        self.formula = formula
        self.tracked = tracked
        formulas = machine.algebra.formulas
        values = formulas.values
        self._maps: list[tuple[int, AllProperties]] = []
        self._required: list[tuple[int, int]] = []
        self._counts: list[tuple[int, int]] = []
        self._sets: list[tuple[int, ObjectIn]] = []
        variables = formulas.support(formula)
        if tracked:
            more = (variable for one in tracked for variable in formulas.support(one))
            variables = tuple(sorted({*variables, *more}))
        for variable in variables:
            atom = values[variable]
            if isinstance(atom, AllProperties):
                self._maps.append((variable, atom))
            elif isinstance(atom, Required):
                self._required.append((variable, keys.bits(atom.names)))
            elif isinstance(atom, PropertiesAtLeast):
                self._counts.append((variable, atom.count))
            elif isinstance(atom, ObjectIn):
                self._sets.append((variable, atom))
        self.captures = bool(self._sets)
        self.only_collects = False
        self.simple = self._read_conjunction()
        self._named_entries: dict[object, Entry | None] = {}
        self._offers: dict[object, Offer] = {}
        self._free_entries: dict[object, Entry | None] = {}
        self._asked: dict[int, int] | None = None
        #: Named keys that may follow whatever the frame is, as bits; -1 if they were not found yet.
        self._always_offered = -1

    def _asking(self) -> dict[int, int]:
        """Return, per atom that asks something of named keys alone, those keys as bits."""
        if self._asked is None:
            self._asked = {
                variable: self.keys.bits(name for name, goal in atom.names.items() if goal != TRUE)
                for variable, atom in self._maps
                if atom.rest == TRUE and not atom.patterns
            }
        return self._asked

    def _read_conjunction(self) -> bool:
        formulas = self.machine.algebra.formulas
        literals = formulas.conjuncts(self.formula)
        if literals is None or (self.tracked and any(formula > TRUE for formula in self.tracked)):
            return False
        if self.captures or self.machine.algebra.options.property_order != "any":
            return False
        required = dict(self._required)
        counts = dict(self._counts)
        for variable, sign in literals:
            if variable in counts:
                if sign:
                    self.low = max(self.low, counts[variable])
                elif self.high < 0 or counts[variable] - 1 < self.high:
                    self.high = counts[variable] - 1
            elif not sign:
                return False
            elif variable in required:
                self.needed |= required[variable]
        # A free class that can run out makes a lower bound a matter of search.
        return not self.keys.patterns or not any(
            self.keys.finite_words(vector) is not None for vector in self._free_classes()
        )

    def _free_classes(self) -> list[int]:
        """Return the free classes that may matter: none for a closed object without patterns."""
        if not self.keys.patterns:
            if any(atom.rest == FALSE for _, atom in self._maps) and self.simple_rest_is_kept():
                return []
            return [0]
        return self.keys.free_classes()

    def simple_rest_is_kept(self) -> bool:
        """Return whether some atom that must stay true closes the object to other keys."""
        literals = self.machine.algebra.formulas.conjuncts(self.formula)
        if literals is None:
            return False
        maps = dict(self._maps)
        return any(sign and variable in maps and maps[variable].rest == FALSE for variable, sign in literals)

    # What the frame asks

    def _is_true(self, formula: int, frame: Frame) -> bool:
        """Return the value of a formula if the object ended now."""
        if formula <= TRUE:
            return formula == TRUE
        required = dict(self._required)
        truths = {variable: frame.count >= count for variable, count in self._counts}
        for variable, atom in self._sets:
            truths[variable] = any(len(value.members) == frame.count for value in atom.values)

        def truth(variable: int) -> bool:
            if variable in required:
                return not required[variable] & ~frame.present
            return bool(truths.get(variable, True))

        return self.machine.algebra.formulas.evaluate(formula, truth)

    def closable(self, frame: Frame) -> bool:
        """Return whether the object may end now."""
        at_once = self.closes_at_once(frame.present, frame.count)
        return bool(at_once) if at_once >= 0 else self._is_true(self.formula, frame)

    def outcome(self, frame: Frame) -> int:
        """Return which tracked formulas hold if the object ends now, as bits."""
        if not self.tracked:
            return 0
        return sum(self._is_true(formula, frame) << bit for bit, formula in enumerate(self.tracked))

    def _context(self, frame: Frame) -> object:
        """Return what the possible continuations depend on besides the shape."""
        names: object = 0
        if self.keys.patterns and any(
            self.keys.finite_words(vector) is not None for vector in self.keys.free_classes()
        ):
            names = frozenset(frame.names)
        elif frame.count > FEW_WORDS:
            names = tuple(self.keys.is_used_up(vector, frame.names) for vector in self._all_classes())
        return (frame.present, frame.blocked, frame.count if self._counts or self._sets else 0, names)

    def offer(self, frame: Frame) -> Offer:
        """Return which keys may follow."""
        if self.simple:
            return self._simple_offer(frame)
        context = self._context(frame)
        offer = self._offers.get(context)
        if offer is None:
            offer = self._general_offer(frame)
            self._offers[context] = offer
        return offer

    def _simple_offer(self, frame: Frame) -> Offer:
        missing = self.needed & ~frame.present
        room = -1 if self.high < 0 else self.high - frame.count
        if room == missing.bit_count():
            return missing, False, None, False
        if self.rest is None:
            self.offered = self._find_simple_names()
            self.rest = self._find_simple_rest(frame)
        names = self.offered & ~frame.blocked
        if frame.count <= FEW_WORDS or not self.rest[0]:
            return (names, *self.rest)
        offered = [
            vector
            for vector in self._free_classes()
            if self._free_entry_simple(vector) is not None and not self.keys.is_used_up(vector, frame.names)
        ]
        return (names, *self._free_part(offered, len(offered) == len(self._all_classes()), frame))

    def _find_simple_names(self) -> int:
        """Return the named keys that a conjunctive shape offers, as bits."""
        keys = self.keys
        names = 0
        if len(self._maps) == 1 and not keys.patterns:
            # Most objects: what a glance tells is enough for most keys.
            names = keys.bits(self._maps[0][1].surely_have_values())
        is_nonempty = self.machine.emptiness.is_nonempty
        missing = keys.all_names & ~names
        while missing:
            bit = missing & -missing
            missing ^= bit
            if is_nonempty(self._simple_named_goal(bit.bit_length() - 1)):
                names |= bit
        return names

    def _find_simple_rest(self, frame: Frame) -> tuple[bool, LazyDfa | None, bool]:
        """Return what a conjunctive shape offers besides named keys while few free ones were written."""
        keys = self.keys
        if keys.patterns:
            offered = [v for v in self._free_classes() if self._free_entry_simple(v) is not None]
            return self._free_part(offered, len(offered) == len(self._all_classes()), frame)
        for _, atom in self._maps:
            if atom.rest == FALSE:
                return False, None, False
        return (False, None, False) if self._free_entry_simple(0) is None else (True, keys.automaton, True)

    def _all_classes(self) -> list[int]:
        return self.keys.free_classes() if self.keys.patterns else [0]

    def _free_part(
        self, offered: list[int], everything: bool, frame: Frame
    ) -> tuple[bool, LazyDfa | None, bool]:
        if not offered:
            return False, None, False
        keys = self.keys
        if everything and all(keys.finite_words(vector) is None for vector in offered):
            return True, keys.automaton, True
        algebra = keys.algebra
        languages = algebra.languages
        language = languages.union(*(keys.free_language(vector) for vector in offered))
        written = [
            word for vector in offered for word in keys.finite_words(vector) or () if word in frame.names
        ]
        if written:
            language = languages.intersection(language, languages.complement(languages.literals(written)))
        automaton = algebra.dfa(language, tuple(keys.patterns))
        return automaton.start >= 0, automaton if automaton.start >= 0 else None, False

    def _general_offer(self, frame: Frame) -> Offer:
        if self._always_offered < 0:
            self._always_offered = self._find_always_offered()
        names = self._always_offered & ~frame.blocked
        names |= self._find_offered(frame, self.keys.all_names & ~(names | frame.blocked))
        classes = self._all_classes()
        offered = [vector for vector in classes if self.free_entry(frame, vector) is not None]
        return (names, *self._free_part(offered, len(offered) == len(classes), frame))

    def _find_offered(self, frame: Frame, undecided: int) -> int:
        """Return which of these named keys may follow, as bits."""
        offered = 0
        name = 0
        in_any_order = self.machine.algebra.options.property_order == "any"
        while undecided:
            if undecided >> name & 1:
                if in_any_order:
                    offered |= self._completing(frame, name)
                elif self.named_entry(frame, name) is not None:
                    offered |= 1 << name
                undecided &= ~(offered | 1 << name)
            name += 1
        return offered

    def _completing(self, frame: Frame, name: int) -> int:
        """Return named keys that complete the object together with this one, as bits; 0 if it cannot.

        They can be written in any order, so each of them may follow.
        """
        present = frame.present | 1 << name
        decided = {variable: TRUE for variable, bits in self._required if not bits & ~present}
        decided.update({variable: TRUE for variable, bound in self._counts if frame.count + 1 >= bound})
        formula = self.machine.algebra.formulas.substitute(self.formula, decided)
        try:
            plan = self._plan(frame, formula, 1 << name)
        except LimitExceeded:
            # What its value decides may leave fewer cases.
            return (self.named_entry(frame, name) is not None) << name
        index = self.keys.index
        return sum(1 << index[key] for key, _ in plan or () if key in index)

    def _find_always_offered(self) -> int:
        """Return named keys that may follow in every frame that does not block them, as bits.

        An atom that the formula implies asks something of the value of such a key; all others ask nothing
        of the key. So the key may be added to whatever completes the object.
        """
        formulas = self.machine.algebra.formulas
        if self.machine.algebra.options.property_order != "any":
            return 0
        implied = {
            variable
            for variable in formulas.support(self.formula)
            if formulas.substitute(self.formula, {variable: FALSE}) == FALSE
        }
        rest = formulas.substitute(self.formula, dict.fromkeys(implied, TRUE))
        support = set(formulas.support(rest))
        if any(variable in support or variable in implied for variable, _ in (*self._counts, *self._sets)):
            return 0
        concerned = 0
        for variable, bits in self._required:
            if variable in support:
                concerned |= bits
        asking = [atom for variable, atom in self._maps if variable in support]
        demanding = [atom for variable, atom in self._maps if variable in implied]
        offered = 0
        for name in range(len(self.keys.names)):
            if concerned >> name & 1 or any(self.keys.named_goal(atom, name) != TRUE for atom in asking):
                continue
            goal = self._together({self.keys.named_goal(atom, name) for atom in demanding} or {TRUE})
            if self.machine.emptiness.is_nonempty(goal):
                offered |= 1 << name
        return offered

    # Members

    def named_entry(self, frame: Frame, name: int) -> Entry | None:
        """Return the entry of a named key that was not written yet, or `None` if it is not offered."""
        if self.simple:
            return self._named_entry_simple(name)
        key = (name, self._context(frame))
        if key not in self._named_entries:
            self._named_entries[key] = self._entry(
                frame,
                frame.present | 1 << name,
                frame.blocked | self.keys.blocked_by(name),
                None,
                lambda atom: self.keys.named_goal(atom, name),
                self.keys.names[name],
            )
        return self._named_entries[key]

    def free_entry(self, frame: Frame, vector: int) -> Entry | None:
        """Return the entry of a new key of a free class, or `None` if it is not offered."""
        if self.simple:
            return self._free_entry_simple(vector)
        key = (vector, self._context(frame))
        if key not in self._free_entries:
            keys = self.keys
            words = keys.finite_words(vector)
            taken: bytes | None = None
            if words is not None:
                # Which of the class's keys it is makes no difference: one fewer is left.
                left = [word for word in words if word not in frame.names]
                if not left:
                    self._free_entries[key] = None
                    return None
                taken = left[0]
            elif keys.is_used_up(vector, frame.names):
                self._free_entries[key] = None
                return None
            blocked = frame.blocked | keys.blocked_by_free()
            self._free_entries[key] = self._entry(
                frame,
                frame.present,
                blocked,
                taken,
                lambda atom: keys.free_goal(atom, vector),
                None,
            )
        return self._free_entries[key]

    def _entry(
        self,
        frame: Frame,
        present: int,
        blocked: int,
        taken: bytes | None,
        ask: Callable[[AllProperties], int],
        key: bytes | None,
    ) -> Entry | None:
        """Return the entry of a property.

        Args:
            ask: what an atom asks of its value.
            key: its key if that is named.
        """
        machine = self.machine
        formulas = machine.algebra.formulas
        count = frame.count + 1
        decided = {variable: TRUE for variable, bits in self._required if not bits & ~present}
        decided.update({variable: TRUE for variable, bound in self._counts if count >= bound})
        # Atoms that ask nothing of any key that may still come; the current key is still to be judged.
        settled = {variable for variable, bits in self._asking().items() if not bits & ~blocked}
        decided.update(
            {variable: TRUE for variable, atom in self._maps if variable in settled and ask(atom) == TRUE}
        )
        names = list(frame.names)
        if taken is not None:
            names.append(taken)

        def possible(residue: int) -> int:
            plan = plan_object(
                machine.algebra,
                machine.emptiness.is_nonempty,
                self.keys,
                residue,
                present=present,
                blocked=blocked,
                taken=names,
                count=count,
                is_final=not machine.emptiness.solving,
            )
            return FALSE if plan is None else TRUE

        def make(table: dict[int, int]) -> ObjectShape:
            decisions = {**decided, **table}
            return machine.object_shape(
                self.keys,
                formulas.substitute(self.formula, decisions),
                tuple(formulas.substitute(formula, decisions) for formula in self.tracked),
            )

        maps = dict(self._maps)
        effects = self._judged(maps, ask, settled)
        for variable, atom in self._sets:
            effects[variable] = self._matched(atom, key)
        formula = formulas.substitute(self.formula, decided)

        def split() -> tuple[list[Cube], dict[int, Effect]]:
            cubes = self.keys.cover.cubes(formula, frame.present | frame.blocked)
            # Case splits bring atoms of their own, which do not outlast this question.
            variables = {variable for cube in cubes for variable, _ in cube if variable not in maps}
            atoms = {variable: formulas.value(variable) for variable in variables}
            added = {variable: atom for variable, atom in atoms.items() if isinstance(atom, AllProperties)}
            return cubes, self._judged(added, ask, set())

        return member_entry(machine, formula, effects, possible, make, split)

    def _judged(
        self, maps: Mapping[int, AllProperties], ask: Callable[[AllProperties], int], settled: set[int]
    ) -> dict[int, Effect]:
        formulas = self.machine.algebra.formulas
        return {
            variable: Judged(goal, TRUE if variable in settled else formulas.of_variable(variable), FALSE)
            for variable, atom in maps.items()
            if (goal := ask(atom)) != TRUE
        }

    def _matched(self, atom: ObjectIn, key: bytes | None) -> Matched:
        formulas = self.machine.algebra.formulas
        cases: dict[Value, set[Value]] = {}
        for value in atom.values:
            member = None if key is None else value.members.get(key)
            if member is not None:
                cases.setdefault(member, set()).add(value)
        atoms = {member: formulas.variable(ObjectIn(frozenset(values))) for member, values in cases.items()}
        having = frozenset(value for values in cases.values() for value in values)
        return Matched(atoms, formulas.variable(ObjectIn(having)) if having else FALSE)

    def _named_entry_simple(self, name: int) -> Entry | None:
        entry: Entry | None = self.named.get(name, _UNKNOWN)
        if entry is _UNKNOWN:
            goal = self._simple_named_goal(name)
            # What is offered has a value.
            is_offered = self.offered >> name & 1
            entry = (
                Entry(self.machine.goal(goal), None, single=self) if is_offered else self._simple_entry(goal)
            )
            self.named[name] = entry
        return entry

    def _free_entry_simple(self, vector: int) -> Entry | None:
        if vector not in self._free_entries:
            keys = self.keys
            goals = [keys.free_goal(atom, vector) for _, atom in self._maps]
            goal = goals[0] if len(goals) == 1 else self._together(set(goals))
            self._free_entries[vector] = self._simple_entry(goal)
            if not keys.patterns:
                self.free = self._free_entries[vector]
        return self._free_entries[vector]

    def _simple_named_goal(self, name: int) -> int:
        """Return what a conjunctive shape asks of the value of a named key."""
        keys = self.keys
        if len(self._maps) == 1:
            return keys.named_goal(self._maps[0][1], name)
        return self._together({keys.named_goal(atom, name) for _, atom in self._maps})

    def _together(self, goals: set[int]) -> int:
        return next(iter(goals)) if len(goals) == 1 else self.machine.algebra.formulas.conjunction(goals)

    def _simple_entry(self, goal: int) -> Entry | None:
        if not self.machine.emptiness.is_nonempty(goal):
            return None
        return Entry(self.machine.goal(goal), None, single=self)

    def plan(self, frame: Frame) -> Plan | None:
        """Return further properties that complete the object."""
        return self._plan(frame, self.formula, 0)

    def _plan(self, frame: Frame, formula: int, including: int) -> Plan | None:
        return plan_object(
            self.machine.algebra,
            self.machine.emptiness.is_nonempty,
            self.keys,
            formula,
            present=frame.present,
            blocked=frame.blocked,
            taken=frame.names,
            count=frame.count,
            including=including,
            is_final=not self.machine.emptiness.solving,
        )
