"""Masks of a real vocabulary over real schemas: exactly the tokens that `advance` takes.

At random positions of known instances, every token of a 128k vocabulary is tried one by one.

    python -m tests.conformance.masks [--positions 400] [--seed 1] [--tokenizer llama3_1]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from typing import Any

import numpy as np

import constrain
from benchmarks import tokenizer_files
from tests.conformance.outcomes import collection, data_folder

__all__ = ["main"]

POLICIES = [
    constrain.ANY_TEXT,
    constrain.Options(),
    constrain.Options(whitespace="compact", property_order="schema"),
]
#: So many positions of one instance at most.
_PER_INSTANCE = 3


def _differences(matcher: constrain.Matcher, vocabulary: constrain.Vocabulary, mask: Any) -> list[int]:
    """The tokens on which the mask and stepping differ."""
    matcher.fill_bitmask(mask)
    bits = np.unpackbits(mask[0].view(np.uint8), bitorder="little")
    probe = matcher.fork()
    different = []
    for token in range(vocabulary.size):
        is_taken = probe.advance(token)
        if is_taken:
            probe.rollback(1)
        if is_taken != bool(bits[token]):
            different.append(token)
    return different


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--positions", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tokenizer", default="llama3_1")
    arguments = parser.parse_args()
    folder = data_folder()
    if folder is None:
        print("the development data is not there; set CONSTRAIN_DATA", file=sys.stderr)
        return 2
    tokenizer = tokenizer_files.load(arguments.tokenizer)
    vocabulary = constrain.Vocabulary.from_tokenizer(tokenizer)
    mask = np.zeros((1, (vocabulary.size + 31) // 32), dtype=np.int32)
    rng = random.Random(arguments.seed)
    cases = list(collection(folder))
    rng.shuffle(cases)
    tried = wrong = 0
    for name, line in cases:
        if tried >= arguments.positions:
            break
        case = json.loads(line)
        valid = [test["data"] for test in case["tests"] if test["valid"]]
        try:
            constraint = constrain.compile_json_schema(case["schema"], options=rng.choice(POLICIES))
        except constrain.ConstrainError:
            continue
        if not valid:
            continue
        text = json.dumps(rng.choice(valid), ensure_ascii=False)
        tokens = tokenizer.encode(text, add_special_tokens=False).ids
        chosen = set(rng.sample(range(len(tokens)), min(_PER_INSTANCE, len(tokens))))
        matcher = constraint.matcher(vocabulary)
        for place, token in enumerate(tokens):
            # Masks before are filled now and then, so that what they leave behind is tried too.
            if rng.random() < 0.5:
                matcher.fill_bitmask(mask)
            if not matcher.advance(token):
                break  # the policy has no such text
            if place in chosen:
                tried += 1
                different = _differences(matcher, vocabulary, mask)
                if different:
                    wrong += 1
                    shown = [vocabulary.token_bytes(each) for each in different[:8]]
                    print(f"{name} after {text[-60:]!r}: {len(different)} tokens differ: {shown}", flush=True)
    print(json.dumps({"positions": tried, "tokens": tried * vocabulary.size, "wrong": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
