"""`constrain validate`: is a schema usable, and are instances valid?"""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from constrain.cli.inputs import (
    STDIN,
    Compiled,
    add_schema_options,
    all_faults,
    instances_of,
    read_and_compile,
)
from constrain.cli.problems import (
    EXIT_INVALID,
    EXIT_OK,
    EXIT_UNUSABLE,
    Problem,
    UnusableInputError,
    problem_of_error,
    problem_of_finding,
)
from constrain.cli.reports import FORMATS, Outcome, write_report
from constrain.errors import ConstrainError

if TYPE_CHECKING:
    from constrain import Constraint
    from constrain.cli.refusals import Refusals

__all__ = ["add_command"]

_DESCRIPTION = """\
Check that SCHEMA is well-formed, can be satisfied, and can be enforced exactly; then check each INSTANCE.

Without an instance, all faults of the schema are listed, and warnings say what is probably a mistake in it:
parts that can never hold, keywords that do nothing, values that violate their own schema, misspelt names.

The engine that constrains generation decides whether an instance is valid; `jsonschema` only helps to say
why it is not. Any JSON text whose value is valid counts; with --no-any-text, only one that generation could
write.
"""
_EPILOG = """\
examples:
  constrain validate schema.json
  constrain validate schema.json --level note
  constrain validate schema.json one.json two.json
  constrain validate schema.json documents.jsonl --format full
  constrain validate schemas/quarterly_report_companies.rules.json report.json --knowledge finance
  curl -s https://example.org/report | constrain validate schema.json - --format json

An error is written as `file:line:column: pointer: keyword: message`. exit codes: 0 valid; 1 an instance is
invalid; 2 something cannot be used, and then nothing is said about validity.
"""


