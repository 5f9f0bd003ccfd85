"""Question: what does the constraint cost a decoding step on a GPU, where masks are filled while it runs?

A quarterly report by a model with random weights (the shape of a current one, bfloat16), greedily, in
three ways that take turns: without a constraint; with the logits processor and the loop of
transformers, which asks for the mask when the model is done; with the loop of this library, which
fills it while the model runs and appends tokens that are certain. Times are per token.

    python -m benchmarks.gpu_generation [--device cuda] [--repetitions 5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

import torch
import transformers

import constrain
from benchmarks.reports import RESULTS, ROOT, describe
from benchmarks.tokenizer_files import fetch
from constrain.models.forced_decoding import ForcedDecoding

sys.path.insert(0, str(ROOT / "examples" / "quarterly_report"))

from run import GRAPH, RULES, quieten

__all__ = ["main"]

TOKENIZER = "llama3_1"
WIDTH = 128_256
PROMPT_TOKENS = 300
NEW_TOKENS = 200
SHAPES = {
    "1B": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16},
    "8B": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32},
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2},
}


def _model(shape: str, device: str) -> Any:
    config = transformers.LlamaConfig(
        vocab_size=WIDTH,
        num_attention_heads=32,
        num_key_value_heads=8,
        max_position_embeddings=4096,
        **SHAPES[shape],
    )
    torch.manual_seed(1)
    with torch.device(device):
        model = transformers.LlamaForCausalLM(config).to(torch.bfloat16)
    return model.eval()


def _run(model: Any, ids: torch.Tensor, device: str, **kwargs: Any) -> tuple[float, int]:
    """Return the seconds of a generation and its tokens."""
    _wait(device)
    start = time.perf_counter()
    with torch.inference_mode():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            pad_token_id=0,
            **kwargs,
        )
    _wait(device)
    return time.perf_counter() - start, out.shape[1] - ids.shape[1]


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=["1B", "8B"])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--tag", default="gpu_generation")
    arguments = parser.parse_args()
    quieten()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(fetch(TOKENIZER) / "tokenizer.json"))
    vocabulary = constrain.Vocabulary.from_tokenizer(tokenizer, eos_ids=[128_009])
    eos = list(vocabulary.eos_ids)
    graph = constrain.load_graph(GRAPH)
    constraint = constrain.compile(RULES, knowledge=graph)
    lines = ["| model | way | ms per token | of unconstrained |", "|---|---|---|---|"]
    medians: dict[str, dict[str, float]] = {}
    for shape in arguments.shapes:
        model = _model(shape, arguments.device)
        ids = torch.randint(0, 100_000, (1, PROMPT_TOKENS), device=arguments.device)
        times: dict[str, list[float]] = {}
        for turn in range(arguments.repetitions + 1):
            for way in ("unconstrained", "processor", "loop"):
                kwargs: dict[str, Any] = {"eos_token_id": eos}
                if way == "unconstrained":
                    kwargs["min_new_tokens"] = NEW_TOKENS
                else:
                    masker = constrain.LogitsProcessor(constraint, vocabulary, max_new_tokens=NEW_TOKENS)
                    kwargs["logits_processor"] = [masker]
                    if way == "loop":
                        kwargs["custom_generate"] = ForcedDecoding(masker)
                seconds, count = _run(model, ids, arguments.device, **kwargs)
                if turn:  # masks, kernels and memory are cold in the first turn
                    times.setdefault(way, []).append(seconds / count * 1e3)
        medians[shape] = {way: round(statistics.median(of), 3) for way, of in times.items()}
        for way, value in medians[shape].items():
            ratio = value / medians[shape]["unconstrained"]
            lines.append(f"| {shape} | {way} | {value:.2f} | {ratio:.3f} |")
        del model
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else arguments.device
    head = describe(__doc__, ["torch", "transformers", "triton"])
    report = {**head, "device": name, "median_ms_per_token": medians}
    (RESULTS / f"{arguments.tag}.json").write_text(json.dumps(report, indent=2) + "\n")
    text = "\n".join(
        [
            "# Generation on a GPU",
            "",
            f"Quarterly reports within {NEW_TOKENS} tokens on {name}; random weights, bfloat16, one row, "
            f"a prompt of {PROMPT_TOKENS} tokens; medians of {arguments.repetitions}.",
            "",
            *lines,
            "",
            head["summary"],
            "",
        ]
    )
    (RESULTS / f"{arguments.tag}.md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
