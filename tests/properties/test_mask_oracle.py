"""The mask oracle over random schemas: sound, complete and live at every step, under two validators.

`CONSTRAIN_LONG=1` raises the number of schemas from 300 to 2,000. A failure prints a reproduction;
`python -m tests.properties.test_mask_oracle NUMBER` runs one schema again.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable

import pytest

pytest.importorskip("jsonschema_rs")
pytest.importorskip("regress")

from constrain import LimitExceeded
from constrain.automata.number_atoms import MAX_EXPONENT
from tests.support.mask_oracle import ANY_POLICY, DEFAULT_POLICY, OracleFailure, check_schema
from tests.support.random_schemas import random_schema, small_vocabulary

LONG = os.environ.get("CONSTRAIN_LONG") == "1"
SCHEMAS = 2000 if LONG else 300
BLOCK = 10

totals: Counter[str] = Counter()


def check(number: int) -> Counter[str]:
    """One random schema; odd numbers run under `ANY_TEXT`."""
    from tests.support.real_engine import real_engine

    rng = random.Random(number)
    schema = random_schema(rng)
    policy = ANY_POLICY if number % 2 else DEFAULT_POLICY
    tokens = small_vocabulary(rng, rng.choice([12, 30, 60]))
    try:
        return check_schema(real_engine, schema, policy, tokens, number, walks=6, steps=18)
    except OracleFailure as failure:
        raise OracleFailure(f"schema number {number}: {failure}") from failure
    except LimitExceeded as limit:
        # Where items have to differ, numbers beyond 1e10000 cannot be told apart.
        if limit.limit != MAX_EXPONENT:
            raise
        return Counter(limits=1)
    except Exception as error:
        shown = json.dumps(schema, ensure_ascii=False)
        raise OracleFailure(
            f"schema number {number}: {type(error).__name__}: {error}\n  schema: {shown}"
        ) from error


@pytest.mark.parametrize("block", range(SCHEMAS // BLOCK))
def test_masks_are_exact(block: int) -> None:
    failures = []
    for number in range(block * BLOCK, (block + 1) * BLOCK):
        try:
            totals.update(check(number))
        except OracleFailure as failure:
            failures.append(str(failure))
        totals["schemas"] += 1
    assert not failures, "\n\n".join(failures)


def test_refusals_stay_rare(record_property: Callable[[str, object], None]) -> None:
    if totals["schemas"] < SCHEMAS:
        pytest.skip("needs the whole run of test_masks_are_exact")
    for name, count in totals.items():
        record_property(name, count)
    print("mask oracle:", dict(totals))
    assert totals["refused"] == 0
    assert totals["limits"] <= 0.01 * SCHEMAS
    assert totals["undecided"] <= 0.01 * totals["plans"]
    # The generator keeps its bite: satisfiable schemas prevail, and most have documents to find.
    assert totals["checked"] >= 0.6 * SCHEMAS
    assert totals["without_documents"] <= 0.1 * totals["checked"]


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(argument, dict(check(int(argument))))
