"""The knowledge graph: an immutable value with indexes.

The words are those of SKOS: a *label* is the preferred name of an entity in one language, an *alias* is
another name for it, a *notation* is a code such as a ticker symbol. A relation is directed and typed; between
two entities there may be several.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from constrain.errors import KnowledgeError

__all__ = ["Edge", "Entity", "Graph", "Name", "suggestion"]


@dataclass(frozen=True, slots=True)
class Name:
    """A name of an entity and the language it is in (BCP 47; `und` when none is known)."""

    text: str
    language: str = "und"


@dataclass(frozen=True, slots=True)
class Entity:
    """A node: its identifier, its class, and what it is called.

    Attributes:
        id: unique in the graph; never shown to a model.
        class_: the class it belongs to, such as `Company`.
        labels: preferred names, one per language.
        aliases: other names.
        notations: codes that stand for it, such as ticker symbols; not names in running text.
    """

    id: str
    class_: str
    labels: tuple[Name, ...]
    aliases: tuple[Name, ...] = ()
    notations: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The first label."""
        return self.labels[0].text


@dataclass(frozen=True, slots=True)
class Edge:
    """`subject --relation--> object`; `as_of` is the ISO 8601 date on which it was known to hold."""

    subject: str
    relation: str
    object: str
    as_of: str | None = None


