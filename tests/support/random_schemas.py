"""Random schemas over the keywords of 2020-12, and small vocabularies to walk them with.

The alphabets are tiny so that constraints meet: the same names, numbers and strings come back in
every part of a schema. About a third of the schemas are built from templates whose parts are known
to interact (counts with required names, overlapping alternatives, recursion under negation).
"""

from __future__ import annotations

import random
from typing import Any

__all__ = ["random_schema", "small_vocabulary"]

NAMES = ["a", "b", "ab", "é"]
INTEGERS = [-2, -1, 0, 1, 2, 3, 5, 10, 17]
DECIMALS = [0.5, 1.5, 2.0, 0.25, -0.5, 2.75, 1e1, 0.1]
STRINGS = ["", "a", "b", "ab", "ba", "aa", "é", '"', "\\", "aé", "abab"]
PATTERNS = [
    "^a", "b$", "^[ab]$", "^[ab]+$", "a", "^(ab)*$", "^a{2,3}$", "é", "^[^a]*$", "^.$", "a|^b$",
    "^(?:a|é)b?$", '["\\\\]', "^a?b?$", "^[a-b]{0,2}$", "^\\w+$", "^$",
]  # fmt: skip
KEY_PATTERNS = ["^a", "b$", "^[ab]$", "é", "^.$", "^[^a]"]
DIVISORS = [1, 2, 3, 0.5, 0.1, 1.5, 5]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.definitions: dict[str, Any] = {}
        self.references = rng.random() < 0.35

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def number(self) -> int | float:
        return self.rng.choice(INTEGERS) if self.chance(0.7) else self.rng.choice(DECIMALS)

    def scalar(self) -> Any:
        return self.rng.choice(
            [
                None,
                True,
                False,
                self.number(),
                self.number(),
                self.rng.choice(STRINGS),
                self.rng.choice(STRINGS),
            ]
        )

    def value(self, depth: int = 1) -> Any:
        if depth and self.chance(0.2):
            return [self.value(depth - 1) for _ in range(self.rng.randint(0, 2))]
        if depth and self.chance(0.25):
            names = self.rng.sample(NAMES, self.rng.randint(0, 2))
            return {name: self.value(depth - 1) for name in names}
        return self.scalar()

    def schema(self, depth: int, guarded: bool = False) -> Any:
        """A sub-schema; `guarded` when a reference here is under a property or an item."""
        rng = self.rng
        if self.chance(0.06):
            return rng.choice([True, True, {}, False])
        if self.references and guarded and self.chance(0.15):
            return {"$ref": rng.choice(["#/$defs/d0", "#/$defs/d1", "#"])}
        if depth <= 0 or self.chance(0.35):
            return self.simple(depth, guarded)
        kind = rng.choice(
            ["object"] * 5 + ["array"] * 4 + ["allOf", "anyOf", "anyOf", "oneOf", "oneOf", "not", "if", "if"]
        )
        if kind == "object":
            return self.object(depth)
        if kind == "array":
            return self.array(depth)
        return self.combination(kind, depth, guarded)

    def simple(self, depth: int, guarded: bool) -> dict[str, Any]:
        rng = self.rng
        kind = rng.choice(
            ["type", "types", "enum", "const", "string", "string", "number", "number", "pattern"]
        )
        if kind == "type":
            return {"type": rng.choice(TYPES)}
        if kind == "types":
            return {"type": rng.sample(TYPES, rng.randint(1, 3))}
        if kind == "enum":
            values = _distinct([self.value() for _ in range(rng.randint(1, 4))])
            if self.chance(0.15):
                return {"enum": values, "const": rng.choice([*values, self.value()])}
            return {"enum": values}
        if kind == "const":
            return {"const": self.value()}
        if kind == "number":
            return self.numbers()
        return self.strings(pattern=kind == "pattern")

    def numbers(self) -> dict[str, Any]:
        result: dict[str, Any] = {}
        if self.chance(0.6):
            result["type"] = self.rng.choice(["number", "integer", "integer"])
        if self.chance(0.6):
            result[self.rng.choice(["minimum", "exclusiveMinimum"])] = self.number()
        if self.chance(0.5):
            result[self.rng.choice(["maximum", "exclusiveMaximum"])] = self.number()
        if self.chance(0.3) or not result:
            result["multipleOf"] = self.rng.choice(DIVISORS)
        return result

    def strings(self, pattern: bool) -> dict[str, Any]:
        result: dict[str, Any] = {"type": "string"} if self.chance(0.7) else {}
        if pattern or self.chance(0.3):
            result["pattern"] = self.rng.choice(PATTERNS)
        if self.chance(0.45):
            result["minLength"] = self.rng.randint(0, 3)
        if self.chance(0.5) or not result:
            result["maxLength"] = self.rng.randint(0, 3)
        return result

    def object(self, depth: int) -> dict[str, Any]:
        rng = self.rng
        result: dict[str, Any] = {}
        if self.chance(0.75):
            result["type"] = "object"
        if self.chance(0.75):
            names = rng.sample(NAMES, rng.randint(1, 3))
            result["properties"] = {name: self.schema(depth - 1, True) for name in names}
        if self.chance(0.45):
            result["required"] = rng.sample(NAMES, rng.randint(1, 2))
        if self.chance(0.4):
            result["additionalProperties"] = False if self.chance(0.6) else self.schema(depth - 1, True)
        if self.chance(0.25):
            result["patternProperties"] = {
                pattern: self.schema(depth - 1, True)
                for pattern in rng.sample(KEY_PATTERNS, rng.randint(1, 2))
            }
        if self.chance(0.2):
            result["propertyNames"] = rng.choice(
                [{"pattern": rng.choice(KEY_PATTERNS)}, {"maxLength": 1}, {"enum": rng.sample(NAMES, 2)},
                 {"not": {"const": rng.choice(NAMES)}}, {"minLength": 1}]
            )  # fmt: skip
        if self.chance(0.25):
            result["minProperties"] = rng.randint(0, 3)
        if self.chance(0.3):
            result["maxProperties"] = rng.randint(0, 3)
        if self.chance(0.08):
            result["dependentRequired"] = {rng.choice(NAMES): rng.sample(NAMES, rng.randint(0, 2))}
        if self.chance(0.08):
            result["dependentSchemas"] = {rng.choice(NAMES): self.schema(depth - 1)}
        if self.chance(0.05):
            name = rng.choice(NAMES)
            result["dependentRequired"] = {name: rng.sample(NAMES, rng.randint(0, 2))}
            result["dependentSchemas"] = {name: self.schema(depth - 1)}
        if self.chance(0.12):
            result["unevaluatedProperties"] = False if self.chance(0.6) else self.schema(depth - 1, True)
        return result

    def array(self, depth: int) -> dict[str, Any]:
        rng = self.rng
        result: dict[str, Any] = {"type": "array"} if self.chance(0.75) else {}
        if self.chance(0.35):
            result["prefixItems"] = [self.schema(depth - 1, True) for _ in range(rng.randint(1, 2))]
        if self.chance(0.75):
            result["items"] = False if self.chance(0.1) else self.schema(depth - 1, True)
        if self.chance(0.4):
            result["minItems"] = rng.randint(0, 3)
        if self.chance(0.45) or not result:
            result["maxItems"] = rng.randint(0, 3)
        if self.chance(0.25):
            result["contains"] = self.schema(depth - 1, True)
            if self.chance(0.5):
                result["minContains"] = rng.randint(0, 3)
            if self.chance(0.4):
                result["maxContains"] = rng.randint(0, 2)
        if self.chance(0.25):
            result["uniqueItems"] = not self.chance(0.1)
        if self.chance(0.12):
            result["unevaluatedItems"] = False if self.chance(0.6) else self.schema(depth - 1, True)
        return result

    def combination(self, kind: str, depth: int, guarded: bool) -> dict[str, Any]:
        def part() -> Any:
            return self.schema(depth - 1, guarded)

        if kind == "not":
            result: dict[str, Any] = {"not": part()}
        elif kind == "if":
            result = {"if": part()}
            if self.chance(0.85):
                result["then"] = part()
            if self.chance(0.7):
                result["else"] = part()
        else:
            result = {kind: [part() for _ in range(self.rng.randint(2, 3))]}
        if self.chance(0.4):
            other = self.rng.randrange(3)
            beside = [self.object, self.array][other](depth - 1) if other < 2 else self.simple(0, guarded)
            result = {**beside, **result}
        return result

    def conflict(self) -> dict[str, Any]:
        """A schema whose parts only make sense together."""
        rng = self.rng
        name, other = rng.sample(NAMES, 2)
        pick = rng.randrange(19)
        if pick == 0:
            return {
                "type": "object",
                "required": rng.sample(NAMES, rng.randint(1, 3)),
                "maxProperties": rng.randint(1, 3),
                "properties": {name: self.schema(1, True), other: {"minLength": 2, "maxLength": 1}},
            }
        if pick == 1:
            return {
                "type": "object",
                "propertyNames": {"enum": rng.sample(NAMES, rng.randint(1, 3))},
                "minProperties": rng.randint(1, 3),
                "additionalProperties": self.simple(0, True),
            }
        if pick == 2:
            return {
                "allOf": [
                    {"patternProperties": {"^[ab]$": self.simple(0, True)}},
                    {"properties": {"a": self.simple(0, True)}, "required": ["a"]},
                    {"type": "object", "maxProperties": rng.randint(1, 2)},
                ]
            }
        if pick == 3:
            return {"oneOf": [self.object(1), self.object(1)], "type": "object"}
        if pick == 4:
            return {
                "type": "object",
                "properties": {name: {"enum": ["a", "b", 1]}, other: self.simple(0, True)},
                "required": [name],
                "if": {"properties": {name: {"const": rng.choice(["a", 1])}}},
                "then": {"required": [other]},
                "else": {"properties": {other: rng.choice([False, {"type": "integer"}])}},
            }
        if pick == 5:
            return {"type": "array", "not": {"items": self.simple(0, True)}, "maxItems": rng.randint(1, 3)}
        if pick == 6:
            return {
                "type": "object",
                "not": {"properties": {name: self.simple(0, True)}, "required": [other]},
            }
        if pick == 7:
            return {
                "$defs": {
                    "d0": {
                        "anyOf": [
                            {
                                "type": "object",
                                "properties": {"b": {"$ref": "#/$defs/d1"}},
                                "required": ["b"],
                            },
                            self.simple(0, True),
                        ]
                    },
                    "d1": {"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "required": ["a"]},
                },
                "$ref": rng.choice(["#/$defs/d0", "#/$defs/d1"]),
            }
        if pick == 8:
            return {
                "anyOf": [self.array(1), {"prefixItems": [self.simple(0, True)], "minItems": 1}],
                "type": "array",
            }
        if pick == 9:
            return {"allOf": [self.numbers(), self.numbers(), {"not": self.numbers()}], "type": "number"}
        if pick == 10:
            return {"allOf": [self.strings(True), {"not": self.strings(True)}], "type": "string"}
        if pick == 11:
            return {
                "type": "array",
                "items": {"enum": _distinct([self.value() for _ in range(rng.randint(2, 4))])},
                "uniqueItems": True,
                "minItems": rng.randint(1, 4),
            }
        if pick == 12:
            return {
                "type": "array",
                "prefixItems": [{"enum": rng.sample([1, 2, 3, "a"], rng.randint(1, 3))} for _ in range(3)],
                "items": rng.choice([False, True, {"enum": [1, 2]}]),
                "uniqueItems": True,
                "minItems": rng.randint(2, 4),
            }
        if pick == 13:
            return {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {name: {"enum": [1, 2]}, other: {"type": "boolean"}},
                    "required": [name],
                    "additionalProperties": False,
                },
                "uniqueItems": True,
                "minItems": rng.randint(1, 4),
            }
        if pick == 14:
            return {
                "type": "array",
                "contains": self.simple(0, True),
                "minContains": rng.randint(0, 2),
                "maxContains": rng.randint(0, 2),
                "items": self.simple(0, True),
                "minItems": rng.randint(0, 3),
                "uniqueItems": self.chance(0.4),
            }
        if pick == 15:
            return {
                "type": "array",
                "not": rng.choice(
                    [{"uniqueItems": True}, {"contains": self.simple(0, True), "minContains": 2}]
                ),
                "maxItems": rng.randint(1, 3),
                "items": self.simple(0, True),
            }
        if pick == 16:
            return {
                "type": "object",
                rng.choice(["anyOf", "oneOf", "allOf"]): [self.object(1), self.object(1)],
                "unevaluatedProperties": rng.choice([False, False, {"type": "integer"}]),
            }
        if pick == 17:
            return {
                "type": "array",
                rng.choice(["anyOf", "oneOf", "allOf"]): [self.array(1), self.array(1)],
                "unevaluatedItems": rng.choice([False, False, {"type": "integer"}]),
            }
        return {
            "type": "object",
            "properties": {name: {"anyOf": [self.object(0), self.simple(0, True)]}},
            "not": {"required": [name, other]},
            "minProperties": rng.randint(0, 2),
        }


