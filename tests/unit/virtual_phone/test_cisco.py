"""A Cisco: its profile rules, profiles and screens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.vendors.files import render_unchanged
from chalicelib.vendors.screens import Screen as GatewayScreen
from chalicelib.vendors.screens import SoftKey as GatewayKey
from chalicelib.vendors.screens import render_screen
from local.virtual_phone.account import MediaEncryption, SipServer, Transport
from local.virtual_phone.cisco import CiscoDevice, parse_profile, parse_screen
from local.virtual_phone.device import DeviceSettings, DialKey, Order, RestartRule, ScreenKey
from local.virtual_phone.errors import PhoneFileError, ScreenError
from local.virtual_phone.screens import SoftKey
from tests.unit.virtual_phone.served import BASE, OWN, Files, rendered

MAC = "00562b123456"  # the preview's
DEVICE = CiscoDevice(MAC)
ACCOUNT = {"User_ID_1_": "1", "Password_1_": "p=w", "Proxy_1_": "sip.example"}
OWN_RULE = "https://gateway.example/d/SAMPLE-TOKEN/lang_{}/$MA.xml"


def read(state: PhoneState, language: Language = Language.EN) -> DeviceSettings:
    return DEVICE.read_settings(parse_profile(rendered("cisco", "8841", state, language)[f"{MAC}.xml"]))


def profile(inside: str) -> bytes:
    return f"<flat-profile>{inside}</flat-profile>".encode()


def settings(**changed: str) -> dict[str, tuple[str, ...]]:
    return {name: (value,) for name, value in (ACCOUNT | changed).items()}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (BASE, f"{BASE}8841-3PCC.xml"),
        (f"{BASE}lang_en/$PSN.xml", f"{BASE}lang_en/8841-3PCC.xml"),
        (f"{BASE}$MA.xml", f"{BASE}{MAC}.xml"),
        (f"{BASE}$MAU/$PN-$SWVER.xml", f"{BASE}00562B123456/CP-8841-3PCC-12.0.3.xml"),
    ],
)
def test_macros_of_a_rule_are_filled_in(url: str, expected: str) -> None:
    assert expected == DEVICE.resolve_url(url)


@pytest.mark.parametrize("rule", [f"{BASE}$XYZ.xml", f"[--key k]{BASE}a", f"($MA eq 1)? {BASE}a | {BASE}b", "/$PSN.xml"])
def test_a_rule_that_is_not_imitated_is_refused(rule: str) -> None:
    with pytest.raises(PhoneFileError):
        DEVICE.resolve_url(rule)


def test_stage_one_names_the_phones_own_profile() -> None:
    (content,) = rendered("cisco", "8841", PhoneState.BOOTSTRAP).values()
    served = DEVICE.fetch_files(BASE, Files({BASE: content}), booting=True)

    assert served is not None
    expected = OWN_RULE.format("en")
    assert expected == DEVICE.read_settings(served.settings).provisioning_url


def test_further_rules_are_run_one_after_another() -> None:
    files = Files({BASE: profile(f"<Profile_Rule_B>{BASE}$MA.xml</Profile_Rule_B>"), f"{BASE}{MAC}.xml": profile("<A>1</A>")})
    served = DEVICE.fetch_files(BASE, files, booting=False)

    assert served is not None
    expected = ("1",)
    assert expected == served.settings["A"]


def test_a_404_is_a_failure() -> None:
    assert DEVICE.fetch_files(BASE, Files({}), booting=False) is None
    with pytest.raises(PhoneFileError, match="Profile_Rule_C"):
        DEVICE.fetch_files(BASE, Files({BASE: profile(f"<Profile_Rule_C>{BASE}c</Profile_Rule_C>")}), booting=False)


@pytest.mark.parametrize("state", OWN)
@pytest.mark.parametrize("language", Language)
def test_every_rendered_profile_is_read(state: PhoneState, language: Language) -> None:
    device = read(state, language)

    assert device.account is not None
    expected = (OWN_RULE.format(language.value), False, SipServer("sip.gateway.example", 5061, Transport.TLS))
    assert expected == (device.provisioning_url, device.dhcp_decides, device.account.server)
    expected_account = (120, MediaEncryption.COMPULSORY)
    assert expected_account == (device.account.expires_seconds, device.account.media_encryption)


def test_a_signed_in_phone_is_the_users() -> None:
    device = read(PhoneState.SIGNED_IN, Language.DE)

    assert device.account is not None
    expected = ("Anna Berg", "+4989123401", "sampleinstallation234567ab.2", "GMT+01:00")
    found = (device.account.display_name, device.account.user_name, device.account.auth_name, device.time_zone)
    assert expected == found
    expected_keys = (ScreenKey("PSK_1", "Abmelden", "https://gateway.example/d/SAMPLE-TOKEN/ui/sign-out"),)
    assert expected_keys == device.screen_keys
    expected_certificates = ("https://gateway.example/d/SAMPLE-TOKEN/lang_de/ca.pem",)
    assert expected_certificates == device.certificate_urls


def test_a_language_counts_only_with_a_dictionary() -> None:
    script = "serv=http://h/;d0=English-US;d1=German;x1=de-DE.xml"
    served = {"Language_Selection": ("German",), "Dictionary_Server_Script": (script,)}

    expected = ("German", "English-US")
    languages = DEVICE.read_settings(served).language, DEVICE.read_settings({"Language_Selection": ("German",)}).language
    assert expected == languages


def test_a_speed_dial_key_dials() -> None:
    served = {
        "Programmable_Softkey_Enable": "Yes",
        "Idle_Key_List": "psk2|1;redial|2;",
        "PSK_2": "fnc=sd;ext=*50*@$PROXY;nme=Go",
    }

    expected = (DialKey("PSK_2", "Go", "*50*"),)
    assert expected == DEVICE.read_settings(settings(**served)).dial_keys


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Password_1_": ""}, "Password_1_"),
        ({"SIP_Transport_1_": "tls"}, "SIP_Transport_1_"),
        ({"Proxy_1_": "a:5061|b:5061"}, "is not host:port"),
        ({"Proxy_1_": "a:SRV=a:5061:p=0|b"}, "is not host:port"),
        ({"Line_Enable_1_": "1"}, "Line_Enable_1_"),
        ({"Secure_Call_Setting": "Yes", "Secure_Call_Option_1_": "Never"}, "Secure_Call_Option_1_"),
        ({"Programmable_Softkey_Enable": "Yes", "Idle_Key_List": "psk1", "PSK_1": "fnc=blf;nme=a"}, "function 'blf'"),
        ({"Programmable_Softkey_Enable": "Yes", "Idle_Key_List": "psk1", "PSK_1": "fnc=xml;url=https://a"}, "no name"),
        ({"Profile_Rule": "[--key k]https://a"}, "profile rule"),
    ],
)
def test_a_setting_that_cannot_be_is_named(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(PhoneFileError, match=reason):
        DEVICE.read_settings(settings(**changed))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<x/>",
        profile("<A><B/></A>"),
        profile("<A>1</A><A>2</A>"),
        profile('<A ua="xx">1</A>'),
        profile('<A other="1">1</A>'),
        profile("<A/>text"),
        profile("<Länge>1</Länge>"),
        b"<!DOCTYPE a><flat-profile/>",
    ],
)
def test_a_profile_that_a_phone_would_misread_is_refused(content: bytes) -> None:
    with pytest.raises(PhoneFileError):
        parse_profile(content)


@pytest.mark.parametrize(
    ("event", "rule", "expected"),
    [
        ("check-sync", RestartRule.AS_ASKED, Order.REFETCH),
        ("resync", RestartRule.AS_ASKED, Order.REFETCH),
        ("reboot", RestartRule.AS_ASKED, Order.RESTART),
        ("reboot", RestartRule.NEVER, Order.NOTHING),
    ],
)
def test_the_event_itself_says_what_to_do(event: str, rule: RestartRule, expected: Order) -> None:
    assert expected == DEVICE.obey(event, rule)


def test_the_user_agents_are_those_of_the_factory() -> None:
    expected = ("Cisco-CP-8841-3PCC/12.0.3 (00562b123456)", "Cisco-CP-8841-3PCC/12.0.3")
    assert expected == (DEVICE.http_user_agent, DEVICE.sip_user_agent)


def test_the_gateways_screen_is_shown() -> None:
    keys = (GatewayKey("Back"), GatewayKey("Refresh", "https://gateway/ui/pairing?a=1&b=2"))
    document = render_screen("cisco", GatewayScreen("Sign in", ("open <this>", "BCDF-GHJK"), keys))
    assert document is not None
    screen = parse_screen(document.body.encode(), content_type=document.content_type, url=BASE)

    expected = ("Sign in", ("open <this>", "BCDF-GHJK"))
    assert expected == (screen.title, screen.lines)
    expected_keys = (SoftKey(1, "Back", "SoftKey:Exit"), SoftKey(2, "Refresh", "https://gateway/ui/pairing?a=1&b=2"))
    assert expected_keys == screen.soft_keys


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("", "needs a Text"),
        ("<Text>" + "x" * 4001 + "</Text>", "4001 characters"),
        ("<Title>" + "x" * 33 + "</Title>", "33 characters"),
        ("<Text>a</Text><SoftKeyItem><Name>a</Name><URL>SoftKey:Exit</URL><Position>5</Position></SoftKeyItem>", "1 to 4"),
        ("<Text>a</Text><SoftKeyItem><URL>SoftKey:Exit</URL><Position>1</Position></SoftKeyItem>", "needs a Name"),
        ("<Text>a</Text><SoftKeyItem><Name>a</Name><URL>/x</URL><Position>1</Position></SoftKeyItem>", "none that the phone"),
    ],
)
def test_a_screen_that_the_phone_would_stumble_over_is_refused(inside: str, reason: str) -> None:
    with pytest.raises(ScreenError, match=reason):
        parse_screen(f"<CiscoIPPhoneText>{inside}</CiscoIPPhoneText>".encode(), content_type="text/xml", url=BASE)


VALUES = st.dictionaries(
    st.sampled_from([*ACCOUNT, "PSK_1", "Idle_Key_List", "Programmable_Softkey_Enable", "Profile_Rule", "Custom_CA_Rule"]),
    st.sampled_from(["", "Yes", "psk1", "$MA", "fnc=xml", "https://a/$B", "a:b", "fnc=sd;ext=1;nme=a", "]"]),
)


@given(st.one_of(st.binary(max_size=200), VALUES))
def test_any_profile_is_read_or_refused(content: bytes | dict[str, str]) -> None:
    if isinstance(content, dict):
        content = profile("".join(f"<{name}>{value}</{name}>" for name, value in content.items()))
    try:
        DEVICE.read_settings(parse_profile(content))
    except PhoneFileError:
        return


@given(st.one_of(st.binary(max_size=200), st.text(alphabet="<>/=\"' TextTitleSoftKeyItemNameURLPosition1&;", max_size=120)))
def test_any_screen_is_read_or_refused(body: bytes | str) -> None:
    content = body if isinstance(body, bytes) else f"<CiscoIPPhoneText>{body}</CiscoIPPhoneText>".encode()
    try:
        parse_screen(content, content_type="text/xml", url=BASE)
    except ScreenError:
        return


def test_the_profile_that_changes_nothing_is_read() -> None:
    expected: dict[str, tuple[str, ...]] = {}
    assert expected == parse_profile(render_unchanged("cisco", "8841-3PCC.xml").body.encode())