class Graph:
    """Entities and the relations between them, indexed and immutable.

    Two graphs with the same entities and edges are equal and have one fingerprint, in whatever order their
    parts were read. Queries with an unknown class, relation or identifier raise, so that a misspelt word is
    never an empty set.
    """

    def __init__(
        self, entities: Iterable[Entity], edges: Iterable[Edge] = (), *, name: str = "graph"
    ) -> None:
        """Index a graph.

        Raises:
            KnowledgeError: two entities have one identifier, an entity has no label, or an edge has an end
                that is no entity of the graph.
        """
        by_id: dict[str, Entity] = {}
        by_class: dict[str, list[Entity]] = {}
        by_name: dict[str, list[Entity]] = {}
        for entity in entities:
            if entity.id in by_id:
                raise KnowledgeError(f"two entities have the identifier {entity.id!r}", location=name)
            if not entity.labels:
                raise KnowledgeError(f"the entity {entity.id!r} has no label", location=name)
            by_id[entity.id] = entity
            by_class.setdefault(entity.class_, []).append(entity)
            for text in _all_names(entity):
                if not _is_unicode(text):
                    raise KnowledgeError(
                        f"a name of {entity.id!r} has an unpaired surrogate: {text!r}", location=name
                    )
                by_name.setdefault(text, []).append(entity)
        objects: dict[str, dict[str, set[str]]] = {}
        subjects: dict[str, dict[str, set[str]]] = {}
        unique = tuple(dict.fromkeys(edges))
        for edge in unique:
            for end in (edge.subject, edge.object):
                if end not in by_id:
                    raise KnowledgeError(
                        f"{end!r}, an end of the relation {edge.relation!r}, is no entity",
                        location=name,
                        remedy=suggestion(end, by_id),
                    )
            objects.setdefault(edge.relation, {}).setdefault(edge.subject, set()).add(edge.object)
            subjects.setdefault(edge.relation, {}).setdefault(edge.object, set()).add(edge.subject)
        self._name = name
        self._entities: Mapping[str, Entity] = by_id
        self._edges = unique
        self._by_class = {class_: tuple(members) for class_, members in by_class.items()}
        self._by_name = {text: tuple(members) for text, members in by_name.items()}
        self._objects = _frozen(objects)
        self._subjects = _frozen(subjects)
        self._fingerprint = _fingerprint(by_id.values(), unique)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (tuple(self._entities.values()), self._edges, self._name))

    def __eq__(self, other: object) -> bool:
        return self._fingerprint == other._fingerprint if isinstance(other, Graph) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._fingerprint)

    def __len__(self) -> int:
        return len(self._entities)

    def __repr__(self) -> str:
        return f"<Graph {self._name}: {len(self._entities)} entities, {len(self._edges)} relations>"

    @property
    def name(self) -> str:
        """What the graph is called; no part of its content."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that depend on the entities and edges alone."""
        return self._fingerprint

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that have an entity, sorted."""
        return tuple(sorted(self._by_class))

    @property
    def relations(self) -> tuple[str, ...]:
        """The relations that hold somewhere, sorted."""
        return tuple(sorted(self._objects))

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All edges, in the order of the source."""
        return self._edges

    def entity(self, id_: str) -> Entity:
        """The entity with this identifier."""
        if id_ not in self._entities:
            raise self._unknown("entity", id_, self._entities)
        return self._entities[id_]

    def entities(self, class_: str) -> tuple[Entity, ...]:
        """The entities of a class, in the order of the source."""
        if class_ not in self._by_class:
            raise self._unknown("class", class_, self._by_class)
        return self._by_class[class_]

    def named(self, name: str) -> tuple[Entity, ...]:
        """The entities that have this label, alias or notation; none if nothing is called so."""
        return self._by_name.get(name, ())

    def names(self, id_: str) -> frozenset[str]:
        """The labels and aliases of an entity, in all languages."""
        entity = self.entity(id_)
        return frozenset(name.text for name in (*entity.labels, *entity.aliases))

    def entity_names(self, class_: str, *, aliases: bool = True) -> frozenset[str]:
        """The labels of all entities of a class, and their aliases unless told otherwise."""
        return frozenset(
            name.text
            for entity in self.entities(class_)
            for name in ((*entity.labels, *entity.aliases) if aliases else entity.labels)
        )

    def objects(self, subject: str, relation: str) -> frozenset[str]:
        """The identifiers o with `subject --relation--> o`; may be empty."""
        self.entity(subject)
        return self._related(self._objects, relation).get(subject, frozenset())

    def subjects(self, relation: str, object_: str) -> frozenset[str]:
        """The identifiers s with `s --relation--> object_`; may be empty."""
        self.entity(object_)
        return self._related(self._subjects, relation).get(object_, frozenset())

    def range_of(self, relation: str) -> frozenset[str]:
        """The identifiers that some entity is related to by `relation`."""
        return frozenset(self._related(self._subjects, relation))

    def _related(
        self, index: Mapping[str, Mapping[str, frozenset[str]]], relation: str
    ) -> Mapping[str, frozenset[str]]:
        if relation not in index:
            raise self._unknown("relation", relation, index)
        return index[relation]

    def _unknown(self, kind: str, word: str, known: Iterable[str]) -> KnowledgeError:
        return KnowledgeError(
            f"the graph {self._name!r} has no {kind} {word!r}", keyword=kind, remedy=suggestion(word, known)
        )


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """A remedy for a misspelt word: what is near to it, or all there is when that is little."""
    words = sorted(known)
    near = get_close_matches(word, words, n=1)
    if not near:
        near = [other for other in words if other.casefold() == word.casefold()][:1]
    if near:
        return f"did you mean {near[0]!r}?"
    return "there are " + ", ".join(words) if 0 < len(words) <= 12 else None


def _all_names(entity: Entity) -> list[str]:
    texts = [
        *(name.text for name in entity.labels),
        *(name.text for name in entity.aliases),
        *entity.notations,
    ]
    return list(dict.fromkeys(texts))


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _frozen(index: dict[str, dict[str, set[str]]]) -> dict[str, dict[str, frozenset[str]]]:
    return {relation: {end: frozenset(ends) for end, ends in row.items()} for relation, row in index.items()}


def _fingerprint(entities: Iterable[Entity], edges: Iterable[Edge]) -> str:
    def pairs(names: tuple[Name, ...]) -> list[list[str]]:
        return sorted([name.language, name.text] for name in names)

    records = sorted(
        [
            *(
                [
                    entity.id,
                    entity.class_,
                    pairs(entity.labels),
                    pairs(entity.aliases),
                    sorted(entity.notations),
                ]
                for entity in entities
            ),
            *([edge.subject, edge.relation, edge.object, edge.as_of] for edge in edges),
        ],
        key=json.dumps,
    )
    return hashlib.sha256(json.dumps(records).encode("utf-8")).hexdigest()


def _rebuild(entities: tuple[Entity, ...], edges: tuple[Edge, ...], name: str) -> Graph:
    return Graph(entities, edges, name=name)
