"""Runs the collection of real schemas and reports outcome classes.

    python -m tests.conformance.run [--all | --count N] [--only NAME] [--update] [--seconds 30] [--report FILE]

`--update` rewrites the ratchet of a sample; it never lets a wrong answer or a crash in.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from tests.conformance.outcomes import CLASSES, Outcome, collection, data_folder, sample
from tests.conformance.pool import judge_all

__all__ = ["RATCHET", "SAMPLE", "WRONG", "summary"]

RATCHET = Path(__file__).with_name("ratchet.json")
SAMPLE = 200
#: Classes that stay at zero.
WRONG = ("wrong_refusal", "wrong_acceptance", "crash")


def summary(outcomes: list[Outcome]) -> dict[str, int]:
    """How many schemas are in each class."""
    counts = Counter(outcome.kind for outcome in outcomes)
    return {"schemas": len(outcomes), **{kind: counts[kind] for kind in CLASSES}}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--count", type=int, default=SAMPLE)
    parser.add_argument("--only")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--report", type=Path, help="write every outcome that is not right as JSON lines")
    arguments = parser.parse_args()
    folder = data_folder()
    if folder is None:
        print("the development data is not there; set CONSTRAIN_DATA", file=sys.stderr)
        return 2
    if arguments.only:
        cases = [pair for pair in collection(folder) if arguments.only in pair[0]]
    else:
        cases = list(collection(folder)) if arguments.all else sample(folder, arguments.count)
    outcomes = []
    for outcome in judge_all(cases, arguments.seconds):
        outcomes.append(outcome)
        if outcome.kind in WRONG or arguments.only:
            print(outcome.kind, outcome.name, outcome.reason, flush=True)
        if len(outcomes) % 500 == 0:
            print(f"{len(outcomes)}/{len(cases)}", summary(outcomes), flush=True)
    counts = summary(outcomes)
    print(json.dumps(counts))
    print(
        "refused for:",
        Counter(outcome.reason for outcome in outcomes if outcome.kind == "refused").most_common(25),
    )
    if arguments.report:
        with arguments.report.open("w", encoding="utf-8") as lines:
            for outcome in sorted(outcomes, key=lambda outcome: outcome.name):
                if outcome.kind != "right":
                    lines.write(
                        json.dumps([outcome.name, outcome.kind, outcome.reason], ensure_ascii=False) + "\n"
                    )
    wrong = sum(counts[kind] for kind in WRONG)
    if arguments.update and not wrong and not arguments.all and not arguments.only:
        RATCHET.write_text(json.dumps(counts, indent=2) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
