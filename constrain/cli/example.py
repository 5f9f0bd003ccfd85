"""`constrain example`: random documents of a schema."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from constrain.cli.inputs import add_schema_options, compile_schema
from constrain.cli.problems import (
    EXIT_OK,
    EXIT_UNUSABLE,
    UnusableInputError,
    problem_of_error,
    write_problems,
)
from constrain.errors import ConstrainError

__all__ = ["add_command"]

_DESCRIPTION = """\
Print random documents that satisfy SCHEMA, one per line. The same seed gives the same documents.
"""
_EPILOG = """\
examples:
  constrain example schema.json
  constrain example schema.json --minimal
  constrain example schema.json -n 100 --seed 7 > documents.jsonl
  constrain example schemas/quarterly_report_companies.rules.json --knowledge finance
"""


def add_command(commands: Any) -> None:
    """Add the command to the parser of `constrain`."""
    parser = commands.add_parser(
        "example",
        help="print random documents of a schema",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "schema", metavar="SCHEMA", help="a JSON Schema or report rules; - for standard input"
    )
    parser.add_argument("-n", "--count", type=_count, default=1, metavar="N", help="how many (default: 1)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="the seed of the first (default: 0)")
    parser.add_argument(
        "--minimal", action="store_true", help="print one short document instead, without random choices"
    )
    parser.add_argument(
        "--whitespace",
        choices=["compact", "bounded"],
        default="compact",
        help="no white space between JSON tokens (the default), or some, as a model may write it",
    )
    add_schema_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the documents and return the exit code."""
    from constrain.options import Options

    options = dataclasses.replace(Options(), whitespace=arguments.whitespace)
    try:
        constraint = compile_schema(arguments.schema, arguments, options)
        if arguments.minimal:
            print(constraint.example(minimal=True))
            return EXIT_OK
        for seed in range(arguments.seed, arguments.seed + arguments.count):
            print(constraint.example(seed))
    except UnusableInputError as error:
        write_problems([error.problem])
        return EXIT_UNUSABLE
    except ConstrainError as error:
        write_problems([problem_of_error(error, arguments.schema)])
        return EXIT_UNUSABLE
    return EXIT_OK


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count
