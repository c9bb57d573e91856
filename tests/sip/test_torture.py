"""The torture messages of RFC 4475 section 3, byte by byte in torture/, sent over TLS to an edge that serves example.com.

docs/sip-torture.md says what the edge does with each and why; these tests hold it to that table.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.sip.edge import REPOSITORY, Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Account, Phone
from tests.sip.trunk import trunk_settings
from tests.sip.waiting import GENEROUS_SECONDS

pytestmark = pytest.mark.sip
DOMAIN = "example.com"
MESSAGES = Path(__file__).parent / "torture"
ROW = re.compile(r"\| (?P<section>3\.[\d.]+) \| (?P<name>\w+) \| (?P<outcome>[\w ]+) \|")
OUTCOMES = {
    match["name"]: match["outcome"]
    for match in map(ROW.match, (REPOSITORY / "docs" / "sip-torture.md").read_text(encoding="utf-8").splitlines())
    if match
}
PROBE = (
    f"OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bKprobe\r\nMax-Forwards: 70\r\n"
    f"From: <sip:probe@{DOMAIN}>;tag=probe\r\nTo: <sip:{DOMAIN}>\r\nCall-ID: the-probe\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
).encode()
STATUS = re.compile(
    rb"^SIP/2\.0 (\d+)[^\r]*\r\n(?:(?!\r\n\r\n).)*?(?:Call-ID|i)[ \t]*:[ \t]*([^\r]*)", re.MULTILINE | re.DOTALL | re.IGNORECASE
)


@pytest.fixture(scope="module")
def tortured(
    certificate: tuple[Path, Path], shared_functions: FunctionsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    edge = Edge(tmp_path_factory.mktemp("tortured"), *certificate, shared_functions, {"EDGE_SIP_HOST": DOMAIN})
    try:
        yield edge.start()
    finally:
        edge.close()


@pytest.fixture(scope="module")
def bystander(tortured: Edge, shared_functions: FunctionsServer) -> Iterator[Phone]:
    """A phone that registered before all this and wants to stay so."""
    account = shared_functions.add(Account("bystander.1", "bystander"), domain=DOMAIN)
    with Phone(account, tortured.port, domain=DOMAIN) as phone:
        assert 200 == phone.register().status
        yield phone


def outcome_of(edge: Edge, message: bytes) -> str:
    """The status of the answer; or `ignored`, where the connection goes on without one; `closed`; or `waits` for more bytes."""
    with Phone(Account("stranger", "stranger"), edge.port) as stranger:
        connection = stranger._socket
        connection.sendall(message)
        connection.sendall(PROBE)
        connection.settimeout(2)
        received = b""
        while True:
            found = [(int(status), call_id) for status, call_id in STATUS.findall(received)]
            answers = [status for status, call_id in found if call_id.strip() != b"the-probe" and status >= 200]
            if answers:
                return str(answers[0])
            if found and found[-1][1].strip() == b"the-probe":
                return "ignored"
            try:
                data = connection.recv(65536)
            except TimeoutError:
                return "waits"
            except OSError:
                data = b""
            if not data:
                return "closed"
            received += data


def test_the_table_has_every_message_of_the_rfc() -> None:
    assert {path.stem for path in MESSAGES.glob("*.dat")} == set(OUTCOMES)
    assert 49 == len(OUTCOMES)


@pytest.mark.parametrize("name", sorted(OUTCOMES))
def test_a_torture_message_has_the_outcome_of_the_table(tortured: Edge, bystander: Phone, name: str) -> None:
    message = (MESSAGES / f"{name}.dat").read_bytes()

    assert OUTCOMES[name] == outcome_of(tortured, message)
    assert 200 == bystander.register().status


def test_a_registered_phone_may_send_them_all(tortured: Edge, shared_functions: FunctionsServer, bystander: Phone) -> None:
    """Nobody is closer to the tables than a phone; what ends its connection is answered by a new one."""
    account = shared_functions.add(Account("rough.1", "rough"), domain=DOMAIN)
    for name in sorted(OUTCOMES):
        with Phone(account, tortured.port, domain=DOMAIN) as phone:
            assert 200 == phone.register().status
            phone.send((MESSAGES / f"{name}.dat").read_bytes())
            phone._socket.shutdown(socket.SHUT_WR)
    assert 200 == bystander.register().status


@pytest.mark.parametrize("port", ["trunk", "private"])
def test_a_peer_may_send_them_all(
    make_edge: Callable[..., Edge],
    own_functions: FunctionsServer,
    certificate: tuple[Path, Path],
    account: Account,
    connect: Callable[..., Phone],
    *,
    port: str,
) -> None:
    ports = {"trunk": free_port(), "private": free_port()}
    trunk = trunk_settings(certificate, ports["trunk"], [])
    trunk["EDGE_TRUNK_PEERS"] = f"127.0.0.1:{free_port()}"
    private = {"EDGE_PRIVATE_ADDRESS": f"127.0.0.1:{ports['private']}", "EDGE_PRIVATE_NETWORKS": "127.0.0.0/8"}
    edge = make_edge(EDGE_SIP_HOST=DOMAIN, **trunk, **private).start()
    own_functions.add(account, domain=DOMAIN)
    phone = connect(account, edge, domain=DOMAIN)
    statuses = [phone.register().status]
    for name in sorted(OUTCOMES):
        with _connect_as_peer(ports[port], certificate if port == "trunk" else None) as connection:
            connection.sendall((MESSAGES / f"{name}.dat").read_bytes())
            connection.shutdown(socket.SHUT_WR)
        statuses.append(phone.register().status)

    assert [200] * (1 + len(OUTCOMES)) == statuses
    assert [] == [line for line in edge.log("kamailio").splitlines() if "BUG" in line or "CRITICAL" in line]


def _connect_as_peer(port: int, certificate: tuple[Path, Path] | None) -> socket.socket:
    """Over TCP, or with a certificate over TLS."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=GENEROUS_SECONDS)
    if certificate is None:
        return plain
    context = ssl.create_default_context(cafile=str(certificate[0]))
    context.check_hostname = False
    context.load_cert_chain(*certificate)
    return context.wrap_socket(plain)


def test_no_bug_came_to_light(tortured: Edge, bystander: Phone) -> None:
    assert 200 == bystander.register().status
    assert [] == [line for line in tortured.log("kamailio").splitlines() if "BUG" in line or "CRITICAL" in line]
