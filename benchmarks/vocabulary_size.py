"""Claim: beyond the copy of the row, a vocabulary of 262k tokens costs at most 1.5 times one of 128k.

The protocol of `mask_speed` over the same schemas and instances with Llama 3.1 (128,256 tokens) and Gemma 3
(262,144), schema by schema in turn. Of each mask the time to copy a row of that width is
subtracted, the median of many copies on the same machine. Only schemas count in both.

    python -m benchmarks.vocabulary_size [--schemas 200]
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import constrain
from benchmarks import engines, tokenizer_files
from benchmarks.mask_speed import KINDS, WARM_UP, _run, schemas
from benchmarks.reports import RESULTS, ROOT, describe

__all__ = ["main"]

NAMES = ("llama3_1", "gemma3")


def _copy_time(size: int) -> float:
    """Return the microseconds that a copy of a row takes."""
    source = np.zeros((size + 31) // 32, dtype=np.int32)
    target = np.zeros_like(source)
    times = []
    for _ in range(2000):
        start = time.perf_counter_ns()
        target[:] = source
        times.append((time.perf_counter_ns() - start) / 1e3)
    return float(np.median(times))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schemas", type=int, default=200)
    parser.add_argument("--tag", default="vocabulary_size")
    arguments = parser.parse_args()
    named = os.environ.get("CONSTRAIN_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    tokenizers = {name: tokenizer_files.load(name) for name in NAMES}
    vocabularies = {name: constrain.Vocabulary.from_tokenizer(one) for name, one in tokenizers.items()}
    ours = {
        name: engines.Constrain(name, vocabulary, constrain.ANY_TEXT)
        for name, vocabulary in vocabularies.items()
    }
    for engine in ours.values():
        for schema in WARM_UP:
            engine.compile(schema)().fill()
    cases = list(islice(schemas(folder), arguments.schemas))
    gc.collect()
    gc.freeze()
    times: dict[str, dict[str, list[float]]] = {name: {key: [] for key, _, _ in KINDS} for name in NAMES}
    for turn, (_, schema, instances) in enumerate(cases):
        text = json.dumps(schema, ensure_ascii=False)
        for name in NAMES if turn % 2 else NAMES[::-1]:
            ids = [
                list(
                    tokenizers[name].encode(json.dumps(one, ensure_ascii=False), add_special_tokens=False).ids
                )
                for one in instances
            ]
            run = _run(ours[name], text, ids)
            for key, _, _ in KINDS:
                times[name][key] += getattr(run, key)
    copies = {name: _copy_time(vocabularies[name].size) for name in NAMES}
    rows: dict[str, dict[str, Any]] = {}
    lines = [
        "# Vocabulary size",
        "",
        f"{len(cases)} schemas; microseconds beyond the copy of a row "
        f"({', '.join(f'{name}: {copies[name]:.2f}' for name in NAMES)}).",
        "",
        "| | llama3_1, 128k | gemma3, 262k | ratio |",
        "|---|---|---|---|",
    ]
    for key, title, _ in KINDS:
        for column in ("p50", "mean", "p99"):
            figures = []
            for name in NAMES:
                values = np.asarray(times[name][key]) - copies[name]
                figures.append(
                    float(values.mean() if column == "mean" else np.percentile(values, float(column[1:])))
                )
            ratio = figures[1] / figures[0]
            rows[f"{key} {column}"] = {
                "llama3_1": round(figures[0], 2),
                "gemma3": round(figures[1], 2),
                "ratio": round(ratio, 3),
            }
            lines.append(f"| {title}, {column} | {figures[0]:,.1f} | {figures[1]:,.1f} | {ratio:.2f} |")
    head = describe(__doc__, ["tokenizers"])
    report = {**head, "schemas": len(cases), "copy_us": copies, "rows": rows}
    (RESULTS / f"{arguments.tag}.json").write_text(json.dumps(report, indent=2) + "\n")
    text = "\n".join([*lines, "", head["summary"], ""])
    (RESULTS / f"{arguments.tag}.md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
