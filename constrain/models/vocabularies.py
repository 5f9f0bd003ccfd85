"""One `Vocabulary` per tokenizer: built once for as long as the tokenizer lives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast
from weakref import WeakKeyDictionary

from constrain.errors import ConstrainError
from constrain.models.protocols import TokenVocabulary

__all__ = ["end_of_sequence_ids", "tokenizer_of", "vocabulary_of"]

_known: WeakKeyDictionary[object, dict[tuple[int, ...] | None, TokenVocabulary]] = WeakKeyDictionary()


def vocabulary_of(
    source: object, eos_ids: Sequence[int] | None = None, loaded_from: Path | None = None
) -> TokenVocabulary:
    """Return `source` if it is a vocabulary, else the vocabulary of the tokenizer `source`.

    Args:
        source: either of them.
        eos_ids: the ids that end a text; those of the tokenizer by default.
        loaded_from: the folder that the tokenizer was just loaded from.

    Raises:
        ConstrainError: `eos_ids` are given beside a vocabulary, which has its own.
        VocabularyError: the tokenizer cannot be turned into token bytes.
    """
    if hasattr(source, "token_bytes"):
        if eos_ids is not None:
            raise ConstrainError("a vocabulary has its own EOS ids", keyword="eos_ids")
        return cast(TokenVocabulary, source)
    from constrain import Vocabulary

    key = None if eos_ids is None else tuple(eos_ids)
    try:
        known = _known.setdefault(source, {})
    except TypeError:  # a path, or a tokenizer that is not hashable
        known = {}
    if key not in known:
        known[key] = Vocabulary.from_tokenizer(source, eos_ids=eos_ids, loaded_from=loaded_from)
    return known[key]


def tokenizer_of(processor: object) -> object:
    """Return the tokenizer inside a multi-modal processor, or `processor` itself."""
    return getattr(processor, "tokenizer", processor)


def end_of_sequence_ids(model: object, processor: object) -> list[int]:
    """Return every id at which `generate()` stops: the generation config's, else the tokenizer's.

    Chat models end a turn with an id of their own (`<end_of_turn>`, `<|eot_id|>`) that only the
    generation config lists.
    """
    for owner in (getattr(model, "generation_config", None), getattr(model, "config", None)):
        found = getattr(owner, "eos_token_id", None)
        if found is not None:
            return [int(i) for i in (found if isinstance(found, Sequence) else [found])]
    found = getattr(tokenizer_of(processor), "eos_token_id", None)
    if found is None:
        raise ConstrainError(
            "neither the model nor its tokenizer says which token ends a text",
            remedy="set `model.generation_config.eos_token_id`",
        )
    return [int(found)]
