"""What a request costs the store is designed; here it is counted."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chalicelib.adapters.counting import Cost
from chalicelib.adapters.records import item_of
from chalicelib.domain.device import Device
from chalicelib.domain.edge import MOST_WATCHES, Edge, Watch
from chalicelib.domain.installation import Installation
from tests.gateway import BEN, MAC, Phone, World

INPUTS = Path(__file__).parents[2] / "infra/costs/inputs.toml"


@pytest.fixture
def signed_in(phone: Phone) -> Phone:
    phone.enroll().sign_in()
    phone.world.change_tenant(default_language="de")  # a change that no phone is concerned by
    answer_commands(phone.world)
    return phone


def answer_commands(world: World, mac: str = MAC) -> None:
    """The phone confirms what it was sent."""
    for command_id in world.device(mac)["pending_commands"]:
        world.edge.report_finished(command_id, 200)


def total(cost: Cost) -> int:
    return cost.reads + cost.queries + cost.writes


@pytest.mark.parametrize("name", [f"{MAC}.cfg", f"{MAC}.boot", "y000000000066.cfg", "ca.pem"])
def test_a_settled_phones_fetch_is_one_read(world: World, signed_in: Phone, name: str) -> None:
    assert Cost(reads=1) == world.cost_of(lambda: signed_in.fetch(name))


def test_a_fetch_with_a_bad_token_is_one_read(world: World, phone: Phone) -> None:
    phone.base = f"/d/{'A' * 43}/"

    assert Cost(reads=1) == world.cost_of(phone.fetch)


def test_a_304_is_one_read(world: World, signed_in: Phone) -> None:
    etag = signed_in.fetch().headers["etag"]

    assert Cost(reads=1) == world.cost_of(lambda: signed_in.fetch(If_None_Match=etag))


def test_the_first_fetch_of_a_new_configuration_notes_it_once(world: World, signed_in: Phone) -> None:
    world.change_user(display_name="Anna Berg-Lund")
    world.admin.post("/v1/sync")

    assert Cost(reads=2, writes=2) == world.cost_of(signed_in.fetch)
    assert Cost(reads=1) == world.cost_of(signed_in.fetch)


def test_credentials_of_a_phone_that_may_only_enroll_are_one_read(world: World, phone: Phone) -> None:
    phone.onboard()

    assert Cost(reads=1) == world.cost_of(phone.credentials)


def test_credentials_of_a_signed_in_user_are_three_reads(world: World, signed_in: Phone) -> None:
    assert Cost(reads=3) == world.cost_of(signed_in.credentials)  # also: the claim with the location, the user's call settings


def test_a_call_from_phone_to_phone_is_five_reads_and_a_query(world: World, signed_in: Phone) -> None:
    world.phone("805ec0654321").enroll().sign_in(BEN)

    # read: the caller's installation, the number, the callee's settings, device and edge; asked: the callee's installations
    assert Cost(reads=5, queries=1) == world.cost_of(lambda: signed_in.call("+4989123402"))


def test_a_colleague_who_rings_along_is_three_reads_and_a_query_more(world: World, signed_in: Phone) -> None:
    world.phone("805ec0654321").enroll().sign_in(BEN).dial(f"*35*{signed_in.aor}")

    # read besides: the colleague's number, device and edge; asked: the colleague's installations
    assert Cost(reads=8, queries=2) == world.cost_of(lambda: signed_in.call("+4989123402"))


def test_a_call_to_the_outside_is_two_reads(world: World, signed_in: Phone) -> None:
    assert Cost(reads=2) == world.cost_of(lambda: signed_in.call("+12025550123"))


def test_a_call_from_the_trunk_is_four_reads_and_a_query(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    assert Cost(reads=4, queries=1) == world.cost_of(lambda: world.edge.route("", "+4989123401"))


def test_a_call_to_a_user_without_a_phone_reads_what_they_may_have(world: World, signed_in: Phone) -> None:
    world.admin.put(f"/v1/users/{BEN}", {"display_name": "Ben O."})

    # read: the caller's installation, the number, tenant, user, policy, settings
    assert Cost(reads=6, queries=1) == world.cost_of(lambda: signed_in.call("+4989123402"))


def test_credentials_of_nobody_are_one_read(world: World) -> None:
    assert Cost(reads=1) == world.cost_of(lambda: world.edge.credentials("nobody.1"))


def test_a_wrong_edge_credential_touches_nothing(world: World) -> None:
    world.edge.credential = "wrong"

    assert Cost() == world.cost_of(lambda: world.edge.credentials("nobody.1"))


def test_an_api_call_without_a_token_touches_nothing(world: World) -> None:
    assert Cost() == world.cost_of(lambda: world.request("GET", "/v1/devices"))


def test_a_first_sign_in_screen_touches_four_items(world: World, phone: Phone) -> None:
    phone.onboard()

    assert Cost(reads=2, writes=2) == world.cost_of(lambda: phone.screen("sign-in"))


def test_a_sign_in_screen_that_voids_a_code_touches_six_items(world: World, phone: Phone) -> None:
    phone.onboard().show_code()

    assert Cost(reads=3, writes=3) == world.cost_of(lambda: phone.screen("sign-in"))


def test_waiting_at_the_sign_in_screen_is_one_read(world: World, phone: Phone) -> None:
    phone.onboard().show_code()

    assert Cost(reads=1) == world.cost_of(lambda: phone.screen("pairing"))


@pytest.fixture
def watched(signed_in: Phone) -> Phone:
    """Signed in, and registered at an edge that watches it."""
    signed_in.world.edge.watch()
    signed_in.register()
    return signed_in


def test_a_registration_refresh_writes_nothing(world: World, watched: Phone) -> None:
    cost = world.cost_of(watched.refresh)

    # read: the edge that reports, and at half the price installation and device; asked: what waits for the edge
    assert Cost(reads=1, stale=2, queries=1) == cost


def test_a_registration_refresh_is_written_once_in_six_hours(world: World, watched: Phone) -> None:
    world.edge.report()
    writes = []
    for _ in range(24):
        world.clock.forward(minutes=15)
        world.edge.report()  # notes that the edge lives
        writes.append(world.cost_of(watched.refresh).writes)

    assert [0] * 23 + [1] == writes


def test_a_registration_refresh_of_an_edge_that_does_not_watch_is_one_write(world: World, signed_in: Phone) -> None:
    assert Cost(reads=1, stale=2, queries=1, writes=1) == world.cost_of(signed_in.register)


def test_a_registration_anew_of_a_signed_in_phone_also_reads_its_messages(world: World, signed_in: Phone) -> None:
    signed_in.unregister()
    cost = world.cost_of(signed_in.register)

    # read after a refresh's: installation, device, the user's messages; written: the device and its history
    assert Cost(reads=4, stale=2, queries=1, writes=2) == cost


def test_a_refresh_after_15_minutes_also_reads_the_users_rights(world: World, watched: Phone) -> None:
    world.clock.forward(minutes=15)
    world.edge.report()
    cost = world.cost_of(watched.refresh)

    assert Cost(reads=1, stale=5, queries=1) == cost  # also: user, tenant, policy, at half the price


def test_the_bill_is_computed_from_what_is_counted_here(world: World, signed_in: Phone) -> None:
    """infra/costs/inputs.toml. A batch's own are the same however many reports it holds."""
    counted = {name: Cost(**cost) for name, cost in tomllib.loads(INPUTS.read_text())["requests"].items()}
    phones = [signed_in, world.phone("805ec0654321").enroll().sign_in(BEN)]
    answer_commands(world, "805ec0654321")
    world.edge.watch()
    for phone in phones:
        phone.fetch()
        phone.register()

    def batch_of(*phones: Phone, minutes: int = 15) -> Cost:
        world.clock.forward(minutes=minutes)
        world.edge.report()  # notes that the edge lives, and that it watches
        return replace(world.cost_of(lambda: world.edge.report(*(phone.registered(refreshed=True) for phone in phones))))

    one, two = batch_of(signed_in), batch_of(*phones)
    again, still = batch_of(signed_in, minutes=360), batch_of(signed_in)
    world.clock.forward(minutes=1)
    noted, heartbeat = (replace(world.cost_of(world.edge.report)) for _ in range(2))
    left, back = (replace(world.cost_of(event)) - heartbeat for event in (signed_in.unregister, signed_in.register))

    assert counted == {
        "report": two - one,
        "note": again - still,
        "batch": one - (two - one),
        "watch": noted - heartbeat,
        "left": left,
        "back": back,
        "settled_file": world.cost_of(signed_in.fetch),
    }


