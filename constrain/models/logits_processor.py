"""The constraint as a logits processor of transformers' `generate()`.

`generate()` says nothing about which sequence a row is: beams are reordered, copied and dropped,
assisted decoding returns to shorter ids after a rejected draft. So no state belongs to a row.
The states are kept by the ids generated so far, and a state that is missing is made from the
longest prefix that is known: in the usual case the parent's, forked and advanced by one token.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import transformers

from constrain.errors import ConstrainError, GenerationError
from constrain.models.mask_application import apply_bitmask_
from constrain.models.protocols import CompiledConstraint, TokenMatcher, TokenVocabulary
from constrain.models.vocabularies import vocabulary_of

__all__ = ["LogitsProcessor", "StepObserver"]

#: Kept states: a fixed number for drafts that are rejected, and these many more for every row.
_SPARE_STATES = 64
_STATES_PER_ROW = 8
#: The logit of EOS in a row without any allowed history: finite at every usual temperature, in
#: half precision too, and below what a live beam holds.
_REFUSED_LOGIT = -1e4


class StepObserver(Protocol):
    """Called once per step with the logits before and after the mask, both [rows, width]."""

    def __call__(self, before: torch.Tensor, after: torch.Tensor, /) -> None: ...


@dataclass(slots=True, frozen=True)
class _State:
    """The matcher of one token history; never advanced, only forked."""

    matcher: TokenMatcher
    refused: bool = False

    @property
    def ended(self) -> bool:
        """Whether only EOS can follow, whatever the mask of the matcher would be."""
        return self.refused or self.matcher.finished

    def after(self, token_ids: Sequence[int]) -> _State:
        """Return the state that follows `token_ids`; padding after EOS changes nothing."""
        if self.ended or not token_ids:
            return self
        matcher = self.matcher.fork()
        for token_id in token_ids:
            if not matcher.advance(token_id):
                return _State(matcher, refused=True)
            if matcher.finished:
                break
        return _State(matcher)


class LogitsProcessor(transformers.LogitsProcessor):
    """Masks the logits of every row with what its constraint allows next.

    Greedy search, sampling, beams, several returns, batches padded on the left whose rows finish
    at different times, and assisted decoding work. A row that has finished gets EOS alone, and so
    does a row whose history is not allowed (a beam that was filled up with impossible tokens);
    neither is an error. The logits passed in are not changed.

    Use one instance for one call of `generate()`. A new prompt is noticed and starts afresh,
    unless it continues the text of the one before.

    Args:
        constraint: one constraint for all rows, or one per prompt of the batch: with `n` of them
            and `n * k` rows (beams, several returns), row `i` follows number `i // k`.
        tokenizer: a `constrain.Vocabulary`, or anything that `Vocabulary.from_tokenizer` takes.
        eos_ids: the ids that end a document, if not those of the tokenizer; not together with a
            vocabulary, which has its own.
        prompt_length: how many ids at the start of every row are not part of the document;
            learnt from the width of the first call if not given.
        max_new_tokens: the budget of `generate()`, EOS included: the matcher then steers so that
            the document is complete in time.
        observer: called at every step, for measurements.

    Raises:
        GenerationError: at a call, if the other processors or the model left no finite logit
            among the allowed tokens of a row.

    Example:
        >>> processor = LogitsProcessor(constraint, tokenizer)            # doctest: +SKIP
        >>> model.generate(**inputs, logits_processor=[processor])        # doctest: +SKIP
    """

    def __init__(
        self,
        constraint: CompiledConstraint | Sequence[CompiledConstraint],
        tokenizer: object,
        *,
        eos_ids: Sequence[int] | None = None,
        prompt_length: int | None = None,
        max_new_tokens: int | None = None,
        observer: StepObserver | None = None,
    ) -> None:
        constraints = list(constraint) if isinstance(constraint, Sequence) else [constraint]
        if not constraints:
            raise ConstrainError("there is no constraint in the list")
        self.vocabulary: TokenVocabulary = vocabulary_of(tokenizer, eos_ids)
        self._observer = observer
        self._roots, self._root_of_group = self._root_states(constraints, max_new_tokens)
        self._states: OrderedDict[tuple[int, tuple[int, ...]], _State] = OrderedDict()
        self._fixed_prompt_length = prompt_length
        self._prompts: np.ndarray[tuple[int, int], np.dtype[np.int64]] | None = None
        self._eos = torch.tensor(list(self.vocabulary.eos_ids), dtype=torch.long)
        words = -(-self.vocabulary.size // 32)
        self._eos_mask = np.zeros(words, dtype=np.int32)
        for token_id in self.vocabulary.eos_ids:
            self._eos_mask.view(np.uint32)[token_id // 32] |= np.uint32(1 << token_id % 32)
        self._bitmask = np.zeros((0, words), dtype=np.int32)
        self._bitmask_tensor = torch.from_numpy(self._bitmask)
        # The ids whose states and masks are there before the call that asks for them.
        self._announced: torch.Tensor | None = None
        self._announced_states: list[_State] = []

    def _root_states(
        self, constraints: Sequence[CompiledConstraint], max_new_tokens: int | None
    ) -> tuple[list[_State], list[int]]:
        """Return the start states and, per constraint, the index of its own; equals share one."""
        index_of: dict[int, int] = {}
        roots: list[_State] = []
        for constraint in constraints:
            if id(constraint) not in index_of:
                index_of[id(constraint)] = len(roots)
                roots.append(_State(constraint.matcher(self.vocabulary, max_tokens=max_new_tokens)))
        return roots, [index_of[id(constraint)] for constraint in constraints]

    @property
    def prompt_length(self) -> int | None:
        """How many ids of a row precede the document; `None` before the first call."""
        if self._fixed_prompt_length is not None:
            return self._fixed_prompt_length
        return None if self._prompts is None else self._prompts.shape[1]

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Return `scores` with every token that may not follow `input_ids` at minus infinity."""
        if input_ids is self._announced:
            states = self._announced_states
        else:
            states = self._row_states(input_ids)
            self._fill_masks(states, input_ids.device)
        masked = scores.clone()
        # The check of the peaks waits for the device: the mask is copied before it is filled again.
        apply_bitmask_(masked, self._bitmask_tensor)
        peaks = masked.amax(dim=-1)
        if not bool(torch.isfinite(peaks).all()):
            for row in (~torch.isfinite(peaks)).nonzero().flatten().tolist():
                self._settle(masked[row], states[row], row)
        if self._observer is not None:
            self._observer(scores, masked)
        return masked  # type: ignore[return-value]

    # For a decoding loop that knows the ids without asking the device for them.

    def begin(self, input_ids: torch.Tensor) -> int:
        """Return the column where the document starts."""
        return self._document_start(input_ids.numpy(force=True))

    def announce(self, input_ids: torch.Tensor, documents: Sequence[Sequence[int]]) -> None:
        """Fill the masks of the next call, which gets `input_ids`.

        Args:
            documents: those ids without the prompts.
        """
        self._announced_states = self._states_of(documents)
        self._fill_masks(self._announced_states, input_ids.device)
        self._announced = input_ids

    def forced(self, document: Sequence[int]) -> list[int]:
        """Return the tokens that follow the ids of a row with certainty."""
        state = self._states_of([document])[0]
        if state.ended or not hasattr(state.matcher, "forced_tokens"):
            return []
        forced: list[int] = state.matcher.forced_tokens()
        probe = state.matcher.fork()
        # A budget can ask for tokens that are shorter.
        return [token for token in forced if probe.advance(token)] if forced else []

    # States

    def _row_states(self, input_ids: torch.Tensor) -> list[_State]:
        """Return the state of every row, making those that are missing."""
        ids = input_ids.numpy(force=True)
        return self._states_of(ids[:, self._document_start(ids) :].tolist())

    def _states_of(self, documents: Sequence[Sequence[int]]) -> list[_State]:
        rows = len(documents)
        groups = len(self._root_of_group)
        if groups > 1 and rows % groups:
            raise GenerationError(f"{rows} rows cannot be shared out to {groups} constraints")
        states = []
        for row, ids in enumerate(documents):
            root = self._root_of_group[row * groups // rows]
            states.append(self._state(root, tuple(ids)))
        while len(self._states) > _SPARE_STATES + _STATES_PER_ROW * rows:
            self._states.popitem(last=False)
        return states

    def _document_start(self, ids: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> int:
        """Return the column where the document starts; learn it when the prompt is a new one."""
        if self._fixed_prompt_length is not None:
            return self._fixed_prompt_length
        known = self._prompts
        if known is not None and np.array_equal(ids[:, : known.shape[1]], known):
            return known.shape[1]
        self._prompts = ids.copy()
        self._states.clear()
        return ids.shape[1]

    def _state(self, root: int, ids: tuple[int, ...]) -> _State:
        """Return the state of one history."""
        key = (root, ids)
        state = self._states.get(key)
        if state is None:
            parent = self._states.get((root, ids[:-1])) if ids else None
            if parent is not None:
                state = parent.after(ids[-1:])
            else:
                known = self._longest_known_prefix(root, ids)
                base = self._states[root, ids[:known]] if known else self._roots[root]
                state = base.after(ids[known:])
            self._states[key] = state
        self._states.move_to_end(key)
        return state

    def _longest_known_prefix(self, root: int, ids: tuple[int, ...]) -> int:
        return max(
            (len(other) for owner, other in self._states if owner == root and ids[: len(other)] == other),
            default=0,
        )

    # Masks

    def _fill_masks(self, states: Sequence[_State], device: torch.device) -> None:
        """Fill int32[rows, words]; rows with the same history are filled once."""
        if len(states) != len(self._bitmask):
            shape = (len(states), self._eos_mask.size)
            # From pinned memory a GPU copies without anybody waiting.
            self._bitmask_tensor = torch.zeros(shape, dtype=torch.int32, pin_memory=device.type == "cuda")
            self._bitmask = self._bitmask_tensor.numpy()
        filled: dict[int, int] = {}
        for row, state in enumerate(states):
            if state.ended:
                self._bitmask[row] = self._eos_mask
            elif id(state) in filled:
                self._bitmask[row] = self._bitmask[filled[id(state)]]
            else:
                state.matcher.fill_bitmask(self._bitmask, row)
                filled[id(state)] = row

    def _settle(self, logits: torch.Tensor, state: _State, row: int) -> None:
        """Give an ended row a finite EOS; a row that should go on cannot."""
        if not state.ended:
            found = "not a number" if bool(torch.isnan(logits).any()) else "not finite"
            raise GenerationError(
                f"row {row}: the logit of every allowed token is {found}",
                remedy="look for other logits processors that suppress what the constraint requires, "
                "and for a model that overflows",
            )
        eos = self._eos[self._eos < logits.shape[0]].to(logits.device)
        logits[eos] = _REFUSED_LOGIT if state.refused else 0.0
