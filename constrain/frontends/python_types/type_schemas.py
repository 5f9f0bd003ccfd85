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
import operator
import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, NoReturn

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind

from constrain.errors import UnsupportedError
from constrain.frontends.date_patterns import date_pattern
from constrain.frontends.python_types.text_patterns import UntranslatablePatternError, ecma_pattern

__all__ = ["TypeSchema", "Validators"]

#: What to do about a condition that only Python code can check: refuse it, or check it after generation.
Validators = Literal["refuse", "after"]

# A core schema of pydantic: a dictionary with a `type`, whose form depends on it and on the version.
CoreSchema = Any

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
# Formats by which pydantic names a check that it makes in Python.
_PYTHON_FORMATS = frozenset(
    {
        *("email", "name-email", "file-path", "directory-path", "new-path", "base64", "base64url"),
        *("ipv4network", "ipv6network", "ipv4interface", "ipv6interface", "ipvanynetwork"),
        *("ipvanyinterface", "zoneinfo", "json-string", "regex", "color", "fraction"),
    }
)
# Core schemas of classes, and those that have the fields of one.
_CLASSES = frozenset({"model", "dataclass", "typed-dict"})
_WITH_FIELDS = frozenset({"model-fields", "dataclass-args", "typed-dict", "named-tuple"})
_NUMERIC_KEYWORDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
}


