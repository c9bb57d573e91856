"""Microsoft Graph when it throttles, fails, answers nonsense or lets nobody in; and what it is asked at all."""

from __future__ import annotations

import base64
import json
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.adapters.graph import GraphDirectory
from chalicelib.domain.directory import User
from chalicelib.domain.errors import BadRequest, DirectoryAway, DirectoryRefused
from chalicelib.domain.secret import Secret
from chalicelib.settings import BadSetting
from local.graph.server import CUT, EXPIRED_TOKEN, Fault, throttled
from local.graph.tenants import Account
from local.identity_provider.accounts import GRAPH_PERMISSIONS
from tests.gateway import OTHER_TENANT, TENANT
from tests.graph import GraphWorld, running_graph_world

ANNA = User(TENANT, "anna@example.com", "Anna Berg", "+4989123401", "SIP phones")
TEAMS, USERS, PRESENCE = GRAPH_PERMISSIONS


@pytest.fixture
def world(identity_folder: Path) -> Iterator[GraphWorld]:
    with running_graph_world(identity_folder) as world:
        world.put(ANNA)
        yield world


def load(world: GraphWorld, *upns: str) -> list[User]:
    return list(world.directory.load_users(TENANT, upns or (ANNA.upn,)).values())


def crowd(number: int) -> list[User]:
    return [User(TENANT, f"user{item:03}@example.com", f"User {item}", f"+49891{item:05}") for item in range(number)]


# --- what it costs -----------------------------------------------------------------------------------------------------


def test_one_user_takes_two_requests(world: GraphWorld) -> None:
    load(world)

    assert (2, 2) == (world.graph.faults.requests, len(world.asked))


def test_a_page_of_100_users_takes_6_requests_that_graph_counts_as_107(world: GraphWorld) -> None:
    everybody = crowd(100)
    world.put(*everybody)

    assert 100 == len(load(world, *(user.upn for user in everybody)))
    assert (6, 107) == (world.graph.faults.requests, len(world.asked))


def test_a_listed_page_of_100_users_takes_2_requests_that_graph_counts_as_8(world: GraphWorld) -> None:
    world.put(*crowd(99))
    world.directory.list_users(TENANT, 100)

    assert (2, 8) == (world.graph.faults.requests, len(world.asked))


def test_a_token_is_asked_for_once(world: GraphWorld, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        load(world)

    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "oauth2/v2.0/token" in line]
    assert 1 == len(lines)


def test_every_tenant_has_its_own_token(world: GraphWorld) -> None:
    world.put(User(OTHER_TENANT, ANNA.upn, "Another Anna"))

    assert ["Anna Berg", "Another Anna"] == [
        user.display_name
        for tenant in (TENANT, OTHER_TENANT)
        for user in world.directory.load_users(tenant, [ANNA.upn]).values()
    ]


# --- throttling --------------------------------------------------------------------------------------------------------


def test_the_wait_that_graph_asks_for_is_kept(world: GraphWorld) -> None:
    world.graph.faults.then(throttled("3"), throttled("2"))

    assert ([ANNA], [3.25, 2.25]) == (load(world), world.time.slept)


def test_without_a_named_time_the_waits_grow(world: GraphWorld) -> None:
    world.graph.faults.then(throttled(None), throttled("soon"), Fault(503))

    assert ([ANNA], [0.5, 1, 2]) == (load(world), world.time.slept)


def test_a_wait_longer_than_a_function_has_is_left_to_the_caller(world: GraphWorld) -> None:
    world.graph.faults.then(throttled("120"))
    with pytest.raises(DirectoryAway) as away:
        load(world)

    assert (121, []) == (away.value.retry_after_seconds, world.time.slept)


def test_while_graph_has_asked_to_wait_nobody_of_that_tenant_asks(world: GraphWorld) -> None:
    world.graph.faults.then(throttled("120"))
    for _ in range(3):
        with pytest.raises(DirectoryAway):
            load(world)
    world.time.now += 60
    with pytest.raises(DirectoryAway) as away:
        load(world)

    assert (1, 61) == (world.graph.faults.requests, away.value.retry_after_seconds)
    assert {} == world.directory.load_users(OTHER_TENANT, [ANNA.upn])


