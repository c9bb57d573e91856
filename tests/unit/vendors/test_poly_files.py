"""What the Poly files say: the right names and types, the same names in every state, and nothing that a value added."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urljoin

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.directory import SignedInUser
from chalicelib.domain.identifiers import Language, Mac
from chalicelib.domain.installation import Installation, PhoneState, Profile, configure, promote
from chalicelib.domain.tenant import DEFAULT_EMERGENCY, Emergency
from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.files import PhoneFileRequest, render_bootstrap, render_file, render_unchanged
from chalicelib.vendors.preview import preview
from chalicelib.vendors.rendering import clean
from tests.unit.domain.samples import ANNA, a_tenant, an_installation
from tests.unit.vendors.phones import KEYS, SETTINGS
from tests.unit.vendors.poly_format import NotPoly, parse_master, parse_poly, problems
from tests.unit.vendors.test_rendering import ATTACKS, HOSTILE

MAC = Mac("64167f123456")
USER, SITE = f"{MAC}-user.cfg", f"{MAC}-site.cfg"
MODELS = vendor("poly").models
STATES = [PhoneState.ONBOARDING, PhoneState.ENROLLED, PhoneState.SIGNED_IN]
LONGEST_FILE = 16_384
PEM = "-----BEGIN CERTIFICATE-----\nQUJD\nREVG\n-----END CERTIFICATE-----\n"


def a_poly(
    user: SignedInUser | None = ANNA, emergency: Emergency = DEFAULT_EMERGENCY, zone: str = "UTC", model: str = "VVX450"
) -> Installation:
    """An enrolled phone, signed in where there is a user."""
    fresh = an_installation(vendor="poly", model=model, mac=MAC, firmware="6.4.3.5814")
    return configure(promote(fresh, a_tenant(), Profile()), Profile(user, zone, emergency))


def text_of(installation: Installation, name: str, trust_anchor: str = "") -> str:
    file = render_file(PhoneFileRequest(installation, name, "TOKEN", SETTINGS, KEYS, trust_anchor))
    assert file is not None
    return file.body


def settings_of(installation: Installation, trust_anchor: str = "") -> dict[str, str]:
    """What the phone has after both files; the left-most of CONFIG_FILES counts."""
    return parse_poly(text_of(installation, SITE, trust_anchor)) | parse_poly(text_of(installation, USER, trust_anchor))


@pytest.mark.parametrize(
    ("user", "voicemail", "expected"),
    [
        (None, "", ("disabled", "", "", "0")),
        (ANNA, "", ("contact", "*99*", "", "1")),
        (ANNA, "+4989123499", ("contact", "*99*", ANNA.number, "1")),
    ],
)
def test_a_phone_subscribes_to_the_messages_of_a_mailbox_that_is_there(
    user: SignedInUser | None, voicemail: str, expected: tuple[str, str, str, str]
) -> None:
    phone = a_poly(user)
    settings = settings_of(replace(phone, profile=replace(phone.profile, voicemail=voicemail)))
    names = ("msg.mwi.1.callBackMode", "msg.mwi.1.callBack", "msg.mwi.1.subscribe", "up.oneTouchVoiceMail")

    assert expected == tuple(settings[name] for name in names)


def changed(before: Installation, after: Installation) -> set[str]:
    """The names of the parameters that differ. Both phones must have the same names."""
    old, new = settings_of(before), settings_of(after)
    assert list(old) == list(new)
    return {name for name in old if old[name] != new[name]}


# --- every model, state and language -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_is_one_that_poly_lists(model: str) -> None:
    phones = [preview("poly", model, state, language) for state in STATES for language in Language]
    found = [problems(parse_poly(file.body)) for _, user, site in phones for file in (user, site)]

    assert [] == [problem for problem in found if problem]


@pytest.mark.parametrize("model", MODELS)
def test_every_state_sets_the_same_parameters(model: str) -> None:
    sets = {tuple(parse_poly(file.body)) for state in STATES for file in preview("poly", model, state, Language.EN)[1:]}

    assert 2 == len(sets)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("state", STATES)
def test_the_master_file_names_what_is_served(model: str, state: PhoneState) -> None:
    master, *files = preview("poly", model, state, Language.DE)

    assert parse_master(master.body).config_files == tuple(file.name for file in files)


@pytest.mark.parametrize("model", MODELS)
def test_no_file_is_long(model: str) -> None:
    longest = max(len(file.body.encode()) for file in preview("poly", model, PhoneState.SIGNED_IN, Language.FR))

    assert longest <= LONGEST_FILE


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (Language.EN, ("English_United_States", "Sign out")),
        (Language.ES, ("Spanish_Spain", "Cerrar sesión")),
        (Language.JA, ("Japanese_Japan", "サインアウト")),
        (Language.DE, ("German_Germany", "Abmelden")),
        (Language.FR, ("French_France", "Se déconnecter")),
        (Language.PT, ("Portuguese_Portugal", "Fechar sessão")),
    ],
)
def test_menus_and_key_speak_the_phones_language(language: Language, expected: tuple[str, str]) -> None:
    settings = settings_of(replace(a_poly(), language=language))

    assert expected == (settings["lcl.ml.lang"], settings["softkey.1.label"])


# --- stage 1 -------------------------------------------------------------------------------------------------------------


def test_the_bootstrap_file_says_the_phones_own_url_and_nothing_else() -> None:
    body = render_bootstrap(
        "https://gateway.example", an_installation(vendor="poly", model="VVX450"), "TOKEN", f"{MAC}.cfg"
    ).body
    url = "https://gateway.example/d/TOKEN/lang_en/"
    master = parse_master(body)

    expected = {
        "device.set": "1",
        "device.prov.serverName": url,
        "device.prov.serverName.set": "1",
        "device.prov.serverType": "HTTPS",
        "device.prov.serverType.set": "1",
    }
    assert (expected, {url}) == (master.parameters, {urljoin(name, ".") for name in master.config_files})


def test_the_bootstrap_file_leads_to_files_that_are_served() -> None:
    body = render_bootstrap(
        "https://gateway.example", an_installation(vendor="poly", model="VVX450"), "TOKEN", f"{MAC}.cfg"
    ).body
    names = [name.rpartition("/")[2].replace("[PHONE_MAC_ADDRESS]", MAC) for name in parse_master(body).config_files]

    assert [USER, SITE] == names


def test_a_phone_that_needs_nothing_gets_the_plain_404() -> None:
    assert render_unchanged("poly", f"{MAC}.cfg") is None


# --- what a value can do -------------------------------------------------------------------------------------------------


@given(HOSTILE)
@example("\n".join(ATTACKS))
@example('" softkey.9.action="https://evil.example')
def test_a_display_name_changes_only_name_and_label(display_name: str) -> None:
    assert {"reg.1.label", "reg.1.displayName"} >= changed(a_poly(), a_poly(replace(ANNA, display_name=display_name)))


@given(HOSTILE)
def test_a_display_name_is_shown_as_it_was_cleaned(display_name: str) -> None:
    shown = settings_of(a_poly(replace(ANNA, display_name=display_name)))["reg.1.displayName"]

    assert clean(display_name)[:128].strip() == shown


@given(HOSTILE)
def test_a_number_changes_only_label_and_address(number: str) -> None:
    assert {"reg.1.label", "reg.1.address"} >= changed(a_poly(), a_poly(replace(ANNA, number=number)))


@given(HOSTILE)
def test_an_address_of_record_changes_only_itself(aor: str) -> None:
    phone = a_poly()

    assert {"reg.1.address"} >= changed(phone, replace(phone, account=replace(phone.account, aor=aor)))


@given(st.lists(HOSTILE | st.text("0123456789", max_size=30), max_size=30).map(tuple))
def test_emergency_numbers_keep_the_dial_plan_whole(numbers: tuple[str, ...]) -> None:
    settings = settings_of(a_poly(emergency=Emergency(numbers)))

    assert {} == problems(settings)


@given(st.lists(HOSTILE, max_size=3).map(tuple))
def test_emergency_numbers_change_only_the_dial_plan(numbers: tuple[str, ...]) -> None:
    names = changed(a_poly(), a_poly(emergency=Emergency(numbers)))

    assert all(name == "dialplan.digitmap" or name.startswith("dialplan.routing.emergency.") for name in names)


def test_the_longest_name_keeps_the_lists_lengths() -> None:
    assert {} == problems(settings_of(a_poly(replace(ANNA, display_name="&" * 2000))))


def test_a_long_name_leaves_the_number_on_the_label() -> None:
    assert settings_of(a_poly(replace(ANNA, display_name="Anna " * 100)))["reg.1.label"].endswith(" +4989123401")


@given(st.text(max_size=200))
def test_a_trust_anchor_changes_only_itself(trust_anchor: str) -> None:
    before, after = settings_of(a_poly()), settings_of(a_poly(), trust_anchor)
    assert list(before) == list(after)

    assert {"device.sec.TLS.customCaCert1"} >= {name for name in before if before[name] != after[name]}


def test_the_trust_anchor_reaches_the_phone_with_its_lines() -> None:
    assert PEM.strip() == settings_of(a_poly(), PEM)["device.sec.TLS.customCaCert1"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<polycomConfig/>\n",
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<polycomConfig><a b.c="1"/><d b.c="2"/></polycomConfig>\n',
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<polycomConfig><a b.c="1">text</a></polycomConfig>\n',
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<polycomConfig><a b="1"/></polycomConfig>\n',
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!DOCTYPE x><polycomConfig/>\n',
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<polycomConfig>\n',
    ],
)
def test_the_tests_own_reader_refuses_anything_doubtful(text: str) -> None:
    with pytest.raises(NotPoly):
        parse_poly(text)


# --- what the files say --------------------------------------------------------------------------------------------------


def test_the_account_is_that_of_the_installation() -> None:
    phone = a_poly()
    settings = settings_of(phone)

    expected = (KEYS.sip_password(phone.id, 2).reveal(), "+4989123401", KEYS.admin_password(phone.id).reveal())
    names = ("reg.1.auth.password", "reg.1.address", "device.auth.localAdminPassword")
    assert expected == tuple(settings[name] for name in names)


def test_the_site_file_holds_no_password() -> None:
    assert "password" not in text_of(a_poly(), SITE).partition("<polycomConfig>")[2].lower()


@pytest.mark.parametrize(
    ("phone", "screen"),
    [(an_installation(vendor="poly", model="VVX450", mac=MAC), "sign-in"), (a_poly(None), "sign-in"), (a_poly(), "sign-out")],
    ids=["onboarding", "enrolled", "signed in"],
)
def test_the_soft_key_opens_the_screen_of_the_state(phone: Installation, screen: str) -> None:
    settings = settings_of(phone)

    assert {f"https://gateway.example/d/TOKEN/ui/{screen}"} == {settings["softkey.1.action"], settings["mb.main.home"]}


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", ("0", "0", "1", "1", "0", "0")),
        ("Europe/Berlin", ("3600", "1", "3", "1", "1", "2")),
        ("America/New_York", ("-18000", "1", "3", "8", "0", "2")),
        ("Asia/Kolkata", ("19800", "0", "1", "1", "0", "0")),
        ("Pacific/Kiritimati", ("46800", "0", "1", "1", "0", "0")),  # the phone goes no further east
    ],
)
def test_the_clock_follows_the_zone(zone: str, expected: tuple[str, ...]) -> None:
    settings = settings_of(a_poly(zone=zone))
    saving = "tcpIpApp.sntp.daylightSavings."
    names = ("enable", "start.month", "start.date", "start.dayOfWeek.lastInMonth", "start.time")

    assert expected == (settings["tcpIpApp.sntp.gmtOffset"], *(settings[saving + name] for name in names))


@pytest.mark.parametrize(
    "zone", ["Australia/Lord_Howe", "America/Santiago", "Pacific/Auckland", "Africa/Casablanca", "Asia/Tehran"]
)
def test_every_zone_fits_the_lists_types(zone: str) -> None:
    assert {} == problems(settings_of(a_poly(zone=zone)))


def test_sunday_is_the_first_day() -> None:
    settings = settings_of(a_poly(zone="America/New_York"))

    assert "1" == settings["tcpIpApp.sntp.daylightSavings.stop.dayOfWeek"]


def test_without_time_servers_dhcps_stands() -> None:
    request = PhoneFileRequest(a_poly(), SITE, "TOKEN", replace(SETTINGS, ntp_servers=""), KEYS)
    file = render_file(request)

    assert "0" == parse_poly(file.body if file else "")["tcpIpApp.sntp.address.overrideDHCP"]


def dials(digit_map: str, dialled: str) -> str:
    """What happens when the keys are pressed one after the other: `at once`, `after a while`, or `by the dial key`."""
    patterns = [pattern.replace("*", r"\*").replace("x", "[0-9]").replace("].", "]*") for pattern in digit_map.split("|")]
    done = [any(re.fullmatch(pattern, dialled[:end]) for pattern in patterns) for end in range(1, len(dialled) + 1)]
    if True in done:
        return "at once" if done.index(True) == len(done) - 1 else "cut short"
    timed = any(re.fullmatch(pattern.removesuffix("T"), dialled) for pattern in patterns if pattern.endswith("T"))
    return "after a while" if timed else "by the dial key"


@pytest.mark.parametrize(
    ("dialled", "expected"),
    [
        ("112", "at once"),
        ("911", "at once"),
        ("*55*123456", "at once"),
        ("*50*", "at once"),
        ("*51*", "at once"),
        ("*99*", "at once"),
        ("*30*", "at once"),
        ("*32*", "at once"),
        ("*33*4989123402", "after a while"),
        ("*35*4989123402", "after a while"),
        ("08912345", "after a while"),
        ("*55*12", "by the dial key"),
        ("+4989123402", "by the dial key"),
    ],
)
def test_the_dial_plan_lets_pass(dialled: str, expected: str) -> None:
    assert expected == dials(settings_of(a_poly())["dialplan.digitmap"], dialled)


@pytest.mark.parametrize(("model", "there"), [("VVX450", True), ("VVX500", False), ("Trio 8800", False), ("Edge E450", True)])
def test_polys_clouds_are_off_where_the_firmware_knows_them(model: str, there: bool) -> None:  # noqa: FBT001 - a row of the table
    assert there == ("feature.lens.enabled" in settings_of(a_poly(model=model)))
