"""No value can add a line, a setting or an element: vendors/rendering.py and files.py."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import Account, Installation
from chalicelib.domain.tenant import MOST_EMERGENCY_NUMBERS, Emergency
from chalicelib.settings import Settings
from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.files import PhoneFileRequest, render_bootstrap, render_file, render_unchanged
from chalicelib.vendors.rendering import LONGEST_VALUE, clean
from tests.unit.domain.samples import ANNA, an_installation
from tests.unit.vendors.phones import FILES, KEYS, SETTINGS, a_phone, named, numbered, render, text_of
from tests.unit.vendors.yealink_format import allowed_values, parse_yealink

SPECIAL = "\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\x00\t\"'<>&%#=[]{}$\\;:,*+ \u200b\u202e\u05d0\ufeff\U0001f600\U000e0001"
HOSTILE = st.text(st.sampled_from(SPECIAL) | st.characters(exclude_categories=["Cs"]), max_size=80)
ATTACKS = [
    "Anna\nstatic.auto_provision.server.url = https://evil.example/",
    "Anna\r\naccount.1.sip_server.1.address = evil.example",
    "Anna\u2028account.1.password = x",
    "Anna\x85account.1.password = x",
    "Anna\x0baccount.1.password = x",
    '"\ninclude:config "https://evil.example/x.cfg"\n',
    "#!version:1.0.0.1\n[T46S]\n",
    "{{ phone.password }}",
    "{% for x in phone %}x{% endfor %}",
    "%NULL%",
    "\x00",
    "",
]


def changed_settings(before: Installation, after: Installation) -> set[str]:
    """The names of the settings that differ in any of the phone's files. Both must have the same names in the same order."""
    changed = set()
    for name in FILES:
        old, new = parse_yealink(text_of(before, name)), parse_yealink(text_of(after, name))
        assert list(old) == list(new)
        changed |= {key for key in old if old[key] != new[key]}
    return changed


@given(HOSTILE)
@example("\n".join(ATTACKS))
def test_a_display_name_changes_only_name_and_label(display_name: str) -> None:
    expected = {"account.1.label", "account.1.display_name"}

    assert expected >= changed_settings(named("Anna Berg"), named(display_name))


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_by_display_name_ends_in_the_display_name(attack: str) -> None:
    expected = vendor("yealink").names.fit(clean(attack))

    assert expected == parse_yealink(text_of(named(attack)))["account.1.display_name"]


@given(HOSTILE)
def test_a_display_name_adds_no_line(display_name: str) -> None:
    assert len(text_of(named("Anna")).splitlines()) == len(text_of(named(display_name)).splitlines())


@given(HOSTILE)
def test_a_number_changes_only_number_and_label(number: str) -> None:
    expected = {"account.1.label", "account.1.user_name"}

    assert expected >= changed_settings(numbered("+4989123401"), numbered(number))


@given(st.lists(HOSTILE, max_size=3))
def test_emergency_numbers_change_only_themselves(numbers: list[str]) -> None:
    expected = {"phone_setting.emergency.number", *(f"dialplan.dialnow.rule.{place}" for place in range(5, 25))}

    assert expected >= changed_settings(a_phone(), a_phone(emergency=Emergency(tuple(numbers))))


def test_every_emergency_number_of_a_tenant_goes_at_once() -> None:
    numbers = tuple(str(110 + place) for place in range(MOST_EMERGENCY_NUMBERS))
    settings = parse_yealink(text_of(a_phone(emergency=Emergency(numbers))))

    assert numbers == tuple(settings[f"dialplan.dialnow.rule.{place}"] for place in range(5, 25))


@given(HOSTILE.filter(bool))
def test_a_voicemail_address_switches_the_lamp_on_and_nothing_else(voicemail: str) -> None:
    assert {"account.1.subscribe_mwi"} == changed_settings(a_phone(), a_phone(voicemail=voicemail))


