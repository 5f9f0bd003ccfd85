"""`Vocabulary`: construction, encoding, identity and its cache."""

from __future__ import annotations

import json
import os
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constrain.errors import VocabularyError
from constrain.vocabulary import Vocabulary
from constrain.vocabulary import cache as vocabulary_cache
from constrain.vocabulary.token_trie_cy import ARRAYS
from tests.unit import tokenizer_sources as sources


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONSTRAIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def spelled(vocabulary: Vocabulary, ids: list[int]) -> bytes:
    return b"".join(vocabulary.token_bytes(i) or b"?" for i in ids)


def test_a_plain_table_keeps_its_bytes() -> None:
    vocabulary = Vocabulary.from_token_bytes([b"a", None, b"", b"\xff", b"a", b"x"], eos_ids=[5, 1, 5])
    assert [vocabulary.token_bytes(i) for i in range(6)] == [b"a", None, None, b"\xff", b"a", None]
    assert (vocabulary.size, vocabulary.eos_ids) == (6, (1, 5))
    for outside in (-1, 6):
        with pytest.raises(IndexError):
            vocabulary.token_bytes(outside)


@pytest.mark.parametrize("eos_ids", [[], [-1], [2]])
def test_end_ids_must_be_given_and_exist(eos_ids: list[int]) -> None:
    with pytest.raises(VocabularyError) as caught:
        Vocabulary.from_token_bytes([b"a", b"b"], eos_ids)
    assert caught.value.remedy is not None


def test_missing_bytes_are_those_of_utf8_without_a_token_of_their_own() -> None:
    every = [bytes([byte]) for byte in range(256)]
    assert Vocabulary.from_token_bytes([*every, None], [256]).missing_bytes == frozenset()
    never_in_utf8 = {0xC0, 0xC1, *range(0xF5, 0x100)}
    utf8 = [bytes([byte]) for byte in range(256) if byte not in never_in_utf8]
    assert Vocabulary.from_token_bytes([*utf8, None], [len(utf8)]).is_byte_complete
    assert Vocabulary.from_token_bytes([*every[1:], b"\0\0", None], [256]).missing_bytes == {0}


@given(st.text("abcd", max_size=12))
def test_encoding_without_a_tokenizer_is_exact_or_an_error(text: str) -> None:
    # "ab" + "cd" needs a shorter match first: the longest token "abc" leaves a lone "d".
    words = [b"ab", b"abc", b"cd", b"a", b"ca"]
    vocabulary = Vocabulary.from_token_bytes([*words, None], [5])
    data = text.encode()
    reachable = {0}
    for place in range(len(data)):
        if place in reachable:
            reachable |= {place + len(word) for word in words if data.startswith(word, place)}
    if len(data) in reachable:
        assert spelled(vocabulary, vocabulary.encode(data)) == data
    else:
        with pytest.raises(VocabularyError):
            vocabulary.encode(data)


def test_an_unspellable_byte_is_named() -> None:
    vocabulary = Vocabulary.from_token_bytes([b"a", None], [1])
    with pytest.raises(VocabularyError, match="0x7A"):
        vocabulary.encode(b"az")


TEXTS = [b"", b"a", b" a", b"  two  words\n", '{"name": "Zoë 東京"}'.encode(), b"the report",
         b"<|endoftext|>", b"</s>", b"\xe6\x9d", "e\u0301".encode(), b"\n", b" \n"]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("kind", ["byte_level_bpe", "byte_fallback_bpe"])
def test_encoding_concatenates_to_the_text(kind: str, text: bytes) -> None:
    tokenizer = getattr(sources, kind)()
    vocabulary = Vocabulary.from_tokenizer(tokenizer, cache=False)
    for candidate in (vocabulary, pickle.loads(pickle.dumps(vocabulary))):
        assert spelled(candidate, candidate.encode(text)) == text


def test_encoding_is_canonical_where_the_tokenizer_adds_no_space() -> None:
    tokenizer = sources.byte_level_bpe()
    vocabulary = Vocabulary.from_tokenizer(tokenizer, cache=False)
    text = 'The report says {"revenue": 12.5}'
    assert vocabulary.encode(text.encode()) == tokenizer.encode(text, add_special_tokens=False).ids


