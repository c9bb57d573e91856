"""Ports: handsets of a base and sockets of an adapter, each a device of its own whose account stands in its base's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.adapters.counting import Cost
from chalicelib.contracts.edge import CommandType
from chalicelib.domain.installation import Installation
from tests.gateway import ANNA, BEN, ELSEWHERE, MAC, OTHER_TENANT, TENANT, Answer, Phone, World, settings_in

BASE = "805ec0bbbb01"
SECOND, THIRD = f"{BASE}:002", f"{BASE}:003"
LOBBY = "lobby@example.com"


@dataclass
class Handset:
    """What the edge sees of one handset: the base registers its account over the base's own connection."""

    base: Phone
    number: int

    @property
    def username(self) -> str:
        return self.setting("auth_name")

    def setting(self, name: str) -> str:
        return settings_in(self.base.get(f"{self.base.base}{self.base.mac}.cfg").text).get(f"account.{self.number}.{name}", "")

    def register(self) -> None:
        world = self.base.world
        world.clock.forward(seconds=1)
        aor = self.setting("user_name")
        told = {"username": self.username, "aor": aor, "contact": f"<sip:{aor}@{self.base.source}>", "source": self.base.source}
        world.edge.report(world.edge.event("registered", **told, expires_seconds=120, user_agent="Yealink W70B 146.85.0.20"))

    def dial(self, dialled: str) -> tuple[str, int, str]:
        return self.base.world.edge.dial(self.username, dialled)


@pytest.fixture
def base(world: World) -> Phone:
    """An enrolled W70B."""
    return world.phone(BASE, model="W70B", firmware="146.85.0.20").enroll().settle()


@pytest.fixture
def handset(world: World, base: Phone) -> Handset:
    """Its second handset, registered."""
    world.admin.post("/v1/devices", {"mac": SECOND, "location": "Ward 2"})
    added = Handset(base, 2)
    added.register()
    return added


def add(world: World, mac: str, tenant: str = TENANT) -> Answer:
    return world.api(tenant=tenant).post("/v1/devices", {"mac": mac})


def pair(world: World, handset: Handset, upn: str = BEN) -> None:
    """`*50*` from the handset, then the web; the base follows."""
    _, _, said = handset.dial("*50*")
    assert 200 == world.browser().sign_in(upn).pair(said.rpartition(" ")[2]).status
    handset.register()


def state_of(world: World, mac: str = SECOND) -> tuple[str, str | None]:
    device = world.device(mac)
    return device["state"], device["user"] and device["user"]["upn"]


# --- a port comes into being ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("base")
def test_a_port_of_an_enrolled_base_is_enrolled_at_once(world: World) -> None:
    answer = world.admin.post("/v1/devices", {"mac": "80-5E-C0-BB-BB-01:002", "location": "Ward 2"})

    device = answer.json
    assert (201, SECOND, "enrolled", "yealink", "W70B", "Ward 2") == (
        answer.status,
        *(device[name] for name in ("mac", "state", "vendor", "model", "location")),
    )


def test_its_base_has_its_account_and_is_told(world: World, base: Phone) -> None:
    world.link.sent.clear()
    add(world, SECOND)

    settings = base.settings()
    assert ("1", "0", "Not signed in") == tuple(
        settings[name] for name in ("account.2.enable", "account.3.enable", "account.2.label")
    )
    assert [base.username] == [command.username for command in world.link.of_type(CommandType.RESYNC)]


def test_its_account_dials_feature_codes_only(world: World, handset: Handset) -> None:
    credentials = world.edge.credentials(handset.username).json

    assert (False, TENANT, BASE) == (credentials["may_call"], credentials["tenant_id"], credentials["mac"])


def test_a_port_is_online_by_its_own_registration(world: World, base: Phone) -> None:
    add(world, SECOND)
    before = world.device(SECOND)["connection"]
    Handset(base, 2).register()

    assert ("never", "online") == (before, world.device(SECOND)["connection"])


@pytest.mark.usefixtures("base")
def test_port_001_is_the_device_itself(world: World) -> None:
    answer = add(world, f"{BASE}:001")

    assert (200, BASE) == (answer.status, answer.json["mac"])


