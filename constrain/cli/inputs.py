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
    "load_registry",
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
        "--registry",
        metavar="PATH",
        action="append",
        default=[],
        help="a JSON Schema that SCHEMA may refer to, or a folder of such *.json files; may be repeated. "
        "A file is known by its `$id`, and by its path in the folder",
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


def load_registry(arguments: argparse.Namespace) -> dict[str, object] | None:
    """The documents that `--registry` names, by their paths; `None` if there are none.

    Raises:
        UnusableInputError: one cannot be read or is not JSON.
    """
    if not arguments.registry:
        return None
    found: dict[str, object] = {}
    for name in arguments.registry:
        folder = Path(name)
        files = sorted(folder.rglob("*.json")) if folder.is_dir() else [folder]
        for file in files:
            key = file.relative_to(folder).as_posix() if folder.is_dir() else file.name
            if key in found:
                raise UnusableInputError(Problem(str(file), f"{key} is in the registry twice", "usage"))
            _, document = read_schema(str(file))
            if document is None:
                raise UnusableInputError(Problem(str(file), "is not JSON", "SchemaError"))
            found[key] = document.value
    return found


def compile_schema(name: str, arguments: argparse.Namespace, options: Options) -> Constraint:
    """Read and compile a schema with the arguments of `add_schema_options`.

    Raises:
        UnusableInputError: one of the inputs cannot be read, or the schema cannot be used.
    """
    import constrain

    text, document = read_schema(name)
    knowledge = load_knowledge(arguments)
    registry = load_registry(arguments)
    try:
        return constrain.compile(
            text, knowledge=knowledge, options=options_of(arguments, options), registry=registry
        )
    except ConstrainError as error:
        raise UnusableInputError(problem_of_error(error, name, document)) from error
