"""The pairing pages: a person signs in, types the code, sees which phone it is, confirms."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.domain.directory import CallingPolicy, User
from chalicelib.domain.identifiers import Language
from chalicelib.vendors.texts import translator
from tests.gateway import ANNA, BEN, ELSEWHERE, MAC, OTHER_TENANT, TENANT, Answer, Browser, Phone, World


@pytest.fixture
def onboarded(phone: Phone) -> Phone:
    return phone.onboard()


@pytest.fixture
def browser(world: World) -> Browser:
    """Anna's, signed in."""
    return world.browser().sign_in()


def heading(page: Answer) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return unescape(found.group(1)) if found else ""


def alert(page: Answer) -> str:
    found = re.search(r'role="alert"[^>]*>(.*?)</p>', page.text, re.DOTALL)
    return unescape(found.group(1)) if found else ""


# --- the way through ---------------------------------------------------------------------------------------------------


def test_the_bare_host_leads_to_the_pairing_page(world: World) -> None:
    answer = world.browser().open("/")

    assert (303, "/pair") == (answer.status, answer.headers["location"])


def test_a_stranger_is_asked_to_sign_in(world: World) -> None:
    assert "Sign in to your phone" == heading(world.browser().open())


def test_signing_in_leads_to_the_identity_provider_and_back_to_us(world: World) -> None:
    answer = world.browser().open("/pair/sign-in")
    query = parse_qs(urlsplit(answer.headers["location"]).query)

    assert (303, ["https://gateway.example/auth/callback"]) == (answer.status, query["redirect_uri"])


def test_after_the_sign_in_the_code_is_asked_for(browser: Browser) -> None:
    assert "Type the code" == heading(browser.open())


def test_the_page_says_who_is_signed_in(browser: Browser) -> None:
    assert f"<strong>Anna</strong> ({ANNA})" in browser.open().text


def test_the_confirm_page_shows_the_phone_on_the_desk_and_no_more(world: World, onboarded: Phone, browser: Browser) -> None:
    world.admin.post("/v1/devices", {"mac": MAC, "location": "Room 12"})
    page = browser.type_code(onboarded.show_code())

    assert "Is this your phone?" == heading(page)
    assert ["Yealink T46S", "3456", "Room 12"] == re.findall("<dd>(.*?)</dd>", page.text)
    assert MAC not in page.text


def test_the_last_page_shows_name_and_number(onboarded: Phone, browser: Browser) -> None:
    page = browser.pair(onboarded.show_code())

    assert "You are signed in on the phone" == heading(page)
    assert ["Yealink T46S", "Anna Berg", "+4989123401"] == re.findall("<dd>(.*?)</dd>", page.text)


def test_a_confirmed_code_signs_in(world: World, onboarded: Phone, browser: Browser) -> None:
    browser.pair(onboarded.show_code())

    assert ("signed_in", ANNA) == (world.device()["state"], world.device()["user"]["upn"])


def test_a_typed_code_alone_signs_nobody_in(onboarded: Phone, browser: Browser) -> None:
    browser.type_code(onboarded.show_code())

    assert "Not signed in" == onboarded.settings()["account.1.label"]


@pytest.mark.parametrize(
    "spelling", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code.replace('-', ' ')} "]
)
def test_a_code_may_be_typed_as_one_likes(onboarded: Phone, browser: Browser, spelling: object) -> None:
    assert 200 == browser.type_code(spelling(onboarded.show_code())).status  # type: ignore[operator]


def test_no_goes_back_and_leaves_the_phone_alone(onboarded: Phone, browser: Browser) -> None:
    browser.type_code(onboarded.show_code())
    answer = browser.confirm("no")

    assert (303, "Not signed in") == (answer.status, onboarded.settings()["account.1.label"])


def test_after_no_a_yes_from_the_old_page_pairs_nothing(onboarded: Phone, browser: Browser) -> None:
    browser.type_code(onboarded.show_code())
    browser.confirm("no")

    assert "The pairing code is not right" == heading(browser.confirm())


