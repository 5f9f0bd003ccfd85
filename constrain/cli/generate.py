"""`constrain generate`: let a model write a document of a schema."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from constrain.cli.inputs import STDIN, add_schema_options, compile_schema, read_bytes
from constrain.cli.problems import (
    EXIT_OK,
    EXIT_UNUSABLE,
    Problem,
    UnusableInputError,
    problem_of_error,
    write_problems,
)
from constrain.errors import ConstrainError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["add_command"]

_DESCRIPTION = """\
Let a language model answer PROMPT with a document that satisfies the schema, and print it. Every answer is
complete and valid: decoding steers to an end within --max-new-tokens.
"""
_EPILOG = """\
examples:
  constrain generate --model gemma3-270m --schema schema.json "Describe a cat as JSON."
  constrain generate --model ./my-model --schema schemas/quarterly_report_companies.rules.json \\
      --knowledge finance - < examples/quarterly_report/inputs/tencent.txt
  constrain generate --model ./my-vision-model --schema invoice.json --image scan.png "Read it."

Needs torch and transformers: pip install "constrain[models]"
"""


def add_command(commands: Any) -> None:
    """Add the command to the parser of `constrain`."""
    parser = commands.add_parser(
        "generate",
        help="let a model write a document of a schema",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("prompt", metavar="PROMPT", help="what the model is asked; - for standard input")
    parser.add_argument(
        "--model",
        required=True,
        metavar="NAME",
        help="a model of transformers: name or folder; or a GGUF file",
    )
    parser.add_argument("--schema", required=True, metavar="SCHEMA", help="a JSON Schema or report rules")
    parser.add_argument(
        "--max-new-tokens",
        type=int,
        default=512,
        metavar="N",
        help="the budget of the document in tokens (default: %(default)s)",
    )
    parser.add_argument(
        "--image", action="append", default=[], metavar="FILE", help="an image for the model; may be repeated"
    )
    parser.add_argument(
        "--temperature",
        type=float,
        metavar="T",
        help="sample at this temperature; without it, greedy decoding",
    )
    parser.add_argument("--seed", type=int, metavar="S", help="the seed of sampling")
    parser.add_argument("--output", metavar="FILE", help="write the document to a file, too")
    add_schema_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Generate, print the document and return the exit code."""
    from constrain.options import Options

    try:
        if arguments.prompt == STDIN and arguments.schema == STDIN:
            raise UnusableInputError(Problem(STDIN, "standard input can be read only once", "usage"))
        constraint = compile_schema(arguments.schema, arguments, Options())
        prompt = _prompt(arguments.prompt)
        models = _import_models()
        images = [_image(name) for name in arguments.image] or None
        text = _generate(models, constraint, prompt, images, arguments)
        if arguments.output is not None:
            _write(arguments.output, text)
    except UnusableInputError as error:
        write_problems([error.problem])
        return EXIT_UNUSABLE
    except ConstrainError as error:
        write_problems([problem_of_error(error, arguments.model)])
        return EXIT_UNUSABLE
    print(text)
    return EXIT_OK


def _generate(
    models: ModuleType,
    constraint: object,
    prompt: str,
    images: list[object] | None,
    arguments: argparse.Namespace,
) -> str:
    try:
        model = models.load(arguments.model)
    except (OSError, ValueError) as error:  # what transformers raises for a name that leads to no model
        raise UnusableInputError(
            Problem(arguments.model, f"cannot be loaded: {error}", type(error).__name__)
        ) from error
    sampling: dict[str, object] = {"do_sample": False}
    if arguments.temperature is not None:
        sampling = {"do_sample": True, "temperature": arguments.temperature}
    if arguments.seed is not None:
        models.set_seed(arguments.seed)
    result = model.generate(
        prompt, images, schema=constraint, max_new_tokens=arguments.max_new_tokens, **sampling
    )
    return str(result.text)


def _import_models() -> ModuleType:
    try:
        return import_module("constrain.models")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("torch", "transformers"):
            raise
        raise UnusableInputError(
            Problem(
                "constrain generate",
                f"the package {error.name} is not installed",
                "ModuleNotFoundError",
                remedy='pip install "constrain[models]"',
            )
        ) from error


def _prompt(name: str) -> str:
    if name != STDIN:
        return name
    try:
        return read_bytes(STDIN).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnusableInputError(Problem(STDIN, "the prompt is not UTF-8", "UnicodeDecodeError")) from error


def _image(name: str) -> object:
    try:
        from PIL import Image

        with Image.open(name) as image:
            return image.convert("RGB")
    except ModuleNotFoundError as error:
        raise UnusableInputError(
            Problem(name, "reading images needs Pillow", "ModuleNotFoundError", remedy="pip install pillow")
        ) from error
    except OSError as error:
        raise UnusableInputError(
            Problem(name, f"not an image that can be read: {error}", "OSError")
        ) from error


def _write(name: str, text: str) -> None:
    try:
        Path(name).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        print(text, file=sys.stdout)
        raise UnusableInputError(Problem(name, f"cannot be written: {error.strerror}", "OSError")) from error
