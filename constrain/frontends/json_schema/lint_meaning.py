"""Remarks on a schema that the engine decides: parts that can never hold, and parts that exclude nothing.

Every question is one of emptiness: a keyword is redundant if nothing satisfies the other keywords and
violates this one; an alternative is subsumed if nothing satisfies it and violates another. The answers are
exact; what is not decided within a small budget is counted and said.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from constrain.errors import ConstrainError
from constrain.frontends.json_schema.compiler import Compiler
from constrain.frontends.json_schema.conflicts import Part, conflict
from constrain.frontends.json_schema.findings import Finding
from constrain.frontends.json_schema.keyword_sets import places
from constrain.frontends.json_schema.lint import lint_shape
from constrain.frontends.json_schema.nodes import KEYWORDS, SubschemaNode
from constrain.frontends.json_schema.scan_cy import pointer
from constrain.frontends.json_schema.words import joined, shown
from constrain.options import Options

__all__ = ["MeaningLint", "lint"]

#: Compilation for the checks may take so many steps, an automaton so many states, a decision of a check so
#: many steps, and all checks together so many seconds: what is left then counts as undecided.
_MAX_STEPS = 20_000
_MAX_STATES = 20_000
_MAX_STEPS_OF_DECISION = 2_000
_MAX_SECONDS = 1.0
#: Alternatives are compared in pairs, enumerated values one by one, up to so many.
_MAX_COMPARED = 12
_MAX_VALUES = 200
#: Whoever violates `maxItems: 10000` is a container of 10001 members, which takes long to plan.
_MAX_COUNT = 100

#: What is redundant so often and so rightly that saying it helps nobody.
_NOT_CHECKED = frozenset(
    {
        *("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$dynamicRef", "$recursiveRef"),
        *("properties", "prefixItems"),
    }
)


def lint(
    schema: Any,
    options: Options,
    meaning: MeaningLint | None = None,
    registry: Mapping[str, object] | None = None,
) -> list[Finding]:
    """Return the remarks on a schema that compiles, in the order of the text.

    Args:
        schema: the JSON Schema.
        options: how it is read.
        meaning: of the same schema, if it is at hand.
        registry: the documents that it refers to.
    """
    dialect = (meaning.compiler if meaning else Compiler(schema, options, registry)).dialect
    shape = list(lint_shape(schema, dialect, options.max_steps))
    said = {(finding.location, finding.keyword) for finding in shape}
    try:
        remarks = list((meaning or MeaningLint(schema, options, registry)).findings())
    except ConstrainError as error:
        message = f"parts that can never hold were not looked for: {error.reason}"
        remarks = [Finding("undecided", "note", "#", message)]
    # What a keyword looks like says more than that it is redundant.
    remarks = [
        finding
        for finding in remarks
        if finding.rule != "redundant-keyword" or (finding.location, finding.keyword) not in said
    ]
    order = {
        location: index for index, (location, _) in enumerate(places(schema, dialect, options.max_steps))
    }
    return sorted(dict.fromkeys(shape + remarks), key=lambda finding: order.get(finding.location, -1))


class MeaningLint:
    """The checks of one schema, on a machine of their own, so that they use up nobody's budget.

    Args:
        schema: it compiles under `options`.
        options: how it is read.

    Attributes:
        compiler: of the schema.
        undecided: how many checks were given up within their budget.

    Raises:
        ConstrainError: the schema does not compile within the budget of a check.
    """

    def __init__(self, schema: Any, options: Options, registry: Mapping[str, object] | None = None) -> None:
        small = dataclasses.replace(
            options,
            max_steps=min(options.max_steps, _MAX_STEPS),
            max_states=min(options.max_states, _MAX_STATES),
        )
        self.compiler = Compiler(schema, small, registry)
        self.machine = self.compiler.compile()
        self.compiler.algebra.options = dataclasses.replace(small, max_steps=_MAX_STEPS_OF_DECISION)
        self.undecided = 0
        self._seconds = 0.0
        self._formulas = self.compiler.algebra.formulas

    # Decisions

    def is_nonempty(self, *goals: int) -> bool:
        """Whether some value satisfies all these goals; an undecided one counts as satisfiable."""
        if self._seconds > _MAX_SECONDS:
            self.undecided += 1
            return True
        start = time.perf_counter()
        try:
            return self.machine.emptiness.is_nonempty(self._formulas.conjunction(goals))
        except (ConstrainError, RecursionError):
            self.undecided += 1
            return True
        finally:
            self._seconds += time.perf_counter() - start

    def accepts(self, node: SubschemaNode, value: Any) -> bool:
        """Whether a value satisfies a sub-schema; an undecided one counts as accepted."""
        return self.is_nonempty(self._goal(node), self._constant(value))

    def never_holds(self, node: SubschemaNode) -> bool:
        """Whether no value satisfies a sub-schema."""
        return not self.is_nonempty(self._goal(node))

    def _goal(self, node: SubschemaNode) -> int:
        return self._formulas.variable(node)

    def _part(self, node: SubschemaNode, keywords: list[str]) -> int:
        return self._formulas.variable(Part(node, tuple(keywords)))

    def _constant(self, value: Any) -> int:
        return self._goal(SubschemaNode(self.compiler, {"enum": [value]}, "#", self.compiler.references.root))

    def _without(self, goal: int) -> int:
        return self._formulas.negation(goal)

    # Checks

    def findings(self) -> Iterator[Finding]:
        """Yield the remarks, sub-schema by sub-schema in the order of the text."""
        said: set[tuple[str, ...]] = set()
        for location, schema in places(self.compiler.schema, self.compiler.dialect, _MAX_STEPS):
            node = self.compiler.find(schema, location)
            if not node.keywords():
                yield from self._samples(node)
                continue
            if self.never_holds(node):
                if not _is_meant_to_be_empty(schema):
                    yield from self._unsatisfiable(node, said)
                continue
            yield from self._redundant(node)
            yield from self._values(node)
            yield from self._alternatives(node)
            yield from self._samples(node)
        yield from self._unused_definitions()
        if self.undecided:
            message = f"{self.undecided} checks were given up within their budget"
            yield Finding("undecided", "note", "#", message)

    def _unsatisfiable(self, node: SubschemaNode, said: set[tuple[str, ...]]) -> Iterator[Finding]:
        try:
            error = conflict(self.compiler, self.machine, node)
        except ConstrainError:
            self.undecided += 1
            return
        if error.locations in said:
            return
        said.add(error.locations)
        place = error.location or node.location
        consequence = _consequence(node.location)
        yield Finding(
            "unsatisfiable",
            "warning",
            place,
            error.reason + (f", so {consequence}" if consequence else ""),
            error.keyword,
            error.remedy,
            tuple(other for other in error.locations if other != place),
        )

    def _redundant(self, node: SubschemaNode) -> Iterator[Finding]:
        groups: dict[Callable[..., int], list[str]] = {}
        for keyword in node.keywords():
            if keyword in KEYWORDS:
                groups.setdefault(KEYWORDS[keyword][1], []).append(keyword)
        for group in groups.values():
            if _NOT_CHECKED & set(group) or any(_is_large(node.schema, keyword) for keyword in group):
                continue
            others = [keyword for keyword in node.keywords() if keyword not in group]
            goals = [self._part(node, others)] if others else []
            if not self.is_nonempty(*goals, self._without(self._part(node, group))):
                names = [keyword for keyword in group if keyword != "else"] or group
                beside = "that the other keywords allow" if others else "at all"
                verb = "excludes" if len(names) == 1 else "exclude"
                what = (
                    "it" if len(names) == 1 else "together " + joined((f"`{name}`" for name in names), "and")
                )
                yield Finding(
                    "redundant-keyword", "note", node.location, f"{what} {verb} nothing {beside}", names[0]
                )

    def _values(self, node: SubschemaNode) -> Iterator[Finding]:
        values = node.schema.get("enum")
        others = [keyword for keyword in node.keywords() if keyword != "enum"]
        if "enum" not in node.keywords() or not isinstance(values, list) or not others:
            return
        rest = self._part(node, others)
        for index, value in enumerate(values[:_MAX_VALUES]):
            if not self.is_nonempty(rest, self._constant(value)):
                culprits = [
                    keyword
                    for keyword in others
                    if not self.is_nonempty(self._part(node, [keyword]), self._constant(value))
                ]
                names = joined((f"`{keyword}`" for keyword in culprits or others), "and")
                yield Finding(
                    "unreachable-value",
                    "warning",
                    node.location,
                    f"{shown(value)} violates {names}, so it can never be written",
                    "enum",
                    "remove the value, or relax the keyword",
                    (pointer(node.location, "enum", index),),
                )

    def _alternatives(self, node: SubschemaNode) -> Iterator[Finding]:
        for keyword in ("anyOf", "oneOf"):
            if keyword not in node.keywords():
                continue
            branches = [
                (index, branch)
                for index, value in enumerate(node.schema[keyword])
                if (branch := self.compiler.node_of(value, node, (keyword, index))) is not None
            ]
            alive = []
            for index, branch in branches:
                if self.never_holds(branch):
                    continue  # it has a finding of its own
                if self.is_nonempty(self._goal(node), self._goal(branch)):
                    alive.append((index, branch))
                    continue
                reason = "it can never hold beside the other keywords"
                if keyword == "oneOf" and self.is_nonempty(
                    self._goal(branch), *self._siblings(node, keyword)
                ):
                    reason = "whatever fits it fits another alternative, too, so it can never be the one"
                yield Finding(
                    "overlapping-alternative",
                    "warning",
                    branch.location,
                    reason,
                    remedy="remove it, or make it differ from the others",
                )
            if keyword == "anyOf" and len(alive) <= _MAX_COMPARED:
                yield from self._subsumed(node, alive)

    def _siblings(self, node: SubschemaNode, keyword: str) -> list[int]:
        others = [name for name in node.keywords() if name != keyword]
        return [self._part(node, others)] if others else []

    def _subsumed(self, node: SubschemaNode, branches: list[tuple[int, SubschemaNode]]) -> Iterator[Finding]:
        siblings = self._siblings(node, "anyOf")
        gone: set[int] = set()
        for index, branch in branches:
            for other_index, other in branches:
                if other_index == index or other_index in gone:
                    continue
                if not self.is_nonempty(*siblings, self._goal(branch), self._without(self._goal(other))):
                    gone.add(index)
                    yield Finding(
                        "subsumed-alternative",
                        "note",
                        branch.location,
                        f"alternative {other_index + 1} accepts all that this one accepts",
                        related=(other.location,),
                    )
                    break

    def _unused_definitions(self) -> Iterator[Finding]:
        """Definitions that no reference reaches; not asked of a schema that is a library of them."""
        compiler = self.compiler
        everything = list(places(compiler.schema, compiler.dialect, _MAX_STEPS))
        if any(name in part for _, part in everything for name in ("$dynamicRef", "$recursiveRef")):
            return
        nodes = [compiler.find(part, location) for location, part in everything]
        if not nodes or not nodes[0].keywords():
            return
        targets = {
            id(target.schema)
            for node in nodes
            if "$ref" in node.keywords() and (target := compiler.referenced(node)) is not None
        }
        for location, part in everything:
            for keyword in ("$defs", "definitions"):
                definitions = part.get(keyword)
                if not isinstance(definitions, dict):
                    continue
                for name, definition in definitions.items():
                    below = places(definition, compiler.dialect, _MAX_STEPS)
                    if isinstance(definition, dict) and not any(id(each) in targets for _, each in below):
                        place = pointer(location, keyword, name)
                        yield Finding(
                            "unused-definition",
                            "note",
                            place,
                            f"nothing refers to the definition {shown(name)}",
                        )

    def _samples(self, node: SubschemaNode) -> Iterator[Finding]:
        schema = node.schema
        samples = (
            [("default", "invalid-default", schema["default"], "default")] if "default" in schema else []
        )
        examples = schema.get("examples")
        if isinstance(examples, list):
            samples += [
                ("examples", "invalid-example", value, f"examples/{index}")
                for index, value in enumerate(examples[:_MAX_VALUES])
            ]
        for keyword, rule, value, place in samples:
            if node.keywords() and not self.accepts(node, value):
                yield Finding(
                    rule,
                    "warning",
                    node.location,
                    f"{shown(value)} does not satisfy the schema beside it",
                    keyword,
                    "change it, or the schema",
                    related=() if keyword == "default" else (f"{node.location}/{place}",),
                )


def _is_large(schema: dict[str, Any], keyword: str) -> bool:
    """Whether a keyword is a bound on a count so large that nobody wants to see it violated."""
    value = schema.get(keyword)
    return (
        keyword in ("maxItems", "maxProperties", "maxContains") and value is not None and value > _MAX_COUNT
    )


def _is_meant_to_be_empty(schema: dict[str, Any]) -> bool:
    """Whether a sub-schema is one of the ways to write `false`."""
    return schema.get("not") in ({}, True) or schema.get("enum") == []


def _consequence(location: str) -> str | None:
    """What follows from a sub-schema being empty, read off its place."""
    steps = location.split("/")
    name = steps[-1].replace("~1", "/").replace("~0", "~")
    keyword, last = (steps[-2] if len(steps) > 2 else ""), steps[-1]
    named = {
        "properties": f"the property {shown(name)} can never be there",
        "patternProperties": f"no key may match `{name}`",
        "anyOf": "this alternative is never taken",
        "oneOf": "this alternative is never taken",
        "prefixItems": f"the array can have no item {name}",
        "items": f"the array can have no item {name}",
        "dependentSchemas": f"the property {shown(name)} can never be there",
        "dependencies": f"the property {shown(name)} can never be there",
        "$defs": "nothing that refers to it can hold",
        "definitions": "nothing that refers to it can hold",
    }
    if keyword in named:
        return named[keyword]
    return {
        "additionalProperties": "there can be no other keys",
        "unevaluatedProperties": "there can be no other keys",
        "propertyNames": "the object has to be empty",
        "items": "there can be no items",
        "additionalItems": "there can be no further items",
        "unevaluatedItems": "there can be no further items",
        "contains": "no item can be the one that is asked for",
        "not": "`not` excludes nothing",
        "if": "`if` never holds",
        "then": "`if` must not hold",
        "else": "`if` has to hold",
    }.get(last)
