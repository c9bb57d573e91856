"""Registration: who may register and what is asked of the functions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.contracts.edge import CREDENTIALS_PATH
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Account, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]


@pytest.fixture
def first_phone(edge: Edge, functions: FunctionsServer, account: Account, connect: Connect) -> Phone:
    """Known to the functions, not yet to the edge."""
    functions.add(account)
    return connect(account, edge)


def test_a_phone_is_fetched_once_and_then_registers_from_the_cache(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)

    assert [200, 200] == [phone.register().status, phone.register().status]
    assert 1 == functions.asked(CREDENTIALS_PATH, username=account.username)


def test_a_wrong_password_is_challenged_again_and_asked_about_once(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    assert 200 == connect(account, edge).register().status
    stranger = connect(Account(account.username, account.aor, password="guessed"), edge)

    assert [401, 401, 401] == [stranger.register().status for _ in range(3)]
    wait_until(lambda: functions.asked(CREDENTIALS_PATH, username=account.username) == 2)


def test_a_stranger_with_a_wrong_password_does_not_lock_the_phone_out(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.register()
    functions.behaviour.away = True
    connect(Account(account.username, account.aor, password="guessed"), edge).register()

    assert 200 == phone.register().status


def test_a_changed_password_is_learnt_from_the_first_wrong_answer(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    connect(account, edge).register()
    changed = functions.add(Account(account.username, account.aor, password="changed"))
    phone = connect(changed, edge)

    assert 200 == wait_until(lambda: phone.register().status == 200) * 200


def test_an_unknown_username_is_refused_and_remembered(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    phone = connect(account, edge)

    assert [403, 403] == [phone.register().status, phone.register().status]
    assert 1 == functions.asked(CREDENTIALS_PATH, username=account.username)


@pytest.mark.parametrize("username", ["a b", 'x","op":"forget', "ü", "a|b", "x" * 65, "$avp(record)"])
def test_a_username_that_is_none_of_ours_is_never_asked_about(
    edge: Edge, functions: FunctionsServer, connect: Connect, username: str
) -> None:
    before = len([path for path, _ in functions.requests if path == CREDENTIALS_PATH])
    phone = connect(Account(username.replace('"', '\\"'), "device"), edge)

    assert phone.register().status in {401, 403}  # 401 where the header cannot be read at all
    assert before == len([path for path, _ in functions.requests if path == CREDENTIALS_PATH])


def test_a_phone_registers_no_address_but_its_own(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    answer = connect(account, edge).register(to_user="somebody-else")

    assert (403, "This address belongs to another device") == (answer.status, answer.phrase)


def test_another_domain_is_not_registered_here(edge: Edge, account: Account, connect: Connect) -> None:
    phone = connect(account, edge)

    assert 404 == phone._request("REGISTER", "sip:elsewhere.example", [], to_user=account.aor).status


@pytest.mark.parametrize(("asked", "granted"), [(None, 120), (1, 2), (90, 90), (3600, 300)])
def test_the_granted_expiry_stays_between_the_limits(
    functions: FunctionsServer, first_phone: Phone, asked: int | None, granted: int
) -> None:
    answer = first_phone.register(expires=asked)

    assert answer.header("Contact").endswith(f";expires={granted}")
    events = wait_until(lambda: functions.events_of(first_phone.account.username))
    assert [granted] == [event.expires_seconds for event in events]


def test_a_first_registration_that_the_functions_do_not_answer_in_time_is_put_off(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    functions.behaviour.delay_seconds[CREDENTIALS_PATH] = 2.3
    slow = connect(account, edge)
    answer = slow.register()

    assert 503 == answer.status
    assert 5 <= int(answer.header("Retry-After")) <= 15


def test_only_the_phone_that_is_fetched_waits(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    cached = connect(account, edge)
    cached.register()
    functions.behaviour.delay_seconds[CREDENTIALS_PATH] = 1.0
    other = functions.add(Account(f"{account.username}x", f"{account.aor}x"))
    waiting = connect(other, edge)
    waiting.register_without_waiting()

    assert 200 == cached.register().status
    with pytest.raises(TimeoutError):
        waiting.receive(seconds=0.05)
    assert 200 == waiting.receive().status


def test_with_the_functions_away_a_cached_phone_registers_and_an_unknown_one_is_put_off(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.register()
    functions.behaviour.away = True
    answer = connect(Account(f"{account.username}x", account.aor), edge).register()

    assert 200 == phone.register().status
    assert (503, True) == (answer.status, bool(answer.header("Retry-After")))


def test_credentials_past_their_time_stay_in_use_and_are_asked_again(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account, lasts=-10)
    phone = connect(account, edge)
    phone.register()
    functions.add(account)

    assert 200 == phone.register().status
    wait_until(lambda: functions.asked(CREDENTIALS_PATH, username=account.username) == 2)


def test_a_phone_that_the_functions_disown_is_refused_at_its_next_registration(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account, lasts=1)
    phone = connect(account, edge)
    phone.register()
    del functions.behaviour.credentials[account.username]

    wait_until(lambda: phone.register().status == 403)


def test_sha_256_is_spoken_where_the_edge_is_set_to_it(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge(EDGE_DIGEST_ALGORITHM="SHA-256").start()
    account.algorithm = "sha256"
    own_functions.add(account)
    phone = connect(account, edge)

    assert 200 == phone.register().status
    assert "SHA-256" == phone._challenge["algorithm"]


def test_a_query_without_a_contact_lists_the_binding_and_changes_nothing(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.register()
    answer = phone.register_raw([])

    assert 200 == answer.status
    assert phone.contact in answer.header("Contact")


def test_a_phone_gets_no_name_of_the_edge_s_own_for_its_contact(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    """A GRUU (RFC 5627) as a Contact would look like strict routing within a call."""
    functions.add(account)
    phone = connect(account, edge)
    instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'
    answer = phone.register_raw(
        [("Contact", f"<{phone.contact}>;{instance}"), ("Supported", "path, outbound, gruu"), ("Expires", "120")]
    )

    assert 200 == answer.status
    assert "gruu" not in answer.header("Contact")
