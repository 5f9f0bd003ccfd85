"""Claim: the constraint costs a decoding step next to nothing, and saves steps where text is certain.

A quarterly report by Gemma 3 270M on the CPU, greedily, in four ways that take turns: without a constraint
for as many tokens; with the logits processor and the loop of transformers; with forced tokens under
the default policy; with forced tokens, compact text and the order of the schema. The time of the
processor is taken inside the same steps. A way is compared with the unconstrained one per token.

    python -m benchmarks.generation_speed [--repetitions 5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

import torch

import constrain
from benchmarks.reports import RESULTS, ROOT, describe
from constrain.models.prompts import encode_prompts

sys.path.insert(0, str(ROOT / "examples" / "quarterly_report"))

from run import GRAPH, PROMPT, RULES, quieten

__all__ = ["main"]

INPUTS = ROOT / "examples" / "quarterly_report" / "inputs"
COMPACT = constrain.Options(whitespace="compact", property_order="schema")


def _freely(model: Any, inputs: dict[str, Any], count: int) -> float:
    """Return the seconds that the model takes for this many tokens without a constraint."""
    start = time.perf_counter()
    with torch.inference_mode():
        model.model.generate(**inputs, max_new_tokens=count, min_new_tokens=count, do_sample=False)
    return time.perf_counter() - start


class _Timed(constrain.LogitsProcessor):
    """The logits processor with a clock around it."""

    seconds = 0.0

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        start = time.perf_counter()
        masked = super().__call__(input_ids, scores)
        self.seconds += time.perf_counter() - start
        return masked


def _processor(
    model: Any, inputs: dict[str, Any], constraint: constrain.Constraint
) -> tuple[float, float, int]:
    """Return the seconds of a document with the processor alone, those within it, and the tokens."""
    processor = _Timed(constraint, model.vocabulary, max_new_tokens=200)
    start = time.perf_counter()
    with torch.inference_mode():
        ids = model.model.generate(
            **inputs,
            logits_processor=[processor],
            max_new_tokens=200,
            do_sample=False,
            eos_token_id=list(model.vocabulary.eos_ids),
        )
    elapsed = time.perf_counter() - start
    return elapsed, processor.seconds, ids.shape[1] - inputs["input_ids"].shape[1]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--inputs", type=int, default=3, help="how many of the example's texts")
    parser.add_argument("--tag", default="generation_speed")
    arguments = parser.parse_args()
    quieten()
    model = constrain.load("gemma3-270m")
    graph = constrain.load_graph(GRAPH)
    default = constrain.compile(RULES, knowledge=graph)
    compact = constrain.compile(RULES, knowledge=graph, options=COMPACT)
    rows: list[dict[str, float]] = []
    texts = sorted(INPUTS.glob("*.txt"))[: arguments.inputs]
    for turn in range(arguments.repetitions + 1):
        for path in texts:
            prompt = PROMPT.format(text=path.read_text(encoding="utf-8").strip())
            inputs = encode_prompts(model.processor, [prompt])
            elapsed, inside, count = _processor(model, inputs, default)
            free = _freely(model, inputs, count)
            loose = model.generate(prompt, schema=default, max_new_tokens=200, do_sample=False)
            tight = model.generate(prompt, schema=compact, max_new_tokens=200, do_sample=False)
            tight_count = len(tight.tokens) + 1
            free_tight = _freely(model, inputs, tight_count)
            if turn == 0:
                continue  # the masks and the model are cold
            rows.append(
                {
                    "step_ms": free / count * 1e3,
                    "processor_ms": inside / count * 1e3,
                    "processor_share": inside / (elapsed - inside),
                    "processor_ratio": elapsed / free,
                    "default_ratio": loose.report.seconds["decode"] / free * count / (len(loose.tokens) + 1),
                    "default_forced_share": loose.report.forced_share or 0.0,
                    "default_passes_per_token": loose.report.forward_passes / (len(loose.tokens) + 1),
                    "compact_ratio": tight.report.seconds["decode"] / free_tight,
                    "compact_forced_share": tight.report.forced_share or 0.0,
                    "compact_passes_per_token": tight.report.forward_passes / tight_count,
                }
            )
    medians = {name: round(statistics.median(row[name] for row in rows), 4) for name in rows[0]}
    head = describe(__doc__, ["torch", "transformers"])
    report = {**head, "documents": len(rows), "medians": medians, "rows": rows}
    (RESULTS / f"{arguments.tag}.json").write_text(json.dumps(report, indent=2) + "\n")
    inside = f"{medians['processor_ms']:.3f} ms, {medians['processor_share']:.2%} of the rest"
    text = f"""# Generation speed

Quarterly reports by Gemma 3 270M on the CPU, greedily; medians of {len(rows)} documents, prompt included.

| | |
|---|---|
| a step without constraint | {medians["step_ms"]:.1f} ms |
| the logits processor in a step | {inside} |
| with the processor alone, of unconstrained | {medians["processor_ratio"]:.3f} |
| with forced tokens, default policy, of unconstrained | {medians["default_ratio"]:.3f} |
| - tokens that were forced | {medians["default_forced_share"]:.1%} |
| - forward passes per token | {medians["default_passes_per_token"]:.3f} |
| with forced tokens, compact, schema order, of unconstrained | {medians["compact_ratio"]:.3f} |
| - tokens that were forced | {medians["compact_forced_share"]:.1%} |
| - forward passes per token | {medians["compact_passes_per_token"]:.3f} |

{head["summary"]}
"""
    (RESULTS / f"{arguments.tag}.md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
