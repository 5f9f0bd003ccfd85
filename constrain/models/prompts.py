"""Prompts to model inputs: the chat template where there is one, images, padding on the left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from constrain.errors import ConstrainError
from constrain.models.vocabularies import tokenizer_of

__all__ = ["Message", "Prompt", "encode_prompts"]

Message = Mapping[str, object]
#: Text, or a conversation as chat templates take it: `[{"role": "user", "content": ...}]`.
Prompt = str | Sequence[Message]


def encode_prompts(
    processor: Any,
    prompts: Sequence[Prompt],
    images: Sequence[Sequence[object]] | None = None,
    videos: Sequence[Sequence[object]] | None = None,
) -> dict[str, torch.Tensor]:
    """Return the keyword arguments of `generate()` for a batch, padded on the left.

    Args:
        processor: a tokenizer, or the processor of a multi-modal model.
        prompts: one per row.
        images, videos: for each prompt its images or videos, in the order of their places.
    """
    tokenizer: Any = tokenizer_of(processor)
    if tokenizer is processor and (images is not None or videos is not None):
        raise ConstrainError(
            "this model reads text only", remedy="load an image-text-to-text model, or leave out the images"
        )
    media = [
        {
            "image": list(images[row]) if images is not None else [],
            "video": list(videos[row]) if videos is not None else [],
        }
        for row in range(len(prompts))
    ]
    templated = [_render(processor, prompt, row) for prompt, row in zip(prompts, media, strict=True)]
    texts = [text for text, _ in templated]
    special = not templated[0][1]
    if tokenizer is processor:
        return _pad_left(tokenizer, [tokenizer(text, add_special_tokens=special).input_ids for text in texts])
    arguments: dict[str, object] = {}
    if images is not None:
        arguments["images"] = [list(row) for row in images]
    if videos is not None:
        arguments["videos"] = [list(row) for row in videos]
    if len(texts) > 1:
        _need_pad_token(tokenizer)
        arguments |= {"padding": True, "padding_side": "left"}
    return dict(processor(text=texts, return_tensors="pt", add_special_tokens=special, **arguments))


def _render(processor: Any, prompt: Prompt, media: Mapping[str, Sequence[object]]) -> tuple[str, bool]:
    """Return the text of a prompt, and whether a chat template wrote it."""
    template = getattr(processor, "chat_template", None) or getattr(
        tokenizer_of(processor), "chat_template", None
    )
    if template is None:
        if not isinstance(prompt, str):
            raise ConstrainError(
                "the model has no chat template", remedy="give the prompt as text instead of messages"
            )
        return _place_media(processor, prompt, media), False
    if isinstance(prompt, str):
        parts: list[dict[str, object]] = [
            {"type": kind} for kind in ("image", "video") for _ in media.get(kind, ())
        ]
        parts.append({"type": "text", "text": prompt})
        is_text_model = tokenizer_of(processor) is processor
        prompt = [{"role": "user", "content": prompt if is_text_model else parts}]
    text = processor.apply_chat_template(
        list(prompt), chat_template=template, tokenize=False, add_generation_prompt=True
    )
    return text, True


def _place_media(processor: Any, prompt: str, media: Mapping[str, Sequence[object]]) -> str:
    """Put the placeholders of images and videos before a prompt that has none."""
    for kind, items in media.items():
        placeholder = getattr(processor, f"{kind}_token", None)
        if items and placeholder is not None and placeholder not in prompt:
            prompt = str(placeholder) * len(items) + prompt
    return prompt


def _need_pad_token(tokenizer: Any) -> None:
    if tokenizer.pad_token_id is None:
        raise ConstrainError(
            "a batch needs padding, and the tokenizer has no padding token",
            remedy="set `tokenizer.pad_token = tokenizer.eos_token`",
        )


def _pad_left(tokenizer: Any, rows: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
    """Return `input_ids` and `attention_mask` of token lists, the texts ending in the last column."""
    width = max(len(row) for row in rows)
    pad = tokenizer.pad_token_id
    if pad is None:  # hidden by the attention mask, so any id will do
        pad = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else 0
    ids = torch.full((len(rows), width), pad, dtype=torch.long)
    attention = torch.zeros((len(rows), width), dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, width - len(row) :] = torch.tensor(row, dtype=torch.long)
        attention[index, width - len(row) :] = 1
    return {"input_ids": ids, "attention_mask": attention}
