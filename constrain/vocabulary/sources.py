"""What `Vocabulary.from_tokenizer` takes: tokenizer objects of several libraries, and their files.

Each source answers four questions: what determines the vocabulary (`key`), what bytes its tokens
stand for (`read`), how a text is tokenized (`encoder`), and, within `read`, where a text ends.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from constrain.errors import VocabularyError
from constrain.vocabulary import cache, hugging_face, tekken
from constrain.vocabulary.byte_decoding import TokenDecoder, byte_alphabet, is_control_form
from constrain.vocabulary.sentencepiece_model import SentencePieceModel

__all__ = ["Encoder", "Source", "open_source"]

#: Text -> ids, without special tokens around it.
Encoder = Callable[[str], Sequence[int]]
_Table = tuple[list[bytes | None], tuple[int, ...]]

#: The files of a folder that a tokenizer may be loaded from.
_TOKENIZER_SUFFIXES = (".json", ".model", ".txt", ".jinja", ".py")
_FILES = ("tokenizer.json", "tekken.json", "tokenizer.model", "spiece.model")
_REMEDY = "pass the bytes of each token to Vocabulary.from_token_bytes"


class Source(Protocol):
    """A tokenizer, seen as a source of token bytes."""

    def key(self) -> str | None:
        """Return a hash of all that `read` depends on, or `None` if that is not cheap to tell."""

    def read(self) -> _Table:
        """Return the bytes of every token by id (`None`: no text), and the end-of-sequence ids."""

    def encoder(self) -> Encoder | None:
        """Return the tokenizer's own encoding, if it is at hand."""


def open_source(tokenizer: object, loaded_from: Path | None = None) -> Source:
    """Return the source behind a tokenizer, a processor that holds one, or a path.

    Args:
        tokenizer: any of these.
        loaded_from: the folder that it was loaded from, if it is as it was loaded.

    Raises:
        VocabularyError: it is none of these.
    """
    if isinstance(tokenizer, str | os.PathLike):
        return _FileSource(Path(tokenizer))
    seen: Any = tokenizer
    for _ in range(4):
        if seen is None:
            break
        if hasattr(seen, "get_added_tokens_decoder") and hasattr(seen, "model"):
            return _BackendSource(seen, None, loaded_from)
        backend = getattr(seen, "backend_tokenizer", None)
        if backend is not None and hasattr(backend, "get_added_tokens_decoder"):
            return _BackendSource(backend, seen, loaded_from)
        if hasattr(seen, "id_to_byte_piece") and hasattr(seen, "num_special_tokens"):
            return _TekkenSource(seen)
        if hasattr(seen, "convert_ids_to_tokens") and _slow_decoder(seen) is not None:
            return _SlowSource(seen)
        if hasattr(seen, "serialized_model_proto"):
            return _SentencePieceSource(seen)
        # Processors hold a tokenizer; mistral-common nests three objects.
        seen = next(
            (
                inner
                for name in ("instruct_tokenizer", "tokenizer", "_model")
                if (inner := getattr(seen, name, None)) is not None
            ),
            None,
        )
    raise VocabularyError(f"{type(tokenizer).__name__} is no known kind of tokenizer", remedy=_REMEDY)


class _BackendSource:
    """A `tokenizers.Tokenizer`, alone or inside a tokenizer of transformers."""

    def __init__(self, backend: Any, outer: Any, loaded_from: Path | None) -> None:
        self._backend = backend
        self._outer = outer
        self._loaded_from = loaded_from or _remembered_folder(outer)
        self._snapshot = hugging_face.Snapshot(backend)

    def _special(self) -> list[int]:
        # A padding token may be any ordinary token; it is special only if it was added.
        if self._outer is None:
            return []
        return sorted(set(self._outer.all_special_ids) & set(self._snapshot.added))

    def _eos(self) -> tuple[int, ...]:
        return _ids(getattr(self._outer, "eos_token_id", None))

    def key(self) -> str | None:
        return _hash(self._digest(), self._outer is None, self._special(), self._eos())

    def _digest(self) -> str:
        snapshot = self._snapshot
        if self._loaded_from is None:
            return snapshot.digest
        try:
            files = [
                (path.name, cache.content_digest(path))
                for path in sorted(self._loaded_from.iterdir())
                if path.suffix in _TOKENIZER_SUFFIXES and path.is_file()
            ]
        except OSError:
            return snapshot.digest
        modules = [sys.modules.get(name) for name in ("tokenizers", "transformers")]
        versions = [getattr(module, "__version__", None) for module in modules]
        kind = type(self._outer)
        name = _hash(snapshot.outline, files, versions, f"{kind.__module__}.{kind.__qualname__}")
        return cache.noted(name, lambda: snapshot.digest, lambda: bool(files))

    def read(self) -> _Table:
        definition = self._snapshot.definition()
        eos = definition.default_eos() if self._outer is None else self._eos()
        return hugging_face.token_bytes(definition, self._special()), eos

    def encoder(self) -> Encoder | None:
        return _backend_encoder(self._backend)


