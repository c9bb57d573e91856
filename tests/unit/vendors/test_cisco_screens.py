"""Cisco's screens are one well-formed CiscoIPPhoneText within its limits: vendors/cisco/templates/screen.xml.j2."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.rendering import clean
from chalicelib.vendors.screens import REFRESH_SECONDS, Screen, ScreenDocument, SoftKey, render_screen

URL = "https://gateway.example/d/TOKEN/ui/pairing"
HOSTILE = st.text(
    st.sampled_from("\r\n\x00\x85\u2028\"'<>&%#]{}$; \u202e\U0001f600") | st.characters(exclude_categories=["Cs"])
)
SCREENS = st.builds(
    Screen,
    title=HOSTILE,
    lines=st.lists(HOSTILE, max_size=9).map(tuple),
    soft_keys=st.lists(st.builds(SoftKey, label=HOSTILE, url=st.just("") | HOSTILE), max_size=6).map(tuple),
    cancel_url=st.just("") | HOSTILE,
)


def document(screen: Screen) -> ScreenDocument:
    rendered = render_screen("cisco", screen)
    assert rendered is not None
    return rendered


def parse(screen: Screen) -> ET.Element:
    return ET.fromstring(document(screen).body.encode())  # noqa: S314 - our own document


def keys(root: ET.Element) -> list[list[str]]:
    return [[part.text or "" for part in key] for key in root.iter("SoftKeyItem")]


@given(SCREENS)
def test_a_screen_is_one_text_object(screen: Screen) -> None:
    root = parse(screen)
    expected = ["Title", "Text", *["SoftKeyItem"] * min(4, len(screen.soft_keys))]

    assert ("CiscoIPPhoneText", {}, expected) == (root.tag, root.attrib, [child.tag for child in root])


@given(SCREENS)
def test_the_text_is_the_cleaned_lines(screen: Screen) -> None:
    assert "\n".join(clean(line) for line in screen.lines[:7]) == (parse(screen).findtext("Text") or "")


@given(SCREENS)
def test_the_keys_are_the_cleaned_keys_in_their_order(screen: Screen) -> None:
    expected = [
        [clean(key.label[:20]), clean(key.url) if key.url else "SoftKey:Exit", str(number)]
        for number, key in enumerate(screen.soft_keys[:4], 1)
    ]

    assert expected == keys(parse(screen))


@pytest.mark.parametrize("letter", ["&", "<", '"', "😀", "𝕏", "\u2028"])
def test_the_longest_texts_keep_the_limits(letter: str) -> None:
    long = letter * 10_000
    screen = Screen(long, (long,) * 9, (SoftKey(long, URL),) * 6)
    root = parse(screen)

    assert 32 >= len(root.findtext("Title") or "")
    assert 4000 >= len(root.findtext("Text") or "")
    assert 20 >= max(len(key[0]) for key in keys(root))
    assert vendor("cisco").longest_screen >= len(document(screen).body.encode())


@pytest.mark.parametrize(
    "attack", ["</Text><SoftKeyItem>", "]]>", "&#10;", '" onclick="x', "<!ENTITY x>", "{{ screen.title }}"]
)
def test_an_attack_by_text_ends_in_the_text(attack: str) -> None:
    assert attack == parse(Screen("Sign in", (attack,), ())).findtext("Text")


def test_a_waiting_screen_asks_again() -> None:
    assert f"{REFRESH_SECONDS}; url={URL}" == document(Screen("Sign in", ("BCDF-GHJK",), (), refresh_url=URL)).refresh


def test_a_screen_that_waits_for_nothing_stays() -> None:
    assert "" == document(Screen("Sign in", ("Signed in",), ())).refresh


def test_a_screen_is_declared_as_xml_in_utf_8() -> None:
    rendered = document(Screen("Sign in", ("BCDF-GHJK",), ()))

    expected = ('<?xml version="1.0" encoding="UTF-8"?>', "text/xml; charset=utf-8")
    assert expected == (rendered.body.splitlines()[0], rendered.content_type)
