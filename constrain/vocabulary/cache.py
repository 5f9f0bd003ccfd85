"""Vocabularies on disk, so that a tokenizer is taken apart once.

One file per vocabulary: a head with a checksum, then the arrays of the token trie as they lie in
memory, so that loading is one read. The name is a hash of everything that the content depends
on; it is never a guess, so a hit is right by construction. The checksum finds damage, not malice:
the folder is the user's own, as that of compiled Python modules is.

Beside them lie *notes*, which spare the reading of large tokenizers: a hash of a content under a
name that is cheaper to find out. For a file this is its identity, that is its path, device, inode,
size and the times of its last changes. A file that is written to gets a new time (the one of its
inode cannot be set by programs), unless that happens within the resolution of the clock; so a note
is only made of a file that has been left alone for longer than that. This is how git tells
unchanged files.

For a tokenizer object, which can be changed in memory without a trace, there is nothing cheap
that tells its content, so it is read in full - unless it was loaded from a folder: a tokenizer of
transformers remembers its own (`name_or_path`), and for others the caller can name it
(`Vocabulary.from_tokenizer(..., loaded_from=folder)`). Then the note's name is made of the content
of the files in that folder, the versions of the libraries that load them, and an outline of the
object: all of its state but the tokens of its model, and a sample of those, which catches a folder
that is not the right one.

The cache is an aid: a damaged file is ignored and replaced, a folder that cannot be written is no
error.
"""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from constrain.disk import cache_folder, write_whole
from constrain.errors import VocabularyError
from constrain.vocabulary.token_trie_cy import ARRAYS, TokenTrie

__all__ = ["CacheEntry", "content_digest", "load", "noted", "store"]

logger = logging.getLogger(__name__)

#: Part of every key: to be raised when token bytes are derived differently, or stored differently.
VERSION = f"2{sys.byteorder}"
_MAGIC = b"constrain-vocab2"
# The checksum of all that follows, and the lengths of `ARRAYS`, `byte`, `text` and the EOS ids.
_CHECKSUM = struct.Struct("<Q")
_LENGTHS = struct.Struct(f"<{len(ARRAYS) + 3}q")
_FINGERPRINT_SIZE = 32
_HEAD = len(_MAGIC) + _CHECKSUM.size
_ARRAYS_START = _HEAD + _LENGTHS.size + _FINGERPRINT_SIZE

# File systems keep times to 2 s at worst.
_RESOLUTION_NS = 2_500_000_000


@dataclass(frozen=True, slots=True, eq=False)
class CacheEntry:
    """What is kept of a vocabulary.

    Attributes:
        trie: the tokens.
        eos_ids: the end-of-sequence tokens.
        fingerprint: the fingerprint of the vocabulary, 32 hexadecimal digits.
    """

    trie: TokenTrie
    eos_ids: tuple[int, ...]
    fingerprint: str


def load(key: str) -> CacheEntry | None:
    """Return the entry stored under `key`, or `None` when there is none that is intact."""
    try:
        # Read, not mapped: a mapped file that is cut short kills the process.
        data = _path(key).read_bytes()
    except (OSError, RuntimeError):
        return None
    entry = _unpack(data)
    if entry is None:
        logger.warning("ignoring a damaged vocabulary cache file: %s", key)
    return entry


def store(key: str, entry: CacheEntry) -> None:
    """Store an entry under `key`: completely or, when the folder cannot be written, not at all."""
    trie = entry.trie
    arrays = [getattr(trie, name) for name in ARRAYS]
    lengths = [*map(len, arrays), len(trie.byte), len(trie.text), len(entry.eos_ids)]
    parts = [_LENGTHS.pack(*lengths), entry.fingerprint.encode("ascii")]
    parts += [array.tobytes() for array in arrays]
    parts += [np.array(entry.eos_ids, dtype=np.int32).tobytes(), trie.byte.tobytes(), trie.text.tobytes()]
    payload = b"".join(parts)
    write_whole(_path(key), _MAGIC + _CHECKSUM.pack(zlib.crc32(payload)) + payload)


def content_digest(path: Path) -> str:
    """Return a hash of the content of a file; it is read only if there is no note of it.

    Raises:
        OSError: the file cannot be read.
    """
    identity = _identity(path)
    began = time.time_ns()
    return noted(
        repr(identity),
        lambda: hashlib.sha256(path.read_bytes()).hexdigest(),
        lambda: began - max(identity[-2:]) > _RESOLUTION_NS and _identity(path) == identity,
    )


def noted(name: str, digest: Callable[[], str], trusted: Callable[[], bool]) -> str:
    """Return what was noted under a name; what is not is computed, and noted if it is trusted.

    Args:
        name: of any length.
        digest: computes the value, 64 hexadecimal digits.
        trusted: whether the name will always stand for this value; asked after `digest`.
    """
    name = hashlib.sha256(f"{VERSION}|{name}".encode()).hexdigest()
    try:
        note = _note_path(name).read_bytes()
    except (OSError, RuntimeError):
        note = b""
    known, _, checksum = note.partition(b" ")
    if len(known) == 64 and checksum == b"%08x" % zlib.crc32(known):
        return known.decode("ascii")
    value = digest()
    if trusted():
        content = value.encode("ascii")
        write_whole(_note_path(name), content + b" %08x" % zlib.crc32(content))
    return value


def _identity(path: Path) -> tuple[str, int, int, int, int, int]:
    found = path.stat()
    return (
        os.path.realpath(path),
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


def _unpack(data: bytes) -> CacheEntry | None:
    payload = memoryview(data)[_HEAD:]
    if len(data) < _ARRAYS_START or data[: len(_MAGIC)] != _MAGIC:
        return None
    if _CHECKSUM.unpack_from(data, len(_MAGIC))[0] != zlib.crc32(payload):
        return None
    *lengths, n_nodes, text_length, n_eos = _LENGTHS.unpack_from(payload)
    if _ARRAYS_START + 4 * (sum(lengths) + n_eos) + n_nodes + text_length != len(data):
        return None
    arrays: dict[str, np.ndarray] = {}
    place = _ARRAYS_START
    for name, length in zip((*ARRAYS, "eos"), (*lengths, n_eos), strict=True):
        arrays[name] = np.frombuffer(data, dtype=np.int32, count=length, offset=place)
        place += 4 * length
    for name, length in (("byte", n_nodes), ("text", text_length)):
        arrays[name] = np.frombuffer(data, dtype=np.uint8, count=length, offset=place)
        place += length
    fingerprint = data[_ARRAYS_START - _FINGERPRINT_SIZE : _ARRAYS_START].decode("ascii")
    try:
        return CacheEntry(TokenTrie.from_arrays(arrays), tuple(arrays["eos"].tolist()), fingerprint)
    except VocabularyError:
        return None


def _path(key: str) -> Path:
    return cache_folder() / f"{key}.vocabulary"


def _note_path(name: str) -> Path:
    return cache_folder() / "files" / name
