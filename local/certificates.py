"""The certificates of a gateway on one machine: its own small authority, or what HOST_CERT and HOST_KEY bring.

The authority (EC P-256) signs one server certificate for localhost, 127.0.0.1, ::1, HOST and the name of SIP_SECOND. Both are
made when they are missing, near their end, or wrong for these names. HTTPS and SIP use the same one.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.state import write_private

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)  # the longest that browsers accept
RENEW_BEFORE = timedelta(days=30)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BadCertificate(ValueError):
    """HOST_CERT or HOST_KEY cannot be used; the message says why."""


@dataclass(frozen=True)
class ServerIdentity:
    """PEM files: the server's chain, its key (PKCS 8), and the anchor to trust; None where a public authority signed."""

    certificate: Path
    key: Path
    trust_anchor: Path | None


def prepare_certificates(folder: Path, host: str, now: datetime, second: str = "") -> ServerIdentity:
    """The local authority's certificate for `host`, loopback and the `second` name, made or renewed where needed."""
    names = list(dict.fromkeys([host or "localhost", *_LOOPBACK, *([second] if second else [])]))
    authority, authority_key = _load_or_make_authority(folder, now)
    certificate, key = folder / "server.pem", folder / "server.key"
    if not _is_good_server(certificate, key, authority, names, now):
        _make_server(certificate, key, (authority, authority_key), names, now)
    return ServerIdentity(certificate, key, folder / "ca.pem")


def adopt_certificate(folder: Path, certificate: Path, key: Path, host: str, now: datetime) -> ServerIdentity:
    """The operator's own certificate, checked and copied beside ours. Raises BadCertificate."""
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadCertificate(f"HOST_CERT {certificate} or HOST_KEY {key} cannot be read: {error}") from error
    if _public_bytes(chain[0].public_key()) != _public_bytes(private.public_key()):
        raise BadCertificate(f"HOST_KEY {key} is not the key of HOST_CERT {certificate}")
    if not chain[0].not_valid_before_utc <= now < chain[0].not_valid_after_utc:
        raise BadCertificate(f"HOST_CERT {certificate} is valid until {chain[0].not_valid_after_utc:%Y-%m-%d} only")
    if not _names_host(chain[0], host):
        raise BadCertificate(f"HOST_CERT {certificate} is not for {host}")
    copy, copied_key = folder / "host.pem", folder / "host.key"
    copy.write_bytes(b"".join(link.public_bytes(serialization.Encoding.PEM) for link in chain))
    write_private(copied_key, _key_pem(private))
    return ServerIdentity(copy, copied_key, None)


def _load_or_make_authority(folder: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate, key = folder / "ca.pem", folder / "ca.key"
    if certificate.exists() and key.exists():
        authority = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        if isinstance(private, ec.EllipticCurvePrivateKey) and authority.not_valid_after_utc - RENEW_BEFORE > now:
            return authority, private
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"SIP Gateway local authority {secrets.token_hex(4)}")])
    usage = _key_usage(key_cert_sign=True, crl_sign=True)
    authority = (
        _builder(name, name, private.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(private, hashes.SHA256())
    )
    write_private(key, _key_pem(private))
    certificate.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    return authority, private


def _make_server(
    certificate: Path,
    key: Path,
    authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
    names: list[str],
    now: datetime,
) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority[1].public_key())
    server = (
        _builder(subject, authority[0].subject, private.public_key(), now, SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer_key, critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .sign(authority[1], hashes.SHA256())
    )
    write_private(key, _key_pem(private))
    certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # phones without a clock battery begin in the past
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _key_usage(**used: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: used.get(name, False) for name in names})


def _is_good_server(certificate: Path, key: Path, authority: x509.Certificate, names: list[str], now: datetime) -> bool:
    if not (certificate.exists() and key.exists()):
        return False
    server = x509.load_pem_x509_certificate(certificate.read_bytes())
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    try:
        server.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    named = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        _public_bytes(server.public_key()) == _public_bytes(private.public_key())
        and list(named) == [_general_name(name) for name in names]
        and server.not_valid_after_utc - RENEW_BEFORE > now
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names_host(certificate: x509.Certificate, host: str) -> bool:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    wildcard = "*." + host.partition(".")[2]
    dns = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return host in dns or host in addresses or ("." in host and wildcard in dns)


def _public_bytes(key: object) -> bytes:
    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]  # every public key has it; cryptography has no common base
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _key_pem(key: PrivateKeyTypes) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def utc_now() -> datetime:
    """The time for callers that have no clock of their own."""
    return datetime.now(UTC)
