"""`constrain explain`: what was understood of a schema."""

from __future__ import annotations

import argparse
import json
from typing import Any

from constrain.cli.inputs import add_schema_options, compile_schema
from constrain.cli.problems import EXIT_OK, EXIT_UNUSABLE, UnusableInputError, write_problems

__all__ = ["add_command"]

_DESCRIPTION = """\
Print what the engine understood of SCHEMA: what each place accepts in words, which parts can never hold or
exclude nothing, which keywords are only annotations, what the text policy leaves free, what decoding may
cost, and for report rules the JSON Schema that they mean.
"""
_EPILOG = """\
examples:
  constrain explain schema.json
  constrain explain schema.json --format json
  constrain explain schemas/quarterly_report.rules.json
  constrain explain schemas/quarterly_report_companies.rules.json --knowledge finance
"""


def add_command(commands: Any) -> None:
    """Add the command to the parser of `constrain`."""
    parser = commands.add_parser(
        "explain",
        help="say what was understood of a schema",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "schema", metavar="SCHEMA", help="a JSON Schema or report rules; - for standard input"
    )
    add_schema_options(parser)
    parser.add_argument(
        "--format", choices=["text", "json"], default="text", help="for people (the default), or for programs"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation and return the exit code."""
    from constrain.options import Options

    try:
        constraint = compile_schema(arguments.schema, arguments, Options())
    except UnusableInputError as error:
        write_problems(error.problems)
        return EXIT_UNUSABLE
    if arguments.format == "text":
        print(constraint.explain())
        return EXIT_OK
    from constrain.frontends.json_schema.explanation import explanation

    explained = explanation(constraint.source, constraint.options, constraint.rules, constraint.documents)
    print(json.dumps(explained.as_json(), ensure_ascii=False, indent=2, default=float))
    return EXIT_OK
