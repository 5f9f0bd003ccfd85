"""Python types as sources: which documents they have, and what instances the documents become."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import fractions
import functools
import ipaddress
import json
import pathlib
import pickle
import re
import subprocess
import sys
import typing
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypeVar

import annotated_types
import pydantic
import pytest
import typing_extensions
from pydantic import BaseModel, ConfigDict, Field

import constrain
from constrain import SchemaError, UnsupportedError
from constrain.frontends.python_types.calls import Call
from constrain.frontends.python_types.text_patterns import ecma_pattern

T = TypeVar("T")
Decimal = decimal.Decimal
UTC = datetime.UTC


class Colour(enum.Enum):
    RED = "red"
    TWO = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Text(str, enum.Enum):  # noqa: UP042, the form that most code has
    A = "a"


class Pair(enum.Enum):
    ONE = (1, 2)


class Address(BaseModel):
    street: str
    number: int = Field(gt=0)


class Person(BaseModel):
    """Somebody."""

    name: str
    born: datetime.date
    home: Address | None = None
    friends: list[Person] = []


class Aliased(BaseModel):
    a: int = Field(alias="A")
    b: int = Field(0, validation_alias=pydantic.AliasChoices("p", "q"))


class ByName(BaseModel):
    model_config = ConfigDict(alias_generator=str.upper, validate_by_alias=False, validate_by_name=True)
    some: int


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int


class OpenToNumbers(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]
    a: int


class Ignoring(BaseModel):
    model_config = ConfigDict(extra="ignore")
    a: int


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    day: datetime.date
    pair: tuple[int, ...]
    text: Text
    count: int
    price: Decimal


class StrictNumbers(BaseModel):
    model_config = ConfigDict(strict=True)
    day: datetime.date
    price: Decimal
    ratio: float


class Mixed(BaseModel):
    price: Decimal
    ratio: float
    anything: Any


class Stripping(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True, str_min_length=2)
    x: str


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog", "wolf"]


class Numbers(pydantic.RootModel[list[int]]):
    pass


class Box(BaseModel, Generic[T]):
    content: T


@dataclass
class Point:
    x: int
    y: int = 0
    _: KW_ONLY
    label: str = "p"


@dataclass
class Tree:
    value: int
    children: list[Tree] = field(default_factory=list)


@dataclass
class Crate(Generic[T]):
    content: T
    more: tuple[T, ...] = ()


@dataclass
class Initialised:
    a: int
    b: InitVar[int] = 4
    c: int = field(init=False, default=3)

    def __post_init__(self, b: int) -> None:
        self.c = b


@pydantic.dataclasses.dataclass
class Checked:
    age: Annotated[int, Field(ge=0, le=150)]


class Movie(typing_extensions.TypedDict, total=False):
    title: typing_extensions.Required[str]
    year: int


class Strange(typing_extensions.TypedDict, extra_items=int):
    a: str


class Coordinates(NamedTuple):
    x: int
    y: int = 0


UserId = NewType("UserId", int)
Nested = typing_extensions.TypeAliasType("Nested", "list[Nested] | int")
Count = typing_extensions.TypeAliasType("Count", int)
ListOf = typing_extensions.TypeAliasType("ListOf", list[T], type_params=(T,))
Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


#: A type, its documents with their instances, and texts that are none of its documents.
TYPES: list[tuple[str, Any, dict[str, Any], list[str]]] = [
    ("int", int, {"3": 3, "-0": 0, "1.0": 1, "1e30": 10**30}, ["1.5", '"1"', "true"]),
    ("bool", bool, {"true": True}, ["1", '"true"', "null"]),
    ("float", float, {"1": 1.0, "2.5": 2.5}, ['"1"', "NaN", "Infinity"]),
    ("str", str, {'"a"': "a", '""': ""}, ["1", "null"]),
    ("none", type(None), {"null": None}, ["0", '""']),
    ("any", Any, {"[1.0]": [1.0], "null": None}, [""]),
    ("bytes", bytes, {'"é"': "é".encode()}, ["1"]),
    ("decimal", Decimal, {"0.12345678901234567890": Decimal("0.12345678901234567890"), "19.90": Decimal("19.90"), "100000000000000000001.0": Decimal(10**20 + 1)}, ['"1"']),
    ("decimal with places", Annotated[Decimal, Field(decimal_places=2, gt=0)], {"19.99": Decimal("19.99"), "1e1": Decimal(10)}, ["0", "0.001"]),
    ("decimal with digits", Annotated[Decimal, Field(max_digits=3)], {"0.12": Decimal("0.12"), "12.3": Decimal("12.3"), "999": Decimal(999)}, ["0.1234", "1000", "12.34"]),
    ("decimal with both", Annotated[Decimal, Field(max_digits=3, decimal_places=1)], {"99.9": Decimal("99.9")}, ["100", "0.12"]),
    ("fraction", fractions.Fraction, {'"-3/4"': fractions.Fraction(-3, 4), '"2"': fractions.Fraction(2)}, ['"1/0"', '"x"']),
    ("multiple of a fraction", Annotated[float, Field(multiple_of=0.1)], {"0.3": 0.3, "1.1": 1.1}, ["0.25"]),
    ("date", datetime.date, {'"2024-02-29"': datetime.date(2024, 2, 29)}, ['"2023-02-29"', '"0000-01-01"', '"2024-02-29T00:00:00Z"']),
    ("time", datetime.time, {'"23:59:00Z"': datetime.time(23, 59, tzinfo=UTC)}, ['"23:59:60Z"', '"23:59:00"']),
    ("datetime", datetime.datetime, {'"2024-02-29T01:02:03+02:00"': at("2024-02-29T01:02:03+02:00")}, ['"2024-02-29"', '"2016-12-31T23:59:60Z"', '"0000-01-01T00:00:00Z"']),
    ("naive datetime", pydantic.NaiveDatetime, {'"2024-02-29T01:02:03"': at("2024-02-29T01:02:03")}, ['"2024-02-29T01:02:03Z"', '"2023-02-29T01:02:03"']),
    ("timedelta", datetime.timedelta, {'"P1DT2H"': datetime.timedelta(days=1, hours=2)}, ['"P1000000D"', "1"]),
    ("uuid", uuid.UUID, {f'"{uuid.UUID(int=5)}"': uuid.UUID(int=5)}, ['"5"']),
    ("uuid of a version", pydantic.UUID4, {'"0c5f2c0e-7a43-4c3c-9b52-2b1d2f8f5a11"': uuid.UUID("0c5f2c0e-7a43-4c3c-9b52-2b1d2f8f5a11")}, ['"0c5f2c0e-7a43-1c3c-9b52-2b1d2f8f5a11"', '"0c5f2c0e-7a43-4c3c-cb52-2b1d2f8f5a11"']),
    ("ipv4", ipaddress.IPv4Address, {'"10.0.0.1"': ipaddress.IPv4Address("10.0.0.1")}, ['"10.0.0.256"']),
    ("ipv6", ipaddress.IPv6Address, {'"::1"': ipaddress.IPv6Address("::1")}, ['"1"']),
    ("any ip", pydantic.IPvAnyAddress, {'"::1"': ipaddress.IPv6Address("::1"), '"1.2.3.4"': ipaddress.IPv4Address("1.2.3.4")}, ['"x"']),
    ("url", pydantic.HttpUrl, {'"https://a.example:80/x?y#z"': pydantic.HttpUrl("https://a.example:80/x?y#z")}, ['"ftp://a.example"', '"https://"', '"https://xn--a"', '"https://1.2.3.256"']),
    ("path", pathlib.Path, {'"a/b"': pathlib.Path("a/b")}, ["1"]),
    ("secret", pydantic.SecretStr, {'"a"': pydantic.SecretStr("a")}, ["1"]),
    ("literal", Literal["a", 1, None], {'"a"': "a", "1": 1, "null": None}, ['"b"', "2", "true"]),
    ("enum", Colour, {'"red"': Colour.RED, "2": Colour.TWO, "2.0": Colour.TWO}, ['"RED"', '"2"']),
    ("int enum", Level, {"1": Level.LOW}, ["3", '"LOW"']),
    ("literal of a str enum", Literal[Text.A], {'"a"': Text.A}, ['"b"']),
    ("new type", UserId, {"1": 1}, ['"1"']),
    ("union", int | str, {"1": 1, '"1"': "1"}, ["null", "1.5"]),
    ("optional", Optional[int], {"null": None, "1": 1}, ['""']),  # noqa: UP045
    ("list", list[int], {"[]": [], "[1, 2]": [1, 2]}, ["[null]", "{}"]),
    ("sequence", Sequence[int], {"[1]": [1]}, ['"a"']),
    ("deque", collections.deque[int], {"[1]": collections.deque([1])}, ["1"]),
    ("tuple", tuple[int, str], {'[1, "a"]': (1, "a")}, ["[1]", '[1, "a", 2]', '["a", 1]']),
    ("empty tuple", tuple[()], {"[]": ()}, ["[1]"]),
    ("variadic tuple", tuple[int, ...], {"[1, 2]": (1, 2), "[]": ()}, ['["a"]']),
    ("set", set[int], {"[]": set(), "[2, 1]": {1, 2}}, ["[1, 1]", "[1, 1.0]", '["a"]']),
    ("frozenset of enum", frozenset[Colour], {'["red", 2]': frozenset(Colour)}, ['["red", "red"]', "[2, 2]"]),
    ("set of tuples", set[tuple[int, str]], {'[[1, "a"], [1, "b"]]': {(1, "a"), (1, "b")}}, ['[[1, "a"], [1, "a"]]']),
    ("set of a length", Annotated[set[str | None], Field(min_length=1, max_length=2)], {'["a", null]': {"a", None}}, ["[]", '["a", "b", null]']),
    ("dict", dict[str, int], {'{"a": 1}': {"a": 1}}, ['{"a": "b"}', "[]"]),
    ("dict of integer keys", dict[int, str], {'{"-1": "a"}': {-1: "a"}}, ['{"a": "a"}', '{"01": "a"}', '{"-0": "a"}']),
    ("dict of boolean keys", dict[bool, int], {'{"true": 1}': {True: 1}}, ['{"yes": 1}']),
    ("dict of constrained keys", dict[Annotated[str, Field(pattern="^a+$")], int], {'{"aa": 1}': {"aa": 1}}, ['{"b": 1}']),
    ("dict of enum keys", dict[Text, int], {'{"a": 1}': {Text.A: 1}}, ['{"b": 1}']),
    ("dict of date keys", dict[datetime.date, int], {'{"2024-01-02": 1}': {datetime.date(2024, 1, 2): 1}}, ['{"2024-01": 1}']),
    ("counter", collections.Counter[str], {'{"a": 1}': collections.Counter(a=1)}, ['{"a": 1.5}']),
    ("mapping", Mapping[str, bool], {'{"a": true}': {"a": True}}, ['{"a": 1}']),
    ("gt and multiple", Annotated[int, annotated_types.Gt(3), annotated_types.MultipleOf(2)], {"4": 4}, ["3", "5"]),
    ("le", Annotated[float, annotated_types.Le(1.5)], {"1.5": 1.5}, ["1.6"]),
    ("gt of a float", Annotated[float, Field(gt=0, lt=1.5)], {"1e-300": 1e-300, "1.4999": 1.4999}, ["0", "1e-400", "1.5", "1.49999999999999999999999"]),
    ("bound of a union", Annotated[int | float, Field(ge=3)], {"3": 3}, ["2.5"]),
    ("length", Annotated[list[int], annotated_types.Len(1, 2)], {"[1]": [1]}, ["[]", "[1, 2, 3]"]),
    ("length of a sequence", Annotated[Sequence[int], annotated_types.MinLen(1)], {"[1]": [1]}, ["[]"]),
    ("length of a mapping", Annotated[Mapping[str, int], annotated_types.MinLen(1)], {'{"a": 1}': {"a": 1}}, ["{}"]),
    ("length of a dict", Annotated[dict[str, int], Field(max_length=1)], {'{"a": 1}': {"a": 1}}, ['{"a": 1, "b": 2}']),
    ("length of an optional text", Annotated[str | None, Field(max_length=2)], {'"ab"': "ab", "null": None}, ['"abc"']),
    ("bound of a new type", Annotated[UserId, Field(gt=2)], {"3": 3}, ["2"]),
    ("bound of an alias", Annotated[Count, Field(gt=2)], {"3": 3}, ["2"]),
    ("text length", Annotated[str, Field(min_length=1, max_length=2)], {'"é"': "é"}, ['""', '"abc"']),
    ("pattern", Annotated[str, Field(pattern=r"^\d+\.\S$")], {'"12.a"': "12.a"}, ['"12a"', '"1. "', '"1.\u0085"']),
    ("stripped", Stripping, {'{"x": "ab"}': Stripping(x="ab")}, ['{"x": "a"}', '{"x": " ab"}', '{"x": "a "}']),
    ("strict integer", pydantic.StrictInt, {"1.0": 1, "1e2": 100}, ["1.5"]),
    ("finite", pydantic.FiniteFloat, {"1e3": 1000.0}, ["1e309"]),
    ("model", Person, {'{"name": "A", "born": "1815-12-10", "friends": [{"name": "B", "born": "1791-12-26", "home": {"street": "x", "number": 1}}]}':
        Person(name="A", born=datetime.date(1815, 12, 10), friends=[Person(name="B", born=datetime.date(1791, 12, 26), home=Address(street="x", number=1))])},
        ['{"name": "A"}', '{"name": "A", "born": "1815-12-10", "extra": 1}', '{"name": "A", "born": "1815-12-10", "home": {"street": "x", "number": 0}}']),
    ("models in a list", list[Address], {'[{"street": "x", "number": 2}]': [Address(street="x", number=2)]}, ["{}"]),
    ("aliases", Aliased, {'{"A": 1, "p": 2}': Aliased(A=1, p=2)}, ['{"a": 1}', '{"A": 1, "b": 2}']),
    ("names instead of aliases", ByName, {'{"some": 1}': ByName(some=1)}, ['{"SOME": 1}']),
    ("open model", Open, {'{"a": 1, "b": []}': Open(a=1, b=[])}, ['{"b": 1}']),
    ("model open to numbers", OpenToNumbers, {'{"a": 1, "b": 2}': OpenToNumbers(a=1, b=2)}, ['{"a": 1, "b": "c"}']),
    ("model that ignores extra keys", Ignoring, {'{"a": 1}': Ignoring(a=1)}, ['{"a": 1, "b": 2}']),
    ("strict model", Strict, {'{"day": "2024-01-02", "pair": [1], "text": "a", "count": 2.0, "price": 1.5}':
        Strict(day=datetime.date(2024, 1, 2), pair=(1,), text=Text.A, count=2, price=Decimal("1.5"))}, ["{}"]),
    ("strict numbers", StrictNumbers, {
        '{"day": "2024-01-02", "price": 0.1234567890123456789, "ratio": 0.9876543210987654321}': StrictNumbers(day=datetime.date(2024, 1, 2), price=Decimal("0.1234567890123456789"), ratio=0.9876543210987654321),
        '{"day": "2024-01-02", "price": 1, "ratio": 3e-702}': StrictNumbers(day=datetime.date(2024, 1, 2), price=Decimal(1), ratio=0.0),
    }, ["{}"]),
    ("decimals beside other numbers", Mixed, {'{"price": 0.1234567890123456789, "ratio": 1e-400, "anything": 0.5}': Mixed(price=Decimal("0.1234567890123456789"), ratio=0.0, anything=0.5)}, ["{}"]),
    ("discriminated union", list[Pet], {'[{"kind": "wolf"}, {"kind": "cat", "lives": 1}]': [Dog(kind="wolf"), Cat(kind="cat", lives=1)]}, ['[{"kind": "dog", "lives": 1}]', '[{"kind": "cow"}]']),
    ("root model", Numbers, {"[1]": Numbers([1])}, ['["a"]', '{"root": [1]}']),
    ("generic model", Box[Address], {'{"content": {"street": "x", "number": 1}}': Box[Address](content=Address(street="x", number=1))}, ['{"content": 1}']),
    ("dataclass", Point, {'{"x": 1, "label": "q"}': Point(1, label="q")}, ['{"y": 1}', '{"x": 1, "z": 1}']),
    ("recursive dataclass", Tree, {'{"value": 1, "children": [{"value": 2}]}': Tree(1, [Tree(2)])}, ['{"value": 1, "children": [3]}']),
    ("generic dataclass", Crate[int], {'{"content": 1, "more": [2]}': Crate(1, (2,))}, ['{"content": "a"}']),
    ("initialised dataclass", Initialised, {'{"a": 1, "b": 2}': Initialised(1, 2)}, ['{"a": 1, "c": 2}']),
    ("pydantic dataclass", Checked, {'{"age": 3}': Checked(3)}, ['{"age": -1}']),
    ("typed dict", Movie, {'{"title": "a"}': {"title": "a"}, '{"title": "a", "year": 1}': {"title": "a", "year": 1}}, ['{"year": 1}', '{"title": "a", "x": 1}']),
    ("typed dict with extra items", Strange, {'{"a": "b", "c": 1}': {"a": "b", "c": 1}}, ['{"a": "b", "c": "d"}']),
    ("named tuple", Coordinates, {"[1]": Coordinates(1), "[1, 2]": Coordinates(1, 2)}, ["[]", "[1, 2, 3]"]),
    ("recursive alias", Nested, {"[[1], 2]": [[1], 2]}, ['["a"]']),
    ("generic alias", ListOf[int], {"[1]": [1]}, ['["a"]']),
]  # fmt: skip


@pytest.fixture(scope="module")
def compiled() -> Any:
    return functools.cache(lambda name: constrain.compile_python_type(dict(_by_name())[name]))


def _by_name() -> list[tuple[str, Any]]:
    return [(name, annotation) for name, annotation, _, _ in TYPES]


def _cases(column: int) -> list[Any]:
    return [
        pytest.param(case[0], item, id=f"{case[0]}: {item if isinstance(item, str) else item[0]}")
        for case in TYPES
        for item in (case[2].items() if column == 2 else case[3])
    ]


@pytest.mark.parametrize(("name", "document"), _cases(2))
def test_a_document_becomes_the_instance_that_it_means(
    compiled: Any, name: str, document: tuple[str, Any]
) -> None:
    text, instance = document
    constraint = compiled(name)
    assert constraint.accepts(text)
    value = constraint.parse(text)
    assert value == instance
    assert type(value) is type(instance)


@pytest.mark.parametrize("name", [case[0] for case in TYPES])
def test_compile_recognises_every_type(compiled: Any, name: str) -> None:
    assert constrain.compile(dict(_by_name())[name]) == compiled(name)


@pytest.mark.parametrize(("name", "text"), _cases(3))
def test_what_is_not_an_instance_is_refused(compiled: Any, name: str, text: str) -> None:
    assert not compiled(name).accepts(text)


@pytest.mark.parametrize("name", [case[0] for case in TYPES])
def test_every_document_is_one_that_pydantic_takes(compiled: Any, name: str) -> None:
    constraint = compiled(name)
    for seed in range(20):
        constraint.parse(constraint.example(seed))


#: What pydantic does not write as it reads it: hidden, computed, or under another name. Decimals are text.
WRITTEN_OTHERWISE = ("strict model", "strict numbers", "secret", "initialised dataclass", "aliases")


@pytest.mark.parametrize(
    "name", [case[0] for case in TYPES if "decimal" not in case[0] and case[0] not in WRITTEN_OTHERWISE]
)
def test_what_pydantic_writes_is_a_document(name: str) -> None:
    annotation, documents = next((case[1], case[2]) for case in TYPES if case[0] == name)
    constraint = constrain.compile_python_type(annotation, options=constrain.ANY_TEXT)
    adapter = pydantic.TypeAdapter(annotation)
    for instance in documents.values():
        text = adapter.dump_json(instance, by_alias=name != "names instead of aliases")
        assert constraint.accepts(text), text
        assert constraint.parse(text) == instance


class Validated(BaseModel):
    x: int

    @pydantic.field_validator("x")
    @classmethod
    def is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


class ModelValidated(BaseModel):
    x: int

    @pydantic.model_validator(mode="after")
    def check(self) -> ModelValidated:
        return self


class Outer(BaseModel):
    inner: dict[str, Validated]


class FromInside(BaseModel):
    c: int = Field(validation_alias=pydantic.AliasPath("x", 1))


class Arbitrary(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    x: range


class Unwritable:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return handler(int)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        raise pydantic.errors.PydanticInvalidForJsonSchema("no schema")


class Member(BaseModel):
    x: str | Unwritable


class Callback(BaseModel):
    x: int | typing.Callable[[], int] = 3


@dataclass
class Unknown:
    a: int
    b: list[range]


@dataclass
class Deeper:
    c: Optional[Unknown]  # noqa: UP045


def chosen(
    animal: Annotated[
        Annotated[Cat, pydantic.Tag("c")] | Annotated[Dog, pydantic.Tag("d")],
        pydantic.Discriminator(lambda value: "c"),
    ],
) -> None: ...


#: What needs Python code to be checked: the type, and where its refusal points.
NEEDS_PYTHON = [
    (Validated, "Validated.x"),
    (ModelValidated, "ModelValidated"),
    (Outer, "Validated.x"),
    (Annotated[int, pydantic.AfterValidator(abs)], None),
    (Annotated[int, pydantic.BeforeValidator(abs)], None),
    (Annotated[int, pydantic.WrapValidator(lambda value, handler: handler(value))], None),
    (Annotated[int, annotated_types.Predicate(bool)], None),
    (Annotated[datetime.date, Field(gt=datetime.date(2020, 1, 1))], None),
    (pydantic.PastDate, "PastDate"),
    (Annotated[bytes, Field(max_length=2)], None),
    (Annotated[str, pydantic.StringConstraints(to_lower=True, min_length=2)], None),
    (pydantic.Json[int], None),
    (pydantic.AnyUrl, "AnyUrl"),
    (pydantic.FilePath, None),
    (pydantic.Base64Bytes, None),
    (pydantic.ByteSize, "ByteSize"),
    (ipaddress.IPv4Network, "IPv4Network"),
    (set[Any], None),
    (set[list[int]], None),
    (frozenset[Address], None),
    (Annotated[fractions.Fraction, Field(gt=0)], None),
    (chosen, "chosen.animal"),
]

#: What is nothing in JSON, or has no exact schema.
UNSUPPORTED = [
    (FromInside, "FromInside.c"),
    (Arbitrary, "Arbitrary.x"),
    (Callback, "Callback.x"),
    (Member, "Member.x"),
    (Unknown, "Unknown.b"),
    (Deeper, "Deeper.c.b"),
    (complex, "complex"),
    (type[int], "type[int]"),
    (Pair, "Pair"),
    (Literal[Colour.RED], None),
    (Literal[b"a"], None),
    (dict[float, int], None),
    (dict[tuple[int, int], int], None),
    (dict[int | None, int], None),
    (dict[Nested, int], None),  # type: ignore[type-var]
    (Annotated[int | str, Field(gt=3)], None),
    (Annotated[int, Field(max_length=2)], None),
    (Annotated[str | list[int], Field(max_length=2)], None),
    (Annotated[pathlib.Path, Field(min_length=2)], None),
    (Annotated[set[int] | list[int], Field(gt=2)], None),
    (Annotated[str, Field(pattern=re.compile("a", re.IGNORECASE))], None),
    (Annotated[str, Field(pattern=r"\bword\b")], None),
    (Annotated[str, Field(pattern="[a&&b]")], None),
]


@pytest.mark.parametrize(("annotation", "location"), NEEDS_PYTHON)
def test_what_only_python_code_can_check_is_refused_with_a_remedy(
    annotation: Any, location: str | None
) -> None:
    with pytest.raises(UnsupportedError) as caught:
        constrain.compile(annotation)
    assert location in (None, caught.value.location)
    assert caught.value.remedy is not None
    assert 'validators="after"' in caught.value.remedy


@pytest.mark.parametrize(("annotation", "location"), NEEDS_PYTHON)
def test_what_only_python_code_can_check_may_be_checked_after_generation(
    annotation: Any, location: str | None
) -> None:
    constrain.compile_python_type(annotation, validators="after").example()


def test_a_validator_that_refuses_is_an_error_with_the_path_of_the_value() -> None:
    constraint = constrain.compile_python_type(Outer, validators="after")
    assert constraint.parse('{"inner": {"k": {"x": 2}}}') == Outer(inner={"k": Validated(x=2)})
    with pytest.raises(SchemaError, match="odd") as caught:
        constraint.parse('{"inner": {"k": {"x": 3}}}')
    assert caught.value.location == "inner.k.x"


@pytest.mark.parametrize(("annotation", "location"), UNSUPPORTED)
def test_what_has_no_exact_schema_is_refused_at_its_field(annotation: Any, location: str | None) -> None:
    for validators in ("refuse", "after"):
        with pytest.raises(UnsupportedError) as caught:
            constrain.compile_python_type(annotation, validators=validators)  # type: ignore[arg-type]
        assert location in (None, caught.value.location)


class Undefined(BaseModel):
    x: NotThere  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize("annotation", [Undefined, "NotThere", list["NotThere"]])  # type: ignore[name-defined]  # noqa: F821
def test_a_type_that_makes_no_sense_is_malformed(annotation: Any) -> None:
    with pytest.raises(SchemaError):
        constrain.compile_python_type(annotation)


@pytest.mark.parametrize(
    "pattern",
    [r"\d", r"\D", r"\s", r"\S", r"\w", r"\W", ".", r"[\D]", r"[^\d]", r"[^\w]", r"[^\s]", r"\A[\S]\z"],
)
def test_a_translated_pattern_matches_only_what_pydantic_matches(pattern: str) -> None:
    pattern = f"^{pattern}$"
    constraint = constrain.compile({"pattern": ecma_pattern(pattern)}, options=constrain.ANY_TEXT)
    adapter = pydantic.TypeAdapter(Annotated[str, Field(pattern=pattern)])
    matched = 0
    for point in (
        *range(0x700),
        *range(0x1680, 0x1700),
        *range(0x2000, 0x2200),
        0x24B6,
        0x3000,
        0xFEFF,
        0x1D7CE,
    ):
        text = json.dumps(chr(point), ensure_ascii=False)
        if constraint.accepts(text):
            matched += 1
            adapter.validate_json(text)
    assert matched


def weather(city: str, unit: Literal["c", "f"] = "c") -> str:
    """Tell the weather."""
    return f"{city} in {unit}"


def meet(day: datetime.date, *, who: list[Address], note=None) -> int:  # type: ignore[no-untyped-def]
    return len(who)


class Tools:
    def add(self, a: int, b: Annotated[int, Field(gt=0)]) -> int:
        return a + b


#: A function, documents of its arguments with what the call returns, and texts that are none.
FUNCTIONS = [
    (weather, {'{"city": "Ulm"}': "Ulm in c", '{"unit": "f", "city": "Ulm"}': "Ulm in f"}, ["{}", '{"city": "Ulm", "unit": "k"}', '{"city": "Ulm", "x": 1}']),
    (meet, {'{"day": "2024-01-02", "who": [{"street": "x", "number": 1}], "note": [1]}': 1}, ['{"day": "2024-01-02", "who": [1]}']),
    (Tools().add, {'{"a": 1, "b": 2}': 3}, ['{"a": 1, "b": 0}']),
    (functools.partial(weather, "Ulm"), {}, []),
    (functools.partial(weather, unit="f"), {'{"city": "Ulm"}': "Ulm in f"}, ["{}"]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "calls", "refused"), FUNCTIONS)
def test_the_document_of_a_function_is_a_call_of_it(function: Any, calls: Any, refused: list[str]) -> None:
    constraint = constrain.compile(function)
    for text, result in calls.items():
        assert constraint.accepts(text)
        call = constraint.parse(text)
        assert isinstance(call, Call)
        assert call.function is function
        assert call() == result
    assert not any(constraint.accepts(text) for text in refused)
    for seed in range(20):
        constraint.parse(constraint.example(seed))


def test_the_arguments_of_a_call_are_instances_and_those_left_out_are_not_there() -> None:
    call = constrain.compile(meet).parse('{"day": "2024-01-02", "who": [{"street": "x", "number": 1}]}')
    assert call.arguments == {"day": datetime.date(2024, 1, 2), "who": [Address(street="x", number=1)]}
    assert call.name == "meet"


def test_the_docstring_of_a_function_is_the_description_of_its_schema() -> None:
    assert constrain.compile(weather).source["description"] == "Tell the weather."


def variadic(*values: int) -> None: ...
def keywords(**values: int) -> None: ...
def positional(a: int, /) -> None: ...
def unresolved(a: NotThere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def unknown(a: range) -> None: ...


@pytest.mark.parametrize(
    ("function", "kind", "location"),
    [
        (variadic, UnsupportedError, "variadic.values"),
        (keywords, UnsupportedError, "keywords.values"),
        (positional, UnsupportedError, "positional.a"),
        (unresolved, SchemaError, "unresolved"),
        (unknown, UnsupportedError, "unknown.a"),
        (print, UnsupportedError, "print.args"),
    ],
)
def test_a_function_whose_arguments_have_no_names_or_types_is_refused(
    function: Any, kind: type[Exception], location: str
) -> None:
    with pytest.raises(kind) as caught:
        constrain.compile(function)
    assert caught.value.location == location  # type: ignore[attr-defined]


def test_a_tool_call_names_one_of_the_functions() -> None:
    constraint = constrain.compile_tool_call([weather, meet, len_of])
    call = constraint.parse('{"name": "weather", "arguments": {"city": "Ulm"}}')
    assert (call.function, call()) == (weather, "Ulm in c")
    assert constraint.accepts('{"arguments": {"text": "a"}, "name": "len_of"}')
    for text in (
        '{"name": "weather", "arguments": {"text": "a"}}',
        '{"name": "other", "arguments": {}}',
        '{"name": "weather"}',
        '{"name": "weather", "arguments": {"city": "Ulm"}, "id": 1}',
    ):
        assert not constraint.accepts(text)
    for seed in range(20):
        constraint.parse(constraint.example(seed))


def len_of(text: str) -> int:
    return len(text)


def test_a_tool_call_of_one_function_names_it_too() -> None:
    constraint = constrain.compile_tool_call([len_of])
    assert constraint.parse('{"name": "len_of", "arguments": {"text": "abc"}}')() == 3
    assert not constraint.accepts('{"text": "abc"}')


@pytest.mark.parametrize("functions", [[], [weather, weather], [Person], [3]])
def test_tool_calls_need_functions_of_different_names(functions: Any) -> None:
    with pytest.raises(SchemaError):
        constrain.compile_tool_call(functions)


@pytest.mark.parametrize("source", [Person, Point, Movie, Crate[int], list[Address], Colour, weather])
def test_a_constraint_of_a_type_survives_pickling_and_still_makes_instances(source: Any) -> None:
    constraint = constrain.compile(source)
    again = pickle.loads(pickle.dumps(constraint))
    assert again == constraint
    text = constraint.example(3)
    assert again.parse(text) == constraint.parse(text)
    assert type(again.parse(text)) is type(constraint.parse(text))


def test_equal_schemas_are_equal_constraints_and_parse_to_their_own_class() -> None:
    def make() -> type[BaseModel]:
        return pydantic.create_model("Same", x=(int, ...))

    first, second = make(), make()
    constraints = {constrain.compile(first): first, constrain.compile(second): second}
    assert len(constraints) == 1
    assert type(constrain.compile(first).parse('{"x": 1}')) is first
    assert type(constrain.compile(second).parse('{"x": 1}')) is second


@pytest.mark.parametrize("text", ["{", "[1", '{"x": 1, "x": 2}', b"\xff"])
def test_what_is_not_json_is_an_error_before_the_type_is_asked(text: str | bytes) -> None:
    with pytest.raises(SchemaError):
        constrain.compile(Open).parse(text)


def test_a_type_is_read_under_its_own_draft_whatever_the_default_is() -> None:
    constraint = constrain.compile(tuple[int, str], options=constrain.Options(dialect="7"))
    assert not constraint.accepts('["a", 1]')


def test_explain_names_the_type() -> None:
    assert "The Python type Person means this JSON Schema:" in constrain.compile(Person).explain()


@pytest.mark.parametrize("source", [None, 3, object(), Address(street="x", number=1), Point(1), ["a"]])
def test_what_is_neither_a_type_nor_a_function_is_no_source(source: Any) -> None:
    with pytest.raises(SchemaError, match="is not a source"):
        constrain.compile(source)


def test_types_ask_no_graph() -> None:
    with pytest.raises(constrain.KnowledgeError):
        constrain.compile(Person, knowledge=constrain.Graph([]))


@pytest.mark.parametrize("module", ["None", "type('Old', (), {'VERSION': '2.13.4'})"])
def test_without_a_pydantic_that_is_exact_the_error_names_the_extra(module: str) -> None:
    code = (
        f"import sys; sys.modules['pydantic'] = {module}\n"
        "import constrain\n"
        "try: constrain.compile(int)\n"
        "except constrain.UnsupportedError as error: print(error.remedy)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "pip install 'constrain[types]'"