class TypeSchema(GenerateJsonSchema):
    """Writes the JSON Schema of one type; used once.

    Args:
        name: how a refusal names the type.
        validators: what to do about Python code in it.

    Attributes:
        has_decimals: whether the type has decimals, after `generate`.
    """

    def __init__(self, name: str, validators: Validators) -> None:
        super().__init__()
        self.has_decimals = False
        self._validators = validators
        # The innermost class and field: recursive classes are written outside of where they are used.
        self._path = [name]
        # Fields do not know their names; the schema that they belong to outlives the generation.
        self._names: dict[int, str] = {}

    # --- places and refusals

    def generate_inner(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the JSON Schema of one part of the type."""
        self._names.update((id(field), name) for name, field in _fields_of(schema))
        outer = self._path
        if id(schema) in self._names:
            self._path = [*outer, self._names[id(schema)]]
        elif schema["type"] in _CLASSES and "cls" in schema:
            self._path = [schema["cls"].__qualname__]
        try:
            if _is_read_from_inside(schema.get("validation_alias")):
                self._refuse("the value is read from inside of another one", "use an alias without a path")
            return self._without_python_format(schema, super().generate_inner(schema))
        finally:
            self._path = outer

    def _refuse(self, reason: str, remedy: str | None = None) -> NoReturn:
        raise UnsupportedError(reason, location=".".join(self._path), remedy=remedy)

    def _needs_python(self, what: str) -> None:
        """Refuse a condition that no JSON Schema can state, unless it is to be checked after generation."""
        if self._validators == "refuse":
            self._refuse(
                f"{what} is checked by Python code, which no mask can follow",
                'state it as a constraint of the type, or pass validators="after" to '
                "`constrain.compile_python_type` to have it checked when a result is read",
            )

    def handle_invalid_for_json_schema(self, schema: CoreSchema, error_info: str) -> JsonSchemaValue:
        """Refuse a part that is nothing in JSON."""
        self._refuse(f"a value of this type is nothing in JSON: {error_info}")

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """Refuse what pydantic would leave out; defaults that are not JSON do not matter."""
        if kind == "skipped-choice":
            self._refuse(f"a member of the union is nothing in JSON: {detail}")

    def is_instance_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Refuse a class that pydantic knows by its instances only."""
        self._refuse(f"{schema.get('cls_repr') or schema['cls']} is known by its instances only")

    def is_subclass_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Refuse a class as a value."""
        self._refuse("a class is nothing in JSON")

    def complex_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Refuse complex numbers."""
        self._refuse("a complex number is nothing in JSON")

    # --- Python code

    def function_before_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return what a function is given, which it may refuse."""
        self._check_function(schema)
        return super().function_before_schema(schema)

    def function_after_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return what a function is given, which it may refuse."""
        self._check_function(schema)
        return super().function_after_schema(schema)

    def function_wrap_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return what a function is given, which it may refuse."""
        self._check_function(schema)
        return super().function_wrap_schema(schema)

    def function_plain_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return what a function is given, which it may refuse."""
        self._check_function(schema)
        return super().function_plain_schema(schema)

    def _check_function(self, schema: CoreSchema) -> None:
        function = schema["function"]["function"]
        if not _takes_everything(function):
            shown = getattr(function, "__qualname__", None) or repr(function)
            is_predicate = shown.startswith("apply_known_metadata.")
            self._needs_python("a predicate" if is_predicate else f"what `{shown}` refuses")

    def chain_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the first of several checks; the others are made on its result."""
        if len(schema["steps"]) > 1:
            self._needs_python("a constraint on a value that was converted")
        return super().chain_schema(schema)

    def json_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return any text, which has to be JSON in turn."""
        self._needs_python("JSON inside of a string")
        return {"type": "string"}

    def tagged_union_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return exactly one of the members."""
        if callable(schema["discriminator"]):
            self._needs_python("the member of the union that a function chooses")
        return super().tagged_union_schema(schema)

    def _without_python_format(self, schema: CoreSchema, result: JsonSchemaValue) -> JsonSchemaValue:
        """Replace the formats and keywords by which pydantic describes checks made in Python."""
        kind = schema["type"]
        if kind == "uuid":
            return {**result, "format": "uuid"}
        if not (kind.startswith("function") or kind in ("lax-or-strict", "json-or-python")):
            return result
        if result.get("format") == "ipvanyaddress":
            return {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
        if result.get("format") in _PYTHON_FORMATS:
            self._needs_python(f"the format {result['format']!r}")
        for name in result.keys() & _NUMERIC_KEYWORDS.keys():
            if not _is_numeric(result):
                self._refuse(f"the bound `{name}` does not fit every value of the type")
            result[_NUMERIC_KEYWORDS[name]] = result.pop(name)
        return result

    # --- scalars

    def float_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the numbers in the bounds, those that a double can hold if it has to be finite."""
        result = super().float_schema(schema)
        if schema.get("allow_inf_nan") is False:
            result.setdefault("maximum", 1.7976931348623157e308)
            result.setdefault("minimum", -1.7976931348623157e308)
        return result

    def decimal_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the numbers in the bounds that have the digits and places."""
        self.has_decimals = True
        result: JsonSchemaValue = {"type": "number"}
        for name, keyword in _NUMERIC_KEYWORDS.items():
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
            self._needs_python("a constraint on a text whose case is changed first")
        return result

    def _pattern(self, pattern: str | re.Pattern[str]) -> str:
        if isinstance(pattern, re.Pattern):
            if pattern.flags & ~re.UNICODE:
                self._refuse("the pattern has flags", "write a pattern without them")
            pattern = pattern.pattern
        try:
            return ecma_pattern(pattern)
        except UntranslatablePatternError as error:
            self._refuse(f"{error} in the pattern means something else in JSON Schema", "write it out")

    def bytes_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return any text: its UTF-8 encoding is the value."""
        if schema.get("min_length") is not None or schema.get("max_length") is not None:
            self._needs_python("a number of bytes")
        if self._setting("val_json_bytes") in ("base64", "hex"):
            self._needs_python("a text that encodes bytes")
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
            self._needs_python("a bound on a date, time or duration")
        if isinstance(schema.get("tz_constraint"), int):
            self._needs_python("the offset of a time zone")

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
            self._needs_python("a URL of any scheme")
            return {"type": "string", "format": "uri"}
        start = "|".join(map(re.escape, schemes))
        result: JsonSchemaValue = {"type": "string", "pattern": f"^(?:{start}){_URL}"}
        if schema.get("max_length") is not None:
            result["maxLength"] = schema["max_length"]
        return result

    def multi_host_url_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return any URI."""
        self._needs_python("a URL of several hosts")
        return {"type": "string", "format": "uri"}

    def literal_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the values themselves."""
        self._check_constants(schema["expected"])
        for constant in schema["expected"]:
            if isinstance(constant, Enum) and not isinstance(constant, str | int):
                self._refuse(
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
                self._refuse(f"the constant {constant!r} is nothing in JSON")

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
            self._refuse("keys are texts in JSON, and these cannot be stated", "use `str` keys")
        return result if resolved.keys() - {"type", "title"} else {}

    def _setting(self, name: str) -> Any:
        """Return a setting of the innermost class that has a configuration."""
        return getattr(self._config, name, None)


def _closed(result: JsonSchemaValue) -> JsonSchemaValue:
    """Return an object's schema without keys that are no field, unless the class speaks of them."""
    if "properties" in result:
        result.setdefault("additionalProperties", False)
    return result


def _fields_of(schema: CoreSchema) -> Iterator[tuple[str, Any]]:
    fields = schema["fields"] if schema["type"] in _WITH_FIELDS else ()
    if isinstance(fields, dict):
        yield from fields.items()
    else:
        yield from ((field["name"], field) for field in fields)


def _is_read_from_inside(alias: Any) -> bool:
    """Whether every alias of a field is a path of several steps into the document."""
    if not isinstance(alias, list):
        return False
    paths = alias if isinstance(alias[0], list) else [alias]
    return all(len(path) > 1 for path in paths)


def _takes_everything(function: Any) -> bool:
    """Whether a function of pydantic converts a value that its JSON Schema describes, and refuses none."""
    while hasattr(function, "func"):
        function = function.func
    module = getattr(function, "__module__", None) or ""
    name = getattr(function, "__qualname__", "")
    if isinstance(function, operator.attrgetter):  # `use_enum_values`
        return True
    if module.startswith("pydantic._internal."):
        # Annotations such as `Predicate` are wrapped there.
        return not module.endswith("._known_annotated_metadata")
    is_secret = module == "pydantic.types" and "Secret" in name
    is_url = module == "pydantic.networks" and name.startswith("_BaseUrl.")
    return is_secret or is_url


def _is_numeric(schema: JsonSchemaValue) -> bool:
    members = schema.get("anyOf")
    if members is not None:
        return all(_is_numeric(member) for member in members)
    return schema.get("type") in ("integer", "number")


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