@given(HOSTILE)
def test_nobody_signed_in_has_no_messages(voicemail: str) -> None:
    assert "0" == parse_yealink(text_of(a_phone(None, voicemail=voicemail)))["account.1.subscribe_mwi"]


@given(HOSTILE)
def test_an_address_of_record_changes_only_the_user_name(aor: str) -> None:
    phone = a_phone()

    assert {"account.1.user_name"} >= changed_settings(phone, replace(phone, account=replace(phone.account, aor=aor)))


@given(HOSTILE)
def test_what_the_stranger_said_of_itself_changes_nothing(text: str) -> None:
    assert set() == changed_settings(a_phone(), replace(a_phone(), firmware=text, address=text))


@given(HOSTILE)
def test_the_display_name_is_shown_as_it_was_cleaned_and_fitted(display_name: str) -> None:
    expected = vendor("yealink").names.fit(clean(display_name))

    assert expected == parse_yealink(text_of(named(display_name)))["account.1.display_name"]


@given(HOSTILE)
def test_a_cleaned_value_is_one_line(text: str) -> None:
    assert clean(text).splitlines() in ([clean(text)], [])


@given(st.text(max_size=700))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(text) == clean(clean(text))


@given(st.text(min_size=400, max_size=2000))
def test_a_cleaned_value_is_bounded(text: str) -> None:
    assert LONGEST_VALUE >= len(clean(text))


@pytest.mark.parametrize("text", ["Anna Berg", "Åsa Öberg-Ñandú", "山田 太郎", "דנה", "O'Neill & Söhne <Büro> 100%", "😀"])
def test_an_ordinary_name_is_left_as_it_is(text: str) -> None:
    assert text == clean(text)


# --- what the files say -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("phone", [an_installation(), a_phone(None), a_phone()], ids=["onboarding", "enrolled", "signed in"])
def test_every_setting_is_one_that_yealink_documents(phone: Installation, name: str) -> None:
    allowed = allowed_values()
    settings = parse_yealink(text_of(phone, name, trust_anchor="PEM"))
    wrong = {key: value for key, value in settings.items() if key not in allowed or not allowed[key].fullmatch(value)}

    assert {} == wrong


def test_the_password_is_that_of_the_account() -> None:
    phone = a_phone()

    assert KEYS.sip_password(phone.id, 2).reveal() == parse_yealink(text_of(phone))["account.1.password"]


def test_another_account_has_another_user_name() -> None:
    before, after = a_phone(None), a_phone()
    names = {parse_yealink(text_of(phone))["account.1.auth_name"] for phone in (before, after)}

    assert 2 == len(names)


@pytest.mark.parametrize("name", FILES[:2])
def test_a_file_without_the_account_holds_no_password(name: str) -> None:
    assert "password" not in "".join(parse_yealink(text_of(a_phone(), name)))


def test_a_signed_out_phone_has_no_voicemail_key() -> None:
    assert "" == parse_yealink(text_of(a_phone(None)))["voice_mail.number.1"]


def test_a_signed_in_phone_dials_the_voicemail_code() -> None:
    assert "*99*" == parse_yealink(text_of(a_phone()))["voice_mail.number.1"]


@pytest.mark.parametrize(
    ("phone", "screen"), [(an_installation(), "sign-in"), (a_phone(None), "sign-in"), (a_phone(), "sign-out")]
)
def test_the_third_soft_key_opens_the_screen_of_the_state(phone: Installation, screen: str) -> None:
    expected = f"https://gateway.example/d/TOKEN/ui/{screen}"

    assert expected == parse_yealink(text_of(phone))["programablekey.3.value"]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", ["0", "GMT", "0"]),
        ("Europe/Berlin", ["+1", "Germany(Berlin)", "2"]),
        ("Asia/Kolkata", ["+5:30", "India(Calcutta)", "0"]),
        ("America/Phoenix", ["-7", "United States-MST no DST", "0"]),
        ("America/Denver", ["-7", "United States-Mountain Time", "2"]),
        ("Asia/Kathmandu", ["+5:45", "", "0"]),
    ],
)
def test_the_phone_knows_its_offset_zone_and_summer_time(zone: str, expected: list[str]) -> None:
    settings = parse_yealink(text_of(a_phone(zone=zone)))

    assert expected == [settings[f"local_time.{name}"] for name in ("time_zone", "time_zone_name", "summer_time")]


