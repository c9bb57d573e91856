"""A tenant whose users come from Microsoft Graph: sign-in, sync, administrators and presence, in front of its double."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chalicelib.domain.directory import CallingPolicy, User
from chalicelib.usecases.set_presence import set_presence
from local.graph.server import Fault, throttled
from local.identity_provider.accounts import GRAPH_PERMISSIONS
from tests.gateway import ANNA, BEN, MAC, TENANT, Phone, World, serving
from tests.graph import GraphWorld, running_graph_world

TEAMS, USERS, _ = GRAPH_PERMISSIONS
AWAY = throttled("60")


@dataclass
class GraphTenant:
    """The gateway under test and Graph. Anna and Ben are in Graph; the gateway's own records of users count for nothing."""

    world: World
    graph: GraphWorld

    def sign_in(self, upn: str = ANNA) -> Phone:
        phone = self.world.phone().enroll().sign_in(upn)
        self.world.link.sent.clear()
        return phone

    def page(self, upn: str = ANNA, language: str = "en") -> tuple[int, str]:
        """The pairing page of somebody who has just signed in on the web."""
        answer = self.world.browser().sign_in(upn).open(f"/pair?lang={language}")
        return answer.status, answer.text

    def change(self, **fields: object) -> None:
        self.graph.graph.tenants.change(TENANT, ANNA, **fields)

    def sync(self) -> dict[str, int]:
        return dict(self.world.admin.post("/v1/sync").json["counts"])


@pytest.fixture
def tenant(identity_folder: Path) -> Iterator[GraphTenant]:
    world = World()
    with running_graph_world(identity_folder) as graph:
        world.gateway = replace(world.gateway, directory=graph.directory, presence=graph.presence)
        world.change_user(display_name="Stale", number="+4900000000")
        graph.put(
            User(TENANT, ANNA, "Anna Berg", "+4989123401", "SIP phones"),
            User(TENANT, BEN, "Ben Okafor", "+4989123402", "SIP phones"),
        )
        with serving(world):
            yield GraphTenant(world, graph)


# --- signing in --------------------------------------------------------------------------------------------------------


def test_a_user_of_graph_signs_in_with_name_and_number(tenant: GraphTenant) -> None:
    assert "Anna Berg +4989123401" == tenant.sign_in().settings()["account.1.label"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"enabled": False}, "Ask your administrator to enable your account"),
        ({"numbers": ()}, "assign you a phone number"),
        ({"numbers": (("+4989123401", "private"),)}, "assign you a phone number"),
        ({"teams": False}, "assign you a phone number"),
        ({"policy": "Sales"}, "Your calling policy is not known here. Ask your administrator to import it."),
        ({"policy": ""}, "SIP devices can be used for calls"),
    ],
    ids=str,
)
def test_the_page_says_what_is_missing(tenant: GraphTenant, changed: dict[str, object], said: str) -> None:
    tenant.change(**changed)
    status, text = tenant.page()

    assert (422, True) == (status, said in text)


def test_a_policy_that_was_never_imported_is_said_in_the_readers_language(tenant: GraphTenant) -> None:
    tenant.change(policy="Sales")

    assert "Ihre Anrufrichtlinie" in tenant.page(language="de")[1]


def test_a_user_who_was_deleted_is_told_so(tenant: GraphTenant) -> None:
    tenant.graph.graph.tenants.remove(TENANT, ANNA)

    assert (422, True) == (tenant.page()[0], "add you to the directory" in tenant.page()[1])


def test_while_graph_is_away_the_page_says_to_try_again(tenant: GraphTenant) -> None:
    browser = tenant.world.browser()
    browser.come_back(browser.begin())
    tenant.graph.graph.faults.then(AWAY)
    answer = browser.open("/pair?lang=de")

    assert (503, True) == (answer.status, "Microsoft Graph antwortet nicht" in answer.text)


def test_without_consent_the_page_says_whom_to_ask(tenant: GraphTenant) -> None:
    tenant.graph.grant(USERS)
    status, text = tenant.page()

    assert (503, True) == (status, "has not let the SIP Gateway read its users" in text)


