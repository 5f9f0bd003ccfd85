"""Random walks over one schema: no dead end, and what was finished is valid under two validators.

A walk takes random allowed tokens for a while and then follows the matcher's own plan. Tokens that
close and open several JSON tokens at once, and pieces of the schema's own names and constants, are
in the vocabulary, so that walks get deep into schemas that a uniform choice of bytes would never fill.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.conformance.outcomes import Outcome

__all__ = ["CLASSES", "walk_schema"]

#: Best first; a schema has the last class that any of its walks has. `invalid`: both validators refuse a
#: finished document. `disputed`: one of them does. `undecided`: neither can say.
CLASSES = (
    "ok", "undecided", "disputed", "refused", "malformed", "unsatisfiable", "limit", "timeout", "crash",
    "invalid", "dead_end",
)  # fmt: skip

#: How many pieces of a schema's own text become tokens.
_PIECES = 160
#: A walk is given up, and counted as too long, when its plan has more tokens.
_LONGEST_PLAN = 20_000


class DeadEnd(Exception):
    """A walk cannot go on, or the matcher contradicts itself; the message is a reproduction."""


class _TimeIsUp(Exception):
    """The time of a schema is used up."""


@dataclass(frozen=True)
class _Tokens:
    """A vocabulary, and which of its tokens a walk may prefer.

    Attributes:
        structural: bool[size], tokens with a mark of JSON in them.
        long: bool[size], tokens of three bytes and more.
    """

    vocabulary: Any
    structural: Any
    long: Any

    @classmethod
    def of(cls, vocabulary: Any) -> _Tokens:
        texts = [vocabulary.token_bytes(token) or b"" for token in range(vocabulary.size)]
        marks = frozenset(b'"{}[]:,')
        return cls(
            vocabulary,
            np.array([bool(marks & set(text)) for text in texts]),
            np.array([len(text) >= 3 for text in texts]),
        )


def walk_schema(name: str, line: str, walks: int = 20, seconds: float = 20.0) -> Outcome:
    """The outcome of random walks over a schema.

    Args:
        line: JSON text with the member `schema`.
        walks: how many; every second one runs under `ANY_TEXT`, the last two over a real tokenizer
            where there is one.
        seconds: after which walks are given up and the schema counts as `timeout`.
    """
    import constrain

    schema = json.loads(line)["schema"]
    deadline = time.monotonic() + seconds
    counts: Counter[str] = Counter()
    found: list[tuple[str, str]] = []
    try:
        constraints = [
            constrain.compile_json_schema(schema, options=options)
            for options in (constrain.Options(), constrain.ANY_TEXT)
        ]
    except constrain.UnsupportedError as error:
        return Outcome(name, "refused", error.keyword or str(error)[:80])
    except constrain.SchemaError as error:
        return Outcome(name, "malformed", str(error)[:200])
    except constrain.UnsatisfiableError as error:
        return Outcome(name, "unsatisfiable", str(error)[:200])
    except constrain.LimitExceeded as error:
        return Outcome(name, "limit", str(error)[:200])
    judge = _Judge(schema)
    rng = random.Random(name)
    small = _Tokens.of(_small_vocabulary(schema, rng))
    real = real_tokens()
    for number in range(walks):
        walk = _Walk(
            constraints[number % 2],
            real if real is not None and number >= walks - 2 else small,
            random.Random(f"{name} {number}"),
            deadline,
            counts,
        )
        where = f"walk {number}, {'any text' if number % 2 else 'default'}"
        try:
            kind, reason = judge.verdict(walk.document())
            counts[f"documents {kind}"] += 1
        except _TimeIsUp:
            kind, reason = "timeout", f"after {len(walk.text)} bytes: {bytes(walk.text[-60:])!r}"
        except constrain.LimitExceeded as error:
            kind, reason = "limit", f"{error}; after {bytes(walk.text[-200:])!r}"
        except DeadEnd as error:
            kind, reason = "dead_end", f"{error}; after {bytes(walk.text)!r}"
        except Exception as error:  # an untyped error is what the class `crash` is for
            kind, reason = "crash", f"{type(error).__name__}: {error}; after {bytes(walk.text)!r}"
        counts["walks"] += 1
        if kind != "ok":
            found.append((kind, f"{where}: {reason}"[:1500]))
        if kind == "timeout":
            break
    worst = max(found, key=lambda pair: CLASSES.index(pair[0]), default=("ok", ""))
    return Outcome(name, worst[0], worst[1], counts=dict(counts))


@dataclass
class _Walk:
    """One walk; `text` is what was written so far."""

    constraint: Any
    tokens: _Tokens
    rng: random.Random
    deadline: float
    counts: Counter[str]
    text: bytearray = field(default_factory=bytearray)

    def document(self) -> bytes:
        """Walk to the end and return the document."""
        vocabulary = self.tokens.vocabulary
        self.matcher = self.constraint.matcher(vocabulary)
        self.row = np.zeros((1, (vocabulary.size + 31) // 32), dtype=np.int32)
        for _ in range(self.rng.randint(5, 60)):
            allowed = self._allowed()
            if self.matcher.accepting and self.rng.random() < 0.2:
                break
            token = self._choice(allowed)
            if token is None:
                break
            self._take(token)
        plan = self.matcher.plan()
        if len(plan) > _LONGEST_PLAN:
            self.counts["long plans"] += 1
        for step, token in enumerate(plan):
            # The masks along a very long plan would be most of the time of a run.
            if step < 300 and not self._allowed()[token]:
                raise DeadEnd(f"the mask refuses token {vocabulary.token_bytes(token)!r} of the plan")
            self._take(token)
        self._allowed()
        if not self.matcher.accepting:
            raise DeadEnd("the document may not end where its plan ends")
        if not self.constraint.accepts(bytes(self.text)):
            raise DeadEnd("`accepts` refuses what the matcher accepts")
        if not self.matcher.advance(vocabulary.eos_ids[0]) or not self.matcher.finished:
            raise DeadEnd("the end token does not finish the document")
        return bytes(self.text)

    def _allowed(self) -> Any:
        """The mask as bool[size], after checking that something is allowed."""
        if time.monotonic() > self.deadline:
            raise _TimeIsUp
        self.counts["steps"] += 1
        self.matcher.fill_bitmask(self.row)
        size = self.tokens.vocabulary.size
        allowed = np.unpackbits(self.row.view(np.uint8), bitorder="little")[:size].view(bool)
        if not allowed.any():
            raise DeadEnd("no token is allowed, nor the end")
        if bool(allowed[self.tokens.vocabulary.eos_ids[0]]) != self.matcher.accepting:
            raise DeadEnd("`accepting` and the bit of the end token differ")
        return allowed

    def _choice(self, allowed: Any) -> int | None:
        """A random allowed token that is not the end."""
        allowed = allowed.copy()
        allowed[list(self.tokens.vocabulary.eos_ids)] = False
        pick = self.rng.random()
        if pick < 0.15:
            plan = self.matcher.plan()
            if plan:
                return int(plan[0])
        for below, preferred in ((0.55, self.tokens.structural), (0.8, self.tokens.long)):
            if pick < below:
                among = np.flatnonzero(allowed & preferred)
                if len(among):
                    return int(self.rng.choice(among))
        among = np.flatnonzero(allowed)
        return int(self.rng.choice(among)) if len(among) else None

    def _take(self, token: int) -> None:
        text = self.tokens.vocabulary.token_bytes(token)
        if not self.matcher.advance(token):
            raise DeadEnd(f"the mask allows token {text!r}, `advance` refuses it")
        self.text += text


class _Judge:
    """What two validators say of documents of one schema."""

    def __init__(self, schema: Any) -> None:
        from tests.support.validators import Validators

        try:
            self._validators: Any = Validators(schema, formats=True)
            self._reason = ""
        except Exception as error:  # whatever a validator raises, it cannot take the schema
            self._validators = None
            self._reason = f"the schema: {type(error).__name__}: {str(error).splitlines()[0]}"[:200]

    def verdict(self, document: bytes) -> tuple[str, str]:
        """The class of a document, and why it is not `ok`."""
        from tests.support.validators import Undecided

        if self._validators is None:
            return "undecided", self._reason
        try:
            if self._validators.valid(document):
                return "ok", ""
            kind = "invalid"
        except Undecided:
            kind = "disputed"
        except Exception as error:  # unresolvable references, an own limit of a validator
            return "undecided", f"{type(error).__name__}: {str(error).splitlines()[0]}"[:200]
        faults = self._validators.faults(document)
        if kind == "disputed" and None in faults:
            kind = "undecided"
        python, rust = faults
        return kind, f"{_shown(document)}; jsonschema: {python}; jsonschema-rs: {rust}"


def _shown(document: bytes) -> str:
    text = document.decode(errors="replace")
    return text if len(text) <= 700 else f"{text[:340]} ... {text[-340:]}"


def _small_vocabulary(schema: Any, rng: random.Random) -> Any:
    """All bytes, tokens across JSON tokens, and pieces of the schema's own names and constants."""
    from constrain import Vocabulary
    from tests.support.random_schemas import CROSS_TOKENS

    words = sorted(set(_words(schema)))
    pieces = set(CROSS_TOKENS)
    for word in rng.sample(words, min(len(words), _PIECES // 4)):
        cut = rng.randint(1, max(1, len(word) - 1))
        forms = [word, word + b":", word[:cut], word[cut:], word[cut:] + b":", b"," + word, b"{" + word + b":",
                 word + b"}", word[1:-1], word + b': "', word + b":[", word + b",", b"[" + word]  # fmt: skip
        pieces.update(rng.sample(forms, 4))
    pieces -= {b""} | {bytes([byte]) for byte in range(256)}
    tokens: list[bytes | None] = [*(bytes([byte]) for byte in range(256)), *sorted(pieces), None]
    return Vocabulary.from_token_bytes(tokens, eos_ids=[len(tokens) - 1])


def _words(schema: Any) -> Iterator[bytes]:
    """The JSON texts of names and scalar constants in a schema."""
    stack = [schema]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            for key, value in here.items():
                if key in ("properties", "$defs", "definitions") and isinstance(value, dict):
                    yield from (
                        json.dumps(name, ensure_ascii=False).encode("utf-8", "replace") for name in value
                    )
                if key in ("enum", "required", "const", "default"):
                    values = value if isinstance(value, list) else [value]
                    yield from (
                        json.dumps(item, ensure_ascii=False).encode("utf-8", "replace")
                        for item in values
                        if isinstance(item, (str, int, float)) and len(str(item)) < 80
                    )
                stack.append(value)
        elif isinstance(here, list):
            stack.extend(here)


@cache
def real_tokens() -> _Tokens | None:
    """The 131,072 tokens that `mistral_common` ships, or `None` without it."""
    from constrain import Vocabulary

    try:
        import mistral_common
    except ImportError:
        return None
    files = sorted((Path(mistral_common.__file__).parent / "data").glob("tekken*.json"))
    return _Tokens.of(Vocabulary.from_tokenizer(files[0])) if files else None
