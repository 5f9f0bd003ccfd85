"""Text while it is generated: tokens to bytes to the characters that are complete."""

from __future__ import annotations

import codecs
from collections.abc import Callable

import torch
from transformers.generation.streamers import BaseStreamer

from constrain.models.protocols import TokenVocabulary

__all__ = ["TextStream"]


class TextStream(BaseStreamer):
    """A streamer for `generate()` that hands on the document's text, a piece per step.

    The pieces are cut at characters, never inside one, and joined they are exactly the text of
    the document: the bytes come from the vocabulary, not from a tokenizer that cleans up.

    Args:
        write: called with every piece that is not empty.
        vocabulary: gives the bytes of a token.
    """

    def __init__(self, write: Callable[[str], None], vocabulary: TokenVocabulary) -> None:
        self._write = write
        self._vocabulary = vocabulary
        self._eos_ids = frozenset(vocabulary.eos_ids)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._in_prompt = True

    def put(self, value: torch.Tensor) -> None:
        """Take the ids of one step; the first call carries the prompt."""
        if self._in_prompt:
            self._in_prompt = False
            return
        for token_id in value.flatten().tolist():
            if token_id not in self._eos_ids:
                self._emit(self._decoder.decode(self._vocabulary.token_bytes(token_id) or b""))

    def end(self) -> None:
        """Hand on what is left."""
        self._emit(self._decoder.decode(b"", final=True))

    def _emit(self, piece: str) -> None:
        if piece:
            self._write(piece)
