"""Claim: masks are at hand in microseconds, in the tail too, beside llguidance in the same run.

The protocol of MaskBench: for each schema, *time to first mask* is compiling the schema, making a
matcher and filling one mask; *time between masks* is taking one token of a known valid instance and
filling the next mask. Instances are spelled by `json.dumps` and tokenized by the tokenizer itself.
The engines alternate schema by schema on one thread; the order alternates too. The schemas are a
fixed sample of those that both engines compile; who refuses what is counted beside them.

    python -m benchmarks.mask_speed [--schemas 200] [--tokenizer llama3_1] [--tag NAME]
"""

from __future__ import annotations

import argparse
import datetime
import gc
import gzip
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import llguidance
import llguidance.numpy
import numpy as np

import constrain

__all__ = ["Engine", "Measures", "main"]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PERCENTILES = (50.0, 99.0, 99.9, 99.99)
#: What is compiled before the clock starts, so that modules are loaded and the tables of the model are there.
WARM_UP = (
    '{"type": "object"}',
    '{"type": "string", "pattern": "^a$"}',
    '{"type": "string", "format": "ipv4"}',
)


class Session(Protocol):
    """One sequence of one engine."""

    def fill(self) -> None: ...
    def take(self, token: int) -> bool: ...
    def may_end(self) -> bool: ...


class Engine(Protocol):
    """A competitor: `compile` raises when it refuses a schema."""

    name: str

    def compile(self, schema: str) -> Callable[[], Session]: ...


