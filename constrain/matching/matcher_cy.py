"""The matcher: one sequence of tokens against one constraint.

The positions after all tokens are linked to their predecessors, so `fork` shares them and
`rollback` goes back along the links. Nothing of a refused token stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.matching.mask_words_cy import KeptMask
    from cython.cimports.constrain.matching.masks_cy import MaskBuilder
    from cython.cimports.constrain.matching.modes import IN_STRING
    from cython.cimports.constrain.matching.position_cy import Position
    from cython.cimports.constrain.matching.session_cy import Session
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
    from constrain.matching.modes import IN_STRING
    from constrain.matching.position_cy import Position
    from constrain.matching.session_cy import Session
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
#: For so many positions it is remembered what completes the document.
_MOST_WORST = 10_000
#: No character needs more bytes than the two escapes of a code point beyond the first 65,536.
_LONGEST_CHARACTER = 12


@dataclass(frozen=True, slots=True)
class _Plan:
    """Tokens that complete the document from some place on.

    Attributes:
        start: how many tokens were taken before the first of them.
        text: what they spell.
        tokens: `None` where any completion fits, so that none is kept.
        older: what was kept before.
    """

    start: int
    text: bytes
    tokens: list[int] | None
    older: _Plan | None


@cython.cclass
class Matcher:
    """One sequence; made by `Constraint.matcher`."""

    def __init__(self, session: Session, prefix: bytes = b"", max_tokens: int | None = None) -> None:
        self.session = session
        self.n_eos = 0
        self.budget = -1 if max_tokens is None else max_tokens
        self.n_masks = 0
        self.n_advanced = 0
        self.n_refused = 0
        start = Position(session.policy)
        start.begin(session.machine.root)
        self._plan: Any = None
        with session.lock:
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
                if self.n_eos == 0 and self.budget < 0 and not self.here.accepting():
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
        elif self.budget >= 0:
            self._budgeted_mask()
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
                following = self._after(cython.cast(cython.int, token))
            finally:
                session.lock.leave()
            if following is not None:
                if self.budget >= 0 and not self._take_within_budget(token, following):
                    self.n_refused += 1
                    return False
                following.previous = self.here
                following.token = token
                following.n_tokens = self.here.n_tokens + 1
                self.here = following
                self.n_advanced += 1
                return True
        self.n_refused += 1
        return False

    @cython.cfunc
    def _after(self, token: cython.int) -> Position:
        """Return the position after a token, or `None` if it is not allowed."""
        trie: TokenTrie = self.session.trie
        place: cython.int
        end: cython.int = trie.c_offset[token + 1]
        source: Position = self.here
        position: Position = source.blank()
        if trie.c_offset[token] == end:
            return None
        for place in range(trie.c_offset[token], end):
            if not source.step(trie.c_text[place], position):
                return None
            source = position
        return position

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
        while self._plan is not None and self._plan.start > self.here.n_tokens:
            self._plan = self._plan.older

    def fork(self) -> Matcher:
        """Return an independent matcher in the same state."""
        twin: Matcher = Matcher.__new__(Matcher)
        twin.session = self.session
        twin.prefix = self.prefix
        twin.start = self.start
        twin.here = self.here
        twin.n_eos = self.n_eos
        twin.budget = self.budget
        twin.n_masks = self.n_masks
        twin.n_advanced = self.n_advanced
        twin.n_refused = self.n_refused
        twin._plan = self._plan
        return twin

    def reset(self) -> None:
        """Go back to the state after the prefix."""
        self.here = self.start
        self.n_eos = 0
        self._plan = None

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
        return list(self._current_plan()[1])

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
        if answer == "the token is allowed" and self.budget >= 0:
            return "no completion after it fits into the tokens that are left"
        return answer

    # Under a budget of tokens

    def _remaining(self) -> int:
        return self.budget - self.n_tokens

    def _current_plan(self) -> tuple[bytes, list[int]]:
        """Return the text and the tokens of the completion that is kept for the current position."""
        here = self.here.n_tokens
        plan = self._plan
        if self.budget < 0:
            # Nobody follows a plan, so none is kept.
            text = self.completion()
            return text, list(self.session.encode(text))
        if plan is None or plan.tokens is None:
            # Nothing was kept where any completion fitted; the canonical tokens are what was counted.
            text = self.completion()
            plan = _Plan(here, text, self.session.encode(text), plan)
            self._plan = plan
        tokens = plan.tokens[here - plan.start :]
        taken = plan.tokens[: here - plan.start]
        return plan.text[sum(map(self._length_of, taken)) :], tokens

    def _length_of(self, token: int) -> int:
        return len(self.session.vocabulary.token_bytes(token))

    def _tokens_after(self, token: int, text: bytes) -> list[int]:
        """Return the tokens of the completion after `token`, whose own completion is `text`.

        The rest of the old completion always counts as one, and the old tokens still spell the
        same text. Otherwise it has no more tokens than `Session.encode` gives the text.
        """
        old_text, old_tokens = self._current_plan()
        if old_tokens and old_tokens[0] == token:
            return old_tokens[1:]
        tokens: list[int] = self.session.encode(text)
        return old_tokens if text == old_text and len(old_tokens) < len(tokens) else tokens

    def _take_within_budget(self, token: int, following: Position) -> bool:
        """Keep the completion after `token`; return False if it does not fit what is left."""
        left = self._remaining() - 1
        after = self.here.n_tokens + 1
        with self.session.lock:
            if self._has_room(left):
                if self._plan is not None and self._plan.tokens is not None:
                    self._plan = _Plan(after, b"", None, self._plan)
                return True
            text = completion(self.session.machine, following)
            tokens = self._tokens_after(token, text)
        if len(tokens) + 1 > left:
            return False
        if self._current_plan()[1][:1] != [token]:
            self._plan = _Plan(after, text, tokens, self._plan)
        return True

    def _has_room(self, left: int) -> bool:
        """Return whether completions are known to fit into `left` tokens, whichever token comes next."""
        builder: MaskBuilder = self.session.builder
        key = self._completions_key()
        worst = None if key is None else builder.worst.get(key)
        return worst is not None and worst + 1 <= left

    def _completions_key(self) -> object:
        """Return what the completions behind the next token depend on; `None` if nothing is kept."""
        here: Position = self.here
        builder: MaskBuilder = self.session.builder
        key = builder.key(here)
        if key is not None and here.mode == IN_STRING and here.automaton.counts != 0:
            # States that share their masks may be differently far from their ends.
            return (key, here.state)
        return key

    def _budgeted_mask(self) -> None:
        """Fill the mask of the tokens after which a completion fits into the tokens that are left."""
        builder: MaskBuilder = self.session.builder
        words = builder.fill(self.here)
        left = self._remaining() - 1
        key = self._completions_key()
        worst = None if key is None else builder.worst.get(key)
        if worst is None:
            worst = self._most_bytes_behind(words)
            self._keep_worst(key, worst)
        if worst + 1 <= left:
            return
        most = self._drop_what_does_not_fit(words, left)
        builder.reread()
        self._keep_worst(key, most)

    def _keep_worst(self, key: object, n_tokens: int) -> None:
        builder: MaskBuilder = self.session.builder
        if key is not None:
            if len(builder.worst) >= _MOST_WORST:
                builder.worst.clear()
            builder.worst[key] = n_tokens

    def _most_bytes_behind(self, words: Any) -> int:
        """Return how many bytes, so how many tokens, complete the document behind any token of a mask."""
        session: Session = self.session
        most = 0
        if self._is_free_text():
            # What stays in the string leaves the rest as it is, and a character to finish.
            most = len(completion(session.machine, self.here)) + _LONGEST_CHARACTER
            words = words & ~session.builder.shared.staying
        known: set[object] = set()
        for token in _tokens_of(words):
            following = self._after(token)
            signature = _signature(following, self.here)
            if signature not in known:
                known.add(signature)
                most = max(most, len(completion(session.machine, following)))
        return most

    def _drop_what_does_not_fit(self, words: Any, left: int) -> int:
        """Take the tokens out of a mask behind which no completion fits into `left` tokens.

        Return how many tokens the longest completion behind any of them has.
        """
        session: Session = self.session
        _, plan = self._current_plan()
        planned = plan[0] if plan else -1
        most = 0
        alike = None
        if self._is_free_text():
            # Behind whole characters, as many as the string needs, the same text completes the document.
            shared = session.builder.shared
            lacking = max(0, self.here.goal.text_low - self.here.length)
            alike = shared.whole_characters & words & shared.with_characters(lacking)
            if planned >= 0:
                alike[planned >> 5] &= _all_but(planned)
            words &= ~alike
            for token in _tokens_of(alike)[:1]:
                rest = completion(session.machine, self._after(token))
                most = len(session.encode(rest))
                if len(self._tokens_after(token, rest)) + 1 > left:
                    alike[:] = 0
        lengths: dict[object, int] = {}
        for token in _tokens_of(words):
            following = self._after(token)
            signature = _signature(following, self.here)
            needed = lengths.get(signature)
            if needed is None or token == planned:
                rest = completion(session.machine, following)
                most = max(most, len(session.encode(rest)))
                needed = len(self._tokens_after(token, rest))
                if token != planned:
                    lengths[signature] = needed
            if needed + 1 > left:
                words[token >> 5] &= _all_but(token)
        if alike is not None:
            words |= alike
        return most

    @cython.cfunc
    def _is_free_text(self) -> cython.bint:
        """Return whether the position is in a string that any text may continue, between characters."""
        here: Position = self.here
        if here.mode != IN_STRING or here.escape != 0 or here.frame.captures:
            return False
        return here.state == here.automaton.start and here.automaton.is_universal(here.state)


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


def _signature(position: Position, anchor: Position) -> object:
    """Return a key that positions share if they have the same completion."""
    return (
        position.mode,
        position.state,
        position.length,
        position.escape,
        position.code,
        position.trie,
        position.key,
        position.goal,
        position.automaton,
        _frame_signature(position.frame, anchor.frame),
    )


def _frame_signature(frame: Any, anchor: Any) -> object:
    """Return what matters of a frame: of frames that the anchor has too, their identity."""
    parts: list[object] = []
    while frame is not None and frame is not anchor and frame is not anchor.parent and len(parts) < 64:
        if frame.captures:
            break
        parts.append(
            (frame.kind, frame.shape, frame.present, frame.blocked, frame.names, frame.count, frame.entry)
        )
        frame = frame.parent
    parts.append(frame)
    return tuple(parts)


def _tokens_of(words: Any) -> list[int]:
    """Return the tokens of a mask: uint32 words."""
    tokens: list[int] = np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little")).tolist()
    return tokens


def _all_but(token: int) -> Any:
    """Return the word of a mask that lacks one token alone."""
    return np.uint32(0xFFFFFFFF ^ (1 << (token & 31)))


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