def _remembered_folder(tokenizer: Any) -> Path | None:
    """Return the local folder that a tokenizer of transformers says it was loaded from."""
    name = getattr(tokenizer, "name_or_path", None)
    return Path(name) if isinstance(name, str) and name and os.path.isdir(name) else None


class _SlowSource:
    """A tokenizer of transformers that is Python code around a model of a known kind."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        decoder = _slow_decoder(tokenizer)
        assert decoder is not None
        self._decode = decoder

    def key(self) -> str | None:
        return None

    def read(self) -> _Table:
        tokenizer = self._tokenizer
        size = max(tokenizer.get_vocab().values(), default=-1) + 1
        added = {i: (t.content, t.special) for i, t in tokenizer.added_tokens_decoder.items()}
        excluded = {i for i in tokenizer.all_special_ids if i in added or i == tokenizer.unk_token_id}
        excluded |= {i for i, (content, special) in added.items() if special or is_control_form(content)}
        model = _sentencepiece_model(tokenizer)
        no_text = set()
        if model is not None:
            no_text = {
                piece for (piece, _), data in zip(model.pieces, model.token_bytes(), strict=True) if not data
            }
        result: list[bytes | None] = []
        for i, token in enumerate(tokenizer.convert_ids_to_tokens(list(range(size)))):
            if i in excluded or token is None or token in no_text:
                result.append(None)
            else:
                result.append(self._decode(token) or None)
        return result, _ids(tokenizer.eos_token_id)

    def encoder(self) -> Encoder | None:
        tokenizer = self._tokenizer
        return lambda text: [int(i) for i in tokenizer.encode(text, add_special_tokens=False)]


class _TekkenSource:
    """A `Tekkenizer` of mistral-common."""

    def __init__(self, tekkenizer: Any) -> None:
        self._tekkenizer = tekkenizer

    def key(self) -> str | None:
        return None

    def read(self) -> _Table:
        return tekken.from_tekkenizer(self._tekkenizer)

    def encoder(self) -> Encoder | None:
        tekkenizer = self._tekkenizer
        return lambda text: [int(i) for i in tekkenizer.encode(text, bos=False, eos=False)]


class _SentencePieceSource:
    """A `SentencePieceProcessor`."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        self._data: bytes = processor.serialized_model_proto()

    def key(self) -> str | None:
        return hashlib.sha256(self._data).hexdigest()

    def read(self) -> _Table:
        model = SentencePieceModel.parse(self._data)
        return model.token_bytes(), model.default_eos()

    def encoder(self) -> Encoder | None:
        processor = self._processor
        return lambda text: [int(i) for i in processor.encode(text)]


