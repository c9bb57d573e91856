"""Our frozen dataclass beside the standard library's: the same class, declared twice, behaves alike."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, field, fields, is_dataclass, replace
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts import frozen


def declare(dataclass: Callable[..., Any]) -> SimpleNamespace:
    """The classes below, by one decorator or the other."""

    @dataclass(frozen=True)
    class Part:
        """A part."""

        name: str
        weight: float = 1.0
        seen: tuple[str, ...] = field(default=(), compare=False)
        secret: str = field(default="", repr=False)
        tags: dict[str, str] = field(default_factory=dict)

    @dataclass(frozen=True)
    class Special(Part):
        """With a field more, and another default for one of the part's."""

        colour: str = "red"
        weight: float = 2.0

    @dataclass(frozen=True)
    class Even:
        """Checked when it is made."""

        number: int

        def __post_init__(self) -> None:
            if self.number % 2:
                raise ValueError(self.number)

    @dataclass(frozen=True)
    class Nothing:
        """Without fields."""

    @dataclass(frozen=True)
    class Own:
        """With methods of its own in place of those that it would get."""

        number: int

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own)

        def __hash__(self) -> int:
            return 7

    return SimpleNamespace(Part=Part, Special=Special, Even=Even, Nothing=Nothing, Own=Own)


OURS, THEIRS = declare(frozen.dataclass), declare(dataclasses.dataclass)


@frozen.dataclass(frozen=True)
class Portable:
    """At the module's top, where pickle finds it."""

    name: str
    tags: tuple[str, ...] = ()


ARGUMENTS = st.tuples(
    st.lists(st.text(max_size=2), max_size=6),
    st.dictionaries(st.sampled_from(["name", "weight", "seen", "secret", "colour", "unknown"]), st.text(max_size=2)),
)
KINDS = st.sampled_from(["Part", "Special", "Even", "Nothing", "Own"])


def outcome(act: Callable[[], Any]) -> Any:
    """What comes of it: the value's fields and its text, or the error's class."""
    try:
        value = act()
    except (TypeError, ValueError) as error:
        return type(error)
    return dict(vars(value)), repr(value).replace("declare.<locals>.", "")


@given(KINDS, ARGUMENTS)
def test_the_same_arguments_make_the_same_value_or_the_same_error(
    kind: str, arguments: tuple[list[str], dict[str, str]]
) -> None:
    values, named = arguments
    expected = outcome(lambda: getattr(THEIRS, kind)(*values, **named))

    assert expected == outcome(lambda: getattr(OURS, kind)(*values, **named))


def test_a_checked_value_is_made_or_refused() -> None:
    assert 2 == OURS.Even(2).number
    with pytest.raises(ValueError, match="3"):
        OURS.Even(3)


@given(ARGUMENTS, ARGUMENTS)
def test_values_are_equal_where_the_standard_librarys_are(first: tuple[Any, Any], second: tuple[Any, Any]) -> None:
    named = [{name: text for name, text in item[1].items() if name != "unknown"} | {"name": "n"} for item in (first, second)]
    ours, theirs = ([kind(**item) for item in named] for kind in (OURS.Special, THEIRS.Special))

    assert (theirs[0] == theirs[1]) == (ours[0] == ours[1])


def test_a_value_is_not_equal_to_one_of_another_class() -> None:
    assert OURS.Part("a", weight=2.0) != OURS.Special("a", weight=2.0)
    assert OURS.Nothing() == OURS.Nothing()
    assert OURS.Part("a") != ("a", 1.0, "", {})


def test_equal_values_have_the_same_hash() -> None:
    assert hash(OURS.Even(2)) == hash(OURS.Even(2))
    assert 1 == len({OURS.Even(2), OURS.Even(2)})
    assert 1 == len({OURS.Nothing(), OURS.Nothing()})
    with pytest.raises(TypeError):
        hash(OURS.Part("a"))  # a dict has none


def test_methods_of_the_class_stay() -> None:
    own = OURS.Own(1)

    assert ("own", 7, True) == (repr(own), hash(own), own == OURS.Own(2))


@pytest.mark.parametrize("name", ["name", "other"])
def test_a_value_cannot_be_changed(name: str) -> None:
    part = OURS.Part("a")
    with pytest.raises(FrozenInstanceError):
        setattr(part, name, "b")
    with pytest.raises(FrozenInstanceError):
        delattr(part, name)

    assert "a" == part.name


def test_each_value_has_a_default_of_its_own() -> None:
    first, second = OURS.Part("a"), OURS.Part("b")
    first.tags["x"] = "y"

    assert {} == second.tags


@pytest.mark.parametrize("kind", ["Part", "Special", "Even", "Nothing", "Own"])
def test_the_standard_library_knows_the_same_fields(kind: str) -> None:
    said = [
        [
            (item.name, item.type, item.default, item.default_factory, item.compare, item.repr)
            for item in fields(getattr(made, kind))
        ]
        for made in (THEIRS, OURS)
    ]

    assert said[0] == said[1]
    assert is_dataclass(getattr(OURS, kind))


def test_a_changed_copy_keeps_the_rest() -> None:
    assert OURS.Special("b", 3.0, secret="s") == replace(OURS.Special("a", 3.0, secret="s"), name="b")


def test_a_value_is_matched_by_place_before_anybody_asks_for_its_fields() -> None:
    @frozen.dataclass(frozen=True)
    class Pair:
        left: int
        right: int

    match Pair(1, 2):
        case Pair(left, 2):
            assert 1 == left
        case _:
            pytest.fail("not matched")


def test_a_value_can_be_copied_and_kept() -> None:
    value = Portable("a", ("b",))

    assert value == copy.deepcopy(value) == pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes


def test_threads_that_ask_for_fields_together_all_get_them() -> None:
    threads, rounds = 8, 50
    for _ in range(rounds):
        kind, together = declare(frozen.dataclass).Special, Barrier(threads)

        def ask(_: int, kind: Any = kind, together: Barrier = together) -> list[tuple[str, object]]:
            together.wait()
            return [(item.name, item.default_factory) for item in fields(kind)]

        with ThreadPoolExecutor(threads) as pool:
            answers = list(pool.map(ask, range(threads)))

        assert [[(item.name, item.default_factory) for item in fields(THEIRS.Special)]] * threads == answers
