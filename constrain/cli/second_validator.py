"""The `jsonschema` package, set up to be as strict as the specification: it explains, and never decides."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from typing import TYPE_CHECKING, Any

from constrain.frontends.json_schema.dialects import DIALECTS, Dialect
from constrain.frontends.json_schema.formats import FORMATS, format_automaton
from constrain.frontends.json_schema.keyword_sets import places, raw_subschemas

if TYPE_CHECKING:
    from constrain import Constraint

__all__ = ["is_false", "second_validator", "without_false"]

_FALSE: dict[str, Any] = {"not": {}}
_LEFT_OVER = ("items", "additionalItems", "unevaluatedItems", "additionalProperties", "unevaluatedProperties")

# Beyond this exponent a quotient of decimals has more digits than are worth computing.
_MAX_EXPONENT = 5000


def second_validator(constraint: Constraint) -> Any:
    """Return a validator of the JSON Schema: exact decimals, the formats of the engine, nothing fetched."""
    jsonschema: Any = import_module("jsonschema")  # it has no type information
    by_dialect = {
        "2020-12": jsonschema.Draft202012Validator,
        "2019-09": jsonschema.Draft201909Validator,
        "7": jsonschema.Draft7Validator,
        "6": jsonschema.Draft6Validator,
        "4": jsonschema.Draft4Validator,
    }
    schema = without_false(constraint.source, constraint.dialect)
    default = by_dialect[constraint.options.dialect]
    base: Any = jsonschema.validators.validator_for(schema, default=default)
    is_draft4 = base is jsonschema.Draft4Validator

    def is_number(_: object, value: object) -> bool:
        return isinstance(value, int | Decimal) and not isinstance(value, bool)

    def is_integer(_: object, value: object) -> bool:
        if isinstance(value, Decimal):
            return not is_draft4 and value == value.to_integral_value()
        return isinstance(value, int) and not isinstance(value, bool)

    checker = base.TYPE_CHECKER.redefine_many({"number": is_number, "integer": is_integer})
    strict: Any = jsonschema.validators.extend(base, {"multipleOf": _multiple_of}, type_checker=checker)
    formats = None
    if constraint.options.formats == "assert":
        # The engine's own formats: those of the package are not exact, and take a second to import.
        formats = jsonschema.FormatChecker(formats=())
        for name in FORMATS:
            formats.checks(name)(_FormatTest(name, constraint.dialect.name))
    # A registry of its own, because the default one fetches what a `$ref` names.
    registry = import_module("jsonschema_specifications").REGISTRY
    referencing: Any = import_module("referencing.jsonschema")
    for uri, known in constraint.documents.items():
        draft = referencing.specification_with(DIALECTS[known.dialect or constraint.options.dialect].uri)
        registry = registry.with_resource(uri, referencing.Resource.from_contents(known.contents, draft))
    return strict(schema, format_checker=formats, registry=registry)


class _FormatTest:
    """Whether a string has a format; other values have every format."""

    def __init__(self, name: str, draft: str) -> None:
        self._name = name
        self._draft = draft

    def __call__(self, value: object) -> bool:
        if not isinstance(value, str):
            return True
        automaton = format_automaton(self._name, self._draft)
        state = automaton.start
        for byte in value.encode("utf-8", "surrogatepass"):
            state = automaton.step(state, byte)
            if state < 0:
                return False
        return bool(automaton.accepting(state))


def without_false(schema: Any, dialect: Dialect) -> Any:
    """A copy of a schema with `{"not": {}}` for `false`: of a boolean the package does not tell the place.

    What its errors name as the keyword is then `not`; `is_false` tells it apart. The keywords for what is
    left over keep their `false`, which the package reports in a way of its own.
    """
    root = copy.deepcopy(schema)
    for _, part in places(root, dialect, sys.maxsize):
        for path, value in list(raw_subschemas(part, dialect)):
            if value is False and path[0] not in _LEFT_OVER:
                owner: Any = part
                for step in path[:-1]:
                    owner = owner[step]
                owner[path[-1]] = dict(_FALSE)
    return root


def is_false(schema: Any) -> bool:
    """Whether a sub-schema stands for `false`."""
    return bool(schema == _FALSE)


def _multiple_of(validator: Any, divisor: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """`multipleOf` on exact numbers; the one of the package divides floats."""
    if not validator.is_type(instance, "number"):
        return
    if isinstance(instance, Decimal) and abs(instance.adjusted()) > _MAX_EXPONENT:
        raise OverflowError
    if Fraction(instance) % Fraction(divisor):
        yield import_module("jsonschema").ValidationError(f"{instance} is not a multiple of {divisor}")