class _FileSource:
    """A tokenizer file, or the folder of a model. The library that made it is needed for `encoder` only."""

    def __init__(self, path: Path) -> None:
        self._path = _tokenizer_file(path)
        self._digest: str | None = None
        try:
            self._beside = {
                name: file.read_bytes()
                for name in ("tokenizer_config.json", "special_tokens_map.json")
                if (file := self._path.parent / name).is_file() and self._path.name in _FILES
            }
        except OSError as error:
            raise _unreadable(error) from error

    def key(self) -> str | None:
        # The file itself may have tens of megabytes; those beside it have a few kilobytes.
        try:
            self._digest = cache.content_digest(self._path)
        except OSError as error:
            raise _unreadable(error) from error
        parts = [self._digest, *(hashlib.sha256(data).hexdigest() for data in self._beside.values())]
        return _hash("file", sorted(self._beside), parts)

    @cached_property
    def _data(self) -> bytes:
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise _unreadable(error) from error
        if self._digest is not None and hashlib.sha256(data).hexdigest() != self._digest:
            raise VocabularyError("the tokenizer file was changed while it was in use", remedy="try again")
        return data

    @property
    def _is_json(self) -> bool:
        return self._data.lstrip()[:1] == b"{"

    def read(self) -> _Table:
        if not self._is_json:
            model = SentencePieceModel.parse(self._data)
            return model.token_bytes(), model.default_eos()
        try:
            data = json.loads(self._data)
        except ValueError as error:
            raise VocabularyError(f"{self._path.name} is not JSON: {error}") from error
        if tekken.is_tekken(data):
            return tekken.from_json(data)
        definition = hugging_face.from_json(data)
        return hugging_face.token_bytes(definition), self._eos(definition)

    def _eos(self, definition: hugging_face.Definition) -> tuple[int, ...]:
        for content in self._beside.values():
            try:
                named = json.loads(content).get("eos_token")
            except (ValueError, AttributeError):
                continue
            name = named.get("content") if isinstance(named, Mapping) else named
            found = definition.find(name) if isinstance(name, str) else None
            if found is not None:
                return (found,)
        return definition.default_eos()

    def encoder(self) -> Encoder | None:
        loaded: list[Encoder | None] = []

        def encode(text: str) -> Sequence[int]:
            # The library loads slowly, and only canonical tokenization needs it.
            if not loaded:
                loaded.append(self._load_encoder())
            return loaded[0](text) if loaded[0] is not None else ()

        return encode

    def _load_encoder(self) -> Encoder | None:
        try:
            if not self._is_json:
                from sentencepiece import SentencePieceProcessor

                return _SentencePieceSource(SentencePieceProcessor(model_proto=self._data)).encoder()
            if self._path.name.startswith("tekken"):
                from mistral_common.tokens.tokenizers.tekken import Tekkenizer

                return _TekkenSource(Tekkenizer.from_file(self._path)).encoder()
            from tokenizers import Tokenizer

            return _backend_encoder(Tokenizer.from_buffer(self._data))
        except ImportError:
            return None


def _unreadable(error: OSError) -> VocabularyError:
    return VocabularyError(f"the tokenizer cannot be read: {error}")


def _tokenizer_file(path: Path) -> Path:
    if path.is_dir():
        for name in _FILES:
            if (path / name).is_file():
                return path / name
        raise VocabularyError(f"the folder has none of {', '.join(_FILES)}: {path}")
    if not path.is_file():
        raise VocabularyError(
            f"no such file or folder: {path}", remedy="load the tokenizer first, and pass the object"
        )
    return path


def _slow_decoder(tokenizer: Any) -> Callable[[str], bytes] | None:
    """Return the bytes of a token string of a Python tokenizer, by the model that it wraps."""
    if getattr(tokenizer, "byte_decoder", None) == byte_alphabet():
        return TokenDecoder({"type": "ByteLevel"})
    model = _sentencepiece_model(tokenizer)
    if model is not None:
        parts: list[dict[str, object]] = []
        if model.escapes_spaces:
            parts.append({"type": "Replace", "pattern": {"String": "▁"}, "content": " "})
        if model.has_byte_fallback:
            parts.append({"type": "ByteFallback"})
        return TokenDecoder({"type": "Sequence", "decoders": parts})
    if getattr(tokenizer, "wordpiece_tokenizer", None) is not None:
        return TokenDecoder({"type": "WordPiece", "prefix": "##"})
    return None


def _sentencepiece_model(tokenizer: Any) -> SentencePieceModel | None:
    processor = getattr(tokenizer, "sp_model", None)
    if processor is None or not hasattr(processor, "serialized_model_proto"):
        return None
    return SentencePieceModel.parse(processor.serialized_model_proto())


def _backend_encoder(backend: Any) -> Encoder:
    return lambda text: list(backend.encode(text, add_special_tokens=False).ids)


def _ids(value: object) -> tuple[int, ...]:
    if value is None:
        return ()
    if isinstance(value, int):
        return (value,)
    return tuple(int(i) for i in value) if isinstance(value, list | tuple) else ()


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
