"""Problems as a SARIF log (OASIS, Static Analysis Results Interchange Format 2.1.0)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from urllib.parse import quote

from constrain.cli.problems import Problem

__all__ = ["sarif_log"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif_log(problems: Iterable[Problem]) -> dict[str, object]:
    """Return a log with one run; every rule that a result names is described in it."""
    from constrain import __version__
    from constrain.frontends.json_schema.findings import RULES

    problems = list(problems)
    rules = sorted({_rule(problem) for problem in problems})
    descriptors = [{"id": rule, "shortDescription": {"text": _described(rule, RULES)}} for rule in rules]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "constrain", "version": __version__, "rules": descriptors}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem, rules) for problem in problems],
            }
        ],
    }


def _rule(problem: Problem) -> str:
    if problem.kind == "invalid":
        return f"instance/{problem.keyword or 'json'}"
    return f"schema/{problem.kind}" if problem.severity != "error" else f"error/{problem.kind}"


def _described(rule: str, rules: dict[str, str]) -> str:
    family, _, name = rule.partition("/")
    if family == "schema":
        return rules[name]
    if family == "instance":
        return "the text is not JSON" if name == "json" else f"the instance violates `{name}`"
    return f"the input cannot be used or is refused: {name}"


def _result(problem: Problem, rules: list[str]) -> dict[str, object]:
    message = problem.sentence
    for depth, cause in problem.with_causes():
        if depth:
            message += "\n" + "  " * depth + cause.sentence
    result: dict[str, object] = {
        "ruleId": _rule(problem),
        "ruleIndex": rules.index(_rule(problem)),
        "level": problem.severity,
        "message": {"text": message},
        "locations": [_location(problem)],
    }
    related = [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": _uri(problem.file)},
                "region": {"startLine": each.line, "startColumn": each.column},
            },
            "logicalLocations": [{"fullyQualifiedName": each.pointer}],
        }
        for each in problem.related
        if each.line is not None
    ]
    if related:
        result["relatedLocations"] = related
    if problem.schema_pointer is not None:
        result["properties"] = {"schemaPointer": problem.schema_pointer}
    return result


def _location(problem: Problem) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(problem.file)}}
    names = {"line": "startLine", "column": "startColumn", "end_line": "endLine", "end_column": "endColumn"}
    region = {name: value for key, name in names.items() if (value := getattr(problem, key)) is not None}
    if region:
        physical["region"] = region
    location: dict[str, object] = {"physicalLocation": physical}
    if problem.pointer is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.pointer}]
    return location


def _uri(file: str) -> str:
    """A URI reference: relative for relative names, as code scanning services want it."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
