"""Schema resources: the documents that references may lead to, and what can be named in them.

A document is indexed once: the resources embedded in it by `$id`, each with its base URI, its
dialect and its anchors. Other documents come from the mapping that the caller gives, or are
meta-schemas of the drafts; nothing is fetched.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from constrain.errors import ConstrainError, LimitExceeded, SchemaError, UnsupportedError
from constrain.frontends.json_schema.dialects import DIALECTS, Dialect, dialect_of
from constrain.frontends.json_schema.scan_cy import Location, pointer_text, relevant, subschemas
from constrain.frontends.json_schema.uris import resolve, split_fragment
from constrain.json_values_cy import holds_key

__all__ = ["RECURSIVE", "Document", "Library", "Resource"]

#: The name under which a root with `"$recursiveAnchor": true` (2019-09) is a dynamic anchor.
RECURSIVE = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a registry.

    Attributes:
        contents: the schema.
        dialect: its draft if it has no `$schema`; `None`: that of the schema that is compiled.
    """

    contents: Any
    dialect: str | None = None


class Resource:
    """A schema with a base URI of its own.

    Attributes:
        uri: the base URI of the references in it.
        root: the schema.
        location: where `root` stands, as errors name it.
        dialect: the draft that its keywords follow.
        problem: why `dialect` is a guess, to be raised when the resource is used.
        anchors: plain name -> the sub-schemas of that name with their locations.
        dynamic: name -> sub-schema with that `$dynamicAnchor`.
        embedded: `id` of a sub-schema -> the resource whose root it is.
        is_nameless: whether nothing in it has a name, so that it need not be looked through.
        indexed: `id` of each sub-schema that was looked at.
    """

    __slots__ = (
        "anchors", "dialect", "dynamic", "embedded", "indexed", "is_nameless", "location", "problem", "root",
        "uri",
    )  # fmt: skip

    def __init__(self, uri: str, root: Any, location: str, dialect: Dialect) -> None:
        self.uri = uri
        self.root = root
        self.location = location
        self.dialect = dialect
        self.problem: ConstrainError | None = None
        self.anchors: dict[str, list[tuple[dict[str, Any], str]]] = {}
        self.dynamic: dict[str, dict[str, Any]] = {}
        self.embedded: dict[int, Resource] = {}
        self.is_nameless = False
        self.indexed: set[int] = set()

    def dynamic_target(self, name: str) -> tuple[dict[str, Any], str]:
        """Return the sub-schema that a dynamic name leads to, and its location.

        Raises:
            SchemaError: several have the name.
        """
        return (self.root, self.location) if name == RECURSIVE else self.named(name)

    def named(self, name: str) -> tuple[dict[str, Any], str]:
        """Return the sub-schema with a plain name, and its location.

        Raises:
            SchemaError: there is none, or several different ones have it.
        """
        found = self.anchors.get(name)
        if not found:
            raise SchemaError(f"'#{name}' leads nowhere")
        if any(other != found[0][0] for other, _ in found[1:]):
            raise SchemaError(f"'#{name}' is the name of several sub-schemas")
        return found[0]

    def __repr__(self) -> str:
        return f"Resource({self.uri or self.location})"