def test_a_phone_in_japanese_keeps_its_url_and_gets_english_menus() -> None:
    settings = parse_yealink(text_of(replace(a_phone(), language=Language.JA)))

    actual = (settings["lang.gui"], settings["static.auto_provision.server.url"])
    assert ("English", "https://gateway.example/d/TOKEN/lang_ja/") == actual


def test_a_trust_anchor_is_offered_under_the_phones_own_url() -> None:
    settings = parse_yealink(text_of(a_phone(), FILES[1], trust_anchor="PEM"))

    actual = (settings["static.trusted_certificates.url"], settings["static.security.ca_cert"])
    assert ("https://gateway.example/d/TOKEN/lang_en/ca.pem", "2") == actual


def test_without_a_trust_anchor_only_public_roots_are_trusted() -> None:
    settings = parse_yealink(text_of(a_phone(), FILES[1]))

    assert ("0", None) == (settings["static.security.ca_cert"], settings.get("static.trusted_certificates.url"))


def test_the_trust_anchor_is_served_as_it_is() -> None:
    file = render(a_phone(), "ca.pem", trust_anchor="PEM\n")

    assert ("PEM\n", "application/x-pem-file") == (file and file.body, file and file.content_type)


def test_no_trust_anchor_is_no_file() -> None:
    assert render(a_phone(), "ca.pem") is None


@pytest.mark.parametrize(
    "servers", ["", ",", " a.example ", "a.example,b.example", "a.example,b.example,c.example", ",,a.example"]
)
def test_any_list_of_time_servers_fills_both_places(servers: str) -> None:
    settings = replace(SETTINGS, ntp_servers=servers)
    file = render_file(PhoneFileRequest(a_phone(), FILES[2], "TOKEN", settings, KEYS))
    values = parse_yealink(file.body if file else "")
    names = [name.strip() for name in servers.split(",") if name.strip()][:2]

    assert [*names, *names, "", ""][:2] == [values["local_time.ntp_server1"], values["local_time.ntp_server2"]]


@pytest.mark.parametrize("model", vendor("yealink").models)
def test_the_boot_file_includes_what_is_served(model: str) -> None:
    phone = replace(a_phone(), model=model)
    included = re.findall('include:config "(.+)"', text_of(phone, FILES[0]))

    assert [True, True] == [render(phone, name) is not None for name in included]


def test_the_bootstrap_file_says_one_thing_only() -> None:
    file = render_bootstrap("https://gateway.example", an_installation(), "TOKEN", FILES[2])

    expected = {"static.auto_provision.server.url": "https://gateway.example/d/TOKEN/lang_en/"}
    assert expected == parse_yealink(file.body)


def test_the_unchanged_file_says_nothing() -> None:
    file = render_unchanged("yealink", FILES[2])

    assert file is not None
    assert {} == parse_yealink(file.body)


def test_the_same_phone_gets_the_same_bytes() -> None:
    assert text_of(a_phone()) == text_of(a_phone())


def test_an_etag_is_a_strong_validator_of_the_body() -> None:
    file = render(a_phone(), FILES[2])
    assert file is not None

    assert f'"{hashlib.sha256(file.body.encode()).hexdigest()[:32]}"' == file.etag


def test_a_changed_account_changes_the_etag() -> None:
    phone = a_phone()
    etags = {
        file.etag
        for file in (render(phone, FILES[2]), render(replace(phone, account=Account(9, ANNA.number)), FILES[2]))
        if file
    }

    assert 2 == len(etags)


def test_the_files_hold_no_default_of_this_machine() -> None:
    assert Settings().sip_host not in text_of(a_phone())
