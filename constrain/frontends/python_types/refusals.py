"""What a JSON Schema cannot say about a Python type is refused, at its class and field.

pydantic writes the JSON Schema of a type part by part. It leaves out in silence what it has no keyword for:
members of unions that are nothing in JSON, and conditions that only Python code can check.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, Literal, NoReturn

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind

from constrain.errors import UnsupportedError

__all__ = ["NUMERIC_KEYWORDS", "CoreSchema", "RefusingSchema", "Validators"]

#: What to do about a condition that only Python code can check: refuse it, or check it after generation.
Validators = Literal["refuse", "after"]

# A core schema of pydantic: a dictionary with a `type`, whose form depends on it and on the version.
CoreSchema = Any

#: The bounds of pydantic, and their keywords.
NUMERIC_KEYWORDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
}
# Bounds that pydantic checks after other checks, and describes by these names whatever they apply to.
_BOUNDS_IN_PYTHON = frozenset({*NUMERIC_KEYWORDS, "minLength", "maxLength", "minItems", "maxItems"})
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


class RefusingSchema(GenerateJsonSchema):
    """Writes the JSON Schema of one type, or refuses; used once.

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
                self.refuse("the value is read from inside of another one", "use an alias without a path")
            return self._without_python_format(schema, super().generate_inner(schema))
        finally:
            self._path = outer

    def refuse(self, reason: str, remedy: str | None = None) -> NoReturn:
        """Refuse the part that is being written."""
        raise UnsupportedError(reason, location=".".join(self._path), remedy=remedy)

    def needs_python(self, what: str) -> None:
        """Refuse a condition that no JSON Schema can state, unless it is to be checked after generation."""
        if self._validators == "refuse":
            self.refuse(
                f"{what} is checked by Python code, which no mask can follow",
                'state it as a constraint of the type, or pass validators="after" to '
                "`constrain.compile_python_type` to have it checked when a result is read",
            )

    def handle_invalid_for_json_schema(self, schema: CoreSchema, error_info: str) -> JsonSchemaValue:
        """Refuse a part that is nothing in JSON."""
        self.refuse(f"a value of this type is nothing in JSON: {error_info}")

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """Refuse what pydantic would leave out; defaults that are not JSON do not matter."""
        if kind == "skipped-choice":
            self.refuse(f"a member of the union is nothing in JSON: {detail}")

    def is_instance_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Refuse a class that pydantic knows by its instances only."""
        self.refuse(f"{schema.get('cls_repr') or schema['cls']} is known by its instances only")

    def is_subclass_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Refuse a class as a value."""
        self.refuse("a class is nothing in JSON")

    def complex_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Refuse complex numbers."""
        self.refuse("a complex number is nothing in JSON")

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
            self.needs_python("a predicate" if is_predicate else f"what `{shown}` refuses")

    def chain_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return the first of several checks; the others are made on its result."""
        if len(schema["steps"]) > 1:
            self.needs_python("a constraint on a value that was converted")
        return super().chain_schema(schema)

    def json_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return any text, which has to be JSON in turn."""
        self.needs_python("JSON inside of a string")
        return {"type": "string"}

    def tagged_union_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Return exactly one of the members."""
        if callable(schema["discriminator"]):
            self.needs_python("the member of the union that a function chooses")
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
            self.needs_python(f"the format {result['format']!r}")
        for name in _BOUNDS_IN_PYTHON & result.keys() if kind == "function-after" else ():
            keyword = self._keyword(name, result)
            if keyword is None:
                self.refuse(f"the bound `{name}` does not fit every value of the type")
            result = {**result, keyword: result[name]}
            if keyword != name:
                del result[name]
        return result

    def _keyword(self, bound: str, schema: JsonSchemaValue) -> str | None:
        """Return the keyword for a bound that pydantic checks on the values of a schema, if there is one."""
        kinds = self._kinds(schema)
        if bound in NUMERIC_KEYWORDS:
            return NUMERIC_KEYWORDS[bound] if kinds <= {"integer", "number"} else None
        noun = {"string": "Length", "array": "Items", "object": "Properties"}
        return bound[:3] + noun[kinds.pop()] if len(kinds) == 1 and kinds <= noun.keys() else None

    def _kinds(self, schema: JsonSchemaValue) -> set[str]:
        """Return the JSON types of a schema's values; one that is read as something else is no string."""
        if "$ref" in schema:
            schema = self.resolve_ref_schema(schema)
        if "anyOf" in schema:
            return {kind for member in schema["anyOf"] for kind in self._kinds(member)}
        is_plain = schema.get("format", "password") == "password" and "enum" not in schema
        return {schema.get("type", "any")} if is_plain else {"any"}


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
