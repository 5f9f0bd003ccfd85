"""Dialects: which keywords a draft of JSON Schema has, and where sub-schemas stand in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from constrain.errors import SchemaError, UnsupportedError

__all__ = ["DIALECTS", "Dialect", "dialect_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One draft; compared by identity.

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
        identifiers: the keywords that name schemas.
        keywords: the enforced and the refused ones together.
        holders: the keywords that may hold sub-schemas, whether they are enforced or not.
        scanned: the enforced keywords and those that hold definitions.
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
    identifiers: frozenset[str] = frozenset()
    keywords: frozenset[str] = field(init=False, repr=False, compare=False)
    holders: frozenset[str] = field(init=False, repr=False, compare=False)
    scanned: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The class is frozen, also for itself.
        object.__setattr__(self, "keywords", self.assertions | self.refused)
        more = {"$defs", "definitions"} if self.ref_overrides else {"$defs", "definitions", "contentSchema"}
        object.__setattr__(self, "holders", self.keywords | more)
        object.__setattr__(self, "scanned", self.assertions | {"$defs", "definitions"})


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
_DRAFT_7 = _DRAFT_6 | {"if", "then", "else", "contentEncoding"}
_DRAFT_2019 = (_DRAFT_7 - {"dependencies"}) | {
    *("dependentRequired", "dependentSchemas", "minContains", "maxContains"),
    *("unevaluatedItems", "unevaluatedProperties", "$recursiveRef"),
}
_DRAFT_2020 = (_DRAFT_2019 - {"additionalItems", "$recursiveRef"}) | {"prefixItems", "$dynamicRef"}

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            "4",
            "http://json-schema.org/draft-04/schema",
            _DRAFT_4,
            frozenset(),
            id_keyword="id",
            identifiers=frozenset({"id"}),
            ref_overrides=True,
            tuple_items=True,
            textual_integers=True,
        ),
        Dialect(
            "6",
            "http://json-schema.org/draft-06/schema",
            _DRAFT_6,
            frozenset(),
            identifiers=frozenset({"$id"}),
            ref_overrides=True,
            tuple_items=True,
        ),
        Dialect(
            "7",
            "http://json-schema.org/draft-07/schema",
            _DRAFT_7,
            frozenset(),
            identifiers=frozenset({"$id"}),
            ref_overrides=True,
            tuple_items=True,
            aliases=("http://json-schema.org/schema",),
        ),
        Dialect(
            "2019-09",
            "https://json-schema.org/draft/2019-09/schema",
            _DRAFT_2019,
            frozenset(),
            identifiers=frozenset({"$id", "$anchor", "$recursiveAnchor"}),
            tuple_items=True,
            counted_contains=True,
        ),
        Dialect(
            "2020-12",
            "https://json-schema.org/draft/2020-12/schema",
            _DRAFT_2020,
            frozenset(),
            identifiers=frozenset({"$id", "$anchor", "$dynamicAnchor"}),
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


_APPLICATORS = {
    *("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"),
    *("prefixItems", "items", "additionalItems", "contains"),
    *("properties", "patternProperties", "additionalProperties", "propertyNames"),
}
_UNEVALUATED = {"unevaluatedItems", "unevaluatedProperties"}
_ASSERTIONS = {
    *("type", "const", "enum", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
    *("maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains"),
    *("minContains", "maxProperties", "minProperties", "required", "dependentRequired"),
}

#: The keywords of each vocabulary that matter here, by its identifier.
_VOCABULARIES: dict[str, set[str]] = {
    f"https://json-schema.org/draft/{draft}/vocab/{name}": keywords
    for draft, named in {
        "2019-09": {
            "core": {"$ref", "$recursiveRef"},
            "applicator": _APPLICATORS | _UNEVALUATED,
            "format": {"format"},
        },
        "2020-12": {
            "core": {"$ref", "$dynamicRef"},
            "applicator": _APPLICATORS,
            "unevaluated": _UNEVALUATED,
            "format-annotation": {"format"},
            "format-assertion": {"format"},
        },
    }.items()
    for name, keywords in {
        "validation": _ASSERTIONS,
        "meta-data": set(),
        "content": {"contentEncoding"},
        **named,
    }.items()
}


def dialect_of(schema: Any, default: str, metaschema: Callable[[str], Any] = lambda uri: None) -> Dialect:
    """Return the dialect that `$schema` names, else the default one.

    Args:
        metaschema: the meta-schema with an identifier, `None` if it is not known.

    Raises:
        SchemaError: `$schema` is not a string.
        UnsupportedError: it names a meta-schema that is neither a draft from 4 to 2020-12 nor known,
            or one that requires an unknown vocabulary.
    """
    if not isinstance(schema, dict) or "$schema" not in schema:
        return DIALECTS[default]
    uri = schema["$schema"]
    vocabularies: dict[str, bool] | None = None
    visited: set[str] = set()
    while True:
        if not isinstance(uri, str):
            raise SchemaError("must be a string", location="#", keyword="$schema")
        known = _BY_URI.get(uri.removesuffix("#").split("://", 1)[-1])
        if known is not None:
            return known if vocabularies is None else _restricted(known, vocabularies)
        contents = metaschema(uri) if uri not in visited else None
        if not isinstance(contents, dict) or "$schema" not in contents:
            raise UnsupportedError(
                f"the dialect {uri!r} is not known",
                location="#",
                keyword="$schema",
                remedy="pass its meta-schema in `registry`, or use one of "
                + ", ".join(dialect.uri for dialect in DIALECTS.values()),
            )
        visited.add(uri)
        # A meta-schema is written in a dialect itself; its own vocabularies count only for what it describes.
        if vocabularies is None and isinstance(contents.get("$vocabulary"), dict):
            vocabularies = contents["$vocabulary"]
        uri = contents["$schema"]


def _restricted(dialect: Dialect, vocabularies: dict[str, bool]) -> Dialect:
    """Return a dialect without the keywords of the vocabularies that are not listed."""
    unknown = [uri for uri, is_required in vocabularies.items() if is_required and uri not in _VOCABULARIES]
    if unknown:
        raise UnsupportedError(
            f"the meta-schema requires the vocabulary {unknown[0]!r}, which is not known",
            location="#",
            keyword="$schema",
            remedy="remove it from `$vocabulary`, or set it to false if it may be ignored",
        )
    # References are read in every dialect.
    keywords = {"$ref", "$dynamicRef", "$recursiveRef"}.union(
        *(_VOCABULARIES[uri] for uri in vocabularies if uri in _VOCABULARIES)
    )
    return dataclasses.replace(
        dialect, assertions=dialect.assertions & keywords, refused=dialect.refused & keywords
    )
