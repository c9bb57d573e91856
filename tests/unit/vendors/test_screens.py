"""The phone's own screens are one well-formed object with the text that was given: vendors/screens.py."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.rendering import clean
from chalicelib.vendors.screens import Screen, SoftKey, render_screen
from tests.unit.vendors.test_rendering import ATTACKS, HOSTILE

URL = f"https://{'h' * 200}.example/d/{'t' * 43}/lang_de/ui/sign-out-confirmed"
SCREENS = st.builds(
    Screen,
    title=HOSTILE,
    lines=st.lists(HOSTILE, min_size=1, max_size=4).map(tuple),
    soft_keys=st.lists(st.builds(SoftKey, label=HOSTILE, url=st.just("") | HOSTILE), max_size=2).map(tuple),
    cancel_url=st.just("") | HOSTILE,
)


def parse(screen: Screen) -> ET.Element:
    return ET.fromstring(render_screen("yealink", screen).body.encode())  # noqa: S314 - our own document


def text(element: ET.Element | None) -> str:
    return "" if element is None else element.text or ""


@given(SCREENS)
def test_a_screen_is_one_text_screen_object(screen: Screen) -> None:
    keys = ["SoftKey"] * len(screen.soft_keys)
    root = parse(screen)

    assert ("YealinkIPPhoneTextScreen", ["Title", "Text", *keys]) == (root.tag, [child.tag for child in root])


@given(SCREENS)
def test_the_title_is_the_cleaned_input(screen: Screen) -> None:
    assert clean(screen.title) == text(parse(screen).find("Title"))


@given(SCREENS)
def test_the_text_is_the_cleaned_lines(screen: Screen) -> None:
    assert "\n".join(clean(line) for line in screen.lines) == text(parse(screen).find("Text"))


@given(SCREENS)
def test_the_keys_are_the_cleaned_keys_in_their_order(screen: Screen) -> None:
    keys = [(key.get("index"), text(key.find("Label")), text(key.find("URI"))) for key in parse(screen).iter("SoftKey")]
    expected = [
        (str(number), clean(key.label), clean(key.url) if key.url else "SoftKey:Exit")
        for number, key in enumerate(screen.soft_keys, 1)
    ]

    assert expected == keys


@given(SCREENS)
def test_the_attributes_of_a_screen_are_always_the_same(screen: Screen) -> None:
    expected = {
        "Beep": "no",
        "Timeout": "0",
        "LockIn": "no",
        "cancelAction": clean(screen.cancel_url) if screen.cancel_url else "SoftKey:Exit",
    }

    assert expected == parse(screen).attrib


@given(SCREENS)
def test_a_screen_keeps_the_browsers_limit(screen: Screen) -> None:
    assert vendor("yealink").longest_screen >= len(render_screen("yealink", screen).body.encode())


@pytest.mark.parametrize("letter", ["&", "<", '"', "😀", "\u2028", "𝕏"])
def test_the_longest_display_name_keeps_the_browsers_limit(letter: str) -> None:
    lines = ("Von diesem Telefon abmelden?", letter * 10_000, "+123456789012345")
    screen = Screen("Abmelden", lines, (SoftKey("Zurück"), SoftKey("Abmelden", URL)), cancel_url=URL)

    assert vendor("yealink").longest_screen >= len(render_screen("yealink", screen).body.encode())


@pytest.mark.parametrize("attack", [*ATTACKS, "</Text><SoftKey index='1'>", "]]>", "&#10;", '" onclick="x', "<!ENTITY x>"])
def test_an_attack_by_text_ends_in_the_text(attack: str) -> None:
    assert clean(attack) == text(parse(Screen("Sign in", (attack,), ())).find("Text"))


def test_a_screen_is_declared_as_xml_in_utf_8() -> None:
    document = render_screen("yealink", Screen("Sign in", ("BCDF-GHJK",), ()))

    expected = ('<?xml version="1.0" encoding="UTF-8"?>', "text/xml; charset=utf-8")
    assert expected == (document.body.splitlines()[0], document.content_type)
