"""An AudioCodes phone: its files, and keys that dial in place of a browser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from local.virtual_phone.account import MediaEncryption, SipServer, Transport
from local.virtual_phone.audiocodes import AudioCodesDevice, parse_phone_file
from local.virtual_phone.device import DeviceSettings, DialKey, Order, RestartRule
from local.virtual_phone.errors import PhoneFileError, ScreenError
from tests.unit.virtual_phone.served import BASE, OWN, Files, rendered

MAC = "001719123456"  # the preview's
DEVICE = AudioCodesDevice(MAC)
ACCOUNT = {
    "voip/line/0/enabled": "1",
    "voip/line/0/id": "1",
    "voip/line/0/auth_password": "p=w",
    "voip/signalling/sip/use_proxy": "1",
    "voip/signalling/sip/proxy_address": "sip.example",
}
PSK = "personal_settings/soft_keys/psk/0"


def read(state: PhoneState, language: Language = Language.EN) -> DeviceSettings:
    return DEVICE.read_settings(parse_phone_file(rendered("audiocodes", "C450HD", state, language)[f"{MAC}.cfg"]))


def settings(changed: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: (value,) for name, value in (ACCOUNT | changed).items()}


def test_the_file_is_asked_for_in_upper_case_and_the_image_at_boot() -> None:
    files = Files({f"{BASE}001719123456.cfg": b"a/b=1\n"})
    served = AudioCodesDevice("00171912345f").fetch_files(BASE, Files({}), booting=False)
    assert served is None
    DEVICE.fetch_files(BASE, files, booting=True)

    expected = [f"{BASE}001719123456.cfg", f"{BASE}C450HD.img"]
    assert expected == files.asked
    expected_url = f"{BASE}00908F12345F.cfg"
    assert expected_url == AudioCodesDevice("00908f12345f").account_url(BASE)


def test_stage_one_makes_the_url_the_phones_own() -> None:
    (content,) = rendered("audiocodes", "C450HD", PhoneState.BOOTSTRAP).values()
    device = DEVICE.read_settings(parse_phone_file(content))

    expected = ("https://gateway.example/d/SAMPLE-TOKEN/lang_en/", False)
    assert expected == (device.provisioning_url, device.dhcp_decides)


def test_a_url_without_the_static_method_counts_for_nothing() -> None:
    device = DEVICE.read_settings({"provisioning/configuration/url": (BASE,)})

    expected = ("", True)
    assert expected == (device.provisioning_url, device.dhcp_decides)


@pytest.mark.parametrize("state", OWN)
@pytest.mark.parametrize("language", Language)
def test_every_rendered_file_is_read(state: PhoneState, language: Language) -> None:
    device = read(state, language)

    assert device.account is not None
    expected = (SipServer("sip.gateway.example", 5061, Transport.TLS), 120, MediaEncryption.COMPULSORY)
    assert expected == (device.account.server, device.account.expires_seconds, device.account.media_encryption)
    expected_certificates = (f"https://gateway.example/d/SAMPLE-TOKEN/lang_{language.value}/ca.pem",)
    assert expected_certificates == device.certificate_urls


@pytest.mark.parametrize(
    ("state", "label", "number"), [(PhoneState.ENROLLED, "Anmelden", "*50*"), (PhoneState.SIGNED_IN, "Abmelden", "*51*")]
)
def test_the_key_dials_the_states_code(state: PhoneState, label: str, number: str) -> None:
    expected = (DialKey(PSK, label, number),)
    assert expected == read(state, Language.DE).dial_keys


def test_a_signed_in_phone_is_the_users() -> None:
    device = read(PhoneState.SIGNED_IN, Language.DE)

    assert device.account is not None
    expected = ("Anna Berg", "+4989123401", "GERMAN", "+01:00")
    assert expected == (device.account.display_name, device.account.user_name, device.language, device.time_zone)


def test_there_is_no_browser() -> None:
    with pytest.raises(ScreenError, match="no browser"):
        DEVICE.parse_screen(b"<x/>", content_type="text/xml", url=BASE)


def test_a_restart_needs_the_setting_that_forces_it() -> None:
    expected = (Order.REFETCH, Order.RESTART)
    orders = DEVICE.obey("check-sync;reboot=true", RestartRule.NEVER), DEVICE.obey("check-sync", RestartRule.ALWAYS)
    assert expected == orders


def test_the_user_agents_are_those_of_firmware_3() -> None:
    expected = ("AUDC/3.4.8.808 AUDC-IPPhone-C450HD_UC_3.4.8.808/1", "AUDC-IPPhone-C450HD_UC_3.4.8.808/1")
    assert expected == (DEVICE.http_user_agent, DEVICE.sip_user_agent)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"; a comment", "line 1"),
        (b"a/b=1\na/b=2", "line 2 sets a/b a second time"),
        (b"a/b = 1", "line 1"),
        (b"a/b= 1", "line 1"),
        (b"ab=1", "line 1"),
        (b"a/b=\x00", "line 1"),
        (b"a/b=\xff", "not UTF-8"),
        (b"\xef\xbb\xbfa/b=1", "line 1"),
    ],
)
def test_a_file_that_a_phone_would_misread_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(PhoneFileError, match=reason):
        parse_phone_file(content)


def test_a_refusal_shows_no_value() -> None:
    with pytest.raises(PhoneFileError) as caught:
        parse_phone_file(b"password=very-secret")
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"voip/line/0/auth_password": ""}, "auth_password"),
        ({"voip/signalling/sip/use_proxy": "0"}, "use_proxy"),
        ({"voip/signalling/sip/use_proxy_ip_port_for_registrar": "0"}, "not imitated"),
        ({"voip/signalling/sip/transport_protocol": "tls"}, "transport_protocol"),
        ({"voip/media/srtp/mode": "ON"}, "srtp/mode"),
        ({"provisioning/method": "static"}, "provisioning/method"),
        ({"personal_settings/soft_key/0/key_function": "PSK", f"{PSK}/prefix": "*50*"}, "only write its prefix"),
        ({"personal_settings/functional_key/0/type": "SPEED_DIAL"}, "speed_dial_number"),
    ],
)
def test_a_setting_that_cannot_be_is_named(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(PhoneFileError, match=reason):
        DEVICE.read_settings(settings(changed))


LINES = st.lists(
    st.one_of(
        st.sampled_from([f"{name}={value}" for name, value in ACCOUNT.items()]),
        st.sampled_from(["voip/line/0/enabled=x", "personal_settings/soft_key/0/key_function=PSK", f"{PSK}/prefix=a"]),
        st.text(max_size=30),
    )
)


@given(st.one_of(st.binary(max_size=200), LINES.map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass"))))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    try:
        DEVICE.read_settings(parse_phone_file(content))
    except PhoneFileError:
        return
