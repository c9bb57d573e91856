"""The phone's own screens are one well-formed object with the text that was given: vendors/screens.py."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.vendors.catalogue import vendor, vendors
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


BROWSERS = [name for name, known in vendors().items() if known.screen]
LONG = st.builds(str.__mul__, st.sampled_from(["&", "<", '"', "\u4e2d", "a"]), st.integers(0, 600))
LONG_SCREENS = st.builds(
    Screen,
    title=LONG,
    lines=st.lists(LONG, max_size=40).map(tuple),
    soft_keys=st.lists(st.builds(SoftKey, label=LONG, url=st.just("") | LONG), max_size=6).map(tuple),
    cancel_url=st.just("") | LONG,
)


@pytest.mark.parametrize("name", BROWSERS)
@given(screen=LONG_SCREENS)
@example(screen=Screen("&" * 9999, ("&" * 512,) * 4, (SoftKey("&" * 512, URL),) * 4, URL))
@example(screen=Screen("", ("",) * 50_000, ()))
@example(screen=Screen("Sign in", ("Anna",), (SoftKey("Back", "&" * 9999),) * 9, "&" * 9999))
def test_no_screen_is_longer_than_the_browser_reads(name: str, screen: Screen) -> None:
    document = render_screen(name, screen)
    assert document is not None

    assert vendor(name).longest_screen >= len(document.body.encode())
    assert ET.fromstring(document.body.encode()) is not None  # noqa: S314 - our own document


def test_a_screen_that_fits_is_not_cut() -> None:
    lines = ("&" * 512, "+123456789012345")

    assert "\n".join(lines) == text(parse(Screen("Sign out", lines, (SoftKey("Back"), SoftKey("Sign out", URL)))).find("Text"))


def test_a_screen_that_is_cut_keeps_its_keys_and_as_much_text_as_fits() -> None:
    keys = tuple(SoftKey(label, f"{URL}/{label}") for label in ("Back", "Sign in", "Refresh", "Exit"))
    screen = Screen("Sign in", ("&" * 512,) * 16, keys, cancel_url=URL)
    document = render_screen("yealink", screen)
    assert document is not None

    assert [key.url for key in keys] == [text(uri) for uri in ET.fromstring(document.body.encode()).iter("URI")]  # noqa: S314
    assert 100 > vendor("yealink").longest_screen - len(document.body.encode())


@pytest.mark.parametrize("attack", [*ATTACKS, "</Text><SoftKey index='1'>", "]]>", "&#10;", '" onclick="x', "<!ENTITY x>"])
def test_an_attack_by_text_ends_in_the_text(attack: str) -> None:
    assert clean(attack) == text(parse(Screen("Sign in", (attack,), ())).find("Text"))


def test_a_screen_is_declared_as_xml_in_utf_8() -> None:
    document = render_screen("yealink", Screen("Sign in", ("BCDF-GHJK",), ()))

    expected = ('<?xml version="1.0" encoding="UTF-8"?>', "text/xml; charset=utf-8")
    assert expected == (document.body.splitlines()[0], document.content_type)
