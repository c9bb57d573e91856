"""The double of Microsoft Graph refuses what Graph refuses, so that no client of ours learns bad manners from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.graph.tenants import Account
from local.identity_provider.accounts import DEVELOPMENT_TENANT
from local.options import BadOption, parse_options
from tests.graph import CLIENT_SECRET, GraphWorld, running_graph_world


@pytest.fixture
def world(identity_folder: Path) -> Iterator[GraphWorld]:
    with running_graph_world(identity_folder) as world:
        world.graph.tenants.put(DEVELOPMENT_TENANT, Account("anna@example.com", "Anna"))
        yield world


def token(world: GraphWorld, scope: str = "https://graph.microsoft.com/.default") -> str:
    form = {"grant_type": "client_credentials", "client_id": "sip-gateway", "client_secret": CLIENT_SECRET, "scope": scope}
    answer = httpx.post(f"{world.identity.public_url}/{DEVELOPMENT_TENANT}/oauth2/v2.0/token", data=form)
    return str(answer.json()["access_token"])


def ask(world: GraphWorld, path: str, body: Any = None, bearer: str | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token(world) if bearer is None else bearer}"}
    method = "GET" if body is None else "POST"
    answer = httpx.request(method, f"{world.graph.url}/v1.0/{path}", json=body, headers=headers)
    return answer.status_code, answer.json()


def names(number: int) -> str:
    return ",".join(f"'user{item}@example.com'" for item in range(number))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"users?$filter=userPrincipalName in ({names(15)})", 200),
        (f"users?$filter=userPrincipalName in ({names(16)})", 400),
        ("users?$filter=userPrincipalName in ('o'neill@example.com')", 400),
        ("users?$filter=userPrincipalName in ('o''neill@example.com')", 200),
        ("users?$filter=mail in ('anna@example.com')", 400),
        ("users?$skip=1", 400),
        ("admin/teams/userConfigurations?$filter=userPrincipalName eq 'anna@example.com'", 400),
        ("admin/teams/userConfigurations?$skiptoken=made-up", 400),
        ("admin/teams/userConfigurations/nobody", 404),
        ("groups", 400),
    ],
)
def test_questions_that_graph_does_not_answer(world: GraphWorld, path: str, status: int) -> None:
    assert status == ask(world, path)[0]


def test_a_batch_has_20_parts_at_most_each_with_its_own_id(world: GraphWorld) -> None:
    parts = [{"id": str(number), "method": "GET", "url": "/users?$filter=id in ('x')"} for number in range(21)]

    assert [200, 400, 400] == [
        ask(world, "$batch", {"requests": requests})[0] for requests in (parts[:20], parts, [parts[0], parts[0]])
    ]


@pytest.mark.parametrize("bearer", ["none", "x.y.z"])
def test_without_a_token_nothing_is_told(world: GraphWorld, bearer: str) -> None:
    status, answer = ask(world, "users", bearer=bearer)

    assert (401, "InvalidAuthenticationToken") == (status, answer["error"]["code"])


def test_a_token_for_another_api_is_refused(world: GraphWorld) -> None:
    assert 401 == ask(world, "users", bearer=token(world, "api://sip-gateway/.default"))[0]


def test_accounts_are_changed_while_it_runs(world: GraphWorld) -> None:
    change = f"{world.graph.url}/development/accounts"
    added = httpx.post(change, json={"upn": "Ben@example.com", "numbers": [["+4989123402", "primary"]]}).status_code
    changed = httpx.post(change, json={"upn": "anna@example.com", "policy": "Sales"}).status_code
    refused = httpx.post(change, json={"upn": "anna@example.com", "shoe_size": 38}).status_code
    users = world.directory.load_users(DEVELOPMENT_TENANT, ["anna@example.com", "ben@example.com"])
    removed = httpx.post(change, json={"upn": "ben@example.com", "removed": True}).status_code

    assert [200, 200, 400, 200] == [added, changed, refused, removed]
    assert ["Sales", "+4989123402"] == [users["anna@example.com"].policy, users["ben@example.com"].number]
    assert {} == world.directory.load_users(DEVELOPMENT_TENANT, ["ben@example.com"])


def test_make_run_asks_for_a_directory_that_there_is() -> None:
    assert ["local", "graph"] == [parse_options([], environment).directory for environment in ({}, {"DIRECTORY": "graph"})]
    with pytest.raises(BadOption, match=r"^DIRECTORY is"):
        parse_options([], {"DIRECTORY": "ldap"})
