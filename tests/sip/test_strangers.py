"""Strangers: scanners, floods, oversized and broken requests, and plain TCP or old TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import pytest

from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Account, Phone

pytestmark = pytest.mark.sip
Connect = Callable[..., Phone]


def test_a_scanner_gets_no_answer(edge: Edge, account: Account, connect: Connect) -> None:
    with pytest.raises(ConnectionResetError):
        connect(account, edge, user_agent="friendly-scanner").register()


def test_an_oversized_request_is_refused(edge: Edge, account: Account, connect: Connect) -> None:
    phone = connect(account, edge)

    assert 513 == phone.register_raw([("X-Long", "x" * 9000)]).status


@pytest.mark.parametrize("nonsense", [b"\x00\xff" * 50, b"REGISTER\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_nonsense_does_not_disturb_the_next_phone(
    edge: Edge, functions: FunctionsServer, account: Account, connect: Connect, nonsense: bytes
) -> None:
    functions.add(account)
    connect(account, edge).send(nonsense)

    assert 200 == connect(account, edge).register().status


def test_a_flood_of_unauthenticated_requests_is_cut_off_and_a_registered_phone_is_not(
    make_edge: Callable[..., Edge], own_functions: FunctionsServer, account: Account, connect: Connect
) -> None:
    edge = make_edge(EDGE_PIKE_DENSITY="30").start()
    own_functions.add(account)
    phone = connect(account, edge)
    phone.register()
    stranger = connect(Account("nobody", "nobody"), edge)

    def flood() -> None:
        for _ in range(300):
            stranger.dial_without_credentials("1")

    with pytest.raises((ConnectionResetError, BrokenPipeError, ssl.SSLError)):
        flood()
    assert 200 == phone.register().status


def test_only_tls_1_2_and_newer_is_spoken(edge: Edge) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as plain, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(plain)


def test_a_burst_of_connections_is_served(edge: Edge, functions: FunctionsServer, account: Account, connect: Connect) -> None:
    """Debian 12's Kamailio frees memory twice with more than one TLS worker; ours has one."""
    functions.add(account)
    for number in range(30):
        phone = connect(account, edge)
        if number % 3:
            phone.close()
    survivor = connect(account, edge)

    assert 200 == survivor.register().status
    assert "BUG" not in edge.log("kamailio")


def test_a_phone_of_the_edge_s_own_machine_cannot_end_all_calls(edge: Edge, account: Account, connect: Connect) -> None:
    """The page for that is served without TLS, for the edge's own processes."""
    stranger = connect(account, edge)
    stranger.send(b"POST /ended-all HTTP/1.1\r\nHost: edge.test\r\nContent-Length: 0\r\n\r\n")

    assert stranger.connection.recv(4096).startswith(b"HTTP/1.1 404")
