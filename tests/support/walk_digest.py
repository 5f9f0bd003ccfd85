"""Prints what the engine allows along random walks, one JSON line per schema: two builds must agree.

python -m tests.support.walk_digest COUNT [FIRST]
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from typing import Any

import numpy as np

import constrain
from tests.support.mask_oracle import Refused, Unsatisfiable
from tests.support.random_schemas import random_schema, small_vocabulary
from tests.support.real_engine import real_engine

__all__ = ["walk"]


def walk(
    schema: Any, tokens: list[bytes | None], any_text: bool, seed: int, steps: int = 40
) -> dict[str, object]:
    """The verdict of the compiler, then the text of one walk and a digest of all its masks."""
    try:
        matcher = real_engine(schema, tokens, any_text)
    except Unsatisfiable:
        return {"verdict": "unsatisfiable"}
    except Refused:
        return {"verdict": "refused"}
    rng = random.Random(seed)
    digest = hashlib.sha256()
    text = b""
    row = np.zeros((1, (len(tokens) + 31) // 32), dtype=np.int32)
    for _ in range(steps):
        matcher.fill_bitmask(row)
        digest.update(row.tobytes())
        bits = np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little"))
        familiar = [int(index) for index in bits if (tokens[index] or b"\0")[0] in b'ab"{}[]:,0123.etfn\\u']
        token = rng.choice(familiar or [int(index) for index in bits])
        matcher.advance(token)
        if tokens[token] is None:
            break
        text += tokens[token] or b""
    return {"verdict": "ok", "text": text.hex(), "masks": digest.hexdigest()}


def main(count: int, first: int) -> None:
    print(json.dumps({"compiled": constrain.COMPILED}))
    for number in range(first, first + count):
        rng = random.Random(number)
        schema = random_schema(rng)
        print(json.dumps(walk(schema, small_vocabulary(rng), bool(number % 2), number)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
