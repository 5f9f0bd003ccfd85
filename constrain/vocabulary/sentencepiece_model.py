"""SentencePiece models: the pieces of a `.model` file, read without the sentencepiece library.

The file is one protocol buffer, `ModelProto` of sentencepiece_model.proto: field 1 repeats the
pieces (1: the string, 3: the type), field 2 is the trainer's specification (42: the id of the end
of a text), field 3 the normalizer's (5: whether spaces are written as U+2581).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from constrain.errors import VocabularyError
from constrain.vocabulary.byte_decoding import is_control_form

__all__ = ["SentencePieceModel"]

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = range(1, 7)
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class SentencePieceModel:
    """The pieces of a model.

    Attributes:
        pieces: (string, type) by id.
        eos_id: the end of a text, or -1.
        escapes_spaces: whether U+2581 stands for a space.
    """

    pieces: list[tuple[str, int]]
    eos_id: int
    escapes_spaces: bool

    @classmethod
    def parse(cls, data: bytes) -> SentencePieceModel:
        """Return the model that the bytes of a `.model` file hold.

        Raises:
            VocabularyError: they hold none.
        """
        pieces: list[tuple[str, int]] = []
        eos_id, escapes_spaces = 2, True
        try:
            for number, value in _fields(data):
                if number == 1 and isinstance(value, bytes):
                    fields = dict(_fields(value))
                    piece, kind = fields.get(1, b""), fields.get(3, _NORMAL)
                    if not isinstance(piece, bytes) or not isinstance(kind, int):
                        raise ValueError("a piece without a string")
                    pieces.append((piece.decode("utf-8"), kind))
                elif number == 2 and isinstance(value, bytes):
                    eos = dict(_fields(value)).get(42, 2)
                    # Negative int32 values are written as 64-bit two's complement.
                    eos_id = eos if isinstance(eos, int) and eos < 1 << 31 else -1
                elif number == 3 and isinstance(value, bytes):
                    escapes_spaces = dict(_fields(value)).get(5, 1) != 0
        except (ValueError, IndexError) as error:
            raise VocabularyError(f"not a SentencePiece model: {error}") from error
        if not pieces:
            raise VocabularyError("not a SentencePiece model: it has no pieces")
        return cls(pieces, eos_id, escapes_spaces)

    @property
    def has_byte_fallback(self) -> bool:
        """Whether there are pieces `<0x00>` to `<0xFF>` for single bytes."""
        return any(kind == _BYTE for _, kind in self.pieces)

    def default_eos(self) -> tuple[int, ...]:
        """Return the end of a text, if the model has one."""
        return (self.eos_id,) if 0 <= self.eos_id < len(self.pieces) else ()

    def token_bytes(self) -> list[bytes | None]:
        """Return the bytes of every piece by id, `None` for those that are no text."""
        return [self._bytes(piece, kind) or None for piece, kind in self.pieces]

    def _bytes(self, piece: str, kind: int) -> bytes:
        if kind == _BYTE:
            return bytes([int(piece[3:5], 16)])
        if kind == _NORMAL or (kind == _USER_DEFINED and not is_control_form(piece)):
            return (piece.replace("▁", " ") if self.escapes_spaces else piece).encode("utf-8")
        return b""


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield (field number, value) of one message; varints as integers, all else as bytes."""
    i = 0
    while i < len(data):
        tag, i = _varint(data, i)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, i = _varint(data, i)
            yield number, value
            continue
        if wire == _LENGTH:
            length, i = _varint(data, i)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError("an unknown wire type")
        if i + length > len(data):
            raise ValueError("it ends too early")
        yield number, data[i : i + length]
        i += length


def _varint(data: bytes, i: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[i]
        value |= (byte & 0x7F) << shift
        i += 1
        if byte < 0x80:
            return value, i
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
