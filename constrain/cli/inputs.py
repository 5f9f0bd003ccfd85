"""What commands read: files, standard input, graphs, and the schema they compile."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from constrain.cli.problems import Problem, UnusableInputError, problem_of_error
from constrain.errors import ConstrainError, SchemaError, UnsupportedError
from constrain.frontends.json_positions import JsonDocument, read_json

if TYPE_CHECKING:
    from constrain import Constraint
    from constrain.knowledge import Graph
    from constrain.options import Options

__all__ = [
    "STDIN",
    "Compiled",
    "add_schema_options",
    "all_faults",
    "compile_schema",
    "instances_of",
    "load_knowledge",
    "load_registry",
    "options_of",
    "read_and_compile",
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
        "--content",
        choices=["annotate", "assert"],
        default="annotate",
        help="ignore `contentEncoding` (the default), or enforce it",
    )
    parser.add_argument(
        "--dialect",
        choices=["2020-12", "2019-09", "7", "6", "4"],
        default="2020-12",
        help="the draft of a JSON Schema that has no `$schema` (default: %(default)s)",
    )


def options_of(arguments: argparse.Namespace, base: Options) -> Options:
    """The base options, changed as the arguments of `add_schema_options` say."""
    return dataclasses.replace(
        base, formats=arguments.formats, content=arguments.content, dialect=arguments.dialect
    )


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


@dataclasses.dataclass(frozen=True, slots=True)
class Compiled:
    """A schema that can be used, and the text that it was read from.

    Attributes:
        document: None for a text that is not JSON.
        is_json_schema: whether the locations of the constraint are places of the document.
    """

    constraint: Constraint
    document: JsonDocument | None
    is_json_schema: bool


def compile_schema(name: str, arguments: argparse.Namespace, options: Options) -> Constraint:
    """Read and compile a schema with the arguments of `add_schema_options`.

    Raises:
        UnusableInputError: one of the inputs cannot be read, or the schema cannot be used.
    """
    return read_and_compile(name, arguments, options).constraint


def read_and_compile(
    name: str, arguments: argparse.Namespace, options: Options, *, is_thorough: bool = False
) -> Compiled:
    """Read and compile a schema with the arguments of `add_schema_options`.

    Args:
        name: a file, or `-`.
        arguments: of the command line.
        options: the text policy.
        is_thorough: look for all faults of a schema that cannot be used, not only for the first.

    Raises:
        UnusableInputError: one of the inputs cannot be read, or the schema cannot be used.
    """
    import constrain

    text, document = read_schema(name)
    knowledge = load_knowledge(arguments)
    registry = load_registry(arguments)
    chosen = options_of(arguments, options)
    try:
        constraint = constrain.compile(text, knowledge=knowledge, options=chosen, registry=registry)
    except ConstrainError as error:
        problem = problem_of_error(error, name, document)
        others: list[Problem] = []
        if is_thorough and document is not None and isinstance(error, SchemaError | UnsupportedError):
            others = [other for other in all_faults(name, document, chosen, registry) if other != problem]
        raise UnusableInputError(problem, others) from error
    return Compiled(constraint, document, document is not None and constraint.rules is None)


def all_faults(
    name: str, document: JsonDocument, options: Options, registry: Mapping[str, object] | None = None
) -> list[Problem]:
    """Every keyword of a JSON Schema that is malformed or cannot be enforced; none for report rules."""
    from constrain.frontends.rules import is_rules

    if is_rules(document.value):
        return []
    from constrain.frontends.json_schema.faults import faults

    return [problem_of_error(error, name, document) for error in faults(document.value, options, registry)]


def instances_of(name: str, *, is_lines: bool) -> list[tuple[int | None, bytes]]:
    """The documents of a file: (line, bytes) for each line that is not blank, or (None, all of it).

    Args:
        name: a file, or `-`.
        is_lines: whether it is JSON Lines whatever its name; `.jsonl` and `.ndjson` always are.

    Raises:
        UnusableInputError: it cannot be read.
    """
    data = read_bytes(name)
    if not is_lines and not name.lower().endswith((".jsonl", ".ndjson")):
        return [(None, data)]
    lines = enumerate(data.split(b"\n"), 1)
    return [(number, line.removesuffix(b"\r")) for number, line in lines if line.strip()]
