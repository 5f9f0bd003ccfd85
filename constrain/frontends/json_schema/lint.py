"""Remarks on a schema that need no engine: what its keywords look like beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from constrain.frontends.json_schema.dialects import Dialect
from constrain.frontends.json_schema.findings import Finding
from constrain.frontends.json_schema.keyword_sets import ALL_KEYWORDS, applies, drafts_of, places
from constrain.frontends.json_schema.words import TYPE_KEYWORDS, shown, types_in_words

__all__ = ["lint_shape"]

#: keyword -> the keywords of which it needs one beside it.
_NEEDS = {
    "then": ("if",),
    "else": ("if",),
    "if": ("then", "else"),
    "minContains": ("contains",),
    "maxContains": ("contains",),
}
#: Values that exclude nothing.
_VACUOUS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("minLength", "minItems", "minProperties"), (0,)),
    **dict.fromkeys(("properties", "patternProperties", "dependencies"), ({},)),
    **dict.fromkeys(("dependentRequired", "dependentSchemas"), ({},)),
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties", "propertyNames"), (True, {})),
    **dict.fromkeys(("items", "additionalItems", "unevaluatedItems"), (True, {})),
    "required": ([],),
    "uniqueItems": (False,),
    "pattern": ("",),
}
#: What other specifications have beside JSON Schema; none of it is a misspelling.
_FOREIGN = frozenset(
    {"discriminator", "xml", "externalDocs", "example", "nullable", "markdownDescription", "enumNames"}
)
_KEYWORD_TYPE = {keyword: name for name, keywords in TYPE_KEYWORDS.items() for keyword in keywords}


def lint_shape(schema: Any, dialect: Dialect, max_schemas: int) -> Iterator[Finding]:
    """Yield remarks on every sub-schema, in the order of the text."""
    for location, part in places(schema, dialect, max_schemas):
        if dialect.ref_overrides and "$ref" in part:
            yield from _beside_reference(part, location, dialect)
            continue
        yield from _unknown_keywords(part, location, dialect)
        yield from _orphans(part, location, dialect)
        yield from _types(part, location, dialect)
        yield from _vacuous(part, location, dialect)
        yield from _lists(part, location)
        yield from _format(part, location)


def _beside_reference(schema: dict[str, Any], location: str, dialect: Dialect) -> Iterator[Finding]:
    harmless = {"$ref", "$defs", "definitions", "title", "description", "default", "examples", "$comment"}
    for keyword in schema:
        if keyword not in harmless and applies(keyword, dialect) and not keyword.startswith("$"):
            yield Finding(
                "ignored-beside-ref",
                "warning",
                location,
                f"ignored, because draft {dialect.name} ignores whatever stands beside `$ref`",
                keyword,
                remedy="put the reference and the rest into `allOf`, or use draft 2019-09 or later",
            )


def _unknown_keywords(schema: dict[str, Any], location: str, dialect: Dialect) -> Iterator[Finding]:
    for keyword, value in schema.items():
        if applies(keyword, dialect) or keyword.startswith("x-"):
            continue  # a prefix says that the keyword is meant to be one's own
        if keyword == "nullable":
            if value is True:
                yield Finding(
                    "unknown-keyword",
                    "warning",
                    location,
                    "ignored: it is OpenAPI 3.0, and JSON Schema does not know it",
                    keyword,
                    remedy='add "null" to `type`',
                )
        elif keyword in ALL_KEYWORDS:
            yield Finding(
                "keyword-of-other-draft",
                # So many schemas have `id` as an annotation that it is hardly ever a mistake.
                "note" if keyword == "id" else "warning",
                location,
                f"ignored in draft {dialect.name}: it belongs to {drafts_of(keyword)}",
                keyword,
                remedy=_successor(keyword, dialect),
            )
        else:
            near = _near_keyword(keyword, dialect)
            # A keyword that is there already was hardly meant once more.
            is_own = keyword in _FOREIGN or not (keyword[:1].isalnum() or keyword.startswith("$"))
            if near is not None and near not in schema and not is_own:
                message = "ignored: JSON Schema has no such keyword"
                remedy = f"did you mean `{near}`?"
                yield Finding("misspelt-keyword", "warning", location, message, keyword, remedy)
            else:
                message = "an annotation: JSON Schema does not define it"
                yield Finding("unknown-keyword", "note", location, message, keyword)


@lru_cache(4096)
def _near_keyword(word: str, dialect: Dialect) -> str | None:
    """The keyword of a dialect that a word is close to; large schemas repeat the same words."""
    known = sorted(name for name in ALL_KEYWORDS if applies(name, dialect))
    near = get_close_matches(word, known, n=1, cutoff=0.85)
    return near[0] if near else None


def _successor(keyword: str, dialect: Dialect) -> str:
    """What to write instead in this draft."""
    if dialect.name == "4":
        instead = {"$id": "`id`", "const": "`enum` with one value"}
    elif dialect.tuple_items:
        instead = {"id": "`$id`", "prefixItems": "`items` with an array"}
    else:
        instead = {"id": "`$id`", "additionalItems": "`prefixItems`, and `items` for the rest"}
    if dialect.name in ("2019-09", "2020-12"):
        instead["dependencies"] = "`dependentRequired` or `dependentSchemas`"
    if keyword in instead:
        return f"use {instead[keyword]}"
    return f"name a draft that has it with `$schema`: {drafts_of(keyword)}"


def _orphans(schema: dict[str, Any], location: str, dialect: Dialect) -> Iterator[Finding]:
    for keyword, needed in _NEEDS.items():
        if keyword in schema and applies(keyword, dialect) and not any(name in schema for name in needed):
            names = " or ".join(f"`{name}`" for name in needed)
            message = f"it does nothing without {names}"
            yield Finding(
                "orphan-keyword", "warning", location, message, keyword, f"add {names}, or remove it"
            )
    if (
        "additionalItems" in schema
        and applies("additionalItems", dialect)
        and not isinstance(schema.get("items"), list)
    ):
        yield Finding(
            "orphan-keyword",
            "warning",
            location,
            "it does nothing unless `items` is an array of schemas",
            "additionalItems",
            "write `items` for a schema of all items",
        )
    for strict, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(strict), bool) and bound not in schema:
            message = f"it does nothing without `{bound}`"
            yield Finding("orphan-keyword", "warning", location, message, strict, f"add `{bound}`")


def _types(schema: dict[str, Any], location: str, dialect: Dialect) -> Iterator[Finding]:
    value = schema.get("type")
    names = {value} if isinstance(value, str) else set(map(str, value)) if isinstance(value, list) else None
    if names is None:
        return
    if "integer" in names:
        names.add("number")
    for keyword in schema:
        about = _KEYWORD_TYPE.get(keyword)
        if about is not None and about not in names and applies(keyword, dialect):
            yield Finding(
                "keyword-of-other-type",
                "warning",
                location,
                f"it concerns {about}s only, and `type` admits {types_in_words(value)}",
                keyword,
                f'remove it, or add "{about}" to `type`',
            )


def _vacuous(schema: dict[str, Any], location: str, dialect: Dialect) -> Iterator[Finding]:
    for keyword, values in _VACUOUS.items():
        if keyword not in schema or not applies(keyword, dialect):
            continue
        value = schema[keyword]
        if any(type(value) is type(other) and value == other for other in values):
            if keyword == "items" and isinstance(schema.get("prefixItems"), list):
                continue
            message = f"{shown(value)} excludes nothing"
            yield Finding("vacuous-keyword", "note", location, message, keyword)


def _lists(schema: dict[str, Any], location: str) -> Iterator[Finding]:
    from constrain.matching.values import json_value

    for keyword in ("enum", "required", "type"):
        values = schema.get(keyword)
        if not isinstance(values, list):
            continue
        seen: set[object] = set()
        for index, value in enumerate(values):
            key = json_value(value)
            if key in seen:
                yield Finding(
                    "duplicate-value",
                    "warning",
                    location,
                    f"{shown(value)} is listed more than once",
                    keyword,
                    "remove one of them",
                    (f"{location}/{keyword}/{index}",),
                )
            if key is not None:
                seen.add(key)
    required, properties = schema.get("required"), schema.get("properties")
    if isinstance(required, list) and isinstance(properties, dict):
        for name in required:
            if isinstance(name, str) and name not in properties:
                free = [other for other in properties if other not in required]
                near = get_close_matches(name, free, n=1, cutoff=0.8)
                if near:
                    yield Finding(
                        "undeclared-property",
                        "warning",
                        location,
                        f"{shown(name)} is required, but `properties` does not describe it",
                        "required",
                        f"did you mean {shown(near[0])}?",
                    )


def _format(schema: dict[str, Any], location: str) -> Iterator[Finding]:
    name = schema.get("format")
    if not isinstance(name, str):
        return
    from constrain.frontends.json_schema.formats import FORMATS

    if name in FORMATS:
        return
    near = get_close_matches(name.lower().replace("_", "-"), sorted(FORMATS), n=1, cutoff=0.85)
    if near:
        message = f"{shown(name)} is not a format of JSON Schema, so it is not enforced"
        yield Finding(
            "misspelt-format", "warning", location, message, "format", f"did you mean {shown(near[0])}?"
        )
    else:
        message = f"{shown(name)} is an annotation: JSON Schema defines no such format"
        yield Finding("unknown-format", "note", location, message, "format")
