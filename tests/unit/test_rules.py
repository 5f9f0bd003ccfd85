"""Report rules mean a JSON Schema; independent validators and the calendar say which reports fit."""

from __future__ import annotations

import calendar
import datetime
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from constrain.errors import ConstrainError, KnowledgeError, SchemaError, UnsatisfiableError
from constrain.frontends.date_patterns import date_pattern
from constrain.frontends.rules import is_rules, rules_to_json_schema
from constrain.knowledge import Edge, Entity, Graph, Name, load_graph

SCHEMAS = Path(__file__).parents[2] / "schemas"

VERBATIM: dict[str, Any] = {
    "report_type": "quarterly",
    "required_sections": ["revenue", "expenses", "cash_flow"],
    "entity_constraints": {
        "revenue": {"min_value": 1000000, "unit": "CNY"},
        "date": {"format": "YYYY-MM-DD"},
    },
}
REPORT: dict[str, Any] = {
    "report_type": "quarterly",
    "revenue": {"value": 1000000, "unit": "CNY"},
    "expenses": {"value": 2.5, "unit": "CNY"},
    "cash_flow": {"value": -3, "unit": "USD"},
    "date": "2024-02-29",
}
GRAPH = Graph(
    [
        Entity("c/acme", "Company", (Name("Acme Inc.", "en"),), (Name("Acme", "en"),), ("ACM",)),
        Entity("c/long", "Company", (Name("Dragon Ltd", "en"), Name("龙公司", "zh"))),
        Entity("k/de", "Country", (Name("Germany", "en"),), (), ("DE",)),
        Entity("p/ann", "Person", (Name("Ann", "en"),)),
        Entity("p/bob", "Person", (Name("Bob", "en"),)),
    ],
    [Edge("c/acme", "country", "k/de"), Edge("c/acme", "chief_executive", "p/ann")],
    name="test",
)


def fits(rules: dict[str, Any], report: object, knowledge: Graph | None = None) -> bool:
    schema = rules_to_json_schema(rules, knowledge)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    return validator.is_valid(report)


def with_change(**changes: object) -> dict[str, Any]:
    report = {**REPORT, **changes}
    return {key: value for key, value in report.items() if value is not ...}


@pytest.mark.parametrize(
    ("report", "valid"),
    [
        (REPORT, True),
        (with_change(report_type="annual"), False),
        (with_change(report_type=...), False),
        (with_change(revenue=...), False),
        (with_change(cash_flow=...), False),
        (with_change(date=...), False),
        (with_change(revenue={"value": 999999.99, "unit": "CNY"}), False),
        (with_change(revenue={"value": 1e7, "unit": "USD"}), False),
        (with_change(revenue={"value": "1000000", "unit": "CNY"}), False),
        (with_change(revenue={"value": 1000000}), False),
        (with_change(revenue={"value": 1000000, "unit": "CNY", "note": ""}), False),
        (with_change(revenue=1000000), False),
        (with_change(expenses=12.5), True),
        (with_change(expenses="rose by a tenth"), True),
        (with_change(expenses=""), False),
        (with_change(expenses={"value": 1}), False),
        (with_change(expenses=None), False),
        (with_change(expenses=[]), False),
        (with_change(date="2023-02-29"), False),
        (with_change(date="2024-2-9"), False),
        (with_change(date="31.12.2024"), False),
        (with_change(outlook="good"), False),
        ([], False),
    ],
)
def test_the_rules_of_the_quarterly_report_mean_what_they_say(report: object, valid: bool) -> None:
    assert fits(VERBATIM, report) is valid


def test_shipped_rules_are_the_documented_ones() -> None:
    assert json.loads((SCHEMAS / "quarterly_report.rules.json").read_text("utf-8")) == VERBATIM


def test_shipped_schema_is_what_the_shipped_rules_mean() -> None:
    schema = json.loads((SCHEMAS / "quarterly_report.schema.json").read_text("utf-8"))
    assert schema == rules_to_json_schema(VERBATIM)


