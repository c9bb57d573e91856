"""The standard library's frozen dataclass without its price at a start. Write `@dataclass(frozen=True)` as ever.

`dataclasses.dataclass` writes the source of six methods for every class and compiles it: half a millisecond each, and a
function loads a hundred before its first request. Here the methods are ordinary ones, bound to the class's fields. What the
standard library knows of the fields (`fields`, `replace`, `is_dataclass`) it is told when it first asks. To mypy it is the
standard library's own. tests/unit/test_frozen.py holds both side by side; docs/adr/0014-a-quick-start.md has the figures.

Fields are all annotations of the class. It knows no ClassVar, InitVar, keyword-only or slots: no value of ours has any.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: Literal[True]) -> Callable[[type[T]], type[T]]:
        """As `dataclasses.dataclass`; values are frozen, and no other argument is known."""
        del frozen
        return _with_methods


__all__ = ["dataclass"]

T = TypeVar("T")
_Field = dataclasses.Field[Any]
_DECLARED = "__declared_fields__"  # each field by its name, as the class declares it
_KNOWN = "__dataclass_fields__"  # where the standard library keeps them
_asking = RLock()


def _with_methods(kind: type[T]) -> type[T]:
    """The class with its fields, and those methods that it does not define itself."""
    declared = _declared_fields(kind)
    compared = [name for name, field in declared.items() if field.compare]
    key = attrgetter(*compared) if compared else type
    methods = {
        "__init__": _initialiser(declared, is_checked=hasattr(kind, "__post_init__")),
        "__eq__": lambda self, other: key(self) == key(other) if type(other) is type(self) else NotImplemented,
        "__hash__": lambda self: hash(key(self)),
        "__repr__": _describe,
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        "__match_args__": tuple(declared),
    }
    for name, method in methods.items():
        if kind.__dict__.get(name) is None:  # a class with an `__eq__` of its own has None for `__hash__`
            setattr(kind, name, method)
    setattr(kind, _DECLARED, declared)
    setattr(kind, _KNOWN, _FieldsWhenAsked(kind))
    return kind


def _declared_fields(kind: type) -> dict[str, _Field]:
    """Those of the classes above first, as the standard library orders them."""
    declared: dict[str, _Field] = {}
    for base in reversed(kind.__mro__[1:]):
        declared |= base.__dict__.get(_DECLARED, {})
    for name in kind.__annotations__:
        default = kind.__dict__.get(name, dataclasses.MISSING)
        declared[name] = default if isinstance(default, dataclasses.Field) else dataclasses.field(default=default)
    return declared


class _FieldsWhenAsked:
    """Stands for the class's fields until somebody asks for them; then the standard library puts its own in this place."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def __get__(self, value: object, kind: type) -> Any:
        with _asking:  # the standard library takes a field's factory off the class: a second time would find none
            if self._kind.__dict__[_KNOWN] is self:
                dataclasses.dataclass(init=False, repr=False, eq=False)(self._kind)
            return self._kind.__dict__[_KNOWN]


def _initialiser(declared: dict[str, _Field], *, is_checked: bool) -> Callable[..., None]:
    names, known = tuple(declared), frozenset(declared)
    defaults = {name: field.default for name, field in declared.items() if field.default is not dataclasses.MISSING}
    factories = {name: field.default_factory for name, field in declared.items()}
    set_field = object.__setattr__

    def initialise(self: Any, /, *values: Any, **given: Any) -> None:
        if values:
            given = _by_name(names, values, given)
        for name in names:
            if name in given:
                set_field(self, name, given[name])
            elif name in defaults:
                set_field(self, name, defaults[name])
            elif (factory := factories[name]) is not dataclasses.MISSING:
                set_field(self, name, factory())
            else:
                raise TypeError(f"{type(self).__name__} needs {name}")
        if not known.issuperset(given):
            raise TypeError(f"{type(self).__name__} has no {', '.join(given.keys() - known)}")
        if is_checked:
            self.__post_init__()

    return initialise


def _by_name(names: tuple[str, ...], values: tuple[Any, ...], given: dict[str, Any]) -> dict[str, Any]:
    placed = dict(zip(names, values, strict=False))
    if len(values) > len(names) or placed.keys() & given.keys():
        raise TypeError(f"{len(values)} values by position are too many; the fields are {', '.join(names)}")
    return placed | given


def _describe(value: Any) -> str:
    shown = (f"{name}={getattr(value, name)!r}" for name, field in getattr(value, _DECLARED).items() if field.repr)
    return f"{type(value).__qualname__}({', '.join(shown)})"


def _refuse_to_set(self: object, name: str, value: object) -> None:
    del self, value
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    del self
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
