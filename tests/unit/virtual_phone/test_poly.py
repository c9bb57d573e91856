"""A Poly: what its firmware asks for, its files and its pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.vendors.screens import Screen as GatewayScreen
from chalicelib.vendors.screens import SoftKey as GatewayKey
from chalicelib.vendors.screens import render_screen
from local.virtual_phone.account import MediaEncryption, SipServer, Transport
from local.virtual_phone.device import DeviceSettings, Order, RestartRule, ScreenKey
from local.virtual_phone.errors import PhoneFileError, ScreenError
from local.virtual_phone.poly import PolyDevice, parse_master_file, parse_phone_file, parse_screen
from local.virtual_phone.screens import SoftKey
from tests.unit.virtual_phone.served import BASE, OWN, Files, rendered

MAC = "000389123456"  # the preview's
DEVICE = PolyDevice(MAC)
ACCOUNT = {"reg.1.address": "1", "reg.1.auth.password": "p=w", "reg.1.server.1.address": "sip.example"}


def read(state: PhoneState, language: Language = Language.EN) -> DeviceSettings:
    files = rendered("poly", "VVX450", state, language)
    served = DEVICE.fetch_files(BASE, Files({BASE + name: body for name, body in files.items()}), booting=False)
    assert served is not None
    return DEVICE.read_settings(served.settings)


def settings(**changed: str) -> dict[str, tuple[str, ...]]:
    names = {name.replace("__", "."): value for name, value in changed.items()}
    return {name: (value,) for name, value in (ACCOUNT | names).items()}


def page(body: str) -> bytes:
    return f"<html><head><title>t</title></head><body>{body}</body></html>".encode()


def test_a_fresh_phone_asks_as_a_real_vvx_does() -> None:
    master = b'<APPLICATION APP_FILE_PATH="sip.ld" CONFIG_FILES="[PHONE_MAC_ADDRESS]-a.cfg, https://other/b.cfg"/>'
    own = b'<a lcl.ml.lang="German_Germany"/>'
    files = Files(
        {f"{BASE}000000000000.cfg": master, f"{BASE}{MAC}-a.cfg": own, "https://other/b.cfg": b'<b lcl.ml.lang="x" a.b="1"/>'}
    )
    served = DEVICE.fetch_files(BASE, files, booting=True)

    expected = [
        f"{BASE}{MAC}.cfg FileTransport PolycomVVX-VVX_450-UA/5.9.7.47435 Type/Updater",
        f"{BASE}{MAC}.cfg",
        f"{BASE}000000000000.cfg",
        f"{BASE}3111-48450-001.sip.ld",
        "https://other/b.cfg",
        f"{BASE}{MAC}-a.cfg",
        *(f"{BASE}{MAC}-{name}" for name in ("web.cfg", "phone.cfg", "license.cfg", "directory.xml", "calls.xml")),
    ]
    assert expected == files.asked
    assert served is not None
    expected_settings = {"lcl.ml.lang": ("German_Germany",), "a.b": ("1",)}
    assert expected_settings == served.settings


def test_nothing_served_is_none() -> None:
    assert DEVICE.fetch_files(BASE, Files({}), booting=False) is None


def test_a_file_that_the_master_names_must_be_there() -> None:
    master = b'<APPLICATION APP_FILE_PATH="sip.ld" CONFIG_FILES="gone.cfg"/>'
    with pytest.raises(PhoneFileError, match=r"gone\.cfg"):
        DEVICE.fetch_files(BASE, Files({f"{BASE}{MAC}.cfg": master}), booting=False)


def test_stage_one_names_the_phones_own_files() -> None:
    (content,) = rendered("poly", "VVX450", PhoneState.BOOTSTRAP).values()

    own = "https://gateway.example/d/SAMPLE-TOKEN/lang_en/[PHONE_MAC_ADDRESS]"
    expected = ("sip.ld", (f"{own}-user.cfg", f"{own}-site.cfg"))
    assert expected == parse_master_file(content)


@pytest.mark.parametrize("state", OWN)
@pytest.mark.parametrize("language", Language)
def test_every_rendered_file_is_read(state: PhoneState, language: Language) -> None:
    device = read(state, language)

    expected = (f"https://gateway.example/d/SAMPLE-TOKEN/lang_{language.value}/", False)
    assert expected == (device.provisioning_url, device.dhcp_decides)
    assert device.account is not None
    expected_account = (SipServer("sip.gateway.example", 5061, Transport.TLS), 120, MediaEncryption.COMPULSORY)
    assert expected_account == (device.account.server, device.account.expires_seconds, device.account.media_encryption)


def test_a_signed_in_phone_is_the_users() -> None:
    device = read(PhoneState.SIGNED_IN, Language.DE)

    assert device.account is not None
    expected = ("Anna Berg", "+4989123401", "German_Germany", "3600")
    assert expected == (device.account.display_name, device.account.user_name, device.language, device.time_zone)
    expected_keys = (ScreenKey("softkey.1", "Abmelden", "https://gateway.example/d/SAMPLE-TOKEN/ui/sign-out"),)
    assert expected_keys == device.screen_keys
    expected_certificate = (b"-----BEGIN CERTIFICATE-----\nU0FNUExF\n-----END CERTIFICATE-----",)
    assert expected_certificate == device.certificates


def test_the_serial_number_is_told_where_it_was_served() -> None:
    tagged = {"device.prov.tagSerialNo": ("1",)}

    expected = "FileTransport PolycomVVX-VVX_450-UA/6.4.3.5017 (SN:000389123456) Type/Application"
    assert expected == DEVICE.http_user_agent_with(tagged)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"device__prov__serverName": "https://a/", "device__prov__serverName__set": "1"}, "device.set is not 1"),
        ({"device__prov__serverName": "https://a/", "device__set": "1"}, r"device.prov.serverName.set is not 1"),
        ({"reg__1__server__1__transport": "tls"}, r"reg.1.server.1.transport"),
        ({"reg__1__server__1__port": "x"}, r"reg.1.server.1.port"),
        ({"reg__1__auth__password": ""}, r"reg.1.auth.password"),
        ({"reg__1__srtp__require": "yes"}, r"reg.1.srtp.require"),
        ({"feature__enhancedFeatureKeys__enabled": "1", "softkey__1__label": "x" * 17}, "17 characters"),
        ({"dialplan__digitmap": "x" * 2561}, "2561 characters"),
    ],
)
def test_a_setting_that_cannot_be_is_named(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(PhoneFileError, match=reason):
        DEVICE.read_settings(settings(**changed))


def test_factory_defaults_count_where_nothing_is_served() -> None:
    account = DEVICE.read_settings(settings()).account

    assert account is not None
    expected = (SipServer("sip.example", 5060, Transport.UDP), 3600, MediaEncryption.OFF, "1")
    assert expected == (account.server, account.expires_seconds, account.media_encryption, account.auth_name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a>",
        b"<!DOCTYPE a><a/>",
        b"<a>text</a>",
        b'<a plain="1"/>',
        b'<a><b x.y="1"/><c x.y="2"/></a>',
        b"<?xml version='1.0' encoding='no-such'?><a/>",
    ],
)
def test_a_file_that_a_phone_would_misread_is_refused(content: bytes) -> None:
    with pytest.raises(PhoneFileError):
        parse_phone_file(content)


@pytest.mark.parametrize("content", [b"<x/>", b"<APPLICATION/>", b'<APPLICATION APP_FILE_PATH="" CONFIG_FILES="" NEW="1"/>'])
def test_a_master_file_holds_what_the_guide_knows(content: bytes) -> None:
    with pytest.raises(PhoneFileError, match="master file"):
        parse_master_file(content)


@pytest.mark.parametrize("event", ["check-sync", "check-sync;reboot=true"])
def test_check_sync_fetches_unless_the_phone_always_reboots(event: str) -> None:
    expected = (Order.REFETCH, Order.RESTART)
    assert expected == (DEVICE.obey(event, RestartRule.NEVER), DEVICE.obey(event, RestartRule.ALWAYS))


def test_the_gateways_page_is_shown() -> None:
    keys = (GatewayKey("Zurückgehen"), GatewayKey("Refresh", "https://gateway/ui/pairing?a=1&b=2"))
    document = render_screen("poly", GatewayScreen("Sign in", ("open <this>", "BCDF-GHJK"), keys))
    assert document is not None
    screen = parse_screen(document.body.encode(), content_type=document.content_type, url=BASE)

    expected = ("Sign in", ("open <this>", "BCDF-GHJK"))
    assert expected == (screen.title, screen.lines)
    expected_keys = (SoftKey(1, "Zurückge.", "SoftKey:Exit"), SoftKey(2, "Refresh", "https://gateway/ui/pairing?a=1&b=2"))
    assert expected_keys == screen.soft_keys


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<script/>", "does not show"),
        ('<softkey index="9" label="a" action="SoftKey:Exit"/>', "must be 1 to 8"),
        ('<softkey index="1" label="0123456789" action="SoftKey:Exit"/>', "1 to 9 characters"),
        ('<softkey index="1" label="a" action="https://gateway/"/>', "none that this phone imitates"),
        ("<br>", "not well-formed"),
    ],
)
def test_a_page_that_the_phone_would_stumble_over_is_refused(body: str, reason: str) -> None:
    with pytest.raises(ScreenError, match=reason):
        parse_screen(page(body), content_type="text/html", url=BASE)


PARAMETERS = st.dictionaries(
    st.sampled_from([*ACCOUNT, "device.set", "device.a", "device.a.set", "softkey.1.label", "reg.1.server.1.port", "a"]),
    st.text(alphabet="01x:/", max_size=4),
)


@given(st.one_of(st.binary(max_size=200), PARAMETERS))
def test_any_file_is_read_or_refused(content: bytes | dict[str, str]) -> None:
    if isinstance(content, dict):
        attributes = (f'{name}="{value}"' for name, value in content.items())
        content = f"<a {' '.join(attributes)}/>".encode()
    for parse in (parse_master_file, parse_phone_file):
        try:
            found = parse(content)
            if isinstance(found, dict):
                DEVICE.read_settings(found)
        except PhoneFileError:
            continue


@given(st.one_of(st.binary(max_size=200), st.text(alphabet="<>/=\"' psoftkeyindexlabelaction19:;&", max_size=120)))
def test_any_page_is_read_or_refused(body: bytes | str) -> None:
    try:
        parse_screen(body if isinstance(body, bytes) else page(body), content_type="text/html", url=BASE)
    except ScreenError:
        return


def test_a_master_file_that_names_no_files_is_read() -> None:
    expected: tuple[str, tuple[str, ...]] = ("sip.ld", ())
    assert expected == parse_master_file(b'<APPLICATION APP_FILE_PATH="sip.ld" CONFIG_FILES=""/>')
