"""Tokenizers of the `tokenizers` library, as objects and as `tokenizer.json`.

Both are first brought to one form, a `Definition`: strings by id, the added tokens, and the
decoder. `token_bytes` then decides which tokens are text and what bytes they stand for. Of an
object a `Snapshot` is taken first, which is just enough to tell whether it has changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from constrain.errors import VocabularyError
from constrain.vocabulary.byte_decoding import TokenDecoder, is_control_form

__all__ = ["Definition", "Snapshot", "from_json", "token_bytes"]

#: Usual names of end-of-sequence tokens, for tokenizers that do not say which is theirs.
EOS_NAMES = (
    "</s>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<eos>",
    "<|im_end|>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
)

# Stand for a space inside a token, and for an id without a token, while tokens are joined by
# spaces. Tokens that hold these very strings do not occur.
_SPACE = "\0space:c6e1c1f2a9d84d0b\0"
_ABSENT = "\0absent:c6e1c1f2a9d84d0b\0"
_CHUNK = 4096
# How many tokens of a model an outline looks at.
_SAMPLE = 4096

_REMEDY = "pass the bytes of each token to Vocabulary.from_token_bytes"


@dataclass(frozen=True, slots=True)
class Definition:
    """A tokenizer as data.

    Attributes:
        tokens: the strings of the model's own tokens by id; `None` where there is no such id.
        added: id -> (content, whether it is special) of the added tokens; they take precedence.
        decoder: the `decoder` object of a `tokenizer.json`.
        pre_tokenizer: its `pre_tokenizer` object.
        unknown: the id of the token that stands for what cannot be spelled.
    """

    tokens: list[str | None]
    added: dict[int, tuple[str, bool]]
    decoder: Mapping[str, Any] | None
    pre_tokenizer: Mapping[str, Any] | None
    unknown: int | None

    def default_eos(self) -> tuple[int, ...]:
        """Return the tokens with a usual end-of-sequence name, those marked special if there are any."""
        special = sorted(i for i, (content, flag) in self.added.items() if flag and content in EOS_NAMES)
        if special:
            return tuple(special)
        return tuple(i for i, token in enumerate(self.tokens) if token in EOS_NAMES and i not in self.added)

    def find(self, token: str) -> int | None:
        """Return the id of a token string, added tokens first."""
        for i, (content, _) in self.added.items():
            if content == token:
                return i
        return self.tokens.index(token) if token in self.tokens else None


def from_json(data: Mapping[str, Any]) -> Definition:
    """Return the definition that a parsed `tokenizer.json` holds.

    Raises:
        VocabularyError: it is not one.
    """
    try:
        model = data["model"]
        vocabulary = model["vocab"]
        if isinstance(vocabulary, Mapping):
            tokens = _by_id(vocabulary)
            name = model.get("unk_token")
            unknown = vocabulary.get(name) if name is not None else None
        else:
            tokens = [piece[0] for piece in vocabulary]
            unknown = model.get("unk_id")
        added = {t["id"]: (t["content"], bool(t["special"])) for t in data.get("added_tokens") or ()}
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise VocabularyError(f"not a tokenizer.json: {type(error).__name__}: {error}") from error
    return Definition(tokens, added, data.get("decoder"), data.get("pre_tokenizer"), unknown)


class Snapshot:
    """A `tokenizers.Tokenizer` as it is now; such an object can be changed at any time.

    The tokens of its model are read when they are first asked for, as this takes most of the time.

    Attributes:
        added: id -> (content, whether it is special) of the added tokens.
    """

    def __init__(self, backend: Any) -> None:
        """Read all of the tokenizer but the tokens of its model.

        Raises:
            VocabularyError: its decoder is Python code.
        """
        self._backend = backend
        self.added = {i: (t.content, bool(t.special)) for i, t in backend.get_added_tokens_decoder().items()}
        self._decoder = _component(backend.decoder, "decoder")
        self._pre_tokenizer = (
            _component(backend.pre_tokenizer, "pre-tokenizer") if self._decoder is None else None
        )
        self._unknown = _unknown(backend.model)
        rest = [sorted(self.added.items()), self._decoder, self._pre_tokenizer, self._unknown]
        self._rest = json.dumps(rest).encode()

    @cached_property
    def digest(self) -> str:
        """A hash of all that the token bytes depend on; 262,144 tokens take about 0.15 s."""
        content = hashlib.sha256(self._rest)
        content.update(b"\0" + self._joined.encode("utf-8", "surrogatepass"))
        return content.hexdigest()

    @cached_property
    def outline(self) -> str:
        """A hash of all but the tokens of the model, of which it takes some: it is no proof of equality."""
        model, size = self._backend.model, self._backend.get_vocab_size(with_added_tokens=False)
        step = max(1, size // _SAMPLE)
        some = [model.id_to_token(i) for i in range(0, size, step)]
        return hashlib.sha256(
            self._rest + json.dumps([type(model).__name__, size, some]).encode()
        ).hexdigest()

    @cached_property
    def _joined(self) -> str:
        return _joined_tokens(self._backend)

    def definition(self) -> Definition:
        """Return the tokenizer as data."""
        tokens: list[str | None] = [
            None if token == _ABSENT else token.replace(_SPACE, " ") for token in self._joined.split(" ")
        ]
        return Definition(
            tokens if self._joined else [], self.added, self._decoder, self._pre_tokenizer, self._unknown
        )


def token_bytes(definition: Definition, special: Collection[int] = ()) -> list[bytes | None]:
    """Return the bytes of every token by id, `None` for tokens that are no text.

    No text are: special and control-like added tokens, the unknown token, tokens without bytes,
    ids without a token, and the ids of `special`.
    """
    if definition.decoder is None and "ByteLevel" in json.dumps(definition.pre_tokenizer):
        raise VocabularyError(
            "the tokenizer encodes to a byte alphabet, but defines no decoder",
            remedy="set tokenizer.decoder = tokenizers.decoders.ByteLevel()",
        )
    decode = TokenDecoder(definition.decoder)
    size = max(len(definition.tokens), max(definition.added, default=-1) + 1)
    result: list[bytes | None] = [
        None if token is None else (decode(token) or None) for token in definition.tokens
    ]
    result.extend([None] * (size - len(result)))
    for i, (content, is_special) in definition.added.items():
        result[i] = None if is_special or is_control_form(content) else (decode(content) or None)
    for i in special:
        if 0 <= i < size:
            result[i] = None
    if definition.unknown is not None and definition.unknown < size:
        result[definition.unknown] = None
    return result


def _by_id(vocabulary: Mapping[str, int]) -> list[str | None]:
    tokens: list[str | None] = [None] * (max(vocabulary.values(), default=-1) + 1)
    for token, i in vocabulary.items():
        tokens[i] = token
    return tokens


def _joined_tokens(backend: Any) -> str:
    """Return the model's tokens in the order of their ids, with a space between two.

    Many ids are decoded in one call, by a decoder that only puts the space between tokens: this
    takes a third of the time of `get_vocab`. Spaces inside tokens are replaced first, so the number
    of spaces tells whether every id of the chunk exists.
    """
    from tokenizers import Tokenizer, decoders

    bare = Tokenizer(backend.model)
    bare.decoder = decoders.Sequence(
        [decoders.Replace(" ", _SPACE), decoders.WordPiece(prefix=" ", cleanup=False)]
    )
    size = bare.get_vocab_size()
    chunks: list[str] = []
    missing, start = size, 0
    while missing > 0:
        if start > 16 * (size + _CHUNK):
            raise VocabularyError("the token ids are far apart", remedy=_REMEDY)
        ids = range(start, start + _CHUNK)
        chunk: str = bare.decode(ids, skip_special_tokens=False)
        if chunk.count(" ") == _CHUNK - 1:
            missing -= _CHUNK
        else:
            tokens = [bare.id_to_token(i) for i in ids]
            missing -= sum(token is not None for token in tokens)
            while missing == 0 and tokens[-1] is None:
                tokens.pop()
            chunk = " ".join(_ABSENT if token is None else token.replace(" ", _SPACE) for token in tokens)
        chunks.append(chunk)
        start += _CHUNK
    return " ".join(chunks)


def _component(component: Any, name: str) -> dict[str, Any] | None:
    if component is None:
        return None
    try:
        state = json.loads(component.__getstate__())
    except Exception as error:
        raise VocabularyError(
            f"the {name} is defined by Python code, not by data",
            remedy=_REMEDY,
        ) from error
    return state if isinstance(state, dict) else None


def _unknown(model: Any) -> int | None:
    if hasattr(model, "unk_token"):
        token = model.unk_token
        found = None if token is None else model.token_to_id(token)
        return found if found is None else int(found)
    # Unigram models have no attribute for it; their state is JSON, large, and names it.
    match = re.match(r"Unigram\(unk_id=(\d+|None)\b", repr(model))
    if match is not None:
        return None if match[1] == "None" else int(match[1])
    unknown = json.loads(model.__getstate__()).get("unk_id")
    return unknown if unknown is None else int(unknown)
