"""Sampled reports under two independent validators: how many of them are valid."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import torch
import transformers
from rich.console import Console

import constrain

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


class Noise(transformers.LogitsProcessor):  # type: ignore[misc,name-defined]
    """Replaces the logits by noise: a model without any idea what to write."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return torch.randn_like(scores) * 4


def noise_model(vocabulary_size: int) -> Any:
    """Return the smallest model with logits for so many tokens; its logits are not used."""
    config = transformers.LlamaConfig(
        vocab_size=vocabulary_size,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
        max_position_embeddings=8192,
    )
    return transformers.LlamaForCausalLM(config).eval()


def sample_reports(
    model: Any, constraint: constrain.Constraint, prompts: Sequence[str], options: Any, console: Console
) -> int:
    """Sample reports, validate them, record the result; return the exit status."""
    budget = options.max_new_tokens
    if budget == "least":
        budget = len(constraint.matcher(model.vocabulary).plan()) + 1
    network = noise_model(model.vocabulary.size) if options.random_logits else model.model
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    python = jsonschema.Draft202012Validator(constraint.source, format_checker=checker)
    rust = jsonschema_rs.Draft202012Validator(constraint.source, validate_formats=True)
    texts: list[str] = []
    tokens = 0
    started = time.perf_counter()
    copies = -(-options.samples // len(prompts))
    for prompt in prompts:
        count = min(copies, options.samples - len(texts))
        if count <= 0:
            break
        results = constrain.models.generate_batch(
            network,
            model.processor,
            ["Report:" if options.random_logits else prompt],
            schema=constraint,
            vocabulary=model.vocabulary,
            max_new_tokens=budget,
            do_sample=True,
            temperature=options.temperature,
            top_k=0,
            num_return_sequences=count,
            logits_processor=[Noise()] if options.random_logits else [],
        )
        texts += [result.text for result in results]
        tokens += sum(len(result.tokens) for result in results)
        console.print(f"{len(texts)} of {options.samples} after {time.perf_counter() - started:.0f} s")
    values = [json.loads(text) for text in texts]
    record = {
        "claim": "every sampled report is valid under jsonschema and jsonschema-rs",
        "model": "noise" if options.random_logits else str(options.model),
        "temperature": options.temperature,
        "max_new_tokens": budget,
        "budget": str(options.max_new_tokens),
        "samples": len(texts),
        "different": len(set(texts)),
        "valid_jsonschema": sum(python.is_valid(value) for value in values),
        "valid_jsonschema_rs": sum(rust.is_valid(value) for value in values),
        "tokens": tokens,
        "seconds": round(time.perf_counter() - started, 1),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "versions": {"constrain": constrain.__version__, "torch": torch.__version__},
        "examples": texts[:3],
    }
    kind = "noise" if options.random_logits else "model"
    suffix = "_least" if options.max_new_tokens == "least" else ""
    RESULTS.mkdir(parents=True, exist_ok=True)
    target = RESULTS / f"quarterly_report_samples_{kind}{suffix}.json"
    target.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print_json(json.dumps(record, ensure_ascii=False))
    valid = record["valid_jsonschema"] == record["valid_jsonschema_rs"] == len(texts) == options.samples
    return 0 if valid else 1
