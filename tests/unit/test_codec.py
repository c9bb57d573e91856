"""Dataclasses to JSON and back: contracts/codec.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts.codec import InvalidInput, Problem, format_time, from_json, parse_time, to_json

Name = NewType("Name", str)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.timezones())  # noqa: DTZ001 - hypothesis adds it


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Part:
    name: Name
    weight: float = 1.0


@dataclass(frozen=True)
class Thing:
    id: str
    count: int
    at: datetime
    colour: Colour = Colour.RED
    open: bool = False
    note: str | None = None
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)
    extra: dict[str, object] = field(default_factory=dict)


THINGS = st.builds(
    Thing,
    id=st.text(),
    count=st.integers(),
    at=MOMENTS.map(lambda moment: moment.astimezone(UTC)),
    colour=st.sampled_from(Colour),
    open=st.booleans(),
    note=st.none() | st.text(),
    part=st.none() | st.builds(Part, name=st.text(), weight=st.floats(allow_nan=False, allow_infinity=False)),
    parts=st.lists(st.builds(Part, name=st.text(), weight=st.integers().map(float)), max_size=3).map(tuple),
    labels=st.dictionaries(st.text(), st.integers()),
    extra=st.dictionaries(st.text(), st.none() | st.booleans() | st.text() | st.lists(st.integers())),
)
WHOLE = {"id": "a", "count": 1, "at": "2026-11-22T12:00:00Z"}


def problems_of(data: object, *, kind: Any = Thing, strict: bool = False) -> list[Problem]:
    with pytest.raises(InvalidInput) as refusal:
        from_json(kind, data, strict=strict)
    return list(refusal.value.problems)


@given(THINGS)
def test_what_was_written_is_read_back(thing: Thing) -> None:
    assert thing == from_json(Thing, json.loads(json.dumps(to_json(thing))))


@given(THINGS)
def test_what_was_written_without_defaults_is_read_back(thing: Thing) -> None:
    assert thing == from_json(Thing, json.loads(json.dumps(to_json(thing, sparse=True))))


def test_a_field_that_has_its_default_may_be_left_out() -> None:
    @dataclass(frozen=True)
    class Desk:
        room: str
        phones: tuple[Part, ...] = ()
        notes: dict[str, str] = field(default_factory=dict)
        height: int | None = None

    assert {"room": "1"} == to_json(Desk("1"), sparse=True)
    assert {"room": "1", "notes": {"a": ""}, "height": 0} == to_json(Desk("1", notes={"a": ""}, height=0), sparse=True)


@given(THINGS)
def test_what_was_written_is_read_back_strictly_too(thing: Thing) -> None:
    assert thing == from_json(Thing, to_json(thing), strict=True)


def test_fields_keep_their_names_and_order() -> None:
    expected = '{"name": "p", "weight": 2.0}'

    assert expected == json.dumps(to_json(Part(Name("p"), 2.0)))


def test_a_word_that_python_keeps_for_itself_has_an_underscore_there_and_none_in_json() -> None:
    @dataclass(frozen=True)
    class Call:
        from_: str

    assert {"from": "a"} == to_json(Call("a"))
    assert Call("a") == from_json(Call, {"from": "a"}, strict=True)


def test_missing_fields_with_a_default_take_it() -> None:
    assert Thing("a", 1, NOON) == from_json(Thing, WHOLE)


def test_a_newer_writers_fields_are_skipped() -> None:
    assert Thing("a", 1, NOON) == from_json(Thing, {**WHOLE, "invented_later": 1})


def test_a_strict_reader_names_the_unknown_field_and_the_known_ones() -> None:
    [problem] = problems_of({"name": "p", "wieght": 1}, kind=Part, strict=True)

    assert Problem("/wieght", "is not a field here; the fields are name, weight") == problem


def test_every_wrong_field_is_named_at_once() -> None:
    data = {"count": "1", "at": "yesterday", "colour": "green", "open": 1, "parts": [{"name": "p"}, {"name": 2}], "labels": []}

    expected = ["/id", "/count", "/at", "/colour", "/open", "/parts/1/name", "/labels"]
    assert sorted(expected) == sorted(problem.pointer for problem in problems_of(data))


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("id", 1, "must be text"),
        ("id", None, "must be text"),
        ("count", 1.5, "must be a whole number"),
        ("count", True, "must be a whole number"),
        ("open", "true", "must be true or false"),
        ("at", "2026-11-22T12:00:00", "must be a time such as 2026-11-22T10:15:00Z"),
        ("at", None, "must be a time such as 2026-11-22T10:15:00Z"),
        ("colour", "green", "must be one of red, blue"),
        ("colour", {}, "must be one of red, blue"),
        ("colour", ["red"], "must be one of red, blue"),
        ("part", [], "must be an object"),
        ("parts", "ab", "must be a list"),
        ("labels", [], "must be an object"),
    ],
)
def test_a_wrong_value_is_told_what_it_should_be(name: str, value: object, detail: str) -> None:
    assert [Problem(f"/{name}", detail)] == problems_of({**WHOLE, name: value})


@pytest.mark.parametrize("data", [None, [], "text", 1])
def test_what_is_no_object_is_refused(data: object) -> None:
    assert [Problem("", "must be an object")] == problems_of(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_is_read_or_refused(data: object) -> None:
    with pytest.raises(InvalidInput):
        from_json(Thing, data)


def test_a_whole_number_may_stand_for_a_number() -> None:
    weight = from_json(Part, {"name": "p", "weight": 3}).weight

    assert (3.0, float) == (weight, type(weight))


def test_a_number_that_is_whole_is_one_however_it_is_written() -> None:
    @dataclass(frozen=True)
    class Counted:
        count: int

    assert Counted(43) == from_json(Counted, json.loads('{"count": 43.0}'))


def test_an_error_prints_its_problems() -> None:
    with pytest.raises(InvalidInput, match="/name: is missing"):
        from_json(Part, {})


def test_a_value_without_a_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes has no JSON form"):
        to_json({"a": b"b"})


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-11-22T12:00:00Z"),
        (NOON.replace(microsecond=5), "2026-11-22T12:00:00.000005Z"),
        (NOON.astimezone(timezone(timedelta(hours=5, minutes=30))), "2026-11-22T12:00:00Z"),
    ],
)
def test_times_are_written_in_utc(moment: datetime, text: str) -> None:
    assert text == format_time(moment)


@given(MOMENTS)
def test_a_time_is_read_back(moment: datetime) -> None:
    assert moment.astimezone(UTC) == parse_time(format_time(moment))


@pytest.mark.parametrize("text", ["2026-11-22T12:00:00", "2026-13-01T00:00:00Z", "now", "", "12:00Z"])
def test_a_time_without_a_zone_or_with_a_wrong_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)
