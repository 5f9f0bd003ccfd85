"""Boolean formulas as reduced ordered binary decision diagrams (Bryant 1986).

A formula is an integer: `FALSE`, `TRUE` or a node of one `Formulas` arena. Two formulas of an
arena are equivalent over their variables exactly if they are the same integer, so goals are
canonical and lazy exploration under recursion terminates. A node is created after its
children, hence a pass over ascending numbers goes bottom-up without recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

from constrain.errors import LimitExceeded

__all__ = ["FALSE", "TRUE", "Formulas"]

FALSE = 0
TRUE = 1

#: Numbers of nodes and variables with more bits are not packed into machine words.
_BITS = cython.declare(cython.int, 21)


@cython.cfunc
def _packed(first: Any, second: Any, third: Any) -> Any:
    """Return three numbers as one."""
    a: cython.longlong = first
    b: cython.longlong = second
    c: cython.longlong = third
    if (a | b | c) >> _BITS == 0:
        return (a << 2 * _BITS) | (b << _BITS) | c
    # Negative, so that no smaller numbers give the same.
    return ~((first << 128) | (second << 64) | third)


@cython.cclass
class Formulas:
    """An arena of formulas over variables, each of which stands for a hashable value.

    The order of variables is the order of their first use.
    """

    #: Monotony is not looked for in diagrams of more nodes than this.
    MAX_UNATE = 20_000
    #: A formula with more implicants than this is refused.
    MAX_IMPLICANTS = 20_000

    def __init__(self, max_nodes: int = 2_000_000) -> None:
        self.values: list[object] = []
        #: Called now and then while diagrams are combined; raises when time is up.
        self.tick: Any = None
        self._n_ticks: cython.Py_ssize_t = 0
        self.max_nodes: cython.Py_ssize_t = max_nodes
        self._index: dict[object, int] = {}
        last = 1 << 30
        self._variable: list[int] = [last, last]
        self._low: list[int] = [0, 1]
        self._high: list[int] = [0, 1]
        #: Variable -> its node. Nodes by their parts, and what was computed, by three numbers in one: the
        #: garbage collector does not look at integers.
        self._lone: dict[int, int] = {}
        self._unique: dict[int, int] = {}
        self._ite: dict[int, int] = {}
        self._negations: dict[int, int] = {0: 1, 1: 0}
        self._supports: dict[int, tuple[int, ...]] = {}
        self._unate: dict[int, frozenset[tuple[int, bool]]] = {}
        self._implicants: dict[int, list[list[tuple[int, bool]]]] = {}
        self._n_paths: dict[int, int] = {0: 0, 1: 1}

    def variable(self, value: Hashable) -> int:
        """Return the formula that is true exactly if `value` is."""
        index = self._index.get(value)
        if index is None:
            index = len(self.values)
            self._index[value] = index
            self.values.append(value)
        return self._node(index, 0, 1)

    def of_variable(self, variable: int) -> int:
        """Return the formula that is the variable with this index."""
        return self._node(variable, 0, 1)

    def size(self) -> int:
        """Return the number of nodes."""
        return len(self._variable)

    def find(self, value: Hashable) -> int | None:
        """Return the index of the variable of `value`, if it has one."""
        return self._index.get(value)

    def value(self, variable: int) -> object:
        """Return what the variable with this index stands for."""
        return self.values[variable]

    @cython.ccall
    def lone(self, formula: cython.Py_ssize_t) -> object:
        """Return the value whose variable a formula is, or `None` if it is no single variable."""
        if formula <= 1 or self._low[formula] != 0 or self._high[formula] != 1:
            return None
        return self.values[self._variable[formula]]

    @cython.cfunc
    def _node(self, variable: Any, low: Any, high: Any) -> Any:
        if low == high:
            return low
        is_lone: cython.bint = low == 0 and high == 1
        key: Any = variable if is_lone else _packed(variable, low, high)
        known: dict[int, int] = self._lone if is_lone else self._unique
        node = known.get(key)
        if node is None:
            node = len(self._variable)
            if node >= self.max_nodes:
                raise LimitExceeded(
                    "the Boolean combination of sub-schemas is too large", limit=self.max_nodes
                )
            self._variable.append(variable)
            self._low.append(low)
            self._high.append(high)
            known[key] = node
        return node

    def ite(self, condition: int, then: int, otherwise: int) -> int:
        """Return `(condition and then) or (not condition and otherwise)`."""
        result = self._shortcut(condition, then, otherwise)
        if result is not None:
            return result
        self._n_ticks += 1
        if self._n_ticks & 0xFF == 0 and self.tick is not None:
            self.tick()
        variables = self._variable
        lows = self._low
        highs = self._high
        memo = self._ite
        # A work item is (f, g, h) to be computed, or (variable, None, key) to be combined.
        work: list[Any] = [(condition, then, otherwise)]
        results: list[Any] = []
        while work:
            f, g, h = work.pop()
            if g is None:
                high = results.pop()
                low = results.pop()
                node = self._node(f, low, high)
                memo[h] = node
                results.append(node)
                continue
            key = None
            result = self._shortcut(f, g, h)
            if result is None:
                key = _packed(f, g, h)
                result = memo.get(key)
            if result is not None:
                results.append(result)
                continue
            top = variables[f]
            if variables[g] < top:
                top = variables[g]
            if variables[h] < top:
                top = variables[h]
            if variables[f] == top:
                f0, f1 = lows[f], highs[f]
            else:
                f0 = f1 = f
            if variables[g] == top:
                g0, g1 = lows[g], highs[g]
            else:
                g0 = g1 = g
            if variables[h] == top:
                h0, h1 = lows[h], highs[h]
            else:
                h0 = h1 = h
            work.append((top, None, key))
            work.append((f1, g1, h1))
            work.append((f0, g0, h0))
        return results.pop()

    @cython.cfunc
    def _shortcut(self, f: Any, g: Any, h: Any) -> Any:
        if f == 1:
            return g
        if f == 0:
            return h
        if g == h:
            return g
        if g == 1 and h == 0:
            return f
        return None

    def negation(self, formula: int) -> int:
        """Return `not formula`."""
        result = self._negations.get(formula)
        if result is None:
            result = self.ite(formula, 0, 1)
            self._negations[formula] = result
            self._negations[result] = formula
        return result

    def conjunction(self, formulas: Iterable[int]) -> int:
        """Return the conjunction of all; `TRUE` for none."""
        # From the last variable to the first, so that each step works at the top of a diagram.
        result = 1
        for formula in sorted(formulas, key=self._variable.__getitem__, reverse=True):
            result = self.ite(formula, result, 0)
            if result == 0:
                break
        return result

    def disjunction(self, formulas: Iterable[int]) -> int:
        """Return the disjunction of all; `FALSE` for none."""
        result = 0
        for formula in sorted(formulas, key=self._variable.__getitem__, reverse=True):
            result = self.ite(formula, 1, result)
            if result == 1:
                break
        return result

    def exactly_one(self, formulas: Iterable[int]) -> int:
        """Return the formula that holds if exactly one of `formulas` does."""
        none = 1
        one = 0
        for formula in sorted(formulas, key=self._variable.__getitem__, reverse=True):
            one = self.ite(formula, none, one)
            none = self.ite(formula, 0, none)
        return one

    @cython.cfunc
    def _reachable(self, formula: Any) -> Any:
        seen = {formula}
        stack = [formula]
        while stack:
            node = stack.pop()
            if node <= 1:
                continue
            for child in (self._low[node], self._high[node]):
                if child not in seen:
                    seen.add(child)
                    stack.append(child)
        seen.discard(0)
        seen.discard(1)
        return sorted(seen)

    def restrict(self, formula: int, variable: int, truth: bool) -> int:
        """Return `formula` with the variable of this index replaced by a constant."""
        return self.substitute(formula, {variable: 1 if truth else 0})

    def substitute(self, formula: int, replacements: Mapping[int, int]) -> int:
        """Return `formula` with each variable index in `replacements` replaced by a formula."""
        if formula <= 1 or not replacements:
            return formula
        if not any(variable in replacements for variable in self.support(formula)):
            return formula
        results: dict[int, int] = {0: 0, 1: 1}
        for node in self._reachable(formula):
            variable = self._variable[node]
            low = results[self._low[node]]
            high = results[self._high[node]]
            condition = replacements.get(variable)
            if condition is None:
                condition = self._node(variable, 0, 1)
            results[node] = self.ite(condition, high, low)
        return results[formula]

    def support(self, formula: int) -> tuple[int, ...]:
        """Return the indices of the variables on which `formula` depends, ascending."""
        result = self._supports.get(formula)
        if result is None and formula > 1 and self._low[formula] <= 1 and self._high[formula] <= 1:
            return (self._variable[formula],)
        if result is None:
            result = tuple(sorted({self._variable[node] for node in self._reachable(formula)}))
            self._supports[formula] = result
        return result

    def evaluate(self, formula: int, truth: Callable[[int], bool]) -> bool:
        """Return the value of `formula` when variable i has the value `truth(i)`."""
        node = formula
        while node > 1:
            node = self._high[node] if truth(self._variable[node]) else self._low[node]
        return bool(node == 1)

    def cubes(self, formula: int) -> Iterator[list[tuple[int, bool]]]:
        """Yield the paths to `TRUE`: disjoint conjunctions of (variable index, sign) that cover it."""
        if formula == 0:
            return
        path: list[tuple[int, bool]] = []
        # What is still to visit: (node, length of the path above it, literal that leads to it).
        stack: list[tuple[int, int, tuple[int, bool] | None]] = [(formula, 0, None)]
        while stack:
            node, depth, literal = stack.pop()
            del path[depth:]
            if literal is not None:
                path.append(literal)
            if node == 1:
                yield list(path)
            elif node > 1:
                variable = self._variable[node]
                stack.append((self._high[node], len(path), (variable, True)))
                stack.append((self._low[node], len(path), (variable, False)))

    def short_cubes(self, formula: int) -> Iterator[list[tuple[int, bool]]]:
        """Yield conjunctions of literals whose disjunction is `formula`, lazily.

        The paths to `TRUE` without the literals that do not matter: a negative literal of a
        variable in which the formula is monotone can be dropped, and the other way round.
        """
        single = self.conjuncts(formula)
        if single is not None:
            yield single
            return
        dropped = self._droppable(formula)
        seen: set[tuple[tuple[int, bool], ...]] = set()
        for cube in self.cubes(formula):
            short = [literal for literal in cube if literal not in dropped]
            if dropped:
                key = tuple(short)
                if key in seen:
                    continue
                seen.add(key)
            yield short

    def n_paths(self, formula: int) -> int:
        """Return how many paths lead to `TRUE`, an upper bound of the number of implicants."""
        known = self._n_paths
        result = known.get(formula)
        if result is None:
            for node in self._reachable(formula):
                if node not in known:
                    known[node] = known[self._low[node]] + known[self._high[node]]
            result = known[formula]
        return result

    def _droppable(self, formula: int) -> frozenset[tuple[int, bool]]:
        """Return the literals that no implicant of the formula needs."""
        result = self._unate.get(formula)
        if result is None:
            # A formula is monotone in a variable if it is so at each node of the variable.
            rises: dict[int, bool] = {}
            falls: dict[int, bool] = {}
            nodes = self._reachable(formula)
            for node in nodes if len(nodes) <= self.MAX_UNATE else ():
                variable = self._variable[node]
                low, high = self._low[node], self._high[node]
                if rises.get(variable, True):
                    rises[variable] = self.ite(low, high, 1) == 1
                if falls.get(variable, True):
                    falls[variable] = self.ite(high, low, 1) == 1
            dropped = {(variable, False) for variable, holds in rises.items() if holds}
            for variable, holds in falls.items():
                if holds and not rises[variable]:
                    dropped.add((variable, True))
            result = frozenset(dropped)
            self._unate[formula] = result
        return result

    def implicants(self, formula: int) -> list[list[tuple[int, bool]]]:
        """Return the short cubes of a formula without those that another one is part of.

        Raises:
            LimitExceeded: there are more than `MAX_IMPLICANTS`.
        """
        result = self._implicants.get(formula)
        if result is None:
            found: list[frozenset[tuple[int, bool]]] = []
            for cube in self.short_cubes(formula):
                found.append(frozenset(cube))
                if len(found) > self.MAX_IMPLICANTS:
                    raise LimitExceeded(
                        "a Boolean combination of sub-schemas has too many cases", limit=self.MAX_IMPLICANTS
                    )
            found.sort(key=len)
            kept: list[frozenset[tuple[int, bool]]] = []
            for literals in found:
                if len(kept) > 64 or not any(other <= literals for other in kept):
                    kept.append(literals)
            result = [sorted(literals) for literals in kept]
            self._implicants[formula] = result
        return result

    def decompose(self, formula: int) -> tuple[int, int, int]:
        """Return (variable index, formula if false, formula if true) of a non-constant formula."""
        return self._variable[formula], self._low[formula], self._high[formula]

    def conjuncts(self, formula: int) -> list[tuple[int, bool]] | None:
        """Return the literals of a formula that is one cube, else `None`; `[]` for `TRUE`."""
        literals = []
        node = formula
        while node > 1:
            low, high = self._low[node], self._high[node]
            if low == 0:
                literals.append((self._variable[node], True))
                node = high
            elif high == 0:
                literals.append((self._variable[node], False))
                node = low
            else:
                return None
        return literals if node == 1 else None
