"""What the masks of all constraints over one vocabulary share: tries of its tokens by what they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from constrain.matching.json_lookahead import (
    BETWEEN_TOKENS,
    KEY_REMAINDER,
    NUMBER_REMAINDER,
    VALUE_REMAINDER,
    may_follow,
)
from constrain.matching.mask_cache_cy import MaskCache
from constrain.matching.modes import END
from constrain.matching.position_cy import Policy, free_string_position
from constrain.matching.walks_cy import build_subs, group_trie, whole_trie
from constrain.vocabulary.token_trie_cy import TokenTrie

if TYPE_CHECKING:
    from constrain.matching.mask_words_cy import KeptMask
    from constrain.matching.outlines import Outlines
    from constrain.vocabulary import Vocabulary

__all__ = ["SHORT", "VocabularyMasks", "vocabulary_masks"]


#: Tokens of more bytes are few; what a text may have left decides about them one by one.
SHORT = 14

_BLANKS = b" \t\n\r"
_LITERALS = (b"true", b"false", b"null")
_NUMERIC = b"0123456789+-.eE"


class VocabularyMasks:
    """What depends on the vocabulary and the policy of escapes alone.

    Attributes:
        whole: all tokens.
        stripped: the tokens that can come between JSON tokens, without their leading blanks, numbers
            apart; the tag of a token is the index of its blanks in `blanks`.
        numbers: the tokens that are the beginning of a number, likewise.
        blanks: the runs of blanks that tokens begin with; the first is empty.
        only_blanks: (token, index of its blanks) of the tokens that are nothing else.
        inside: the tokens that stay inside a string that any text may continue, here or within
            a character.
        escaped, plain: those of them with an escape, and those without.
        long_escaped, long_plain: those of these with more than `SHORT` bytes.
        short: the tokens of at most `SHORT` bytes, packed.
        staying: uint32 words: the tokens after which a string that was between characters goes on.
        whole_characters: uint32 words: those of them that end between characters too, without an escape.
        resuming: the tokens that begin within a character and leave the string.
        characters: int32[tokens], how many characters each begins; in memory at `character_address`.
        free_strings: what may follow a string -> the mask within it, if any text may go on.
        after_keys: (types, sub, whether further keys follow, policy) -> which remainders may follow a key
            whose value has one of these types, packed.
        numeric: the tokens of which a number is made.
        after_number: the tokens that go on with a number and leave it.
        cache: masks of automata that all constraints share.
        outlines: those of these automata; `None` for one that counts nothing far.
    """

    def __init__(self, vocabulary: Vocabulary, policy: Policy) -> None:
        self.cache = MaskCache(32 * 1024 * 1024)
        self.outlines: dict[object, Outlines | None] = {}
        self._judged: dict[tuple[str, int], tuple[bytearray, bytes]] = {}
        self.opened = free_string_position(policy)
        trie = vocabulary.trie
        self.n_words = (vocabulary.size + 31) // 32
        self.whole = whole_trie(trie)
        text = trie.text.tobytes()[:-1]
        offset = trie.offset.astype(np.int64)
        data = np.frombuffer(text + b"\0", dtype=np.uint8)
        sub, for_keys = build_subs(self.whole, 0, self.opened)
        self.whole.subs[0, False] = sub
        self.whole.subs[0, True] = for_keys
        is_inside = np.zeros(len(offset) - 1, dtype=bool)
        is_inside[sub.inside.ids] = True
        resuming = self._resume(trie, text, offset)
        is_inside[[token for _, token, leaves in resuming if not leaves]] = True
        self.resuming = group_trie(
            *_columns([(whole, token, 0) for whole, token, leaves in resuming if leaves])
        )
        self.inside = whole_trie(_subset(trie, text, offset, is_inside))
        slashed = _holds(data == 0x5C, offset)
        self.escaped = whole_trie(_subset(trie, text, offset, is_inside & slashed))
        self.plain = whole_trie(_subset(trie, text, offset, is_inside & ~slashed))
        self.plain.sign()
        is_long = np.diff(offset) > SHORT
        self.long_escaped = whole_trie(_subset(trie, text, offset, is_inside & slashed & is_long))
        self.long_plain = whole_trie(_subset(trie, text, offset, is_inside & ~slashed & is_long))
        self.long_plain.sign()
        self.short = self._packed(~is_long)
        begun = np.concatenate(([0], np.cumsum((data & 0xC0) != 0x80)))
        characters = begun[offset[1:]] - begun[offset[:-1]]
        self.characters = characters.astype(np.int32)
        self.character_address = self.characters.ctypes.data
        self.free_strings: dict[bytes, KeptMask] = {}
        self.after_keys: dict[object, bytes] = {}
        from_boundary = np.zeros(len(offset) - 1, dtype=bool)
        from_boundary[sub.inside.ids] = True
        self.staying = self._words(from_boundary)
        self.whole_characters = self._words(from_boundary & ~slashed & _ends_between_characters(data, offset))
        plain = np.flatnonzero(from_boundary & ~slashed)
        self._by_length = plain[np.argsort(characters[plain], kind="stable")]
        self._lengths = characters[self._by_length]
        self._plain_bits = np.zeros(self.n_words * 32, dtype=np.uint8)
        self._plain_bits[plain] = 1
        is_numeric = np.isin(data, np.frombuffer(_NUMERIC, dtype=np.uint8))
        numeric = ~_holds(~is_numeric[:-1], offset)
        self.numeric = whole_trie(_subset(trie, text, offset, numeric & (np.diff(offset) > 0)))
        self._strip(trie, text, offset, is_numeric)

    def _packed(self, wanted: Any) -> bytes:
        """Return the mask of some tokens, packed."""
        return bytes(self._words(wanted))

    def _words(self, wanted: Any) -> Any:
        """Return the mask of some tokens: uint32[n_words]."""
        bits = np.zeros(self.n_words * 32, dtype=np.uint8)
        bits[: len(wanted)] = wanted
        return np.packbits(bits, bitorder="little").view(np.uint32)

    def _resume(self, trie: TokenTrie, text: bytes, offset: Any) -> list[tuple[bytes, int, bool]]:
        """Return (text, token, whether it leaves a string) of the tokens that begin within a character."""
        lengths = np.diff(offset)
        first = np.frombuffer(text + b"\0", dtype=np.uint8)[offset[:-1]]
        found: list[tuple[bytes, int, bool]] = []
        for token in np.flatnonzero((lengths > 0) & ((first & 0xC0) == 0x80)).tolist():
            whole = text[int(offset[token]) : int(offset[token + 1])]
            begun = 1
            while begun < min(3, len(whole)) and whole[begun] & 0xC0 == 0x80:
                begun += 1
            here = self.opened.copy()
            for index in range(begun, len(whole)):
                if not here.step(whole[index], here):
                    break
                if here.mode == END:
                    if may_follow(whole[index + 1 :], VALUE_REMAINDER | KEY_REMAINDER):
                        found.append((whole, token, True))
                    break
            else:
                found.append((whole, token, False))
        return found

    def short_tokens(self, most: int) -> bytes:
        """Return the packed mask of the tokens of plain text that begin at most `most` characters."""
        count = int(np.searchsorted(self._lengths, most, side="right"))
        if 2 * count < len(self._by_length):
            bits = np.zeros(self.n_words * 32, dtype=np.uint8)
            bits[self._by_length[:count]] = 1
        else:
            bits = self._plain_bits.copy()
            bits[self._by_length[count:]] = 0
        return np.packbits(bits, bitorder="little").tobytes()

    def with_characters(self, least: int) -> Any:
        """Return the tokens that begin at least so many characters: uint32[n_words]."""
        return self._words(self.characters >= least)

    def judge_blanks(self, policy: Policy, state: int) -> tuple[bytearray, bytes]:
        """Return which runs of blanks may follow a state of one, and the packed tokens that are only such."""
        key = (policy.whitespace_name, state)
        known = self._judged.get(key)
        if known is not None:
            return known
        flags = bytearray(len(self.blanks))
        table = policy.whitespace
        for index, blanks in enumerate(self.blanks):
            here = state
            for byte in blanks:
                here = table[here * 4 + _BLANKS.index(byte)]
                if here < 0:
                    break
            flags[index] = here >= 0
        words = np.zeros(self.n_words, dtype=np.uint32)
        for token, tag in self.only_blanks:
            if flags[tag]:
                words[token >> 5] |= np.uint32(1 << (token & 31))
        known = (flags, words.tobytes())
        self._judged[key] = known
        return known

    def _strip(self, trie: TokenTrie, text: bytes, offset: Any, is_numeric: Any) -> None:
        data = np.frombuffer(text + b"\0", dtype=np.uint8)
        is_blank = np.isin(data, np.frombuffer(_BLANKS, dtype=np.uint8))
        # For each byte, the next one that is no blank; the text ends with one.
        following = np.where(is_blank, len(data), np.arange(len(data)))
        following = np.minimum.accumulate(following[::-1])[::-1]
        lengths = np.diff(offset)
        tokens = np.flatnonzero(lengths > 0)
        first = np.minimum(following[offset[tokens]], offset[tokens + 1])
        can_start = np.zeros(256, dtype=bool)
        can_start[np.frombuffer(b'{}[],:"-0123456789tfn', dtype=np.uint8)] = True
        ends = first == offset[tokens + 1]
        chosen = ends | can_start[data[np.minimum(first, len(data) - 1)]]
        index: dict[bytes, int] = {b"": 0}
        structure: list[tuple[bytes, int, int]] = []
        numbers: list[tuple[bytes, int, int]] = []
        self.only_blanks: list[tuple[int, int]] = []
        for token, start in zip(tokens[chosen].tolist(), first[chosen].tolist(), strict=True):
            begin, end = int(offset[token]), int(offset[token + 1])
            rest = text[start:end]
            if rest[:1] in (b"t", b"f", b"n") and not any(
                rest.startswith(literal) or literal.startswith(rest) for literal in _LITERALS
            ):
                continue
            if not may_follow(rest, BETWEEN_TOKENS):
                continue
            blanks = text[begin:start]
            tag = index.setdefault(blanks, len(index))
            if not rest:
                self.only_blanks.append((token, tag))
            elif not rest.strip(_NUMERIC):
                numbers.append((rest, token, tag))
            else:
                structure.append((rest, token, tag))
        self.blanks = list(index)
        self.stripped = group_trie(*_columns(structure))
        self.numbers = group_trie(*_columns(numbers))
        leaving: list[tuple[bytes, int, int]] = []
        for token in np.flatnonzero((lengths > 0) & is_numeric[offset[:-1]]).tolist():
            whole = text[int(offset[token]) : int(offset[token + 1])]
            if whole.strip(_NUMERIC) and may_follow(whole, NUMBER_REMAINDER):
                leaving.append((whole, token, 0))
        self.after_number = group_trie(*_columns(leaving))


def _columns(rows: list[tuple[bytes, int, int]]) -> tuple[list[bytes], list[int], list[int]]:
    return [text for text, _, _ in rows], [token for _, token, _ in rows], [tag for _, _, tag in rows]


def _holds(flags: Any, offset: Any) -> Any:
    """Return which tokens have a byte whose flag is set."""
    counts = np.concatenate(([0], np.cumsum(flags)))
    return counts[offset[1:]] > counts[offset[:-1]]


def _ends_between_characters(data: Any, offset: Any) -> Any:
    """Return which tokens of UTF-8 end where a character ends; not for empty ones."""
    width = np.select([data < 0x80, data < 0xC0, data < 0xE0, data < 0xF0], [1, 0, 2, 3], 4)
    leads = np.where(width > 0, np.arange(len(data)), -1)
    last = np.maximum.accumulate(leads)[offset[1:] - 1]
    return (last >= offset[:-1]) & (last + width[last] == offset[1:])


class _ByPolicy(dict[bool, VocabularyMasks]):
    """What is shared, by whether escapes are minimal; vocabularies hold it."""


#: By the fingerprint of the vocabularies.
_SHARED: WeakValueDictionary[str, _ByPolicy] = WeakValueDictionary()


def vocabulary_masks(vocabulary: Vocabulary, policy: Policy) -> VocabularyMasks:
    """Return what all constraints over a vocabulary, and over equal ones, share."""
    by_policy: _ByPolicy | None = vocabulary.shared
    if by_policy is None:
        by_policy = vocabulary.shared = _SHARED.setdefault(vocabulary.fingerprint, _ByPolicy())
    shared = by_policy.get(policy.minimal)
    if shared is None:
        # Of two threads that make them at once, the first one's are taken.
        shared = by_policy.setdefault(policy.minimal, VocabularyMasks(vocabulary, policy))
    return shared


def _subset(trie: TokenTrie, text: bytes, offset: Any, wanted: Any) -> TokenTrie:
    lengths = np.where(wanted, np.diff(offset), 0)
    flags = np.repeat(wanted, np.diff(offset))
    chosen = np.frombuffer(text, dtype=np.uint8)[flags].tobytes()
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    ids = trie.sorted_ids[wanted[trie.sorted_ids]]
    return TokenTrie(chosen, starts, ids)
