"""Frozen dataclasses to JSON values and back, with errors that name every wrong field.

Standard library only: the edge image and the command line carry this module too. It converts; it holds no rule of the
product. Unknown keys are skipped unless the reader asks for `strict`, so that an older reader understands a newer writer.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, Union

from chalicelib.contracts.frozen import dataclass

T = TypeVar("T")

JsonValue = Union[None, bool, int, float, str, "list[JsonValue]", "dict[str, JsonValue]"]


@dataclass(frozen=True)
class Problem:
    """One wrong field: `pointer` is its JSON Pointer (RFC 6901), `detail` says what it should be."""

    pointer: str
    detail: str


class InvalidInput(ValueError):
    """The input does not have the shape asked for; `problems` lists every wrong field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.pointer or '/'}: {p.detail}" for p in self.problems))


def format_time(moment: datetime) -> str:
    """An aware datetime as RFC 3339 in UTC: `2026-11-22T10:15:00Z`, with microseconds only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """An aware UTC datetime from RFC 3339 text. Raises ValueError without a zone or with a wrong date."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "a time needs its zone, such as 2026-11-22T10:15:00Z"
        raise ValueError(message)
    return moment.astimezone(UTC)


def to_json(value: object, *, sparse: bool = False) -> JsonValue:
    """A dataclass, or anything it holds, as plain JSON values. Fields keep their names and order.

    `sparse` leaves out fields that have their default; `from_json` gives the same value back while the defaults stay.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        held = ((field, getattr(value, field.name)) for field in _fields(type(value)))
        return {
            name_of(field): to_json(item, sparse=sparse) for field, item in held if not (sparse and _is_default(field, item))
        }
    if isinstance(value, Enum):
        return typing.cast("JsonValue", value.value)
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item, sparse=sparse) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return [to_json(item, sparse=sparse) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


def _is_default(field: dataclasses.Field[Any], value: object) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return field.default is not dataclasses.MISSING and bool(value == field.default)


def name_of(field: dataclasses.Field[Any]) -> str:
    """The field's name in JSON: `from_` stands for `from`, which Python keeps for itself."""
    return field.name.removesuffix("_")


def from_json(kind: type[T], data: object, *, strict: bool = False) -> T:
    """Builds a `kind` from JSON values. `strict` refuses unknown keys. Raises InvalidInput with every problem found."""
    reader = _Reader(strict=strict)
    value = reader.read(kind, data, "")
    if reader.problems:
        raise InvalidInput(reader.problems)
    return typing.cast("T", value)


@lru_cache(maxsize=256)
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@lru_cache(maxsize=256)
def _fields(kind: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)


_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class _Reader:
    """Reads one value and collects what is wrong with it, each with its JSON Pointer."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self.problems: list[Problem] = []

    def read(self, kind: Any, data: object, pointer: str) -> object:
        kind = getattr(kind, "__supertype__", kind)  # a NewType is read as the type under it
        origin = typing.get_origin(kind)
        if origin is not None:
            return self._read_generic(origin, typing.get_args(kind), data, pointer)
        if dataclasses.is_dataclass(kind):
            return self._read_dataclass(typing.cast("type", kind), data, pointer)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._read_enum(kind, data, pointer)
        if kind is datetime:
            return self._read_time(data, pointer)
        return self._read_scalar(kind, data, pointer)

    def _wrong(self, pointer: str, detail: str) -> object:
        self.problems.append(Problem(pointer, detail))
        return None

    def _read_generic(self, origin: Any, members: tuple[Any, ...], data: object, pointer: str) -> object:
        if origin in (Union, types.UnionType):
            if data is None and type(None) in members:
                return None
            return self.read(next(member for member in members if member is not type(None)), data, pointer)
        if origin is tuple:
            if isinstance(data, list | tuple):
                return tuple(self.read(members[0], item, f"{pointer}/{index}") for index, item in enumerate(data))
            return self._wrong(pointer, "must be a list")
        if isinstance(data, Mapping):
            return {str(key): self.read(members[1], item, f"{pointer}/{key}") for key, item in data.items()}
        return self._wrong(pointer, "must be an object")

    def _read_dataclass(self, kind: type, data: object, pointer: str) -> object:
        if not isinstance(data, Mapping):
            return self._wrong(pointer, "must be an object")
        before = len(self.problems)
        hints, values = _hints(kind), {}
        for field in _fields(kind):
            name = name_of(field)
            if name in data:
                values[field.name] = self.read(hints[field.name], data[name], f"{pointer}/{name}")
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                self._wrong(f"{pointer}/{name}", "is missing")
        if self._strict:
            known = {name_of(field) for field in _fields(kind)}
            for key in data:
                if key not in known:
                    self._wrong(f"{pointer}/{key}", f"is not a field here; the fields are {', '.join(sorted(known))}")
        return kind(**values) if len(self.problems) == before else None

    def _read_enum(self, kind: type[Enum], data: object, pointer: str) -> object:
        try:
            return kind(data)
        except ValueError:
            return self._wrong(pointer, f"must be one of {', '.join(str(member.value) for member in kind)}")

    def _read_time(self, data: object, pointer: str) -> object:
        try:
            return data if isinstance(data, datetime) else parse_time(str(data))
        except ValueError:
            return self._wrong(pointer, "must be a time such as 2026-11-22T10:15:00Z")

    def _read_scalar(self, kind: Any, data: object, pointer: str) -> object:
        if kind is Any or kind is object:
            return data
        if kind is float and isinstance(data, int) and not isinstance(data, bool):
            return float(data)
        if kind is int and isinstance(data, float) and data.is_integer():
            return int(data)  # JSON has one kind of number: 43.0 is the whole number 43 (JSON Schema 2020-12, 4.2.3)
        if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
            return self._wrong(pointer, f"must be {_NAMES.get(kind, kind.__name__)}")
        return data