def test_a_device_is_written_for_one_unit(world: World, signed_in: Phone) -> None:
    """DynamoDB counts a write for each 1,024 bytes, names and values. Names are long here, times to the microsecond."""
    signed_in.fetch()
    device = world.store.load(Device, MAC)
    assert device is not None
    assert device.user is not None
    assert device.binding is not None
    now = datetime(2026, 11, 22, 12, 0, 0, 123456, UTC)
    upn, number, edge_id = (
        "alexandra.hohenstaufen@contoso-europe.com",
        "+498912345678",
        "ip-10-0-101-123.eu-west-1.compute.internal",
    )
    contact = f"<sip:{number}@255.255.255.255:65535;transport=TLS>"
    device = replace(
        device,
        user=replace(device.user, upn=upn, display_name="Alexandra von Hohenstaufen", number=number),
        binding=replace(
            device.binding,
            edge_id=edge_id,
            aor=number,
            contact=contact,
            source="255.255.255.255:65535",
            since=now,
            seen_at=now,
        ),
        edge_id=edge_id,
        **dict.fromkeys(("last_seen_at", "onboarded_at", "enrolled_at", "signed_in_at", "last_sync_at"), now),
    )

    assert 1024 >= size_of(device)


def test_an_edge_is_written_for_one_unit_and_one_of_its_list() -> None:
    now = datetime(2026, 11, 22, 12, 0, 0, 123456, UTC)
    watches = (Watch(now, now),) * MOST_WATCHES
    edge = Edge("ip-10-0-101-123.eu-west-1.compute.internal", now, "sip:255.255.255.255:65535;transport=tcp", now, watches)

    assert 1024 >= size_of(edge)


