"""What a phone dials: feature codes, refusals, and who may dial at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.contracts.edge import CREDENTIALS_PATH, FEATURE_CODES_PATH, FeatureCodeVerdict
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.messages import render_message
from tests.sip.phone import REALM, Account, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]


@pytest.fixture
def phone(edge: Edge, functions: FunctionsServer, account: Account, connect: Connect) -> Phone:
    """A registered phone with an onboarding account."""
    functions.add(account)
    phone = connect(account, edge)
    assert phone.register().status == 200
    return phone


def test_a_right_password_ends_with_the_phrase_of_the_functions(functions: FunctionsServer, phone: Phone) -> None:
    functions.behaviour.verdicts["*55*123456"] = FeatureCodeVerdict("enrolled", 200, "Enrolled at Größe Büro")
    answer = phone.dial("*55*123456")

    assert (480, "Enrolled at Größe Büro") == (answer.status, answer.phrase)
    assert 'SIP;cause=480;text="Enrolled at Größe Büro"' == answer.header("Reason")
    assert 1 == functions.asked(FEATURE_CODES_PATH, username=phone.account.username, dialled="*55*123456")


def test_a_wrong_password_is_refused_with_the_status_of_the_functions(functions: FunctionsServer, phone: Phone) -> None:
    functions.behaviour.verdicts["*55*000000"] = FeatureCodeVerdict("wrong_otp", 603, "Wrong password")
    answer = phone.dial("*55*000000")

    assert (603, "Wrong password", 'SIP;cause=603;text="Wrong password"') == (
        answer.status,
        answer.phrase,
        answer.header("Reason"),
    )


@pytest.mark.parametrize("dialled", ["*55*12a", "*55*" + "1" * 21, "*5*1", "*55*1*2", "*55*%0d%0aX-Evil:1", "*55*%22"])
def test_what_only_looks_like_a_feature_code_is_never_asked_about(
    functions: FunctionsServer, phone: Phone, dialled: str
) -> None:
    before = functions.asked(FEATURE_CODES_PATH)
    answer = phone.dial(dialled)

    assert 400 <= answer.status < 500
    assert ("", before) == (answer.header("X-Evil"), functions.asked(FEATURE_CODES_PATH))


@pytest.mark.parametrize("dialled", ["*30", "*50*", "*99*", "*33*+4930123456", "*50", "*%35%35*1"])
def test_every_code_in_the_product_s_form_is_asked_about(functions: FunctionsServer, phone: Phone, dialled: str) -> None:
    phone.dial(dialled)

    assert 1 == functions.asked(FEATURE_CODES_PATH, username=phone.account.username, dialled=dialled.replace("%35", "5"))


def test_a_line_break_in_a_reason_adds_no_header(functions: FunctionsServer, phone: Phone) -> None:
    functions.behaviour.verdicts["*55*1"] = FeatureCodeVerdict("wrong_otp", 603, 'Code "x"\r\nX-Evil: 1\u2028\\')
    answer = phone.dial("*55*1")

    assert (603, "Code 'x' X-Evil: 1 /", "") == (answer.status, answer.phrase, answer.header("X-Evil"))


def test_a_late_verdict_is_not_waited_for(functions: FunctionsServer, phone: Phone) -> None:
    functions.behaviour.delay_seconds[FEATURE_CODES_PATH] = 2.5
    answer = phone.dial("*55*123456")

    assert (503, "Try again in a minute") == (answer.status, answer.phrase)
    assert int(answer.header("Retry-After")) > 0


def test_with_the_functions_away_the_phone_says_so_in_its_language(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account, language="de")
    phone = connect(account, edge)
    phone.register()
    functions.behaviour.status = 500

    assert (503, "Versuchen Sie es in einer Minute noch einmal") == (
        (answer := phone.dial("*55*123456")).status,
        answer.phrase,
    )


def test_a_phone_that_guesses_is_slowed_down_before_the_functions(functions: FunctionsServer, phone: Phone) -> None:
    answers = [phone.dial(f"*55*{number}").status for number in range(22)]

    assert [403] * 20 + [503] * 2 == answers
    assert 20 == functions.asked(FEATURE_CODES_PATH, username=phone.account.username)


def test_an_onboarding_phone_may_not_call(phone: Phone) -> None:
    answer = phone.dial("1002")

    assert (403, "Sign in before you make calls") == (answer.status, answer.phrase)


def test_a_user_s_phone_hears_that_nobody_has_the_number(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account, may_call=True)
    phone = connect(account, edge)
    phone.register()
    answer = phone.dial("+4930123456")

    assert (404, "This number is not known") == (answer.status, answer.phrase)


def test_a_user_s_phone_hears_that_a_code_is_unknown(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account, may_call=True, language="fr")
    phone = connect(account, edge)
    phone.register()
    answer = phone.dial("*55x")

    assert (404, "Ce code de fonction est inconnu") == (answer.status, answer.phrase)


def test_a_call_from_a_stranger_is_challenged(edge: Edge, account: Account, connect: Connect) -> None:
    answer = connect(account, edge).dial_without_credentials("*55*123456")

    assert (407, True) == (answer.status, REALM in answer.header("Proxy-Authenticate"))


def test_a_call_on_an_unregistered_connection_is_taken_with_a_digest(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    connect(account, edge).register()

    assert 403 == connect(account, edge).dial("*55*123456").status
    assert 1 == functions.asked(FEATURE_CODES_PATH, username=account.username)


def test_a_call_of_a_phone_that_never_registered_is_put_off_and_the_phone_is_then_known(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)

    assert 503 == phone.dial("*55*123456").status
    assert 403 == wait_until(lambda: phone.dial("*55*123456").status == 403) * 403
    assert 1 == functions.asked(CREDENTIALS_PATH, username=account.username)


def test_a_phone_that_hangs_up_while_it_waits_is_let_go(functions: FunctionsServer, phone: Phone) -> None:
    functions.behaviour.delay_seconds[FEATURE_CODES_PATH] = 1.0
    headers = phone._send_request("INVITE", f"sip:*55*1@{REALM}", [("Contact", f"<{phone.contact}>")], to_user="*55*1")
    cancel = [*headers[:5], ("CSeq", headers[5][1].replace("INVITE", "CANCEL"))]
    wait_until(lambda: functions.asked(FEATURE_CODES_PATH, username=phone.account.username))
    phone.send(render_message(f"CANCEL sip:*55*1@{REALM} SIP/2.0", cancel))

    assert {200, 487} == {phone.receive().status, phone.receive().status}


@pytest.mark.parametrize(
    ("request_line", "status"),
    [("BYE sip:edge.test SIP/2.0", 481), ("PUBLISH sip:edge.test SIP/2.0", 405), ("OPTIONS sip:edge.test SIP/2.0", 200)],
)
def test_other_methods_are_answered_plainly(phone: Phone, request_line: str, status: int) -> None:
    method, _, _ = request_line.partition(" ")

    assert status == phone._request(method, "sip:edge.test", [], to_user="x").status
