"""What `properties` asks of the values of its keys, worked out key by key when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from constrain.automata.formulas_cy import TRUE

if TYPE_CHECKING:
    from constrain.frontends.json_schema.nodes import SubschemaNode

__all__ = ["PropertyGoals"]


class PropertyGoals(Mapping[bytes, int]):
    """Key -> goal of its value, in the order of the source; a key that no document holds is left out."""

    __slots__ = ("_goals", "_names", "_node", "_schemas")

    def __init__(self, node: SubschemaNode, schemas: dict[str, Any]) -> None:
        self._node = node
        self._schemas = schemas
        self._goals: dict[bytes, int] = {}
        try:
            self._names = {name.encode(): name for name in schemas}
        except UnicodeEncodeError:
            self._names = {name.encode(): name for name in schemas if _is_text(name)}

    def get(self, key: bytes, default: Any = None) -> Any:
        """Return the goal of a key, or `default` for one that is not named."""
        goal = self._goals.get(key)
        if goal is None:
            name = self._names.get(key)
            if name is None:
                return default
            goal = self._goals[key] = self._node.goal(self._schemas[name], "properties", name)
        return goal

    def __getitem__(self, key: bytes) -> int:
        goal: int | None = self.get(key)
        if goal is None:
            raise KeyError(key)
        return goal

    def __contains__(self, key: object) -> bool:
        return key in self._names

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def ask_nothing(self) -> bool:
        """Return whether every goal is `TRUE`."""
        assertions = self._node.dialect.assertions
        for key, name in self._names.items():
            schema = self._schemas[name]
            if schema is False:
                return False
            # What is of another draft is looked at closely.
            if schema is not True and (
                not assertions.isdisjoint(schema) or ("$schema" in schema and self.get(key) != TRUE)
            ):
                return False
        return True

    def surely_have_values(self) -> list[bytes]:
        """Return keys of which no more is asked than some value surely satisfies, told at a glance."""
        node = self._node
        keys: list[bytes] = node.compiler.glance.with_values(self._schemas, node.place, self._names)
        return keys


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)
