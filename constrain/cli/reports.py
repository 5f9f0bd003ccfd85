"""How the outcome of `validate` is written: for people, editors, programs and code scanning services."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from constrain.cli.problems import Problem
from constrain.cli.sarif import sarif_log

__all__ = ["FORMATS", "Outcome", "write_report"]

_COLOURS = {"error": "\033[1;31m", "warning": "\033[1;33m", "note": "\033[1;36m"}
_PLAIN = "\033[0m"
_DIM = "\033[2m"

#: Beyond this many columns a source line is cut.
_MAX_COLUMNS = 160


@dataclass(slots=True)
class Outcome:
    """What is known of one input; `good` is None if that could not be decided.

    Attributes:
        line: of an instance that is one line of a file: which.
    """

    file: str
    good: bool | None
    problems: list[Problem] = field(default_factory=list)
    line: int | None = None


def write_report(
    name: str, schema: Outcome, instances: list[Outcome], code: int, texts: Mapping[str, str]
) -> None:
    """Write the outcome in one of `FORMATS`.

    Args:
        name: of the format.
        schema, instances: what was found.
        code: the exit code, for those who read the output only.
        texts: the inputs by name, as far as they could be read, for excerpts.
    """
    FORMATS[name](schema, instances, code, texts)


def _write_text(
    schema: Outcome, instances: list[Outcome], code: int, texts: Mapping[str, str], *, is_full: bool = False
) -> None:
    """One line per fault on the standard error stream, one per valid instance on the other."""

    def write(problems: Iterable[Problem]) -> None:
        for problem in problems:
            for depth, each in problem.with_causes():
                print(_line(each, depth, sys.stderr), file=sys.stderr)
                if is_full:
                    for line in _excerpt(each, texts):
                        print("    " * depth + line, file=sys.stderr)

    write(schema.problems)
    if schema.good and not instances:
        print(f"{schema.file}: can be satisfied, and can be enforced exactly")
    lines: dict[str, list[bool]] = {}
    for outcome in instances:
        if outcome.line is not None:
            lines.setdefault(outcome.file, []).append(bool(outcome.good))
        elif outcome.good:
            print(f"{outcome.file}: valid")
        sys.stdout.flush()  # the two streams are often one terminal
        write(outcome.problems)
    for file, verdicts in lines.items():
        print(f"{file}: {sum(verdicts)} of {len(verdicts)} documents are valid")


def _write_full(schema: Outcome, instances: list[Outcome], code: int, texts: Mapping[str, str]) -> None:
    _write_text(schema, instances, code, texts, is_full=True)


def _line(problem: Problem, depth: int, stream: TextIO) -> str:
    if not (stream.isatty() and "NO_COLOR" not in os.environ):
        return "    " * depth + str(problem)
    severity = f"{_COLOURS[problem.severity]}{problem.severity}:{_PLAIN}"
    return f"{'    ' * depth}{_DIM}{problem.place}:{_PLAIN} {severity} {problem.sentence}"


def _excerpt(problem: Problem, texts: Mapping[str, str]) -> Iterator[str]:
    """The source line with the stretch underlined, and where the schema says so."""
    text = texts.get(problem.file)
    if text is not None and problem.line is not None and problem.column is not None:
        lines = text.splitlines()
        line = lines[problem.line - 1] if problem.line <= len(lines) else ""
        start = problem.column - 1
        end = len(line)
        if problem.end_line == problem.line and problem.end_column is not None:
            end = problem.end_column - 1
        cut = max(0, start - _MAX_COLUMNS // 2)
        shown = line[cut : cut + _MAX_COLUMNS].expandtabs(1)
        width = max(1, min(end - cut, len(shown)) - (start - cut))
        number = str(problem.line)
        yield f"  {number} | {shown}"
        yield f"  {' ' * len(number)} | {' ' * (start - cut)}{'^' * width}"
    if problem.schema_pointer is not None:
        yield f"  the schema says so at {problem.schema_pointer}"
    for each in problem.related:
        place = f"{problem.file}:{each.line}:{each.column}: " if each.line is not None else ""
        yield f"  with {place}{each.pointer}"


def _write_json(schema: Outcome, instances: list[Outcome], code: int, texts: Mapping[str, str]) -> None:
    report = {
        "schema": {
            "file": schema.file,
            "usable": schema.good,
            "errors": [each.as_json() for each in schema.problems if each.severity == "error"],
            "findings": [each.as_json() for each in schema.problems if each.severity != "error"],
        },
        "instances": [
            {
                "file": outcome.file,
                **({} if outcome.line is None else {"line": outcome.line}),
                "valid": outcome.good,
                "errors": [each.as_json() for each in outcome.problems],
            }
            for outcome in instances
        ],
        "exit_code": code,
    }
    print(json.dumps(report, ensure_ascii=False, indent=2))


def _write_sarif(schema: Outcome, instances: list[Outcome], code: int, texts: Mapping[str, str]) -> None:
    print(json.dumps(sarif_log(_all(schema, instances)), ensure_ascii=False, indent=2))


def _write_github(schema: Outcome, instances: list[Outcome], code: int, texts: Mapping[str, str]) -> None:
    """Workflow commands that GitHub turns into annotations of a change."""

    def escaped(text: str, more: str = "") -> str:
        for char in "%\r\n" + more:
            text = text.replace(char, f"%{ord(char):02X}")
        return text

    for problem in _all(schema, instances):
        command = {"note": "notice"}.get(problem.severity, problem.severity)
        names = {"line": "line", "end_line": "endLine", "column": "col", "end_column": "endColumn"}
        places = [f"file={escaped(problem.file, ':,')}"]
        places += [
            f"{name}={value}" for key, name in names.items() if (value := getattr(problem, key)) is not None
        ]
        print(f"::{command} {','.join(places)}::{escaped(problem.sentence)}")


def _all(schema: Outcome, instances: list[Outcome]) -> list[Problem]:
    return [problem for outcome in (schema, *instances) for problem in outcome.problems]


#: How an outcome can be written: name -> writer.
FORMATS: dict[str, Callable[[Outcome, list[Outcome], int, Mapping[str, str]], None]] = {
    "text": _write_text,
    "full": _write_full,
    "json": _write_json,
    "sarif": _write_sarif,
    "github": _write_github,
}
