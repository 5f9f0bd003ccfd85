"""The promise of the engine, checked literally against two validators, in both directions.

At every step of a walk: every token on a path to a document that the validators call valid is
allowed (complete), every allowed token has a completion that they call valid (sound), and the end is
allowed exactly where the text so far is valid. The engine is reached through a small protocol only,
so that the apparatus itself can be tried on engines with planted defects.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from tests.support import json_prefix
from tests.support.documents import Proposer, spell, surely_inside, surely_outside
from tests.support.validators import Undecided, Validators

__all__ = ["ANY_POLICY", "DEFAULT_POLICY", "Engine", "OracleFailure", "Policy", "check_schema"]


class OracleFailure(AssertionError):
    """The engine broke its promise; the message is a reproduction."""


class Refused(Exception):
    """The engine refused the schema with a typed error that is not a verdict."""


class Unsatisfiable(Exception):
    """The engine says that no document exists."""


class Matcher(Protocol):
    """What the oracle uses of a matcher."""

    def fill_bitmask(self, bitmask: Any, row: int = 0) -> bool: ...
    def advance(self, token_id: int) -> bool: ...
    def advance_tokens(self, ids: Sequence[int]) -> int: ...
    def plan(self) -> list[int]: ...
    def fork(self) -> Matcher: ...
    def rollback(self, n_tokens: int) -> None: ...
    @property
    def accepting(self) -> bool: ...
    @property
    def finished(self) -> bool: ...


class Engine(Protocol):
    """Makes a matcher, or raises `Refused` or `Unsatisfiable`."""

    def __call__(self, schema: Any, tokens: list[bytes | None], any_text: bool) -> Matcher: ...


@dataclass(frozen=True)
class Policy:
    """Which texts count, as far as the tests may be sure of it.

    Attributes:
        any_text: whether the engine runs under `ANY_TEXT`.
        inside: texts that the policy admits beyond doubt.
        outside: texts that the policy refuses beyond doubt.
    """

    any_text: bool
    inside: Callable[[bytes], bool]
    outside: Callable[[bytes], bool]


DEFAULT_POLICY = Policy(False, surely_inside, surely_outside)
ANY_POLICY = Policy(True, lambda _: True, lambda _: False)


@dataclass
class _Run:
    """One schema with one vocabulary under one policy."""

    schema: Any
    policy: Policy
    tokens: list[bytes | None]
    validators: Validators
    rng: random.Random
    documents: list[bytes]
    values: list[bytes]
    keys: list[bytes]
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.width = (len(self.tokens) + 31) // 32
        self.eos = {index for index, token in enumerate(self.tokens) if token is None}

    def fail(self, what: str, prefix: bytes, **details: object) -> OracleFailure:
        shown = "".join(f"\n  {name}: {value!r}" for name, value in details.items())
        return OracleFailure(
            f"{what}\n  schema: {json.dumps(self.schema, ensure_ascii=False)}"
            f"\n  any_text: {self.policy.any_text}\n  prefix: {prefix!r}{shown}"
        )

    def mask(self, matcher: Matcher, prefix: bytes) -> set[int]:
        row = np.full((1, self.width), -1, dtype=np.int32)
        some_refused = matcher.fill_bitmask(row, 0)
        bits = np.unpackbits(row.view(np.uint8), bitorder="little")
        if bits[len(self.tokens) :].any():
            raise self.fail("surplus bits of the mask are set", prefix)
        allowed = set(np.flatnonzero(bits[: len(self.tokens)]).tolist())
        if not some_refused and len(allowed) != len(self.tokens):
            raise self.fail("fill_bitmask says that all tokens are allowed", prefix)
        return allowed

    def spelled(self, ids: Sequence[int]) -> bytes:
        return b"".join(self.tokens[index] or b"" for index in ids)

    def planned(self, matcher: Matcher, prefix: bytes) -> bytes:
        """The engine's own completion, after checking that it is a document."""
        plan = list(matcher.plan())
        if self.eos & set(plan):
            raise self.fail("the plan holds EOS", prefix, plan=plan)
        rest = self.spelled(plan)
        self.counts["plans"] += 1
        try:
            if not self.validators.valid(prefix + rest):
                raise self.fail("UNSOUND: the engine's completion is not valid", prefix, plan=rest)
        except Undecided:
            self.counts["undecided"] += 1
        if self.policy.outside(prefix + rest):
            raise self.fail("the engine's completion breaks the text policy", prefix, plan=rest)
        return rest

    def check_end(self, matcher: Matcher, allowed: set[int], prefix: bytes) -> None:
        accepting = matcher.accepting
        if accepting != bool(allowed & self.eos) or (accepting and not self.eos <= allowed):
            raise self.fail("`accepting` and the EOS bits differ", prefix, accepting=accepting)
        try:
            valid = self.validators.valid(prefix)
        except Undecided:
            self.counts["undecided"] += 1
            return
        if accepting and (not valid or self.policy.outside(prefix)):
            raise self.fail("UNSOUND: EOS is allowed after a text that is no document", prefix)
        if valid and not accepting and self.policy.inside(prefix):
            raise self.fail("INCOMPLETE: EOS is refused after a document", prefix)

    def check_documents(self, allowed: set[int], prefix: bytes) -> list[int]:
        """Every token towards an enumerated document is allowed; returns those tokens."""
        start = len(prefix)
        following = [document[start:] for document in self.documents if document.startswith(prefix)]
        towards = []
        for index, token in enumerate(self.tokens):
            if not token:
                continue
            witness = next((rest for rest in following if rest.startswith(token)), None)
            if witness is None:
                continue
            towards.append(index)
            self.counts["complete"] += 1
            if index not in allowed:
                raise self.fail(
                    "INCOMPLETE: a token towards a valid document is refused",
                    prefix,
                    token=token,
                    document=prefix + witness,
                )
        return towards

    def check_refused(self, matcher: Matcher, allowed: set[int], prefix: bytes, plan: bytes) -> None:
        """No refused token begins a text that the validators call valid, as far as guesses reach."""
        position = json_prefix.extend(json_prefix.START, prefix)
        refused = [index for index, token in enumerate(self.tokens) if token and index not in allowed]
        self.rng.shuffle(refused)
        guessed = 0
        for index in refused:
            token = self.tokens[index]
            assert token is not None
            after = json_prefix.extend(position, token)
            if after is None:
                continue
            guesses = json_prefix.endings(after, self.rng, self.values, self.keys, 5)
            guesses += [plan[at:] for at in range(min(len(plan), 3))]
            for guess in guesses:
                text = prefix + token + guess
                self.counts["guesses"] += 1
                if self.validators.surely_valid(text) and self.policy.inside(text):
                    raise self.fail(
                        "INCOMPLETE: a token towards a valid document is refused",
                        prefix,
                        token=token,
                        document=text,
                    )
            guessed += 1
            if guessed >= 20:
                break
        for index in refused[:12]:
            if matcher.fork().advance(index):
                raise self.fail(
                    "advance takes a token that the mask refuses", prefix, token=self.tokens[index]
                )

    def check_allowed(self, matcher: Matcher, allowed: set[int], prefix: bytes, limit: int) -> None:
        """Every allowed token (a sample of the free bytes of strings) has a valid completion."""
        chosen = sorted(allowed - self.eos)
        if len(chosen) > limit:
            chosen = self.rng.sample(chosen, limit)
        for index in chosen:
            branch = matcher.fork()
            token = self.tokens[index] or b""
            if not token:
                raise self.fail("a token without bytes is allowed", prefix, token_id=index)
            if not branch.advance(index):
                raise self.fail("advance refuses a token that the mask allows", prefix, token=token)
            self.counts["sound"] += 1
            self.planned(branch, prefix + token)


