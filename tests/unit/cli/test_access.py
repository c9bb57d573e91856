import json
import ssl
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cli.connection import open_client
from cli.device_code import DeviceAuthorization, request_token
from cli.failures import BadInput, NotSignedIn
from cli.settings import Settings
from cli.tokens import load_token, save_token
from tests.unit.cli.conftest import Sipgw
from tests.unit.cli.fake_gateway import FakeGateway, serve

TENANT = "d0000000-0000-4000-8000-000000000001"
DEVICE_CODE = "POST /organizations/oauth2/v2.0/devicecode"
TOKEN = "POST /organizations/oauth2/v2.0/token"
AUTHORIZATION = DeviceAuthorization("secret", "ABCD", "https://login/device", expires_in=900, interval=5)


def settings_for(gateway: FakeGateway, home: Path, **more: str) -> Settings:
    return Settings.from_environment({"SIPGW_URL": gateway.url, "SIPGW_LOGIN_URL": gateway.url, "HOME": str(home), **more})


@pytest.mark.parametrize("role", ["technician", "Gateway.Technician", "TECHNICIAN"])
def test_token_prints_only_the_token_of_that_role(gateway: FakeGateway, sipgw: Sipgw, role: str) -> None:
    gateway.lay(f"POST /{TENANT}/oauth2/v2.0/token", {"access_token": "t.o.k", "expires_in": 3600})
    outcome = sipgw("token", "--role", role)
    expected = {
        "grant_type": ["client_credentials"],
        "client_id": ["development-technician"],
        "client_secret": ["development"],
        "scope": ["api://sip-gateway/.default"],
    }
    assert expected == parse_qs(gateway.seen[0].body.decode())
    assert ("t.o.k\n", "", 0) == (outcome.stdout, outcome.stderr, outcome.code)


def test_token_of_another_tenant(gateway: FakeGateway, sipgw: Sipgw) -> None:
    other = "d0000000-0000-4000-8000-000000000002"
    gateway.lay(f"POST /{other}/oauth2/v2.0/token", {"access_token": "t.o.k"})
    assert {"access_token": "t.o.k"} == sipgw("token", "--role", "admin", "--tenant", other, "--json").json


def test_token_of_an_unknown_role_is_a_usage_error(sipgw: Sipgw) -> None:
    assert sipgw("token", "--role", "king").code == 2


def test_token_without_a_local_gateway_says_what_to_start(sipgw: Sipgw) -> None:
    sipgw.environment["SIPGW_IDP_URL"] = "http://127.0.0.1:1"
    outcome = sipgw("token", "--role", "admin")
    assert outcome.code == 1
    assert "make run" in outcome.stderr


def test_a_local_gateway_needs_no_token_of_the_caller(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"POST /{TENANT}/oauth2/v2.0/token", {"access_token": "t.o.k", "expires_in": 3600})
    gateway.lay("GET /v1/tenant", {"enabled": True})
    sipgw.environment["SIPGW_TOKEN"] = None
    assert {"enabled": True} == sipgw("tenant", "show", "--json").json
    assert "Bearer t.o.k" == gateway.seen[-1].headers["Authorization"]


def test_a_deployed_gateway_without_token_asks_for_a_sign_in(sipgw: Sipgw) -> None:
    sipgw.environment |= {"SIPGW_TOKEN": None, "SIPGW_URL": "https://gateway.invalid"}
    outcome = sipgw("devices", "list")
    assert outcome.code == 1
    assert "./sipgw login" in outcome.stderr


def test_login_shows_the_code_and_stores_the_token_for_this_user_alone(
    gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path
) -> None:
    answer = {
        "device_code": "s",
        "user_code": "ABCD",
        "verification_uri": "https://login/device",
        "expires_in": 9,
        "interval": 0,
    }
    gateway.lay(DEVICE_CODE, answer)
    gateway.lay(TOKEN, {"access_token": "t.o.k", "expires_in": 3600})
    gateway.lay("GET /v1/tenant", {})
    sipgw.environment |= {"SIPGW_LOGIN_URL": gateway.url, "SIPGW_TOKEN": None}
    outcome = sipgw("login")
    path = tmp_path / ".config" / "sipgw" / "token.json"
    assert "Open https://login/device in a browser and enter the code ABCD\n" == outcome.stderr
    assert "t.o.k" not in outcome.stdout
    assert (0o600, 0o700) == (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode))
    sipgw("tenant", "show")
    assert "Bearer t.o.k" == gateway.seen[-1].headers["Authorization"]


