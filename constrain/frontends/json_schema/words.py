"""What a sub-schema asks for, in words: from the raw schema and its dialect alone.

Nothing is compiled or resolved here, so that also a schema that is refused can be described. A sub-schema
of a member has a line of its own wherever sub-schemas are listed; here it is mentioned briefly.

    >>> from constrain.frontends.json_schema.dialects import DIALECTS
    >>> describe({"type": "string", "minLength": 1, "maxLength": 10, "pattern": "^a"}, DIALECTS["2020-12"])
    'a string of 1 to 10 characters matching `^a`'
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from constrain.frontends.json_schema.dialects import Dialect

__all__ = [
    "TYPE_KEYWORDS",
    "counted",
    "describe",
    "joined",
    "names_in_words",
    "shown",
    "span",
    "types_in_words",
]

_MAX_SHOWN = 80
_MAX_LISTED = 8

_TYPE_WORDS = {
    "null": "null",
    "boolean": "a boolean",
    "number": "a number",
    "integer": "an integer",
    "string": "a string",
    "array": "an array",
    "object": "an object",
}
_ORDER = tuple(_TYPE_WORDS)

#: The keywords that concern values of one type only; `integer` is a `number` here.
TYPE_KEYWORDS: dict[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": (
        *("items", "prefixItems", "additionalItems", "unevaluatedItems", "minItems", "maxItems"),
        *("uniqueItems", "contains", "minContains", "maxContains"),
    ),
    "object": (
        *("properties", "required", "additionalProperties", "patternProperties", "propertyNames"),
        *("minProperties", "maxProperties", "unevaluatedProperties"),
        *("dependentRequired", "dependentSchemas", "dependencies"),
    ),
}


def describe(schema: Any, dialect: Dialect, *, brief: bool = False) -> str:
    """Return what a sub-schema accepts, in words that follow "it is".

    Args:
        schema: the raw sub-schema; malformed parts are passed over.
        dialect: how its keywords are read.
        brief: mention only what fits into a sentence about something else.
    """
    if isinstance(schema, bool):
        return "any value" if schema else "nothing"
    if not isinstance(schema, Mapping):
        return "something malformed"
    if schema.get("not") in ({}, True):
        return "nothing"
    if dialect.ref_overrides and isinstance(schema.get("$ref"), str):
        return _reference(schema["$ref"])
    core = _core(schema, dialect, brief)
    parts = [core] if core else []
    parts += [
        _reference(schema[keyword])
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef")
        if isinstance(schema.get(keyword), str)
    ]
    either, extra = _combinations(schema, dialect, bool(parts))
    text = ", and ".join(parts + either) or "any value"
    return "; ".join([text, *extra])


def _reference(reference: str) -> str:
    return f"`{reference}`"


def _core(schema: Mapping[str, Any], dialect: Dialect, brief: bool) -> str:
    """What constants, types and the keywords of types say; empty if nothing."""
    if "const" in schema:
        return f"exactly {shown(schema['const'])}"
    values = schema.get("enum")
    if isinstance(values, list):
        return _one_of(values)
    kind = schema.get("type")
    names = [kind] if isinstance(kind, str) else kind if isinstance(kind, list) else None
    if names is not None:
        # "number" holds every integer.
        kinds = [name for name in _ORDER if name in names and not (name == "integer" and "number" in names)]
        described = [_typed(name, schema, dialect, brief) for name in kinds]
        return joined(described, "or", "; or " if any("; " in words for words in described) else ", ")
    conditions = []
    for name, keywords in TYPE_KEYWORDS.items():
        if any(keyword in schema for keyword in keywords):
            words = _typed(name, schema, dialect, brief)
            plain = _TYPE_WORDS[name]
            if words.startswith(plain) and words != plain:
                conditions.append(f"if {plain}: {words[len(plain) :].lstrip(' ,;')}")
            elif words != plain:
                conditions.append(f"if {plain}: {words}")
    if not conditions:
        return ""
    return f"any value ({'; '.join(conditions)})"


def _typed(name: str, schema: Mapping[str, Any], dialect: Dialect, brief: bool) -> str:
    if name == "string":
        return _string(schema)
    if name in ("number", "integer"):
        return _number(_TYPE_WORDS[name], schema)
    if name == "array":
        return _array(schema, dialect, brief)
    if name == "object":
        return _object(schema, dialect, brief)
    return _TYPE_WORDS[name]


def _one_of(values: list[Any]) -> str:
    if not values:
        return "nothing (no value is listed)"
    if len(values) == 1:
        return f"exactly {shown(values[0])}"
    listed = ", ".join(shown(value, 40) for value in values[:_MAX_LISTED])
    return f"one of {len(values)} values: {listed}{', ...' if len(values) > _MAX_LISTED else ''}"


# Scalars


def _string(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minLength"), schema.get("maxLength")
    if low == 1 and high is None:
        words = "a non-empty string"
    else:
        size = span(low or None, high, "character")
        words = f"a string of {size}" if size else "a string"
    if isinstance(schema.get("pattern"), str):
        words += f" matching `{_shortened(schema['pattern'], _MAX_SHOWN)}`"
    if isinstance(schema.get("format"), str):
        words += f" in the format {schema['format']}"
    return words


def _number(words: str, schema: Mapping[str, Any]) -> str:
    bounds = []
    low, high = schema.get("minimum"), schema.get("maximum")
    # Draft 4 has boolean exclusive bounds.
    strict_low, strict_high = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if strict_low is True:
        low, strict_low = None, low
    if strict_high is True:
        high, strict_high = None, high
    if low is not None and high is not None:
        bounds.append(f"from {_number_text(low)} to {_number_text(high)}")
    elif low is not None:
        bounds.append(f"of at least {_number_text(low)}")
    elif high is not None:
        bounds.append(f"of at most {_number_text(high)}")
    if strict_low is not None and not isinstance(strict_low, bool):
        bounds.append(f"greater than {_number_text(strict_low)}")
    if strict_high is not None and not isinstance(strict_high, bool):
        bounds.append(f"less than {_number_text(strict_high)}")
    text = f"{words} {' and '.join(bounds)}" if bounds else words
    if "multipleOf" in schema:
        text += f", a multiple of {_number_text(schema['multipleOf'])}"
    return text


# Containers


def _array(schema: Mapping[str, Any], dialect: Dialect, brief: bool) -> str:
    size = span(schema.get("minItems") or None, schema.get("maxItems"), "item")
    words = f"an array of {size}" if size else "an array"
    prefix, rest = _prefix_and_rest(schema, dialect)
    clauses = []
    if prefix:
        clauses.append(f"its first {counted(len(prefix), 'item')} described one by one")
    if rest is False:
        clauses.append("no further items" if prefix else "no items")
    elif rest not in (None, True, {}):
        which = "further items" if prefix else "each item"
        clauses.append(f"{which} {describe(rest, dialect, brief=True)}")
    if brief:
        return ", ".join([words, *clauses])
    if "contains" in schema:
        low, high = schema.get("minContains", 1), schema.get("maxContains")
        amount = span(low or None, high, "item") or "any number of items"
        clauses.append(f"{amount} being {describe(schema['contains'], dialect, brief=True)}")
    if schema.get("uniqueItems") is True:
        clauses.append("all different")
    left = schema.get("unevaluatedItems", True)
    if left is False:
        clauses.append("no items that no other keyword describes")
    elif left not in (True, {}):
        clauses.append(f"items that no other keyword describes {describe(left, dialect, brief=True)}")
    return ", ".join([words, *clauses])


def _prefix_and_rest(schema: Mapping[str, Any], dialect: Dialect) -> tuple[list[Any], Any]:
    items = schema.get("items")
    if dialect.tuple_items:
        if isinstance(items, list):
            return items, schema.get("additionalItems")
        return [], items
    prefix = schema.get("prefixItems")
    return prefix if isinstance(prefix, list) else [], items


def _object(schema: Mapping[str, Any], dialect: Dialect, brief: bool) -> str:
    required = _strings(schema.get("required"))
    properties = schema.get("properties")
    named = list(properties) if isinstance(properties, Mapping) else []
    clauses = []
    if required:
        clauses.append(f"required {names_in_words(required)}")
    optional = [name for name in named if name not in required]
    if optional and not brief:
        clauses.append(f"optional {names_in_words(optional)}")
    words = "an object with " + " and ".join(clauses) if clauses else "an object"
    if brief:
        return words
    clauses = []
    size = span(schema.get("minProperties") or None, schema.get("maxProperties"), "property")
    if size:
        clauses.append(size + " in all")
    patterns = schema.get("patternProperties")
    if isinstance(patterns, Mapping):
        clauses += [
            f"keys matching `{_shortened(pattern, 40)}` {_valued(value, dialect)}"
            for pattern, value in patterns.items()
        ]
    if "propertyNames" in schema:
        clauses.append(f"each key {describe(schema['propertyNames'], dialect, brief=True)}")
    clauses += _dependencies(schema, dialect)
    for keyword, which in (
        ("additionalProperties", "other keys" if named or patterns else "keys"),
        ("unevaluatedProperties", "keys that no other keyword describes"),
    ):
        value = schema.get(keyword, True)
        if value is False and which == "keys":
            clauses.append("no keys allowed")
        elif value is not True and value != {}:
            clauses.append(f"{which} {_valued(value, dialect)}")
    return "; ".join([words, *clauses])


def _valued(value: Any, dialect: Dialect) -> str:
    if value is False:
        return "not allowed"
    return f"being {describe(value, dialect, brief=True)}"


def _dependencies(schema: Mapping[str, Any], dialect: Dialect) -> list[str]:
    clauses = []
    for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
        value = schema.get(keyword)
        if not isinstance(value, Mapping):
            continue
        for name, part in value.items():
            if isinstance(part, list):
                if part:
                    clauses.append(f"with {name} also {names_in_words(_strings(part))}")
            else:
                clauses.append(f"with {name} it is also {describe(part, dialect, brief=True)}")
    return clauses


# Sub-schemas of the same value


def _combinations(schema: Mapping[str, Any], dialect: Dialect, is_more: bool) -> tuple[list[str], list[str]]:
    """Return (what it is, too; what else is asked of it)."""
    either: list[str] = []
    extra: list[str] = []
    for keyword, none, some in (
        ("allOf", "", "all of {} parts"),
        ("anyOf", "any of", "any of {} alternatives"),
        ("oneOf", "exactly one of", "exactly one of {} alternatives"),
    ):
        branches = schema.get(keyword)
        if not isinstance(branches, list) or not branches:
            continue
        briefs = list(dict.fromkeys(describe(branch, dialect, brief=True) for branch in branches))
        is_short = len(branches) <= 4 and len(briefs) == len(branches)
        if is_short and sum(map(len, briefs)) <= 160 and not any("; " in words for words in briefs):
            if len(briefs) == 1 or keyword == "allOf":
                either += [words for words in briefs if words != "any value"]
            elif is_more:
                either.append(f"{none} {joined(briefs, 'or')}")
            else:
                either.append(joined(briefs, "or") + (" (exactly one of them)" if keyword == "oneOf" else ""))
        else:
            either.append(some.format(len(branches)))
    if "not" in schema:
        extra.append(f"but not {describe(schema['not'], dialect, brief=True)}")
    if "if" in schema and ("then" in schema or "else" in schema):
        words = f"if it is {describe(schema['if'], dialect, brief=True)}"
        if "then" in schema:
            words += f", then also {describe(schema['then'], dialect, brief=True)}"
        if "else" in schema:
            words += f", else also {describe(schema['else'], dialect, brief=True)}"
        extra.append(words)
    return either, extra


# Phrases


def types_in_words(value: Any) -> str:
    """Return what the value of `type` names: "an integer or null"."""
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return joined([_TYPE_WORDS.get(name, str(name)) for name in names if isinstance(name, str)], "or")


def span(low: Any, high: Any, noun: str) -> str:
    """Return an interval of counts: "1 to 10 items"; empty for no bounds."""
    low = None if isinstance(low, bool) or not isinstance(low, int | float | Decimal) else int(low)
    high = None if isinstance(high, bool) or not isinstance(high, int | float | Decimal) else int(high)
    if low is None and high is None:
        return ""
    if low is None:
        assert high is not None
        return f"at most {counted(high, noun)}"
    if high is None:
        return f"at least {counted(low, noun)}"
    return f"exactly {counted(low, noun)}" if low == high else f"{low} to {counted(high, noun)}"


def counted(number: int, noun: str) -> str:
    """Return a count with its noun: "1 property", "2 properties"."""
    if number == 1:
        return f"1 {noun}"
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {plural}"


def joined(words: Iterable[str], conjunction: str, separator: str = ", ") -> str:
    """Return an enumeration: "a, b or c"."""
    words = list(words)
    if len(words) < 2:
        return "".join(words)
    if separator != ", ":
        return separator.join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def names_in_words(names: list[str]) -> str:
    """Return property names in a row, the tail of a long list counted."""
    listed = ", ".join(name if _is_plain(name) else shown(name) for name in names[:_MAX_LISTED])
    more = len(names) - _MAX_LISTED
    return f"{listed} and {more} more" if more > 0 else listed


def _is_plain(name: str) -> bool:
    return bool(name) and all(char.isalnum() or char in "_-.$@" for char in name)


def shown(value: Any, limit: int = _MAX_SHOWN) -> str:
    """Return a value as short JSON."""
    if isinstance(value, Decimal | float) and not isinstance(value, bool):
        return _shortened(_number_text(value), limit)
    try:
        return _shortened(json.dumps(value, ensure_ascii=False, default=float), limit)
    except RecursionError:
        return "[...]" if isinstance(value, list) else "{...}"


def _number_text(value: Any) -> str:
    return str(value) if isinstance(value, int | float | Decimal) else shown(value)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _strings(value: Any) -> list[str]:
    return [part for part in value if isinstance(part, str)] if isinstance(value, list) else []
