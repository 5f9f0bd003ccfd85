"""Counterexamples that decided the design of the core, as data; one case per trap.

A case names texts in and out of the language, and prefixes after which one more byte is dead or
live. Validators check the texts too, so that a case cannot be wrong in the engine's favour.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

pytest.importorskip("jsonschema_rs")
pytest.importorskip("regress")

import constrain
from tests.support.real_engine import allowed_bytes, byte_vocabulary, compile_schema
from tests.support.validators import Validators

BYTES = byte_vocabulary()


@dataclass(frozen=True)
class Case:
    """A schema and what must hold of it.

    Attributes:
        accepted, refused: complete texts.
        dead, live: a prefix that is allowed byte by byte, and a byte that then is refused or allowed.
        any_text: whether the case is about `ANY_TEXT`; else it holds under the default options.
        policy: whether a refusal is due to the text policy, not to the schema.
        later: the keyword that may still be refused as unsupported; never answered wrongly.
    """

    name: str
    schema: Any
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    dead: list[tuple[str | bytes, str | bytes]] = field(default_factory=list)
    live: list[tuple[str | bytes, str | bytes]] = field(default_factory=list)
    any_text: bool = False
    policy: bool = False
    later: str | None = None


def has(names: str, schema: Any) -> dict[str, Any]:
    """Some property with a name that matches has a value that is valid: `Has` as JSON Schema."""
    return {"not": {"patternProperties": {names: {"not": schema}}}}


CORRELATED = {
    "type": "object",
    "required": ["a", "b"],
    "anyOf": [{"properties": {"a": {"const": n}, "b": {"const": n}}} for n in (1, 2)],
}
CONDITIONAL = {
    "type": "object",
    "if": {"properties": {"k": {"const": 1}}, "required": ["k"]},
    "then": {"required": ["v"]},
    "else": {"properties": {"v": False}},
}
MUTUAL = {
    "A": {
        "anyOf": [
            {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}, "required": ["b"]},
            {"type": "null"},
        ]
    },
    "B": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "required": ["a"]},
}
IMPOSSIBLE = {"type": "string", "minLength": 2, "maxLength": 1}

CASES = [
    # Atoms are false on other types, keywords are true on them.
    Case("not_minimum_refuses_a_string", {"not": {"minimum": 5}}, ["4", "-1", "4.5"], ['"a"', "5", "null", "[]"],
         dead=[("", '"'), ("", "n"), ("", "["), ("", "{"), ("", "t")], live=[("", "4"), ("", "-")]),
    Case("required_is_true_on_strings", {"required": ["a"]}, ['"x"', '{"a":1}', "1"], ["{}", '{"b":1}'],
         dead=[("{", "}")], live=[("", '"')]),
    Case("not_properties_false_is_false_on_strings", {"not": {"properties": {"a": False}}}, ['{"a":1}'],
         ['"x"', "{}", "1"], dead=[("", '"'), ("", "1"), ("{", "}")], live=[("", "{")]),
    Case("not_type_string", {"not": {"type": "string"}}, ["1", "{}"], ['"a"'], dead=[("", '"')]),
    # Numbers are exact decimals, whatever their spelling.
    Case("const_17_never_allows_99", {"const": 17}, ["17"], ["99", "18", "-17", "1.7"],
         dead=[("", "9"), ("", "-"), ("1", "8"), ("17", "1"), ("", '"')], live=[("", "1"), ("1", "7")]),
    Case("const_17_in_every_spelling", {"const": 17}, ["17", "17.0", "1.7e1", "170e-1", "0.17E+2", "17e0", " 17 "],
         ["99", "17e1", "170", "1.7", "17.01"], dead=[("", "9"), ("1", "8"), ("", "-"), ("0.1", "8")],
         live=[("17", "0"), ("1", "."), ("", "0"), ("", " ")], any_text=True),
    Case("an_exponent_can_make_an_integer", {"type": "integer"}, ["1.5e1", "170e-1", "1.0", "-0", "0e5", "10e-1"],
         ["1.5", "15e-1", "1e-1"], live=[("1.5", "e"), ("15", "e")], any_text=True),
    Case("integers_of_the_default_policy", {"type": "integer"}, ["0", "17", "-3", "123456"], ["1.5", "01", "+1", "1."],
         dead=[("0", "1"), ("", "+"), ("-", "-")]),
    Case("multiples_of_3_in_any_spelling", {"multipleOf": 3, "type": "number"}, ["300e-2", "3", "0.3e1", "0", "-6"],
         ["3e-1", "1", "100", "3.1"], any_text=True),
    Case("multiples_of_a_hundredth_are_exact", {"multipleOf": 0.01, "type": "number"}, ["19.99", "0.07", "1"],
         ["19.999", "0.001"]),
    Case("equality_of_decimals", {"const": 0.1}, ["0.1", "0.10", "1e-1", "10E-2"], ["0.1000000000000000055", "0.11"],
         any_text=True),
    Case("minus_zero_is_zero", {"const": 0}, ["0", "-0", "-0.0", "0e9", "0.000"], ["1", "-1"], any_text=True,
         dead=[("", "1"), ("-", "1")], live=[("", "-")]),
    Case("a_narrow_range", {"type": "integer", "minimum": 10, "maximum": 12}, ["10", "11", "12"], ["9", "13", "2"],
         dead=[("", "2"), ("", "9"), ("", "-"), ("1", "3"), ("1", "9")], live=[("1", "0"), ("1", "2")]),
    Case("an_open_interval_with_a_lattice", {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1,
         "multipleOf": 0.5}, ["0.5"], ["0", "1", "0.25"], dead=[("", "1"), ("", "-"), ("0.", "6")], live=[("0.", "5")]),
    Case("numbers_of_an_enum_share_a_prefix", {"enum": [1, 10, 100.5]}, ["1", "10", "100.5"], ["100", "11", "1005"],
         dead=[("1", "1"), ("", "2"), ("100", "1")], live=[("1", "0"), ("100", "."), ("100.", "5")]),
    Case("two_alternating_multiples", {"type": "integer", "oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]},
         ["2", "3", "4", "9"], ["6", "0", "1", "5", "12"]),
    Case("a_sum_of_bounds", {"allOf": [{"minimum": 3}, {"type": "integer", "maximum": 3}]}, ["3"],
         ["2", "4", "3.5"], dead=[("", "4"), ("", "2"), ("3", "3")]),
    # Strings are compared after decoding, and lengths count code points.
    Case("a_constant_in_escapes", {"const": "a"}, ['"a"', '"\\u0061"'], ['"b"', '"\\u0062"'],
         dead=[('"\\u006', "2")], live=[('"', "\\")], any_text=True),
    Case("no_needless_escapes_by_default", {"const": "a/"}, ['"a/"'], ['"\\u0061/"', '"a\\/"'],
         dead=[('"', "\\"), ('"a', "\\")], policy=True),
    Case("an_escape_that_is_needed", {"const": '"\\\n\u0001'}, ['"\\"\\\\\\n\\u0001"'], ['"a"'],
         dead=[('"', '"'), ('"\\"\\\\\\n\\u000', "2")], live=[('"', "\\"), ('"\\"\\\\\\n', "\\")]),
    Case("lengths_count_code_points", {"type": "string", "maxLength": 1}, ['"é"', '"😀"', '""', '"\\ud83d\\ude00"'],
         ['"ab"', '"éa"'], dead=[('"é', "a"), ('"😀', "a"), ('"\\ud83d\\ude00', "a"), ('"\\ud83d', '"')],
         live=[('"\\ud83d', "\\"), ('"', "\\")], any_text=True),
    Case("partial_characters", {"enum": ["é", "ç"]}, ['"é"', '"ç"'], ['"è"'],
         dead=[(b'"\xc3', b"\xa8"), (b'"', b"\xc4"), (b'"\xc3', b'"')], live=[(b'"\xc3', b"\xa9"), (b'"\xc3', b"\xa7")]),
    Case("no_overlong_and_no_surrogate_bytes", {"type": "string"}, ['"aé"'], [],
         dead=[(b'"', b"\xc0"), (b'"', b"\xc1"), (b'"\xed', b"\xa0"), (b'"\xe0', b"\x80"), (b'"', b"\xf5"), (b'"', b"\n"),
               (b'"', b"\x80"), (b'"\xf4', b"\x90")], live=[(b'"\xed', b"\x9f"), (b'"\xf4', b"\x8f")]),
    Case("an_unpaired_surrogate_is_no_document", {"type": "string"}, ['"\\ud83d\\ude00"'],
         ['"\\ud83d"', '"\\ude00"', '"\\ud83da"', '"\\ud83d\\u0061"'],
         dead=[('"\\ud83d', "a"), ('"\\ud83d\\u', "0")], live=[('"\\ud83d\\u', "d")], any_text=True),
    Case("dollar_is_the_end_of_the_text", {"type": "string", "pattern": "^a$"}, ['"a"'], ['"a\\n"', '"aa"'],
         dead=[('"a', "\\"), ('"a', "a")]),
    Case("word_characters_are_ascii", {"type": "string", "pattern": "^\\w$"}, ['"a"', '"_"'], ['"é"', '"-"'],
         dead=[(b'"', b"\xc3"), ('"', "-")]),
    Case("a_pattern_is_searched", {"type": "string", "pattern": "b"}, ['"abc"', '"b"'], ['"a"', '""'],
         dead=[('"', '"'), ('"aa', '"')]),
    Case("pattern_and_length_combine", {"type": "string", "pattern": "^a*b$", "maxLength": 3}, ['"aab"', '"b"'],
         ['"aaab"', '"aaa"'], dead=[('"aa', "a"), ('"', '"'), ('"b', "b")]),
    Case("a_pattern_and_its_negation", {"type": "string", "pattern": "^[ab]+$", "not": {"pattern": "aa"}},
         ['"abab"', '"b"'], ['"baa"', '""'], dead=[('"a', "a"), ('"ba', "a")], live=[('"b', "b")]),
    # Objects.
    Case("an_impossible_option_is_never_offered",
         {"type": "object", "properties": {"a": IMPOSSIBLE}, "additionalProperties": False}, ["{}"],
         ['{"a":"x"}'], dead=[("{", '"')], live=[("{", "}")]),
    Case("an_impossible_name_among_free_names", {"type": "object", "properties": {"a": IMPOSSIBLE}},
         ['{"ab":1}', "{}"], ['{"a":"x"}', '{"a":1}'], dead=[('{"a', '"')], live=[('{"a', "b"), ('{"', "a")]),
    Case("an_impossible_string_may_be_another_type",
         {"type": "object", "properties": {"a": {"minLength": 2, "maxLength": 1}}}, ['{"a":1}'], ['{"a":"x"}', '{"a":""}'],
         dead=[('{"a":', '"')], live=[('{"a', '"'), ('{"a":', "1")]),
    Case("keys_are_never_repeated", {"type": "object"}, ['{"a":1,"b":1}'], ['{"a":1,"a":2}'],
         dead=[('{"a":1,"a', '"')], live=[('{"a":1,"a', "b"), ('{"a":1,"', "a")]),
    Case("keys_are_never_repeated_through_escapes", {"type": "object"}, ['{"a":1,"\\u0062":1}'],
         ['{"a":1,"\\u0061":2}', '{"\\u0061":1,"a":2}', '{"\\ud83d\\ude00":1,"😀":2}'],
         dead=[('{"a":1,"\\u0061', '"'), ('{"\\u0061":1,"a', '"')], live=[('{"a":1,"\\u0061', "b")], any_text=True),
    Case("a_named_key_in_escapes", {"type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": False},
         ['{"\\u0061":1}'], ['{"\\u0061":2}', '{"\\u0062":1}'], dead=[('{"\\u0061":', "2"), ('{"\\u006', "2")],
         any_text=True),
    Case("the_last_name_is_spent", {"type": "object", "properties": {"a": True}, "additionalProperties": False},
         ['{"a":1}'], ['{"a":1,"b":2}'], dead=[('{"a":true', ","), ('{"', "b")]),
    Case("required_names_fit_under_the_upper_count", {"type": "object", "required": ["a", "b"], "maxProperties": 2},
         ['{"a":1,"b":2}', '{"b":1,"a":2}'], ['{"a":1,"c":2}', '{"a":1,"b":2,"c":3}'],
         dead=[('{"', "c"), ('{"a', "a"), ('{"a":null,"', "c"), ('{"a":null,"b":null', ","), ('{"a":null', "}"), ("{", "}")],
         live=[('{"', "b"), ('{"a":null,"', "b")]),
    Case("one_free_name_beside_a_required_one", {"type": "object", "required": ["a"], "maxProperties": 2},
         ['{"a":1}', '{"c":1,"a":2}'], ['{"c":1,"d":2}'], dead=[('{"c":null,"', "c"), ('{"c":null', "}")],
         live=[('{"c":null', ",")]),
    Case("a_tight_count_over_a_key_pattern", {"type": "object", "maxProperties": 1, "allOf": [
         has("^a", {"type": "integer"}), has("b$", {"type": "number", "minimum": 5})]},
         ['{"ab":5}', '{"aab":60}'], ['{"a":5}', '{"ab":4}', '{"b":5}', '{"ab":5,"a":1}', "{}"],
         dead=[("{", "}"), ('{"a', '"'), ('{"', "b"), ('{"ab":', '"'), ('{"ab":5', ",")],
         live=[('{"a', "b"), ('{"ab":', "6")]),
    Case("two_owed_values_over_two_names", {"type": "object", "propertyNames": {"enum": ["a", "b"]}, "allOf": [
         has("^[ab]$", {"const": 1}), has("^[ab]$", {"const": 2})]},
         ['{"a":1,"b":2}', '{"b":1,"a":2}'], ['{"a":1}', '{"a":1,"b":1}', '{"a":3,"b":1}'],
         dead=[('{"a":', "3"), ("{", "}"), ('{"a":1', "}"), ('{"a":1,"b":', "1")], live=[('{"a":', "2")]),
    Case("too_few_names_for_the_count", {"propertyNames": {"enum": ["a", "b"]}, "minProperties": 3}, ['"x"', "1"],
         ["{}", '{"a":1,"b":2}'], dead=[("", "{")]),
    Case("no_names_at_all", {"type": "object", "propertyNames": False}, ["{}"], ['{"a":1}'], dead=[("{", '"')]),
    Case("a_name_class_excludes_a_constant",
         {"type": "object", "propertyNames": {"not": {"const": "a"}}}, ['{"aa":1}'], ['{"a":1}'], dead=[('{"a', '"')]),
    Case("pattern_and_name_meet_in_one_value", {"type": "object", "properties": {"a": {"type": "integer"}},
         "patternProperties": {"^a": {"minimum": 10}}, "additionalProperties": False},
         ['{"a":11}', '{"ab":10.5}'], ['{"a":9}', '{"a":true}', '{"b":1}'], dead=[('{"a":', "t"), ('{"', "b")],
         live=[('{"ab":', "t")]),
    Case("either_name_but_not_both", {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
         ['{"a":1}', '{"b":1,"c":2}'], ["{}", '{"a":1,"b":2}', '{"c":1}'],
         dead=[('{"a":null,"b', '"'), ("{", "}")], live=[('{"a":null,"b', "b")]),
    Case("alternatives_correlate_their_members", CORRELATED, ['{"a":1,"b":1}', '{"b":2,"a":2}'], ['{"a":1,"b":2}', '{"a":1}'],
         dead=[('{"a":1,"b":', "2"), ('{"b":2,"a":', "1"), ('{"a":', "3")], live=[('{"a":1,"b":', "1")]),
    Case("a_condition_is_decided_late", CONDITIONAL, ['{"k":1,"v":2}', '{"v":2,"k":1}', '{"k":2}', "{}"],
         ['{"k":1}', '{"k":2,"v":1}', '{"v":1}'],
         dead=[('{"k":1', "}"), ('{"k":2,"v', '"'), ('{"v":null', "}"), ('{"v":null,"k":', "2")],
         live=[('{"v', '"'), ('{"v":null', ","), ('{"v":null,"k":', "1")]),
    Case("not_required_both", {"type": "object", "not": {"required": ["a", "b"]}}, ['{"a":1}', "{}"], ['{"b":1,"a":1}'],
         dead=[('{"a":null,"b', '"')]),
    Case("a_constant_object_in_any_order", {"const": {"a": [1, {"b": None}], "c": ""}},
         ['{"a":[1,{"b":null}],"c":""}', '{"c":"", "a":[1, {"b":null}]}'], ["{}", '{"a":[1,{"b":null}]}'],
         dead=[("{", "}"), ('{"', "b"), ('{"a":[1', "]"), ('{"c":""', "}")]),
    # Arrays.
    Case("not_prefix_items_refuses_the_empty_array", {"not": {"prefixItems": [{"type": "integer"}]}},
         ['["a"]', '["a",1]', "[1.5]"], ["[]", "[1]", '"x"'], dead=[("[", "]"), ("", '"')], live=[("[", '"')]),
    Case("not_items_owes_one_item", {"type": "array", "not": {"items": {"type": "null"}}, "maxItems": 2},
         ["[1]", "[null,1]", "[1,null]"], ["[]", "[null]", "[null,null]", "[1,1,1]"],
         dead=[("[", "]"), ("[null", "]"), ("[null,", "n"), ("[null,true", ",")], live=[("[null", ",")]),
    Case("prefix_items_then_nothing", {"type": "array", "prefixItems": [{"type": "null"}], "items": False},
         ["[]", "[null]"], ["[null,1]", "[1]"], dead=[("[null", ","), ("[", "1")]),
    Case("a_lower_count", {"type": "array", "minItems": 2, "items": {"const": "a"}}, ['["a","a"]'], ['["a"]'],
         dead=[("[", "]"), ('["a"', "]")], live=[('["a","a"', ","), ('["a","a"', "]")]),
    Case("an_impossible_item_ends_the_array", {"type": "array", "items": IMPOSSIBLE}, ["[]"], ['["a"]'],
         dead=[("[", '"'), ("[", "1")]),
    Case("an_impossible_position_bounds_the_length", {"type": "array", "prefixItems": [True, False]},
         ["[]", "[1]"], ["[1,2]"], dead=[("[null", ",")]),
    # Recursion.
    Case("mutual_recursion_from_the_alternative", {"$defs": MUTUAL, "$ref": "#/$defs/A"},
         ["null", '{"b":{"a":null}}', '{"b":{"a":{"b":{"a":null}}}}'], ["{}", '{"b":null}'],
         dead=[("{", "}"), ('{"b":', "n")]),
    Case("mutual_recursion_from_the_object", {"$defs": MUTUAL, "$ref": "#/$defs/B"},
         ['{"a":null}', '{"a":{"b":{"a":null}}}'], ["null", "{}"], dead=[("", "n"), ("{", "}")]),
    Case("an_endless_branch_is_never_offered", {"$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}},
         "required": ["n"]}}, "type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}, ["{}", '{"m":1}'],
         ['{"n":1}', '{"n":{}}'], dead=[('{"n', '"')]),
    Case("negation_of_a_recursive_schema", {"$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}},
         "type": "array", "not": {"$ref": "#/$defs/t"}}, ["[1]", "[[],[1]]"], ["[]", "[[]]", "[[],[[]]]"],
         dead=[("[", "]"), ("[[]", "]"), ("[[[]]", "]")]),
    # The text policy.
    Case("blanks_are_bounded_by_default", {"type": "array"}, [" []", "[ ]", "[\n\n]", "[" + " " * 64 + "]"],
         ["[] ", "[\n\n\n]", "[" + " " * 65 + "]"], dead=[("[\n\n", "\n"), (" " * 64, " "), ("[]", " ")], policy=True),
    Case("blanks_are_free_under_any_text", {"type": "array"}, ["[] ", "[\n\n\n\r\t ]", "[" + " " * 99 + "]\n"], ["[]x"],
         any_text=True),
    # Keywords of later versions: refused as unsupported, or exact.
    Case("at_least_two_is_negated", {"not": {"contains": {"const": 1}, "minContains": 2}}, ["[1]", "[]"], ["[1,1]"],
         later="contains"),
    Case("distinct_items_are_matched", {"type": "array", "prefixItems": [{"enum": [1, 2]}, {"const": 1}], "minItems": 2,
         "items": False, "uniqueItems": True}, ["[2,1]"], ["[1,1]", "[1,2]"], dead=[("[", "1")], later="uniqueItems"),
    Case("distinct_items_of_three", {"type": "array", "prefixItems": [{"enum": [1, 2, 3]}, {"enum": [1, 2]},
         {"enum": [1, 2]}], "minItems": 3, "items": False, "uniqueItems": True}, ["[3,1,2]", "[3,2,1]"], ["[1,2,3]"],
         dead=[("[", "1"), ("[", "2")], later="uniqueItems"),
    Case("an_equal_pair_is_owed", {"type": "array", "not": {"uniqueItems": True}, "maxItems": 2},
         ["[1,1]", "[{},{}]", "[1,1.0]"], ["[1,2]", "[1]", "[]"], later="uniqueItems"),
    Case("contained_items_are_evaluated", {"type": "array", "contains": {"type": "string"}, "unevaluatedItems": False},
         ['["a"]', '["a","b"]'], ['["a",1]', "[]"], later="contains"),
    Case("nothing_inside_not_evaluates", {"type": "object", "not": {"not": {"properties": {"a": True}, "required": ["a"]}},
         "unevaluatedProperties": {"type": "string"}}, ['{"a":"x"}'], ['{"a":1}', "{}"], later="unevaluatedProperties"),
    Case("a_true_branch_does_not_hide_evaluation", {"type": "object", "anyOf": [{"properties": {"a": True},
         "required": ["a"]}, True], "unevaluatedProperties": False}, ['{"a":1}', "{}"], ['{"b":1}'],
         later="unevaluatedProperties"),
    Case("draft_4_integers_are_textual", {"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"},
         ["1"], ["1.0"], later="$schema"),
]  # fmt: skip

UNSATISFIABLE: dict[str, Any] = {
    "three_owed_values_over_two_names": {"allOf": [
        {"propertyNames": {"enum": ["a", "b"]}}, *(has("^[ab]$", {"const": n}) for n in (1, 2, 3))]},
    "three_owed_values_over_a_finite_class": {"allOf": [has("^[ab]$", {"const": n}) for n in (1, 2, 3)]},
    "too_few_names": {"type": "object", "propertyNames": {"enum": ["a", "b"]}, "minProperties": 3},
    "no_integer_between": {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2},
    "an_empty_interval": {"type": "number", "exclusiveMinimum": 0, "maximum": 0},
    "no_multiple_between": {"type": "number", "multipleOf": 5, "minimum": 6, "maximum": 9},
    "a_required_impossible_property": {"type": "object", "required": ["a"], "properties": {"a": IMPOSSIBLE}},
    "a_required_name_that_no_name_may_be": {"type": "object", "required": ["ab"], "propertyNames": {"maxLength": 1}},
    "more_required_than_allowed": {"type": "object", "required": ["a", "b"], "maxProperties": 1},
    "a_possible_count_over_impossible_values": {"type": "object", "properties": {"a": True, "b": False},
                                                "additionalProperties": False, "minProperties": 2},
    "a_required_item_is_impossible": {"type": "array", "items": False, "minItems": 1},
    "a_position_below_the_lower_count": {"type": "array", "prefixItems": [True, False], "minItems": 2},
    "endless_objects": {"$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}, "required": ["n"]}},
                        "$ref": "#/$defs/n"},
    "a_constant_of_the_wrong_type": {"const": 1, "type": "string"},
    "two_patterns": {"type": "string", "allOf": [{"pattern": "^a"}, {"pattern": "^b"}]},
    "false": False,
    "a_schema_and_its_negation": {"allOf": [{"type": "object", "required": ["a"]}, {"not": {"required": ["a"]}}]},
    "one_of_equal_branches": {"oneOf": [{"type": "string"}, {"type": "string"}]},
}  # fmt: skip

CYCLES: dict[str, Any] = {
    "not_itself": {"not": {"$ref": "#"}},
    "itself": {"$ref": "#"},
    "through_all_of": {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"},
}


def _constraint(case: Case) -> constrain.Constraint:
    options = constrain.ANY_TEXT if case.any_text else constrain.Options()
    try:
        return compile_schema(case.schema, options)
    except constrain.UnsupportedError as error:
        if case.later is None:
            raise
        pytest.skip(f"{case.later} is not supported yet: {error}")


def _walk(constraint: constrain.Constraint, text: bytes) -> tuple[int, constrain.Matcher]:
    """How many bytes are allowed one by one, each by the mask and by `advance` alike."""
    matcher = constraint.matcher(BYTES)
    for at, byte in enumerate(text):
        allowed, _ = allowed_bytes(matcher)
        took = matcher.advance(byte)
        assert took == (byte in allowed), f"mask and advance differ on {bytes([byte])!r} after {text[:at]!r}"
        if not took:
            return at, matcher
    return len(text), matcher


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_counterexample(case: Case) -> None:
    constraint = _constraint(case)
    for text in case.accepted:
        length, matcher = _walk(constraint, text.encode())
        assert length == len(text.encode()), f"refused at {text.encode()[:length]!r} of {text!r}"
        assert matcher.accepting, text
        assert allowed_bytes(matcher)[1], text
        assert constraint.accepts(text), text
    for text in case.refused:
        length, matcher = _walk(constraint, text.encode())
        assert length < len(text.encode()) or not matcher.accepting, text
        assert not constraint.accepts(text), text
    for expected, pairs in ((False, case.dead), (True, case.live)):
        for prefix, byte in pairs:
            start = _bytes(prefix)
            length, matcher = _walk(constraint, start)
            assert length == len(start), f"refused at {start[:length]!r} of {start!r}"
            allowed = _bytes(byte)[0] in allowed_bytes(matcher)[0]
            assert allowed == expected, f"{byte!r} after {prefix!r}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_validators_agree_with_the_case(case: Case) -> None:
    validators = Validators(case.schema)
    for text in case.accepted:
        assert validators.valid(text), text
    for text in case.refused:
        assert case.policy or not validators.valid(text), text


@pytest.mark.parametrize("name", UNSATISFIABLE)
def test_unsatisfiable(name: str) -> None:
    for options in (constrain.Options(), constrain.ANY_TEXT):
        with pytest.raises(constrain.UnsatisfiableError):
            compile_schema(UNSATISFIABLE[name], options)


@pytest.mark.parametrize("name", CYCLES)
def test_a_reference_cycle_that_consumes_nothing_is_malformed(name: str) -> None:
    with pytest.raises(constrain.SchemaError):
        compile_schema(CYCLES[name])


def test_compact_text_has_no_blanks() -> None:
    constraint = compile_schema({"type": "array"}, replace(constrain.Options(), whitespace="compact"))
    assert constraint.accepts("[1,2]")
    for text in ("[1, 2]", " [1,2]", "[1,2] "):
        assert not constraint.accepts(text)


def test_schema_order_fixes_the_properties() -> None:
    schema = {"type": "object", "properties": {"b": True, "a": True}, "required": ["a", "b"]}
    constraint = compile_schema(schema, replace(constrain.Options(), property_order="schema"))
    assert constraint.accepts('{"b":1,"a":2}')
    assert not constraint.accepts('{"a":1,"b":2}')
