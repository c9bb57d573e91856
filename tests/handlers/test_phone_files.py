"""A phone's files under its own URL: which, with what in them, and HTTP's validators."""

from __future__ import annotations

import pytest

from tests.gateway import MAC, PUBLIC_URL, TRUST_ANCHOR, Answer, Phone, World

COMMON = "y000000000066.cfg"  # of a T46S
FILES = [f"{MAC}.boot", COMMON, f"{MAC}.cfg", "ca.pem"]


@pytest.fixture
def onboarded(phone: Phone) -> Phone:
    return phone.onboard()


def test_the_boot_file_names_the_common_and_the_mac_file(onboarded: Phone) -> None:
    expected = f'#!version:1.0.0.1\ninclude:config "{COMMON}"\ninclude:config "{MAC}.cfg"\noverwrite_mode = 1\n'

    assert expected == onboarded.fetch(f"{MAC}.boot").text


def test_the_common_file_points_to_the_trust_anchor_under_the_phones_url(onboarded: Phone) -> None:
    settings = onboarded.fetch(COMMON).text

    assert f"static.trusted_certificates.url = {PUBLIC_URL}{onboarded.base}ca.pem\n" in settings


def test_the_common_file_holds_no_secret(onboarded: Phone) -> None:
    own = onboarded.settings()
    common = onboarded.fetch(COMMON).text

    assert [] == [name for name in ("account.1.password", "account.1.auth_name") if own[name] in common]


def test_the_trust_anchor_is_served_as_pem(onboarded: Phone) -> None:
    answer = onboarded.fetch("ca.pem")

    assert ("application/x-pem-file", TRUST_ANCHOR) == (answer.headers["content-type"], answer.text)


def test_the_onboarding_file_has_a_temporary_account_and_the_sign_in_key(onboarded: Phone) -> None:
    settings = onboarded.settings()
    keys = ("account.1.sip_server.1.address", "account.1.sip_server.1.port", "account.1.sip_server.1.transport_type")

    assert ("sip.gateway.example", "5061", "2") == tuple(settings[key] for key in keys)
    assert ("Sign in", f"{PUBLIC_URL}/d/{onboarded.token}/ui/sign-in") == tuple(
        settings[f"programablekey.3.{part}"] for part in ("label", "value")
    )


def test_the_signed_in_file_has_the_users_account_and_the_sign_out_key(onboarded: Phone) -> None:
    settings = onboarded.sign_in().settings()

    assert ("+4989123401", "Anna Berg", "*99*", "Sign out") == tuple(
        settings[key]
        for key in ("account.1.user_name", "account.1.display_name", "voice_mail.number.1", "programablekey.3.label")
    )


def test_the_password_in_the_file_is_the_one_that_the_edge_checks(onboarded: Phone, world: World) -> None:
    settings = onboarded.settings()
    name = settings["account.1.auth_name"].rpartition(".")

    assert settings["account.1.password"] == world.gateway.keys.sip_password(name[0], int(name[2])).reveal()


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_never_cached(onboarded: Phone, name: str) -> None:
    assert "no-store" == onboarded.fetch(name).headers["cache-control"]


@pytest.mark.parametrize("name", FILES)
def test_the_language_word_may_be_left_out(onboarded: Phone, name: str) -> None:
    assert 200 == onboarded.get(f"/d/{onboarded.token}/{name}").status


def test_the_language_word_does_not_change_the_file(onboarded: Phone) -> None:
    assert onboarded.fetch().text == onboarded.get(f"/d/{onboarded.token}/lang_fr/{MAC}.cfg").text


# --- validators: RFC 9110 8.8.3 and 13.1.2 -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_the_etag_is_a_strong_validator(onboarded: Phone, name: str) -> None:
    etag = onboarded.fetch(name).headers["etag"]

    assert (34, '"', '"') == (len(etag), etag[0], etag[-1])


def test_the_same_configuration_has_the_same_etag(onboarded: Phone) -> None:
    assert onboarded.fetch().headers["etag"] == onboarded.fetch().headers["etag"]


def test_another_configuration_has_another_etag(onboarded: Phone) -> None:
    before = onboarded.fetch().headers["etag"]

    assert before != onboarded.sign_in().fetch().headers["etag"]


@pytest.mark.parametrize("pattern", ["{}", "W/{}", '"x", {}', '{} , "x"', '"x",W/{},"y"'])
def test_a_phone_that_has_the_file_gets_304_without_a_body(onboarded: Phone, pattern: str) -> None:
    etag = onboarded.fetch().headers["etag"]
    answer = onboarded.fetch(If_None_Match=pattern.format(etag))

    assert Answer(304, {"cache-control": "no-store", "etag": etag}, "") == Answer(
        answer.status, {name: answer.headers[name] for name in ("cache-control", "etag")}, answer.text
    )


@pytest.mark.parametrize("tags", ["", '"x"', "x", ",", '"x", "y"'])
def test_a_phone_that_has_another_file_gets_this_one(onboarded: Phone, tags: str) -> None:
    assert 200 == onboarded.fetch(If_None_Match=tags).status


@pytest.mark.parametrize("name", FILES)
def test_head_has_the_status_and_headers_of_get(onboarded: Phone, name: str) -> None:
    got, head = onboarded.fetch(name), onboarded.fetch(name, "HEAD")

    assert (got.status, got.headers) == (head.status, head.headers)


def test_head_of_a_foreign_file_is_the_same_404(onboarded: Phone) -> None:
    assert onboarded.fetch("y000000000000.cfg").headers == onboarded.fetch("y000000000000.cfg", "HEAD").headers


def test_head_counts_as_no_sign_in(onboarded: Phone) -> None:
    assert 404 == onboarded.get(f"{onboarded.base}ui/sign-in", "HEAD").status


# --- states ------------------------------------------------------------------------------------------------------------


def test_the_device_shows_which_configuration_the_phone_has(world: World, onboarded: Phone) -> None:
    otp = world.issue_otp()
    onboarded.dial(f"*55*{otp}")
    before = world.device()
    onboarded.fetch()
    after = world.device()

    assert (2, 1, 2) == (before["config_version"], before["applied_version"], after["applied_version"])


def test_the_firmware_that_fetches_is_recorded(world: World, onboarded: Phone) -> None:
    onboarded.enroll()
    onboarded.firmware = "66.86.9.9"
    onboarded.fetch()

    assert "66.86.9.9" == world.device()["firmware"]


def test_refetching_does_not_change_the_file(onboarded: Phone) -> None:
    assert 1 == len({onboarded.fetch().text for _ in range(5)})
