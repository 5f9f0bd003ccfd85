"""Claim: masks are at hand in microseconds, in the tail too, beside the other engines in the same run.

The protocol of MaskBench: for each schema, *time to first mask* is compiling the schema, making a
matcher and filling one mask; *time between masks* is taking one token of a known valid instance and
filling the next mask. Instances are spelled by `json.dumps` and tokenized by the tokenizer itself.

*Cold* is a schema that was never seen, on the first half of its instances. *Warm* is the compiled
schema again on the other half, as a server sees it; its first mask needs a new matcher only.
The engines take turns schema by schema on one thread, in an order drawn by lot. Engines that may
take long to compile run in a forked process with a time limit. Schemas are a fixed sample of those that
this package and llguidance compile; each peer is compared over the schemas that it compiles too.

    python -m benchmarks.mask_speed [--schemas 200] [--simple] [--tokenizer llama3_1] [--engines NAME ...]
                                    [--tag NAME]
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import gzip
import hashlib
import json
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import constrain
from benchmarks import engines as peers
from benchmarks.engines import Engine, Session
from benchmarks.reports import RESULTS, ROOT, describe

__all__ = ["Run", "main"]

PERCENTILES = (50.0, 99.0, 99.9, 99.99)
#: What is compiled before the clock starts, so that modules are loaded and the tables of the model are there.
WARM_UP = (
    '{"type": "object"}',
    '{"type": "string", "pattern": "^a$"}',
    '{"type": "string", "format": "ipv4"}',
)
#: Schemas count towards the sample when these compile them.
BASE = "llguidance"
#: What is measured: key, title, and the columns of the table of ratios.
KINDS = (
    ("first_cold", "Time to first mask, cold", ("p50", "p99")),
    ("between_cold", "Time between masks, cold", ("mean", "p50", "p99", "p99.9", "p99.99")),
    ("first_warm", "Time to first mask, warm", ("p50", "p99")),
    ("between_warm", "Time between masks, warm", ("mean", "p50", "p99", "p99.9", "p99.99")),
)


@dataclass
class Run:
    """The times of one engine over one schema, in microseconds."""

    first_cold: list[float] = field(default_factory=list)
    between_cold: list[float] = field(default_factory=list)
    first_warm: list[float] = field(default_factory=list)
    between_warm: list[float] = field(default_factory=list)
    rejected: int = 0
    refusal: str = ""


def schemas(folder: Path) -> Iterator[tuple[str, Any, list[Any]]]:
    """Name, schema and valid instances, in a fixed order that mixes the sources."""
    with gzip.open(folder / "maskbench-dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    cases.sort(key=lambda case: hashlib.sha256(case["name"].encode()).digest())
    for case in cases:
        valid = [test["data"] for test in case["tests"] if test["valid"]]
        if valid:
            yield case["name"], case["schema"], valid


#: The simple part of JSON Schema, of which a trial told what is possible, and what says nothing of values.
SIMPLE = {"type", "properties", "required", "items", "enum"}
SILENT = {"$schema", "$comment", "title", "description", "default", "examples"}


def is_simple(schema: Any) -> bool:
    """Return whether a schema has types, properties, items and enumerations of strings only."""
    if not isinstance(schema, dict) or not set(schema) <= SIMPLE | SILENT:
        return False
    if not all(isinstance(value, str) for value in schema.get("enum", ())):
        return False
    parts = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return all(map(is_simple, parts))


def measure(
    engines: list[Engine],
    cases: Iterator[tuple[str, Any, list[Any]]],
    count: int,
    tokenize: Callable[[str], list[int]],
    limit: float,
) -> tuple[dict[str, dict[str, Run]], int]:
    """Run the protocol until `count` schemas are compiled by this package and by `BASE`.

    Returns:
        For each engine its runs by the name of the schema, and how many schemas were tried.
    """
    runs: dict[str, dict[str, Run]] = {engine.name: {} for engine in engines}
    tried = measured = 0
    for name, schema, instances in cases:
        if measured == count:
            break
        tried += 1
        text = json.dumps(schema, ensure_ascii=False)
        ids = [tokenize(json.dumps(instance, ensure_ascii=False)) for instance in instances]
        # In an order drawn by lot: an engine that runs after one like it finds warm caches.
        for engine in random.Random(name).sample(engines, len(engines)):
            run = _isolated(engine, text, ids, limit) if engine.slow else _run(engine, text, ids)
            runs[engine.name][name] = run
        measured += not any(
            runs[engine.name][name].refusal
            for engine in engines
            if engine.name == BASE or _is_ours(engine.name)
        )
    return runs, tried


def _is_ours(name: str) -> bool:
    return name.startswith("constrain")


def _isolated(engine: Engine, text: str, instances: list[list[int]], limit: float) -> Run:
    """Run in a forked process that is killed after `limit` seconds."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def work() -> None:
        sender.send(_run(engine, text, instances))

    process = context.Process(target=work)
    process.start()
    sender.close()
    try:
        run: Run = receiver.recv() if receiver.poll(limit) else Run(refusal=f"more than {limit:g} s")
    except EOFError:
        run = Run(refusal="the process died")
    process.kill()
    process.join()
    return run