def test_a_remote_pairing_is_redeemed_like_one_at_the_phone(world: World, onboarded: Phone, browser: Browser) -> None:
    onboarded.dial(f"*55*{world.issue_otp()}")
    offer = world.admin.post(f"/v1/devices/{MAC}/sign-in", {})

    assert (201, "https://gateway.example/pair") == (offer.status, offer.json["authorization_url"])
    assert 200 == browser.pair(offer.json["pairing_code"]).status
    assert "signed_in" == world.device()["state"]


def test_a_remote_pairing_needs_an_enrolled_device(world: World, onboarded: Phone) -> None:
    assert onboarded.base
    world.admin.post("/v1/devices", {"mac": MAC})

    assert (409, "illegal_state") == (
        (answer := world.admin.post(f"/v1/devices/{MAC}/sign-in", {})).status,
        answer.json["code"],
    )


# --- codes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["BCDF-GHJK", "", "x", "B" * 1000, "日本語"])
def test_a_wrong_code_is_refused_and_may_be_typed_again(browser: Browser, code: str) -> None:
    page = browser.type_code(code)

    assert (422, "The pairing code is not right", "Type the code") == (page.status, alert(page), heading(page))


def test_back_on_the_phone_voids_the_code(onboarded: Phone, browser: Browser) -> None:
    code = onboarded.show_code()
    onboarded.screen("cancel")

    assert (410, "The pairing code has expired") == ((page := browser.type_code(code)).status, alert(page))


def test_a_newer_code_voids_the_one_before(onboarded: Phone, browser: Browser) -> None:
    old, new = onboarded.show_code(), onboarded.show_code()

    assert [410, 200] == [browser.type_code(code).status for code in (old, new)]


def test_a_code_is_good_for_15_minutes(world: World, onboarded: Phone, browser: Browser) -> None:
    code = onboarded.show_code()
    world.clock.forward(minutes=15, seconds=-1)

    assert 200 == browser.type_code(code).status


def test_after_15_minutes_a_code_has_expired(world: World, onboarded: Phone, browser: Browser) -> None:
    code = onboarded.show_code()
    world.clock.forward(minutes=15)

    assert 410 == browser.type_code(code).status


def test_a_code_that_expired_between_typing_and_confirming_is_refused(world: World, onboarded: Phone, browser: Browser) -> None:
    browser.type_code(onboarded.show_code())
    world.clock.forward(minutes=15)

    assert (410, "The pairing code has expired") == ((page := browser.confirm()).status, heading(page))


def test_a_code_is_redeemed_once(world: World, onboarded: Phone, browser: Browser) -> None:
    code = onboarded.show_code()
    browser.pair(code)

    assert 410 == world.browser().sign_in(BEN).type_code(code).status


def test_of_two_people_who_typed_the_same_code_the_first_to_confirm_gets_the_phone(
    world: World, onboarded: Phone, browser: Browser
) -> None:
    code = onboarded.show_code()
    ben = world.browser().sign_in(BEN)
    browser.type_code(code)
    ben.type_code(code)

    assert ([200, 410], ANNA) == ([browser.confirm().status, ben.confirm().status], world.device()["user"]["upn"])


def test_the_eleventh_code_of_one_person_has_to_wait(browser: Browser) -> None:
    statuses = [browser.type_code("BCDF-GHJK").status for _ in range(11)]

    assert [422] * 10 + [429] == statuses


def test_who_has_to_wait_is_not_asked_for_a_code(browser: Browser) -> None:
    page = [browser.type_code("BCDF-GHJK") for _ in range(11)][-1]

    assert ("Too many tries", False) == (alert(page), 'name="code"' in page.text)


def test_a_right_code_helps_nobody_who_has_to_wait(onboarded: Phone, browser: Browser) -> None:
    for _ in range(11):
        browser.type_code("BCDF-GHJK")

    assert 429 == browser.type_code(onboarded.show_code()).status


