"""The reader of Yealink phone files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.virtual_phone.account import MediaEncryption, SipServer, Transport
from local.virtual_phone.device import Order, RestartRule, ScreenKey
from local.virtual_phone.errors import PhoneFileError
from local.virtual_phone.yealink import (
    FIRST_LINE,
    BootFile,
    YealinkDevice,
    parse_boot_file,
    parse_phone_file,
    read_device_settings,
)

ACCOUNT = {
    "account.1.enable": "1",
    "account.1.user_name": "805ec0123456",
    "account.1.password": "p=w;#",
    "account.1.sip_server.1.address": "sip.example",
    "account.1.sip_server.1.port": "5061",
    "account.1.sip_server.1.transport_type": "2",
}


def content(*lines: str) -> bytes:
    return "\n".join([FIRST_LINE, *lines, ""]).encode()


def settings(**changed: str) -> dict[str, tuple[str, ...]]:
    names = {name.replace("__", "."): value for name, value in changed.items()}
    return {name: (value,) for name, value in (ACCOUNT | names).items()}


def test_settings_comments_and_empty_values_are_read() -> None:
    file = parse_phone_file(
        content("# a comment", "", "lang.gui = German", "account.1.password=a = b # c", "account.1.label =")
    )

    expected = {"lang.gui": ("German",), "account.1.password": ("a = b # c",), "account.1.label": ("",)}
    assert expected == file.settings


def test_a_name_with_and_without_static_is_one_setting() -> None:
    file = parse_phone_file(content("auto_provision.server.url = https://a/"))

    expected = {"static.auto_provision.server.url": ("https://a/",)}
    assert expected == file.settings


def test_certificates_may_stand_on_several_lines() -> None:
    line = "static.trusted_certificates.url = https://a/{}.pem"

    expected = ("https://a/1.pem", "https://a/2.pem")
    found = parse_phone_file(content(line.format(1), line.format(2))).settings
    assert expected == read_device_settings(found).certificate_urls


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "line 1 must be"),
        (b"account.1.enable = 1\n", "line 1 must be"),
        (b"\xef\xbb\xbf#!version:1.0.0.1\n", "line 1 must be"),
        (b"#!version:1.0.0.1\nlang.gui = \xff\n", "not UTF-8"),
        (content("lang.gui = German", "lang.gui = German"), "line 3 sets lang.gui a second time"),
        (content("auto_provision.server.url = a", "static.auto_provision.server.url = b"), "line 3 sets static"),
        (content("lang.gui"), "line 2 is neither"),
        (content("include:config <a.cfg>"), "line 2 is neither"),
        (content("lang.gui = a\x00b"), "line 2 holds a control character"),
        (content("lang.gui = a\rb.c = d"), "line 2 holds a control character"),
    ],
)
def test_a_file_that_a_device_would_misread_is_refused(file: bytes, reason: str) -> None:
    with pytest.raises(PhoneFileError, match=reason):
        parse_phone_file(file)


def test_a_refusal_shows_no_value() -> None:
    with pytest.raises(PhoneFileError) as caught:
        parse_phone_file(content("account 1 password = very-secret"))
    assert "very-secret" not in str(caught.value)


def test_a_boot_file_gives_this_models_files_in_order() -> None:
    boot = parse_boot_file(
        content('include:config "common.cfg"', "[T46S, T48S]include:config <t4.cfg>", "[T54W]include:config <t5.cfg>",
                "include:config <$MAC.cfg>", "overwrite_mode = 0")
    )  # fmt: skip

    expected = (("common.cfg", "t4.cfg", "805ec0123456.cfg"), False)
    assert expected == (boot.locations_for(model="T46S", mac="805ec0123456"), boot.overwrite)


def test_overwrite_mode_is_on_where_a_boot_file_does_not_say() -> None:
    expected = BootFile(includes=(), overwrite=True)
    assert expected == parse_boot_file(content())


@pytest.mark.parametrize("line", ["lang.gui = German", "include:config a.cfg", "include:config <a.xml>", "overwrite_mode = 2"])
def test_a_boot_file_holds_nothing_else(line: str) -> None:
    with pytest.raises(PhoneFileError, match="line 2"):
        parse_boot_file(content(line))


def test_an_account_is_read_with_the_factorys_defaults() -> None:
    account = read_device_settings(settings()).account

    assert account is not None
    expected = ("805ec0123456", SipServer("sip.example", 5061, Transport.TLS), 3600, MediaEncryption.OFF, None)
    assert expected == (
        account.auth_name,
        account.server,
        account.expires_seconds,
        account.media_encryption,
        account.outbound_proxy,
    )
    expected_aor = "sip:805ec0123456@sip.example"
    assert expected_aor == account.aor
    assert "p=w" not in repr(account)


def test_an_outbound_proxy_and_srtp_are_read() -> None:
    found = settings(
        account__1__outbound_proxy_enable="1",
        account__1__outbound_proxy__1__address="edge.example",
        account__1__outbound_proxy__1__port="5061",
        account__1__srtp_encryption="2",
    )
    account = read_device_settings(found).account

    assert account is not None
    expected = (SipServer("edge.example", 5061, Transport.TLS), MediaEncryption.COMPULSORY)
    assert expected == (account.outbound_proxy, account.media_encryption)


def test_a_disabled_account_is_none() -> None:
    assert read_device_settings(settings(account__1__enable="0")).account is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account.1.password", ""),
        ("account.1.enable", "yes"),
        ("account.1.sip_server.1.port", "50 61"),
        ("account.1.sip_server.1.port", "\u0665"),
        ("account.1.sip_server.1.transport_type", "3"),
        ("account.1.srtp_encryption", "on"),
        ("sip.notify_reboot_enable", "3"),
    ],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(PhoneFileError, match=name):
        read_device_settings({**settings(), name: (value,)})


def test_screen_keys_are_those_of_type_27() -> None:
    found = settings(
        programablekey__1__type="27",
        programablekey__1__label="Sign in",
        programablekey__1__value="https://a/ui",
        linekey__2__type="15",
        linekey__3__type="27",
        linekey__3__label="Help",
        linekey__3__value="https://a/help",
    )

    expected = (ScreenKey("programablekey.1", "Sign in", "https://a/ui"), ScreenKey("linekey.3", "Help", "https://a/help"))
    assert expected == read_device_settings(found).screen_keys


def test_a_factory_fresh_device_restarts_on_any_check_sync_and_lets_dhcp_decide() -> None:
    device = read_device_settings({})

    expected = (None, RestartRule.ALWAYS, True, "English", "")
    assert expected == (device.account, device.restart_rule, device.dhcp_decides, device.language, device.provisioning_url)


@pytest.mark.parametrize(
    ("rule", "event", "expected"),
    [
        (RestartRule.ALWAYS, "check-sync;reboot=false", Order.RESTART),
        (RestartRule.NEVER, "check-sync;reboot=true", Order.REFETCH),
        (RestartRule.AS_ASKED, "check-sync; reboot=true", Order.RESTART),
        (RestartRule.AS_ASKED, "check-sync;reboot=false", Order.REFETCH),
        (RestartRule.AS_ASKED, "check-sync", Order.REFETCH),
    ],
)
def test_check_sync_is_obeyed_as_the_rule_says(rule: RestartRule, event: str, expected: Order) -> None:
    assert expected == YealinkDevice("805ec0123456").obey(event, rule)


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [*(f"{name} = {value}" for name, value in ACCOUNT.items()), "include:config <a.cfg>", "[T46S]include:config"]
        ),
        st.text(max_size=40),
    )
)


@given(st.one_of(st.binary(max_size=200), LINES.map(lambda lines: content(*lines))))
def test_any_bytes_are_read_or_refused(file: bytes) -> None:
    for parse in (parse_phone_file, parse_boot_file):
        try:
            found = parse(file)
            if not isinstance(found, BootFile):
                read_device_settings(found.settings)
        except PhoneFileError:
            continue
