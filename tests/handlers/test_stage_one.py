"""Stage 1: what a phone gets that is known only by its MAC address, and what a stranger with the same MAC does not."""

from __future__ import annotations

from itertools import permutations

import pytest

from chalicelib.domain.device import Device
from chalicelib.usecases.bootstrap_device import NEW_CANDIDATES_PER_ADDRESS
from tests.gateway import ELSEWHERE, HOME, MAC, PUBLIC_URL, TENANT, Phone, World

NOT_FOUND = (404, {"cache-control": "no-store", "content-type": "text/plain; charset=utf-8"}, "not found\n")


def other_mac(number: int) -> str:
    return f"805ec0{number:06x}"


TOO_MANY = [other_mac(number) for number in range(NEW_CANDIDATES_PER_ADDRESS + 1)]


# --- candidates --------------------------------------------------------------------------------------------------------


def test_a_new_phone_gets_its_own_url_and_nothing_else(phone: Phone) -> None:
    answer = phone.ask_stage_one()

    assert f"#!version:1.0.0.1\nstatic.auto_provision.server.url = {PUBLIC_URL}{phone.base}\n" == answer.text


def test_the_token_has_256_bits(phone: Phone) -> None:
    phone.ask_stage_one()

    assert 43 == len(phone.token)


def test_the_same_token_is_repeated_until_it_is_used(phone: Phone) -> None:
    assert phone.ask_stage_one() == phone.ask_stage_one()


def test_a_token_that_was_fetched_with_is_not_repeated(phone: Phone) -> None:
    first = phone.ask_stage_one()
    phone.fetch()

    assert first.text != phone.ask_stage_one().text


def test_fetching_the_boot_and_the_common_file_does_not_use_the_token_up(phone: Phone) -> None:
    first = phone.ask_stage_one()
    phone.fetch(f"{MAC}.boot")
    phone.fetch("ca.pem")

    assert first.text == phone.ask_stage_one().text


def test_another_address_gets_another_candidate(world: World) -> None:
    home, elsewhere = world.phone(), world.phone(address=ELSEWHERE)
    home.ask_stage_one()
    elsewhere.ask_stage_one()

    assert home.token != elsewhere.token


def test_candidates_of_two_addresses_live_side_by_side(world: World) -> None:
    home, elsewhere = world.phone(), world.phone(address=ELSEWHERE)
    home.ask_stage_one()
    elsewhere.ask_stage_one()

    assert (200, 200) == (home.fetch().status, elsewhere.fetch().status)


def test_a_candidate_that_never_registered_is_gone_after_24_hours(world: World, phone: Phone) -> None:
    phone.ask_stage_one()
    world.clock.forward(hours=24)

    assert 404 == phone.fetch().status


def test_a_candidate_that_registered_outlives_24_hours(world: World, phone: Phone) -> None:
    phone.onboard()
    world.clock.forward(hours=25)

    assert 200 == phone.fetch().status


def test_an_expired_candidate_is_not_repeated(world: World, phone: Phone) -> None:
    first = phone.ask_stage_one()
    world.clock.forward(hours=24)

    assert first.text != phone.ask_stage_one().text


def test_the_temporary_account_of_a_candidate_may_not_call(phone: Phone) -> None:
    phone.onboard()

    assert phone.credentials().json["may_call"] is False


def test_a_registered_candidate_that_was_silent_for_14_days_is_gone(world: World, phone: Phone) -> None:
    phone.onboard()
    world.clock.forward(days=14)

    assert (404, 404) == (phone.fetch().status, phone.credentials().status)


def test_a_candidate_that_goes_on_registering_lives_on(world: World, phone: Phone) -> None:
    phone.onboard()
    for _ in range(3):
        world.clock.forward(days=10)
        phone.register()

    assert 200 == phone.fetch().status


# --- strangers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def signed_in(phone: Phone) -> Phone:
    return phone.enroll().sign_in()


def test_a_stranger_with_a_signed_in_phones_mac_gets_another_token(world: World, signed_in: Phone) -> None:
    stranger = world.phone(address=ELSEWHERE)
    stranger.ask_stage_one()

    assert signed_in.token != stranger.token


