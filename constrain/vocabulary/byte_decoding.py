"""From token strings to the bytes they stand for, by the tokenizer's own decoder definition.

A tokenizer file says how strings become text: a byte alphabet (GPT-2, Llama 3, Qwen), a space
mark with or without byte fallback (SentencePiece), a continuation mark (WordPiece). `TokenDecoder`
reads that definition (the `decoder` object of a `tokenizer.json`) and gives the bytes that one
token adds *behind another token*: `decode([p, t])` without `decode([p])`, clean-up off. What
decoders do at the two ends of a text (the space that Llama 2 strips in front) is no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from constrain.errors import VocabularyError

__all__ = ["TokenDecoder", "byte_alphabet", "is_control_form"]

_REMEDY = "pass the bytes of each token to Vocabulary.from_token_bytes"

_BYTE_TOKEN = re.compile(r"<0x[0-9A-Fa-f]{2}>")

_CONTROL_FORM = re.compile(r"<[|\uff5c].*[|\uff5c]>|</?([A-Za-z][^<>\s]*)>|\[/?[A-Za-z][^\[\]]*\]", re.DOTALL)

#: Names of tags that mark up text. Media elements (`<image>`, `<video>`, `<audio>`) are missing on
#: purpose: among added tokens these are place holders of multimodal models.
_TEXT_TAGS = frozenset(
    """
    a abbr article aside b bbox blockquote body br caption center cite code col colgroup dd del div dl dt em
    footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img ins kbd label li link main mark meta
    nav ol option p pre q s samp script section select small span strong style sub summary sup table
    tbody td textarea tfoot th thead title tr tt u ul var
    """.split()  # noqa: SIM905 - a list literal of these names would fill a page
)


def is_control_form(content: str) -> bool:
    """Return whether an added token that is not marked special looks like a control token.

    Control forms are `<|...|>`, `<name>`, `</name>` and `[name]`, except the HTML tags of running
    text, which some vocabularies hold as single tokens. Only *added* tokens are judged so.
    """
    match = _CONTROL_FORM.fullmatch(content)
    return match is not None and (match[1] is None or match[1].lower() not in _TEXT_TAGS)


def byte_alphabet() -> dict[str, int]:
    """Return the byte that each character of the GPT-2 byte alphabet stands for."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    alphabet = {chr(byte): byte for byte in printable}
    others = [byte for byte in range(256) if byte not in set(printable)]
    alphabet.update((chr(256 + i), byte) for i, byte in enumerate(others))
    return alphabet


class TokenDecoder:
    """The bytes of a token string behind another token; a callable made from a definition."""

    def __init__(self, definition: Mapping[str, Any] | None) -> None:
        """Compile the `decoder` object of a `tokenizer.json` (`None`: tokens are joined by spaces).

        Raises:
            VocabularyError: the definition has a part whose effect is not the same for a token
                wherever it stands.
        """
        self._stages: list[Callable[[str], str]] = []
        self._to_bytes: Callable[[str], bytes] = _utf8
        self._fused = False
        if definition is None:
            self._stages.append(lambda token: " " + token)
        else:
            for part in _flatten(definition):
                self._add(part)

    def __call__(self, token: str) -> bytes:
        for stage in self._stages:
            token = stage(token)
        return self._to_bytes(token)

    def _add(self, part: Mapping[str, Any]) -> None:
        kind = part.get("type")
        if kind == "Fuse":
            self._fused = True
        elif kind == "ByteLevel":
            self._to_bytes = _ByteLevel()
            self._fused = True
        elif kind == "ByteFallback":
            self._to_bytes = _byte_fallback
        elif kind == "Replace":
            self._add_replace(part)
        elif kind == "Metaspace":
            mark = part.get("replacement", "▁")
            self._stages.append(lambda token: token.replace(mark, " "))
        elif kind == "WordPiece":
            prefix = part.get("prefix", "##")
            self._stages.append(
                lambda token: token[len(prefix) :] if token.startswith(prefix) else " " + token
            )
        elif kind == "Strip":
            self._add_strip(part)
        else:
            raise VocabularyError(f"the decoder `{kind}` has no bytes per token", remedy=_REMEDY)

    def _add_replace(self, part: Mapping[str, Any]) -> None:
        pattern, content = part.get("pattern", {}), part.get("content", "")
        old = pattern.get("String") if isinstance(pattern, Mapping) else None
        if not isinstance(old, str) or not old:
            raise VocabularyError(
                "the decoder replaces a regular expression, which has no bytes per token", remedy=_REMEDY
            )
        if self._fused and len(old) > 1:
            raise VocabularyError("the decoder replaces text across tokens", remedy=_REMEDY)
        self._stages.append(lambda token: token.replace(old, content))

    def _add_strip(self, part: Mapping[str, Any]) -> None:
        content, start, stop = part.get("content", " "), part.get("start", 0), part.get("stop", 0)
        if self._fused:
            # It concerns the two ends of the whole text; the front is never this token's.
            if stop:
                raise VocabularyError("the decoder strips the end of the text", remedy=_REMEDY)
            return
        self._stages.append(lambda token: _strip(token, content, start, stop))


def _flatten(definition: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if definition.get("type") != "Sequence":
        return [definition]
    return [part for inner in definition.get("decoders", ()) for part in _flatten(inner)]


def _strip(token: str, content: str, start: int, stop: int) -> str:
    low, high = 0, len(token)
    while low < min(start, len(token)) and token[low] == content:
        low += 1
    while high > low and len(token) - high < stop and token[high - 1] == content:
        high -= 1
    return token[low:high]


def _utf8(token: str) -> bytes:
    return token.encode("utf-8", "surrogatepass")


def _byte_fallback(token: str) -> bytes:
    if token.startswith("<0x") and _BYTE_TOKEN.fullmatch(token):
        return bytes([int(token[3:5], 16)])
    return token.encode("utf-8", "surrogatepass")


class _ByteLevel:
    """The GPT-2 byte alphabet; a token with any other character stands for its UTF-8."""

    def __init__(self) -> None:
        # Characters below 256 that are no letters of the alphabet must not pass as Latin-1.
        self._table: dict[int, int] = dict.fromkeys(range(256), 0xFFFF)
        self._table.update((ord(letter), byte) for letter, byte in byte_alphabet().items())

    def __call__(self, token: str) -> bytes:
        if token.isascii() and token.isprintable() and " " not in token:
            return token.encode("ascii")
        try:
            return token.translate(self._table).encode("latin-1")
        except UnicodeEncodeError:
            return token.encode("utf-8", "surrogatepass")
