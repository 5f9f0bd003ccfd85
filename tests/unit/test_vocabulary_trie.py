"""The token trie's arrays against brute force over the token bytes."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import constrain.vocabulary.token_trie_cy as compiled
from constrain.errors import VocabularyError


def _uncompiled() -> ModuleType:
    path = Path(compiled.__file__).parent / "token_trie_cy.py"
    spec = importlib.util.spec_from_file_location("token_trie_source", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULES = {"installed": compiled, "source": _uncompiled()}
WORDS = st.lists(st.binary(max_size=5) | st.text("ab", max_size=6).map(str.encode), max_size=30)
modules = pytest.mark.parametrize("module", MODULES.values(), ids=MODULES.keys())


def build(module: Any, words: list[bytes]) -> Any:
    offset = np.cumsum([0, *map(len, words)], dtype=np.int32)
    return module.TokenTrie(b"".join(words), offset)


@modules
@settings(max_examples=60, deadline=None)
@given(words=WORDS)
def test_arrays_describe_the_tree_of_all_prefixes(module: Any, words: list[bytes]) -> None:
    trie = build(module, words)
    paths = sorted({word[:n] for word in words for n in range(len(word) + 1)} | {b""})
    used = sorted((word, i) for i, word in enumerate(words) if word)
    assert (trie.size, trie.n_nodes, trie.max_depth) == (len(words), len(paths), max(map(len, paths)))
    assert trie.sorted_ids.tolist() == [i for _, i in used]
    for node, path in enumerate(paths):
        same = [i for word, i in used if word == path]
        assert trie.find(path) == node
        assert trie.depth[node] == len(path)
        assert trie.byte[node] == (path[-1] if path else 0)
        assert trie.parent[node] == (paths.index(path[:-1]) if path else -1)
        assert trie.subtree_end[node] == node + sum(other.startswith(path) for other in paths)
        assert trie.token[node] == (same[0] if same else -1)
        assert trie.tokens_below(node).tolist() == [i for word, i in used if word.startswith(path)]
        for i, following in zip(same, [*same[1:], -1], strict=False):
            assert trie.next_same[i] == following
        children = [n for n, other in enumerate(paths) if other[:-1] == path and len(other) == len(path) + 1]
        low, high = trie.child_start[node], trie.child_start[node + 1]
        assert trie.child_node[low:high].tolist() == children
        by_byte = {paths[n][-1]: n for n in children}
        assert [trie.child(node, byte) for byte in range(256)] == [by_byte.get(b, -1) for b in range(256)]
    assert [trie.token_bytes(i) for i in range(len(words))] == [word or None for word in words]


@modules
@settings(max_examples=60, deadline=None)
@given(
    words=WORDS,
    data=st.binary(max_size=4) | st.text("abc", max_size=8).map(str.encode),
    start=st.integers(0, 3),
)
def test_prefixes_are_the_tokens_that_the_data_begins_with(
    module: Any, words: list[bytes], data: bytes, start: int
) -> None:
    words = [*words, *(data[start : start + n] for n in (1, 3) if n < len(data))]
    trie = build(module, words)
    rest = data[start:]
    expected = sorted({word for word in words if word and rest.startswith(word)}, key=len)
    assert trie.prefixes(data, start) == [words.index(word) for word in expected]
    assert trie.longest_prefix(data, start) == (words.index(expected[-1]) if expected else -1)


@modules
def test_a_child_outside_the_tree_is_none(module: Any) -> None:
    trie = build(module, [bytes([byte]) for byte in range(256)])
    assert [trie.child(0, byte) for byte in (-1, 0, 255, 256)] == [-1, 1, 256, -1]
    assert trie.child(-1, 0) == trie.child(trie.n_nodes, 0) == -1


@modules
@pytest.mark.parametrize(
    ("offset", "order"),
    [([0, 1, 9], None), ([1, 2], None), ([0, 2, 1, 2], None), ([], None), ([0, 1, 2], [1, 0]),
     ([0, 1, 2], [0]), ([0, 1, 2], [0, 0]), ([0, 1, 2], [0, 5]), ([0, 1, 2], [-1, 0])],
)  # fmt: skip
def test_tables_that_do_not_fit_the_text_are_refused(module: Any, offset: list[int], order: Any) -> None:
    with pytest.raises(VocabularyError):
        module.TokenTrie(b"ab", np.array(offset, dtype=np.int32), order)


def test_arrays_are_not_writeable_and_survive_pickling() -> None:
    trie = build(compiled, [b"ab", b"", b"a", b"ab", b"\xff"])
    copy = pickle.loads(pickle.dumps(trie))
    for name in ("byte", "token", "subtree_end", "child_node", "next_same", "offset", "text"):
        assert not getattr(trie, name).flags.writeable
        assert getattr(copy, name).tolist() == getattr(trie, name).tolist()
