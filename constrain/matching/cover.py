"""The implicants of an object formula, found by cases when there are too many of them.

`oneOf` over thirty kinds of objects that a property `kind` tells apart is true in thirty ways, but
its diagram, which knows nothing of what atoms mean, has a path for each way in which each other
branch can fail. A *case split* looks at one key: it is absent, or its value is in one class of a
partition by all that is asked of it. In each case most atoms are decided, and few paths are left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.errors import LimitExceeded
from constrain.matching.algebra import Algebra
from constrain.matching.atoms import AllProperties, Required

if TYPE_CHECKING:
    from constrain.matching.keys import KeySpace

__all__ = ["FEW_PATHS", "Cover"]

#: A conjunction of literals: (variable, sign).
Cube = list[tuple[int, bool]]
#: The literals that say so, and what is left of the formula.
Case = tuple[Cube, int]

#: Up to so many paths a formula is taken as it is.
FEW_PATHS = 48
#: A partition of the values of one key has at most so many classes.
MAX_CLASSES = 400
#: How many keys are compared for each split.
MAX_CANDIDATES = 4
#: How many keys are split upon, one within the other.
MAX_DEPTH = 40


class Cover:
    """Finds conjunctions of literals whose disjunction is a formula, for the objects of one key space.

    Literals about new atoms occur among them: that one key is present, and where its value lies.
    """

    def __init__(self, algebra: Algebra, keys: KeySpace) -> None:
        self._algebra = algebra
        self._formulas = algebra.formulas
        self._keys = keys
        self._covers: dict[tuple[int, int], list[Cube]] = {}

    def cubes(self, formula: int, blocked: int) -> list[Cube]:
        """Return conjunctions whose disjunction is `formula`.

        Args:
            blocked: the named keys that were written or cannot be written any more, as bits.

        Raises:
            LimitExceeded: there are too many, and no key tells them apart.
        """
        if self._formulas.n_paths(formula) <= FEW_PATHS:
            return self._formulas.implicants(formula)
        key = (formula, blocked)
        known = self._covers.get(key)
        if known is None:
            known = self._split(formula, blocked, MAX_DEPTH)
            self._covers[key] = known
        return known

    def _split(self, formula: int, blocked: int, depth: int) -> list[Cube]:
        formulas = self._formulas
        if depth == 0 or formulas.n_paths(formula) <= FEW_PATHS:
            return formulas.implicants(formula)
        best: tuple[int, int, list[Case]] | None = None
        for name in self._telling_keys(formula, blocked):
            cases = [
                (literals, rest)
                for literals, table in self._cases(formula, name)
                if (rest := formulas.substitute(formula, table)) != FALSE
            ]
            n_paths = sum(formulas.n_paths(rest) for _, rest in cases)
            if best is None or n_paths < best[0]:
                best = (n_paths, name, cases)
        if best is None or best[0] >= formulas.n_paths(formula):
            return formulas.implicants(formula)
        cubes: list[Cube] = []
        for literals, rest in best[2]:
            cubes += [[*literals, *cube] for cube in self._split(rest, blocked | 1 << best[1], depth - 1)]
            if len(cubes) > formulas.MAX_IMPLICANTS:
                raise LimitExceeded(
                    "a Boolean combination of sub-schemas has too many cases", limit=formulas.MAX_IMPLICANTS
                )
        return cubes

    def _atoms(self, formula: int) -> tuple[dict[int, AllProperties], dict[int, Required]]:
        maps: dict[int, AllProperties] = {}
        required: dict[int, Required] = {}
        for variable in self._formulas.support(formula):
            atom = self._formulas.value(variable)
            if isinstance(atom, AllProperties):
                maps[variable] = atom
            elif isinstance(atom, Required):
                required[variable] = atom
        return maps, required

    def _telling_keys(self, formula: int, blocked: int) -> list[int]:
        """Return the few keys on which most atoms disagree, the number of different demands first."""
        maps, required = self._atoms(formula)
        needing: dict[bytes, int] = {}
        for atom in required.values():
            if len(atom.names) == 1:
                (only,) = atom.names
                needing[only] = needing.get(only, 0) + 1
        scores: list[tuple[int, int, int]] = []
        for name in range(len(self._keys.names)):
            if blocked >> name & 1:
                continue
            goals = [self._keys.named_goal(atom, name) for atom in maps.values()]
            asked = {goal for goal in goals if goal != TRUE}
            n_asking = sum(goal != TRUE for goal in goals) + needing.get(self._keys.names[name], 0)
            if n_asking > 1:
                scores.append((len(asked), n_asking, -name))
        return [-name for _, _, name in sorted(scores, reverse=True)[:MAX_CANDIDATES]]

    def _cases(self, formula: int, name: int) -> list[tuple[Cube, dict[int, int]]]:
        """Return the cases of one key: (literals that say so, what they make of the atoms)."""
        formulas = self._formulas
        maps, required = self._atoms(formula)
        key = self._keys.names[name]
        present = formulas.support(formulas.variable(Required(frozenset({key}))))[0]
        goals = {variable: self._keys.named_goal(atom, name) for variable, atom in maps.items()}
        absent = {variable: FALSE for variable, atom in required.items() if key in atom.names}
        absent.update({variable: TRUE for variable, atom in maps.items() if self._is_about(atom, key)})
        cases: list[tuple[Cube, dict[int, int]]] = [([(present, False)], absent)]
        having = {variable: TRUE for variable, atom in required.items() if atom.names == {key}}
        for one in self._algebra.partition(goals.values(), MAX_CLASSES):
            table = dict(having)
            for variable, goal in goals.items():
                if self._algebra.is_surely_empty(formulas.ite(one, goal, FALSE), self._algebra.kinds(goal)):
                    table[variable] = FALSE
                elif self._is_about(maps[variable], key) and self._is_empty(formulas.ite(goal, FALSE, one)):
                    table[variable] = TRUE
            literals = [(present, True)]
            if one != TRUE:
                literals.append((self._value_in(key, one), True))
            cases.append((literals, table))
        return cases

    def _value_in(self, key: bytes, goal: int) -> int:
        """Return the variable of the atom that the value of a key, if present, is in a class."""
        known: dict[tuple[bytes, int], int] = self._algebra.value_atoms
        variable = known.get((key, goal))
        if variable is None:
            names: Mapping[bytes, int] = {key: goal}
            variable = self._formulas.support(self._formulas.variable(AllProperties(names, (), TRUE)))[0]
            known[key, goal] = variable
        return variable

    @staticmethod
    def _is_about(atom: AllProperties, key: bytes) -> bool:
        """Return whether an atom asks something of one key only."""
        if atom.rest != TRUE or atom.patterns:
            return False
        return all(goal == TRUE or name == key for name, goal in atom.names.items())

    def _is_empty(self, goal: int) -> bool:
        return self._algebra.is_surely_empty(goal)
