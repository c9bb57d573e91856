"""Kamailio as the image and the local gateway start it: `python -m sip_edge.agent.kamailio`, its log and its limits."""

from __future__ import annotations

import os
import re
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sip.edge import END_WITH_PARENT, Edge
from tests.sip.phone import Account, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
FORGED = '{"at": "2026-11-22T12:00:00+00:00", "event": "certificate_refused"}'
NO_MESSAGE = (
    "INVITE sip:*55*123456@edge.test SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.53;branch=z9hG4bKx\r\nCSeq: 0 INVITE\r\n"
    f"Content-Length: -999\r\n\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret-key\r\n{FORGED}\r\n"
).encode()


@pytest.fixture
def started(make_edge: Callable[..., Edge]) -> Iterator[Edge]:
    """Without an agent, from a shell that allows few open files."""
    edge = make_edge(EDGE_MAX_CONNECTIONS="400", EDGE_CONNECTIONS_PER_ADDRESS="400")
    edge.kamailio = edge._spawn("kamailio", ["prlimit", "--nofile=256:", *command_of(edge)], environment_of(edge))
    wait_until(edge._answers, describe=lambda: edge.log("kamailio"))
    yield edge
    edge.close()


def command_of(edge: Edge) -> list[str]:
    module = ["-m", "sip_edge.agent.kamailio"]
    return edge.in_root("python3", *module) if edge.root else [*END_WITH_PARENT, sys.executable, *module]


def environment_of(edge: Edge) -> dict[str, str]:
    return {**edge.environment, "PATH": f"{os.environ['PATH']}:/usr/sbin"}


def test_a_message_that_cannot_be_read_is_not_in_the_log(started: Edge) -> None:
    with Phone(Account("stranger", "stranger"), started.port) as stranger:
        stranger.send(NO_MESSAGE)
        assert b"" == stranger.connection.recv(4096)
    log = wait_until(lambda: started.log("kamailio") if "bad request" in started.log("kamailio") else "")
    started.kill_kamailio()

    assert [] == [part for part in ("*55*123456", "secret-key", "certificate_refused") if part in log]


def test_a_reason_not_to_start_is_in_the_log(make_edge: Callable[..., Edge]) -> None:
    edge = make_edge()
    with socket.create_server(("127.0.0.1", edge.port)):
        edge.kamailio = edge._spawn("kamailio", command_of(edge), environment_of(edge))
        status = edge.kamailio.wait()

    assert 0 != status
    wait_until(
        lambda: re.search(r"bind\(.*Address already in use", edge.log("kamailio")), describe=lambda: edge.log("kamailio")
    )


def test_as_many_files_may_be_open_as_connections_are_taken(started: Edge) -> None:
    assert started.kamailio is not None
    limits = Path(f"/proc/{started.kamailio.pid}/limits").read_text(encoding="ascii")

    assert 400 + 1024 == int(re.findall(r"Max open files +(\d+)", limits)[0])
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 256
