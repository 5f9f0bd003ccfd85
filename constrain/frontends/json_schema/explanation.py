"""What was understood of a schema, place by place, in words.

The explanation is data (`Explanation`), written as text or JSON. It is made on a machine of its own, so that
asking for it changes nothing for those who decode with the constraint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from constrain.errors import ConstrainError
from constrain.frontends.json_schema.compiler import Compiler
from constrain.frontends.json_schema.cost import Cost, measure
from constrain.frontends.json_schema.findings import Finding
from constrain.frontends.json_schema.keyword_sets import places
from constrain.frontends.json_schema.lint_meaning import MeaningLint, lint
from constrain.frontends.json_schema.words import counted, describe

if TYPE_CHECKING:
    from constrain.options import Options

__all__ = ["Explanation", "Place", "explain", "explanation"]

#: Remarks that are listed as annotations instead.
_ANNOTATIONS = frozenset({"unknown-keyword", "unknown-format"})
_MAX_LISTED = 5


@dataclass(frozen=True, slots=True)
class Place:
    """One sub-schema.

    Attributes:
        location: its JSON Pointer.
        accepts: what it accepts, in words that follow "it is".
        is_possible: whether any value satisfies it; decoding never offers what has none.
    """

    location: str
    accepts: str
    is_possible: bool = True

    def __str__(self) -> str:
        never = "" if self.is_possible else "; never offered, because nothing satisfies it"
        return f"{self.location}  {self.accepts}{never}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was understood of a schema.

    Attributes:
        dialect: the draft it is read as.
        schema: the JSON Schema that report rules or a Python type mean; None for a JSON Schema.
        places: every sub-schema, in the order of the text.
        findings: parts that can never hold, that exclude nothing, and probable mistakes.
        annotations: (location, keyword, reason) of what is not enforced.
        freedoms: what the text policy leaves to the model, in words.
        cost: of decoding, in numbers.
        written_as: what means that JSON Schema, in words.
    """

    dialect: str
    schema: Any
    places: tuple[Place, ...]
    findings: tuple[Finding, ...]
    annotations: tuple[tuple[str, str, str], ...]
    freedoms: tuple[str, ...]
    cost: Cost
    written_as: str = "report rules mean"

    def __str__(self) -> str:
        lines = [f"JSON Schema, draft {self.dialect}"]
        if self.schema is not None:
            lines += [f"The {self.written_as} this JSON Schema:", _pretty(self.schema)]
        lines += ["What each place accepts:", *(f"  {place}" for place in self.places)]
        if self.findings:
            lines.append("Remarks:")
            for finding in self.findings:
                keyword = f"`{finding.keyword}`: " if finding.keyword else ""
                remedy = f" ({finding.remedy})" if finding.remedy else ""
                lines.append(f"  {finding.location}  {finding.severity}: {keyword}{finding.message}{remedy}")
        if self.annotations:
            lines.append("Annotations, not enforced:")
            lines += [f"  {location}  `{keyword}`: {why}" for location, keyword, why in self.annotations]
        lines += ["What the text policy leaves free:", *(f"  {freedom}" for freedom in self.freedoms)]
        lines += ["Cost:", *(f"  {line}" for line in _cost_lines(self.cost))]
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """The same as a JSON value."""
        return {
            "dialect": self.dialect,
            **({} if self.schema is None else {"schema": json.loads(_pretty(self.schema))}),
            "places": [
                {"location": each.location, "accepts": each.accepts, "possible": each.is_possible}
                for each in self.places
            ],
            "findings": [
                {name: value for name, value in asdict(each).items() if value not in (None, ())}
                for each in self.findings
            ],
            "annotations": [
                {"location": location, "keyword": keyword, "reason": reason}
                for location, keyword, reason in self.annotations
            ],
            "freedoms": list(self.freedoms),
            "cost": self.cost.as_json(),
        }


def explain(compiler: Compiler, rules: Any = None, python_type: str | None = None) -> str:
    """Return the explanation of a compiled schema as text."""
    return str(explanation(compiler.schema, compiler.options, rules, compiler.reached, python_type))


