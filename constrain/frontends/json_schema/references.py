"""References between sub-schemas, static and dynamic.

A sub-schema means the same wherever it is reached from, except for dynamic references: those
depend on the outermost resource that defines each dynamic anchor on the way there. A `Place` is
a resource together with exactly that, and there is one object for equal ones, so that schemas
that are reached through different references are the same where nothing depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from constrain.errors import LimitExceeded, SchemaError, UnsupportedError
from constrain.frontends.json_schema.dialects import Dialect
from constrain.frontends.json_schema.resources import RECURSIVE, Library, Resource
from constrain.frontends.json_schema.scan_cy import pointer
from constrain.frontends.json_schema.uris import index_of, pointer_steps, resolve, split_fragment

__all__ = ["REFERENCES", "Place", "References", "lone_place"]

#: The keywords that are references.
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class _Scopes:
    """The dynamic scopes of one compilation, at most `limit` entries in all of them together."""

    def __init__(self, limit: int) -> None:
        #: The scope without entries.
        self.empty = _Scope({}, self)
        self._known: dict[frozenset[tuple[str, Resource]], _Scope] = {frozenset(): self.empty}
        self._limit = limit
        self._size = 0
        self.n_places = 0

    def of(self, outermost: dict[str, Resource]) -> _Scope:
        """Return the scope with these entries."""
        key = frozenset(outermost.items())
        scope = self._known.get(key)
        if scope is None:
            self._size += len(outermost)
            if self._size > self._limit:
                raise LimitExceeded("there are too many dynamic scopes", limit=self._limit)
            scope = self._known[key] = _Scope(outermost, self)
        return scope


class _Scope:
    """Dynamic anchor -> the outermost resource that defines it; one object for equal ones."""

    __slots__ = ("_places", "_scopes", "outermost")

    def __init__(self, outermost: dict[str, Resource], scopes: _Scopes) -> None:
        self.outermost = outermost
        self._scopes = scopes
        self._places: dict[Resource, Place] = {}

    def place(self, resource: Resource) -> Place:
        """Return the place inside a resource that is entered here."""
        place = self._places.get(resource)
        if place is None:
            new = (
                {name: resource for name in resource.dynamic if name not in self.outermost}
                if resource.dynamic
                else None
            )
            if new:
                place = self._scopes.of({**self.outermost, **new}).place(resource)
            else:
                place = Place(resource, self, self._scopes.n_places)
                self._scopes.n_places += 1
            self._places[resource] = place
        return place


class Place:
    """What the meaning of a sub-schema depends on, beside its keywords; compared by identity.

    Attributes:
        resource: the resource that it belongs to.
        scope: the resources that dynamic references lead to.
        number: no other place of the compilation has the same.
    """

    __slots__ = ("number", "resource", "scope")

    def __init__(self, resource: Resource, scope: _Scope, number: int) -> None:
        self.resource = resource
        self.scope = scope
        self.number = number

    @property
    def dialect(self) -> Dialect:
        """The draft that keywords follow here."""
        return self.resource.dialect

    def enter(self, schema: dict[str, Any]) -> Place:
        """Return the place of a sub-schema of this one, which may be a resource of its own."""
        inner = self.resource.embedded.get(id(schema))
        return self if inner is None else self.scope.place(inner)


class References:
    """Resolves the references of one compilation.

    Args:
        root: the schema document.
        dialect: the draft of documents without `$schema`.
        registry: URI -> other documents.
        max_scopes: how many entries dynamic scopes may have, all together.

    Attributes:
        library: the documents.
        root: the place of the document itself.
    """

    def __init__(self, root: Any, dialect: str, registry: Mapping[str, object], max_scopes: int) -> None:
        self.library = Library(registry, dialect)
        self._targets: dict[tuple[Resource, str], tuple[Any, Resource, str]] = {}
        self._standing: dict[int, Place] | None = None
        self.root = _Scopes(max_scopes).empty.place(self.library.add_root(root))

    def place_of(self, schema: dict[str, Any]) -> Place:
        """Return the place of a sub-schema where it stands in the document."""
        if self._standing is None:
            self._standing = {}
            stack = [self.root]
            while stack:
                place = stack.pop()
                self._standing.update(dict.fromkeys(place.resource.indexed, place))
                stack += [place.scope.place(inner) for inner in place.resource.embedded.values()]
        return self._standing.get(id(schema), self.root)

    def lookup(self, place: Place, schema: dict[str, Any], keyword: str) -> tuple[Any, Place, str]:
        """Return the sub-schema that a reference of `schema` leads to, its place and its location.

        Raises:
            SchemaError: the reference leads nowhere.
            UnsupportedError: it leads to a document that was not given.
        """
        reference = schema[keyword]
        contents, resource, location = self._target(place.resource, reference, keyword)
        if keyword != "$ref":
            name = RECURSIVE if keyword == "$recursiveRef" else split_fragment(reference)[1]
            # Only a reference that leads to a dynamic anchor is dynamic.
            if resource.dynamic.get(name) is contents:
                resource = place.scope.outermost.get(name, resource)
                contents, location = resource.dynamic_target(name)
        return contents, place.scope.place(resource), location

    def _target(self, around: Resource, reference: str, keyword: str) -> tuple[Any, Resource, str]:
        key = (around, reference)
        found = self._targets.get(key)
        if found is None:
            uri, fragment = split_fragment(reference)
            resource = around if not uri else self._resource(around, uri, reference, keyword)
            if resource.problem is not None:
                raise resource.problem
            if fragment and not fragment.startswith("/"):
                contents, location = resource.named(fragment)
                found = (contents, resource, location)
            else:
                found = self._pointed(resource, fragment, reference, keyword)
            self._targets[key] = found
        return found

    def _resource(self, around: Resource, uri: str, reference: str, keyword: str) -> Resource:
        absolute = resolve(around.uri, uri)
        if absolute == around.uri:
            return around
        found = self.library.find(absolute)
        if found is None:
            shown = repr(reference) if absolute == reference else f"{reference!r} ({absolute})"
            raise UnsupportedError(
                f"{shown} is not in this document, and nothing is fetched",
                keyword=keyword,
                remedy="pass the document in `registry`, or put it into `$defs` with its `$id`",
            )
        return found

    def _pointed(
        self, resource: Resource, fragment: str, reference: str, keyword: str
    ) -> tuple[Any, Resource, str]:
        steps = pointer_steps(fragment)
        value = resource.root
        start = 0
        for number, step in enumerate(steps or ()):
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and (index := index_of(step)) is not None and index < len(value):
                value = value[index]
            else:
                steps = None
                break
            inner = resource.embedded.get(id(value))
            if inner is not None:
                resource, start = inner, number + 1
        if steps is None:
            raise SchemaError(f"{reference!r} leads nowhere", keyword=keyword)
        location = pointer(resource.location, *steps[start:])
        if isinstance(value, dict) and not resource.is_nameless and id(value) not in resource.indexed:
            self.library.index_below(value, resource, location)
        return value, resource, location


def lone_place(schema: Any, dialect: Dialect) -> Place:
    """Return the place of a schema that refers to nothing."""
    return _Scopes(0).empty.place(Resource("", schema, "#", dialect))
