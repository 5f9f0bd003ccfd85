"""Runs the official JSON Schema test suite and reports outcome classes, one outcome per test case.

    python -m tests.conformance.suite [--draft D] [--optional] [--only TEXT] [--report FILE] [--update]

Required tests run with formats as annotations, optional ones (`--optional`) with formats asserted. `--update`
rewrites the ratchet of what was run.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.conformance.outcomes import Outcome, suite_archive
from tests.conformance.pool import judge_all

__all__ = ["CLASSES", "DRAFTS", "RATCHET", "WRONG", "groups", "judge_group", "remotes", "run", "summary"]

RATCHET = Path(__file__).with_name("suite_ratchet.json")
#: Folder of the suite -> `Options.dialect`.
DRAFTS = {
    "draft4": "4",
    "draft6": "6",
    "draft7": "7",
    "draft2019-09": "2019-09",
    "draft2020-12": "2020-12",
}
#: Best first.
CLASSES = ("right", "refused", "malformed", "wrong_refusal", "wrong_acceptance", "crash")
WRONG = ("malformed", "wrong_refusal", "wrong_acceptance", "crash")
_REMOTES = "http://localhost:1234/"


@functools.cache
def _files() -> dict[str, bytes]:
    """The JSON files of the suite, by their path in it."""
    archive = suite_archive()
    assert archive is not None
    with tarfile.open(archive) as members:
        return {
            member.name.removeprefix("./"): members.extractfile(member).read()  # type: ignore[union-attr]
            for member in members
            if member.isfile() and member.name.endswith(".json")
        }


@functools.cache
def remotes() -> dict[str, Any]:
    """The documents that the tests refer to, by their URI."""
    if suite_archive() is None:
        return {}
    return {
        _REMOTES + name.removeprefix("remotes/"): json.loads(content)
        for name, content in _files().items()
        if name.startswith("remotes/")
    }


def groups(draft: str, *, optional: bool) -> Iterator[tuple[str, str]]:
    """The name and the JSON text of each schema of a draft with its test cases."""
    start = f"tests/{draft}/"
    for name, content in sorted(_files().items()):
        if not name.startswith(start) or ("/optional/" in name) != optional:
            continue
        for group in json.loads(content):
            title = f"{name.removeprefix('tests/')}: {group['description']}"
            yield title, json.dumps(group)


def judge_group(name: str, line: str) -> list[Outcome]:
    """Compile one schema and try its instances under `ANY_TEXT`."""
    import constrain

    group = json.loads(line)
    draft, _, rest = name.partition("/")
    options = dataclasses.replace(
        constrain.ANY_TEXT,
        formats="assert" if rest.startswith("optional/") else "annotate",
        dialect=DRAFTS[draft],
    )
    names = [f"{name}: {test['description']}" for test in group["tests"]]
    accepts: Any
    try:
        accepts = constrain.compile_json_schema(group["schema"], options=options, registry=remotes()).accepts
    except (constrain.UnsupportedError, constrain.LimitExceeded) as error:
        return [Outcome(each, "refused", error.keyword or str(error)[:200]) for each in names]
    except constrain.SchemaError as error:
        return [Outcome(each, "malformed", str(error)[:200]) for each in names]
    except constrain.UnsatisfiableError:
        accepts = _refuses_everything
    outcomes = []
    for each, test in zip(names, group["tests"], strict=True):
        try:
            text = json.dumps(test["data"], ensure_ascii=False)
            text.encode()
        except UnicodeEncodeError:
            text = json.dumps(test["data"])
        try:
            accepted = accepts(text)
        except constrain.LimitExceeded as error:
            outcomes.append(Outcome(each, "refused", str(error)[:200]))
            continue
        if accepted == test["valid"]:
            outcomes.append(Outcome(each, "right"))
        else:
            kind = "wrong_acceptance" if accepted else "wrong_refusal"
            outcomes.append(Outcome(each, kind, text[:200]))
    return outcomes


def _refuses_everything(data: str) -> bool:
    return False


def run(drafts: Iterable[str], *, optional: bool, only: str = "", seconds: float = 30.0) -> list[Outcome]:
    """The outcomes of all test cases of some drafts whose name contains `only`."""
    cases = [case for draft in drafts for case in groups(draft, optional=optional) if only in case[0]]
    lines = dict(cases)
    outcomes: list[Outcome] = []
    for result in judge_all(cases, seconds, judge=judge_group):
        if isinstance(result, Outcome):  # the group ended otherwise than by an answer
            tests = json.loads(lines[result.name])["tests"]
            outcomes += [
                dataclasses.replace(result, name=f"{result.name}: {t['description']}") for t in tests
            ]
        else:
            outcomes += result
    return outcomes


def summary(outcomes: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    """How many test cases are in each class, per draft and part of the suite."""
    counts: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        counts.setdefault(_part(outcome.name), Counter())[outcome.kind] += 1
    return {part: {kind: found[kind] for kind in CLASSES} for part, found in sorted(counts.items())}


def _part(name: str) -> str:
    folders = name.partition(".json:")[0].rpartition("/")[0]
    return folders if "/" in folders else f"{folders}/required"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draft", choices=list(DRAFTS))
    parser.add_argument("--optional", action="store_true", help="the optional tests instead of the required")
    parser.add_argument("--only", default="", metavar="TEXT", help="only schemas whose name contains it")
    parser.add_argument("--report", type=Path, help="write every outcome that is not right as JSON lines")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    if suite_archive() is None:
        print("the suite is not there; set CONSTRAIN_DATA", file=sys.stderr)
        return 2
    drafts = [arguments.draft] if arguments.draft else list(DRAFTS)
    outcomes = run(drafts, optional=arguments.optional, only=arguments.only, seconds=arguments.seconds)
    counts = summary(outcomes)
    for outcome in sorted(outcomes, key=lambda outcome: outcome.name):
        if outcome.kind in WRONG or (arguments.only and outcome.kind != "right"):
            print(outcome.kind, outcome.name, "|", outcome.reason)
    for part, found in counts.items():
        print(part, json.dumps(found))
    refusals = Counter(outcome.reason for outcome in outcomes if outcome.kind == "refused")
    print("refused for:", refusals.most_common(25))
    if arguments.report:
        with arguments.report.open("w", encoding="utf-8") as lines:
            for outcome in sorted(outcomes, key=lambda outcome: outcome.name):
                if outcome.kind != "right":
                    lines.write(json.dumps([outcome.name, outcome.kind, outcome.reason]) + "\n")
    if arguments.update and not arguments.only:
        reached = json.loads(RATCHET.read_text()) if RATCHET.exists() else {}
        RATCHET.write_text(json.dumps({**reached, **counts}, indent=2, sort_keys=True) + "\n")
    return 1 if any(found[kind] for found in counts.values() for kind in WRONG) else 0


if __name__ == "__main__":
    raise SystemExit(main())
