"""An organisation's own settings on its phones, of the tenant and of one device, through the API and in the files."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from chalicelib.adapters.counting import Cost
from chalicelib.contracts.edge import CommandType
from chalicelib.domain.device import Device
from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import Installation, PhoneState
from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.files import PhoneFileRequest, render_file
from chalicelib.vendors.preview import preview
from tests.gateway import ANNA, MAC, OTHER_TENANT, Answer, Phone, World
from tests.unit.domain.samples import an_installation
from tests.unit.vendors.phones import KEYS, SETTINGS

BLUETOOTH = "features.bluetooth_enable"
HOSTILE = "a\"'<&>{{ phone.password }}{% endif %}]]>"
# vendor: model, a setting that may be set, some that the gateway decides
VENDORS = {
    "yealink": (
        "T46S",
        BLUETOOTH,
        (
            "account.1.password",
            "static.auto_provision.server.url",
            "auto_provision.server.url",
            "static.security.trust_certificates",
        ),
    ),
    "poly": (
        "VVX450",
        "up.backlight.timeout",
        ("reg.1.address", "device.prov.serverName", "httpd.enabled", "sec.TLS.protocol.sip"),
    ),
    "cisco": (
        "8841",
        "Backlight_Timer",
        ("Profile_Rule", "Password_1_", "Enable_Web_Server", "Custom_CA_Rule", "profile_rule"),
    ),
    "audiocodes": (
        "445HD",
        "personal_settings/lcd_brightness",
        ("voip/line/0/auth_password", "provisioning/configuration/url", "system/web/enabled", "security/web/https_only"),
    ),
}

NAMES_IN_FILES = {
    "yealink": r"^([\w.]+) = ",
    "poly": r'([\w.]+)="',
    "cisco": r"<([A-Za-z][\w.-]*)[ >]",
    "audiocodes": r"^([\w/]+)=",
}
FREE = re.compile(r"codec|rtp|ntp|dhcp_time|media_port|^G7|^OPUS|^iLBC", re.IGNORECASE)


def set_for_all(world: World, **settings: str) -> Answer:
    """The tenant's own settings of its Yealink phones; `__` stands for a dot."""
    values = {name.replace("__", "."): value for name, value in settings.items()}
    return world.admin.patch("/v1/tenant", {"overrides": {"yealink": values} if values else {}})


def set_for_one(world: World, mac: str = MAC, **settings: str) -> Answer:
    values = {name.replace("__", "."): value for name, value in settings.items()}
    return world.admin.patch(f"/v1/devices/{mac}", {"overrides": values})


def lines(phone: Phone) -> list[str]:
    return phone.fetch().text.splitlines()


@pytest.fixture
def signed_in(phone: Phone) -> Phone:
    return phone.enroll().sign_in()


# --- of the tenant -----------------------------------------------------------------------------------------------------


def test_a_tenants_setting_is_the_last_line_of_the_phones_file(world: World, signed_in: Phone) -> None:
    set_for_all(world, features__bluetooth_enable="0")

    assert f"{BLUETOOTH} = 0" == lines(signed_in)[-1]


def test_a_tenants_setting_is_shown(world: World) -> None:
    answers = [set_for_all(world, features__bluetooth_enable="0"), world.admin.get("/v1/tenant")]

    assert [{"yealink": {BLUETOOTH: "0"}}] * 2 == [answer.json["overrides"] for answer in answers]


def test_a_tenants_setting_brings_a_new_configuration_and_a_resync(world: World, signed_in: Phone) -> None:
    before = world.device()["config_version"]
    world.link.sent.clear()
    set_for_all(world, features__bluetooth_enable="0")

    assert (before + 1, 1) == (world.device()["config_version"], len(world.link.of_type(CommandType.RESYNC)))
    assert signed_in.credentials().json["may_call"] is True


def test_the_same_settings_again_send_nothing(world: World, signed_in: Phone) -> None:
    set_for_all(world, features__bluetooth_enable="0")
    signed_in.settle()
    world.link.sent.clear()
    set_for_all(world, features__bluetooth_enable="0")
    world.admin.post("/v1/sync")

    assert [] == world.link.sent


def test_settings_that_are_taken_back_leave_the_file_as_it_was(world: World, signed_in: Phone) -> None:
    before = signed_in.fetch()
    set_for_all(world, features__bluetooth_enable="0")
    set_for_all(world)

    assert before.text == signed_in.fetch().text


def test_a_phone_that_is_enrolled_later_has_them_too(world: World, phone: Phone) -> None:
    set_for_all(world, features__bluetooth_enable="0")

    assert f"{BLUETOOTH} = 0" == lines(phone.enroll())[-1]


def test_they_stay_when_the_user_signs_out(world: World, signed_in: Phone) -> None:
    set_for_all(world, features__bluetooth_enable="0")
    signed_in.settle()
    world.admin.post(f"/v1/devices/{MAC}/sign-out")

    assert f"{BLUETOOTH} = 0" == lines(signed_in)[-1]


