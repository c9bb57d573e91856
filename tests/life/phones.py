"""Virtual phones in the states that the tests begin with, and what the administrator sees of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from local.demo.administrator import Administrator
from local.virtual_phone.phone import Reaction, VirtualPhone
from local.virtual_phone.sip_client import SipClient
from tests.life.gateway import Gateway
from tests.life.waiting import LONGEST_SECONDS, wait_until

API_URL, SIGN_IN_URL = "http://127.0.0.1:8000", "http://127.0.0.1:8001"
POLICY = "Common area"
# What moves without anything having happened to the device.
CLOCKS = frozenset({"online_since", "last_seen_at", "last_sync_at"})
OK, UNAUTHORIZED = 200, 401


@dataclass
class Office:
    """A gateway and its administrator; `phones` are closed with it."""

    gateway: Gateway
    administrator: Administrator
    phones: list[VirtualPhone] = field(default_factory=list)

    def onboard(self, phone: VirtualPhone) -> VirtualPhone:
        """Adds the device and switches the phone on."""
        mac = phone.identity.mac
        self.phones.append(phone)
        self.administrator.request("POST", "/v1/devices", {"mac": mac, "location": f"Room {mac[-4:]}"})
        phone.power_on()
        self.await_device(mac, state="onboarded", connection="online")
        return phone

    def sign_in(self, phone: VirtualPhone) -> VirtualPhone:
        """Enrolls an onboarded phone by its one-time password and signs a common-area account of its own in."""
        mac = phone.identity.mac
        assert phone.dial(f"*55*{self.issue_otp(mac)}").reason_phrase == "Phone enrolled"
        assert phone.await_notify() is Reaction.REFETCHED
        self.administrator.request("PUT", f"/v1/policies/{POLICY}", {"sip_devices_for_calls": True, "common_area": True})
        user = {"number": f"+49{int(mac, 16)}"[:14], "display_name": f"Room {mac[-4:]}", "policy": POLICY}
        self.administrator.request("PUT", f"/v1/users/{mac}@example.com", user)
        self.administrator.request("POST", f"/v1/devices/{mac}/sign-in", {"user": f"{mac}@example.com"})
        assert phone.await_notify() is Reaction.REREGISTERED
        self.await_device(mac, state="signed_in", connection="online", pending_commands=[])
        return phone

    def issue_otp(self, mac: str) -> str:
        return str(self.administrator.request("POST", f"/v1/devices/{mac}/otp")["otp"])

    def await_device(self, mac: str, **expected: object) -> dict[str, Any]:
        """The device once the inventory shows these values."""
        wait_until(
            lambda: self.administrator.device(mac).items() >= expected.items(),
            f"{mac} with {expected}",
            lambda: self.administrator.device(mac),
        )
        return self.administrator.device(mac)

    def history(self, mac: str) -> list[dict[str, Any]]:
        """The device's history, oldest first."""
        page = self.administrator.request("GET", f"/v1/devices/{mac}/events?limit=200")
        assert page["next_cursor"] is None
        return list(reversed(page["items"]))

    def types_since(self, mac: str, before: list[dict[str, Any]]) -> list[str]:
        """What happened after `before` was the whole history; nothing of that may be gone."""
        history = self.history(mac)
        assert before == [event for event in history if event in before]
        return [event["type"] for event in history if event not in before]

    def await_history(self, mac: str, before: list[dict[str, Any]], expected: list[str]) -> None:
        """Returns when at least as much has been recorded since `before` as is expected."""
        wait_until(lambda: len(self.types_since(mac, before)) >= len(expected), f"{expected}", lambda: self.history(mac))

    def inventory(self) -> dict[str, Any]:
        """All that the tenant has, without what moves by itself: times, and the record of the policy sync by the clock."""
        read = {path: self.administrator.request("GET", f"/v1/{path}") for path in ("users", "policies", "tenant")}
        devices = self.administrator.request("GET", "/v1/devices")["items"]
        read["devices"] = sorted(
            ({name: value for name, value in device.items() if name not in CLOCKS} for device in devices),
            key=lambda device: device["mac"],
        )
        read["tenant"] = {name: value for name, value in read["tenant"].items() if name not in {"sync", "version"}}
        return read

    def request_resync(self, phone: VirtualPhone) -> str:
        """The command's id."""
        return str(self.administrator.request("POST", f"/v1/devices/{phone.identity.mac}/resync")["id"])

    def await_resync(self, phone: VirtualPhone, command_id: str) -> Reaction:
        """What the phone made of a requested resync, once it is acknowledged."""
        reaction = phone.await_notify(timeout_seconds=LONGEST_SECONDS)
        read = partial(self.administrator.request, "GET", f"/v1/commands/{command_id}")
        wait_until(lambda: read()["state"] == "acknowledged", "an acknowledged resync", read)
        return reaction

    def resync(self, phone: VirtualPhone) -> Reaction:
        """A resync from the administrator's request to its acknowledgement."""
        return self.await_resync(phone, self.request_resync(phone))

    def close(self) -> None:
        for phone in self.phones:
            phone.close()
        self.gateway.close()


def opened(gateway: Gateway) -> Iterator[Office]:
    """A started gateway with its administrator, for a fixture."""
    try:
        gateway.start()
        office = Office(gateway, Administrator(API_URL, SIGN_IN_URL))
        try:
            yield office
        finally:
            office.close()
    finally:
        gateway.close()


def registrations(phone: VirtualPhone) -> list[int]:
    """The final answers to the phone's REGISTERs so far; a digest challenge is none."""
    answers = [m.status for m in phone.sip.messages if m.method == "REGISTER" and m.status]
    return [status for status in answers if status >= OK and status != UNAUTHORIZED]


def await_registration(phone: VirtualPhone, after: int) -> None:
    """Returns when the phone has more than `after` answers of a registrar."""
    wait_until(lambda: len(registrations(phone)) > after, "another registration", lambda: [*map(str, phone.sip.messages)])


def come_and_go(phone: VirtualPhone, trust_anchor: Path) -> None:
    """Somebody with this phone's account registers over a connection of its own and removes the binding again."""
    account = phone.device_settings.account
    assert account is not None
    with SipClient(account, user_agent=phone.identity.sip_user_agent, trust_anchor=trust_anchor) as client:
        client.registered()
        client.unregister()
