"""The logits processor inside transformers' `generate()`, on a tiny random model.

The constraint lists its documents, so what may be generated is known without the engine.
"""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from constrain.errors import ConstrainError, GenerationError  # noqa: E402
from constrain.models.logits_processor import LogitsProcessor  # noqa: E402
from tests.support.finite_language import (  # noqa: E402
    FiniteConstraint,
    ListedVocabulary,
    letters_vocabulary,
)

PAD, EOS = 0, 1
VOCABULARY = letters_vocabulary(["red", "green", "re", "ee", "true"])
COLOURS = FiniteConstraint(("red", "green", "grey", "r"))
ANSWERS = FiniteConstraint(("true", "false", "maybe not at all"))


def tiny_llama(width: int = VOCABULARY.size, seed: int = 0, **config: Any) -> Any:
    torch.manual_seed(seed)
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=width,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=256,
            pad_token_id=PAD,
            bos_token_id=None,
            eos_token_id=EOS,
            initializer_range=0.5,
            **config,
        )
    ).eval()


@pytest.fixture(scope="module")
def model() -> Any:
    return tiny_llama()


def ids_of(text: str) -> list[int]:
    return [2 + ord(character) - 32 for character in text]


def text_of(ids: list[int], vocabulary: ListedVocabulary = VOCABULARY) -> str:
    """Return the document before EOS; whatever follows must be EOS or padding."""
    end = ids.index(EOS) if EOS in ids else len(ids)
    assert set(ids[end:]) <= {EOS, PAD}
    return b"".join(vocabulary.token_bytes(i) or b"?" for i in ids[:end]).decode()


def run(model: Any, processor: Any, prompts: list[str], **kwargs: Any) -> list[str]:
    width = max(map(len, prompts))
    rows = [[PAD] * (width - len(prompt)) + ids_of(prompt) for prompt in prompts]
    ids = torch.tensor(rows)
    processors = processor if isinstance(processor, list) else [processor]
    arguments: dict[str, Any] = {"max_new_tokens": 24, "do_sample": False, "pad_token_id": PAD} | kwargs
    out = model.generate(
        input_ids=ids, attention_mask=(ids != PAD).long(), logits_processor=processors, **arguments
    )
    return [text_of(row) for row in out[:, width:].tolist()]


STRATEGIES: dict[str, dict[str, Any]] = {
    "greedy": {},
    "sampling": {"do_sample": True},
    "hot": {"do_sample": True, "temperature": 5.0, "top_k": 3, "top_p": 0.5},
    "returns": {"do_sample": True, "num_return_sequences": 5},
    "beams": {"num_beams": 3},
    "beams that return": {"num_beams": 3, "num_return_sequences": 2},
    "sampled beams": {"num_beams": 3, "do_sample": True, "num_return_sequences": 3},
    "no cache": {"use_cache": False},
}


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(3))
def test_every_strategy_generates_documents_only(model: Any, strategy: str, seed: int) -> None:
    torch.manual_seed(seed)
    texts = run(model, LogitsProcessor(COLOURS, VOCABULARY), ["a", "bcd"], **STRATEGIES[strategy])
    assert set(texts) <= set(COLOURS.texts)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(3))
