"""What decoding a schema may cost, in numbers that are measured by exploring its automata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constrain.automata.formulas_cy import TRUE
from constrain.automata.table_cy import DEAD
from constrain.errors import ConstrainError
from constrain.matching.atoms import NUMBER, STRING

if TYPE_CHECKING:
    from constrain.automata.lazy_dfa_cy import LazyDfa
    from constrain.frontends.json_schema.compiler import Compiler
    from constrain.frontends.json_schema.nodes import SubschemaNode

__all__ = ["AutomatonCost", "Cost", "measure"]

#: An automaton is explored up to so many states, all of them together up to so many.
_MAX_STATES = 4_000
_MAX_TOTAL = 8_000
#: The first mask of a string makes the states that tokens reach; most tokens have at most so many bytes.
_NEAR = 4
#: What the number of these states is called; the words are defined by these numbers and mean no more.
_LIGHT, _MEDIUM = 200, 2_000

_COUNTERS = (
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
    *("minContains", "maxContains"),
)


@dataclass(frozen=True, slots=True)
class AutomatonCost:
    """One automaton that reads strings.

    Attributes:
        location: the first place that uses it.
        states: how many were reached.
        near: how many of them within the first bytes, where the first mask walks.
        is_complete: whether there are no more.
    """

    location: str
    states: int
    near: int
    is_complete: bool

    def __str__(self) -> str:
        return f"{'' if self.is_complete else 'more than '}{self.states} at {self.location}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What can be counted without a vocabulary.

    Attributes:
        subschemas: places of the schema that are objects.
        references: keywords that refer to another place.
        formula_nodes: nodes of the decision diagrams made so far.
        automata: of strings, the largest first; one that takes any text has no states of its own.
        numbers: places whose numbers are restricted. Their automata are not explored: they have a state
            for every run of digits that matters, and a document meets a handful.
        counters: (bound, location, keyword), the largest bound first; a counter needs no states.
        unexplored: places whose automata were not measured, for the total is capped.
    """

    subschemas: int
    references: int
    formula_nodes: int
    automata: tuple[AutomatonCost, ...]
    numbers: int
    counters: tuple[tuple[int, str, str], ...]
    unexplored: int

    @property
    def states(self) -> int:
        """The states of all automata that were reached."""
        return sum(each.states for each in self.automata)

    @property
    def is_complete(self) -> bool:
        """Whether the automata have no more states than were counted."""
        return not self.unexplored and all(each.is_complete for each in self.automata)

    @property
    def first_states(self) -> int:
        """The most states that the first mask of a string may have to make."""
        return max((each.near for each in self.automata), default=0)

    @property
    def first_states_are_all(self) -> bool:
        """Whether that number is exact: no cap was met on the way to it."""
        return not self.unexplored and self.first_states < _MAX_STATES

    @property
    def first_masks(self) -> str:
        """The same in a word: light, medium or heavy."""
        if self.unexplored or self.first_states > _MEDIUM:
            return "heavy"
        return "light" if self.first_states <= _LIGHT else "medium"

    def as_json(self) -> dict[str, object]:
        """The numbers as a JSON value."""
        return {
            "subschemas": self.subschemas,
            "references": self.references,
            "formula_nodes": self.formula_nodes,
            "automaton_states": self.states,
            "automaton_states_are_all": self.is_complete,
            "automata": [
                {
                    "location": each.location,
                    "states": each.states,
                    "complete": each.is_complete,
                }
                for each in self.automata
            ],
            "number_places": self.numbers,
            "counters": [
                {"location": location, "keyword": keyword, "bound": bound}
                for bound, location, keyword in self.counters
            ],
            "first_mask_states": self.first_states,
            "first_masks": self.first_masks,
        }


def measure(compiler: Compiler, nodes: list[SubschemaNode]) -> Cost:
    """Return the cost of a compiled schema, its automata of strings explored as far as the caps allow.

    Args:
        compiler: its automata grow by what is explored.
        nodes: of every place.
    """
    automata: dict[int, AutomatonCost] = {}
    total = unexplored = numbers = 0
    for node in nodes:
        goal = compiler.algebra.formulas.variable(node)
        try:
            numbers += compiler.algebra.component(goal, NUMBER) > TRUE
            automaton = _text_automaton(compiler, goal)
            if automaton is None or id(automaton) in automata:
                continue
            if total >= _MAX_TOTAL:
                unexplored += 1
                continue
            states, near, is_complete = _explore(automaton)
        except (ConstrainError, RecursionError):
            unexplored += 1
            continue
        total += states
        automata[id(automaton)] = AutomatonCost(node.location, states, near, is_complete)
    counters = [
        (int(value), node.location, keyword)
        for node in nodes
        for keyword in _COUNTERS
        if isinstance(value := node.schema.get(keyword), int) and value > 1 and keyword in node.keywords()
    ]
    references = ("$ref", "$dynamicRef", "$recursiveRef")
    return Cost(
        len(nodes),
        sum(keyword in node.schema for node in nodes for keyword in references),
        compiler.algebra.formulas.size(),
        tuple(sorted(automata.values(), key=lambda each: -each.states)),
        numbers,
        tuple(sorted(counters, key=lambda counter: -counter[0])),
        unexplored,
    )


def _text_automaton(compiler: Compiler, goal: int) -> LazyDfa | None:
    """The automaton that reads the strings of a goal; None if it takes none or all."""
    if compiler.algebra.component(goal, STRING) <= TRUE:
        return None
    automaton = compiler.algebra.text_plan(goal).automaton
    return None if automaton.start < 0 or automaton.is_universal(automaton.start) else automaton


def _explore(automaton: LazyDfa) -> tuple[int, int, bool]:
    """Return how many states can be reached, how many soon, and whether the former are all."""
    seen = {automaton.start}
    layer = [automaton.start]
    depth = near = 0
    while layer:
        if depth <= _NEAR:
            near = len(seen)
        following = []
        for state in layer:
            for byte in range(256):
                target = automaton.step(state, byte)
                if target != DEAD and target not in seen:
                    if len(seen) >= _MAX_STATES:
                        return len(seen), len(seen) if depth < _NEAR else near, False
                    seen.add(target)
                    following.append(target)
        layer = following
        depth += 1
    return len(seen), near, True