def add_command(commands: Any) -> None:
    """Add the command to the parser of `constrain`."""
    parser = commands.add_parser(
        "validate",
        help="check a schema, and instances against it",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "schema", metavar="SCHEMA", help="a JSON Schema or report rules; - for standard input"
    )
    parser.add_argument(
        "instances",
        metavar="INSTANCE",
        nargs="*",
        help="JSON documents, one per file, or one per line of a .jsonl file; - for standard input",
    )
    add_schema_options(parser)
    parser.add_argument(
        "--format",
        choices=list(FORMATS),
        default="text",
        help="a line per fault (text, the default), with excerpts (full), or json, sarif, github",
    )
    parser.add_argument(
        "--lint",
        action=argparse.BooleanOptionalAction,
        help="look for mistakes in the schema (the default without an instance)",
    )
    parser.add_argument(
        "--level",
        choices=list(_LEVELS),
        default="warning",
        help="what to report of the schema: errors, warnings too (the default), or notes too",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1, too, if the schema has warnings")
    parser.add_argument(
        "--jsonl", action="store_true", help="every line of an instance file is a document, whatever its name"
    )
    parser.add_argument(
        "--any-text",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="accept every JSON text whose value is valid (the default)",
    )
    parser.set_defaults(run=run)


_LEVELS = {"error": ("error",), "warning": ("error", "warning"), "note": ("error", "warning", "note")}


def run(arguments: argparse.Namespace) -> int:
    """Validate, write the outcome, and return the exit code."""
    from constrain.options import ANY_TEXT, Options

    schema = Outcome(arguments.schema, True)
    instances: list[Outcome] = []
    texts: dict[str, str] = {}
    is_linting = arguments.lint if arguments.lint is not None else not arguments.instances
    options = ANY_TEXT if arguments.any_text else Options()
    names = [name for name in (arguments.schema, *arguments.instances) if name == STDIN]
    try:
        if len(names) > 1:
            raise UnusableInputError(Problem(STDIN, "standard input can be read only once", "usage"))
        compiled = read_and_compile(arguments.schema, arguments, options, is_thorough=True)
        if compiled.document is not None:
            texts[arguments.schema] = compiled.document.text
        if is_linting and compiled.is_json_schema:
            _lint(schema, compiled, arguments)
    except UnusableInputError as error:
        schema.good = False
        schema.problems += error.problems
        # No document satisfies it, so every one is invalid: the question about instances has an answer.
        if error.problem.kind == "UnsatisfiableError":
            reason = "no document satisfies the schema"
            instances = [Outcome(name, False, [Problem(name, reason)]) for name in arguments.instances]
    else:
        from constrain.cli.refusals import Refusals

        refusals = Refusals(compiled.constraint)
        for name in arguments.instances:
            instances += _check_file(name, compiled.constraint, refusals, arguments.jsonl, texts)
    has_warnings = any(problem.severity == "warning" for problem in schema.problems)
    schema.problems = [each for each in schema.problems if each.severity in _LEVELS[arguments.level]]
    code = _exit_code(schema, instances)
    if code == EXIT_OK and arguments.strict and has_warnings:
        code = EXIT_INVALID
    write_report(arguments.format, schema, instances, code, texts)
    return code


def _lint(schema: Outcome, compiled: Compiled, arguments: argparse.Namespace) -> None:
    """Add what can be said against a schema that compiles.

    Raises:
        UnusableInputError: it has faults that compilation would meet only later.
    """
    document = compiled.document
    assert document is not None
    options = compiled.constraint.options
    known = compiled.constraint.documents
    faults = all_faults(arguments.schema, document, options, known)
    if faults:
        raise UnusableInputError(faults[0], faults[1:])
    if arguments.level == "error" and not arguments.strict:
        return
    from constrain.frontends.json_schema.lint_meaning import lint

    schema.problems += [
        problem_of_finding(finding, arguments.schema, document)
        for finding in lint(document.value, options, registry=known)
    ]


def _check_file(
    name: str, constraint: Constraint, refusals: Refusals, is_lines: bool, texts: dict[str, str]
) -> list[Outcome]:
    """The outcome of a file, or of each line of it."""
    try:
        documents = instances_of(name, is_lines=is_lines)
    except UnusableInputError as error:
        return [Outcome(name, None, [error.problem])]
    texts[name] = b"\n".join(_padded(documents)).decode("utf-8", "replace")
    return [_check(name, line, data, constraint, refusals) for line, data in documents]


def _padded(documents: list[tuple[int | None, bytes]]) -> list[bytes]:
    """The lines of a file by number, those without a document blank; or its only text."""
    if len(documents) == 1 and documents[0][0] is None:
        return [documents[0][1]]
    lines = [b""] * (documents[-1][0] or 0) if documents else []
    for number, data in documents:
        assert number is not None
        lines[number - 1] = data
    return lines


def _check(name: str, line: int | None, data: bytes, constraint: Constraint, refusals: Refusals) -> Outcome:
    """Whether a text is a document of the constraint, and why not."""
    try:
        if constraint.accepts(data):
            return Outcome(name, True, line=line)
    except ConstrainError as error:
        # A budget was met, or a part that is needed only now cannot be enforced.
        return Outcome(name, None, _moved([problem_of_error(error, name)], line), line)
    try:
        problems = refusals.reasons(name, data)
    except ConstrainError as error:
        problems = [problem_of_error(error, name)]
    return Outcome(name, False, _moved(problems, line), line)


def _moved(problems: list[Problem], line: int | None) -> list[Problem]:
    """The problems of a text that is one line of a file, with the lines of the file."""
    if line is None:
        return problems
    return [
        dataclasses.replace(
            problem,
            line=line - 1 + (problem.line or 1),
            column=problem.column or 1,
            end_line=None if problem.end_line is None else line - 1 + problem.end_line,
            causes=tuple(_moved(list(problem.causes), line)),
        )
        for problem in problems
    ]


def _exit_code(schema: Outcome, instances: list[Outcome]) -> int:
    if any(outcome.good is None for outcome in instances) or not (schema.good or instances):
        return EXIT_UNUSABLE
    return EXIT_OK if all(outcome.good for outcome in instances) else EXIT_INVALID