@pytest.mark.usefixtures("handset")
def test_ports_are_listed_behind_their_base(world: World) -> None:
    add(world, MAC)

    assert [MAC, BASE, SECOND] == [item["mac"] for item in world.admin.get("/v1/devices").json["items"]]
    assert [SECOND] == [item["mac"] for item in world.admin.get("/v1/devices?q=bbbb01:002").json["items"]]


def test_a_port_added_before_its_base_is_enrolled_follows_it(world: World) -> None:
    add(world, BASE)
    waiting = add(world, SECOND).json["state"]
    refused = world.admin.post(f"/v1/devices/{SECOND}/sign-in", {"user": LOBBY})
    base = world.phone(BASE, model="W70B", firmware="146.85.0.20").enroll().settle()

    assert ("added", 409, f"Port {SECOND} waits for its base: it is enrolled as soon as device {BASE} is.") == (
        waiting,
        refused.status,
        refused.json["detail"],
    )
    assert "enrolled" == world.device(SECOND)["state"]
    assert "1" == base.settings()["account.2.enable"]


def test_a_table_may_name_a_port_above_its_base(world: World) -> None:
    answer = world.admin.post("/v1/devices/import", f"MAC id,Location\n{SECOND},Ward\n{BASE},Cellar\n{MAC}:002,Hall\n")

    results = [(item["mac"], item["result"]) for item in answer.json["items"]]
    assert [2, 3, 4] == [item["line"] for item in answer.json["items"]]
    assert [(SECOND, "added"), (BASE, "added"), (f"{MAC}:002", "refused")] == results
    assert "Your inventory has no device" in answer.json["items"][2]["detail"]


def test_a_table_of_ports_enrolls_each_with_its_base(world: World, base: Phone) -> None:
    rows = f"{THIRD},Ward 3\n{BASE}:011,Attic\n{SECOND},Ward 2\n{BASE},Cellar\n"
    first, again = (
        [item["result"] for item in world.admin.post("/v1/devices/import", f"MAC id,Location\n{rows}").json["items"]]
        for _ in range(2)
    )

    assert ["added", "refused", "added", "known"] == first
    assert ["known", "refused", "known", "known"] == again
    assert ("1", "1") == tuple(base.settings()[f"account.{port}.enable"] for port in (2, 3))
    assert ("enrolled", "Ward 3") == tuple(world.device(THIRD)[name] for name in ("state", "location"))


@pytest.mark.parametrize(
    ("mac", "status", "detail"),
    [
        (f"{BASE}:011", 400, f"Device {BASE} has no port 011: its ports are 001 to 010."),
        (f"{MAC}:002", 400, f"Device {MAC} has no ports: a T46S carries one account."),
        ("001565000001:002", 404, "Your inventory has no device 001565000001. Add it first."),
        (f"{BASE}:000", 400, f"'{BASE}:000' is not a MAC address."),
    ],
)
@pytest.mark.usefixtures("base")
def test_a_port_that_cannot_be_is_refused_with_the_reason(world: World, mac: str, status: int, detail: str) -> None:
    world.phone().enroll()
    answer = add(world, mac)

    assert (status, detail) == (answer.status, answer.json["detail"])


def test_a_port_of_another_tenants_base_never_reaches_its_file(world: World, base: Phone) -> None:
    world.open_other_tenant()
    alone = add(world, SECOND, OTHER_TENANT)
    add(world, BASE, OTHER_TENANT)
    claimed = add(world, SECOND, OTHER_TENANT)

    assert (404, "added") == (alone.status, claimed.json["state"])
    assert "0" == base.settings()["account.2.enable"]
    assert 409 == world.api(tenant=OTHER_TENANT).post(f"/v1/devices/{SECOND}/sign-in", {}).status


def test_a_port_has_no_one_time_password(world: World, handset: Handset) -> None:
    answer = world.admin.post(f"/v1/devices/{SECOND}/otp")

    assert (409, f"Port {SECOND} is enrolled with its base. Issue the one-time password for device {BASE}.") == (
        answer.status,
        answer.json["detail"],
    )
    assert "not_onboarded" == handset.dial("*55*123456")[0]


