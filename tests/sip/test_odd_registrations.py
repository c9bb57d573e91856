"""Registrations that no sound phone sends, or only once in years: what is bound stays, and is what the functions believe."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.contracts.edge import CommandType, EdgeCommand
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.phone import Account, Phone

pytestmark = pytest.mark.sip
Headers = list[tuple[str, str]]


@pytest.fixture
def phone(edge: Edge, functions: FunctionsServer, account: Account, connect: Callable[..., Phone]) -> Phone:
    functions.add(account)
    phone = connect(account, edge)
    assert 200 == phone.register().status
    return phone


def bound(phone: Phone) -> str:
    """What the registrar lists."""
    return phone.register_raw([]).header("Contact")


@pytest.mark.parametrize("expires", [[("Expires", "3600")], []])
def test_a_star_removes_nothing_unless_the_expiry_is_0(phone: Phone, expires: Headers) -> None:
    """RFC 3261 section 10.3, step 6."""
    assert 400 == phone.register_raw([("Contact", "*"), *expires]).status
    assert phone.contact in bound(phone)


@pytest.mark.parametrize("shape", ["two headers", "one header", "with a star"])
def test_a_phone_has_one_contact(phone: Phone, shape: str) -> None:
    first, second = f"<{phone.contact}>", f"<sip:second@{phone.address};transport=tls>"
    headers = {
        "two headers": [("Contact", first), ("Contact", second)],
        "one header": [("Contact", f'{first};methods="INVITE,ACK", {second}')],
        "with a star": [("Contact", "*"), ("Contact", first)],
    }
    answer = phone.register_raw([*headers[shape], ("Expires", "120")])

    assert (400, "One Contact for each phone") == (answer.status, answer.phrase)
    assert 1 == bound(phone).count("sip:")


def test_a_comma_between_quotes_begins_no_second_contact(phone: Phone) -> None:
    contact = f'<{phone.contact}>;methods="INVITE, ACK, BYE";+sip.instance="<urn:uuid:00000000-0000-1000-8000-0015651a2b3c>"'

    assert 200 == phone.register(contact=contact).status


def test_a_cseq_that_goes_back_changes_nothing(edge: Edge, phone: Phone) -> None:
    """RFC 3261 section 10.3, step 7: the request fails, the binding stays, and the phone can still be reached."""
    phone.register()
    phone._cseq = 0
    answer = phone.register()
    edge.send_command(EdgeCommand("back", CommandType.RESYNC, phone.account.username, phone.account.aor, "check-sync"))

    assert 400 == answer.status
    assert phone.contact == phone.receive("NOTIFY").uri


def test_no_phone_is_given_an_address_under_which_nobody_reaches_it(phone: Phone) -> None:
    """A GRUU (RFC 5627): calls to it would find nobody."""
    contact = f'<{phone.contact}>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-0015651a2b3c>"'
    answer = phone.register_raw([("Contact", contact), ("Supported", "gruu"), ("Expires", "120")])

    assert 200 == answer.status
    assert "gruu" not in answer.header("Contact")
