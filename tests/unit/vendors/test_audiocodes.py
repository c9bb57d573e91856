"""AudioCodes phones: what is served, and what the files say in every state and language."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.feature_code import SIGN_IN, SIGN_OUT, parse_feature_code
from chalicelib.domain.identifiers import Language, Mac
from chalicelib.domain.installation import Installation, PhoneState
from chalicelib.domain.tenant import Emergency
from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.files import PhoneFileRequest, render_bootstrap, render_file, render_unchanged
from chalicelib.vendors.preview import preview
from chalicelib.vendors.rendering import clean
from chalicelib.vendors.screens import Screen, render_screen
from chalicelib.vendors.time_zones import ClockChange
from tests.unit.domain.samples import ANNA, an_installation
from tests.unit.vendors.audiocodes_format import NotAudioCodes, parse_audiocodes, wrong_settings
from tests.unit.vendors.phones import KEYS, SETTINGS, a_phone, render

AUDIOCODES = vendor("audiocodes")
MAC = Mac("00908f3bbcba")
NAME = f"{MAC}.cfg"
URL = "https://gateway.example/d/TOKEN/lang_en/"
SERVED_STATES = [state for state in PhoneState if state is not PhoneState.BOOTSTRAP]
HOSTILE = st.text(
    st.sampled_from("\r\n\x0b\x0c\x1c\x85\u2028\u2029\x00\t\"'<>&%#=[]{}/$\\;:,*+ \u200b\u202e\U0001f600")
    | st.characters(exclude_categories=["Cs"]),
    max_size=80,
)
ATTACKS = [
    "Anna\nprovisioning/configuration/url=https://evil.example/",
    "Anna\r\nvoip/signalling/sip/proxy_address=evil.example",
    "Anna\u2028system/web/enabled=1",
    "Anna\x85system/password=x",
    "\ninclude https://evil.example/x.cfg\n",
    '{"VvLZ0p5/5pM="}',
    "{{ phone.password }}",
    "; no comment",
    "\x00",
    "",
]


def as_audiocodes(phone: Installation, model: str = "C450HD") -> Installation:
    return replace(phone, vendor="audiocodes", model=model, mac=MAC, firmware=AUDIOCODES.models[model].approved_firmware)


def settings_of(phone: Installation, trust_anchor: str = "") -> dict[str, str]:
    file = render(as_audiocodes(phone), NAME, trust_anchor)
    assert file is not None
    return parse_audiocodes(file.body)


def signed_in(display_name: str = "Anna Berg", number: str = "+4989123401") -> Installation:
    return a_phone(replace(ANNA, display_name=display_name, number=number))


def changed(before: Installation, after: Installation) -> set[str]:
    """The names of the settings that differ; both files must have the same names in the same order."""
    old, new = settings_of(before), settings_of(after)
    assert list(old) == list(new)
    return {name for name in old if old[name] != new[name]}


# --- what is served ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "template"),
    [(NAME, "device.cfg.j2"), ("00908F3BBCBA.cfg", "device.cfg.j2"), ("00908F3BBCBA.CFG", "device.cfg.j2"), ("ca.pem", "")],
)
def test_a_phone_finds_its_own_files_in_any_case(name: str, template: str) -> None:
    file = AUDIOCODES.find_file(name, MAC, "405HD")

    assert template == (file and file.template)


@pytest.mark.parametrize(
    "name",
    ["", ".cfg", "00908f999999.cfg", "405HD.img", "405HD.cfg", "../00908f3bbcba.cfg", f"{NAME} ", "{mac}.cfg", "device.cfg.j2"],
)
def test_a_foreign_file_is_none(name: str) -> None:
    assert render(as_audiocodes(a_phone(), "405HD"), name) is None


@given(st.text(max_size=40))
def test_no_other_name_is_served(name: str) -> None:
    assert (name.lower() in {NAME, "ca.pem"}) == (AUDIOCODES.find_file(name, MAC, "405HD") is not None)


def test_stage_one_answers_the_mac_file_alone() -> None:
    answered = [name for name in (NAME, NAME.upper(), "ca.pem", "405HD.img", "") if AUDIOCODES.is_bootstrap_file(name, MAC)]

    assert [NAME, NAME.upper()] == answered


def test_only_the_mac_file_carries_the_account() -> None:
    assert ["{mac}.cfg"] == [file.name for file in AUDIOCODES.serve if file.carries_account]


def test_a_phone_without_a_browser_has_no_screens() -> None:
    assert render_screen("audiocodes", Screen("Sign in", (), ())) is None


# --- what the files say ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", PhoneState)
@pytest.mark.parametrize("model", AUDIOCODES.models)
def test_every_setting_is_one_that_audiocodes_has(model: str, state: PhoneState) -> None:
    wrong = {
        language: wrong_settings(parse_audiocodes(preview("audiocodes", model, state, language)[0].body))
        for language in Language
    }

    assert {language: {} for language in Language} == wrong


@pytest.mark.parametrize("model", AUDIOCODES.models)
def test_every_state_sets_the_same_names(model: str) -> None:
    names = {
        tuple(parse_audiocodes(preview("audiocodes", model, state, language)[0].body))
        for state in SERVED_STATES
        for language in Language
    }

    assert 1 == len(names)


def test_a_zone_without_daylight_saving_sets_the_same_names() -> None:
    assert list(settings_of(a_phone(zone="Asia/Tokyo"))) == list(settings_of(a_phone(zone="Europe/Berlin")))


def test_a_trust_anchor_adds_no_name() -> None:
    with_anchor, without = settings_of(a_phone(), "PEM"), settings_of(a_phone())

    assert (f"{URL}ca.pem", "") == tuple(each["security/ca_certificate/0/uri"] for each in (with_anchor, without))
    assert list(with_anchor) == list(without)


@pytest.mark.parametrize(
    ("phone", "code", "label"),
    [(an_installation(), "*50*", "Sign in"), (a_phone(None), "*50*", "Sign in"), (a_phone(), "*51*", "Sign out")],
)
def test_soft_key_and_function_key_dial_the_code_of_the_state(phone: Installation, code: str, label: str) -> None:
    settings = settings_of(phone)
    keys = "soft_keys/psk/0/prefix", "functional_key/0/speed_dial_number", "soft_keys/psk/0/label", "functional_key/0/key_label"

    assert (code, code, label, label) == tuple(settings[f"personal_settings/{key}"] for key in keys)


@pytest.mark.parametrize(("dialled", "expected"), [("*50*", SIGN_IN), ("*51*", SIGN_OUT)])
def test_the_gateway_knows_the_codes_of_the_keys(dialled: str, expected: str) -> None:
    code = parse_feature_code(dialled)

    assert expected == (code and code.code)


def test_feature_codes_and_emergency_numbers_are_dialled_at_once() -> None:
    patterns = settings_of(a_phone(emergency=Emergency(("110", "112"))))["voip/signalling/sip/digit_map"].split(";")

    assert {"*55*xxxxxx", "*50*", "*51*", "*99*", "110", "112"} <= set(patterns)
    assert all(set(pattern) & set("*") or pattern in {"110", "112"} for pattern in patterns)


def test_twenty_emergency_numbers_fit_the_dial_plan() -> None:
    numbers = tuple(str(number) for number in range(911000, 911020))

    assert 256 > len(settings_of(a_phone(emergency=Emergency(numbers)))["voip/signalling/sip/digit_map"])


def test_account_and_registrar_are_the_phones_own() -> None:
    phone = a_phone()
    settings = settings_of(phone)
    names = "voip/line/0/id", "voip/line/0/auth_password", "voip/signalling/sip/proxy_address", "voip/signalling/sip/proxy_port"

    expected = (ANNA.number, KEYS.sip_password(phone.id, 2).reveal(), SETTINGS.sip_host, str(SETTINGS.sip_port))
    assert expected == tuple(settings[name] for name in names)


@pytest.mark.parametrize(("phone", "expected"), [(a_phone(), ("*99*", "1")), (a_phone(None), ("", "0"))])
def test_only_a_signed_in_phone_has_a_voicemail_key(phone: Installation, expected: tuple[str, str]) -> None:
    settings = settings_of(phone)
    names = "voip/services/msg_waiting_ind/voice_mail_number", "personal_settings/key/voice_mail/enabled"

    assert expected == tuple(settings[name] for name in names)


@pytest.mark.parametrize(("voicemail", "expected"), [("", ("0", "0", "")), ("+4989123499", ("1", "1", ANNA.number))])
def test_a_phone_subscribes_to_the_messages_of_a_mailbox_that_is_there(voicemail: str, expected: tuple[str, str, str]) -> None:
    settings = settings_of(a_phone(voicemail=voicemail))
    names = ("enabled", "subscribe", "subscribe_address")

    assert expected == tuple(settings[f"voip/services/msg_waiting_ind/{name}"] for name in names)


@pytest.mark.parametrize(
    ("zone", "offset", "expected"),
    [
        ("Europe/Berlin", "+01:00", "ENABLE 3/29 2 10/25 3"),
        ("America/New_York", "-05:00", "ENABLE 3/8 2 11/1 2"),
        ("America/St_Johns", "-03:30", "ENABLE 3/8 2 11/1 2"),
        ("Australia/Sydney", "+10:00", "ENABLE 10/4 2 4/5 3"),
        ("Asia/Kathmandu", "+05:45", "DISABLE 1/1 2 1/1 2"),
        ("UTC", "+00:00", "DISABLE 1/1 2 1/1 2"),
    ],
)
def test_the_clock_follows_the_zone_by_this_years_dates(zone: str, offset: str, expected: str) -> None:
    phone = as_audiocodes(a_phone(zone=zone))
    file = render_file(PhoneFileRequest(phone, NAME, "TOKEN", SETTINGS, KEYS, year=2026))
    settings = parse_audiocodes(file.body if file else "")
    saving = {name.removeprefix("system/daylight_saving/"): value for name, value in settings.items()}
    dates = [
        f"{saving[f'{end}_date/month']}/{saving[f'{end}_date/day']} {saving[f'{end}_date/hour']}" for end in ("start", "end")
    ]

    assert (offset, expected) == (settings["system/ntp/gmt_offset"], " ".join([saving["activate"], *dates]))


@pytest.mark.parametrize(
    ("change", "year", "expected"),
    [
        (ClockChange(3, 5, 6, 2), 2026, 29),
        (ClockChange(3, 5, 6, 2), 2027, 28),
        (ClockChange(11, 1, 6, 2), 2026, 1),
        (ClockChange(3, 2, 6, 2), 2028, 12),
        (ClockChange(10, 4, 4, 0), 2026, 23),
        (ClockChange(2, 5, 0, 0), 2028, 28),
    ],
)
def test_a_clock_change_has_a_day_in_every_year(change: ClockChange, year: int, expected: int) -> None:
    assert expected == change.day(year)


@pytest.mark.parametrize(
    ("language", "expected"), [(Language.JA, "JAPANESE"), (Language.PT, "PORTUGUESE"), (Language.EN, "ENGLISH")]
)
def test_every_language_is_one_of_the_phones(language: Language, expected: str) -> None:
    assert expected == settings_of(replace(a_phone(), language=language))["personal_settings/language"]


@given(st.text("0123456789abcdef", min_size=12, max_size=12))
def test_every_phone_polls_at_its_own_minute_of_the_night(mac: str) -> None:
    file = render(replace(as_audiocodes(a_phone()), mac=Mac(mac)), f"{mac}.cfg")
    hour = parse_audiocodes(file.body if file else "")["provisioning/period/daily/time"]

    assert "00:00" <= hour < "06:00"


def test_a_conference_phone_has_one_line() -> None:
    file = render(as_audiocodes(a_phone(), "RX50"), NAME)

    assert "voip/line/1/enabled" not in parse_audiocodes(file.body if file else "")


def test_the_bootstrap_file_gives_the_phone_its_own_url_and_has_it_ask_there_soon() -> None:
    file = render_bootstrap("https://gateway.example", as_audiocodes(an_installation()), "TOKEN", NAME)

    assert {
        "provisioning/method": "STATIC",
        "provisioning/configuration/url": URL,
        "provisioning/period/type": "EVERY5MIN",
        "provisioning/random_provisioning_time": "0",
    } == parse_audiocodes(file.body)


def test_a_phone_that_needs_nothing_gets_the_plain_404() -> None:
    assert render_unchanged("audiocodes", NAME) is None


# --- no value can add a setting ---------------------------------------------------------------------------------------------


@given(HOSTILE)
@example("\n".join(ATTACKS))
def test_a_display_name_changes_only_name_and_label(display_name: str) -> None:
    expected = {"voip/line/0/description", "voip/line/0/extension_display"}

    assert expected >= changed(signed_in(), signed_in(display_name=display_name))


@given(HOSTILE)
def test_a_number_changes_only_number_and_label(number: str) -> None:
    expected = {"voip/line/0/id", "voip/line/0/extension_display"}

    assert expected >= changed(signed_in(), signed_in(number=number))


@given(st.lists(HOSTILE, max_size=3))
def test_emergency_numbers_change_only_the_dial_plan(numbers: list[str]) -> None:
    expected = {"voip/signalling/sip/digit_map"}

    assert expected >= changed(a_phone(), a_phone(emergency=Emergency(tuple(numbers))))


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_by_display_name_ends_in_the_display_name(attack: str) -> None:
    assert clean(attack) == settings_of(signed_in(display_name=attack))["voip/line/0/description"]


# --- the tests' own reader ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a/b=c",
        "a=b\n",
        "a/b\n",
        "a/b = c\n",
        "a/b=c\na/b=d\n",
        "a/b=c \n",
        " a/b=c\n",
        "\n",
        "a/b=c\u2028d\n",
        "a/b=" + "c" * 70_000 + "\n",
    ],
)
def test_anything_doubtful_is_refused(text: str) -> None:
    with pytest.raises(NotAudioCodes):
        parse_audiocodes(text)


@pytest.mark.parametrize("settings", [{"a/b": "1"}, {"system/web/enabled": "2"}, {"system/web/enabled": ""}])
def test_a_wrong_name_or_value_is_told(settings: dict[str, str]) -> None:
    assert settings == wrong_settings(settings)