def test_a_phone_that_is_not_enrolled_gets_none(world: World, phone: Phone) -> None:
    set_for_all(world, features__bluetooth_enable="0")
    phone.onboard()

    assert BLUETOOTH not in phone.fetch().text


def test_a_settled_phone_with_settings_fetches_with_one_read(world: World, signed_in: Phone) -> None:
    set_for_all(world, features__bluetooth_enable="0")
    set_for_one(world, features__usb_call_recording__enable="1")
    signed_in.settle()

    assert Cost(reads=1) == world.cost_of(signed_in.fetch)


# --- of one device -----------------------------------------------------------------------------------------------------


def test_a_devices_setting_counts_more_than_the_tenants(world: World, signed_in: Phone) -> None:
    set_for_all(world, features__bluetooth_enable="0")
    set_for_one(world, features__bluetooth_enable="1")

    assert [f"{BLUETOOTH} = 1"] == [line for line in lines(signed_in) if line.startswith(BLUETOOTH)]


def test_a_devices_setting_is_shown(world: World, signed_in: Phone) -> None:
    assert signed_in.aor
    answers = [set_for_one(world, features__bluetooth_enable="1"), world.admin.get(f"/v1/devices/{MAC}")]

    assert [{BLUETOOTH: "1"}] * 2 == [answer.json["overrides"] for answer in answers]


def test_a_list_leaves_them_out(world: World, signed_in: Phone) -> None:
    assert signed_in.aor
    set_for_one(world, features__bluetooth_enable="1")

    assert ["overrides" in item for item in world.admin.get("/v1/devices").json["items"]] == [False]


def test_a_devices_setting_brings_a_resync_once(world: World, signed_in: Phone) -> None:
    before = world.device()["config_version"]
    world.link.sent.clear()
    for _ in range(2):
        set_for_one(world, features__bluetooth_enable="1")
        signed_in.settle()

    assert (before + 1, 1) == (world.device()["config_version"], len(world.link.of_type(CommandType.RESYNC)))


def test_the_history_names_the_setting_and_not_its_value(world: World, signed_in: Phone) -> None:
    assert signed_in.aor
    set_for_one(world, ftp__hint="somebody's")

    kind, detail = world.history()[0]
    assert ("changed", "ftp.hint", False) == (kind, detail["overrides"], "somebody's" in str(detail))


def test_another_change_leaves_them_alone(world: World, signed_in: Phone) -> None:
    set_for_one(world, features__bluetooth_enable="1")
    world.admin.patch(f"/v1/devices/{MAC}", {"language": "de"})

    assert f"{BLUETOOTH} = 1" == lines(signed_in)[-1]


def test_they_outlive_a_factory_reset(world: World, signed_in: Phone) -> None:
    set_for_one(world, features__bluetooth_enable="1")
    signed_in.settle()
    signed_in.unregister()
    again = world.phone()
    again.enroll()

    assert f"{BLUETOOTH} = 1" == lines(again)[-1]
    assert f"{BLUETOOTH} = 1" == lines(again)[-1]
    assert {BLUETOOTH: "1"} == world.device()["overrides"]


def test_the_next_owner_neither_sees_nor_gets_them(world: World, phone: Phone) -> None:
    phone.enroll()
    set_for_one(world, features__bluetooth_enable="1")
    phone.settle()
    phone.unregister()
    world.open_other_tenant()
    again = world.phone()
    again.enroll(OTHER_TENANT)

    assert BLUETOOTH not in again.fetch().text
    assert {} == world.api(tenant=OTHER_TENANT).get(f"/v1/devices/{MAC}").json["overrides"]


def test_a_device_that_is_not_enrolled_takes_none(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})

    assert 409 == set_for_one(world, features__bluetooth_enable="1").status


def test_the_preview_of_the_files_has_them(world: World, signed_in: Phone) -> None:
    assert signed_in.aor
    set_for_one(world, features__bluetooth_enable="1")
    files = {item["name"]: item["body"] for item in world.admin.get(f"/v1/devices/{MAC}/files").json["items"]}

    assert [f"{MAC}.cfg"] == [name for name, body in files.items() if BLUETOOTH in body]


# --- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vendor_name", "setting"), [(name, setting) for name, (_, _, decided) in VENDORS.items() for setting in decided]
)
def test_what_the_gateway_decides_is_refused_by_name(world: World, vendor_name: str, setting: str) -> None:
    answer = world.admin.patch("/v1/tenant", {"overrides": {vendor_name: {setting: "x"}}})
    pointer = f"/overrides/{vendor_name}/{setting.replace('/', '~1')}"

    assert (400, [pointer]) == (answer.status, [error["pointer"] for error in answer.json["errors"]])