def test_asking_slows_down_by_5_seconds_when_told_to(gateway: FakeGateway, tmp_path: Path) -> None:
    for error in ("authorization_pending", "slow_down", "authorization_pending"):
        gateway.lay(TOKEN, {"error": error}, status=400)
    gateway.lay(TOKEN, {"access_token": "t.o.k", "expires_in": 3600})
    pauses: list[float] = []
    token, _ = request_token(settings_for(gateway, tmp_path), AUTHORIZATION, sleep=pauses.append)
    assert "t.o.k" == token
    assert [5, 5, 10, 10] == pauses


@pytest.mark.parametrize("error", ["expired_token", "access_denied", "authorization_declined", "invalid_client"])
def test_asking_ends_when_the_sign_in_service_says_so(gateway: FakeGateway, tmp_path: Path, error: str) -> None:
    gateway.lay(TOKEN, {"error": error}, status=400)
    with pytest.raises(NotSignedIn):
        request_token(settings_for(gateway, tmp_path), AUTHORIZATION, sleep=lambda _seconds: None)
    assert 1 == len(gateway.seen)


def test_asking_ends_when_the_code_is_too_old(gateway: FakeGateway, tmp_path: Path) -> None:
    gateway.lay(TOKEN, {"error": "authorization_pending"}, status=400)
    with pytest.raises(NotSignedIn):
        request_token(settings_for(gateway, tmp_path), AUTHORIZATION, sleep=lambda _seconds: None)
    assert 180 == len(gateway.seen)


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"access_token": 5}', b'{"access_token": "a b"}'])
def test_junk_of_a_sign_in_service_is_told(gateway: FakeGateway, sipgw: Sipgw, answer: bytes) -> None:
    gateway.lay(f"POST /{TENANT}/oauth2/v2.0/token", answer)
    gateway.lay(DEVICE_CODE, answer)
    sipgw.environment["SIPGW_LOGIN_URL"] = gateway.url
    for command in (["token", "--role", "admin"], ["login"]):
        outcome = sipgw(*command)
        assert outcome.code in {1, 2}
        assert outcome.stderr.startswith("sipgw: ")


def test_a_stored_token_stays_with_its_gateway(gateway: FakeGateway, tmp_path: Path) -> None:
    settings = settings_for(gateway, tmp_path)
    save_token(settings, "t.o.k", datetime.now(UTC) + timedelta(hours=1))
    other = Settings.from_environment({"SIPGW_URL": "https://other.example.org", "HOME": str(tmp_path)})
    assert ("t.o.k", "") == (load_token(settings), load_token(other))


def test_an_expired_token_is_not_used(gateway: FakeGateway, tmp_path: Path) -> None:
    settings = settings_for(gateway, tmp_path)
    save_token(settings, "t.o.k", datetime.now(UTC) + timedelta(seconds=30))
    assert "" == load_token(settings)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"gateways": 5}', '{"gateways": {"URL": 5}}', '{"gateways": {"URL": {}}}', "\x00"]
)
def test_a_damaged_token_file_counts_as_none_and_is_replaced(gateway: FakeGateway, tmp_path: Path, content: str) -> None:
    settings = settings_for(gateway, tmp_path)
    settings.token_file.parent.mkdir(parents=True)
    settings.token_file.write_text(content.replace("URL", gateway.url))
    assert "" == load_token(settings)
    save_token(settings, "t.o.k", datetime.now(UTC) + timedelta(hours=1))
    assert "t.o.k" == load_token(settings)


def test_a_deployed_gateway_is_not_trusted_by_the_local_authority(tmp_path: Path) -> None:
    authority = tmp_path / ".gateway" / "tls" / "ca.pem"
    authority.parent.mkdir(parents=True)
    authority.write_text("x")
    local = Settings.from_environment({}, root=tmp_path)
    deployed = Settings.from_environment({"SIPGW_URL": "https://gateway.example.org"}, root=tmp_path)
    assert ("https://localhost:8443", authority, None) == (local.gateway_url, local.ca_file, deployed.ca_file)


def test_a_file_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(BadInput):
        open_client("https://localhost", tmp_path / "ca.pem")


def write_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).add_extension(
        address, critical=False
    )
    certificate = builder.sign(key, hashes.SHA256())
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    return folder / "cert.pem", folder / "key.pem"


def test_a_gateway_is_trusted_by_the_named_authority_alone(sipgw: Sipgw, tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with serve(tls) as gateway:
        gateway.lay("GET /v1/tenant", {"enabled": True})
        sipgw.environment |= {"SIPGW_URL": gateway.url, "SIPGW_CA_FILE": None}
        strange = sipgw("tenant", "show")
        sipgw.environment["SIPGW_CA_FILE"] = str(certificate)
        trusted = sipgw("tenant", "show", "--json")
    assert strange.code == 1
    assert "SIPGW_CA_FILE" in strange.stderr
    assert {"enabled": True} == json.loads(trusted.stdout)
