"""Forms in which a number comes: as people write it, as a tel URI (RFC 3966), with parameters (RFC 4694)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sip.calls import Outgoing, call
from tests.sip.conftest import hire_at
from tests.sip.media import Media
from tests.sip.peer import Peer
from tests.sip.phone import Phone
from tests.sip.trunk import Trunk, start_trunk

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]


@pytest.fixture(scope="module")
def trunk(certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trunk]:
    with start_trunk(tmp_path_factory.mktemp("edge"), certificate) as made:
        yield made


@pytest.mark.parametrize(
    "form",
    [
        "sip:{country}(89){rest}@edge.test;user=phone",
        "sip:{country}%2089-{rest}@edge.test",
        "sip:{number};phone-context=+49@edge.test;user=phone",
        "sip:{number};npdi=yes;rn=+4912@edge.test",
        "sips:{number}@edge.test",
        "tel:{number}",
        "tel:{country}-89-{rest};phone-context=edge.test",
    ],
)
def test_a_phone_reaches_a_colleague(hire: Hire, form: str) -> None:
    anna, ben = hire(), hire()
    dial(anna, _fill(form, ben))

    assert ben.receive("INVITE").uri.startswith("sip:")


@pytest.mark.parametrize(
    "form", ["tel:{number}", "sip:{number};npdi=yes;rn=+4912@edge.test;user=phone", "sip:{country}-89-{rest}@edge.test"]
)
def test_the_public_network_reaches_a_user(
    trunk: Trunk, certificate: tuple[Path, Path], connect: Callable[..., Phone], form: str
) -> None:
    ben, caller = hire_at(trunk.edge, trunk.functions, connect), Peer(*certificate)
    caller.call_edge(trunk.port)
    dial(caller, _fill(form, ben), Media(encrypted=False))

    assert ben.receive("INVITE").uri.startswith("sip:")
    caller.close()


@pytest.mark.parametrize(
    "form", ["tel:112", "sip:1-1-2@edge.test", "sip:112@example.com", "sip:112;phone-context=edge.test@edge.test;user=phone"]
)
def test_an_emergency_number_is_one_in_every_form(trunk: Trunk, connect: Callable[..., Phone], form: str) -> None:
    anna = hire_at(trunk.renewed().edge, trunk.functions, connect, emergency=True, emergency_numbers=("112",))
    dial(anna, form)

    assert trunk.peers[0].receive("INVITE").uri.startswith("sip:112@")


def test_the_name_of_who_calls_stands_as_it_is_between_the_quotes(hire: Hire) -> None:
    anna, ben = hire(display_name='Conan "C" O\'Brien\\日本'), hire()
    call(anna, ben.account.aor)

    assert ben.receive("INVITE").header("From").startswith('"Conan \\"C\\" O\'Brien\\\\日本" <sip:')


def dial(phone: Phone, uri: str, media: Media | None = None) -> Outgoing:
    """An INVITE with this very first line."""
    media = media or Media()
    headers = [("Contact", f"<{phone.contact}>"), ("Content-Type", "application/sdp")]
    return Outgoing(phone, media, phone.send_invite(uri, headers, media.sdp(), to_user="somebody"), uri)


def _fill(form: str, callee: Phone) -> str:
    number = callee.account.aor
    return form.format(number=number, country=number[:3], rest=number[5:])