def test_rows_follow_their_own_constraints_and_end_at_different_times(
    model: Any, strategy: str, seed: int
) -> None:
    torch.manual_seed(seed)
    constraints = [COLOURS, ANSWERS, COLOURS]
    processor = LogitsProcessor(constraints, VOCABULARY)
    texts = run(model, processor, ["a", "bcd", "longer prompt"], **STRATEGIES[strategy])
    copies = len(texts) // 3
    for row, text in enumerate(texts):
        assert text in constraints[row // copies].texts


def test_sampling_reaches_every_document(model: Any) -> None:
    torch.manual_seed(1)
    texts = run(
        model,
        LogitsProcessor(COLOURS, VOCABULARY),
        ["a"],
        do_sample=True,
        temperature=20.0,
        top_k=0,
        num_return_sequences=300,
    )
    assert set(texts) == set(COLOURS.texts)


def test_greedy_search_equals_a_search_by_hand(model: Any) -> None:
    ids = ids_of("hello")
    matcher = COLOURS.matcher(VOCABULARY)
    while not matcher.finished:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
        ids.append(max(matcher.allowed(), key=lambda token: float(logits[token])))
        assert matcher.advance(ids[-1])
    assert run(model, LogitsProcessor(COLOURS, VOCABULARY), ["hello"]) == [text_of(ids[5:])]


@pytest.mark.parametrize("assistant_seed", [0, 7])
@pytest.mark.parametrize("sampled", [False, True])
def test_assisted_decoding_generates_documents(model: Any, assistant_seed: int, sampled: bool) -> None:
    torch.manual_seed(3)
    assistant = tiny_llama(seed=assistant_seed)
    processor = LogitsProcessor(ANSWERS, VOCABULARY)
    (text,) = run(model, processor, ["hello"], assistant_model=assistant, do_sample=sampled)
    assert text in ANSWERS.texts
    if not sampled:
        assert [text] == run(model, LogitsProcessor(ANSWERS, VOCABULARY), ["hello"])


def test_drafts_looked_up_in_the_prompt_generate_documents(model: Any) -> None:
    plain = run(model, LogitsProcessor(ANSWERS, VOCABULARY), ["maybe not at all maybe"])
    drafted = run(
        model,
        LogitsProcessor(ANSWERS, VOCABULARY),
        ["maybe not at all maybe"],
        prompt_lookup_num_tokens=5,
        max_matching_ngram_size=1,
    )
    assert drafted == plain


@pytest.mark.parametrize("budget", [2, 4, 5, 6, 24])
def test_a_budget_is_enough_for_a_complete_document(model: Any, budget: int) -> None:
    torch.manual_seed(budget)
    long = FiniteConstraint(("r", "grey", "green", "yellow-red-green-red-green"))
    processor = LogitsProcessor(long, VOCABULARY, max_new_tokens=budget)
    texts = run(model, processor, ["a", "b"], do_sample=True, num_return_sequences=20, max_new_tokens=budget)
    assert set(texts) <= set(long.texts)


@pytest.mark.parametrize("width", [VOCABULARY.size - 3, VOCABULARY.size + 1, VOCABULARY.size + 100])
def test_logits_may_be_wider_or_narrower_than_the_vocabulary(width: int) -> None:
    texts = run(
        tiny_llama(width),
        LogitsProcessor(COLOURS, VOCABULARY),
        ["abc"],
        do_sample=True,
        num_return_sequences=20,
    )
    assert set(texts) <= set(COLOURS.texts)


def test_one_processor_serves_another_prompt_afterwards(model: Any) -> None:
    processor = LogitsProcessor(ANSWERS, VOCABULARY)
    first = run(model, processor, ["hello"])
    assert run(model, processor, ["quite another prompt", "b"])[0] in ANSWERS.texts
    assert run(model, processor, ["hello"]) == first


def call(processor: Any, rows: list[list[int]], scores: Any = None) -> list[list[int]]:
    if scores is None:
        scores = torch.zeros(len(rows), VOCABULARY.size)
    masked = processor(torch.tensor(rows, dtype=torch.long), scores)
    return [row.isfinite().nonzero().flatten().tolist() for row in masked]


def test_a_history_that_is_not_allowed_gets_eos_alone() -> None:
    processor = LogitsProcessor(COLOURS, VOCABULARY, prompt_length=1)
    red, bad = [5, *ids_of("re")], [5, *ids_of("xy")]
    assert call(processor, [red, bad]) == [ids_of("d"), [EOS]]
    assert call(processor, [[*red, *ids_of("d")], [*bad, EOS]]) == [[EOS], [EOS]]


def test_a_finished_row_gets_eos_alone_even_where_another_processor_suppressed_it() -> None:
    processor = LogitsProcessor(COLOURS, VOCABULARY, prompt_length=0)
    scores = torch.zeros(2, VOCABULARY.size)
    scores[:, EOS] = -torch.inf
    assert call(processor, [[*ids_of("r"), EOS], [*ids_of("x"), EOS]], scores) == [[EOS], [EOS]]


def test_shorter_ids_and_reordered_rows_find_their_states() -> None:
    processor = LogitsProcessor(COLOURS, VOCABULARY, prompt_length=0)
    call(processor, [ids_of("gree"), ids_of("grey")])
    expected = {
        text: call(LogitsProcessor(COLOURS, VOCABULARY, prompt_length=0), [ids_of(text)])[0]
        for text in ("g", "gr", "re", "gree")
    }
    for pair in (("re", "gr"), ("gr", "re"), ("g", "g"), ("gree", "re")):
        rows = [ids_of(text) for text in pair]
        if len(rows[0]) == len(rows[1]):
            assert call(processor, rows) == [expected[text] for text in pair]
    assert call(processor, [ids_of("g")]) == [expected["g"]]


def test_states_are_made_from_the_parent_and_their_number_is_bounded() -> None:
    text = "x" * 500
    constraint = FiniteConstraint((text,))
    vocabulary = letters_vocabulary()
    processor = LogitsProcessor(constraint, vocabulary, prompt_length=0)
    matcher = processor._roots[0].matcher
    ids = ids_of(text)
    for length in range(0, 500, 1):
        processor(torch.tensor([ids[:length]], dtype=torch.long), torch.zeros(1, vocabulary.size))
    assert matcher.statistics["advances"] == 499  # type: ignore[attr-defined]
    assert len(processor._states) <= 100


def test_scores_of_the_caller_are_not_changed() -> None:
    scores = torch.zeros(1, VOCABULARY.size)
    call(LogitsProcessor(COLOURS, VOCABULARY), [[5, 6]], scores)
    assert scores.isfinite().all()


def test_logits_suppressed_by_another_processor_are_an_error(model: Any) -> None:
    class OnlyX(transformers.LogitsProcessor):  # type: ignore[misc,name-defined]
        def __call__(self, input_ids: Any, scores: Any) -> Any:
            kept = torch.full_like(scores, -torch.inf)
            kept[:, ids_of("x")[0]] = 0
            return kept

    with pytest.raises(GenerationError, match="not finite"):
        run(model, [OnlyX(), LogitsProcessor(COLOURS, VOCABULARY)], ["abc"])


def test_logits_that_are_not_numbers_are_an_error() -> None:
    scores = torch.full((1, VOCABULARY.size), float("nan"))
    with pytest.raises(GenerationError, match="not a number"):
        call(LogitsProcessor(COLOURS, VOCABULARY), [[5]], scores)


def test_constraints_that_do_not_fit_the_rows_are_an_error() -> None:
    with pytest.raises(GenerationError, match="shared out"):
        call(LogitsProcessor([COLOURS, ANSWERS], VOCABULARY), [[5], [6], [7]])
    with pytest.raises(ConstrainError):
        LogitsProcessor([], VOCABULARY)


def test_a_vocabulary_has_its_own_eos_ids() -> None:
    with pytest.raises(ConstrainError, match="eos_ids"):
        LogitsProcessor(COLOURS, VOCABULARY, eos_ids=[1])