def check_schema(
    engine: Engine,
    schema: Any,
    policy: Policy,
    tokens: list[bytes | None],
    seed: int,
    *,
    proposals: int = 250,
    walks: int = 3,
    steps: int = 14,
    sample: int = 24,
) -> Counter[str]:
    """Walks one schema and checks every step.

    Args:
        tokens: the vocabulary; `None` is EOS.
        proposals: how many values are proposed to find documents.
        walks, steps: how many walks, and how many checked steps each; a walk then follows the plan.
        sample: how many of the allowed tokens of a step are completed.

    Returns:
        Counters: `checked` or `unsatisfiable` or `refused`, and what was checked how often.

    Raises:
        OracleFailure: the promise is broken.
    """
    rng = random.Random(seed)
    validators = Validators(schema)
    run = _Run(
        schema, policy, tokens, validators, rng, *_documents(schema, policy, validators, rng, proposals)
    )
    try:
        origin = engine(schema, tokens, policy.any_text)
    except Unsatisfiable as verdict:
        if run.documents:
            raise run.fail("INCOMPLETE: satisfiable, but the engine says not", b"", document=run.documents[0],
                           verdict=str(verdict)) from verdict  # fmt: skip
        run.counts["unsatisfiable"] += 1
        return run.counts
    except Refused:
        run.counts["refused"] += 1
        return run.counts
    run.counts["checked"] += 1
    run.counts["documents"] += len(run.documents)
    if not run.documents:
        run.counts["without_documents"] += 1
    for number in range(walks):
        _walk(run, origin.fork(), steps, sample, wander=number % 3 == 2)
    return run.counts