def test_encoding_is_canonical_behind_the_space_that_a_tokenizer_adds() -> None:
    tokenizer = sources.byte_fallback_bpe()
    vocabulary = Vocabulary.from_tokenizer(tokenizer, cache=False)
    text = "report says nothing"
    behind = tokenizer.encode("\n" + text, add_special_tokens=False).ids
    ids = vocabulary.encode(text.encode())
    assert behind[-len(ids) :] == ids


def test_equality_and_hash_follow_the_content() -> None:
    one = Vocabulary.from_token_bytes([b"ab", b"c", None], [2])
    assert one == pickle.loads(pickle.dumps(one))
    assert hash(one) == hash(Vocabulary.from_token_bytes([b"ab", b"c", b"end"], [2]))
    others = [([b"a", b"bc", None], [2]), ([b"ab", b"c", None], [1, 2]), ([b"ab", b"c", None, None], [2])]
    assert all(one != Vocabulary.from_token_bytes(*other) for other in others)


def test_a_bare_tokenizer_ends_with_its_special_tokens_of_a_usual_name() -> None:
    tokenizer = sources.byte_level_bpe()
    vocabulary = Vocabulary.from_tokenizer(tokenizer, cache=False)
    assert vocabulary.eos_ids == (tokenizer.token_to_id("<|endoftext|>"),)
    with pytest.raises(VocabularyError, match="eos_ids"):
        Vocabulary.from_tokenizer(sources.wordpiece(), cache=False)


@pytest.mark.parametrize("thing", [None, 7, object(), [b"a"], "no/such/folder", Path("/")])
def test_what_is_no_tokenizer_is_refused(thing: Any) -> None:
    with pytest.raises(VocabularyError):
        Vocabulary.from_tokenizer(thing, cache=False)


@pytest.mark.parametrize("content", [b"", b"{}", b"{", b'{"model": {}}', b"\x0a\xff\xff", b"hello", b"[1]"])
def test_a_damaged_tokenizer_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(VocabularyError):
        Vocabulary.from_tokenizer(tmp_path, cache=False)


@pytest.mark.parametrize(
    "decoder",
    [{"type": "BPEDecoder", "suffix": "</w>"}, {"type": "CTC"},
     {"type": "Replace", "pattern": {"Regex": "a+"}, "content": ""}, None],
)  # fmt: skip
def test_a_decoder_without_bytes_per_token_is_refused(tmp_path: Path, decoder: Any) -> None:
    data = json.loads(sources.byte_level_bpe().to_str())
    data["decoder"] = decoder
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(VocabularyError) as caught:
        Vocabulary.from_tokenizer(tmp_path, cache=False)
    assert caught.value.remedy is not None


def test_a_tokenizer_file_names_its_end_in_the_file_beside_it(tmp_path: Path) -> None:
    tokenizer = sources.byte_level_bpe()
    (tmp_path / "tokenizer.json").write_text(tokenizer.to_str())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"eos_token": {"content": "<|im_start|>"}}))
    vocabulary = Vocabulary.from_tokenizer(tmp_path, cache=False)
    assert vocabulary.eos_ids == (tokenizer.token_to_id("<|im_start|>"),)


def fresh() -> Any:
    library = pytest.importorskip("tokenizers")
    return library.Tokenizer.from_str(sources.byte_level_bpe().to_str())


def without_merges(tokenizer: Any, change: Any) -> Any:
    """Return the tokenizer with a changed vocabulary; merges, which would forbid that, are dropped."""
    library = pytest.importorskip("tokenizers")
    data = json.loads(tokenizer.to_str())
    data["model"]["merges"] = []
    change(data)
    return library.Tokenizer.from_str(json.dumps(data))


def rename(old: str, new: str) -> Any:
    def change(data: Any) -> None:
        vocabulary = data["model"]["vocab"]
        vocabulary[new] = vocabulary.pop(old)

    return change


def test_the_second_reading_comes_from_the_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Vocabulary.from_tokenizer(fresh())
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr("constrain.vocabulary.hugging_face.token_bytes", None)
    second = Vocabulary.from_tokenizer(fresh())
    assert (second, second.eos_ids) == (first, first.eos_ids)