def test_shipped_company_rules_add_only_the_company() -> None:
    rules = json.loads((SCHEMAS / "quarterly_report_companies.rules.json").read_text("utf-8"))
    graph = load_graph("finance")
    for name, valid in [("Tencent Holdings", True), ("比亚迪", True), ("Nestlé", True), ("Acme Inc.", False)]:
        assert fits(rules, {**REPORT, "company": name}, graph) is valid
    assert rules["entity_constraints"].pop("company") == {"entity": "Company"}
    assert rules == VERBATIM


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        (
            {"min_value": 1, "max_value": 2},
            [{"value": 1}, {"value": 2}],
            [{"value": 2.1}, {"value": 1, "unit": "t"}, 1],
        ),
        ({"unit": "t"}, [{"value": -1, "unit": "t"}], [{"value": -1}, {"value": -1, "unit": "kg"}]),
        ({"unit": ["t", "kg"]}, [{"value": 0, "unit": "kg"}], [{"value": 0, "unit": "g"}]),
        ({"max_value": 0.5}, [{"value": 0.5}], [{"value": 0.50001}]),
        (
            {"format": "DD.MM.YYYY"},
            ["31.12.1999"],
            ["1999-12-31", "31.11.1999", "31.12.1999\n\n", " 31.12.1999"],
        ),
        ({"entity": "Company"}, ["Acme Inc.", "Acme", "龙公司"], ["ACM", "Germany", "acme", ""]),
        ({"entity": "Company", "names": "labels"}, ["Acme Inc.", "龙公司"], ["Acme"]),
        ({"entity": "Company", "names": "notations"}, ["ACM"], ["Acme"]),
        ({"entity": "Company", "names": "all"}, ["ACM", "Acme"], ["Germany"]),
        ({"entity": "Company", "language": "zh"}, ["龙公司"], ["Acme", "Dragon Ltd"]),
        ({"entity": "Company", "where": {"country": "Germany"}}, ["Acme"], ["Dragon Ltd"]),
        ({"entity": "Company", "where": {"country": "DE"}}, ["Acme"], ["Dragon Ltd"]),
        ({"entity": "Person", "relation": "chief_executive"}, ["Ann"], ["Bob"]),
    ],
)
def test_constraints_admit_and_refuse(
    constraint: dict[str, Any], good: list[object], bad: list[object]
) -> None:
    knowledge = GRAPH if "entity" in constraint else None
    rules = {"entity_constraints": {"x": constraint}}
    for value in good:
        assert fits(rules, {"x": value}, knowledge)
    for value in bad:
        assert not fits(rules, {"x": value}, knowledge)
    assert not fits(rules, {}, knowledge)


