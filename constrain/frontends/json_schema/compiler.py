"""From a JSON Schema to the machine that reads its documents.

Compilation scans the whole schema once for what is malformed or not enforceable, then decides
whether it can be satisfied at all. Formulas and automata are made where decoding arrives.
"""

from __future__ import annotations

from typing import Any

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.automata.languages_cy import Language
from constrain.errors import LimitExceeded, SchemaError, UnsupportedError
from constrain.frontends.json_schema.dialects import dialect_of
from constrain.frontends.json_schema.nodes import SubschemaNode, utf8
from constrain.frontends.json_schema.references import References
from constrain.frontends.json_schema.scan import pointer, scan_schema
from constrain.matching.algebra import Algebra
from constrain.matching.atoms import Required, TextIn
from constrain.matching.machine import Machine
from constrain.options import Options

__all__ = ["Compiler"]


class Compiler:
    """Compiles one schema document.

    Attributes:
        algebra: the arena of its formulas.
        dialect: what `$schema` names.
        machine: the result of `compile`.
        annotations: (location, keyword, reason) of what was read and is not enforced.
    """

    #: A pattern or key set of at most this many keys is treated as names.
    FEW_WORDS = 256

    def __init__(self, schema: Any, options: Options) -> None:
        self.options = options
        self.schema = schema
        self.dialect = dialect_of(schema, options.dialect)
        self.algebra = Algebra(options)
        self.references = References(schema, self.dialect)
        self.annotations: list[tuple[str, str, str]] = []
        self._nodes: dict[int, SubschemaNode] = {}
        self._patterns: dict[str, Language] = {}
        self._formats: dict[str, Language | None] = {}
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
            scan_schema(self.schema, self.dialect, self._visit, self.options.max_steps)
            self._check_cycles()
            machine = self.machine = Machine(self.algebra, self.goal(self.schema, "#", None))
            with self.algebra.deadline:
                is_satisfiable = machine.emptiness.is_nonempty(machine.root.formula)
            if not is_satisfiable:
                from constrain.frontends.json_schema.conflicts import conflict

                raise conflict(self, machine)
        except RecursionError:
            raise LimitExceeded("the schema is nested too deeply", location="#") from None
        return machine

    # The scan

    def _visit(self, schema: dict[str, Any], location: str) -> None:
        if "$ref" in schema:
            node = self._node(schema, location, None)
            self.referenced(node)
        name = schema.get("format")
        if isinstance(name, str) and not (self.dialect.ref_overrides and "$ref" in schema):
            self._check_format(name, location)

    def _check_format(self, name: str, location: str) -> None:
        from constrain.frontends.json_schema.formats import FORMATS, KNOWN_FORMATS, NARROWED_FORMATS

        if self.options.formats == "annotate":
            self.annotations.append((location, "format", f"{name!r} is an annotation by option"))
        elif name in FORMATS and name not in NARROWED_FORMATS:
            return
        elif name in KNOWN_FORMATS:
            raise UnsupportedError(
                f"the format {name!r} is not enforced yet, so the schema is refused",
                location=location,
                keyword="format",
                remedy='remove it, or pass Options(formats="annotate")',
            )
        else:
            self.annotations.append((location, "format", f"{name!r} is not a format of JSON Schema"))

    def _check_cycles(self) -> None:
        """Refuse references that lead back to the same value without consuming anything."""
        done: set[int] = set()
        for start in list(self._nodes.values()):
            if id(start) in done:
                continue
            path: dict[int, SubschemaNode] = {}
            stack: list[tuple[SubschemaNode, int]] = [(start, 0)]
            while stack:
                node, position = stack.pop()
                if position == 0:
                    if id(node) in path:
                        raise SchemaError(
                            "the reference leads back to itself without describing any part of the value",
                            location=node.location,
                            keyword="$ref",
                            remedy="let it pass through properties or items, or remove it",
                        )
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

    # Nodes and goals

    def _node(self, schema: dict[str, Any], location: str, resource: Any) -> SubschemaNode:
        node = self._nodes.get(id(schema))
        if node is None:
            resource = self.references.enter(resource, schema) if schema is not self.schema else resource
            node = SubschemaNode(self, schema, location, resource)
            self._nodes[id(schema)] = node
        return node

    def find(self, schema: dict[str, Any], location: str) -> SubschemaNode:
        """Return the node of a sub-schema that was scanned."""
        return self._node(schema, location, None)

    def node_of(self, value: Any, parent: SubschemaNode, path: tuple[str | int, ...]) -> SubschemaNode | None:
        """Return the node of a sub-schema of `parent`; `None` for a boolean."""
        if isinstance(value, bool):
            return None
        return self._node(value, pointer(parent.location, *path), parent.resource)

    def goal(self, value: Any, location: str, resource: Any) -> int:
        """Return the goal that a sub-schema is."""
        if isinstance(value, bool):
            return TRUE if value else FALSE
        node = self._node(value, location, resource)
        if not node.keywords():
            return TRUE
        return self.algebra.formulas.variable(node)

    def referenced(self, node: SubschemaNode) -> SubschemaNode | None:
        """Return the node that the `$ref` of `node` leads to; `None` for a boolean."""
        reference = node.schema["$ref"]
        contents, resource = self.references.lookup(node.resource, reference, node.location)
        if isinstance(contents, bool):
            return None
        if not isinstance(contents, dict):
            raise SchemaError(
                f"{reference!r} does not lead to a schema", location=node.location, keyword="$ref"
            )
        known = self._nodes.get(id(contents))
        if known is not None:
            return known
        location = reference if reference.startswith("#") else f"{node.location}/$ref({reference})"
        # What only a reference reaches was not scanned yet.
        target = SubschemaNode(self, contents, location, resource)
        self._nodes[id(contents)] = target
        self._scan_below(contents)
        return target

    def _scan_below(self, schema: dict[str, Any]) -> None:
        scan_schema(schema, self.dialect, lambda part, location: None, self.options.max_steps)

    def referenced_boolean(self, node: SubschemaNode) -> int:
        """Return the formula of a `$ref` that leads to a boolean."""
        contents, _ = self.references.lookup(node.resource, node.schema["$ref"], node.location)
        return TRUE if contents else FALSE

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
        keys = [utf8(name) for name in names]
        if None in keys:
            return FALSE
        return self.atom(Required(frozenset(key for key in keys if key is not None))) if keys else TRUE

    def pattern(self, text: str, location: str) -> Language:
        """Return the language of the texts in which a pattern is found."""
        language = self._patterns.get(text)
        if language is None:
            from constrain.frontends.json_schema.patterns import pattern_language

            language = pattern_language(self.algebra.languages, text, location=location)
            self._patterns[text] = language
        return language

    def format(self, name: str, location: str) -> Language | None:
        """Return the language of a format, `None` if it is an annotation."""
        if self.options.formats == "annotate":
            return None
        if name not in self._formats:
            from constrain.frontends.json_schema.formats import format_language

            self._formats[name] = format_language(self.algebra.languages, name)
        return self._formats[name]

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

    def few_words(self, language: Language) -> list[bytes] | None:
        """Return the words of a language if they are few, else `None`."""
        if language not in self._few_words:
            automaton = self.algebra.dfa(language)
            self._few_words[language] = (
                [] if automaton.start < 0 else automaton.words(automaton.start, self.FEW_WORDS)
            )
        return self._few_words[language]
