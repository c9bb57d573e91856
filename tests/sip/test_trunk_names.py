"""A peer of the trunk is one whose certificate says so: an authority signs for many others as well."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chalicelib.contracts.edge import Route, RouteOutcome
from sip_edge.agent.kamailio import kamailio_environment
from sip_edge.agent.settings import KamailioSettings
from tests.ports import free_port
from tests.sip.calls import call
from tests.sip.certificates import issue_certificate
from tests.sip.conftest import hire_at
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.peer import Peer
from tests.sip.phone import Phone
from tests.sip.scrape import measured
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip
OUTSIDE = "+4930123456"
PEER_NAMES = "sip.pstnhub.test,*.carrier.test"
# Names in the subject alternative names, common name.
OURS = {
    "name": ("DNS:sip.pstnhub.test", "x.test"),
    "wildcard": ("DNS:*.pstnhub.test", "x.test"),
    "one_of_many": ("DNS:sbc7.carrier.test", "x.test"),
    "common_name": ("DNS:x.test", "sip.pstnhub.test"),
}
FOREIGN = {
    "other": ("DNS:other.test", "other.test"),
    "longer": ("DNS:sip.pstnhub.test.other.test", "sip-pstnhub-test"),
    "before": ("DNS:evil-sip.pstnhub.test", "x.test"),
    "deeper": ("DNS:a.b.carrier.test", "x.test"),
    "address": ("IP:127.0.0.1", "127.0.0.1"),
}
SECOND = {"second_name": ("DNS:x.test,DNS:sip.pstnhub.test", "x.test")}


@dataclass
class Trunk:
    edge: Edge
    functions: FunctionsServer
    certificates: dict[str, tuple[Path, Path]]
    trust: Path
    port: int
    listener: Peer

    def peer(self, certificate: str) -> Peer:
        return Peer(*self.certificates[certificate], trust=self.trust)


@pytest.fixture(scope="module")
def trunk(certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trunk]:
    """The edge trusts the authority of every certificate here, and its one peer has a foreign name."""
    folder = tmp_path_factory.mktemp("edge")
    certificates = {
        name: issue_certificate(folder / name, names=names, common_name=common_name)
        for name, (names, common_name) in {**OURS, **FOREIGN, **SECOND}.items()
    }
    authority = folder / "authority.pem"
    authority.write_text("".join(files[0].read_text() for files in certificates.values()))
    functions, port = FunctionsServer(*certificate), free_port()
    listener = Peer(*certificates["other"], trust=certificate[0])
    settings = {
        "EDGE_TRUNK_PEERS": f"127.0.0.1:{listener.listening}",
        "EDGE_TRUNK_PEER_NAMES": PEER_NAMES,
        "EDGE_TRUNK_NETWORKS": "127.0.0.0/8",
        "EDGE_TRUNK_PORT": str(port),
        "EDGE_TRUNK_AUTHORITY": str(authority),
        "EDGE_TRUNK_PROBE_SECONDS": "1",
    }
    edge = Edge(folder, *certificate, functions, settings)
    try:
        edge.start_rtpengine().start()
        yield Trunk(edge, functions, certificates, certificate[0], port, listener)
    finally:
        listener.close()
        edge.close()
        functions.close()


def refused(trunk: Trunk) -> float:
    return measured(trunk.edge).get('sip_edge_refused_total{reason="peer"}', 0)


@pytest.mark.parametrize("name", OURS)
def test_a_peer_whose_certificate_names_it_is_answered(trunk: Trunk, name: str) -> None:
    with trunk.peer(name) as caller:
        caller.call_edge(trunk.port)

        assert 200 == caller.ask_options().status


def test_every_name_of_a_certificate_counts(trunk: Trunk) -> None:
    if trunk.edge.version().startswith("5."):
        pytest.skip("Kamailio 5.6 tells the first name alone; the image has 6.0")
    with trunk.peer("second_name") as caller:
        caller.call_edge(trunk.port)

        assert 200 == caller.ask_options().status


@pytest.mark.parametrize("name", FOREIGN)
def test_a_certificate_for_another_name_opens_nothing(trunk: Trunk, name: str) -> None:
    before = refused(trunk)
    with trunk.peer(name) as caller:
        caller.call_edge(trunk.port)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            caller.ask_options()

    wait_until(lambda: refused(trunk) > before)
    assert "trunk_peer_refused" in trunk.edge.log("kamailio")


def test_a_server_with_another_name_gets_no_calls(trunk: Trunk, connect: Callable[..., Phone]) -> None:
    anna = hire_at(trunk.edge, trunk.functions, connect)
    trunk.functions.behaviour.routes[OUTSIDE] = Route(RouteOutcome.TRUNK, number=OUTSIDE)
    warning = f"trunk_peer_refused: the certificate of 127.0.0.1:{trunk.listener.listening}"
    for _ in range(2):  # as many unanswered OPTIONS as mark a peer as away
        trunk.listener.accept()
        with pytest.raises((TimeoutError, ConnectionError)):
            trunk.listener.receive("INVITE")  # answers the OPTIONS, and is hung up on
    wait_until(lambda: trunk.edge.log("kamailio").count(warning) >= 2)

    assert 503 == wait_until(lambda: call(anna, OUTSIDE).refused()).status
    assert trunk.listener.options


@pytest.mark.parametrize(
    ("peers", "names", "certified", "expected"),
    [
        ("sip.pstnhub.test:5061", "", "sip.pstnhub.test", True),
        ("sip.pstnhub.test:5061", "", "*.pstnhub.test", True),
        ("sip.pstnhub.test:5061", "", "sip2.pstnhub.test", False),
        ("sip.pstnhub.test:5061", "", "sipxpstnhub.test", False),
        ("sip.pstnhub.test:5061", "*.pstnhub.test", "sip3.pstnhub.test", True),
        ("sip.pstnhub.test:5061", "*.pstnhub.test", "pstnhub.test", False),
        ("192.0.2.7:5061", "", "192.0.2.7", True),
        ("localhost:5061", "", "localhost", True),
        ("localhost:5061", "", "*.", False),
        ("", "", "anything.test", False),
    ],
)
def test_the_peers_hosts_are_their_names_unless_others_are_set(
    peers: str, names: str, certified: str, *, expected: bool
) -> None:
    settings = KamailioSettings(trunk_peers=peers, trunk_peer_names=names, trunk_networks="192.0.2.0/24")
    pattern = kamailio_environment(settings)["EDGE_TRUNK_PEER_PATTERN"]

    assert expected == bool(re.fullmatch(f"^({pattern})$", certified))
