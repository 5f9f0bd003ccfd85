"""Dialects: which keywords a draft of JSON Schema has, and where sub-schemas stand in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from constrain.errors import SchemaError, UnsupportedError

__all__ = ["DIALECTS", "Dialect", "dialect_of"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One draft.

    Attributes:
        name: as in `Options.dialect`.
        uri: the identifier of its meta-schema, without an empty fragment.
        assertions: the assertion and applicator keywords that are enforced.
        refused: assertion and applicator keywords of the draft that cannot be enforced yet.
        id_keyword: `$id`, or `id` in draft 4.
        ref_overrides: whether the siblings of `$ref` are ignored.
        tuple_items: whether `items` may be a list (and `additionalItems` follows it).
        textual_integers: whether `1.0` is no integer (draft 4).
        counted_contains: whether `minContains` and `maxContains` count (since 2019-09).
        contains_evaluates: whether `unevaluatedItems` leaves out what `contains` matched (since 2020-12).
    """

    name: str
    uri: str
    assertions: frozenset[str]
    refused: frozenset[str]
    id_keyword: str = "$id"
    ref_overrides: bool = False
    tuple_items: bool = False
    textual_integers: bool = False
    counted_contains: bool = False
    contains_evaluates: bool = False
    aliases: tuple[str, ...] = field(default=())


_DRAFT_4 = frozenset(
    {
        *("type", "enum", "format", "$ref", "allOf", "anyOf", "oneOf", "not"),
        *("minLength", "maxLength", "pattern"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("items", "additionalItems", "minItems", "maxItems", "uniqueItems"),
        *("properties", "required", "additionalProperties", "patternProperties"),
        *("minProperties", "maxProperties", "dependencies"),
    }
)
_DRAFT_6 = _DRAFT_4 | {"const", "contains", "propertyNames"}
_DRAFT_7 = _DRAFT_6 | {"if", "then", "else"}
_DRAFT_2019 = (_DRAFT_7 - {"dependencies"}) | {
    *("dependentRequired", "dependentSchemas", "minContains", "maxContains"),
    *("unevaluatedItems", "unevaluatedProperties"),
}
_DRAFT_2020 = (_DRAFT_2019 - {"additionalItems"}) | {"prefixItems"}

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            "4",
            "http://json-schema.org/draft-04/schema",
            _DRAFT_4,
            frozenset(),
            id_keyword="id",
            ref_overrides=True,
            tuple_items=True,
            textual_integers=True,
        ),
        Dialect(
            "6",
            "http://json-schema.org/draft-06/schema",
            _DRAFT_6,
            frozenset(),
            ref_overrides=True,
            tuple_items=True,
        ),
        Dialect(
            "7",
            "http://json-schema.org/draft-07/schema",
            _DRAFT_7,
            frozenset(),
            ref_overrides=True,
            tuple_items=True,
            aliases=("http://json-schema.org/schema",),
        ),
        Dialect(
            "2019-09",
            "https://json-schema.org/draft/2019-09/schema",
            _DRAFT_2019,
            frozenset({"$recursiveRef"}),
            tuple_items=True,
            counted_contains=True,
        ),
        Dialect(
            "2020-12",
            "https://json-schema.org/draft/2020-12/schema",
            _DRAFT_2020,
            frozenset({"$dynamicRef"}),
            counted_contains=True,
            contains_evaluates=True,
        ),
    )
}

_BY_URI = {
    uri.split("://", 1)[1]: dialect
    for dialect in DIALECTS.values()
    for uri in (dialect.uri, *dialect.aliases)
}


def dialect_of(schema: Any, default: str) -> Dialect:
    """Return the dialect that `$schema` names, else the default one.

    Raises:
        SchemaError: `$schema` is not a string.
        UnsupportedError: it names a meta-schema that is not a draft from 4 to 2020-12.
    """
    if not isinstance(schema, dict) or "$schema" not in schema:
        return DIALECTS[default]
    uri = schema["$schema"]
    if not isinstance(uri, str):
        raise SchemaError("must be a string", location="#", keyword="$schema")
    known = _BY_URI.get(uri.removesuffix("#").split("://", 1)[-1])
    if known is None:
        raise UnsupportedError(
            f"the dialect {uri!r} is not known",
            location="#",
            keyword="$schema",
            remedy="use one of " + ", ".join(dialect.uri for dialect in DIALECTS.values()),
        )
    return known
