"""What the engine makes of one labelled schema: an outcome class and its reason."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["CLASSES", "Outcome", "collection", "data_folder", "judge", "sample", "suite_archive"]

#: Best first. `disputed`: the validators contradict each other or the label, and the engine sides with one.
CLASSES = (
    "right", "disputed", "refused", "malformed", "limit", "wrong_refusal", "wrong_acceptance", "crash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """The class of a schema and, unless it is right, why.

    Attributes:
        seconds: how long it took; the pool fills it in.
        counts: what was done on the way, by name.
    """

    name: str
    kind: str
    reason: str = ""
    seconds: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)


def data_folder() -> Path | None:
    """The folder of the development data, or `None` where there is none."""
    named = os.environ.get("CONSTRAIN_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"
    return folder if (folder / "maskbench-dev.jsonl.gz").exists() else None


def suite_archive() -> Path | None:
    """The archive of the official test suite, or `None` where there is none."""
    named = os.environ.get("CONSTRAIN_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"
    archive = folder / "JSON-Schema-Test-Suite.tar.gz"
    return archive if archive.exists() else None


def collection(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and JSON line of every schema."""
    with gzip.open(folder / "maskbench-dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield line[len('{"name":"') : line.index('"', len('{"name":"'))], line


def sample(folder: Path, count: int) -> list[tuple[str, str]]:
    """The `count` schemas whose names hash lowest: the same for everyone, and spread over the sources."""
    ordered = sorted(collection(folder), key=lambda pair: hashlib.sha256(pair[0].encode()).digest())
    return ordered[:count]


def judge(name: str, line: str) -> Outcome:
    """Compile one schema and try its instances under `ANY_TEXT`."""
    import constrain

    case = json.loads(line)
    schema, tests = case["schema"], case["tests"]
    try:
        constraint = constrain.compile_json_schema(schema, options=constrain.ANY_TEXT)
    except constrain.UnsupportedError as error:
        return Outcome(name, "refused", error.keyword or str(error)[:80])
    except constrain.LimitExceeded as error:
        return Outcome(name, "limit", str(error)[:200])
    except constrain.SchemaError as error:
        return Outcome(name, "malformed", str(error)[:200])
    except constrain.UnsatisfiableError as error:
        wrong = [test for test in tests if test["valid"] and not _disputed(schema, test)]
        if wrong:
            return Outcome(name, "wrong_refusal", f"called unsatisfiable: {error}"[:200])
        return Outcome(name, "right")
    disputed = ""
    for number, test in enumerate(tests):
        text = json.dumps(test["data"], ensure_ascii=False)
        try:
            accepted = constraint.accepts(text)
        except constrain.LimitExceeded as error:
            return Outcome(name, "limit", f"instance {number}: {error}"[:200])
        if accepted == test["valid"]:
            continue
        if _disputed(schema, test):
            disputed = f"instance {number}: {test.get('description', '')}"[:120]
            continue
        kind = "wrong_acceptance" if accepted else "wrong_refusal"
        return Outcome(name, kind, f"instance {number}: {text}"[:300])
    return Outcome(name, "disputed", disputed) if disputed else Outcome(name, "right")


def _disputed(schema: Any, test: dict[str, Any]) -> bool:
    """Whether the label of an instance is not what both validators say."""
    from tests.support.validators import Undecided, Validators

    try:
        return Validators(schema).valid(json.dumps(test["data"])) != bool(test["valid"])
    except Undecided:
        return True
    except Exception:  # a validator that cannot take the schema disputes nothing
        return False
