"""The engines that benchmarks compare, behind one small interface; peers are imported when they are made.

Each is used as its documentation shows, with its default options except where the docstring says
why: what a user of the engine would get, on one thread.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

import constrain

__all__ = ["NAMES", "Engine", "Session", "make"]


class Session(Protocol):
    """One sequence of one engine."""

    def fill(self) -> None:
        """Compute the mask of the next token, packed, into a buffer of the engine."""

    def take(self, token: int) -> bool:
        """Advance by a token; false when it is refused."""

    def may_end(self) -> bool:
        """Return whether what was taken is a complete document."""


class Engine(Protocol):
    """A competitor.

    Attributes:
        name: in tables and results.
        slow: compiling may take many seconds, so that it is done in a process with a time limit.
    """

    name: str
    slow: bool

    def compile(self, schema: str) -> Callable[[], Session]:
        """Return what begins a sequence; raises when the schema is refused."""


class Constrain:
    """This package, under one text policy."""

    slow = False

    def __init__(self, name: str, vocabulary: constrain.Vocabulary, options: constrain.Options) -> None:
        self.name = name
        self.vocabulary = vocabulary
        self.options = options
        self.mask = _bitmask(vocabulary.size)

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
    """llguidance's `LLMatcher` with its JSON defaults (`whitespace_flexible`) and no slices to build."""

    name = "llguidance"
    slow = False

    def __init__(self, tokenizer: Any, vocabulary: constrain.Vocabulary) -> None:
        import llguidance
        import llguidance.numpy

        self.library = llguidance
        self.tokenizer = llguidance.LLTokenizer(
            tokenizer.to_str(), n_vocab=vocabulary.size, eos_token=list(vocabulary.eos_ids), slices=None
        )
        self.mask = llguidance.numpy.allocate_token_bitmask(1, vocabulary.size)

    def compile(self, schema: str) -> Callable[[], Session]:
        matchers = self.library.LLMatcher
        matcher = matchers(self.tokenizer, matchers.grammar_from_json_schema(schema), log_level=0)
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        first = [matcher]  # the first session is the matcher itself: a copy would count as compiling

        def begin() -> Session:
            if first:
                return _LLGuidanceSession(self.library, first.pop(), self.mask)
            copy = matcher.deep_copy()
            copy.reset()
            return _LLGuidanceSession(self.library, copy, self.mask)

        return begin


class _LLGuidanceSession:
    def __init__(self, library: Any, matcher: Any, mask: Any) -> None:
        self.fill_mask = library.numpy.fill_next_token_bitmask
        self.matcher = matcher
        self.mask = mask

    def fill(self) -> None:
        self.fill_mask(self.matcher, self.mask, 0)

    def take(self, token: int) -> bool:
        return bool(self.matcher.consume_token(token))

    def may_end(self) -> bool:
        return bool(self.matcher.is_accepting())


