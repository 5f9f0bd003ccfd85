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
_MAX_STATES = 1_000
_MAX_TOTAL = 5_000
#: What the total of states is called; the words are defined by these numbers and mean no more.
_LIGHT, _MEDIUM = 500, 5_000

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
        is_complete: whether there are no more.
    """

    location: str
    states: int
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
    def first_masks(self) -> str:
        """How much is built while the first masks are made: light, medium or heavy, by the states."""
        if self.is_complete and self.states <= _LIGHT:
            return "light"
        return "medium" if self.is_complete and self.states <= _MEDIUM else "heavy"

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
            states, is_complete = _explore(automaton)
        except (ConstrainError, RecursionError):
            unexplored += 1
            continue
        total += states
        automata[id(automaton)] = AutomatonCost(node.location, states, is_complete)
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


def _explore(automaton: LazyDfa) -> tuple[int, bool]:
    """Return how many states can be reached, and whether these are all."""
    seen = {automaton.start}
    stack = [automaton.start]
    while stack:
        state = stack.pop()
        for byte in range(256):
            target = automaton.step(state, byte)
            if target != DEAD and target not in seen:
                if len(seen) >= _MAX_STATES:
                    return len(seen), False
                seen.add(target)
                stack.append(target)
    return len(seen), True
