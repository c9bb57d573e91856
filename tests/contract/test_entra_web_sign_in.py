"""The WebSignIn port on MSAL, against the real development identity provider over loopback HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from chalicelib.adapters.entra.loopback import LoopbackTransport, is_loopback_http
from chalicelib.adapters.entra.web_sign_in import EntraWebSignIn, SignInCodeRefused, SignInNotOurs
from chalicelib.domain.errors import IdentityProviderAway, SignInCancelled, SignInFailed
from chalicelib.domain.secret import Secret
from chalicelib.settings import BadSetting, Settings
from local.identity_provider.in_process import running_identity_provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.identity_provider.server import IdentityServer

CALLBACK = "https://localhost:8443/auth/callback"
TENANT = "d0000000-0000-4000-8000-000000000001"
OTHER_TENANT = "d0000000-0000-4000-8000-000000000002"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[IdentityServer]:
    with running_identity_provider(tmp_path, "the-web-secret") as server:
        yield server


def sign_in_at(url: str, secret: str = "the-web-secret") -> EntraWebSignIn:
    return EntraWebSignIn(Settings(entra_url=url, entra_client_id="sip-gateway"), Secret(secret))


@pytest.fixture
def sign_in(provider: IdentityServer) -> EntraWebSignIn:
    return sign_in_at(provider.public_url)


def choose(authorization_url: str, **choice: str) -> dict[str, str]:
    """What a person does in the browser; the query that the browser brings back."""
    page = httpx.get(authorization_url)
    assert page.status_code == 200
    fields = dict(parse_qsl(urlsplit(authorization_url).query))
    back = httpx.post(authorization_url.partition("?")[0], data={**fields, **choice})
    assert back.status_code == 302
    assert back.headers["location"].startswith(CALLBACK)
    return dict(parse_qsl(urlsplit(back.headers["location"]).query))


def test_a_person_signs_in(sign_in: EntraWebSignIn) -> None:
    url, flow = sign_in.start(CALLBACK, "de")
    person = sign_in.finish(flow, choose(url, login_user="anna@example.com"))
    assert (TENANT, "anna@example.com", "Anna Berg") == (person.tenant_id, person.upn, person.name)
    assert person.oid


def test_the_authorization_url_asks_for_pkce_the_language_and_an_account_choice(sign_in: EntraWebSignIn) -> None:
    url, flow = sign_in.start(CALLBACK, "ja")
    query = parse_qs(urlsplit(url).query)
    expected = {
        "code_challenge_method": ["S256"],
        "response_mode": ["query"],
        "ui_locales": ["ja"],
        "prompt": ["select_account"],
    }
    assert expected == {name: query[name] for name in expected}
    assert [flow["state"]] == query["state"]
    assert "offline_access" not in query["scope"][0]


def test_a_person_of_another_tenant_is_known_by_that_tenant(sign_in: EntraWebSignIn) -> None:
    url, flow = sign_in.start(CALLBACK, "en")
    person = sign_in.finish(flow, choose(url, login_user="Carla.Lopez@Fabrikam.example", login_tenant=OTHER_TENANT))
    assert (OTHER_TENANT, "carla.lopez@fabrikam.example", "Carla Lopez") == (person.tenant_id, person.upn, person.name)


def test_a_person_who_cancels_is_told_so(sign_in: EntraWebSignIn) -> None:
    url, flow = sign_in.start(CALLBACK, "en")
    with pytest.raises(SignInCancelled):
        sign_in.finish(flow, choose(url, cancel="yes"))


def test_refused_consent_counts_as_cancelled(sign_in: EntraWebSignIn) -> None:
    _, flow = sign_in.start(CALLBACK, "en")
    with pytest.raises(SignInCancelled):
        sign_in.finish(flow, {"state": flow["state"], "error": "consent_required", "error_description": "AADSTS65001"})


def test_another_browsers_answer_is_refused(sign_in: EntraWebSignIn) -> None:
    url, _ = sign_in.start(CALLBACK, "en")
    _, flow_of_another = sign_in.start(CALLBACK, "en")
    with pytest.raises(SignInNotOurs):
        sign_in.finish(flow_of_another, choose(url, login_user="anna@example.com"))


def test_a_forgotten_flow_is_refused(sign_in: EntraWebSignIn) -> None:
    with pytest.raises(SignInNotOurs):
        sign_in.finish({}, {"code": "c"})


def test_an_answer_without_a_code_is_refused(sign_in: EntraWebSignIn) -> None:
    _, flow = sign_in.start(CALLBACK, "en")
    with pytest.raises(SignInFailed):
        sign_in.finish(flow, {"state": flow["state"]})


def test_a_code_is_good_once(sign_in: EntraWebSignIn) -> None:
    url, flow = sign_in.start(CALLBACK, "en")
    query = choose(url, login_user="anna@example.com")
    sign_in.finish(flow, query)
    with pytest.raises(SignInCodeRefused):
        sign_in.finish(flow, query)


def test_a_stolen_code_is_worthless_without_its_verifier(sign_in: EntraWebSignIn) -> None:
    url, flow = sign_in.start(CALLBACK, "en")
    query = choose(url, login_user="anna@example.com")
    with pytest.raises(SignInCodeRefused):
        sign_in.finish({**flow, "code_verifier": "x" * 43}, query)


def test_a_token_of_another_sign_in_is_refused_by_its_nonce(sign_in: EntraWebSignIn) -> None:
    url, flow = sign_in.start(CALLBACK, "en")
    with pytest.raises(SignInFailed):
        sign_in.finish({**flow, "nonce": "another"}, choose(url, login_user="anna@example.com"))


def test_a_wrong_client_secret_fails_the_sign_in(provider: IdentityServer) -> None:
    sign_in = sign_in_at(provider.public_url, "wrong")
    url, flow = sign_in.start(CALLBACK, "en")
    with pytest.raises(SignInFailed):
        sign_in.finish(flow, choose(url, login_user="anna@example.com"))


def test_the_provider_being_away_is_said_at_the_start() -> None:
    with pytest.raises(IdentityProviderAway):
        sign_in_at("http://127.0.0.1:9").start(CALLBACK, "en")


def test_the_provider_going_away_is_said_at_the_end(tmp_path: Path) -> None:
    with running_identity_provider(tmp_path, "the-web-secret") as server:
        sign_in = sign_in_at(server.public_url)
        url, flow = sign_in.start(CALLBACK, "en")
        query = choose(url, login_user="anna@example.com")
    with pytest.raises(IdentityProviderAway):
        sign_in.finish(flow, query)


def test_a_provider_that_comes_back_is_used_without_a_restart(tmp_path: Path) -> None:
    with running_identity_provider(tmp_path, "the-web-secret") as server:
        port = server.server_address[1]
    sign_in = sign_in_at(f"http://127.0.0.1:{port}")
    with pytest.raises(IdentityProviderAway):
        sign_in.start(CALLBACK, "en")
    with running_identity_provider(tmp_path, "the-web-secret", port):
        url, flow = sign_in.start(CALLBACK, "en")
        assert "ben@example.com" == sign_in.finish(flow, choose(url, login_user="ben@example.com")).upn


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://10.0.0.1:8001", "https://127.0.0.1", "http://localhost.example.com"]
)
def test_clear_text_to_another_machine_is_refused(url: str) -> None:
    assert not is_loopback_http(url)
    with pytest.raises(BadSetting):
        LoopbackTransport(url)


def test_the_loopback_transport_calls_entras_urls_only() -> None:
    with pytest.raises(ValueError, match="not a URL of the identity provider"):
        LoopbackTransport("http://127.0.0.1:9").get("https://login.microsoftonline.com.example.com/x")
