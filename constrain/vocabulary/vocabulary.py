"""`Vocabulary`: the table of token id -> bytes that all masks are made for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from constrain.errors import VocabularyError
from constrain.vocabulary import cache
from constrain.vocabulary.cache import CacheEntry
from constrain.vocabulary.token_trie_cy import TokenTrie

if TYPE_CHECKING:
    from constrain.vocabulary.sources import Encoder

__all__ = ["Vocabulary"]

#: The bytes that occur in UTF-8.
_UTF8_BYTES = frozenset(range(0xF5)) - {0xC0, 0xC1}

_EOS_REMEDY = "pass eos_ids"


class Vocabulary:
    """The tokens of a model as bytes. Immutable; one per model, shared by all matchers.

    Text is the concatenation of token bytes. Tokens that are no text - special and control tokens,
    tokens without bytes, the end-of-sequence tokens - have no bytes and never match. Two
    vocabularies are equal if their `fingerprint`s are.

    Attributes:
        size: the number of token ids, `0` to `size - 1`; a row of logits may be narrower or wider.
        eos_ids: the tokens that end a sequence, ascending.
        trie: the tokens as a trie in flat arrays.
        fingerprint: a hash of the token bytes and the end-of-sequence ids.
        shared: what others keep with the vocabulary and with equal ones; `None` as long as nobody does.

    Example:
        >>> vocabulary = Vocabulary.from_token_bytes([b"a", b"b", b"ab", None], eos_ids=[3])
        >>> vocabulary.token_bytes(2), vocabulary.token_bytes(3), vocabulary.encode(b"abb")
        (b'ab', None, [2, 1])
    """

    __slots__ = ("__weakref__", "_encoder", "_missing", "eos_ids", "fingerprint", "shared", "size", "trie")

    size: int
    eos_ids: tuple[int, ...]
    trie: TokenTrie
    fingerprint: str
    shared: Any

    def __init__(
        self,
        trie: TokenTrie,
        eos_ids: tuple[int, ...],
        encoder: Encoder | None = None,
        *,
        fingerprint: str | None = None,
    ) -> None:
        """Wrap a trie; `from_tokenizer` and `from_token_bytes` are the usual ways to a vocabulary.

        Args:
            trie: the tokens.
            eos_ids: the tokens that end a sequence, ascending.
            encoder: text -> ids, the canonical tokenization if there is one.
            fingerprint: that of an equal vocabulary; computed when absent.
        """
        self.trie = trie
        self.size = trie.size
        self.eos_ids = eos_ids
        self.fingerprint = _fingerprint(trie, eos_ids) if fingerprint is None else fingerprint
        self.shared = None
        self._encoder = encoder
        self._missing: frozenset[int] | None = None

    @classmethod
    def from_token_bytes(
        cls, tokens: Sequence[bytes | None], eos_ids: Iterable[int], *, encoder: Encoder | None = None
    ) -> Vocabulary:
        """Return the vocabulary of a plain table.

        Args:
            tokens: the bytes of token 0, 1, ...; `None` or empty for tokens that are no text.
            eos_ids: the tokens that end a sequence; whatever bytes they have, they are no text.
            encoder: text -> ids, the canonical tokenization if there is one.

        Raises:
            VocabularyError: no or unknown end-of-sequence ids.
        """
        eos = _checked_eos(eos_ids, len(tokens))
        return cls(_trie(list(tokens), eos), eos, encoder)

    @classmethod
    def from_tokenizer(
        cls,
        tokenizer: object,
        eos_ids: int | Iterable[int] | None = None,
        cache: bool = True,
        *,
        loaded_from: str | os.PathLike[str] | None = None,
    ) -> Vocabulary:
        """Return the vocabulary of a tokenizer.

        Args:
            tokenizer: a tokenizer or processor of transformers, a `tokenizers.Tokenizer`, a
                tokenizer of mistral-common, a `SentencePieceProcessor`, or the path of a
                `tokenizer.json`, `tekken.json`, SentencePiece model, or folder with one of these.
            eos_ids: the tokens that end a sequence; those of the tokenizer by default, and for a
                bare tokenizer the special tokens with a usual name.
            cache: keep the result on disk, in `$CONSTRAIN_CACHE` or the user's cache folder.
            loaded_from: the folder from which the tokenizer was loaded, with no arguments that change
                its tokens; neither has been changed since. It spares the reading of all tokens, which
                is how an object is otherwise recognised. Tokenizers of transformers remember theirs.

        Raises:
            VocabularyError: an unknown kind of tokenizer, or no end-of-sequence token.
        """
        from constrain.vocabulary.sources import open_source

        source = open_source(tokenizer, None if loaded_from is None else Path(loaded_from))
        chosen = (eos_ids,) if isinstance(eos_ids, int) else eos_ids
        chosen = None if chosen is None else tuple(sorted(set(chosen)))
        key = _cache_key(source.key(), chosen) if cache else None
        entry = _load(key) if key is not None else None
        if entry is not None:
            return cls(entry.trie, entry.eos_ids, source.encoder(), fingerprint=entry.fingerprint)
        tokens, default_eos = source.read()
        eos = _checked_eos(default_eos if chosen is None else chosen, len(tokens))
        vocabulary = cls(_trie(tokens, eos), eos, source.encoder())
        if key is not None:
            _store(key, CacheEntry(vocabulary.trie, eos, vocabulary.fingerprint))
        return vocabulary

    def token_bytes(self, token_id: int) -> bytes | None:
        """Return the bytes of a token, or `None` for a token that is no text.

        Raises:
            IndexError: there is no such id.
        """
        if not 0 <= token_id < self.size:
            raise IndexError(token_id)
        return self.trie.token_bytes(token_id)

    @property
    def missing_bytes(self) -> frozenset[int]:
        """The bytes of UTF-8 text that no token stands for alone."""
        if self._missing is None:
            self._missing = frozenset(byte for byte in _UTF8_BYTES if self.trie.prefixes(bytes([byte])) == [])
        return self._missing

    @property
    def is_byte_complete(self) -> bool:
        """Whether every UTF-8 text is a concatenation of tokens whatever stands before it."""
        return not self.missing_bytes

    def encode(self, text: bytes) -> list[int]:
        """Return tokens whose bytes concatenate to exactly `text`.

        This is the tokenizer's own choice where that concatenates to `text` (some put a space in
        front, or normalize), and otherwise the longest token at each place.

        Raises:
            VocabularyError: no concatenation of tokens is `text`.
        """
        if self._encoder is not None and text:
            canonical = self._canonical(text, self._encoder)
            if canonical is not None:
                return canonical
        return self._longest_match(text)

    def _canonical(self, text: bytes, encoder: Encoder) -> list[int] | None:
        try:
            decoded = text.decode("utf-8")
        except UnicodeDecodeError:
            return None
        ids = list(encoder(decoded))
        if self._spell(ids) == text:
            return ids
        # A tokenizer that adds a space in front does so behind nothing: let a line end take it.
        ids = list(encoder("\n" + decoded))
        head = b""
        for n, token_id in enumerate(ids):
            head += self._spell([token_id]) or b"\0"
            if head in (b"\n", b" \n"):
                rest = ids[n + 1 :]
                return rest if self._spell(rest) == text else None
            if len(head) > 2:
                break
        return None

    def _spell(self, ids: Sequence[int]) -> bytes | None:
        parts = [self.trie.token_bytes(i) if 0 <= i < self.size else None for i in ids]
        known = [part for part in parts if part is not None]
        return b"".join(known) if len(known) == len(parts) else None

    def _longest_match(self, text: bytes) -> list[int]:
        ids: list[int] = []
        place = 0
        while place < len(text):
            token_id = self.trie.longest_prefix(text, place)
            if token_id < 0:
                return self._longest_finishing_match(text)
            ids.append(token_id)
            place += self.trie.token_length(token_id)
        return ids

    def _longest_finishing_match(self, text: bytes) -> list[int]:
        """Return, at each place, the longest token behind which the rest can be spelled."""
        best = [-1] * (len(text) + 1)
        best[len(text)] = 0
        for place in range(len(text) - 1, -1, -1):
            for token_id in self.trie.prefixes(text, place):
                if best[place + self.trie.token_length(token_id)] >= 0:
                    best[place] = token_id
        if best[0] < 0:
            raise self._cannot_spell(text)
        ids: list[int] = []
        place = 0
        while place < len(text):
            ids.append(best[place])
            place += self.trie.token_length(best[place])
        return ids

    def _cannot_spell(self, text: bytes) -> VocabularyError:
        missing = sorted(self.missing_bytes & set(text)) or sorted(set(text) - _UTF8_BYTES)
        names = ", ".join(f"0x{byte:02X}" for byte in missing)
        which = f"; there is no token for the bytes {names}" if missing else ""
        return VocabularyError(f"no tokens spell {text[:40]!r}{which}")

    def __eq__(self, other: object) -> bool:
        return self.fingerprint == other.fingerprint if isinstance(other, Vocabulary) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[object, ...]:
        return (Vocabulary, (self.trie, self.eos_ids))

    def __repr__(self) -> str:
        return f"Vocabulary(size={self.size}, eos_ids={self.eos_ids}, fingerprint={self.fingerprint!r})"


def _checked_eos(eos_ids: Iterable[int], size: int) -> tuple[int, ...]:
    eos = tuple(sorted({int(i) for i in eos_ids}))
    if not eos:
        raise VocabularyError("the tokenizer names no end-of-sequence token", remedy=_EOS_REMEDY)
    if eos[0] < 0 or eos[-1] >= size:
        raise VocabularyError(f"end-of-sequence ids {eos} lie outside the {size} tokens", remedy=_EOS_REMEDY)
    return eos


def _trie(tokens: list[bytes | None], eos: tuple[int, ...]) -> TokenTrie:
    for i in eos:
        tokens[i] = None
    words = [token or b"" for token in tokens]
    offset = np.zeros(len(words) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, words), dtype=np.int32, count=len(words)), out=offset[1:])
    in_order = sorted((i for i, word in enumerate(words) if word), key=words.__getitem__)
    return TokenTrie(b"".join(words), offset, np.array(in_order, dtype=np.int32))


def _fingerprint(trie: TokenTrie, eos_ids: tuple[int, ...]) -> str:
    content = hashlib.blake2b(digest_size=16)
    content.update(np.array([len(eos_ids), *eos_ids], dtype="<i8").tobytes())
    content.update(np.asarray(trie.offset, dtype="<i4").tobytes())
    content.update(trie.text.tobytes())
    return content.hexdigest()


def _cache_key(source_key: str | None, eos_ids: tuple[int, ...] | None) -> str | None:
    if source_key is None:
        return None
    chosen = "default" if eos_ids is None else ",".join(map(str, eos_ids))
    return hashlib.sha256(f"{cache.VERSION}|{source_key}|{chosen}".encode()).hexdigest()[:40]


# `cache` is also the name of an argument of the public interface.
_load, _store = cache.load, cache.store