def test_a_strangers_files_hold_nothing_of_the_signed_in_phone(world: World, signed_in: Phone) -> None:
    own = signed_in.settings()
    stranger = world.phone(address=ELSEWHERE)
    stranger.ask_stage_one()
    text = stranger.fetch().text
    secrets = ("account.1.password", "account.1.auth_name", "account.1.user_name", "account.1.display_name")

    assert [] == [name for name in secrets if own[name] in text]


def test_a_stranger_that_goes_as_far_as_it_can_disturbs_nothing(world: World, signed_in: Phone) -> None:
    before = signed_in.fetch()
    world.link.sent.clear()
    stranger = world.phone(address=ELSEWHERE).onboard()
    stranger.dial("*55*000000")
    signed_in.register()

    assert (200, before.text) == (signed_in.fetch().status, signed_in.fetch().text)
    assert signed_in.credentials().json["may_call"] is True
    assert ("signed_in", "online", HOME) == tuple(world.device()[name] for name in ("state", "connection", "ip"))
    assert [] == [command for command in world.link.sent if command[1].type == "forget"]


def test_a_strangers_registration_is_on_the_owners_record(world: World, signed_in: Phone) -> None:
    assert signed_in.aor
    world.phone(address=ELSEWHERE).onboard()

    assert ("candidate_registered", {"address": f"{ELSEWHERE}:40001"}) in world.history()


def test_a_phone_that_comes_from_its_own_registered_address_gets_a_file_that_changes_nothing(signed_in: Phone) -> None:
    own = signed_in.base

    assert (200, "#!version:1.0.0.1\n") == (signed_in.ask_stage_one().status, signed_in.ask_stage_one().text)
    assert own == signed_in.base


def test_a_phone_that_is_no_longer_registered_gets_a_candidate_at_its_own_address(signed_in: Phone) -> None:
    own = signed_in.base
    signed_in.unregister()
    signed_in.ask_stage_one()

    assert own != signed_in.base


def test_a_blocked_phone_gets_nothing(world: World, signed_in: Phone) -> None:
    signed_in.unregister()
    world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})

    assert NOT_FOUND == tuple(vars(signed_in.ask_stage_one()).values())


def test_a_candidate_from_before_the_block_is_not_repeated(world: World, signed_in: Phone) -> None:
    stranger = world.phone(address=ELSEWHERE)
    stranger.ask_stage_one()
    assert signed_in.base
    world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})

    assert 404 == stranger.ask_stage_one().status


# --- limits ------------------------------------------------------------------------------------------------------------


def statuses_of(world: World, macs: list[str], address: str = HOME) -> list[int]:
    return [world.phone(mac, address=address).ask_stage_one().status for mac in macs]


def test_one_address_gets_a_large_building_of_new_candidates_in_ten_minutes(world: World) -> None:
    assert 1_000 == NEW_CANDIDATES_PER_ADDRESS  # every model of the list in every language, from one address
    assert [200] * NEW_CANDIDATES_PER_ADDRESS + [404] == statuses_of(world, TOO_MANY)


def test_another_address_is_served_while_one_is_over_its_limit(world: World) -> None:
    statuses_of(world, TOO_MANY)

    assert [200] == statuses_of(world, [MAC], ELSEWHERE)


def test_an_address_over_its_limit_is_served_again_after_ten_minutes(world: World) -> None:
    statuses_of(world, TOO_MANY)
    world.clock.forward(minutes=10)

    assert [200] == statuses_of(world, [MAC])


def test_an_address_over_its_limit_still_gets_the_candidates_it_has(world: World) -> None:
    macs = TOO_MANY
    statuses_of(world, macs)

    assert [200] == statuses_of(world, macs[:1])