def test_after_15_minutes_codes_are_taken_again(world: World, onboarded: Phone, browser: Browser) -> None:
    for _ in range(11):
        browser.type_code("BCDF-GHJK")
    world.clock.forward(minutes=15)

    assert 200 == browser.type_code(onboarded.show_code()).status


def test_one_address_has_ten_times_as_many_tries(world: World) -> None:
    anna = world.store.load(User, TENANT, ANNA)
    world.store.save(*(replace(anna, upn=f"user{number}@example.com", version=0) for number in range(11)))
    browsers = [world.browser(ELSEWHERE).sign_in(f"user{number}@example.com") for number in range(11)]
    statuses = [browser.type_code("BCDF-GHJK").status for browser in browsers for _ in range(10)]

    assert [422] * 100 + [429] * 10 == statuses


# --- who may not -------------------------------------------------------------------------------------------------------


def test_a_user_without_a_number_is_told_so(world: World, browser: Browser) -> None:
    world.change_user(number="")
    page = browser.open()

    assert (422, "The user has no phone number") == (page.status, heading(page))
    assert "Ask your administrator to assign you a phone number, then sign in again." == alert(page)


def test_a_user_whose_policy_does_not_allow_sip_devices_is_told_so(world: World, browser: Browser) -> None:
    world.change_user(policy="")
    page = browser.open()

    assert (422, "The user's calling policy does not allow SIP devices") == (page.status, heading(page))
    assert "Ask your administrator to turn on “SIP devices can be used for calls” in your calling policy." == alert(page)


def test_a_user_whose_policy_is_not_known_here_is_told_so(world: World, browser: Browser) -> None:
    world.change_user(policy="Sales")
    page = browser.open()

    assert (422, "Your calling policy is not known here. Ask your administrator to import it.") == (
        page.status,
        alert(page),
    )


def test_a_user_who_is_not_in_the_directory_is_told_so(world: World) -> None:
    page = world.browser().sign_in("nobody@example.com").open()

    assert (422, "The user is not in the directory") == (page.status, heading(page))


def test_a_tenant_that_has_not_enabled_the_gateway_signs_nobody_in(world: World, browser: Browser) -> None:
    world.change_tenant(enabled=False)
    page = browser.open()

    assert (409, "Your organisation has not enabled the SIP Gateway") == (page.status, heading(page))


def test_a_tenant_that_the_gateway_never_heard_of_signs_nobody_in(world: World) -> None:
    assert 409 == world.browser().sign_in(ANNA, "d0000000-0000-4000-8000-00000000ffff").open().status


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"number": ""}, "user_without_number"),
        ({"policy": ""}, "user_without_policy"),
        ({"policy": "Sales"}, "user_without_policy"),
    ],
)
def test_who_lost_the_right_after_typing_the_code_is_refused_and_the_reason_recorded(
    world: World, onboarded: Phone, browser: Browser, change: dict[str, str], reason: str
) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    browser.type_code(onboarded.show_code())
    world.change_user(**change)

    assert 422 == browser.confirm().status
    assert ("sign_in_refused", {"reason": reason, "user": ANNA}) in world.history()


def test_a_device_enrolled_in_one_tenant_is_not_paired_by_anothers_user(world: World, onboarded: Phone) -> None:
    world.open_other_tenant()
    onboarded.dial(f"*55*{world.issue_otp()}")
    page = world.browser().sign_in("zoe@example.org", OTHER_TENANT).type_code(onboarded.show_code())

    assert (409, "The device belongs to another organisation") == (page.status, alert(page))


def test_a_strangers_candidate_does_not_open_an_enrolled_device_to_another_tenant(world: World, onboarded: Phone) -> None:
    world.open_other_tenant()
    onboarded.dial(f"*55*{world.issue_otp()}")
    stranger = world.phone(address=ELSEWHERE).onboard()
    page = world.browser().sign_in("zoe@example.org", OTHER_TENANT).pair(stranger.show_code())

    assert (422, 200) == (page.status, onboarded.fetch().status)


