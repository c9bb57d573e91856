"""Every kind of record in records.LAYOUTS comes back from every store as it was, whatever its fields hold."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.records import LAYOUTS, Layout
from chalicelib.usecases.ports import Store

LETTERS = st.characters(exclude_categories=["Cs"])  # half letters are refused, see test_store.py
TEXTS = st.text(LETTERS, min_size=1, max_size=30)  # not empty: some are names
TIMES = st.datetimes(datetime(2027, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
SCALARS = {str: TEXTS, int: st.integers(), bool: st.booleans(), datetime: TIMES, object: JSON}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value that a field of this annotation may hold."""
    kind = getattr(kind, "__supertype__", kind)
    origin, members = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(st.none() if member is type(None) else values_of(member) for member in members))
    if origin is tuple:
        return st.lists(values_of(members[0]), max_size=3).map(tuple)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(TEXTS, values_of(members[1]), max_size=3)
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{field.name: values_of(hints[field.name]) for field in fields(kind)})
    return st.sampled_from(kind) if issubclass(kind, Enum) else SCALARS[kind]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@settings(
    max_examples=15,
    deadline=None,
    # one store serves all examples: each removes what it saved
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_record_of_any_kind_comes_back_as_it_was(store: Store, layout: Layout, data: st.DataObject) -> None:
    record = replace(data.draw(values_of(layout.kind)), version=0)
    saved = replace(record, version=1)

    store.save(record)
    loaded = store.load(layout.kind, *layout.key(record))
    many = store.load_many(layout.kind, [layout.key(record)])
    store.save(remove=[saved])

    assert (saved, [saved]) == (loaded, many)
    assert store.load(layout.kind, *layout.key(record)) is None
