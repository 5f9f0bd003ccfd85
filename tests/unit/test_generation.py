"""`generate`, `load` and streaming on tiny random models, causal and image-text-to-text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from pydantic import Field  # noqa: E402

from constrain import Vocabulary  # noqa: E402
from constrain.errors import ConstrainError, GenerationError  # noqa: E402
from constrain.frontends.python_types.calls import Call  # noqa: E402
from constrain.models import generate, generate_batch, gguf_conversion, load  # noqa: E402
from constrain.models.prompts import encode_prompts  # noqa: E402
from constrain.models.vocabularies import end_of_sequence_ids  # noqa: E402
from tests.support.finite_language import FiniteConstraint, ListedVocabulary  # noqa: E402
from tests.support.tiny_models import (  # noqa: E402
    EOS,
    IMAGE,
    PAD,
    TURN,
    listed_vocabulary,
    tiny_causal_model,
    tiny_tokenizer,
    tiny_vision_language_model,
)

ANIMALS = FiniteConstraint(('{"name": "猫"}', '{"name": "fox"}', '{"name": "brown fox", "age": 3}'))
COLOURS = FiniteConstraint(('"red"', '"green"', '"grey"'))
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: "
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for p in m['content'] %}{{ '<image>' if p['type'] == 'image' else p['text'] }}{% endfor %}{% endif %}"
    "<turn>{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)


@dataclass
class Point:
    x: Annotated[int, Field(ge=0, le=99)]
    colour: Literal["red", "green"] = "red"


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tiny_tokenizer()


@pytest.fixture(scope="module")
def vocabulary(tokenizer: Any) -> ListedVocabulary:
    return listed_vocabulary(tokenizer, (EOS, TURN))


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    return tiny_causal_model(len(tokenizer))


def test_the_value_of_a_python_type_is_an_instance_of_it(model: Any, tokenizer: Any) -> None:
    def paint(colour: Literal["red", "grey"], layers: Annotated[int, Field(ge=1, le=3)] = 1) -> str:
        return f"{colour} {layers}"

    known = Vocabulary.from_tokenizer(tokenizer, eos_ids=[EOS])
    instances = {Point: Point, paint: Call}
    for source, kind in instances.items():
        result = generate(
            model, tokenizer, "the quick", schema=source, vocabulary=known, max_new_tokens=60, do_sample=True
        )
        assert isinstance(result.value, kind)


@pytest.mark.parametrize("seed", range(5))
def test_the_result_holds_the_value_the_text_and_the_tokens_of_one_document(
    model: Any, tokenizer: Any, vocabulary: ListedVocabulary, seed: int
) -> None:
    torch.manual_seed(seed)
    result = generate(
        model,
        tokenizer,
        "the quick",
        schema=ANIMALS,
        vocabulary=vocabulary,
        max_new_tokens=40,
        do_sample=True,
        temperature=3.0,
    )
    assert result.text in ANIMALS.texts
    assert result.value == json.loads(result.text)
    assert tokenizer.decode(result.tokens) == result.text
    report = result.report
    assert report.prompt_tokens == len(tokenizer("the quick").input_ids)
    assert report.kept_probability is not None
    assert len(report.kept_probability) == len(result.tokens) + 1
    assert all(0.0 < kept <= 1.0 for kept in report.kept_probability)
    assert report.forced_share is not None
    assert 0.0 < report.forced_share < 1.0
    assert set(report.seconds) == {"compile", "prepare", "decode"}


def test_kept_probability_is_the_mass_of_the_allowed_tokens(
    model: Any, tokenizer: Any, vocabulary: ListedVocabulary
) -> None:
    result = generate(model, tokenizer, "fox", schema=COLOURS, vocabulary=vocabulary)
    ids = tokenizer("fox").input_ids
    matcher = COLOURS.matcher(vocabulary)
    assert result.report.kept_probability is not None
    for kept, token in zip(result.report.kept_probability, result.tokens, strict=False):
        with torch.no_grad():
            mass = model(torch.tensor([ids])).logits[0, -1].softmax(-1)
        assert kept == pytest.approx(float(mass[sorted(matcher.allowed())].sum()), rel=1e-3)
        ids.append(token)
        assert matcher.advance(token)


def test_a_batch_gives_results_in_the_order_of_its_prompts(
    model: Any, tokenizer: Any, vocabulary: ListedVocabulary
) -> None:
    prompts = ["the", "a much longer prompt about the fox", "grey"]
    together = generate_batch(
        model, tokenizer, prompts, schema=[ANIMALS, COLOURS, ANIMALS], vocabulary=vocabulary
    )
    alone = [
        generate(model, tokenizer, prompt, schema=schema, vocabulary=vocabulary)
        for prompt, schema in zip(prompts, [ANIMALS, COLOURS, ANIMALS], strict=True)
    ]
    assert [result.text for result in together] == [result.text for result in alone]
    assert [result.tokens for result in together] == [result.tokens for result in alone]


@pytest.mark.parametrize("beams", [2, 6])
def test_beams_return_documents_even_when_there_are_fewer_than_beams(
    model: Any, tokenizer: Any, vocabulary: ListedVocabulary, beams: int
) -> None:
    results = generate_batch(
        model,
        tokenizer,
        ["the", "grey fox"],
        schema=COLOURS,
        vocabulary=vocabulary,
        num_beams=beams,
        num_return_sequences=beams,
    )
    assert {result.text for result in results} <= set(COLOURS.texts)
    assert len(results) >= 2 * min(beams, 2)
    assert all(result.report.kept_probability is None for result in results)


@pytest.mark.parametrize("schema", [ANIMALS, COLOURS])
def test_the_least_budget_gives_a_document_and_less_is_an_error_that_names_it(
    model: Any, tokenizer: Any, vocabulary: ListedVocabulary, schema: FiniteConstraint
) -> None:
    least = len(schema.matcher(vocabulary).plan()) + 1
    for seed in range(5):
        torch.manual_seed(seed)
        result = generate(
            model,
            tokenizer,
            "the",
            schema=schema,
            vocabulary=vocabulary,
            max_new_tokens=least,
            do_sample=True,
        )
        assert result.text in schema.texts
    with pytest.raises(GenerationError, match=f"at least {least}"):
        generate(model, tokenizer, "the", schema=schema, vocabulary=vocabulary, max_new_tokens=least - 1)


def test_decoding_stopped_by_something_else_is_an_error(
    model: Any, tokenizer: Any, vocabulary: ListedVocabulary
) -> None:
    with pytest.raises(GenerationError, match="before the document was complete"):
        generate(
            model,
            tokenizer,
            "the",
            schema=ANIMALS,
            vocabulary=vocabulary,
            stopping_criteria=[lambda ids, scores, **_: torch.ones(len(ids), dtype=torch.bool)],
        )


@pytest.mark.parametrize("seed", range(5))
def test_streamed_pieces_are_whole_characters_and_join_to_the_text(
    model: Any, tokenizer: Any, vocabulary: ListedVocabulary, seed: int
) -> None:
    torch.manual_seed(seed)
    pieces: list[str] = []
    result = generate(
        model,
        tokenizer,
        "the",
        schema=FiniteConstraint(('["猫", "é"]', '["🦊"]')),
        vocabulary=vocabulary,
        stream=pieces.append,
        do_sample=True,
    )
    assert "".join(pieces) == result.text
    assert len(pieces) > 1
    assert "\ufffd" not in result.text


def test_a_chat_template_is_applied_to_text_and_to_messages() -> None:
    tokenizer = tiny_tokenizer(chat_template=TEMPLATE)
    as_text = encode_prompts(tokenizer, ["the fox"])["input_ids"]
    as_messages = encode_prompts(tokenizer, [[{"role": "user", "content": "the fox"}]])["input_ids"]
    assert torch.equal(as_text, as_messages)
    assert tokenizer.decode(as_text[0]) == "user: the fox<turn>assistant: "


def test_messages_without_a_chat_template_are_an_error(tokenizer: Any) -> None:
    with pytest.raises(ConstrainError, match="no chat template"):
        encode_prompts(tokenizer, [[{"role": "user", "content": "the fox"}]])


def test_prompts_of_different_lengths_are_padded_on_the_left(tokenizer: Any) -> None:
    encoded = encode_prompts(tokenizer, ["the", "the quick brown fox"])
    short, long = encoded["input_ids"].tolist()
    assert tokenizer.decode(long) == "the quick brown fox"
    assert [i for i in short if i != PAD] == tokenizer("the").input_ids
    assert short[-1] != PAD
    assert encoded["attention_mask"][0].tolist() == [int(i != PAD) for i in short]


def test_images_for_a_text_model_are_an_error(
    model: Any, tokenizer: Any, vocabulary: ListedVocabulary
) -> None:
    with pytest.raises(ConstrainError, match="text only"):
        generate(model, tokenizer, "the", [object()], schema=COLOURS, vocabulary=vocabulary)


def test_every_end_token_of_the_generation_config_counts(model: Any, tokenizer: Any) -> None:
    assert end_of_sequence_ids(model, tokenizer) == [EOS, TURN]


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any]:
    """A tiny vision-language model and its processor."""
    pytest.importorskip("PIL")
    return tiny_vision_language_model(tiny_tokenizer())


class TestVisionLanguageModel:
    """A Llava of random weights: what it sees changes its logits, and its documents stay documents."""

    @staticmethod
    def image(level: int) -> Any:
        from PIL import Image

        return Image.new("RGB", (8, 8), (level, 255 - level, level // 2))

    @pytest.mark.parametrize("prompt", ["what is it", "look: <image> what is it"])
    @pytest.mark.parametrize("beams", [1, 3])
    def test_an_image_and_a_question_give_a_document(
        self, pair: tuple[Any, Any], vocabulary: ListedVocabulary, prompt: str, beams: int
    ) -> None:
        model, processor = pair
        result = generate(
            model,
            processor,
            prompt,
            [self.image(200)],
            schema=ANIMALS,
            vocabulary=vocabulary,
            num_beams=beams,
            max_new_tokens=30,
        )
        assert result.text in ANIMALS.texts
        assert result.report.prompt_tokens >= 4

    def test_the_image_reaches_the_model(self, pair: tuple[Any, Any], vocabulary: ListedVocabulary) -> None:
        model, processor = pair
        kept = {
            generate(
                model, processor, "what", [self.image(level)], schema=COLOURS, vocabulary=vocabulary
            ).report.kept_probability
            for level in (0, 120, 255)
        }
        assert len(kept) == 3

    def test_a_batch_with_images_is_padded_on_the_left(
        self, pair: tuple[Any, Any], vocabulary: ListedVocabulary
    ) -> None:
        model, processor = pair
        prompts = ["what", "what is the colour of the fox in this picture"]
        images = [[self.image(10)], [self.image(250)]]
        results = generate_batch(
            model, processor, prompts, images=images, schema=[COLOURS, ANIMALS], vocabulary=vocabulary
        )
        assert results[0].text in COLOURS.texts
        assert results[1].text in ANIMALS.texts

    def test_a_chat_template_places_the_image(self, pair: tuple[Any, Any]) -> None:
        _, processor = pair
        processor.chat_template = TEMPLATE
        try:
            encoded = encode_prompts(processor, ["what"], [[self.image(10)]])
        finally:
            processor.chat_template = None
        ids = encoded["input_ids"][0].tolist()
        assert ids.count(IMAGE) == 4
        assert processor.tokenizer.decode([i for i in ids if i != IMAGE]) == "user: what<turn>assistant: "

    def test_text_without_an_image_works(self, pair: tuple[Any, Any], vocabulary: ListedVocabulary) -> None:
        model, processor = pair
        assert generate(model, processor, "what", schema=COLOURS, vocabulary=vocabulary).text in COLOURS.texts


class TestGgufPackages:
    """The path of a package of pieces to a folder, with the conversion itself replaced."""

    @pytest.fixture
    def package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        import hashlib
        import sys
        from types import ModuleType

        pieces = []
        for index, content in enumerate((b"GGUF", b" in two pieces")):
            pieces.append(tmp_path / f"piece{index}")
            pieces[-1].write_bytes(content)
        module = ModuleType("a_packaged_model")
        module.chunk_paths = lambda: pieces  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setenv("CONSTRAIN_CACHE", str(tmp_path / "cache"))
        digest = hashlib.sha256(b"GGUF in two pieces").hexdigest()
        monkeypatch.setitem(
            gguf_conversion._PACKAGES,
            "a-model",
            gguf_conversion._Package(module.__name__, digest, "an-extra"),
        )
        converted: list[bytes] = []

        def convert(source: Path, target: Path) -> None:
            converted.append(source.read_bytes())
            (target / "config.json").write_text("{}")

        monkeypatch.setattr(gguf_conversion, "_convert", convert)
        return converted, pieces

    def test_the_pieces_are_joined_and_converted_once(self, package: Any) -> None:
        converted, _ = package
        folders = {
            gguf_conversion.packaged_gguf(name) for name in ("a-model", "A_Model", "a_packaged_model") * 2
        }
        assert converted == [b"GGUF in two pieces"]
        (folder,) = folders
        assert folder is not None
        assert [path.name for path in folder.iterdir()] == ["config.json"]
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]

    def test_other_content_is_refused_and_leaves_nothing_behind(self, package: Any, tmp_path: Path) -> None:
        converted, pieces = package
        pieces[1].write_bytes(b"!")
        with pytest.raises(ConstrainError, match="SHA-256"):
            gguf_conversion.packaged_gguf("a-model")
        assert converted == []
        assert list((tmp_path / "cache" / "models").iterdir()) == []

    def test_a_file_is_converted_again_after_it_changed(self, package: Any, tmp_path: Path) -> None:
        converted, _ = package
        path = tmp_path / "my.gguf"
        for content in (b"one", b"other"):
            path.write_bytes(content)
            assert gguf_conversion.converted_gguf(path) == gguf_conversion.converted_gguf(path)
        assert converted == [b"one", b"other"]

    def test_a_missing_package_names_the_extra(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("CONSTRAIN_CACHE", str(tmp_path))
        monkeypatch.setitem(
            gguf_conversion._PACKAGES,
            "absent",
            gguf_conversion._Package("no_such_module_here", "0", "an-extra"),
        )
        with pytest.raises(ConstrainError, match="an-extra"):
            gguf_conversion.packaged_gguf("absent")

    def test_other_names_are_no_packages(self) -> None:
        assert gguf_conversion.packaged_gguf("meta-llama/Llama-3.1-8B") is None


class TestLoad:
    """`load` decides by the configuration which kind of model a folder holds."""

    @pytest.fixture(autouse=True)
    def listed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import constrain.models.loading as loading

        monkeypatch.setattr(
            loading,
            "vocabulary_of",
            lambda tokenizer, eos_ids, folder: listed_vocabulary(tokenizer, tuple(eos_ids)),
        )

    def test_a_causal_model(self, tmp_path: Path, model: Any, tokenizer: Any) -> None:
        model.save_pretrained(tmp_path)
        tokenizer.save_pretrained(tmp_path)
        loaded = load(tmp_path, dtype=torch.float32)
        assert isinstance(loaded.model, transformers.LlamaForCausalLM)
        assert list(loaded.vocabulary.eos_ids) == [EOS, TURN]
        assert loaded.generate("the", schema=COLOURS).text in COLOURS.texts
        assert {r.text for r in loaded.generate_batch(["a", "b"], schema=COLOURS)} <= set(COLOURS.texts)

    def test_an_image_text_to_text_model(self, tmp_path: Path) -> None:
        pytest.importorskip("PIL")
        model, processor = tiny_vision_language_model(tiny_tokenizer())
        model.save_pretrained(tmp_path)
        processor.save_pretrained(tmp_path)
        loaded = load(tmp_path)
        assert isinstance(loaded.model, transformers.LlavaForConditionalGeneration)
        image = TestVisionLanguageModel.image(30)
        assert loaded.generate("what", [image], schema=COLOURS).text in COLOURS.texts

    def test_another_kind_of_model_is_refused(self, tmp_path: Path) -> None:
        transformers.ViTConfig().save_pretrained(tmp_path)
        with pytest.raises(ConstrainError, match="'vit' is neither"):
            load(tmp_path)


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 17, "maximum": 130},
        "tags": {"type": "array", "items": {"enum": ["red", "猫", None]}, "maxItems": 3},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}


class TestWithTheEngine:
    """The engine's own constraints and vocabulary in the same loop, judged by another validator."""

    @staticmethod
    def assert_valid(text: str) -> None:
        jsonschema = pytest.importorskip("jsonschema")
        jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))

    @pytest.mark.parametrize("seed", range(3))
    def test_a_causal_model(self, model: Any, tokenizer: Any, seed: int) -> None:
        import constrain

        torch.manual_seed(seed)
        result = constrain.generate(
            model, tokenizer, "the fox", schema=SCHEMA, max_new_tokens=60, do_sample=True, temperature=2.0
        )
        self.assert_valid(result.text)
        assert result.value == json.loads(result.text)

    def test_a_batch_at_the_least_budget(self, model: Any, tokenizer: Any) -> None:
        import constrain

        constraint = constrain.compile(SCHEMA)
        vocabulary = constrain.Vocabulary.from_tokenizer(tokenizer, eos_ids=[EOS, TURN])
        least = len(constraint.matcher(vocabulary).plan()) + 1
        torch.manual_seed(0)
        results = generate_batch(
            model,
            tokenizer,
            ["the", "a longer prompt"],
            schema=constraint,
            vocabulary=vocabulary,
            max_new_tokens=least,
            do_sample=True,
            num_return_sequences=10,
        )
        assert len(results) == 20
        for result in results:
            self.assert_valid(result.text)
            assert len(result.tokens) < least

    def test_a_vision_language_model_with_beams(self, pair: tuple[Any, Any]) -> None:
        import constrain

        model, processor = pair
        image = TestVisionLanguageModel.image(90)
        result = constrain.generate(
            model, processor, "what", [image], schema=SCHEMA, max_new_tokens=60, num_beams=3
        )
        self.assert_valid(result.text)

    def test_the_processor_alone_takes_a_tokenizer(self, model: Any, tokenizer: Any) -> None:
        import constrain

        processor = constrain.LogitsProcessor(
            constrain.compile(SCHEMA), tokenizer, eos_ids=[EOS, TURN], max_new_tokens=60
        )
        encoded = tokenizer("the fox", return_tensors="pt")
        out = model.generate(
            encoded.input_ids,
            attention_mask=encoded.attention_mask,
            logits_processor=[processor],
            max_new_tokens=60,
            do_sample=False,
        )
        self.assert_valid(tokenizer.decode(out[0, encoded.input_ids.shape[1] :], skip_special_tokens=True))