class Library:
    """The resources that the references of one compilation can lead to.

    Args:
        registry: URI -> schema, `referencing.Resource` or `Document`.
        default: the dialect of documents that name none.

    Attributes:
        reached: URI -> document of the registry that a reference led to.
    """

    def __init__(self, registry: Mapping[str, object], default: str) -> None:
        self.reached: dict[str, Document] = {}
        self.default = default
        self._registry = registry and {uri.removesuffix("#"): value for uri, value in registry.items()}
        #: The resources of the document that is compiled, then those of the registry.
        self._own: dict[str, list[Resource]] = {}
        self._others: dict[str, list[Resource]] = {}
        #: Resource of the registry -> the URI of its document there, and the document.
        self._origins: dict[Resource, tuple[str, Document]] = {}
        self._documents: dict[str, Resource] = {}
        self._specifications: dict[str, Resource | None] = {}
        self._is_indexed = False

    def add_root(self, schema: Any) -> Resource:
        """Index the document that is compiled."""
        return self._index("", schema, "#", self.dialect(schema, self.default), self._own)[0]

    def dialect(self, schema: Any, default: str) -> Dialect:
        """Return the dialect that `$schema` names: a draft, or one whose meta-schema is in the registry.

        Raises:
            SchemaError: `$schema` is not a string.
            UnsupportedError: it names a meta-schema that is not known.
        """
        return dialect_of(schema, default, self._metaschema)

    def find(self, uri: str) -> Resource | None:
        """Return the resource with this URI; `None` if there is none.

        Raises:
            SchemaError: several different ones have it.
        """
        found = _only(uri, self._own)
        if found is None and uri in self._registry:
            found = self._document(uri)
            self._reach(found)
        if found is None:
            found = self._find_specification(uri)
        if found is None and self._registry:
            self._index_registry()
            found = _only(uri, self._others)
            if found is not None:
                self._reach(found)
        return found

    def index_below(self, schema: dict[str, Any], resource: Resource, location: str) -> None:
        """Index what only a reference shows to be a schema; its names cannot be referred to elsewhere."""
        _index_into(schema, resource, location, self, None)

    def _metaschema(self, uri: str) -> Any:
        """Return a meta-schema as it is: what dialect it is written in is the question."""
        uri = uri.removesuffix("#")
        if uri not in self._registry:
            found = _specification(uri)
        else:
            if uri not in self.reached:
                self.reached[uri] = self._copy(uri)
            found = self.reached[uri].contents
        return found

    def _copy(self, uri: str) -> Document:
        """Return a document of the registry, independent of what the caller does to it later."""
        document = _document(self._registry[uri])
        try:
            return Document(copy.deepcopy(document.contents), document.dialect)
        except RecursionError:
            raise LimitExceeded("the document is nested too deeply", location=f"{uri}#") from None

    def _document(self, uri: str) -> Resource:
        known = self._documents.get(uri)
        if known is None:
            document = self._copy(uri)
            contents = document.contents
            if not isinstance(contents, dict | bool):
                raise SchemaError("a schema is an object or a boolean", location=f"{uri}#")
            dialect = self.dialect(contents, document.dialect or self.default)
            resources = self._index(uri, contents, f"{uri}#", dialect, self._others)
            known = self._documents[uri] = resources[0]
            for resource in resources:
                self._origins[resource] = uri, document
        return known

    def _index_registry(self) -> None:
        if self._is_indexed:
            return
        self._is_indexed = True
        for uri in self._registry:
            try:
                self._document(uri)
            except ConstrainError:
                # It is of no use here; a reference to it will say why.
                continue

    def _reach(self, resource: Resource) -> None:
        uri, document = self._origins[resource]
        self.reached.setdefault(uri, document)

    def _find_specification(self, uri: str) -> Resource | None:
        if uri not in self._specifications:
            contents = _specification(uri)
            self._specifications[uri] = (
                None
                if contents is None
                else self._index(uri, contents, f"{uri}#", self.dialect(contents, self.default), {})[0]
            )
        return self._specifications[uri]

    def _index(
        self, uri: str, schema: Any, location: str, dialect: Dialect, index: dict[str, list[Resource]]
    ) -> list[Resource]:
        """Index a document; return its resources, its root first."""
        identifier = _identifier(schema, dialect)
        base = uri if identifier is None else resolve(uri, split_fragment(identifier)[0])
        root = Resource(base, schema, location, dialect)
        for name in {uri, base}:
            index.setdefault(name, []).append(root)
        root.is_nameless = _is_nameless(schema, dialect)
        if root.is_nameless:
            return [root]
        return [root, *_index_into(schema, root, location, self, index)]


def _document(value: object) -> Document:
    if isinstance(value, Document):
        return value
    from referencing import Resource as Referenced
    from referencing.jsonschema import specification_with

    if not isinstance(value, Referenced):
        return Document(value)
    for dialect in DIALECTS.values():
        # The specification of a resource is not public, but part of what makes two of them equal.
        if specification_with(dialect.uri).create_resource(value.contents) == value:
            return Document(value.contents, dialect.name)
    return Document(value.contents)


def _specification(uri: str) -> Any:
    """Return the meta-schema of a draft, or of one of its vocabularies; `None` if it is none."""
    from jsonschema_specifications import REGISTRY

    found = REGISTRY.get(uri)
    return None if found is None else found.contents


def _only(uri: str, index: dict[str, list[Resource]]) -> Resource | None:
    found = index.get(uri)
    if not found:
        return None
    if any(other.root != found[0].root for other in found[1:]):
        raise SchemaError(f"{uri!r} is the identifier of several different schemas")
    return found[0]


