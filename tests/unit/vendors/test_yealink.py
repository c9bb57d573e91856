"""Every Yealink model, in every state and language: what its files say, read as the phone would."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import Language, Mac
from chalicelib.domain.installation import Installation, PhoneState
from chalicelib.domain.tenant import Emergency
from chalicelib.vendors.catalogue import Identity, identify, incompatible_reason, vendor
from chalicelib.vendors.files import PhoneFile, render_bootstrap
from chalicelib.vendors.preview import preview
from chalicelib.vendors.rendering import clean
from chalicelib.vendors.time_zones import daylight_saving
from tests.unit.domain.samples import ANNA, an_installation
from tests.unit.vendors.phones import a_phone, named, text_of
from tests.unit.vendors.test_rendering import HOSTILE
from tests.unit.vendors.yealink_format import allowed_values, parse_yealink, read_table

YEALINK = vendor("yealink")
MAC = "805ec0123456"
LISTED = read_table("yealink_models.tsv")
MODELS = [row["model"] for row in LISTED]
DESK_PHONES = [name for name in MODELS if not name.startswith("W")]
BASES = [name for name in MODELS if name.startswith("W")]
SIGNED_UP = [state for state in PhoneState if state is not PhoneState.BOOTSTRAP]
REFUSED = set(":;<>[]?%")
ALLOWED = allowed_values()


def model_of(row: dict[str, str]) -> str:
    return row["model"]


def settings_files(model: str, state: PhoneState, language: Language) -> list[PhoneFile]:
    return [file for file in preview("yealink", model, state, language) if not file.name.endswith(".pem")]


def settings_of(model: str, state: PhoneState, language: Language = Language.EN) -> dict[str, str]:
    """All that the phone is told, file after file; no file says again what another said."""
    told: dict[str, str] = {}
    for file in settings_files(model, state, language):
        settings = parse_yealink(file.body)
        assert not told.keys() & settings.keys()
        told |= settings
    return told


def one_name(model: str, key: str) -> str:
    """The documented name: firmware 72 has those of the classes with `static.` without it."""
    return f"static.{key}" if model == "T21P" and key not in ALLOWED else key


# --- models -----------------------------------------------------------------------------------------------------------------


def test_every_listed_model_is_there_and_no_other() -> None:
    assert sorted(MODELS) == sorted(YEALINK.models)


@pytest.mark.parametrize("row", LISTED, ids=model_of)
def test_a_model_is_as_the_list_has_it(row: dict[str, str]) -> None:
    model = YEALINK.models[row["model"]]
    actual = (model.minimum_firmware, model.approved_firmware, model.common, str(model.lines))

    assert (row["minimum"], row["approved"], row["common"], row["lines"]) == actual


@pytest.mark.parametrize("row", read_table("yealink_user_agents.tsv"), ids=lambda row: row["user_agent"])
def test_more_real_user_agents_are_identified(row: dict[str, str]) -> None:
    expected = Identity("yealink", row["model"], row["firmware"], Mac(row["mac"]) if row["mac"] else None)

    assert expected == identify(row["user_agent"])


FORMS = ("Yealink SIP-{} {} {}", "Yealink {}  {} {}", "yealink SIP-{} {} {}")
SPELLINGS = ("80:5e:c0:12:34:56", "80:5E:C0:12:34:56", "805ec0123456", "80-5e-c0-12-34-56")


@pytest.mark.parametrize("row", LISTED, ids=model_of)
def test_a_listed_model_with_approved_firmware_is_compatible(row: dict[str, str]) -> None:
    identity = Identity("yealink", row["model"], row["approved"], Mac(MAC))
    agents = [form.format(row["model"], row["approved"], mac) for form in FORMS for mac in SPELLINGS]

    assert {identity} == {identify(agent) for agent in agents}
    assert "" == incompatible_reason(identity)


@pytest.mark.parametrize("model", DESK_PHONES)
def test_firmware_82_is_too_old(model: str) -> None:
    assert "Firmware 1.82.0.1 is older than 83" in incompatible_reason(Identity("yealink", model, "1.82.0.1", None))


def test_a_t21p_has_its_own_minimum() -> None:
    firmware = ("34.72.0.75", "34.71.0.1")

    assert [True, False] == [not incompatible_reason(Identity("yealink", "T21P", version, None)) for version in firmware]


@pytest.mark.parametrize("row", LISTED, ids=model_of)
def test_a_model_finds_its_own_common_file_alone(row: dict[str, str]) -> None:
    served = [number for number in range(200) if YEALINK.find_file(f"y{number:012}.cfg", MAC, row["model"])]

    assert [int(row["common"][1:])] == served


# --- files ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_every_setting_is_documented_and_has_a_value_that_it_takes(model: str) -> None:
    files = [settings_of(model, state, language) for state in SIGNED_UP for language in Language]
    named = {(one_name(model, key), value) for file in files for key, value in file.items()}

    assert set() == {(key, value) for key, value in named if key not in ALLOWED or not ALLOWED[key].fullmatch(value)}


@pytest.mark.parametrize("model", MODELS)
def test_a_phone_is_told_the_same_settings_in_every_state_and_language(model: str) -> None:
    names = {tuple(settings_of(model, state, language)) for state in SIGNED_UP for language in Language}

    assert 1 == len(names)


@pytest.mark.parametrize("model", MODELS)
def test_stage_one_says_one_thing_only(model: str) -> None:
    told = preview("yealink", model, PhoneState.BOOTSTRAP, Language.DE)

    assert [{"static.auto_provision.server.url": "https://gateway.example/d/SAMPLE-TOKEN/lang_de/"}] == [
        {f"static.{key.removeprefix('static.')}": value for key, value in parse_yealink(file.body).items()} for file in told
    ]


def test_a_t21p_is_told_no_static_name() -> None:
    phone = an_installation(model="T21P")
    bootstrap = render_bootstrap("https://gateway.example", phone, "TOKEN", f"{MAC}.cfg")
    told = settings_of("T21P", PhoneState.SIGNED_IN) | parse_yealink(bootstrap.body)

    assert [] == [key for key in told if key.startswith("static.")]


def test_a_value_keeps_its_static_on_a_t21p() -> None:
    phone = replace(named("static.x = 1\nstatic.y"), model="T21P")

    assert "static.x = 1 static.y" == parse_yealink(text_of(phone))["account.1.display_name"]


@pytest.mark.parametrize("model", DESK_PHONES)
@pytest.mark.parametrize(("state", "screen"), [("onboarding", "sign-in"), ("enrolled", "sign-in"), ("signed_in", "sign-out")])
def test_the_third_soft_key_of_every_desk_phone_opens_a_screen(model: str, state: str, screen: str) -> None:
    told = settings_of(model, PhoneState(state))

    assert ("27", f"https://gateway.example/d/SAMPLE-TOKEN/ui/{screen}") == (
        told["programablekey.3.type"],
        told["programablekey.3.value"],
    )


@pytest.mark.parametrize("model", BASES)
def test_a_base_has_no_keys_and_no_screen_language(model: str) -> None:
    told = settings_of(model, PhoneState.SIGNED_IN)

    assert [] == [key for key in told if key.startswith(("programablekey", "linekey", "lang.gui", "dialplan", "features"))]


@pytest.mark.parametrize(
    ("language", "number"),
    [(Language.EN, "0"), (Language.FR, "1"), (Language.DE, "2"), (Language.PT, "5"), (Language.ES, "6"), (Language.JA, "0")],
)
def test_handsets_speak_the_language(language: Language, number: str) -> None:
    assert number == settings_of("W70B", PhoneState.ENROLLED, language)["custom.handset.language"]


# --- dialling ---------------------------------------------------------------------------------------------------------------


def dialled_at_once(phone: Installation) -> list[str]:
    told = parse_yealink(text_of(phone))
    return [rule for number in range(1, 13) if (rule := told[f"dialplan.dialnow.rule.{number}"])]


def test_feature_codes_and_emergency_numbers_are_dialled_at_once() -> None:
    expected = ["*55*xxxxxx", "*50*", "*51*", "*99*", "112", "911"]

    assert expected == dialled_at_once(a_phone())


@given(st.lists(HOSTILE | st.text("0123456789x.[]*", max_size=6), max_size=12))
@example(["."])
@example(["\u0661\u0662"])
def test_no_emergency_number_is_a_pattern(numbers: list[str]) -> None:
    digits = [number for number in numbers[:8] if number.isascii() and number.isdecimal()]

    assert digits == dialled_at_once(a_phone(emergency=Emergency(tuple(numbers))))[4:]


# --- names ------------------------------------------------------------------------------------------------------------------


@given(HOSTILE | st.text(max_size=600))
@example("%NULL%")
@example("A" * 600)
def test_label_and_display_name_are_what_the_phone_takes(name: str) -> None:
    told = parse_yealink(text_of(named(name)))
    values = (told["account.1.label"], told["account.1.display_name"])

    assert [True, True] == [len(value) <= 99 and not set(value) & REFUSED for value in values]


@given(HOSTILE | st.text(max_size=600))
def test_a_label_ends_with_the_number_however_long_the_name(name: str) -> None:
    assert parse_yealink(text_of(named(name)))["account.1.label"].endswith(ANNA.number)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anna Berg", "Anna Berg"),
        ("O'Neill & Söhne <Büro> 100%", "O'Neill & Söhne Büro 100"),
        ("%NULL%", "NULL"),
        ("Sales: Berlin; West?", "Sales Berlin West"),
        ("山田 太郎", "山田 太郎"),
    ],
)
def test_what_the_phone_refuses_is_a_blank(name: str, shown: str) -> None:
    assert shown == parse_yealink(text_of(named(name)))["account.1.display_name"]


@given(st.text(max_size=600))
def test_a_fitted_name_fits_as_it_is(name: str) -> None:
    fitted = YEALINK.names.fit(clean(name))

    assert fitted == YEALINK.names.fit(fitted)


# --- time -------------------------------------------------------------------------------------------------------------------

TIME = ("summer_time", "dst_time_type", "start_time", "end_time", "offset_time")


def clock_of(zone: str) -> list[str]:
    told = parse_yealink(text_of(a_phone(zone=zone)))
    return [told[f"local_time.{name}"] for name in TIME]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", ["2", "1", "3/5/7/2", "10/5/7/3", "60"]),
        ("America/New_York", ["2", "1", "3/2/7/2", "11/1/7/2", "60"]),
        ("Europe/Sofia", ["1", "1", "3/5/7/3", "10/5/7/4", "60"]),
        ("Australia/Hobart", ["1", "1", "10/1/7/2", "4/1/7/3", "60"]),
        ("Australia/Lord_Howe", ["1", "1", "10/1/7/2", "4/1/7/2", "30"]),
        ("Asia/Tokyo", ["0", "0", "1/1/0", "12/31/23", "60"]),
        ("Asia/Kathmandu", ["0", "0", "1/1/0", "12/31/23", "60"]),
    ],
)
def test_the_clocks_change_by_name_or_by_rule(zone: str, expected: list[str]) -> None:
    assert expected == clock_of(zone)


CHANGING = sorted(zone for zone in available_timezones() - {"localtime", "Factory"} if daylight_saving(zone))


def test_every_zone_whose_clocks_change_is_told_so() -> None:
    clocks = {zone: dict(zip(TIME, clock_of(zone), strict=True)) for zone in CHANGING}
    settings = {(name, value) for clock in clocks.values() for name, value in clock.items()}

    assert set() == {(name, value) for name, value in settings if not ALLOWED[f"local_time.{name}"].fullmatch(value)}
    expected = {zone: "2" if zone in YEALINK.time_zones else "1" for zone in CHANGING}
    assert expected == {zone: clock["summer_time"] for zone, clock in clocks.items()}