def explanation(
    schema: Any,
    options: Options,
    rules: Any = None,
    registry: Mapping[str, object] | None = None,
    python_type: str | None = None,
) -> Explanation:
    """Return the explanation of a schema that compiles under these options.

    Args:
        schema: the JSON Schema.
        options: the text policy and budgets.
        rules: the report rules that it was written as, if any.
        registry: the documents that it refers to.
        python_type: the name of the Python type that it was written as, if any.
    """
    meaning: MeaningLint | None
    try:
        meaning = MeaningLint(schema, options, registry)
        compiler = meaning.compiler
    except ConstrainError:  # the small budget of a check is met; the whole one was not
        meaning = None
        compiler = Compiler(schema, options, registry)
        compiler.compile()
    dialect = compiler.dialect
    everything = list(places(schema, dialect, options.max_steps))
    nodes = [compiler.find(part, location) for location, part in everything]
    findings = lint(schema, options, meaning, registry)
    annotations = [
        (finding.location, finding.keyword or "", finding.message)
        for finding in findings
        if finding.rule == "unknown-keyword"
    ]
    listed = [
        Place(
            location,
            describe(part, dialect),
            meaning is None or not node.keywords() or not meaning.never_holds(node),
        )
        for (location, part), node in zip(everything, nodes, strict=True)
    ]
    if isinstance(schema, bool):
        listed = [Place("#", describe(schema, dialect), schema)]
    return Explanation(
        dialect.name,
        None if rules is None and python_type is None else schema,
        tuple(listed),
        tuple(finding for finding in findings if finding.rule not in _ANNOTATIONS),
        (*annotations, *compiler.annotations),
        _freedoms(options),
        measure(compiler, [node for node in nodes if node.keywords()]),
        "report rules mean" if python_type is None else f"Python type {python_type} means",
    )


def _freedoms(options: Options) -> tuple[str, ...]:
    return (
        {
            "bounded": "white space: between JSON tokens at most 64 blanks with at most 2 line ends",
            "any": "white space: any between JSON tokens, before and behind them",
            "compact": "white space: none",
        }[options.whitespace],
        {
            "any": "properties: in any order",
            "schema": "properties: in the order of the schema",
        }[options.property_order],
        {
            "minimal": "strings: raw UTF-8, one spelling of each character",
            "any": "strings: every escape that JSON has",
        }[options.escapes],
        {
            "bounded": "numbers: plain and with an exponent, redundant digits capped",
            "any": "numbers: every spelling that JSON has",
        }[options.numbers],
        {
            "assert": "formats: none, they are enforced",
            "annotate": "formats: they are annotations",
        }[options.formats],
    )


def _cost_lines(cost: Cost) -> list[str]:
    lines = [
        f"{counted(cost.subschemas, 'sub-schema')} with keywords, {counted(cost.references, 'reference')},"
        f" {counted(cost.formula_nodes, 'formula node')}"
    ]
    if cost.automata:
        more = "" if cost.is_complete else "more than "
        which = f"{len(cost.automata)} automata" if len(cost.automata) > 1 else "one automaton"
        lines.append(
            f"strings: {more}{counted(cost.states, 'state')} in {which}, made where decoding arrives"
        )
        lines += [f"  {each}" for each in cost.automata[:_MAX_LISTED]]
        if len(cost.automata) > _MAX_LISTED:
            lines.append(f"  and {len(cost.automata) - _MAX_LISTED} smaller ones")
    else:
        lines.append("strings: any text or none, so no automaton has states of its own")
    if cost.numbers:
        lines.append(f"numbers: {counted(cost.numbers, 'place')} with bounds, read digit by digit")
    if cost.counters:
        bound, location, keyword = cost.counters[0]
        lines.append(
            f"{counted(len(cost.counters), 'counter')}, the largest `{keyword}` {bound} at {location};"
            " a counter needs no states"
        )
    more = "" if cost.first_states_are_all else "more than "
    lines.append(
        f"work of the first mask of a string: {cost.first_masks}"
        f" ({more}{counted(cost.first_states, 'state')} within 4 bytes)"
    )
    return lines


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=float)
