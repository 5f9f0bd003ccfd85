"""The matcher: one sequence of tokens against one constraint.

The positions after all tokens are linked to their predecessors, so `fork` shares them and
`rollback` goes back along the links. Nothing of a refused token stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.matching.mask_words_cy import KeptMask
    from cython.cimports.constrain.matching.masks_cy import MaskBuilder
    from cython.cimports.constrain.matching.position_cy import Position
    from cython.cimports.constrain.matching.session_cy import Session
    from cython.cimports.constrain.matching.steering_cy import Steering
    from cython.cimports.constrain.vocabulary.token_trie_cy import TokenTrie
    from cython.cimports.cpython.buffer import (
        Py_buffer,
        PyBUF_ND,
        PyBUF_WRITABLE,
        PyBuffer_Release,
        PyObject_GetBuffer,
    )
    from cython.cimports.libc.string import memcpy, memset
else:
    from constrain.matching.mask_words_cy import KeptMask
    from constrain.matching.masks_cy import MaskBuilder
    from constrain.matching.position_cy import Position
    from constrain.matching.session_cy import Session
    from constrain.matching.steering_cy import Steering
    from constrain.vocabulary.token_trie_cy import TokenTrie

import numpy as np

from constrain.errors import ConstrainError
from constrain.matching.completion import completion

__all__ = ["Matcher", "fill_bitmasks"]

_ARRAY: Any = np.ndarray
#: The types of a bitmask, as arrays have them; others are looked at closely.
_INT32: Any = np.dtype(np.int32)
_UINT32: Any = np.dtype(np.uint32)
#: Documents with more tokens are not kept among those written lately.
_MOST_SEEN_TOKENS = 4096


@cython.cclass
class Matcher:
    """One sequence; made by `Constraint.matcher`."""

    def __init__(self, session: Session, prefix: bytes = b"", max_tokens: int | None = None) -> None:
        self.session = session
        self.n_eos = 0
        self.steering = None if max_tokens is None else Steering(session, max_tokens)
        self.n_masks = 0
        self.n_advanced = 0
        self.n_refused = 0
        start = Position(session.policy)
        with session.lock:
            start.begin(session.machine.root)
            for offset, byte in enumerate(prefix):
                if not start.step(byte, start):
                    raise ConstrainError(
                        f"no document of the constraint starts with the prefix: byte {offset} does not fit",
                        remedy="pass the bytes of a document's beginning, or none",
                    )
        self.prefix = prefix
        self.start = start
        self.here = start
        if max_tokens is not None:
            needed = len(self.plan()) + 1
            if needed > max_tokens:
                from constrain.errors import LimitExceeded

                raise LimitExceeded(
                    f"a complete document needs {needed} tokens with the end token, {max_tokens} are allowed",
                    limit=max_tokens,
                    remedy=f"allow at least {needed} tokens",
                )

    @property
    def stats(self) -> dict[str, int]:
        """Counters: masks filled, tokens taken and refused."""
        return {"masks": self.n_masks, "advanced": self.n_advanced, "refused": self.n_refused}

    @property
    def accepting(self) -> bool:
        """Whether the document may end here."""
        return self.here.accepting()

    @property
    def finished(self) -> bool:
        """Whether an EOS token was taken."""
        return self.n_eos > 0

    @property
    def n_tokens(self) -> int:
        """The number of tokens taken."""
        return self.here.n_tokens + self.n_eos

    def fill_bitmask(self, bitmask: Any, row: int = 0) -> bool:
        """Write the mask of the allowed tokens to one row.

        Args:
            bitmask: int32[rows, words], C-contiguous (a numpy array or a CPU tensor); bit i of a row,
                lowest bit first, tells whether token i is allowed. A row may be narrower or wider
                than the vocabulary; surplus bits are 0.
            row: which row to write.

        Returns:
            False if all tokens are allowed, so that the mask need not be applied.
        """
        written: cython.int
        if cython.compiled and type(bitmask) is _ARRAY:
            written = self._write(bitmask, row)
            if written < 2:
                return written == 0
        target = _row(bitmask, row)
        with self.session.lock:
            words = self._mask()
            width = min(len(target), len(words))
            target[:width] = words[:width]
            target[width:] = 0
            return not self._allows_all()

    @cython.cfunc
    def _write(self, bitmask: Any, row: cython.Py_ssize_t) -> cython.int:
        """Write the mask to a row; return whether it allows all tokens, 2 if the array is no plain one."""
        result: cython.int = 2
        if cython.compiled:
            session: Session = self.session
            builder: MaskBuilder = session.builder
            view = cython.declare(Py_buffer)
            width: cython.Py_ssize_t
            target: cython.p_char
            words: cython.p_uint = builder.words
            mask: KeptMask = None
            dtype: object = bitmask.dtype
            if dtype is not _INT32 and dtype is not _UINT32:
                return 2
            try:
                PyObject_GetBuffer(bitmask, cython.address(view), PyBUF_WRITABLE | PyBUF_ND)
            except (ValueError, BufferError):
                return 2
            try:
                session.lock.enter()
            except BaseException:
                PyBuffer_Release(cython.address(view))
                raise
            try:
                if view.ndim != 2 or not 0 <= row < view.shape[0]:
                    return 2
                width = view.shape[1]
                target = cython.cast(cython.p_char, view.buf) + row * width * 4
                # A mask that is remembered is written from where it is kept.
                if self.n_eos == 0 and self.steering is None and not self.here.accepting():
                    self.n_masks += 1
                    mask = builder.filled(self.here)
                else:
                    self._fill()
                if width > builder.n_words:
                    memset(target + builder.n_words * 4, 0, (width - builder.n_words) * 4)
                    width = builder.n_words
                if mask is not None and width == builder.n_words:
                    builder._write_to(mask, cython.cast(cython.p_uint, target))
                    words = cython.cast(cython.p_uint, target)
                else:
                    if mask is not None:
                        builder._copy_kept(mask)
                    memcpy(target, words, width * 4)
                result = self._all_set(words)
            finally:
                session.lock.leave()
                PyBuffer_Release(cython.address(view))
        return result

    @cython.cfunc
    def _allows_all(self) -> cython.bint:
        """Return whether the mask that was filled last allows every token."""
        builder: MaskBuilder = self.session.builder
        return self._all_set(builder.words)

    @cython.cfunc
    def _all_set(self, words: cython.p_uint) -> cython.bint:
        size: cython.Py_ssize_t = self.session.size
        k: cython.Py_ssize_t
        for k in range(size // 32):
            if words[k] != 0xFFFFFFFF:
                return False
        return size % 32 == 0 or words[size // 32] == (1 << (size % 32)) - 1

    @cython.cfunc
    def _mask(self) -> object:
        """Return uint32 words, valid until the next mask of the session."""
        self._fill()
        builder: MaskBuilder = self.session.builder
        return builder.words_array

    @cython.cfunc
    def _fill(self) -> cython.int:
        """Fill the words of the builder."""
        session: Session = self.session
        builder: MaskBuilder = session.builder
        self.n_masks += 1
        if self.n_eos:
            builder.clear()
        elif self.steering is not None:
            self.steering.fill(self.here)
        else:
            builder.fill_words(self.here)
        if self.n_eos or self.here.accepting():
            builder.allow(session.eos_within)
        return 0

    def advance(self, token_id: cython.longlong) -> bool:
        """Take one token.

        Returns:
            False, with the state unchanged, if the token is not allowed here.
        """
        session: Session = self.session
        token: cython.longlong = token_id
        following: Position = None
        if session.least_eos <= token <= session.greatest_eos and token in session.eos_ids:
            if self.n_eos or self.here.accepting():
                if self.n_eos == 0 and self.here.n_tokens <= _MOST_SEEN_TOKENS:
                    with session.lock:
                        session.seen.append(self._text())
                self.n_eos += 1
                self.n_advanced += 1
                return True
            self.n_refused += 1
            return False
        if not self.n_eos and 0 <= token < session.size:
            session.lock.enter()
            try:
                following = session.after(self.here, cython.cast(cython.int, token))
                if following is not None and self.steering is not None:
                    if not self.steering.take(self.here, token, following):
                        following = None
            finally:
                session.lock.leave()
            if following is not None:
                following.previous = self.here
                following.token = token
                following.n_tokens = self.here.n_tokens + 1
                self.here = following
                self.n_advanced += 1
                return True
        self.n_refused += 1
        return False

    def advance_tokens(self, token_ids: Iterable[int]) -> int:
        """Take tokens until one is not allowed; return how many were taken."""
        taken = 0
        for token in token_ids:
            if not self.advance(token):
                break
            taken += 1
        return taken

    def valid_prefix(self, token_ids: Iterable[int]) -> int:
        """Return how many of the tokens could be taken; the state stays as it is."""
        probe = self.fork()
        return int(probe.advance_tokens(token_ids))

    def rollback(self, n_tokens: int) -> None:
        """Take back the last tokens, end tokens among them.

        Raises:
            ConstrainError: fewer tokens were taken.
        """
        if not 0 <= n_tokens <= self.n_tokens:
            raise ConstrainError(
                f"cannot take back {n_tokens} tokens of {self.n_tokens}",
                remedy="roll back at most the tokens that were taken since the matcher was made",
            )
        ends = min(n_tokens, self.n_eos)
        self.n_eos -= ends
        for _ in range(n_tokens - ends):
            self.here = self.here.previous
        if self.steering is not None:
            self.steering.roll_back(self.here.n_tokens)

    def fork(self) -> Matcher:
        """Return an independent matcher in the same state."""
        twin: Matcher = Matcher.__new__(Matcher)
        twin.session = self.session
        twin.prefix = self.prefix
        twin.start = self.start
        twin.here = self.here
        twin.n_eos = self.n_eos
        twin.steering = None if self.steering is None else self.steering.fork()
        twin.n_masks = self.n_masks
        twin.n_advanced = self.n_advanced
        twin.n_refused = self.n_refused
        return twin

    def reset(self) -> None:
        """Go back to the state after the prefix."""
        self.here = self.start
        self.n_eos = 0
        if self.steering is not None:
            self.steering.roll_back(0)

    def _text(self) -> bytes:
        """Return what was written."""
        parts = []
        position: Position = self.here
        while position.token >= 0:
            parts.append(self.session.vocabulary.token_bytes(position.token))
            position = position.previous
        parts.append(self.prefix)
        return b"".join(reversed(parts))

    def completion(self) -> bytes:
        """Return a text that finishes the document; empty if it may end here."""
        if self.n_eos:
            return b""
        with self.session.lock:
            return completion(self.session.machine, self.here)

    def plan(self) -> list[int]:
        """Return the tokens of a completion, without the end token."""
        if self.n_eos:
            return []
        with self.session.lock:
            if self.steering is not None:
                return self.steering.plan(self.here)
            return list(self.session.encode(completion(self.session.machine, self.here)))

    def forced_tokens(self) -> list[int]:
        """Return the tokens that follow with certainty, canonically tokenized; end tokens apart.

        Only those before the first place from which some token can be written that reaches beyond the
        forced text: whatever follows, they stay the canonical ones.
        """
        session: Session = self.session
        if self.n_eos:
            return []
        forced: list[int] = []
        offset = 0
        with session.lock:
            behind: Position = self.here.copy()
            text = self._forced_text(behind)
            certain = max(0, len(text) - session.trie.max_depth)
            while certain < len(text):
                node = session.trie.find(text[certain:])
                if node >= 0 and self._goes_on(node, behind):
                    break
                certain += 1
            for token in session.vocabulary.encode(text) if text else ():
                offset += len(session.vocabulary.token_bytes(token))
                if offset > certain:
                    break
                forced.append(token)
        return forced

    @cython.cfunc
    def _goes_on(self, start: cython.int, behind: Position) -> cython.bint:
        """Return whether some token of which a node is the beginning can be written, and on from `behind`."""
        trie: TokenTrie = self.session.trie
        node: cython.int = start + 1
        end: cython.int = trie.c_subtree_end[start]
        depth: cython.int
        path: list[Position] = [behind]
        here: Position
        while node < end:
            depth = trie.c_depth[node] - trie.c_depth[start]
            if len(path) == depth:
                path.append(Position(self.session.policy))
            here = path[depth - 1]
            if not here.step(trie.c_byte[node], path[depth]):
                node = trie.c_subtree_end[node]
                continue
            if trie.c_token[node] >= 0:
                return True
            node += 1
        return False

    @cython.cfunc
    def _forced_text(self, here: Position) -> bytes:
        """Take bytes of which each is the only one that can follow; return them."""
        byte: cython.int
        only: cython.int
        probe: Position = Position(self.session.policy)
        text = bytearray()
        while not here.accepting() and len(text) < 4096:
            only = -1
            for byte in range(256):
                if here.step(byte, probe):
                    if only >= 0:
                        only = -2
                        break
                    only = byte
            if only < 0:
                break
            here.step(only, here)
            text.append(only)
        return bytes(text)

    def why(self, token_id: int) -> str:
        """Return why a token is not allowed here, in words."""
        session: Session = self.session
        if token_id in session.eos_ids:
            if self.n_eos or self.here.accepting():
                return "the token is allowed"
            rest = self.completion()
            return f"the document is not complete: for example {rest.decode(errors='replace')!r} is missing"
        text = session.vocabulary.token_bytes(token_id) if 0 <= token_id < session.size else None
        if not text:
            return "the token stands for no text: it is special, empty or outside the vocabulary"
        if self.n_eos:
            return "the document has ended"
        from constrain.matching.reasons import reason

        with session.lock:
            answer = reason(session.machine, self.here, text)
        if answer == "the token is allowed" and self.steering is not None:
            return "no completion after it fits into the tokens that are left"
        return answer


def fill_bitmasks(matchers: Sequence[Matcher], bitmask: Any, rows: Sequence[int] | None = None) -> list[bool]:
    """Write the masks of a batch of sequences.

    Args:
        matchers: one for each sequence; they may be of different constraints.
        bitmask: int32[at least the highest row + 1, words], as for `Matcher.fill_bitmask`.
        rows: the row of each matcher, each another one; by default its place in `matchers`. Other
            rows stay as they are.

    Returns:
        For each matcher, False if all its tokens are allowed, so that its row need not be applied.

    Raises:
        ConstrainError: there are not as many different rows as matchers, or a row is not there.
    """
    places = range(len(matchers)) if rows is None else rows
    if len(places) != len(matchers) or len(set(places)) != len(places):
        raise ConstrainError(
            f"{len(matchers)} matchers need as many different rows, not {len(set(places))}",
            keyword="rows",
            remedy="pass one row for each matcher",
        )
    return [matcher.fill_bitmask(bitmask, row) for matcher, row in zip(matchers, places, strict=True)]


def _row(bitmask: Any, row: int) -> Any:
    """Return one row of a mask as uint32 words that can be written."""
    array = bitmask if isinstance(bitmask, np.ndarray) else np.asarray(bitmask)
    if array.dtype not in (np.int32, np.uint32):
        raise ConstrainError(f"the bitmask holds {array.dtype}, not int32", keyword="bitmask")
    if array.ndim == 1:
        array = array[None, :]
    if array.ndim != 2 or not -len(array) <= row < len(array):
        raise ConstrainError(
            f"the bitmask has the shape {array.shape}, there is no row {row}",
            keyword="bitmask",
            remedy="pass int32[rows, ceil(vocabulary size / 32)]",
        )
    return array[row].view(np.uint32)
