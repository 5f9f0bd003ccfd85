"""The command line: `constrain validate | explain | example | generate`.

In reading order: `problems` is what a command has to say about an input and how it is written, `inputs` reads
files and compiles schemas, `refusals` finds out why an instance is refused; then one module per command. No
command but `generate` needs a model, and none but that one imports torch.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

_DESCRIPTION = """\
Check, explain and use the constraints that keep what a language model writes valid.

A SCHEMA is a JSON Schema (drafts 4 to 2020-12) or a file of report rules; it is recognised by its content.
"""
_EPILOG = """\
examples:
  constrain validate schema.json                    can this schema be enforced, exactly?
  constrain validate schema.json report.json        and is this document valid?
  constrain explain schemas/quarterly_report.rules.json
  constrain example schema.json -n 5
  constrain generate --model gemma3-270m --schema schema.json "Describe a cat as JSON."

`constrain COMMAND --help` shows more of them.

exit codes: 0 valid or done; 1 invalid; 2 cannot be used (a file is missing, a schema is malformed or
cannot be enforced exactly, arguments are wrong)
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        argv: the arguments behind the program's name; those of the process by default.
    """
    parser = _parser()
    try:
        arguments, rest = parser.parse_known_args(argv)
        # `argparse` gives up on positional arguments behind an option: `validate S --format json I`.
        if rest and (not hasattr(arguments, "instances") or any(each[:1] == "-" != each for each in rest)):
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        if rest:
            arguments.instances += rest
    except SystemExit as stop:  # argparse has written what there is to say
        return stop.code if isinstance(stop.code, int) else 2
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (`| head`); the interpreter must not complain when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    from constrain.cli import example, explain, generate, validate

    parser = argparse.ArgumentParser(
        prog="constrain",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_PrintVersion, help="print the version and stop")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (validate, explain, example, generate):
        command.add_command(commands)
    return parser


class _PrintVersion(argparse.Action):
    """Print the version, and whether the compiled modules are in use."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import constrain

        print(f"constrain {constrain.__version__} ({'' if constrain.COMPILED else 'un'}compiled)")
        parser.exit(0)