def test_whatever_changes_the_tokens_changes_the_key(folder: Path) -> None:
    library = pytest.importorskip("tokenizers")
    base = fresh()
    seen = [Vocabulary.from_tokenizer(base)]
    variants = [
        lambda t: t.add_tokens(["one more"]),
        lambda t: t.add_special_tokens(["<h1>"]),
        lambda t: setattr(t, "decoder", library.decoders.Fuse()),
    ]
    for vary in variants:
        tokenizer = fresh()
        vary(tokenizer)
        cached = Vocabulary.from_tokenizer(tokenizer)
        assert cached == Vocabulary.from_tokenizer(tokenizer, cache=False)
        seen.append(cached)
    word = next(token for token in base.get_vocab() if len(token) > 4 and token.isalpha())
    for change in (rename(word, word + "x"), rename(word, "a b"), lambda d: d["model"]["vocab"].pop(word)):
        tokenizer = without_merges(base, change)
        cached = Vocabulary.from_tokenizer(tokenizer)
        assert cached == Vocabulary.from_tokenizer(tokenizer, cache=False)
        seen.append(cached)
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("chunk", [2, 3, 4096])
def test_a_space_in_a_token_is_not_taken_for_two_tokens(
    folder: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr("constrain.vocabulary.hugging_face._CHUNK", chunk)
    library = pytest.importorskip("tokenizers")
    # Joined by spaces, these three are the same text.
    tables = [{"a": 0, "b c": 1, "e": 3}, {"a b": 0, "c": 1, "e": 3}, {"a": 0, "b": 1, "c": 2, "e": 3}]
    found = []
    for table in tables:
        tokenizer = library.Tokenizer(library.models.WordLevel(table, unk_token="?"))
        tokenizer.decoder = library.decoders.Fuse()
        vocabulary = Vocabulary.from_tokenizer(tokenizer, eos_ids=3)
        assert {i: vocabulary.token_bytes(i) for i in range(3)} == {
            i: next((t.encode() for t, n in table.items() if n == i), None) for i in range(3)
        }
        found.append(vocabulary)
    assert len(set(found)) == 3


def test_the_choice_of_end_ids_is_part_of_the_key(folder: Path) -> None:
    assert Vocabulary.from_tokenizer(fresh()).eos_ids == (0,)
    assert Vocabulary.from_tokenizer(fresh(), eos_ids=[5, 3]).eos_ids == (3, 5)
    assert Vocabulary.from_tokenizer(fresh(), eos_ids=4).eos_ids == (4,)
    assert Vocabulary.from_tokenizer(fresh()).eos_ids == (0,)


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-1], lambda b: b"", lambda b: b[:60] + b"\xff" + b[61:], lambda b: b + b"x"],
    ids=["cut", "empty", "changed", "extended"],
)
def test_a_damaged_cache_file_is_ignored_and_replaced(folder: Path, damage: Any) -> None:
    first = Vocabulary.from_tokenizer(fresh())
    (path,) = folder.iterdir()
    intact = path.read_bytes()
    path.write_bytes(damage(intact))
    assert Vocabulary.from_tokenizer(fresh()) == first
    assert path.read_bytes() == intact


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("CONSTRAIN_CACHE", str(tmp_path / "file" / "below"))
    assert Vocabulary.from_tokenizer(fresh()).size > 0


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.path.join("some", "where"))
    monkeypatch.delenv("CONSTRAIN_CACHE", raising=False)
    assert vocabulary_cache.cache_folder() == Path("some", "where", "constrain")
    monkeypatch.setenv("CONSTRAIN_CACHE", "chosen")
    assert vocabulary_cache.cache_folder() == Path("chosen")


def test_a_cached_trie_is_the_one_that_was_built(folder: Path) -> None:
    built, cached = Vocabulary.from_tokenizer(fresh()), Vocabulary.from_tokenizer(fresh())
    for name in ("byte", "text", *ARRAYS):
        here, there = getattr(built.trie, name), getattr(cached.trie, name)
        assert (here.dtype, here.flags.writeable) == (there.dtype, there.flags.writeable)
        assert here.tolist() == there.tolist(), name
    for name in ("size", "n_nodes", "n_sorted", "max_depth"):
        assert getattr(built.trie, name) == getattr(cached.trie, name)
    assert cached.encode(b"the report") == built.encode(b"the report")


