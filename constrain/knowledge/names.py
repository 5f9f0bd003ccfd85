"""From a question about a graph to the set of names that a string field may hold.

This is the seam between knowledge and automata: what leaves here is a plain set of texts, the language of a
literal trie, and nothing below needs to know about graphs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from constrain.errors import KnowledgeError
from constrain.knowledge.graph import Entity, Graph, suggestion

__all__ = ["NAME_KINDS", "entity_set"]

#: Which texts of an entity count: preferred labels; labels and aliases; notations (codes) alone; everything.
NAME_KINDS = ("labels", "names", "notations", "all")


def entity_set(
    graph: Graph,
    class_: str,
    *,
    names: str = "names",
    language: str | None = None,
    relation: str | None = None,
    where: Mapping[str, str] | None = None,
) -> frozenset[str]:
    """The texts that name an entity of a class; never empty.

    Args:
        graph: the graph asked.
        class_: the class of the entities.
        names: one of `NAME_KINDS`.
        language: only labels and aliases in this language (BCP 47), or in a variety of it: `zh` takes
            `zh-Hant`. Notations have no language.
        relation: only entities that some entity is related to by this relation.
        where: only entities that are related to an entity with the given name, for each relation here:
            `{"country": "Germany"}`.

    Raises:
        KnowledgeError: the graph has no such class, relation or name, or no entity is left.
    """
    if names not in NAME_KINDS:
        raise KnowledgeError(
            f"{names!r} is not a kind of name", keyword="names", remedy="one of " + ", ".join(NAME_KINDS)
        )
    entities: Iterable[Entity] = graph.entities(class_)
    if relation is not None:
        related = graph.range_of(relation)
        entities = [entity for entity in entities if entity.id in related]
    for condition, name in (where or {}).items():
        targets = graph.named(name)
        if not targets:
            raise KnowledgeError(
                f"the graph {graph.name!r} has no entity called {name!r}",
                keyword=condition,
                remedy=suggestion(
                    name,
                    {label.text for end in graph.range_of(condition) for label in graph.entity(end).labels},
                ),
            )
        related = frozenset().union(*(graph.subjects(condition, target.id) for target in targets))
        entities = [entity for entity in entities if entity.id in related]
    texts = frozenset(text for entity in entities for text in _texts(entity, names, language))
    if not texts:
        raise KnowledgeError(
            f"no entity of the class {class_!r} in the graph {graph.name!r} has a name that fits",
            keyword="entity",
            remedy="ask for fewer conditions, or for more kinds of names",
        )
    return texts


def _texts(entity: Entity, names: str, language: str | None) -> Iterable[str]:
    if names != "notations":
        for name in entity.labels if names == "labels" else (*entity.labels, *entity.aliases):
            if language is None or name.language == language or name.language.startswith(f"{language}-"):
                yield name.text
    if names in ("notations", "all"):
        yield from entity.notations
