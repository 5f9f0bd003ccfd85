"""Tokenizers for tests: tiny ones trained on a few lines, and real ones where they are at hand."""

from __future__ import annotations

import io
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from constrain.disk import cache_folder

REAL = ("llama3_1", "qwen3", "gemma3", "llama2", "gpt4o", "deepseek_v3")

_LINES = [
    'The report says {"revenue": 12.5, "currency": "EUR"} and nothing else.',
    "Zoë Müller's naïve café; 東京 and Москва - 100 % übrig.",
    "  indented text,\n\nwith blank lines and\ttabs: [1, 2, 3] (0.75) #1 'quoted' \\escaped\\",
    "true false null true false null the the the report report revenue revenue",
] * 8


def _library() -> Any:
    return pytest.importorskip("tokenizers")


@cache
def byte_level_bpe() -> Any:
    """Return a byte-level BPE tokenizer (the kind of GPT-2, Llama 3, Qwen)."""
    t = _library()
    tokenizer = t.Tokenizer(t.models.BPE())
    tokenizer.pre_tokenizer = t.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = t.decoders.ByteLevel()
    trainer = t.trainers.BpeTrainer(
        vocab_size=420,
        initial_alphabet=t.pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_LINES, trainer)
    tokenizer.add_tokens(["<tool_call>", "[INST]", "<h1>", "\n\n\n", "two words"])
    return tokenizer


@cache
def wordpiece() -> Any:
    """Return a WordPiece tokenizer (the kind of BERT), its decoder without clean-up."""
    t = _library()
    tokenizer = t.Tokenizer(t.models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = t.pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = t.decoders.WordPiece(prefix="##", cleanup=False)
    trainer = t.trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False
    )
    tokenizer.train_from_iterator(_LINES, trainer)
    return tokenizer


@cache
def unigram() -> Any:
    """Return a Unigram tokenizer with a space mark and no byte fallback (the kind of T5)."""
    t = _library()
    tokenizer = t.Tokenizer(t.models.Unigram())
    tokenizer.pre_tokenizer = t.pre_tokenizers.Metaspace()
    tokenizer.decoder = t.decoders.Metaspace()
    trainer = t.trainers.UnigramTrainer(
        vocab_size=220, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(_LINES, trainer)
    return tokenizer


@cache
def byte_fallback_bpe() -> Any:
    """Return a BPE tokenizer with a space mark and byte fallback (the kind of Llama 2)."""
    t = _library()
    plain = t.Tokenizer(t.models.BPE(unk_token="<unk>"))
    plain.normalizer = t.normalizers.Replace(" ", "▁")
    names = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = t.trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<unk>", "<s>", "</s>", *names], show_progress=False
    )
    plain.train_from_iterator(_LINES, trainer)
    vocabulary = plain.get_vocab()
    state = json.loads(plain.to_str())
    merges = [tuple(pair) for pair in state["model"]["merges"]]
    model = t.models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    tokenizer = t.Tokenizer(model)
    tokenizer.normalizer = t.normalizers.Sequence(
        [t.normalizers.Prepend("▁"), t.normalizers.Replace(" ", "▁")]
    )
    d = t.decoders
    tokenizer.decoder = d.Sequence(
        [d.Replace("▁", " "), d.ByteFallback(), d.Fuse(), d.Strip(content=" ", left=1, right=0)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


@cache
def sentencepiece_model(byte_fallback: bool) -> bytes:
    """Return the bytes of a SentencePiece `.model`."""
    sentencepiece = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_LINES),
        model_writer=model,
        vocab_size=370 if byte_fallback else 120,
        byte_fallback=byte_fallback,
        user_defined_symbols=["<table>", "<unused7>", "▁▁▁"],
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
    )
    return model.getvalue()


def tekken_file() -> Path:
    """Return the path of a `tekken.json` with 131,072 tokens."""
    package = pytest.importorskip("mistral_common")
    found = sorted((Path(package.__file__).parent / "data").glob("tekken*.json"))
    if not found:
        pytest.skip("this mistral-common has no tekken file")
    return found[0]


def real_folder(name: str) -> Path:
    """Return the folder of a real tokenizer, or skip the test."""
    base = os.environ.get("CONSTRAIN_TOKENIZERS")
    folder = (Path(base) if base else cache_folder() / "tokenizers") / name
    if not (folder / "tokenizer.json").is_file():
        pytest.skip(f"{name} is not at hand (benchmarks/tokenizer_files.py fetches it)")
    return folder
