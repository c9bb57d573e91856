"""The local authority and its server certificate."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from local.certificates import AUTHORITY_LIFE, SERVER_LIFE, BadCertificate, adopt_certificate, prepare_certificates

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def names_of(path: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def test_the_server_certificate_names_loopback_and_the_host(tmp_path: Path) -> None:
    identity = prepare_certificates(tmp_path, "gateway.example", NOW)
    assert ["gateway.example", "localhost", "127.0.0.1", "::1"] == names_of(identity.certificate)


def test_the_server_certificate_names_the_second_server_and_is_made_anew_for_it(tmp_path: Path) -> None:
    prepare_certificates(tmp_path, "gateway.example", NOW)
    identity = prepare_certificates(tmp_path, "gateway.example", NOW, "sip2.example")

    assert ["gateway.example", "localhost", "127.0.0.1", "::1", "sip2.example"] == names_of(identity.certificate)


def test_a_host_may_be_an_address(tmp_path: Path) -> None:
    identity = prepare_certificates(tmp_path, "192.0.2.7", NOW)
    assert "192.0.2.7" == names_of(identity.certificate)[0]


def test_python_and_openssl_accept_key_and_chain(tmp_path: Path) -> None:
    identity = prepare_certificates(tmp_path, "", datetime.now(UTC))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(identity.certificate, identity.key)
    openssl = shutil.which("openssl")
    assert openssl is not None
    command = [openssl, "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost"]
    checked = subprocess.run(  # noqa: S603 - openssl on our own files
        [*command, "-CAfile", str(identity.trust_anchor), str(identity.certificate)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == checked.returncode, checked.stderr


def test_keys_are_private(tmp_path: Path) -> None:
    prepare_certificates(tmp_path, "", NOW)
    assert {0o600} == {(tmp_path / name).stat().st_mode & 0o777 for name in ("ca.key", "server.key")}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    prepare_certificates(tmp_path, "gateway.example", NOW)
    before = contents(tmp_path)
    prepare_certificates(tmp_path, "gateway.example", NOW + timedelta(days=1))
    assert before == contents(tmp_path)


def test_another_host_gets_a_new_server_certificate_of_the_same_authority(tmp_path: Path) -> None:
    prepare_certificates(tmp_path, "", NOW)
    before = contents(tmp_path)
    prepare_certificates(tmp_path, "gateway.example", NOW)
    changed = {name for name, content in contents(tmp_path).items() if content != before[name]}
    assert {"server.pem", "server.key"} == changed


def test_a_server_certificate_near_its_end_is_renewed(tmp_path: Path) -> None:
    prepare_certificates(tmp_path, "", NOW)
    before = contents(tmp_path)
    prepare_certificates(tmp_path, "", NOW + SERVER_LIFE - timedelta(days=29))
    assert before["ca.pem"] == contents(tmp_path)["ca.pem"]
    assert before["server.pem"] != contents(tmp_path)["server.pem"]


def test_an_authority_near_its_end_is_renewed_with_all_it_signed(tmp_path: Path) -> None:
    prepare_certificates(tmp_path, "", NOW)
    before = contents(tmp_path)
    prepare_certificates(tmp_path, "", NOW + AUTHORITY_LIFE - timedelta(days=29))
    assert all(before[name] != content for name, content in contents(tmp_path).items())


def test_a_key_that_does_not_fit_is_replaced(tmp_path: Path) -> None:
    identity = prepare_certificates(tmp_path, "", NOW)
    shutil.copy(tmp_path / "ca.key", identity.key)
    prepare_certificates(tmp_path, "", NOW)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(identity.certificate, identity.key)


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, Path]:
    """An operator's certificate and key for gateway.example."""
    folder = tmp_path / "own"
    folder.mkdir()
    identity = prepare_certificates(folder, "gateway.example", NOW)
    return identity.certificate, identity.key


def test_an_own_certificate_is_adopted_without_a_trust_anchor(tmp_path: Path, own: tuple[Path, Path]) -> None:
    identity = adopt_certificate(tmp_path, *own, "gateway.example", NOW)
    assert identity.trust_anchor is None
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(identity.certificate, identity.key)


def test_an_own_certificate_for_another_host_is_refused(tmp_path: Path, own: tuple[Path, Path]) -> None:
    with pytest.raises(BadCertificate, match=r"is not for other\.example"):
        adopt_certificate(tmp_path, *own, "other.example", NOW)


def test_an_expired_own_certificate_is_refused(tmp_path: Path, own: tuple[Path, Path]) -> None:
    with pytest.raises(BadCertificate, match="is valid until"):
        adopt_certificate(tmp_path, *own, "gateway.example", NOW + SERVER_LIFE)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path, own: tuple[Path, Path]) -> None:
    with pytest.raises(BadCertificate, match="is not the key of"):
        adopt_certificate(tmp_path, own[0], own[1].with_name("ca.key"), "gateway.example", NOW)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCertificate, match="HOST_CERT"):
        adopt_certificate(tmp_path, tmp_path / "none.pem", tmp_path / "none.key", "gateway.example", NOW)
