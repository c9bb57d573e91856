"""What was lost on the way is made good; what came late harms nobody."""

from __future__ import annotations

import pytest

from chalicelib.contracts.edge import EVERY_EDGE
from tests.gateway import ELSEWHERE, MAC, Phone, World


@pytest.fixture
def signed_in(phone: Phone) -> Phone:
    phone.enroll().sign_in()
    for command_id in phone.world.device()["pending_commands"]:
        phone.world.edge.report_finished(command_id, 200)
    phone.world.link.sent.clear()
    return phone


def test_a_command_whose_sending_brought_no_answer_is_sent_again_when_the_phone_registers(
    world: World, signed_in: Phone
) -> None:
    command = world.admin.post(f"/v1/devices/{MAC}/resync").json
    world.clock.forward(minutes=2)

    assert [command["id"]] == [item["id"] for item in signed_in.register()]


def test_a_command_that_was_just_sent_is_not_sent_again(world: World, signed_in: Phone) -> None:
    world.admin.post(f"/v1/devices/{MAC}/resync")

    assert [] == signed_in.register()


def test_signing_out_an_offline_phone_ends_its_credentials_at_every_edge(world: World, signed_in: Phone) -> None:
    username = signed_in.username
    signed_in.unregister()
    world.admin.post(f"/v1/devices/{MAC}/sign-out")

    assert [(EVERY_EDGE, "forget", username)] == [(edge, item.type, item.username) for edge, item in world.link.sent]


def test_another_language_reaches_the_phone_by_a_resync(world: World, signed_in: Phone) -> None:
    world.admin.patch(f"/v1/devices/{MAC}", {"language": "de"})

    expected = [("resync", signed_in.username), ("refresh", signed_in.username)]
    assert expected == [(item.type, item.username) for _, item in world.link.sent]
    assert "German" == signed_in.settings()["lang.gui"]


def test_a_phone_in_use_is_not_pushed_out_by_a_sign_in_elsewhere(world: World, signed_in: Phone) -> None:
    stranger = world.phone(address=ELSEWHERE).onboard()
    page = world.browser().sign_in().type_code(stranger.show_code())

    assert 409 == page.status
    assert "is in use" in page.text
    assert 200 == signed_in.fetch().status


def test_a_phone_that_was_reset_is_paired_again_once_its_old_registration_ended(world: World, signed_in: Phone) -> None:
    signed_in.unregister("closed")
    reset = world.phone(address=ELSEWHERE).onboard()
    page = world.browser().sign_in().pair(reset.show_code())

    assert 200 == page.status
    assert 404 == signed_in.fetch().status


def test_reasons_for_refusing_a_phone_are_noted_a_few_times_a_day(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    for number in range(9):
        world.phone(firmware=f"66.8{number % 2}.0.{number}").ask_stage_one()

    assert 5 == len([kind for kind, _ in world.history() if kind == "onboarding_refused"])


def test_a_phone_in_use_has_no_reason_put_on_it_by_a_stranger(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.phone(firmware="66.70.0.1", address=ELSEWHERE).ask_stage_one()

    assert world.device()["incompatible_reason"] is None


def test_any_etag_will_do_where_the_phone_asks_for_any(signed_in: Phone) -> None:
    assert 304 == signed_in.fetch(If_None_Match="*").status
