"""Constraints on disk, so that a server that starts again is warm.

Automata, frames and masks are built while documents are decoded. What is kept of a constraint is
what they were built *from*: some documents that were written under it. Starting again compiles the
schema and reads those documents once, token by token, filling the masks along them; then the same
and similar documents meet masks that are there. The file holds no code and no state of the engine:
it cannot change what a constraint means, and it serves every version and every vocabulary.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from constrain.disk import cache_folder, write_whole

if TYPE_CHECKING:
    from constrain.constraint import Constraint
    from constrain.knowledge import Graph
    from constrain.options import Options
    from constrain.vocabulary import Vocabulary

__all__ = ["ConstraintCache"]

logger = logging.getLogger(__name__)

#: The first line of a file; to be raised when the rest is written differently.
_MAGIC = b"constrain-documents 1\n"


class ConstraintCache:
    """Compiled constraints that are warm when they are made again.

    The documents that are kept may hold what users wrote: the files are readable by their owner
    alone, and nothing is written before `save` is called.

    Args:
        folder: of the files; `constraints` in the cache folder of the library by default.

    Example:
        >>> import constrain, tempfile
        >>> cache = constrain.ConstraintCache(tempfile.mkdtemp())
        >>> words = constrain.Vocabulary.from_token_bytes([b"1", b"2", None], eos_ids=[2])
        >>> constraint = cache.compile({"type": "integer"}, vocabulary=words)
        >>> constraint.warm_up(words, ["12"])
        3
        >>> cache.save(constraint)
        True
    """

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = cache_folder() / "constraints" if folder is None else Path(folder)

    def compile(
        self,
        source: object,
        *,
        vocabulary: Vocabulary,
        knowledge: Graph | None = None,
        options: Options | None = None,
        registry: Mapping[str, object] | None = None,
    ) -> Constraint:
        """Compile a source as `constrain.compile` does, and fill masks along the documents that are kept.

        Args:
            vocabulary: for which masks are filled.

        Raises:
            ConstrainError: as `constrain.compile`. A damaged file is none: it is ignored.
        """
        import constrain

        constraint = constrain.compile(source, knowledge=knowledge, options=options, registry=registry)
        constraint.warm_up(vocabulary, self._load(constraint))
        return constraint

    def save(self, constraint: Constraint) -> bool:
        """Keep the documents that were written under a constraint lately; return whether that was possible.

        What was kept before stays, as far as there is room.
        """
        seen = list(dict.fromkeys([*constraint.seen, *self._load(constraint)]))
        if not seen:
            return False
        payload = json.dumps([text.decode() for text in seen[: constraint.most_seen]]).encode()
        digest = hashlib.sha256(payload).hexdigest().encode()
        return write_whole(self._path(constraint), _MAGIC + digest + b"\n" + payload)

    def _path(self, constraint: Constraint) -> Path:
        return self.folder / f"{constraint.fingerprint}.documents"

    def _load(self, constraint: Constraint) -> list[bytes]:
        path = self._path(constraint)
        try:
            data = path.read_bytes()
        except (OSError, RuntimeError):
            return []
        documents = _read(data)
        if documents is None:
            logger.warning("ignoring a damaged file of documents: %s", path.name)
        return documents or []


def _read(data: bytes) -> list[bytes] | None:
    """Return the documents of a file, or `None` if it is damaged."""
    if not data.startswith(_MAGIC):
        return None
    digest, _, payload = data[len(_MAGIC) :].partition(b"\n")
    if hashlib.sha256(payload).hexdigest().encode() != digest:
        return None
    texts: Any = json.loads(payload)
    return [text.encode() for text in texts]
