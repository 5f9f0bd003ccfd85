"""Claim: a token of a document of 100,000 tokens costs what one of 1,000 costs, in time and in memory.

An array of records, closed and open, grows token by token; each token is advanced and the next mask
filled. Time is the median over windows of 1,000 tokens, at the begin (behind the first 2,000 tokens,
in which masks are cold) and at the end. Memory is that of the process, per token between 10,000
tokens and the end.

    python -m benchmarks.long_document [--tokens 100000]
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

import constrain
from benchmarks import tokenizer_files
from benchmarks.reports import RESULTS, describe

__all__ = ["main"]

RECORD = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}, "price": {"type": "number"}},
    "required": ["id", "name"],
}
SCHEMAS: dict[str, Any] = {
    "closed records": {"type": "array", "items": {**RECORD, "additionalProperties": False}},
    "open records": {"type": "array", "items": RECORD},
    "any JSON": {},
    "one string": {"type": "string"},
}
WINDOW = 1000


def _document(name: str, count: int) -> str:
    """Return a begin of a document of at least `count` tokens."""
    if name == "one string":
        return '"' + " ".join(f"word {number} of a text" for number in range(count // 4))
    rows = (
        {
            "id": number,
            "name": f"item {number % 97}",
            "price": number / 8,
            **({"note": "x"} if "open" in name else {}),
        }
        for number in range(count // 12)
    )
    return "[" + ", ".join(json.dumps(row) for row in rows)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--tag", default="long_document")
    arguments = parser.parse_args()
    tokenizer = tokenizer_files.load("llama3_1")
    vocabulary = constrain.Vocabulary.from_tokenizer(tokenizer)
    mask = np.zeros((1, (vocabulary.size + 31) // 32), dtype=np.int32)
    rows: dict[str, dict[str, float]] = {}
    for name, schema in SCHEMAS.items():
        ids = list(tokenizer.encode(_document(name, arguments.tokens), add_special_tokens=False).ids)
        ids = ids[: arguments.tokens]
        assert len(ids) == arguments.tokens, (name, len(ids))
        matcher = constrain.compile_json_schema(schema).matcher(vocabulary)
        gc.collect()
        windows = []
        early = 0
        for start in range(0, len(ids), WINDOW):
            if start == 10 * WINDOW:
                gc.collect()
                early = _resident()
            began = time.perf_counter_ns()
            for token in ids[start : start + WINDOW]:
                if not matcher.advance(token):
                    raise SystemExit(f"{name}: a token was refused")
                matcher.fill_bitmask(mask)
            windows.append((time.perf_counter_ns() - began) / 1e3 / WINDOW)
        gc.collect()
        first, last = statistics.median(windows[2:7]), statistics.median(windows[-5:])
        rows[name] = {
            "first_us": round(first, 2),
            "last_us": round(last, 2),
            "ratio": round(last / first, 3),
            "bytes_per_token": round((_resident() - early) / (len(ids) - 10 * WINDOW), 1),
        }
    head = describe(__doc__, ["tokenizers"])
    report = {**head, "tokens": arguments.tokens, "rows": rows}
    (RESULTS / f"{arguments.tag}.json").write_text(json.dumps(report, indent=2) + "\n")
    lines = [
        "# Long documents",
        "",
        f"{arguments.tokens:,} tokens (Llama 3.1); microseconds per token, advance and mask.",
        "",
        "| document | behind 2,000 tokens | at the end | ratio | bytes per token |",
        "|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row['first_us']} | {row['last_us']} | {row['ratio']:.2f} "
            f"| {row['bytes_per_token']} |"
        )
    text = "\n".join([*lines, "", head["summary"], ""])
    (RESULTS / f"{arguments.tag}.md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