def test_every_wrong_setting_is_named_together_with_every_other(world: World) -> None:
    overrides = {"yealink": {"account.1.password": "x", BLUETOOTH: "1\n2"}, "acme": {}}
    answer = world.admin.patch("/v1/tenant", {"overrides": overrides, "time_zone": "Nowhere"})
    pointers = [error["pointer"] for error in answer.json["errors"]]

    expected = ["/time_zone", "/overrides/yealink/account.1.password", f"/overrides/yealink/{BLUETOOTH}", "/overrides/acme"]
    assert expected == pointers


@pytest.mark.parametrize("overrides", [[], "x", {"yealink": []}, {"yealink": {BLUETOOTH: 1}}, {"yealink": {BLUETOOTH: None}}])
def test_what_is_no_map_of_texts_is_refused(world: World, overrides: object) -> None:
    assert 400 == world.admin.patch("/v1/tenant", {"overrides": overrides}).status


def test_a_devices_wrong_setting_changes_nothing(world: World, signed_in: Phone) -> None:
    before = signed_in.fetch().text
    answer = set_for_one(world, features__bluetooth_enable="1", account__1__label="Evil")

    assert (400, ["/overrides/account.1.label"]) == (answer.status, [error["pointer"] for error in answer.json["errors"]])
    assert before == signed_in.fetch().text


@pytest.mark.parametrize("role", ["technician", "reader"])
def test_only_administrators_set_them(world: World, role: str) -> None:
    assert 403 == world.api(role).patch("/v1/tenant", {"overrides": {}}).status


def test_what_has_become_the_gateways_since_is_not_rendered(world: World, signed_in: Phone) -> None:
    world.change(Installation, world.store.load(Device, MAC).installation_id, overrides={"account.1.label": "Evil"})

    assert "Evil" not in signed_in.fetch().text


# --- every vendor ------------------------------------------------------------------------------------------------------


def account_file(vendor_name: str, model: str, overrides: dict[str, str]) -> str:
    installation = an_installation(vendor=vendor_name, model=model, overrides=overrides)
    known = vendor(vendor_name)
    name = next(known.file_name(file.name, installation.mac, model) for file in known.serve if file.carries_account)
    file = render_file(PhoneFileRequest(installation, name, "TOKEN", SETTINGS, KEYS))
    assert file is not None
    return file.body


def model_in(vendor_name: str, model: str) -> str:
    """The model, or the vendor's first where it has none of that name."""
    models = vendor(vendor_name).models
    return model if model in models else next(iter(models))


@pytest.mark.parametrize("vendor_name", ["yealink", "audiocodes"])
def test_a_file_of_lines_ends_with_the_setting(vendor_name: str) -> None:
    model, setting, _ = VENDORS[vendor_name]
    body = account_file(vendor_name, model_in(vendor_name, model), {setting: HOSTILE})

    assert [setting, HOSTILE] == [part.strip() for part in body.splitlines()[-1].split("=", 1)]


def test_a_poly_phone_reads_the_value_as_it_was_given() -> None:
    root = ET.fromstring(account_file("poly", "VVX450", {"up.backlight.timeout": HOSTILE, "up.b": "2"}))  # noqa: S314 - ours

    assert {"up.backlight.timeout": HOSTILE, "up.b": "2"} == root[-1].attrib


@pytest.mark.parametrize("model", ["8841", "ATA192-MPP"])
def test_a_cisco_phone_reads_the_value_as_it_was_given(model: str) -> None:
    root = ET.fromstring(account_file("cisco", model, {"Backlight_Timer": HOSTILE}))  # noqa: S314 - ours

    assert ("Backlight_Timer", HOSTILE) == (root[-1].tag, root[-1].text)


@pytest.mark.parametrize("vendor_name", VENDORS)
def test_every_model_of_a_vendor_gets_the_setting_once(vendor_name: str) -> None:
    setting = VENDORS[vendor_name][1]
    counts = {model: account_file(vendor_name, model, {setting: "xyz"}).count("xyz") for model in vendor(vendor_name).models}

    assert {1} == set(counts.values())


@pytest.mark.parametrize(("vendor_name", "name_in_file"), NAMES_IN_FILES.items())
def test_of_what_the_gateway_says_only_codecs_ports_and_time_servers_may_be_said_anew(
    vendor_name: str, name_in_file: str
) -> None:
    rule = vendor(vendor_name).overrides
    models = vendor(vendor_name).models
    files = [file for model in models for file in preview(vendor_name, model, PhoneState.SIGNED_IN, Language.EN)]
    said = {name for file in files for name in re.findall(name_in_file, file.body, re.MULTILINE)}
    free = {name for name in said if rule and rule.allows(name)}

    assert len(said) > len(free)
    assert set() == {name for name in free if not FREE.search(name)}


def test_a_user_is_not_signed_out_by_a_setting(world: World, signed_in: Phone) -> None:
    assert signed_in.aor
    set_for_all(world, features__bluetooth_enable="0")

    assert ANNA == world.device()["user"]["upn"]
