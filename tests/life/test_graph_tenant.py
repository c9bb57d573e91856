"""A tenant of Microsoft Graph's double: what changes there reaches the phone on the desk, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from local.demo.administrator import Administrator
from local.virtual_phone.phone import Reaction, VirtualPhone
from tests.life.gateway import Gateway
from tests.life.household import SHORTEST_EXPIRY, plugged_in
from tests.life.phones import API_URL, SIGN_IN_URL, Office

pytestmark = [pytest.mark.life, pytest.mark.in_namespace]

GRAPH_URL = "http://127.0.0.1:8002"
MAC, ANNA = "805ec0c00001", "anna@example.com"
OFFICE_PHONES = "Office phones"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    gateway = Gateway(tmp_path_factory.mktemp("graph") / "state", {**SHORTEST_EXPIRY, "DIRECTORY": "graph"})
    own = None
    try:
        gateway.start()
        own = Office(gateway, Administrator(API_URL, SIGN_IN_URL))
        yield own
    finally:
        for phone in own.phones if own else []:
            phone.close()
        gateway.close()


@pytest.fixture(scope="module")
def phone(office: Office) -> VirtualPhone:
    """Anna's, signed in under a policy of her own that is known here."""
    policy = {"sip_devices_for_calls": True, "common_area": True}
    office.administrator.request("PUT", f"/v1/policies/{OFFICE_PHONES}", policy)
    change_in_graph(policy=OFFICE_PHONES)
    phone = plugged_in(office, MAC)
    assert phone.dial(f"*55*{office.issue_otp(MAC)}").reason_phrase == "Phone enrolled"
    assert phone.await_notify() is Reaction.REFETCHED
    office.administrator.request("POST", f"/v1/devices/{MAC}/sign-in", {"user": ANNA})
    assert phone.await_notify() is Reaction.REREGISTERED
    office.await_device(MAC, state="signed_in", connection="online", pending_commands=[])
    return phone


def test_a_name_that_changes_in_graph_stands_on_the_phone_after_the_sync(office: Office, phone: VirtualPhone) -> None:
    change_in_graph(display_name="Anna Øst")
    job = office.administrator.sync()

    assert (1, 1) == (job["counts"]["checked"], job["counts"]["changed"])
    assert phone.await_notify() is Reaction.REREGISTERED
    assert "Anna Øst" in str(phone.device_settings)


def test_a_sync_without_a_change_sends_nothing(office: Office, phone: VirtualPhone) -> None:
    office.await_device(MAC, pending_commands=[])
    before = office.history(MAC)
    job = office.administrator.sync()

    assert (1, 0) == (job["counts"]["checked"], job["counts"]["changed"])
    assert [] == office.types_since(MAC, before)
    assert "Anna" in str(phone.device_settings)


def test_a_policy_that_nobody_has_imported_signs_the_phone_out_with_its_reason(office: Office, phone: VirtualPhone) -> None:
    change_in_graph(policy="Bought yesterday")
    job = office.administrator.sync()

    assert (1, 1) == (job["counts"]["signed_out"], job["counts"]["policy_unknown"])
    assert phone.await_notify() is Reaction.REREGISTERED
    assert "user_without_policy" in str(office.history(MAC))
    office.await_device(MAC, state="enrolled", connection="online", user=None)


def change_in_graph(**fields: object) -> None:
    httpx.post(f"{GRAPH_URL}/development/accounts", json={"upn": ANNA, **fields}, timeout=5).raise_for_status()
