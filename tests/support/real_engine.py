"""`constrain` behind the small protocol of the oracle, through its public interface only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import constrain
from tests.support.mask_oracle import Matcher, Refused, Unsatisfiable

__all__ = ["allowed_bytes", "byte_vocabulary", "compile_schema", "real_engine", "vocabulary"]

DEFAULT = constrain.Options()


def compile_schema(schema: Any, options: constrain.Options = DEFAULT) -> constrain.Constraint:
    """The constraint of a JSON Schema given as data or as text."""
    return constrain.compile_json_schema(schema, options=options)


def vocabulary(tokens: Sequence[bytes | None]) -> constrain.Vocabulary:
    """A vocabulary in which `None` is EOS."""
    eos = [index for index, token in enumerate(tokens) if token is None]
    return constrain.Vocabulary.from_token_bytes(list(tokens), eos_ids=eos)


def byte_vocabulary() -> constrain.Vocabulary:
    """256 single bytes, where a token's id is its byte, and EOS at 256."""
    return vocabulary([*(bytes([byte]) for byte in range(256)), None])


def real_engine(schema: Any, tokens: list[bytes | None], any_text: bool) -> Matcher:
    """An `Engine` of the oracle."""
    try:
        constraint = compile_schema(schema, constrain.ANY_TEXT if any_text else DEFAULT)
    except constrain.UnsatisfiableError as error:
        raise Unsatisfiable(str(error)) from error
    except (constrain.LimitExceeded, constrain.UnsupportedError) as error:
        raise Refused(f"{error} <- {json.dumps(schema, ensure_ascii=False)}") from error
    return constraint.matcher(vocabulary(tokens))


def allowed_bytes(matcher: constrain.Matcher) -> tuple[frozenset[int], bool]:
    """The bytes that a matcher over `byte_vocabulary` allows, and whether EOS is."""
    import numpy as np

    row = np.zeros((1, 9), dtype=np.int32)
    matcher.fill_bitmask(row)
    bits = np.unpackbits(row.view(np.uint8), bitorder="little")
    return frozenset(np.flatnonzero(bits[:256]).tolist()), bool(bits[256])
