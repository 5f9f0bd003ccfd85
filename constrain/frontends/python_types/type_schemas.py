"""A Python type -> the JSON Schema of its documents.

pydantic reads types of every kind and writes a JSON Schema of what it takes. That schema is meant as
documentation, so it is looser than pydantic itself in many places and open for extra keys. `TypeSchema`
tightens it until every document of it is taken, and refuses what a JSON Schema cannot say. Where pydantic
takes several spellings of a value, documents have the one that the value is written in:

    numbers      JSON numbers, also for `Decimal`, with its digits and places
    dates, times RFC 3339, so a time has an offset unless the type is `NaiveDatetime`; no year 0, no leap
                 second, which Python does not have
    durations    ISO 8601, with at most six digits in a row
    classes      an object of their fields, closed unless the class says `extra="allow"`
    URLs         with a host of ASCII letters, digits and hyphens
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from constrain.frontends.date_patterns import date_pattern
from constrain.frontends.python_types.refusals import NUMERIC_KEYWORDS, CoreSchema, RefusingSchema
from constrain.frontends.python_types.text_patterns import UntranslatablePatternError, ecma_pattern

__all__ = ["TypeSchema"]

_FRACTION = "^-?(?:0|[1-9][0-9]*)(?:/[1-9][0-9]*)?$"
_INTEGER_KEY = "^(?:0|-?[1-9][0-9]*)$"
# Texts that stripping leaves alone: U+0085 is white space to pydantic, but not to ECMA-262.
_STRIPPED = r"^(?:[^\s\u0085](?:[\s\S]*[^\s\u0085])?)?$"
# A label starts with a letter, since a numeric host would be an IP address, and has no double hyphen, since
# `xn--` starts an encoded one.
_LABEL = "[a-z][a-z0-9]{0,30}(?:-[a-z0-9]{1,10}){0,3}"
_URL = rf"://{_LABEL}(?:\.{_LABEL}){{0,3}}(?::[1-9][0-9]{{0,3}})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?" + (
    r"(?:\?[A-Za-z0-9._~!$&()*+,;=:@/?-]*)?(?:#[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?$"
)
_DAY_OF_NO_YEAR = {"not": {"pattern": "^0000"}}
_LEAP_SECOND = {"not": {"pattern": ":60"}}
# RFC 9562 5: the version is the first digit of the third group, and the variant that of the fourth.
_UUID_VERSION = "^.{{14}}{}.{{4}}[89abAB]"

# Core schemas of containers that can be in a set, as far as their items can.
_HASHABLE = frozenset({"tuple", "frozenset", "named-tuple"})


class TypeSchema(RefusingSchema):
    """Writes the JSON Schema of one type; used once."""

    # --- scalars

    def float_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the numbers in the bounds, those that a double can hold if it has to be finite.

        pydantic compares what a number is rounded to: 1e-400 is not greater than 0. So a bound that is
        excluded is the next double, included.
        """
        result = super().float_schema(schema)
        if "exclusiveMinimum" in result:
            least = math.nextafter(result.pop("exclusiveMinimum"), math.inf)
            result["minimum"] = max(least, result.get("minimum", least))
        if "exclusiveMaximum" in result:
            most = math.nextafter(result.pop("exclusiveMaximum"), -math.inf)
            result["maximum"] = min(most, result.get("maximum", most))
        if schema.get("allow_inf_nan") is False:
            result.setdefault("maximum", 1.7976931348623157e308)
            result.setdefault("minimum", -1.7976931348623157e308)
        if "multipleOf" in result:
            # Beyond these pydantic, which divides doubles, refuses true multiples (2.14, by trial).
            step = Decimal(repr(result["multipleOf"]))
            is_dyadic = Fraction(step) == Fraction(result["multipleOf"])
            if not is_dyadic or step == step.to_integral_value():
                most = float(2**53 if is_dyadic else step * 1_000_000)
                result["maximum"] = min(most, result.get("maximum", most))
                result["minimum"] = max(-most, result.get("minimum", -most))
        return result

    def decimal_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the numbers in the bounds that have the digits and places."""
        self.has_decimals = True
        result: JsonSchemaValue = {"type": "number"}
        for name, keyword in NUMERIC_KEYWORDS.items():
            if schema.get(name) is not None:
                result[keyword] = _number(Decimal(schema[name]))
        digits, places = schema.get("max_digits"), schema.get("decimal_places")
        if digits is not None:
            # Digits on both sides of the point are counted: the more places, the smaller the number.
            counts = range(digits + 1) if places is None else [min(places, digits)]
            result["anyOf"] = [
                {
                    "multipleOf": _number(Decimal(1).scaleb(-count)),
                    "exclusiveMinimum": _number(-Decimal(1).scaleb(digits - count)),
                    "exclusiveMaximum": _number(Decimal(1).scaleb(digits - count)),
                }
                for count in counts
            ]
        elif places is not None:
            result["allOf"] = [{"multipleOf": _number(Decimal(1).scaleb(-places))}]
        return result

    def fraction_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return fractions as texts: a number would be read as a double."""
        if schema.keys() & NUMERIC_KEYWORDS.keys():
            self.needs_python("a bound on a fraction")
        return {"type": "string", "pattern": _FRACTION}

    def str_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the texts that the type leaves as they are."""
        result = super().str_schema(schema)
        if schema.get("pattern") is not None:
            result["pattern"] = self._pattern(schema["pattern"])
        if schema.get("ascii_only"):
            result["allOf"] = [{"pattern": r"^[\0-\x7f]*$"}]
        if schema.get("strip_whitespace", self._setting("str_strip_whitespace")):
            result["allOf"] = [*result.get("allOf", ()), {"pattern": _STRIPPED}]
        changes_case = any(
            schema.get(name, self._setting(f"str_{name}")) for name in ("to_lower", "to_upper")
        )
        if changes_case and result.keys() & {"pattern", "minLength", "maxLength"}:
            self.needs_python("a constraint on a text whose case is changed first")
        return result

    def _pattern(self, pattern: str | re.Pattern[str]) -> str:
        if isinstance(pattern, re.Pattern):
            if pattern.flags & ~re.UNICODE:
                self.refuse("the pattern has flags", "write a pattern without them")
            pattern = pattern.pattern
        try:
            return ecma_pattern(pattern)
        except UntranslatablePatternError as error:
            self.refuse(f"{error} in the pattern means something else in JSON Schema", "write it out")

    def bytes_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return any text: its UTF-8 encoding is the value."""
        if schema.get("min_length") is not None or schema.get("max_length") is not None:
            self.needs_python("a number of bytes")
        if self._setting("val_json_bytes") in ("base64", "hex"):
            self.needs_python("a text that encodes bytes")
        return {"type": "string"}

    def date_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the days of RFC 3339 that Python has."""
        self._check_moment(schema)
        return {"type": "string", "format": "date", **_DAY_OF_NO_YEAR}

    def time_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the times of RFC 3339 that Python has."""
        self._check_moment(schema)
        if schema.get("tz_constraint") == "naive":
            return {"type": "string", "pattern": date_pattern("hh:mm:ss")}
        return {"type": "string", "format": "time", **_LEAP_SECOND}

    def datetime_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the moments of RFC 3339 that Python has."""
        self._check_moment(schema)
        if schema.get("tz_constraint") == "naive":
            return {"type": "string", "pattern": date_pattern("YYYY-MM-DDThh:mm:ss")}
        return {"type": "string", "format": "date-time", "allOf": [_DAY_OF_NO_YEAR, _LEAP_SECOND]}

    def timedelta_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the durations of ISO 8601 that fit into Python's."""
        self._check_moment(schema)
        return {"type": "string", "format": "duration", "not": {"pattern": "[0-9]{7}"}}

    def _check_moment(self, schema: CoreSchema) -> None:
        if schema.keys() & {"gt", "ge", "lt", "le", "now_op"}:
            self.needs_python("a bound on a date, time or duration")
        if isinstance(schema.get("tz_constraint"), int):
            self.needs_python("the offset of a time zone")

    def uuid_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the UUIDs, of one version if the type says so."""
        result: JsonSchemaValue = {"type": "string", "format": "uuid"}
        if schema.get("version") is not None:
            result["pattern"] = _UUID_VERSION.format(schema["version"])
        return result

    def url_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return URLs of the schemes that the type allows."""
        schemes = schema.get("allowed_schemes")
        if schemes is None:
            self.needs_python("a URL of any scheme")
            return {"type": "string", "format": "uri"}
        start = "|".join(map(re.escape, schemes))
        result: JsonSchemaValue = {"type": "string", "pattern": f"^(?:{start}){_URL}"}
        if schema.get("max_length") is not None:
            result["maxLength"] = schema["max_length"]
        return result

    def multi_host_url_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return any URI."""
        self.needs_python("a URL of several hosts")
        return {"type": "string", "format": "uri"}

    def literal_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the values themselves."""
        self._check_constants(schema["expected"])
        for constant in schema["expected"]:
            if isinstance(constant, Enum) and not isinstance(constant, str | int):
                self.refuse(
                    f"pydantic does not read the literal {constant} from JSON",
                    "use its value as the literal, or an enumeration that is a `str` or an `int` too",
                )
        return super().literal_schema(schema)

    def enum_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the values of the members."""
        self._check_constants(schema["members"])
        return super().enum_schema(schema)

    def _check_constants(self, constants: list[Any]) -> None:
        for constant in constants:
            value = constant.value if isinstance(constant, Enum) else constant
            if not (value is None or isinstance(value, str | int)) and not (
                isinstance(value, float) and math.isfinite(value)
            ):
                self.refuse(f"the constant {constant!r} is nothing in JSON")

    # --- containers

    def model_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return objects of the fields."""
        return _closed(super().model_schema(schema))

    def dataclass_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return objects of the fields."""
        return _closed(super().dataclass_schema(schema))

    def typed_dict_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return objects of the keys."""
        return _closed(super().typed_dict_schema(schema))

    def field_is_present(self, field: CoreSchema) -> bool:
        """Return whether a document may give the field."""
        return field.get("init") is not False and bool(super().field_is_present(field))

    def set_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return arrays of different values."""
        self._check_items(schema)
        return super().set_schema(schema)

    def frozenset_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return arrays of different values."""
        self._check_items(schema)
        return super().frozenset_schema(schema)

    def _check_items(self, schema: CoreSchema) -> None:
        items = schema.get("items_schema", {"type": "any"})
        if items["type"] not in _HASHABLE and not self._is_scalar(self.generate_inner(items)):
            self.needs_python("whether a value can be in a set")

    def _is_scalar(self, schema: JsonSchemaValue) -> bool:
        if "$ref" in schema:
            schema = self.resolve_ref_schema(schema)
        if "anyOf" in schema:
            return all(self._is_scalar(member) for member in schema["anyOf"])
        kinds = ("string", "number", "integer", "boolean", "null")
        return "enum" in schema or "const" in schema or schema.get("type") in kinds

    def dict_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return objects whose keys are texts that the type of the keys reads."""
        result: JsonSchemaValue = {"type": "object"}
        names = self._names_schema(schema["keys_schema"]) if "keys_schema" in schema else {}
        if names:
            result["propertyNames"] = names
        values = self.generate_inner(schema["values_schema"]) if "values_schema" in schema else {}
        result["additionalProperties"] = values or True
        self.update_with_validations(result, schema, self.ValidationsMapping.object)
        return result

    def frozendict_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return what a dictionary means."""
        return self.dict_schema(schema)

    def ordered_dict_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return what a dictionary means."""
        return self.dict_schema(schema)

    def counter_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return what a dictionary of integers means."""
        return {**self.dict_schema(schema), "additionalProperties": {"type": "integer"}}

    def _names_schema(self, keys: CoreSchema) -> JsonSchemaValue:
        result = self.generate_inner(keys)
        resolved = result
        while "$ref" in resolved:
            resolved = self.resolve_ref_schema(resolved)
        kind = resolved.get("type")
        if kind == "boolean":
            return {"enum": ["true", "false"]}
        if kind == "integer" and resolved.keys() <= {"type", "title", "description"}:
            return {"pattern": _INTEGER_KEY}
        if not _may_be_text(resolved):
            self.refuse("keys are texts in JSON, and these cannot be stated", "use `str` keys")
        return result if resolved.keys() - {"type", "title"} else {}

    def _setting(self, name: str) -> Any:
        """Return a setting of the innermost class that has a configuration."""
        return getattr(self._config, name, None)


def _closed(result: JsonSchemaValue) -> JsonSchemaValue:
    """Return an object's schema without keys that are no field, unless the class speaks of them."""
    if "properties" in result:
        result.setdefault("additionalProperties", False)
    return result


def _may_be_text(schema: JsonSchemaValue) -> bool:
    if "anyOf" in schema:
        return any(_may_be_text(member) for member in schema["anyOf"])
    constants = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if constants is not None:
        return any(isinstance(constant, str) for constant in constants)
    return bool(schema.get("type", "string") == "string")


def _number(value: Decimal) -> int | float | Decimal:
    """Return a number as the plainest Python object that is exactly it when written out."""
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else value
