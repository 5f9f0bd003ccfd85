"""Constraints that are warm after a restart: what is kept, and what a damaged file does."""

from __future__ import annotations

import json
import pickle
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import constrain

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "n": {"type": "integer"}},
    "required": ["a"],
}
BYTES = [*(bytes([byte]) for byte in range(256)), None]


@pytest.fixture
def vocabulary() -> constrain.Vocabulary:
    return constrain.Vocabulary.from_token_bytes(BYTES, eos_ids=[256])


def write(constraint: constrain.Constraint, vocabulary: constrain.Vocabulary, value: Any) -> None:
    matcher = constraint.matcher(vocabulary)
    assert matcher.advance_tokens([*json.dumps(value).encode(), 256]) == len(json.dumps(value)) + 1


def test_finished_documents_are_known_the_latest_first(vocabulary: constrain.Vocabulary) -> None:
    constraint = constrain.compile(SCHEMA)
    assert constraint.seen == []
    write(constraint, vocabulary, {"a": "x"})
    write(constraint, vocabulary, {"a": "y", "n": 1})
    write(constraint, vocabulary, {"a": "x"})
    assert constraint.seen == [b'{"a": "x"}', b'{"a": "y", "n": 1}']
    for number in range(40):
        write(constraint, vocabulary, {"a": "", "n": number})
    assert len(constraint.seen) == constraint.most_seen
    assert constraint.seen[0] == b'{"a": "", "n": 39}'


def test_a_document_is_known_with_its_prefix_and_without_what_was_taken_back(
    vocabulary: constrain.Vocabulary,
) -> None:
    constraint = constrain.compile(SCHEMA)
    matcher = constraint.matcher(vocabulary, prefix=b'{"a":')
    matcher.advance_tokens(b'"xx')
    matcher.rollback(1)
    matcher.advance_tokens([*b'y"}', 256, 256])
    assert constraint.seen == [b'{"a":"xy"}']


def test_a_pickled_constraint_can_be_warmed_up(vocabulary: constrain.Vocabulary) -> None:
    constraint = constrain.compile(SCHEMA)
    write(constraint, vocabulary, {"a": "x", "n": 12})
    again = pickle.loads(pickle.dumps(constraint))
    assert again == constraint
    assert again.seen == constraint.seen
    assert again.warm_up(vocabulary) == len('{"a": "x", "n": 12}') + 1
    assert pickle.loads(pickle.dumps(again)).seen == constraint.seen


def test_warming_up_changes_no_mask(vocabulary: constrain.Vocabulary) -> None:
    cold, warm = constrain.compile(SCHEMA), constrain.compile(SCHEMA)
    text = b'{"n": -3, "a": "\\u0001"}'
    assert warm.warm_up(vocabulary, [text, "nonsense", '{"a": "b', b""]) > len(text)
    assert warm.seen == [text]
    left, right = cold.matcher(vocabulary), warm.matcher(vocabulary)
    rows = np.zeros((2, 9), dtype=np.int32)
    for byte in b'{"n": 45, "b": {}, "a": "b"}':
        left.fill_bitmask(rows, 0)
        right.fill_bitmask(rows, 1)
        assert (rows[0] == rows[1]).all()
        assert left.advance(byte)
        assert right.advance(byte)


def test_a_cache_keeps_documents_between_processes(tmp_path: Path, vocabulary: constrain.Vocabulary) -> None:
    cache = constrain.ConstraintCache(tmp_path / "new")
    constraint = cache.compile(SCHEMA, vocabulary=vocabulary)
    assert not cache.save(constraint)
    write(constraint, vocabulary, {"a": "x"})
    assert cache.save(constraint)
    later = constrain.ConstraintCache(tmp_path / "new").compile(dict(SCHEMA), vocabulary=vocabulary)
    assert later.seen == [b'{"a": "x"}']
    write(later, vocabulary, {"a": "y"})
    assert cache.save(later)
    assert cache.compile(SCHEMA, vocabulary=vocabulary).seen == [b'{"a": "y"}', b'{"a": "x"}']
    (file,) = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # Other options are another constraint.
    assert cache.compile(SCHEMA, vocabulary=vocabulary, options=constrain.ANY_TEXT).seen == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other", "folder"])
def test_a_damaged_file_is_ignored_and_written_anew(
    damage: str, tmp_path: Path, vocabulary: constrain.Vocabulary, caplog: pytest.LogCaptureFixture
) -> None:
    cache = constrain.ConstraintCache(tmp_path)
    constraint = constrain.compile(SCHEMA)
    write(constraint, vocabulary, {"a": "x"})
    assert cache.save(constraint)
    (file,) = tmp_path.iterdir()
    data = bytearray(file.read_bytes())
    if damage == "folder":
        file.unlink()
        file.mkdir()
    else:
        if damage == "flipped":
            data[-3] ^= 1
        file.write_bytes(
            {"cut": data[:-1], "flipped": data, "empty": b"", "other": b"constrain-documents 9\n"}[damage]
        )
    again = cache.compile(SCHEMA, vocabulary=vocabulary)
    assert again.seen == []
    assert damage == "folder" or "damaged" in caplog.text
    write(again, vocabulary, {"a": "z"})
    assert cache.save(again) == (damage != "folder")
    if damage != "folder":
        assert cache.compile(SCHEMA, vocabulary=vocabulary).seen == [b'{"a": "z"}']


def test_documents_that_no_longer_fit_are_left_out(tmp_path: Path, vocabulary: constrain.Vocabulary) -> None:
    cache = constrain.ConstraintCache(tmp_path)
    constraint = constrain.compile(SCHEMA)
    write(constraint, vocabulary, {"a": "x"})
    assert cache.save(constraint)
    # As if another version had accepted another text under the same name.
    (file,) = tmp_path.iterdir()
    other = constrain.compile({"type": "array"})
    write(other, vocabulary, [1])
    assert cache.save(other)
    (foreign,) = (path for path in tmp_path.iterdir() if path != file)
    file.write_bytes(foreign.read_bytes())
    assert cache.compile(SCHEMA, vocabulary=vocabulary).seen == []
