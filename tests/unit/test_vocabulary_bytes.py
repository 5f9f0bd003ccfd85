"""Token bytes agree with what the tokenizer itself decodes behind a fixed preceding token."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from constrain.vocabulary import Vocabulary
from constrain.vocabulary.byte_decoding import TokenDecoder, is_control_form
from tests.unit import tokenizer_sources as sources

TINY = {
    "byte_level": sources.byte_level_bpe,
    "wordpiece": sources.wordpiece,
    "unigram": sources.unigram,
    "byte_fallback": sources.byte_fallback_bpe,
}

_HEADS = (b"", b"\xc3", b"\xe2", b"\xe2\x82", b"\xe0", b"\xf0", b"\xf0\x9f", b"\xf0\x9f\x98")
_TAILS = (b"", b"\x80", b"\xa0\x80", b"\x80\x80", b"\x90\x80\x80", b"\x80\x80\x80")


def completion(data: bytes) -> tuple[bytes, bytes] | None:
    """Return bytes before and behind `data` that make it valid UTF-8, shortest first."""
    for head, tail in sorted(itertools.product(_HEADS, _TAILS), key=lambda p: len(p[0]) + len(p[1])):
        try:
            (head + data + tail).decode("utf-8")
        except UnicodeDecodeError:
            continue
        return head, tail
    return None


def assert_bytes_agree(vocabulary: Vocabulary, decode_all: Callable[[list[list[int]]], list[str]]) -> None:
    """Check every token of the vocabulary against the tokenizer's decoding of id sequences."""
    single = {vocabulary.token_bytes(i): i for i in reversed(range(vocabulary.size))}
    before = single.get(b"a", single.get(b" the"))
    assert before is not None
    front = decode_all([[before]])[0]
    sequences: list[list[int]] = []
    expected: list[str] = []
    for token in range(vocabulary.size):
        data = vocabulary.token_bytes(token)
        if data is None:
            continue
        around = completion(data)
        if around is None:
            assert set(data) & {0xC0, 0xC1, *range(0xF5, 0x100)}, data
            continue
        head, tail = ([single[bytes([byte])] for byte in part] for part in around)
        sequences.append([before, *head, token, *tail])
        expected.append(front + (around[0] + data + around[1]).decode("utf-8"))
    decoded = decode_all(sequences)
    wrong = [(s, d, e) for s, d, e in zip(sequences, decoded, expected, strict=True) if d != e]
    assert not wrong, wrong[:10]


def backend_decoding(tokenizer: Any) -> Callable[[list[list[int]]], list[str]]:
    return lambda sequences: tokenizer.decode_batch(sequences, skip_special_tokens=False)


@pytest.mark.parametrize("kind", TINY)
def test_every_token_of_a_trained_tokenizer_agrees_with_its_decoding(kind: str) -> None:
    tokenizer = TINY[kind]()
    eos = 0 if kind == "wordpiece" else None
    vocabulary = Vocabulary.from_tokenizer(tokenizer, eos_ids=eos, cache=False)
    assert vocabulary.size == tokenizer.get_vocab_size()
    assert sum(vocabulary.token_bytes(i) is None for i in range(vocabulary.size)) < 8
    assert_bytes_agree(vocabulary, backend_decoding(tokenizer))


@pytest.mark.parametrize("name", sources.REAL)
def test_every_token_of_a_real_tokenizer_agrees_with_its_decoding(name: str) -> None:
    folder = sources.real_folder(name)
    tokenizer = pytest.importorskip("tokenizers").Tokenizer.from_file(str(folder / "tokenizer.json"))
    vocabulary = Vocabulary.from_tokenizer(tokenizer, cache=False)
    assert vocabulary.is_byte_complete
    special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    assert all(vocabulary.token_bytes(i) is None for i in special)
    assert_bytes_agree(vocabulary, backend_decoding(tokenizer))
    from_file = Vocabulary.from_tokenizer(folder, eos_ids=vocabulary.eos_ids, cache=False)
    assert from_file == vocabulary


def test_every_token_of_a_tekken_file_agrees_with_its_decoding() -> None:
    path = sources.tekken_file()
    module = pytest.importorskip("mistral_common.tokens.tokenizers.tekken")
    tekkenizer = module.Tekkenizer.from_file(path)
    vocabulary = Vocabulary.from_tokenizer(path, cache=False)
    assert (vocabulary.size, vocabulary.eos_ids) == (tekkenizer.n_words, (tekkenizer.eos_id,))
    assert vocabulary.is_byte_complete
    assert_bytes_agree(vocabulary, lambda sequences: [tekkenizer.decode(ids) for ids in sequences])
    assert Vocabulary.from_tokenizer(tekkenizer, cache=False) == vocabulary


