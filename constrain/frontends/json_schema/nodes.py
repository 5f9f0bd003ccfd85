"""Sub-schemas as formulas: what each keyword means for values of one kind.

A keyword is "the value is of another kind, or the atom holds": a keyword contributes a formula
to the component of each kind that it concerns and `TRUE` to the others. A sub-schema of the
same value contributes its own component; a sub-schema of a member becomes a goal in an atom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.automata.languages_cy import Language
from constrain.automata.numbers_cy import AtLeast, IntegerText, MoreThan, MultipleOf, exact
from constrain.errors import ConstrainError
from constrain.frontends.json_schema.property_goals import PropertyGoals
from constrain.frontends.json_schema.references import REFERENCES, Place
from constrain.frontends.json_schema.scan_cy import IN_PLACE, Location, pointer, pointer_text
from constrain.frontends.json_schema.unevaluated import unevaluated_items, unevaluated_properties
from constrain.matching.atoms import (
    ARRAY,
    FALSE_LITERAL,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    TRUE_LITERAL,
    AllItems,
    AllProperties,
    DistinctItems,
    ItemsAtLeast,
    ItemsSatisfying,
    PropertiesAtLeast,
    SchemaNode,
    TextLengthAtLeast,
)
from constrain.matching.values import Value, json_value

if TYPE_CHECKING:
    from constrain.frontends.json_schema.compiler import Compiler

__all__ = ["HARMLESS", "KEYWORDS", "SubschemaNode", "utf8"]


_UNKNOWN = -2
#: What judges the same value in most sub-schemas; nobody adds to it.
_NOTHING: list[SubschemaNode] = []


class SubschemaNode(SchemaNode):
    """One sub-schema of the source.

    Attributes:
        schema: the JSON object.
        stands_at: its location.
        place: the resource and the dynamic scope in which its references are resolved.
        dialect: the draft that its keywords follow.
    """

    def __init__(self, compiler: Compiler, schema: dict[str, Any], location: Location, place: Place) -> None:
        self.compiler = compiler
        self.schema = schema
        self.stands_at = location
        self.place = place
        self.dialect = place.resource.dialect
        self._components: list[int | None] = [None] * 7
        self._in_place: list[SubschemaNode] | None = None
        self._constants: dict[str, list[Value]] | None = None
        self._keywords: list[str] | None = None
        self._kinds = -1
        self._lone_types = _UNKNOWN
        #: The goal of values that satisfy it, -1 if it is not known.
        self.goal_number = -1

    def __repr__(self) -> str:
        return f"SubschemaNode({self.location})"

    @property
    def location(self) -> str:
        """Its JSON Pointer."""
        if not isinstance(self.stands_at, str):
            self.stands_at = pointer_text(self.stands_at)
        return self.stands_at

    def keywords(self) -> list[str]:
        """Return the keywords that count here, in the order of the source."""
        if self._keywords is None:
            dialect = self.dialect
            if dialect.ref_overrides and "$ref" in self.schema:
                self._keywords = ["$ref"]
            else:
                self._keywords = [keyword for keyword in self.schema if keyword in dialect.assertions]
        return self._keywords

    def kinds(self) -> int:
        """Return the kinds of values that may satisfy it, as bits: what a glance tells."""
        if self._kinds < 0:
            self._kinds = self.compiler.glance.kinds(self.schema, self.place)
        return self._kinds

    def lone_types(self) -> int:
        """Return the types that it allows if it says no more, else -1: see `SchemaNode`."""
        if self._lone_types == _UNKNOWN:
            self._lone_types = -1
            if self.keywords() == ["type"]:
                self._lone_types = kinds = self.kinds()
                names = self.schema["type"]
                if kinds >> NUMBER & 1 and names != "number" and "number" not in names:
                    self._lone_types = kinds | (1 << 8 if self.dialect.textual_integers else 1 << 7)
        return self._lone_types

    def has_simple_value(self) -> bool:
        """Return whether a value surely satisfies it, as far as the keywords alone tell."""
        return bool(self.compiler.glance.has_value(self.schema, self.place))

    def flat_kind(self) -> int:
        """Return a kind of which a value without members surely satisfies it: see `SchemaNode`."""
        return int(self.compiler.glance.flat_kind(self.schema, self.place))

    def has_simple_kind(self, kind: int) -> bool:
        """Return whether a value of a kind surely satisfies it, as far as the keywords alone tell."""
        return bool(self.compiler.glance.has_kind(self.schema, self.place, kind))

    def in_place(self) -> list[SubschemaNode]:
        """Return the sub-schemas that judge the same value."""
        if self._in_place is None:
            if _IN_PLACE.isdisjoint(self.schema):
                self._in_place = _NOTHING
                return _NOTHING
            found = []
            for keyword in self.keywords():
                for value, path in _in_place_values(self, keyword):
                    node = self.compiler.node_of(value, self, path)
                    if node is not None:
                        found.append(node)
            for keyword in REFERENCES:
                if keyword in self.schema and keyword in self.keywords():
                    node = self.compiler.referenced(self, keyword)
                    if node is not None:
                        found.append(node)
            self._in_place = found
        return self._in_place

    def component(self, kind: int) -> int:
        """Return the formula that a value of this kind has to satisfy."""
        result = self._components[kind]
        if result is None:
            if not self.kinds() >> kind & 1:
                self._components[kind] = FALSE
                return FALSE
            if not self.in_place():
                result = self._components[kind] = self.combine(self.keywords(), kind)
                return result
            # Without recursion: what judges the same value may be nested very deep.
            stack = [self]
            while stack:
                node = stack[-1]
                if not node.kinds() >> kind & 1:
                    stack.pop()
                    node._components[kind] = FALSE
                    continue
                waiting = [part for part in node.in_place() if part._components[kind] is None]
                if waiting:
                    stack.extend(waiting)
                    continue
                stack.pop()
                if node._components[kind] is None:
                    node._components[kind] = node.combine(node.keywords(), kind)
            result = self._components[kind]
            assert result is not None
        return result

    def combine(self, keywords: Iterable[str], kind: int) -> int:
        """Return the conjunction of what these keywords say about values of a kind."""
        done: set[Callable[..., int]] = set()
        parts = []
        for keyword in keywords:
            meaning = KEYWORDS.get(keyword)
            if meaning is None or kind not in meaning[0] or meaning[1] in done:
                continue
            if meaning[1] in _TOGETHER:
                done.add(meaning[1])
            try:
                part = meaning[1](self, keyword, kind)
            except ConstrainError as error:
                if error.location is None:
                    error.location = self.location
                    error.keyword = keyword
                raise
            if part == FALSE:
                return FALSE
            parts.append(part)
        return self.compiler.algebra.formulas.conjunction(parts)

    def constants(self, keyword: str) -> list[Value]:
        """Return the values that `enum` or `const` lists, those apart that no document holds."""
        if self._constants is None:
            self._constants = {}
        known = self._constants.get(keyword)
        if known is None:
            listed = self.schema[keyword] if keyword == "enum" else [self.schema[keyword]]
            known = [value for one in listed if (value := json_value(one)) is not None]
            self._constants[keyword] = known
        return known

    def references(self, keyword: str) -> list[SubschemaNode]:
        """Return the sub-schemas that a reference keyword leads to; none for a boolean."""
        target = self.compiler.referenced(self, keyword)
        return [] if target is None else [target]

    def goal(self, value: Any, *path: str | int) -> int:
        """Return the goal of a sub-schema of this one."""
        return self.compiler.goal(value, (self.stands_at, path), self.place)

    def part(self, value: Any, kind: int, *path: str | int) -> int:
        """Return the component of a sub-schema that judges the same value."""
        if isinstance(value, bool):
            return TRUE if value else FALSE
        node = self.compiler.node_of(value, self, path)
        return TRUE if node is None else node.component(kind)


def _in_place_values(node: SubschemaNode, keyword: str) -> list[tuple[Any, tuple[str | int, ...]]]:
    value = node.schema[keyword]
    if keyword in ("allOf", "anyOf", "oneOf"):
        return [(part, (keyword, index)) for index, part in enumerate(value)]
    if keyword in ("not", "if", "then", "else"):
        return [(value, (keyword,))]
    if keyword in ("dependentSchemas", "dependencies"):
        return [(part, (keyword, name)) for name, part in value.items() if not isinstance(part, list)]
    return []


#: Keywords of sub-schemas that judge the same value.
_IN_PLACE = frozenset((*IN_PLACE, *REFERENCES))

_ALL = frozenset(range(7))


def _type(node: SubschemaNode, keyword: str, kind: int) -> int:
    value = node.schema["type"]
    names = {value} if isinstance(value, str) else set(value)
    if kind == NUMBER:
        if "number" in names:
            return TRUE
        if "integer" in names:
            textual = node.dialect.textual_integers
            return node.compiler.atom(IntegerText() if textual else MultipleOf(Fraction(1)))
        return FALSE
    name = ("null", "boolean", "boolean", "number", "string", "array", "object")[kind]
    return TRUE if name in names else FALSE


def _enum(node: SubschemaNode, keyword: str, kind: int) -> int:
    if kind == STRING:
        listed = node.schema[keyword] if keyword == "enum" else [node.schema[keyword]]
        texts = {utf8(value) for value in listed if isinstance(value, str)}
        return node.compiler.algebra.one_of_texts([text for text in texts if text is not None])
    members = [value for value in node.constants(keyword) if value.kind == kind]
    algebra = node.compiler.algebra
    algebra.list_objects(members)
    return algebra.one_of(members, kind)


# Strings


def _min_length(node: SubschemaNode, keyword: str, kind: int) -> int:
    length = int(node.schema[keyword])
    return TRUE if length == 0 else node.compiler.atom(TextLengthAtLeast(length))


def _max_length(node: SubschemaNode, keyword: str, kind: int) -> int:
    formulas = node.compiler.algebra.formulas
    return formulas.negation(node.compiler.atom(TextLengthAtLeast(int(node.schema[keyword]) + 1)))


def _pattern(node: SubschemaNode, keyword: str, kind: int) -> int:
    return node.compiler.text_atom(node.compiler.pattern(node.schema[keyword], node.location))


def _format(node: SubschemaNode, keyword: str, kind: int) -> int:
    return node.compiler.format(node.schema[keyword], node.dialect.name)


def _content_encoding(node: SubschemaNode, keyword: str, kind: int) -> int:
    return node.compiler.text_atom(node.compiler.content_encoding(node.schema[keyword], node.location))


# Numbers


def _minimum(node: SubschemaNode, keyword: str, kind: int) -> int:
    bound = exact(node.schema["minimum"])
    strict = node.schema.get("exclusiveMinimum") is True
    return node.compiler.atom(MoreThan(bound) if strict else AtLeast(bound))


def _maximum(node: SubschemaNode, keyword: str, kind: int) -> int:
    bound = exact(node.schema["maximum"])
    strict = node.schema.get("exclusiveMaximum") is True
    atom = node.compiler.atom(AtLeast(bound) if strict else MoreThan(bound))
    return node.compiler.algebra.formulas.negation(atom)


def _exclusive_minimum(node: SubschemaNode, keyword: str, kind: int) -> int:
    value = node.schema[keyword]
    return TRUE if isinstance(value, bool) else node.compiler.atom(MoreThan(exact(value)))


def _exclusive_maximum(node: SubschemaNode, keyword: str, kind: int) -> int:
    value = node.schema[keyword]
    if isinstance(value, bool):
        return TRUE
    return node.compiler.algebra.formulas.negation(node.compiler.atom(AtLeast(exact(value))))


def _multiple_of(node: SubschemaNode, keyword: str, kind: int) -> int:
    return node.compiler.atom(MultipleOf(exact(node.schema[keyword])))


# Objects


def _properties(node: SubschemaNode, keyword: str, kind: int) -> int:
    """`properties`, `patternProperties` and `additionalProperties` together: one atom."""
    schema = node.schema
    compiler = node.compiler
    formulas = compiler.algebra.formulas
    properties = PropertyGoals(node, schema.get("properties", {}))
    names: Mapping[bytes, int] = properties
    patterns: list[tuple[Language, int]] = []
    for text, value in schema.get("patternProperties", {}).items():
        goal = node.goal(value, "patternProperties", text)
        language = compiler.pattern(text, pointer(node.location, "patternProperties", text))
        words = compiler.few_words(language)
        if words is None:
            patterns.append((language, goal))
            continue
        # A pattern of few keys is a way to name them.
        named = names if isinstance(names, dict) else dict(names)
        named.update({word: formulas.ite(named.get(word, TRUE), goal, FALSE) for word in words})
        names = named
    rest = TRUE
    if "additionalProperties" in schema:
        rest = node.goal(schema["additionalProperties"], "additionalProperties")
    are_lazy = names is properties
    if rest == TRUE and (properties.ask_nothing() if are_lazy else {TRUE}.issuperset(names.values())):
        patterns = [(language, goal) for language, goal in patterns if goal != TRUE]
        if not patterns:
            # It asks nothing, but the declared order of its keys may matter.
            names = names if compiler.algebra.options.property_order == "schema" else {}
            if not names:
                return TRUE
    at_a_glance = properties.surely_have_values if are_lazy else tuple
    return compiler.atom(AllProperties(names, tuple(patterns), rest, at_a_glance))


def _property_names(node: SubschemaNode, keyword: str, kind: int) -> int:
    compiler = node.compiler
    algebra = compiler.algebra
    goal = node.goal(node.schema[keyword], keyword)
    language = algebra.text_language(algebra.component(goal, STRING))
    if language is algebra.languages.any_text:
        return TRUE
    words = compiler.few_words(language)
    if words is not None:
        return compiler.atom(AllProperties(dict.fromkeys(words, TRUE), (), FALSE))
    outside = algebra.languages.complement(language)
    return compiler.atom(AllProperties({}, ((outside, FALSE),), TRUE))


def _required(node: SubschemaNode, keyword: str, kind: int) -> int:
    return node.compiler.required(node.schema[keyword])


def _min_properties(node: SubschemaNode, keyword: str, kind: int) -> int:
    count = int(node.schema[keyword])
    return TRUE if count == 0 else node.compiler.atom(PropertiesAtLeast(count))


def _max_properties(node: SubschemaNode, keyword: str, kind: int) -> int:
    formulas = node.compiler.algebra.formulas
    return formulas.negation(node.compiler.atom(PropertiesAtLeast(int(node.schema[keyword]) + 1)))


def _dependent(node: SubschemaNode, keyword: str, kind: int) -> int:
    """`dependentRequired`, `dependentSchemas` and their ancestor `dependencies`."""
    compiler = node.compiler
    parts = []
    for name, value in node.schema[keyword].items():
        is_names = isinstance(value, list)
        then = compiler.required(value) if is_names else node.part(value, kind, keyword, name)
        parts.append(compiler.algebra.formulas.ite(compiler.required([name]), then, TRUE))
    return compiler.algebra.formulas.conjunction(parts)


# Arrays


def _items(node: SubschemaNode, keyword: str, kind: int) -> int:
    """`prefixItems` and `items`, or the `items` and `additionalItems` of older drafts."""
    schema = node.schema
    dialect = node.dialect
    first = schema.get("items")
    if dialect.tuple_items:
        if isinstance(first, list):
            prefix, prefix_keyword = first, "items"
            rest, rest_keyword = schema.get("additionalItems", True), "additionalItems"
        else:
            prefix, prefix_keyword = [], "items"
            rest, rest_keyword = (True if first is None else first), "items"
    else:
        prefix, prefix_keyword = schema.get("prefixItems", []), "prefixItems"
        rest, rest_keyword = (True if first is None else first), "items"
    goals = [node.goal(value, prefix_keyword, index) for index, value in enumerate(prefix)]
    rest_goal = node.goal(rest, rest_keyword)
    while goals and goals[-1] == rest_goal:
        goals.pop()
    if not goals and rest_goal == TRUE:
        return TRUE
    return node.compiler.atom(AllItems(tuple(goals), rest_goal))


def _min_items(node: SubschemaNode, keyword: str, kind: int) -> int:
    count = int(node.schema[keyword])
    return TRUE if count == 0 else node.compiler.atom(ItemsAtLeast(count))


def _max_items(node: SubschemaNode, keyword: str, kind: int) -> int:
    formulas = node.compiler.algebra.formulas
    return formulas.negation(node.compiler.atom(ItemsAtLeast(int(node.schema[keyword]) + 1)))


def _contains(node: SubschemaNode, keyword: str, kind: int) -> int:
    """`contains` with `minContains` and `maxContains`, where the dialect has them."""
    schema = node.schema
    if "contains" not in schema:
        return TRUE
    compiler = node.compiler
    formulas = compiler.algebra.formulas
    counted = node.dialect.counted_contains
    goal = node.goal(schema["contains"], "contains")
    least = int(schema.get("minContains", 1)) if counted else 1
    parts = [compiler.atom(ItemsSatisfying(least, goal))] if least else []
    if counted and "maxContains" in schema:
        parts.append(formulas.negation(compiler.atom(ItemsSatisfying(int(schema["maxContains"]) + 1, goal))))
    return formulas.conjunction(parts)


def _unique_items(node: SubschemaNode, keyword: str, kind: int) -> int:
    return node.compiler.atom(DistinctItems()) if node.schema[keyword] else TRUE


def _unevaluated_items(node: SubschemaNode, keyword: str, kind: int) -> int:
    return unevaluated_items(node)


def _unevaluated_properties(node: SubschemaNode, keyword: str, kind: int) -> int:
    return unevaluated_properties(node)


# Applicators of the same value


def _parts(node: SubschemaNode, keyword: str, kind: int) -> list[int]:
    return [node.part(value, kind, keyword, index) for index, value in enumerate(node.schema[keyword])]


def _all_of(node: SubschemaNode, keyword: str, kind: int) -> int:
    return node.compiler.algebra.formulas.conjunction(_parts(node, keyword, kind))


def _any_of(node: SubschemaNode, keyword: str, kind: int) -> int:
    return node.compiler.algebra.formulas.disjunction(_parts(node, keyword, kind))


def _one_of(node: SubschemaNode, keyword: str, kind: int) -> int:
    return node.compiler.algebra.formulas.exactly_one(_parts(node, keyword, kind))


def _not(node: SubschemaNode, keyword: str, kind: int) -> int:
    return node.compiler.algebra.formulas.negation(node.part(node.schema["not"], kind, "not"))


def _if(node: SubschemaNode, keyword: str, kind: int) -> int:
    schema = node.schema
    if "if" not in schema:
        return TRUE
    return node.compiler.algebra.formulas.ite(
        node.part(schema["if"], kind, "if"),
        node.part(schema["then"], kind, "then") if "then" in schema else TRUE,
        node.part(schema["else"], kind, "else") if "else" in schema else TRUE,
    )


def _ref(node: SubschemaNode, keyword: str, kind: int) -> int:
    target = node.compiler.referenced(node, keyword)
    if target is None:
        return node.compiler.referenced_boolean(node, keyword)
    return target.component(kind)


def _dynamic_ref(node: SubschemaNode, keyword: str, kind: int) -> int:
    """`$dynamicRef` and its ancestor `$recursiveRef`; either may stand beside `$ref`."""
    return _ref(node, keyword, kind)


_OBJECT = frozenset({OBJECT})
_ARRAY = frozenset({ARRAY})
_STRING = frozenset({STRING})
_NUMBER = frozenset({NUMBER})

#: keyword -> (the kinds of value that it concerns, its meaning for one of them).
KEYWORDS: dict[str, tuple[frozenset[int], Callable[[SubschemaNode, str, int], int]]] = {
    "type": (_ALL, _type),
    "enum": (_ALL, _enum),
    "const": (_ALL, _enum),
    "minLength": (_STRING, _min_length),
    "maxLength": (_STRING, _max_length),
    "pattern": (_STRING, _pattern),
    "format": (_STRING, _format),
    "contentEncoding": (_STRING, _content_encoding),
    "minimum": (_NUMBER, _minimum),
    "maximum": (_NUMBER, _maximum),
    "exclusiveMinimum": (_NUMBER, _exclusive_minimum),
    "exclusiveMaximum": (_NUMBER, _exclusive_maximum),
    "multipleOf": (_NUMBER, _multiple_of),
    "properties": (_OBJECT, _properties),
    "patternProperties": (_OBJECT, _properties),
    "additionalProperties": (_OBJECT, _properties),
    "propertyNames": (_OBJECT, _property_names),
    "required": (_OBJECT, _required),
    "minProperties": (_OBJECT, _min_properties),
    "maxProperties": (_OBJECT, _max_properties),
    "dependentRequired": (_OBJECT, _dependent),
    "dependentSchemas": (_OBJECT, _dependent),
    "dependencies": (_OBJECT, _dependent),
    "prefixItems": (_ARRAY, _items),
    "items": (_ARRAY, _items),
    "additionalItems": (_ARRAY, _items),
    "minItems": (_ARRAY, _min_items),
    "maxItems": (_ARRAY, _max_items),
    "contains": (_ARRAY, _contains),
    "minContains": (_ARRAY, _contains),
    "maxContains": (_ARRAY, _contains),
    "uniqueItems": (_ARRAY, _unique_items),
    "unevaluatedItems": (_ARRAY, _unevaluated_items),
    "unevaluatedProperties": (_OBJECT, _unevaluated_properties),
    "allOf": (_ALL, _all_of),
    "anyOf": (_ALL, _any_of),
    "oneOf": (_ALL, _one_of),
    "not": (_ALL, _not),
    "if": (_ALL, _if),
    "then": (_ALL, _if),
    "else": (_ALL, _if),
    "$ref": (_ALL, _ref),
    "$dynamicRef": (_ALL, _dynamic_ref),
    "$recursiveRef": (_ALL, _dynamic_ref),
}


def utf8(text: str) -> bytes | None:
    """Return a text as UTF-8, or `None` for one with an unpaired surrogate, which no document holds."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


#: What reads all of its keywords at once; everything else is asked for each of them.
_TOGETHER = frozenset((_properties, _items, _contains, _if))


def _harmless() -> dict[str, frozenset[str]]:
    """Return, per type, the keywords that say nothing about its most simple value."""
    others = {
        "object": _OBJECT,
        "array": _ARRAY,
        "string": _STRING,
        "number": _NUMBER,
        "boolean": frozenset({TRUE_LITERAL, FALSE_LITERAL}),
        "null": frozenset({NULL}),
    }
    fulfilled = {
        "object": {
            *("properties", "patternProperties", "additionalProperties", "propertyNames", "maxProperties"),
            *("dependentRequired", "unevaluatedProperties"),
        },
        "array": {"items", "prefixItems", "additionalItems", "maxItems", "uniqueItems", "unevaluatedItems"},
    }
    result = {}
    for name, own in others.items():
        foreign = {keyword for keyword, (kinds, _) in KEYWORDS.items() if not kinds & own}
        result[name] = frozenset({"type", *foreign, *fulfilled.get(name, ())})
    return {**result, "integer": result["number"]}


#: Type -> keywords that its most simple value satisfies whatever they say.
HARMLESS = _harmless()
