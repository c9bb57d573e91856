"""Presence where users are the gateway's own: recorded, and never in a feature code's way."""

from __future__ import annotations

import logging

import pytest

from chalicelib.adapters.directory import LocalPresence
from chalicelib.usecases.set_presence import set_presence
from tests.gateway import ANNA, TENANT, World


def test_what_is_wanted_is_shown(world: World) -> None:
    assert set_presence(world.gateway, TENANT, ANNA, do_not_disturb=True) is True
    assert {(TENANT, ANNA): True} == world.presence.shown


def test_a_presence_that_is_away_is_no_error(world: World) -> None:
    world.presence.away = True

    assert set_presence(world.gateway, TENANT, ANNA, do_not_disturb=True) is False


def test_the_local_presence_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    LocalPresence().show_do_not_disturb(TENANT, ANNA, on=True)
    (line,) = caplog.records

    assert {"message": "do_not_disturb_set", "tenant_id": TENANT, "user": ANNA, "on": True}.items() <= vars(line).items()