def _identifier(schema: Any, dialect: Dialect) -> str | None:
    """Return the `$id` of a schema, `None` where it has none that counts."""
    if not isinstance(schema, dict) or (dialect.ref_overrides and "$ref" in schema):
        return None
    value = schema.get(dialect.id_keyword)
    return value if isinstance(value, str) else None


#: Keywords without which a sub-schema has no name and is no resource of its own.
_NAMING = frozenset({"$id", "id", "$schema", "$anchor", "$dynamicAnchor", "$recursiveAnchor"})


#: What names a sub-schema beside its URI.
_ANCHORS = frozenset({"$anchor", "$dynamicAnchor", "$recursiveAnchor"})
#: Where `id` is a keyword, it is `_NAMING` that counts.
_NAMING_BELOW = _NAMING - {"id"}


def _is_nameless(schema: Any, dialect: Dialect) -> bool:
    """Return whether nothing in a document can be referred to except by its place."""
    if not isinstance(schema, dict):
        return True
    identifier = schema.get(dialect.id_keyword)
    if not _ANCHORS.isdisjoint(schema) or (isinstance(identifier, str) and "#" in identifier):
        return False
    return not holds_key(schema, _NAMING if dialect.id_keyword == "id" else _NAMING_BELOW)


def _index_into(
    start: Any, around: Resource, location: str, library: Library, index: dict[str, list[Resource]] | None
) -> list[Resource]:
    """Index the sub-schemas of `start`, which stands in `around`; return the embedded resources found.

    Without recursion, and each sub-schema once per resource. Without an index, nothing can refer to
    the names in `start`.
    """
    embedded = []
    stack: list[tuple[Any, Resource, Location]] = [(start, around, location)]
    while stack:
        schema, resource, at = stack.pop()
        if not isinstance(schema, dict) or id(schema) in resource.indexed:
            continue
        resource.indexed.add(id(schema))
        is_named = not _NAMING.isdisjoint(schema)
        if is_named and schema is not resource.root:
            inner = _embedded(schema, resource, library)
            if inner is not None:
                inner.location = pointer_text(at)
                inner.indexed.add(id(schema))
                resource.embedded[id(schema)] = inner
                if index is not None:
                    index.setdefault(inner.uri, []).append(inner)
                embedded.append(inner)
                resource = inner
        if is_named and (index is not None or resource is not around):
            for name, is_dynamic in _names(schema, resource):
                if name != RECURSIVE:
                    resource.anchors.setdefault(name, []).append((schema, pointer_text(at)))
                if is_dynamic:
                    resource.dynamic.setdefault(name, schema)
        dialect = resource.dialect
        if not dialect.holders.isdisjoint(schema):
            for steps, part in subschemas(relevant(schema, dialect), dialect.holders):
                stack.append((part, resource, (at, steps)))
    return embedded


def _embedded(schema: dict[str, Any], around: Resource, library: Library) -> Resource | None:
    """Return the resource whose root a sub-schema is, `None` if it belongs to the one around it."""
    dialect, problem = around.dialect, None
    if "$schema" in schema and ("$id" in schema or "id" in schema):
        try:
            dialect = library.dialect(schema, dialect.name)
        except (SchemaError, UnsupportedError) as error:
            problem = error
    # A bundled document may be of another draft, whose keyword for the identifier differs.
    identifier = _identifier(schema, dialect)
    if identifier is None and problem is None:
        return None
    uri = around.uri if identifier is None else resolve(around.uri, split_fragment(identifier)[0])
    if uri == around.uri and problem is None:
        return None
    resource = Resource(uri, schema, "", dialect)
    resource.problem = problem
    return resource


def _names(schema: dict[str, Any], resource: Resource) -> Iterator[tuple[str, bool]]:
    """Yield the names by which fragments lead to a sub-schema, and whether each is dynamic."""
    dialect = resource.dialect
    if dialect.ref_overrides:
        identifier = _identifier(schema, dialect)
        if identifier is not None and (name := split_fragment(identifier)[1]):
            yield name, False
        return
    anchor = schema.get("$anchor")
    if isinstance(anchor, str) and anchor:
        yield anchor, False
    if "$dynamicRef" in dialect.keywords:
        anchor = schema.get("$dynamicAnchor")
        if isinstance(anchor, str) and anchor:
            yield anchor, True
    elif schema is resource.root and schema.get("$recursiveAnchor") is True:
        yield RECURSIVE, True