def test_after_the_wait_graph_is_asked_again(world: GraphWorld) -> None:
    world.graph.faults.then(throttled("120"))
    with pytest.raises(DirectoryAway):
        load(world)
    world.time.now += 121

    assert [ANNA] == load(world)


def test_nobody_waits_longer_than_five_minutes_for_graph(world: GraphWorld) -> None:
    world.graph.faults.then(throttled("86400"))
    with pytest.raises(DirectoryAway) as away:
        load(world)

    assert 300 == away.value.retry_after_seconds


def test_a_throttled_part_of_a_batch_is_asked_for_alone(world: GraphWorld) -> None:
    everybody = crowd(20)
    world.put(*everybody)
    parts = [Fault(inside=True)] * 2
    world.graph.faults.then(*[throttled("1", inside=True) for _ in parts])
    found = load(world, *(user.upn for user in everybody))

    assert everybody == sorted(found, key=lambda user: user.upn)
    assert ({"GET /users": 2}, 20) == ({"GET /users": world.asked.count("GET /users")}, len(set(world.asked)) - 1)
    assert [1.25] == world.time.slept


def test_throttling_that_does_not_end_is_given_up(world: GraphWorld) -> None:
    world.graph.faults.throttle_from = 2
    with pytest.raises(DirectoryAway):
        load(world)

    assert sum(world.time.slept) < 10


# --- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500),
        Fault(502),
        Fault(503),
        Fault(504, text="<html>gateway timeout</html>"),
        CUT,
        Fault(text=""),
        Fault(text="{"),
        Fault(text="[]"),
        Fault(text='{"responses": []}'),
        Fault(text='{"responses": "none"}'),
        Fault(text='{"responses": [{"id": "x", "status": 200}]}'),
        Fault(text='{"responses": [7]}'),
        Fault(503, inside=True),
        Fault(200, text="no object", inside=True),
    ],
    ids=str,
)
def test_a_fault_that_passes_is_not_noticed(world: GraphWorld, fault: Fault) -> None:
    world.graph.faults.then(fault)

    assert [ANNA] == load(world)
    assert 1 == len(world.time.slept)


@pytest.mark.parametrize("fault", [Fault(500), CUT, Fault(text="{")], ids=str)
def test_a_fault_that_stays_is_given_up_after_five_tries(world: GraphWorld, fault: Fault) -> None:
    world.graph.faults.then(*[fault] * 9)
    with pytest.raises(DirectoryAway) as away:
        load(world)

    assert ([0.5, 1, 2, 4], "directory_away") == (world.time.slept, away.value.code)


def test_a_slow_answer_is_not_waited_for(world: GraphWorld) -> None:
    world.graph.faults.then(Fault(seconds=4))
    hasty = GraphDirectory(world.another_client(request_seconds=1))

    assert [ANNA] == list(hasty.load_users(TENANT, [ANNA.upn]).values())
    assert [0.5] == world.time.slept[:1]  # a busy machine may be slow again


def test_graph_that_is_not_there_is_away(world: GraphWorld) -> None:
    nowhere = GraphDirectory(world.another_client(graph_url="http://127.0.0.1:9"))
    with pytest.raises(DirectoryAway):
        nowhere.load_users(TENANT, [ANNA.upn])


@pytest.mark.parametrize(
    "text",
    [
        '{"value": {}}',
        '{"value": [7]}',
        '{"value": [{}]}',
        '{"value": null}',
        "{}",
        '{"value": [], "@odata.nextLink": "https://elsewhere.example/v1.0/admin/teams/userConfigurations?$skiptoken=x"}',
        '{"value": [], "@odata.nextLink": "http://127.0.0.1/v1.0/users?$skiptoken=x"}',
        '{"value": [], "@odata.nextLink": "http://127.0.0.1/v1.0/admin/teams/userConfigurations"}',
        '{"value": [], "@odata.nextLink": "/me"}',
        '{"value": [], "@odata.nextLink": 7}',
    ],
)
def test_a_list_of_another_shape_is_no_empty_list(world: GraphWorld, text: str) -> None:
    world.graph.faults.then(Fault(text=text))
    with pytest.raises(DirectoryAway):
        world.directory.list_users(TENANT, 10)