def test_of_users_who_share_a_number_by_extension_the_first_has_it(tenant: GraphTenant) -> None:
    tenant.graph.put(
        User(TENANT, ANNA, "Anna Berg", "+4989123400", "SIP phones", extension="1"),
        User(TENANT, BEN, "Ben Okafor", "+4989123400", "SIP phones", extension="2"),
    )
    tenant.sign_in(ANNA)
    second = tenant.world.phone("805ec0abcdef").enroll()
    refused = tenant.world.browser().sign_in(BEN).pair(second.show_code())

    assert (409, "enrolled") == (refused.status, tenant.world.device("805ec0abcdef")["state"])


# --- keeping in line ---------------------------------------------------------------------------------------------------


def test_a_change_in_graph_reaches_the_phone_with_the_sync(tenant: GraphTenant) -> None:
    phone = tenant.sign_in()
    tenant.change(display_name="Anna Berg-Lund")

    assert {"checked": 1, "changed": 1, "signed_out": 0}.items() <= tenant.sync().items()
    assert "Anna Berg-Lund +4989123401" == phone.settings()["account.1.label"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"enabled": False}, "user_disabled"),
        ({"numbers": ()}, "user_without_number"),
        ({"policy": "Sales"}, "user_without_policy"),
    ],
    ids=str,
)
def test_who_lost_the_right_in_graph_is_signed_out(tenant: GraphTenant, changed: dict[str, object], reason: str) -> None:
    tenant.sign_in()
    tenant.change(**changed)
    tenant.sync()

    assert ("signed_out", {"reason": reason}) in tenant.world.history()


@pytest.mark.parametrize(
    "fault", [AWAY, Fault(403), Fault(text='{"responses": [{"id": "0", "status": 200, "body": {}}]}')], ids=str
)
def test_nobody_is_signed_out_because_graph_cannot_be_asked(tenant: GraphTenant, fault: Fault) -> None:
    tenant.sign_in()
    tenant.graph.graph.faults.then(fault)
    tenant.world.admin.post("/v1/sync")

    assert "signed_in" == tenant.world.device()["state"]


def test_a_registration_is_recorded_while_graph_is_away(tenant: GraphTenant) -> None:
    phone = tenant.sign_in()
    tenant.world.clock.forward(minutes=16)
    tenant.graph.graph.faults.then(AWAY)
    phone.register()

    assert ("signed_in", "online") == (tenant.world.device()["state"], tenant.world.device()["connection"])


def test_a_registration_after_15_minutes_notices_what_changed(tenant: GraphTenant) -> None:
    phone = tenant.sign_in()
    tenant.change(numbers=())
    tenant.world.clock.forward(minutes=16)
    phone.register()

    assert "enrolled" == tenant.world.device()["state"]


def test_the_users_of_a_whole_batch_are_asked_for_together(tenant: GraphTenant) -> None:
    phones = [tenant.sign_in(), tenant.world.phone("805ec0abcdef").enroll().sign_in(BEN)]
    tenant.world.clock.forward(minutes=16)
    before = tenant.graph.graph.faults.requests
    tenant.world.edge.report(*(phone.registered() for phone in phones))

    assert 2 == tenant.graph.graph.faults.requests - before


# --- administrators ----------------------------------------------------------------------------------------------------


def test_users_of_graph_are_listed_with_their_devices(tenant: GraphTenant) -> None:
    tenant.sign_in()
    listed = tenant.world.admin.get("/v1/users").json["items"]

    assert {ANNA: [MAC], BEN: []} == {user["upn"]: [device["mac"] for device in user["devices"]] for user in listed}


def test_an_unknown_policy_is_shown_to_the_administrator_until_it_is_imported(tenant: GraphTenant) -> None:
    tenant.change(policy="Sales")
    before = tenant.world.admin.get(f"/v1/users/{ANNA}").json
    tenant.world.admin.post("/v1/policies/import", '[{"Identity": "Tag:Sales", "AllowSIPDevicesCalling": true}]')
    after = tenant.world.admin.get(f"/v1/users/{ANNA}").json

    assert [("Sales", False), ("Sales", True)] == [(shown["policy"], shown["policy_known"]) for shown in (before, after)]
    assert 200 == tenant.page()[0]


