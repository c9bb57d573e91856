"""Devices that nobody has seen for weeks are offboarded; and they come back."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.adapters.counting import Cost
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.installation import Candidate
from tests.gateway import MAC, OTHER_TENANT, TENANT, Phone, World, client


@pytest.fixture
def signed_in(phone: Phone) -> Phone:
    return phone.enroll().sign_in()


def run(schedule: str) -> Any:
    event = client().events.generate_cw_event("aws.events", "Scheduled Event", {}, [], "eu-central-1")
    return client().lambda_.invoke(schedule, event).payload


def sweep_after(world: World, **duration: float) -> dict[str, int]:
    """The daily sweep after so long; what the job counted."""
    world.clock.forward(**duration)
    assert {"tenants": 1} == run("sweep_devices")
    (job,) = (
        job for job in world.admin.get("/v1/jobs").json["items"] if job["created_at"][:13] == world.clock.now.isoformat()[:13]
    )
    assert "succeeded" == job["state"]
    return dict(job["counts"])


def test_a_signed_in_device_stays_for_30_days(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    counts = sweep_after(world, days=29, hours=23)

    assert (0, "signed_in") == (counts["offboarded"], world.device()["state"])


def test_a_signed_in_device_is_offboarded_after_30_days_without_a_sign(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    counts = sweep_after(world, days=30)

    assert {"checked": 1, "offboarded": 1, "otps_forgotten": 1} == counts
    assert ("offboarded", None, []) == tuple(world.device()[name] for name in ("state", "user", "pending_commands"))
    assert ("offboarded", {"reason": "not_seen", "days": "30", "user": "anna@example.com"}) == world.history()[0]


def test_a_signed_out_device_is_offboarded_after_14_days(world: World, phone: Phone) -> None:
    phone.enroll()

    assert [0, 1] == [sweep_after(world, **after)["offboarded"] for after in ({"days": 13, "hours": 23}, {"hours": 1})]


def test_a_device_that_was_only_onboarded_is_offboarded_too(world: World, phone: Phone) -> None:
    phone.onboard()
    world.admin.post("/v1/devices", {"mac": MAC})

    assert 1 == sweep_after(world, days=14)["offboarded"]


def test_a_device_that_reports_stays(world: World, signed_in: Phone) -> None:
    for _ in range(3):
        world.clock.forward(days=20)
        signed_in.register()

    assert (0, "signed_in") == (sweep_after(world, days=20)["offboarded"], world.device()["state"])


def test_a_device_that_never_made_contact_waits_on(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert (0, "added") == (sweep_after(world, days=400)["offboarded"], world.device()["state"])


def test_a_blocked_device_stays_blocked(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})

    assert (0, "blocked") == (sweep_after(world, days=40)["offboarded"], world.device()["state"])


def test_its_account_ends_at_once_at_the_edge_and_here(world: World, signed_in: Phone) -> None:
    username = signed_in.username
    world.link.sent.clear()
    sweep_after(world, days=30)

    assert [("forget", username)] == [(command.type, command.username) for _, command in world.link.sent]
    assert 404 == signed_in.credentials().status


BASE = "805ec0bbbb01"
SECOND = f"{BASE}:002"


@pytest.fixture
def base(world: World) -> Phone:
    """A base that carries 16 accounts, enrolled; a user on its second handset, nobody on any other."""
    base = world.phone(BASE, model="W90DM", firmware="130.85.0.20").enroll().settle()
    rows = "".join(f"{BASE}:{port:03},\n" for port in range(2, 17))
    world.admin.post("/v1/devices/import", f"MAC id,Location\n{rows}")
    world.admin.post(f"/v1/devices/{SECOND}/sign-in", {"user": "lobby@example.com"})
    return base


def register_handset(base: Phone, number: int) -> str:
    """The handset's user name."""
    base.world.clock.forward(seconds=1)
    settings = base.settings()
    username, aor = (settings[f"account.{number}.{name}"] for name in ("auth_name", "user_name"))
    told = {"username": username, "aor": aor, "contact": f"<sip:{aor}@{base.source}>", "source": base.source}
    base.world.edge.report(base.world.edge.event("registered", **told, expires_seconds=120, user_agent="Yealink W90DM"))
    return username


def test_a_base_takes_all_its_ports_along_in_one_save(world: World, base: Phone) -> None:
    usernames = {register_handset(base, number) for number in range(2, 17)}
    world.admin.patch(f"/v1/devices/{BASE}:016", {"blocked": True})
    world.link.sent.clear()
    counts = sweep_after(world, days=30)
    devices = [world.device(item["mac"]) for item in world.admin.get("/v1/devices").json["items"]]

    assert (16, 16) == (counts["checked"], counts["offboarded"])
    assert {("offboarded", None)} == {(item["state"], item["user"]) for item in devices if item["mac"] != f"{BASE}:016"}
    assert usernames <= {command.username for _, command in world.link.sent if command.type == "forget"}
    assert {404} == {world.edge.credentials(username).status for username in usernames}
    assert ("offboarded", {"reason": "not_seen", "days": "30", "user": "lobby@example.com"}) == world.history(SECOND)[0]