# --- signing in and out --------------------------------------------------------------------------------------------------


def test_each_handset_has_its_own_user(world: World, base: Phone, handset: Handset) -> None:
    pair(world, handset, BEN)
    _, _, said = base.dial("*50*")
    world.browser().sign_in(ANNA).pair(said.rpartition(" ")[2])

    settings = base.settings()
    assert ("+4989123401", "+4989123402") == (settings["account.1.user_name"], settings["account.2.user_name"])
    assert ((("signed_in", ANNA)), ("signed_in", BEN)) == (state_of(world, BASE), state_of(world, SECOND))


def test_the_confirm_page_names_the_port(world: World, handset: Handset) -> None:
    _, _, said = handset.dial("*50*")
    page = world.browser().sign_in(BEN).type_code(said.rpartition(" ")[2])

    assert "bb01:002" in page.text.lower()


def test_the_code_from_a_handset_signs_that_handset_out(world: World, base: Phone, handset: Handset) -> None:
    pair(world, handset)
    former = handset.username

    assert "signed_out" == handset.dial("*51*")[0]
    assert ("enrolled", None) == state_of(world)
    assert "Not signed in" == base.settings()["account.2.label"]
    assert former in [command.username for command in world.link.of_type(CommandType.FORGET)]


def test_an_administrator_signs_a_port_in_and_out(world: World, base: Phone, handset: Handset) -> None:
    signed_in = world.admin.post(f"/v1/devices/{SECOND}/sign-in", {"user": LOBBY})
    label = base.settings()["account.2.label"]
    signed_out = world.admin.post(f"/v1/devices/{SECOND}/sign-out")

    assert (202, "Lobby +4989123403", 202, BASE) == (signed_in.status, label, signed_out.status, signed_out.json["mac"])
    assert "Not signed in" == handset.setting("label")


def test_a_bulk_sign_in_makes_the_port_that_it_names(world: World, base: Phone) -> None:
    job = world.admin.post("/v1/sign-ins", "Username,HardwareId\nlobby@example.com,80-5E-C0-BB-BB-01:004\n").json
    rows = world.admin.get(f"/v1/jobs/{job['id']}").json

    assert 1 == rows["counts"]["signed_in"], rows
    assert "+4989123403" == base.settings()["account.4.user_name"]


@pytest.mark.usefixtures("base")
def test_a_bulk_sign_in_tells_of_a_port_that_cannot_be(world: World) -> None:
    table = f"Username,HardwareId\n{LOBBY},{BASE}:011\n{LOBBY},{MAC}:002\n{LOBBY},{BASE}:000\n"
    job = world.admin.post("/v1/sign-ins", table).json
    rows = world.admin.get(f"/v1/jobs/{job['id']}").json["rows"]

    assert ["bad_request", "device_not_found", "wrong_hardware_id"] == [row["reason"] for row in rows]


def test_the_policy_sync_signs_a_port_out(world: World, handset: Handset) -> None:
    pair(world, handset)
    world.change_user(BEN, number="")
    world.admin.post("/v1/sync")

    assert ("enrolled", None) == state_of(world)
    assert "Not signed in" == handset.setting("label")


def test_a_time_zone_tells_the_base_once(world: World, base: Phone, handset: Handset) -> None:
    base.settle()
    handset.register()
    world.link.sent.clear()
    world.change_tenant(time_zone="Europe/Berlin")
    world.admin.post("/v1/sync")

    assert [base.username] == [command.username for command in world.link.of_type(CommandType.RESYNC)]
    base.fetch()
    device = world.device(SECOND)
    assert device["config_version"] == device["applied_version"]


@pytest.mark.usefixtures("base")
def test_a_base_that_slept_through_two_sign_ins_is_still_known(world: World, handset: Handset) -> None:
    """The account that its file has stays good, without calls, until it fetches the newest."""
    held = handset.username
    world.link.away = True
    world.admin.post(f"/v1/devices/{SECOND}/sign-in", {"user": LOBBY})
    world.admin.post(f"/v1/devices/{SECOND}/sign-out")

    assert (200, False) == (world.edge.credentials(held).status, world.edge.credentials(held).json["may_call"])