def test_a_blocked_device_is_paired_by_nobody(world: World, onboarded: Phone, browser: Browser) -> None:
    onboarded.dial(f"*55*{world.issue_otp()}")
    other = world.phone(address=ELSEWHERE).onboard()
    world.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})
    page = browser.type_code(other.show_code())

    assert (409, "This phone is blocked. Ask your administrator.") == (
        page.status,
        unescape(page.text.split("<p>")[1].split("<")[0]),
    )


def test_a_removed_phones_code_is_no_longer_good(world: World, onboarded: Phone, browser: Browser) -> None:
    onboarded.dial(f"*55*{world.issue_otp()}")
    code = onboarded.show_code()
    world.admin.delete(f"/v1/devices/{MAC}")

    assert 410 == browser.type_code(code).status


# --- forms, sessions, cookies ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/pair/code", "/pair/confirm", "/pair/sign-out"])
@pytest.mark.parametrize("token", ["", "wrong", "é", "0" * 64])
def test_a_form_without_the_sessions_token_changes_nothing(browser: Browser, path: str, token: str) -> None:
    page = browser.send("POST", path, {"form_token": token, "code": "BCDF-GHJK", "answer": "yes"})

    assert (403, "The page has expired") == (page.status, heading(page))


def test_the_form_token_of_another_browser_is_refused(world: World, browser: Browser) -> None:
    browser.form_token = world.browser().sign_in(BEN).form_token

    assert 403 == browser.type_code("BCDF-GHJK").status


@pytest.mark.parametrize("path", ["/pair/code", "/pair/confirm", "/pair/sign-out"])
def test_a_form_without_a_session_is_refused(world: World, path: str) -> None:
    assert 403 == world.browser().send("POST", path, {"form_token": "x"}).status


def test_a_session_lasts_30_minutes(world: World, browser: Browser) -> None:
    world.clock.forward(minutes=30)

    assert "Sign in to your phone" == heading(browser.open())


def test_signing_out_of_the_browser_ends_the_session(browser: Browser) -> None:
    stolen = dict(browser.cookies)
    browser.send("POST", "/pair/sign-out", {"form_token": browser.form_token})
    browser.cookies = stolen

    assert "Sign in to your phone" == heading(browser.open())


