"""What strangers and phones gone wrong may not do: floods, relaying, other people's addresses, slow and broken connections.

test_strangers.py has the scanners and the nonsense, test_tls.py what is negotiated, test_torture.py the messages of RFC 4475.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator

import pytest

from chalicelib.contracts.edge import CommandType, EdgeCommand
from tests.ports import free_port
from tests.sip.calls import call, call_with_digest, finish, take_call
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.messages import render_message
from tests.sip.phone import REALM, Account, Phone
from tests.sip.scrape import measured
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]
MakeEdge = Callable[..., Edge]


def is_closed(connection: socket.socket) -> bool:
    """Whether the edge ends the connection soon: a TCP worker keeps an idle one for some seconds more."""
    connection.settimeout(30)
    try:
        while connection.recv(4096):
            pass
    except (ConnectionResetError, ssl.SSLError):
        return True
    except TimeoutError:
        return False
    return True


@contextlib.contextmanager
def plain_connection(edge: Edge) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as connection:
        yield connection


# --- floods


def test_a_flood_of_registrations_from_one_address_leaves_a_registered_phone_served(
    make_edge: MakeEdge, own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge(EDGE_PIKE_DENSITY="50").start()
    own_functions.add(account)
    phone = connect(account, edge)
    phone.register()
    stranger = connect(Account("nobody", "nobody"), edge)

    def flood() -> None:
        for _ in range(500):
            stranger.register_raw([("Contact", "<sip:nobody@192.0.2.1>")])

    with pytest.raises((ConnectionResetError, BrokenPipeError, ssl.SSLError)):
        flood()
    assert 200 == phone.register().status
    assert 1 <= measured(edge)['sip_edge_refused_total{reason="rate"}']


def test_a_registered_phone_that_runs_wild_is_put_off_but_may_still_dial(
    make_edge: MakeEdge, own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge(EDGE_DEVICE_DENSITY="20").start()
    own_functions.add(account)
    own_functions.add(Account("other", "other"))
    phone, other = connect(account, edge), connect(Account("other", "other"), edge)
    phone.register()
    other.register()
    statuses = [phone.register().status for _ in range(30)]

    assert (200, 503) == (statuses[0], statuses[-1])
    assert 403 == phone.dial("112").status  # an onboarding account's; not 503
    assert 200 == other.register().status
    assert 1 <= measured(edge)['sip_edge_refused_total{reason="device"}']


def test_a_phone_that_dials_without_end_is_put_off_in_its_language_and_others_are_not(
    make_edge: MakeEdge, own_functions: FunctionsServer, connect: Connect
) -> None:
    edge = make_edge(EDGE_CALL_DENSITY="3").start()
    wild, calm = (
        hire_at(edge, own_functions, connect, language="fr", emergency=True, emergency_numbers=("112",)) for _ in "12"
    )
    answers = [wild.dial("*77*") for _ in range(4)]
    emergency = call(wild, "112").refused()

    assert ([403] * 3, 503) == ([answer.status for answer in answers[:3]], answers[3].status)
    assert ("Trop d'appels. Attendez une minute", "60") == (answers[3].phrase, answers[3].header("Retry-After"))
    assert "L'appel d'urgence a échoué. Réessayez" == emergency.phrase  # it was tried: this edge has no trunk
    assert 403 == calm.dial("*77*").status
    assert 1 == measured(edge)['sip_edge_refused_total{reason="calls"}']


def test_connections_over_the_total_are_refused_and_registered_phones_stay(
    make_edge: MakeEdge, own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge(EDGE_MAX_CONNECTIONS="20").start()
    own_functions.add(account)
    phone = connect(account, edge)
    phone.register()
    with contextlib.ExitStack() as held:
        greedy = [held.enter_context(plain_connection(edge)) for _ in range(40)]

        assert is_closed(greedy[-1])
        assert 200 == phone.register().status


def test_connections_of_one_address_are_capped(make_edge: MakeEdge) -> None:
    edge = make_edge(EDGE_CONNECTIONS_PER_ADDRESS="10").start()
    if not edge.version().startswith("6"):
        pytest.skip("Kamailio 5.6 counts connections in total only (EDGE_MAX_CONNECTIONS)")
    with contextlib.ExitStack() as held:
        greedy = [held.enter_context(plain_connection(edge)) for _ in range(20)]

        assert is_closed(greedy[-1])


# --- slow and silent connections


def test_a_connection_that_says_nothing_is_closed(make_edge: MakeEdge) -> None:
    edge = make_edge(EDGE_STRANGER_SECONDS="2").start()
    with plain_connection(edge) as silent:
        assert is_closed(silent)


def test_a_connection_on_which_nobody_registers_is_closed_and_a_phones_stays(
    make_edge: MakeEdge, own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge(EDGE_STRANGER_SECONDS="2").start()
    own_functions.add(account)
    phone = connect(account, edge)
    phone.register()
    stranger = connect(Account("nobody", "nobody"), edge)
    stranger.dial_without_credentials("1")

    assert is_closed(stranger._socket)
    assert 200 == phone.register().status


def test_a_call_stays_reachable_over_a_connection_on_which_nobody_registers(
    make_edge: MakeEdge, own_functions: FunctionsServer, connect: Connect
) -> None:
    """A phone whose connection was lost may call over a new one before its next REGISTER, and is silent while it talks."""
    edge = make_edge(EDGE_STRANGER_SECONDS="2").start_rtpengine().start()
    anna, ben = hire_at(edge, own_functions, connect), hire_at(edge, own_functions, connect)
    anna.close()
    again = connect(anna.account, edge)
    far, _ = finish(call_with_digest(again, ben.account.aor), ben, *take_call(ben))
    stranger = connect(Account("nobody", "nobody"), edge)
    stranger.dial_without_credentials("1")

    assert is_closed(stranger.connection)
    far.request("BYE")
    assert "BYE" == again.receive("BYE").method


def test_half_a_tls_handshake_is_closed(make_edge: MakeEdge) -> None:
    edge = make_edge(EDGE_STRANGER_SECONDS="2").start()
    with plain_connection(edge) as slow:
        slow.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # the first bytes of a ClientHello

        assert is_closed(slow)


def test_a_message_that_trickles_in_is_cut_off_and_holds_up_nobody(
    make_edge: MakeEdge, own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge(EDGE_STRANGER_SECONDS="2").start()
    if not edge.version().startswith("6"):
        pytest.skip("Kamailio 5.6 has no limit for a whole message; its connections are capped in total")
    own_functions.add(account)
    slow, phone = connect(account, edge), connect(account, edge)
    phone.register()

    def trickle() -> None:
        end = time.monotonic() + 30
        slow.send(f"REGISTER sip:{REALM} SIP/2.0\r\n".encode())
        while time.monotonic() < end:
            slow.send(b"X-Slow: 1\r\n")
            assert 200 == phone.register().status
            time.sleep(0.3)

    with pytest.raises((ConnectionResetError, BrokenPipeError, ssl.SSLError)):
        trickle()


# --- messages


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ([("X-Bomb", "x" * 20)] * 250, 401),  # 7.5 kB of headers are read like any others
        ([("X-Bomb", "x" * 20)] * 400, 513),
        ([("Via", f"SIP/2.0/TLS 192.0.2.{number};branch=z9hG4bK{number}") for number in range(150)], 401),
        ([("Contact", "<sip:a@192.0.2.1>")] * 250, 401),
    ],
    ids=["many headers", "too many headers", "many Vias", "many Contacts"],
)
def test_header_bombs_are_answered_or_refused(
    edge: Edge, account: Account, connect: Connect, extra: list[tuple[str, str]], expected: int
) -> None:
    phone = connect(account, edge)
    answer = phone._request("REGISTER", f"sip:{REALM}", extra, to_user=account.aor)

    assert expected == answer.status


@pytest.mark.parametrize("call_id", ["a|b", "a b", "x" * 300])
def test_a_call_id_that_would_break_the_tables_is_refused(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect, call_id: str
) -> None:
    functions.add(account)

    assert 400 == connect(account, edge, call_id=call_id).register().status


def test_a_body_longer_than_it_says_begins_no_second_request(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    phone = connect(account, edge)
    smuggled = f"OPTIONS sip:{REALM} SIP/2.0\r\nContent-Length: 0\r\n\r\n"
    phone.send(f"OPTIONS sip:{REALM} SIP/2.0\r\nContent-Length: 4\r\n\r\nbody{smuggled}".encode())

    with contextlib.suppress(ConnectionResetError):
        assert phone.receive(seconds=0.5).status in {400, 0}
    assert 200 == connect(account, edge).register().status


# --- other people's addresses


def test_nobody_registers_in_anothers_name(edge: Edge, functions: FunctionsServer, account: Account, connect: Connect) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.account = Account(account.username, "somebody-else", account.password)  # the From header's user

    assert 403 == phone.register(to_user=account.aor).status


def test_a_contact_of_another_host_gets_commands_over_the_phones_own_connection(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    functions.add(account)
    with socket.create_server(("127.0.0.1", 0)) as victim:
        port = victim.getsockname()[1]
        phone = connect(account, edge, contact=f"sip:victim@127.0.0.1:{port};transport=tls")
        phone.register()
        edge.send_command(
            EdgeCommand(account.aor, CommandType.RESYNC, account.username, account.aor, notify_event="check-sync")
        )
        phone.answer(phone.receive("NOTIFY"), "200 OK")
        victim.settimeout(0.3)

        with pytest.raises(TimeoutError):
            victim.accept()


def test_an_answer_goes_where_the_request_came_from_whatever_the_via_says(
    edge: Edge, account: Account, connect: Connect
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as victim:
        port = victim.getsockname()[1]
        phone = connect(account, edge)
        phone.address = f"127.0.0.1:{port}"  # what goes into the Via

        assert 407 == phone.dial_without_credentials("1").status
        victim.settimeout(0.3)
        with pytest.raises(TimeoutError):
            victim.accept()


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("transport", ["TCP", "TLS", "UDP"])
def test_an_answer_to_nothing_is_passed_on_to_nobody(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect, transport: str, *, registered: bool
) -> None:
    phone = connect(functions.add(account), edge)
    if registered:
        phone.register()
    kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
    with socket.socket(type=kind) as victim:
        victim.bind(("127.0.0.1", free_port()))
        if kind == socket.SOCK_STREAM:
            victim.listen()
        phone.send(stray_answer(f"SIP/2.0/{transport} 127.0.0.1:{victim.getsockname()[1]};branch=z9hG4bKx"))
        phone._request("OPTIONS", f"sip:{REALM}", [], to_user=account.aor)
        assert not hears_something(victim)


def test_answers_to_nothing_are_neither_remembered_nor_acknowledged(edge: Edge, account: Account, connect: Connect) -> None:
    """The edge remembers who answered a call, to hang up on whoever answers second."""
    stranger = connect(account, edge)
    for tag in ("first", "second"):
        stranger.send(stray_answer("SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKx", tag=tag))
    stranger._request("OPTIONS", f"sip:{REALM}", [], to_user=account.aor)

    assert not stranger.has_received("ACK")
    assert not stranger.has_received("BYE")


def hears_something(victim: socket.socket) -> bool:
    victim.settimeout(0.3)
    with contextlib.suppress(TimeoutError):
        if victim.type == socket.SOCK_DGRAM:
            victim.recv(4096)
        else:
            victim.accept()[0].close()
        return True
    return False


def stray_answer(via: str, *, tag: str = "callee") -> bytes:
    """A 200 to an INVITE that nobody sent, which should go on to `via`."""
    headers = [
        ("Via", f"SIP/2.0/TLS {REALM}:5061;branch=z9hG4bKcydzigwkX.0"),
        ("Via", via),
        ("From", f"<sip:a@{REALM}>;tag=caller"),
        ("To", f"<sip:b@{REALM}>;tag={tag}"),
        ("Call-ID", f"stray-{via}"),
        ("CSeq", "1 INVITE"),
        ("Contact", "<sip:b@192.0.2.1>"),
    ]
    return render_message("SIP/2.0 200 OK", headers)


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "REFER", "REGISTER"])
def test_nothing_is_relayed_to_another_domain(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect, method: str, *, registered: bool
) -> None:
    phone = connect(functions.add(account), edge)
    if registered:
        phone.register()
    with socket.create_server(("127.0.0.1", 0)) as victim:
        uri = f"sip:victim@127.0.0.1:{victim.getsockname()[1]};transport=tcp"
        answer = phone._request(method, uri, [("Contact", f"<{phone.contact}>")], to_user=account.aor)

        dialled = registered and method == "INVITE"  # a phone may dial a user's name in any domain; an onboarding one nobody
        assert (403 if dialled else 404) == answer.status
        victim.settimeout(0.1)
        with pytest.raises(TimeoutError):
            victim.accept()


def test_a_route_header_leads_nowhere(edge: Edge, functions: FunctionsServer, account: Account, connect: Connect) -> None:
    functions.add(account)
    phone = connect(account, edge)
    phone.register()
    with socket.create_server(("127.0.0.1", 0)) as victim:
        route = ("Route", f"<sip:127.0.0.1:{victim.getsockname()[1]};transport=tcp;lr>")
        answer = phone._request("INVITE", f"sip:1@{REALM}", [route, ("Contact", f"<{phone.contact}>")], to_user="1")

        assert answer.status >= 400
        victim.settimeout(0.3)
        with pytest.raises(TimeoutError):
            victim.accept()


def test_an_aor_has_room_for_twenty_phones_and_the_next_one_disturbs_none(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    accounts = [functions.add(Account(f"{account.username}{number}", account.aor)) for number in range(21)]
    phones = [connect(each, edge) for each in accounts]
    statuses = [phone.register().status for phone in phones]

    assert ([200] * 20, True) == (statuses[:20], statuses[20] >= 500)
    assert [200] * 20 == [phone.register().status for phone in phones[:20]]
    for phone in phones[:20]:
        phone.register(expires=0)
    wait_until(lambda: phones[20].register().status == 200)
