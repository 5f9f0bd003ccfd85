"""What a command has to say about an input: data first; `reports` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, NamedTuple

from constrain.errors import ConstrainError, UnsatisfiableError
from constrain.frontends.json_positions import JsonDocument, JsonTextError, Span

if TYPE_CHECKING:
    from constrain.frontends.json_schema.findings import Finding

__all__ = [
    "EXIT_INVALID",
    "EXIT_OK",
    "EXIT_UNUSABLE",
    "Problem",
    "Related",
    "Severity",
    "UnusableInputError",
    "problem_of_error",
    "problem_of_finding",
    "related_places",
    "span_of_pointer",
    "write_problems",
]

EXIT_OK = 0
EXIT_INVALID = 1
EXIT_UNUSABLE = 2

Severity = Literal["error", "warning", "note"]


class Related(NamedTuple):
    """A further place of an input; line and column from 1, if they are known."""

    pointer: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of one input.

    Attributes:
        file: the name the input was given by.
        message: what is wrong, one sentence without a full stop.
        kind: the type of the error, `invalid` for a fault of an instance, or the rule of a schema warning.
        severity: a warning or a note never makes an input invalid.
        line, column: where it starts, from 1, if that is known.
        end_line, end_column: the position behind its end.
        pointer: the JSON Pointer of the value or sub-schema concerned.
        keyword: the keyword or rule concerned.
        schema_pointer: of a fault of an instance: the JSON Pointer of the keyword in the schema.
        expected: what that keyword asks for, in words.
        found: what is there instead.
        remedy: what can be done about it.
        related: further places of the same input that have part in it.
        causes: the faults behind this one, of the alternative that fits best.
    """

    file: str
    message: str
    kind: str = "invalid"
    severity: Severity = "error"
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    pointer: str | None = None
    keyword: str | None = None
    schema_pointer: str | None = None
    expected: str | None = None
    found: str | None = None
    remedy: str | None = None
    related: tuple[Related, ...] = ()
    causes: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        severity = f" {self.severity}:" if self.severity != "error" else ""
        return f"{self.place}:{severity} {self.sentence}"

    @property
    def place(self) -> str:
        """The file with line and column, as editors read it."""
        return self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"

    @property
    def sentence(self) -> str:
        """Everything but the file, its line and the severity."""
        pointer = f"{self.pointer}: " if self.pointer is not None else ""
        keyword = f"`{self.keyword}`: " if self.keyword is not None else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        rule = f" [{self.kind}]" if self.severity != "error" else ""
        return f"{pointer}{keyword}{self.message}{remedy}{rule}"

    def as_json(self) -> dict[str, object]:
        """The members that are known."""
        members = {each.name: getattr(self, each.name) for each in fields(self)}
        known = {name: value for name, value in members.items() if value is not None and value != ()}
        if self.related:
            known["related"] = [each._asdict() for each in self.related]
        if self.causes:
            known["causes"] = [cause.as_json() for cause in self.causes]
        return known

    def with_causes(self, depth: int = 0) -> Iterator[tuple[int, Problem]]:
        """This problem and all below it, each with its depth."""
        yield depth, self
        for cause in self.causes:
            yield from cause.with_causes(depth + 1)


class UnusableInputError(Exception):
    """An input that a command cannot go on with; `others` are further faults of it."""

    def __init__(self, problem: Problem, others: Iterable[Problem] = ()) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.problems = [problem, *others]


def problem_of_error(error: ConstrainError, file: str, document: JsonDocument | None = None) -> Problem:
    """Return an error as a problem of a file.

    Args:
        error: its location, if it is a JSON Pointer, is looked up in `document`.
        file: what to call the input.
        document: the input, if it is JSON.
    """
    span: Span | None = None
    pointer = error.location
    line = column = None
    if isinstance(error, JsonTextError):
        line, column, pointer = error.line, error.column, None
    elif document is not None and pointer is not None:
        span = span_of_pointer(document, pointer, error.keyword)
    related: tuple[Related, ...] = ()
    if isinstance(error, UnsatisfiableError):
        related = related_places(document, [place for place in error.locations if place != pointer])
    return Problem(
        file,
        error.reason,
        type(error).__name__,
        line=span.start.line if span else line,
        column=span.start.column if span else column,
        end_line=span.end.line if span else None,
        end_column=span.end.column if span else None,
        pointer=pointer,
        keyword=error.keyword,
        remedy=error.remedy,
        related=related,
    )


def problem_of_finding(finding: Finding, file: str, document: JsonDocument | None) -> Problem:
    """Return a remark on a schema as a problem of its file."""
    span = document and span_of_pointer(document, finding.location, finding.keyword)
    return Problem(
        file,
        finding.message,
        finding.rule,
        finding.severity,
        line=span.start.line if span else None,
        column=span.start.column if span else None,
        end_line=span.end.line if span else None,
        end_column=span.end.column if span else None,
        pointer=finding.location,
        keyword=finding.keyword,
        remedy=finding.remedy,
        related=related_places(document, finding.related),
    )


def related_places(document: JsonDocument | None, pointers: Iterable[str]) -> tuple[Related, ...]:
    """Return places with their positions, as far as there is a document that has them."""
    positions = [(pointer, document and document.position(pointer)) for pointer in pointers]
    return tuple(Related(pointer, *(position or (None, None))) for pointer, position in positions)


def span_of_pointer(document: JsonDocument, pointer: str, keyword: str | None = None) -> Span | None:
    """Return where a keyword of the schema at a pointer stands; the whole schema for no keyword."""
    if keyword is not None:
        escaped = keyword.replace("~", "~0").replace("/", "~1")
        span = document.span(f"{pointer}/{escaped}")
        if span is not None:
            return span
    return document.span(pointer)


def write_problems(problems: Iterable[Problem]) -> None:
    """Write problems to the standard error stream, one per line, causes indented below."""
    for problem in problems:
        for depth, each in problem.with_causes():
            print("    " * depth + str(each), file=sys.stderr)
