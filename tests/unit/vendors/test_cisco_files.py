"""What Cisco's phones read in their files, and that no value can add or change another: vendors/cisco/templates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import Language, Mac
from chalicelib.domain.installation import Account, Installation, PhoneState, Profile, configure, promote
from chalicelib.domain.keys import Keys
from chalicelib.domain.secret import Secret
from chalicelib.domain.tenant import Emergency
from chalicelib.settings import Settings
from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.files import PhoneFile, PhoneFileRequest, render_bootstrap, render_file, render_unchanged
from chalicelib.vendors.preview import preview
from chalicelib.vendors.rendering import clean
from chalicelib.vendors.time_zones import standard_offset
from tests.unit.domain.samples import ANNA, a_tenant, an_installation
from tests.unit.vendors.cisco_format import NotCisco, allowed_values, find_pattern, parse_cisco, without_further_lines

CISCO = vendor("cisco")
PHONES = [model.name for model in CISCO.models.values() if model.family != "ata"]
ADAPTERS = [model.name for model in CISCO.models.values() if model.family == "ata"]
MAC = Mac("00562b123456")
SETTINGS = Settings(public_url="https://gateway.example", sip_host="sip.gateway.example", ntp_servers="0.ntp.example")
KEYS = Keys(Secret("region key"))
ALLOWED = allowed_values()
STATES = (PhoneState.ONBOARDING, PhoneState.ENROLLED, PhoneState.SIGNED_IN)
SPECIAL = "\r\n\x0b\x1c\x85\u2028\u2029\x00\t\"'<>&%#=[]{}$\\;:,*+|() \u200b\u202e\ufeff\U0001f600"
HOSTILE = st.text(st.sampled_from(SPECIAL) | st.characters(exclude_categories=["Cs"]), max_size=80)
ATTACKS = [
    '</Display_Name_1_><Profile_Rule ua="na">https://evil.example/</Profile_Rule>',
    "</flat-profile><flat-profile>",
    "]]><!-- -->",
    "&quot;&#10;&undefined;",
    "Anna\n<Proxy_1_>evil.example</Proxy_1_>",
    "Anna\u2028;nme=x",
    "{{ phone.password }}",
    "\x00",
    "",
]


def a_phone(model: str = "8841", **changes: object) -> Installation:
    """A phone that somebody is signed in on; `changes` are of its profile."""
    blank = an_installation(mac=MAC, vendor="cisco", model=model, firmware="12-0-3MPP")
    return configure(promote(blank, a_tenant(), Profile()), replace(Profile(ANNA, "Europe/Berlin"), **changes))


def render(installation: Installation, trust_anchor: str = "") -> PhoneFile:
    file = render_file(PhoneFileRequest(installation, f"{MAC}.xml", "TOKEN", SETTINGS, KEYS, trust_anchor))
    assert file is not None
    return file


def read(installation: Installation, trust_anchor: str = "") -> dict[str, str]:
    return parse_cisco(render(installation, trust_anchor).body)


def sample(model: str = "8841", state: PhoneState = PhoneState.SIGNED_IN, language: Language = Language.EN) -> dict[str, str]:
    return parse_cisco(preview("cisco", model, state, language)[0].body)


def changed(before: Installation, after: Installation) -> set[str]:
    old, new = read(before), read(after)
    assert list(old) == list(new)
    return {name for name in old if old[name] != new[name]}


# --- the vocabulary -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", CISCO.models)
def test_every_parameter_is_one_that_cisco_documents(model: str) -> None:
    files = [sample(model, state, language) for state in STATES for language in Language]
    patterns = {(name, value): find_pattern(name, ALLOWED) for file in files for name, value in file.items()}

    assert set() == {(name, value) for (name, value), known in patterns.items() if known is None or not known.fullmatch(value)}


@pytest.mark.parametrize("model", CISCO.models)
def test_every_state_and_language_sets_the_same_parameters(model: str) -> None:
    names = {tuple(sample(model, state, language)) for state in STATES for language in Language}

    assert 1 == len(names)


def test_a_trust_anchor_changes_no_names() -> None:
    assert list(read(a_phone())) == list(read(a_phone(), "PEM"))


@pytest.mark.parametrize("model", PHONES)
def test_phones_differ_in_their_lines_only(model: str) -> None:
    assert without_further_lines(sample("8841")) == without_further_lines(sample(model))


@pytest.mark.parametrize("model", PHONES)
def test_every_line_but_the_first_is_off(model: str) -> None:
    settings = sample(model)
    lines = {name: value for name, value in settings.items() if name.startswith("Line_Enable_")}

    expected = {f"Line_Enable_{line}_": "Yes" if line == 1 else "No" for line in range(1, CISCO.models[model].lines + 1)}
    assert expected == lines


@pytest.mark.parametrize("model", ADAPTERS)
def test_an_adapter_has_one_line_and_no_screen_keys(model: str) -> None:
    settings = sample(model)

    assert ("Yes", "No") == (settings["Line_Enable_1_"], settings["Line_Enable_2_"])
    assert not {"PSK_1", "XML_Application_Service_URL"} & set(settings)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", ("+01 2 2", "1")),
        ("America/New_York", ("-05 2 1", "1")),
        ("Asia/Kolkata", ("+05.5 1 0", "0")),
        ("UTC", ("+00 1 0", "0")),
        ("America/Lima", ("-05 1 0", "0")),  # by its hours: the clocks stay
        ("Asia/Kathmandu", (None, None)),  # +05:45 has no code
        ("America/Santiago", (None, None)),  # its rule has none
    ],
)
def test_an_adapter_is_told_its_time_zone_by_ciscos_code(zone: str, expected: tuple[str | None, str | None]) -> None:
    settings = read(a_phone("ATA192-MPP", time_zone=zone))

    place = "router-configuration/Time_Setup"
    assert expected == (settings.get(f"{place}/Time_Zone"), settings.get(f"{place}/Auto_Adjust_Clock"))


@pytest.mark.parametrize("zone", CISCO.time_zones)
def test_every_code_of_a_time_zone_begins_with_its_offset(zone: str) -> None:
    hours = float(CISCO.time_zones[zone].partition(" ")[0])

    assert hours * 3600 == standard_offset(zone).total_seconds()


@pytest.mark.parametrize("model", ADAPTERS)
def test_an_adapter_shares_account_and_dial_plan_with_the_phones(model: str) -> None:
    names = ("Profile_Rule", "User_ID_1_", "Auth_ID_1_", "Password_1_", "Proxy_1_", "SIP_Transport_1_", "Dial_Plan_1_")

    assert [sample()[name] for name in names] == [sample(model)[name] for name in names]


@pytest.mark.parametrize("model", ADAPTERS)
def test_an_adapters_trust_anchor_and_password_are_its_own(model: str) -> None:
    phone = a_phone(model)
    settings = read(phone, "PEM")

    assert "https://gateway.example/d/TOKEN/lang_en/ca.pem" == settings["Custom_CA_URL"]
    assert KEYS.admin_password(phone.id).reveal() == settings["router-configuration/Web_Login_Admin_Password"]


# --- no value adds or changes another -----------------------------------------------------------------------------------


@given(HOSTILE)
def test_a_display_name_changes_only_names(display_name: str) -> None:
    expected = {"Display_Name_1_", "Station_Display_Name", "Short_Name_1_"}

    for model in ("8841", "ATA192-MPP"):
        assert expected >= changed(a_phone(model), a_phone(model, user=replace(ANNA, display_name=display_name)))


@given(HOSTILE)
def test_no_name_holds_a_macro(display_name: str) -> None:
    settings = read(a_phone(user=replace(ANNA, display_name=display_name)))

    assert "$" not in settings["Display_Name_1_"] + settings["Station_Display_Name"] + settings["Short_Name_1_"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_by_display_name_ends_in_the_display_name(attack: str) -> None:
    assert clean(attack) == read(a_phone(user=replace(ANNA, display_name=attack)))["Display_Name_1_"]


@given(HOSTILE)
def test_a_number_changes_only_number_and_label(number: str) -> None:
    assert {"User_ID_1_", "Short_Name_1_"} >= changed(a_phone(), a_phone(user=replace(ANNA, number=number)))


@given(st.lists(HOSTILE, max_size=12))
def test_emergency_numbers_change_only_themselves(numbers: list[str]) -> None:
    expected = {"Dial_Plan_1_", "Emergency_Number_1_"}

    assert expected >= changed(a_phone(), a_phone(emergency=Emergency(tuple(numbers))))


@given(HOSTILE)
def test_what_the_stranger_said_of_itself_changes_nothing(text: str) -> None:
    assert set() == changed(a_phone(), replace(a_phone(), firmware=text, address=text))


# --- what the files say -------------------------------------------------------------------------------------------------


def test_the_bootstrap_file_says_where_to_ask_and_that_it_is_soon() -> None:
    file = render_bootstrap("https://gateway.example", a_phone(), "TOKEN", "8841-3PCC.xml")

    assert {
        "Profile_Rule": "https://gateway.example/d/TOKEN/lang_en/$MA.xml",
        "Resync_Periodic": "10",
        "Resync_Error_Retry_Delay": "60",
    } == parse_cisco(file.body)


def test_after_a_failure_a_phone_asks_again_sooner_while_somebody_waits() -> None:
    assert ["60", "60", "600"] == [sample(state=state)["Resync_Error_Retry_Delay"] for state in STATES]


def test_later_files_keep_the_url_of_the_first_and_ask_daily() -> None:
    first = parse_cisco(render_bootstrap("https://gateway.example", a_phone(), "TOKEN", "8841-3PCC.xml").body)
    later = read(a_phone())

    assert (first["Profile_Rule"], "86400") == (later["Profile_Rule"], later["Resync_Periodic"])


def test_the_unchanged_file_says_nothing() -> None:
    file = render_unchanged("cisco", "8841-3PCC.xml")

    assert file is not None
    assert {} == parse_cisco(file.body)


def test_a_file_is_xml_in_utf_8() -> None:
    assert "text/xml; charset=utf-8" == render(a_phone()).content_type


def test_the_password_is_that_of_the_account() -> None:
    phone = a_phone()

    assert KEYS.sip_password(phone.id, phone.account.version).reveal() == read(phone)["Password_1_"]


def test_another_account_has_another_user_name_and_etag() -> None:
    phones = [a_phone(), replace(a_phone(), account=Account(9, ANNA.number))]

    assert 2 == len({(render(phone).etag, read(phone)["Auth_ID_1_"]) for phone in phones})


@pytest.mark.parametrize(
    ("state", "screen", "label"),
    [
        (PhoneState.ONBOARDING, "sign-in", "Anmelden"),
        (PhoneState.ENROLLED, "sign-in", "Anmelden"),
        (PhoneState.SIGNED_IN, "sign-out", "Abmelden"),
    ],
)
def test_the_first_soft_key_opens_the_screen_of_the_state(state: PhoneState, screen: str, label: str) -> None:
    expected = f"fnc=xml;url=https://gateway.example/d/SAMPLE-TOKEN/ui/{screen};vid=1;nme={label}"

    assert expected == sample(state=state, language=Language.DE)["PSK_1"]


@pytest.mark.parametrize("language", Language)
def test_no_key_of_ours_ends_its_own_definition(language: Language) -> None:
    assert {3} == {sample(state=state, language=language)["PSK_1"].count(";") for state in STATES}


@pytest.mark.parametrize(("state", "expected"), [(PhoneState.ENROLLED, ""), (PhoneState.SIGNED_IN, "*99*")])
def test_only_a_signed_in_phone_has_a_voicemail_key(state: PhoneState, expected: str) -> None:
    assert expected == sample(state=state)["Voice_Mail_Number"]


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        (Language.EN, "en-US"),
        (Language.ES, "es-ES"),
        (Language.JA, "ja-JP"),
        (Language.DE, "de-DE"),
        (Language.FR, "fr-FR"),
        (Language.PT, "pt-PT"),
    ],
)
def test_the_locale_is_the_phones(language: Language, locale: str) -> None:
    assert locale == sample(language=language)["Locale"]


def test_no_dictionary_is_named_that_is_not_there() -> None:
    assert set() == {"Language_Selection", "Dictionary_Server_Script"} & set(sample(language=Language.DE))


@pytest.mark.parametrize(
    ("voicemail", "expected"), [("", ("", "", "No")), ("+4989123499", (ANNA.number, "sip.gateway.example:5061", "Yes"))]
)
def test_a_phone_subscribes_to_the_messages_of_a_mailbox_that_is_there(voicemail: str, expected: tuple[str, str, str]) -> None:
    settings = read(a_phone(voicemail=voicemail))

    assert expected == tuple(settings[name] for name in ("Mailbox_ID_1_", "Voice_Mail_Server_1_", "Voice_Mail_Enable_1_"))


@pytest.mark.parametrize(
    ("zone", "offset", "rule"),
    [
        ("Europe/Berlin", "GMT+01:00", "start=3/-1/7/2:0:0;end=10/-1/7/3:0:0;save=1"),
        ("Europe/London", "GMT", "start=3/-1/7/1:0:0;end=10/-1/7/2:0:0;save=1"),
        ("America/New_York", "GMT-05:00", "start=3/8/7/2:0:0;end=11/1/7/2:0:0;save=1"),
        ("America/St_Johns", "GMT-03:30", "start=3/8/7/2:0:0;end=11/1/7/2:0:0;save=1"),
        ("Australia/Lord_Howe", "GMT+10:30", "start=10/1/7/2:0:0;end=4/1/7/2:0:0;save=0:30:0"),
        ("Asia/Kathmandu", "GMT+05:45", ""),
        ("Asia/Tokyo", "GMT+09:00", ""),
    ],
)
def test_the_clock_is_the_zones(zone: str, offset: str, rule: str) -> None:
    settings = read(a_phone(time_zone=zone))

    actual = tuple(settings[name] for name in ("Time_Zone", "Daylight_Saving_Time_Rule", "Daylight_Saving_Time_Enable"))
    assert (offset, rule, "Yes" if rule else "No") == actual


def test_a_trust_anchor_is_offered_under_the_phones_own_url() -> None:
    assert "https://gateway.example/d/TOKEN/lang_en/ca.pem" == read(a_phone(), "PEM")["Custom_CA_Rule"]


def test_without_a_trust_anchor_a_former_one_is_taken_away() -> None:
    assert "" == read(a_phone())["Custom_CA_Rule"]


@pytest.mark.parametrize("dialled", ["112", "911", "*55*123456", "*50*", "*51*", "*99*", "*30*", "*31*", "*32*"])
def test_what_needs_no_pause_is_sent_at_once(dialled: str) -> None:
    sequences = sample()["Dial_Plan_1_"].strip("()").split("|")

    assert f"{dialled.replace('123456', 'xxxxxx')}S0" in sequences


def test_every_other_number_is_sent_after_a_pause() -> None:
    assert ["[x*#].", "+x."] == sample()["Dial_Plan_1_"].strip("()").split("|")[-2:]


def test_emergency_numbers_fit_the_phones_list() -> None:
    numbers = tuple(f"{number:06}" for number in range(30))
    settings = read(a_phone(emergency=Emergency(numbers)))

    assert 63 >= len(settings["Emergency_Number_1_"])
    assert all(f"{number}S0" in settings["Dial_Plan_1_"] for number in numbers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIP_Transport_1_", "TLS"),
        ("Proxy_1_", "sip.gateway.example:SRV=sip.gateway.example:5061:p=0|sip2.gateway.example:5061:p=1"),
        ("Register_Expires_1_", "120"),
        ("Secure_Call_Option_1_", "Required"),
        ("TLS_Name_Validate_1_", "Yes"),
        ("Enable_Web_Server", "No"),
        ("DHCP_Option_To_Use", ""),
        ("Auth_Resync-Reboot_1_", "Yes"),
        ("Resync_At_Random_Delay", "14400"),
    ],
)
def test_a_phone_is_safe_and_stays_ours(name: str, value: str) -> None:
    assert {value} == {sample(state=state)[name] for state in STATES}


# --- the tests' own reader ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<flat-profile></flat-profile>\n",
        "<x></x>\n",
        "<flat-profile><router-configuration><A>1</A><A>2</A></router-configuration></flat-profile>\n",
        '<flat-profile><router-configuration><A ua="na">1</A></router-configuration></flat-profile>\n',
        '<flat-profile><A ua="na">1</A><A ua="na">2</A></flat-profile>\n',
        "<flat-profile><A>1</A></flat-profile>\n",
        '<flat-profile><A ua="na"> 1</A></flat-profile>\n',
        '<flat-profile><A ua="na"><B/></A></flat-profile>\n',
        '<flat-profile><A ua="na">1</A>text</flat-profile>\n',
        '<flat-profile><A ua="na">1</flat-profile>\n',
        '<flat-profile><A ua="na">1</A></flat-profile>',
    ],
)
def test_anything_doubtful_is_refused(body: str) -> None:
    declared = "" if body.startswith("<flat-profile></") else '<?xml version="1.0" encoding="UTF-8"?>\n'
    with pytest.raises(NotCisco):
        parse_cisco(f"{declared}{body}")
