"""What linphone is told of an account."""

from __future__ import annotations

from configparser import RawConfigParser
from dataclasses import replace
from pathlib import Path

import pytest

from local.virtual_phone.account import MediaEncryption, PhoneAccount, SipServer, Transport
from local.virtual_phone.errors import SipError
from local.virtual_phone.linphone_settings import render_linphonerc

ACCOUNT = PhoneAccount(
    label="Ada",
    display_name='Ada "A" L',
    user_name="+4930123",
    auth_name="auth-1",
    password="p=w;#",
    server=SipServer("sip.example", 5061, Transport.TLS),
    expires_seconds=120,
    media_encryption=MediaEncryption.COMPULSORY,
)


def rendered(account: PhoneAccount) -> RawConfigParser:
    parser = RawConfigParser(interpolation=None)
    parser.read_string(render_linphonerc(account, user_agent="Yealink SIP-T46S 66.86.0.15", trust_anchor=Path("/ca.pem")))
    return parser


def test_the_account_is_passed_on_as_it_is() -> None:
    found = rendered(ACCOUNT)

    expected = {
        "reg_proxy": "<sip:sip.example:5061;transport=tls>",
        "reg_identity": '"Ada \\"A\\" L" <sip:+4930123@sip.example>',
        "reg_expires": "120",
        "reg_sendregister": "1",
        "publish": "0",
    }
    assert expected == dict(found["proxy_0"])
    expected_credentials = {"username": "+4930123", "userid": "auth-1", "passwd": "p=w;#"}
    assert expected_credentials == dict(found["auth_info_0"])


def test_the_server_must_prove_itself_and_calls_are_encrypted() -> None:
    found = rendered(ACCOUNT)["sip"]

    expected = ("/ca.pem", "1", "1", "srtp", "1")
    names = ("root_ca", "verify_server_certs", "verify_server_cn", "media_encryption", "media_encryption_mandatory")
    assert expected == tuple(found[name] for name in names)


def test_a_domain_of_its_own_or_a_proxy_gives_a_route() -> None:
    own_domain = rendered(replace(ACCOUNT, user_name="+4930123@tenant.example"))["proxy_0"]
    proxy = rendered(replace(ACCOUNT, outbound_proxy=SipServer("edge.example", 5061, Transport.TLS)))["proxy_0"]

    expected = ("<sip:sip.example:5061;transport=tls;lr>", "<sip:edge.example:5061;transport=tls;lr>")
    assert expected == (own_domain["reg_route"], proxy["reg_route"])


def test_a_line_break_in_a_value_cannot_add_a_setting() -> None:
    with pytest.raises(SipError, match="control character"):
        rendered(replace(ACCOUNT, display_name="Ada\nreg_proxy=<sip:evil>"))