@pytest.mark.parametrize("byte_fallback", [True, False])
def test_every_piece_of_a_sentencepiece_model_agrees_with_its_decoding(
    byte_fallback: bool, tmp_path: Any
) -> None:
    data = sources.sentencepiece_model(byte_fallback)
    sentencepiece = pytest.importorskip("sentencepiece")
    processor = sentencepiece.SentencePieceProcessor(model_proto=data)
    (tmp_path / "tokenizer.model").write_bytes(data)
    vocabulary = Vocabulary.from_tokenizer(tmp_path, cache=False)
    assert (vocabulary.size, vocabulary.eos_ids) == (processor.get_piece_size(), (processor.eos_id(),))
    assert vocabulary.is_byte_complete == byte_fallback
    assert_bytes_agree(vocabulary, lambda sequences: [processor.decode(ids) for ids in sequences])
    assert Vocabulary.from_tokenizer(processor, cache=False) == vocabulary
    by_piece = {processor.id_to_piece(i): vocabulary.token_bytes(i) for i in range(vocabulary.size)}
    assert by_piece["<table>"] == b"<table>"
    assert by_piece["▁▁▁"] == b"   "
    assert by_piece["<unused7>"] is by_piece["<unk>"] is by_piece["</s>"] is None


def test_a_transformers_tokenizer_and_a_processor_give_the_same_vocabulary() -> None:
    transformers = pytest.importorskip("transformers")
    backend = sources.byte_level_bpe()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|endoftext|>")

    class Processor:
        pass

    processor = Processor()
    processor.tokenizer = tokenizer  # type: ignore[attr-defined]
    expected = Vocabulary.from_tokenizer(backend, cache=False)
    assert Vocabulary.from_tokenizer(tokenizer, cache=False) == expected
    assert Vocabulary.from_tokenizer(processor, cache=False) == expected


def test_an_ordinary_token_that_pads_stays_text() -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=sources.byte_level_bpe(), eos_token="<|endoftext|>"
    )
    tokenizer.pad_token = "!"
    vocabulary = Vocabulary.from_tokenizer(tokenizer, cache=False)
    assert vocabulary.token_bytes(tokenizer.convert_tokens_to_ids("!")) == b"!"


def test_a_slow_sentencepiece_tokenizer_agrees_with_its_model(tmp_path: Any) -> None:
    module = pytest.importorskip("transformers.tokenization_utils_sentencepiece")
    path = tmp_path / "spiece.model"
    path.write_bytes(sources.sentencepiece_model(True))
    slow = module.SentencePieceBackend(
        vocab_file=str(path), eos_token="</s>", unk_token="<unk>", bos_token="<s>", extra_special_tokens=[]
    )
    assert Vocabulary.from_tokenizer(slow, cache=False) == Vocabulary.from_tokenizer(path, cache=False)


@pytest.mark.parametrize(
    "content",
    ["<unused7>", "<mask>", "<tool_call>", "</tool_response>", "<start_of_turn>", "[multimodal]", "[/INST]",
     "<|im_end|>", "<\uff5cUser\uff5c>", "<think>", "<image>", "<video>", "[control_8]", "<SPECIAL_12>"],
)  # fmt: skip
def test_control_forms_are_recognised(content: str) -> None:
    assert is_control_form(content)


@pytest.mark.parametrize(
    "content",
    ["\n\n", "▁▁", "\t", "<h1>", "</table>", "<b>", "<", "<>", "[]", "[1]", "<=>", "<-", "a<b>", "<0x0A>",
     "{[", "word", "<a b>"],
)  # fmt: skip
def test_text_among_added_tokens_is_no_control_form(content: str) -> None:
    assert not is_control_form(content)


REPLACE = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
FUSE = {"type": "Fuse"}


@pytest.mark.parametrize(
    ("definition", "token", "expected"),
    [
        (None, "word", b" word"),
        ({"type": "WordPiece", "prefix": "##"}, "##ing", b"ing"),
        ({"type": "WordPiece", "prefix": "##"}, "ing", b" ing"),
        ({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}, "▁a", b" a"),
        ({"type": "ByteLevel"}, "Ġa", b" a"),
        ({"type": "ByteLevel"}, "Ã", b"\xc3"),
        ({"type": "ByteLevel"}, "a b", b"a b"),
        ({"type": "ByteLevel"}, "日", "日".encode()),
        ({"type": "Sequence", "decoders": [REPLACE, {"type": "ByteFallback"}, FUSE]}, "<0xE2>", b"\xe2"),
        ({"type": "Sequence", "decoders": [REPLACE, FUSE]}, "<0xE2>", b"<0xE2>"),
        ({"type": "Sequence", "decoders": [FUSE, {"type": "Strip", "start": 1}]}, " a", b" a"),
        ({"type": "Strip", "content": " ", "start": 1, "stop": 0}, "  a", b" a"),
    ],
)
def test_a_decoder_definition_gives_bytes_behind_another_token(
    definition: Any, token: str, expected: bytes
) -> None:
    assert TokenDecoder(definition)(token) == expected