@pytest.mark.parametrize("changed", [{"telephoneNumbers": "none"}, {"effectivePolicyAssignments": [7]}, {"value": 7}], ids=str)
def test_a_configuration_of_another_shape_takes_nothing_away(world: GraphWorld, changed: dict[str, object]) -> None:
    account = world.graph.tenants.accounts[TENANT][ANNA.upn]
    accounts = {
        "responses": [
            {"id": "0", "status": 200, "body": {"value": [{"id": account.id(TENANT), "userPrincipalName": ANNA.upn}]}}
        ]
    }
    wrong = {"responses": [{"id": "0", "status": 200, "body": changed}]}
    world.graph.faults.then(Fault(text=json.dumps(accounts)), Fault(text=json.dumps(wrong)))
    with pytest.raises(DirectoryAway):
        load(world)


@pytest.mark.parametrize(
    "text", ["../../users", "0 ../../users", "0 ?$skiptoken=x", "0 ?$expand=user", "99999 ?$top=1", "-1 ?$top=1", "0 ?$top=1#x"]
)
def test_a_cursor_leads_nowhere_but_on_in_the_list(world: GraphWorld, text: str) -> None:
    cursor = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    with pytest.raises(BadRequest):
        world.directory.list_users(TENANT, 10, cursor)
    assert {"GET /admin/teams/userConfigurations"} >= set(world.asked)


def test_another_tenants_cursor_is_refused(world: GraphWorld) -> None:
    world.put(*crowd(3))
    cursor = world.directory.list_users(TENANT, 2).next_cursor

    with pytest.raises(BadRequest):
        world.directory.list_users(OTHER_TENANT, 2, cursor)


def test_a_next_links_path_has_no_case(world: GraphWorld) -> None:
    link = f"{world.graph.url}/v1.0/Admin/Teams/UserConfigurations?$top=10"
    world.graph.faults.then(Fault(text=json.dumps({"value": [], "@odata.nextLink": link})))
    cursor = world.directory.list_users(TENANT, 10).next_cursor

    assert [ANNA] == list(world.directory.list_users(TENANT, 10, cursor).items)


def test_a_redirection_is_not_followed(world: GraphWorld) -> None:
    world.graph.faults.then(Fault(302, {"Location": world.graph.url + "/v1.0/users"}))
    with pytest.raises(DirectoryAway):
        load(world)

    assert 1 == world.graph.faults.requests


# --- tokens and consent ------------------------------------------------------------------------------------------------


def test_an_expired_token_is_replaced(world: GraphWorld) -> None:
    load(world)
    world.graph.faults.then(EXPIRED_TOKEN)

    assert ([ANNA], []) == (load(world), world.time.slept)


def test_an_expired_token_inside_a_batch_is_replaced(world: GraphWorld) -> None:
    world.graph.faults.then(Fault(401, inside=True))

    assert [ANNA] == load(world)


def test_a_token_that_is_never_accepted_is_a_refusal(world: GraphWorld) -> None:
    world.graph.faults.then(EXPIRED_TOKEN, EXPIRED_TOKEN)
    with pytest.raises(DirectoryRefused):
        load(world)


@pytest.mark.parametrize("missing", [TEAMS, USERS])
def test_without_a_permission_the_gateway_is_refused(world: GraphWorld, missing: str) -> None:
    world.grant(*(set(GRAPH_PERMISSIONS) - {missing}))
    with pytest.raises(DirectoryRefused, match="give consent"):
        load(world)


def test_reading_needs_no_permission_to_write_presence(world: GraphWorld) -> None:
    world.grant(TEAMS, USERS)

    assert [ANNA] == load(world)


def test_a_wrong_secret_is_the_operators_to_renew(world: GraphWorld) -> None:
    stranger = GraphDirectory(world.another_client(secret="wrong"))
    with pytest.raises(DirectoryRefused, match="entra_client_secret"):
        stranger.load_users(TENANT, [ANNA.upn])


def test_an_application_that_the_tenant_does_not_know_lacks_consent(world: GraphWorld) -> None:
    stranger = GraphDirectory(world.another_client(entra_client_id="nobody"))
    with pytest.raises(DirectoryRefused, match="give consent"):
        stranger.load_users(TENANT, [ANNA.upn])


