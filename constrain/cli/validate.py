"""`constrain validate`: is a schema usable, and are instances valid?"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

from constrain.cli.inputs import STDIN, add_schema_options, compile_schema, options_of, read_bytes
from constrain.cli.problems import (
    EXIT_INVALID,
    EXIT_OK,
    EXIT_UNUSABLE,
    Problem,
    UnusableInputError,
    problem_of_error,
    write_problems,
)
from constrain.errors import ConstrainError, LimitExceeded

if TYPE_CHECKING:
    from constrain import Constraint

__all__ = ["add_command"]

_DESCRIPTION = """\
Check that SCHEMA is well-formed, can be satisfied, and can be enforced exactly; then check each INSTANCE.

The engine that constrains generation decides whether an instance is valid; `jsonschema` only helps to say
why it is not. Any JSON text whose value is valid counts; with --no-any-text, only one that generation could
write.
"""
_EPILOG = """\
examples:
  constrain validate schema.json
  constrain validate schema.json one.json two.json
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
        "instances", metavar="INSTANCE", nargs="*", help="JSON documents; - for standard input"
    )
    add_schema_options(parser)
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to write the outcome")
    parser.add_argument(
        "--any-text",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="accept every JSON text whose value is valid (the default)",
    )
    parser.set_defaults(run=run)


@dataclasses.dataclass(slots=True)
class _Outcome:
    """What is known of one input; `good` is None if that could not be decided."""

    file: str
    good: bool | None
    problems: list[Problem] = dataclasses.field(default_factory=list)


def run(arguments: argparse.Namespace) -> int:
    """Validate, write the outcome, and return the exit code."""
    from constrain.options import ANY_TEXT, Options

    schema = _Outcome(arguments.schema, True)
    instances: list[_Outcome] = []
    names = [name for name in (arguments.schema, *arguments.instances) if name == STDIN]
    options = options_of(arguments, ANY_TEXT if arguments.any_text else Options())
    try:
        if len(names) > 1:
            raise UnusableInputError(Problem(STDIN, "standard input can be read only once", "usage"))
        constraint = compile_schema(arguments.schema, arguments, options)
    except UnusableInputError as error:
        schema.good = False
        schema.problems.append(error.problem)
        # No document satisfies it, so every one is invalid: the question about instances has an answer.
        if error.problem.kind == "UnsatisfiableError":
            reason = "no document satisfies the schema"
            instances = [_Outcome(name, False, [Problem(name, reason)]) for name in arguments.instances]
    else:
        instances = [_check(name, constraint) for name in arguments.instances]
    code = _exit_code(schema, instances)
    if arguments.format == "json":
        _write_json(schema, instances, code)
    else:
        _write_text(schema, instances)
    return code


def _check(name: str, constraint: Constraint) -> _Outcome:
    """Whether the content of a file is a document of the constraint, and why not."""
    from constrain.cli.refusals import reasons

    try:
        data = read_bytes(name)
        if constraint.accepts(data):
            return _Outcome(name, True)
    except UnusableInputError as error:
        return _Outcome(name, None, [error.problem])
    except LimitExceeded as error:
        return _Outcome(name, None, [problem_of_error(error, name)])
    try:
        return _Outcome(name, False, reasons(name, data, constraint))
    except ConstrainError as error:
        return _Outcome(name, False, [problem_of_error(error, name)])


def _exit_code(schema: _Outcome, instances: list[_Outcome]) -> int:
    if any(outcome.good is None for outcome in instances) or not (schema.good or instances):
        return EXIT_UNUSABLE
    return EXIT_OK if all(outcome.good for outcome in instances) else EXIT_INVALID


def _write_text(schema: _Outcome, instances: list[_Outcome]) -> None:
    write_problems(schema.problems)
    if schema.good and not instances:
        print(f"{schema.file}: can be satisfied, and can be enforced exactly")
    for outcome in instances:
        if outcome.good:
            print(f"{outcome.file}: valid")
        sys.stdout.flush()  # the two streams are often one terminal
        write_problems(outcome.problems)


def _write_json(schema: _Outcome, instances: list[_Outcome], code: int) -> None:
    def errors(outcome: _Outcome) -> list[dict[str, object]]:
        return [problem.as_json() for problem in outcome.problems]

    report = {
        "schema": {"file": schema.file, "usable": schema.good, "errors": errors(schema)},
        "instances": [
            {"file": outcome.file, "valid": outcome.good, "errors": errors(outcome)} for outcome in instances
        ],
        "exit_code": code,
    }
    print(json.dumps(report, ensure_ascii=False, indent=2))
