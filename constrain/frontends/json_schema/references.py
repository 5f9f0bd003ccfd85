"""References between sub-schemas, resolved by the `referencing` library; nothing is fetched."""

from __future__ import annotations

from typing import Any

from constrain.errors import SchemaError, UnsupportedError
from constrain.frontends.json_schema.dialects import Dialect

__all__ = ["References"]


class References:
    """Resolves the references of one schema document.

    Args:
        root: the schema document.
        dialect: its dialect.
    """

    def __init__(self, root: Any, dialect: Dialect) -> None:
        self._root = root
        self._dialect = dialect
        self._resolver: Any = None
        self._targets: dict[tuple[int, str], tuple[Any, Any]] = {}
        self._resolvers: list[Any] = []

    def base(self) -> Any:
        """Return the resolver of the document itself."""
        if self._resolver is None:
            from referencing import Registry
            from referencing.jsonschema import specification_with

            specification = specification_with(self._dialect.uri + _fragment(self._dialect))
            resource: Any = specification.create_resource(self._root)
            identifier = resource.id() or ""
            registry: Any = Registry().with_resource(identifier, resource).crawl()
            self._resolver = registry.resolver(identifier)
        return self._resolver

    def enter(self, resolver: Any, schema: dict[str, Any]) -> Any:
        """Return the resolver inside a sub-schema, which may be a resource of its own."""
        if self._dialect.id_keyword not in schema:
            return resolver
        from referencing.jsonschema import specification_with

        specification = specification_with(self._dialect.uri + _fragment(self._dialect))
        return (resolver or self.base()).in_subresource(specification.create_resource(schema))

    def lookup(self, resolver: Any, reference: str, location: str) -> tuple[Any, Any]:
        """Return the sub-schema that a reference leads to, and the resolver there.

        Raises:
            SchemaError: the reference leads nowhere in this document.
            UnsupportedError: it leads to another document, which is not fetched.
        """
        resolver = resolver or self.base()
        key = (id(resolver), reference)
        found = self._targets.get(key)
        if found is not None:
            return found
        from referencing.exceptions import Unresolvable, Unretrievable

        try:
            resolved = resolver.lookup(reference)
        except Unresolvable as error:
            if (
                isinstance(error, Unretrievable)
                or isinstance(error.__cause__, Unretrievable)
                or (not reference.startswith("#") and "#" not in reference)
            ):
                raise UnsupportedError(
                    f"{reference!r} is not in this document, and nothing is fetched",
                    location=location,
                    keyword="$ref",
                    remedy="put the referenced schema into `$defs` with its `$id`",
                ) from None
            raise SchemaError(f"{reference!r} leads nowhere", location=location, keyword="$ref") from None
        found = (resolved.contents, resolved.resolver)
        self._targets[key] = found
        # The key holds an id: the resolver has to live as long as the table.
        self._resolvers.append(resolver)
        return found


def _fragment(dialect: Dialect) -> str:
    return "#" if dialect.name in ("4", "6", "7") else ""
