"""What is derived from the region's key: domain/keys.py."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts.edge import Ha1
from chalicelib.domain.identifiers import InstallationId, SipUsername
from chalicelib.domain.keys import (
    PAIRING_ALPHABET,
    Keys,
    format_pairing_code,
    ha1,
    installation_id_of,
    read_pairing_code,
)
from chalicelib.domain.secret import Secret
from tests.unit.domain.samples import ANY_TEXT, INSTALLATION_ID

KEYS = Keys(Secret("region key"))
DERIVED = {
    "token": lambda keys: keys.token("seed").reveal(),
    "SIP password": lambda keys: keys.sip_password(INSTALLATION_ID, 1).reveal(),
    "admin password": lambda keys: keys.admin_password(INSTALLATION_ID).reveal(),
    "pairing code": lambda keys: keys.pairing_code(INSTALLATION_ID, "nonce").reveal(),
    "digest": lambda keys: keys.digest("otp", "805ec0123456", "123456"),
}


@pytest.mark.parametrize("name", DERIVED)
def test_the_same_key_derives_the_same_value(name: str) -> None:
    assert DERIVED[name](KEYS) == DERIVED[name](Keys(Secret("region key")))


@pytest.mark.parametrize("name", DERIVED)
def test_another_key_derives_another_value(name: str) -> None:
    assert DERIVED[name](KEYS) != DERIVED[name](Keys(Secret("another key")))


@given(ANY_TEXT)
def test_a_token_is_43_url_safe_characters(seed: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", KEYS.token(seed).reveal())


def test_a_token_is_the_hmac_of_its_purpose_and_seed() -> None:
    digest = hmac.new(b"region key", b"token|seed", hashlib.sha256).digest()

    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == KEYS.token("seed").reveal()


@given(st.integers(0, 999_999))
def test_a_sip_password_is_32_url_safe_characters(version: int) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", KEYS.sip_password(INSTALLATION_ID, version).reveal())


@given(st.integers(0, 999_999), st.integers(0, 999_999))
def test_each_account_version_has_its_own_password(one: int, other: int) -> None:
    same = KEYS.sip_password(INSTALLATION_ID, one) == KEYS.sip_password(INSTALLATION_ID, other)

    assert (one == other) == same


@given(ANY_TEXT)
def test_an_admin_password_can_be_typed_on_a_phone(installation_id: str) -> None:
    assert re.fullmatch(r"[a-z2-7]{16}", KEYS.admin_password(InstallationId(installation_id)).reveal())


@given(ANY_TEXT)
def test_a_pairing_code_is_eight_consonants(nonce: str) -> None:
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{8}", KEYS.pairing_code(INSTALLATION_ID, nonce).reveal())


def test_the_pairing_alphabet_has_twenty_different_letters() -> None:
    assert 20 == len(set(PAIRING_ALPHABET))


def test_each_pairing_has_its_own_code() -> None:
    codes = {KEYS.pairing_code(INSTALLATION_ID, str(nonce)).reveal() for nonce in range(200)}

    assert 200 == len(codes)


def test_a_pairing_code_uses_its_whole_alphabet() -> None:
    letters = {letter for nonce in range(200) for letter in KEYS.pairing_code(INSTALLATION_ID, str(nonce)).reveal()}

    assert set(PAIRING_ALPHABET) == letters


def test_digests_of_different_purposes_never_meet() -> None:
    purposes = ["otp", "pairing", "state", "session", "form", "browser", "sip", "token", "admin"]

    assert len(purposes) == len({KEYS.digest(purpose, "same") for purpose in purposes})


def test_a_digest_never_meets_what_the_same_words_derive() -> None:
    derived = {
        KEYS.digest("token", "seed"),
        base64.urlsafe_b64decode(KEYS.token("seed").reveal() + "=").hex(),
        KEYS.digest("", "token", "seed"),
    }

    assert 3 == len(derived)


@given(ANY_TEXT)
def test_a_digest_is_64_hex_digits(text: str) -> None:
    assert re.fullmatch("[0-9a-f]{64}", KEYS.digest("otp", text))


@given(ANY_TEXT)
def test_an_installation_id_is_26_characters(token: str) -> None:
    assert re.fullmatch("[a-z2-7]{26}", installation_id_of(token))


def test_an_installation_id_is_the_hash_of_its_token() -> None:
    digest = hashlib.sha256(b"a token").digest()

    assert base64.b32encode(digest).decode()[:26].lower() == installation_id_of("a token")


def test_ha1_is_that_of_rfc_7616() -> None:
    # RFC 7616 section 3.9.1: "Mufasa", realm "http-auth@example.org", "Circle of Life". Its A1 hashed by md5sum and sha256sum.
    expected = Ha1(
        md5="3d78807defe7de2157e2b0b6573a855f",
        sha256="7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232",
    )

    assert expected == ha1(SipUsername("Mufasa"), "http-auth@example.org", Secret("Circle of Life"))


def test_ha1_gives_the_response_that_rfc_7616_prints() -> None:
    # RFC 7616 section 3.9.1, the MD5 and the SHA-256 response of its GET /dir/index.html with qop=auth.
    both = ha1(SipUsername("Mufasa"), "http-auth@example.org", Secret("Circle of Life"))
    middle = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth"

    def response(kind: str, secret: str) -> str:
        ha2 = hashlib.new(kind, b"GET:/dir/index.html").hexdigest()
        return hashlib.new(kind, f"{secret}:{middle}:{ha2}".encode()).hexdigest()

    expected = ("8ca523f5e9506fed4657c9700eebdbec", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")
    assert expected == (response("md5", both.md5), response("sha256", both.sha256))


def test_ha1_gives_the_response_that_rfc_2617_prints() -> None:
    # RFC 2617 section 3.5: "Mufasa", realm "testrealm@host.com", "Circle Of Life".
    md5 = ha1(SipUsername("Mufasa"), "testrealm@host.com", Secret("Circle Of Life")).md5
    ha2 = hashlib.md5(b"GET:/dir/index.html", usedforsecurity=False).hexdigest()
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093:00000001:0a4f113b:auth"
    response = hashlib.md5(f"{md5}:{nonce}:{ha2}".encode(), usedforsecurity=False).hexdigest()

    assert "6629fae49393a05397450978507c4ef1" == response


def test_a_pairing_code_is_shown_with_a_hyphen() -> None:
    assert "BCDF-GHJK" == format_pairing_code(Secret("BCDFGHJK"))


@pytest.mark.parametrize("typed", ["BCDFGHJK", "bcdf-ghjk", " bcdf ghjk ", "b.c.d.f.g.h.j.k", "BCDF–GHJK"])
def test_a_pairing_code_is_read_as_people_type_it(typed: str) -> None:
    assert "BCDFGHJK" == read_pairing_code(typed)


@given(st.text(max_size=300))
def test_what_was_typed_for_a_code_stays_short(typed: str) -> None:
    assert 64 >= len(read_pairing_code(typed))


def test_a_shown_pairing_code_is_read_back() -> None:
    code = KEYS.pairing_code(INSTALLATION_ID, "nonce")

    assert code.reveal() == read_pairing_code(format_pairing_code(code))
