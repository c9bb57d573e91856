"""Bindings: what the functions hear of them, and that each belongs to exactly one phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.contracts.edge import FEATURE_CODES_PATH, EventType
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Account, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]

REGISTERED, UNREGISTERED = EventType.REGISTERED, EventType.UNREGISTERED


def reasons(functions: FunctionsServer, account: Account) -> list[str]:
    return [event.reason for event in functions.events_of(account.username, UNREGISTERED)]


def test_the_functions_hear_of_a_new_binding_with_all_its_facts(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.register(expires=90)

    (event,) = wait_until(lambda: functions.events_of(account.username))
    expected = (REGISTERED, account.aor, phone.contact, phone.address, phone.user_agent, 90)
    assert expected == (event.type, event.aor, event.contact, event.source, event.user_agent, event.expires_seconds)


def test_refreshes_are_reported_once_in_a_period(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge(EDGE_REPORT_SECONDS="2").start()
    own_functions.add(account)
    phone = connect(account, edge)
    refreshes = [phone.register().status for _ in range(20)]
    wait_until(lambda: own_functions.events_of(account.username))

    assert ([200] * 20, 1) == (refreshes, len(own_functions.events_of(account.username)))
    wait_until(lambda: phone.register().status == 200 and len(own_functions.events_of(account.username)) == 2)


def test_a_report_without_news_waits_for_news_and_arrives_before_it(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Connect
) -> None:
    edge = make_edge(EDGE_REPORT_SECONDS="1", EDGE_REPORT_LINGER_SECONDS="60", EDGE_HEARTBEAT_SECONDS="120").start()
    settled, newcomer = (own_functions.add(Account(f"linger{number}.1", f"linger{number}")) for number in range(2))
    phone = connect(settled, edge)
    phone.register()
    wait_until(lambda: own_functions.events_of(settled.username) and edge.waiting_events() == 0)
    wait_until(lambda: phone.register().status == 200 and edge.waiting_events() == 1)
    connect(newcomer, edge).register()

    wait_until(lambda: own_functions.events_of(newcomer.username))
    assert [settled.username, settled.username, newcomer.username] == [event.username for event in own_functions.events[1:]]


def test_a_changed_contact_is_a_new_binding_and_the_old_one_goes(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.register()
    answer = phone.register(contact=f"<sip:new@{phone.address};transport=tls>")

    assert 1 == len(answer.all("Contact"))
    wait_until(lambda: len(functions.events_of(account.username, REGISTERED)) == 2)


def test_a_lost_connection_is_reported_at_once(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.register()
    phone.close()

    wait_until(lambda: reasons(functions, account) == ["closed"])
    ended = functions.events_of(account.username, UNREGISTERED)[0]
    assert (account.aor, phone.contact, phone.address) == (ended.aor, ended.contact, ended.source)


def test_a_phone_that_came_back_on_a_new_connection_is_not_reported_gone_when_the_old_one_closes(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    old = connect(account, edge, contact="sip:same@192.168.1.10:5061;transport=tls", call_id="same-call")
    old.register()
    new = connect(account, edge, contact=old.contact, call_id=old.call_id)
    new.register()
    old.close()
    witness = functions.add(Account(f"{account.username}w", f"{account.aor}w"))
    connect(witness, edge).register()
    wait_until(lambda: functions.events_of(witness.username))

    assert [REGISTERED, REGISTERED] == [event.type for event in functions.events_of(account.username)]
    assert old.contact in new.register_raw([]).header("Contact")


def test_an_expired_binding_is_reported(edge: Edge, functions: FunctionsServer, account: Account, connect: Connect) -> None:
    functions.add(account)
    connect(account, edge).register(expires=2)

    wait_until(lambda: reasons(functions, account) == ["expired"])


def test_a_phone_that_comes_back_after_expiry_on_the_same_connection_is_reported_again(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.register(expires=2)
    wait_until(lambda: reasons(functions, account) == ["expired"])
    phone.register()

    wait_until(lambda: len(functions.events_of(account.username, REGISTERED)) == 2)


@pytest.mark.parametrize("contact", ["", "*"])
def test_a_phone_that_asks_to_be_forgotten_is(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect, contact: str
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.register()
    answer = phone.register(expires=0, contact=contact or None)

    assert 200 == answer.status
    wait_until(lambda: reasons(functions, account) == ["asked"])
    assert "" == phone.register_raw([]).header("Contact")


def test_an_expiry_of_zero_in_the_contact_is_understood(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.register()
    phone.register(expires=None, contact=f"<{phone.contact}>;expires=0")

    wait_until(lambda: reasons(functions, account) == ["asked"])


def test_two_phones_of_one_user_keep_their_bindings_apart(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    """Both behind home routers, with the same private contact; one of them asks for `Contact: *` to go."""
    other = functions.add(Account(f"{account.username}x", account.aor))
    functions.add(account)
    contact = "sip:user@192.168.1.10:5061;transport=tls"
    one, two = connect(account, edge, contact=contact), connect(other, edge, contact=contact)
    one.register()
    two.register()
    both = len(one.register_raw([]).header("Contact").split(", "))
    one.register(expires=0, contact="*")
    wait_until(lambda: reasons(functions, account) == ["asked"])

    assert (2, 1) == (both, len(two.register_raw([]).header("Contact").split(", ")))
    assert [] == reasons(functions, other)


def test_a_phone_that_changes_its_account_on_one_connection_leaves_the_old_one(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    signed_in = functions.add(Account(f"{account.username}4", f"user-{account.aor}"), may_call=True)
    phone = connect(account, edge)
    phone.register()
    phone.account = signed_in
    phone.register()

    wait_until(lambda: reasons(functions, account) == ["closed"])
    wait_until(lambda: functions.events_of(signed_in.username, REGISTERED))


@pytest.fixture
def ports(edge: Edge, functions: FunctionsServer, account: Account, connect: Connect) -> tuple[Phone, Account, Account]:
    """A base with two ports, each with an account of its own, on one connection. The phone speaks for the second."""
    port = functions.add(Account(f"port-{account.username}", f"port-{account.aor}"))
    functions.add(account)
    base = connect(account, edge)
    base.register()
    speak_as(base, port)
    base.register()
    wait_until(lambda: functions.events_of(port.username, REGISTERED))
    return base, account, port


def speak_as(base: Phone, account: Account) -> None:
    base.account, base.contact, base.call_id = account, f"sip:{account.aor}@{base.address};transport=tls", f"{account.aor}-call"


def test_ports_of_a_base_share_its_connection(functions: FunctionsServer, ports: tuple[Phone, Account, Account]) -> None:
    base, first, second = ports
    speak_as(base, first)
    base.register()

    assert ([], []) == (reasons(functions, first), reasons(functions, second))
    assert 1 == len(base.register_raw([]).all("Contact"))


def test_all_ports_go_with_their_connection(functions: FunctionsServer, ports: tuple[Phone, Account, Account]) -> None:
    base, first, second = ports
    base.close()

    wait_until(lambda: (reasons(functions, first), reasons(functions, second)) == (["closed"], ["closed"]))


def test_a_port_that_changes_its_account_leaves_its_own_old_one_alone(
    functions: FunctionsServer, ports: tuple[Phone, Account, Account]
) -> None:
    base, first, second = ports
    speak_as(base, functions.add(Account(f"{second.username}4", f"user-{second.aor}"), may_call=True))
    base.register()

    wait_until(lambda: reasons(functions, second) == ["closed"])
    assert [] == reasons(functions, first)


def test_each_port_proves_which_of_them_calls(functions: FunctionsServer, ports: tuple[Phone, Account, Account]) -> None:
    base, first, second = ports
    unproved = base.dial_without_credentials("*50*").status
    base.dial("*50*")
    speak_as(base, first)
    base.dial("*50*")

    assert (407, 1, 1) == (
        unproved,
        functions.asked(FEATURE_CODES_PATH, username=second.username),
        functions.asked(FEATURE_CODES_PATH, username=first.username),
    )


def test_each_port_proves_which_of_them_asks_for_its_messages(ports: tuple[Phone, Account, Account]) -> None:
    base, _, second = ports
    extra = [("Event", "message-summary"), ("Expires", "600"), ("Contact", f"<{base.contact}>")]
    uri = f"sip:{second.aor}@{base.domain}"
    unproved = base._request("SUBSCRIBE", uri, extra, to_user=second.aor).status
    proved = base._authenticated("SUBSCRIBE", uri, extra, to_user=second.aor).status
    notify = base.receive("NOTIFY")
    base.answer(notify, "200 OK")

    assert (407, 200) == (unproved, proved)
    assert f"Message-Account: sip:{second.aor}@".encode() in notify.body


def test_the_port_that_remains_alone_is_known_by_the_connection(
    functions: FunctionsServer, ports: tuple[Phone, Account, Account]
) -> None:
    base, first, second = ports
    base.register(expires=0)
    wait_until(lambda: reasons(functions, second) == ["asked"])
    speak_as(base, first)

    assert 407 != base.dial_without_credentials("*50*").status
    assert 1 == functions.asked(FEATURE_CODES_PATH, username=first.username)


@pytest.mark.parametrize(
    "user_agent",
    ['x","op":"forget","username":"a', "tab\there", "back\\slash", "Größe 電話", "a" * 3000, "%00 $au {s.len}"],
)
def test_a_hostile_user_agent_arrives_as_it_was_sent_and_does_nothing(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect, user_agent: str
) -> None:
    functions.add(account)
    connect(account, edge, user_agent=user_agent).register()

    (event,) = wait_until(lambda: functions.events_of(account.username))
    assert user_agent[:200] == event.user_agent


def test_a_user_agent_that_is_not_utf_8_does_not_hide_the_registration(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge, user_agent="\udcff\udcfe")

    assert 200 == phone.register().status
    (event,) = wait_until(lambda: functions.events_of(account.username))
    assert (REGISTERED, "(not UTF-8)") == (event.type, event.user_agent)
