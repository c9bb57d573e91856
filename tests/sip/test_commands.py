"""Commands: a NOTIFY to exactly the right phone, its true answer reported, and forgetting."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.contracts.edge import CREDENTIALS_PATH, CommandType, EdgeCommand, EventType
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.messages import SipMessage, digest_parameters
from tests.sip.phone import Account, Phone, hash_of
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]
_numbers = itertools.count(1)


def command_for(account: Account, kind: CommandType = CommandType.RESYNC, **more: object) -> EdgeCommand:
    command = EdgeCommand(f"command-{next(_numbers)}-{account.username}", kind, account.username, account.aor)
    event = "check-sync;reboot=true" if kind is CommandType.RESTART else "check-sync;reboot=false"
    return replace(command, notify_event=event, **more)


def result_of(functions: FunctionsServer, command: EdgeCommand) -> int:
    """The status in the command's COMMAND_FINISHED event, once there is one."""
    events = functions.events_of(command.username, EventType.COMMAND_FINISHED)
    return next((event.sip_status for event in events if event.command_id == command.id), 0)


@pytest.fixture
def phone(edge: Edge, functions: FunctionsServer, account: Account, connect: Connect) -> Phone:
    functions.add(account)
    phone = connect(account, edge)
    assert phone.register().status == 200
    return phone


@pytest.mark.parametrize("kind", [CommandType.RESYNC, CommandType.RESTART])
def test_a_command_reaches_the_phone_on_its_own_connection(
    edge: Edge, functions: FunctionsServer, phone: Phone, kind: CommandType
) -> None:
    command = command_for(phone.account, kind)
    handed_over = edge.send_command(command)
    notify = phone.receive("NOTIFY")
    phone.answer(notify, "200 OK")

    assert ("ok\n", command.notify_event, phone.contact) == (handed_over, notify.header("Event"), notify.uri)
    assert "edge.test" in notify.header("Via")
    assert 200 == wait_until(lambda: result_of(functions, command))


def test_the_phone_s_refusal_is_reported_as_it_is(edge: Edge, functions: FunctionsServer, phone: Phone) -> None:
    command = command_for(phone.account)
    edge.send_command(command)
    phone.answer(phone.receive("NOTIFY"), "489 Bad Event")

    assert 489 == wait_until(lambda: result_of(functions, command))


def test_a_mute_phone_is_reported_as_408(edge: Edge, functions: FunctionsServer, phone: Phone) -> None:
    command = command_for(phone.account)
    edge.send_command(command)

    assert 408 == wait_until(lambda: result_of(functions, command))


def test_a_phone_that_is_not_registered_is_reported_as_480(edge: Edge, functions: FunctionsServer, account: Account) -> None:
    command = command_for(account)
    edge.send_command(command)

    assert 480 == wait_until(lambda: result_of(functions, command))


def test_a_command_past_its_time_is_not_sent(edge: Edge, functions: FunctionsServer, phone: Phone) -> None:
    old = command_for(phone.account, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    current = command_for(phone.account, CommandType.RESTART)
    edge.send_command(old)
    edge.send_command(current)

    assert 408 == wait_until(lambda: result_of(functions, old))
    assert current.notify_event == phone.receive("NOTIFY").header("Event")


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenged_notify_is_answered_with_the_phone_s_own_password(
    edge: Edge, functions: FunctionsServer, phone: Phone, status: int
) -> None:
    challenge_header = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}[status]
    authorization_header = {401: "Authorization", 407: "Proxy-Authorization"}[status]
    command = command_for(phone.account, password=phone.account.password)
    edge.send_command(command)
    challenge = 'Digest realm="the phone\'s own", nonce="n,1=", qop="auth,auth-int", algorithm=MD5, opaque="o"'
    phone.answer(phone.receive("NOTIFY"), f"{status} Who are you", [(challenge_header, challenge)])
    second = phone.receive("NOTIFY")
    phone.answer(second, "200 OK")

    assert _response_to(second, phone.account) == digest_parameters(second.header(authorization_header))["response"]
    assert command.notify_event == second.header("Event")
    assert 200 == wait_until(lambda: result_of(functions, command))
    assert phone.account.password not in edge.log("agent") + edge.log("kamailio")


def test_a_second_challenge_is_final(edge: Edge, functions: FunctionsServer, phone: Phone) -> None:
    command = command_for(phone.account, password="not the phone's")
    edge.send_command(command)
    for _ in range(2):
        phone.answer(phone.receive("NOTIFY"), "401 Unauthorized", [("WWW-Authenticate", 'Digest realm="r", nonce="n"')])

    assert 401 == wait_until(lambda: result_of(functions, command))