# --- with its base -------------------------------------------------------------------------------------------------------


def test_a_reset_base_keeps_its_ports_signed_out(world: World, base: Phone, handset: Handset) -> None:
    pair(world, handset)
    former = handset.username
    again = world.phone(BASE, model="W70B", firmware="146.85.0.20", address=ELSEWHERE).enroll().settle()

    assert ("enrolled", None) == state_of(world)
    assert 404 == world.edge.credentials(former).status
    assert 404 == base.fetch().status
    assert ("1", "Not signed in") == tuple(again.settings()[f"account.2.{name}"] for name in ("enable", "label"))
    assert former != again.settings()["account.2.auth_name"]


def test_another_tenants_base_takes_no_port_along(world: World, base: Phone, handset: Handset) -> None:
    former = handset.username
    world.open_other_tenant()
    other = world.phone(BASE, model="W70B", firmware="146.85.0.20", address=ELSEWHERE).enroll(OTHER_TENANT).settle()

    assert "0" == other.settings()["account.2.enable"]
    assert 404 == world.edge.credentials(former).status
    assert ("added", None) == state_of(world)
    assert 404 == base.fetch().status


@pytest.mark.usefixtures("handset")
def test_the_ports_of_the_new_owner_come_into_being(world: World) -> None:
    world.open_other_tenant()
    add(world, BASE, OTHER_TENANT)
    add(world, THIRD, OTHER_TENANT)
    other = world.phone(BASE, model="W70B", firmware="146.85.0.20", address=ELSEWHERE).enroll(OTHER_TENANT).settle()

    assert ("0", "1") == tuple(other.settings()[f"account.{port}.enable"] for port in (2, 3))


def test_a_base_signing_in_leaves_its_ports_alone(world: World, base: Phone, handset: Handset) -> None:
    pair(world, handset)
    world.admin.post(f"/v1/devices/{BASE}/sign-in", {"user": LOBBY})
    world.admin.post(f"/v1/devices/{BASE}/sign-out")

    assert ("signed_in", BEN) == state_of(world)
    assert "+4989123402" == base.settings()["account.2.user_name"]


def test_a_removed_port_leaves_its_bases_file(world: World, base: Phone, handset: Handset) -> None:
    former = handset.username
    world.link.sent.clear()

    assert 204 == world.admin.delete(f"/v1/devices/{SECOND}").status
    assert 404 == world.admin.get(f"/v1/devices/{SECOND}").status
    assert 404 == world.edge.credentials(former).status
    assert "0" == base.settings()["account.2.enable"]
    assert {CommandType.RESYNC, CommandType.FORGET} == {command.type for _, command in world.link.sent}


def test_a_removed_base_takes_its_ports_along(world: World, base: Phone, handset: Handset) -> None:
    former = handset.username
    add(world, THIRD)

    assert 204 == world.admin.delete(f"/v1/devices/{BASE}").status
    assert [] == world.admin.get("/v1/devices").json["items"]
    assert 404 == world.edge.credentials(former).status
    assert 404 == base.fetch().status


def test_a_base_that_never_came_is_removed_with_its_ports(world: World) -> None:
    add(world, BASE)
    add(world, THIRD)
    world.admin.delete(f"/v1/devices/{BASE}")

    assert [] == world.admin.get("/v1/devices").json["items"]


def test_a_blocked_port_alone_leaves_its_bases_file(world: World, base: Phone, handset: Handset) -> None:
    former = handset.username
    world.admin.patch(f"/v1/devices/{SECOND}", {"blocked": True})
    enabled = base.settings()["account.2.enable"]
    blocked = world.edge.credentials(former).status
    world.admin.patch(f"/v1/devices/{SECOND}", {"blocked": False})

    assert ("0", 404, "1", 200) == (
        enabled,
        blocked,
        base.settings()["account.2.enable"],
        world.edge.credentials(former).status,
    )


