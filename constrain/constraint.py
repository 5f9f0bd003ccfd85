"""The constraint: a compiled source, independent of any tokenizer."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from constrain.errors import LimitExceeded, SchemaError
from constrain.json_values_cy import members, whole_value
from constrain.lock_cy import EngineLock
from constrain.matching.machine import Machine
from constrain.matching.matcher_cy import Matcher
from constrain.matching.position_cy import Policy, Position
from constrain.matching.session_cy import MOST_SEEN, Session
from constrain.options import Options

if TYPE_CHECKING:
    from constrain.frontends.json_schema.dialects import Dialect
    from constrain.frontends.json_schema.resources import Document
    from constrain.vocabulary import Vocabulary

__all__ = ["Constraint", "parse_json"]


class Constraint:
    """What a document has to satisfy: immutable, hashable by content, shared between threads.

    Made by `constrain.compile`. Automata are built while it is used, under a lock of its own.

    Args:
        is_own: nobody else has the source, which was read from a JSON text.

    Attributes:
        source: the JSON Schema that it means, as a JSON value; not to be changed.
        rules: the report rules that it was written as, if any.
        python_type: the name of the Python type or function that it was written as, if any.
        options: the text policy and budgets.
        documents: what the source refers to, by URI.
    """

    #: How many of the documents that were written lately are known.
    most_seen = MOST_SEEN

    def __init__(
        self,
        source: Any,
        options: Options,
        build: Callable[[Any, Options, Mapping[str, object]], Any],
        *,
        rules: Any = None,
        registry: Mapping[str, object] | None = None,
        python_type: str | None = None,
        read: Callable[[str], Any] | None = None,
        seen: Sequence[bytes] = (),
        is_own: bool = False,
    ) -> None:
        if not is_own:
            try:
                # A copy, so that a caller who changes the source later does not change the constraint.
                source = _copy(source)
            except RecursionError:
                raise LimitExceeded("the source is nested too deeply", location="#") from None
            _json_text(source)
        self.source = source
        self.rules = rules
        self.python_type = python_type
        self._read = read
        self._seen = tuple(seen)
        self.options = options
        self._build = build
        self._compiled = _Compiled(build(source, options, registry or {}))
        self._compiler = self._compiled.compiler
        self._machine: Machine = self._compiled.machine
        self.documents: Mapping[str, Document] = self._compiler.reached
        self._policy = Policy(options)
        self._lock = EngineLock()
        #: By the fingerprint of the vocabulary.
        self._sessions: dict[str, Session] = {}

    @cached_property
    def fingerprint(self) -> str:
        """The hash of source, documents and options; equal constraints have the same.

        A Python type counts by its JSON Schema: constraints of two classes may be equal and still parse
        differently.
        """
        text = _json_text(self.source)
        if self.documents:
            others = {uri: [document.dialect, document.contents] for uri, document in self.documents.items()}
            text += "\n" + _json_text(others)
        return hashlib.sha256(f"{self.options!r}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def dialect(self) -> Dialect:
        """The draft that the source follows."""
        dialect: Dialect = self._compiler.dialect
        return dialect

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Constraint):
            return NotImplemented
        return self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[object, ...]:
        kept = {
            "rules": self.rules,
            "registry": self.documents,
            "python_type": self.python_type,
            "read": self._read,
            "seen": self.seen,
        }
        return (_rebuild, (self.source, self.options, self._build, kept))

    def __repr__(self) -> str:
        return f"<Constraint {self.fingerprint[:12]}>"

    def accepts(self, data: bytes | str) -> bool:
        """Return whether a text is a document of the constraint.

        Args:
            data: UTF-8 bytes, or a string.
        """
        if isinstance(data, str):
            try:
                data = data.encode()
            except UnicodeEncodeError:
                return False
        with self._lock:
            position = Position(self._policy)
            position.begin(self._machine.root)
            for byte in data:
                if not position.step(byte, position):
                    return False
            return bool(position.accepting())

    def matcher(self, vocabulary: Vocabulary, prefix: bytes = b"", max_tokens: int | None = None) -> Matcher:
        """Return a matcher for one sequence of tokens.

        Args:
            vocabulary: of the model.
            prefix: bytes of the document that are there already.
            max_tokens: how many tokens may still be written, the end token among them; the mask
                then steers to a document that is complete in time.

        Raises:
            ConstrainError: no document starts with `prefix`.
            LimitExceeded: no completion fits into `max_tokens`.
        """
        with self._lock:
            session = self._sessions.get(vocabulary.fingerprint)
            if session is None:
                session = Session(self._compiled, self._policy, vocabulary, self._lock)
                self._sessions[vocabulary.fingerprint] = session
        return Matcher(session, prefix, max_tokens)

    @property
    def seen(self) -> list[bytes]:
        """Some documents that were written under it lately, the latest first."""
        with self._lock:
            recent = [text for session in self._sessions.values() for text in reversed(session.seen)]
        return list(dict.fromkeys([*recent, *self._seen]))[:MOST_SEEN]

    def warm_up(self, vocabulary: Vocabulary, documents: Iterable[bytes | str] | None = None) -> int:
        """Fill masks along documents, so that they are there when the same and similar ones are written.

        Args:
            vocabulary: of the model.
            documents: texts of documents; what does not fit the constraint is left out. By default
                those that were written lately, also before the constraint was pickled.

        Returns:
            How many masks were filled.
        """
        texts = self.seen if documents is None else documents
        row = np.zeros((1, (vocabulary.size + 31) // 32), dtype=np.int32)
        filled = 0
        kept = []
        for text in texts:
            text = text.encode() if isinstance(text, str) else text
            matcher = self.matcher(vocabulary)
            tokens = vocabulary.encode(text)
            for place in range(len(tokens) + 1):
                matcher.fill_bitmask(row)
                filled += 1
                if place == len(tokens) or not matcher.advance(tokens[place]):
                    break
            if matcher.accepting:
                kept.append(text)
        self._seen = tuple(dict.fromkeys([*kept, *self._seen]))[:MOST_SEEN]
        return filled

    def parse(self, text: bytes | str) -> Any:
        """Return the value of a document: for a Python type its instance, for a function a call of it.

        Raises:
            SchemaError: the text is not JSON, or means no instance.
        """
        value = parse_json(text, parse_float=float)
        if self._read is None:
            return value
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        return self._read(text.removeprefix("\ufeff"))

    def example(self, seed: int = 0, *, minimal: bool = False) -> str:
        """Return a random member of the constraint's documents; the same for the same seed.

        Args:
            seed: of the random choices.
            minimal: make none, and return a short document.
        """
        from constrain.matching.examples import example, least

        with self._lock:
            if minimal:
                return least(self._machine, self._policy)
            return example(self._machine, self._policy, random.Random(seed))

    def explain(self) -> str:
        """Return what was understood, place by place, in words."""
        from constrain.frontends.json_schema.explanation import explain

        return explain(self._compiler, self.rules, self.python_type)


class _Compiled:
    """A compiled source, which is taken apart as soon as no constraint and no matcher uses it.

    Its parts refer to each other. If the garbage collector had to find out that they are not used, it
    would free thousands of them at once, in the middle of some mask.
    """

    def __init__(self, compiler: Any) -> None:
        self.compiler = compiler
        self.machine: Machine = compiler.compile()

    def __del__(self) -> None:
        machine: Machine | None = vars(self).get("machine")
        if machine is not None:
            machine.dispose()
            vars(self.compiler).clear()


def _rebuild(
    source: Any,
    options: Options,
    build: Callable[[Any, Options, Mapping[str, object]], Any],
    kept: dict[str, Any],
) -> Constraint:
    return Constraint(source, options, build, **kept)


def _copy(value: Any) -> Any:
    """Return a copy of a JSON value; what is none is left as it is."""
    if isinstance(value, dict):
        return {
            key: _copy(member) if isinstance(member, dict | list) else member for key, member in value.items()
        }
    if isinstance(value, list):
        return [_copy(item) if isinstance(item, dict | list) else item for item in value]
    return value


def _json_text(value: Any) -> str:
    """Return the canonical JSON text of a source."""
    try:
        return json.dumps(value, sort_keys=True, default=_number_text, separators=(",", ":"))
    except RecursionError:
        raise LimitExceeded("the source is nested too deeply", location="#") from None
    except (TypeError, ValueError) as error:
        raise SchemaError(f"the source is not JSON: {error}", location="#") from None


def _number_text(value: object) -> object:
    if isinstance(value, Decimal):
        return {"$number": str(value)}
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _no_value(name: str) -> Any:
    raise SchemaError(f"{name} is not a JSON value")


@lru_cache(maxsize=16)
def _decoder(parse_float: Callable[[str], Any]) -> json.JSONDecoder:
    return json.JSONDecoder(parse_float=parse_float, parse_constant=_no_value, object_pairs_hook=members)


def parse_json(text: bytes | str, *, parse_float: Callable[[str], Any] = Decimal) -> Any:
    """Return the value of a JSON text, its fractions exact by default.

    Raises:
        SchemaError: the text is not JSON, or an object repeats a key; with line and column.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        text = text.removeprefix("\ufeff")
        return whole_value(text, _decoder(parse_float))
    except SchemaError:
        # A key is repeated. The decoder does not say where; a second reading does, and stops there.
        from constrain.frontends.json_positions import read_json

        read_json(str(text))
        raise
    except UnicodeDecodeError as error:
        raise SchemaError(f"the text is not UTF-8: byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise SchemaError(
            f"the text is not JSON: {error.msg}", location=f"line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise SchemaError("the text is nested too deeply") from None