def size_of(record: object) -> int:
    """As DynamoDB counts it."""
    item = item_of(record)
    texts = [item.partition, item.sort, item.kind, item.data, "partition", "sort", "kind", "data", "version", "0000"]
    if item.expires_at:
        texts += ["expires_at", "0000000000"]
    if item.listing_partition:
        texts += ["listing_partition", item.listing_partition, "listing_sort", item.listing_sort or ""]
    return sum(len(text.encode()) for text in texts)


def test_stage_1_of_a_new_phone_is_one_query_and_its_writes(world: World, phone: Phone) -> None:
    assert Cost(queries=1, writes=4) == world.cost_of(phone.ask_stage_one)  # installation, candidate, two counters


def test_stage_1_of_a_claimed_phone_counts_nothing(world: World, phone: Phone) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert Cost(queries=1, writes=2) == world.cost_of(phone.ask_stage_one)


def test_stage_1_repeated_is_one_query_and_one_read(world: World, phone: Phone) -> None:
    phone.ask_stage_one()

    assert Cost(reads=1, queries=1) == world.cost_of(phone.ask_stage_one)


def test_stage_1_of_the_registered_phone_is_one_query_and_one_read(world: World, signed_in: Phone) -> None:
    assert Cost(reads=1, queries=1) == world.cost_of(signed_in.ask_stage_one)


def test_a_strangers_path_touches_nothing(world: World) -> None:
    assert Cost() == world.cost_of(lambda: world.request("GET", "/favicon.ico"))


def test_an_empty_batch_is_one_read_and_one_query(world: World) -> None:
    world.edge.report()

    assert Cost(reads=1, queries=1) == world.cost_of(world.edge.report)


def test_an_edge_that_lives_is_noted_once_an_hour(world: World) -> None:
    world.edge.report()
    world.clock.forward(hours=1)

    assert [1, 0] == [world.cost_of(world.edge.report).writes for _ in range(2)]


def test_a_sync_without_changes_writes_the_tenant_and_the_job_alone(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    cost = world.cost_of(lambda: world.admin.post("/v1/sync"))

    assert 7 == cost.writes  # begun 2, taken 1, ended 2 and the tenant's sync state; and the line of the audit


def test_a_hundred_users_without_changes_are_one_query_their_users_and_one_write(world: World, signed_in: Phone) -> None:
    def sync() -> Cost:
        return replace(world.cost_of(lambda: world.admin.post("/v1/sync")))

    small = sync()
    for part in range(2):
        world.store.save(*copies(world, signed_in, range(50 * part, 50 * part + 50)))
    large = sync()

    # all copies have Anna, whom the directory is asked for once a page
    assert (1, 1, 1) == (large.queries - small.queries, large.reads - small.reads, large.writes - small.writes)


def copies(world: World, phone: Phone, numbers: range) -> list[Installation]:
    """Installations like this phone's."""
    own = world.store.load(Installation, phone.username.rpartition(".")[0])
    assert own is not None
    return [replace(own, id=f"copy{number}", version=0) for number in numbers]


def test_the_pairing_page_without_a_session_touches_nothing(world: World) -> None:
    assert Cost() == world.cost_of(world.browser().open)


def test_a_whole_pairing_on_the_web_touches_a_bounded_number_of_items(world: World, phone: Phone) -> None:
    code = phone.onboard().show_code()
    browser = world.browser().sign_in()

    assert 30 >= total(world.cost_of(lambda: browser.pair(code)))


def test_a_list_of_users_asks_once_for_the_devices_of_each(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    cost = world.cost_of(lambda: world.admin.get("/v1/users"))

    assert Cost(reads=3, queries=4) == cost  # read: two policies, one device; asked: the users, and three users' devices


@pytest.mark.parametrize(
    ("change", "writes"), [({"display_name": "Anna Berg-Lund"}, 7), ({"number": ""}, 8)], ids=["renamed", "signed out"]
)
def test_a_phone_whose_user_changed_is_two_reads_and_seven_writes_more(
    world: World, signed_in: Phone, change: dict[str, str], writes: int
) -> None:
    assert signed_in.base
    quiet = replace(world.cost_of(lambda: world.admin.post("/v1/sync")))
    world.change_user(**change)
    busy = world.cost_of(lambda: world.admin.post("/v1/sync"))

    # written: installation, device, command, history, the job; what edges are to forget, which is removed when they were told;
    # of a sign-out the audit's line
    assert (2, 0, writes) == (busy.reads - quiet.reads, busy.queries - quiet.queries, busy.writes - quiet.writes)