@pytest.mark.parametrize(
    ("rules", "kind", "location", "part_of_text"),
    [
        ({"report_typ": "x", "required_sections": []}, SchemaError, "#/report_typ", "`report_type`"),
        ({"report_type": 3}, SchemaError, "#/report_type", "text"),
        ({"report_type": ""}, SchemaError, "#/report_type", "text"),
        ({"required_sections": []}, SchemaError, "#", "nothing"),
        ({"required_sections": "revenue"}, SchemaError, "#/required_sections", "list"),
        ({"required_sections": ["a", "b", "a"]}, SchemaError, "#/required_sections/2", "twice"),
        ({"required_sections": [1]}, SchemaError, "#/required_sections/0", "text"),
        (
            {"report_type": "q", "required_sections": ["report_type"]},
            SchemaError,
            "#/required_sections/0",
            "called",
        ),
        (
            {"report_type": "q", "entity_constraints": {"report_type": {"unit": "x"}}},
            SchemaError,
            "#/entity_constraints/report_type",
            "again",
        ),
        ({"entity_constraints": []}, SchemaError, "#/entity_constraints", "object"),
        ({"entity_constraints": {"a": 1}}, SchemaError, "#/entity_constraints/a", "object"),
        ({"entity_constraints": {"a": {}}}, SchemaError, "#/entity_constraints/a", "empty"),
        (
            {"entity_constraints": {"a/b": {"minvalue": 1}}},
            SchemaError,
            "#/entity_constraints/a~1b/minvalue",
            "`min_value`",
        ),
        (
            {"entity_constraints": {"a": {"min_value": "1"}}},
            SchemaError,
            "#/entity_constraints/a/min_value",
            "number",
        ),
        (
            {"entity_constraints": {"a": {"min_value": True}}},
            SchemaError,
            "#/entity_constraints/a/min_value",
            "number",
        ),
        (
            {"entity_constraints": {"a": {"max_value": float("nan")}}},
            SchemaError,
            "#/entity_constraints/a/max_value",
            "number",
        ),
        (
            {"entity_constraints": {"a": {"min_value": 2, "max_value": 1}}},
            UnsatisfiableError,
            "#/entity_constraints/a/min_value",
            "no value",
        ),
        ({"entity_constraints": {"a": {"unit": []}}}, SchemaError, "#/entity_constraints/a/unit", "without"),
        (
            {"entity_constraints": {"a": {"unit": "x", "format": "YYYY"}}},
            SchemaError,
            "#/entity_constraints/a/format",
            "together",
        ),
        (
            {"entity_constraints": {"a": {"format": "YYYY-QQ"}}},
            SchemaError,
            "#/entity_constraints/a/format",
            "'Q'",
        ),
        (
            {"entity_constraints": {"a": {"format": "YYY"}}},
            SchemaError,
            "#/entity_constraints/a/format",
            "'YYY'",
        ),
        (
            {"entity_constraints": {"a": {"format": "DD/DD"}}},
            SchemaError,
            "#/entity_constraints/a/format",
            "twice",
        ),
        (
            {"entity_constraints": {"a": {"format": "--"}}},
            SchemaError,
            "#/entity_constraints/a/format",
            "no date",
        ),
        (
            {"entity_constraints": {"a": {"names": "labels"}}},
            SchemaError,
            "#/entity_constraints/a",
            "`entity`",
        ),
        (
            {"entity_constraints": {"a": {"entity": "Company"}}},
            KnowledgeError,
            "#/entity_constraints/a/entity",
            "--knowledge",
        ),
        ({"report_type": "q", "knowledge": "finance"}, KnowledgeError, "#/knowledge", "load_graph"),
    ],
)
def test_malformed_rules_are_refused_with_their_place(
    rules: dict[str, Any], kind: type[ConstrainError], location: str, part_of_text: str
) -> None:
    with pytest.raises(kind) as caught:
        rules_to_json_schema(rules)
    assert caught.value.location == location
    assert part_of_text in str(caught.value)


@pytest.mark.parametrize(
    ("rules", "kind", "part_of_text"),
    [
        (VERBATIM, KnowledgeError, "no rule asks"),
        (
            {"knowledge": "finance", "entity_constraints": {"a": {"entity": "Company"}}},
            KnowledgeError,
            "'test'",
        ),
        ({"entity_constraints": {"a": {"entity": "Compny"}}}, KnowledgeError, "'Company'"),
        (
            {"entity_constraints": {"a": {"entity": "Company", "relation": "ceo"}}},
            KnowledgeError,
            "no relation",
        ),
        (
            {"entity_constraints": {"a": {"entity": "Company", "where": {"country": "France"}}}},
            KnowledgeError,
            "'France'",
        ),
        ({"entity_constraints": {"a": {"entity": "Person", "names": "notations"}}}, KnowledgeError, "fits"),
        ({"entity_constraints": {"a": {"entity": "Person", "names": "label"}}}, SchemaError, "`labels`"),
        ({"entity_constraints": {"a": {"entity": "Person", "names": ["labels"]}}}, SchemaError, "kind"),
    ],
)
def test_what_the_graph_lacks_is_an_error_with_its_place(
    rules: dict[str, Any], kind: type[ConstrainError], part_of_text: str
) -> None:
    with pytest.raises(kind) as caught:
        rules_to_json_schema(rules, GRAPH)
    assert (caught.value.location or "").startswith("#/entity_constraints") or "knowledge" in rules
    assert part_of_text in str(caught.value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (VERBATIM, True),
        ({"required_sections": []}, True),
        ({"report_type": 1, "typo": 2}, True),
        ({"knowledge": "finance"}, False),
        ({"type": "object", "report_type": "q"}, False),
        ({"properties": {"report_type": True}}, False),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, False),
        ({}, False),
        (True, False),
        ([], False),
    ],
)
def test_rules_are_recognised_by_their_content(source: object, expected: bool) -> None:
    assert is_rules(source) is expected