def _documents(
    schema: Any, policy: Policy, validators: Validators, rng: random.Random, proposals: int
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Valid documents, and spelled values and keys for guesses."""
    proposer = Proposer(schema, rng)
    documents: dict[bytes, None] = {}
    values: dict[bytes, None] = dict.fromkeys([b"null", b"true", b"1", b'"a"', b'"ab"', b"[]", b"{}", b"0.5"])
    for _ in range(proposals):
        value = proposer.value()
        text = spell(value, rng, exotic=policy.any_text)
        if validators.surely_valid(text) and policy.inside(text):
            documents[text] = None
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        for item in inner[:2]:
            if len(values) < 40:
                values[spell(item, rng, exotic=False)] = None
    keys = [b'"a"', b'"b"', b'"ab"', '"é"'.encode(), b'"c"', b'""', b'"aa"']
    return list(documents), list(values), keys


def _walk(run: _Run, matcher: Matcher, steps: int, sample: int, *, wander: bool) -> None:
    prefix = b""
    taken: list[int] = []
    masks: list[set[int]] = []
    rng = run.rng
    for _ in range(steps):
        allowed = run.mask(matcher, prefix)
        masks.append(allowed)
        run.counts["steps"] += 1
        if not allowed:
            raise run.fail("DEAD END: nothing is allowed", prefix)
        run.check_end(matcher, allowed, prefix)
        plan = run.planned(matcher, prefix)
        towards = run.check_documents(allowed, prefix)
        run.check_allowed(matcher, allowed, prefix, sample)
        run.check_refused(matcher, allowed, prefix, plan)
        if matcher.accepting and rng.random() < 0.15:
            break
        token = _choose(run, allowed, towards, plan, wander)
        if token is None:
            break
        if not matcher.advance(token):
            raise run.fail("advance refuses a token that the mask allows", prefix, token=run.tokens[token])
        taken.append(token)
        prefix += run.tokens[token] or b""
    _check_rollback(run, matcher, taken, masks)
    plan_ids = list(matcher.plan())
    if matcher.advance_tokens(plan_ids) != len(plan_ids):
        raise run.fail("the plan is refused by its own matcher", prefix, plan=run.spelled(plan_ids))
    prefix += run.spelled(plan_ids)
    if not matcher.accepting:
        raise run.fail("the plan ends where the document may not end", prefix)
    try:
        if not run.validators.valid(prefix):
            raise run.fail("UNSOUND: a finished document is not valid", prefix)
    except Undecided:
        run.counts["undecided"] += 1
    if not matcher.advance(min(run.eos)) or not matcher.finished:
        raise run.fail("EOS does not finish the document", prefix)
    if run.mask(matcher, prefix) != run.eos:
        raise run.fail("after EOS the mask is not the EOS ids", prefix)


def _choose(run: _Run, allowed: set[int], towards: list[int], plan: bytes, wander: bool) -> int | None:
    rng = run.rng
    texts = sorted(allowed - run.eos)
    if not texts:
        return None
    if towards and rng.random() < (0.4 if wander else 0.85):
        return rng.choice(towards)
    along = [index for index in texts if plan.startswith(run.tokens[index] or b"\0")]
    if along and rng.random() < 0.3:
        return rng.choice(along)
    # Mostly what the small alphabets know: the 256 bytes would drown the walk in odd strings.
    known = [index for index in texts if _familiar(run.tokens[index] or b"")]
    return rng.choice(known) if known and rng.random() < 0.9 else rng.choice(texts)


_FAMILIAR = frozenset(b'ab"\\u0123567{}[]:,.e-truefalsn \xc3\xa9')


def _familiar(token: bytes) -> bool:
    return all(byte in _FAMILIAR for byte in token)


def _check_rollback(run: _Run, matcher: Matcher, taken: list[int], masks: list[set[int]]) -> None:
    if not taken:
        return
    count = run.rng.randint(1, len(taken))
    back = matcher.fork()
    back.rollback(count)
    prefix = run.spelled(taken[: len(taken) - count])
    if run.mask(back, prefix) != masks[len(taken) - count]:
        raise run.fail("the mask after rollback differs", prefix, undone=run.spelled(taken[-count:]))
    if back.advance_tokens(taken[-count:]) != count:
        raise run.fail("after rollback the same tokens are refused", prefix)