def test_a_command_that_comes_twice_is_carried_out_once(edge: Edge, phone: Phone) -> None:
    command, next_one = command_for(phone.account), command_for(phone.account, CommandType.RESTART)
    for sent in (command, command, next_one):
        edge.send_command(sent)
    first = phone.receive("NOTIFY")
    phone.answer(first, "200 OK")

    assert [command.notify_event, next_one.notify_event] == [first.header("Event"), phone.receive("NOTIFY").header("Event")]


def test_a_command_in_a_receipt_is_carried_out(functions: FunctionsServer, phone: Phone) -> None:
    command = command_for(phone.account)
    functions.behaviour.commands.append(command)
    phone.answer(phone.receive("NOTIFY"), "200 OK")

    assert 200 == wait_until(lambda: result_of(functions, command))


def test_of_two_phones_with_one_aor_only_the_right_one_is_commanded(
    edge: Edge, functions: FunctionsServer, phone: Phone, connect: Connect
) -> None:
    other = connect(functions.add(Account(f"{phone.account.username}x", phone.account.aor)), edge)
    other.register()
    to_the_other = command_for(other.account)
    edge.send_command(to_the_other)
    other.answer(other.receive("NOTIFY"), "200 OK")
    to_the_first = command_for(phone.account, CommandType.RESTART)
    edge.send_command(to_the_first)

    assert 200 == wait_until(lambda: result_of(functions, to_the_other))
    assert to_the_first.notify_event == phone.receive("NOTIFY").header("Event")
    with pytest.raises(TimeoutError):
        other.receive("NOTIFY", seconds=0.2)


def test_a_forgotten_phone_loses_credentials_and_binding_and_the_other_phone_keeps_its_own(
    edge: Edge, functions: FunctionsServer, phone: Phone, connect: Connect
) -> None:
    other = connect(functions.add(Account(f"{phone.account.username}x", phone.account.aor)), edge)
    other.register()
    del functions.behaviour.credentials[phone.account.username]
    edge.send_command(command_for(phone.account, CommandType.FORGET))
    after = command_for(phone.account)
    edge.send_command(after)

    assert 480 == wait_until(lambda: result_of(functions, after))
    assert 407 == phone.dial_without_credentials("*55*1").status
    assert 403 == phone.register().status
    assert f"<{other.contact}>" == other.register_raw([]).header("Contact").partition(";expires")[0]


def test_a_username_that_was_unknown_registers_at_once_after_forget(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    phone = connect(account, edge)
    refused = phone.register().status
    functions.add(account)
    edge.send_command(command_for(account, CommandType.FORGET))

    assert 403 == refused
    assert 200 == wait_until(lambda: phone.register().status == 200) * 200


def test_forget_waits_for_the_resync_before_it(edge: Edge, functions: FunctionsServer, phone: Phone) -> None:
    resync, forget = command_for(phone.account), command_for(phone.account, CommandType.FORGET)
    edge.send_command(resync)
    edge.send_command(forget)
    notify = phone.receive("NOTIFY")
    still_known = phone.register().status
    asked = functions.asked(CREDENTIALS_PATH, username=phone.account.username)
    phone.answer(notify, "200 OK")

    assert (200, 1) == (still_known, asked)
    assert 200 == wait_until(lambda: result_of(functions, resync))
    wait_until(
        lambda: phone.register().status == 200 and functions.asked(CREDENTIALS_PATH, username=phone.account.username) == 2
    )


@pytest.mark.parametrize("line", [b"not json\n", b"{}\n", b'{"id":"x","type":"explode","username":"u","aor":"a"}\n'])
def test_a_line_that_is_no_command_is_refused_and_the_next_one_is_taken(edge: Edge, line: bytes) -> None:
    assert b"bad command\n" == edge.send_line(line)


def test_the_command_socket_is_for_its_owner_alone(edge: Edge) -> None:
    assert 0o600 == edge.commands_path.stat().st_mode & 0o777


def _response_to(request: SipMessage, account: Account) -> str:
    sent = digest_parameters(request.header("Authorization") or request.header("Proxy-Authorization"))
    ha1 = hash_of("md5", f"{account.username}:the phone's own:{account.password}")
    ha2 = hash_of("md5", f"NOTIFY:{request.uri}")
    return hash_of("md5", f"{ha1}:n,1=:{sent['nc']}:{sent['cnonce']}:auth:{ha2}")
