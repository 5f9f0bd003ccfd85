"""Steering: a sequence under a budget of tokens stays one that can be completed within it.

A token is allowed if the completion after it fits what is left. The rest of the completion that is
kept, the *plan*, always counts as one; any other is tokenized canonically. Where every completion
surely fits, whichever token comes next, nothing is looked at and no plan is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.matching.masks_cy import MaskBuilder
    from cython.cimports.constrain.matching.modes import IN_STRING
    from cython.cimports.constrain.matching.position_cy import Position
    from cython.cimports.constrain.matching.session_cy import Session
else:
    from constrain.matching.masks_cy import MaskBuilder
    from constrain.matching.modes import IN_STRING
    from constrain.matching.position_cy import Position
    from constrain.matching.session_cy import Session

import numpy as np

from constrain.errors import LimitExceeded
from constrain.matching.completion import completion

__all__ = ["Steering"]

#: For so many positions it is remembered what completes the document.
_MOST_WORST = 10_000
#: No character needs more bytes than the two escapes of a code point beyond the first 65,536.
_LONGEST_CHARACTER = 12
#: More tokens than any budget has.
_NEVER = 1 << 62


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
class Steering:
    """Keeps one sequence within its budget; the lock of the session is held by the caller.

    Args:
        session: of the sequence.
        budget: how many tokens it may have, the end token among them.
    """

    def __init__(self, session: Session, budget: int) -> None:
        self._session = session
        self._budget = budget
        self._plan: Any = None

    def fork(self) -> Steering:
        """Return an independent one in the same state."""
        twin: Steering = Steering(self._session, self._budget)
        twin._plan = self._plan
        return twin

    def roll_back(self, n_tokens: int) -> None:
        """Forget what was planned after the first `n_tokens` tokens."""
        while self._plan is not None and self._plan.start > n_tokens:
            self._plan = self._plan.older

    def plan(self, here: Position) -> list[int]:
        """Return the tokens of the completion that is kept for a position of the sequence."""
        return self._current(here)[1]

    def take(self, here: Position, token: int, following: Position) -> bool:
        """Keep the completion after a token that leads from `here` on; return False if it does not fit."""
        left = self._budget - here.n_tokens - 1
        plan = self._plan
        if self._has_room(here, left):
            if plan is not None and plan.tokens is not None:
                self._plan = _Plan(here.n_tokens + 1, b"", None, plan)
            return True
        text = self._completion(following)
        if text is None:
            return False
        tokens = self._tokens_after(here, token, text)
        if len(tokens) + 1 > left:
            return False
        if self.plan(here)[:1] != [token]:
            self._plan = _Plan(here.n_tokens + 1, text, tokens, self._plan)
        return True

    def fill(self, here: Position) -> None:
        """Fill the mask of the tokens after which a completion fits, in the builder of the session."""
        builder: MaskBuilder = self._session.builder
        words = builder.fill(here)
        left = self._budget - here.n_tokens - 1
        key = self._key(here)
        worst = None if key is None else builder.worst.get(key)
        if worst is None and self._session.vocabulary.is_byte_complete:
            worst = self._most_bytes_behind(here, words)
            self._keep(key, worst)
        if worst is None or worst + 1 > left:
            self._keep(key, self._drop(here, words, left))
            builder.reread()

    def _current(self, here: Position) -> tuple[bytes, list[int]]:
        """Return the text and the tokens of the completion that is kept for a position."""
        plan = self._plan
        if plan is None or plan.tokens is None:
            # Nothing was kept where any completion fitted; the canonical tokens are what was counted.
            text = completion(self._session.machine, here)
            plan = _Plan(here.n_tokens, text, self._session.encode(text), plan)
            self._plan = plan
        n_taken = here.n_tokens - plan.start
        if n_taken == 0:
            return plan.text, list(plan.tokens)
        token_bytes = self._session.vocabulary.token_bytes
        n_bytes = sum([len(token_bytes(token)) for token in plan.tokens[:n_taken]])
        return plan.text[n_bytes:], plan.tokens[n_taken:]

    def _tokens_after(self, here: Position, token: int, text: bytes) -> list[int]:
        """Return the tokens of the completion after `token`, whose own completion is `text`.

        The rest of the old completion always counts as one, and the old tokens still spell the
        same text. Otherwise it has no more tokens than `Session.encode` gives the text.
        """
        old_text, old_tokens = self._current(here)
        if old_tokens and old_tokens[0] == token:
            return old_tokens[1:]
        tokens: list[int] = self._session.encode(text)
        return old_tokens if text == old_text and len(old_tokens) < len(tokens) else tokens

    def _completion(self, here: Position) -> bytes | None:
        """Return what completes the document, `None` if that is too long to be worked out."""
        try:
            return completion(self._session.machine, here)
        except LimitExceeded:
            return None

    def _counted(self, here: Position, token: int, following: Position) -> tuple[int, int]:
        """Return how many tokens complete the document behind a token: canonical ones, and the fewest."""
        text = self._completion(following)
        if text is None:
            return _NEVER, _NEVER
        return len(self._session.encode(text)), len(self._tokens_after(here, token, text))

    def _has_room(self, here: Position, left: int) -> bool:
        """Return whether completions are known to fit into `left` tokens, whichever token comes next."""
        builder: MaskBuilder = self._session.builder
        key = self._key(here)
        worst = None if key is None else builder.worst.get(key)
        return worst is not None and worst + 1 <= left

    def _key(self, here: Position) -> object:
        """Return what the completions behind the next token depend on; `None` if nothing is kept."""
        builder: MaskBuilder = self._session.builder
        key = builder.key(here)
        if key is not None and here.mode == IN_STRING and here.automaton.counts != 0:
            # States that share their masks may be differently far from their ends.
            return (key, here.state)
        return key

    def _keep(self, key: object, n_tokens: int) -> None:
        builder: MaskBuilder = self._session.builder
        if key is not None:
            if len(builder.worst) >= _MOST_WORST:
                builder.worst.clear()
            builder.worst[key] = n_tokens

    def _most_bytes_behind(self, here: Position, words: Any) -> int:
        """Return how many bytes, so how many tokens, complete the document behind any token of a mask."""
        session: Session = self._session
        most = 0
        if _is_free_text(here):
            # What stays in the string leaves the rest as it is, and a character to finish.
            own = self._completion(here)
            most = _NEVER if own is None else len(own) + _LONGEST_CHARACTER
            words = words & ~session.builder.shared.staying
        known: set[object] = set()
        for token in _tokens_of(words):
            following = session.after(here, token)
            signature = _signature(following, here)
            if signature not in known:
                known.add(signature)
                rest = self._completion(following)
                most = max(most, _NEVER if rest is None else len(rest))
        return most

    def _drop(self, here: Position, words: Any, left: int) -> int:
        """Take the tokens out of a mask behind which no completion fits into `left` tokens.

        Return how many tokens the longest completion behind any of them has.
        """
        session: Session = self._session
        plan = self.plan(here)
        planned = plan[0] if plan else -1
        most = 0
        alike = None
        if _is_free_text(here):
            # Behind whole characters, as many as the string needs, the same text completes the document.
            shared = session.builder.shared
            lacking = max(0, here.goal.text_low - here.length)
            alike = shared.whole_characters & words & shared.with_characters(lacking)
            if planned >= 0:
                alike[planned >> 5] &= _all_but(planned)
            words &= ~alike
            for token in _tokens_of(alike)[:1]:
                most, fewest = self._counted(here, token, session.after(here, token))
                if fewest + 1 > left:
                    alike[:] = 0
        lengths: dict[object, int] = {}
        for token in _tokens_of(words):
            following = session.after(here, token)
            signature = _signature(following, here)
            needed = lengths.get(signature)
            if needed is None or token == planned:
                canonical, needed = self._counted(here, token, following)
                most = max(most, canonical)
                if token != planned:
                    lengths[signature] = needed
            if needed + 1 > left:
                words[token >> 5] &= _all_but(token)
        if alike is not None:
            words |= alike
        return most


@cython.cfunc
def _is_free_text(here: Position) -> cython.bint:
    """Return whether a position is in a string that any text may continue, between characters."""
    if here.mode != IN_STRING or here.escape != 0 or here.frame.captures:
        return False
    return here.state == here.automaton.start and here.automaton.is_universal(here.state)


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
