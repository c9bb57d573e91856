"""Whatever a person or a room is called stays text: in a phone's file, on its screen, on a page."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree as ET

import pytest

from chalicelib.domain.directory import CallingPolicy
from chalicelib.domain.identifiers import Language
from tests.gateway import ANNA, MAC, TENANT, Phone, World

INJECTED = "account.1.sip_server.1.address = evil.example"
NAMES = [
    f"Anna\n{INJECTED}",
    f"Anna\r\n{INJECTED}",
    f"Anna\u2028{INJECTED}",
    f"Anna\u2029{INJECTED}",
    f"Anna\x0b{INJECTED}",
    f"Anna\x85{INJECTED}",
    'Anna "Ann" O\'Neill <b>&amp;</b>',
    "</Text><SoftKey><URI>http://evil.example</URI></SoftKey>",
    "]]><script>alert(1)</script>",
    "{{ 7 * 7 }}{% for x in y %} %s {0}",
    "日本語 עברית 👩‍👩‍👧",
    "\x00\x1b[31m\u202eAnna",
    "é" * 3000,
]


@pytest.fixture(params=NAMES, ids=lambda name: ascii(name[:14]))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def signed_in(world: World, language: str, name: str) -> Phone:
    world.change_user(display_name=name)
    return world.phone(words=f"lang_{language}/").onboard().sign_in()


@pytest.mark.parametrize("language", Language)
def test_a_name_adds_no_setting_to_a_file(world: World, language: Language, name: str) -> None:
    phone = signed_in(world, language, "Anna")
    plain = phone.fetch().text
    world.change_user(display_name=name)
    world.admin.post("/v1/sync")
    text = phone.fetch().text

    assert [line.split(" = ")[0] for line in plain.splitlines()] == [line.split(" = ")[0] for line in text.splitlines()]
    assert plain != text


@pytest.mark.parametrize("language", Language)
def test_a_name_stays_text_on_the_phones_screens(world: World, language: Language, name: str) -> None:
    phone = signed_in(world, language, name)

    for screen in ("sign-in", "sign-out"):
        root = ET.fromstring(phone.screen(screen).text)  # noqa: S314 - our own document
        assert {"Title", "Text", "SoftKey"} == {child.tag for child in root}
        assert 3 == len((root.findtext("Text") or "").split("\n"))


def test_a_name_stays_text_on_the_last_page(world: World, phone: Phone, name: str) -> None:
    world.change_user(display_name=name)
    page = world.browser().sign_in().pair(phone.onboard().show_code())
    shown = re.findall(r"<dd>(.*?)</dd>", page.text, re.DOTALL)

    assert (3, name) == (len(shown), unescape(shown[1]).replace("�", "\x00"))
    assert [] == re.findall(r"<script|<b>|<SoftKey", page.text)


def test_a_policys_name_stays_text_on_the_page_that_refuses(world: World) -> None:
    world.store.save(CallingPolicy(TENANT, "<b>Sales</b>"))
    world.change_user(policy="<b>Sales</b>")

    assert "<b>" not in world.browser().sign_in().open().text


def test_a_location_stays_text_on_the_confirm_page(world: World, phone: Phone) -> None:
    world.admin.post("/v1/devices", {"mac": MAC, "location": "<script>alert(1)</script>"})

    assert "<script" not in world.browser().sign_in().type_code(phone.onboard().show_code()).text


def test_a_typed_code_is_not_repeated_on_the_page(world: World) -> None:
    assert "alert(1)" not in world.browser().sign_in().type_code("<script>alert(1)</script>").text


def test_a_language_word_is_not_repeated_on_the_page(world: World) -> None:
    assert "alert(1)" not in world.browser().open("/pair?lang=%22%3E%3Cscript%3Ealert(1)").text


def test_a_name_reaches_the_administrator_as_it_is(world: World, name: str) -> None:
    world.change_user(display_name=name)

    assert name == world.admin.get(f"/v1/users/{ANNA}").json["display_name"]