def test_a_sign_in_service_that_is_away_is_said_so(world: GraphWorld) -> None:
    lonely = GraphDirectory(world.another_client(entra_url="http://127.0.0.1:9"))
    with pytest.raises(DirectoryAway, match="sign-in service"):
        lonely.load_users(TENANT, [ANNA.upn])


def test_secrets_and_tokens_stand_in_no_log_and_no_error(
    world: GraphWorld, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.graph.faults.then(*[Fault(500)] * 5)
    with pytest.raises(DirectoryAway) as away:
        load(world)
    token = world.client._tokens.load_token(TENANT)
    logged = [str(vars(line)) for line in caplog.records]
    written = "".join([*capfd.readouterr(), *logged, str(away.value), repr(away.value)])

    assert "graph_away" in written
    assert isinstance(token, Secret)
    assert [False, False] == [text in written for text in (token.reveal(), "the-web-secret")]


@pytest.mark.parametrize("url", ["http://graph.example", "https://graph.example", "http://10.0.0.1:8002", ""])
def test_tokens_go_to_graph_or_loopback_alone(world: GraphWorld, url: str) -> None:
    with pytest.raises(BadSetting, match="SIPGW_GRAPH_URL"):
        world.another_client(graph_url=url)


# --- what Graph's documents leave open ---------------------------------------------------------------------------------


def put(world: GraphWorld, account: Account) -> None:
    world.graph.tenants.put(TENANT, account)


def test_a_user_without_teams_is_known_without_a_number(world: GraphWorld) -> None:
    put(world, Account("carl@example.com", "Carl", teams=False))

    assert [User(TENANT, "carl@example.com", "Carl")] == load(world, "carl@example.com")


def test_names_are_compared_without_case(world: GraphWorld) -> None:
    put(world, Account("Carl.Lopez@Example.com", "Carl"))

    assert ["carl.lopez@example.com"] == [user.upn for user in load(world, "carl.lopez@example.com")]


def test_a_policy_assigned_through_a_group_counts(world: GraphWorld) -> None:
    put(world, Account("carl@example.com", policy="AllOn", by_group=True))

    assert ["AllOn"] == [user.policy for user in load(world, "carl@example.com")]


def test_the_primary_number_counts_and_no_other(world: GraphWorld) -> None:
    numbers = (("+4989123408", "private"), ("+4989123409", "primary"), ("+4989123410", "alternate"))
    put(world, Account("carl@example.com", numbers=numbers))
    put(world, Account("dora@example.com", numbers=numbers[:1]))

    assert {"carl@example.com": "+4989123409", "dora@example.com": ""} == {
        user.upn: user.number for user in load(world, "carl@example.com", "dora@example.com")
    }


def test_a_name_that_no_phone_could_use_is_passed_over_in_a_list(world: GraphWorld) -> None:
    put(world, Account("two words@example.com"))

    assert [ANNA.upn] == [user.upn for user in world.directory.list_users(TENANT, 10).items]


def test_an_account_that_was_deleted_while_teams_still_lists_it_is_left_out(world: GraphWorld) -> None:
    world.graph.faults.then(Fault(seconds=0), Fault(text='{"responses": [{"id": "0", "status": 200, "body": {"value": []}}]}'))

    assert () == world.directory.list_users(TENANT, 10).items


def test_graph_may_make_its_pages_smaller_than_asked(world: GraphWorld) -> None:
    world.put(*crowd(10))
    world.graph.answerer.largest_page = 4
    found: Counter[str] = Counter()
    cursor: str | None = None
    for _ in range(3):
        page = world.directory.list_users(TENANT, 100, cursor)
        found.update(user.upn for user in page.items)
        cursor = page.next_cursor

    assert (11, {1}, None) == (len(found), set(found.values()), cursor)


def test_graph_may_make_its_pages_larger_than_asked(world: GraphWorld) -> None:
    world.put(*crowd(10))
    world.graph.answerer.smallest_page = 900
    sizes: list[int] = []
    names: set[str] = set()
    cursor: str | None = None
    while not sizes or cursor:
        page = world.directory.list_users(TENANT, 4, cursor)
        sizes.append(len(page.items))
        names |= {user.upn for user in page.items}
        cursor = page.next_cursor

    assert ([4, 4, 3], 11) == (sizes, len(names))
