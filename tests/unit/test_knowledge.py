"""Graphs are read exactly or refused with a line; what they answer is compared with a scan of the edges."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from constrain.errors import KnowledgeError
from constrain.knowledge import Edge, Entity, Graph, Name, entity_set, load_graph

FINANCE = Path(__file__).parents[2] / "knowledge_graphs" / "finance"


def entity(id_: str, class_: str = "Thing", label: str | None = None) -> Entity:
    return Entity(id_, class_, (Name(label or id_.upper(), "en"),))


@pytest.fixture(scope="module")
def finance() -> Graph:
    return load_graph("finance")


def test_queries_agree_with_a_scan_of_the_edges() -> None:
    rng = random.Random(1)
    ids = [f"n{index}" for index in range(30)]
    edges = [Edge(rng.choice(ids), rng.choice("pqr"), rng.choice(ids)) for _ in range(120)]
    graph = Graph([entity(id_) for id_ in ids], edges)
    for relation in "pqr":
        for id_ in ids:
            assert graph.objects(id_, relation) == {
                edge.object for edge in edges if (edge.subject, edge.relation) == (id_, relation)
            }
            assert graph.subjects(relation, id_) == {
                edge.subject for edge in edges if (edge.relation, edge.object) == (relation, id_)
            }
        assert graph.range_of(relation) == {edge.object for edge in edges if edge.relation == relation}


def test_equal_content_has_equal_fingerprints_in_any_order() -> None:
    entities = [entity("a"), entity("b"), Entity("c", "Thing", (Name("C"), Name("丙", "zh")), (Name("Cee"),))]
    edges = [Edge("a", "p", "b"), Edge("b", "q", "c", "2025-01-01"), Edge("b", "q", "a")]
    graph = Graph(entities, edges)
    swapped = Graph(reversed(entities), reversed(edges), name="other")
    assert graph == swapped
    assert hash(graph) == hash(swapped)
    assert graph.fingerprint == pickle.loads(pickle.dumps(graph)).fingerprint
    for changed in (
        Graph(entities[:2], edges[:1]),
        Graph(entities, edges[:2]),
        Graph(entities, [*edges, Edge("a", "q", "b")]),
        Graph([*entities, entity("d")], edges),
        Graph(entities, [Edge("a", "p", "b"), Edge("b", "q", "c", "2025-01-02"), Edge("b", "q", "a")]),
    ):
        assert changed.fingerprint != graph.fingerprint


@pytest.mark.parametrize(
    ("ask", "part_of_text"),
    [
        (lambda graph: graph.entity("company/appel"), "'company/apple'"),
        (lambda graph: graph.entities("company"), "'Company'"),
        (lambda graph: graph.entity_names("Person?"), "'Person'"),
        (lambda graph: graph.objects("company/apple", "ceo"), "no relation 'ceo'"),
        (lambda graph: graph.subjects("country", "country/XX"), "no entity"),
        (lambda graph: entity_set(graph, "Company", names="ticker"), "notations"),
        (lambda graph: entity_set(graph, "Company", where={"country": "Germny"}), "'Germany'"),
        (lambda graph: entity_set(graph, "Company", where={"ceo": "Germany"}), "no relation"),
        (lambda graph: entity_set(graph, "Company", language="xx"), "fits"),
        (lambda graph: entity_set(graph, "Country", relation="chief_executive"), "fits"),
    ],
)
def test_unknown_words_are_errors_that_help(
    finance: Graph, ask: Callable[[Graph], object], part_of_text: str
) -> None:
    with pytest.raises(KnowledgeError) as caught:
        ask(finance)
    assert part_of_text in str(caught.value)


@pytest.mark.parametrize(
    ("entities", "edges", "part_of_text"),
    [
        ([entity("a"), entity("a")], [], "two entities"),
        ([Entity("a", "Thing", ())], [], "no label"),
        ([entity("a")], [Edge("a", "p", "b")], "'b'"),
        ([entity("a")], [Edge("b", "p", "a")], "'b'"),
        ([entity("a", label="\ud800")], [], "surrogate"),
    ],
)
def test_inconsistent_graphs_are_refused(
    entities: list[Entity], edges: list[Edge], part_of_text: str
) -> None:
    with pytest.raises(KnowledgeError, match=part_of_text):
        Graph(entities, edges)


JSON_LINES = """\
{"graph": "tiny", "licence": "none"}
{"id": "c", "class": "Company", "label": {"en": "See Inc.", "zh": "丙"}, "aliases": {"en": ["See"]}, \
"notations": ["C"], "relations": {"boss": ["p", {"to": "q", "as_of": "2024-02-29"}]}}

