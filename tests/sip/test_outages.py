"""Outages: the functions, the agent or Kamailio go away and come back. Nothing is lost, nothing comes twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.contracts.edge import CommandType, EdgeCommand, EventType
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Account, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]
MakeEdge = Callable[..., Edge]


def started(functions: FunctionsServer) -> int:
    return sum(event.type is EventType.EDGE_STARTED for event in functions.events)


def accounts_of(functions: FunctionsServer, count: int) -> list[Account]:
    return [functions.add(Account(f"out{number}.1", f"out{number}")) for number in range(count)]


@pytest.mark.parametrize("failure", ["away", "status"])
def test_events_wait_for_the_functions_and_arrive_once_and_in_order(
    make_edge: MakeEdge, own_functions: FunctionsServer, connect: Connect, failure: str
) -> None:
    edge = make_edge().start()
    accounts = accounts_of(own_functions, 5)
    phones = [connect(account, edge) for account in accounts]
    for phone in phones:
        phone.register()
    wait_until(lambda: len(own_functions.events) == 6 and edge.waiting_events() == 0)
    setattr(own_functions.behaviour, failure, 500 if failure == "status" else True)
    for phone in phones:
        phone.register(contact=f"<sip:moved@{phone.address};transport=tls>")
        phone.register(expires=0)
    wait_until(lambda: edge.waiting_events() == 10)
    setattr(own_functions.behaviour, failure, 0)

    wait_until(lambda: len(own_functions.events) == 16)
    expected = [(account.username, kind) for account in accounts for kind in (EventType.REGISTERED, EventType.UNREGISTERED)]
    assert expected == [(event.username, event.type) for event in own_functions.events[6:]]
    wait_until(lambda: edge.waiting_events() == 0)
    assert 0 == own_functions.delivered_again
    moments = [event.at for event in own_functions.events[6:]]
    assert sorted(moments) == moments


def test_a_killed_agent_keeps_its_outbox_and_phones_go_on(
    make_edge: MakeEdge, own_functions: FunctionsServer, connect: Connect
) -> None:
    edge = make_edge().start()
    known, stranger = accounts_of(own_functions, 2)
    phone = connect(known, edge)
    phone.register()
    wait_until(lambda: len(own_functions.events) == 2 and edge.waiting_events() == 0)
    own_functions.behaviour.away = True
    phone.register(contact=f"<sip:moved@{phone.address};transport=tls>")
    wait_until(lambda: edge.waiting_events() == 1)
    edge.kill_agent()
    put_off, refreshed = connect(stranger, edge).register(), phone.register()
    phone.register(expires=0)
    own_functions.behaviour.away = False
    edge.start_agent()

    wait_until(lambda: len(own_functions.events) >= 5)
    assert (200, 503, True) == (refreshed.status, put_off.status, bool(put_off.header("Retry-After")))
    assert [EventType.REGISTERED, EventType.REGISTERED, EventType.REGISTERED, EventType.UNREGISTERED] == [
        event.type for event in own_functions.events_of(known.username)
    ]
    assert (1, 0) == (started(own_functions), own_functions.delivered_again)


def test_after_the_agent_was_away_every_binding_is_reported_again(
    make_edge: MakeEdge, own_functions: FunctionsServer, connect: Connect
) -> None:
    """What Kamailio sent in the moment of the agent's death is lost; this heals it."""
    edge = make_edge().start()
    (account,) = accounts_of(own_functions, 1)
    phone = connect(account, edge)
    phone.register()
    wait_until(lambda: len(own_functions.events) == 2)
    edge.kill_agent()
    edge.start_agent()
    phone.register()

    wait_until(lambda: len(own_functions.events_of(account.username)) == 2)
    assert 1 == started(own_functions)


def test_a_stopped_agent_ends_cleanly_and_says_nothing_secret(
    make_edge: MakeEdge, own_functions: FunctionsServer, connect: Connect
) -> None:
    edge = make_edge().start()
    (account,) = accounts_of(own_functions, 1)
    phone = connect(account, edge)
    phone.register()
    phone.dial("*55*123456")
    status = edge.stop_agent()

    log = edge.log("agent") + edge.log("kamailio")
    credentials = own_functions.behaviour.credentials[account.username]
    secrets = [account.password, edge.environment["EDGE_CREDENTIAL"], credentials.ha1.md5, credentials.ha1.sha256, "123456"]
    assert (0, []) == (status, [secret for secret in secrets if secret in log])
    assert '"agent_stopped"' in log


def test_a_killed_kamailio_is_reported_before_the_phones_that_come_back(
    make_edge: MakeEdge, own_functions: FunctionsServer, connect: Connect
) -> None:
    edge = make_edge().start()
    (account,) = accounts_of(own_functions, 1)
    connect(account, edge).register()
    wait_until(lambda: len(own_functions.events) == 2)
    edge.kill_kamailio()
    edge.start_kamailio()
    returned = connect(account, edge)

    wait_until(lambda: returned.register().status == 200)
    wait_until(lambda: len(own_functions.events) == 4)
    kinds = [event.type for event in own_functions.events]
    assert [EventType.EDGE_STARTED, EventType.REGISTERED] * 2 == kinds


def test_a_forget_that_comes_while_kamailio_is_away_is_carried_out_later(
    make_edge: MakeEdge, own_functions: FunctionsServer
) -> None:
    edge = make_edge().start()
    (account,) = accounts_of(own_functions, 1)
    edge.kill_kamailio()
    wait_until(lambda: '"link_down"' in edge.log("agent"))
    own_functions.behaviour.commands += [
        EdgeCommand("f", CommandType.FORGET, account.username, account.aor),
        EdgeCommand("r", CommandType.RESYNC, account.username, account.aor, notify_event="check-sync"),
    ]
    wait_until(lambda: edge.log("agent").count('"command_accepted"') == 2)
    edge.start_kamailio()

    wait_until(lambda: [event.sip_status for event in own_functions.events if event.command_id == "r"] == [480])


def test_a_rotated_edge_credential_is_read_again(make_edge: MakeEdge, own_functions: FunctionsServer, connect: Connect) -> None:
    edge = make_edge(EDGE_CREDENTIAL="")
    file = edge.folder / "secrets.json"
    edge.environment["EDGE_CREDENTIAL_FILE"] = str(file)
    file.write_text('{"edge_credentials": ["an old one"]}')
    edge.start()
    wait_until(lambda: '"functions_away"' in edge.log("agent"))
    file.write_text('{"edge_credentials": ["edge-credential-for-tests", "an old one"]}')
    (account,) = accounts_of(own_functions, 1)

    phone = connect(account, edge)
    wait_until(lambda: phone.register().status == 200)  # the agent looks for another credential every five seconds


def test_all_addresses_of_the_machine_can_be_listened_on(
    make_edge: MakeEdge, own_functions: FunctionsServer, connect: Connect
) -> None:
    edge = make_edge(EDGE_LISTEN="0.0.0.0").start()  # noqa: S104 - that is the point
    (account,) = accounts_of(own_functions, 1)
    phone = connect(account, edge)
    phone.register()
    edge.send_command(EdgeCommand("c", CommandType.RESYNC, account.username, account.aor, notify_event="check-sync"))
    phone.answer(phone.receive("NOTIFY"), "200 OK")

    wait_until(lambda: [event.sip_status for event in own_functions.events if event.command_id == "c"] == [200])