class Constrain:
    """This package, under one text policy."""

    def __init__(self, name: str, vocabulary: constrain.Vocabulary, options: constrain.Options) -> None:
        self.name = name
        self.vocabulary = vocabulary
        self.options = options
        self.mask = np.zeros((1, (vocabulary.size + 31) // 32), dtype=np.int32)

    def compile(self, schema: str) -> Callable[[], Session]:
        constraint = constrain.compile_json_schema(schema, options=self.options)
        return lambda: _ConstrainSession(constraint.matcher(self.vocabulary), self.mask)


class _ConstrainSession:
    def __init__(self, matcher: constrain.Matcher, mask: Any) -> None:
        self.matcher = matcher
        self.mask = mask

    def fill(self) -> None:
        self.matcher.fill_bitmask(self.mask)

    def take(self, token: int) -> bool:
        return self.matcher.advance(token)

    def may_end(self) -> bool:
        return self.matcher.accepting


class LLGuidance:
    """llguidance's `LLMatcher` with its JSON defaults (`whitespace_flexible`)."""

    name = "llguidance"

    def __init__(self, tokenizer: Any, vocabulary_size: int) -> None:
        self.tokenizer = tokenizer
        self.mask = llguidance.numpy.allocate_token_bitmask(1, vocabulary_size)

    def compile(self, schema: str) -> Callable[[], Session]:
        matcher = llguidance.LLMatcher(
            self.tokenizer, llguidance.LLMatcher.grammar_from_json_schema(schema), log_level=0
        )
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        first = [matcher]  # the first session is the matcher itself: a copy would count as compiling
        return lambda: _LLGuidanceSession(first.pop() if first else _fresh(matcher), self.mask)


def _fresh(matcher: Any) -> Any:
    copy = matcher.deep_copy()
    copy.reset()
    return copy


class _LLGuidanceSession:
    def __init__(self, matcher: Any, mask: Any) -> None:
        self.matcher = matcher
        self.mask = mask

    def fill(self) -> None:
        llguidance.numpy.fill_next_token_bitmask(self.matcher, self.mask, 0)

    def take(self, token: int) -> bool:
        return bool(self.matcher.consume_token(token))

    def may_end(self) -> bool:
        return bool(self.matcher.is_accepting())


@dataclass
class Measures:
    """Times of one engine, in microseconds."""

    first: list[float] = field(default_factory=list)
    between: list[float] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    rejected_instances: int = 0
    tokens: int = 0


def schemas(folder: Path) -> Iterator[tuple[str, Any, list[Any]]]:
    """Name, schema and valid instances, in a fixed order that mixes the sources."""
    with gzip.open(folder / "maskbench-dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    cases.sort(key=lambda case: hashlib.sha256(case["name"].encode()).digest())
    for case in cases:
        valid = [test["data"] for test in case["tests"] if test["valid"]]
        if valid:
            yield case["name"], case["schema"], valid


def measure(
    engines: list[Engine],
    cases: Iterator[tuple[str, Any, list[Any]]],
    count: int,
    tokenize: Callable[[str], list[int]],
) -> tuple[dict[str, Measures], int, int]:
    """Runs the protocol until `count` schemas are compiled by all.

    Returns:
        The measures by engine, how many schemas were tried, and how many were measured.
    """
    measures = {engine.name: Measures() for engine in engines}
    tried = measured = 0
    for name, schema, instances in cases:
        if measured == count:
            break
        tried += 1
        order = engines if tried % 2 else engines[::-1]
        text = json.dumps(schema, ensure_ascii=False)
        started = {engine.name: _first_mask(engine, text, measures[engine.name]) for engine in order}
        if any(start is None for start in started.values()):
            continue
        measured += 1
        ids = [tokenize(json.dumps(instance, ensure_ascii=False)) for instance in instances]
        for engine in order:
            start = started[engine.name]
            assert start is not None
            _between_masks(start, name, ids, measures[engine.name])
    return measures, tried, measured


@dataclass
class _Started:
    """A compiled schema and a session with its first mask filled."""

    elapsed: float
    make: Callable[[], Session]
    session: Session


def _first_mask(engine: Engine, text: str, measures: Measures) -> _Started | None:
    """Compile, begin and fill under the clock; `None` when the engine refuses, which is counted."""
    clock = time.perf_counter_ns
    start = clock()
    try:
        make = engine.compile(text)
        session = make()
        session.fill()
    except Exception as error:  # whatever an engine raises is its refusal
        measures.refused[_reason(error)] += 1
        return None
    return _Started((clock() - start) / 1e3, make, session)


def _reason(error: Exception) -> str:
    if isinstance(error, constrain.ConstrainError):
        return f"{type(error).__name__} {error.keyword or ''}".strip()
    return str(error).splitlines()[0][:60] if str(error) else type(error).__name__


def _between_masks(started: _Started, name: str, instances: list[list[int]], measures: Measures) -> None:
    clock = time.perf_counter_ns
    measures.first.append(started.elapsed)
    session = started.session
    for number, ids in enumerate(instances):
        if number:
            session = started.make()
            session.fill()
        taken = True
        for token in ids:
            start = clock()
            taken = session.take(token)
            if not taken:
                break
            session.fill()
            elapsed = (clock() - start) / 1e3
            measures.between.append(elapsed)
            if elapsed > 1000.0:
                measures.slowest.append((elapsed, name))
            measures.tokens += 1
        if not taken or not session.may_end():
            measures.rejected_instances += 1


def summarize(times: list[float]) -> dict[str, float]:
    """Percentiles, maximum and mean in microseconds."""
    values = np.asarray(times)
    result = {f"p{percent:g}": round(float(np.percentile(values, percent)), 2) for percent in PERCENTILES}
    return {**result, "max": round(float(values.max()), 2), "mean": round(float(values.mean()), 2)}


def _machine() -> dict[str, object]:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


COLUMNS = ("p50", "p99", "p99.9", "p99.99", "max", "mean")


def _table(report: dict[str, Any]) -> str:
    lines = [
        "# Mask speed",
        "",
        f"{report['measured']} schemas that all engines compile, of {report['tried']} tried; vocabulary "
        f"{report['vocabulary']['name']} ({report['vocabulary']['size']:,} tokens); microseconds.",
        f"{report['machine']['processor']}, {report['machine']['cores']} cores, "
        f"Python {report['machine']['python']}; commit {report['commit']}, "
        f"llguidance {report['versions']['llguidance']}, {report['date']}.",
        "",
    ]
    for title, key in (("Time to first mask", "first_mask"), ("Time between masks", "between_masks")):
        lines += [
            f"## {title}",
            "",
            "| engine | p50 | p99 | p99.9 | p99.99 | max | mean |",
            "|---|---|---|---|---|---|---|",
        ]
        for name, engine in report["engines"].items():
            row = engine[key]
            cells = [f"{row[column]:,.1f}" for column in COLUMNS]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        peer = report["engines"]["llguidance"][key]
        for name, engine in report["engines"].items():
            if name != "llguidance":
                ratios = [f"{engine[key][column] / peer[column]:.2f}" for column in COLUMNS]
                lines.append(f"| {name}, of llguidance | " + " | ".join(ratios) + " |")
        lines.append("")
    lines += ["## Coverage over the schemas tried", ""]
    lines += ["| engine | refused | valid instances rejected | tokens |", "|---|---|---|---|"]
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
    parser.add_argument(
        "--tokenizer", default="llama3_1", help="a name that benchmarks/tokenizer_files.py knows"
    )
    parser.add_argument(
        "--data", type=Path, default=None, help="folder of maskbench-dev.jsonl.gz ($CONSTRAIN_DATA)"
    )
    parser.add_argument("--tag", default="mask_speed", help="name of the result files")
    arguments = parser.parse_args()
    named = os.environ.get("CONSTRAIN_DATA")
    folder = arguments.data or (Path(named) if named else ROOT.parent / "shared" / "data")
    from benchmarks import tokenizer_files

    tokenizer = tokenizer_files.load(arguments.tokenizer)
    start = time.perf_counter()
    vocabulary = constrain.Vocabulary.from_tokenizer(tokenizer)
    built = time.perf_counter() - start
    start = time.perf_counter()
    engines: list[Engine] = [
        Constrain("constrain, any text", vocabulary, constrain.ANY_TEXT),
        Constrain("constrain, default policy", vocabulary, constrain.Options()),
        LLGuidance(_ll_tokenizer(tokenizer, vocabulary), vocabulary.size),
    ]
    warm = []
    for engine in engines:
        start = time.perf_counter()
        for schema in WARM_UP:
            engine.compile(schema)().fill()
        warm.append(time.perf_counter() - start)
    # What was loaded so far is not looked through by the garbage collector, for whichever engine it runs.
    cases = list(schemas(folder))
    gc.collect()
    gc.freeze()
    measures, tried, measured = measure(
        engines,
        iter(cases),
        arguments.schemas,
        lambda text: list(tokenizer.encode(text, add_special_tokens=False).ids),
    )
    report = {
        "claim": __doc__.splitlines()[0] if __doc__ else "",
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "commit": _commit(),
        "machine": _machine(),
        "versions": {name: importlib.metadata.version(name) for name in ("llguidance", "numpy", "tokenizers")}
        | {"constrain": constrain.__version__, "compiled": constrain.COMPILED},
        "vocabulary": {
            "name": arguments.tokenizer,
            "size": vocabulary.size,
            "build_ms": round(built * 1e3, 1),
            "warm_up_ms": round(warm[0] * 1e3, 1),
        },
        "tried": tried,
        "measured": measured,
        "engines": {
            name: {
                "first_mask": summarize(of.first),
                "between_masks": summarize(of.between),
                "refused_total": sum(of.refused.values()),
                "refused": dict(of.refused.most_common(20)),
                "rejected_instances": of.rejected_instances,
                "tokens": of.tokens,
                "slowest": sorted(of.slowest, reverse=True)[:10],
            }
            for name, of in measures.items()
        },
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{arguments.tag}.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    table = _table(report)
    (RESULTS / f"{arguments.tag}.md").write_text(table)
    print(table)
    return 0


def _ll_tokenizer(tokenizer: Any, vocabulary: constrain.Vocabulary) -> Any:
    return llguidance.LLTokenizer(
        tokenizer.to_str(), n_vocab=vocabulary.size, eos_token=list(vocabulary.eos_ids), slices=None
    )


if __name__ == "__main__":
    raise SystemExit(main())