def _run(engine: Engine, text: str, instances: list[list[int]]) -> Run:
    """Compile and take the instances, the second half of them warm."""
    run = Run()
    clock = time.perf_counter_ns
    start = clock()
    try:
        begin = engine.compile(text)
        session = begin()
        session.fill()
    except Exception as error:  # whatever an engine raises is its refusal
        return Run(refusal=_reason(error))
    run.first_cold.append((clock() - start) / 1e3)
    half = (len(instances) + 1) // 2
    for number, ids in enumerate(instances):
        warm = number >= half
        if number:
            start = clock()
            session = begin()
            session.fill()
            elapsed = (clock() - start) / 1e3
            if warm:
                run.first_warm.append(elapsed)
        run.rejected += not _take_all(session, ids, run.between_warm if warm else run.between_cold)
    return run


def _take_all(session: Session, ids: list[int], times: list[float]) -> bool:
    """Return whether the instance was taken to its end."""
    clock = time.perf_counter_ns
    for token in ids:
        start = clock()
        if not session.take(token):
            return False
        session.fill()
        times.append((clock() - start) / 1e3)
    return session.may_end()


def _reason(error: Exception) -> str:
    if isinstance(error, constrain.ConstrainError):
        return f"{type(error).__name__} {error.keyword or ''}".strip()
    return str(error).splitlines()[0][:60] if str(error) else type(error).__name__


def summarize(times: list[float]) -> dict[str, float]:
    """Return percentiles, maximum and mean in microseconds; nothing for no times."""
    if not times:
        return {}
    values = np.asarray(times)
    result = {f"p{percent:g}": round(float(np.percentile(values, percent)), 2) for percent in PERCENTILES}
    return {**result, "max": round(float(values.max()), 2), "mean": round(float(values.mean()), 2)}


COLUMNS = ("p50", "p99", "p99.9", "p99.99", "max", "mean")


def _summaries(runs: dict[str, Run], names: set[str]) -> dict[str, dict[str, float]]:
    """Return the figures of each kind over the schemas of these names."""
    chosen = [run for name, run in runs.items() if name in names and not run.refusal]
    return {key: summarize([time for run in chosen for time in getattr(run, key)]) for key, _, _ in KINDS}


def _ratios(runs: dict[str, dict[str, Run]], ours: str, peer: str) -> dict[str, Any]:
    """Return how the times of ours are to those of a peer, over the schemas that both compile."""
    both = {name for name, run in runs[ours].items() if not run.refusal and not runs[peer][name].refusal}
    left, right = _summaries(runs[ours], both), _summaries(runs[peer], both)
    ratios = {
        key: {column: round(left[key][column] / right[key][column], 3) for column in columns}
        for key, _, columns in KINDS
        if left[key] and right[key]
    }
    return {"schemas": len(both), **ratios}


