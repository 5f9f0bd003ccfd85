"""What a command has to say about an input: data first, written as text or as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from constrain.errors import ConstrainError
from constrain.frontends.json_positions import JsonDocument, JsonTextError

__all__ = [
    "EXIT_INVALID",
    "EXIT_OK",
    "EXIT_UNUSABLE",
    "Problem",
    "UnusableInputError",
    "problem_of_error",
    "write_problems",
]

EXIT_OK = 0
EXIT_INVALID = 1
EXIT_UNUSABLE = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of one input.

    Attributes:
        file: the name the input was given by.
        message: what is wrong, one sentence without a full stop.
        kind: the type of the error, or `invalid` for a fault of an instance.
        line, column: where it is, from 1, if that is known.
        pointer: the JSON Pointer of the value or sub-schema concerned.
        keyword: the keyword or rule concerned.
        expected: what that keyword asks for.
        remedy: what can be done about it.
    """

    file: str
    message: str
    kind: str = "invalid"
    line: int | None = None
    column: int | None = None
    pointer: str | None = None
    keyword: str | None = None
    expected: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        pointer = f" {self.pointer}:" if self.pointer is not None else ""
        keyword = f" `{self.keyword}`:" if self.keyword is not None else ""
        expected = f"; expected {self.expected}" if self.expected is not None else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{place}:{pointer}{keyword} {self.message}{expected}{remedy}"

    def as_json(self) -> dict[str, object]:
        """The members that are known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class UnusableInputError(Exception):
    """An input that a command cannot go on with."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def problem_of_error(error: ConstrainError, file: str, document: JsonDocument | None = None) -> Problem:
    """An error of the library as a problem of the file it is about."""
    line: int | None = None
    column: int | None = None
    pointer = error.location
    if isinstance(error, JsonTextError):
        line, column, pointer = error.line, error.column, None
    elif document is not None and pointer is not None and (position := document.position(pointer)):
        line, column = position
    return Problem(
        file,
        error.reason,
        type(error).__name__,
        line=line,
        column=column,
        pointer=pointer,
        keyword=error.keyword,
        remedy=error.remedy,
    )


def write_problems(problems: Iterable[Problem]) -> None:
    """Write problems to the standard error stream, one per line."""
    for problem in problems:
        print(problem, file=sys.stderr)
