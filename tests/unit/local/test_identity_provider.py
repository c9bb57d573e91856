"""The development identity provider's rules that no client of ours would ever break."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from local.identity_provider.accounts import Accounts, BadAccountsFile, load_people
from local.identity_provider.grants import Grants, ProtocolError
from local.identity_provider.in_process import running_identity_provider
from local.identity_provider.keys import SigningKeyFile

TENANT = "d0000000-0000-4000-8000-000000000001"
AUTHORIZATION = {
    "client_id": "sip-gateway",
    "redirect_uri": "https://localhost:8443/auth/callback",
    "response_type": "code",
    "scope": "openid",
    "state": "s-1",
    "code_challenge": "c",
    "code_challenge_method": "S256",
}
DEVELOPMENT_CLIENT = {
    "grant_type": "client_credentials",
    "client_id": "development-admin",
    "client_secret": "development",
    "scope": "api://sip-gateway/.default",
}


@pytest.fixture
def grants(tmp_path: Path) -> Grants:
    return Grants(SigningKeyFile(tmp_path / "keys.json"), Accounts("the-web-secret"), "gateway.example")


def test_a_published_secret_is_worth_nothing_from_elsewhere(grants: Grants) -> None:
    assert "access_token" in grants.redeem(TENANT, DEVELOPMENT_CLIENT, from_loopback=True)
    with pytest.raises(ProtocolError, match="own machine only"):
        grants.redeem(TENANT, DEVELOPMENT_CLIENT, from_loopback=False)


def test_client_credentials_need_a_tenant_of_their_own(grants: Grants) -> None:
    with pytest.raises(ProtocolError, match="tenant's own endpoint"):
        grants.redeem("organizations", DEVELOPMENT_CLIENT, from_loopback=True)


@pytest.mark.parametrize("redirect_uri", ["https://gateway.example:8443/auth/callback", "http://127.0.0.1:5000/"])
def test_this_machines_addresses_are_gone_back_to(grants: Grants, redirect_uri: str) -> None:
    assert redirect_uri == grants.parse_authorization({**AUTHORIZATION, "redirect_uri": redirect_uri}).redirect_uri


@pytest.mark.parametrize(
    "redirect_uri", ["https://evil.example/", "javascript:alert(1)", "", "https://localhost.evil.example/"]
)
def test_nowhere_else_is_gone_back_to(grants: Grants, redirect_uri: str) -> None:
    with pytest.raises(ProtocolError, match="redirect_uri"):
        grants.parse_authorization({**AUTHORIZATION, "redirect_uri": redirect_uri})


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "unsupported_response_type"),
    ],
)
def test_a_code_needs_pkce_and_nothing_implicit(grants: Grants, changed: dict[str, str], error: str) -> None:
    request = grants.parse_authorization({**AUTHORIZATION, **changed})
    person = grants.accounts.person("anna@example.com")
    assert person is not None
    answer = grants.issue_code(TENANT, request, person)
    assert (error, "s-1") == (answer["error"], answer["state"])


@pytest.mark.parametrize("upn", ["", "anna", "@example.com", "anna@", "a b@example.com"])
def test_what_is_no_user_name_is_nobody(grants: Grants, upn: str) -> None:
    assert grants.accounts.person(upn) is None


def test_a_refused_device_code_is_declined(grants: Grants) -> None:
    begun = grants.start_device_code(TENANT, {"client_id": "sip-gateway-cli", "scope": "openid"}, "http://x/devicelogin")
    assert grants.decide_device_code(begun["user_code"].lower(), None)
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": "sip-gateway-cli",
        "device_code": begun["device_code"],
    }
    with pytest.raises(ProtocolError) as refused:
        grants.redeem(TENANT, form, from_loopback=True)
    assert "authorization_declined" == refused.value.error


def test_form_post_goes_back_by_a_form_that_works_without_scripts(tmp_path: Path) -> None:
    with running_identity_provider(tmp_path, "the-web-secret") as server:
        form = {**AUTHORIZATION, "response_mode": "form_post", "state": '"><script>', "login_user": "anna@example.com"}
        page = httpx.post(f"{server.public_url}/{TENANT}/oauth2/v2.0/authorize", data=form)
    assert 200 == page.status_code
    assert '<form method="post" action="https://localhost:8443/auth/callback">' in page.text
    assert "<button>Continue</button>" in page.text
    assert '"><script>' not in page.text


def test_an_unknown_path_is_a_404(tmp_path: Path) -> None:
    with running_identity_provider(tmp_path, "the-web-secret") as server:
        paths = ("/nothing", "/not-a-tenant/oauth2/v2.0/token", f"/{TENANT}/oauth2/v2.0/nothing")
        assert {404} == {httpx.post(server.public_url + path, data={}).status_code for path in paths}


def test_more_people_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    file.write_text(json.dumps([{"upn": "Carla@Example.com", "name": "Carla", "roles": ["Gateway.Reader"]}]))
    person = Accounts("s", load_people(file)).person("carla@example.com")
    assert person is not None
    assert ("Carla", ("Gateway.Reader",)) == (person.name, person.roles)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"upn": "a@b"}]'])
def test_a_wrong_file_of_people_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "people.json"
    file.write_text(content)
    with pytest.raises(BadAccountsFile, match=r"people\.json"):
        load_people(file)
