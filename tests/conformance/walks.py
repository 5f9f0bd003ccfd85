"""Random walks over the collection of real schemas: no dead end, every finished document valid.

python -m tests.conformance.walks [--all | --count N] [--only NAME] [--walks 20] [--seconds 20]
                                  [--report FILE] [--record FILE]
"""

from __future__ import annotations

import argparse
import functools
import json
import platform
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.conformance.outcomes import Outcome, collection, data_folder, sample
from tests.conformance.pool import judge_all
from tests.conformance.walking import CLASSES, walk_schema

__all__ = ["BROKEN", "main"]

#: Classes that break the promise; they stay at zero.
BROKEN = ("dead_end", "invalid", "crash")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--only")
    parser.add_argument("--walks", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--report", type=Path, help="write every outcome that is not ok as JSON lines")
    parser.add_argument("--record", type=Path, help="write the counts as JSON")
    arguments = parser.parse_args()
    folder = data_folder()
    if folder is None:
        print("the development data is not there; set CONSTRAIN_DATA", file=sys.stderr)
        return 2
    if arguments.only:
        cases = [pair for pair in collection(folder) if arguments.only in pair[0]]
    else:
        cases = list(collection(folder)) if arguments.all else sample(folder, arguments.count)
    work = functools.partial(walk_schema, walks=arguments.walks, seconds=arguments.seconds)
    outcomes: list[Outcome] = []
    counts: Counter[str] = Counter()
    for outcome in judge_all(cases, 2 * arguments.seconds + 10, judge=work):
        outcomes.append(outcome)
        counts.update(outcome.counts)
        if outcome.kind in BROKEN or arguments.only:
            print(outcome.kind, outcome.name, outcome.reason, flush=True)
        if len(outcomes) % 500 == 0:
            print(f"{len(outcomes)}/{len(cases)}", _classes(outcomes), dict(counts), flush=True)
    found = sorted((outcome for outcome in outcomes if outcome.kind != "ok"), key=lambda one: one.name)
    result = {
        "claim": "random walks over real schemas meet no dead end, and every finished document is valid",
        "walks_per_schema": arguments.walks,
        "schemas": len(outcomes),
        "classes": _classes(outcomes),
        "counts": dict(sorted(counts.items())),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip(),
        "not_ok": [{"name": one.name, "class": one.kind, "reason": one.reason[:400]} for one in found],
    }
    print(json.dumps({name: result[name] for name in ("schemas", "classes", "counts")}))
    if arguments.report:
        lines = [json.dumps([one.name, one.kind, one.reason], ensure_ascii=False) + "\n" for one in found]
        arguments.report.write_text("".join(lines), encoding="utf-8")
    if arguments.record:
        text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        arguments.record.write_text(text, encoding="utf-8")
    return 1 if any(one.kind in BROKEN for one in outcomes) else 0


def _classes(outcomes: list[Outcome]) -> dict[str, int]:
    counted = Counter(outcome.kind for outcome in outcomes)
    return {kind: counted[kind] for kind in CLASSES if counted[kind]}


if __name__ == "__main__":
    raise SystemExit(main())