class GLRMask:
    """GLRMask's `Grammar.compile` with its default strategy."""

    name = "GLRMask"
    slow = False

    def __init__(self, tokenizer: Any, vocabulary: constrain.Vocabulary) -> None:
        import glrmask

        self.library = glrmask
        self.vocabulary = glrmask.Vocab.from_id_to_bytes(_spelled(vocabulary))
        self.size = vocabulary.size

    def compile(self, schema: str) -> Callable[[], Session]:
        constraint = self.library.Grammar.from_json_schema(json.loads(schema)).compile(self.vocabulary)
        mask = np.zeros(max(constraint.mask_len(), (self.size + 31) // 32), dtype=np.int32)
        return lambda: _GLRMaskSession(constraint.start(), mask)


class _GLRMaskSession:
    def __init__(self, state: Any, mask: Any) -> None:
        self.state = state
        self.mask = mask

    def fill(self) -> None:
        self.state.fill_mask(self.mask)

    def take(self, token: int) -> bool:
        return bool(self.state.commit_token(token))

    def may_end(self) -> bool:
        return bool(self.state.is_accepting())


class XGrammar:
    """XGrammar's compiler on one thread, for any whitespace and open objects (`strict_mode=False`)."""

    name = "XGrammar"
    slow = True

    def __init__(self, tokenizer: Any, vocabulary: constrain.Vocabulary) -> None:
        import xgrammar

        self.library = xgrammar
        spelled = _spelled(vocabulary)
        information = xgrammar.TokenizerInfo(
            [spelled.get(token, b"") for token in range(vocabulary.size)],
            vocab_size=vocabulary.size,
            stop_token_ids=list(vocabulary.eos_ids),
        )
        self.compiler = xgrammar.GrammarCompiler(information, max_threads=1)
        self.mask = _bitmask(vocabulary.size)

    def compile(self, schema: str) -> Callable[[], Session]:
        grammar = self.compiler.compile_json_schema(schema, strict_mode=False)
        return lambda: _XGrammarSession(
            self.library.GrammarMatcher(grammar, terminate_without_stop_token=True), self.mask
        )


class _XGrammarSession:
    def __init__(self, matcher: Any, mask: Any) -> None:
        self.matcher = matcher
        self.mask = mask

    def fill(self) -> None:
        if not self.matcher.is_terminated():
            self.matcher.fill_next_token_bitmask(self.mask)

    def take(self, token: int) -> bool:
        return bool(self.matcher.accept_token(token))

    def may_end(self) -> bool:
        return bool(self.matcher.is_completed())


class OutlinesCore:
    """The index of outlines-core; objects keep the order of their schema, and whitespace is fixed."""

    name = "outlines-core"
    slow = True

    def __init__(self, tokenizer: Any, vocabulary: constrain.Vocabulary) -> None:
        import outlines_core

        self.library = outlines_core
        end = vocabulary.eos_ids[0]
        tokens: dict[bytes, list[int]] = {}
        for token, text in _spelled(vocabulary).items():
            if token not in vocabulary.eos_ids:
                tokens.setdefault(text, []).append(token)
        self.vocabulary = outlines_core.Vocabulary(end, tokens)
        self.mask = _bitmask(vocabulary.size)

    def compile(self, schema: str) -> Callable[[], Session]:
        pattern = self.library.json_schema.build_regex_from_schema(schema)
        index = self.library.Index(pattern, self.vocabulary)
        return lambda: _OutlinesSession(self.library.Guide(index), self.mask)


class _OutlinesSession:
    def __init__(self, guide: Any, mask: Any) -> None:
        self.guide = guide
        self.mask = mask

    def fill(self) -> None:
        self.guide.write_mask_into(self.mask.ctypes.data, self.mask.size, self.mask.itemsize)

    def take(self, token: int) -> bool:
        try:
            self.guide.advance(token, False)
        except ValueError:
            return False
        return True

    def may_end(self) -> bool:
        return bool(self.guide.is_finished())


class MaskForge:
    """MaskForge's compiler and its default, adaptive binding."""

    name = "MaskForge"
    slow = True

    def __init__(self, tokenizer: Any, vocabulary: constrain.Vocabulary) -> None:
        import maskforge

        spelled = _spelled(vocabulary)
        self.end = vocabulary.eos_ids[0]
        self.vocabulary = maskforge.Vocabulary.from_id_ordered_tokens(
            [spelled.get(token) for token in range(vocabulary.size)], eos_token_id=self.end
        )
        self.compiler = maskforge.Compiler()

    def compile(self, schema: str) -> Callable[[], Session]:
        bound = self.compiler.compile(json.loads(schema)).bind(self.vocabulary)
        mask = bytearray(4 * bound.mask_word_count)
        return lambda: _MaskForgeSession(bound.start_session(), mask)


class _MaskForgeSession:
    def __init__(self, session: Any, mask: bytearray) -> None:
        self.session = session
        self.mask = mask

    def fill(self) -> None:
        self.session.write_mask(self.mask)

    def take(self, token: int) -> bool:
        try:
            self.session.advance(token)
        except Exception:  # its errors are of a class of their own
            return False
        return not self.session.is_dead

    def may_end(self) -> bool:
        return bool(self.session.is_accepting)


def _bitmask(size: int) -> Any:
    return np.zeros((1, (size + 31) // 32), dtype=np.int32)


def _spelled(vocabulary: constrain.Vocabulary) -> dict[int, bytes]:
    """Return the bytes of each token that has any."""
    return {
        token: text
        for token, text in enumerate(vocabulary.token_bytes(t) for t in range(vocabulary.size))
        if text
    }


_PEERS: dict[str, Any] = {
    engine.name.lower(): engine for engine in (LLGuidance, GLRMask, XGrammar, OutlinesCore, MaskForge)
}
#: The names that `make` takes, in the order of tables.
NAMES = ("constrain", *_PEERS)


def make(name: str, tokenizer: Any, vocabulary: constrain.Vocabulary) -> list[Engine]:
    """Return the engines of one name, for a tokenizer of the `tokenizers` library.

    Raises:
        ImportError: the peer is not installed; the extra `bench` has them all.
    """
    if name == "constrain":
        return [
            Constrain("constrain, any text", vocabulary, constrain.ANY_TEXT),
            Constrain("constrain, default policy", vocabulary, constrain.Options()),
        ]
    return [_PEERS[name](tokenizer, vocabulary)]
