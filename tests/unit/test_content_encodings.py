"""`contentEncoding`: an annotation, or what the encoders of RFC 4648 write."""

from __future__ import annotations

import base64
import dataclasses
import json
import random
from collections.abc import Callable

import pytest

import constrain
from constrain.errors import UnsupportedError

ASSERT = dataclasses.replace(constrain.ANY_TEXT, content="assert")
ENCODERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("base64", base64.b64encode),
    ("base64url", base64.urlsafe_b64encode),
    ("base32", base64.b32encode),
    ("base32hex", base64.b32hexencode),
    ("base16", base64.b16encode),
]


@pytest.mark.parametrize(("name", "encode"), ENCODERS)
def test_encoded_bytes_are_accepted_and_changed_ones_are_not(
    name: str, encode: Callable[[bytes], bytes]
) -> None:
    constraint = constrain.compile_json_schema({"contentEncoding": name}, options=ASSERT)
    rng = random.Random(name)
    for size in range(24):
        text = encode(rng.randbytes(size)).decode()
        assert constraint.accepts(json.dumps(text)), text
        for changed in (text + "=", text + "A", text + "%", "\n" + text, text[:-1] if text else "="):
            assert not constraint.accepts(json.dumps(changed)), changed


@pytest.mark.parametrize(("name", "text"), [("base64", "QR=="), ("base64", "QUJ="), ("base32", "MZ======")])
def test_unused_bits_are_zero(name: str, text: str) -> None:
    assert not constrain.compile_json_schema({"contentEncoding": name}, options=ASSERT).accepts(
        json.dumps(text)
    )


def test_by_default_it_is_an_annotation_that_is_explained() -> None:
    constraint = constrain.compile_json_schema({"contentEncoding": "base64", "contentMediaType": "image/png"})
    assert constraint.accepts('"%"')
    assert "contentEncoding" in constraint.explain()
    assert "contentMediaType" in constraint.explain()


@pytest.mark.parametrize("name", ["quoted-printable", "x-unknown"])
def test_an_encoding_that_is_not_known_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        constrain.compile_json_schema({"properties": {"a": {"contentEncoding": name}}}, options=ASSERT)
    assert caught.value.location == "#/properties/a"
    assert caught.value.keyword == "contentEncoding"


def test_drafts_before_7_do_not_have_the_keyword() -> None:
    options = dataclasses.replace(ASSERT, dialect="6")
    assert constrain.compile_json_schema({"contentEncoding": "base64"}, options=options).accepts('"%"')


def test_other_values_than_strings_are_not_encoded() -> None:
    assert constrain.compile_json_schema({"contentEncoding": "base64"}, options=ASSERT).accepts("1")
