"""The TokenCheck port on PyJWT, against the real development identity provider over loopback HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from chalicelib.adapters.entra.signing_keys import MAX_FETCHES_PER_MINUTE, SigningKeys, fetch_key_set
from chalicelib.adapters.entra.token_check import EntraTokenCheck
from chalicelib.domain.errors import IdentityProviderAway, NotAuthenticated
from chalicelib.settings import BadSetting, Settings
from local.identity_provider.in_process import running_identity_provider
from local.identity_provider.keys import SigningKeyFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.identity_provider.server import IdentityServer

TENANT = "d0000000-0000-4000-8000-000000000001"
OTHER_TENANT = "d0000000-0000-4000-8000-000000000002"
API = "api://sip-gateway"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[IdentityServer]:
    with running_identity_provider(tmp_path, "the-web-secret") as server:
        yield server


def settings_for(provider: IdentityServer) -> Settings:
    return Settings(entra_url=provider.public_url, entra_client_id="sip-gateway")


@pytest.fixture
def check(provider: IdentityServer) -> EntraTokenCheck:
    return EntraTokenCheck(settings_for(provider))


def app_token(provider: IdentityServer, role: str, tenant: str = TENANT, scope: str = f"{API}/.default") -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": f"development-{role}",
        "client_secret": "development",
        "scope": scope,
    }
    answer = httpx.post(f"{provider.public_url}/{tenant}/oauth2/v2.0/token", data=form)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def person_token(provider: IdentityServer, upn: str, **asked: str) -> dict[str, Any]:
    """Through the device code flow, as the command line does."""
    base = f"{provider.public_url}/{TENANT}/oauth2/v2.0"
    scope = f"openid profile offline_access {API}/user_impersonation"
    begun = httpx.post(f"{base}/devicecode", data={"client_id": "sip-gateway-cli", "scope": scope, **asked}).json()
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": "sip-gateway-cli",
        "device_code": begun["device_code"],
    }
    assert "authorization_pending" == httpx.post(f"{base}/token", data=form).json()["error"]
    page = httpx.post(begun["verification_uri"], data={"user_code": begun["user_code"], "login_user": upn})
    assert page.status_code == 200
    answer: dict[str, Any] = httpx.post(f"{base}/token", data=form).json()
    return answer


def claims_for(**changed: Any) -> dict[str, Any]:
    """A good token's claims but for `changed`; its times are in seconds from now, None takes a claim away."""
    now = int(time.time())
    changed = {name: now + value if isinstance(value, int) else value for name, value in changed.items()}
    claims = {
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "aud": API,
        "tid": TENANT,
        "ver": "2.0",
        "azp": "some-app",
        "oid": "o-1",
        "preferred_username": "Anna@Example.com",
        "nbf": now,
        "iat": now,
        "exp": now + 600,
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


@pytest.mark.parametrize("role", ["admin", "technician", "reader"])
def test_an_applications_token_names_the_application_and_its_role(
    provider: IdentityServer, check: EntraTokenCheck, role: str
) -> None:
    caller = check.check(app_token(provider, role))
    expected = (TENANT, f"development-{role}", frozenset({f"Gateway.{role.title()}"}))
    assert expected == (caller.tenant_id, caller.actor, caller.roles)


def test_a_persons_token_names_the_person(provider: IdentityServer, check: EntraTokenCheck) -> None:
    caller = check.check(person_token(provider, "admin@example.com")["access_token"])
    assert ("admin@example.com", frozenset({"Gateway.Admin"})) == (caller.actor, caller.roles)
    assert caller.oid


def test_a_person_without_a_role_has_none(provider: IdentityServer, check: EntraTokenCheck) -> None:
    assert frozenset() == check.check(person_token(provider, "anna@example.com")["access_token"]).roles


def test_a_refreshed_token_is_the_same_persons(provider: IdentityServer, check: EntraTokenCheck) -> None:
    refresh = person_token(provider, "ben@example.com")["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": "sip-gateway-cli", "refresh_token": refresh}
    url = f"{provider.public_url}/{TENANT}/oauth2/v2.0/token"
    assert "ben@example.com" == check.check(httpx.post(url, data=form).json()["access_token"]).actor
    assert "invalid_grant" == httpx.post(url, data=form).json()["error"]


def test_every_tenant_is_its_own(provider: IdentityServer, check: EntraTokenCheck) -> None:
    assert OTHER_TENANT == check.check(app_token(provider, "admin", OTHER_TENANT)).tenant_id


def test_a_version_1_token_is_accepted(provider: IdentityServer, check: EntraTokenCheck) -> None:
    issuer = f"https://sts.windows.net/{TENANT}/"
    claims = claims_for(iss=issuer, ver="1.0", azp=None, appid="a", preferred_username=None, upn="Ben@Example.com")
    assert "ben@example.com" == check.check(provider.grants.keys.sign(claims)).actor


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"},
        {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0/"},
        {"iss": f"https://sts.windows.net/{TENANT}/"},
        {"iss": "https://login.microsoftonline.com.example.com/x/v2.0"},
        {"iss": None},
        {"tid": None},
        {"tid": "common"},
        {"tid": OTHER_TENANT},
        {"aud": "api://another"},
        {"aud": "00000003-0000-0000-c000-000000000000"},
        {"aud": None},
        {"exp": -120},
        {"exp": None},
        {"nbf": 120},
        {"nbf": None},
        {"ver": "3.0"},
        {"ver": None},
        {"azp": None},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_refused(
    provider: IdentityServer, check: EntraTokenCheck, changed: dict[str, Any]
) -> None:
    check.check(provider.grants.keys.sign(claims_for()))
    with pytest.raises(NotAuthenticated):
        check.check(provider.grants.keys.sign(claims_for(**changed)))


@pytest.mark.parametrize("changed", [{"exp": -30}, {"nbf": 30}, {"aud": "sip-gateway"}], ids=str)
def test_a_minutes_difference_of_clocks_and_the_client_id_are_accepted(
    provider: IdentityServer, check: EntraTokenCheck, changed: dict[str, Any]
) -> None:
    assert "anna@example.com" == check.check(provider.grants.keys.sign(claims_for(**changed))).actor


def test_an_id_token_opens_nothing(provider: IdentityServer, check: EntraTokenCheck) -> None:
    id_token = person_token(provider, "admin@example.com")["id_token"]
    with pytest.raises(NotAuthenticated):
        check.check(id_token)


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS512", "", None])
def test_a_forged_algorithm_is_refused(provider: IdentityServer, check: EntraTokenCheck, algorithm: str | None) -> None:
    key = provider.grants.keys.key_set()["keys"][0]
    signed = f"{part({'alg': algorithm, 'kid': key['kid']})}.{part(claims_for())}"
    seal = hmac.digest(json.dumps(key).encode(), signed.encode(), hashlib.sha256)
    for signature in ("", base64.urlsafe_b64encode(seal).rstrip(b"=").decode()):
        with pytest.raises(NotAuthenticated):
            check.check(f"{signed}.{signature}")


@pytest.mark.parametrize("bearer", ["", "x", "a.b.c", "é.é.é", "." * 10, "x" * 100_000])
def test_what_is_no_token_is_refused(check: EntraTokenCheck, bearer: str) -> None:
    with pytest.raises(NotAuthenticated):
        check.check(bearer)


def test_a_changed_token_is_refused(provider: IdentityServer, check: EntraTokenCheck) -> None:
    header, _, signature = app_token(provider, "reader").split(".")
    with pytest.raises(NotAuthenticated):
        check.check(f"{header}.{part(claims_for(roles=['Gateway.Admin']))}.{signature}")


def test_a_key_of_nobody_is_refused(check: EntraTokenCheck, tmp_path: Path) -> None:
    stranger = SigningKeyFile(tmp_path / "stranger.json")
    with pytest.raises(NotAuthenticated):
        check.check(stranger.sign(claims_for()))


def test_a_rotated_key_is_picked_up_and_the_former_one_still_works(provider: IdentityServer, check: EntraTokenCheck) -> None:
    before = app_token(provider, "admin")
    check.check(before)
    assert httpx.post(f"{provider.public_url}/development/rotate-keys").status_code == 200
    after = app_token(provider, "admin")
    assert before.split(".")[0] != after.split(".")[0]
    assert "development-admin" == check.check(after).actor
    assert "development-admin" == check.check(before).actor


def test_tokens_survive_a_restart_of_the_provider(tmp_path: Path) -> None:
    with running_identity_provider(tmp_path, "s") as server:
        token = app_token(server, "admin")
    with running_identity_provider(tmp_path, "s") as server:
        assert "development-admin" == EntraTokenCheck(settings_for(server)).check(token).actor


class KeySource:
    """Counts, and fails when told to."""

    def __init__(self, provider: IdentityServer) -> None:
        self._fetch = fetch_key_set(provider.public_url)
        self.fetches = 0
        self.away = False

    def __call__(self) -> bytes:
        self.fetches += 1
        if self.away:
            raise ConnectionRefusedError
        return self._fetch()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def source(provider: IdentityServer) -> KeySource:
    return KeySource(provider)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counted_check(provider: IdentityServer, source: KeySource, clock: Clock) -> EntraTokenCheck:
    return EntraTokenCheck(settings_for(provider), SigningKeys(source, clock))


def test_many_tokens_cost_one_fetch(provider: IdentityServer, source: KeySource, counted_check: EntraTokenCheck) -> None:
    token = app_token(provider, "admin")
    for _ in range(20):
        counted_check.check(token)
    assert 1 == source.fetches


def test_a_storm_of_unknown_key_ids_is_bounded(
    provider: IdentityServer, source: KeySource, clock: Clock, counted_check: EntraTokenCheck
) -> None:
    for number in range(200):
        forged = f"{part({'alg': 'RS256', 'kid': f'k{number}'})}.{part(claims_for())}.AAAA"
        with pytest.raises(NotAuthenticated):
            counted_check.check(forged)
    assert MAX_FETCHES_PER_MINUTE == source.fetches
    counted_check.check(app_token(provider, "admin"))
    provider.grants.keys.rotate()
    clock.now += 61
    assert "development-admin" == counted_check.check(app_token(provider, "admin")).actor


def test_known_keys_work_while_the_provider_is_away(
    provider: IdentityServer, source: KeySource, clock: Clock, counted_check: EntraTokenCheck
) -> None:
    token = app_token(provider, "admin")
    counted_check.check(token)
    source.away = True
    clock.now += 100_000
    assert "development-admin" == counted_check.check(token).actor


def test_a_new_key_while_the_provider_is_away_is_not_the_callers_fault(
    provider: IdentityServer, source: KeySource, counted_check: EntraTokenCheck
) -> None:
    counted_check.check(app_token(provider, "admin"))
    source.away = True
    provider.grants.keys.rotate()
    with pytest.raises(IdentityProviderAway):
        counted_check.check(app_token(provider, "admin"))


def test_without_any_key_the_provider_is_away(
    provider: IdentityServer, source: KeySource, counted_check: EntraTokenCheck
) -> None:
    source.away = True
    for _ in range(10):
        with pytest.raises(IdentityProviderAway):
            counted_check.check(app_token(provider, "admin"))
    assert MAX_FETCHES_PER_MINUTE == source.fetches


def test_a_withdrawn_key_is_forgotten_after_an_hour(
    provider: IdentityServer, clock: Clock, counted_check: EntraTokenCheck
) -> None:
    token = app_token(provider, "admin")
    counted_check.check(token)
    for _ in range(2):
        provider.grants.keys.rotate()
    clock.now += 3601
    with pytest.raises(NotAuthenticated):
        counted_check.check(token)


def test_keys_come_from_entra_or_loopback_only() -> None:
    with pytest.raises(BadSetting):
        fetch_key_set("https://login.example.com")


def test_short_and_foreign_keys_in_the_set_are_passed_over(provider: IdentityServer) -> None:
    good = provider.grants.keys.key_set()["keys"][0]
    bad = {**good, "kid": "broken", "n": "!!"}
    elliptic = {"kty": "EC", "kid": "e", "crv": "P-256"}
    keys = SigningKeys(lambda: json.dumps({"keys": [bad, elliptic, good]}).encode(), Clock())
    found = keys.find_key(good["kid"])
    assert found is not None
    assert isinstance(found.key, rsa.RSAPublicKey)
    assert keys.find_key("broken") is None


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 400, "unauthorized_client"),
        ({"scope": API}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_the_provider_answers_errors_as_entra_does(
    provider: IdentityServer, changed: dict[str, str], status: int, error: str
) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": "development-admin",
        "client_secret": "development",
        "scope": f"{API}/.default",
        **changed,
    }
    answer = httpx.post(f"{provider.public_url}/{TENANT}/oauth2/v2.0/token", data=form)
    assert (status, error) == (answer.status_code, answer.json()["error"])
