"""Graphs from files: JSON Lines, or a folder with two CSV tables.

**JSON Lines** (`*.jsonl`): UTF-8, one entity per line. Everything but `id`, `class` and `label` is optional;
an object of `relations` is an identifier, or `{"to": identifier, "as_of": date}`:

    {"id": "company/tencent", "class": "Company",
     "label": {"en": "Tencent Holdings Limited", "zh": "腾讯控股有限公司"},
     "aliases": {"en": ["Tencent"], "zh": ["腾讯"]}, "notations": ["0700.HK"],
     "relations": {"country": ["country/CN"],
                   "chief_executive": [{"to": "person/ma-huateng", "as_of": "2025-06-30"}]}}

(on one line). A first line may describe the graph: `{"graph": "finance", "licence": "MIT", "source": "..."}`.

**CSV**: a folder with `nodes.csv`, columns `id,class,label,language,aliases,notations`, the last three
optional and several aliases or notations separated by `|`, one row per entity and language; and `edges.csv`,
columns `subject,relation,object`, and `as_of` if wanted.

Any fault is a `KnowledgeError` with the file and the line. Nothing else is read, and nothing is fetched.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from constrain.errors import KnowledgeError
from constrain.knowledge.graph import Edge, Entity, Graph, Name, suggestion
from constrain.knowledge.shipped import shipped_graph

__all__ = ["load_graph"]

_HEADER_KEYS = frozenset({"graph", "licence", "source", "relations"})
_ENTITY_KEYS = frozenset({"id", "class", "label", "aliases", "notations", "relations"})
_EDGE_KEYS = frozenset({"to", "as_of"})
_NODE_COLUMNS = frozenset({"id", "class", "label", "language", "aliases", "notations"})
_EDGE_COLUMNS = frozenset({"subject", "relation", "object", "as_of"})
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

T = TypeVar("T")


def load_graph(source: str | Path) -> Graph:
    """Read a graph.

    Args:
        source: a path, or the name of a graph that ships with the project, such as `"finance"`: a text that
            has neither a path separator nor a suffix is a name.

    Raises:
        KnowledgeError: there is no such graph, or the file is malformed; `location` is `file:line`.
    """
    is_name = isinstance(source, str) and re.fullmatch(r"[\w-]+", source)
    path = shipped_graph(str(source)) if is_name else Path(source)
    if path.is_dir() and not (path / "nodes.csv").exists() and len(found := list(path.glob("*.jsonl"))) == 1:
        path = found[0]
    if path.is_dir():
        return _read_csv(path)
    if path.suffix != ".jsonl":
        raise KnowledgeError(
            "not a graph" if path.exists() else "there is no such file",
            location=str(path),
            remedy="a *.jsonl file, a folder with nodes.csv and edges.csv, or the name of a shipped graph",
        )
    return _read_json_lines(path)


class _Builder:
    """Entities and edges with the line each was read from, so that every fault has one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entities: dict[str, Entity] = {}
        self.edges: list[tuple[int, Edge]] = []

    def fault(
        self, reason: str, line: int, *, keyword: str | None = None, remedy: str | None = None
    ) -> KnowledgeError:
        return KnowledgeError(reason, location=f"{self.path}:{line}", keyword=keyword, remedy=remedy)

    def finish(self, name: str) -> Graph:
        for line, edge in self.edges:
            for end in (edge.subject, edge.object):
                if end not in self.entities:
                    raise self.fault(
                        f"{end!r} is no entity of the graph",
                        line,
                        keyword=edge.relation,
                        remedy=suggestion(end, self.entities),
                    )
        return Graph(self.entities.values(), (edge for _, edge in self.edges), name=name)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise KnowledgeError(f"cannot be read: {error.strerror}", location=str(path)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise KnowledgeError("not UTF-8", location=f"{path}:{line}") from error
    yield from enumerate(text.split("\n"), start=1)


def _read_json_lines(path: Path) -> Graph:
    builder = _Builder(path)
    name = path.stem if path.stem != "graph" else path.parent.name
    for line, text in _lines(path):
        if not text.strip():
            continue
        try:
            record = json.loads(text, object_pairs_hook=_no_duplicates)
        except (ValueError, RecursionError) as error:
            raise builder.fault(f"not JSON: {error}", line) from error
        if not isinstance(record, dict):
            raise builder.fault("a line is a JSON object", line)
        if line == 1 and "graph" in record:
            _check_keys(builder, line, record, _HEADER_KEYS)
            name = _text(builder, line, record, "graph")
            continue
        _check_keys(builder, line, record, _ENTITY_KEYS)
        entity = Entity(
            _text(builder, line, record, "id"),
            _text(builder, line, record, "class"),
            _languages(builder, line, record, "label", lambda value: [value]),
            _languages(builder, line, record, "aliases", lambda value: value),
            tuple(_texts(builder, line, record.get("notations", []), "notations")),
        )
        if not entity.labels:
            raise builder.fault("an entity has a label", line, keyword="label")
        if entity.id in builder.entities:
            raise builder.fault(f"the identifier {entity.id!r} appears a second time", line, keyword="id")
        builder.entities[entity.id] = entity
        relations = record.get("relations", {})
        builder.edges += ((line, edge) for edge in _relations(builder, line, entity.id, relations))
    return builder.finish(name)


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return record


def _check_keys(builder: _Builder, line: int, record: Mapping[str, object], known: frozenset[str]) -> None:
    for key in record:
        if key not in known:
            raise builder.fault("unknown key", line, keyword=key, remedy=suggestion(key, known))


def _text(builder: _Builder, line: int, record: Mapping[str, object], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value.strip():
        raise builder.fault("a non-empty text is needed here", line, keyword=key)
    return value


def _texts(builder: _Builder, line: int, value: object, key: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise builder.fault("a list of non-empty texts is needed here", line, keyword=key)
    if any("\ud800" <= character <= "\udfff" for text in value for character in text):
        raise builder.fault("an unpaired surrogate", line, keyword=key)
    return value


def _languages(
    builder: _Builder, line: int, record: Mapping[str, object], key: str, as_list: Callable[[object], object]
) -> tuple[Name, ...]:
    by_language = record.get(key, {})
    if not isinstance(by_language, dict):
        raise builder.fault('an object from languages to texts is needed: {"en": ...}', line, keyword=key)
    return tuple(
        Name(text, language)
        for language, value in by_language.items()
        for text in _texts(builder, line, as_list(value), key)
    )


def _relations(builder: _Builder, line: int, subject: str, relations: object) -> Iterator[Edge]:
    if not isinstance(relations, dict):
        raise builder.fault("an object from relations to lists is needed here", line, keyword="relations")
    for relation, objects in relations.items():
        if not isinstance(objects, list):
            raise builder.fault("a list of objects is needed here", line, keyword=relation)
        for object_ in objects:
            if isinstance(object_, dict):
                _check_keys(builder, line, object_, _EDGE_KEYS)
                as_of = object_.get("as_of")
                if as_of is not None and not (isinstance(as_of, str) and _DATE.fullmatch(as_of)):
                    raise builder.fault("a date (YYYY-MM-DD) is needed here", line, keyword="as_of")
                yield Edge(subject, relation, _text(builder, line, object_, "to"), as_of)
            else:
                yield Edge(subject, relation, *_texts(builder, line, [object_], relation))


def _read_csv(folder: Path) -> Graph:
    builder = _Builder(folder / "nodes.csv")
    for line, row in _rows(builder.path, _NODE_COLUMNS, {"id", "class", "label"}):
        language = row.get("language") or "und"
        label = Name(row["label"], language)
        aliases = tuple(Name(text, language) for text in _split(row.get("aliases")))
        known = builder.entities.get(row["id"])
        if known is None:
            builder.entities[row["id"]] = Entity(
                row["id"], row["class"], (label,), aliases, tuple(_split(row.get("notations")))
            )
        elif known.class_ != row["class"]:
            raise builder.fault(f"{known.id!r} has the class {known.class_!r} above", line, keyword="class")
        elif language in {name.language for name in known.labels}:
            raise builder.fault(f"{known.id!r} has a label in {language!r} already", line, keyword="label")
        else:
            builder.entities[known.id] = replace(
                known,
                labels=(*known.labels, label),
                aliases=known.aliases + aliases,
                notations=tuple(dict.fromkeys((*known.notations, *_split(row.get("notations"))))),
            )
    builder.path = folder / "edges.csv"
    if builder.path.exists():
        for line, row in _rows(builder.path, _EDGE_COLUMNS, {"subject", "relation", "object"}):
            as_of = row.get("as_of") or None
            if as_of is not None and not _DATE.fullmatch(as_of):
                raise builder.fault("a date (YYYY-MM-DD) is needed here", line, keyword="as_of")
            builder.edges.append((line, Edge(row["subject"], row["relation"], row["object"], as_of)))
    return builder.finish(folder.name)


def _rows(path: Path, known: frozenset[str], needed: set[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table that has a header, with the line on which each ends."""
    reader = csv.reader(f"{text}\n" for _, text in _lines(path))
    header: list[str] | None = None
    for cells in reader:
        location = f"{path}:{reader.line_num}"
        if header is None:
            header = cells
            for column in cells:
                if column not in known:
                    raise KnowledgeError(
                        "unknown column", location=location, keyword=column, remedy=suggestion(column, known)
                    )
            if missing := sorted(needed.difference(cells)):
                raise KnowledgeError("a column is missing", location=location, keyword=missing[0])
        elif any(cell.strip() for cell in cells):
            if len(cells) != len(header):
                raise KnowledgeError(
                    f"{len(cells)} cells where the header has {len(header)}", location=location
                )
            row = dict(zip(header, cells, strict=True))
            for column in sorted(needed):
                if not row[column].strip():
                    raise KnowledgeError("a non-empty text is needed here", location=location, keyword=column)
            yield reader.line_num, row


def _split(cell: str | None) -> list[str]:
    return [text.strip() for text in (cell or "").split("|") if text.strip()]
