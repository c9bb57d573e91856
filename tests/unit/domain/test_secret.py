"""A value that must never be printed: domain/secret.py."""

from __future__ import annotations

import json

import pytest

from chalicelib.domain.secret import Secret

SECRET = Secret("hunter2")


@pytest.mark.parametrize("shown", [str(SECRET), repr(SECRET), f"{SECRET}", f"{SECRET!r}", f"{[SECRET]}", f"{SECRET!s:>3}"])
def test_a_secret_prints_as_stars(shown: str) -> None:
    assert "***" == shown.strip("[]")


def test_a_secret_is_revealed_only_by_name() -> None:
    assert "hunter2" == SECRET.reveal()


def test_a_secret_has_no_dict_to_look_into() -> None:
    assert not hasattr(SECRET, "__dict__")


def test_a_secret_cannot_become_json_by_mistake() -> None:
    with pytest.raises(TypeError):
        json.dumps(SECRET)


def test_equal_secrets_are_one_in_a_set() -> None:
    assert 1 == len({SECRET, Secret("hunter2")})


def test_a_secret_does_not_equal_its_text() -> None:
    assert SECRET != "hunter2"
