"""Answers to a phone's challenge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_edge.agent.core.digest import Challenge, Signer, UnansweredChallenge, parse_challenge, render_authorization

# RFC 7616 section 3.9.1, both algorithms over one request.
MUFASA = Signer("Mufasa", "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
CHALLENGE = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_rfc_s_own_example_is_answered_as_there(algorithm: str, response: str) -> None:
    challenge = parse_challenge(CHALLENGE.format(algorithm))
    header = render_authorization(challenge, MUFASA, method="GET", uri="/dir/index.html")

    assert f'response="{response}"' in header
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in header


def test_without_qop_the_older_form_is_used() -> None:
    challenge = parse_challenge('digest nonce="n", realm="r"')

    assert Challenge(realm="r", nonce="n", algorithm="MD5", qop="", opaque="") == challenge
    assert "qop" not in render_authorization(challenge, MUFASA, method="NOTIFY", uri="sip:x")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic realm=x",
        'Digest realm="r"',
        'Digest nonce="n"',
        'Digest realm="r", nonce="n", qop="auth-int"',
        'Digest realm="r", nonce="n", algorithm=MD5-sess',
    ],
)
def test_a_challenge_that_we_do_not_speak_is_left(header: str) -> None:
    with pytest.raises(UnansweredChallenge):
        parse_challenge(header)


@given(st.text())
def test_any_header_is_read_or_left(header: str) -> None:
    try:
        parse_challenge(f"Digest {header}")
    except UnansweredChallenge:
        return
    assert "nonce" in header.lower()
