"""Random models of a few thousand weights, with tokenizers and processors trained on the spot."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.support.finite_language import ListedVocabulary

SPECIAL = ("<pad>", "<eos>", "<image>", "<turn>")
PAD, EOS, IMAGE, TURN = range(4)
_CORPUS = ['{"colour": "red", "name": "猫"}', "the quick brown fox", "green grey yellow [1, 2]"] * 3


def tiny_tokenizer(**kwargs: Any) -> Any:
    """Return a byte-level BPE tokenizer with a few merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<eos>",
        pad_token="<pad>",
        extra_special_tokens={"image_token": "<image>"},
        **kwargs,
    )


def listed_vocabulary(tokenizer: Any, eos_ids: tuple[int, ...] = (EOS,)) -> ListedVocabulary:
    """Return the token bytes by the table of GPT-2, written out here as its paper's code has it."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    others = [byte for byte in range(256) if byte not in printable]
    byte_of = {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}
    tokens = [
        None if token in SPECIAL else bytes(byte_of[character] for character in token)
        for token in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    ]
    return ListedVocabulary(tuple(tokens), eos_ids)


def tiny_llama_config(width: int) -> Any:
    return transformers.LlamaConfig(
        vocab_size=width,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=1024,
        pad_token_id=PAD,
        bos_token_id=None,
        eos_token_id=[EOS, TURN],
        initializer_range=0.5,
    )


def tiny_causal_model(width: int, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return transformers.LlamaForCausalLM(tiny_llama_config(width)).eval()


def tiny_vision_language_model(tokenizer: Any, seed: int = 0) -> tuple[Any, Any]:
    """Return a Llava of random weights and its processor; images are 8 by 8 pixels, 4 places each."""
    torch.manual_seed(seed)
    vision = transformers.CLIPVisionConfig(
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=8,
        patch_size=4,
        initializer_range=1.0,
    )
    config = transformers.LlavaConfig(
        vision_config=vision,
        text_config=tiny_llama_config(len(tokenizer)),
        image_token_index=IMAGE,
        image_token_id=IMAGE,
        vision_feature_layer=-1,
    )
    model = transformers.LlavaForConditionalGeneration(config).eval()
    model.generation_config.eos_token_id = [EOS, TURN]
    model.generation_config.pad_token_id = PAD
    processor = transformers.LlavaProcessor(
        image_processor=transformers.CLIPImageProcessor(
            size={"shortest_edge": 8}, crop_size={"height": 8, "width": 8}
        ),
        tokenizer=tokenizer,
        patch_size=4,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    return model, processor