def test_a_base_comes_back_with_its_ports_signed_out(world: World, base: Phone) -> None:
    register_handset(base, 2)
    sweep_after(world, days=31)
    alone = base.settings()["account.2.enable"]
    base.register()
    between = world.device(SECOND)["state"]
    base.enroll().settle()

    assert ("0", "offboarded") == (alone, between)
    assert ("enrolled", None) == tuple(world.device(SECOND)[name] for name in ("state", "user"))
    assert ("1", "Not signed in") == tuple(base.settings()[f"account.2.{name}"] for name in ("enable", "label"))


def test_a_base_stays_while_one_of_its_handsets_is_seen_or_signed_in(world: World, base: Phone) -> None:
    register_handset(base, 2)
    signed_in = sweep_after(world, days=20)["offboarded"]
    register_handset(base, 3)
    seen = sweep_after(world, days=12)["offboarded"]
    over = sweep_after(world, days=3)["offboarded"]

    assert (0, 0, 16) == (signed_in, seen, over)


@pytest.mark.usefixtures("base")
def test_a_base_without_a_sign_goes_though_no_handset_of_it_ever_came(world: World) -> None:
    world.admin.post(f"/v1/devices/{SECOND}/sign-out")

    assert (16, "offboarded") == (sweep_after(world, days=14)["offboarded"], world.device(BASE)["state"])


def test_the_audit_has_a_line(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    sweep_after(world, days=30)
    line = world.admin.get("/v1/audit").json["items"][0]

    assert ("schedule", "gateway", "device_sweep", MAC) == tuple(line[name] for name in ("type", "actor", "path", "target"))


def test_a_second_sweep_finds_nothing_to_do(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    sweep_after(world, days=30)
    before = world.history()

    assert (0, before) == (sweep_after(world, days=1)["offboarded"], world.history())


def test_an_offboarded_phone_comes_back_by_its_next_fetch_without_any_power(world: World, signed_in: Phone) -> None:
    sweep_after(world, days=31)
    signed_in.fetch()
    signed_in.register()

    assert ("onboarded", "online") == (world.device()["state"], world.device()["connection"])
    assert False is signed_in.credentials().json["may_call"]


def test_an_offboarded_phone_comes_back_by_a_factory_reset(world: World, signed_in: Phone) -> None:
    sweep_after(world, days=31)
    signed_in.enroll()

    assert "enrolled" == world.device()["state"]


def test_an_offboarded_device_is_free_for_another_tenant(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    sweep_after(world, days=31)
    world.open_other_tenant()
    signed_in.enroll(OTHER_TENANT)

    assert "enrolled" == world.api(tenant=OTHER_TENANT).get(f"/v1/devices/{MAC}").json["state"]


def test_one_tenants_sweep_leaves_anothers_device_alone(world: World, phone: Phone) -> None:
    world.open_other_tenant()
    phone.enroll(OTHER_TENANT)
    world.admin.post("/v1/devices", {"mac": MAC})
    world.clock.forward(days=14)
    run("sweep_devices")
    jobs = {tenant: world.api(tenant=tenant).get("/v1/jobs").json["items"][0]["counts"] for tenant in (TENANT, OTHER_TENANT)}

    assert {TENANT: 0, OTHER_TENANT: 1} == {tenant: counts["offboarded"] for tenant, counts in jobs.items()}


def test_a_one_time_password_is_forgotten_a_week_after_its_end(world: World) -> None:
    world.issue_otp()
    counts = [sweep_after(world, **after)["otps_forgotten"] for after in ({"days": 7}, {"days": 1})]
    claim = world.store.load(Claim, MAC, TENANT)

    assert ([0, 1], None) == (counts, claim.otp if claim else "no claim")


def test_a_hundred_devices_are_one_query_a_hundred_reads_and_one_write(world: World) -> None:
    def sweep() -> Cost:
        cost = world.cost_of(lambda: run("sweep_devices"))
        return Cost(cost.reads, cost.queries, cost.writes)

    small = sweep()
    for start in range(0, 100, 50):
        world.store.save(
            *(Claim(TENANT, f"0200000000{number:02x}", "", world.clock.now) for number in range(start, start + 50))
        )
    large = sweep()

    assert (100, 0, 0) == (large.reads - small.reads, large.queries - small.queries, large.writes - small.writes)


def test_what_is_over_leaves_the_store_every_hour(world: World, phone: Phone) -> None:
    phone.ask_stage_one()
    world.clock.forward(hours=25)
    removed = run("remove_expired")["records"]

    assert (True, []) == (removed >= 2, world.store.gather((Candidate,), MAC))
    assert {"records": 0} == run("remove_expired")
