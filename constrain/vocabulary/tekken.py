"""Mistral's tekken tokenizers: bytes by rank, behind a block of control tokens."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from constrain.errors import VocabularyError

__all__ = ["from_json", "from_tekkenizer", "is_tekken"]

_EOS = "</s>"
_DEFAULT_EOS_ID = 2


def is_tekken(data: Mapping[str, Any]) -> bool:
    """Return whether a parsed JSON file is a `tekken.json`."""
    vocabulary = data.get("vocab")
    return "config" in data and isinstance(vocabulary, list)


def from_json(data: Mapping[str, Any]) -> tuple[list[bytes | None], tuple[int, ...]]:
    """Return the token bytes by id, and the end-of-sequence ids, of a parsed `tekken.json`.

    Raises:
        VocabularyError: it is not one.
    """
    try:
        n_special = int(data["config"]["default_num_special_tokens"])
        size = int(data["config"]["default_vocab_size"])
        entries = data["vocab"][: size - n_special]
        tokens: list[bytes | None] = [None] * (n_special + len(entries))
        for entry in entries:
            tokens[n_special + entry["rank"]] = base64.b64decode(entry["token_bytes"]) or None
        names = {token["token_str"]: int(token["rank"]) for token in data.get("special_tokens") or ()}
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise VocabularyError(f"not a tekken.json: {type(error).__name__}: {error}") from error
    return tokens, (names.get(_EOS, _DEFAULT_EOS_ID),)


def from_tekkenizer(tekkenizer: Any) -> tuple[list[bytes | None], tuple[int, ...]]:
    """Return the token bytes by id, and the end-of-sequence ids, of a mistral-common `Tekkenizer`."""
    from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy

    n_special = int(tekkenizer.num_special_tokens)
    tokens: list[bytes | None] = [None] * n_special
    tokens.extend(
        tekkenizer.id_to_byte_piece(i, SpecialTokenPolicy.KEEP) or None
        for i in range(n_special, int(tekkenizer.n_words))
    )
    return tokens, (int(tekkenizer.eos_id),)