def test_claimed_devices_are_not_counted(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    statuses_of(world, TOO_MANY)

    assert [200] == statuses_of(world, [MAC])


def test_one_mac_gets_20_new_candidates_in_ten_minutes(phone: Phone) -> None:
    seen = []
    for _ in range(21):
        seen.append(phone.ask_stage_one().status)
        phone.fetch()

    assert [200] * 20 + [404] == seen


def test_strangers_at_many_addresses_do_not_keep_the_phone_out(world: World) -> None:
    phones = [world.phone(address=f"203.0.113.{number}") for number in range(10)]

    assert [200] * 10 == [phone.ask_stage_one().status for phone in phones]


def test_the_oldest_of_many_candidates_is_no_longer_repeated_and_its_token_still_works(world: World) -> None:
    phones = [world.phone(address=f"203.0.113.{number}") for number in range(10)]
    for each in phones:
        each.ask_stage_one()
        world.clock.forward(seconds=1)
    oldest = phones[0].base

    assert 200 == phones[0].get(f"{oldest}{MAC}.cfg").status
    phones[0].ask_stage_one()
    assert oldest != phones[0].base


# --- incompatible phones -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone_of", "reason"),
    [
        ({"firmware": "66.82.0.30"}, "Firmware 66.82.0.30 is older than 83; upgrade to 66.86.5.1"),
        ({"model": "T19P"}, "Yealink T19P is not a compatible model"),
    ],
    ids=["old firmware", "foreign model"],
)
def test_an_incompatible_phone_gets_the_404_and_its_claimant_the_reason(
    world: World, phone_of: dict[str, str], reason: str
) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    answer = world.phone(**phone_of).ask_stage_one()

    assert (404, reason) == (answer.status, world.device()["incompatible_reason"])
    assert ("onboarding_refused", {"reason": reason}) in world.history()


def test_the_version_of_a_polys_updater_refuses_no_phone(world: World) -> None:
    mac = "64167f123456"
    world.admin.post("/v1/devices", {"mac": mac})
    kinds = [("5.9.4.1", "Updater"), ("6.4.3.5814", "Application")]
    asked = [
        world.request(
            "GET", f"/{mac}.cfg", headers={"User-Agent": f"FileTransport PolycomVVX-VVX_450-UA/{version} Type/{kind}"}
        )
        for version, kind in kinds
    ]

    assert [404, 200] == [answer.status for answer in asked]
    assert world.admin.get(f"/v1/devices/{mac}").json["incompatible_reason"] is None
    assert ["added"] == [item["type"] for item in world.admin.get(f"/v1/devices/{mac}/events").json["items"]]


def test_the_reason_is_recorded_once(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    world.clock.forward(seconds=1)
    old = world.phone(firmware="66.82.0.30")
    old.ask_stage_one()
    old.ask_stage_one()

    assert ["onboarding_refused", "added"] == [kind for kind, _ in world.history()]


def test_nothing_is_stored_of_a_strangers_incompatible_phone(world: World) -> None:
    world.phone(firmware="66.82.0.30").ask_stage_one()

    assert world.store.load(Device, MAC) is None


def test_a_phone_that_was_upgraded_loses_the_reason_when_it_is_onboarded(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    world.phone(firmware="66.82.0.30").ask_stage_one()
    world.phone().onboard()

    assert ("onboarded", None, "66.86.5.1") == tuple(
        world.device()[name] for name in ("state", "incompatible_reason", "firmware")
    )


# --- words in the path -------------------------------------------------------------------------------------------------


def test_the_language_in_the_url_is_the_phones(world: World) -> None:
    phone = world.phone(words="lang_de/")
    phone.ask_stage_one()

    assert ("German", True) == (phone.settings()["lang.gui"], "/lang_de/" in phone.base)


@pytest.mark.parametrize("words", ["/".join(order) for order in permutations(("lang_de", f"tenantid/{TENANT}"))])
def test_language_and_tenant_stand_in_either_order(world: World, words: str) -> None:
    phone = world.phone(words=f"{words}/")
    phone.ask_stage_one()

    assert "German" == phone.settings()["lang.gui"]


def test_the_guid_of_the_tenant_may_be_in_capitals(world: World) -> None:
    assert 200 == world.phone(words=f"tenantid/{TENANT.upper()}/").ask_stage_one().status


def test_a_language_that_nobody_speaks_is_english(world: World) -> None:
    phone = world.phone(words="lang_xx/")
    phone.ask_stage_one()

    assert "English" == phone.settings()["lang.gui"]


def test_a_candidate_follows_the_language_of_the_url(world: World) -> None:
    first, second = world.phone(words="lang_de/"), world.phone(words="lang_fr/")
    first.ask_stage_one()
    second.ask_stage_one()

    assert (first.token, "French") == (second.token, second.settings()["lang.gui"])


def test_the_file_name_is_compared_without_case(world: World, phone: Phone) -> None:
    assert 200 == phone.get(f"/{MAC.upper()}.CFG").status
    assert world


FILE = f"{MAC}.cfg"
STRANGE_PATHS = [
    f"/wrong/{FILE}",
    f"/lang_de/lang_fr/{FILE}",
    f"/tenantid/{FILE}",
    f"/tenantid/not-a-guid/{FILE}",
    f"/tenantid/{TENANT}/wrong/{FILE}",
    f"/lang_de/tenantid/{FILE}",
    f"/{TENANT}/tenantid/{FILE}",
    "/y000000000000.boot",
    "/805ec0ffffff.cfg",
    f"/{MAC}.boot",
    f"/{MAC}.xml",
    f"/..%2f{FILE}",
    f"/%2e%2e/{FILE}",
    f"/./{FILE}",
    f"/{FILE}%00",
    f"/{FILE}%0a",
    f"/%25{FILE}",
    f"/lang_de%2f{FILE}",
    f"/%ff%fe/{FILE}",
    f"/{FILE}{'x' * 10_240}",
    f"/{'x' * 10_240}",
    f"/{'x' * 10_240}/{FILE}",
    "/favicon.ico",
    "/robots.txt",
    "/d/x",
    "/d",
]


@pytest.mark.parametrize("path", STRANGE_PATHS, ids=lambda path: path[:40])
def test_every_other_path_gets_the_plain_404(phone: Phone, path: str) -> None:
    answer = phone.get(path)

    assert NOT_FOUND == (answer.status, answer.headers, answer.text)


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "curl/8.0",
        "Mozilla/5.0",
        "Yealink",
        "Yealink SIP-T46S",
        "Yealink SIP-T46S 66.86.5.1 80:5e:c0:ff:ff:ff",
        "x" * 10_240,
    ],
    ids=lambda text: text[:50],
)
def test_every_other_user_agent_gets_the_plain_404(world: World, user_agent: str) -> None:
    answer = world.request("GET", f"/{FILE}", headers={"User-Agent": user_agent})

    assert NOT_FOUND == (answer.status, answer.headers, answer.text)


