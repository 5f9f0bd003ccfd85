"""What commands read: files, standard input, graphs, and the schema they compile."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from constrain.cli.problems import Problem, UnusableInputError, problem_of_error
from constrain.errors import ConstrainError
from constrain.frontends.json_positions import JsonDocument, read_json

if TYPE_CHECKING:
    from constrain import Constraint
    from constrain.knowledge import Graph
    from constrain.options import Options

__all__ = [
    "STDIN",
    "add_schema_options",
    "compile_schema",
    "load_knowledge",
    "options_of",
    "read_bytes",
    "read_schema",
]

STDIN = "-"


def add_schema_options(parser: argparse.ArgumentParser) -> None:
    """The options that say how a schema is read."""
    parser.add_argument(
        "--knowledge",
        metavar="GRAPH",
        help="the knowledge graph that the rules ask: the name of one that ships (finance), or a path",
    )
    parser.add_argument(
        "--formats",
        choices=["assert", "annotate"],
        default="assert",
        help="enforce `format` (the default), or ignore it as draft 2020-12 does by default",
    )
    parser.add_argument(
        "--dialect",
        choices=["2020-12", "2019-09", "7", "6", "4"],
        default="2020-12",
        help="the draft of a JSON Schema that has no `$schema` (default: %(default)s)",
    )


def options_of(arguments: argparse.Namespace, base: Options) -> Options:
    """The base options, changed as the arguments of `add_schema_options` say."""
    return dataclasses.replace(base, formats=arguments.formats, dialect=arguments.dialect)


def read_bytes(name: str) -> bytes:
    """The content of a file, or of the standard input for `-`.

    Raises:
        UnusableInputError: it cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise UnusableInputError(Problem(name, f"cannot be read: {reason}", "OSError")) from error


def read_schema(name: str) -> tuple[str, JsonDocument | None]:
    """The text of a schema and, if it is JSON, its value with positions.

    Raises:
        UnusableInputError: it cannot be read, is not UTF-8, or is neither XML nor JSON.
    """
    data = read_bytes(name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise UnusableInputError(
            Problem(name, "not UTF-8", "SchemaError", line=line, column=column)
        ) from error
    if text.lstrip().startswith("<"):
        return text, None
    try:
        return text, read_json(text)
    except ConstrainError as error:
        raise UnusableInputError(problem_of_error(error, name)) from error


def load_knowledge(arguments: argparse.Namespace) -> Graph | None:
    """The graph that `--knowledge` names.

    Raises:
        UnusableInputError: it cannot be read.
    """
    if arguments.knowledge is None:
        return None
    from constrain.knowledge import load_graph

    try:
        return load_graph(arguments.knowledge)
    except ConstrainError as error:
        raise UnusableInputError(problem_of_error(error, arguments.knowledge)) from error


def compile_schema(name: str, arguments: argparse.Namespace, options: Options) -> Constraint:
    """Read and compile a schema with the arguments of `add_schema_options`.

    Raises:
        UnusableInputError: one of the inputs cannot be read, or the schema cannot be used.
    """
    import constrain

    text, document = read_schema(name)
    knowledge = load_knowledge(arguments)
    try:
        return constrain.compile(text, knowledge=knowledge, options=options_of(arguments, options))
    except ConstrainError as error:
        raise UnusableInputError(problem_of_error(error, name, document)) from error
