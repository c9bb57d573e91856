"""The Yealink's reading of screens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.virtual_phone.errors import ScreenError
from local.virtual_phone.screens import MenuItem, Screen, SoftKey
from local.virtual_phone.yealink import parse_screen

URL = "https://gateway/ui/sign-in"
SIGN_IN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<YealinkIPPhoneTextScreen Beep="no" Timeout="0" LockIn="no" cancelAction="SoftKey:Exit">
  <Title wrap="yes">S\u2019identifier</Title>
  <Text>Go to URL&#10;and type code ABCD1234</Text>
  <SoftKey index="4"><Label>Refresh</Label><URI>https://gateway/ui/sign-in?step=1&amp;x=2</URI></SoftKey>
  <SoftKey index="1"><Label>Back</Label><URI>SoftKey:Exit</URI></SoftKey>
</YealinkIPPhoneTextScreen>"""


def screen_of(body: str, content_type: str = "text/xml") -> Screen:
    return parse_screen(body.encode(), content_type=content_type, url=URL)


def test_a_text_screen_gives_title_lines_and_keys_in_order() -> None:
    body = SIGN_IN.replace("\u2019", "&#233;")

    expected = Screen(
        kind="TextScreen",
        url=URL,
        title="S\u00e9identifier",
        lines=("Go to URL", "and type code ABCD1234"),
        soft_keys=(SoftKey(1, "Back", "SoftKey:Exit"), SoftKey(4, "Refresh", "https://gateway/ui/sign-in?step=1&x=2")),
    )
    assert expected == screen_of(body, "text/xml; charset=ISO-8859-1")


def test_a_formatted_text_screen_gives_its_lines() -> None:
    body = (
        "<YealinkIPPhoneFormattedTextScreen><Line Size='normal'>Code</Line><Line Size='double' Align='center'>BCDF-GHJK</Line>"
        "</YealinkIPPhoneFormattedTextScreen>"
    )

    expected = ("Code", "BCDF-GHJK")
    assert expected == screen_of(body).lines


def test_a_menu_item_is_chosen_by_its_prompt() -> None:
    body = (
        "<YealinkIPPhoneTextMenu><Title>Sign out</Title><MenuItem><Prompt>Yes</Prompt><URI>https://gateway/ui/yes</URI></MenuItem>"
        "</YealinkIPPhoneTextMenu>"
    )
    screen = screen_of(body)

    expected = (MenuItem("Yes", "https://gateway/ui/yes"),)
    assert expected == screen.items
    expected_uri = "https://gateway/ui/yes"
    assert expected_uri == screen.find_uri("Yes")


def test_an_execute_gives_its_addresses() -> None:
    body = "<YealinkIPPhoneExecute Beep='no'><ExecuteItem URI='https://gateway/ui/done'/></YealinkIPPhoneExecute>"

    expected = (MenuItem("", "https://gateway/ui/done"),)
    assert expected == screen_of(body).items


def test_a_key_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(ScreenError, match=r"no key 'Cancel', only \['Back', 'Refresh'\]"):
        screen_of(SIGN_IN.replace("\u2019", "")).find_uri("Cancel")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not well-formed"),
        ("<YealinkIPPhoneTextScreen>", "not well-formed"),
        ("<?xml version='1.0' encoding='no-such'?><YealinkIPPhoneTextScreen/>", "not well-formed"),
        ("<html/>", "the document is a 'html'"),
        ("<YealinkIPPhoneInputScreen/>", "the document is a 'YealinkIPPhoneInputScreen'"),
        ("<YealinkIPPhoneTextScreen><Text>a</Text></YealinkIPPhoneTextScreen>", "needs a Title"),
        ("<YealinkIPPhoneTextScreen><Title>a</Title></YealinkIPPhoneTextScreen>", "needs a Text"),
        ("<YealinkIPPhoneFormattedTextScreen/>", "at least one Line"),
        ("<YealinkIPPhoneTextMenu><Title>a</Title></YealinkIPPhoneTextMenu>", "0 items"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><YealinkIPPhoneTextScreen/>", "declares a type"),
        ("<YealinkIPPhoneExecute><ExecuteItem URI='/relative'/></YealinkIPPhoneExecute>", "none that the phone follows"),
        ("<YealinkIPPhoneExecute><SoftKey index='5'/></YealinkIPPhoneExecute>", "must be 1 to 4"),
        ("<YealinkIPPhoneTextScreen>" + " " * 10_000 + "</YealinkIPPhoneTextScreen>", "the phone takes 10000"),
    ],
)
def test_a_document_that_the_phone_would_stumble_over_is_refused(body: str, reason: str) -> None:
    with pytest.raises(ScreenError, match=reason):
        screen_of(body)


@pytest.mark.parametrize("content_type", ["", "text/html", "application/xml"])
def test_only_text_xml_is_opened(content_type: str) -> None:
    with pytest.raises(ScreenError, match="Content-Type"):
        screen_of(SIGN_IN, content_type)


@given(
    st.one_of(st.binary(max_size=300), st.text(alphabet="<>/=\"' YealinkIPPhoneTextScreenTitleSoftKeyindex14&;#", max_size=200))
)
def test_any_document_is_read_or_refused(body: bytes | str) -> None:
    content = body if isinstance(body, bytes) else f"<YealinkIPPhoneTextScreen>{body}</YealinkIPPhoneTextScreen>".encode()
    try:
        parse_screen(content, content_type="text/xml", url=URL)
    except ScreenError:
        return
