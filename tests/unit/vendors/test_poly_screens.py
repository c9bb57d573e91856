"""A Poly screen is one well-formed XHTML document with the text that was given: vendors/poly/templates/screen.xml.j2."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given

from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.rendering import clean
from chalicelib.vendors.screens import Screen, SoftKey, render_screen
from tests.unit.vendors.test_rendering import ATTACKS
from tests.unit.vendors.test_screens import SCREENS, URL

TAGS = {"html", "head", "title", "body", "p", "softkey"}


def parse(screen: Screen) -> ET.Element:
    document = render_screen("poly", screen)
    assert document is not None
    return ET.fromstring(document.body.encode())  # noqa: S314 - our own document


@given(SCREENS)
def test_a_screen_has_only_what_the_small_browser_knows(screen: Screen) -> None:
    assert {element.tag for element in parse(screen).iter()} <= TAGS


@given(SCREENS)
def test_the_title_is_the_cleaned_input(screen: Screen) -> None:
    assert clean(screen.title) == (parse(screen).findtext("head/title") or "")


@given(SCREENS)
def test_the_text_is_the_cleaned_lines(screen: Screen) -> None:
    assert [clean(line) for line in screen.lines] == [line.text or "" for line in parse(screen).iter("p")]


@given(SCREENS)
def test_the_keys_stand_in_their_order(screen: Screen) -> None:
    keys = [(key.get("index"), key.get("action")) for key in parse(screen).iter("softkey")]
    expected = [
        (str(number), clean(f"SoftKey:Fetch;{key.url}") if key.url else "SoftKey:Exit")
        for number, key in enumerate(screen.soft_keys, 1)
    ]

    assert expected == keys


@given(SCREENS)
def test_no_label_is_longer_than_nine_characters(screen: Screen) -> None:
    assert all(len(key.get("label") or "") <= 9 for key in parse(screen).iter("softkey"))


@pytest.mark.parametrize(
    ("label", "expected"),
    [("Back", "Back"), ("Abmelden", "Abmelden"), ("Actualiser", "Actualis."), ("Iniciar sesión", "Iniciar.")],
)
def test_a_long_label_is_cut_short_with_a_full_stop(label: str, expected: str) -> None:
    key = parse(Screen("", ("",), (SoftKey(label, URL),))).find("body/softkey")

    assert expected == (key is not None and key.get("label"))


@pytest.mark.parametrize("attack", [*ATTACKS, "</p><softkey index='1'>", "]]>", "&#10;", '" onclick="x', "<!ENTITY x>"])
def test_an_attack_by_text_ends_in_the_text(attack: str) -> None:
    assert clean(attack) == (parse(Screen("Sign in", (attack,), ())).findtext("body/p") or "")


@pytest.mark.parametrize("letter", ["&", "<", '"', "😀", "\u2028", "𝕏"])
def test_the_longest_display_name_keeps_the_limit(letter: str) -> None:
    keys = (SoftKey("Zurück"), SoftKey("Abmelden", URL))
    document = render_screen("poly", Screen("Abmelden", ("Abmelden?", letter * 10_000, "+123456789012345"), keys))

    assert document is not None
    assert vendor("poly").longest_screen >= len(document.body.encode())


def test_a_waiting_screen_is_fetched_again() -> None:
    document = render_screen(
        "poly", Screen("Sign in", ("BCDF-GHJK",), (), refresh_url="https://gateway.example/d/T/ui/pairing")
    )

    expected = ("10; url=https://gateway.example/d/T/ui/pairing", "text/html; charset=utf-8")
    assert expected == (document and document.refresh, document and document.content_type)
