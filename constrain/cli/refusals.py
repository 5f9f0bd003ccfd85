"""Why the engine refuses an instance, in the terms of its author.

The engine decides on bytes and knows no single culprit. So the value is shown to the `jsonschema` package
(`second_validator`), which names keywords; of alternatives, the one that fits best says why it does not.
When the package finds nothing, that is said, with the byte at which the engine stopped.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Any

from constrain.cli.problems import Problem, problem_of_error
from constrain.cli.second_validator import is_false, second_validator
from constrain.errors import ConstrainError
from constrain.frontends.json_positions import (
    JsonDocument,
    JsonTextError,
    Span,
    join_pointer,
    read_json,
)
from constrain.frontends.json_schema.dialects import Dialect
from constrain.frontends.json_schema.expectations import expected, found
from constrain.frontends.json_schema.words import describe, joined, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constrain import Constraint

__all__ = ["Refusals"]

#: So many faults of one instance are listed; beyond, the list says that it is cut.
_MAX_PROBLEMS = 1000

#: Faults that say more about the choice of an alternative than about the value: (keyword, depth) -> weight.
_CHOICE_WEIGHTS = {
    **{(keyword, 0): 100 for keyword in ("type", "const", "enum")},
    **{(keyword, 1): 40 for keyword in ("const", "enum")},
    **{(keyword, 0): 5 for keyword in ("required", "additionalProperties")},
}


class Refusals:
    """Finds the faults of instances of one constraint; the second validator is set up when first needed.

    Args:
        constraint: it decides; every instance shown here is one that it does not accept.
    """

    def __init__(self, constraint: Constraint) -> None:
        self._constraint = constraint
        self._dialect: Dialect = constraint.dialect
        self._validator: Any = None
        self._pointers: dict[int, str] = {}

    def reasons(self, file: str, data: bytes) -> list[Problem]:
        """The faults of an instance; at least one, in the order of the text.

        Args:
            file: what to call the instance.
            data: its bytes.
        """
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            start = data.rfind(b"\n", 0, error.start) + 1
            column = len(data[start : error.start].decode("utf-8", "replace")) + 1
            return [Problem(file, "not UTF-8", line=line, column=column)]
        try:
            document = read_json(text)
        except JsonTextError as error:
            return [problem_of_error(error, file)]
        judgement = "the jsonschema package finds it valid"
        try:
            problems = self._keyword_problems(file, document)
        except Exception as error:  # a pattern that Python cannot read, a value nested too deeply, ...
            judgement = f"the jsonschema package cannot judge it: {type(error).__name__}"
            problems = []
        return problems or [self._engine_problem(file, data, document, judgement)]

    # Keywords

    def _keyword_problems(self, file: str, document: JsonDocument) -> list[Problem]:
        """What the `jsonschema` package finds."""
        if self._validator is None:
            self._validator = second_validator(self._constraint)
            # Of the validator's own copy: it hands back the objects themselves.
            self._pointers = _pointers_of(self._validator.schema)
        errors = list(islice(self._validator.iter_errors(document.value), _MAX_PROBLEMS + 1))
        problems = [
            problem for error in errors[:_MAX_PROBLEMS] for problem in self._problems(file, document, error)
        ]
        problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
        if len(errors) > _MAX_PROBLEMS:
            problems.append(
                Problem(file, f"there are more than {_MAX_PROBLEMS} faults; the rest is not listed")
            )
        return problems

    def _problems(self, file: str, document: JsonDocument, error: Any) -> Iterator[Problem]:
        """One problem for an error, or one for each property that should not be there."""
        path: list[str | int] = list(error.absolute_path)
        keyword: str | None = error.validator
        if keyword == "additionalProperties" and error.validator_value is False:
            known = error.schema.get("properties", {})
            patterns = error.schema.get("patternProperties", {})
            for name, value in error.instance.items():
                if name in known or any(re.search(pattern, name) for pattern in patterns):
                    continue
                yield self._problem(
                    file,
                    error,
                    [*path, name],
                    document.key_span([*path, name]),
                    f"the property {shown(name)} is not allowed here",
                    remedy=_did_you_mean(name, known),
                    found=shown(value),
                )
            return
        span = document.span(path)
        if _is_about_a_key(error):
            span = document.key_span([*path, error.instance]) or span
        message, remedy = self._message(error)
        branches = _branches(error)
        causes: tuple[Problem, ...] = ()
        if branches:
            best = min(branches, key=lambda index: (_badness(branches[index]), index))
            words = describe(error.validator_value[best], self._dialect, brief=True)
            message += f"; alternative {best + 1} ({words}) fits best"
            causes = tuple(
                sorted(
                    (cause for each in branches[best] for cause in self._problems(file, document, each)),
                    key=lambda problem: (problem.line or 0, problem.column or 0),
                )
            )
        yield self._problem(file, error, path, span, message, remedy=remedy, causes=causes)

    def _problem(
        self,
        file: str,
        error: Any,
        path: list[str | int],
        span: Span | None,
        message: str,
        *,
        remedy: str | None = None,
        found: str | None = None,
        causes: tuple[Problem, ...] = (),
    ) -> Problem:
        is_nothing = is_false(error.schema)
        keyword: str | None = None if is_nothing else error.validator
        return Problem(
            file,
            message,
            line=span.start.line if span else None,
            column=span.start.column if span else None,
            end_line=span.end.line if span else None,
            end_column=span.end.column if span else None,
            pointer=join_pointer(path),
            keyword=keyword,
            schema_pointer=self._schema_pointer(error),
            expected="nothing" if is_nothing else expected(str(keyword), error.schema, self._dialect),
            found=found or _found(error),
            remedy=remedy,
            causes=causes,
        )

    def _schema_pointer(self, error: Any) -> str:
        """Where the keyword stands in the schema; through references, if its place cannot be told."""
        base = self._pointers.get(id(error.schema))
        if base is None or error.validator is None:
            return join_pointer(error.absolute_schema_path)
        if is_false(error.schema):
            return base
        return base + join_pointer([error.validator]).removeprefix("#")

    def _message(self, error: Any) -> tuple[str, str | None]:
        """What is wrong, in one short sentence, and what was perhaps meant."""
        keyword, value, instance = error.validator, error.validator_value, error.instance
        if keyword is None or is_false(error.schema):
            return f"nothing is allowed here, found {shown(instance)}", None
        if keyword == "enum":
            names = [each for each in value if isinstance(each, str)]
            wanted = expected(keyword, error.schema, self._dialect)
            return f"expected {wanted}, found {shown(instance)}", _did_you_mean(instance, names)
        if keyword == "required":
            missing = _missing(error)
            if missing is not None:
                near = [name for name in instance if name not in error.schema.get("properties", {})]
                close = get_close_matches(missing, near, n=1)
                hint = f"there is {shown(close[0])}: was it meant?" if close else None
                return f"the property {shown(missing)} is missing", hint
        if keyword in ("dependentRequired", "dependencies"):
            wanted = expected(keyword, error.schema, self._dialect).removeprefix("any value ")
            return f"expected {wanted.removeprefix('(if an object: ').removesuffix(')')}", None
        if keyword in ("unevaluatedProperties", "unevaluatedItems"):
            # The message alone says which they are.
            return _shortened(str(error.message)), None
        if keyword in ("anyOf", "oneOf"):
            return self._alternatives(error), None
        wanted = expected(keyword, error.schema, self._dialect)
        key = f"for the key {shown(instance)}, " if _is_about_a_key(error) else ""
        return f"{key}expected {wanted}, found {_found(error)}", None

    def _alternatives(self, error: Any) -> str:
        instance, branches = error.instance, error.validator_value
        if error.context or error.validator == "anyOf":
            count = "the only alternative" if len(branches) == 1 else f"any of {len(branches)} alternatives"
            return f"{shown(instance)} does not fit {count}"
        # A fresh validator, because the one of the error has no context of its own for what holds.
        fitting = [
            str(index + 1)
            for index, branch in enumerate(branches)
            if self._validator.evolve(schema=branch).is_valid(instance)
        ]
        if len(fitting) < 2:  # a relative reference that only the place of the branch resolves
            return f"{shown(instance)} fits more than one alternative"
        return f"{shown(instance)} fits alternatives {joined(fitting, 'and')}, where exactly one has to"

    # The engine

    def _engine_problem(self, file: str, data: bytes, document: JsonDocument, judgement: str) -> Problem:
        """Where the engine stopped, for a refusal that no single keyword explains."""
        from constrain.vocabulary import Vocabulary

        end = 256
        vocabulary = Vocabulary.from_token_bytes(
            [*(bytes([byte]) for byte in range(end)), None], eos_ids=[end]
        )
        offset: int | None = None
        why: str | None = None
        try:
            matcher = self._constraint.matcher(vocabulary)
            offset = matcher.advance_tokens(list(data))
            why = matcher.why(data[offset] if offset < len(data) else end)
        except (ConstrainError, RecursionError):
            pass
        line, column = None, None
        if offset is not None:
            line, column = document.position_of_offset(len(data[:offset].decode("utf-8", "ignore")))
        if self._is_a_matter_of_text(data):
            message, kind = "the value is valid, but generation would not write it this way", "text-policy"
        else:
            message = f"the engine refuses this document, and no single keyword explains it ({judgement})"
            kind = "unexplained"
        return Problem(file, message + (f"; {why}" if why else ""), kind, line=line, column=column)

    def _is_a_matter_of_text(self, data: bytes) -> bool:
        """Whether only the text policy forbids the document."""
        from constrain import compile_json_schema

        options = dataclasses.replace(
            self._constraint.options, whitespace="any", escapes="any", numbers="any", property_order="any"
        )
        if options == self._constraint.options:
            return False
        try:
            return compile_json_schema(self._constraint.source, options=options).accepts(data)
        except ConstrainError:
            return False


def _pointers_of(root: Any) -> dict[int, str]:
    """The JSON Pointer of every object of a schema, by identity: the package hands them back as they are."""
    pointers: dict[int, str] = {}
    stack: list[tuple[Any, str]] = [(root, "#")]
    while stack:
        value, place = stack.pop()
        if isinstance(value, dict):
            if id(value) not in pointers:
                pointers[id(value)] = place
                stack += [(part, place + join_pointer([key])[1:]) for key, part in value.items()]
        elif isinstance(value, list):
            stack += [(part, f"{place}/{index}") for index, part in enumerate(value)]
    return pointers


def _branches(error: Any) -> dict[int, list[Any]]:
    """The errors of each alternative that failed."""
    branches: dict[int, list[Any]] = defaultdict(list)
    if error.validator in ("anyOf", "oneOf"):
        for each in error.context:
            branches[int(each.relative_schema_path[0])].append(each)
    return branches


def _badness(errors: list[Any]) -> int:
    """How far an alternative is from what was meant."""
    return sum(_CHOICE_WEIGHTS.get((error.validator, len(error.relative_path)), 1) for error in errors)


def _is_about_a_key(error: Any) -> bool:
    return "propertyNames" in error.absolute_schema_path and isinstance(error.instance, str)


def _missing(error: Any) -> str | None:
    """The name that an error of `required` is about."""
    absent = [name for name in error.validator_value if name not in error.instance]
    # The package makes one error for each, and says which in its message only.
    return next((name for name in absent if str(error.message).startswith(repr(name))), None)


def _found(error: Any) -> str:
    return found(error.validator, error.instance)


def _did_you_mean(word: object, known: Iterable[str]) -> str | None:
    near = get_close_matches(word, list(known), n=1) if isinstance(word, str) else []
    return f"did you mean {shown(near[0])}?" if near else None


def _shortened(text: str) -> str:
    return text if len(text) <= 160 else text[:157] + "..."