def saved(folder: Path, tokenizer: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    return folder


@pytest.fixture
def clock_of_any_resolution(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as left alone as soon as they are written."""
    monkeypatch.setattr(vocabulary_cache, "_RESOLUTION_NS", -(10**12))


def test_a_tokenizer_file_that_was_left_alone_is_not_read_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock_of_any_resolution: None
) -> None:
    path = saved(tmp_path / "model", fresh())
    first = Vocabulary.from_tokenizer(path)
    with monkeypatch.context() as patch:
        patch.setattr("constrain.vocabulary.sources._FileSource._data", None)
        assert Vocabulary.from_tokenizer(path) == first
    other = fresh()
    other.add_tokens(["one more"])
    times = (path / "tokenizer.json").stat()
    saved(path, other)
    os.utime(path / "tokenizer.json", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert Vocabulary.from_tokenizer(path) == Vocabulary.from_tokenizer(path, cache=False) != first


def test_a_tokenizer_file_of_the_last_moments_is_read_again(folder: Path, tmp_path: Path) -> None:
    Vocabulary.from_tokenizer(saved(tmp_path / "model", fresh()))
    assert len(list(folder.glob("*.vocabulary"))) == 1
    assert not (folder / "files").exists()


@pytest.mark.parametrize("note", [b"", b"0" * 64, b"0" * 64 + b" 00000000", b"\xff" * 73])
def test_a_damaged_note_is_ignored_and_replaced(
    folder: Path, tmp_path: Path, clock_of_any_resolution: None, note: bytes
) -> None:
    path = saved(tmp_path / "model", fresh())
    first = Vocabulary.from_tokenizer(path)
    (file,) = (folder / "files").iterdir()
    intact = file.read_bytes()
    file.write_bytes(note)
    assert Vocabulary.from_tokenizer(path) == first
    assert file.read_bytes() == intact


def test_a_tokenizer_of_a_known_folder_is_not_read_in_full_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock_of_any_resolution: None
) -> None:
    path = saved(tmp_path / "model", fresh())
    first = Vocabulary.from_tokenizer(fresh(), loaded_from=path)
    assert first == Vocabulary.from_tokenizer(fresh(), cache=False)
    with monkeypatch.context() as patch:
        patch.setattr("constrain.vocabulary.hugging_face._joined_tokens", None)
        assert Vocabulary.from_tokenizer(fresh(), loaded_from=path) == first
        with pytest.raises(TypeError):  # nobody vouches for it
            Vocabulary.from_tokenizer(fresh())


def test_an_object_that_differs_from_its_folder_is_read_in_full(
    folder: Path, tmp_path: Path, clock_of_any_resolution: None
) -> None:
    path = saved(tmp_path / "model", fresh())
    Vocabulary.from_tokenizer(fresh(), loaded_from=path)
    word = next(token for token in fresh().get_vocab() if len(token) > 4 and token.isalpha())
    grown = fresh()
    grown.add_tokens(["one more"])
    for tokenizer in (grown, without_merges(fresh(), rename(word, word + "x"))):
        vocabulary = Vocabulary.from_tokenizer(tokenizer, loaded_from=path)
        assert vocabulary == Vocabulary.from_tokenizer(tokenizer, cache=False)


def test_a_vocabulary_of_262144_tokens_is_loaded_in_a_fraction_of_what_building_it_takes(
    folder: Path, tmp_path: Path, clock_of_any_resolution: None
) -> None:
    words = {f"{(i * 2654435761) % 2**32:08x}"[: 3 + i % 6] + f"{i:x}": i for i in range(2**18)}
    definition = {"model": {"type": "WordLevel", "vocab": words}, "decoder": {"type": "Fuse"}}
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(definition))

    def cost(cache: bool) -> float:
        # Processor time: what other processes do does not count.
        begin = time.process_time()
        assert Vocabulary.from_tokenizer(path, eos_ids=0, cache=cache).size == 2**18
        return time.process_time() - begin

    Vocabulary.from_tokenizer(path, eos_ids=0)
    built = min(cost(cache=False) for _ in range(2))
    assert min(cost(cache=True) for _ in range(4)) < built / 4  # about a twentieth
