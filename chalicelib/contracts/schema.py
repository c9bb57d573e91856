"""Frozen dataclasses as JSON Schema (draft 2020-12, as OpenAPI 3.1 has it): what the codec renders, described.

Standard library only. A dataclass becomes a component named after it, its docstring the description; a field without a default
is required. What a type cannot say stands beside it: `Annotated[str, Keywords(pattern="…")]`.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal

from chalicelib.contracts.codec import JsonValue, name_of, to_json
from chalicelib.contracts.frozen import dataclass

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Keywords:
    """Keywords beside a type. `excluded` are values that the pattern would allow; `example` is one that a caller could send."""

    description: str = ""
    format: str = ""
    pattern: str = ""
    example: JsonValue = None
    excluded: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    max_properties: int | None = None

    def as_json(self) -> JsonObject:
        """The keywords that are set, by their names in JSON Schema."""
        named = {
            "description": self.description or None,
            "format": self.format or None,
            "pattern": self.pattern or None,
            "not": {"enum": list(self.excluded)} if self.excluded else None,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "maxLength": self.max_length,
            "minItems": self.min_items,
            "maxItems": self.max_items,
            "maxProperties": self.max_properties,
            "examples": None if self.example is None else [self.example],
        }
        return {name: value for name, value in named.items() if value is not None}


class Schemas:
    """Schemas of types; what has a name is collected in `components`. `named` gives the keywords of each NewType."""

    def __init__(self, named: Mapping[Any, Keywords]) -> None:
        self._named = named
        self._components: dict[str, JsonObject] = {}

    @property
    def components(self) -> dict[str, JsonObject]:
        """Every component by its name, in order of the names."""
        return dict(sorted(self._components.items()))

    def schema_of(self, kind: Any, *, closed: bool = False) -> JsonObject:
        """The schema of a type. `closed`: an object has no fields but these, as the codec reads with `strict`."""
        if hasattr(kind, "__supertype__"):
            named = self._named.get(kind, Keywords())
            return self.schema_of(kind.__supertype__, closed=closed) | named.as_json()
        if dataclasses.is_dataclass(typing.get_origin(kind) or kind):
            return self._component(kind, closed=closed)
        if typing.get_origin(kind) is not None:
            return self._generic(kind, closed=closed)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._enum(kind)
        return _scalar(kind)

    def properties_of(self, kind: Any, *, closed: bool = False) -> dict[str, JsonObject]:
        """The schema of each field of a dataclass, with its default where that says something."""
        defaults = {name_of(field): field.default for field in dataclasses.fields(typing.get_origin(kind) or kind)}
        schemas = {name: self.schema_of(hint, closed=closed) for name, hint, _ in fields_of(kind)}
        unsaid = (None, "", dataclasses.MISSING)
        return {
            name: schema if defaults[name] in unsaid else {**schema, "default": to_json(defaults[name])}
            for name, schema in schemas.items()
        }

    def _generic(self, kind: Any, *, closed: bool) -> JsonObject:
        origin, members = typing.get_origin(kind), typing.get_args(kind)
        if origin is Annotated:
            return self._annotated(kind, closed=closed)
        if origin is Literal:
            return {"type": "string", "enum": list(members)}
        if origin is tuple:
            return {"type": "array", "items": self.schema_of(members[0], closed=closed)}
        if origin is dict:
            return self._mapping(*members, closed=closed)
        return self._union(members, closed=closed)

    def _annotated(self, kind: Any, *, closed: bool) -> JsonObject:
        schema = self.schema_of(kind.__origin__, closed=closed)
        for keywords in kind.__metadata__:
            schema |= keywords.as_json()
        return schema

    def _union(self, members: tuple[Any, ...], *, closed: bool) -> JsonObject:
        schemas = [self.schema_of(member, closed=closed) for member in members if member is not type(None)]
        if type(None) not in members:
            return {"anyOf": schemas}
        only = schemas[0]
        if len(schemas) == 1 and isinstance(only.get("type"), str):
            return only | {"type": [only["type"], "null"]}
        return {"anyOf": [*schemas, {"type": "null"}]}

    def _mapping(self, key: Any, value: Any, *, closed: bool) -> JsonObject:
        schema: JsonObject = {"type": "object", "additionalProperties": self.schema_of(value, closed=closed)}
        names = self.schema_of(key)
        return schema if names == {"type": "string"} else schema | {"propertyNames": names}

    def _enum(self, kind: type[Enum]) -> JsonObject:
        values = [member.value for member in kind]
        self._components[kind.__name__] = {"type": "string", "description": _description(kind), "enum": values}
        return {"$ref": f"#/components/schemas/{kind.__name__}"}

    def _component(self, kind: Any, *, closed: bool) -> JsonObject:
        name = "".join(member.__name__ for member in (*typing.get_args(kind), typing.get_origin(kind) or kind))
        known = self._components.get(name)
        if known is None or (closed and "additionalProperties" not in known):
            component: JsonObject = {"type": "object", "description": _description(typing.get_origin(kind) or kind)}
            self._components[name] = component  # before its fields: one of them may be of the same type
            component["properties"] = self.properties_of(kind, closed=closed)
            component["required"] = [field for field, _, required in fields_of(kind) if required]
            if closed:
                component["additionalProperties"] = False
        return {"$ref": f"#/components/schemas/{name}"}


def fields_of(kind: Any) -> Iterator[tuple[str, Any, bool]]:
    """Name in JSON, type with its annotations, and whether it must be given, of each field of a dataclass."""
    origin = typing.get_origin(kind) or kind
    hints = typing.get_type_hints(origin, include_extras=True)
    for field in dataclasses.fields(origin):
        hint = hints[field.name]
        if typing.get_args(kind) and getattr(hint, "__parameters__", ()):
            hint = hint[typing.get_args(kind)]
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        yield name_of(field), hint, required


def _description(kind: Any) -> str:
    return " ".join(inspect.cleandoc(kind.__doc__ or "").split())


def _scalar(kind: Any) -> JsonObject:
    if kind is datetime:
        return {"type": "string", "format": "date-time"}
    names = {str: "string", int: "integer", float: "number", bool: "boolean"}
    return {"type": names[kind]} if kind in names else {}