def _table(report: dict[str, Any]) -> str:
    lines = [
        "# Mask speed",
        "",
        f"{report['measured']} schemas that this package and {BASE} compile, of {report['tried']} tried; "
        f"vocabulary {report['vocabulary']['name']} ({report['vocabulary']['size']:,} tokens); microseconds.",
        report["summary"],
        "",
    ]
    for key, title, columns in KINDS:
        lines += [f"## {title}", "", "| engine | " + " | ".join(COLUMNS) + " |", "|---" * 7 + "|"]
        for name, engine in report["engines"].items():
            row = engine[key]
            if row:
                lines.append(f"| {name} | " + " | ".join(f"{row[column]:,.1f}" for column in COLUMNS) + " |")
        lines += ["", "Ratios over the schemas that both compile:", ""]
        lines += ["| | schemas | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|"]
        for pair, ratio in report["ratios"].items():
            if key in ratio:
                cells = [str(ratio["schemas"]), *(f"{ratio[key][column]:.2f}" for column in columns)]
                lines.append(f"| {pair} | " + " | ".join(cells) + " |")
        lines.append("")
    lines += ["## Coverage over the schemas tried", ""]
    lines += ["| engine | refused | valid instances rejected | tokens taken |", "|---|---|---|---|"]
    for name, engine in report["engines"].items():
        cells = [engine["refused_total"], engine["rejected_instances"], f"{engine['tokens']:,}"]
        lines.append(f"| {name} | " + " | ".join(map(str, cells)) + " |")
    once = (
        f"Vocabulary built in {report['vocabulary']['build_ms']:,.0f} ms, tables for the first schema in "
        f"{report['vocabulary']['warm_up_ms']:,.0f} ms (once per model, not in the times above)."
    )
    lines += ["", once, ""]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schemas", type=int, default=200)
    parser.add_argument("--engines", nargs="+", choices=peers.NAMES, default=["constrain", BASE])
    parser.add_argument(
        "--tokenizer", default="llama3_1", help="a name that benchmarks/tokenizer_files.py knows"
    )
    parser.add_argument(
        "--data", type=Path, default=None, help="folder of maskbench-dev.jsonl.gz ($CONSTRAIN_DATA)"
    )
    parser.add_argument(
        "--limit", type=float, default=20.0, help="seconds for a schema of an engine that compiles slowly"
    )
    parser.add_argument("--simple", action="store_true", help="schemas of the simple part only")
    parser.add_argument("--tag", default="mask_speed", help="name of the result files")
    arguments = parser.parse_args()
    named = os.environ.get("CONSTRAIN_DATA")
    folder = arguments.data or (Path(named) if named else ROOT.parent / "shared" / "data")
    from benchmarks import tokenizer_files

    tokenizer = tokenizer_files.load(arguments.tokenizer)
    start = time.perf_counter()
    vocabulary = constrain.Vocabulary.from_tokenizer(tokenizer)
    built = time.perf_counter() - start
    engines = [engine for name in arguments.engines for engine in peers.make(name, tokenizer, vocabulary)]
    warm = []
    for engine in engines:
        start = time.perf_counter()
        for schema in WARM_UP:
            with contextlib.suppress(Exception):  # not every engine takes all of them
                engine.compile(schema)().fill()
        warm.append(time.perf_counter() - start)
    # What was loaded so far is not looked through by the garbage collector, for whichever engine it runs.
    cases = [case for case in schemas(folder) if not arguments.simple or is_simple(case[1])]
    gc.collect()
    gc.freeze()
    runs, tried = measure(
        engines,
        iter(cases),
        arguments.schemas,
        lambda text: list(tokenizer.encode(text, add_special_tokens=False).ids),
        arguments.limit,
    )
    base = [name for name in runs if name == BASE or _is_ours(name)]
    sample = {name for name in runs[base[0]] if not any(runs[engine][name].refusal for engine in base)}
    report = {
        **describe(__doc__, [name for name in arguments.engines if name != "constrain"] + ["tokenizers"]),
        "vocabulary": {
            "name": arguments.tokenizer,
            "size": vocabulary.size,
            "build_ms": round(built * 1e3, 1),
            "warm_up_ms": round(warm[0] * 1e3, 1),
        },
        "tried": tried,
        "measured": len(sample),
        "engines": {name: _report(of, sample) for name, of in runs.items()},
        "ratios": {
            f"{ours} / {peer}": _ratios({name: _only(of, sample) for name, of in runs.items()}, ours, peer)
            for peer in runs
            if not _is_ours(peer)
            for ours in runs
            if _is_ours(ours)
        },
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{arguments.tag}.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    table = _table(report)
    (RESULTS / f"{arguments.tag}.md").write_text(table)
    print(table)
    return 0


def _only(runs: dict[str, Run], names: set[str]) -> dict[str, Run]:
    return {name: run for name, run in runs.items() if name in names}


def _report(runs: dict[str, Run], sample: set[str]) -> dict[str, Any]:
    chosen = _only(runs, sample)
    refused = Counter(run.refusal for run in runs.values() if run.refusal)
    slowest = sorted(
        ((max(run.between_cold), name) for name, run in chosen.items() if run.between_cold), reverse=True
    )
    return {
        "schemas": sum(not run.refusal for run in chosen.values()),
        **_summaries(chosen, sample),
        "curves": {
            key: _curve([t for run in chosen.values() for t in getattr(run, key)]) for key, _, _ in KINDS
        },
        "refused_total": sum(refused.values()),
        "refused": dict(refused.most_common(20)),
        "rejected_instances": sum(run.rejected for run in chosen.values()),
        "tokens": sum(len(run.between_cold) + len(run.between_warm) for run in chosen.values()),
        "slowest": slowest[:10],
    }


#: Where the plots take a distribution, as shares of what is slower.
SHARES = [10 ** (-step / 10) for step in range(46)]


def _curve(times: list[float]) -> list[float]:
    """Return the times that these shares of all times exceed."""
    if not times:
        return []
    points = np.quantile(np.asarray(times), [1 - share for share in SHARES])
    return [round(float(point), 2) for point in points]


if __name__ == "__main__":
    raise SystemExit(main())
