"""A number claimed by two tenants at the same moment, in real threads, on every store: exactly one has it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.adapters.directory import LocalDirectory
from chalicelib.domain.calls import Number
from chalicelib.domain.directory import User
from chalicelib.domain.errors import GatewayError
from chalicelib.usecases.ports import Caller, Gateway, Store
from chalicelib.usecases.set_user import UserSettings, set_user
from tests.gateway import ANNA, OTHER_TENANT, TENANT, World

ZOE = "zoe@example.org"


def claim(gateway: Gateway, barrier: threading.Barrier, tenant: str, upn: str, number: str) -> str:
    """`done`, or the error's code."""
    barrier.wait()
    try:
        set_user(gateway, Caller(tenant, "admin@example.com", frozenset()), upn, UserSettings(number=number))
    except GatewayError as refusal:
        return refusal.code
    return "done"


@pytest.mark.parametrize("round_number", range(5))
def test_one_of_two_tenants_gets_the_number(store: Store, round_number: int) -> None:
    gateway = replace(World().gateway, store=store, directory=LocalDirectory(store))
    number = f"+498912350{round_number}"
    barrier = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        claims = [pool.submit(claim, gateway, barrier, *who, number) for who in ((TENANT, ANNA), (OTHER_TENANT, ZOE))]
        outcomes = sorted(item.result() for item in claims)
    held = store.load(Number, number)
    users = [user for user in (store.load(User, TENANT, ANNA), store.load(User, OTHER_TENANT, ZOE)) if user]

    assert ["done", "number_taken"] == outcomes
    assert held is not None
    assert [(held.tenant_id, held.upn, number)] == [(user.tenant_id, user.upn, user.number) for user in users]
