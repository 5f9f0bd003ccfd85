"""`unevaluatedProperties` and `unevaluatedItems`: what other keywords of the same value leave over.

Which keywords evaluate a member depends on the value: an `anyOf` branch counts only if it holds.
So each place that evaluates members is collected with its *condition*, the conjunction of all
applicators on the way to it, from the source itself: simplified formulas no longer tell
(JSON Schema 2020-12 Core 11.2, 11.3; 2019-09 Core 9.3.1.3, 9.3.2.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.automata.languages_cy import Language
from constrain.errors import LimitExceeded
from constrain.frontends.json_schema.scan_cy import pointer
from constrain.matching.atoms import ARRAY, OBJECT, AllItems, AllProperties

if TYPE_CHECKING:
    from constrain.frontends.json_schema.nodes import SubschemaNode

__all__ = ["unevaluated_items", "unevaluated_properties"]

#: Subsets of the conditional `contains` are enumerated.
_MAX_CONDITIONAL_CONTAINS = 10


def _applied(root: SubschemaNode, kind: int, own: str) -> Iterator[tuple[SubschemaNode, int, bool]]:
    """Yield (node, condition, whether it is not `root`) of all that judge the value of `root` for certain.

    Args:
        own: the keyword that asks; it does not count at `root`.
    """
    compiler = root.compiler
    formulas = compiler.algebra.formulas
    stack: list[tuple[SubschemaNode, int, frozenset[int]]] = [(root, TRUE, frozenset())]
    while stack:
        node, condition, above = stack.pop()
        if condition == FALSE or id(node) in above:
            continue
        yield node, condition, node is not root
        below = above | {id(node)}
        keywords = node.keywords()
        schema = node.schema

        def go(part: SubschemaNode | None, *extra: int) -> None:
            if part is not None:
                together = formulas.conjunction([condition, *extra])  # noqa: B023
                stack.append((part, together, below))  # noqa: B023

        for keyword in keywords:
            value = schema[keyword]
            if keyword == "allOf":
                for index, part in enumerate(value):
                    go(compiler.node_of(part, node, (keyword, index)))
            elif keyword in ("anyOf", "oneOf"):
                for index, part in enumerate(value):
                    branch = compiler.node_of(part, node, (keyword, index))
                    if branch is not None:
                        go(branch, branch.component(kind))
            elif keyword == "if":
                holds = node.part(value, kind, "if")
                go(compiler.node_of(value, node, ("if",)), holds)
                for word, case in (("then", holds), ("else", formulas.negation(holds))):
                    if word in keywords:
                        branch = compiler.node_of(schema[word], node, (word,))
                        if branch is not None:
                            go(branch, case, branch.component(kind))
            elif keyword in ("dependentSchemas", "dependencies") and kind == OBJECT:
                for name, part in value.items():
                    branch = None if isinstance(part, list) else compiler.node_of(part, node, (keyword, name))
                    if branch is not None:
                        go(branch, compiler.required([name]), branch.component(kind))
            elif keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
                for target in node.references(keyword):
                    go(target)


def unevaluated_properties(node: SubschemaNode) -> int:
    """Return the formula that every property which nothing else evaluates satisfies the keyword."""
    compiler = node.compiler
    algebra = compiler.algebra
    formulas = algebra.formulas
    languages = algebra.languages
    goal = node.goal(node.schema["unevaluatedProperties"], "unevaluatedProperties")
    if goal == TRUE:
        return TRUE
    everything: list[int] = []
    names: dict[bytes, set[int]] = {}
    patterns: dict[Language, set[int]] = {}
    for part, condition, is_inner in _applied(node, OBJECT, "unevaluatedProperties"):
        keywords = part.keywords()
        if "additionalProperties" in keywords or (is_inner and "unevaluatedProperties" in keywords):
            everything.append(condition)
            continue
        for name in part.schema["properties"] if "properties" in keywords else ():
            key = compiler.key(name)
            if key is not None:
                names.setdefault(key, set()).add(condition)
        for text in part.schema["patternProperties"] if "patternProperties" in keywords else ():
            language = compiler.pattern(text, pointer(part.location, "patternProperties", text))
            words = compiler.few_words(language)
            if words is None:
                patterns.setdefault(language, set()).add(condition)
            for word in words or ():
                names.setdefault(word, set()).add(condition)
    evaluated = formulas.disjunction(everything)
    if evaluated == TRUE:
        return TRUE
    # Classes of keys that the same places evaluate: condition -> (names, languages).
    classes: dict[int, tuple[list[bytes], list[Language]]] = {}
    for key, conditions in names.items():
        own = set(conditions)
        for language, others in patterns.items():
            if compiler.matches(language, key):
                own |= others
        classes.setdefault(formulas.disjunction(own), ([], []))[0].append(key)
    outside_names = languages.complement(languages.literals(sorted(names)))
    regions: list[tuple[Language, frozenset[int]]] = [(outside_names, frozenset())]
    for language, conditions in patterns.items():
        split = []
        outside = languages.complement(language)
        for region, own_conditions in regions:
            for half, more in ((language, conditions), (outside, set())):
                both = languages.intersection(region, half)
                if not languages.is_empty(both):
                    split.append((both, own_conditions | more))
        regions = split
        if len(regions) > compiler.options.max_steps // 1000:
            raise LimitExceeded(
                "the patterns of one object split its keys into too many classes",
                location=node.location,
                keyword="unevaluatedProperties",
            )
    for region, own_conditions in regions:
        if own_conditions:
            classes.setdefault(formulas.disjunction(own_conditions), ([], []))[1].append(region)
    parts = []
    for condition, (keys, its_regions) in classes.items():
        if condition == TRUE:
            continue
        region_patterns = ((languages.union(*its_regions), goal),) if its_regions else ()
        atom = compiler.atom(AllProperties(dict.fromkeys(keys, goal), region_patterns, TRUE))
        parts.append(formulas.ite(condition, TRUE, atom))
    # Keys that nothing evaluates.
    rest = AllProperties(dict.fromkeys(names, TRUE), tuple((language, TRUE) for language in patterns), goal)
    parts.append(compiler.atom(rest))
    return formulas.ite(evaluated, TRUE, formulas.conjunction(parts))


def unevaluated_items(node: SubschemaNode) -> int:
    """Return the formula that every item which nothing else evaluates satisfies the keyword."""
    compiler = node.compiler
    formulas = compiler.algebra.formulas
    goal = node.goal(node.schema["unevaluatedItems"], "unevaluatedItems")
    if goal == TRUE:
        return TRUE
    everything: list[int] = []
    prefixes: dict[int, set[int]] = {}
    contained: dict[int, set[int]] = {}
    for part, condition, is_inner in _applied(node, ARRAY, "unevaluatedItems"):
        keywords = part.keywords()
        schema = part.schema
        dialect = part.dialect
        items = schema["items"] if "items" in keywords else None
        if dialect.tuple_items:
            prefix = items if isinstance(items, list) else None
            rest = items is not None if prefix is None else "additionalItems" in keywords
        else:
            prefix = schema["prefixItems"] if "prefixItems" in keywords else None
            rest = items is not None
        if rest or (is_inner and "unevaluatedItems" in keywords):
            everything.append(condition)
        elif prefix is not None:
            prefixes.setdefault(len(prefix), set()).add(condition)
        if node.dialect.contains_evaluates and "contains" in keywords:
            contained.setdefault(part.goal(schema["contains"], "contains"), set()).add(condition)
    evaluated = formulas.disjunction(everything)
    if evaluated == TRUE:
        return TRUE
    always = [goal]
    sometimes: list[tuple[int, int]] = []
    for matched, conditions in contained.items():
        condition = formulas.disjunction(conditions)
        if condition == TRUE:
            always.append(matched)
        else:
            sometimes.append((matched, condition))
    if len(sometimes) > _MAX_CONDITIONAL_CONTAINS:
        raise LimitExceeded(
            "too many conditional `contains` beside it",
            location=node.location,
            keyword="unevaluatedItems",
            limit=_MAX_CONDITIONAL_CONTAINS,
        )
    edges = [0, *sorted(prefixes), None]
    parts = []
    for low, high in pairwise(edges):
        assert low is not None
        covering = [
            condition for length, conditions in prefixes.items() if length > low for condition in conditions
        ]
        alternatives = [*covering]
        for size in range(len(sometimes) + 1):
            for chosen in combinations(sometimes, size):
                wanted = formulas.disjunction([*always, *(matched for matched, _ in chosen)])
                before = (TRUE,) * low
                segment = (
                    AllItems(before, wanted)
                    if high is None
                    else AllItems(before + (wanted,) * (high - low), TRUE)
                )
                holds = TRUE if wanted == TRUE or low == high else compiler.atom(segment)
                alternatives.append(formulas.conjunction([holds, *(condition for _, condition in chosen)]))
        parts.append(formulas.disjunction(alternatives))
    return formulas.ite(evaluated, TRUE, formulas.conjunction(parts))