{"id": "p", "class": "Person", "label": {"en": "Pat"}}
{"id": "q", "class": "Person", "label": {"en": "Quinn"}}
"""
NODES = """\
id,class,label,language,aliases,notations
c,Company,See Inc.,en,See,C
c,Company,丙,zh,,
p,Person,Pat,en,,
q,Person,Quinn,en,,
"""
EDGES = "subject,relation,object,as_of\nc,boss,p,\nc,boss,q,2024-02-29\n"


def test_both_formats_read_the_same_graph(tmp_path: Path) -> None:
    (tmp_path / "tiny.jsonl").write_text(JSON_LINES, "utf-8")
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "nodes.csv").write_text(NODES, "utf-8-sig")
    (folder / "edges.csv").write_text(EDGES, "utf-8")
    graph = load_graph(tmp_path / "tiny.jsonl")
    assert graph == load_graph(folder)
    assert (graph.name, load_graph(folder).name) == ("tiny", "tables")
    assert graph.names("c") == {"See Inc.", "丙", "See"}
    assert graph.objects("c", "boss") == {"p", "q"}
    assert [edge.as_of for edge in graph.edges] == [None, "2024-02-29"]
    assert load_graph(str(tmp_path / "tiny.jsonl")) == graph


@pytest.mark.parametrize(
    ("line", "part_of_text"),
    [
        ("{", "not JSON"),
        ("[]", "object"),
        ('{"class": "X", "label": {"en": "x"}}', "`id`"),
        ('{"id": "x", "class": "X", "label": {}}', "label"),
        ('{"id": "x", "class": "X", "label": "x"}', "languages"),
        ('{"id": "x", "class": "X", "label": {"en": " "}}', "non-empty"),
        ('{"id": "x", "class": "X", "label": {"en": "\\ud800"}}', "surrogate"),
        ('{"id": "x", "class": "X", "label": {"en": "x"}, "alias": {}}', "'aliases'"),
        ('{"id": "x", "class": "X", "label": {"en": "x"}, "aliases": {"en": "x"}}', "list"),
        ('{"id": "x", "class": "X", "label": {"en": "x"}, "notations": [1]}', "list"),
        ('{"id": "x", "class": "X", "label": {"en": "x"}, "relations": {"r": "a"}}', "list"),
        ('{"id": "x", "class": "X", "label": {"en": "x"}, "relations": {"r": ["y"]}}', "'y'"),
        (
            '{"id": "x", "class": "X", "label": {"en": "x"}, "relations": {"r": [{"to": "a", "as_of": ""}]}}',
            "date",
        ),
        ('{"id": "a", "class": "X", "label": {"en": "x"}}', "second time"),
        ('{"id": "x", "id": "x", "class": "X", "label": {"en": "x"}}', "twice"),
    ],
)
def test_malformed_lines_are_refused_with_their_number(tmp_path: Path, line: str, part_of_text: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "a", "class": "X", "label": {"en": "A"}}\n\n' + line + "\n", "utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_graph(path)
    assert caught.value.location == f"{path}:3"
    assert part_of_text in str(caught.value)


@pytest.mark.parametrize(
    ("nodes", "edges", "place", "part_of_text"),
    [
        ("id,class,label,lang\n", "", "nodes.csv:1", "'language'"),
        ("id,class\n", "", "nodes.csv:1", "`label`"),
        (NODES + "x,Y\n", "", "nodes.csv:6", "2 cells"),
        (NODES + ",Y,Z,,,\n", "", "nodes.csv:6", "`id`"),
        (NODES + "c,Person,x,fr,,\n", "", "nodes.csv:6", "'Company'"),
        (NODES + "c,Company,x,en,,\n", "", "nodes.csv:6", "already"),
        (NODES, EDGES + "c,boss,x,\n", "edges.csv:4", "'x'"),
        (NODES, EDGES + "c,boss,p,today\n", "edges.csv:4", "date"),
    ],
)
def test_malformed_tables_are_refused_with_their_line(
    tmp_path: Path, nodes: str, edges: str, place: str, part_of_text: str
) -> None:
    (tmp_path / "nodes.csv").write_text(nodes, "utf-8")
    if edges:
        (tmp_path / "edges.csv").write_text(edges, "utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_graph(tmp_path)
    assert caught.value.location == str(tmp_path / place)
    assert part_of_text in str(caught.value)


@pytest.mark.parametrize("source", ["no-such-graph", "./finance", "graph.txt", Path("nowhere.jsonl")])
def test_graphs_that_are_not_there_are_errors(
    source: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KnowledgeError):
        load_graph(source)


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("Apple Inc.", "company/apple"),
        ("Microsoft Corporation", "company/microsoft"),
        ("Tencent Holdings", "company/tencent"),
        ("腾讯控股", "company/tencent"),
        ("Alibaba Group", "company/alibaba"),
        ("阿里巴巴集团", "company/alibaba"),
        ("SAP SE", "company/sap"),
        ("Toyota Motor Corporation", "company/toyota"),
        ("比亚迪", "company/byd"),
        ("Siemens", "company/siemens"),
        ("Nestlé", "company/nestle"),
        ("Samsung", "company/samsung-electronics"),
        ("AAPL", "company/apple"),
    ],
)
def test_the_finance_graph_knows_the_companies_of_the_examples(finance: Graph, name: str, id_: str) -> None:
    assert [found.id for found in finance.named(name)] == [id_]


def test_the_finance_graph_relates_companies(finance: Graph) -> None:
    assert finance.objects("company/tencent", "reporting_currency") == {"currency/CNY"}
    assert finance.objects("company/sap", "country") == {"country/DE"}
    assert "company/sap" in finance.subjects("member_of", "index/dax")
    dated = [edge for edge in finance.edges if edge.relation == "chief_executive"]
    assert dated
    assert all(edge.as_of for edge in dated)


def test_the_names_of_companies_are_unambiguous(finance: Graph) -> None:
    for name in finance.entity_names("Company"):
        assert len({found.id for found in finance.named(name) if found.class_ == "Company"}) == 1


def test_entity_sets_are_what_a_scan_of_the_file_finds(finance: Graph) -> None:
    lines = (FINANCE / "graph.jsonl").read_text("utf-8").splitlines()[1:]
    companies = [record for record in map(json.loads, lines) if record["class"] == "Company"]
    labels = {text for record in companies for text in record["label"].values()}
    aliases = {text for record in companies for texts in record.get("aliases", {}).values() for text in texts}
    codes = {text for record in companies for text in record["notations"]}
    chinese = {record["label"]["zh"] for record in companies if "zh" in record["label"]}
    german = {
        record["label"]["en"] for record in companies if record["relations"].get("country") == ["country/DE"]
    }
    assert entity_set(finance, "Company") == labels | aliases == finance.entity_names("Company")
    assert (
        entity_set(finance, "Company", names="labels")
        == labels
        == finance.entity_names("Company", aliases=False)
    )
    assert entity_set(finance, "Company", names="notations") == codes
    assert entity_set(finance, "Company", names="all") == labels | aliases | codes
    assert entity_set(finance, "Company", names="labels", language="zh") == chinese
    in_germany = entity_set(finance, "Company", names="labels", language="en", where={"country": "Germany"})
    assert in_germany == german


def test_the_finance_graph_is_small() -> None:
    assert (FINANCE / "graph.jsonl").stat().st_size < 300_000
