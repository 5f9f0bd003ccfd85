"""Values proposed for a schema, their spellings, and what the text policy surely takes or refuses.

A proposal follows the hints of a schema (constants, bounds, names) and ignores how they combine:
the validators decide afterwards, so a wrong proposal costs a little time and nothing else.
"""

from __future__ import annotations

import random
import re
from decimal import Decimal
from typing import Any

from tests.support.random_schemas import DECIMALS, INTEGERS, NAMES, STRINGS
from tests.support.validators import matches, read_schema

__all__ = ["Proposer", "spell", "surely_inside", "surely_outside"]

_ALPHABET = ["a", "b", "a", "b", "é", '"', "\\"]
_KEYWORD_TYPES = {
    "object": "properties required additionalProperties patternProperties propertyNames minProperties maxProperties unevaluatedProperties",
    "array": "items prefixItems minItems maxItems contains uniqueItems unevaluatedItems",
    "string": "minLength maxLength pattern",
    "number": "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
}


class Proposer:
    """A stream of values that might satisfy a schema."""

    def __init__(self, schema: Any, rng: random.Random) -> None:
        self._root = read_schema(schema)
        self._rng = rng

    def value(self) -> Any:
        return self._propose(self._root, 4)

    def _propose(self, schema: Any, depth: int) -> Any:
        rng = self._rng
        if not isinstance(schema, dict) or not schema or depth < -3:
            return self._anything(depth)
        merged = self._choose(schema, depth)
        if "const" in merged and rng.random() < 0.85:
            return merged["const"]
        if merged.get("enum") and rng.random() < 0.85:
            return rng.choice(merged["enum"])
        kind = self._kind(merged)
        if kind == "object":
            return self._object(merged, depth)
        if kind == "array":
            return self._array(merged, depth)
        if kind == "string":
            return self._string(merged)
        if kind in ("number", "integer"):
            return self._number(merged)
        return rng.choice([True, False]) if kind == "boolean" else None

    def _choose(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """The keywords of the schema and of some branches, thrown together."""
        rng = self._rng
        merged = dict(schema)
        for _ in range(6):
            branches: list[Any] = []
            for key in ("anyOf", "oneOf"):
                if merged.get(key):
                    branches.append(rng.choice(merged[key]))
                merged.pop(key, None)
            branches += merged.pop("allOf", [])
            if "$ref" in merged:
                branches.append(self._resolve(merged.pop("$ref")))
            negated = merged.pop("not", None)
            if negated is not None and rng.random() < 0.1:
                branches.append(negated)
            condition = merged.pop("if", None)
            if condition is not None:
                holds = rng.random() < 0.5
                branches += [condition, merged.get("then")] if holds else [merged.get("else")]
            if not branches:
                break
            for branch in branches:
                if isinstance(branch, dict):
                    merged = _merge(merged, branch)
        return merged

    def _resolve(self, reference: str) -> Any:
        target = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            target = target[part]
        return target

    def _kind(self, schema: dict[str, Any]) -> str:
        types = schema.get("type")
        if types is not None and self._rng.random() < 0.95:
            return types if isinstance(types, str) else self._rng.choice(types)
        hinted = [
            kind for kind, words in _KEYWORD_TYPES.items() if any(word in schema for word in words.split())
        ]
        if hinted and self._rng.random() < 0.7:
            return self._rng.choice(hinted)
        return self._rng.choice(["null", "boolean", "number", "string", "array", "object"])

    def _anything(self, depth: int) -> Any:
        pick = self._rng.random()
        if depth > 0 and pick < 0.12:
            return [self._anything(depth - 2) for _ in range(self._rng.randint(0, 2))]
        if depth > 0 and pick < 0.27:
            return {
                name: self._anything(depth - 2) for name in self._rng.sample(NAMES, self._rng.randint(0, 2))
            }
        if pick < 0.4:
            return self._rng.choice([True, False, None])
        return Decimal(str(self._rng.choice(INTEGERS))) if pick < 0.7 else self._rng.choice(STRINGS)

    def _number(self, schema: dict[str, Any]) -> Decimal:
        rng = self._rng
        pool = [Decimal(str(number)) for number in INTEGERS + DECIMALS]
        step = schema.get("multipleOf", Decimal(1))
        for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if key in schema:
                bound = schema[key]
                near = [bound, bound + 1, bound - 1, bound + step, bound - step, bound + Decimal("0.5")]
                pool += [*near, *near, (bound / step).to_integral_value() * step]
        if "multipleOf" in schema:
            pool += [step * factor for factor in range(-3, 7)] * 2
        return rng.choice(pool)

    def _string(self, schema: dict[str, Any]) -> str:
        rng = self._rng
        least = int(schema.get("minLength", 0))
        most = int(schema.get("maxLength", max(3, least + 1)))
        for _ in range(25 if "pattern" in schema else 1):
            length = rng.randint(least, max(least, min(most, least + 4)))
            text = "".join(rng.choice(_ALPHABET) for _ in range(length))
            if rng.random() < 0.2:
                text = rng.choice(STRINGS)
            if "pattern" not in schema or matches(schema["pattern"], text):
                break
        return text

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        least = int(schema.get("minItems", 0))
        most = int(schema.get("maxItems", max(3, least)))
        prefix = schema.get("prefixItems", [])
        length = self._rng.randint(least, max(least, min(most, 4)))
        rest = schema.get("items", True)
        items = [
            self._propose(prefix[index] if index < len(prefix) else rest, depth - 1)
            for index in range(length)
        ]
        if "contains" in schema:
            least = int(schema.get("minContains", 1))
            wanted = self._rng.randint(least, max(least, int(schema.get("maxContains", 3))) + 1)
            for index in self._rng.sample(range(length), min(wanted, length)):
                items[index] = self._propose(schema["contains"], depth - 1)
        return items

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        rng = self._rng
        named = schema.get("properties", {})
        names = list(dict.fromkeys(schema.get("required", [])))
        candidates = [*named, *named, *NAMES]
        allowed = schema.get("propertyNames")
        if isinstance(allowed, dict):
            candidates += allowed.get("enum", []) * 2
        least = int(schema.get("minProperties", 0))
        most = int(schema.get("maxProperties", 4))
        wanted = rng.randint(min(least, 3), max(least, min(most, 3)))
        for _ in range(8):
            if len(names) >= wanted:
                break
            name = self._string({}) if rng.random() < 0.1 else rng.choice(candidates)
            if name not in names:
                names.append(name)
        patterns = schema.get("patternProperties", {})
        result = {}
        for name in names:
            subschemas = [named[name]] if name in named else []
            subschemas += [subschema for pattern, subschema in patterns.items() if matches(pattern, name)]
            if not subschemas:
                subschemas = [schema.get("additionalProperties", True)]
            if len(subschemas) > 1 and rng.random() < 0.5:
                subschemas = [{"allOf": subschemas}]
            result[name] = self._propose(rng.choice(subschemas), depth - 1)
        return result


def _merge(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    merged = {**right, **left}
    for key in ("properties", "patternProperties"):
        if key in left and key in right:
            merged[key] = {
                name: {"allOf": [left[key][name], right[key][name]]}
                if name in left[key] and name in right[key]
                else {**left[key], **right[key]}[name]
                for name in {**left[key], **right[key]}
            }
    if "required" in left and "required" in right:
        merged["required"] = [*left["required"], *right["required"]]
    for key in ("anyOf", "oneOf", "not", "if", "$ref"):
        if key in left and key in right:
            merged.pop(key)
            merged.setdefault("allOf", [])
            merged["allOf"] = [*merged["allOf"], {key: left[key]}, {key: right[key]}]
    return merged


def spell(value: Any, rng: random.Random, *, exotic: bool) -> bytes:
    """A JSON text of a value; `exotic` also uses escapes, exponents and blanks that few writers use."""
    separators = [b"", b"", b" "] if not exotic else [b"", b"", b" ", b"\n", b"\t", b"\r\n "]
    text = _spell(value, rng, exotic, separators if rng.random() < 0.4 else [b""])
    return rng.choice(separators) + text if rng.random() < 0.15 else text


def _spell(value: Any, rng: random.Random, exotic: bool, blanks: list[bytes]) -> bytes:
    def blank() -> bytes:
        return rng.choice(blanks)

    if value is None or isinstance(value, bool):
        return {None: b"null", True: b"true", False: b"false"}[value]
    if isinstance(value, Decimal):
        return _spell_number(value, rng, exotic)
    if isinstance(value, str):
        return _spell_string(value, rng, exotic)
    if isinstance(value, list):
        items = [blank() + _spell(item, rng, exotic, blanks) + blank() for item in value]
        return b"[" + b",".join(items) + b"]"
    names = list(value)
    rng.shuffle(names)
    members = [
        blank() + _spell_string(name, rng, exotic) + blank() + b":" + blank()
        + _spell(value[name], rng, exotic, blanks) + blank()
        for name in names
    ]  # fmt: skip
    return b"{" + b",".join(members) + b"}"


def _spell_number(value: Decimal, rng: random.Random, exotic: bool) -> bytes:
    plain = format(value, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    if plain in ("-0", ""):
        plain = "0"
    if not exotic or rng.random() < 0.5:
        return plain.encode()
    shift = rng.randint(-3, 3)
    moved = format(value.scaleb(-shift), "f")
    exponent = rng.choice(["e", "E"]) + ("-" if shift < 0 else rng.choice(["", "+"])) + str(abs(shift))
    if shift == 0 and "." not in moved:
        return (moved + rng.choice([".0", "e0", ".00", "E-0"])).encode()
    return (moved + exponent).encode()


_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _spell_string(value: str, rng: random.Random, exotic: bool) -> bytes:
    parts = ['"']
    for character in value:
        if exotic and rng.random() < 0.25:
            units = character.encode("utf-16-be").hex()
            form = str.upper if rng.random() < 0.5 else str.lower
            parts += ["\\u" + form(units[at : at + 4]) for at in range(0, len(units), 4)]
        elif character in _SHORT:
            parts.append(_SHORT[character])
        else:
            parts.append(f"\\u{ord(character):04x}" if character < " " else character)
    parts.append('"')
    return "".join(parts).encode()


_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|[ \t\r\n]+|-?[0-9][0-9.eE+-]*|[{}\[\],:]|true|false|null', re.ASCII)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,7})(?:\.[0-9]{0,5}[1-9])?", re.ASCII)


def _minimal_escape(escape: str) -> bool:
    if not escape.startswith("u"):
        return escape in '"\\bfnrt'
    code = int(escape[1:], 16)
    return code < 0x20 and chr(code) not in _SHORT and escape == escape.lower()


def surely_inside(text: bytes) -> bool:
    """Whether a JSON text is within the default policy beyond doubt (plain numbers, few blanks)."""
    decoded = text.decode()
    if decoded != decoded.rstrip(" \t\r\n"):
        return False
    for lexeme in _LEXEME.findall(decoded):
        first = lexeme[0]
        if first in " \t\r\n":
            if "\r" in lexeme or len(lexeme) > 12 or lexeme.count("\n") > 2:
                return False
        elif first == '"':
            if not all(map(_minimal_escape, _ESCAPE.findall(lexeme))):
                return False
        elif first in "-0123456789" and (not _PLAIN_NUMBER.fullmatch(lexeme) or lexeme == "-0"):
            return False
    return True


def surely_outside(text: bytes) -> bool:
    """Whether a JSON text breaks what the default policy says of blanks and escapes (design 2.3)."""
    decoded = text.decode()
    if decoded != decoded.rstrip(" \t\r\n"):
        return True
    for lexeme in _LEXEME.findall(decoded):
        if lexeme[0] in " \t\r\n":
            ends = len(re.findall(r"\r\n|\r|\n", lexeme))
            if ends > 2 or len(lexeme.replace("\r", "").replace("\n", "")) > 64:
                return True
        elif lexeme[0] == '"' and not all(map(_minimal_escape, _ESCAPE.findall(lexeme))):
            return True
    return False
