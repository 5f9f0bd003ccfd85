"""Claim: applying a packed mask to logits costs no more than in the fastest peer.

Shapes [1, 128256] and [64, 128256] in three types; masks as they occur: few tokens allowed (between
JSON tokens), most (within a string), half at random. Every way masks the same fresh copy of the logits,
which is made outside the clock; the ways take turns, and medians are compared. Before that, all
have to give the same logits. `llguidance` compiles its kernel with torch; where that has no C++
compiler it is left out.

    python -m benchmarks.apply_mask [--device cuda] [--tag apply_mask]
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.reports import RESULTS, describe
from constrain.models import apply_bitmask_

__all__ = ["main"]

WIDTH = 128_256
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
WORDS = (WIDTH + 31) // 32


def _ways() -> dict[str, Callable[[torch.Tensor, torch.Tensor], Any]]:
    ways: dict[str, Callable[[torch.Tensor, torch.Tensor], Any]] = {"constrain": apply_bitmask_}
    try:
        import xgrammar

        ways["XGrammar"] = xgrammar.apply_token_bitmask_inplace
    except ImportError:
        pass
    try:
        import llguidance.torch

        ways["llguidance"] = llguidance.torch.apply_token_bitmask_inplace
    except ImportError:
        pass
    return ways


def _masks(rows: int) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(1)
    bits = {
        "few": rng.random((rows, WORDS * 32)) < 0.002,
        "most": rng.random((rows, WORDS * 32)) < 0.98,
        "half": rng.random((rows, WORDS * 32)) < 0.5,
    }
    return {
        name: torch.from_numpy(np.packbits(one, axis=1, bitorder="little").view(np.int32))
        for name, one in bits.items()
    }


def _measure(device: str, repetitions: int) -> list[dict[str, Any]]:
    ways = _ways()
    rows = []
    for count in (1, 64):
        masks = {name: mask.to(device) for name, mask in _masks(count).items()}
        for type_name, dtype in TYPES.items():
            source = torch.randn(count, WIDTH, device=device).to(dtype)
            for mask_name, mask in masks.items():
                expected = apply_bitmask_(source.clone(), mask)
                times: dict[str, list[float]] = {}
                for name, way in ways.items():
                    try:
                        logits = source.clone()
                        way(logits, mask)
                    except Exception as error:  # whatever a peer raises: it has no such way
                        print(f"{name}, {type_name}: {str(error).splitlines()[0][:100]}")
                        continue
                    if not torch.equal(logits, expected):
                        raise SystemExit(f"{name} masks {type_name} differently")
                    times[name] = []
                for turn in range(repetitions if count == 1 else repetitions // 10):
                    for name in times if turn % 2 else reversed(times):
                        logits = source.clone()
                        _wait(device)
                        start = time.perf_counter_ns()
                        ways[name](logits, mask)
                        _wait(device)
                        times[name].append((time.perf_counter_ns() - start) / 1e3)
                medians = {name: round(statistics.median(of), 2) for name, of in times.items()}
                rows.append({"rows": count, "type": type_name, "mask": mask_name, "median_us": medians})
    return rows


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--tag", default="apply_mask")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    gc.disable()
    rows = _measure(arguments.device, arguments.repetitions)
    names = list(dict.fromkeys(name for row in rows for name in row["median_us"]))
    lines = [
        "# Applying masks",
        "",
        f"Logits [rows, {WIDTH}], {arguments.device}, one thread; medians in microseconds; the ratio is to "
        "the fastest peer.",
        "",
        "| rows | type | mask | " + " | ".join(names) + " | ratio |",
        "|---" * (len(names) + 4) + "|",
    ]
    for row in rows:
        medians = row["median_us"]
        peers = [value for name, value in medians.items() if name != "constrain"]
        row["ratio"] = round(medians["constrain"] / min(peers), 2) if peers else None
        cells = [f"{medians[name]:,.1f}" if name in medians else "" for name in names]
        lines.append(
            f"| {row['rows']} | {row['type']} | {row['mask']} | " + " | ".join(cells) + f" | {row['ratio']} |"
        )
    head = describe(__doc__, ["xgrammar", "llguidance", "torch"])
    report = {**head, "device": arguments.device, "rows": rows}
    (RESULTS / f"{arguments.tag}.json").write_text(json.dumps(report, indent=2) + "\n")
    text = "\n".join([*lines, "", head["summary"], ""])
    (RESULTS / f"{arguments.tag}.md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
