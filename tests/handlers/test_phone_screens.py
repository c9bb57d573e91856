"""The screens on the phone, as Yealink's XML browser reads them."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from tests.gateway import MAC, PUBLIC_URL, Answer, Phone, World, code_on


@pytest.fixture
def onboarded(phone: Phone) -> Phone:
    return phone.onboard()


def lines_of(screen: Answer) -> list[str]:
    return (ET.fromstring(screen.text).findtext("Text") or "").split("\n")  # noqa: S314 - our own document


def keys_of(screen: Answer) -> dict[str, str]:
    found = ET.fromstring(screen.text).iter("SoftKey")  # noqa: S314 - our own document
    return {key.findtext("Label") or "": key.findtext("URI") or "" for key in found}


def test_the_sign_in_screen_says_where_to_go_and_what_to_type(onboarded: Phone) -> None:
    screen = onboarded.screen("sign-in")
    lines = lines_of(screen)

    assert "text/xml; charset=utf-8" == screen.headers["content-type"]
    assert ["On your computer or mobile, open", "gateway.example/pair", "and type this code:"] == lines[:3]


def test_the_code_is_eight_consonants_with_a_hyphen(onboarded: Phone) -> None:
    code = lines_of(onboarded.screen("sign-in"))[3]

    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", code)


def test_the_sign_in_screen_has_back_and_refresh(onboarded: Phone) -> None:
    base = f"{PUBLIC_URL}{onboarded.base}ui/"

    assert {"Back": f"{base}cancel", "Refresh": f"{base}pairing"} == keys_of(onboarded.screen("sign-in"))


def test_the_phones_own_cancel_key_voids_the_code_too(onboarded: Phone) -> None:
    root = ET.fromstring(onboarded.screen("sign-in").text)  # noqa: S314 - our own document

    assert f"{PUBLIC_URL}{onboarded.base}ui/cancel" == root.get("cancelAction")


def test_the_language_word_is_skipped_for_screens(onboarded: Phone) -> None:
    assert 200 == onboarded.get(f"/d/{onboarded.token}/ui/sign-in").status


def test_refresh_shows_the_same_code(onboarded: Phone) -> None:
    assert onboarded.show_code() == code_on(onboarded.screen("pairing"))


def test_signing_in_anew_shows_another_code(onboarded: Phone) -> None:
    assert onboarded.show_code() != onboarded.show_code()


def test_refresh_after_15_minutes_offers_a_new_code(world: World, onboarded: Phone) -> None:
    onboarded.show_code()
    world.clock.forward(minutes=15)
    screen = onboarded.screen("pairing")

    assert ["The code has expired. Press Sign in for a new one."] == lines_of(screen)
    assert f"{PUBLIC_URL}{onboarded.base}ui/sign-in" == keys_of(screen)["Sign in"]


def test_back_says_cancelled(onboarded: Phone) -> None:
    onboarded.show_code()

    assert ["Cancelled."] == lines_of(onboarded.screen("cancel"))


def test_a_signed_in_phone_shows_who_is_signed_in_whichever_key_is_pressed(onboarded: Phone) -> None:
    onboarded.sign_in()

    assert [["Signed in", "Anna Berg", "+4989123401"]] * 2 == [
        lines_of(onboarded.screen(name)) for name in ("sign-in", "pairing")
    ]


def test_sign_out_asks_before(world: World, onboarded: Phone) -> None:
    onboarded.sign_in()
    screen = onboarded.screen("sign-out")

    assert ["Sign out from this phone?", "Anna Berg", "+4989123401"] == lines_of(screen)
    assert {"Back": "SoftKey:Exit", "Sign out": f"{PUBLIC_URL}{onboarded.base}ui/sign-out-confirmed"} == keys_of(screen)
    assert "signed_in" == world.device()["state"]


def test_a_confirmed_sign_out_signs_out(world: World, onboarded: Phone) -> None:
    onboarded.enroll().sign_in()

    assert ["Signed out"] == lines_of(onboarded.screen("sign-out-confirmed"))
    assert ("enrolled", None) == (world.device()["state"], world.device()["user"])


def test_signing_out_twice_says_the_same(onboarded: Phone) -> None:
    onboarded.sign_in()

    assert [["Signed out"]] * 2 == [lines_of(onboarded.screen("sign-out-confirmed")) for _ in range(2)]


def test_nobody_to_sign_out_is_said(onboarded: Phone) -> None:
    assert ["Nobody is signed in."] == lines_of(onboarded.screen("sign-out"))


def test_screens_of_a_bad_token_are_not_found(phone: Phone) -> None:
    phone.base = f"/d/{'A' * 43}/"

    assert 404 == phone.screen("sign-in").status


def test_a_screen_stays_under_the_vendors_limit(world: World, onboarded: Phone) -> None:
    world.change_user(display_name="&" * 5000)
    onboarded.sign_in()

    assert 10_000 > len(onboarded.screen("sign-in").text.encode())


# --- feature codes for phones without a screen browser -----------------------------------------------------------------


def test_50_begins_a_sign_in_and_names_url_and_code(onboarded: Phone) -> None:
    outcome, status, reason = onboarded.dial("*50*")

    assert ("authorization_pending", 480, f"gateway.example/pair {code_on(onboarded.screen('pairing'))}") == (
        outcome,
        status,
        reason,
    )


def test_51_signs_out(world: World, onboarded: Phone) -> None:
    onboarded.enroll().sign_in()

    assert ("signed_out", 480, "Signed out") == onboarded.dial("*51*")
    assert "enrolled" == world.device(MAC)["state"]


@pytest.mark.parametrize("dialled", ["*98*", "55", "", "*55", "x" * 1000, "*5*5", "*99*1#2"])
def test_any_other_feature_code_is_unknown(onboarded: Phone, dialled: str) -> None:
    assert ("unknown_feature_code", 404, "Unknown feature code") == onboarded.dial(dialled)


@pytest.mark.parametrize("username", ["", "nobody.1", "nobody", ".1", "x" * 3000, "é.1"])
def test_a_feature_code_of_an_unknown_phone_is_refused(world: World, username: str) -> None:
    assert "not_onboarded" == world.edge.dial(username, "*55*123456")[0]
