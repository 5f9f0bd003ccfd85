"""Why the engine refuses an instance, in the terms of its author.

The engine decides on bytes and knows no single culprit. So the value is shown to the `jsonschema` package,
set up to the specification as far as it can be (exact decimals, all formats, nothing fetched), which names
keywords. When it finds nothing, that is said, with the byte at which the engine stopped.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

from constrain.cli.problems import Problem, problem_of_error
from constrain.errors import ConstrainError
from constrain.frontends.json_positions import JsonDocument, JsonTextError, join_pointer, read_json
from constrain.frontends.json_schema.dialects import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constrain import Constraint

__all__ = ["reasons"]

_MAX_PROBLEMS = 50
_MAX_SHOWN = 120
# Beyond this exponent a quotient of decimals has more digits than are worth computing.
_MAX_EXPONENT = 5000


def reasons(file: str, data: bytes, constraint: Constraint) -> list[Problem]:
    """The faults of an instance that the engine refuses; at least one.

    Args:
        file: what to call the instance.
        data: its bytes.
        constraint: it does not accept them.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
        return [Problem(file, "not UTF-8", line=line, column=column)]
    try:
        document = read_json(text)
    except JsonTextError as error:
        return [problem_of_error(error, file)]
    problems = _keyword_problems(file, document, constraint)
    return problems or [_engine_problem(file, data, document, constraint)]


def _keyword_problems(file: str, document: JsonDocument, constraint: Constraint) -> list[Problem]:
    """What the `jsonschema` package finds; nothing, too, if it cannot cope with the schema or the value."""
    try:
        errors = list(islice(_validator(constraint).iter_errors(document.value), _MAX_PROBLEMS))
        problems = [problem for error in errors for problem in _problems(file, document, error)]
        return sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))
    except Exception:  # a pattern that Python cannot read, a value nested too deeply, an exponent too large
        return []


def _problems(file: str, document: JsonDocument, error: Any) -> Iterator[Problem]:
    """One problem for an error, or one for each property that should not be there."""
    path = list(error.absolute_path)
    faults: list[tuple[list[str | int], str, str | None]] = [(path, *_message(error))]
    if error.validator == "additionalProperties" and error.validator_value is False:
        known = error.schema.get("properties", {})
        patterns = error.schema.get("patternProperties", {})
        faults = [
            ([*path, name], f"the property {_shown(name)} is not allowed here", _did_you_mean(name, known))
            for name in error.instance
            if name not in known and not any(re.search(pattern, name) for pattern in patterns)
        ]
    for place, message, remedy in faults:
        line, column = document.position(place) or (None, None)
        yield Problem(
            file,
            message,
            line=line,
            column=column,
            pointer=join_pointer(place),
            keyword=error.validator,
            expected=_shown(error.validator_value),
            remedy=remedy,
        )


def _message(error: Any) -> tuple[str, str | None]:
    """What is wrong, in one short sentence, and what was perhaps meant."""
    if error.validator == "enum":
        names = [value for value in error.validator_value if isinstance(value, str)]
        count = len(error.validator_value)
        return (
            f"{_shown(error.instance)} is not one of the {count} allowed values",
            _did_you_mean(error.instance, names),
        )
    if error.context:
        closest = import_module("jsonschema").exceptions.best_match([error])
        if closest is not None and closest is not error:
            pointer = join_pointer(closest.absolute_path)
            nearest = f"{closest.validator}: {_shortened(closest.message)}"
            return (
                f"{_shown(error.instance)} fits no alternative",
                f"the closest one fails at {pointer}, {nearest}",
            )
    return _shortened(str(error.message)), None


def _did_you_mean(word: object, known: Iterable[str]) -> str | None:
    near = get_close_matches(word, list(known), n=1) if isinstance(word, str) else []
    return f"did you mean {_shown(near[0])}?" if near else None


def _validator(constraint: Constraint) -> Any:
    """A validator of the constraint's JSON Schema that is as strict as the specification."""
    jsonschema: Any = import_module("jsonschema")  # it has no type information
    by_dialect = {
        "2020-12": jsonschema.Draft202012Validator,
        "2019-09": jsonschema.Draft201909Validator,
        "7": jsonschema.Draft7Validator,
        "6": jsonschema.Draft6Validator,
        "4": jsonschema.Draft4Validator,
    }
    schema = constraint.source
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
    formats = jsonschema.FormatChecker() if constraint.options.formats == "assert" else None
    # A registry of its own, because the default one fetches what a `$ref` names.
    registry = import_module("jsonschema_specifications").REGISTRY
    referencing: Any = import_module("referencing.jsonschema")
    for uri, known in constraint.documents.items():
        draft = referencing.specification_with(DIALECTS[known.dialect or constraint.options.dialect].uri)
        registry = registry.with_resource(uri, referencing.Resource.from_contents(known.contents, draft))
    return strict(schema, format_checker=formats, registry=registry)


def _multiple_of(validator: Any, divisor: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """`multipleOf` on exact numbers; the one of the package divides floats."""
    if not validator.is_type(instance, "number"):
        return
    if isinstance(instance, Decimal) and abs(instance.adjusted()) > _MAX_EXPONENT:
        raise OverflowError
    if Fraction(instance) % Fraction(divisor):
        yield import_module("jsonschema").ValidationError(f"{instance} is not a multiple of {divisor}")


def _engine_problem(file: str, data: bytes, document: JsonDocument, constraint: Constraint) -> Problem:
    """Where the engine stopped, for a refusal that no single keyword explains."""
    from constrain.vocabulary import Vocabulary

    end = 256
    vocabulary = Vocabulary.from_token_bytes([*(bytes([byte]) for byte in range(end)), None], eos_ids=[end])
    offset: int | None = None
    why: str | None = None
    try:
        matcher = constraint.matcher(vocabulary)
        offset = matcher.advance_tokens(list(data))
        why = matcher.why(data[offset] if offset < len(data) else end)
    except (ConstrainError, RecursionError):
        pass
    line, column = None, None
    if offset is not None:
        line, column = document.position_of_offset(len(data[:offset].decode("utf-8", "ignore")))
    return Problem(
        file,
        "the engine refuses this document, and no single keyword explains it" + (f"; {why}" if why else ""),
        line=line,
        column=column,
    )


def _shown(value: object) -> str:
    """A value as short JSON."""
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False, default=float)
    return _shortened(text)


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."