ARRANGEMENTS: dict[str, Callable[[int, int, int], str]] = {
    "DD.MM.YYYY": lambda y, m, d: f"{d:02}.{m:02}.{y:04}",
    "YYYY/MM/DD": lambda y, m, d: f"{y:04}/{m:02}/{d:02}",
    "YYYY年MM月DD日": lambda y, m, d: f"{y:04}年{m:02}月{d:02}日",
    "YYYY年M月D日": lambda y, m, d: f"{y:04}年{m}月{d}日",
    "M/D/YYYY": lambda y, m, d: f"{m}/{d}/{y:04}",
    "YYYYMMDD": lambda y, m, d: f"{y:04}{m:02}{d:02}",
    "(DD) MM*YYYY": lambda y, m, d: f"({d:02}) {m:02}*{y:04}",
}
YEARS = (0, 1, 4, 100, 400, 999, 1000, 1900, 1999, 2000, 2001, 2004, 2023, 2024, 2100, 9996, 9999)


def is_real_date(year: int, month: int, day: int) -> bool:
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_dates_in_any_arrangement_are_those_of_the_calendar(arrangement: str) -> None:
    pattern = re.compile(date_pattern(arrangement))
    for year, month, day in itertools.product(YEARS, range(14), range(33)):
        text = ARRANGEMENTS[arrangement](year, month, day)
        assert bool(pattern.fullmatch(text)) is is_real_date(year, month, day), text


def test_leap_days_are_those_of_the_calendar_in_every_year() -> None:
    pattern = re.compile(date_pattern("DD-MM-YYYY"))
    for year in range(10_000):
        assert bool(pattern.fullmatch(f"29-02-{year:04}")) is (year > 0 and calendar.isleap(year))
        assert bool(pattern.fullmatch(f"28-02-{year:04}")) is (year > 0)


@pytest.mark.parametrize(
    ("arrangement", "good", "bad"),
    [
        ("hh:mm:ss", ["00:00:00", "23:59:59"], ["24:00:00", "12:60:00", "12:00:60", "1:00:00"]),
        ("HH:mm", ["09:30"], ["9:30", "09:30:00"]),
        ("h:mm", ["0:00", "9:05", "23:59"], ["09:05", "24:00"]),
        ("YYYY/MM/DD hh:mm", ["2024/02/29 23:59"], ["2023/02/29 23:59", "2024/02/29 24:00", "2024/02/29"]),
        ("YYYY-MM-DDThh:mm:ssZ", ["2024-02-29T00:00:00Z"], ["2024-02-30T00:00:00Z", "2024-02-29t00:00:00z"]),
        ("DD.MM.", ["29.02.", "31.12."], ["30.02.", "31.04."]),
        ("DD.MM.YY", ["29.02.00", "29.02.24"], ["29.02.23", "30.02.24"]),
        ("MM/YYYY", ["02/2023"], ["13/2023", "00/2023", "02/0000"]),
        ("DD", ["31"], ["00", "32", "1"]),
        ("YYYY", ["0001", "9999"], ["0000", "999", "10000"]),
    ],
)
def test_times_and_parts_of_dates(arrangement: str, good: list[str], bad: list[str]) -> None:
    pattern = re.compile(date_pattern(arrangement))
    assert [text for text in good if not pattern.fullmatch(text)] == []
    assert [text for text in bad if pattern.fullmatch(text)] == []
