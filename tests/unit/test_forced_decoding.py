"""What is certain is appended without asking the model, and nothing else changes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import constrain  # noqa: E402
from constrain.models import generate, generate_batch  # noqa: E402
from constrain.models.forced_decoding import can_force  # noqa: E402
from tests.support.tiny_models import EOS, TURN, tiny_causal_model, tiny_tokenizer  # noqa: E402

SCHEMA = {
    "type": "object",
    "properties": {
        "colour": {"enum": ["red", "green", "grey"]},
        "animal": {"const": "fox"},
        "age": {"type": "integer", "minimum": 0, "maximum": 99},
    },
    "required": ["colour", "animal", "age"],
    "additionalProperties": False,
}
COMPACT = constrain.Options(whitespace="compact", property_order="schema")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tiny_tokenizer()


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    return tiny_causal_model(len(tokenizer))


@pytest.fixture(scope="module")
def vocabulary(tokenizer: Any) -> constrain.Vocabulary:
    return constrain.Vocabulary.from_tokenizer(tokenizer, eos_ids=[EOS, TURN])


def write(model: Any, tokenizer: Any, **kwargs: Any) -> Any:
    defaults = {"schema": SCHEMA, "options": COMPACT, "max_new_tokens": 120}
    return generate(model, tokenizer, "the fox", **{**defaults, **kwargs})


@pytest.mark.parametrize("seed", range(6))
def test_documents_are_valid_and_need_fewer_passes(
    model: Any, tokenizer: Any, vocabulary: constrain.Vocabulary, seed: int
) -> None:
    torch.manual_seed(seed)
    pieces: list[str] = []
    result = write(model, tokenizer, vocabulary=vocabulary, do_sample=True, stream=pieces.append)
    assert result.value.keys() == {"colour", "animal", "age"}
    assert result.value["animal"] == "fox"
    assert "".join(pieces) == result.text
    assert result.report.forward_passes < len(result.tokens) / 2
    assert result.report.forced_share > 0.5


def test_the_model_is_asked_what_it_is_asked_without(
    model: Any, tokenizer: Any, vocabulary: constrain.Vocabulary
) -> None:
    """Every probability in the report is the one that a pass over the whole text gives, where it was asked."""
    for seed in range(4):
        torch.manual_seed(seed)
        result = write(model, tokenizer, vocabulary=vocabulary, do_sample=True)
        prompt = tokenizer("the fox", return_tensors="pt").input_ids
        ids = torch.cat([prompt, torch.tensor([result.tokens])], dim=1)
        with torch.inference_mode():
            probabilities = model(ids).logits[0].float().softmax(-1).numpy()
        kept = result.report.kept_probability
        assert len(kept) == len(result.tokens) + 1
        matcher = constrain.compile(SCHEMA, options=COMPACT).matcher(vocabulary)
        row = np.zeros((1, (vocabulary.size + 31) // 32), dtype=np.int32)
        for place, token in enumerate([*result.tokens, EOS]):
            at = probabilities[prompt.shape[1] - 1 + place]
            forced = matcher.forced_tokens()
            matcher.fill_bitmask(row)
            allowed = np.unpackbits(row.view(np.uint8), bitorder="little")[: len(at)].astype(bool)
            if kept[place] is None:
                assert forced[0] == token
            else:
                assert abs(kept[place] - at[allowed].sum()) < 1e-4, place
            assert matcher.advance(token)


def test_greedy_search_writes_what_it_writes_without_where_tokens_are_the_same(
    model: Any, tokenizer: Any
) -> None:
    """A vocabulary of single bytes has one spelling for each text."""
    spelled = [bytes([i - 4]) if 4 <= i < 260 else None for i in range(len(tokenizer))]
    bytes_alone = constrain.Vocabulary.from_token_bytes(spelled, eos_ids=[EOS])
    with_loop = write(model, tokenizer, vocabulary=bytes_alone)
    without = write(model, tokenizer, vocabulary=bytes_alone, forced_tokens=False)
    assert without.report.forward_passes is None
    assert with_loop.tokens == without.tokens
    assert with_loop.report.forward_passes < len(without.tokens)
    asked = [place for place, kept in enumerate(with_loop.report.kept_probability) if kept is not None]
    assert len(asked) == with_loop.report.forward_passes
    assert [with_loop.report.kept_probability[place] for place in asked] == pytest.approx(
        [without.report.kept_probability[place] for place in asked], abs=1e-4
    )
    assert with_loop.report.forced_share == without.report.forced_share


@pytest.mark.parametrize("more", range(4))
def test_a_budget_is_kept(model: Any, tokenizer: Any, vocabulary: constrain.Vocabulary, more: int) -> None:
    constraint = constrain.compile(SCHEMA, options=COMPACT)
    least = len(constraint.matcher(vocabulary).plan()) + 1
    for seed in range(5):
        torch.manual_seed(seed)
        result = generate(
            model,
            tokenizer,
            "the",
            schema=constraint,
            vocabulary=vocabulary,
            max_new_tokens=least + more,
            do_sample=True,
        )
        assert result.report.forward_passes is not None
        assert len(result.tokens) < least + more
        assert json.loads(result.text) == result.value


def test_a_document_of_which_nothing_is_left_to_choose(
    model: Any, tokenizer: Any, vocabulary: constrain.Vocabulary
) -> None:
    result = write(model, tokenizer, vocabulary=vocabulary, schema={"const": {"a": ["the fox", True]}})
    assert result.text == '{"a":["the fox",true]}'
    assert result.report.forward_passes == 1
    # There are two end tokens.
    assert result.report.forced_share == len(result.tokens) / (len(result.tokens) + 1)


def test_other_ways_of_decoding_keep_the_loop_of_transformers(
    model: Any, tokenizer: Any, vocabulary: constrain.Vocabulary
) -> None:
    assert write(model, tokenizer, vocabulary=vocabulary, num_beams=2).report.forward_passes is None
    several = generate_batch(
        model, tokenizer, ["the", "fox"], schema=SCHEMA, options=COMPACT, vocabulary=vocabulary
    )
    assert [result.report.forward_passes for result in several] == [None, None]
    ids = {"input_ids": torch.ones(1, 3, dtype=torch.long)}
    assert can_force(model, ids, {})
    assert not can_force(model, {**ids, "pixel_values": torch.ones(1)}, {})
    assert not can_force(model, {**ids, "attention_mask": torch.tensor([[0, 1, 1]])}, {})
    assert not can_force(model, ids, {"prompt_lookup_num_tokens": 3})
    assert not can_force(model, ids, {"use_cache": False})
    assert not can_force(model, ids, {"assistant_model": model})


def test_stopping_criteria_still_stop(model: Any, tokenizer: Any, vocabulary: constrain.Vocabulary) -> None:
    def stop(ids: Any, scores: Any, **kwargs: Any) -> Any:
        return torch.ones(ids.shape[0], dtype=torch.bool)

    with pytest.raises(constrain.GenerationError, match="decoding stopped"):
        write(model, tokenizer, vocabulary=vocabulary, stopping_criteria=[stop])


@pytest.mark.parametrize(
    ("more", "schema", "forced"),
    [
        ([], {"type": "integer"}, ['{"', "a", '":']),
        # A token that reaches beyond the text counts only where it can be written.
        (['":"', '":t', ":["], {"type": "integer"}, ['{"', "a", '":']),
        (['":1'], {"type": "integer"}, ['{"', "a"]),
        ([":1"], {"type": "integer"}, ['{"', "a"]),
        ([":1"], {"type": "integer", "minimum": 20, "maximum": 99}, ['{"', "a", '":']),
        ([":20"], {"type": "integer", "minimum": 20, "maximum": 99}, ['{"', "a"]),
        # The whole text is known.
        ([":t"], {"const": True}, ['{"', "a", '":', *"true}"]),
        # `":` can be the beginning of a string, too.
        (['":"'], {"type": "string"}, ['{"', "a"]),
        (['":"'], {"type": "string", "pattern": "^[a-z]"}, ['{"', "a", '":"']),
        (['":"', '"x'], {"type": "string", "pattern": "^[a-z]"}, ['{"', "a"]),
        (['":"', '"x'], {"type": "string", "pattern": "^y"}, ['{"', "a", '":"', "y"]),
    ],
    ids=str,
)
def test_what_is_forced_stays_canonical_whatever_follows(
    more: list[str], schema: dict[str, Any], forced: list[str]
) -> None:
    words = [*map(chr, range(32, 127)), '{"', '":', *more]
    spelled = [word.encode() for word in words]
    table = constrain.Vocabulary.from_token_bytes([*spelled, None], eos_ids=[len(words)])
    whole = {"type": "object", "properties": {"a": schema}, "required": ["a"], "additionalProperties": False}
    matcher = constrain.compile(whole, options=COMPACT).matcher(table)
    assert [words[token] for token in matcher.forced_tokens()] == forced


def test_forced_tokens_are_those_of_the_tokenizer(tokenizer: Any, vocabulary: constrain.Vocabulary) -> None:
    constraint = constrain.compile(SCHEMA, options=COMPACT)
    for seed in range(30):
        text = constraint.example(seed)
        ids = tokenizer(text, add_special_tokens=False).input_ids
        matcher = constraint.matcher(vocabulary)
        for place, token in enumerate(ids):
            forced = matcher.forced_tokens()
            assert forced == ids[place : place + len(forced)]
            assert matcher.advance(token)
