"""A decoding loop for one row that lets the model read what is certain in one pass.

Where the constraint leaves one text only, its tokens are appended without asking the model, and
read together with the next token that is chosen: one forward pass for all of them. While a pass
runs on another device, the mask of the step behind it is filled on the CPU.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
import transformers

from constrain.models.logits_processor import LogitsProcessor

__all__ = ["ForcedDecoding", "can_force"]

#: From this version on `generate` takes a decoding loop.
_FIRST_VERSION = (4, 56)
#: What `generate` prepares for text; with other inputs the loop of transformers is used.
_TEXT_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


def can_force(model: Any, inputs: dict[str, Any], arguments: dict[str, Any]) -> bool:
    """Return whether the loop serves: one row of text, sampling or greedy search, nothing else asked for."""
    version = tuple(int(part) for part in transformers.__version__.split(".")[:2])
    if version < _FIRST_VERSION or "custom_generate" in arguments:
        return False
    ids = inputs.get("input_ids")
    if ids is None or ids.shape[0] != 1 or not inputs.keys() <= _TEXT_INPUTS:
        return False
    mask = inputs.get("attention_mask")
    if mask is not None and not bool(mask.all()):
        return False
    if getattr(model.config, "is_encoder_decoder", False) or getattr(model, "_is_stateful", False):
        return False
    if "past_key_values" not in inspect.signature(model.forward).parameters:
        return False
    config = arguments.get("generation_config") or model.generation_config

    def asked(name: str) -> Any:
        return arguments.get(name, getattr(config, name, None))

    return (
        asked("num_beams") in (None, 1)
        and asked("num_return_sequences") in (None, 1)
        and asked("use_cache") is not False
        and not any(
            asked(name)
            for name in (
                "prompt_lookup_num_tokens",
                "assistant_model",
                "penalty_alpha",
                "guidance_scale",
                "dola_layers",
                "cache_implementation",
                "past_key_values",
                "return_dict_in_generate",
            )
        )
    )


class ForcedDecoding:
    """What `generate(custom_generate=...)` takes.

    Args:
        masker: the constraint, one of the logits processors of the call.
        appended: told how many tokens were appended without asking the model.
        streamer: gets the tokens; `generate` hands none to a loop that is not its own.

    Attributes:
        n_forced: how many tokens were appended without asking the model.
        n_passes: how many forward passes there were.
    """

    def __init__(
        self,
        masker: LogitsProcessor,
        appended: Callable[[int], None] | None = None,
        streamer: Any = None,
    ) -> None:
        self.masker = masker
        self.appended = appended
        self.streamer = streamer
        self.n_forced = 0
        self.n_passes = 0

    def __call__(
        self,
        model: Any,
        input_ids: torch.Tensor,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        **model_kwargs: Any,
    ) -> torch.Tensor:
        """Return the ids of the prompt and the document, [1, length]."""
        cache = model_kwargs.get("past_key_values")
        streamer = self.streamer
        keeps_some = "logits_to_keep" in inspect.signature(model.forward).parameters
        ids: list[int] = input_ids[0].tolist()
        start = self.masker.begin(input_ids)
        read = 0
        finished = False
        while not finished:
            forced = self.masker.forced(ids[start:])[: max(0, generation_config.max_length - len(ids) - 1)]
            if forced:
                ids += forced
                self.n_forced += len(forced)
                if self.appended is not None:
                    self.appended(len(forced))
                added = torch.tensor([forced], device=input_ids.device)
                input_ids = torch.cat([input_ids, added], dim=1)
                if streamer is not None:
                    streamer.put(added[0].cpu())
            # Logits of the last token alone: those of two or three tokens can cost as much as the pass.
            outputs = model(
                input_ids=input_ids[:, read:],
                attention_mask=torch.ones_like(input_ids),
                past_key_values=cache,
                use_cache=True,
                **({"logits_to_keep": 1} if keeps_some else {}),
            )
            self.n_passes += 1
            cache = outputs.past_key_values
            read = len(ids)
            self.masker.announce(input_ids, [ids[start:]])
            logits = outputs.logits[:, -1].to(copy=True, dtype=torch.float32, device=input_ids.device)
            scores = logits_processor(input_ids, logits)
            if generation_config.do_sample:
                chosen = torch.multinomial(scores.softmax(dim=-1), num_samples=1)
            else:
                chosen = scores.argmax(dim=-1, keepdim=True)
            input_ids = torch.cat([input_ids, chosen], dim=1)
            ids.append(int(chosen))
            if streamer is not None:
                streamer.put(chosen[0].cpu())
            finished = bool(stopping_criteria(input_ids, None).all())
        if streamer is not None:
            streamer.end()
        return input_ids