# --- one 404 -----------------------------------------------------------------------------------------------------------


def refusals(world: World) -> dict[str, Phone]:
    """Phones whose next fetch of their MAC file is refused, each for another reason."""
    bad = world.phone(other_mac(1))
    bad.base = f"/d/{'A' * 43}/"
    expired = world.phone(other_mac(2))
    expired.ask_stage_one()
    world.clock.forward(hours=24)
    blocked = world.phone(other_mac(3)).enroll()
    world.admin.patch(f"/v1/devices/{blocked.mac}", {"blocked": True})
    removed = world.phone(other_mac(4)).enroll()
    world.admin.delete(f"/v1/devices/{removed.mac}")
    replaced = world.phone(other_mac(5)).enroll()
    world.phone(other_mac(5), address=ELSEWHERE).enroll()
    altered = world.phone(other_mac(6)).onboard()
    altered.base = altered.base.replace(altered.token, altered.token[:-1])
    return {
        "bad token": bad,
        "expired": expired,
        "blocked": blocked,
        "removed": removed,
        "replaced": replaced,
        "altered": altered,
    }


def test_every_reason_gives_the_same_404(world: World) -> None:
    answers = {reason: phone.fetch() for reason, phone in refusals(world).items()}

    assert dict.fromkeys(answers, NOT_FOUND) == {why: (a.status, a.headers, a.text) for why, a in answers.items()}


def test_a_foreign_file_under_a_good_token_gives_the_same_404(world: World) -> None:
    phone, other = world.phone().onboard(), world.phone(other_mac(7)).onboard()
    names = [f"{other.mac}.cfg", f"{other.mac}.boot", "y000000000000.cfg", "../x", "ui", "x" * 10_240, "%2e%2e%2fca.pem"]
    answers = [phone.fetch(name) for name in names]

    assert [NOT_FOUND] * len(names) == [(answer.status, answer.headers, answer.text) for answer in answers]


def test_unknown_screens_give_the_same_404(phone: Phone) -> None:
    phone.onboard()
    answers = [phone.screen(name) for name in ("", "admin", "sign-in.xml", "%2e%2e%2fx", "x" * 10_240)]

    assert [NOT_FOUND] * 5 == [(answer.status, answer.headers, answer.text) for answer in answers]
