"""From a JSON Schema to the machine that reads its documents.

Compilation scans the whole schema once for what is malformed or not enforceable, then decides
whether it can be satisfied at all. Formulas and automata are made where decoding arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.automata.languages_cy import Language
from constrain.errors import ConstrainError, LimitExceeded, SchemaError, UnsupportedError
from constrain.frontends.json_schema.glance_cy import Glance
from constrain.frontends.json_schema.nodes import HARMLESS, SubschemaNode, utf8
from constrain.frontends.json_schema.references import REFERENCES, Place, References
from constrain.frontends.json_schema.resources import Document, Resource
from constrain.frontends.json_schema.scan_cy import Location, is_leaf, pointer, scan_schema, subschemas
from constrain.matching.algebra import Algebra
from constrain.matching.atoms import Required, SharedText, TextIn
from constrain.matching.machine import Machine
from constrain.options import Options

__all__ = ["Compiler"]


#: Sub-schemas without these have nothing to be looked at but the forms of their keywords.
_VISITED = frozenset(REFERENCES) | {
    *("$schema", "format", "pattern", "patternProperties"),
    *("contentEncoding", "contentMediaType", "contentSchema"),
}


class Compiler:
    """Compiles one schema document.

    Attributes:
        algebra: the arena of its formulas.
        dialect: what `$schema` names.
        glance: what the keywords of sub-schemas tell at once.
        machine: the result of `compile`.
        annotations: (location, keyword, reason) of what was read and is not enforced.
    """

    #: A pattern or key set of at most this many keys is treated as names.
    FEW_WORDS = 256
    #: What an entry of a dynamic scope costs of `Options.max_steps`: sub-schemas are compiled per scope.
    STEPS_PER_SCOPE = 10

    def __init__(self, schema: Any, options: Options, registry: Mapping[str, object] | None = None) -> None:
        self.options = options
        self.schema = schema
        self.algebra = Algebra(options)
        self.references = References(
            schema, options.dialect, registry or {}, options.max_steps // self.STEPS_PER_SCOPE
        )
        self.glance = Glance(self.references, HARMLESS)
        self.dialect = self.references.root.dialect
        self.annotations: list[tuple[str, str, str]] = []
        #: By place and `id` of the sub-schema: what a sub-schema means depends on both.
        self._nodes: dict[Place, dict[int, SubschemaNode]] = {}
        #: By place and spelling: goals of small sub-schemas.
        self._goals: dict[tuple[Place, str], int] = {}
        self._has_dynamic_references = False
        #: Targets of references: sub-schemas still to be scanned, with location and place.
        self._pending: list[tuple[dict[str, Any], str, Place]] = []
        #: Resources whose dynamic anchors were added to that.
        self._entered: set[Resource] = set()
        self._patterns: dict[str, Language] = {}
        self._few_words: dict[Language, list[bytes] | None] = {}

    def compile(self) -> Machine:
        """Return the machine of the schema.

        Raises:
            SchemaError: the schema is malformed.
            UnsupportedError: part of it cannot be enforced exactly.
            UnsatisfiableError: no document satisfies it.
            LimitExceeded: a budget was met.
        """
        try:
            self._scan()
            if self._nodes:
                self._check_cycles()
            machine = self.machine = Machine(self.algebra, self.goal(self.schema, "#", self.references.root))
            with self.algebra.deadline:
                is_satisfiable = machine.emptiness.is_nonempty(machine.root.formula)
            if not is_satisfiable:
                from constrain.frontends.json_schema.conflicts import conflict

                raise conflict(self, machine)
        except RecursionError:
            raise LimitExceeded("the schema is nested too deeply", location="#") from None
        return machine

    # The scan

    @property
    def reached(self) -> Mapping[str, Document]:
        """The documents of the registry that references led to, by URI."""
        return self.references.library.reached

    def _scan(self) -> None:
        """Check the schema, and all that its references can lead to."""
        seen: dict[int, set[int]] = {}
        self._pending.append((self.schema, "#", self.references.root))
        while self._pending:
            schema, location, place = self._pending.pop()
            if id(schema) not in seen.get(id(place.resource), ()):
                limit = self.options.max_steps
                scan_schema(schema, place, self._visit, _VISITED, limit, location=location, seen=seen)

    def _visit(self, schema: dict[str, Any], location: str, place: Place) -> None:
        is_overridden = place.dialect.ref_overrides and "$ref" in schema
        for keyword in REFERENCES:
            if keyword in schema and keyword in place.dialect.assertions:
                node = self._node(schema, location, place)
                contents, target, at = self._lookup(node, keyword)
                if isinstance(contents, dict):
                    self._pending.append((contents, at, target))
                if keyword != "$ref":
                    self._has_dynamic_references = True
                # Dynamic references may lead there, once this resource is on the way to them.
                self._add_dynamic(target)
        if "$schema" in schema and schema is not place.resource.root and not is_overridden:
            reason = "is ignored: it does not stand at the root of a resource"
            self.annotations.append((location, "$schema", reason))
        name = schema.get("format")
        if isinstance(name, str) and "format" in place.dialect.assertions and not is_overridden:
            self._check_format(name, location)
        if "contentEncoding" in place.dialect.assertions and not is_overridden:
            self._check_content(schema, location)
        if not is_overridden:
            self._check_patterns(schema, location, place)

    def _check_patterns(self, schema: dict[str, Any], location: str, place: Place) -> None:
        """Translate the patterns of a sub-schema, so that what is refused is refused now."""
        if "pattern" in schema and "pattern" in place.dialect.assertions:
            self.pattern(schema["pattern"], location)
        if "patternProperties" in schema and "patternProperties" in place.dialect.assertions:
            for text in schema["patternProperties"]:
                self.pattern(text, pointer(location, "patternProperties", text))

    def _add_dynamic(self, place: Place) -> None:
        resource = place.resource
        if resource not in self._entered:
            self._entered.add(resource)
            for name in resource.dynamic:
                contents, location = resource.dynamic_target(name)
                self._pending.append((contents, location, place))

    def _check_format(self, name: str, location: str) -> None:
        from constrain.frontends.json_schema.formats import FORMATS

        if self.options.formats == "annotate":
            self.annotations.append((location, "format", f"{name!r} is an annotation by option"))
        elif name not in FORMATS:
            self.annotations.append((location, "format", f"{name!r} is not a format of JSON Schema"))

    def _check_content(self, schema: dict[str, Any], location: str) -> None:
        """Note what is not enforced of the content keywords; refuse an encoding that cannot be."""
        enforced = self.options.content == "assert"
        for keyword in ("contentEncoding", "contentMediaType", "contentSchema"):
            if keyword not in schema:
                continue
            if keyword == "contentEncoding" and enforced:
                self.content_encoding(schema[keyword], location)
            else:
                self.annotations.append((location, keyword, "is an annotation"))

    def _check_cycles(self) -> None:
        """Refuse references that lead back to the same value without consuming anything."""
        done: set[int] = set()
        starts = self._evaluated() if self._has_dynamic_references else self.nodes()
        for start in starts:
            if id(start) in done:
                continue
            path: dict[int, SubschemaNode] = {}
            stack: list[tuple[SubschemaNode, int]] = [(start, 0)]
            while stack:
                node, position = stack.pop()
                if position == 0:
                    if id(node) in path:
                        raise _cycle(list(path.values()), node)
                    if id(node) in done:
                        continue
                    path[id(node)] = node
                below = node.in_place()
                if position < len(below):
                    stack.append((node, position + 1))
                    stack.append((below[position], 0))
                else:
                    del path[id(node)]
                    done.add(id(node))

    def _evaluated(self) -> list[SubschemaNode]:
        """Return the nodes that judge some value: dynamic scopes show only on the way to them."""
        found: list[SubschemaNode] = []
        seen: set[SubschemaNode] = set()
        stack = [self.find(self.schema, "#")] if isinstance(self.schema, dict) else []
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            found.append(node)
            if len(found) > self.options.max_steps:
                raise LimitExceeded("too many dynamic scopes", limit=self.options.max_steps)
            stack += node.in_place()
            for path, part in subschemas(node.schema, frozenset(node.keywords())):
                below = self.node_of(part, node, path)
                if below is not None:
                    stack.append(below)
        return found

    # Nodes and goals

    def _node(self, schema: dict[str, Any], location: Location, place: Place) -> SubschemaNode:
        place = place.enter(schema)
        nodes = self._nodes.get(place)
        if nodes is None:
            nodes = self._nodes[place] = {}
        node = nodes.get(id(schema))
        if node is None:
            node = nodes[id(schema)] = SubschemaNode(self, schema, location, place)
        return node

    def nodes(self) -> list[SubschemaNode]:
        """Return the nodes that were made so far."""
        return [node for nodes in self._nodes.values() for node in nodes.values()]

    def find(self, schema: dict[str, Any], location: str, place: Place | None = None) -> SubschemaNode:
        """Return the node of a sub-schema of the document, by default in the scope where it stands."""
        return self._node(schema, location, place or self.references.place_of(schema))

    def node_of(self, value: Any, parent: SubschemaNode, path: tuple[str | int, ...]) -> SubschemaNode | None:
        """Return the node of a sub-schema of `parent`; `None` for a boolean."""
        if isinstance(value, bool):
            return None
        return self._node(value, (parent.stands_at, path), parent.place)

    def goal(self, value: Any, location: Location, place: Place) -> int:
        """Return the goal that a sub-schema is."""
        if isinstance(value, bool):
            return TRUE if value else FALSE
        if is_leaf(value) and "type" in value and "type" in place.resource.dialect.assertions:
            # Most sub-schemas: those of one type are one goal, wherever they are.
            key = (place, value["type"])
            goal = self._goals.get(key)
            if goal is None:
                goal = self._goals[key] = self.algebra.formulas.variable(self._node(value, location, place))
            return goal
        node = self._node(value, location, place)
        if node.goal_number < 0:
            node.goal_number = self._goal_number(node)
        return node.goal_number

    def _goal_number(self, node: SubschemaNode) -> int:
        """Return the goal of a node; small sub-schemas of one spelling and place are one goal."""
        if not node.keywords():
            return TRUE
        spelling = _spelling(node)
        if spelling is None:
            return self.algebra.formulas.variable(node)
        key = (node.place, spelling)
        goal = self._goals.get(key)
        if goal is None:
            goal = self._goals[key] = self.algebra.formulas.variable(node)
        return goal

    def _lookup(self, node: SubschemaNode, keyword: str) -> tuple[Any, Place, str]:
        try:
            contents, place, location = self.references.lookup(node.place, node.schema, keyword)
        except ConstrainError as error:
            if error.location is None:
                error.location = node.location
                error.keyword = keyword
            raise
        if not isinstance(contents, bool | dict):
            raise SchemaError(
                f"{node.schema[keyword]!r} does not lead to a schema", location=node.location, keyword=keyword
            )
        return contents, place, location

    def referenced(self, node: SubschemaNode, keyword: str = "$ref") -> SubschemaNode | None:
        """Return the node that a reference of `node` leads to; `None` for a boolean."""
        contents, place, location = self._lookup(node, keyword)
        return None if isinstance(contents, bool) else self._node(contents, location, place)

    def referenced_boolean(self, node: SubschemaNode, keyword: str = "$ref") -> int:
        """Return the formula of a reference that leads to a boolean."""
        return TRUE if self._lookup(node, keyword)[0] else FALSE

    # Atoms

    def atom(self, value: Any) -> int:
        """Return the formula of one atom."""
        return self.algebra.formulas.variable(value)

    def text_atom(self, language: Language) -> int:
        """Return the formula of membership in a language."""
        languages = self.algebra.languages
        if language is languages.any_text:
            return TRUE
        if language is languages.nothing:
            return FALSE
        return self.atom(TextIn(language))

    def required(self, names: list[str]) -> int:
        """Return the formula that all these keys are present."""
        try:
            keys = frozenset([name.encode() for name in names])
        except UnicodeEncodeError:  # no document holds such a key
            return FALSE
        return self.atom(Required(keys)) if keys else TRUE

    def pattern(self, text: str, location: str) -> Language:
        """Return the language of the texts in which a pattern is found."""
        language = self._patterns.get(text)
        if language is None:
            from constrain.frontends.json_schema.patterns import pattern_language

            with self.algebra.deadline:
                language = pattern_language(self.algebra.languages, text, location=location)
            self._patterns[text] = language
        return language

    def format(self, name: str, draft: str) -> int:
        """Return the formula of a format in a draft, `TRUE` if it is an annotation."""
        from constrain.frontends.json_schema.formats import FORMATS, edition, format_automaton

        if self.options.formats == "annotate" or name not in FORMATS:
            return TRUE
        draft = edition(name, draft)
        make = partial(self._format_language, name, draft)
        return self.atom(SharedText((name, draft), make, partial(format_automaton, name, draft)))

    def _format_language(self, name: str, draft: str) -> Language:
        from constrain.frontends.json_schema.formats import format_language

        language = format_language(self.algebra.languages, name, draft)
        if language is None:
            raise AssertionError(f"{name} is no format")
        return language

    def matches(self, language: Language, key: bytes) -> bool:
        """Return whether a key belongs to a language."""
        automaton = self.algebra.dfa(language)
        state = automaton.start
        for byte in key:
            if state < 0:
                return False
            state = automaton.step(state, byte)
        return state >= 0 and bool(automaton.accepting(state))

    def key(self, name: str) -> bytes | None:
        """Return a key as UTF-8, or `None` for one that no document holds."""
        return utf8(name)

    def content_encoding(self, name: str, location: str) -> Language:
        """Return the texts of an encoding, all texts if `contentEncoding` is an annotation.

        Raises:
            UnsupportedError: the encoding has no language here.
        """
        if self.options.content == "annotate":
            anything: Language = self.algebra.languages.any_text
            return anything
        from constrain.frontends.json_schema.content_encodings import encoding_language

        language = encoding_language(self.algebra.languages, name)
        if language is None:
            raise UnsupportedError(
                f"the encoding {name!r} is not enforced",
                location=location,
                keyword="contentEncoding",
                remedy='remove it, or pass Options(content="annotate")',
            )
        return language

    def few_words(self, language: Language) -> list[bytes] | None:
        """Return the words of a language if they are few, else `None`."""
        if language not in self._few_words:
            automaton = self.algebra.dfa(language)
            self._few_words[language] = (
                [] if automaton.start < 0 else automaton.words(automaton.start, self.FEW_WORDS)
            )
        return self._few_words[language]


#: Keywords of small sub-schemas: what they mean is told by their values and the place.
_SMALL = frozenset(
    {
        *("type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum"),
        *("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems"),
        *("minProperties", "maxProperties", "required", "$ref"),
    }
)
#: An enumeration of more values is not spelled out.
_MOST_VALUES = 64


def _spelling(node: SubschemaNode) -> str | None:
    """Return the keywords of a small sub-schema with their values; `None` for one that is not small."""
    found = []
    for keyword in node.keywords():
        value = node.schema[keyword]
        if keyword == "items" and isinstance(value, dict):
            if not _SMALL.issuperset(value) or len(value.get("enum", ())) > _MOST_VALUES:
                return None
        elif keyword not in _SMALL or (keyword == "enum" and len(value) > _MOST_VALUES):
            return None
        found.append((keyword, value))
    try:
        return repr(found)
    except RecursionError:  # constants that are nested very deep
        return None


def _cycle(path: list[SubschemaNode], node: SubschemaNode) -> SchemaError:
    """Return the error of a path that leads back to `node`, at a reference on the way."""
    for part in path[path.index(node) :]:
        for keyword in REFERENCES:
            if keyword in part.keywords():
                return SchemaError(
                    "the reference leads back to itself without describing any part of the value",
                    location=part.location,
                    keyword=keyword,
                    remedy="let it pass through properties or items, or remove it",
                )
    return SchemaError("the schema contains itself", location=node.location)
