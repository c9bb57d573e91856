"""Call settings set on several phones of one user at the same moment, in real threads, on every store: none is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from chalicelib.adapters.directory import LocalDirectory
from chalicelib.contracts.edge import CallSettings
from chalicelib.domain.calls import Messages, UserCalls
from chalicelib.domain.directory import CallingPolicy, User
from chalicelib.domain.tenant import Tenant
from chalicelib.usecases.message_waiting import set_messages
from chalicelib.usecases.ports import Caller, Gateway, Store
from chalicelib.usecases.set_call_settings import CallSettingsChange, set_call_settings
from tests.gateway import ANNA, TENANT, World

CALLER = Caller(TENANT, "admin@example.com", frozenset())


def setting(gateway: Gateway, **fields: object) -> Callable[[], object]:
    return lambda: set_call_settings(gateway, CALLER, ANNA, CallSettingsChange(**fields))  # type: ignore[arg-type]


def together(*actions: Callable[[], object]) -> None:
    barrier = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> None:
        barrier.wait()
        action()

    with ThreadPoolExecutor(len(actions)) as pool:
        for done in [pool.submit(run, action) for action in actions]:
            done.result()


def test_settings_and_messages_at_the_same_moment_are_all_kept(store: Store) -> None:
    store.save(
        Tenant(TENANT, enabled=True),
        CallingPolicy(TENANT, "Global", sip_devices_for_calls=True),
        User(TENANT, ANNA, "Anna Berg", "+4989123401"),
    )
    gateway = replace(World().gateway, store=store, directory=LocalDirectory(store))
    together(
        setting(gateway, do_not_disturb=True),
        setting(gateway, forward_to="+4989123402"),
        setting(gateway, also_ring="+4989123403"),
        lambda: set_messages(gateway, CALLER, ANNA, Messages(3, 1)),
    )
    calls = store.load(UserCalls, TENANT, ANNA)

    expected = CallSettings(do_not_disturb=True, forward_to="+4989123402", also_ring="+4989123403")
    assert calls is not None
    assert (expected, Messages(3, 1)) == (calls.settings, calls.messages)