def test_users_are_not_written_where_they_come_from_graph(tenant: GraphTenant) -> None:
    answer = tenant.world.admin.put(f"/v1/users/{ANNA}", {"number": "+4989123999"})

    assert (409, "directory_read_only") == (answer.status, answer.json["code"])
    assert "Microsoft Graph" in answer.json["detail"]


def test_while_graph_is_away_administrators_are_told_when_to_try_again(tenant: GraphTenant) -> None:
    tenant.graph.graph.faults.then(AWAY)
    answer = tenant.world.admin.get("/v1/users")

    assert (503, "directory_away", "61") == (answer.status, answer.json["code"], answer.headers["retry-after"])


def test_a_common_area_account_of_graph_is_signed_in_by_an_administrator(tenant: GraphTenant) -> None:
    tenant.graph.put(User(TENANT, "lobby@example.com", "Lobby", "+4989123403", "Lobby"))
    tenant.world.phone().enroll()

    assert 202 == tenant.world.admin.post(f"/v1/devices/{MAC}/sign-in", {"user": "lobby@example.com"}).status


def test_only_this_tenants_policies_count(tenant: GraphTenant) -> None:
    tenant.change(policy="Sales")
    tenant.world.store.save(CallingPolicy("another-tenant", "Sales", sip_devices_for_calls=True))

    assert 422 == tenant.page()[0]


# --- presence ----------------------------------------------------------------------------------------------------------


def presence(tenant: GraphTenant) -> list[dict[str, object] | None]:
    return list(tenant.graph.graph.tenants.presences.values())


def test_do_not_disturb_is_shown_in_teams_and_taken_back(tenant: GraphTenant) -> None:
    shown = set_presence(tenant.world.gateway, TENANT, ANNA, do_not_disturb=True)
    while_on = presence(tenant)
    taken_back = set_presence(tenant.world.gateway, TENANT, ANNA, do_not_disturb=False)

    expected = {"availability": "DoNotDisturb", "activity": "DoNotDisturb", "expirationDuration": "P1D"}
    assert ([True, True], [expected], [None]) == ([shown, taken_back], while_on, presence(tenant))


@pytest.mark.parametrize("fault", [AWAY, Fault(500), Fault(403), Fault(0), Fault(text="{"), Fault(400)], ids=str)
def test_a_feature_code_never_fails_because_of_teams(
    tenant: GraphTenant, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    tenant.graph.graph.faults.then(fault, fault, fault)

    assert set_presence(tenant.world.gateway, TENANT, ANNA, do_not_disturb=True) is False
    assert "presence_not_set" in caplog.messages


def test_presence_has_no_time_for_long_waits(tenant: GraphTenant) -> None:
    tenant.graph.graph.faults.then(*[Fault(503)] * 9)
    set_presence(tenant.world.gateway, TENANT, ANNA, do_not_disturb=True)

    assert 1.6 >= sum(tenant.graph.time.slept)


def test_a_hurried_question_that_failed_stops_nobody_else(tenant: GraphTenant) -> None:
    tenant.graph.graph.faults.then(Fault(503), Fault(503))
    set_presence(tenant.world.gateway, TENANT, ANNA, do_not_disturb=True)

    assert 200 == tenant.page()[0]


def test_without_the_permission_presence_is_not_shown_and_users_are_read(tenant: GraphTenant) -> None:
    tenant.graph.grant(TEAMS, USERS)

    assert set_presence(tenant.world.gateway, TENANT, ANNA, do_not_disturb=True) is False
    assert 200 == tenant.page()[0]


def test_a_user_whom_graph_does_not_know_has_no_presence(tenant: GraphTenant) -> None:
    assert set_presence(tenant.world.gateway, TENANT, "nobody@example.com", do_not_disturb=True) is False
