"""Two validators configured to the specification, and the reading of JSON texts as documents.

`jsonschema` runs here with exact decimals, mathematical equality and ECMA-262 patterns, because its
own floats, `==` and `re` are not what JSON Schema says. `jsonschema-rs` is exact when it is given
decimals. Neither shares code with the engine.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import jsonschema
import jsonschema_rs
import regress
from jsonschema import validators as _validators
from jsonschema.exceptions import ValidationError

__all__ = ["NotADocument", "Undecided", "Validators", "canonical", "read"]

#: Decimals end a little above this exponent; the question is then left open.
_LARGEST_EXPONENT = 10**17
#: `jsonschema-rs` may build the integer of a long exponent; the exact `jsonschema` then answers alone.
_LONG_EXPONENT = re.compile(rb"[eE][+-]?[0-9]{4,}")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


def _has_long_exponent(text: bytes) -> bool:
    """Whether a number of the text has one; strings do not count."""
    return bool(_LONG_EXPONENT.search(text) and _LONG_EXPONENT.search(_STRING.sub(b"", text)))


class NotADocument(ValueError):
    """The text is not JSON, repeats a key, or holds an unpaired surrogate."""


class Undecided(Exception):
    """The validators disagree, or the instance is beyond both."""


def read(text: bytes | str) -> Any:
    """The value of a JSON text; every number is a `Decimal`.

    Raises:
        NotADocument: see the class.
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(
            decoded,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError) as error:
        raise NotADocument(str(error)) from error
    if "\\u" in decoded and _any_surrogate(value):
        raise NotADocument("an unpaired surrogate")
    return value


def _number(digits: str) -> Decimal:
    try:
        value = Decimal(digits)
    except InvalidOperation as error:
        raise Undecided(digits) from error
    if not value.is_finite() or abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise Undecided(digits)
    return value


def _refuse_constant(name: str) -> Any:
    raise NotADocument(name)


def _any_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, list):
        return any(map(_any_surrogate, value))
    if isinstance(value, dict):
        return any(_any_surrogate(key) or _any_surrogate(item) for key, item in value.items())
    return False


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise NotADocument("a key is repeated")
    return result


def canonical(value: Any) -> Any:
    """A hashable stand-in, equal for values that JSON Schema calls equal (2020-12 Core 4.2.2)."""
    if isinstance(value, bool) or value is None:
        return ("literal", value)
    if isinstance(value, (int, float, Decimal)):
        return ("number", Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, list):
        return ("array", tuple(map(canonical, value)))
    return ("object", frozenset((key, canonical(item)) for key, item in value.items()))


def is_integer(value: Any) -> bool:
    """Whether an exact decimal is an integer, without building it."""
    if not isinstance(value, Decimal):
        return False
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return False
    if exponent >= 0 or not any(digits):
        return True
    return -exponent < len(digits) and not any(digits[exponent:])


def is_multiple(value: Decimal, divisor: Decimal) -> bool:
    """Whether `value / divisor` is an integer, exactly."""
    _, digits, exponent = value.as_tuple()
    _, divisor_digits, divisor_exponent = divisor.as_tuple()
    assert isinstance(exponent, int)
    assert isinstance(divisor_exponent, int)
    dividend = int("".join(map(str, digits)) or "0")
    by = int("".join(map(str, divisor_digits)))
    shift = exponent - divisor_exponent
    if shift >= 0:
        return dividend * pow(10, shift, by) % by == 0
    if -shift >= len(digits):  # too few digits to end in that many zeros
        return dividend == 0
    return bool(dividend % (by * 10**-shift) == 0)


@functools.lru_cache(maxsize=4096)
def _pattern(source: str) -> Any:
    return regress.Regex(source, "u")


def matches(source: str, text: str) -> bool:
    """Whether the ECMA-262 pattern is found somewhere in the text."""
    return _pattern(source).find(text) is not None


