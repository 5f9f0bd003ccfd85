"""Generation of documents: a constraint, a prompt and a model give values that satisfy it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from transformers.generation.streamers import BaseStreamer

from constrain.errors import ConstrainError, GenerationError
from constrain.models.forced_decoding import ForcedDecoding, can_force
from constrain.models.logits_processor import LogitsProcessor
from constrain.models.prompts import Prompt, encode_prompts
from constrain.models.protocols import CompiledConstraint, TokenVocabulary
from constrain.models.streaming import TextStream
from constrain.models.vocabularies import end_of_sequence_ids, tokenizer_of, vocabulary_of
from constrain.options import Options

if TYPE_CHECKING:
    from constrain.knowledge import Graph

__all__ = ["Model", "Report", "Result", "generate", "generate_batch"]

DEFAULT_MAX_NEW_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Report:
    """How a document came about.

    Attributes:
        prompt_tokens: the width of the prompt, padding and places of images included.
        kept_probability: per token (EOS last), the share of the model's probability that the
            mask kept, `None` for tokens that were appended without asking it; `None` as a whole where steps
            and tokens do not correspond (beams, assisted decoding).
        forced_share: the share of tokens at which the mask left no choice; `None` likewise.
        forward_passes: how often the model was run, if tokens that follow with certainty were
            appended without asking it; else `None`: once for each token.
        seconds: wall-clock time of `compile`, `prepare` (vocabulary, matcher, prompt) and
            `decode` (model and masks, of the whole batch).
    """

    prompt_tokens: int
    kept_probability: tuple[float | None, ...] | None
    forced_share: float | None
    forward_passes: int | None
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Result:
    """One generated document.

    Attributes:
        value: what the text means: for JSON the parsed value, for a Python type an instance of it, for
            functions a call.
        text: the document.
        tokens: the ids of its tokens, without EOS.
        report: how it came about.
    """

    value: Any
    text: str
    tokens: tuple[int, ...]
    report: Report


@dataclass(frozen=True, slots=True)
class Model:
    """A language model and its processor, with a vocabulary that is shared by all generations.

    Attributes:
        model: a causal or image-text-to-text model of transformers.
        processor: its tokenizer, or its processor when it reads images.
        vocabulary: the token bytes; ended by every id that the generation config lists.
    """

    model: Any
    processor: Any
    vocabulary: TokenVocabulary

    def generate(
        self,
        prompt: Prompt,
        images: Sequence[object] | None = None,
        videos: Sequence[object] | None = None,
        *,
        schema: object,
        **kwargs: Any,
    ) -> Result:
        """Return one document; see `constrain.generate` for the arguments."""
        kwargs.setdefault("vocabulary", self.vocabulary)
        return generate(self.model, self.processor, prompt, images, videos, schema=schema, **kwargs)

    def generate_batch(self, prompts: Sequence[Prompt], *, schema: object, **kwargs: Any) -> list[Result]:
        """Return the documents of several prompts; see `generate_batch` of this module."""
        kwargs.setdefault("vocabulary", self.vocabulary)
        return generate_batch(self.model, self.processor, prompts, schema=schema, **kwargs)


def generate(
    model: Any,
    processor: Any,
    prompt: Prompt,
    images: Sequence[object] | None = None,
    videos: Sequence[object] | None = None,
    *,
    schema: object,
    **kwargs: Any,
) -> Result:
    """Return one document of `schema` that `model` writes after `prompt`.

    Args:
        model: a causal or image-text-to-text model of transformers.
        processor: its tokenizer, or its processor when it reads images.
        prompt: text, which is put into the chat template if there is one, or messages.
        images, videos: what the prompt shows, in the order of their places in it.
        schema: anything that `constrain.compile` takes, or a compiled constraint.
        **kwargs: as for `generate_batch`.

    Raises:
        GenerationError: `max_new_tokens` is below what the shortest known document needs, the
            model leaves no finite logit among the allowed tokens, or something stopped the
            decoding before the document was complete.

    Example:
        >>> result = constrain.generate(model, tokenizer, "Name a colour.",
        ...                             schema={"enum": ["red", "green"]})      # doctest: +SKIP
        >>> result.value                                                       # doctest: +SKIP
        'red'
    """
    return generate_batch(
        model,
        processor,
        [prompt],
        images=None if images is None else [images],
        videos=None if videos is None else [videos],
        schema=schema,
        **kwargs,
    )[0]


def generate_batch(
    model: Any,
    processor: Any,
    prompts: Sequence[Prompt],
    *,
    images: Sequence[Sequence[object]] | None = None,
    videos: Sequence[Sequence[object]] | None = None,
    schema: object,
    knowledge: Graph | None = None,
    options: Options | None = None,
    max_new_tokens: int = DEFAULT_MAX_NEW_TOKENS,
    stream: Callable[[str], None] | BaseStreamer | None = None,
    vocabulary: TokenVocabulary | None = None,
    forced_tokens: bool = True,
    **kwargs: Any,
) -> list[Result]:
    """Return the documents that `model` writes after `prompts`.

    Args:
        model, processor, prompts: as for `generate`, one prompt per row.
        images, videos: a sequence per prompt.
        schema: one source or constraint for all prompts, or a list with one for each.
        knowledge, options: as for `constrain.compile`.
        max_new_tokens: the budget of a document in tokens, EOS included. Decoding steers so that
            every document is complete within it.
        stream: called with pieces of the text as they come, or a streamer of transformers; for a
            single row.
        vocabulary: of the tokenizer, if the caller has one.
        forced_tokens: append what follows with certainty without asking the model, and let it read
            all of that in one pass: for a single row of text, sampled or greedy. They are tokenized as the
            tokenizer would; a model that is asked may choose shorter tokens for the same text.
        **kwargs: for the model's `generate()`: `do_sample`, `temperature`, `num_beams`,
            `num_return_sequences` (results stay together per prompt), `assistant_model`, ...

    Returns:
        The results, in the order of the prompts. A search that fills up its beams because the
        constraint has fewer documents than beams gives only the documents there are.
    """
    clock = _Clock()
    constraints = _constraints(schema, knowledge, options, len(prompts))
    clock.lap("compile")
    eos_ids = list(vocabulary.eos_ids) if vocabulary is not None else end_of_sequence_ids(model, processor)
    known = vocabulary_of(tokenizer_of(processor), eos_ids) if vocabulary is None else vocabulary
    for constraint in constraints:
        _check_budget(constraint, known, max_new_tokens)
    if stream is not None and not hasattr(stream, "put"):
        stream = TextStream(stream, known)
    log = _StepLog()
    masker = LogitsProcessor(constraints, known, max_new_tokens=max_new_tokens, observer=log)
    inputs = encode_prompts(processor, prompts, images, videos)
    inputs = {name: value.to(model.device) for name, value in inputs.items()}
    clock.lap("prepare")
    kwargs |= {
        "logits_processor": [*kwargs.get("logits_processor", ()), masker],
        "eos_token_id": eos_ids,
        "pad_token_id": kwargs.get("pad_token_id", _pad_id(model, processor, eos_ids)),
        "max_new_tokens": max_new_tokens,
        "return_dict_in_generate": False,
    }
    loop = None
    if forced_tokens and can_force(model, inputs, kwargs):
        loop = ForcedDecoding(masker, log.appended, stream)
        kwargs["custom_generate"] = loop
    with torch.inference_mode():
        sequences: torch.Tensor = model.generate(**inputs, streamer=stream, **kwargs)
    clock.lap("decode")
    start = masker.prompt_length or 0
    documents = [_until_eos(row, eos_ids) for row in sequences[:, start:].tolist()]
    steps_are_tokens = (
        _one_step_per_token(model, kwargs)
        and log.steps == sequences.shape[1] - start
        and log.rows == len(documents)
    )
    copies = len(documents) // len(prompts)
    results = []
    for row, (tokens, ended) in enumerate(documents):
        constraint = constraints[row // copies if len(constraints) > 1 else 0]
        text = b"".join(known.token_bytes(i) or b"" for i in tokens).decode(errors="replace")
        if not (ended or len(tokens) == max_new_tokens) or not constraint.accepts(text):
            if copies > 1 and row % copies:
                continue
            raise GenerationError(
                f"decoding stopped after {len(tokens)} tokens, before the document was complete",
                remedy="look for stopping criteria, stop strings and time limits",
            )
        report = Report(
            prompt_tokens=start,
            kept_probability=log.kept_of(row, len(tokens) + ended) if steps_are_tokens else None,
            forced_share=log.forced_share_of(row, len(tokens) + ended) if steps_are_tokens else None,
            forward_passes=None if loop is None else loop.n_passes,
            seconds=dict(clock.seconds),
        )
        results.append(Result(constraint.parse(text), text, tuple(tokens), report))
    return results


def _constraints(
    schema: object, knowledge: Graph | None, options: Options | None, rows: int
) -> list[CompiledConstraint]:
    """Return one constraint for all rows, or one for each."""
    sources = schema if isinstance(schema, list | tuple) else [schema]
    if len(sources) not in (1, rows):
        raise ConstrainError(f"{len(sources)} schemas do not fit {rows} prompts", keyword="schema")
    return [_compiled(source, knowledge, options) for source in sources]


def _compiled(source: object, knowledge: Graph | None, options: Options | None) -> CompiledConstraint:
    if isinstance(source, CompiledConstraint):
        if knowledge is not None or options is not None:
            raise ConstrainError(
                "a compiled constraint has its knowledge and options already",
                remedy="give them to `constrain.compile`",
            )
        return source
    import constrain

    return constrain.compile(source, knowledge=knowledge, options=options)


def _check_budget(constraint: CompiledConstraint, vocabulary: TokenVocabulary, budget: int) -> None:
    """Refuse a budget that no document is known to fit in."""
    least = len(constraint.matcher(vocabulary).plan()) + 1
    if budget < least:
        raise GenerationError(
            f"{budget} tokens are too few for a document",
            keyword="max_new_tokens",
            remedy=f"give at least {least}",
        )


def _pad_id(model: Any, processor: Any, eos_ids: Sequence[int]) -> int:
    for found in (
        getattr(getattr(model, "generation_config", None), "pad_token_id", None),
        getattr(tokenizer_of(processor), "pad_token_id", None),
    ):
        if found is not None:
            return int(found)
    return eos_ids[0]


def _one_step_per_token(model: Any, arguments: dict[str, Any]) -> bool:
    """Whether row `i` of every step is row `i` of the output: no beams, no drafts."""
    config = arguments.get("generation_config") or model.generation_config
    beams, drafts = (
        arguments.get(name) or getattr(config, name, None)
        for name in ("num_beams", "prompt_lookup_num_tokens")
    )
    return beams in (None, 1) and not drafts and arguments.get("assistant_model") is None


def _until_eos(ids: Sequence[int], eos_ids: Sequence[int]) -> tuple[list[int], bool]:
    """Return the ids before the first EOS, and whether there is one."""
    end = next((i for i, token_id in enumerate(ids) if token_id in eos_ids), len(ids))
    return list(ids[:end]), end < len(ids)


@dataclass(slots=True)
class _StepLog:
    """What the mask did at every step; read after decoding, so that a GPU is never waited for."""

    #: `None` for tokens that were appended to the one row without a step.
    _kept: list[torch.Tensor | None] = field(default_factory=list)
    _forced: list[torch.Tensor | None] = field(default_factory=list)

    def __call__(self, before: torch.Tensor, after: torch.Tensor) -> None:
        allowed = after > -torch.inf
        self._kept.append((before.float().softmax(-1) * allowed).sum(-1))
        self._forced.append(allowed.sum(-1) == 1)

    def appended(self, count: int) -> None:
        """Note tokens of which the model was not asked."""
        self._kept += [None] * count
        self._forced += [None] * count

    @property
    def steps(self) -> int:
        return len(self._kept)

    @property
    def rows(self) -> int:
        return next((len(step) for step in self._kept if step is not None), 0)

    def kept_of(self, row: int, steps: int) -> tuple[float | None, ...]:
        return tuple(None if step is None else min(1.0, float(step[row])) for step in self._kept[:steps])

    def forced_share_of(self, row: int, steps: int) -> float:
        return sum(step is None or bool(step[row]) for step in self._forced[:steps]) / max(1, steps)


class _Clock:
    """Wall-clock time, lap by lap."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Book the time since the last lap under `name`."""
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now