def random_schema(rng: random.Random) -> Any:
    """A random schema, always well-formed; some are unsatisfiable."""
    maker = _Maker(rng)
    schema = maker.conflict() if rng.random() < 0.35 else maker.schema(rng.choice([1, 2, 2, 3]))
    if maker.references and not (isinstance(schema, dict) and "$defs" in schema):
        if not isinstance(schema, dict) or "$ref" in schema:
            schema = {"allOf": [schema]}
        schema = {**schema, "$defs": {"d0": maker.schema(1), "d1": maker.schema(1)}}
    return schema


def _distinct(values: list[Any]) -> list[Any]:
    result: list[Any] = []
    for value in values:
        if not any(_same(value, seen) for seen in result):
            result.append(value)
    return result


def _same(left: Any, right: Any) -> bool:
    return left == right and isinstance(left, bool) == isinstance(right, bool)


CROSS_TOKENS = [
    b'":', b'": ', b"},", b'"a":', b'"b":', b'{"a', b'{"', b"[[", b"]]", b"}}", b"}]", b"1,", b"e1", b".0",
    b"\\u00", b"\\u006", b'\\"', b"00", b"-1", b"10", b"17", b"true", b"false", b"null", b"ul", b", ", b',"', b'","',
    b'":"', b'":1', b"\xc3\xa9", b"\xc3\xa9b", b'a"', b'b"}', b'""', b"[]", b"{}", b"  ", b"\n ", b"ab", b"aa",
    b'"ab', b"0.", b"5,", b"1]", b"1}", b'":{', b'":[', b"\\\\", b'"\xc3', b'\xa9"', b"\xf0\x9f", b"\x98\x80a",
    b',"a"', b',"b":', b' ,"a":1', b'1,"ab"', b'},"a"', b', "b"', b'],"a":', b'"a":[{"b"',
    b"15e-1", b"1E+", b"e0", b".50", b'a":"', b'b":"', b'":"","', b'":"",\n', b'a":"","', b'"}', b'"]', b"a\\", b"\\u0061", b'{"b":', b",  \"", b"\t",
]  # fmt: skip


def small_vocabulary(rng: random.Random, size: int = 40) -> list[bytes | None]:
    """Token bytes: all 256 single bytes, then some of the tokens above, then EOS (`None`), shuffled in part."""
    chosen = rng.sample(CROSS_TOKENS, min(size, len(CROSS_TOKENS)))
    singles = [bytes([byte]) for byte in range(256)]
    tokens: list[bytes | None] = [*singles, *chosen]
    if rng.random() < 0.5:
        rng.shuffle(tokens)
    return [*tokens, None]
