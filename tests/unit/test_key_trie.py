"""The trie of named keys, against a dictionary of all prefixes."""

from __future__ import annotations

import random

import pytest

from constrain.matching.key_trie_cy import KeyTrie

NAMES: list[list[bytes]] = [
    [],
    [b""],
    [b"a"],
    [b"", b"a", b"ab", b"b"],
    ["é".encode(), "è".encode(), b"e", "日本".encode(), "日".encode()],
    [bytes(random.Random(seed).choices(b"abc", k=seed % 7)) for seed in range(60)],
]


@pytest.mark.parametrize("names", NAMES)
def test_the_trie_has_the_prefixes_of_its_names(names: list[bytes]) -> None:
    unique = sorted(set(names))
    trie = KeyTrie(unique)
    assert trie.names == unique
    nodes = {b"": 0}
    for name in unique:
        for length in range(1, len(name) + 1):
            child = trie.child(nodes[name[: length - 1]], name[length - 1])
            assert child > 0
            nodes[name[:length]] = child
    assert trie.n_nodes == len(nodes)
    for prefix, node in nodes.items():
        below = [index for index, name in enumerate(unique) if name.startswith(prefix)]
        assert list(trie.below(node)) == below
        assert trie.terminal(node) == (unique.index(prefix) if prefix in unique else -1)
        expected = sorted(
            {name[len(prefix)] for name in unique if name.startswith(prefix) and name != prefix}
        )
        assert [byte for byte, _ in trie.children(node)] == expected
        assert all(trie.child(node, byte) == -1 for byte in range(256) if byte not in expected)


@pytest.mark.parametrize("names", NAMES)
def test_a_node_is_offered_if_a_name_below_it_is(names: list[bytes]) -> None:
    unique = sorted(set(names))
    trie = KeyTrie(unique)
    rng = random.Random(1)
    for _ in range(20):
        offered = rng.getrandbits(len(unique)) & rng.getrandbits(len(unique)) if unique else 0
        flags = offered.to_bytes((len(unique) + 7) // 8, "little")
        for node in range(trie.n_nodes):
            assert trie.is_offered(node, flags) == any(offered >> index & 1 for index in trie.below(node))
