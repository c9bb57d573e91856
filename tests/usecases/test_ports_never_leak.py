"""Whatever happens to two bases and two tenants, a base's file has accounts of its own ports alone, of its own tenant."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.device import Device
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.identifiers import base_mac
from chalicelib.domain.installation import Installation
from tests.gateway import OTHER_TENANT, TENANT, Phone, World, serving

BASES = ("805ec0bbbb01", "805ec0bbbb02")
ACCOUNTS = {TENANT: "lobby@example.com", OTHER_TENANT: "zoe@example.org"}
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["add", "add", "sign_in", "sign_in", "reset", "reset", "remove", "remove_base", "block", "unblock", "fetch"]
        ),
        st.sampled_from(BASES),
        st.sampled_from([2, 3]),
        st.sampled_from([TENANT, OTHER_TENANT]),
    ),
    min_size=6,
    max_size=14,
)


class Household:
    """Two bases, and everybody who was ever given a file for one of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.phones: list[Phone] = []
        world.open_other_tenant()
        for tenant in ACCOUNTS:
            common = {"sip_devices_for_calls": True, "common_area": True}
            world.api(tenant=tenant).put("/v1/policies/Global", common)
        world.change_user("lobby@example.com", policy="Lobby")
        for base, tenant in zip(BASES, ACCOUNTS, strict=True):
            for claimant in ACCOUNTS:
                world.issue_otp(base, claimant)
            self.reset(base, tenant)

    def reset(self, base: str, tenant: str) -> None:
        address = f"198.51.100.{len(self.phones) + 1}"  # elsewhere: at home stage 1 changes nothing for a registered phone
        phone = self.world.phone(base, model="W70B", firmware="146.85.0.20", address=address).onboard()
        assert "enrolled" == phone.dial(f"*55*{self.world.issue_otp(base, tenant)}")[0]
        self.phones.append(phone)

    def act(self, action: str, base: str, number: int, tenant: str) -> None:
        api, port = self.world.api(tenant=tenant), f"{base}:{number:03}"
        if action == "add":
            api.post("/v1/devices", {"mac": port})
        elif action == "sign_in":
            api.post(f"/v1/devices/{port}/sign-in", {"user": ACCOUNTS[tenant]})
        elif action == "reset":
            self.reset(base, tenant)
        elif action in {"remove", "remove_base"}:
            api.delete(f"/v1/devices/{base if action == 'remove_base' else port}")
        elif action in {"block", "unblock"}:
            api.patch(f"/v1/devices/{port}", {"blocked": action == "block"})
        else:
            self.phones[-1].fetch()

    def check(self) -> None:
        for phone in self.phones:
            answer = phone.get(f"{phone.base}{phone.mac}.cfg")
            own = self.world.store.load(Installation, _id_of(phone))
            for number, username in re.findall(r"^account\.(\d+)\.auth_name = (\S+)$", answer.text, re.MULTILINE):
                account = self.world.store.load(Installation, username.partition(".")[0])
                assert own is not None
                assert account is not None
                assert (phone.mac, own.tenant_id) == (base_mac(account.mac), account.tenant_id)
                assert phone.mac == account.mac or account.mac.endswith(f":{int(number):03}")
                if account.mac != phone.mac:
                    assert self.world.store.load(Claim, account.mac, own.tenant_id) is not None
                    device = self.world.store.load(Device, account.mac)
                    assert (account.id, own.tenant_id) == (device and device.installation_id, device and device.tenant_id)


def _id_of(phone: Phone) -> str:
    return phone.username.partition(".")[0]


@settings(max_examples=40)
@given(ACTIONS)
def test_a_base_serves_accounts_of_its_own_ports_alone(actions: list[tuple[str, str, int, str]]) -> None:
    with serving(World()) as world:
        household = Household(world)
        for action in actions:
            household.act(*action)
            household.check()