@pytest.mark.parametrize("path", ["/pair/sign-in", "/auth/callback"])
def test_cookies_are_bound_to_the_host_and_hidden_from_scripts(world: World, path: str) -> None:
    browser = world.browser()
    answer = browser.come_back(browser.begin()) if path == "/auth/callback" else browser.open(path)
    cookie = answer.headers["set-cookie"]

    assert ("__Host-", True) == (cookie[:7], cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax"))


def test_the_session_cookie_is_new_after_the_sign_in(world: World) -> None:
    browser = world.browser()
    browser.cookies["__Host-session"] = "planted"
    browser.sign_in()

    assert "planted" != browser.cookies["__Host-session"]


@pytest.mark.parametrize("cookie", ["", "x", "a" * 5000, '"\\101', "=;=;", "é"])
def test_a_strange_cookie_is_no_session(world: World, cookie: str) -> None:
    browser = world.browser()
    browser.cookies["__Host-session"] = cookie

    assert (200, "Sign in to your phone") == ((page := browser.open()).status, heading(page))


def test_the_callback_works_only_in_the_browser_that_began(world: World) -> None:
    state = world.browser().begin()
    page = world.browser().come_back(state)

    assert (400, "The sign-in could not be completed") == (page.status, heading(page))


def test_a_callback_in_another_browser_does_not_spoil_the_first(world: World) -> None:
    browser = world.browser()
    state = browser.begin()
    world.browser().come_back(state)

    assert 303 == browser.come_back(state).status


def test_a_callback_works_once(world: World) -> None:
    browser = world.browser()
    state = browser.begin()

    assert [303, 400] == [browser.come_back(state).status for _ in range(2)]


def test_a_callback_works_for_15_minutes(world: World) -> None:
    browser = world.browser()
    state = browser.begin()
    world.clock.forward(minutes=15)

    assert 400 == browser.come_back(state).status


@pytest.mark.parametrize("query", ["", "?state=", "?state=x&code=y", "?code=y", "?error=access_denied"])
def test_a_callback_that_nobody_began_is_refused(world: World, query: str) -> None:
    assert 400 == world.browser().open(f"/auth/callback{query}").status


def test_a_person_who_cancels_is_told_so(world: World) -> None:
    browser = world.browser()
    page = browser.open(f"/auth/callback?error=access_denied&state={browser.begin()}")

    assert (400, "The sign-in was cancelled") == (page.status, heading(page))


# --- the pages themselves ----------------------------------------------------------------------------------------------


def pages(world: World, phone: Phone) -> list[Answer]:
    """Every page once."""
    browser = world.browser()
    welcome = browser.open()
    browser.sign_in()
    code = phone.show_code()
    shown = [welcome, browser.open(), browser.type_code("wrong"), browser.type_code(code), browser.confirm()]
    return [*shown, world.browser().open("/auth/callback")]


def test_no_page_may_run_a_script_or_be_framed_or_kept(world: World, onboarded: Phone) -> None:
    for page in pages(world, onboarded):
        policy = page.headers["content-security-policy"]
        assert ("default-src 'none'", True) == (policy.split(";")[0], "frame-ancestors 'none'" in policy)
        assert ("no-store", "nosniff", "DENY", "no-referrer") == tuple(
            page.headers[name] for name in ("cache-control", "x-content-type-options", "x-frame-options", "referrer-policy")
        )


def test_no_page_has_a_script_or_an_inline_style(world: World, onboarded: Phone) -> None:
    assert [] == [found for page in pages(world, onboarded) for found in re.findall(r"<script| style=| on\w+=", page.text)]


def test_forms_go_only_where_the_policy_lets_them(world: World, onboarded: Phone) -> None:
    actions = {found for page in pages(world, onboarded) for found in re.findall(r'action="([^"?]+)', page.text)}

    assert {"/pair/code", "/pair/confirm", "/pair/sign-out"} == actions


@pytest.mark.parametrize("language", Language)
def test_a_page_is_in_the_language_asked_for(world: World, language: Language) -> None:
    page = world.browser().open(f"/pair?lang={language}")

    assert (translator(language.value)("Sign in to your phone"), language.value) == (
        heading(page),
        page.headers["content-language"],
    )
    assert f'<html lang="{language}">' in page.text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("xx,ja;q=0.1", "ja"),
        ("en;q=0.5, fr;q=0.9", "fr"),
        ("", "en"),
        ("*", "en"),
        ("xx", "en"),
        (";;q=,,", "en"),
        ("x" * 10_240, "en"),
    ],
)
def test_a_page_is_in_the_best_language_that_the_browser_accepts(world: World, accepted: str, language: str) -> None:
    assert language == world.browser().open(**{"Accept-Language": accepted}).headers["content-language"]


def test_the_language_asked_for_beats_the_browsers(world: World) -> None:
    assert "pt" == world.browser().open("/pair?lang=pt", **{"Accept-Language": "ja"}).headers["content-language"]


def test_the_language_survives_the_identity_provider(world: World) -> None:
    browser = world.browser()
    place = browser.open("/pair/sign-in?lang=fr").headers["location"]
    state = parse_qs(urlsplit(place).query)["state"][0]

    assert "/pair?lang=fr" == browser.come_back(state).headers["location"]


def test_a_policy_that_is_removed_takes_the_right_away(world: World, browser: Browser) -> None:
    world.store.save(remove=[world.store.load(CallingPolicy, TENANT, "SIP phones")])

    assert 422 == browser.open().status
