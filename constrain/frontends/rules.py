"""Report rules: a short way to say what a report holds, lowered to JSON Schema.

    {"report_type": "quarterly",
     "required_sections": ["revenue", "expenses", "cash_flow"],
     "entity_constraints": {"revenue": {"min_value": 1000000, "unit": "CNY"},
                            "date": {"format": "YYYY-MM-DD"}}}

A report is an object with exactly the properties that its rules name, and all of them are required:

- `report_type`: a property of that name with that constant.
- each of `required_sections`: a property of that name. If no constraint describes it, it is an amount
  (`value`, a number, and `unit`, a text), a number, or a text; none of them empty.
- each of `entity_constraints`: a property of that name, and its content:
    - `min_value`, `max_value`, `unit`: an object with `value`, a number in that range, and `unit`, which is
      that text (or one of those, if `unit` is a list). Without `unit` in the rules the object has only
      `value`.
    - `format`: a text that is a real date or time in that arrangement of `YYYY MM DD hh mm ss`; see
      `date_patterns`.
    - `entity`: a text that names an entity of that class in the graph. `names` says which texts count
      (`names`: labels and aliases, the default; `labels`, `notations`, `all`), `language` restricts them to
      one language, `relation` to entities that something is related to by it, `where` to those with given
      relations: `{"entity": "Company", "where": {"country": "Germany"}}`.
- `knowledge`: the name of the graph that the entities are from. It loads nothing: the graph is always the one
  that the caller passed, and has to have this name.

A graph that no rule asks for is an error too, because its caller expects it to have an effect.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias

from constrain.errors import KnowledgeError, SchemaError, UnsatisfiableError
from constrain.frontends.date_patterns import date_pattern

if TYPE_CHECKING:
    from constrain.knowledge import Graph

__all__ = ["is_rules", "rules_to_json_schema"]

# What `json.loads` makes; a precise recursive type would have to be narrowed at every step.
Json: TypeAlias = Any

_RULES_KEYS = ("report_type", "required_sections", "entity_constraints", "knowledge")
_AMOUNT_KEYS = ("min_value", "max_value", "unit")
_ENTITY_KEYS = ("entity", "names", "language", "relation", "where")
_CONSTRAINT_KEYS = (*_AMOUNT_KEYS, "format", *_ENTITY_KEYS)

_PASS_A_GRAPH = "pass knowledge=constrain.load_graph(name or path), or --knowledge on the command line"

# Keys by which an object is a JSON Schema even if one of its properties is called like a rule.
_JSON_SCHEMA_KEYS = frozenset(
    {
        *("$schema", "$id", "$ref", "$dynamicRef", "$defs", "definitions", "type", "enum", "const"),
        *("properties", "patternProperties", "additionalProperties", "required", "items", "prefixItems"),
        *("allOf", "anyOf", "oneOf", "not", "if"),
    }
)

_TEXT: Json = {"type": "string", "minLength": 1}
_AMOUNT: Json = {
    "type": "object",
    "properties": {"value": {"type": "number"}, "unit": _TEXT},
    "required": ["value", "unit"],
    "additionalProperties": False,
}


def is_rules(source: object) -> bool:
    """True if a JSON value is report rules: it has one of their keys, and no keyword of JSON Schema."""
    return (
        isinstance(source, Mapping)
        and not _JSON_SCHEMA_KEYS.intersection(source)
        and any(key in source for key in _RULES_KEYS if key != "knowledge")
    )


def rules_to_json_schema(rules: Mapping[str, Json], knowledge: Graph | None = None) -> dict[str, Json]:
    """The JSON Schema (draft 2020-12) that report rules mean.

    Args:
        rules: the rules as a JSON value; see the module for what they may hold.
        knowledge: the graph that `entity` constraints ask.

    Raises:
        SchemaError: the rules are malformed; unknown keys are, too.
        UnsatisfiableError: a range of values is empty.
        KnowledgeError: a constraint asks a graph and none was passed, a graph was passed and none asks it, or
            it lacks what is asked for.
    """
    root = _object(rules, "#")
    _check_keys(root, _RULES_KEYS, "#")
    sections = _sections(root.get("required_sections", []), "#/required_sections")
    constraints = _object(root.get("entity_constraints", {}), "#/entity_constraints")
    _check_graph_name(_optional_text(root, "knowledge", "#"), knowledge)
    properties: dict[str, Json] = {}
    if "report_type" in root:
        properties["report_type"] = {"const": _text(root["report_type"], "#/report_type", "report_type")}
    needs_amount = False
    for section in sections:
        if section == "report_type" and section in properties:
            raise SchemaError(
                "a section cannot be called `report_type`",
                location=f"#/required_sections/{sections.index(section)}",
            )
        if section not in constraints:
            needs_amount = True
            properties[section] = {"anyOf": [{"$ref": "#/$defs/amount"}, {"type": "number"}, _TEXT]}
        else:
            properties[section] = _constraint(
                constraints[section], _at("#/entity_constraints", section), knowledge
            )
    for name, constraint in constraints.items():
        where = _at("#/entity_constraints", name)
        if name == "report_type" and name in properties:
            raise SchemaError("the constant `report_type` cannot be constrained again", location=where)
        if name not in properties:
            properties[name] = _constraint(constraint, where, knowledge)
    if not properties:
        raise SchemaError(
            "rules that require nothing", location="#", remedy="give " + ", ".join(_RULES_KEYS[:3])
        )
    if knowledge is not None and not any("entity" in constraint for constraint in constraints.values()):
        raise KnowledgeError(
            f"the graph {knowledge.name!r} was given, and no rule asks it",
            location="#/entity_constraints",
            remedy='for example "company": {"entity": "Company"}',
        )
    schema: dict[str, Json] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    if needs_amount:
        schema["$defs"] = {"amount": _AMOUNT}
    return schema


def _constraint(constraint: Json, where: str, knowledge: Graph | None) -> Json:
    """The schema of one property."""
    rules = _object(constraint, where)
    _check_keys(rules, _CONSTRAINT_KEYS, where)
    if not rules:
        raise SchemaError(
            "an empty constraint", location=where, remedy="one of " + ", ".join(_CONSTRAINT_KEYS)
        )
    groups = [keys for keys in (_AMOUNT_KEYS, ("format",), _ENTITY_KEYS) if any(key in rules for key in keys)]
    if len(groups) > 1:
        first, second = (next(key for key in keys if key in rules) for keys in groups[:2])
        raise SchemaError(
            f"it cannot go together with `{first}`: they describe different kinds of values",
            location=_at(where, second),
            keyword=second,
        )
    if "format" in rules:
        return _date(_text(rules["format"], _at(where, "format"), "format"), _at(where, "format"))
    if any(key in rules for key in _AMOUNT_KEYS):
        return _amount(rules, where)
    return _entity(rules, where, knowledge)


def _amount(rules: Mapping[str, Json], where: str) -> Json:
    value: dict[str, Json] = {"type": "number"}
    for rule, keyword in (("min_value", "minimum"), ("max_value", "maximum")):
        if rule in rules:
            value[keyword] = _number(rules[rule], _at(where, rule), rule)
    if "minimum" in value and "maximum" in value and value["minimum"] > value["maximum"]:
        raise UnsatisfiableError(
            "no value is at least `min_value` and at most `max_value`",
            location=_at(where, "min_value"),
            keyword="min_value",
            locations=(_at(where, "min_value"), _at(where, "max_value")),
        )
    properties: dict[str, Json] = {"value": value}
    if "unit" in rules:
        at = _at(where, "unit")
        if isinstance(rules["unit"], list):
            units = [_text(unit, f"{at}/{index}", "unit") for index, unit in enumerate(rules["unit"])]
            if not units:
                raise SchemaError("a list without units", location=at, keyword="unit")
            properties["unit"] = {"enum": list(dict.fromkeys(units))}
        else:
            properties["unit"] = {"const": _text(rules["unit"], at, "unit")}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _date(arrangement: str, where: str) -> Json:
    if arrangement == "YYYY-MM-DD":
        # `date` admits the year 0000 of RFC 3339, which no calendar has.
        return {"type": "string", "format": "date", "pattern": "^(?!0000)"}
    return {"type": "string", "pattern": date_pattern(arrangement, location=where)}


def _entity(rules: Mapping[str, Json], where: str, knowledge: Graph | None) -> Json:
    from constrain.knowledge import NAME_KINDS, entity_set

    if "entity" not in rules:
        raise SchemaError(
            "needs `entity`, the class of the entities", location=where, keyword=next(iter(rules))
        )
    if knowledge is None:
        raise KnowledgeError(
            "the rules ask a knowledge graph, and none was given",
            location=_at(where, "entity"),
            keyword="entity",
            remedy=_PASS_A_GRAPH,
        )
    names = rules.get("names", "names")
    if names not in NAME_KINDS:
        raise SchemaError(
            f"{names!r} is not a kind of name",
            location=_at(where, "names"),
            keyword="names",
            remedy=_did_you_mean(names, NAME_KINDS),
        )
    conditions = _object(rules.get("where", {}), _at(where, "where"))
    try:
        texts = entity_set(
            knowledge,
            _text(rules["entity"], _at(where, "entity"), "entity"),
            names=names,
            language=_optional_text(rules, "language", where),
            relation=_optional_text(rules, "relation", where),
            where={
                relation: _text(name, _at(_at(where, "where"), relation), relation)
                for relation, name in conditions.items()
            },
        )
    except KnowledgeError as error:
        error.location = error.location or where
        raise
    return {"type": "string", "enum": sorted(texts)}


def _check_graph_name(name: str | None, knowledge: Graph | None) -> None:
    if name is not None and (knowledge is None or knowledge.name != name):
        given = "none was given" if knowledge is None else f"{knowledge.name!r} was given"
        raise KnowledgeError(
            f"the rules ask the graph {name!r}, and {given}", location="#/knowledge", remedy=_PASS_A_GRAPH
        )


def _sections(value: Json, where: str) -> list[str]:
    if not isinstance(value, list):
        raise SchemaError("a list of names is needed here", location=where, keyword="required_sections")
    names: list[str] = []
    for index, item in enumerate(value):
        name = _text(item, f"{where}/{index}", "required_sections")
        if name in names:
            raise SchemaError(f"the section {name!r} appears twice", location=f"{where}/{index}")
        names.append(name)
    return names


def _object(value: Json, where: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise SchemaError("an object is needed here", location=where)
    for key in value:
        if not isinstance(key, str) or not key:
            raise SchemaError(f"{key!r} is not a name", location=where)
    return value


def _text(value: Json, where: str, keyword: str) -> str:
    if not isinstance(value, str) or not value:
        raise SchemaError("a non-empty text is needed here", location=where, keyword=keyword)
    return value


def _optional_text(rules: Mapping[str, Json], key: str, where: str) -> str | None:
    return _text(rules[key], _at(where, key), key) if key in rules else None


def _number(value: Json, where: str, keyword: str) -> int | float | Decimal:
    if (
        not isinstance(value, int | float | Decimal)
        or isinstance(value, bool)
        or (not isinstance(value, int) and not math.isfinite(value))
    ):
        raise SchemaError("a number is needed here", location=where, keyword=keyword)
    return value


def _check_keys(rules: Mapping[str, Json], known: tuple[str, ...], where: str) -> None:
    for key in rules:
        if key not in known:
            raise SchemaError(
                "unknown key", location=_at(where, key), keyword=key, remedy=_did_you_mean(key, known)
            )


def _did_you_mean(word: object, known: tuple[str, ...]) -> str:
    near = get_close_matches(str(word), known, n=1)
    return f"did you mean `{near[0]}`?" if near else "one of " + ", ".join(known)


def _at(where: str, key: str) -> str:
    return where + "/" + key.replace("~", "~0").replace("/", "~1")
