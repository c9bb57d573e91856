"""What a registration refresh weighs on the wire: every phone sends one every two minutes, so it is paid for (infra/costs)."""

from __future__ import annotations

import socket
import struct
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer, credentials_for
from tests.sip.messages import SipMessage, digest_parameters, render_message
from tests.sip.phone import Account, Phone, hash_of

pytestmark = pytest.mark.sip

INPUTS = Path(__file__).parents[2] / "infra/costs/inputs.toml"
HOST = "sip.emea.gateway.example"
ACCOUNT = Account("5ai7xjdnujs7tp3uylkwwdsf4y.12", "+498912345678")
# RFC 3261: what a response repeats, what a 200 to a REGISTER says, and where the message ends.
NEEDED = ["via", "from", "to", "call-id", "cseq", "contact", "content-length"]
CONTACT = f"<sip:{ACCOUNT.aor}@192.168.100.101:11987;transport=TLS>"
_numbers = count(1)


@dataclass
class DeskPhone:
    """A phone that has answered the challenge, and refreshes its registration with the same nonce."""

    phone: Phone
    challenge: dict[str, str]

    def refresh(self) -> SipMessage:
        answer = send_register(self.phone, self.challenge)
        assert answer.status == 200
        return answer


@pytest.fixture
def desk_phone(make_edge: Callable[..., Edge], own_functions: FunctionsServer, connect: Callable[..., Phone]) -> DeskPhone:
    """Behind an address translator, with the names and numbers of a large region."""
    edge = make_edge(EDGE_SIP_HOST=HOST).start()
    own_functions.behaviour.credentials[ACCOUNT.username] = credentials_for(ACCOUNT, domain=HOST)
    phone = connect(ACCOUNT, edge, domain=HOST)
    desk_phone = DeskPhone(phone, digest_parameters(send_register(phone, {}).header("WWW-Authenticate")))
    desk_phone.refresh()  # and what TLS sends of itself at the start
    return desk_phone


def send_register(phone: Phone, challenge: dict[str, str]) -> SipMessage:
    """A REGISTER such as desk phones send, and its answer."""
    number = next(_numbers)
    headers = [
        ("Via", f"SIP/2.0/TLS 192.168.100.101:11987;branch=z9hG4bK{1_000_000_000 + number};rport"),
        ("From", f'"Anna Berg" <sip:{ACCOUNT.aor}@{HOST}>;tag={2_000_000_000 + number}'),
        ("To", f'"Anna Berg" <sip:{ACCOUNT.aor}@{HOST}>'),
        ("Call-ID", "0_1234567890@192.168.100.101"),
        ("CSeq", f"{number} REGISTER"),
        ("Contact", CONTACT),
        (
            "Allow",
            "INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE",
        ),
        ("Max-Forwards", "70"),
        ("User-Agent", "Yealink SIP-T46U 108.86.0.90"),
        ("Expires", "120"),
        ("Allow-Events", "talk,hold,conference,refer,check-sync"),
    ]
    if challenge:
        headers.append(("Authorization", authorization(challenge, number)))
    phone.send(render_message(f"REGISTER sip:{HOST} SIP/2.0", headers))
    return phone.receive()


def authorization(challenge: dict[str, str], number: int) -> str:
    ha1 = hash_of("md5", f"{ACCOUNT.username}:{HOST}:{ACCOUNT.password}")
    ha2 = hash_of("md5", f"REGISTER:sip:{HOST}")
    response = hash_of("md5", f"{ha1}:{challenge['nonce']}:{number:08x}:abcdef0123456789:auth:{ha2}")
    return (
        f'Digest username="{ACCOUNT.username}", realm="{HOST}", nonce="{challenge["nonce"]}", uri="sip:{HOST}", '
        f'response="{response}", algorithm=MD5, cnonce="abcdef0123456789", qop=auth, nc={number:08x}'
    )


def received(phone: Phone) -> int:
    """Bytes that TCP has delivered to the phone: TLS records with their heads (tcpi_bytes_received of linux/tcp.h)."""
    (count_,) = struct.unpack_from("Q", phone.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), 128)
    return int(count_)


def sent(phone: Phone) -> int:
    """As received, the other way (tcpi_bytes_acked)."""
    (count_,) = struct.unpack_from("Q", phone.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), 120)
    return int(count_)


def test_an_answer_says_what_it_must_and_nothing_else(desk_phone: DeskPhone) -> None:
    answer = desk_phone.refresh()

    assert (200, NEEDED) == (answer.status, [name for name, _ in answer.headers])


def test_a_refresh_weighs_what_the_bill_is_computed_from(desk_phone: DeskPhone) -> None:
    inputs = tomllib.loads(INPUTS.read_text())["edge"]
    taken_before, sent_before = received(desk_phone.phone), sent(desk_phone.phone)
    for _ in range(10):
        desk_phone.refresh()
    taken = (received(desk_phone.phone) - taken_before) / 10
    # What was sent last may not be acknowledged yet; the answer to it was that.
    given = (sent(desk_phone.phone) - sent_before) / 10

    # Ports and random numbers have more digits at one time than at another.
    assert (inputs["answer_bytes"], inputs["request_bytes"]) == (pytest.approx(taken, abs=6), pytest.approx(given, abs=6))
