"""Vocabularies on disk, so that a tokenizer is taken apart once.

One file per vocabulary: a checksum, then raw arrays. The name is a hash of everything that the
content depends on; it is never a guess, so a hit is right by construction. The cache is an aid:
a damaged file is ignored and replaced, a folder that cannot be written is no error.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["CacheEntry", "cache_folder", "load", "store"]

logger = logging.getLogger(__name__)

#: Part of every key: to be raised when token bytes are derived differently.
VERSION = 1
_MAGIC = b"constrain-vocab\0"
_DIGEST_SIZE = 16
_COUNTS = struct.Struct("<4q")


@dataclass(frozen=True, slots=True, eq=False)
class CacheEntry:
    """What is kept of a vocabulary: all token bytes in a row, and where each begins.

    Attributes:
        text: the bytes of all tokens, one after another.
        offset: int32[size + 1]; token i is `text[offset[i]:offset[i + 1]]`, empty for none.
        sorted_ids: int32; the ids of the tokens with bytes, by bytes, then by id.
        eos_ids: the end-of-sequence tokens.
    """

    text: bytes
    offset: np.ndarray
    sorted_ids: np.ndarray
    eos_ids: tuple[int, ...]


def cache_folder() -> Path:
    """Return `$CONSTRAIN_CACHE`, or `constrain` in the user's cache folder; it need not exist."""
    chosen = os.environ.get("CONSTRAIN_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "constrain"


def load(key: str) -> CacheEntry | None:
    """Return the entry stored under `key`, or `None` when there is none that is intact."""
    try:
        data = _path(key).read_bytes()
    except (OSError, RuntimeError):
        return None
    head = len(_MAGIC) + _DIGEST_SIZE
    payload = memoryview(data)[head:]
    if data[: len(_MAGIC)] != _MAGIC or data[len(_MAGIC) : head] != _digest(payload):
        logger.warning("ignoring a damaged vocabulary cache file: %s", key)
        return None
    text_length, n_offsets, n_sorted, n_eos = _COUNTS.unpack_from(payload)
    arrays = np.frombuffer(payload, dtype="<i4", offset=_COUNTS.size, count=n_offsets + n_sorted + n_eos)
    text = bytes(payload[_COUNTS.size + arrays.nbytes :])
    if len(text) != text_length:
        return None
    return CacheEntry(
        text=text,
        offset=arrays[:n_offsets],
        sorted_ids=arrays[n_offsets : n_offsets + n_sorted],
        eos_ids=tuple(arrays[n_offsets + n_sorted :].tolist()),
    )


def store(key: str, entry: CacheEntry) -> None:
    """Store an entry under `key`: completely or, when the folder cannot be written, not at all."""
    counts = _COUNTS.pack(len(entry.text), len(entry.offset), len(entry.sorted_ids), len(entry.eos_ids))
    arrays = (entry.offset, entry.sorted_ids, np.array(entry.eos_ids, dtype=np.int32))
    payload = b"".join([counts, *(array.astype("<i4").tobytes() for array in arrays), entry.text])
    temporary: str | None = None
    try:
        path = _path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        import tempfile  # late: it brings archives and compression along

        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + _digest(payload) + payload)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        logger.info("the vocabulary cache cannot be written: %s", error)
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _path(key: str) -> Path:
    return cache_folder() / f"{key}.vocabulary"


def _digest(payload: bytes | memoryview) -> bytes:
    return hashlib.blake2b(payload, digest_size=_DIGEST_SIZE).digest()