def _const(_: Any, wanted: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if canonical(wanted) != canonical(instance):
        yield ValidationError("const")


def _enum(_: Any, wanted: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if canonical(instance) not in {canonical(value) for value in wanted}:
        yield ValidationError("enum")


def _unique_items(_: Any, wanted: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(instance, list) and len(set(map(canonical, instance))) != len(instance):
        yield ValidationError("uniqueItems")


def _multiple_of(_: Any, divisor: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, Decimal) and not is_multiple(instance, divisor):
        yield ValidationError("multipleOf")


def _match_pattern(_: Any, source: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not matches(source, instance):
        yield ValidationError("pattern")


def _pattern_properties(
    validator: Any, patterns: dict[str, Any], instance: Any, _: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for source, subschema in patterns.items():
        for key, value in instance.items():
            if matches(source, key):
                yield from validator.descend(value, subschema, path=key, schema_path=source)


def _additional_properties(
    validator: Any, subschema: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    named = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for key, value in instance.items():
        if key not in named and not any(matches(source, key) for source in patterns):
            yield from validator.descend(value, subschema, path=key)


def _exact(base: Any, integer: Any) -> Any:
    checker = base.TYPE_CHECKER.redefine_many(
        {
            "number": lambda _, value: isinstance(value, Decimal),
            "integer": lambda _, value: integer(value),
        }
    )
    return _validators.extend(
        base,
        {
            "const": _const,
            "enum": _enum,
            "uniqueItems": _unique_items,
            "multipleOf": _multiple_of,
            "pattern": _match_pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,
        },
        type_checker=checker,
    )


def _is_written_as_integer(value: Any) -> bool:
    """Draft 4: `1.0` is not an integer. `1e1` is written with an exponent, hence neither."""
    return isinstance(value, Decimal) and value.as_tuple().exponent == 0


_DIALECTS: dict[str, tuple[Any, Any]] = {
    "2020-12": (_exact(jsonschema.Draft202012Validator, is_integer), jsonschema_rs.Draft202012Validator),
    "2019-09": (_exact(jsonschema.Draft201909Validator, is_integer), jsonschema_rs.Draft201909Validator),
    "7": (_exact(jsonschema.Draft7Validator, is_integer), jsonschema_rs.Draft7Validator),
    "6": (_exact(jsonschema.Draft6Validator, is_integer), jsonschema_rs.Draft6Validator),
    "4": (_exact(jsonschema.Draft4Validator, _is_written_as_integer), jsonschema_rs.Draft4Validator),
}


def dialect_of(schema: Any, default: str = "2020-12") -> str:
    """The draft that `$schema` names, else the default."""
    named = schema.get("$schema", "") if isinstance(schema, dict) else ""
    if isinstance(named, str):
        for mark, dialect in (
            ("2020-12", "2020-12"),
            ("2019-09", "2019-09"),
            ("draft-07", "7"),
            ("draft-06", "6"),
            ("draft-04", "4"),
        ):
            if mark in named:
                return dialect
    return default


def _with_year_zero(checker: Any) -> Any:
    """The format checker of a draft, with the year 0000 of RFC 3339, which Python's dates do not have.

    It is a leap year, as 2000 is.
    """
    result = jsonschema.FormatChecker(formats=())
    result.checkers = dict(checker.checkers)
    for name in {"date", "date-time"} & set(checker.checkers):
        check, raises = checker.checkers[name]

        def with_year_zero(value: Any, check: Any = check) -> Any:
            is_zero = isinstance(value, str) and value.startswith("0000-")
            return check(f"2000{value[4:]}" if is_zero else value)

        result.checkers[name] = (with_year_zero, raises)
    return result


class Validators:
    """Both validators for one schema.

    Args:
        schema: the schema as Python data; floats in it stand for their shortest decimal.
        formats: whether `format` is asserted.
        dialect: the draft when the schema names none.
    """

    def __init__(self, schema: Any, *, formats: bool = True, dialect: str = "2020-12") -> None:
        exact = read_schema(schema)
        python_class, rust_class = _DIALECTS[dialect_of(schema, dialect)]
        checker = _with_year_zero(python_class.FORMAT_CHECKER) if formats else None
        self._python = python_class(exact, format_checker=checker)
        self._rust = rust_class(exact, validate_formats=formats)
        self._verdicts: dict[bytes, bool | None] = {}

    def verdicts(self, value: Any) -> tuple[bool, bool]:
        """What `jsonschema` and `jsonschema-rs` say of a value from `read`."""
        return bool(self._python.is_valid(value)), bool(self._rust.is_valid(value))

    def faults(self, text: bytes) -> tuple[str | None, str | None]:
        """The first fault that each validator finds in a document: empty for none, `None` where it cannot say."""
        try:
            value = read(text)
        except Undecided:
            return None, None
        return _fault(self._python, value), None if _has_long_exponent(text) else _fault(self._rust, value)

    def valid(self, text: bytes | str) -> bool:
        """Whether the text is a document that both validators accept; `False` if both refuse.

        Raises:
            Undecided: they disagree, or a number is too large for them.
        """
        key = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        verdict = self._verdicts.get(key, _MISSING)
        if verdict is _MISSING:
            verdict = self._decide(key)
            self._verdicts[key] = verdict
        if verdict is None:
            raise Undecided(repr(key))
        return bool(verdict)

    def surely_valid(self, text: bytes | str) -> bool:
        """As `valid`, but `False` where the validators are undecided; quick on invalid texts."""
        key = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if key not in self._verdicts and not _has_long_exponent(key):
            try:
                if not self._rust.is_valid(read(key)):
                    return False
            except (NotADocument, Undecided):
                return False
        try:
            return self.valid(key)
        except Undecided:
            return False

    def _decide(self, text: bytes) -> bool | None:
        try:
            value = read(text)
        except NotADocument:
            return False
        except Undecided:
            return None
        try:
            python = bool(self._python.is_valid(value))
            rust = python if _has_long_exponent(text) else bool(self._rust.is_valid(value))
        except (regress.RegressError, RecursionError, ValueError, ArithmeticError):
            return None
        return rust if rust == python else None


_MISSING: Any = object()


def _fault(validator: Any, value: Any) -> str | None:
    try:
        error = next(iter(validator.iter_errors(value)), None)
    except (regress.RegressError, RecursionError, ValueError, ArithmeticError):
        return None
    if error is None:
        return ""
    place = (
        "/".join(str(part) for part in error.instance_path)
        if hasattr(error, "instance_path")
        else "/".join(str(part) for part in error.absolute_path)
    )
    return f"{error.message[:200]} at /{place}"


def read_schema(schema: Any) -> Any:
    """The schema with every number an exact decimal."""
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return _whole_counts(json.loads(text, parse_float=Decimal, parse_int=Decimal))


#: Keywords whose value is a count; the validators want a Python integer there.
_COUNTS = frozenset(
    f"{end}{what}" for end in ("min", "max") for what in ("Length", "Items", "Properties", "Contains")
)


def _whole_counts(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: int(item)
            if key in _COUNTS and isinstance(item, Decimal) and is_integer(item)
            else _whole_counts(item)
            for key, item in schema.items()
        }
    return [_whole_counts(item) for item in schema] if isinstance(schema, list) else schema