@pytest.mark.usefixtures("base")
def test_a_blocked_base_blocks_its_ports(world: World, handset: Handset) -> None:
    former = handset.username
    add(world, THIRD)
    world.admin.patch(f"/v1/devices/{THIRD}", {"blocked": True})
    world.admin.patch(f"/v1/devices/{BASE}", {"blocked": True})
    blocked = world.edge.credentials(former).status, world.device(SECOND)["state"]
    world.admin.patch(f"/v1/devices/{BASE}", {"blocked": False})

    assert (404, "blocked") == blocked
    assert (200, "enrolled", "blocked") == (
        world.edge.credentials(former).status,
        world.device(SECOND)["state"],
        world.device(THIRD)["state"],
    )


def test_a_port_that_a_blocked_base_gets_is_blocked(world: World, base: Phone) -> None:
    world.admin.patch(f"/v1/devices/{BASE}", {"blocked": True})
    before = add(world, SECOND).json["state"]
    world.admin.patch(f"/v1/devices/{BASE}", {"blocked": False})

    assert ("blocked", "enrolled", "1") == (before, world.device(SECOND)["state"], base.settings()["account.2.enable"])


@pytest.mark.usefixtures("handset")
def test_a_port_has_no_settings_of_its_own(world: World) -> None:
    answer = world.admin.patch(f"/v1/devices/{SECOND}", {"overrides": {"features.bluetooth_enable": "1"}})

    assert (400, f"A port has no settings of its own. Set them for device {BASE}.") == (answer.status, answer.json["detail"])


def test_the_files_of_a_port_are_its_bases(world: World, handset: Handset) -> None:
    paths = [f"/v1/devices/{mac}/files" for mac in (BASE, SECOND)]

    assert world.admin.get(paths[0]).json == world.admin.get(paths[1]).json
    assert handset.username in world.admin.get(paths[1]).text


def test_nothing_is_served_under_a_ports_own_token(world: World, handset: Handset) -> None:
    installation = world.store.load(Installation, handset.username.partition(".")[0])
    token = world.gateway.keys.token(installation.seed).reveal()

    assert {404} == {
        world.request("GET", f"/d/{token}/{name}").status for name in (f"{BASE}.cfg", f"{SECOND}.cfg", "ca.pem", "ui/sign-in")
    }


def test_the_history_of_a_port_is_its_own(world: World, handset: Handset) -> None:
    pair(world, handset)

    kinds = [kind for kind, _ in world.history(SECOND)]
    assert {"added", "registered", "signed_in"} <= set(kinds)
    assert "added" not in [kind for kind, _ in world.history(BASE)][:1]


# --- what it costs -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("handset")
def test_a_settled_base_with_ports_is_one_read(world: World, base: Phone) -> None:
    base.settle()

    assert Cost(reads=1) == world.cost_of(base.fetch)


@pytest.mark.usefixtures("handset")
def test_the_first_fetch_of_a_ports_account_notes_it_once(world: World, base: Phone) -> None:
    base.settle()
    world.admin.post(f"/v1/devices/{SECOND}/sign-in", {"user": LOBBY})

    assert Cost(reads=4, writes=4) == world.cost_of(base.fetch)  # installation and device, of base and port
    assert Cost(reads=1) == world.cost_of(base.fetch)


def test_a_full_base_changes_hands_in_one_save(world: World) -> None:
    phone: dict[str, Any] = {"mac": BASE, "model": "W90DM", "firmware": "130.85.0.20"}
    world.phone(**phone).enroll().settle()
    rows = "".join(f"{BASE}:{port:03},\n" for port in range(2, 17))
    world.admin.post("/v1/devices/import", f"MAC id,Location\n{rows}")
    again = world.phone(**phone, address=ELSEWHERE)
    code = again.onboard().dial(f"*55*{world.issue_otp(BASE)}")

    assert "enrolled" == code[0]
    enabled = [value for name, value in again.settle().settings().items() if name.endswith(".enable") and name.count(".") == 2]
    assert 16 == len([value for value in enabled if value == "1"])
